//! A schema as the comparison sees it: references followed, the parts of an allOf put together.
//! Import has refused circles, so that following ends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::tree::schema_name;
use crate::regen::{inline_references, schemas};

/// The keys that limit a value without being part of its type.
pub(super) const LIMITS: [&str; 12] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
    "multipleOf",
    "uniqueItems",
];

/// A document whose parameters, bodies and answers stand in place.
pub(crate) fn prepared(document: &Value) -> Value {
    let mut prepared = document.clone();
    inline_references(&mut prepared);
    // Only schemas are left of the components: what credentials are is looked up by name.
    if let Some(schemes) = document.pointer("/components/securitySchemes") {
        prepared["components"]["securitySchemes"] = schemes.clone();
    }
    prepared
}

/// What a schema says once its parts are put together.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    pub(super) kind: Option<&'a str>,
    pub(super) nullable: bool,
    pub(super) values: Option<Vec<&'a Value>>,
    pub(super) properties: BTreeMap<&'a str, &'a Value>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) items: Option<&'a Value>,
    pub(super) additional: Option<&'a Value>,
    pub(super) branches: Vec<&'a Value>,
    /// Alternatives that say only what must be there.
    pub(super) presence: BTreeSet<String>,
    pub(super) limits: BTreeMap<&'a str, &'a Value>,
    /// `pattern`, `format`, `default`, `readOnly` and `writeOnly`.
    pub(super) words: BTreeMap<&'a str, &'a Value>,
}

/// The component that a schema refers to; of one reference in an allOf, too: there it is only made nullable.
pub(super) fn component(schema: &Value) -> Option<&str> {
    let direct = schema.get("$ref").and_then(Value::as_str).and_then(schema_name);
    direct.or_else(|| match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if schema.get("properties").is_none() => component(only),
        _ => None,
    })
}

/// Whether a schema adds nothing to what it refers to, but that it may be null.
pub(super) fn is_nothing_but_a_reference(schema: &Value) -> bool {
    let keys = schema.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    keys.into_iter().all(|key| ["$ref", "allOf", "nullable"].contains(&key))
}

/// Whether a key has the value that it has where it is left out.
fn says_nothing(key: &str, value: &Value) -> bool {
    match key {
        "minLength" | "minItems" | "minProperties" => value.as_f64() == Some(0.0),
        "exclusiveMinimum" | "exclusiveMaximum" | "uniqueItems" | "readOnly" | "writeOnly" => *value == false,
        _ => false,
    }
}

impl<'a> View<'a> {
    pub(super) fn of(document: &'a Value, schema: &'a Value) -> Self {
        let mut view = Self::default();
        view.add(document, schema);
        view
    }

    /// A branch of its union: what the union requires is required in each.
    pub(super) fn branch(&self, document: &'a Value, branch: &'a Value) -> Self {
        let mut view = Self::of(document, branch);
        view.required.extend(&self.required);
        view
    }

    fn add(&mut self, document: &'a Value, schema: &'a Value) {
        if let Some(target) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(schema_name)
            .and_then(|name| schemas(document).get(name))
        {
            return self.add(document, target);
        }
        for (key, value) in schema.as_object().into_iter().flatten() {
            match key.as_str() {
                "type" => self.kind = value.as_str().or(self.kind),
                "nullable" => self.nullable |= value == &Value::Bool(true),
                "enum" => self.values = value.as_array().map(|values| values.iter().collect()),
                "properties" => {
                    self.properties
                        .extend(value.as_object().into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)));
                }
                "required" => self.required.extend(value.as_array().into_iter().flatten().filter_map(Value::as_str)),
                "items" => self.items = Some(value),
                "additionalProperties" => self.additional = Some(value),
                "oneOf" | "anyOf" => {
                    let members = value.as_array().map_or(&[][..], Vec::as_slice);
                    if members.iter().all(crate::import::only_asks_for_presence) {
                        self.presence.insert(format!("{key} {value}"));
                    } else {
                        self.branches.extend(members);
                    }
                }
                "not" => {
                    self.presence.insert(format!("not {value}"));
                }
                "allOf" => value.as_array().into_iter().flatten().for_each(|member| self.add(document, member)),
                "pattern" | "format" | "default" | "readOnly" | "writeOnly" if !says_nothing(key, value) => {
                    self.words.insert(key, value);
                }
                key if LIMITS.contains(&key) && !says_nothing(key, value) => {
                    self.limits.insert(key, value);
                }
                _ => {}
            }
        }
        if self.kind.is_none() && !self.properties.is_empty() {
            self.kind = Some("object");
        }
        if self.kind.is_none()
            && let Some(values) = &self.values
            && !values.is_empty()
            && values.iter().all(|value| value.is_string() || value.is_null())
        {
            self.kind = Some("string");
        }
        self.nullable |= self.values.iter().flatten().any(|value| value.is_null());
    }

    /// Whether the generator makes a type of its own of it, which then has a name.
    pub(super) fn has_a_name(&self) -> bool {
        !self.properties.is_empty() || !self.branches.is_empty() || self.is_open_enum()
    }

    /// Whether it becomes an enum: fewer than two values are plain text.
    pub(super) fn is_open_enum(&self) -> bool {
        let values = || self.values.iter().flatten().filter(|value| !value.is_null());
        values().count() > 1 && values().all(|value| value.is_string())
    }

    /// In a word, for messages.
    pub(super) fn describe(&self) -> String {
        let word = match self.kind {
            Some("array") => "a list",
            Some("object") if self.properties.is_empty() && self.branches.is_empty() => "a map",
            Some("object") => "an object",
            Some("integer") => "a whole number",
            Some("number") => "a number",
            Some("boolean") => "a flag",
            Some("string") if self.is_open_enum() => "an enum",
            Some("string") => "text",
            _ if !self.branches.is_empty() => "one of several",
            _ => "any value",
        };
        word.to_owned()
    }

    /// The property that tells the branches apart, with each branch's value.
    pub(super) fn tag(&self, document: &'a Value) -> Option<(&'a str, Vec<&'a str>)> {
        let branches: Vec<View<'a>> = self.branches.iter().map(|branch| View::of(document, branch)).collect();
        let first = branches.first().filter(|_| branches.len() > 1)?;
        let mut found: Vec<(&'a str, Vec<&'a str>)> = first
            .properties
            .keys()
            .filter_map(|name| {
                let values: Option<Vec<&'a str>> = branches
                    .iter()
                    .map(|branch| {
                        let property = View::of(document, branch.properties.get(name).copied()?);
                        match property.values.as_deref() {
                            Some([Value::String(value)]) => Some(value.as_str()),
                            _ => None,
                        }
                    })
                    .collect();
                let values = values?;
                let distinct: BTreeSet<&&str> = values.iter().collect();
                (distinct.len() == values.len()).then_some((*name, values))
            })
            .collect();
        found.sort_by_key(|(name, _)| (!["object", "type"].contains(name), *name));
        found.into_iter().next()
    }
}
