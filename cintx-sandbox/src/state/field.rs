//! The field: respondents come, are matched to quotas, answer, and leave with
//! an outcome that moves the counters.

use super::World;
use super::audience::{Audience, Condition, ProfileKind, Target, Wanted};
use super::fielding::{self, Cause, RunStatus};
use super::file_job::{self, List};
use super::locale;
use super::population::Ask;
use super::schedule::Event;
use super::target_group::TargetGroup;
use super::webhook;
use crate::api::rejection::Rejection;
use crate::sim::clock::plus;
use crate::sim::rng::Rng;
use jiff::{SignedDuration, Timestamp};

/// What the server-to-server interface calls a respondent's state.
pub(crate) mod status {
    /// In the survey, or dropped out of it.
    pub(crate) const IN_SURVEY: i64 = 1;
    pub(crate) const TERMINATE: i64 = 2;
    pub(crate) const OVERQUOTA: i64 = 3;
    pub(crate) const SECURITY: i64 = 4;
    pub(crate) const COMPLETE: i64 = 5;
}

/// One respondent's way through one survey.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) rid: String,
    pub(crate) project_id: String,
    pub(crate) group_id: String,
    pub(crate) supplier_id: i64,
    pub(crate) status: i64,
    pub(crate) entered_at: Timestamp,
    pub(crate) left_at: Option<Timestamp>,
    /// The targets that it counts for.
    pub(crate) targets: Vec<String>,
    /// The reason code of its last reconciliation.
    pub(crate) reconciled: Option<String>,
    /// Where the respondent was sent to.
    pub(crate) link: String,
    /// Whether the simulation decides the outcome; respondents that were put
    /// in by hand wait for the client.
    pub(crate) simulated: bool,
    outcome: i64,
}

/// A group has gone live: the first respondents come at once, so that a short
/// test has something to look at, and then one by one.
pub(crate) fn open(world: &mut World, at: Timestamp, group_id: &str) {
    if world.settings.field_pace == SignedDuration::ZERO {
        return;
    }
    let fresh = world.groups.get(group_id).is_some_and(|group| group.entrants == 0);
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
    let waiting = f64::from(1_u32 << group.turned_away.min(10));
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
        group.turned_away = if entered.is_some() { 0 } else { group.turned_away.saturating_add(1) };
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
    let code = take_code(world, at, group_id)?;
    let group = world.groups.get_mut(group_id)?;
    if !group.is_live() || group.completes + group.pending >= group.ceiling(at) {
        return None;
    }
    let supplier_id = group.supply.draw(&mut world.rng)?;
    group.entrants += 1;
    let targets = place(&group.audience, &mut world.rng)?;
    for target in group.audience.targets_mut().filter(|target| targets.contains(&target.id)) {
        if let Some(quota) = &mut target.quota {
            quota.pending += 1;
            quota.prescreens += 1;
        }
    }
    group.pending += 1;
    group.prescreens += 1;
    group.by_supplier.entry(supplier_id).or_default().0 += 1;
    let outcome = draw_outcome(&mut group.credit, group.incidence, &mut world.rng);
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
        status: status::IN_SURVEY,
        entered_at: at,
        left_at: None,
        targets,
        reconciled: None,
        link,
        simulated,
        outcome,
    };
    if group.rids.len().is_power_of_two() {
        // What is forgotten elsewhere is forgotten here.
        let sessions = &world.sessions;
        group.rids.retain(|rid| sessions.contains_key(rid));
    }
    group.rids.push(rid.clone());
    world.sessions.put(rid.clone(), session, 1_000);
    webhook::session_changed(world, at, &rid);
    Some(rid)
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

/// Completes come at a steady rate instead of by luck, so that small samples
/// look like large ones; what is left over is drawn.
fn draw_outcome(credit: &mut f64, incidence: f64, rng: &mut Rng) -> i64 {
    *credit += 0.25 + 0.7 * incidence.clamp(0.0, 1.0);
    if *credit >= 1.0 {
        *credit -= 1.0;
        return status::COMPLETE;
    }
    match rng.below(100) {
        0..=9 => status::IN_SURVEY,
        10..=14 => status::SECURITY,
        15..=19 => status::OVERQUOTA,
        _ => status::TERMINATE,
    }
}

