//! The changelog of a target group, youngest entry first.
//! Entries are made where things change, see the state's history.

use super::{Outcome, Route, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::sim::clock::text;
use crate::state::history::Entry;
use crate::state::{World, page};
use crate::version::Version;
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[("get_target_group_changelog", |world, call| list(world, call))];

/// Change types that the older versions do not know.
const NEWER: &[&str] = &["target_group_customer_reference_number_change"];

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    let window = if call.version == Version::Third { call.window(50, 50)? } else { call.window(10, 100)? };
    let wanted: Vec<&str> = call.query_all("change_types").collect();
    let of_interest = |change: &Value| {
        let object = change.get("object").and_then(Value::as_str).unwrap_or_default();
        (wanted.is_empty() || wanted.contains(&object)) && !(call.version.is_legacy() && NEWER.contains(&object))
    };
    let entries: Vec<&Entry> = world
        .histories
        .get(&group.id)
        .into_iter()
        .flatten()
        .rev()
        .filter(|entry| entry.changes.iter().any(of_interest))
        .collect();
    let page = page::cut(entries, &window, |entry| entry.id.clone())?;
    let facts: Vec<Value> = page
        .items
        .iter()
        .map(|entry| {
            let user = match &entry.by {
                Some(id) => json!({ "type": "las_user", "las_user_id": id }),
                None => json!({ "type": "system_user" }),
            };
            json!({
                "id": entry.id,
                "occurred_at": text(entry.at),
                "user": user,
                "changes": entry.changes.iter().filter(|change| of_interest(change)).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(Answer::json(200, json!({ "changelog": facts, "next_cursor": page.next.unwrap_or_default() })))
}
