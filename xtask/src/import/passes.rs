//! The passes of import, each a general rule about one kind of object.
//! They run in the order of `PASSES`; each reports how many nodes it changed.

use std::collections::BTreeMap;

use heck::ToUpperCamelCase as _;
use serde_json::{Value, json};

use crate::document::tree::{Kind, Object, inspect, resolve, walk};
use crate::report::Report;

/// A rule: changes an object of any kind, answers how many changes it made.
type Rule = fn(Kind, &str, &mut Object) -> usize;

/// Name, rule, and what it does, in our words.
const PASSES: [(&str, Rule, &str); 11] = [
    ("strip-prose", strip_prose, "descriptions, summaries, examples, titles and links to docs dropped"),
    ("prose-in-values", prose_in_values, "sentences that stand as a default or as a format dropped"),
    ("plain-responses", plain_responses, "response descriptions replaced by the status' standard phrase"),
    ("reference-siblings", reference_siblings, "keys beside a $ref dropped, as OpenAPI ignores them"),
    ("required-is-a-list", required_is_a_list, "`required` of a schema that is not a list of names dropped"),
    ("whole-numbers", whole_numbers, "`number` with a whole-number format made `integer`"),
    ("keywords-of-another-type", keywords_of_another_type, "limits that do not apply to the schema's type dropped"),
    ("nullable-members", nullable_members, "`nullable` alone in an allOf member moved to the schema that holds it"),
    ("single-all-of", single_all_of, "allOf of one reference written as the reference"),
    ("bodiless-statuses", bodiless_statuses, "content of 204 and 205 answers dropped"),
    ("empty-bodies", empty_bodies, "request bodies without any media type dropped"),
];

pub(super) fn run(document: &mut Value, report: &mut Report) {
    for (name, rule, what) in PASSES {
        let mut changed = 0;
        walk(document, &mut |kind, pointer, object| changed += rule(kind, pointer, object));
        report.line(name, changed, what);
    }
}

/// Takes the date out of `info.version` and puts our own `info` in its place.
pub(super) fn date(document: &mut Value) -> Option<String> {
    let version = document.pointer("/info/version").and_then(Value::as_str).and_then(bare_date);
    document["info"] = super::info(version.as_deref().unwrap_or_default());
    version
}

/// `YYYY-MM-DD` from a date or a date-time; a day that the calendar does not have is no date.
pub(crate) fn bare_date(text: &str) -> Option<String> {
    let date = text.get(..10)?;
    let digits = |range: std::ops::Range<usize>| date[range].bytes().all(|byte| byte.is_ascii_digit());
    let dashes = date.is_ascii() && date.as_bytes()[4] == b'-' && date.as_bytes()[7] == b'-';
    let ends = text.len() == 10 || text.as_bytes()[10] == b'T';
    if !(dashes && ends && digits(0..4) && digits(5..7) && digits(8..10)) {
        return None;
    }
    let number = |range| date.get(range).and_then(|text: &str| text.parse::<u32>().ok());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day).then(|| date.to_owned())
}

/// Makes components of everything else that a reference leads to: a property of a schema, an answer of an operation.
pub(super) fn deep_references(document: &mut Value, report: &mut Report) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let mut found: Vec<(Kind, String)> = Vec::new();
        inspect(document, &mut |kind, _, object| {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str)
                && reference.split('/').count() > 4
                && !names.contains_key(reference)
                && resolve(document, reference).is_some_and(Value::is_object)
            {
                found.push((kind, reference.to_owned()));
            }
        });
        found.sort_by(|a, b| a.1.cmp(&b.1));
        found.dedup();
        if found.is_empty() {
            break;
        }
        for (kind, reference) in found {
            let (Some(folder), Some(target)) = (kind.folder(), resolve(document, &reference).cloned()) else {
                continue;
            };
            let words: Vec<&str> = reference.split('/').skip(2).filter(|word| kind.folder() != Some(*word)).collect();
            let mut name = words.join("-").to_upper_camel_case();
            let Some(components) = document.as_object_mut().and_then(|document| {
                let components = document.entry("components").or_insert_with(|| json!({}));
                components.as_object_mut()?.entry(folder).or_insert_with(|| json!({})).as_object_mut()
            }) else {
                continue;
            };
            while components.contains_key(&name) {
                name.push_str("Part");
            }
            components.insert(name.clone(), target);
            names.insert(reference, format!("#/components/{folder}/{name}"));
        }
    }
    let mut changed = 0;
    walk(document, &mut |_, _, object| {
        if let Some(new) = object.get("$ref").and_then(Value::as_str).and_then(|reference| names.get(reference)) {
            object.insert("$ref".to_owned(), Value::from(new.as_str()));
            changed += 1;
        }
    });
    report.line("deep-references", changed, "what a reference into another schema leads to made a component");
}

