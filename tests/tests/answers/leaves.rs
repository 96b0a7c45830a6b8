//! The leaves of an answer, each with two values that it may have.

use cintx_tests::document::Document;
use cintx_tests::instances::{enums_at, pointers};
use serde_json::{Value, json};

/// A value in an answer that is neither object nor list.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// Its place, with `*` for the number in a list: the same in every instance.
    pub(crate) name: String,
    /// The keys of everything around it: where they are the same, a branch of a union is.
    pub(crate) shape: String,
    place: String,
    other: Value,
    /// Whether it says one of two things.
    is_switch: bool,
}

impl Leaf {
    /// The answer with another value of this leaf.
    pub(crate) fn changed(&self, whole: &Value) -> Value {
        let mut changed = whole.clone();
        if let Some(value) = changed.pointer_mut(&self.place) {
            *value = self.other.clone();
        }
        changed
    }

    /// The answer with that other value as some answers write it: a moment with a space, and without an offset.
    pub(crate) fn loosely(&self, whole: &Value) -> Option<(Value, String)> {
        let loose = self.other.as_str()?.strip_suffix(".000Z")?.replacen('T', " ", 1);
        let mut changed = whole.clone();
        *changed.pointer_mut(&self.place)? = json!(loose);
        Some((changed, loose))
    }

    /// The answer without this leaf. A switch that is left out may stand as one of its two values does.
    pub(crate) fn absent(&self, whole: &Value) -> Option<Value> {
        let (parent, key) = self.place.rsplit_once('/')?;
        if self.is_switch {
            return None;
        }
        let mut without = whole.clone();
        match without.pointer_mut(parent) {
            Some(Value::Object(object)) => drop(object.remove(&key.replace("~1", "/").replace("~0", "~"))),
            Some(Value::Array(list)) => drop(list.pop()),
            _ => {}
        }
        Some(without)
    }
}

/// The leaves that have two values.
pub(crate) fn of(document: &Document, schema: &Value, whole: &Value) -> Vec<Leaf> {
    let mut places = Vec::new();
    pointers(whole, &mut String::new(), &mut places);
    let leaf = |place: String| {
        let (one, other) = values(document, schema, whole, &place)?;
        if one == other {
            return None;
        }
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = place.split('/').map(|part| if is_number(part) { "*" } else { part }).collect();
        let ends = place.match_indices('/').map(|(at, _)| &place[..at]);
        let tag = |name: &str, value: &Value| match name {
            "object" | "type" | "allow_all_values" | "allow_all_zip" => format!("{name}={value}"),
            _ => name.to_owned(),
        };
        let keys = ends
            .filter_map(|end| whole.pointer(end)?.as_object())
            .map(|object| object.iter().map(|(name, value)| tag(name, value)).collect::<Vec<_>>().join(","));
        let status = whole.get("status").map(Value::to_string).unwrap_or_default();
        let shape = status + &keys.collect::<Vec<_>>().join(";");
        let is_switch = other.is_boolean() || enums_at(document, schema, &place).iter().any(|it| it.len() == 2);
        Some(Leaf { name: parts.join("/"), shape, place, other, is_switch })
    };
    places.into_iter().filter_map(leaf).collect()
}

/// The answer with values that mean something: a currency where one is named, an amount where one is due.
pub(crate) fn sensible(document: &Document, schema: &Value, mut whole: Value) -> Value {
    let mut places = Vec::new();
    pointers(&whole, &mut String::new(), &mut places);
    for place in places {
        if let Some((one, _)) = values(document, schema, &whole, &place)
            && let Some(value) = whole.pointer_mut(&place)
        {
            *value = one;
        }
    }
    refer(&mut whole);
    whole
}

/// Lets the quotas of a profile name its condition, whatever form the id of that has.
fn refer(value: &mut Value) {
    let id = value.pointer("/conditions/data/0/id").filter(|id| id.is_string()).cloned();
    if let (Some(id), Some(quotas)) = (id, value.get_mut("quotas")) {
        for place in ["/ungrouped/0/condition", "/ungrouped/0/conditions/0", "/grouped/0/conditions/0"] {
            if let Some(reference) = quotas.pointer_mut(place).filter(|reference| reference.is_string()) {
                *reference = id.clone();
            }
        }
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(refer),
        Value::Array(items) => items.iter_mut().for_each(refer),
        _ => {}
    }
}

