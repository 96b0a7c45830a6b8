//! The pass over oneOf and anyOf: a tag tells the branches apart, or one schema holds them all.
//! Nothing is left that a decoder would have to try branch by branch.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::flatten::dereference;
use super::schemas_mut;
use crate::document::tree::{Kind, Object, schema_ref, walk};
use crate::regen::shape::pascal;

/// On a union: the property that names the branch.
pub(crate) const TAG: &str = "x-cintx-tag";
/// On a branch: the value of the tag that stands for it.
pub(crate) const TAG_VALUE: &str = "x-cintx-tag-value";

pub(super) fn tell_apart(document: &mut Value) -> usize {
    let original = document.clone();
    let mut changed = 0;
    walk(document, &mut |kind, _, object| {
        if kind == Kind::Schema && (object.contains_key("oneOf") || object.contains_key("anyOf")) {
            *object = told_apart(&original, object, &mut Vec::new());
            changed += 1;
        }
    });
    name_branches(document);
    changed
}

/// The lists of schemas that are being united. One that turns up inside itself is a tree that two branches describe
/// in different ways: there the value is kept as it comes.
type Trail = Vec<Vec<Value>>;

/// What a union becomes.
fn told_apart(document: &Value, union: &Object, trail: &mut Trail) -> Object {
    let mut nullable = union.get("nullable") == Some(&json!(true));
    let mut branches = Vec::new();
    collect(document, union, &mut branches, &mut nullable);
    let mut result = match tag(&branches) {
        Some(tag) => tagged(&tag, &branches),
        None => {
            let united = unite(document, &branches, trail);
            nullable |= united.get("nullable") == Some(&json!(true));
            united.as_object().cloned().unwrap_or_default()
        }
    };
    if nullable {
        result.insert("nullable".to_owned(), json!(true));
    }
    result
}

/// The branches of a union, unions inside unions opened up, null taken out.
fn collect(document: &Value, union: &Object, branches: &mut Vec<Value>, nullable: &mut bool) {
    if let Some(tag) = union.get(TAG).and_then(Value::as_str) {
        // Treated already: give the branches their tag back.
        for branch in union.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            let mut branch = branch.clone();
            if let (Some(value), Some(object)) = (branch.get(TAG_VALUE).cloned(), branch.as_object_mut()) {
                object.remove(TAG_VALUE);
                let properties = object.entry("properties").or_insert_with(|| json!({}));
                properties[tag] = json!({ "type": "string", "enum": [value] });
            }
            branches.push(branch);
        }
        return;
    }
    for branch in ["oneOf", "anyOf"].into_iter().filter_map(|key| union.get(key)?.as_array()).flatten() {
        let resolved = dereference(document, branch);
        let Some(object) = resolved.as_object() else { continue };
        *nullable |= object.get("nullable") == Some(&json!(true));
        if object.contains_key("oneOf") || object.contains_key("anyOf") {
            collect(document, object, branches, nullable);
        } else if is_null(object) {
            *nullable = true;
        } else {
            let mut branch = object.clone();
            branch.remove("nullable");
            branches.push(Value::Object(branch));
        }
    }
}

/// A branch that stands for "nothing": an enum of null, or a nullable object without anything in it.
fn is_null(schema: &Object) -> bool {
    let only_null =
        schema.get("enum").and_then(Value::as_array).is_some_and(|values| values.iter().all(Value::is_null));
    let bare = schema.get("nullable") == Some(&json!(true))
        && !["properties", "items", "enum", "additionalProperties"].iter().any(|key| schema.contains_key(*key));
    only_null || bare && matches!(schema.get("type").and_then(Value::as_str), None | Some("object"))
}

/// A property that every branch has with one value of its own.
fn tag(branches: &[Value]) -> Option<String> {
    if branches.len() < 2 {
        return None;
    }
    let candidates = branches[0].get("properties")?.as_object()?.keys();
    candidates
        .filter(|name| {
            let mut values = BTreeSet::new();
            branches.iter().all(|branch| tag_value(branch, name).is_some_and(|value| values.insert(value)))
        })
        // Two would do: the names that documents use for tags come first.
        .min_by_key(|name| (!["object", "type"].contains(&name.as_str()), name.as_str()))
        .cloned()
}

fn tag_value<'a>(branch: &'a Value, name: &str) -> Option<&'a str> {
    match branch.get("properties")?.get(name)?.get("enum")?.as_array()?.as_slice() {
        [Value::String(value)] => Some(value),
        _ => None,
    }
}

fn tagged(tag: &str, branches: &[Value]) -> Object {
    let branches: Vec<Value> = branches
        .iter()
        .map(|branch| {
            let mut branch = branch.clone();
            let value = tag_value(&branch, tag).unwrap_or_default().to_owned();
            if let Some(properties) = branch.get_mut("properties").and_then(Value::as_object_mut) {
                properties.remove(tag);
            }
            if let Some(required) = branch.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|name| name != tag);
            }
            branch[TAG_VALUE] = json!(value);
            branch
        })
        .collect();
    let mut union = Object::new();
    union.insert("oneOf".to_owned(), Value::Array(branches));
    union.insert(TAG.to_owned(), json!(tag));
    union
}

