//! Unique codes that respondents carry in their survey link: uploaded ahead,
//! taken one by one as people come.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::state::World;
use crate::state::file_job::{self, List, MAX_IDS};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("upload_live_respondent_unique_codes", upload),
    ("upload_test_respondent_unique_codes", upload),
    ("get_live_respondent_unique_codes_stats", |world, call| stats(world, call)),
    ("get_test_respondent_unique_codes_stats", |world, call| stats(world, call)),
    ("delete_unconsumed_live_respondent_unique_codes", delete),
    ("delete_unconsumed_test_respondent_unique_codes", delete),
];

fn find(world: &World, call: &Call<'_>) -> Result<String, Rejection> {
    let id = call.at("target_group_id");
    if world.groups.contains_key(id) { Ok(id.to_owned()) } else { Err(Rejection::not_found("target group")) }
}

fn list(call: &Call<'_>) -> List {
    if call.operation.path().contains("/test") { List::TestCodes } else { List::LiveCodes }
}

fn upload(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = find(world, call)?;
    let given = call.body.get("respondent_unique_codes").and_then(Value::as_array);
    let codes: Vec<&str> = given.into_iter().flatten().filter_map(Value::as_str).collect();
    let plain = |code: &str| code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if let Some(wrong) = codes.iter().find(|code| !plain(code)) {
        let reason = format!("{wrong:?} has other characters than letters, digits, - and _");
        return Err(Rejection::invalid("respondent_unique_codes", reason));
    }
    let mut all = file_job::ids(world, &group, list(call)).cloned().unwrap_or_default();
    let before = all.len();
    all.extend(codes.into_iter().map(str::to_owned));
    if all.len() > MAX_IDS {
        return Err(Rejection::invalid("respondent_unique_codes", format!("more than {MAX_IDS} codes in all")));
    }
    let added = all.len() - before;
    file_job::store(world, &group, list(call), all);
    Ok(Answer::json(200, json!({ "uploaded_count": added })))
}

fn stats(world: &World, call: &Call<'_>) -> Outcome {
    let id = find(world, call)?;
    let left = file_job::count(world, &id, list(call)) as u64;
    let taken = match list(call) {
        List::LiveCodes => world.groups.get(&id).map_or(0, |group| group.codes_taken),
        _ => 0,
    };
    Ok(Answer::json(200, json!({ "total_count": left + taken, "unconsumed_count": left })))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = find(world, call)?;
    file_job::store(world, &group, list(call), std::collections::BTreeSet::new());
    Ok(Answer::empty(204))
}
