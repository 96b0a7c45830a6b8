//! Profiles of launched groups, with their counters. Every change is done to
//! a copy, checked, and takes the place of what was there: all or nothing.

use super::{Outcome, Route, profile_templates, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{first, legacy, modern, whole};
use crate::api::rejection::{Fault, Rejection};
use crate::contract::shape::ShapeKind;
use crate::state::audience::{Audience, Profile, ProfileKind};
use crate::state::edit::Goals;
use crate::state::fielding::{self, Cause, RunStatus};
use crate::state::target_group::TargetGroup;
use crate::state::{World, field, history};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("list_profiles", |world, call| list(world, call)),
    ("get-profiles", |world, call| list(world, call)),
    ("get-profiles-all", |world, call| list(world, call)),
    ("get_profile", |world, call| get(world, call)),
    ("get-profile", |world, call| get(world, call)),
    ("get_panel_distribution_by_profile", |world, call| distribution(world, call)),
    ("get_v2_panel_distribution_by_profile", |world, call| distribution(world, call)),
    ("get_target_group_quota_distribution", |world, call| quota_distribution(world, call)),
    ("get-target-group-quota-distribution", |world, call| quota_distribution(world, call)),
    ("manage_target_group_profiles", manage),
    ("apply_profiles", apply),
    ("apply-profiles", apply),
    ("create_profile", create),
    ("create-profile", create),
    ("update_profile_conditions", update_conditions),
    ("update-profile-conditions", update_conditions),
    ("enable_quotas", |world, call| enable_quotas(world, call, true)),
    ("enable-quotas", |world, call| enable_quotas(world, call, true)),
    ("disable_quotas", |world, call| enable_quotas(world, call, false)),
    ("disable-quotas-v2", |world, call| enable_quotas(world, call, false)),
    ("manipulate_profile_condition_groups", group_quotas),
    ("group-quotas", group_quotas),
    ("update_profile_filling_goal", update_goals),
    ("bulk-update-quotas", update_goals),
    ("delete_profile", delete),
    ("batch_delete_profiles", delete_several),
    ("batch-delete-profiles", delete_several),
    ("batch_delete_profiles_quotas", delete_quotas),
    ("batch-delete-profile-quotas", delete_quotas),
    ("create-interlocked-profile", interlock),
    ("remove-interlocks", remove_interlock),
];

/// `second` is the second edition of the older versions' profile calls.
fn facts(call: &Call<'_>, group: &TargetGroup, second: bool) -> Value {
    if call.version.is_legacy() {
        legacy::list_facts(&group.audience, second)
    } else {
        modern::list_facts(&group.audience, &group.locale, group.goal)
    }
}

fn one_facts(call: &Call<'_>, profile: &Profile, second: bool) -> Value {
    if call.version.is_legacy() { legacy::profile_facts(profile, second) } else { modern::profile_facts(profile) }
}

/// Whether a call is of the second edition.
fn is_second(call: &Call<'_>) -> bool {
    call.operation.path().starts_with("/demand/v2/")
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(call, target_groups::launched(world, call)?, is_second(call))))
}

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Profile, Rejection> {
    let group = target_groups::launched(world, call)?;
    group.audience.profile(call.at("profile_id")).ok_or_else(|| Rejection::not_found("profile"))
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, one_facts(call, find(world, call)?, is_second(call))))
}

/// What the suppliers' panels look like for one profile: here, as the profile
/// itself has it.
fn distribution(world: &World, call: &Call<'_>) -> Outcome {
    let profile = find(world, call)?;
    let mut facts = one_facts(call, profile, is_second(call));
    if is_second(call) {
        let name = if profile.kind == ProfileKind::Regular { "profile" } else { "interlocked_profile" };
        facts = json!({ "object": name, name: facts });
    }
    Ok(Answer::json(200, facts))
}

