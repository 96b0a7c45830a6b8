//! Compares a thing that was read with the write that may have changed it; asks nothing.
//! The API may show what was written in another form, under another name, or in another place.

use cintx_raw::{Operation, Request, Response};
use http::{Method, header};
use jiff::Timestamp;
use serde_json::Value;

use super::Resolution;
use crate::error::Error;
use crate::types::plain_decimal;

/// A write whose address cannot be read: where its effect is shown instead.
pub(super) struct Elsewhere {
    operation: &'static str,
    /// The end of the written address, and what stands in its place in the one that is read.
    pub(super) written: &'static str,
    pub(super) read: &'static str,
    shown: Shown,
}

/// How the other place shows it.
enum Shown {
    /// This value of the request is that one of the answer.
    As(&'static str, &'static str),
    /// Goals of quotas by their ids, and of the whole.
    Goals,
    /// All profiles, with their quotas, and the goal of the whole.
    Profiles,
    /// The profiles that the request names are in the list no more.
    Gone,
    /// The profile's quotas are on, or off.
    Enabled(bool),
}

const ELSEWHERE: [Elsewhere; 13] = [
    Elsewhere {
        operation: "update_cost_per_interview",
        written: "/cost-per-interview",
        read: "/overview",
        shown: Shown::As("/target_group_cpi", "/current_cost_per_interview"),
    },
    Elsewhere {
        operation: "update_filling_strategy",
        written: "/filling-strategy",
        read: "/overview",
        shown: Shown::As("/filling_strategy", "/progress/filling_strategy"),
    },
    Elsewhere {
        operation: "update_profile_filling_goal",
        written: "/profiles/completes-goal",
        read: "/profiles",
        shown: Shown::Goals,
    },
    Elsewhere {
        operation: "update_profile_filling_goal",
        written: "/profiles/filling-goal",
        read: "/profiles",
        shown: Shown::Goals,
    },
    Elsewhere {
        operation: "bulk-update-quotas",
        written: "/profiles/filling-goal",
        read: "/profiles",
        shown: Shown::Goals,
    },
    // Without quotas: before 2025-12-18 the list of profiles does not show the goal of the whole.
    Elsewhere {
        operation: "update_profile_filling_goal",
        written: "/profiles/completes-goal",
        read: "/overview",
        shown: Shown::As("/completes_goal", "/progress/filling_goal"),
    },
    Elsewhere {
        operation: "bulk-update-quotas",
        written: "/profiles/filling-goal",
        read: "/overview",
        shown: Shown::As("/filling_goal", "/progress/filling_goal"),
    },
    Elsewhere {
        operation: "manage_target_group_profiles",
        written: "/profiles/manage-profiles",
        read: "/profiles",
        shown: Shown::Profiles,
    },
    Elsewhere {
        operation: "batch_delete_profiles",
        written: "/profiles/delete-profiles",
        read: "/profiles",
        shown: Shown::Gone,
    },
    Elsewhere {
        operation: "batch_delete_profiles",
        written: "/profiles/batch-delete-profiles",
        read: "/profiles",
        shown: Shown::Gone,
    },
    Elsewhere {
        operation: "batch-delete-profiles",
        written: "/profiles/batch-delete-profiles",
        read: "/profiles",
        shown: Shown::Gone,
    },
    Elsewhere { operation: "enable-quotas", written: "/enable-quotas", read: "", shown: Shown::Enabled(true) },
    Elsewhere { operation: "disable-quotas-v2", written: "/disable-quotas", read: "", shown: Shown::Enabled(false) },
];

impl Elsewhere {
    pub(super) fn of(request: &Request) -> Option<&'static Self> {
        let operation = request.operation();
        let is = |it: &&Self| it.operation == operation.document_id && operation.path.ends_with(it.written);
        let mut rows = ELSEWHERE.iter().filter(is);
        let first = rows.next()?;
        match first.shown {
            Shown::Goals if !names_quotas(request) => Some(rows.next().unwrap_or(first)),
            _ => Some(first),
        }
    }

    /// The place at which what is shown is not what was wanted; empty where it is not known.
    fn difference(&self, wanted: &Value, now: &Value) -> Option<String> {
        let at = |written: &str, shown: &str| match (wanted.pointer(written), now.pointer(shown)) {
            (Some(wanted), Some(now)) => difference(wanted, now).map(|at| format!("{shown}{at}")),
            _ => Some(String::new()),
        };
        let unless = |is_so: bool| (!is_so).then(String::new);
        match self.shown {
            Shown::As(written, shown) => at(written, shown),
            Shown::Goals => unless(goals_hold(wanted, now)),
            Shown::Profiles => at("/completes_goal", "/completes_goal").or_else(|| profiles_difference(wanted, now)),
            Shown::Gone => unless(still_listed(wanted, now).is_some_and(|profiles| !profiles.contains(&true))),
            Shown::Enabled(on) => unless(now.get("quotas_enabled").and_then(Value::as_bool) == Some(on)),
        }
    }

    /// Whether what was read proves that nothing was done: an id that was deleted never comes back.
    fn is_untouched(&self, wanted: &Value, now: &Value) -> bool {
        matches!(self.shown, Shown::Gone)
            && still_listed(wanted, now).is_some_and(|profiles| !profiles.contains(&false))
    }
}

