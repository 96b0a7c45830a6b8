//! The books of a target group. Every count and every sum of money in any
//! answer is read from here, and only what becomes of respondents writes here.

use super::audience::{Audience, Profile, ProfileKind, Target};
use super::saved;
use super::session::{Replies, Session, Standing};
use crate::sim::rng::Rng;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// How many respondents stand where, and what their completes cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) in_survey: u64,
    pub(crate) dropped: u64,
    pub(crate) terminated: u64,
    pub(crate) over_quota: u64,
    pub(crate) security_terminated: u64,
    pub(crate) completes: u64,
    pub(crate) reversed: u64,
    #[serde(with = "saved::text")]
    pub(crate) cost: Decimal,
}

impl Tally {
    /// One respondent.
    pub(crate) fn of(session: &Session) -> Self {
        let mut tally = Self { cost: session.cost(), ..Self::default() };
        *tally.count(session.standing) = 1;
        tally
    }

    fn count(&mut self, standing: Standing) -> &mut u64 {
        match standing {
            Standing::InSurvey => &mut self.in_survey,
            Standing::Dropped => &mut self.dropped,
            Standing::Terminated => &mut self.terminated,
            Standing::OverQuota => &mut self.over_quota,
            Standing::SecurityTerminated => &mut self.security_terminated,
            Standing::Complete => &mut self.completes,
            Standing::Reversed => &mut self.reversed,
        }
    }

    fn counts(&mut self) -> [&mut u64; 7] {
        [
            &mut self.in_survey,
            &mut self.dropped,
            &mut self.terminated,
            &mut self.over_quota,
            &mut self.security_terminated,
            &mut self.completes,
            &mut self.reversed,
        ]
    }

    /// Everyone who has entered.
    pub(crate) fn entered(&self) -> u64 {
        self.clone().counts().into_iter().map(|count| *count).sum()
    }

    /// Seats that are taken: completes, and those who may become one.
    pub(crate) fn seats(&self) -> u64 {
        self.completes + self.in_survey
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (own, more) in self.counts().into_iter().zip(other.clone().counts()) {
            *own += *more;
        }
        self.cost += other.cost;
    }

    fn subtract(&mut self, other: &Self) {
        for (own, less) in self.counts().into_iter().zip(other.clone().counts()) {
            *own = own.saturating_sub(*less);
        }
        self.cost -= other.cost;
    }

    /// The part of those who answered the screening questions that qualified.
    pub(crate) fn incidence(&self) -> f64 {
        rate(self.completes, self.completes + self.terminated)
    }

    pub(crate) fn drop_off(&self) -> f64 {
        rate(self.dropped, self.entered())
    }
}

/// A part of a whole, 0 where there is no whole.
pub(crate) fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).clamp(0.0, 1.0) }
}

/// Some completes, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Completes {
    pub(crate) count: u64,
    #[serde(with = "saved::text")]
    pub(crate) cost: Decimal,
}

/// The books of one target group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) total: Tally,
    pub(crate) by_supplier: BTreeMap<i64, Tally>,
    /// When those who are completes now became so.
    completed_at: BTreeMap<Timestamp, Completes>,
    /// How long the interviews of those took who are completes now, in seconds, and how many took so long.
    lengths: BTreeMap<u64, u64>,
    /// Arrivals that found every place for them taken before the survey.
    pub(crate) turned_away: u64,
    /// Respondents that are no longer kept one by one, by what they replied.
    #[serde(with = "saved::pairs")]
    forgotten: BTreeMap<Replies, Tally>,
}

impl Ledger {
    pub(crate) fn add(&mut self, session: &Session) {
        let tally = Tally::of(session);
        self.total.add(&tally);
        self.by_supplier.entry(session.supplier_id).or_default().add(&tally);
        if let Some((at, cost)) = session.completed.filter(|_| session.is_complete()) {
            let then = self.completed_at.entry(at).or_default();
            then.count += 1;
            then.cost += cost;
        }
        if let Some(seconds) = session.interview_seconds.filter(|_| session.is_complete()) {
            *self.lengths.entry(seconds).or_default() += 1;
        }
    }

    pub(crate) fn remove(&mut self, session: &Session) {
        let tally = Tally::of(session);
        self.total.subtract(&tally);
        self.by_supplier.entry(session.supplier_id).or_default().subtract(&tally);
        if let Some((at, cost)) = session.completed.filter(|_| session.is_complete())
            && let Some(then) = self.completed_at.get_mut(&at)
        {
            then.count = then.count.saturating_sub(1);
            then.cost -= cost;
            if then.count == 0 {
                self.completed_at.remove(&at);
            }
        }
        if let Some(seconds) = session.interview_seconds.filter(|_| session.is_complete())
            && let Some(count) = self.lengths.get_mut(&seconds)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.lengths.remove(&seconds);
            }
        }
    }

    /// Keeps the count of a respondent who is not kept any longer.
    pub(crate) fn forget(&mut self, session: &Session) {
        self.forgotten.entry(session.replies.clone()).or_default().add(&Tally::of(session));
    }

    /// Everyone who came, also those who were turned away before the survey.
    pub(crate) fn entrants(&self) -> u64 {
        self.total.entered() + self.turned_away
    }

    pub(crate) fn first_complete_at(&self) -> Option<Timestamp> {
        self.completed_at.first_key_value().map(|(at, _)| *at)
    }

    pub(crate) fn last_complete_at(&self) -> Option<Timestamp> {
        self.completed_at.last_key_value().map(|(at, _)| *at)
    }

    /// How many of those who are completes now became so before a moment.
    pub(crate) fn completes_before(&self, at: Timestamp) -> u64 {
        self.completed_at.range(..at).map(|(_, then)| then.count).sum()
    }

    /// Those who are completes now and became so within some time.
    pub(crate) fn completes_within(&self, time: Range<Timestamp>) -> Completes {
        if time.is_empty() {
            return Completes::default();
        }
        self.completed_at.range(time).fold(Completes::default(), |sum, (_, then)| Completes {
            count: sum.count + then.count,
            cost: sum.cost + then.cost,
        })
    }

    /// Seats that are taken by a supplier's people.
    pub(crate) fn seats_of(&self, supplier: i64) -> u64 {
        self.by_supplier.get(&supplier).map_or(0, Tally::seats)
    }

    /// Completes by the moment at which they became so, oldest first.
    pub(crate) fn completes_over_time(&self) -> impl Iterator<Item = (Timestamp, Completes)> {
        self.completed_at.iter().map(|(at, then)| (*at, *then))
    }
}

