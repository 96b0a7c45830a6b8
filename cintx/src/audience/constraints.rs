//! What else researchers ask of crossed questions: targets that are known together, a smallest cell, targets that may
//! give, and what the last wave of a tracker missed.

use std::collections::HashMap;

use cintx_quota::{Axis, Budget, Joint, SolveError, Table, TableBuilder, TableError};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use super::solve::{Scale, axis_name, in_words};
use super::{Interlock, Question, Share, conditions_of_cell, invalid};
use crate::error::Error;
use crate::quota::QuotaTable;

/// Everything that is asked for beside the questions' own targets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Constraints {
    joints: Vec<Known>,
    gives: Vec<Gives>,
    smallest: u32,
    last: Option<LastWave>,
}

/// Targets that are known together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    questions: Vec<i64>,
    shares: Vec<Share>,
}

/// Targets that may give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Gives {
    questions: Vec<i64>,
    how: How,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum How {
    By(Share),
    Between(Vec<(u32, u32)>),
    Importance(f64),
}

/// The targets and completes of a wave; nothing if it was about other people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct LastWave {
    cells: Option<(Vec<u64>, Vec<u64>)>,
    name: String,
}

/// What a smallest cell takes, found by [`Interlock::room_for`]. `Display` says it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SmallestCell {
    /// The largest smallest cell that works as it is.
    pub largest: u64,
    /// The least goal at which every cell can hold as many as were asked for; `None` if no goal does.
    pub least_goal: Option<u64>,
    /// The neighbouring targets to merge so that it works at this goal, the fewest: `question 42: 55-74 + 75-99`. Empty
    /// if nothing needs to be merged; `None` if no merging does it.
    pub merges: Option<Vec<String>>,
}

impl std::fmt::Display for SmallestCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "every cell can hold {}", self.largest)?;
        if let Some(goal) = self.least_goal {
            write!(f, "; more works from a goal of {goal} on")?;
        }
        match self.merges.as_deref() {
            Some([]) | None => Ok(()),
            Some(merges) => write!(f, "; or merge {}", merges.join(", ")),
        }
    }
}

impl Interlock {
    /// Targets that are known together: one share for each combination of these questions (their ids), the last
    /// question fastest. Over all questions this is a nested table, taken as it is. Questions whose own targets are
    /// `()` get theirs from it; others must agree with it.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Interlock, Question};
    /// let age = Question::range(42).band(18..=34, ()).band(35..=54, ()).band(55..=99, ());
    /// let gender = Question::choice(43).option("1", ()).option("2", ());
    /// let region = Question::choice(5).option("1", 40).option("2", 35).option("3", 25);
    /// let crossed = Interlock::of([age, gender, region]).joint([42, 43], [14, 13, 18, 18, 16, 21]);
    /// let table = Audience::interlock(crossed).quota_table(1_000)?;
    /// let young_men: u64 = (0..3).filter_map(|region| table.cell([0, 0, region])?.target).sum();
    /// assert_eq!(young_men, 140);
    /// # Ok::<(), cintx::Error>(())
    /// ```
    #[must_use]
    pub fn joint<S: Into<Share>>(
        self,
        questions: impl IntoIterator<Item = i64>,
        shares: impl IntoIterator<Item = S>,
    ) -> Self {
        let known =
            Known { questions: questions.into_iter().collect(), shares: shares.into_iter().map(Into::into).collect() };
        self.changed(|interlock| {
            for (place, id) in known.questions.iter().enumerate() {
                let sums = known.sums(place, &interlock.questions);
                let own = interlock.questions.iter_mut().find(|question| question.id == *id);
                let open = own.filter(|own| own.targets.iter().all(|target| target.share == Share::Open));
                if let (Some(own), Some(sums)) = (open, sums) {
                    own.targets.iter_mut().zip(sums).for_each(|(target, sum)| target.share = sum);
                }
            }
            interlock.constraints.joints.push(known);
        })
    }

