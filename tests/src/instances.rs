//! Instances made from a schema: full ones, one for each branch of each union, sparse ones, and mutants of them.
//! Made from the imported document itself, so the generator's own reading of it is put to the test.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use crate::document::Document;

/// What an instance leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    Full,
    RequiredOnly,
    AllNull,
}

/// One instance and how it was made, for messages.
#[derive(Clone, Debug)]
pub struct Instance {
    /// How it was made.
    pub name: String,
    /// The instance.
    pub value: Value,
}

/// Full, each union branch, required only, all null.
pub fn instances(document: &Document, schema: &Value) -> Vec<Instance> {
    let mut made = Vec::new();
    // A choice opens the unions below it; choices side by side are made one at a time.
    let mut open: VecDeque<(BTreeMap<String, usize>, String)> = VecDeque::from([(BTreeMap::new(), String::new())]);
    while let Some((choices, last)) = open.pop_front() {
        let mut maker = Maker::new(document, Fill::Full, &choices);
        let value = maker.make(schema, &mut String::new(), 0);
        for (pointer, branches) in maker.unions {
            if !choices.contains_key(&pointer) && pointer.starts_with(&last) {
                for branch in 1..branches {
                    let mut next = choices.clone();
                    next.insert(pointer.clone(), branch);
                    open.push_back((next, format!("{pointer}|{branch}")));
                }
            }
        }
        let name = if choices.is_empty() { "full".to_owned() } else { format!("branches {choices:?}") };
        made.push(Instance { name, value });
    }
    for (name, fill) in [("required only", Fill::RequiredOnly), ("all null", Fill::AllNull)] {
        let choices = BTreeMap::new();
        let value = Maker::new(document, fill, &choices).make(schema, &mut String::new(), 0);
        made.push(Instance { name: name.to_owned(), value });
    }
    made
}

struct Maker<'a> {
    document: &'a Document,
    fill: Fill,
    choices: &'a BTreeMap<String, usize>,
    /// Every union met, by its place in the instance, with its number of branches.
    unions: BTreeMap<String, usize>,
    /// What the other members of the allOf around this schema require.
    required: Vec<String>,
}

fn required(schema: &Value) -> impl Iterator<Item = String> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

impl<'a> Maker<'a> {
    fn new(document: &'a Document, fill: Fill, choices: &'a BTreeMap<String, usize>) -> Self {
        Self { document, fill, choices, unions: BTreeMap::new(), required: Vec::new() }
    }