fn body(request: &Request) -> Option<Value> {
    serde_json::from_slice(&request.body()?.bytes).ok()
}

/// Whether a change of goals is about quotas, and not about the whole alone.
fn names_quotas(request: &Request) -> bool {
    let mut goals = Vec::new();
    collect_goals(&body(request).unwrap_or_default(), &mut goals);
    !goals.is_empty()
}

/// What a thing that was read says about the request that may have changed it.
pub(super) fn compare(request: &Request, got: Result<Response<Value>, Error>) -> Result<Resolution, Error> {
    let operation = request.operation();
    let is_delete = operation.method == Method::DELETE;
    let answer = match got {
        Ok(answer) => answer,
        // In the API's own words: a gateway that has lost its way says 404 as well.
        Err(error) if is_delete && error.is_not_found() && error.api().is_some() => {
            return Ok(Resolution::Applied { id: None });
        }
        Err(error) => return Err(error),
    };
    let if_match = request.headers().get(header::IF_MATCH).and_then(|tag| tag.to_str().ok());
    // Whatever changes the thing changes its tag.
    let is_unchanged = if_match.is_some() && if_match == answer.etag();
    if is_unchanged || is_delete {
        return Ok(Resolution::NotApplied);
    }
    let now = answer.value();
    let wanted = body(request);
    let elsewhere = Elsewhere::of(request);
    if elsewhere.is_some_and(|it| wanted.as_ref().is_some_and(|wanted| it.is_untouched(wanted, now))) {
        return Ok(Resolution::NotApplied);
    }
    let Some(wanted) = wanted else {
        let is_so =
            elsewhere.map_or_else(|| action_holds(operation, now), |it| it.difference(&Value::Null, now).is_none());
        return Ok(if is_so {
            Resolution::Applied { id: None }
        } else {
            Resolution::unknown("it was changed since, by this call or by another")
        });
    };
    if let Some(name) = kept(operation, &wanted, now) {
        return Ok(Resolution::unknown(format!(
            "the thing still has {name}, which was to be removed, or has it again"
        )));
    }
    let difference = match elsewhere {
        Some(elsewhere) => elsewhere.difference(&wanted, now),
        None => difference(&wanted, now),
    };
    Ok(match difference {
        None => Resolution::Applied { id: None },
        Some(at) => Resolution::unknown(format!(
            "the thing is not what was wanted{}{at}: it was not changed, or changed again",
            if at.is_empty() { "" } else { " at " }
        )),
    })
}

/// What a PUT need not say, and removes if it does not: the optional properties of each request, in all versions.
const REMOVED_IF_LEFT_OUT: [(&str, &[&str]); 7] = [
    ("create_or_update_fielding_assistant_assignment", &["pacing", "pricing", "quota_overlay", "soft_launch"]),
    ("edit_profile_template", &["description", "label"]),
    ("set_target_group_respondent_activity_exclusions", &["duration"]),
    ("update_exclusion_group_by_id", &["description", "tag"]),
    (
        "update_launched_target_group_details",
        &[
            "client_cost_per_interview_note",
            "client_cpi",
            "industry_lockout_code",
            "target_group_customer_reference_number",
        ],
    ),
    ("update_project", &["purchase_order_number"]),
    (
        "update_target_group",
        &[
            "client_cost_per_interview_note",
            "client_id",
            "collects_pii",
            "cost_per_interview",
            "exclusion",
            "expected_incidence_rate",
            "expected_length_of_interview_minutes",
            "industry_code",
            "industry_lockout_code",
            "live_url",
            "profiling",
            "re_entry_configuration",
            "respondent_activity_exclusions",
            "study_type_code",
            "supply_allocations",
            "target_group_customer_reference_number",
            "test_url",
        ],
    ),
];