    /// The targets of a question (its id), or those that [several have together](Self::joint), may deviate where not
    /// all can be met: by so many percent of each target, or by [`Share::Completes`]. Of all ways, the one with the
    /// fewest completes away from the targets.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Interlock, Question};
    /// let age = Question::range(42).band(18..=34, 60).band(35..=99, 40);
    /// let region = Question::choice(5).option("1", 50).option("2", 50);
    /// let crossed = Interlock::of([age, region]).at_most([0, 0], 7).tolerance([42], 10);
    /// let table = Audience::interlock(crossed).quota_table(100)?;
    /// assert_eq!(table.margin(0)[0].target, Some(57));
    /// assert!(table.to_string().contains("18-34 gets 57 instead of 60: not all can be met"));
    /// # Ok::<(), cintx::Error>(())
    /// ```
    #[must_use]
    pub fn tolerance(self, questions: impl IntoIterator<Item = i64>, by: impl Into<Share>) -> Self {
        self.giving(questions, How::By(by.into()))
    }

    /// Where not all targets can be met, these may be anything between a least and a most: one pair of completes for
    /// each target, or combination of targets. A target outside its range is moved into it.
    #[must_use]
    pub fn ranges(
        self,
        questions: impl IntoIterator<Item = i64>,
        ranges: impl IntoIterator<Item = (u32, u32)>,
    ) -> Self {
        self.giving(questions, How::Between(ranges.into_iter().collect()))
    }

    /// Where not all targets can be met, these may give, and one of their completes counts so much against one of
    /// another question that may. Without a tolerance or ranges they give as far as they must.
    #[must_use]
    pub fn importance(self, questions: impl IntoIterator<Item = i64>, importance: f64) -> Self {
        self.giving(questions, How::Importance(importance))
    }

    fn giving(self, questions: impl IntoIterator<Item = i64>, how: How) -> Self {
        let gives = Gives { questions: questions.into_iter().collect(), how };
        self.changed(|interlock| interlock.constraints.gives.push(gives))
    }

    /// Every cell gets at least so many, but for those that are excluded or have a share of 0. A share that the goal,
    /// or whole percents, would round to nothing is refused. What it takes says [`room_for`](Self::room_for).
    #[must_use]
    pub fn smallest_cell(self, completes: u32) -> Self {
        self.changed(|interlock| interlock.constraints.smallest = completes)
    }

    /// The next wave of a tracker: what the last one missed is made up for, cell by cell, and what came in too many is
    /// taken off; the rest of the goal is shared as asked. A goal of the shortfall alone asks for nothing else. Bounds,
    /// a smallest cell, tolerances and ranges are held against the whole, with what was missed.
    /// [`Question::carry_over`](super::Question::carry_over) does the same for a question that stands by itself.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Interlock, Question};
    /// # let age = || Question::range(42).band(18..=34, 50).band(35..=99, 50);
    /// # let region = || Question::choice(5).option("1", 60).option("2", 40);
    /// # let mut kept = serde_json::to_value(Audience::interlock([age(), region()]).quota_table(100)?).unwrap();
    /// # for (cell, completes) in [30, 12, 30, 20].into_iter().enumerate() {
    /// #     kept["cells"][cell]["completes"] = completes.into();
    /// # }
    /// # let last: cintx::quota::QuotaTable = serde_json::from_value(kept).unwrap();
    /// // The young in the second region were hard to reach: 12 of 20 came.
    /// assert_eq!(last.shortfall(), 8);
    /// let next = Audience::interlock(Interlock::of([age(), region()]).carry_over(&last));
    /// let targets: Vec<_> = next.quota_table(108)?.cells().filter_map(|(_, quota)| quota.target).collect();
    /// assert_eq!(targets, [30, 28, 30, 20]);
    /// # Ok::<(), cintx::Error>(())
    /// ```
    #[must_use]
    pub fn carry_over(self, last: &QuotaTable) -> Self {
        self.changed(|interlock| {
            let cells = interlock.places_in(last).map(|places| {
                let quota = |at: &Option<usize>| at.and_then(|at| last.cells.get(at)).cloned().unwrap_or_default();
                let quotas: Vec<_> = places.iter().map(quota).collect();
                let targets = quotas.iter().map(|quota| quota.target.unwrap_or(0)).collect();
                (targets, quotas.iter().map(|quota| quota.completes).collect())
            });
            interlock.constraints.last = Some(LastWave { cells, name: last.name.clone() });
        })
    }

