//! Makes instances of shapes: out of nothing, or out of known facts, of which
//! it keeps what the shape has room for. Deterministic in its generator.

use crate::contract::shape::{Property, Shape, ShapeKind};
use crate::sim::clock;
use crate::sim::rng::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Number, Value, json};
use std::sync::Arc;

/// How much an instance made out of nothing shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// Required properties, empty where that is allowed.
    Least,
    /// All properties, with plausible values.
    Full,
}

/// The maker.
#[derive(Debug)]
pub(crate) struct Synth {
    rng: Rng,
    now: Timestamp,
}

impl Synth {
    pub(crate) fn new(rng: Rng, now: Timestamp) -> Self {
        Self { rng, now }
    }

    /// An instance of a shape.
    pub(crate) fn make(&mut self, shape: &Shape, amount: Amount) -> Value {
        self.named(shape, "", amount, 12)
    }

    fn named(&mut self, shape: &Shape, name: &str, amount: Amount, depth: usize) -> Value {
        if let Some(choices) = &shape.choices {
            let usable: Vec<_> = choices.iter().filter(|choice| !choice.is_null()).collect();
            let at = match amount {
                Amount::Least => 0,
                Amount::Full => self.rng.below(usable.len() as u64) as usize,
            };
            return usable.get(at).map_or(Value::Null, |choice| (*choice).clone());
        }
        match &shape.kind {
            ShapeKind::Any => json!({}),
            ShapeKind::Boolean => Value::Bool(amount == Amount::Full && self.rng.below(2) == 1),
            ShapeKind::Integer { min, max } => self.integer(*min, *max, name, amount),
            ShapeKind::Number { min, max, open, step } => self.number(*min, *max, *open, *step, amount),
            ShapeKind::Text { format, pattern, min, max } => {
                Value::String(self.text(format.as_deref(), pattern.as_deref(), *min, *max, name, amount))
            }
            ShapeKind::Array { item, min, max } => {
                let wanted = if amount == Amount::Full && depth > 2 { 2 } else { 0 };
                let count = wanted.max(*min).min(*max);
                Value::Array((0..count).map(|_| self.named(item, name, amount, depth.saturating_sub(1))).collect())
            }
            ShapeKind::Object { properties, .. } => {
                let mut object = Map::new();
                for property in properties {
                    if property.required || (amount == Amount::Full && depth > 0) {
                        let value = self.named(&property.shape, &property.name, amount, depth.saturating_sub(1));
                        object.insert(property.name.clone(), value);
                    }
                }
                Value::Object(object)
            }
            ShapeKind::Union(branches) => {
                branches.first().map_or(Value::Null, |branch| self.named(branch, name, amount, depth))
            }
        }
    }

    fn integer(&mut self, min: Option<i64>, max: Option<i64>, name: &str, amount: Amount) -> Value {
        let low = min.unwrap_or(0);
        let high = max.unwrap_or(i64::MAX);
        let value = match amount {
            Amount::Least => low,
            Amount::Full if name.ends_with("id") => low.max(1) + self.rng.below(9_000) as i64,
            Amount::Full => low + self.rng.below(100) as i64,
        };
        json!(value.clamp(low.min(high), high))
    }

    fn number(&mut self, min: Option<f64>, max: Option<f64>, open: bool, step: Option<f64>, amount: Amount) -> Value {
        let low = min.unwrap_or(0.0);
        let high = max.unwrap_or(low + 100.0).max(low);
        let step = step.filter(|step| *step > 0.0);
        let unit = match amount {
            Amount::Least if !open => return json!(whole_if_whole(low)),
            Amount::Least => 0.5,
            Amount::Full => self.rng.unit().max(0.01),
        };
        let raw = low + (high - low) * unit;
        // Decimal text keeps multiples of 0.01 exact.
        let digits = if step.is_some_and(|step| step >= 1.0) { 0 } else { 2 };
        let value = format!("{raw:.digits$}").parse::<f64>().unwrap_or(low);
        json!(whole_if_whole(value.clamp(low, high)))
    }