/// Finds a place for a respondent in every profile, with room in each quota.
/// Blends come first, since they decide several questions at once; hand-made quotas last, since they only keep out
/// whom they are about.
fn place(audience: &Audience, rng: &mut Rng) -> Option<Vec<String>> {
    let mut fixed: Vec<(i64, Answer)> = Vec::new();
    let mut taken = Vec::new();
    let mut order: Vec<_> = audience.profiles.iter().collect();
    order.sort_by_key(|profile| match profile.kind {
        ProfileKind::Interlock => 0,
        ProfileKind::Regular => 1,
        ProfileKind::Control => 2,
    });
    for profile in order {
        if profile.kind == ProfileKind::Control {
            for target in profile.targets.iter().filter(|target| is_about(target, &fixed)) {
                target.quota.as_ref().is_none_or(has_room).then_some(())?;
                taken.push(target.id.clone());
            }
            continue;
        }
        let open: Vec<&Target> = profile
            .targets
            .iter()
            .filter(|target| agrees(target, &fixed))
            .filter(|target| !profile.quotas_enabled || target.quota.as_ref().is_none_or(has_room))
            .collect();
        let weights: Vec<u64> = open
            .iter()
            .map(|target| {
                target
                    .quota
                    .as_ref()
                    .filter(|_| profile.quotas_enabled)
                    .map_or(1, |quota| quota.goal.saturating_sub(quota.completes + quota.pending).max(1))
            })
            .collect();
        let mut ticket = rng.below(weights.iter().sum());
        let mut chosen = None;
        for (target, weight) in open.into_iter().zip(weights) {
            if ticket < weight {
                chosen = Some(target);
                break;
            }
            ticket -= weight;
        }
        let chosen = chosen?;
        for condition in &chosen.conditions {
            if !fixed.iter().any(|(question, _)| *question == condition.question) {
                fixed.push((condition.question, answer(condition, rng)));
            }
        }
        taken.push(chosen.id.clone());
    }
    Some(taken)
}

fn has_room(quota: &super::audience::Quota) -> bool {
    quota.completes + quota.pending < quota.goal
}

/// What a respondent answered to a question.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Option(String),
    Number(i64),
    Text(String),
}

fn answer(condition: &Condition, rng: &mut Rng) -> Answer {
    match &condition.wanted {
        Wanted::Option(option) => Answer::Option(option.clone()),
        Wanted::Range(min, max) => Answer::Number(min + rng.below((max - min + 1).max(1) as u64) as i64),
        Wanted::Open { values, .. } => {
            let at = rng.below(values.len() as u64) as usize;
            Answer::Text(values.get(at).cloned().unwrap_or_default())
        }
    }
}

/// Whether a target can take someone who has answered so.
fn agrees(target: &Target, fixed: &[(i64, Answer)]) -> bool {
    fixed.iter().all(|(question, answer)| {
        let mut own = target.conditions.iter().filter(|condition| condition.question == *question).peekable();
        own.peek().is_none() || own.any(|condition| covers(&condition.wanted, answer))
    })
}

/// Whether someone who has answered so meets every condition of a target.
fn is_about(target: &Target, fixed: &[(i64, Answer)]) -> bool {
    target.conditions.iter().all(|condition| {
        fixed.iter().any(|(question, answer)| *question == condition.question && covers(&condition.wanted, answer))
    })
}

fn covers(wanted: &Wanted, answer: &Answer) -> bool {
    match (wanted, answer) {
        (Wanted::Option(option), Answer::Option(own)) => option == own,
        (Wanted::Range(min, max), Answer::Number(own)) => min <= own && own <= max,
        (Wanted::Open { all: true, .. }, _) => true,
        (Wanted::Open { values, .. }, Answer::Text(own)) => values.contains(own),
        _ => false,
    }
}

/// A simulated respondent leaves the survey.
pub(crate) fn leave(world: &mut World, at: Timestamp, rid: &str) {
    let Some(session) = world.sessions.get(rid) else {
        return;
    };
    // The client may have decided already.
    if session.status != status::IN_SURVEY || session.left_at.is_some() {
        return;
    }
    let outcome = session.outcome;
    settle(world, at, rid, outcome);
}