/// The length of the interview in the middle, in seconds, over all completes of some books; the mean of both where two
/// are in the middle.
pub(crate) fn median_length<'l>(ledgers: impl IntoIterator<Item = &'l Ledger>) -> u64 {
    let mut lengths = BTreeMap::<u64, u64>::new();
    for (seconds, count) in ledgers.into_iter().flat_map(|ledger| &ledger.lengths) {
        *lengths.entry(*seconds).or_default() += count;
    }
    let total: u64 = lengths.values().sum();
    let at = |place: u64| {
        let mut before = 0;
        lengths.iter().find(|(_, count)| {
            before += **count;
            before > place
        })
    };
    match (at(total.saturating_sub(1) / 2), at(total / 2)) {
        (Some((low, _)), Some((high, _))) => low.midpoint(*high),
        _ => 0,
    }
}

/// A target of a profile that agrees with what is known, drawn by weight.
pub(crate) fn choose<'a>(
    profile: &'a Profile,
    replies: &Replies,
    rng: &mut Rng,
    weight: impl Fn(&Target) -> f64,
) -> Option<&'a Target> {
    let candidates: Vec<(&Target, f64)> = profile
        .targets
        .iter()
        .filter(|target| replies.agree_with(target))
        .map(|target| (target, weight(target)))
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    let mut ticket = rng.unit() * candidates.iter().map(|(_, weight)| weight).sum::<f64>();
    let drawn = candidates.iter().find(|(_, weight)| {
        ticket -= weight;
        ticket < 0.0
    });
    // Rounding may leave the last one by a hair.
    drawn.or(candidates.last()).map(|(target, _)| *target)
}

/// The targets that a respondent counts for: in a profile the first that it
/// meets, among hand-made quotas all of them.
pub(crate) fn targets_of(audience: &Audience, replies: &Replies) -> Vec<String> {
    let mut targets = Vec::new();
    for profile in &audience.profiles {
        let most = if profile.kind == ProfileKind::Control { usize::MAX } else { 1 };
        targets.extend(
            profile.targets.iter().filter(|target| replies.meet(target)).take(most).map(|target| target.id.clone()),
        );
    }
    targets
}

/// Adds to, or takes from, the quotas of some targets.
pub(crate) fn count(audience: &mut Audience, targets: &[String], tally: &Tally, remove: bool) {
    for target in audience.targets_mut().filter(|target| targets.contains(&target.id)) {
        if let Some(quota) = &mut target.quota {
            if remove { quota.tally.subtract(tally) } else { quota.tally.add(tally) }
        }
    }
}

/// What a respondent replies to questions that were asked later than it came:
/// panels know such things of their people. The same for the same respondent.
fn with_later_replies(audience: &Audience, replies: &Replies, rng: &mut Rng) -> Replies {
    let mut replies = replies.clone();
    for profile in audience.profiles.iter().filter(|profile| profile.kind != ProfileKind::Control) {
        if profile.questions().iter().all(|question| replies.knows(*question)) {
            continue;
        }
        let goal = |target: &Target| {
            target.quota.as_ref().filter(|_| profile.quotas_enabled).map_or(1.0, |quota| quota.goal.max(1) as f64)
        };
        if let Some(target) = choose(profile, &replies, rng, goal) {
            replies.complete_for(target, rng);
        }
    }
    replies
}

/// Counts everyone anew under changed profiles. What each respondent replies
/// then, and which targets it counts for, in the order of the sessions.
pub(crate) fn recount<'s>(
    audience: &mut Audience,
    seed: u64,
    ledger: &mut Ledger,
    sessions: impl Iterator<Item = &'s Session>,
) -> Vec<(Replies, Vec<String>)> {
    for quota in audience.targets_mut().filter_map(|target| target.quota.as_mut()) {
        quota.tally = Tally::default();
    }
    let mut placed = Vec::new();
    for session in sessions {
        let replies = with_later_replies(audience, &session.replies, &mut Rng::named(seed, &session.rid));
        let targets = targets_of(audience, &replies);
        count(audience, &targets, &Tally::of(session), false);
        placed.push((replies, targets));
    }
    let mut rng = Rng::named(seed, "forgotten");
    for (replies, tally) in std::mem::take(&mut ledger.forgotten) {
        let replies = with_later_replies(audience, &replies, &mut rng);
        let targets = targets_of(audience, &replies);
        count(audience, &targets, &tally, false);
        ledger.forgotten.entry(replies).or_default().add(&tally);
    }
    placed
}
