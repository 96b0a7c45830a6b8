//! The field: respondents come, are matched to quotas, answer, and leave with
//! an outcome. What becomes of them is written into the books here alone.

use super::World;
use super::arrivals;
use super::audience::{Audience, ProfileKind, Quota, Target};
use super::fielding::{self, Cause, RunStatus};
use super::file_job::{self, List};
use super::ledger::{self, Tally};
use super::locale;
use super::pacing::{self, Limits};
use super::people::{self, Visitor};
use super::schedule::Event;
use super::session::{Replies, Session, Standing, status};
use super::target_group::TargetGroup;
use super::webhook;
use crate::api::rejection::Rejection;
use crate::scenario::{Country, Scenario};
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
    arrivals::look_again(world, at, group_id);
    arrivals::plan(world, at, group_id);
}

/// A time has come at which the next respondent may come.
pub(crate) fn arrive(world: &mut World, at: Timestamp, group_id: &str) {
    match world.groups.get_mut(group_id).filter(|group| group.arrival_at == Some(at)) {
        Some(group) => group.arrival_at = None,
        None => return,
    }
    if arrivals::is_taken(world, at, group_id) {
        let entered = enter(world, at, group_id, true);
        if let Some(group) = world.groups.get_mut(group_id) {
            group.turned_away_in_a_row =
                if entered.is_some() { 0 } else { group.turned_away_in_a_row.saturating_add(1) };
        }
        if let Some(rid) = entered {
            let leaves = plus(at, stay(world, &rid));
            world.schedule.plan(leaves, Event::SessionEnds(rid));
        }
    }
    arrivals::plan(world, at, group_id);
}

/// How long a respondent will stay.
fn stay(world: &mut World, rid: &str) -> SignedDuration {
    let World { sessions, groups, rng, settings, .. } = world;
    let (scenario, usual) = (&settings.scenario.sessions, settings.session_time);
    let Some((session, spread)) = sessions.get(rid).zip(scenario.spread) else {
        return usual;
    };
    let minutes = groups.get(&session.group_id).map_or(1, |group| group.interview_minutes.max(1));
    let whole = rng.length(60.0 * minutes as f64, spread);
    let part = match session.outcome {
        Standing::Complete => 1.0,
        Standing::Dropped => rng.unit(),
        _ => scenario.screen_out,
    };
    SignedDuration::try_from_secs_f64(whole * part).unwrap_or(usual)
}

