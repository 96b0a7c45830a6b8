//! Reconciliation: lists of RIDs that turn completes back or make them, with
//! a deadline for each, worked through after a while.

use super::World;
use super::field;
use super::schedule::Event;
use super::session::{Session, Standing};
use super::webhook;
use crate::api::rejection::Rejection;
use crate::sim::clock::{central_day, central_midnight, plus};
use jiff::{Timestamp, ToSpan, civil};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Range;

/// A reason code with its name and whether buyers may use it.
pub(crate) const REASONS: &[(&str, &str, bool)] = &[
    ("11", "Adjusted to complete", true),
    ("26", "No reason given", true),
    ("930", "Unspecified fraud", true),
    ("932", "Straight-lining", true),
    ("933", "Speeder", true),
    ("934", "Poor open end", true),
    ("935", "Ghost complete", true),
    ("936", "Inconsistent answers", true),
    ("940", "Survey setup error", false),
    ("941", "Inaccurate price", false),
    ("942", "Incorrect qualifications and quotas", false),
    ("943", "Project overfilled", false),
    ("944", "Bulk terminations with partial impact", false),
];

/// The code that makes a complete.
const POSITIVE: &str = "11";
/// The code that an approved list gives to what it leaves out.
const LEFT_OUT: &str = "26";
/// The last day of a month on which the completes of the month before can be
/// reconciled.
const LAST_DAY: i64 = 25;
/// What was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Submission {
    /// RIDs with reason codes.
    Reasons(Vec<(String, String)>),
    /// The completes of a project to keep.
    Keep { project: String, rids: Vec<String> },
}

/// How a list was settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) submitted: u64,
    pub(crate) expired: u64,
    pub(crate) invalid: u64,
    pub(crate) positive: u64,
    pub(crate) negative: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.submitted += other.submitted;
        self.expired += other.expired;
        self.invalid += other.invalid;
        self.positive += other.positive;
        self.negative += other.negative;
    }
}

/// A reconciliation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reconciliation {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) submitted_at: Timestamp,
    pub(crate) submitted_by: String,
    pub(crate) submission: Submission,
    pub(crate) complete: bool,
    pub(crate) counts: Counts,
    pub(crate) by_group: BTreeMap<String, Counts>,
    pub(crate) expired: Vec<String>,
    pub(crate) invalid: Vec<String>,
    /// RIDs with reason codes that are still to be worked on; none before the
    /// work begins.
    #[serde(default)]
    rest: Option<VecDeque<(String, String)>>,
}

impl Reconciliation {
    pub(crate) fn submission_type(&self) -> &'static str {
        match self.submission {
            Submission::Reasons(_) => "rejected_rids",
            Submission::Keep { .. } => "approved_rids",
        }
    }

    pub(crate) fn status(&self) -> &'static str {
        if self.complete { "complete" } else { "processing" }
    }

    /// The RIDs as they were sent.
    pub(crate) fn submitted(&self) -> Vec<&str> {
        match &self.submission {
            Submission::Reasons(rows) => rows.iter().map(|(rid, _)| rid.as_str()).collect(),
            Submission::Keep { rids, .. } => rids.iter().map(String::as_str).collect(),
        }
    }
}

/// Reads a list line by line; every line that is not as it should be is named.
pub(crate) fn read(text: &str, columns: usize, most: usize) -> Result<Vec<Vec<String>>, Rejection> {
    let mut rows = Vec::new();
    let mut refusal = Rejection::bad_request("The list cannot be read.");
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() {
            continue;
        }
        let cells: Vec<String> = line.split(',').map(|cell| cell.trim().to_owned()).collect();
        if cells.len() == columns && cells.iter().all(|cell| !cell.is_empty()) {
            rows.push(cells);
        } else if refusal.params.len() < 100 {
            let reason = format!("{columns} column(s) expected, {} found", cells.len());
            refusal = refusal.with_param(format!("line {}", at + 1), reason);
        }
    }
    if !refusal.params.is_empty() {
        return Err(refusal);
    }
    if rows.is_empty() {
        return Err(Rejection::invalid("body", "the list is empty"));
    }
    if rows.len() > most {
        return Err(Rejection::invalid("body", format!("more than {most} rows")));
    }
    Ok(rows)
}

