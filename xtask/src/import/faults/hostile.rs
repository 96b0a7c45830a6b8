//! Documents that once hung, overflowed the stack, made the generator panic, or were taken and treated wrongly.
//! Each goes the whole way, generation included: it is refused at its place, or comes out as code.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::document::source::Source;
use crate::fixture::{DATE, KENNELS, Temporary};
use crate::import::run;
use crate::regen;

enum Outcome {
    /// Refused, with this pointer and these words.
    Refused(&'static str, &'static str),
    /// Taken; the generated code has these words.
    Taken(&'static str),
}
use Outcome::{Refused, Taken};

type Edit = fn(&mut Value);

const DOCUMENTS: &[(&str, Edit, Outcome)] = &[
    (
        "an allOf in a circle",
        |document| {
            schema(document, "Mood", json!({ "allOf": [to("Name"), { "minLength": 1 }] }));
            schema(document, "Name", json!({ "allOf": [to("Mood"), { "maxLength": 9 }] }));
        },
        Refused("/components/schemas/Mood/allOf/0/$ref", "leads back to itself"),
    ),
    (
        "a oneOf in a circle",
        |document| schema(document, "Mood", json!({ "oneOf": [{ "type": "string" }, to("Mood")] })),
        Refused("/components/schemas/Mood/oneOf/1/$ref", "leads back to itself"),
    ),
    (
        "a list of itself",
        |document| schema(document, "Mood", json!({ "type": "array", "items": to("Mood") })),
        Refused("/components/schemas/Mood/items/$ref", "leads back to itself"),
    ),
    (
        "a tree of objects",
        |document| property(document, "puppies", json!({ "type": "array", "items": to("Dog") })),
        Taken("pub puppies: Option<Vec<Dog>>"),
    ),
    (
        "an object inside itself",
        |document| property(document, "mother", to("Dog")),
        Taken("pub mother: Option<std::boxed::Box<Dog>>"),
    ),
    (
        "a union of trees",
        |document| {
            document["components"]["schemas"]["Wet"]["properties"]["mix"] = to("Wet");
            document["components"]["schemas"]["Dry"]["properties"]["mix"] = to("Dry");
            document["components"]["schemas"]["Dry"]["properties"]["kind"] = json!({ "type": "string" });
        },
        Taken("pub struct DogFood"),
    ),
    (
        "values that differ in case alone",
        |document| schema(document, "Mood", json!({ "type": "string", "enum": ["Live", "live"] })),
        Taken("LiveU6cx69x76x65 = \"live\""),
    ),
    (
        "values that are symbols",
        |document| schema(document, "Mood", json!({ "type": "string", "enum": ["<", ">", "="] })),
        Taken("U3c = \"<\""),
    ),
    (
        "a reference into another schema",
        |document| {
            property(document, "place", json!({ "type": "object", "properties": { "row": { "type": "integer" } } }));
            document["components"]["schemas"]["Wet"]["properties"]["shelf"] =
                json!({ "$ref": "#/components/schemas/Dog/properties/place" });
        },
        Taken("pub shelf: Option<DogPropertiesPlace"),
    ),
    (
        "parts of other types",
        |document| property(document, "note", json!({ "allOf": [to("Name"), { "type": "integer" }] })),
        Refused("/components/schemas/Dog/properties/note/allOf", "integer and string"),
    ),
    (
        "a media type without a schema",
        |document| {
            document["paths"]["/kennels/{kennel_id}/dogs"]["get"]["responses"]["200"]["content"] =
                json!({ "application/json": {} });
        },
        Taken("Result<Response<serde_json::Value>, Error>"),
    ),
    (
        "JSON with a character set",
        |document| {
            document["paths"]["/kennels/{kennel_id}/dogs"]["get"]["responses"]["200"]["content"] =
                json!({ "application/json; charset=utf-8": { "schema": to("DogList") } });
        },
        Taken("Result<Response<types::DogList>, Error>"),
    ),
    (
        "a patch",
        |document| {
            document["paths"]["/kennels/{kennel_id}/dogs"]["post"]["requestBody"]["content"] =
                json!({ "application/merge-patch+json": { "schema": to("Dog") } });
        },
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/post/requestBody/content", "as application/json only"),
    ),
    (
        "a list in one value",
        |document| parameter(document, "explode", json!(false)),
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/1/explode", "key repeated only"),
    ),
    (
        "a list with pipes",
        |document| parameter(document, "style", json!("pipeDelimited")),
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/1/style", "only \"form\" is sent"),
    ),
    (
        "a list in one value behind a part",
        |document| {
            schema(document, "Moods", json!({ "type": "array", "items": to("Mood") }));
            parameter(document, "schema", json!({ "nullable": true, "allOf": [to("Moods")] }));
            parameter(document, "explode", json!(false));
        },
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/1/explode", "key repeated only"),
    ),
    (
        "a parameter that may be null",
        |document| parameter(document, "schema", json!({ "nullable": true, "allOf": [to("Mood")] })),
        Taken("pub mood: Option<types::Mood>"),
    ),
    (
        "a parameter of several kinds",
        |document| parameter(document, "schema", json!({ "enum": ["many", 4] })),
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/1/schema", "no one type"),
    ),
    (
        "a parameter of any kind",
        |document| parameter(document, "schema", json!({})),
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/1/schema", "no one type"),
    ),
    (
        "a parameter that is an object or null",
        |document| parameter(document, "schema", json!({ "nullable": true, "allOf": [to("Dry")] })),
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/1/schema", "is of type object"),
    ),
    (
        "text that is one of several",
        |document| {
            let kinds = json!([{ "minLength": 1 }, { "enum": ["many", 4] }]);
            parameter(document, "schema", json!({ "type": "string", "oneOf": kinds }));
        },
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/get", "mood"),
    ),
    (
        "a patch of JSON",
        |document| {
            document["paths"]["/kennels/{kennel_id}/dogs"]["post"]["requestBody"]["content"] =
                json!({ "application/json-patch+json": { "schema": to("Dog") } });
        },
        Refused("/paths/~1kennels~1{kennel_id}~1dogs/post/requestBody/content", "as application/json only"),
    ),
    (
        "numbers without a type",
        |document| property(document, "paws", json!({ "enum": [3, 4] })),
        Taken("pub paws: Option<i64>"),
    ),
    (
        "values of several kinds",
        |document| property(document, "paws", json!({ "enum": ["many", 4] })),
        Taken("pub paws: Option<serde_json::Value>"),
    ),
    (
        "one of two must be there",
        |document| {
            property(document, "chip", json!({ "type": "string" }));
            property(document, "tattoo", json!({ "type": "string" }));
            document["components"]["schemas"]["Dog"]["oneOf"] = json!([
                { "required": ["chip"], "not": { "required": ["tattoo"] } },
                { "required": ["tattoo"], "not": { "required": ["chip"] } }
            ]);
        },
        Taken("Is sent: dog input (exactly one of `chip`, `tattoo` is there)."),
    ),
    (
        "a type called like one of the language",
        |document| {
            schema(document, "String", json!({ "type": "object", "properties": { "hole": to("Name") } }));
            property(document, "string", to("String"));
        },
        Taken("pub string: Option<StringOther>"),
    ),
    (
        "a body of a number",
        |document| {
            document["paths"]["/kennels/{kennel_id}/dogs"]["post"]["requestBody"]["content"] =
                json!({ "application/json": { "schema": { "type": "integer" } } });
        },
        Taken("body: &i64"),
    ),
    (
        "a text that is a number of texts",
        |document| property(document, "age", json!({ "type": "integer", "minimum": "one" })),
        Refused("/components/schemas/Dog/properties/age/minimum", "OpenAPI 3.0 does not have"),
    ),
    (
        "unions of unions",
        |document| {
            schema(document, "Two", json!({ "oneOf": [{ "properties": { "a": {} } }, { "properties": { "b": {} } }] }));
            property(document, "all", to("All"));
            schema(document, "All", json!({ "allOf": vec![to("Two"); 24] }));
        },
        Refused("/components/schemas/All", "alternatives"),
    ),
    (
        "a name of spaces",
        |document| schema(document, "a b", json!({ "type": "object" })),
        Refused("/components/schemas", "\"a b\""),
    ),
];