    fn make(&mut self, schema: &Value, at: &mut String, depth: usize) -> Value {
        let schema = self.document.follow(schema);
        if let Some(branches) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
            self.unions.insert(at.clone(), branches.len());
            let chosen = self.choices.get(at.as_str()).copied().unwrap_or_default().min(branches.len() - 1);
            // A union inside a union has a place of its own.
            let length = at.len();
            at.push_str(&format!("|{chosen}"));
            let mut value = self.make(&branches[chosen], at, depth + 1);
            at.truncate(length);
            // Properties beside a union belong to every branch.
            if let (true, Value::Object(branch)) = (schema.get("properties").is_some(), &mut value) {
                let mut whole = self.object(schema, at, depth);
                whole.append(branch);
                return Value::Object(whole);
            }
            return value;
        }
        if let Some(members) = schema.get("allOf").and_then(Value::as_array) {
            let mut merged = Map::new();
            let mut last = Value::Null;
            // What one member requires may be another's property.
            let outer = self.required.len();
            self.required.extend(members.iter().flat_map(|member| required(self.document.follow(member))));
            for (index, member) in members.iter().enumerate() {
                let plain = self.document.follow(member);
                if ["type", "properties", "allOf", "oneOf", "anyOf", "enum"].iter().all(|key| plain.get(key).is_none())
                {
                    continue;
                }
                let length = at.len();
                at.push_str(&format!("&{index}"));
                match self.make(member, at, depth + 1) {
                    Value::Object(object) => merged.extend(object),
                    Value::Null => {}
                    other => last = other,
                }
                at.truncate(length);
            }
            let own = schema.get("properties").is_some().then(|| self.object(schema, at, depth));
            self.required.truncate(outer);
            merged.extend(own.unwrap_or_default());
            return if merged.is_empty() && !last.is_null() { last } else { Value::Object(merged) };
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.first().cloned().unwrap_or_default();
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => Value::Object(self.object(schema, at, depth)),
            Some("array") => {
                let length = at.len();
                at.push_str("/0");
                let item = self.make(schema.get("items").unwrap_or(&Value::Null), at, depth + 1);
                at.truncate(length);
                json!([item])
            }
            Some("integer") => schema.get("minimum").cloned().filter(Value::is_i64).unwrap_or(json!(7)),
            Some("number") => json!(0.25),
            Some("boolean") => json!(true),
            Some("string") => json!(text(schema)),
            _ if schema.get("properties").is_some() => Value::Object(self.object(schema, at, depth)),
            _ => json!({ "free": [1, "form"] }),
        }
    }

    fn object(&mut self, schema: &Value, at: &mut String, depth: usize) -> Map<String, Value> {
        let outer: BTreeSet<String> = std::mem::take(&mut self.required).into_iter().collect();
        let mut required: BTreeSet<String> = required(schema).collect();
        required.extend(outer.iter().cloned());
        let mut object = Map::new();
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if self.fill == Fill::RequiredOnly && !required.contains(name) {
                continue;
            }
            if self.fill == Fill::AllNull && is_nullable(self.document, property) {
                object.insert(name.clone(), Value::Null);
                continue;
            }
            let length = at.len();
            at.push('/');
            at.push_str(name);
            let value = self.make(property, at, depth + 1);
            at.truncate(length);
            object.insert(name.clone(), value);
        }
        self.required = outer.into_iter().collect();
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            let length = at.len();
            at.push_str("/*");
            object.insert("any_key".to_owned(), self.make(values, at, depth + 1));
            at.truncate(length);
        }
        object
    }
}

/// Whether a schema allows null, wherever it says so.
pub fn is_nullable(document: &Document, schema: &Value) -> bool {
    let says = |schema: &Value| schema.get("nullable") == Some(&json!(true));
    says(schema) || says(document.follow(schema))
}

fn text(schema: &Value) -> String {
    let format = schema.get("format").and_then(Value::as_str).map(str::to_ascii_lowercase);
    let text = match format.as_deref() {
        Some("date-time") => "2026-01-15T08:30:00.000Z",
        Some("date") => "2026-01-15",
        Some("uuid") => "7d6d3f8a-9f2e-4b7c-8f6d-1f2e3d4c5b6a",
        Some("ulid") => "01BX5ZZKBKACTAV9WEVGEMMVS0",
        Some("uri" | "url") => "https://survey.example/?RID=[%RID%]",
        Some("duration") => "P1D",
        _ => match schema.get("pattern").and_then(Value::as_str) {
            Some(pattern) if pattern.contains("{26}") => "01BX5ZZKBKACTAV9WEVGEMMVS0",
            Some(pattern) if pattern.starts_with("^https") => "https://survey.example/?RID=[%RID%]",
            _ => "some text",
        },
    };
    text.to_owned()
}

/// Variations of a request that a caller may mean: each list empty, each value of an enum one of tomorrow's.
pub fn variations(document: &Document, schema: &Value, full: &Value) -> Vec<Instance> {
    let mut variations = Vec::new();
    let mut places = Vec::new();
    pointers(full, &mut String::new(), &mut places);
    for place in &places {
        let (what, new) = match full.pointer(place) {
            Some(Value::Array(_)) => ("empty list", json!([])),
            Some(Value::String(_)) if is_enum_at(document, schema, place) => ("unknown value", json!(TOMORROW)),
            _ => continue,
        };
        let mut value = full.clone();
        if let Some(old) = value.pointer_mut(place) {
            *old = new;
        }
        variations.push(Instance { name: format!("{what} at {place}"), value });
    }
    variations
}