/// Puts a respondent into a group's survey; `None` if the group is not live
/// or has no room.
pub(crate) fn enter(world: &mut World, at: Timestamp, group_id: &str, simulated: bool) -> Option<String> {
    let group = world.groups.get(group_id).filter(|group| pacing::is_open(world, group, at))?;
    let scenario = world.settings.scenario.clone();
    let country = locale::country(&group.locale).to_owned();
    let mut rng = world.rng.clone();
    let seats = |supplier| group.ledger.seats_of(supplier);
    let supplier_id = group.supply.draw(&world.market, &mut rng, group.goal, seats, |id| scenario.size(id, &country));
    let visitor = if simulated { people::visitor(world, group, at, &mut rng) } else { Some(Visitor::default()) };
    world.rng = rng;
    let supplier_id = supplier_id?;
    let group = world.groups.get_mut(group_id)?;
    let Some(visitor) = visitor else {
        group.ledger.turned_away += 1;
        return None;
    };
    let skew = if simulated { scenario.quotas.skew } else { 0.0 };
    let crowd = Crowd { skew, country: scenario.country(&country), limits: Limits::of(group, at) };
    let placed = place(&group.audience, visitor.replies.clone(), &crowd, &mut world.rng);
    let Some((replies, is_full)) = placed.filter(|(_, is_full)| {
        // Most of those whose quota is full are not sent to the survey.
        !is_full || (simulated && world.rng.chance(scenario.quotas.enter_full))
    }) else {
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
    let outcome = draw_outcome(group, &scenario, supplier_id, world.settings.seed, &mut world.rng);
    let session = Session {
        project_id: group.project_id.clone(),
        group_id: group_id.to_owned(),
        supplier_id,
        panelist: visitor.panelist.clone().unwrap_or_else(|| people::panelist_of(world.settings.seed, &rid)),
        standing: Standing::InSurvey,
        entered_at: at,
        left_at: None,
        completed: None,
        interview_seconds: None,
        targets: ledger::targets_of(&group.audience, &replies),
        replies,
        reconciled: None,
        sequence: 1,
        link,
        simulated,
        outcome: if is_full { Standing::OverQuota } else { outcome },
        rid: rid.clone(),
    };
    world.people.note(&visitor, &session, &country);
    admit(world, at, session);
    Some(rid)
}

/// Writes a new respondent into the books.
fn admit(world: &mut World, at: Timestamp, session: Session) {
    let Some(group) = world.groups.get_mut(&session.group_id) else {
        return;
    };
    if group.rids.len().is_power_of_two() {
        // What is forgotten elsewhere is forgotten here.
        let sessions = &world.sessions;
        group.rids.retain(|rid| sessions.contains_key(rid));
    }
    let rid = session.rid.clone();
    group.rids.push(rid.clone());
    group.ledger.add(&session);
    ledger::count(&mut group.audience, &session.targets, &Tally::of(&session), false);
    for forgotten in world.sessions.put(rid.clone(), session, 1_000) {
        forget(world, forgotten);
    }
    webhook::session_changed(world, at, &rid);
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

/// How somebody's interview will end. Whether those qualify who answer the
/// screening questions follows the expected incidence: at a steady rate, so
/// that small samples look like large ones, or by chance around the group's
/// own rate.
fn draw_outcome(group: &mut TargetGroup, scenario: &Scenario, supplier: i64, seed: u64, rng: &mut Rng) -> Standing {
    let outcomes = &scenario.outcomes;
    let drop_out = (outcomes.drop_out + outcomes.drop_out_per_minute * group.interview_minutes as f64).min(1.0);
    let security = drop_out + scenario.security(supplier);
    let ticket = rng.unit();
    if ticket < drop_out {
        return Standing::Dropped;
    }
    if ticket < security {
        return Standing::SecurityTerminated;
    }
    if ticket < security + outcomes.over_quota {
        return Standing::OverQuota;
    }
    let incidence = group.incidence.clamp(0.0, 1.0);
    let qualifies = match outcomes.incidence_spread {
        Some(spread) => {
            let own = Rng::named(seed, &format!("incidence {}", group.id)).part(incidence, spread);
            rng.chance(own)
        }
        None => {
            group.credit += incidence;
            let due = group.credit >= 1.0;
            group.credit -= if due { 1.0 } else { 0.0 };
            due
        }
    };
    if qualifies { Standing::Complete } else { Standing::Terminated }
}

/// Who comes, and how far quotas are open.
struct Crowd<'a> {
    skew: f64,
    country: &'a Country,
    limits: Limits,
}

/// Finds a place for a respondent in every profile, and what it replies; also
/// whether a quota that it belongs to is full. Blends come first, since they
/// decide several questions at once; hand-made quotas last, since they only
/// keep out whom they are about. `None` if it fits nowhere.
fn place(audience: &Audience, mut replies: Replies, crowd: &Crowd<'_>, rng: &mut Rng) -> Option<(Replies, bool)> {
    let mut is_full = false;
    let mut order: Vec<_> = audience.profiles.iter().collect();
    order.sort_by_key(|profile| match profile.kind {
        ProfileKind::Interlock => 0,
        ProfileKind::Regular => 1,
        ProfileKind::Control => 2,
    });
    for profile in order {
        let room = |quota: &Quota| crowd.limits.room(quota);
        if profile.kind == ProfileKind::Control {
            let full = |target: &&Target| target.quota.as_ref().is_some_and(|quota| room(quota) == 0);
            is_full |= profile.targets.iter().filter(full).any(|target| replies.meet(target));
            continue;
        }
        let goals: u64 =
            profile.targets.iter().filter_map(|target| target.quota.as_ref()).map(|quota| quota.goal).sum();
        let chosen = ledger::choose(profile, &replies, rng, |target| {
            let quota = target.quota.as_ref().filter(|_| profile.quotas_enabled);
            if crowd.skew <= 0.0 {
                return quota.map_or(1.0, |quota| room(quota) as f64);
            }
            let asked = quota.map_or(1.0, |quota| quota.goal as f64 / goals.max(1) as f64);
            (1.0 - crowd.skew) * asked + crowd.skew * target.weight_in(crowd.country)
        })?;
        is_full |= chosen.quota.as_ref().is_some_and(|quota| profile.quotas_enabled && room(quota) == 0);
        replies.complete_for(chosen, rng);
    }
    Some((replies, is_full))
}

/// A simulated respondent leaves the survey.
pub(crate) fn leave(world: &mut World, at: Timestamp, rid: &str) {
    // The client may have decided already.
    let session = world.sessions.get(rid).filter(|session| session.standing == Standing::InSurvey);
    let Some(session) = session else {
        return;
    };
    let outcome = if can_become(world, session, session.outcome) { session.outcome } else { Standing::OverQuota };
    transfer(world, at, rid, outcome, None);
}

/// Whether the budget of its group allows a respondent's outcome.
fn can_become(world: &World, session: &Session, outcome: Standing) -> bool {
    let pays = |group| pacing::pays_for_complete(&world.account, group);
    outcome != Standing::Complete || world.groups.get(&session.group_id).is_none_or(pays)
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
    // A list that reconciles brings nobody back to the survey.
    let is_there = before.standing == Standing::InSurvey || (before.standing == Standing::Dropped && reason.is_none());
    if is_there || session.left_at.is_none() {
        session.left_at = Some(at);
    }
    if let Some(reason) = reason {
        session.reconciled = Some(reason.to_owned());
    }
    if to == Standing::Complete && session.completed.is_none() {
        session.completed = Some((at, group.as_ref().map_or(Decimal::ZERO, |group| group.price(&world.account))));
        // Where the scenario does not say how long interviews are, they are as long as was expected then.
        let length = session.entered_at.duration_until(session.left_at.unwrap_or(at));
        session.interview_seconds = match world.settings.scenario.sessions.spread {
            Some(_) => u64::try_from(length.as_secs()).ok(),
            None => group.as_ref().map(|group| group.interview_minutes.saturating_mul(60)),
        };
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
pub(crate) fn set_audience(world: &mut World, at: Timestamp, group_id: &str, mut audience: Audience) {
    let World { groups, sessions, settings, .. } = world;
    let Some(group) = groups.get_mut(group_id) else {
        return;
    };
    let before = webhook::fills(&group.audience);
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
    webhook::fills_changed(world, at, group_id, &before);
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
    let session = world.sessions.get(&rid).ok_or_else(|| Rejection::not_found("respondent"))?;
    let state = session.status();
    let outcome = Standing::of_status(to).filter(|_| state == status::IN_SURVEY);
    let Some(outcome) = outcome.filter(|outcome| can_become(world, session, *outcome)) else {
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
