//! Interlocked questions as whole numbers: each table is solved once and kept, within limits of work and time.
//! What a call awaits is solved on a thread for blocking work.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cintx_quota::{Axis, Budget, Solution, SolveError, Table, TableBuilder};
use serde::{Deserialize, Serialize};

use super::{Audience, Bound, Interlock, Unit, labels, rules, shares};
use crate::background::in_background;

/// What the cells of a table add up to, and the completes that this stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) total: u64,
    pub(crate) goal: u64,
}

impl Scale {
    /// Completes.
    pub(crate) fn completes(goal: u64) -> Self {
        Self { total: goal, goal }
    }

    /// Parts of the goal: a hundred for whole percents, 10,000 for two decimals.
    pub(crate) fn parts(parts: u64, goal: u64) -> Self {
        Self { total: parts, goal }
    }

    pub(crate) fn of(unit: Unit, goal: u64) -> Self {
        match unit {
            Unit::Completes => Self::completes(goal),
            Unit::Percent => Self::parts(100, goal),
        }
    }

    fn is_in_completes(self) -> bool {
        self.total == self.goal
    }

    /// A number of completes in these parts, rounded up: what is asked for at least.
    pub(crate) fn at_least(self, completes: u64) -> u64 {
        self.rounded(completes, u128::div_ceil)
    }

    /// The same rounded down: what is allowed at most.
    pub(crate) fn at_most(self, completes: u64) -> u64 {
        self.rounded(completes, |number, by| number / by)
    }

    fn rounded(self, completes: u64, divide: impl Fn(u128, u128) -> u128) -> u64 {
        if self.is_in_completes() {
            return completes;
        }
        let parts = divide(u128::from(completes) * u128::from(self.total), u128::from(self.goal.max(1)));
        u64::try_from(parts).unwrap_or(u64::MAX)
    }
}

/// What a table may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    pub(crate) work: Option<u64>,
    pub(crate) time: Option<Duration>,
}

impl Limits {
    /// A budget that begins now.
    pub(crate) fn budget(self) -> Budget {
        let budget = Budget::unlimited();
        let budget = self.work.map_or(budget.clone(), |work| budget.work(work));
        self.time.map_or(budget.clone(), |time| budget.time(time))
    }
}

type Answer = Result<Arc<Solution>, SolveError>;

/// Tables that were solved, shared by the clones of an audience. It says nothing about what is asked for.
#[derive(Clone, Default)]
pub(crate) struct Memo(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    answers: Vec<(Scale, Answer)>,
    /// On which threads something was solved.
    #[cfg(test)]
    threads: Vec<std::thread::ThreadId>,
}

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

impl Memo {
    fn get(&self, scale: Scale) -> Option<Answer> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = known.answers.iter().position(|(known, _)| *known == scale)?;
        // What was stopped is told once; whoever asks again gets another try.
        match &known.answers[at].1 {
            Err(SolveError::Stopped(_)) => Some(known.answers.remove(at).1),
            answer => Some(answer.clone()),
        }
    }

    fn has(&self, scale: Scale) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answers.iter().any(|(known, _)| *known == scale)
    }

    fn keep(&self, scale: Scale, answer: &Answer) {
        /// A goal in two units, and another one that it is compared with.
        const MAX_ANSWERS: usize = 4;
        if matches!(answer, Err(SolveError::Stopped(cintx_quota::Stop::Cancelled))) {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.answers.retain(|(known, _)| *known != scale);
        if known.answers.len() >= MAX_ANSWERS {
            drop(known.answers.remove(0));
        }
        known.answers.push((scale, answer.clone()));
    }

    #[cfg(test)]
    pub(crate) fn threads(&self) -> Vec<std::thread::ThreadId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).threads.clone()
    }
}

/// Why there is no table, in words.
pub(crate) fn in_words(error: &SolveError) -> String {
    match error {
        SolveError::Infeasible(proof) => format!("no quotas meet these targets: {proof}"),
        error => error.to_string(),
    }
}

