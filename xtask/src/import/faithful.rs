//! The documents as downloaded against what import makes of them: every fact is kept, nothing is invented.
//! An extra for maintainers who have the downloads: `CINTX_VENDOR_DOCS` names their folder, and without it nothing is checked.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::import;
use crate::document::index::{Entry, Index};
use crate::document::overlay::Overlays;
use crate::document::source::Source;
use crate::document::tree::escape;
use crate::fixture::repository;

/// The downloads that are at hand: date, file name, text.
fn downloads() -> Vec<(String, String, String)> {
    let Some(folder) = std::env::var_os("CINTX_VENDOR_DOCS").map(PathBuf::from) else {
        println!("skipped: CINTX_VENDOR_DOCS does not name a folder of downloaded documents");
        return Vec::new();
    };
    let index = Index::read(&repository().index()).unwrap();
    let mut found = Vec::new();
    for entry in index.entries() {
        for name in [format!("{}.yaml", entry.date), format!("{}.json", entry.date)] {
            if let Ok(text) = fs::read_to_string(folder.join(&name)) {
                found.push((entry.date.clone(), name, text));
            }
        }
    }
    assert!(!found.is_empty(), "{} has no document of a known version", folder.display());
    found
}

#[test]
fn the_downloads_give_the_documents_of_the_repository() {
    let overlays = Overlays::read(&repository().overlays()).unwrap();
    let index = Index::read(&repository().index()).unwrap();
    for (date, name, text) in downloads() {
        let imported = import(&name, &text, None, &overlays).unwrap_or_else(|problems| panic!("{problems}"));
        let committed = fs::read_to_string(repository().document(&date)).unwrap();
        assert!(serde_json::to_string_pretty(&imported.document).unwrap() + "\n" == committed, "{date} differs");
        let recorded = index.get(&date).unwrap();
        let made = Entry::new(&date, text.as_bytes(), &imported.document);
        assert_eq!(made.source_sha256, recorded.source_sha256, "{name} is another download");
        insta::assert_snapshot!(format!("import_report_{date}"), imported.report);
    }
}

#[test]
fn the_downloads_lose_no_fact() {
    for (date, name, text) in downloads() {
        let source = Source::parse(&name, &text).unwrap().value;
        // Overlays change facts on purpose, each with a reason and a count of its own.
        let imported = import(&name, &text, None, &Overlays::default()).unwrap().document;
        let mut check = Check::default();
        for key in source.as_object().unwrap().keys().filter(|key| *key != "info") {
            check.value(key, &source[key], imported.get(key), &format!("/{key}"));
        }
        println!("{date}: {} facts kept", check.kept);
        assert_eq!(check.kept, facts(&imported), "{date}: not every fact was looked at");
        assert!(check.problems.is_empty(), "{date}:\n{}", check.problems.join("\n"));
    }
}

/// How many facts an imported document holds: its values, less our own header and the phrases of answers.
fn facts(document: &Value) -> usize {
    fn count(value: &Value) -> usize {
        match value {
            Value::Object(object) => object
                .iter()
                .filter(|(key, value)| !(*key == "description" && value.is_string()))
                .map(|(_, value)| count(value))
                .sum(),
            Value::Array(list) => list.iter().map(count).sum(),
            _ => 1,
        }
    }
    count(document) - count(&document["info"])
}

/// The comparison must notice what it is there for.
#[test]
fn a_fact_that_is_lost_changed_or_invented_is_noticed() {
    let source = json!({
        "type": "object", "description": "prose", "required": ["a"],
        "properties": { "a": { "type": "string", "maxLength": 3, "pattern": "^a$", "enum": ["x", "y"] },
                        "description": { "type": "integer", "minimum": 1, "default": 2, "format": "int32" } }
    });
    let problems = |edit: &dyn Fn(&mut Value)| {
        let mut imported = source.clone();
        imported.as_object_mut().unwrap().remove("description");
        edit(&mut imported);
        let mut check = Check::default();
        check.value("A", &source, Some(&imported), "/A");
        check.problems
    };
    assert_eq!(problems(&|_| ()), Vec::<String>::new());
    for pointer in ["/required", "/properties/a", "/properties/description"] {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let lost = problems(&|imported| {
            imported.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        });
        assert_eq!(lost.len(), 1, "{pointer}: {lost:?}");
    }
    for pointer in ["a/maxLength", "a/pattern", "a/enum", "description/minimum", "description/default"] {
        let changed =
            problems(&|imported| *imported.pointer_mut(&format!("/properties/{pointer}")).unwrap() = json!(9));
        assert_eq!(changed.len(), 1, "{pointer}: {changed:?}");
    }
    assert_eq!(problems(&|imported| imported["properties"]["a"]["minLength"] = json!(1)).len(), 1, "invented");
    assert_eq!(problems(&|imported| imported["description"] = json!("prose")).len(), 1, "prose");
}

