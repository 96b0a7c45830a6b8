//! The field: respondents come, are matched to quotas, answer, and leave with
//! an outcome. What becomes of them is written into the books here alone.

use super::World;
use super::audience::{Audience, ProfileKind, Quota, Target};
use super::fielding::{self, Cause, RunStatus};
use super::file_job::{self, List};
use super::ledger::{self, Tally};
use super::locale;
use super::population::Ask;
use super::schedule::Event;
use super::session::{Replies, Session, Standing, status};
use super::target_group::TargetGroup;
use super::webhook;
use crate::api::rejection::Rejection;
use crate::sim::clock::plus;
use crate::sim::rng::Rng;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// A group has gone live: the first respondents come at once, so that a short
/// test has something to look at, and then one by one.
pub(crate) fn open(world: &mut World, at: Timestamp, group_id: &str) {
    if world.settings.field_pace == SignedDuration::ZERO {
        return;
    }
    let fresh = world.groups.get(group_id).is_some_and(|group| group.ledger.entrants() == 0);
    if fresh {
        for _ in 0..world.settings.field_burst {
            if let Some(rid) = enter(world, at, group_id, true) {
                leave(world, at, &rid);
            }
        }
    }
    plan_next(world, at, group_id);
}

fn plan_next(world: &mut World, at: Timestamp, group_id: &str) {
    let pace = world.settings.field_pace;
    if let Some(group) = world.groups.get_mut(group_id)
        && group.is_live()
        && !group.arriving
    {
        group.arriving = true;
        let gap = pace.as_secs_f64() * gap(group);
        let gap = SignedDuration::try_from_secs_f64(gap).unwrap_or(SignedDuration::MAX);
        world.schedule.plan(plus(at, gap), Event::Arrival(group_id.to_owned()));
    }
}

/// How long it takes until the next one comes, in the usual gap: a good price
/// draws people, a poor one does not, and where nobody finds a place fewer
/// and fewer come.
fn gap(group: &TargetGroup) -> f64 {
    let (_, country) = locale::split(&group.locale).unwrap_or(("eng", "us"));
    let ask = Ask {
        panel: locale::panel(country),
        share: group.audience.share(),
        incidence: group.incidence,
        minutes: group.interview_minutes as f64,
        days: group.start().duration_until(group.end()).as_secs_f64() / 86_400.0,
        goal: group.goal as f64,
    };
    let price = group.price.as_ref().and_then(|money| money.value.parse().ok());
    let waiting = f64::from(1_u32 << group.turned_away_in_a_row.min(10));
    waiting / ask.attraction(price).clamp(0.05, 4.0)
}

/// The next respondent comes.
pub(crate) fn arrive(world: &mut World, at: Timestamp, group_id: &str) {
    match world.groups.get_mut(group_id) {
        Some(group) => group.arriving = false,
        None => return,
    }
    let entered = enter(world, at, group_id, true);
    if let Some(group) = world.groups.get_mut(group_id) {
        group.turned_away_in_a_row = if entered.is_some() { 0 } else { group.turned_away_in_a_row.saturating_add(1) };
    }
    if let Some(rid) = entered {
        let leaves = plus(at, world.settings.session_time);
        world.schedule.plan(leaves, Event::SessionEnds(rid));
    }
    plan_next(world, at, group_id);
}