/// One schema that whatever fits any of the given ones fits too.
fn unite(document: &Value, schemas: &[Value], trail: &mut Trail) -> Value {
    if trail.iter().any(|united| united == schemas) {
        return json!({});
    }
    trail.push(schemas.to_vec());
    let united = unite_each(document, schemas, trail);
    trail.pop();
    united
}

fn unite_each(document: &Value, schemas: &[Value], trail: &mut Trail) -> Value {
    let resolved: Vec<&Value> = schemas.iter().map(|schema| dereference(document, schema)).collect();
    if let [first, rest @ ..] = schemas
        && rest.iter().all(|other| other == first)
    {
        return first.clone();
    }
    let unions = resolved.iter().any(|schema| ["oneOf", "anyOf"].iter().any(|key| schema.get(key).is_some()));
    if unions {
        let mut union = Object::new();
        union.insert("oneOf".to_owned(), json!(schemas));
        return Value::Object(told_apart(document, &union, trail));
    }
    let nullable = resolved.iter().any(|schema| schema.get("nullable") == Some(&json!(true)));
    let kinds: BTreeSet<&str> = resolved.iter().map(|schema| kind(schema)).collect();
    let mut united = match kinds.iter().copied().collect::<Vec<_>>().as_slice() {
        ["object"] => unite_objects(document, &resolved, trail),
        ["array"] => {
            let items: Vec<Value> = resolved.iter().filter_map(|schema| schema.get("items")).cloned().collect();
            json!({ "type": "array", "items": unite(document, &items, trail) })
        }
        ["string"] => unite_strings(&resolved),
        ["integer", "number"] => json!({ "type": "number" }),
        [one @ ("integer" | "number" | "boolean")] => json!({ "type": one }),
        // Nothing in common: the value is kept as it came.
        _ => json!({}),
    };
    if united.get("type") == Some(&json!("integer")) {
        united["format"] = json!("int64");
    }
    if nullable && united != json!({}) {
        united["nullable"] = json!(true);
    }
    united
}

fn kind(schema: &Value) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or(match schema {
        schema if schema.get("properties").is_some() => "object",
        schema if schema.get("items").is_some() => "array",
        _ => "any",
    })
}

fn unite_objects(document: &Value, objects: &[&Value], trail: &mut Trail) -> Value {
    let mut properties: BTreeMap<&String, Vec<Value>> = BTreeMap::new();
    let mut required: Option<BTreeSet<&str>> = None;
    for object in objects {
        for (name, schema) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            properties.entry(name).or_default().push(schema.clone());
        }
        let own: BTreeSet<&str> =
            object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        required = Some(match required {
            Some(others) => others.intersection(&own).copied().collect(),
            None => own,
        });
    }
    let properties: Object =
        properties.into_iter().map(|(name, schemas)| (name.clone(), unite(document, &schemas, trail))).collect();
    let mut united = json!({ "type": "object", "properties": properties });
    let required: Vec<&str> = required.unwrap_or_default().into_iter().collect();
    if !required.is_empty() {
        united["required"] = json!(required);
    }
    united
}

fn unite_strings(schemas: &[&Value]) -> Value {
    let mut values: Vec<Value> = Vec::new();
    for schema in schemas {
        match schema.get("enum").and_then(Value::as_array) {
            Some(own) => values.extend(own.iter().filter(|value| !values.contains(value)).cloned().collect::<Vec<_>>()),
            None => return json!({ "type": "string" }),
        }
    }
    json!({ "type": "string", "enum": values })
}

/// Branches become components named after their union and their tag's value, so that each is a type of its own.
fn name_branches(document: &mut Value) {
    let mut taken: BTreeSet<String> = super::schemas(document).keys().map(|name| pascal(name)).collect();
    let names: Vec<String> = super::schemas(document).keys().cloned().collect();
    let mut made = Object::new();
    for name in names {
        let Some(schema) = schemas_mut(document).and_then(|schemas| schemas.get_mut(&name)) else { continue };
        name_inside(schema, &name, &mut taken, &mut made);
    }
    let mut bodies = std::mem::take(&mut document["paths"]);
    walk_bodies(&mut bodies, &mut |root, schema| name_inside(schema, root, &mut taken, &mut made));
    document["paths"] = bodies;
    if let Some(schemas) = schemas_mut(document) {
        schemas.extend(made);
    }
}

/// Calls `visit` for the schema of every JSON body, with a name made of the operation's id.
pub(super) fn walk_bodies(paths: &mut Value, visit: &mut dyn FnMut(&str, &mut Value)) {
    for item in paths.as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        for method in crate::document::tree::METHODS {
            let Some(operation) = item.get_mut(method) else { continue };
            let id = pascal(operation.get("operationId").and_then(Value::as_str).unwrap_or_default());
            if let Some(schema) = operation.pointer_mut("/requestBody/content/application~1json/schema") {
                visit(&format!("{id}Request"), schema);
            }
            for response in operation
                .get_mut("responses")
                .and_then(Value::as_object_mut)
                .into_iter()
                .flat_map(|map| map.values_mut())
            {
                if let Some(schema) = response.pointer_mut("/content/application~1json/schema") {
                    visit(&format!("{id}Response"), schema);
                }
            }
            for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
                let name = pascal(parameter.get("name").and_then(Value::as_str).unwrap_or_default());
                if let Some(schema) = parameter.get_mut("schema") {
                    visit(&format!("{id}{name}"), schema);
                }
            }
        }
    }
}

