//! Schemas flattened for making instances: references followed, `allOf`
//! merged, unions spread out. Compiled once per answer and kept.

use super::Contract;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A schema in a form that instances can be made from.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) nullable: bool,
    pub(crate) choices: Option<Vec<Value>>,
    pub(crate) kind: ShapeKind,
}

#[derive(Debug)]
pub(crate) enum ShapeKind {
    /// Anything at all.
    Any,
    Boolean,
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
        open: bool,
        step: Option<f64>,
    },
    Text {
        format: Option<String>,
        pattern: Option<String>,
        min: usize,
        max: usize,
    },
    Array {
        item: Arc<Shape>,
        min: usize,
        max: usize,
    },
    /// `free` objects take properties that are not declared.
    Object {
        properties: Vec<Property>,
        free: bool,
    },
    Union(Vec<Arc<Shape>>),
}

#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) shape: Arc<Shape>,
}

impl Shape {
    /// Whether a property may be null.
    pub(crate) fn takes_null(&self, name: &str) -> bool {
        match &self.kind {
            ShapeKind::Object { properties, .. } => {
                properties.iter().any(|property| property.name == name && property.shape.nullable)
            }
            ShapeKind::Union(branches) => branches.iter().any(|branch| branch.takes_null(name)),
            _ => false,
        }
    }
}

/// Deep enough for every document, shallow enough to end a recursive one.
const DEPTH: usize = 40;

/// Compiles a schema of a contract.
pub(crate) fn compile(contract: &Contract, schema: &Value) -> Arc<Shape> {
    Arc::new(shape(contract, &merged(contract, schema, DEPTH), DEPTH))
}

/// One map with all members of `allOf` merged in; unions are collected under
/// `anyOf` as a list of lists.
fn merged(contract: &Contract, schema: &Value, depth: usize) -> Map<String, Value> {
    let mut to = Map::new();
    if depth == 0 {
        return to;
    }
    let Some(from) = contract.resolve(schema).as_object() else {
        return to;
    };
    let mut unions = Vec::new();
    for (key, value) in from {
        match key.as_str() {
            "allOf" => {}
            "oneOf" | "anyOf" => unions.push(value.clone()),
            _ => {
                to.insert(key.clone(), value.clone());
            }
        }
    }
    if !unions.is_empty() {
        to.insert("anyOf".into(), Value::Array(unions));
    }
    for member in from.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        let member = merged(contract, member, depth - 1);
        absorb(&mut to, member);
    }
    to
}

fn absorb(to: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (to.get_mut(&key), value) {
            (Some(Value::Object(own)), Value::Object(other)) if key == "properties" => {
                for (name, schema) in other {
                    own.entry(name).or_insert(schema);
                }
            }
            (Some(Value::Array(own)), Value::Array(other)) if key == "required" || key == "anyOf" => {
                own.extend(other);
            }
            (Some(_), _) => {}
            (None, value) => {
                to.insert(key, value);
            }
        }
    }
}

fn shape(contract: &Contract, schema: &Map<String, Value>, depth: usize) -> Shape {
    let nullable = schema.get("nullable") == Some(&Value::Bool(true));
    let choices = schema.get("enum").and_then(Value::as_array).cloned();
    let any = |nullable| Shape { nullable, choices: None, kind: ShapeKind::Any };
    if depth == 0 {
        return any(nullable);
    }
    if let Some(unions) = schema.get("anyOf").and_then(Value::as_array) {
        return spread(contract, schema, unions, nullable, depth);
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str).map(str::to_owned);
    let size = |key: &str| schema.get(key).and_then(Value::as_u64).map(|n| n as usize);
    let float = |key: &str| schema.get(key).and_then(Value::as_f64);
    let kind = match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => ShapeKind::Boolean,
        Some("integer") => whole(schema),
        Some("number") if text("format").is_some_and(|f| f.starts_with("int")) => whole(schema),
        Some("number") => ShapeKind::Number {
            min: float("minimum"),
            max: float("maximum"),
            open: schema.get("exclusiveMinimum") == Some(&Value::Bool(true)),
            step: float("multipleOf"),
        },
        Some("string") => ShapeKind::Text {
            format: text("format"),
            pattern: text("pattern"),
            min: size("minLength").unwrap_or(0),
            max: size("maxLength").unwrap_or(usize::MAX),
        },
        Some("array") => ShapeKind::Array {
            item: schema.get("items").map_or_else(
                || Arc::new(any(true)),
                |items| Arc::new(shape(contract, &merged(contract, items, depth - 1), depth - 1)),
            ),
            min: size("minItems").unwrap_or(0),
            max: size("maxItems").unwrap_or(usize::MAX),
        },
        Some("object") => object(contract, schema, depth),
        None if schema.contains_key("properties") => object(contract, schema, depth),
        _ => ShapeKind::Any,
    };
    Shape { nullable, choices, kind }
}

fn whole(schema: &Map<String, Value>) -> ShapeKind {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64).map(|n| n as i64);
    let open = schema.get("exclusiveMinimum") == Some(&Value::Bool(true));
    ShapeKind::Integer { min: bound("minimum").map(|min| min + i64::from(open)), max: bound("maximum") }
}

fn object(contract: &Contract, schema: &Map<String, Value>, depth: usize) -> ShapeKind {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let declared = schema.get("properties").and_then(Value::as_object);
    let properties = declared
        .into_iter()
        .flatten()
        .map(|(name, property)| Property {
            name: name.clone(),
            required: required.contains(&name.as_str()),
            shape: Arc::new(shape(contract, &merged(contract, property, depth - 1), depth - 1)),
        })
        .collect();
    let free = match schema.get("additionalProperties") {
        Some(Value::Bool(open)) => *open,
        Some(_) => true,
        None => declared.is_none(),
    };
    ShapeKind::Object { properties, free }
}

/// A union with its surroundings merged into every branch.
fn spread(contract: &Contract, schema: &Map<String, Value>, unions: &[Value], nullable: bool, depth: usize) -> Shape {
    let mut base = schema.clone();
    base.remove("anyOf");
    base.remove("nullable");
    let Some((first, rest)) = unions.split_first() else {
        return shape(contract, &base, depth - 1);
    };
    if !rest.is_empty() {
        base.insert("anyOf".into(), Value::Array(rest.to_vec()));
    }
    let branches = first
        .as_array()
        .into_iter()
        .flatten()
        .map(|branch| {
            let mut whole = merged(contract, branch, depth - 1);
            absorb(&mut whole, base.clone());
            Arc::new(shape(contract, &whole, depth - 1))
        })
        .collect();
    Shape { nullable, choices: None, kind: ShapeKind::Union(branches) }
}