/// Two values of a leaf. `None` for what is none, and for a tag, which has one.
fn values(document: &Document, schema: &Value, whole: &Value, place: &str) -> Option<(Value, Value)> {
    let value = whole.pointer(place)?;
    match value {
        Value::Bool(value) => Some((json!(value), json!(!value))),
        // The place of another value in this answer, whose lists have one item.
        Value::Number(_) if is_index(place) => Some((json!(0), json!(0))),
        // So many that a percent of it is more than one.
        Value::Number(_) if ["/filling_goal", "/completes_goal"].contains(&place) => Some((json!(500), json!(600))),
        Value::Number(number) if number.is_i64() => {
            // What is left out may count as none.
            let number = number.as_i64().filter(|number| ![0, 7].contains(number));
            // Unlike those beside it.
            let own = place.bytes().map(i64::from).sum::<i64>() % 23 + 7;
            let number = number.unwrap_or(own);
            Some((json!(number), json!(number + 1)))
        }
        // Ages are whole, whatever the document says.
        Value::Number(_) if place.ends_with("/min") => Some((json!(18), json!(19))),
        Value::Number(_) if place.ends_with("/max") => Some((json!(34), json!(35))),
        Value::Number(_) => Some((json!(0.25), json!(0.5))),
        Value::String(text) => {
            let enums = enums_at(document, schema, place);
            if enums.iter().any(|values| values.len() < 2) {
                return None;
            }
            if let Some(values) = enums.first() {
                let other = values.iter().find(|other| *other != value)?;
                return Some((value.clone(), other.clone()));
            }
            let (one, other) = texts(place, text);
            Some((json!(one), json!(other)))
        }
        _ => None,
    }
}

/// Whether a place holds the number of an item in a list.
fn is_index(place: &str) -> bool {
    place.split('/').rev().take(2).any(|name| ["index", "indexes"].contains(&name))
}

/// Two texts for a place. By its name, where the document says no more than that it is a text.
fn texts(place: &str, text: &str) -> (String, String) {
    let mut names = place.rsplit('/').filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    let name = names.next().unwrap_or_default();
    let is_end = name.starts_with("end");
    let parent = names.next().unwrap_or_default();
    let is_person = |name: &str| ["project_manager", "requestor", "users"].contains(&name);
    let is_amount = |name: &str| ["value", "amount", "cpi", "price"].contains(&name);
    let is_user = |name: &str| ["user_id", "las_id", "manager_id"].iter().any(|it| name.ends_with(it));
    let (one, other) = match text {
        _ if is_user(name) || name == "id" && is_person(parent) => {
            ("7d6d3f8a-9f2e-4b7c-8f6d-1f2e3d4c5b6a", "8e7e4a9b-9f2e-4b7c-8f6d-1f2e3d4c5b6a")
        }
        // A quota names its conditions by their ids.
        _ if ["condition", "conditions"].contains(&name) && text.len() < 26 => ("7", "8"),
        // An order as text.
        _ if name == "create_params" => (r#"{"filter_ids":[7]}"#, r#"{"filter_ids":[8]}"#),
        _ if name == "status" => ("completed", "failed"),
        // What begins ends later.
        "2026-01-15T08:30:00.000Z" if is_end => ("2026-03-17T08:30:00.000Z", "2026-04-18T09:45:00.000Z"),
        "2026-01-15" if is_end => ("2026-03-17", "2026-04-18"),
        "2026-01-15T08:30:00.000Z" => (text, "2026-02-16T09:45:00.000Z"),
        "2026-01-15" => (text, "2026-02-16"),
        "7d6d3f8a-9f2e-4b7c-8f6d-1f2e3d4c5b6a" => (text, "8e7e4a9b-9f2e-4b7c-8f6d-1f2e3d4c5b6a"),
        "01BX5ZZKBKACTAV9WEVGEMMVS0" => (text, "01BX5ZZKBKACTAV9WEVGEMMVS1"),
        "P1D" => (text, "P2D"),
        text if text.starts_with("https://") => (text, "https://survey.example/other"),
        _ if parent == "country" && name == "code" => ("US", "DE"),
        _ if parent == "languages" && name == "code" => ("eng", "ger"),
        _ if parent == "countries" && name == "code" => ("us", "de"),
        _ if name.ends_with("completes") || name.ends_with("_count") => ("31", "47"),
        _ if name.contains("currency") || name == "code" && parent != "reason" => ("USD", "EUR"),
        _ if name.ends_with("country_code") || name == "country" => ("US", "DE"),
        _ if name.ends_with("language_code") || name == "language" => ("eng", "ger"),
        _ if name == "locale" || name == "locales" || name.ends_with("_locale") => ("eng_us", "ger_de"),
        _ if name.ends_with("_at") || name.ends_with("timestamp") => {
            ("2026-01-15T08:30:00.000Z", "2026-02-16T09:45:00.000Z")
        }
        _ if name == "date" || name.ends_with("_date") => ("2026-01-15", "2026-02-16"),
        _ if is_amount(name) || is_amount(parent) => ("2.75", "3.25"),
        _ if name == "id" || name.ends_with("_id") || name.ends_with("_ids") => ("7", "8"),
        // Unlike those beside it, which may stand in for it.
        _ => return (format!("some {name}"), format!("another {name}")),
    };
    (one.to_owned(), other.to_owned())
}
