//! Passes over names: operation ids as Rust functions, schema names as Rust types, each once.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use serde_json::Value;

use super::{HAND_WRITTEN, reachable, schemas, schemas_mut};
use crate::document::tree::{Kind, METHODS, operations, schema_name, walk};

/// A Rust type name; acronyms of the domain count as words.
pub(crate) fn pascal(name: &str) -> String {
    name.replace("IDs", "Ids").replace("IDV", "IdV").replace("URL", "Url").to_upper_camel_case()
}

/// The id of an operation as the SDK writes it: snake case, with the path's version where two operations share one.
pub(crate) fn canonical_id(id: &str, path: &str, shared: &BTreeSet<String>) -> String {
    let id = id.to_snake_case();
    let version = path.split('/').find(|part| {
        part.strip_prefix('v')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    });
    match version {
        Some(version) if shared.contains(&id) => format!("{id}_{version}"),
        _ => id,
    }
}

/// The ids that two operations share once they are in snake case.
pub(crate) fn shared_ids(document: &Value) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut shared = BTreeSet::new();
    for (_, _, _, operation) in operations(document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_snake_case();
        if !seen.insert(id.clone()) {
            shared.insert(id);
        }
    }
    shared
}

pub(super) fn operation_ids(document: &mut Value) -> usize {
    let shared = shared_ids(document);
    let mut changed = 0;
    for (path, item) in document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten() {
        for method in METHODS {
            if let Some(id) = item.get_mut(method).and_then(|operation| operation.get_mut("operationId")) {
                let new = canonical_id(id.as_str().unwrap_or_default(), path, &shared);
                changed += usize::from(id.as_str() != Some(&new));
                *id = Value::from(new);
            }
        }
    }
    changed
}

/// Names that generated code uses for something else.
const PRELUDE: [&str; 16] = [
    "Box",
    "Clone",
    "Debug",
    "Default",
    "Deserialize",
    "Err",
    "None",
    "Ok",
    "Option",
    "PartialEq",
    "Result",
    "Self",
    "Serialize",
    "Some",
    "String",
    "Vec",
];

pub(super) fn component_names(document: &mut Value) -> usize {
    let mut taken: BTreeSet<String> = HAND_WRITTEN.iter().chain(&PRELUDE).map(|name| (*name).to_owned()).collect();
    let mut renamed = BTreeMap::new();
    for name in schemas(document).keys() {
        let mut new = pascal(name);
        while !taken.insert(new.clone()) {
            new.push_str("Other");
        }
        renamed.insert(name.clone(), new);
    }
    walk(document, &mut |kind, _, object| {
        if kind == Kind::Schema
            && let Some(new) =
                object.get("$ref").and_then(Value::as_str).and_then(schema_name).and_then(|name| renamed.get(name))
        {
            object.insert("$ref".to_owned(), Value::from(format!("#/components/schemas/{new}")));
        }
    });
    let changed = renamed.iter().filter(|(old, new)| old != new).count();
    if let Some(components) = schemas_mut(document) {
        let old = std::mem::take(components);
        components.extend(old.into_iter().filter_map(|(name, schema)| Some((renamed.get(&name)?.clone(), schema))));
    }
    changed
}

/// Drops the components that no operation reaches.
pub(super) fn prune(document: &mut Value) -> usize {
    let keep = reachable(document, document.get("paths"));
    let Some(components) = schemas_mut(document) else { return 0 };
    let before = components.len();
    components.retain(|name, _| keep.contains(name));
    before - components.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_that_meet_in_snake_case_take_the_version_of_their_path() {
        let mut document = json!({"paths": {
            "/demand/a": {"get": {"operationId": "get_profile"}},
            "/demand/v2/a": {"get": {"operationId": "get-profile"}},
            "/demand/v2/b": {"get": {"operationId": "remove-interlocks"}}
        }});
        assert_eq!(operation_ids(&mut document), 2);
        assert_eq!(document["paths"]["/demand/a"]["get"]["operationId"], "get_profile");
        assert_eq!(document["paths"]["/demand/v2/a"]["get"]["operationId"], "get_profile_v2");
        assert_eq!(document["paths"]["/demand/v2/b"]["get"]["operationId"], "remove_interlocks");
    }

    #[test]
    fn schema_names_are_types_and_never_meet() {
        let mut document = json!({"components": {"schemas": {
            "invalid_param": {}, "InvalidParam": {"properties": {"p": {"$ref": "#/components/schemas/invalid_param"}}}
        }}});
        component_names(&mut document);
        let names: Vec<&String> = schemas(&document).keys().collect();
        assert_eq!(names, ["InvalidParam", "InvalidParamOther"]);
        assert_eq!(
            document["components"]["schemas"]["InvalidParam"]["properties"]["p"]["$ref"],
            "#/components/schemas/InvalidParamOther"
        );
        assert_eq!(pascal("ProfileIDV2"), "ProfileIdV2");
    }

    #[test]
    fn names_of_the_prelude_stay_free() {
        let mut document = json!({"components": {"schemas": {"String": {}, "Option": {}, "self": {}}}});
        component_names(&mut document);
        let names: Vec<&String> = schemas(&document).keys().collect();
        assert_eq!(names, ["OptionOther", "SelfOther", "StringOther"]);
    }

    #[test]
    fn what_no_operation_reaches_goes() {
        let mut document = json!({
            "paths": {"/a": {"get": {"responses": {"200": {"schema": {"$ref": "#/components/schemas/A"}}}}}},
            "components": {"schemas": {"A": {"items": {"$ref": "#/components/schemas/B"}}, "B": {}, "C": {}}}
        });
        assert_eq!(prune(&mut document), 1);
        assert!(!schemas(&document).contains_key("C"));
    }
}