impl Interlock {
    /// The cells for a scale, the last question's targets fastest: solved once.
    pub(crate) fn solution(&self, scale: Scale) -> Answer {
        self.memo.get(scale).unwrap_or_else(|| {
            let answer = self.solve_within(scale, &self.limits.budget());
            // Whoever is told now need not be told again.
            if !matches!(answer, Err(SolveError::Stopped(_))) {
                self.memo.keep(scale, &answer);
            }
            answer
        })
    }

    pub(crate) fn cells_at(&self, scale: Scale) -> Result<Vec<u64>, String> {
        self.solution(scale).map(|solution| solution.cells().to_vec()).map_err(|error| in_words(&error))
    }

    fn solve_within(&self, scale: Scale, budget: &Budget) -> Answer {
        #[cfg(test)]
        self.memo.0.lock().unwrap_or_else(PoisonError::into_inner).threads.push(std::thread::current().id());
        self.table(scale, None, budget)?.solve().map(Arc::new)
    }

    /// Solves on a thread for blocking work, so that whoever asks next has the answer at hand.
    pub(crate) async fn solve_ahead(&self, scale: Scale) {
        if self.memo.has(scale) {
            return;
        }
        let interlock = self.clone();
        let solve = move |budget: &Budget| interlock.memo.keep(scale, &interlock.solve_within(scale, budget));
        in_background(self.limits.budget(), solve).await;
    }

    /// What is asked for, as a table to be solved. Names and labels may be others than the questions' own.
    pub(crate) fn table(
        &self,
        scale: Scale,
        named: Option<&[(String, Vec<String>)]>,
        budget: &Budget,
    ) -> Result<Table, SolveError> {
        let Some((targets, completes)) = self.constraints.last_wave() else { return self.wave(scale, named, budget) };
        // What was missed is part of the goal, and what else is asked for is asked of the whole.
        let whole = self.wave(Scale::completes(scale.goal), named, budget)?;
        let carried = whole.carry_over_within(targets, completes)?;
        Ok(if scale.is_in_completes() { carried } else { carried.in_parts(scale.total)? })
    }

    /// The table without what a wave before has missed.
    pub(super) fn wave(
        &self,
        scale: Scale,
        named: Option<&[(String, Vec<String>)]>,
        budget: &Budget,
    ) -> Result<Table, SolveError> {
        let mut builder = Table::builder().total(scale.total);
        let mut names = Vec::new();
        for (number, question) in self.questions.iter().enumerate() {
            let own = || (axis_name(question.id), labels(question));
            let (name, labels) = named.and_then(|named| named.get(number).cloned()).unwrap_or_else(own);
            let shares = shares(question);
            names.push((question.id, name.clone()));
            let axis = Axis::shares(name, labels.into_iter().zip(shares));
            builder = builder.axis(self.constraints.axis(question.id, axis, scale));
        }
        let builder = self.bounds.iter().fold(builder, |builder: TableBuilder, (cell, bound)| match *bound {
            Bound::Least(count) => builder.at_least(cell.clone(), scale.at_least(count)),
            Bound::Most(count) => builder.at_most(cell.clone(), scale.at_most(count)),
        });
        let builder = match &self.seed {
            Some(seed) => builder.seed(seed.iter().copied()),
            None => builder,
        };
        let name = |id: i64| {
            names.iter().find(|(known, _)| *known == id).map_or_else(|| axis_name(id), |(_, name)| name.clone())
        };
        Ok(self.constraints.build(builder, scale, name)?.within(budget))
    }
}

/// What a question is called where nothing else is known of it.
pub(crate) fn axis_name(question: i64) -> String {
    format!("question {question}")
}

impl Audience {
    /// What its interlock is solved for before it is sent: with what the quotas of drafts are written in.
    pub(crate) fn scale(&self, goal: Option<u32>, drafts: Unit) -> Scale {
        /// Hundredths of a percent in everything.
        const HUNDREDTHS: u64 = 10_000;
        // Counts fix the total; percentages may be checked against any.
        let completes = goal.map_or(HUNDREDTHS, u64::from);
        match drafts {
            Unit::Completes if self.in_percent && goal.is_some() => Scale::parts(HUNDREDTHS, completes),
            unit => Scale::of(unit, completes),
        }
    }

