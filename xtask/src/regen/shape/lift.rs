//! The pass that gives every object, union and string enum a name.
//! The generator reuses types by name without comparing them, so a name is made unique by structure here.

use serde_json::{Value, json};

use super::unions::{TAG, walk_bodies};
use super::{pascal, schemas, schemas_mut};
use crate::document::tree::{Object, schema_ref};

pub(super) fn lift(document: &mut Value) -> usize {
    let mut lifter = Lifter { components: schemas(document).clone(), lifted: 0 };
    let names: Vec<String> = lifter.components.keys().cloned().collect();
    for name in names {
        if let Some(mut schema) = lifter.components.get(&name).cloned() {
            lifter.inside(&mut schema, &name, &name);
            lifter.components.insert(name, schema);
        }
    }
    let mut paths = std::mem::take(&mut document["paths"]);
    walk_bodies(&mut paths, &mut |root, schema| lifter.place(schema, root, root));
    document["paths"] = paths;
    if let Some(components) = schemas_mut(document) {
        *components = lifter.components;
    }
    lifter.lifted
}

struct Lifter {
    components: Object,
    lifted: usize,
}

impl Lifter {
    /// Treats the schemas that a schema holds; `root` is the component's name, `path` the way to here.
    fn inside(&mut self, schema: &mut Value, root: &str, path: &str) {
        let Some(object) = schema.as_object_mut() else { return };
        for (key, value) in object.iter_mut() {
            match (key.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    for (name, schema) in properties {
                        let name = pascal(name);
                        self.place_as(schema, &format!("{root}{name}"), &format!("{path}{name}"));
                    }
                }
                ("items" | "additionalProperties", schema) => self.place(schema, root, path),
                _ => {}
            }
        }
    }

    fn place(&mut self, schema: &mut Value, root: &str, path: &str) {
        self.place_as(schema, root, path);
    }

    /// Lifts the schema that stands here, if it needs a name, and treats what is inside.
    fn place_as(&mut self, schema: &mut Value, short: &str, long: &str) {
        self.inside(schema, short, long);
        if !needs_a_name(schema) {
            return;
        }
        let nullable = schema.as_object_mut().and_then(|object| object.remove("nullable"));
        let name = self.name(schema, short, long);
        self.components.insert(name.clone(), schema.take());
        self.lifted += 1;
        *schema = match nullable {
            Some(nullable) => json!({ "allOf": [schema_ref(&name)], "nullable": nullable }),
            None => schema_ref(&name),
        };
    }

    /// The short name if it is free or means the same; else the long one, numbered if need be.
    fn name(&self, schema: &Value, short: &str, long: &str) -> String {
        let numbered = (2..).map(|number| format!("{long}{number}"));
        let candidates = [short.to_owned(), format!("{short}Item"), long.to_owned()].into_iter().chain(numbered);
        let free = |name: &String| self.components.get(name).is_none_or(|other| other == schema);
        candidates.into_iter().find(free).unwrap_or_else(|| long.to_owned())
    }
}

fn needs_a_name(schema: &Value) -> bool {
    let object = schema.get("properties").is_some() && schema.get("$ref").is_none();
    object || schema.get(TAG).is_some() || schema.get("enum").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_objects_and_enums_get_names_and_keep_null() {
        let mut document = json!({"paths": {}, "components": {"schemas": {"A": {"type": "object", "properties": {
            "quota": {"type": "object", "nullable": true, "properties": {"kind": {"type": "string", "enum": ["x", "y"]}}}
        }}}}});
        assert_eq!(lift(&mut document), 2);
        let schemas = &document["components"]["schemas"];
        assert_eq!(
            schemas["A"]["properties"]["quota"],
            json!({"allOf": [{"$ref": "#/components/schemas/AQuota"}], "nullable": true})
        );
        assert_eq!(schemas["AQuota"]["properties"]["kind"]["$ref"], "#/components/schemas/AQuotaKind");
        assert_eq!(schemas["AQuotaKind"], json!({"type": "string", "enum": ["x", "y"]}));
    }

    #[test]
    fn one_name_never_stands_for_two_structures() {
        let object = |property: &str| json!({"type": "object", "properties": {property: {"type": "string"}}});
        let mut document = json!({"paths": {}, "components": {"schemas": {
            "A": {"type": "object", "properties": {"b": object("x")}},
            "AB": object("y")
        }}});
        lift(&mut document);
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["AB"], object("y"));
        assert_eq!(schemas["A"]["properties"]["b"]["$ref"], "#/components/schemas/ABItem");
    }
}
