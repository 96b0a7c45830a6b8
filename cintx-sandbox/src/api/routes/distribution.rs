//! How suppliers' panels are made up for a profile that is not in force yet:
//! quotas by the share of people that each target describes.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{legacy, modern};
use crate::api::rejection::Rejection;
use crate::state::audience::{Adjustment, Audience, Profile, Quota};
use crate::state::rounding::split;
use crate::state::{World, locale};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] =
    &[("get_panel_distribution_draft", of_draft), ("get_panel_distribution", of_conditions)];

/// Gives every target its share of the people, and of the goal.
fn share_out(profile: &mut Profile, goal: u64) {
    let weights: Vec<f64> = profile.targets.iter().map(|target| target.share().max(0.000_1)).collect();
    let (parts, percents) = (split(goal, &weights), split(10_000, &weights));
    for ((target, goal), percent) in profile.targets.iter_mut().zip(parts).zip(percents) {
        let name = target.quota.as_ref().and_then(|quota| quota.name.clone());
        target.quota = Some(Quota { name, goal, percentage: percent as f64 / 100.0, ..Quota::default() });
    }
    profile.quotas_enabled = true;
}

fn check(call: &Call<'_>) -> Result<(), Rejection> {
    let place = call.text("locale").unwrap_or_default();
    locale::split(place).map(drop).ok_or_else(|| Rejection::no_locale(place))
}

fn of_draft(world: &mut World, call: &Call<'_>) -> Outcome {
    check(call)?;
    let profile = call.body.get("profile").cloned().unwrap_or(Value::Null);
    if call.version.is_legacy() {
        let mut audience = legacy::read(world, &json!({ "profiles": [profile] }), 100)?;
        for profile in &mut audience.profiles {
            share_out(profile, 100);
        }
        return Ok(Answer::json(200, legacy::list_facts(&audience, false)));
    }
    let goal = call.number("completes_goal").map_or(0, |n| n.max(0) as u64);
    let mut profiles = modern::read_profiles(world, &json!({ "profiles": [profile] }));
    let faults = Audience { profiles: profiles.clone(), ..Audience::default() }.faults(goal);
    let faults: Vec<_> = faults.into_iter().filter(|fault| ![9, 10].contains(&fault.number)).collect();
    if !faults.is_empty() {
        let mut refusal = Rejection::bad_request("The profile is not valid.");
        refusal.params = faults.iter().map(|fault| (fault.name(), fault.reason())).collect();
        return Err(refusal);
    }
    let profile = profiles.first_mut().ok_or_else(|| Rejection::invalid("profile", "a value is required"))?;
    share_out(profile, goal);
    let adjustment = Adjustment::read(call.text("profile_adjustment_type"));
    Ok(Answer::json(200, modern::request_facts(profile, adjustment)))
}

/// The first form of it: options with their parts in percent.
fn of_conditions(world: &mut World, call: &Call<'_>) -> Outcome {
    check(call)?;
    let profile = call.body.get("profile").cloned().unwrap_or(Value::Null);
    let mut audience = legacy::read(world, &json!({ "profiles": [profile] }), 100)?;
    let Some(profile) = audience.profiles.first_mut() else {
        return Err(Rejection::invalid("profile", "a value is required"));
    };
    share_out(profile, 100);
    let conditions: Vec<Value> = profile
        .targets
        .iter()
        .map(|target| {
            let quota = target.quota.as_ref().map_or(0.0, |quota| quota.percentage);
            json!({ "option": target.label(), "quota": format!("{quota:.2}") })
        })
        .collect();
    let question = profile.questions().first().copied().unwrap_or(0);
    Ok(Answer::json(200, json!({ "question_id": question, "conditions": conditions })))
}