    fn text(
        &mut self,
        format: Option<&str>,
        pattern: Option<&str>,
        min: usize,
        max: usize,
        name: &str,
        amount: Amount,
    ) -> String {
        // As in judging, a pattern says more than an id's format.
        let format = format.filter(|format| pattern.is_none() || !format.eq_ignore_ascii_case("uuid"));
        let text = match format {
            Some("ulid" | "ULID") => return self.rng.ulid(self.now),
            Some("uuid" | "UUID") => return self.rng.uuid(),
            Some("date-time" | "datetime") => {
                let back = self.rng.below(1_000_000) as i64;
                return clock::text(clock::plus(self.now, SignedDuration::from_secs(-back)));
            }
            Some("date") => return self.now.strftime("%Y-%m-%d").to_string(),
            Some("duration") => return "P1D".into(),
            Some("email") => return format!("person{}@example.com", self.rng.below(100)),
            Some("uri" | "url" | "uri-reference") => {
                return format!("https://example.com/{}", self.rng.hex(8));
            }
            Some("base64") => return "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into(),
            _ => match pattern {
                Some(pattern) if pattern.contains("[0-9A-Z]{26}") => return self.rng.ulid(self.now),
                Some(pattern) => crate::sim::pattern::instance(pattern, &mut self.rng).unwrap_or_default(),
                None if amount == Amount::Least => String::new(),
                None if name.ends_with("_at") || name.ends_with("date") => return clock::text(self.now),
                None if name.contains("url") => format!("https://example.com/{}", self.rng.hex(8)),
                None if name.contains("currency") => "USD".into(),
                None if name == "value" || name == "amount" => format!("{}.50", self.rng.below(50)),
                None if name.contains("locale") => "eng_us".into(),
                None => format!("{}-{}", if name.is_empty() { "text" } else { name }, self.rng.below(1_000)),
            },
        };
        let mut text: String = text.chars().take(max).collect();
        while text.chars().count() < min {
            text.push_str(&self.rng.code(min - text.chars().count()));
        }
        text
    }

    /// An instance that says what the facts say, as far as the shape has
    /// room; what it requires and the facts lack is made up.
    pub(crate) fn fit(&mut self, shape: &Shape, facts: &Value) -> Value {
        match self.try_fit(shape, facts) {
            Some(value) => value,
            None => self.make(shape, Amount::Least),
        }
    }

    fn try_fit(&mut self, shape: &Shape, fact: &Value) -> Option<Value> {
        if fact.is_null() {
            return (shape.nullable || matches!(shape.kind, ShapeKind::Any)).then_some(Value::Null);
        }
        if let Some(choices) = &shape.choices {
            return choose(choices, fact);
        }
        match &shape.kind {
            ShapeKind::Any => Some(fact.clone()),
            ShapeKind::Boolean => fact.is_boolean().then(|| fact.clone()),
            // What one version took may be out of bounds for another.
            ShapeKind::Integer { min, max } => {
                let (low, high) = (min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX));
                as_integer(fact).map(|n| json!(n.max(low).min(high)))
            }
            ShapeKind::Number { min, max, .. } => as_number(fact).map(|n| within(n, *min, *max)),
            ShapeKind::Text { min, max, .. } => Some(Value::String(as_long(as_text(fact)?, *min, *max))),
            ShapeKind::Array { item, max, .. } => {
                let items = fact.as_array()?;
                Some(Value::Array(items.iter().filter_map(|fact| self.try_fit(item, fact)).take(*max).collect()))
            }
            ShapeKind::Object { properties, free } => {
                let facts = fact.as_object()?;
                Some(Value::Object(self.object(properties, *free, facts)))
            }
            ShapeKind::Union(branches) => self.try_fit(meant(branches, fact)?, fact),
        }
    }

    fn object(&mut self, properties: &[Property], free: bool, facts: &Map<String, Value>) -> Map<String, Value> {
        let mut object = Map::new();
        for property in properties {
            let fitted = facts.get(&property.name).and_then(|fact| self.try_fit(&property.shape, fact));
            match fitted {
                Some(value) => {
                    object.insert(property.name.clone(), value);
                }
                None if property.required => {
                    let value = self.named(&property.shape, &property.name, Amount::Least, 12);
                    object.insert(property.name.clone(), value);
                }
                None => {}
            }
        }
        if free {
            for (name, fact) in facts {
                object.entry(name.clone()).or_insert_with(|| fact.clone());
            }
        }
        object
    }
}