/// Takes a list in and plans the work on it.
pub(crate) fn submit(world: &mut World, name: String, submission: Submission) -> String {
    let now = world.now();
    let id = world.ulid();
    let submitted = match &submission {
        Submission::Reasons(rows) => rows.len(),
        Submission::Keep { rids, .. } => rids.len(),
    };
    let reconciliation = Reconciliation {
        id: id.clone(),
        name,
        submitted_at: now,
        submitted_by: world.account.caller().to_owned(),
        submission,
        complete: false,
        counts: Counts { submitted: submitted as u64, ..Counts::default() },
        by_group: BTreeMap::new(),
        expired: Vec::new(),
        invalid: Vec::new(),
        rest: None,
    };
    world.reconciliations.put(id.clone(), reconciliation, 1_000 + 150 * submitted);
    let ready = plus(now, world.settings.job_delay);
    world.schedule.plan(ready, Event::ReconciliationEnds(id.clone()));
    id
}

/// Works a list through, as far as subscribers can follow. What is left then
/// goes on as soon as they have caught up.
pub(crate) fn finish(world: &mut World, at: Timestamp, id: &str) {
    let Some(mut rest) = take_rest(world, id) else {
        return;
    };
    while !webhook::is_held_back(world)
        && let Some((rid, code)) = rest.pop_front()
    {
        settle_row(world, at, id, rid, &code);
    }
    let Some(work) = world.reconciliations.get_mut(id) else {
        return;
    };
    work.complete = rest.is_empty();
    work.rest = Some(rest);
    if !work.complete {
        world.schedule.plan(at, Event::ReconciliationEnds(id.to_owned()));
    }
}

/// What is still to be done of a list; at first, everything that follows from it.
fn take_rest(world: &mut World, id: &str) -> Option<VecDeque<(String, String)>> {
    let work = world.reconciliations.get_mut(id)?;
    if let Some(rest) = work.rest.take() {
        return Some(rest);
    }
    match work.submission.clone() {
        Submission::Reasons(rows) => Some(rows.into()),
        Submission::Keep { project, rids } => {
            let (by_group, invalid) = count_kept(world, &project, &rids);
            let rows = left_out(world, &project, &rids);
            let work = world.reconciliations.get_mut(id)?;
            work.counts.invalid = invalid.len() as u64;
            work.by_group = by_group;
            work.invalid = invalid;
            Some(rows.into())
        }
    }
}

/// The RIDs of an approved list by target group, and those that are no
/// completes of the project.
fn count_kept(world: &World, project: &str, rids: &[String]) -> (BTreeMap<String, Counts>, Vec<String>) {
    let (mut by_group, mut invalid) = (BTreeMap::<String, Counts>::new(), Vec::new());
    for rid in rids {
        let session = field::find(world, rid).and_then(|known| world.sessions.get(&known));
        let is_kept = session.is_some_and(|session| session.is_complete() && session.project_id == project);
        if let Some(session) = session {
            let own = Counts { submitted: 1, invalid: u64::from(!is_kept), ..Counts::default() };
            by_group.entry(session.group_id.clone()).or_default().add(&own);
        }
        if !is_kept {
            invalid.push(rid.clone());
        }
    }
    (by_group, invalid)
}

/// Turns one respondent back or makes it a complete, and counts that.
fn settle_row(world: &mut World, at: Timestamp, id: &str, rid: String, code: &str) {
    let allowed = REASONS.iter().any(|(known, _, allowed)| *known == code && *allowed);
    let session = field::find(world, &rid).and_then(|known| world.sessions.get(&known).cloned());
    let group = session.as_ref().map(|session| session.group_id.clone());
    let is_sent = world.reconciliations.get(id).is_some_and(|work| matches!(work.submission, Submission::Reasons(_)));
    let mut own = Counts { submitted: u64::from(is_sent), ..Counts::default() };
    let positive = code == POSITIVE;
    match session {
        Some(session) if allowed && session.is_complete() != positive => {
            if is_expired(&session, at) {
                own.expired = 1;
            } else {
                let to = if positive { Standing::Complete } else { Standing::Reversed };
                field::transfer(world, at, &session.rid, to, Some(code));
                own.positive = u64::from(positive);
                own.negative = u64::from(!positive);
            }
        }
        // What an approved list left out may have been turned back meanwhile.
        _ => own.invalid = u64::from(is_sent),
    }
    let Some(work) = world.reconciliations.get_mut(id) else {
        return;
    };
    // What was submitted is known from the start.
    work.counts.add(&Counts { submitted: 0, ..own });
    if let Some(group) = group {
        work.by_group.entry(group).or_default().add(&own);
    }
    if own.expired > 0 {
        work.expired.push(rid);
    } else if own.invalid > 0 {
        work.invalid.push(rid);
    }
}