    /// What it takes that every cell gets so many: the largest number that works, the least goal, and the neighbouring
    /// targets to merge. Only questions that are answered with a number have neighbours. With a
    /// [carry-over](Self::carry_over) what was missed is part of the goal; the least is then found by halves, and the
    /// 10,000 goals below it are tried one by one.
    ///
    /// ```
    /// # use cintx::audience::{Interlock, Question};
    /// let age = Question::range(42).band(18..=34, 40).band(35..=54, 40).band(55..=74, 16).band(75..=99, 4);
    /// let region = Question::choice(5).option("1", 70).option("2", 30);
    /// let room = Interlock::of([age, region]).room_for(5, 100)?;
    /// assert_eq!((room.largest, room.merges.unwrap()), (2, vec!["question 42: 55-74 + 75-99".to_owned()]));
    /// # Ok::<(), cintx::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no table even without a smallest cell, or a limit is reached.
    pub fn room_for(&self, smallest: u32, completes_goal: u32) -> Result<SmallestCell, Error> {
        let refused = |error: SolveError| invalid(in_words(&error));
        let own = self.clone().smallest_cell(0);
        let scale = Scale::completes(completes_goal.into());
        let budget = self.limits.budget();
        let table = own.table(scale, None, &budget).map_err(refused)?;
        let largest = table.largest_smallest_cell().map_err(refused)?;
        let least_goal = own.smallest_cell(smallest).least_goal(scale, &budget);
        let ordered = self.questions.iter().filter(|question| question.kind == super::QuestionKind::Range);
        let ordered: Vec<String> = ordered.map(|question| axis_name(question.id)).collect();
        let names: Vec<&str> = ordered.iter().map(String::as_str).collect();
        let merged = table.merge_for(smallest.into(), &names);
        let said = |merge: &cintx_quota::Merge| format!("{}: {}", table.name(merge.axis).unwrap_or_default(), merge);
        Ok(SmallestCell {
            largest,
            least_goal: found(least_goal).map_err(refused)?,
            merges: found(merged).map_err(refused)?.map(|merged| merged.merges.iter().map(said).collect()),
        })
    }

    /// The least goal at which there is a table. With what the last wave missed a goal is no multiple of another, so
    /// goals are tried.
    fn least_goal(&self, scale: Scale, budget: &Budget) -> Result<u64, SolveError> {
        const MAX_GOAL: u64 = 1 << 32;
        const TRIED_ONE_BY_ONE: u64 = 10_000;
        let whole = self.wave(scale, None, budget)?;
        let Some((targets, completes)) = self.constraints.last_wave() else { return whole.least_total() };
        let works = |goal: u64| {
            let table = whole.at_total(goal)?;
            found(table.carry_over_within(targets, completes).and_then(|table| table.solve()))
                .map(|solution| solution.is_some())
        };
        let cells = (0..whole.shape().cells()).filter_map(|cell| whole.least(whole.shape().position(cell)));
        let least = cells.fold(0_u64, u64::saturating_add);
        let (mut below, mut goal) = (least, least.max(1));
        while !works(goal)? {
            (below, goal) = (goal + 1, goal.saturating_mul(2));
            if goal > MAX_GOAL {
                // Whatever stands in the way does so at every goal.
                return whole.at_total(below)?.carry_over_within(targets, completes)?.solve().map(|_| below);
            }
        }
        while below < goal {
            let middle = below.midpoint(goal);
            if works(middle)? { goal = middle } else { below = middle + 1 }
        }
        // Rounding may open a way that a somewhat larger goal closes again.
        for lower in goal.saturating_sub(TRIED_ONE_BY_ONE).max(least)..goal {
            if works(lower)? {
                return Ok(lower);
            }
        }
        Ok(goal)
    }

