//! The stateless helpers for profiles: crossing them, and looking for faults.
//! They change nothing but the memory of cells given out.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{legacy, modern};
use crate::api::rejection::{Fault, Rejection};
use crate::state::World;
use crate::state::audience::{Adjustment, Audience, Profile};
use crate::state::edit::MAX_CELLS;
use crate::state::interlock::{count, cross};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("generate_draft_interlock_profile", generate_legacy),
    ("generate_draft_interlock_profile_v2", generate_legacy),
    ("generate_blended_profile", generate_blended),
    ("validate_profiles", validate),
    ("validate-profiles", validate_legacy),
];

fn generate_legacy(world: &mut World, call: &Call<'_>) -> Outcome {
    let profiles = legacy::read_regular(world, &call.body)?;
    let goal = call.number("target_group_filling_goal").map_or(0, |n| n.max(0) as u64);
    check_count(profiles.len()).map_err(|reason| Rejection::invalid("profiles", reason))?;
    let faults = faults(&profiles, Adjustment::Percentage, goal);
    if !faults.is_empty() {
        let mut refusal = Rejection::bad_request("The profiles cannot be crossed.");
        refusal.params = faults.iter().map(|fault| (fault.name(), fault.reason())).collect();
        return Err(refusal);
    }
    let cells = cross(&profiles, goal);
    Ok(Answer::json(201, legacy::generated_facts(world, profiles, cells)))
}

fn generate_blended(world: &mut World, call: &Call<'_>) -> Outcome {
    let profiling = call.body.get("profiling").cloned().unwrap_or(Value::Null);
    let goal = call.number("completes_goal").map_or(0, |n| n.max(0) as u64);
    let audience = modern::read(world, &profiling, goal);
    let mut faults = faults(&audience.profiles, audience.adjustment, goal);
    for profile in &audience.profiles {
        if profile.questions() == [crate::state::audience::ZIP] {
            faults.push(Fault {
                number: 21,
                slug: "zip_not_supported_in_blended",
                detail: "Post codes in a blend.".into(),
                questions: profile.questions(),
                profile: None,
            });
        }
    }
    if !faults.is_empty() {
        return Err(Rejection::profiles(faults));
    }
    let cells = cross(&audience.profiles, goal);
    Ok(Answer::json(201, modern::generated_facts(world, &audience.profiles, cells)))
}

fn check_count(profiles: usize) -> Result<(), String> {
    if (2..=3).contains(&profiles) { Ok(()) } else { Err(format!("2 or 3 are crossed, not {profiles}")) }
}

fn faults(profiles: &[Profile], adjustment: Adjustment, goal: u64) -> Vec<Fault> {
    let audience = Audience { adjustment, profiles: profiles.to_vec(), ..Audience::default() };
    let mut faults = audience.faults(goal);
    if count(profiles) > MAX_CELLS {
        faults.push(Fault {
            number: 24,
            slug: "number_of_quotas_in_blended_cannot_be_greater_than_max",
            detail: format!("{} cells.", count(profiles)),
            questions: profiles.iter().flat_map(Profile::questions).collect(),
            profile: None,
        });
    }
    faults
}

fn validate(world: &mut World, call: &Call<'_>) -> Outcome {
    let profiling = call.body.get("profiling").cloned().unwrap_or(Value::Null);
    let goal = call.number("completes_goal").map_or(0, |n| n.max(0) as u64);
    let faults = modern::read(world, &profiling, goal).faults(goal);
    if faults.is_empty() { Ok(Answer::empty(204)) } else { Err(Rejection::profiles(faults)) }
}

fn validate_legacy(world: &mut World, call: &Call<'_>) -> Outcome {
    let goal = call.number("target_group_filling_goal").map_or(100, |n| n.max(0) as u64);
    let faults = legacy::read(world, &call.body, goal)?.faults(goal);
    let list: Vec<Value> = faults
        .iter()
        .map(|fault| {
            json!({
                "name": fault.name(),
                "reason": fault.reason(),
                "detail": fault.detail,
                "metadata": { "question_id": fault.questions, "error_level": "error" },
            })
        })
        .collect();
    Ok(Answer::json(200, Value::Array(list)))
}