/// The same body with every documented value of every enum, one at a time.
/// A list of one value is a tag: another value would be another branch.
pub fn documented_values(document: &Document, schema: &Value, full: &Value) -> Vec<Instance> {
    let mut made = Vec::new();
    let mut places = Vec::new();
    pointers(full, &mut String::new(), &mut places);
    for place in places.iter().filter(|place| full.pointer(place).is_some_and(Value::is_string)) {
        let enums = enums_at(document, schema, place);
        if enums.iter().any(|values| values.len() < 2) {
            continue;
        }
        for new in enums.iter().flatten().filter(|value| value.is_string()) {
            let mut value = full.clone();
            if let Some(old) = value.pointer_mut(place) {
                *old = new.clone();
            }
            made.push(Instance { name: format!("{new} at {place}"), value });
        }
    }
    made
}

/// A value of an enum that nobody has seen yet.
const TOMORROW: &str = "value_of_tomorrow";

/// Variations of an answer that Cint may send tomorrow; each must decode.
pub fn mutants(document: &Document, schema: &Value, full: &Value) -> Vec<Instance> {
    let mut mutants = Vec::new();
    let mut places = Vec::new();
    pointers(full, &mut String::new(), &mut places);
    let mut push = |name: String, edit: &dyn Fn(&mut Value)| {
        let mut value = full.clone();
        edit(&mut value);
        mutants.push(Instance { name, value });
    };
    for place in &places {
        let Some(value) = full.pointer(place) else { continue };
        if value.is_array() {
            push(format!("empty list at {place}"), &|root| {
                if let Some(value) = root.pointer_mut(place) {
                    *value = json!([]);
                }
            });
        }
        match value {
            Value::Object(_) => {
                push(format!("extra field in {place}"), &|root| {
                    if let Some(Value::Object(object)) = root.pointer_mut(place) {
                        object.insert("x_field_of_tomorrow".to_owned(), json!({ "a": [1] }));
                    }
                });
            }
            // A value of an enum or a tag: one that nobody has seen yet.
            Value::String(_) if is_enum_at(document, schema, place) => {
                push(format!("unknown value at {place}"), &|root| {
                    if let Some(value) = root.pointer_mut(place) {
                        *value = json!(TOMORROW);
                    }
                });
            }
            Value::String(_) if is_id(place) => push(format!("number for text at {place}"), &|root| {
                if let Some(value) = root.pointer_mut(place) {
                    *value = json!(4711);
                }
            }),
            Value::Number(_) if is_id(place) => push(format!("text for number at {place}"), &|root| {
                if let Some(value) = root.pointer_mut(place) {
                    *value = json!("4711");
                }
            }),
            _ => {}
        }
        let Some((parent, key)) = place.rsplit_once('/') else { continue };
        if matches!(full.pointer(parent), Some(Value::Object(_))) {
            let key = key.replace("~1", "/").replace("~0", "~");
            push(format!("null at {place}"), &|root| {
                if let Some(value) = root.pointer_mut(place) {
                    *value = Value::Null;
                }
            });
            push(format!("absent {place}"), &|root| {
                if let Some(Value::Object(object)) = root.pointer_mut(parent) {
                    object.remove(&key);
                }
            });
        }
    }
    mutants
}

/// Every place in a value, its own first, as JSON pointers below `at`.
pub fn pointers(value: &Value, at: &mut String, found: &mut Vec<String>) {
    found.push(at.clone());
    let length = at.len();
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                at.push('/');
                at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                pointers(value, at, found);
                at.truncate(length);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                pointers(value, at, found);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// Whether the last name in a place is that of an id: `id`, `..._id`, or an item of `..._ids`.
fn is_id(place: &str) -> bool {
    let mut names = place.rsplit('/');
    let last = names.next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return names.next().is_some_and(|name| name == "ids" || name.ends_with("_ids"));
    }
    last == "id" || last.ends_with("_id") || last.ends_with("-id")
}

/// Whether some schema at this place lists values.
fn is_enum_at(document: &Document, schema: &Value, place: &str) -> bool {
    !enums_at(document, schema, place).is_empty()
}