fn to(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn schema(document: &mut Value, name: &str, schema: Value) {
    document["components"]["schemas"][name] = schema;
}

fn property(document: &mut Value, name: &str, schema: Value) {
    document["components"]["schemas"]["Dog"]["properties"][name] = schema;
}

fn parameter(document: &mut Value, key: &str, value: Value) {
    document["paths"]["/kennels/{kennel_id}/dogs"]["get"]["parameters"][1][key] = value;
}

#[test]
fn hostile_documents_are_refused_at_their_place_or_come_out_as_code() {
    let kennels = Source::parse("kennels.yaml", KENNELS).unwrap().value;
    for (name, edit, outcome) in DOCUMENTS {
        let mut document = kennels.clone();
        edit(&mut document);
        let workspace = Temporary::with_kennels();
        let before = workspace.bytes();
        let file = workspace.download("kennels.json", document.to_string());
        let start = Instant::now();
        let result = run(&workspace.workspace, &file, &crate::import::Options::default());
        assert!(start.elapsed() < Duration::from_secs(10), "{name} takes {:?}", start.elapsed());
        match (outcome, result) {
            (Refused(pointer, message), Err(error)) => {
                let error = format!("{error:#}");
                let line = error.lines().find(|line| line.contains(pointer) && line.contains(message));
                assert!(line.is_some(), "{name} is not refused at {pointer}: {error}");
                assert!(workspace.bytes() == before, "{name} has changed the folder");
            }
            (Taken(code), Ok(_)) => {
                let made = regen::make(&workspace.workspace, DATE).unwrap_or_else(|error| panic!("{name}: {error:#}"));
                let files: Vec<&String> = made.files.values().filter(|text| text.contains(code)).collect();
                assert!(!files.is_empty(), "{name}: no file has {code:?}");
                assert!(made.files.values().all(|text| syn::parse_file(text).is_ok()), "{name} is not Rust");
            }
            (Refused(..), Ok(_)) => panic!("{name} is taken"),
            (Taken(_), Err(error)) => panic!("{name} is refused: {error:#}"),
        }
    }
}

#[test]
fn a_host_that_the_client_does_not_call_is_refused() {
    let workspace = Temporary::with_kennels();
    let known = "[[host]]\nurl = 'https://kennels.example/v1'\nreason = 'r'\n";
    std::fs::write(workspace.workspace.supplement(), known).unwrap();
    let file = workspace.download("kennels.yaml", KENNELS);
    run(&workspace.workspace, &file, &crate::import::Options::default()).unwrap();
    let moved = KENNELS.replace("https://kennels.example/v1", "https://kennels.example/v2");
    let file = workspace.download("kennels.yaml", moved);
    let error = format!("{:#}", run(&workspace.workspace, &file, &crate::import::Options::default()).unwrap_err());
    assert!(
        error.contains("/servers/0/url") && error.contains("the client calls https://kennels.example/v1"),
        "{error}"
    );
}

#[test]
fn a_date_between_known_ones_is_told_which_rules_are_in_doubt() {
    let workspace = Temporary::with_kennels();
    let rules = "[[key]]\nfrom = '2031-05-06'\noperations = ['add_dog']\nformat = 'ulid'\nreason = 'r'\n";
    std::fs::write(workspace.workspace.supplement(), rules).unwrap();
    for (date, doubtful) in [("2031-01-01", false), ("2032-01-01", false), ("2031-02-01", true)] {
        let file = workspace.download("kennels.yaml", KENNELS.replace("2031-05-06", date));
        let report = run(&workspace.workspace, &file, &crate::import::Options::default()).unwrap().to_string();
        let said = report.contains(&format!("`key` from 2031-05-06 of openapi/supplement.toml begins after {date}"));
        assert_eq!(said, doubtful, "{date}: {report}");
    }
}

/// The entry is written with the document: afterwards nobody could say what the change was.
#[test]
fn a_document_that_changed_under_its_date_has_its_entry_in_the_changelog() {
    let workspace = Temporary::with_kennels();
    let path = workspace.workspace.root().join("CHANGELOG.md");
    std::fs::write(&path, "# Changelog\n\n## Unreleased\n\n- By hand.\n").unwrap();
    let import = |text: &str| {
        let file = workspace.download("fetched.yaml", text);
        run(&workspace.workspace, &file, &crate::import::Options::default()).unwrap().to_string()
    };
    assert!(!import(KENNELS).contains("CHANGELOG"), "the same document has no entry");
    let report = import(&KENNELS.replace("[calm, playful]", "[calm, sleepy]"));
    assert!(report.contains("its entry is in CHANGELOG.md"), "{report}");
    let text = std::fs::read_to_string(&path).unwrap();
    for said in ["- `cintx-raw`: 2031-05-06 as Cint publishes it now.", "the value \"playful\" is gone", "- By hand."] {
        assert!(text.contains(said), "{said:?} is not in {text}");
    }
    import(&KENNELS.replace("[calm, playful]", "[calm, sleepy]"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "nothing changed since");
}

/// Two changes of which the entry says the same but for their names, with and without a release in between; and one
/// that was taken back and comes again.
#[test]
fn each_additive_change_under_a_date_has_its_entry() {
    let total = KENNELS.replace("        dogs:\n", "        total:\n          type: integer\n        dogs:\n");
    let both = total.replace("        dogs:\n", "        page:\n          type: integer\n        dogs:\n");
    for release in [false, true] {
        let workspace = Temporary::with_kennels();
        let path = workspace.workspace.root().join("CHANGELOG.md");
        let read = || std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, "# Changelog\n\n## Unreleased\n").unwrap();
        let import = |text: &str| {
            let file = workspace.download("fetched.yaml", text);
            run(&workspace.workspace, &file, &crate::import::Options::default()).unwrap();
            if release {
                let released = read().replace("## Unreleased", &format!("## 0.{}.0", read().matches("\n## ").count()));
                std::fs::write(&path, released).unwrap();
            }
        };
        import(&total);
        import(&both);
        let text = read();
        assert_eq!(text.matches("<!-- generated: ").count(), 2, "released: {release}: {text}");
        for said in ["`DogList.total` is new", "`DogList.page` is new"] {
            assert!(text.contains(said), "released: {release}: {said} is not in {text}");
        }
        import(&total);
        import(&both);
        assert_eq!(read().matches("`DogList.page` is new").count(), if release { 2 } else { 1 }, "{}", read());
    }
}
