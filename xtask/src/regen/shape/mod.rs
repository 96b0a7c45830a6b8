//! Shaping: bends a document to what the generator can express, in memory, without touching `openapi/`.
//! Ends with components that are plain objects, open string enums or unions told apart by a tag; nothing else.

mod flatten;
#[cfg(test)]
mod guards;
mod lift;
mod names;
mod operations;
mod roles;
mod unions;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::document::overlay::{Overlays, Stage};
use crate::document::problem::Problems;
use crate::document::tree::{Kind, inspect, schema_name};
use crate::report::Report;

pub(crate) use self::names::{canonical_id, pascal, shared_ids};
pub(crate) use self::operations::{inline_references, is_client_header, is_never_sent};
pub(crate) use self::unions::{TAG, TAG_VALUE};

/// Marks an optional request property that may also be sent as an explicit null.
pub(crate) const NULLABLE: &str = "x-cintx-nullable";
/// On a schema: its limits in words, for the documentation of fields.
pub(crate) const FACTS: &str = "x-cintx-facts";
/// On an enum: its values by the names that the generator is given in their place.
pub(crate) const VALUES: &str = "x-cintx-values";
/// Marks a component that only answers hold.
pub(crate) const ANSWER: &str = "x-cintx-answer";
/// Components that stand for hand-written types of the raw crate.
pub(crate) const HAND_WRITTEN: [&str; 2] = ["Id", "Secret"];

/// A document as the generator takes it.
#[derive(Debug)]
pub(crate) struct Shaped {
    pub(crate) document: Value,
    pub(crate) report: Report,
}

/// A pass: changes the document, answers how many nodes it changed.
type Pass = fn(&mut Value) -> usize;

/// Name, pass, and what it does. The order matters: each pass relies on those before it.
const PASSES: [(&str, Pass, &str); 23] = [
    ("inline-references", operations::inline_references, "parameters, bodies and answers of components put in place"),
    (
        "success-only",
        operations::success_only,
        "answers other than success dropped: the seam decodes every error itself",
    ),
    ("client-headers", operations::client_headers, "headers that the client sets itself dropped from the arguments"),
    ("raw-media", operations::raw_media, "bodies that are not JSON made byte bodies"),
    ("operation-ids", names::operation_ids, "operation ids made snake case and unique"),
    ("component-names", names::component_names, "schema names made unique Rust type names"),
    ("no-limits", wire::no_limits, "limits, defaults and formats dropped from types: they are checked as data"),
    ("open-objects", wire::open_objects, "`additionalProperties: false` dropped"),
    ("presence", wire::presence, "alternatives and negations of `required` alone left to the document"),
    ("union-siblings", flatten::union_siblings, "properties beside a union given to every branch"),
    ("flatten-all-of", flatten::all_of, "allOf merged into one schema"),
    ("tell-unions-apart", unions::tell_apart, "unions given a tag, or made one schema that holds every branch"),
    ("nullable-components", flatten::nullable_components, "`nullable` of a component moved to what refers to it"),
    ("plain-scalars", wire::plain_scalars, "one-value, boolean and number enums made plain values"),
    ("enum-names", wire::enum_names, "values of enums that cannot be names given one"),
    ("inline-scalars", wire::inline_plain_components, "components that are plain values or lists put in place"),
    ("lift-inline", lift::lift, "inline objects, unions and enums made named components"),
    ("prune", names::prune, "components that no operation reaches dropped"),
    ("split-roles", roles::split, "components that are both sent and received made two"),
    ("nullable-fields", roles::nullable_fields, "optional request fields that may be null marked"),
    ("clearable-lists", roles::clearable_lists, "optional lists of requests told apart from empty ones"),
    ("tolerant-answers", roles::tolerant_answers, "fields of answers made optional and nullable"),
    ("ids-and-secrets", roles::ids_and_secrets, "ids of answers read as text or number, secrets hidden from Debug"),
];

/// Shapes the document of one version.
pub(crate) fn shape(date: &str, document: &Value, overlays: &Overlays) -> Result<Shaped, Problems> {
    let mut document = document.clone();
    let mut report = Report::new(format!("shaping of {date}"));
    let mut problems = Problems::new(format!("openapi/{date}.json"));
    overlays.apply(Stage::Shape, date, &mut document, &mut report, &mut problems);
    problems.into_result()?;
    for (name, pass, what) in PASSES {
        let changed = pass(&mut document);
        report.line(name, changed, what);
    }
    guard(date, &document)?;
    Ok(Shaped { document, report })
}

/// The schema components.
pub(crate) fn schemas(document: &Value) -> &Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&EMPTY)
}

fn schemas_mut(document: &mut Value) -> Option<&mut Map<String, Value>> {
    document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
}

/// Every schema component that a value refers to, directly or not.
pub(crate) fn reachable<'a>(document: &'a Value, from: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Value> = from.into_iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                if let Some(name) = object.get("$ref").and_then(Value::as_str).and_then(schema_name)
                    && seen.insert(name.to_owned())
                {
                    open.extend(schemas(document).get(name));
                }
                open.extend(object.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    seen
}

/// What the passes promise: whatever would compile and be wrong stops here.
fn guard(date: &str, document: &Value) -> Result<(), Problems> {
    use crate::document::problem::Problem;
    let mut problems = Problems::new(format!("openapi/{date}.json, shaped"));
    inspect(document, &mut |kind, pointer, object| {
        if kind != Kind::Schema {
            return;
        }
        let mut report = |message: &str| problems.push(Problem::at(pointer, message));
        for key in ["anyOf", "not"] {
            if object.contains_key(key) {
                report(&format!("{key} is left"));
            }
        }
        if object.contains_key("oneOf") && !object.contains_key(TAG) {
            report("a union without a tag is left: one branch would swallow another");
        }
        if let Some(branches) = object.get("oneOf").and_then(Value::as_array).filter(|_| object.contains_key(TAG)) {
            let mut values = BTreeSet::new();
            for branch in branches {
                match branch.get(TAG_VALUE).and_then(Value::as_str) {
                    None => report("a branch without a tag's value is left"),
                    Some(value) if !values.insert(value) => {
                        report(&format!("two branches with the tag {value:?} are left: one would swallow the other"));
                    }
                    Some(_) => {}
                }
            }
        }
        if let Some(members) = object.get("allOf").and_then(Value::as_array)
            && (members.len() != 1 || members[0].get("$ref").is_none())
        {
            report("an allOf that is not a nullable reference is left");
        }
        if object.get("enum").and_then(Value::as_array).is_some_and(|values| values.is_empty()) {
            report("an enum without values is left");
        }
        for key in ["pattern", "minimum", "maximum", "minLength", "maxLength", "multipleOf", "default", "minItems"] {
            if object.contains_key(key) {
                report(&format!("{key} is left"));
            }
        }
    });
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for name in schemas(document).keys() {
        if let Some(other) = names.insert(pascal(name), name) {
            problems.push(Problem::at(format!("/components/schemas/{name}"), format!("has the Rust name of {other}")));
        }
    }
    problems.into_result()
}
