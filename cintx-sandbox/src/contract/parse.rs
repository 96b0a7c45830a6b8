//! Reads operations out of a document.
//! References to parameters, bodies and answers are followed here, once.

use super::ContractError;
use super::operation::{Answer, Body, Host, Item, Kind, Location, Media, Operation, Parameter, Schema};
use super::schema::Side;
use serde_json::Value;
use std::collections::BTreeMap;

const METHODS: &[&str] = &["get", "put", "post", "delete", "patch", "options", "head", "trace"];

/// All operations of a document, in its order.
pub(crate) fn operations(date: &str, document: &Value) -> Result<Vec<Operation>, ContractError> {
    let reader = Reader { date, document };
    let paths =
        document.get("paths").and_then(Value::as_object).ok_or_else(|| reader.malformed("/paths", "missing"))?;
    let mut operations = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(node) = item.get(*method) {
                operations.push(reader.operation(path, item, method, node)?);
            }
        }
    }
    Ok(operations)
}

struct Reader<'d> {
    date: &'d str,
    document: &'d Value,
}

impl<'d> Reader<'d> {
    fn malformed(&self, pointer: &str, reason: &str) -> ContractError {
        ContractError::Malformed { date: self.date.to_owned(), pointer: pointer.to_owned(), reason: reason.to_owned() }
    }

    fn follow(&self, node: &'d Value) -> Result<&'d Value, ContractError> {
        let mut node = node;
        for _ in 0..32 {
            let Some(target) = node.get("$ref").and_then(Value::as_str) else {
                return Ok(node);
            };
            node = target
                .strip_prefix('#')
                .and_then(|pointer| self.document.pointer(pointer))
                .ok_or_else(|| self.malformed(target, "the reference leads nowhere"))?;
        }
        Err(self.malformed("", "references in a circle"))
    }

    fn operation(
        &self,
        path: &str,
        item: &'d Value,
        method: &str,
        node: &'d Value,
    ) -> Result<Operation, ContractError> {
        let pointer = || format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"));
        let id = node
            .get("operationId")
            .and_then(Value::as_str)
            .ok_or_else(|| self.malformed(&pointer(), "an operation without an id"))?;
        let mut parameters: Vec<Parameter> = Vec::new();
        for list in [item.get("parameters"), node.get("parameters")].into_iter().flatten() {
            for parameter in list.as_array().into_iter().flatten() {
                let Some(parameter) = self.parameter(self.follow(parameter)?)? else {
                    continue;
                };
                // What the operation says replaces what its path says.
                parameters.retain(|p| p.name != parameter.name || p.location != parameter.location);
                parameters.push(parameter);
            }
        }
        let body = match node.get("requestBody") {
            Some(body) => self.body(self.follow(body)?),
            None => None,
        };
        let mut answers = BTreeMap::new();
        for (status, answer) in node.get("responses").and_then(Value::as_object).into_iter().flatten() {
            if let Ok(status) = status.parse::<u16>() {
                answers.insert(status, self.answer(self.follow(answer)?)?);
            }
        }
        let s2s = [node.get("servers"), item.get("servers")]
            .into_iter()
            .flatten()
            .filter_map(|servers| servers.pointer("/0/url").and_then(Value::as_str))
            .any(|url| url.contains("//s2s."));
        Ok(Operation {
            id: id.to_owned(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            host: if s2s { Host::S2s } else { Host::Demand },
            parameters,
            body,
            answers,
        })
    }

    fn parameter(&self, node: &'d Value) -> Result<Option<Parameter>, ContractError> {
        let name = node.get("name").and_then(Value::as_str).unwrap_or_default();
        let location = match node.get("in").and_then(Value::as_str) {
            Some("path") => Location::Path,
            Some("query") => Location::Query,
            Some("header") => Location::Header,
            _ => return Ok(None),
        };
        // OpenAPI 3.0 gives these three other places; they are judged there.
        let elsewhere = ["Content-Type", "Authorization", "Accept"];
        if location == Location::Header && elsewhere.iter().any(|h| h.eq_ignore_ascii_case(name)) {
            return Ok(None);
        }
        let raw = node.get("schema").cloned().unwrap_or(Value::Bool(true));
        let form = node.get("style").and_then(Value::as_str).is_none_or(|style| style == "form");
        Ok(Some(Parameter {
            name: name.to_owned(),
            location,
            required: location == Location::Path || node.get("required") == Some(&Value::Bool(true)),
            explode: node.get("explode").and_then(Value::as_bool).unwrap_or(form),
            kind: self.kind(&raw)?,
            schema: Schema::new(raw, Side::Request),
        }))
    }

    fn kind(&self, schema: &Value) -> Result<Kind, ContractError> {
        let kind = self.scalar_or_array(schema)?;
        Ok(match kind.0.as_deref() {
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            Some("array") => Kind::Array(match kind.1.as_deref() {
                Some("integer") => Item::Integer,
                Some("number") => Item::Number,
                Some("boolean") => Item::Boolean,
                _ => Item::Text,
            }),
            _ => Kind::Text,
        })
    }

    fn scalar_or_array(&self, schema: &Value) -> Result<(Option<String>, Option<String>), ContractError> {
        let node = self.lookup(schema)?;
        let kind = self.type_of(&node)?;
        let item = match node.get("items") {
            Some(items) => {
                let items = self.lookup(items)?;
                self.type_of(&items)?
            }
            None => None,
        };
        Ok((kind, item))
    }

    fn type_of(&self, node: &Value) -> Result<Option<String>, ContractError> {
        if let Some(kind) = node.get("type").and_then(Value::as_str) {
            return Ok(Some(kind.to_owned()));
        }
        for member in node.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if let Some(kind) = self.type_of(&self.lookup(member)?)? {
                return Ok(Some(kind));
            }
        }
        Ok(None)
    }

    fn lookup(&self, node: &Value) -> Result<Value, ContractError> {
        match node.get("$ref").and_then(Value::as_str) {
            Some(target) => {
                let found = target
                    .strip_prefix('#')
                    .and_then(|pointer| self.document.pointer(pointer))
                    .ok_or_else(|| self.malformed(target, "the reference leads nowhere"))?;
                self.follow(found).cloned()
            }
            None => Ok(node.clone()),
        }
    }

    fn body(&self, node: &'d Value) -> Option<Body> {
        let media = media(node, Side::Request);
        // A body without content means: send an empty one.
        (!media.is_empty()).then(|| Body { required: node.get("required") == Some(&Value::Bool(true)), media })
    }

    fn answer(&self, node: &'d Value) -> Result<Answer, ContractError> {
        let mut headers = Vec::new();
        for (name, header) in node.get("headers").and_then(Value::as_object).into_iter().flatten() {
            let header = self.follow(header)?;
            let required = header.get("required") == Some(&Value::Bool(true));
            let raw = header.get("schema").cloned().unwrap_or(Value::Bool(true));
            headers.push((name.clone(), required, Schema::new(raw, Side::Answer)));
        }
        Ok(Answer { media: media(node, Side::Answer), headers })
    }
}

fn media(node: &Value, side: Side) -> Vec<Media> {
    node.get("content")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, media)| Media {
            name: name.clone(),
            schema: Schema::new(media.get("schema").cloned().unwrap_or(Value::Bool(true)), side),
        })
        .collect()
}