/// More words than a value has: it is a sentence about the value.
fn prose_in_values(kind: Kind, _: &str, object: &mut Object) -> usize {
    const MAX_WORDS: [(&str, usize); 2] = [("default", 3), ("format", 1)];
    if kind != Kind::Schema || object.contains_key("$ref") {
        return 0;
    }
    let is_prose = |(key, words): &(&str, usize)| {
        let listed = object
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| values.iter().any(|value| Some(value) == object.get(*key)));
        !listed && object.get(*key).and_then(Value::as_str).is_some_and(|text| text.split_whitespace().count() > *words)
    };
    let prose: Vec<&str> = MAX_WORDS.iter().filter(|key| is_prose(key)).map(|(key, _)| *key).collect();
    for key in &prose {
        object.remove(*key);
    }
    prose.len()
}

fn strip_prose(kind: Kind, _: &str, object: &mut Object) -> usize {
    let before = object.len();
    object.retain(|key, _| !super::prose_keys(kind).contains(&key.as_str()) && !key.starts_with("x-"));
    let mut stripped = before - object.len();
    for (key, value) in object.iter_mut() {
        match value {
            Value::Object(map) if kind.extends(key) => {
                let before = map.len();
                map.retain(|name, _| !name.starts_with("x-"));
                stripped += before - map.len();
            }
            // The names of scopes are facts, what stands beside them is prose.
            Value::Object(scopes) if kind == Kind::OAuthFlow && key == "scopes" => {
                for text in scopes.values_mut().filter(|text| **text != json!("")) {
                    *text = json!("");
                    stripped += 1;
                }
            }
            _ => {}
        }
    }
    stripped
}

fn plain_responses(kind: Kind, pointer: &str, object: &mut Object) -> usize {
    if kind != Kind::Response || object.contains_key("$ref") {
        return 0;
    }
    let name = pointer.rsplit('/').next().unwrap_or_default();
    let phrase = name
        .parse()
        .ok()
        .and_then(|status| http::StatusCode::from_u16(status).ok())
        .and_then(|status| status.canonical_reason());
    object.insert("description".to_owned(), Value::from(phrase.unwrap_or(name)));
    1
}

fn reference_siblings(_: Kind, _: &str, object: &mut Object) -> usize {
    if !object.get("$ref").is_some_and(Value::is_string) {
        return 0;
    }
    let before = object.len();
    object.retain(|key, _| key == "$ref");
    before - object.len()
}

fn required_is_a_list(kind: Kind, _: &str, object: &mut Object) -> usize {
    let wrong = kind == Kind::Schema && object.get("required").is_some_and(|required| !required.is_array());
    usize::from(wrong && object.remove("required").is_some())
}

fn whole_numbers(kind: Kind, _: &str, object: &mut Object) -> usize {
    let format = object.get("format").and_then(Value::as_str).unwrap_or_default();
    let wrong = kind == Kind::Schema
        && object.get("type").and_then(Value::as_str) == Some("number")
        && matches!(format, "int" | "int32" | "int64");
    if wrong {
        object.insert("type".to_owned(), json!("integer"));
        if object.get("format") == Some(&json!("int")) {
            object.remove("format");
        }
    }
    usize::from(wrong)
}

fn keywords_of_another_type(kind: Kind, _: &str, object: &mut Object) -> usize {
    const NUMBER: &[&str] = &["multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"];
    const STRING: &[&str] = &["maxLength", "minLength", "pattern"];
    const ARRAY: &[&str] = &["maxItems", "minItems", "uniqueItems", "items"];
    const OBJECT: &[&str] = &["maxProperties", "minProperties", "required", "properties", "additionalProperties"];
    let own = match (kind, object.get("type").and_then(Value::as_str)) {
        (Kind::Schema, Some("string")) => STRING,
        (Kind::Schema, Some("number" | "integer")) => NUMBER,
        (Kind::Schema, Some("boolean")) => &[],
        (Kind::Schema, Some("array")) => ARRAY,
        (Kind::Schema, Some("object")) => OBJECT,
        _ => return 0,
    };
    let foreign =
        |key: &str| [NUMBER, STRING, ARRAY, OBJECT].iter().any(|set| set.contains(&key)) && !own.contains(&key);
    let before = object.len();
    object.retain(|key, _| !foreign(key));
    before - object.len()
}