/// How a goal would be split over the quotas, by what they have now.
fn quota_distribution(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let goal = call.query("target_group_filling_goal").and_then(|text| text.parse().ok()).unwrap_or(group.goal);
    let mut audience = group.audience.clone();
    audience.follow(group.goal, goal);
    let quotas: Vec<Value> = audience
        .targets()
        .filter_map(|target| Some((target, target.quota.as_ref()?)))
        .filter(|(_, quota)| quota.goal > 0)
        .map(|(target, quota)| json!({ "quota_id": target.id, "filling_goal": quota.goal }))
        .collect();
    let allowed = goal >= group.ledger.total.completes;
    let facts = json!({
        "quota_updates_allowed": allowed, "quota_distribution": quotas, "condition_quota_distribution": quotas,
    });
    Ok(Answer::json(200, facts))
}

/// Replaces all profiles; all or nothing.
fn manage(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let (before, collected) = (group.audience.clone(), group.ledger.total.completes);
    let goal = call.number("completes_goal").map_or(0, |n| n.max(0) as u64);
    let profiling = call.body.get("profiling").cloned().unwrap_or(Value::Null);
    let locale = group.locale.clone();
    let mut audience = modern::read(world, &profiling, goal);
    profile_templates::fill(world, &mut audience, &locale, goal)?;
    audience.inherit(&before);
    field::count_under(world, target_groups::launched(world, call)?, &mut audience);
    let mut faults = audience.faults(goal);
    faults.extend(audience.collected_faults(goal, collected, &before));
    if !faults.is_empty() {
        return Err(Rejection::profiles(faults));
    }
    store(world, call, audience, goal)?;
    let group = target_groups::launched(world, call)?;
    Ok(Answer::json(201, facts(call, group, false)))
}

/// The older versions' way to replace all profiles.
fn apply(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let (before, collected, goal) = (group.audience.clone(), group.ledger.total.completes, group.goal);
    let given = first(&call.body, &["filling_goal", "target_group_filling_goal"]).and_then(whole);
    let goal = given.map_or(goal, |n| n.max(1) as u64);
    let mut audience = legacy::read(world, &call.body, goal)?;
    audience.inherit(&before);
    field::count_under(world, target_groups::launched(world, call)?, &mut audience);
    let mut faults = audience.faults(goal);
    faults.extend(audience.collected_faults(goal, collected, &before));
    if !faults.is_empty() {
        return Err(invalid(&faults));
    }
    store(world, call, audience, goal)?;
    answer_list(world, call, call.operation.success())
}

/// Sums of quotas may drift once a group is launched; everything else must
/// still hold.
fn check_form(audience: &Audience, goal: u64) -> Result<(), Rejection> {
    if audience.profiles.iter().any(|profile| profile.targets.is_empty()) {
        return Err(Rejection::invalid("conditions", "at least one is needed"));
    }
    let mut faults = audience.faults(goal);
    faults.retain(|fault| ![9, 10].contains(&fault.number));
    if faults.is_empty() { Ok(()) } else { Err(invalid(&faults)) }
}

fn invalid(faults: &[Fault]) -> Rejection {
    let mut refusal = Rejection::bad_request("The profiles are not valid.");
    refusal.params = faults.iter().map(|fault| (fault.name(), fault.reason())).collect();
    refusal
}

/// All profiles; one edition answers with the bare list.
fn answer_list(world: &World, call: &Call<'_>, status: u16) -> Outcome {
    let facts = facts(call, target_groups::launched(world, call)?, is_second(call));
    let bare = call
        .contract
        .answer_shape(call.operation, status)
        .is_some_and(|shape| matches!(shape.kind, ShapeKind::Array { .. }));
    let facts = if bare { facts.get("data").cloned().unwrap_or(Value::Null) } else { facts };
    Ok(Answer::json(status, facts))
}

/// Puts changed profiles in force. A live group whose goal is reached by it
/// is complete.
fn store(world: &mut World, call: &Call<'_>, audience: Audience, goal: u64) -> Result<(), Rejection> {
    let group = target_groups::launched(world, call)?;
    let (id, before) = (group.id.clone(), history::snapshot(world, group));
    let now = world.now();
    let group = target_groups::group_mut(world, &id)?;
    group.goal = goal;
    group.changed_at = now;
    let full = group.is_live() && group.ledger.total.completes >= goal;
    field::set_audience(world, now, &id, audience);
    history::record(world, now, &id, &before);
    if full {
        fielding::change(world, now, &id, RunStatus::Completed, Cause::Platform("total_completes_reached"));
    }
    Ok(())
}