/// The branch of a union that a fact fits best.
pub(crate) fn meant<'b>(branches: &'b [Arc<Shape>], fact: &Value) -> Option<&'b Shape> {
    let best = branches
        .iter()
        .filter_map(|branch| score(branch, fact).map(|score| (score, branch)))
        // The first of equals: documents list the usual one first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some(best.1)
}

/// How well a fact fits a branch; `None` when it cannot.
fn score(shape: &Shape, fact: &Value) -> Option<i64> {
    if fact.is_null() {
        return shape.nullable.then_some(1);
    }
    if let Some(choices) = &shape.choices {
        return choose(choices, fact).map(|_| 2);
    }
    match &shape.kind {
        ShapeKind::Any => Some(0),
        ShapeKind::Boolean => fact.is_boolean().then_some(1),
        ShapeKind::Integer { .. } => as_integer(fact).map(|_| 1),
        ShapeKind::Number { .. } => as_number(fact).map(|_| 1),
        ShapeKind::Text { .. } => as_text(fact).map(|_| 1),
        ShapeKind::Array { item, max, .. } => {
            let items = fact.as_array()?;
            if items.len() > *max {
                return None;
            }
            items.iter().map(|fact| score(item, fact)).try_fold(1, |sum, part| part.map(|part| sum + part))
        }
        ShapeKind::Object { properties, .. } => {
            let facts = fact.as_object()?;
            let mut sum = 0;
            for property in properties {
                match facts.get(&property.name) {
                    Some(fact) => match score(&property.shape, fact) {
                        Some(part) => sum += 1 + part,
                        None if property.required => return None,
                        None => sum -= 1,
                    },
                    None if property.required => sum -= 5,
                    None => {}
                }
            }
            Some(sum)
        }
        ShapeKind::Union(branches) => branches.iter().filter_map(|branch| score(branch, fact)).max(),
    }
}

/// A choice that is the fact, or the same word in another spelling: versions
/// disagree about capitals and underscores.
fn choose(choices: &[Value], fact: &Value) -> Option<Value> {
    if choices.contains(fact) {
        return Some(fact.clone());
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = plain(fact.as_str()?);
    choices.iter().find(|choice| choice.as_str().is_some_and(|text| plain(text) == wanted)).cloned()
}

fn as_integer(fact: &Value) -> Option<i64> {
    match fact {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|n| n.round() as i64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn as_number(fact: &Value) -> Option<Value> {
    match fact {
        Value::Number(_) => Some(fact.clone()),
        Value::String(text) => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        _ => None,
    }
}

fn within(number: Value, min: Option<f64>, max: Option<f64>) -> Value {
    match number.as_f64() {
        Some(n) if min.is_some_and(|min| n < min) => json!(whole_if_whole(min.unwrap_or(n))),
        Some(n) if max.is_some_and(|max| n > max) => json!(whole_if_whole(max.unwrap_or(n))),
        _ => number,
    }
}

/// A text of a length within bounds, cut or padded.
fn as_long(text: String, min: usize, max: usize) -> String {
    let length = text.chars().count();
    if length > max {
        return text.chars().take(max).collect();
    }
    text.chars().chain(std::iter::repeat_n('_', min.saturating_sub(length))).collect()
}

fn as_text(fact: &Value) -> Option<String> {
    match fact {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn whole_if_whole(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}
