//! Which operations reach which schema components, and in which role.
//! Every node is looked at once: a document has hundreds of operations that share most of what they reach.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::tree::{operations, schema_name};
use crate::regen::{canonical_id, schemas, shared_ids};

/// The references of a document, component by component.
pub(super) struct Reach<'a> {
    document: &'a Value,
    components: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Reach<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        let references = |schema: &'a Value| {
            let mut found = BTreeSet::new();
            collect(schema, &mut found);
            found
        };
        let components = schemas(document).iter().map(|(name, schema)| (name.as_str(), references(schema))).collect();
        Self { document, components }
    }

    /// Everything that some values reach, directly or not.
    pub(super) fn from(&self, values: impl IntoIterator<Item = &'a Value>) -> BTreeSet<&'a str> {
        let mut open = BTreeSet::new();
        values.into_iter().for_each(|value| collect(value, &mut open));
        let mut open: Vec<&str> = open.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            if seen.insert(name) {
                open.extend(self.components.get(name).into_iter().flatten());
            }
        }
        seen
    }

    /// The operations that reach each component, by their ids.
    pub(super) fn uses(&self, uses: &mut BTreeMap<String, BTreeSet<String>>) {
        let shared = shared_ids(self.document);
        for (path, _, _, operation) in operations(self.document) {
            let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
            let id = canonical_id(id, path, &shared);
            for name in self.from(operation.values()) {
                uses.entry(name.to_owned()).or_default().insert(id.clone());
            }
        }
    }

    /// Whether each component is sent, and whether it comes back.
    pub(super) fn roles(&self) -> BTreeMap<&'a str, (bool, bool)> {
        let mut found: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
        for (_, _, _, operation) in operations(self.document) {
            for name in self.from(["requestBody", "parameters"].iter().filter_map(|key| operation.get(*key))) {
                found.entry(name).or_default().0 = true;
            }
            let answers = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
            for name in self.from(answers.filter(|(status, _)| status.starts_with('2')).map(|(_, answer)| answer)) {
                found.entry(name).or_default().1 = true;
            }
        }
        found
    }
}

fn collect<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).and_then(schema_name));
            object.values().for_each(|value| collect(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