/// The property that a PUT left out in order to remove it, and that the thing has all the same.
fn kept(operation: &Operation, wanted: &Value, now: &Value) -> Option<&'static str> {
    let has = |thing: &Value, name: &str| thing.get(name).is_some_and(|value| !value.is_null());
    let (_, names) = REMOVED_IF_LEFT_OUT.iter().find(|(id, _)| *id == operation.document_id)?;
    names.iter().find(|name| has(now, name) && !has(wanted, name)).copied()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The state of a fielding run after each action on it.
const ACTIONS: [(&str, &str); 5] =
    [("pause", "paused"), ("resume", "live"), ("relaunch", "live"), ("launch-now", "live"), ("complete", "completed")];

/// Whether a thing is in the state that an action brings about.
fn action_holds(operation: &Operation, now: &Value) -> bool {
    let action = operation.path.rsplit('/').next().unwrap_or_default();
    let status = now.get("status").and_then(Value::as_str).unwrap_or_default();
    ACTIONS.iter().any(|(name, state)| *name == action && state.eq_ignore_ascii_case(status))
}

/// Where the profiles are not those that were sent, in their order. What a target is without a quota is said in
/// requests alone.
fn profiles_difference(wanted: &Value, now: &Value) -> Option<String> {
    let mut wanted = wanted.pointer("/profiling/profiles").cloned().unwrap_or_default();
    for profile in wanted.as_array_mut().into_iter().flatten() {
        for target in profile.get_mut("targets").and_then(Value::as_array_mut).into_iter().flatten() {
            target.as_object_mut().map(|target| target.remove("object"));
        }
    }
    difference(&wanted, now.get("profiles").unwrap_or(&Value::Null)).map(|at| format!("/profiles{at}"))
}

/// For each profile that was to be deleted, whether the list still has it; `None` if either is not as it should be.
fn still_listed(wanted: &Value, now: &Value) -> Option<Vec<bool>> {
    let wanted = ["profile_ids", "profiles"].iter().find_map(|name| wanted.get(*name)?.as_array())?;
    let listed = ["profiles", "data"].iter().find_map(|name| now.get(*name)?.as_array())?;
    let interlocked = now.get("interlocked_profile").filter(|profile| !profile.is_null());
    let ids = listed.iter().chain(interlocked).map(|profile| profile.get("id").map(text));
    let ids = ids.collect::<Option<Vec<String>>>()?;
    let profiles: Vec<bool> = wanted.iter().map(|id| ids.contains(&text(id))).collect();
    (!profiles.is_empty()).then_some(profiles)
}

/// Whether every quota has the goal that was wanted, and the whole, where it is shown.
fn goals_hold(wanted: &Value, now: &Value) -> bool {
    let goal = |thing: &Value| ["completes_goal", "filling_goal"].iter().find_map(|name| thing.get(name)?.as_f64());
    let (mut shown, mut asked) = (Vec::new(), Vec::new());
    collect_goals(now, &mut shown);
    collect_goals(wanted, &mut asked);
    let whole = match (goal(wanted), goal(now)) {
        (Some(wanted), Some(now)) => wanted == now,
        // Not shown: then the quotas have to say it.
        _ => !asked.is_empty(),
    };
    whole && asked.iter().all(|asked| shown.contains(asked))
}

/// Quotas anywhere below a value, by id, with their goals.
fn collect_goals(value: &Value, goals: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            let id = ["quota_id", "id"].iter().find_map(|name| object.get(*name)?.as_str());
            let quota = object.get("quota").filter(|quota| quota.is_object()).unwrap_or(value);
            let goal = ["completes_goal", "filling_goal"].iter().find_map(|name| quota.get(name)?.as_f64());
            if let (Some(id), Some(goal)) = (id, goal) {
                goals.push((id.to_owned(), goal.to_string()));
            }
            object.values().for_each(|value| collect_goals(value, goals));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_goals(item, goals)),
        _ => {}
    }
}

/// Whether everything that was wanted is so now; what the thing says beyond that does not matter.
pub(super) fn holds(wanted: &Value, now: &Value) -> bool {
    difference(wanted, now).is_none()
}

/// The first place at which something is not as it was wanted.
fn difference(wanted: &Value, now: &Value) -> Option<String> {
    match (wanted, now) {
        (Value::Object(wanted), Value::Object(_)) => wanted.iter().find_map(|(name, value)| {
            let at = match (now.get(name), shown_as_objects(now, name)) {
                (Some(now), _) => difference(value, now),
                (None, Some(ids)) => difference(value, &ids),
                (None, None) => (!is_nothing(value)).then(String::new),
            };
            at.map(|at| format!("/{name}{at}"))
        }),
        (Value::Array(wanted), Value::Array(now)) if wanted.len() == now.len() => {
            let mut pairs = wanted.iter().zip(now).enumerate();
            pairs.find_map(|(number, (wanted, now))| difference(wanted, now).map(|at| format!("/{number}{at}")))
        }
        // An id is written, and the thing that has it is shown.
        (Value::Number(_) | Value::String(_), Value::Object(now)) if now.contains_key("id") => {
            difference(wanted, &now["id"])
        }
        _ => (wanted != now && !is_same(wanted, now)).then(String::new),
    }
}