/// Changes a copy of the profiles and stores it if that went well.
fn edit(
    world: &mut World,
    call: &Call<'_>,
    change: impl FnOnce(&mut Audience, u64) -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    let group = target_groups::launched(world, call)?;
    let (mut audience, goal) = (group.audience.clone(), group.goal);
    change(&mut audience, goal)?;
    store(world, call, audience, goal)
}

/// The profile that was changed.
fn changed(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(call.operation.success(), one_facts(call, find(world, call)?, is_second(call))))
}

/// So many profiles may be added to a target group one by one.
const MAX_PROFILES: usize = 1_000;

/// A profile more, without quotas until they are enabled.
fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    target_groups::launched(world, call)?;
    let question = call.number("question_id").unwrap_or(0);
    let conditions = call.body.get("conditions").cloned().unwrap_or(Value::Null);
    let targets = legacy::read_conditions(world, question, &conditions);
    let profile = Profile {
        id: world.ulid(),
        legacy_id: 1_000 + world.rng.below(900_000),
        kind: ProfileKind::Regular,
        name: None,
        quotas_enabled: false,
        targets,
        participants: Vec::new(),
    };
    let id = profile.id.clone();
    edit(world, call, |audience, goal| {
        if audience.profiles.len() >= MAX_PROFILES {
            return Err(Rejection::invalid("question_id", format!("more than {MAX_PROFILES} profiles")));
        }
        audience.profiles.push(profile);
        check_form(audience, goal)
    })?;
    let group = target_groups::launched(world, call)?;
    let profile = group.audience.profile(&id).ok_or_else(|| Rejection::not_found("profile"))?;
    Ok(Answer::json(call.operation.success(), one_facts(call, profile, is_second(call))))
}

fn update_conditions(world: &mut World, call: &Call<'_>) -> Outcome {
    let question = find(world, call)?.questions().first().copied().unwrap_or(0);
    let targets = legacy::read_conditions(world, question, &call.body);
    edit(world, call, |audience, goal| {
        audience.replace_conditions(call.at("profile_id"), targets, goal)?;
        check_form(audience, goal)
    })?;
    changed(world, call)
}

fn enable_quotas(world: &mut World, call: &Call<'_>, enabled: bool) -> Outcome {
    edit(world, call, |audience, goal| audience.enable_quotas(call.at("profile_id"), enabled, goal).map(drop))?;
    changed(world, call)
}

fn group_quotas(world: &mut World, call: &Call<'_>) -> Outcome {
    let groups: Vec<(String, Vec<String>)> = items(&call.body, "data")
        .map(|one| (one.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(), texts(one, "conditions")))
        .collect();
    edit(world, call, |audience, _| audience.group(call.at("profile_id"), &groups).map(drop))?;
    changed(world, call)
}

fn items<'v>(given: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    given.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn texts(given: &Value, name: &str) -> Vec<String> {
    items(given, name).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.at("profile_id").to_owned();
    edit(world, call, |audience, _| audience.remove(&[id]))?;
    Ok(Answer::empty(204))
}

fn delete_several(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = if call.version.is_legacy() { "profiles" } else { "profile_ids" };
    let ids = texts(&call.body, name);
    edit(world, call, |audience, _| {
        audience.remove(&ids).map_err(|refusal| {
            if call.version.is_legacy() || refusal.status != 404 {
                return refusal;
            }
            Rejection::profiles(vec![Fault {
                number: 44,
                slug: "profile_id_not_found",
                detail: refusal.detail.clone(),
                questions: Vec::new(),
                profile: None,
            }])
        })
    })?;
    Ok(Answer::empty(204))
}