/// The lists of values that schemas at this place have.
pub fn enums_at<'a>(document: &'a Document, schema: &'a Value, place: &str) -> Vec<Vec<Value>> {
    let expand = |mut open: Vec<&'a Value>| -> Vec<&'a Value> {
        let mut done = Vec::new();
        while let Some(schema) = open.pop() {
            let schema = document.follow(schema);
            for key in ["oneOf", "anyOf", "allOf"] {
                open.extend(schema.get(key).and_then(Value::as_array).into_iter().flatten());
            }
            done.push(schema);
        }
        done
    };
    let mut current = expand(vec![schema]);
    for token in place.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let next = current.iter().filter_map(|schema| {
            let property = schema.get("properties").and_then(|properties| properties.get(&token));
            let item = token.parse::<usize>().ok().and_then(|_| schema.get("items"));
            let value = schema.get("additionalProperties").filter(|values| values.is_object());
            property.or(item).or(value)
        });
        current = expand(next.collect());
    }
    current.iter().filter_map(|schema| schema.get("enum")?.as_array().cloned()).collect()
}

/// What of `before` is not in `after`: places whose value is gone or another one.
/// `null_counts` says whether an explicit null is something that can go missing.
pub fn missing(before: &Value, after: &Value, null_counts: bool) -> Vec<String> {
    let mut gone = Vec::new();
    compare(before, Some(after), null_counts, &mut String::new(), &mut gone);
    gone
}

fn compare(before: &Value, after: Option<&Value>, null_counts: bool, at: &mut String, gone: &mut Vec<String>) {
    let length = at.len();
    match (before, after) {
        (Value::Null, None) if !null_counts => {}
        (Value::Object(before), Some(Value::Object(after))) => {
            for (key, value) in before {
                if key == "x_field_of_tomorrow" {
                    continue;
                }
                at.push('/');
                at.push_str(key);
                compare(value, after.get(key), null_counts, at, gone);
                at.truncate(length);
            }
        }
        (Value::Array(before), Some(Value::Array(after))) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                at.push_str(&format!("/{index}"));
                compare(before, Some(after), null_counts, at, gone);
                at.truncate(length);
            }
        }
        (Value::Number(before), Some(Value::Number(after))) if before.as_f64() == after.as_f64() => {}
        (before, Some(after)) if before == after => {}
        (before, after) => {
            gone.push(format!("{at}: {before} became {}", after.map_or("nothing".to_owned(), Value::to_string)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a body could lose is noticed: each value taken out or made another, one at a time.
    #[test]
    fn every_loss_is_noticed() {
        for date in cintx_openapi::documents().iter().map(|document| document.date) {
            let document = Document::of(date);
            let mut losses = 0;
            for operation in document.operations() {
                for (_, answer) in document.answers(&operation) {
                    let Some(schema) = crate::document::json_schema(answer) else { continue };
                    let whole = instances(&document, schema).swap_remove(0).value;
                    assert_eq!(missing(&whole, &whole, true), Vec::<String>::new());
                    let mut places = Vec::new();
                    pointers(&whole, &mut String::new(), &mut places);
                    for place in places.iter().filter(|place| !place.is_empty()) {
                        let (parent, key) = place.rsplit_once('/').unwrap();
                        let mut without = whole.clone();
                        match without.pointer_mut(parent) {
                            Some(Value::Object(object)) => {
                                object.remove(&key.replace("~1", "/").replace("~0", "~"));
                            }
                            Some(Value::Array(list)) => {
                                list.pop();
                            }
                            _ => unreachable!("a place is in something"),
                        }
                        let mut other = whole.clone();
                        *other.pointer_mut(place).unwrap() = json!("another");
                        for changed in [without, other] {
                            assert!(!missing(&whole, &changed, false).is_empty(), "{}: {place}", operation.id);
                            losses += 1;
                        }
                    }
                }
            }
            assert!(losses > 1000, "{date}: {losses}");
        }
    }

    #[test]
    fn null_may_become_absent_only_where_it_says_nothing() {
        let (before, after) = (json!({"a": null, "b": [null]}), json!({"b": [null]}));
        assert_eq!(missing(&before, &after, false), Vec::<String>::new());
        assert_eq!(missing(&before, &after, true), ["/a: null became nothing"]);
        assert_eq!(missing(&json!(1), &json!("1"), false), [": 1 became \"1\""], "a number stays a number");
    }
}
