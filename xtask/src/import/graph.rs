//! Checks that span several schemas: circles that no type can hold, parts that contradict one another,
//! and unions of unions that would grow beyond all bounds when they are opened up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::problem::Problem;
use crate::document::tree::{Kind, Object, escape, inspect, push_pointer, resolve, schema_name};

/// How many branches one union may open up to. The largest of Cint's has 41.
const MAX_BRANCHES: usize = 200;
/// How many nodes one schema may have with everything that is put in place inside it.
const MAX_INLINED: usize = 100_000;

/// The schema components of a document, with their references.
struct Graph<'a> {
    document: &'a Value,
    components: BTreeMap<&'a str, &'a Value>,
    /// The references that lead on without a property between: pointer and target.
    edges: BTreeMap<&'a str, Vec<(String, &'a str)>>,
}

/// Everything that is wrong between schemas.
pub(super) fn problems(document: &Value) -> Vec<Problem> {
    let components: BTreeMap<&str, &Value> = document
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.as_str(), schema))
        .collect();
    let mut edges = BTreeMap::new();
    for (name, schema) in &components {
        let mut found = Vec::new();
        strict_references(schema, &mut format!("/components/schemas/{}", escape(name)), &mut found);
        edges.insert(*name, found);
    }
    let graph = Graph { document, components, edges };
    let circles = graph.circles();
    if !circles.is_empty() {
        // The other checks follow references.
        return circles;
    }
    let mut problems = graph.contradictions();
    problems.extend(graph.growth());
    problems
}

/// The references in a schema that no property lies between.
fn strict_references<'a>(schema: &'a Value, pointer: &mut String, found: &mut Vec<(String, &'a str)>) {
    if let Some(name) = reference(schema) {
        found.push((format!("{pointer}/$ref"), name));
        return;
    }
    for key in ["allOf", "oneOf", "anyOf", "not", "items", "additionalProperties"] {
        let Some(child) = schema.get(key) else { continue };
        let length = push_pointer(pointer, key);
        match child {
            Value::Array(members) => {
                for (index, member) in members.iter().enumerate() {
                    let length = push_pointer(pointer, &index.to_string());
                    strict_references(member, pointer, found);
                    pointer.truncate(length);
                }
            }
            child => strict_references(child, pointer, found),
        }
        pointer.truncate(length);
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str).and_then(schema_name)
}