/// Gives a session its outcome and moves the counters.
fn settle(world: &mut World, at: Timestamp, rid: &str, outcome: i64) {
    let Some(session) = world.sessions.get_mut(rid) else {
        return;
    };
    session.status = outcome;
    session.left_at = Some(at);
    let completed = outcome == status::COMPLETE;
    let (group_id, targets, supplier) = (session.group_id.clone(), session.targets.clone(), session.supplier_id);
    let Some(group) = world.groups.get_mut(&group_id) else {
        return;
    };
    group.pending = group.pending.saturating_sub(1);
    for target in group.audience.targets_mut().filter(|target| targets.contains(&target.id)) {
        if let Some(quota) = &mut target.quota {
            quota.pending = quota.pending.saturating_sub(1);
            quota.completes += u64::from(completed);
        }
    }
    match outcome {
        status::IN_SURVEY => group.drops += 1,
        status::COMPLETE => {
            group.completes += 1;
            group.first_complete_at = group.first_complete_at.or(Some(at));
            group.last_complete_at = Some(at);
            group.by_supplier.entry(supplier).or_default().1 += 1;
            *group.by_hour.entry(at.as_second().div_euclid(3_600)).or_default() += 1;
        }
        _ => {
            let at = usize::try_from(outcome - status::TERMINATE).unwrap_or(0);
            if let Some(count) = group.screened_out.get_mut(at) {
                *count += 1;
            }
        }
    }
    let full = completed && group.completes >= group.goal && group.is_live();
    webhook::session_changed(world, at, rid);
    if full {
        let cause = Cause::Platform("total_completes_reached");
        fielding::change(world, at, &group_id, RunStatus::Completed, cause);
    }
}

/// What a transition by the client came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    Done(i64),
    /// Refused; the state the respondent is in.
    Refused(i64),
}

/// The client says how a respondent ended.
pub(crate) fn transition(world: &mut World, rid: &str, to: i64) -> Result<Transition, Rejection> {
    let now = world.now();
    let rid = find(world, rid).ok_or_else(|| Rejection::not_found("respondent"))?;
    let state = world.sessions.get(&rid).map_or(status::IN_SURVEY, |session| session.status);
    let known = (status::TERMINATE..=status::COMPLETE).contains(&to);
    if state != status::IN_SURVEY || !known {
        return Ok(Transition::Refused(state));
    }
    settle_dropped(world, &rid);
    settle(world, now, &rid, to);
    Ok(Transition::Done(to))
}

/// Someone who had dropped out comes back before the outcome is set.
fn settle_dropped(world: &mut World, rid: &str) {
    let Some(session) = world.sessions.get(rid) else {
        return;
    };
    if session.left_at.is_none() {
        return;
    }
    let (group_id, targets) = (session.group_id.clone(), session.targets.clone());
    if let Some(group) = world.groups.get_mut(&group_id) {
        group.pending += 1;
        group.drops = group.drops.saturating_sub(1);
        for target in group.audience.targets_mut().filter(|target| targets.contains(&target.id)) {
            if let Some(quota) = &mut target.quota {
                quota.pending += 1;
            }
        }
    }
}

/// The spelling under which a respondent is known: RIDs come in capitals and
/// are compared without regard to them.
pub(crate) fn find(world: &World, rid: &str) -> Option<String> {
    let upper = rid.to_uppercase();
    world.sessions.contains_key(&upper).then_some(upper)
}

/// Turns a complete back, or makes one, after the fact.
pub(crate) fn reverse(world: &mut World, rid: &str, to_complete: bool, code: &str) {
    let Some(session) = world.sessions.get_mut(rid) else {
        return;
    };
    session.status = if to_complete { status::COMPLETE } else { status::TERMINATE };
    session.reconciled = Some(code.to_owned());
    let (group_id, targets) = (session.group_id.clone(), session.targets.clone());
    let Some(group) = world.groups.get_mut(&group_id) else {
        return;
    };
    let moved = |count: u64| if to_complete { count + 1 } else { count.saturating_sub(1) };
    group.completes = moved(group.completes);
    for target in group.audience.targets_mut().filter(|target| targets.contains(&target.id)) {
        if let Some(quota) = &mut target.quota {
            quota.completes = moved(quota.completes);
        }
    }
}
