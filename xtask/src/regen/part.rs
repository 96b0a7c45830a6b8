//! A version cut down to some of its operations, for tests: few operations compile in a fraction of the time.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Error, Result};
use serde_json::Value;

use super::{Notes, shape, table, written};
use crate::document::tree::METHODS;

/// A path and a method in lower case.
pub(crate) type Key = (String, String);

/// The files of some operations of a document. What stands outside of them is shaped as in the whole.
pub(crate) fn files(
    date: &str,
    document: &Value,
    notes: &Notes,
    kept: &BTreeSet<Key>,
) -> Result<BTreeMap<String, String>> {
    let shaped = shape::shape(date, document, &notes.overlays)?.document;
    let mut rows = table::rows(date, document, &shaped, &notes.supplement)?;
    rows.retain(|row| kept.contains(&(row.path.clone(), row.method.to_lowercase())));
    let (document, mut shaped) = (only(document, kept), only(&shaped, kept));
    let used = shape::reachable(&shaped, shaped.get("paths"));
    if let Some(components) = shaped.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        components.retain(|name, _| used.contains(name) || shape::HAND_WRITTEN.contains(&name.as_str()));
    }
    written(date, &document, &shaped, &rows, notes).map_err(Error::msg)
}

/// A document with some of its operations.
pub(crate) fn only(document: &Value, kept: &BTreeSet<Key>) -> Value {
    let mut part = document.clone();
    let paths = part.get_mut("paths").and_then(Value::as_object_mut);
    paths.into_iter().for_each(|paths| {
        for (path, item) in paths.iter_mut() {
            let is_kept = |method: &String| kept.contains(&(path.clone(), method.clone()));
            let item = item.as_object_mut();
            item.into_iter().for_each(|item| {
                item.retain(|key, _| !METHODS.contains(&key.as_str()) || is_kept(key));
            });
        }
        paths.retain(|path, _| kept.iter().any(|(other, _)| other == path));
    });
    part
}

/// The operations of a document that are not in another as they are here: with what they refer to, and what is said
/// for all of them. The comparison of documents has no part in this: it is under test, too.
pub(crate) fn touched(old: &Value, new: &Value) -> Vec<Key> {
    let before: BTreeMap<Key, Value> = whole(old).collect();
    whole(new).filter(|(key, operation)| before.get(key) != Some(operation)).map(|(key, _)| key).collect()
}

/// Each operation with everything that it refers to.
fn whole(document: &Value) -> impl Iterator<Item = (Key, Value)> {
    crate::document::tree::operations(document).map(|(path, method, item, operation)| {
        let operation = Value::Object(operation.clone());
        let schemas = shape::schemas(document);
        let used = shape::reachable(document, [&operation]);
        let used: Vec<Option<&Value>> = used.iter().map(|name| schemas.get(name)).collect();
        let general = [&document["servers"], &document["security"], &document["components"]["securitySchemes"]];
        let own = [item.get("servers"), item.get("parameters")];
        ((path.to_owned(), method.to_owned()), serde_json::json!([operation, used, own, general]))
    })
}