impl<'a> Graph<'a> {
    /// References that lead back to their own schema through references, lists and combinations alone.
    fn circles(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, edges) in &self.edges {
            for (pointer, target) in edges {
                if self.reaches(target, name) {
                    problems.push(Problem::at(
                        pointer.clone(),
                        format!(
                            "\"#/components/schemas/{target}\" leads back to itself without a property between: no value ends it"
                        ),
                    ));
                }
            }
        }
        problems
    }

    fn reaches(&self, from: &'a str, to: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            if name == to {
                return true;
            }
            if seen.insert(name) {
                open.extend(self.edges.get(name).into_iter().flatten().map(|(_, target)| *target));
            }
        }
        false
    }

    fn follow(&self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // Circles have been refused.
        while let Some(target) = reference(schema).and_then(|name| self.components.get(name)) {
            schema = target;
        }
        schema
    }

    /// Parts of an allOf that no value can be at once.
    fn contradictions(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        inspect(self.document, &mut |kind, pointer, object| {
            if kind != Kind::Schema || object.contains_key("$ref") || !object.contains_key("allOf") {
                return;
            }
            // The walk has a copy of the document; the references lead into the original.
            let Some(original) = resolve(self.document, &format!("#{pointer}")) else { return };
            let mut types = BTreeSet::new();
            self.types(original, &mut types);
            types.remove(if types.contains("integer") { "number" } else { "" });
            if types.len() > 1 {
                let types: Vec<&str> = types.into_iter().collect();
                problems.push(Problem::at(
                    format!("{pointer}/allOf"),
                    format!("has parts of the types {}: no value is all of them", types.join(" and ")),
                ));
            }
            for (name, types) in self.property_types(original) {
                if types.len() > 1 && !(types.len() == 2 && types.contains("integer") && types.contains("number")) {
                    let types: Vec<&str> = types.into_iter().collect();
                    problems.push(Problem::at(
                        format!("{pointer}/allOf"),
                        format!("has parts that give the property {name:?} the types {}", types.join(" and ")),
                    ));
                }
            }
        });
        problems
    }

    /// The parts of a schema that all hold, itself included.
    fn parts(&self, schema: &'a Value, parts: &mut Vec<&'a Value>) {
        let schema = self.follow(schema);
        parts.push(schema);
        for member in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.parts(member, parts);
        }
    }

    fn types(&self, schema: &'a Value, types: &mut BTreeSet<&'a str>) {
        let mut parts = Vec::new();
        self.parts(schema, &mut parts);
        for part in parts {
            types.extend(part.get("type").and_then(Value::as_str));
            if part.get("properties").is_some() {
                types.insert("object");
            }
        }
    }

    fn property_types(&self, schema: &'a Value) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let mut parts = Vec::new();
        self.parts(schema, &mut parts);
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for part in parts {
            for (name, property) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                self.types(property, found.entry(name).or_default());
            }
        }
        found
    }

    /// Schemas that would grow beyond all bounds in shaping.
    fn growth(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut branches = BTreeMap::new();
        let mut sizes = BTreeMap::new();
        for (name, schema) in &self.components {
            let at = format!("/components/schemas/{}", escape(name));
            let count = self.branches(schema, &mut branches);
            if count > MAX_BRANCHES {
                problems.push(Problem::at(
                    at,
                    format!("opens up to {count} alternatives, at most {MAX_BRANCHES} are treated"),
                ));
            } else if self.inlined(name, &mut sizes) > MAX_INLINED {
                problems.push(Problem::at(
                    at,
                    format!(
                        "has more than {MAX_INLINED} nodes with the lists and parts that it refers to put in place"
                    ),
                ));
            }
        }
        inspect(self.document, &mut |kind, pointer, object| {
            if kind == Kind::Schema && object.contains_key("oneOf") && object.contains_key("anyOf") {
                problems
                    .push(Problem::at(format!("{pointer}/anyOf"), "oneOf beside anyOf in one schema is not treated"));
            }
            let inline = kind == Kind::Schema && pointer.starts_with("/paths/");
            if inline && self.branches_of(object, &mut branches) > MAX_BRANCHES {
                problems.push(Problem::at(pointer, format!("opens up to more than {MAX_BRANCHES} alternatives")));
            }
        });
        problems
    }

    /// Into how many alternatives a schema opens up: those of an allOf multiply.
    fn branches(&self, schema: &Value, known: &mut BTreeMap<String, usize>) -> usize {
        if let Some(name) = reference(schema) {
            if let Some(count) = known.get(name) {
                return *count;
            }
            let count = self.components.get(name).map_or(1, |target| self.branches(target, known));
            known.insert(name.to_owned(), count);
            return count;
        }
        schema.as_object().map_or(1, |object| self.branches_of(object, known))
    }

    fn branches_of(&self, object: &Object, known: &mut BTreeMap<String, usize>) -> usize {
        let members = |key: &str| object.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut count = 1_usize;
        for member in members("allOf") {
            count = count.saturating_mul(self.branches(member, known));
        }
        for union in [members("oneOf"), members("anyOf")] {
            if !union.is_empty() {
                let sum = union.iter().fold(0_usize, |sum, member| sum.saturating_add(self.branches(member, known)));
                count = count.saturating_mul(sum);
            }
        }
        count
    }

    /// How many nodes a component has once everything without properties of its own is put in place.
    fn inlined(&self, name: &'a str, known: &mut BTreeMap<&'a str, usize>) -> usize {
        if let Some(size) = known.get(name) {
            return *size;
        }
        // A component that is being counted is a circle through a property: it stays a reference.
        known.insert(name, 1);
        let size = self.components.get(name).map_or(1, |schema| self.size(schema, known));
        known.insert(name, size);
        size
    }

    fn size(&self, value: &'a Value, known: &mut BTreeMap<&'a str, usize>) -> usize {
        if let Some(name) = reference(value) {
            let stays = self.components.get(name).is_some_and(|schema| schema.get("properties").is_some());
            return if stays { 1 } else { self.inlined(name, known) };
        }
        let children = match value {
            Value::Object(object) => {
                object.values().map(|child| self.size(child, known)).fold(0, usize::saturating_add)
            }
            Value::Array(list) => list.iter().map(|child| self.size(child, known)).fold(0, usize::saturating_add),
            _ => 0,
        };
        children.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(schemas: Value) -> Vec<(String, String)> {
        let document = json!({ "paths": {}, "components": { "schemas": schemas } });
        problems(&document).into_iter().map(|problem| (problem.pointer, problem.message)).collect()
    }

    fn to(name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    #[test]
    fn circles_without_a_property_between_are_named_where_they_close() {
        for (schema, at) in [
            (json!({ "allOf": [to("B")] }), "/components/schemas/A/allOf/0/$ref"),
            (json!({ "oneOf": [{ "type": "string" }, to("B")] }), "/components/schemas/A/oneOf/1/$ref"),
            (json!({ "anyOf": [to("B")] }), "/components/schemas/A/anyOf/0/$ref"),
            (json!({ "type": "array", "items": to("B") }), "/components/schemas/A/items/$ref"),
            (json!({ "additionalProperties": to("B") }), "/components/schemas/A/additionalProperties/$ref"),
            (json!({ "type": "array", "items": { "allOf": [to("B")] } }), "/components/schemas/A/items/allOf/0/$ref"),
        ] {
            let found = found(json!({ "A": schema, "B": { "allOf": [to("A"), { "type": "object" }] }, "C": to("A") }));
            let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
            assert_eq!(pointers, [at, "/components/schemas/B/allOf/0/$ref"]);
            assert!(found[0].1.contains("leads back to itself"), "{found:?}");
        }
        assert_eq!(found(json!({ "A": to("A") })).len(), 1);
        let tree =
            json!({ "A": { "properties": { "children": { "type": "array", "items": to("A") }, "one": to("A") } } });
        assert_eq!(found(tree), [], "a tree ends");
    }

    #[test]
    fn parts_that_contradict_one_another_are_named() {
        let found = found(json!({
            "Text": { "type": "string" },
            "A": { "allOf": [to("Text"), { "type": "object", "properties": {} }] },
            "B": { "type": "integer", "allOf": [{ "type": "number" }] },
            "C": { "allOf": [{ "properties": { "p": { "type": "boolean" } } }, { "properties": { "p": to("Text") } }] },
            "D": { "allOf": [{ "properties": { "q": { "type": "integer" } } }, { "properties": { "q": { "type": "number" } } }] }
        }));
        let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/components/schemas/A/allOf", "/components/schemas/C/allOf"]);
        assert!(found[0].1.contains("object and string") && found[1].1.contains("\"p\""), "{found:?}");
    }

    #[test]
    fn what_would_grow_beyond_all_bounds_is_refused() {
        let union = json!({ "oneOf": [{ "properties": { "a": {} } }, { "properties": { "b": {} } }] });
        let grown = found(json!({ "U": union, "A": { "allOf": vec![to("U"); 20] } }));
        assert_eq!(grown.len(), 1);
        assert_eq!(grown[0].0, "/components/schemas/A");
        assert!(grown[0].1.contains("1048576 alternatives"), "{grown:?}");

        let mut lists = json!({ "L0": { "type": "array", "items": { "type": "object", "properties": { "a": {} } } } });
        for level in 1..30 {
            let inner = to(&format!("L{}", level - 1));
            lists[format!("L{level}")] =
                json!({ "type": "array", "items": { "type": "object", "properties": { "a": inner, "b": inner } } });
        }
        assert!(!found(lists).is_empty());
        let both = json!({ "A": { "oneOf": [{ "type": "string" }], "anyOf": [{ "type": "string" }] } });
        assert_eq!(found(both)[0].0, "/components/schemas/A/anyOf");
    }
}
