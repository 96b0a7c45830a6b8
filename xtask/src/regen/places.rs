//! Where in a document the generator fails: it names no place by itself.
//! Every operation is tried alone, and of one that fails every schema that it reaches.

use serde_json::{Value, json};

use super::shape::{reachable, schemas};
use crate::document::problem::Problem;
use crate::document::tree::{METHODS, escape, schema_ref};

/// Tries a part of a document.
type Attempt<'a> = &'a dyn Fn(&Value) -> Result<(), String>;

/// The operations that fail alone, each with the smallest schema that does; nothing where only all together fail.
pub(super) fn find(shaped: &Value, attempt: Attempt<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for (path, item) in shaped.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let Err(message) = attempt(&part(shaped, path, method, operation)) else { continue };
            let culprit = schema(shaped, path, method, operation, attempt);
            let at = format!("/paths/{}/{method}", escape(path));
            problems.push(match culprit {
                Some((name, message)) => Problem::at(at, format!("its schema {name} cannot be generated: {message}")),
                None => Problem::at(at, format!("cannot be generated: {message}")),
            });
            if problems.len() >= 20 {
                return problems;
            }
        }
    }
    problems
}

/// The document with one operation alone, and what it reaches.
fn part(shaped: &Value, path: &str, method: &str, operation: &Value) -> Value {
    let mut part = shaped.clone();
    part["paths"] = json!({ path: { method: operation } });
    let keep = reachable(shaped, [operation]);
    if let Some(components) = part.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        components.retain(|name, _| keep.contains(name) || super::shape::HAND_WRITTEN.contains(&name.as_str()));
    }
    part
}

/// The schema that fails and reaches the fewest others.
fn schema(
    shaped: &Value,
    path: &str,
    method: &str,
    operation: &Value,
    attempt: Attempt<'_>,
) -> Option<(String, String)> {
    let mut names: Vec<(usize, String)> = reachable(shaped, [operation])
        .into_iter()
        .map(|name| (reachable(shaped, schemas(shaped).get(&name)).len(), name))
        .collect();
    names.sort();
    names.into_iter().find_map(|(_, name)| {
        let mut alone = operation.clone();
        alone["parameters"] = operation.get("parameters").cloned().unwrap_or_else(|| json!([]));
        alone.as_object_mut()?.remove("requestBody");
        for answer in alone.get_mut("responses")?.as_object_mut()?.values_mut() {
            answer["content"] = json!({ "application/json": { "schema": schema_ref(&name) } });
        }
        let message = attempt(&part(shaped, path, method, &alone)).err()?;
        Some((name, message))
    })
}