    /// Solves what is interlocked on a thread for blocking work, unless a rule is broken anyway: whatever checks or
    /// sends the audience next has the table at hand.
    pub(crate) async fn solve_ahead(&self, goal: Option<u32>, drafts: Unit) {
        if let Some(interlock) = &self.interlock
            && rules::problems(self, goal).is_empty()
        {
            self.solve_draft_ahead(interlock, goal, drafts).await;
        }
    }

    /// Solves what the quotas of a draft are written in, and what whole percents are compared with.
    async fn solve_draft_ahead(&self, interlock: &Interlock, goal: Option<u32>, drafts: Unit) {
        interlock.solve_ahead(self.scale(goal, drafts)).await;
        if let (Unit::Percent, Some(goal), true) = (drafts, goal, interlock.constraints.move_targets()) {
            interlock.solve_ahead(Scale::completes(goal.into())).await;
        }
    }

    /// Solves what is interlocked for a goal as drafts are written, to be compared with what is there.
    pub(crate) async fn draft_shape_ahead(&self, goal: u32, drafts: Unit) {
        if let Some(interlock) = &self.interlock {
            self.solve_draft_ahead(interlock, Some(goal), drafts).await;
        }
    }

    /// Solves what is interlocked for a goal in a unit, to be compared with what is there.
    pub(crate) async fn shape_ahead(&self, goal: u32, unit: Unit) {
        if let Some(interlock) = &self.interlock {
            interlock.solve_ahead(Scale::of(unit, goal.into())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Question;

    fn crossed() -> Interlock {
        let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
        Interlock::of([age, Question::choice(43).option("1", 49).option("2", 51)])
    }

    #[tokio::test]
    async fn what_is_sent_is_solved_once_and_on_another_thread() {
        for (drafts, in_percent) in [(Unit::Completes, false), (Unit::Completes, true), (Unit::Percent, false)] {
            let audience = Audience { in_percent, ..Audience::interlock(crossed()) };
            let memo = audience.interlock.as_ref().map(|interlock| interlock.memo.clone()).unwrap();
            audience.solve_ahead(Some(500), drafts).await;
            let mut problems = Vec::new();
            audience.check(Some(500), drafts, &mut problems);
            assert!(problems.is_empty());
            let scale = audience.scale(Some(500), drafts);
            // What the request, the log and a copy of the audience ask for is there.
            assert_eq!(audience.clone().interlock.unwrap().cells_at(scale).unwrap().iter().sum::<u64>(), scale.total);
            audience.warnings_in(500, drafts);
            let threads = memo.threads();
            assert_eq!(threads.len(), 1, "{drafts:?}");
            assert_ne!(threads[0], std::thread::current().id(), "{drafts:?}");
        }
    }

    /// What whole percents are compared with is solved ahead, too.
    #[tokio::test]
    async fn nothing_is_solved_where_warnings_are_made() {
        let audience = Audience::interlock(crossed().tolerance([42], 10));
        let memo = audience.interlock.as_ref().map(|interlock| interlock.memo.clone()).unwrap();
        audience.solve_ahead(Some(500), Unit::Percent).await;
        audience.warnings_in(500, Unit::Percent);
        let threads = memo.threads();
        assert!(threads.len() == 2 && !threads.contains(&std::thread::current().id()), "{threads:?}");
    }

    #[cfg(feature = "v2025-12-18")]
    #[tokio::test]
    async fn a_draft_is_solved_once_for_all_that_is_asked_of_it() {
        let sandbox = cintx_sandbox::Sandbox::builder().seed(7).start().await.unwrap();
        let credentials = crate::client::Credentials::new(sandbox.client_id(), sandbox.client_secret());
        let cint = crate::Client::<crate::V2025_12_18>::builder()
            .credentials(credentials.endpoint(sandbox.token_url()))
            .account(i64::from(sandbox.account_id()))
            .api_url(sandbox.api_url())
            .build()
            .unwrap();
        let manager: crate::UserId = sandbox.project_manager_id().parse().unwrap();
        let project = cint.projects().create("Drinks", manager).await.unwrap();
        let audience = Audience::interlock(crossed());
        let memo = audience.interlock.as_ref().map(|interlock| interlock.memo.clone()).unwrap();
        let start = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2);
        let draft = cint
            .project(&project)
            .draft_target_group("UK drinks")
            .business_unit(sandbox.business_unit_id())
            .manager(manager)
            .locale("eng_gb")
            .completes_goal(500)
            .length_of_interview(crate::types::LengthOfInterview::minutes(10))
            .incidence_rate("0.50")
            .fielding_period(start..start + jiff::SignedDuration::from_hours(240))
            .live_url("https://survey.example/?RID=[%RID%]")
            .cost_per_interview(crate::Money::new("2.73", "USD").unwrap())
            .supply(crate::supply::Supply::test_supplier_only())
            .audience(audience);
        draft.feasibility().await.unwrap();
        draft.create().await.unwrap();
        let here = std::thread::current().id();
        assert!(memo.threads().len() == 1 && !memo.threads().contains(&here), "{:?}", memo.threads());
    }

    #[tokio::test]
    async fn a_limit_is_told_once_and_another_try_is_free() {
        let crossed = crossed().time_limit(Duration::ZERO);
        let scale = Scale::completes(500);
        crossed.solve_ahead(scale).await;
        let stopped = |answer: Answer| matches!(answer, Err(SolveError::Stopped(cintx_quota::Stop::Time)));
        assert!(stopped(crossed.solution(scale)));
        assert_eq!(crossed.memo.threads().len(), 1, "the answer of the other thread");
        assert!(stopped(crossed.solution(scale)));
        assert_eq!(crossed.memo.threads().len(), 2, "another try");
        let text = Audience::interlock(crossed).problems(Some(500))[0].to_string();
        assert!(text.contains("the time was over"), "{text}");
    }

    /// A hundred parts stand for the whole goal, in bounds as in targets.
    #[test]
    fn what_was_missed_changes_no_bound_in_percent() {
        let even = || {
            let age = Question::range(42).band(18..=34, 50).band(35..=99, 50);
            Interlock::of([age, Question::choice(43).option("1", 50).option("2", 50)])
        };
        let mut last = Audience::interlock(even()).quota_table(500).unwrap();
        for (cell, completes) in last.cells.iter_mut().zip([125, 125, 105, 125]) {
            (cell.id, cell.completes) = (Some("q".to_owned()), completes);
        }
        let percents = Scale::parts(100, 500);
        let carried = even().carry_over(&last);
        let smallest = carried.clone().smallest_cell(30);
        assert_eq!(smallest.cells_at(percents).unwrap(), carried.cells_at(percents).unwrap());
        let most = carried.clone().at_most([0, 0], 50);
        assert_eq!(most.cells_at(percents).unwrap()[0], 10);
        let least = carried.clone().at_least([0, 0], 150);
        assert_eq!(least.cells_at(percents).unwrap()[0], 30);
        let between = carried.at_most([0, 0], 50).ranges([42], [(200, 300), (200, 300)]);
        let table = between.table(percents, None, &Budget::unlimited()).unwrap();
        assert!(table.margin_ranges(0).iter().all(|(least, most)| *least >= 36 && *most <= 64), "{table:?}");
    }

    #[test]
    fn what_is_changed_is_solved_anew() {
        let scale = Scale::completes(500);
        let before = crossed();
        let cells = before.cells_at(scale).unwrap();
        let after = before.clone().at_most([0, 0], 50);
        assert!(after.cells_at(scale).unwrap()[0] <= 50 && cells[0] > 50);
        assert_eq!(before.cells_at(scale).unwrap(), cells);
        assert_eq!(before, crossed(), "what was solved is no part of what is asked for");
    }
}