    /// For each cell, the one of a table that consists of the same; `None` if the table is about other people.
    fn places_in(&self, table: &QuotaTable) -> Option<Vec<Option<usize>>> {
        let own = |at: usize| (conditions_of_cell(table, &table.position(at)), at);
        let mut places: HashMap<_, _> = (0..table.cells.len()).map(own).collect();
        let found: Vec<Option<usize>> =
            (0..self.cells()).map(|cell| places.remove(&self.conditions_at(cell))).collect();
        (places.is_empty() && found.iter().any(Option::is_some)).then_some(found)
    }
}

impl QuotaTable {
    /// How many completes its quotas miss, less those that came in too many: what the next wave has to make up for.
    /// 0 if there are enough in all.
    pub fn shortfall(&self) -> u64 {
        let sum = self.sum();
        sum.target.unwrap_or(0).saturating_sub(sum.completes)
    }
}

/// That nothing works is an answer, also where a cell may not hold so many; that it was not found out is none.
fn found<T>(answer: Result<T, SolveError>) -> Result<Option<T>, SolveError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(SolveError::Infeasible(_) | SolveError::Input(TableError::BoundsCross { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Known {
    /// What the shares come to for each target of one of the questions; `None` if there are more or fewer than
    /// combinations, or they are of different kinds.
    fn sums(&self, place: usize, questions: &[Question]) -> Option<Vec<Share>> {
        let length = |id: &i64| questions.iter().find(|question| question.id == *id).map(|it| it.targets.len());
        let lengths: Vec<usize> = self.questions.iter().map(length).collect::<Option<_>>()?;
        if lengths.iter().product::<usize>() != self.shares.len() {
            return None;
        }
        let (own, after) = (*lengths.get(place)?, lengths[place + 1..].iter().product::<usize>());
        let mut sums = vec![None; own];
        for (at, share) in self.shares.iter().enumerate() {
            let sum = &mut sums[at / after % own];
            *sum = Some(match (sum.take(), share) {
                (None, share) => share.clone(),
                (Some(Share::Percent(one)), Share::Percent(other)) => Share::Percent(one + *other),
                (Some(Share::Completes(one)), Share::Completes(other)) => Share::Completes(one.checked_add(*other)?),
                _ => return None,
            });
        }
        sums.into_iter().collect()
    }

    fn weights(&self) -> Vec<f64> {
        self.shares.iter().map(weight).collect()
    }
}

fn weight(share: &Share) -> f64 {
    match share {
        Share::Percent(percent) => percent.to_f64().unwrap_or(0.0),
        Share::Completes(count) => f64::from(*count),
        Share::Open | Share::Unreadable(_) => 0.0,
    }
}

impl Constraints {
    /// What is wrong with them, in words, each with its builder call.
    pub(crate) fn problems(&self, questions: &[Question]) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let length = |ids: &[i64]| {
            let of = |id: &i64| questions.iter().find(|question| question.id == *id).map(|it| it.targets.len());
            ids.iter().try_fold(1_usize, |product, id| Some(product * of(id)?))
        };
        let ids = || questions.iter().map(|question| question.id.to_string()).collect::<Vec<_>>().join(", ");
        for known in &self.joints {
            let call = "Interlock::joint";
            match length(&known.questions) {
                None => problems.push((call, format!("names {:?}, expected ids of {}", known.questions, ids()))),
                Some(expected) if expected != known.shares.len() => {
                    problems.push((call, format!("has {} shares, expected {expected}", known.shares.len())));
                }
                Some(_) => {}
            }
            let readable = |share: &&Share| match share {
                Share::Percent(percent) => percent.is_sign_negative(),
                Share::Completes(_) => false,
                Share::Open | Share::Unreadable(_) => true,
            };
            if let Some(share) = known.shares.iter().find(readable) {
                problems.push((call, format!("has the share {share}, expected percentages or completes")));
            }
        }
        for Gives { questions, how } in &self.gives {
            let call = match how {
                How::By(_) => "Interlock::tolerance",
                How::Between(_) => "Interlock::ranges",
                How::Importance(_) => "Interlock::importance",
            };
            let is_joint = self.joints.iter().any(|known| known.questions == *questions);
            let expected = length(questions).filter(|_| questions.len() == 1 || is_joint);
            match (how, expected) {
                (_, None) => {
                    let text = format!("names {questions:?}, expected one of {}, or those of a joint margin", ids());
                    problems.push((call, text));
                }
                (How::Importance(importance), Some(_)) if !importance.is_finite() => {
                    problems.push((call, format!("is {importance}, expected a finite number")));
                }
                (How::Between(ranges), Some(expected)) if ranges.len() != expected => {
                    problems.push((call, format!("has {} ranges, expected {expected}", ranges.len())));
                }
                (How::By(Share::Open | Share::Unreadable(_)), _) => {
                    problems.push((call, "has no tolerance, expected a percentage or completes".to_owned()));
                }
                (How::By(Share::Percent(percent)), _) if percent.is_sign_negative() => {
                    problems.push((call, format!("is {percent} percent, expected at least 0")));
                }
                _ => {}
            }
        }
        if let Some(LastWave { cells: None, name }) = &self.last {
            problems.push((
                "Interlock::carry_over",
                format!("the table {name:?} is about other people, or does not say about whom"),
            ));
        }
        problems
    }

    /// An axis that gives as far as was said.
    pub(crate) fn axis(&self, question: i64, axis: Axis, scale: Scale) -> Axis {
        let gives = self.gives.iter().filter(|gives| gives.questions == [question]);
        gives.fold(axis, |axis, gives| match &gives.how {
            How::By(Share::Percent(percent)) => axis.tolerance(fraction(percent)),
            How::By(share) => axis.tolerance_count(scale.at_most(weight(share) as u64)),
            How::Importance(importance) => axis.importance(*importance),
            How::Between(ranges) => axis.ranges(in_parts(ranges, scale)),
        })
    }

    /// A table with everything that is not of single questions.
    pub(crate) fn build(
        &self,
        builder: TableBuilder,
        scale: Scale,
        name: impl Fn(i64) -> String,
    ) -> Result<Table, SolveError> {
        let joint = |known: &Known| {
            let shares = known.weights();
            let joint = Joint::shares(known.questions.iter().map(|id| name(*id)), shares);
            let gives = self.gives.iter().filter(|gives| gives.questions == known.questions);
            gives.fold(joint, |joint, gives| match &gives.how {
                How::By(Share::Percent(percent)) => joint.tolerance(fraction(percent)),
                How::By(share) => joint.tolerance_count(scale.at_most(weight(share) as u64)),
                How::Importance(importance) => joint.importance(*importance),
                How::Between(ranges) => joint.ranges(in_parts(ranges, scale)),
            })
        };
        let builder = self.joints.iter().fold(builder, |builder, known| builder.joint(joint(known)));
        Ok(builder.smallest_cell(scale.at_least(self.smallest.into())).build()?)
    }

    /// The targets and completes of the last wave, cell by cell; `None` if there was none, or it was about others.
    pub(crate) fn last_wave(&self) -> Option<(&[u64], &[u64])> {
        let (targets, completes) = self.last.as_ref()?.cells.as_ref()?;
        Some((targets, completes))
    }

    /// Whether the targets that are asked for in the end may be others than the questions' shares.
    pub(crate) fn move_targets(&self) -> bool {
        self.last.is_some() || !self.gives.is_empty()
    }
}

fn fraction(percent: &Decimal) -> f64 {
    (percent / Decimal::ONE_HUNDRED).to_f64().unwrap_or(0.0)
}

/// Ranges of completes in the parts of a scale: rounded inwards, unless no parts between them add up to all then.
fn in_parts(ranges: &[(u32, u32)], scale: Scale) -> Vec<(u64, u64)> {
    let completes = ranges.iter().map(|(least, most)| (u64::from(*least), u64::from(*most)));
    let inwards = completes.clone().map(|(least, most)| {
        let least = scale.at_least(least);
        (least, scale.at_most(most).max(least))
    });
    let inwards: Vec<(u64, u64)> = inwards.collect();
    let (least, most) = inwards.iter().fold((0, 0), |(least, most), range| (least + range.0, most + range.1));
    if (least..=most).contains(&scale.total) {
        return inwards;
    }
    completes.map(|(least, most)| (scale.at_most(least), scale.at_least(most))).collect()
}