/// Keys whose content is prose.
const PROSE: [&str; 7] = ["description", "summary", "title", "externalDocs", "example", "examples", "xml"];
/// Keys that hold a map from names; a name is never prose.
const MAPS: [&str; 9] = [
    "paths",
    "properties",
    "schemas",
    "responses",
    "parameters",
    "headers",
    "requestBodies",
    "securitySchemes",
    "content",
];
/// The types of schemas.
const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];
/// Keywords by the type that they are about; beside another type they say nothing.
const OF_A_TYPE: [(&[&str], &[&str]); 4] = [
    (&["object"], &["minProperties", "maxProperties", "required", "properties", "additionalProperties"]),
    (&["string"], &["minLength", "maxLength", "pattern"]),
    (&["integer", "number"], &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    (&["array"], &["minItems", "maxItems", "uniqueItems"]),
];

/// A walk through both documents at once. It shares nothing with the importer's own grammar.
#[derive(Default)]
struct Check {
    kept: usize,
    problems: Vec<String>,
}

impl Check {
    fn differs(&mut self, at: &str, what: impl std::fmt::Display) {
        self.problems.push(format!("{at}: {what}"));
    }

    fn value(&mut self, key: &str, source: &Value, imported: Option<&Value>, at: &str) {
        let Some(imported) = imported else { return self.differs(at, "is lost") };
        match (source, imported) {
            (Value::Object(_), Value::Object(_)) if MAPS.contains(&key) => self.map(key, source, imported, at),
            (Value::Object(_), Value::Object(_)) => self.object(source, imported, at),
            (Value::Array(source), Value::Array(imported)) if source.len() == imported.len() => {
                for (index, (source, imported)) in source.iter().zip(imported).enumerate() {
                    self.value("", source, Some(imported), &format!("{at}/{index}"));
                }
            }
            (source, imported) if source == imported => self.kept += 1,
            (source, imported) => self.differs(at, format!("{source} became {imported}")),
        }
    }

    /// Names and what they stand for.
    fn map(&mut self, key: &str, source: &Value, imported: &Value, at: &str) {
        for (name, value) in source.as_object().into_iter().flatten() {
            let at = format!("{at}/{}", escape(name));
            if key == "responses" && matches!(name.as_str(), "204" | "205") {
                // There is no content where the status says so.
                let mut bare = value.clone();
                bare.as_object_mut().map(|bare| bare.remove("content"));
                self.value("", &bare, imported.get(name), &at);
            } else {
                self.value("", value, imported.get(name), &at);
            }
        }
        self.invented(source, imported, at, |_| false);
    }

    fn object(&mut self, source: &Value, imported: &Value, at: &str) {
        if source.get("$ref").is_some_and(Value::is_string) {
            // OpenAPI ignores what stands beside a reference.
            if imported != &json!({ "$ref": source["$ref"] }) {
                self.differs(at, "is another reference");
            }
            self.kept += 1;
            return;
        }
        let source = &mended(source);
        if source.get("$ref").is_some() {
            return self.object(source, imported, at);
        }
        for (key, value) in source.as_object().into_iter().flatten() {
            if !PROSE.contains(&key.as_str()) {
                self.value(key, value, imported.get(key), &format!("{at}/{}", escape(key)));
            }
        }
        let is_response = |key: &str| key == "description" && at.contains("/responses/");
        self.invented(source, imported, at, is_response);
        for key in PROSE.into_iter().filter(|key| imported.get(key).is_some()) {
            if !is_response(key) || imported[key] == source[key] && imported[key].as_str().is_some_and(is_sentence) {
                self.differs(at, format!("{key} is left"));
            }
        }
    }

    fn invented(&mut self, source: &Value, imported: &Value, at: &str, allowed: impl Fn(&str) -> bool) {
        for key in imported.as_object().into_iter().flatten().map(|(key, _)| key) {
            if source.get(key).is_none() && !allowed(key) {
                self.differs(at, format!("{key} is invented"));
            }
        }
    }
}

fn is_sentence(text: &str) -> bool {
    text.split(' ').count() > 5
}

/// What OpenAPI 3.0 makes of an object: void keywords gone, `nullable` where it has an effect.
fn mended(source: &Value) -> Value {
    let mut object = source.as_object().cloned().unwrap_or_default();
    let is_schema =
        ["type", "properties", "allOf", "oneOf", "anyOf", "enum", "items"].iter().any(|key| object.contains_key(*key));
    if is_schema && object.get("required").is_some_and(|required| !required.is_array()) {
        object.remove("required");
    }
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (kinds, keywords) in OF_A_TYPE {
        let is_type = TYPES.contains(&kind.as_str());
        if is_type && !kinds.contains(&kind.as_str()) {
            object.retain(|key, _| !keywords.contains(&key.as_str()));
        }
    }
    if kind == "number"
        && let Some(format @ ("int" | "int32" | "int64")) = object.get("format").and_then(Value::as_str)
    {
        if format == "int" {
            object.remove("format");
        }
        object.insert("type".to_owned(), json!("integer"));
    }
    if object.get("requestBody").and_then(|body| body.get("content")) == Some(&json!({})) {
        object.remove("requestBody");
    }
    let Some(members) = object.get("allOf").and_then(Value::as_array) else { return Value::Object(object) };
    let bare = |member: &Value| {
        let mut member = member.clone();
        if let Some(member) = member.as_object_mut() {
            member.retain(|key, _| !PROSE.contains(&key.as_str()));
        }
        member
    };
    let nullable = members.iter().any(|member| bare(member) == json!({ "nullable": true }));
    let members: Vec<Value> = members
        .iter()
        .filter(|member| ![json!({ "nullable": true }), json!({})].contains(&bare(member)))
        .cloned()
        .collect();
    object.retain(|key, _| !PROSE.contains(&key.as_str()));
    if let ([only], 1, false) = (members.as_slice(), object.len(), nullable)
        && only.get("$ref").is_some()
    {
        return only.clone();
    }
    object.insert("allOf".to_owned(), Value::Array(members));
    if nullable {
        object.insert("nullable".to_owned(), json!(true));
    }
    Value::Object(object)
}