fn nullable_members(kind: Kind, _: &str, object: &mut Object) -> usize {
    if kind != Kind::Schema {
        return 0;
    }
    let Some(Value::Array(members)) = object.get_mut("allOf") else { return 0 };
    let before = members.len();
    members.retain(|member| member != &json!({ "nullable": true }));
    let moved = before - members.len();
    let empty = members.iter().filter(|member| *member == &json!({})).count();
    members.retain(|member| member != &json!({}));
    if moved > 0 {
        object.insert("nullable".to_owned(), json!(true));
    }
    moved + empty
}

fn single_all_of(kind: Kind, _: &str, object: &mut Object) -> usize {
    if kind != Kind::Schema || object.len() != 1 {
        return 0;
    }
    let only = match object.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::Object(only)]) if only.contains_key("$ref") => only.clone(),
        _ => return 0,
    };
    *object = only;
    1
}

fn bodiless_statuses(kind: Kind, pointer: &str, object: &mut Object) -> usize {
    let bodiless = matches!(pointer.rsplit('/').next(), Some("204" | "205"));
    usize::from(kind == Kind::Response && bodiless && object.remove("content").is_some())
}

fn empty_bodies(kind: Kind, _: &str, object: &mut Object) -> usize {
    let empty = kind == Kind::Operation
        && object.get("requestBody").and_then(|body| body.get("content")).is_some_and(|content| content == &json!({}));
    usize::from(empty && object.remove("requestBody").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(rule: Rule, kind: Kind, pointer: &str, value: Value) -> (Value, usize) {
        let Value::Object(mut object) = value else { panic!("an object") };
        let changed = rule(kind, pointer, &mut object);
        (Value::Object(object), changed)
    }

    #[test]
    fn strip_prose_keeps_facts() {
        let schema =
            json!({"type": "string", "title": "T", "description": "d", "example": 1, "default": "a", "pattern": "^a$"});
        let (schema, changed) = apply(strip_prose, Kind::Schema, "", schema);
        assert_eq!((schema, changed), (json!({"type": "string", "default": "a", "pattern": "^a$"}), 3));
        let (info, _) =
            apply(strip_prose, Kind::Operation, "", json!({"summary": "s", "operationId": "o", "x-internal": 1}));
        assert_eq!(info, json!({"operationId": "o"}));
    }

    #[test]
    fn strip_prose_reaches_extensions_of_maps_and_the_text_of_scopes() {
        let paths = json!({"paths": {"x-note": "prose", "/a": {}}});
        assert_eq!(apply(strip_prose, Kind::Document, "", paths), (json!({"paths": {"/a": {}}}), 1));
        let responses = json!({"responses": {"x-note": "prose", "200": {}}});
        assert_eq!(apply(strip_prose, Kind::Operation, "", responses), (json!({"responses": {"200": {}}}), 1));
        let flow = json!({"tokenUrl": "https://a.example", "scopes": {"read": "prose"}});
        let bare = json!({"tokenUrl": "https://a.example", "scopes": {"read": ""}});
        assert_eq!(apply(strip_prose, Kind::OAuthFlow, "", flow), (bare, 1));
    }

    #[test]
    fn plain_responses_say_the_standard_phrase() {
        let (response, _) =
            apply(plain_responses, Kind::Response, "/paths/~1a/get/responses/404", json!({"description": "x"}));
        assert_eq!(response, json!({"description": "Not Found"}));
        let (named, _) = apply(plain_responses, Kind::Response, "/components/responses/Error", json!({}));
        assert_eq!(named, json!({"description": "Error"}));
    }

    #[test]
    fn reference_siblings_go() {
        let (reference, changed) =
            apply(reference_siblings, Kind::Schema, "", json!({"$ref": "#/a", "nullable": true}));
        assert_eq!((reference, changed), (json!({"$ref": "#/a"}), 1));
    }

    #[test]
    fn a_boolean_required_goes_and_a_list_stays() {
        assert_eq!(apply(required_is_a_list, Kind::Schema, "", json!({"required": true})), (json!({}), 1));
        assert_eq!(apply(required_is_a_list, Kind::Schema, "", json!({"required": ["a"]})).1, 0);
        assert_eq!(apply(required_is_a_list, Kind::Parameter, "", json!({"required": true})).1, 0);
    }

    #[test]
    fn numbers_with_whole_number_formats_are_integers() {
        let (schema, _) = apply(whole_numbers, Kind::Schema, "", json!({"type": "number", "format": "int32"}));
        assert_eq!(schema, json!({"type": "integer", "format": "int32"}));
        assert_eq!(apply(whole_numbers, Kind::Schema, "", json!({"type": "number", "format": "float"})).1, 0);
    }

    #[test]
    fn limits_of_another_type_go() {
        let (schema, changed) =
            apply(keywords_of_another_type, Kind::Schema, "", json!({"type": "string", "minimum": 1, "maxLength": 3}));
        assert_eq!((schema, changed), (json!({"type": "string", "maxLength": 3}), 1));
        assert_eq!(
            apply(keywords_of_another_type, Kind::Schema, "", json!({"minimum": 1})).1,
            0,
            "no type, no verdict"
        );
    }

    #[test]
    fn a_lone_nullable_member_moves_up() {
        let schema = json!({"allOf": [{"nullable": true}, {"$ref": "#/a"}, {}]});
        let (schema, changed) = apply(nullable_members, Kind::Schema, "", schema);
        assert_eq!((schema, changed), (json!({"allOf": [{"$ref": "#/a"}], "nullable": true}), 2));
    }

    #[test]
    fn all_of_one_reference_is_the_reference() {
        assert_eq!(
            apply(single_all_of, Kind::Schema, "", json!({"allOf": [{"$ref": "#/a"}]})),
            (json!({"$ref": "#/a"}), 1)
        );
        assert_eq!(apply(single_all_of, Kind::Schema, "", json!({"allOf": [{"$ref": "#/a"}], "nullable": true})).1, 0);
    }

    #[test]
    fn answers_without_a_body_have_no_content() {
        let response = json!({"description": "", "content": {"application/json": {}}});
        assert_eq!(apply(bodiless_statuses, Kind::Response, "/x/responses/204", response.clone()).1, 1);
        assert_eq!(apply(bodiless_statuses, Kind::Response, "/x/responses/200", response).1, 0);
    }

    #[test]
    fn a_request_body_without_media_types_goes() {
        assert_eq!(apply(empty_bodies, Kind::Operation, "", json!({"requestBody": {"content": {}}})), (json!({}), 1));
    }

    #[test]
    fn dates_are_found_in_date_times() {
        assert_eq!(bare_date("2025-02-17T00:00:00Z").as_deref(), Some("2025-02-17"));
        assert_eq!(bare_date("2025-12-18").as_deref(), Some("2025-12-18"));
        assert_eq!(bare_date("2028-02-29").as_deref(), Some("2028-02-29"), "a leap day");
        let days = ["2026-02-31", "2026-02-29", "2100-02-29", "2026-04-31", "2026-00-10", "2026-01-00", "2026-12-32"];
        for wrong in days.into_iter().chain(["1.0.0", "2025-13-01", "2025-12-181", "20251218", "2025-1é-01"]) {
            assert_eq!(bare_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sentences_in_values_go_and_values_stay() {
        let schema =
            json!({"type": "string", "default": "the day on which it was made", "format": "a date of ISO 8601"});
        assert_eq!(apply(prose_in_values, Kind::Schema, "", schema), (json!({"type": "string"}), 2));
        for kept in [
            json!({"type": "string", "default": "two words", "format": "date-time"}),
            json!({"type": "integer", "default": 3}),
            json!({"type": "string", "default": "one of the long values", "enum": ["one of the long values", "b"]}),
        ] {
            assert_eq!(apply(prose_in_values, Kind::Schema, "", kept).1, 0);
        }
    }

    #[test]
    fn what_a_deep_reference_leads_to_becomes_a_component() {
        let into = |name: &str| json!({"$ref": format!("#/components/schemas/A/properties/{name}")});
        let mut document = json!({"paths": {}, "components": {"schemas": {
            "A": {"properties": {"p": {"type": "string", "enum": ["x", "y"]}, "q": {"properties": {"inner": into("q"), "p": into("p")}}}},
            "AP": {"type": "integer"},
            "B": {"properties": {"p": into("p"), "q": into("q")}}
        }}});
        deep_references(&mut document, &mut Report::new("t"));
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["B"]["properties"]["p"]["$ref"], "#/components/schemas/APropertiesP");
        assert_eq!(schemas["APropertiesP"]["enum"], json!(["x", "y"]));
        assert_eq!(schemas["APropertiesQ"]["properties"]["inner"]["$ref"], "#/components/schemas/APropertiesQ");
        assert_eq!(schemas["A"]["properties"]["q"]["properties"]["p"]["$ref"], "#/components/schemas/APropertiesP");
    }
}