/// An approved list is the full list: every complete of the project that it
/// leaves out is turned back.
fn left_out(world: &World, project: &str, rids: &[String]) -> Vec<(String, String)> {
    let keep: HashSet<String> = rids.iter().map(|rid| rid.to_uppercase()).collect();
    let completes = world.completes_of(project).map(|session| &session.rid);
    completes.filter(|rid| !keep.contains(*rid)).map(|rid| (rid.clone(), LEFT_OUT.to_owned())).collect()
}

/// The month, by its first day, in which completes of a moment are due: the
/// one after it, in US Central time.
fn due_month(completed: Timestamp) -> civil::Date {
    central_day(completed).first_of_month().saturating_add(1.month())
}

/// The midnight at the end of the last day on which completes that are due in
/// a month can be reconciled.
fn deadline(due: civil::Date) -> Timestamp {
    central_midnight(due.saturating_add(LAST_DAY.days()))
}

/// Whether it is too late to reconcile a respondent: what counts is when it
/// became a complete, and of those who never did when they left.
pub(crate) fn is_expired(session: &Session, at: Timestamp) -> bool {
    let ended = session.completed.map(|(completed, _)| completed).or(session.left_at);
    ended.is_some_and(|ended| deadline(due_month(ended)) <= at)
}

/// From when until when the completes came that are due in a month and can
/// still be reconciled; nothing once its last day is over.
pub(crate) fn due_in(month: civil::Date, now: Timestamp) -> Range<Timestamp> {
    let month = month.first_of_month();
    let begin = central_midnight(month.saturating_sub(1.month()));
    begin..if deadline(month) <= now { begin } else { central_midnight(month) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_deadline_is_the_end_of_the_25th_of_the_next_month_in_central_time() {
        for (completed, until) in [
            ("2025-01-28T12:00:00Z", "2025-02-26T06:00:00Z"),
            // Still January there.
            ("2025-02-01T05:59:59Z", "2025-02-26T06:00:00Z"),
            ("2025-02-01T06:00:00Z", "2025-03-26T05:00:00Z"),
            ("2025-12-31T23:00:00Z", "2026-01-26T06:00:00Z"),
            // Daylight time begins and ends between a complete and its deadline.
            ("2026-02-20T00:00:00Z", "2026-03-26T05:00:00Z"),
            ("2026-10-25T00:00:00Z", "2026-11-26T06:00:00Z"),
            // In summer, a day ends at five.
            ("2026-07-01T04:59:59Z", "2026-07-26T05:00:00Z"),
        ] {
            assert_eq!(deadline(due_month(at(completed))), at(until), "{completed}");
        }
    }

    #[test]
    fn completes_are_due_in_the_month_after_them_until_its_25th() {
        let july = civil::date(2026, 7, 14);
        let june = at("2026-06-01T05:00:00Z")..at("2026-07-01T05:00:00Z");
        assert_eq!(due_in(july, at("2026-07-26T04:59:59Z")), june);
        assert!(due_in(july, at("2026-07-26T05:00:00Z")).is_empty());
        let march = at("2026-02-01T06:00:00Z")..at("2026-03-01T06:00:00Z");
        assert_eq!(due_in(civil::date(2026, 3, 1), at("2026-02-10T00:00:00Z")), march);
    }

    #[test]
    fn bad_lines_are_named() {
        assert_eq!(read("a,11\r\nb, 26\n\n", 2, 9).unwrap().len(), 2);
        let refusal = read("a,11\nb\nc,1,2\n", 2, 9).unwrap_err();
        let lines: Vec<_> = refusal.params.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(lines, ["line 2", "line 3"]);
        assert!(read("\n", 2, 9).is_err());
    }
}