/// Puts a respondent into a group's survey; `None` if the group is not live
/// or has no room.
pub(crate) fn enter(world: &mut World, at: Timestamp, group_id: &str, simulated: bool) -> Option<String> {
    let group = world.groups.get_mut(group_id)?;
    if !group.is_live() || group.ledger.total.seats() >= group.ceiling(at) {
        return None;
    }
    let supplier_id = group.supply.draw(&mut world.rng)?;
    let Some(replies) = place(&group.audience, &mut world.rng) else {
        group.ledger.turned_away += 1;
        return None;
    };
    let code = take_code(world, at, group_id)?;
    let group = world.groups.get_mut(group_id)?;
    let rid = world.rng.uuid().to_uppercase();
    let link = group.live_url.clone().unwrap_or_default().replace("[%RID%]", &rid);
    let link = match &code {
        Some(code) => link.replace(CODE, code),
        None => link,
    };
    let session = Session {
        rid: rid.clone(),
        project_id: group.project_id.clone(),
        group_id: group_id.to_owned(),
        supplier_id,
        standing: Standing::InSurvey,
        entered_at: at,
        left_at: None,
        completed: None,
        targets: ledger::targets_of(&group.audience, &replies),
        replies,
        reconciled: None,
        sequence: 1,
        link,
        simulated,
        outcome: draw_outcome(&mut group.credit, group.incidence, &mut world.rng),
    };
    if group.rids.len().is_power_of_two() {
        // What is forgotten elsewhere is forgotten here.
        let sessions = &world.sessions;
        group.rids.retain(|rid| sessions.contains_key(rid));
    }
    group.rids.push(rid.clone());
    group.ledger.add(&session);
    ledger::count(&mut group.audience, &session.targets, &Tally::of(&session), false);
    for forgotten in world.sessions.put(rid.clone(), session, 1_000) {
        forget(world, forgotten);
    }
    webhook::session_changed(world, at, &rid);
    Some(rid)
}

/// Keeps the counts of a respondent for whom there is no more room. Nobody
/// will move one on that was still in the survey, so its seat is free.
fn forget(world: &mut World, mut session: Session) {
    let Some(group) = world.groups.get_mut(&session.group_id) else {
        return;
    };
    if session.standing == Standing::InSurvey {
        group.ledger.remove(&session);
        ledger::count(&mut group.audience, &session.targets, &Tally::of(&session), true);
        session.standing = Standing::Dropped;
        group.ledger.add(&session);
        ledger::count(&mut group.audience, &session.targets, &Tally::of(&session), false);
    }
    group.ledger.forget(&session);
}

/// Where a survey link takes a unique code.
const CODE: &str = "[%RESPONDENT_UNIQUE_CODE%]";

/// A unique code for the next respondent, if the link asks for one. A group
/// that has run out of them is paused.
fn take_code(world: &mut World, at: Timestamp, group_id: &str) -> Option<Option<String>> {
    let group = world.groups.get(group_id)?;
    if !group.is_live() || !group.live_url.as_ref().is_some_and(|url| url.contains(CODE)) {
        return Some(None);
    }
    let code = file_job::take_first(world, group_id, List::LiveCodes);
    match &code {
        Some(_) => world.groups.get_mut(group_id)?.codes_taken += 1,
        None => {
            let cause = Cause::Platform("live_respondent_unique_codes_exhausted");
            fielding::change(world, at, group_id, RunStatus::Paused, cause);
            return None;
        }
    }
    Some(code)
}

/// Of those who answer the screening questions, the part that qualifies comes
/// at a steady rate instead of by luck, so that small samples look like large
/// ones; who leaves otherwise is drawn.
fn draw_outcome(credit: &mut f64, incidence: f64, rng: &mut Rng) -> Standing {
    match rng.below(100) {
        0..=7 => Standing::Dropped,
        8..=10 => Standing::SecurityTerminated,
        11..=14 => Standing::OverQuota,
        _ => {
            *credit += incidence.clamp(0.0, 1.0);
            if *credit >= 1.0 {
                *credit -= 1.0;
                Standing::Complete
            } else {
                Standing::Terminated
            }
        }
    }
}

/// Finds a place for a respondent in every profile, with room in each quota,
/// and what it replies. Blends come first, since they decide several questions
/// at once; hand-made quotas last, since they only keep out whom they are about.
fn place(audience: &Audience, rng: &mut Rng) -> Option<Replies> {
    let mut replies = Replies::default();
    let mut order: Vec<_> = audience.profiles.iter().collect();
    order.sort_by_key(|profile| match profile.kind {
        ProfileKind::Interlock => 0,
        ProfileKind::Regular => 1,
        ProfileKind::Control => 2,
    });
    for profile in order {
        if profile.kind == ProfileKind::Control {
            let full = |target: &&Target| target.quota.as_ref().is_some_and(|quota| quota.room() == 0);
            if profile.targets.iter().filter(full).any(|target| replies.meet(target)) {
                return None;
            }
            continue;
        }
        let chosen = ledger::choose(profile, &replies, rng, Quota::room)?;
        replies.complete_for(chosen, rng);
    }
    Some(replies)
}