/// What is written as ids and shown as the things that have them: `supplier_ids` as `suppliers`, each with its `id`.
fn shown_as_objects(now: &Value, name: &str) -> Option<Value> {
    let id = |thing: &Value| thing.get("id").cloned();
    if let Some(one) = name.strip_suffix("_id") {
        return id(now.get(one)?);
    }
    let things = now.get(format!("{}s", name.strip_suffix("_ids")?))?.as_array()?;
    things.iter().map(id).collect()
}

/// Whether it is as good as left out.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// The same id is a number here and text there, the same amount has more digits, the same moment fewer. A name or a
/// reference that is all digits is no number: `0012` is not `12`.
fn is_same(wanted: &Value, now: &Value) -> bool {
    let is_number = wanted.is_number() || now.is_number();
    let (wanted, now) = (text(wanted), text(now));
    let is_amount = |text: &str| text.contains('.') && (text.starts_with("0.") || !text.starts_with('0'));
    let number = |text: &str| plain_decimal(text).filter(|_| is_number || is_amount(text));
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    wanted.trim() == now.trim()
        || number(&wanted).is_some_and(|wanted| number(&now) == Some(wanted))
        || moment(&wanted).is_some_and(|wanted| moment(&now) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[cfg(feature = "v2025-12-18")]
    #[test]
    fn what_was_to_be_removed_and_is_still_there_proves_nothing() {
        use cintx_raw::v2025_12_18::operations;

        let assistant = &operations::CREATE_OR_UPDATE_FIELDING_ASSISTANT_ASSIGNMENT;
        let overlay = json!({ "quota_overlay": { "percent": 10 }, "pacing": null });
        assert_eq!(kept(assistant, &json!({}), &overlay), Some("quota_overlay"));
        assert_eq!(kept(assistant, &json!({ "pacing": {} }), &overlay), Some("quota_overlay"));
        assert_eq!(kept(assistant, &json!({ "quota_overlay": {} }), &overlay), None);
        // What this request could not have said anyway.
        let details = &operations::UPDATE_LAUNCHED_TARGET_GROUP_DETAILS;
        assert_eq!(kept(details, &json!({ "name": "a" }), &json!({ "name": "a", "client_id": 5 })), None);
    }

    #[test]
    fn what_was_wanted_holds_whatever_else_there_is() {
        let now = json!({
            "name": "a", "price": {"value": "2.730000"}, "at": "2026-11-24T10:00:00Z", "id": 5, "x": [1],
            "reference": "0012",
            "groups": [{"suppliers": [{"id": 7, "name": "b"}], "supplier": {"id": 8}}],
        });
        for (wanted, differs) in [
            (json!({"name": "a"}), None),
            (json!({"name": "b"}), Some("/name")),
            (json!({"reference": "0012"}), None),
            (json!({"reference": "12"}), Some("/reference")),
            (json!({"reference": "+0012"}), Some("/reference")),
            (json!({"reference": "00_12"}), Some("/reference")),
            (json!({"price": {"value": 2.73}}), None),
            (json!({"price": {"value": "02.73"}}), Some("/price/value")),
            (json!({"price": {"value": "2.73"}}), None),
            (json!({"price": {"value": "2.74"}}), Some("/price/value")),
            (json!({"at": "2026-11-24T10:00:00.000Z"}), None),
            (json!({"id": "5"}), None),
            (json!({"gone": null, "none": []}), None),
            (json!({"gone": 1}), Some("/gone")),
            (json!({"x": [1, 2]}), Some("/x")),
            (json!({"groups": [{"supplier_ids": [7], "supplier_id": 8}]}), None),
            (json!({"groups": [{"suppliers": [7], "supplier": 8}]}), None),
            (json!({"groups": [{"supplier_ids": [9]}]}), Some("/groups/0/supplier_ids/0")),
        ] {
            assert_eq!(difference(&wanted, &now).as_deref(), differs, "{wanted}");
        }
    }

    fn elsewhere(operation: &str) -> &'static Elsewhere {
        ELSEWHERE.iter().find(|row| row.operation == operation).unwrap()
    }

    #[test]
    fn profiles_are_deleted_if_the_list_has_none_of_them() {
        let newest = json!({ "profiles": [{ "id": "a" }, { "id": "b" }] });
        let older = json!({ "data": [{ "id": "a" }], "interlocked_profile": { "id": "b" } });
        for (operation, now, name) in
            [("batch_delete_profiles", &newest, "profile_ids"), ("batch-delete-profiles", &older, "profiles")]
        {
            let deletion = elsewhere(operation);
            let verdict = |ids: &[&str]| {
                let wanted = json!({ name: ids });
                (deletion.difference(&wanted, now).is_none(), deletion.is_untouched(&wanted, now))
            };
            assert_eq!(verdict(&["c", "d"]), (true, false));
            assert_eq!(verdict(&["a", "b"]), (false, true));
            assert_eq!(verdict(&["a", "c"]), (false, false), "in part: who did it?");
            assert_eq!(verdict(&[]), (false, false));
        }
        // A list that does not say what its items are proves nothing.
        for odd in [json!({}), json!({ "profiles": null }), json!({ "profiles": [{ "id": "a" }, {}] })] {
            assert_eq!(still_listed(&json!({ "profiles": ["c"] }), &odd), None, "{odd}");
        }
    }

    #[test]
    fn profiles_are_switched_or_replaced_if_they_are_shown_so() {
        let (on, off) = (json!({ "quotas_enabled": true }), json!({ "quotas_enabled": false }));
        for (operation, is_so, is_not) in [("enable-quotas", &on, &off), ("disable-quotas-v2", &off, &on)] {
            let switch = elsewhere(operation);
            assert_eq!(switch.difference(&Value::Null, is_so), None);
            assert!(switch.difference(&Value::Null, is_not).is_some());
            assert!(switch.difference(&Value::Null, &json!({})).is_some(), "it does not say");
        }
        let replaced = elsewhere("manage_target_group_profiles");
        let sent = |goal: u32, object: &str| {
            let target = json!({ "object": object, "conditions": [{ "question_id": 42, "max": 29 }] });
            json!({ "completes_goal": goal, "profiling": { "profiles": [{ "name": "AGE", "targets": [target] }] } })
        };
        let profile = |name: &str| {
            let conditions = json!([{ "question_id": 42, "max": 29, "condition_name": "to 29" }]);
            json!({ "id": "p", "name": name, "targets": [{ "id": "t", "conditions": conditions }] })
        };
        let now = json!({ "completes_goal": 500, "profiles": [profile("AGE")] });
        let at = |wanted: &Value, now: &Value| replaced.difference(wanted, now);
        assert_eq!(at(&sent(500, "nominal"), &now), None);
        assert_eq!(at(&sent(600, "nominal"), &now).as_deref(), Some("/completes_goal"));
        let renamed = json!({ "completes_goal": 500, "profiles": [profile("REGION")] });
        assert_eq!(at(&sent(500, "nominal"), &renamed).as_deref(), Some("/profiles/0/name"));
        let more = json!({ "completes_goal": 500, "profiles": [profile("AGE"), profile("REGION")] });
        assert_eq!(at(&sent(500, "nominal"), &more).as_deref(), Some("/profiles"));
    }

    #[test]
    fn goals_are_compared_by_the_ids_of_their_quotas() {
        let newest = json!({"completes_goal": 500, "profiles": [
            {"id": "p", "targets": [
                {"id": "a", "quota": {"completes_goal": 245}},
                {"id": "b", "quota": {"completes_goal": 255}},
            ]},
        ]});
        let asked = |whole: u32, a: u32| {
            json!({"completes_goal": whole, "profiles": [
                {"profile_id": "p", "targets": [{"id": "a", "quota": {"completes_goal": a}}]},
            ]})
        };
        assert!(goals_hold(&asked(500, 245), &newest));
        assert!(!goals_hold(&asked(500, 250), &newest));
        assert!(!goals_hold(&asked(600, 245), &newest));
        let quotas = json!({"grouped": [], "ungrouped": [{"id": "a", "filling_goal": 245}]});
        let older = json!({"data": [{"id": "p", "quotas": quotas}]});
        let asked = |a: u32| {
            let quotas = json!([{"quota_id": "a", "filling_goal": a}]);
            json!({"filling_goal": 500, "profiles": [{"profile_id": "p", "quotas": quotas}]})
        };
        assert!(goals_hold(&asked(245), &older));
        assert!(!goals_hold(&asked(250), &older));
        // Nothing is shown by which it could be told.
        assert!(!goals_hold(&json!({"filling_goal": 500, "profiles": []}), &older));
    }
}
