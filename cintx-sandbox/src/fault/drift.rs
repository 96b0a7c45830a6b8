//! Tomorrow's Cint: what its operator calls additive and may change without
//! notice, done to an answer of today.

use crate::contract::shape::{Shape, ShapeKind};
use crate::sim::synth;
use serde_json::{Value, json};

/// Adds unknown fields to every object, replaces every value of a closed
/// list by an unknown one, or both.
pub(crate) fn drift(shape: &Shape, value: &mut Value, fields: bool, values: bool) {
    if let Some(choices) = &shape.choices {
        // A list of one is a tag that says what the object is.
        let closed = choices.iter().filter(|choice| choice.is_string()).count() > 1;
        if values && closed && value.is_string() {
            *value = json!("added_tomorrow");
        }
        return;
    }
    match (&shape.kind, value) {
        (ShapeKind::Array { item, .. }, Value::Array(items)) => {
            for one in items {
                drift(item, one, fields, values);
            }
        }
        (ShapeKind::Object { properties, .. }, Value::Object(map)) => {
            for property in properties {
                if let Some(own) = map.get_mut(&property.name) {
                    drift(&property.shape, own, fields, values);
                }
            }
            if fields {
                map.insert("added_tomorrow".into(), json!({ "value": 1 }));
            }
        }
        (ShapeKind::Union(branches), value) => {
            if let Some(branch) = synth::meant(branches, value) {
                drift(branch, value, fields, values);
            }
        }
        _ => {}
    }
}