fn name_inside(schema: &mut Value, name: &str, taken: &mut BTreeSet<String>, made: &mut Object) {
    let Some(object) = schema.as_object_mut() else { return };
    let is_union = object.contains_key(TAG);
    for (key, value) in object.iter_mut() {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (property, schema) in properties {
                    name_inside(schema, &format!("{name}{}", pascal(property)), taken, made);
                }
            }
            ("items" | "additionalProperties", schema) => name_inside(schema, name, taken, made),
            ("oneOf", Value::Array(branches)) if is_union => {
                for branch in branches {
                    let value = branch.get(TAG_VALUE).and_then(Value::as_str).unwrap_or_default().to_owned();
                    let mut branch_name = format!("{}{}", pascal(name), pascal(&value));
                    while !taken.insert(branch_name.clone()) {
                        branch_name.push_str("Branch");
                    }
                    name_inside(branch, &branch_name, taken, made);
                    let mut component = std::mem::replace(branch, schema_ref(&branch_name));
                    if let Some(component) = component.as_object_mut() {
                        component.remove(TAG_VALUE);
                        component.entry("type").or_insert_with(|| json!("object"));
                    }
                    made.insert(branch_name.clone(), component);
                    branch[TAG_VALUE] = json!(value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(tag: &str, property: &str) -> Value {
        json!({"type": "object", "properties": {"kind": {"type": "string", "enum": [tag]}, property: {"type": "string"}}, "required": ["kind"]})
    }

    fn treated(union: Value) -> Value {
        let mut document = json!({"paths": {}, "components": {"schemas": {"U": union, "B": branch("b", "y")}}});
        tell_apart(&mut document);
        document
    }

    #[test]
    fn a_tag_tells_branches_apart_even_behind_a_reference() {
        let document =
            treated(json!({"oneOf": [branch("a", "x"), {"$ref": "#/components/schemas/B"}], "nullable": true}));
        let union = &document["components"]["schemas"]["U"];
        assert_eq!(union[TAG], "kind");
        assert_eq!(union["nullable"], true);
        assert_eq!(union["oneOf"][1][TAG_VALUE], "b");
        let branch = &document["components"]["schemas"]["UB"];
        assert_eq!(branch, &json!({"type": "object", "properties": {"y": {"type": "string"}}, "required": []}));
    }

    #[test]
    fn without_a_tag_one_object_holds_every_branch() {
        let one = json!({"type": "object", "properties": {"x": {"type": "string"}, "s": {"type": "string", "enum": ["a"]}}, "required": ["s", "x"]});
        let two = json!({"type": "object", "properties": {"y": {"type": "integer"}, "s": {"type": "string", "enum": ["a", "b"]}}, "required": ["s"]});
        let document = treated(json!({"anyOf": [one, two]}));
        assert_eq!(
            document["components"]["schemas"]["U"],
            json!({"type": "object", "required": ["s"], "properties": {
                "s": {"type": "string", "enum": ["a", "b"]}, "x": {"type": "string"}, "y": {"type": "integer"}
            }})
        );
    }

    #[test]
    fn lists_unite_their_items_and_strangers_stay_untyped() {
        let lists = json!({"oneOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "number"}}]});
        assert_eq!(treated(lists)["components"]["schemas"]["U"], json!({"type": "array", "items": {"type": "number"}}));
        let strangers = json!({"oneOf": [{"type": "string"}, {"type": "object", "properties": {}}]});
        assert_eq!(treated(strangers)["components"]["schemas"]["U"], json!({}));
    }

    #[test]
    fn a_branch_of_nothing_is_null() {
        let document = treated(json!({"oneOf": [branch("a", "x"), {"type": "object", "nullable": true}]}));
        assert_eq!(document["components"]["schemas"]["U"]["nullable"], true);
        assert_eq!(document["components"]["schemas"]["U"]["type"], "object");
    }

    #[test]
    fn branches_that_are_trees_end() {
        let tree = |name: &str| json!({"type": "object", "properties": {"child": {"$ref": format!("#/components/schemas/{name}")}}});
        let mut document = json!({"paths": {}, "components": {"schemas": {
            "U": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]},
            "A": tree("A"), "B": tree("B"),
            "V": {"oneOf": [{"$ref": "#/components/schemas/C"}, {"$ref": "#/components/schemas/D"}]},
            "C": tree("V"), "D": {"type": "object", "properties": {"child": {"oneOf": [{"$ref": "#/components/schemas/V"}, {"type": "string"}]}}}
        }}});
        tell_apart(&mut document);
        let inner = &document["components"]["schemas"]["U"]["properties"]["child"];
        assert_eq!(inner["properties"]["child"], json!({}), "known that far: {inner}");
    }
}