fn delete_quotas(world: &mut World, call: &Call<'_>) -> Outcome {
    edit(world, call, |audience, _| {
        for one in items(&call.body, "profiles") {
            let id = first(one, &["profile_id", "profile"]).and_then(Value::as_str).unwrap_or_default();
            audience.remove_quotas(id, &texts(one, "quotas"))?;
        }
        Ok(())
    })?;
    Ok(Answer::empty(204))
}

/// Reads the goals of quotas, under the names of every version.
fn goals(call: &Call<'_>) -> Goals {
    let completes = |one: &Value| {
        let own = first(one, &["completes_goal", "filling_goal"]);
        let goal = own.or_else(|| one.pointer("/quota/completes_goal")).and_then(whole);
        goal.map_or(0, |n| n.max(0) as u64)
    };
    items(&call.body, "profiles")
        .map(|profile| {
            let id = profile.get("profile_id").and_then(Value::as_str).unwrap_or_default().to_owned();
            let quotas = items(profile, "targets").chain(items(profile, "quotas")).map(|one| {
                let id = first(one, &["id", "quota_id"]).and_then(Value::as_str).unwrap_or_default();
                (id.to_owned(), completes(one))
            });
            (id, quotas.collect())
        })
        .collect()
}

/// New goals, for the group and for quotas.
fn update_goals(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let given = first(&call.body, &["completes_goal", "filling_goal"]).and_then(whole);
    let goal = given.map_or(group.goal, |n| n.max(1) as u64);
    let (mut audience, collected) = (group.audience.clone(), group.ledger.total.completes);
    let (before, goals) = (group.goal, goals(call));
    let refuse = |refusal: Rejection| if call.version.is_legacy() { invalid(&refusal.faults) } else { refusal };
    audience.set_quota_goals(before, goal, &goals).map_err(refuse)?;
    let faults = audience.collected_faults(goal, collected, &audience);
    if !faults.is_empty() {
        return Err(refuse(Rejection::profiles(faults)));
    }
    store(world, call, audience, goal)?;
    let status = call.operation.success();
    if !call.version.is_legacy() || is_second(call) {
        return answer_list(world, call, status);
    }
    // The first edition answers with one profile.
    let group = target_groups::launched(world, call)?;
    let named = goals.first().and_then(|(id, _)| group.audience.profile(id));
    let profile = named.or_else(|| group.audience.profiles.first());
    let facts = profile.map_or(json!({}), |profile| legacy::profile_facts(profile, false));
    Ok(Answer::json(status, facts))
}

/// Crosses profiles that are in force.
fn interlock(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let goal = call.number("target_group_filling_goal").map_or(group.goal, |n| n.max(1) as u64);
    let (mut audience, collected) = (group.audience.clone(), group.ledger.total.completes);
    // The other profiles' quotas must not keep the group from a goal that is new.
    if goal != group.goal {
        audience.follow(group.goal, goal);
    }
    let before = audience.clone();
    let (id, now) = (world.ulid(), world.now());
    let rng = &mut world.rng;
    audience.interlock(&texts(&call.body, "profiles"), goal, id.clone(), || rng.ulid(now))?;
    let faults = audience.collected_faults(goal, collected, &before);
    if !faults.is_empty() {
        return Err(invalid(&faults));
    }
    store(world, call, audience, goal)?;
    let group = target_groups::launched(world, call)?;
    let profile = group.audience.profile(&id).ok_or_else(|| Rejection::not_found("profile"))?;
    Ok(Answer::json(call.operation.success(), legacy::profile_facts(profile, true)))
}

/// Takes an interlock apart into its margins.
fn remove_interlock(world: &mut World, call: &Call<'_>) -> Outcome {
    let mut back = Vec::new();
    edit(world, call, |audience, _| {
        back = audience.remove_interlock(call.at("profile_id"))?;
        Ok(())
    })?;
    let group = target_groups::launched(world, call)?;
    let profiles: Vec<Value> = back
        .iter()
        .filter_map(|id| group.audience.profile(id))
        .map(|profile| legacy::profile_facts(profile, true))
        .collect();
    Ok(Answer::json(call.operation.success(), json!({ "data": profiles })))
}