/// A simulated respondent leaves the survey.
pub(crate) fn leave(world: &mut World, at: Timestamp, rid: &str) {
    // The client may have decided already.
    let outcome = world.sessions.get(rid).filter(|session| session.standing == Standing::InSurvey).map(|s| s.outcome);
    if let Some(outcome) = outcome {
        transfer(world, at, rid, outcome, None);
    }
}

/// Gives a respondent its standing: the one place where that happens, where
/// the books and the quotas follow, and where it is announced.
pub(crate) fn transfer(world: &mut World, at: Timestamp, rid: &str, to: Standing, reason: Option<&str>) {
    let Some(session) = world.sessions.get_mut(rid) else {
        return;
    };
    let group = world.groups.get_mut(&session.group_id);
    let before = session.clone();
    session.standing = to;
    session.sequence += 1;
    session.left_at = session.left_at.or(Some(at));
    if let Some(reason) = reason {
        session.reconciled = Some(reason.to_owned());
    }
    if to == Standing::Complete && session.completed.is_none() {
        session.completed = Some((at, group.as_ref().map_or(Decimal::ZERO, |group| group.price())));
    }
    let Some(group) = group else {
        return;
    };
    group.ledger.remove(&before);
    ledger::count(&mut group.audience, &before.targets, &Tally::of(&before), true);
    group.ledger.add(session);
    ledger::count(&mut group.audience, &session.targets, &Tally::of(session), false);
    let full = to == Standing::Complete && group.ledger.total.completes >= group.goal && group.is_live();
    let group_id = group.id.clone();
    webhook::session_changed(world, at, rid);
    if full {
        let cause = Cause::Platform("total_completes_reached");
        fielding::change(world, at, &group_id, RunStatus::Completed, cause);
    }
}

/// Counts a group's respondents under other profiles, which are not in force
/// yet.
pub(crate) fn count_under(world: &World, group: &TargetGroup, audience: &mut Audience) {
    ledger::recount(audience, world.settings.seed, &mut group.ledger.clone(), world.sessions_of(group));
}

/// Puts other profiles in force, for those who have come already as well.
pub(crate) fn set_audience(world: &mut World, group_id: &str, mut audience: Audience) {
    let World { groups, sessions, settings, .. } = world;
    let Some(group) = groups.get_mut(group_id) else {
        return;
    };
    group.rids.retain(|rid| sessions.contains_key(rid));
    let own = group.rids.iter().filter_map(|rid| sessions.get(rid));
    let placed = ledger::recount(&mut audience, settings.seed, &mut group.ledger, own);
    for (rid, (replies, targets)) in group.rids.iter().zip(placed) {
        if let Some(session) = sessions.get_mut(rid) {
            session.replies = replies;
            session.targets = targets;
        }
    }
    group.audience = audience;
}

/// What a transition by the client came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    Done(i64),
    /// Refused; the state the respondent is in.
    Refused(i64),
}

/// The client says how a respondent ended. Someone who had dropped out may
/// come back for it.
pub(crate) fn transition(world: &mut World, rid: &str, to: i64) -> Result<Transition, Rejection> {
    let now = world.now();
    let rid = find(world, rid).ok_or_else(|| Rejection::not_found("respondent"))?;
    let state = world.sessions.get(&rid).map_or(status::IN_SURVEY, Session::status);
    let Some(outcome) = Standing::of_status(to).filter(|_| state == status::IN_SURVEY) else {
        return Ok(Transition::Refused(state));
    };
    transfer(world, now, &rid, outcome, None);
    Ok(Transition::Done(to))
}

/// The spelling under which a respondent is known: RIDs come in capitals and
/// are compared without regard to them.
pub(crate) fn find(world: &World, rid: &str) -> Option<String> {
    let upper = rid.to_uppercase();
    world.sessions.contains_key(&upper).then_some(upper)
}
