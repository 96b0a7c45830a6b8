//! The newest real document, changed in ways whose class is known: everything that breaks is found, and little else is
//! called so. CI takes one of each kind; `CINTX_MUTATIONS=1000` takes as many, imports some of each, and generates,
//! compiles and calls the first of each kind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::wire::{self, Part};
use crate::diff::reach::Reach;
use crate::diff::{Effect, between_prepared, view};
use crate::document::overlay::Overlays;
use crate::document::tree::{escape, operations};
use crate::fixture::{documents, repository};
use crate::regen::{self, Notes, is_uniform, part};

/// How many a run in CI takes: one of each kind.
const IN_CI: usize = MUTATIONS.len();

/// No document may take longer.
const HANG: Duration = Duration::from_secs(10);

/// What must come of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The worst effect of all changes that are found.
    Worst(Effect),
    /// Import refuses it.
    Refused,
}
use Class::{Refused, Worst};
use Effect::{Additive, Behaviour, Compilation};

/// Picks places in the same order every time.
struct Picker(u64);

impl Picker {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % count
    }

    fn name<'a>(&mut self, list: &'a [String]) -> &'a str {
        &list[self.below(list.len())]
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// The places of the document that mutations choose from.
struct Places {
    /// Pointers of all operations.
    operations: Vec<String>,
    /// Pointers of optional query parameters, in the operation itself, that are not alone in their method's struct.
    optional_parameters: Vec<String>,
    /// Pointers of query parameters that are lists.
    list_parameters: Vec<String>,
    /// Pointers of operations that send a form.
    forms: Vec<String>,
    /// Components that are plain objects: sent alone, received alone.
    sent: Vec<String>,
    received: Vec<String>,
    /// Pointers of enums with three values or more.
    enums: Vec<String>,
}

impl Places {
    fn of(document: &Value) -> Self {
        let roles = Reach::of(document).roles();
        let plain = |name: &str| {
            let schema = &document["components"]["schemas"][name];
            schema["type"] == "object"
                && schema["properties"].as_object().is_some_and(|properties| properties.len() > 1)
                && ["allOf", "oneOf", "anyOf"].iter().all(|key| schema.get(*key).is_none())
        };
        let of_role = |sent: bool, received: bool| -> Vec<String> {
            let fits = |(name, role): &(&&str, &(bool, bool))| **role == (sent, received) && plain(name);
            roles.iter().filter(fits).map(|(name, _)| (*name).to_owned()).collect()
        };
        let mut places = Self {
            operations: Vec::new(),
            optional_parameters: Vec::new(),
            list_parameters: Vec::new(),
            forms: Vec::new(),
            sent: of_role(true, false),
            received: of_role(false, true),
            enums: Vec::new(),
        };
        for (path, method, _, operation) in operations(document) {
            let at = format!("/paths/{}/{method}", escape(path));
            let list: Vec<&Value> =
                operation.get("parameters").and_then(Value::as_array).into_iter().flatten().collect();
            let optional = |parameter: &&&Value| {
                let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
                text("in") == "query" && parameter["required"] != true && !is_uniform("query", text("name"))
            };
            let of_struct = list.iter().filter(optional).count();
            for (index, _) in list.iter().enumerate().filter(|(_, parameter)| optional(parameter)) {
                if of_struct > 1 {
                    places.optional_parameters.push(format!("{at}/parameters/{index}"));
                }
            }
            for (index, parameter) in list.iter().enumerate() {
                if parameter["in"] == "query" && parameter["schema"]["type"] == "array" {
                    places.list_parameters.push(format!("{at}/parameters/{index}"));
                }
            }
            let content = operation.get("requestBody").and_then(|body| body.get("content"));
            if content.is_some_and(|content| content.get("multipart/form-data").is_some()) {
                places.forms.push(at.clone());
            }
            places.operations.push(at);
        }
        for name in roles.keys() {
            let schema = &document["components"]["schemas"][name];
            if schema["type"] == "string" && schema["enum"].as_array().is_some_and(|values| values.len() > 2) {
                places.enums.push(format!("/components/schemas/{name}"));
            }
        }
        places
    }
}

/// A mutation: changes the document, answers what must come of it; nothing where its place does not fit.
type Mutation = fn(&mut Value, &Places, &mut Picker) -> Option<Class>;

const MUTATIONS: &[(&str, Mutation)] = &[
    ("drop an operation", |document, places, picker| {
        take(document, picker.name(&places.operations));
        Some(Worst(Compilation))
    }),
    ("add an operation", |document, _, picker| {
        let id = format!("list_cats_{}", picker.below(1000));
        document["paths"][format!("/demand/cats/{id}")] =
            json!({ "get": { "operationId": id, "responses": { "204": { "description": "No Content" } } } });
        Some(Worst(Additive))
    }),
    ("rename an operation", |document, places, picker| {
        let at = picker.name(&places.operations);
        document.pointer_mut(at)?["operationId"] = json!("herd_all_the_cats");
        Some(Worst(Compilation))
    }),
    ("move a path", |document, places, picker| {
        let at = picker.name(&places.operations);
        let path = at.strip_prefix("/paths/")?.rsplit_once('/')?.0.replace("~1", "/").replace("~0", "~");
        if path.contains("/v2/") || path.contains("/v3/") || document["paths"][&path].get("servers").is_some() {
            return None;
        }
        let item = document["paths"].as_object_mut()?.remove(&path)?;
        document["paths"][format!("/v3{path}")] = item;
        Some(Worst(Behaviour))
    }),
    ("drop an optional parameter", |document, places, picker| {
        take(document, picker.name(&places.optional_parameters));
        Some(Worst(Compilation))
    }),
    ("add an optional parameter", |document, places, picker| {
        let operation = document.pointer_mut(picker.name(&places.operations))?.as_object_mut()?;
        let list = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut()?;
        list.push(json!({ "name": "whiskers", "in": "query", "schema": { "type": "string" } }));
        Some(Worst(Additive))
    }),
    ("add a required parameter", |document, places, picker| {
        let operation = document.pointer_mut(picker.name(&places.operations))?.as_object_mut()?;
        let list = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut()?;
        list.push(json!({ "name": "whiskers", "in": "query", "required": true, "schema": { "type": "string" } }));
        Some(Worst(Compilation))
    }),
    ("require a parameter", |document, places, picker| {
        document.pointer_mut(picker.name(&places.optional_parameters))?["required"] = json!(true);
        Some(Worst(Compilation))
    }),
    ("retype a parameter", |document, places, picker| {
        let parameter = document.pointer_mut(picker.name(&places.optional_parameters))?;
        (parameter["schema"]["type"] == "string").then_some(())?;
        parameter["schema"] = json!({ "type": "boolean" });
        Some(Worst(Compilation))
    }),
    ("send a list another way", |document, places, picker| {
        document.pointer_mut(picker.name(&places.list_parameters))?["explode"] = json!(false);
        Some(Refused)
    }),
    ("drop a property of an answer", |document, places, picker| {
        drop_property(document, picker.name(&places.received), picker)
    }),
    ("drop a property of a request", |document, places, picker| {
        drop_property(document, picker.name(&places.sent), picker)
    }),
    ("add a property to an answer", |document, places, picker| {
        component(document, picker.name(&places.received))["properties"]["whiskers"] = json!({ "type": "integer" });
        Some(Worst(Additive))
    }),
    ("add a property to a request", |document, places, picker| {
        component(document, picker.name(&places.sent))["properties"]["whiskers"] = json!({ "type": "integer" });
        Some(Worst(Additive))
    }),
    ("add a required property to a request", |document, places, picker| {
        let schema = component(document, picker.name(&places.sent));
        schema["properties"]["whiskers"] = json!({ "type": "integer" });
        required(schema)?.push(json!("whiskers"));
        Some(Worst(Compilation))
    }),
    ("rename a property", |document, places, picker| {
        let all = [places.sent.as_slice(), places.received.as_slice()].concat();
        let schema = component(document, picker.name(&all));
        let name = property(schema, picker)?;
        let value = schema["properties"].as_object_mut()?.remove(&name)?;
        schema["properties"][format!("{name}_of_cats")] = value;
        for other in required(schema)?.iter_mut().filter(|other| **other == json!(name)) {
            *other = json!(format!("{name}_of_cats"));
        }
        Some(Worst(Compilation))
    }),
    ("retype a property", |document, places, picker| {
        let all = [places.sent.as_slice(), places.received.as_slice()].concat();
        let schema = component(document, picker.name(&all));
        let name = property(schema, picker)?;
        let value = &mut schema["properties"][&name];
        let kind = value["type"].as_str()?;
        (!name.ends_with("id") && !name.ends_with("ids")).then_some(())?;
        *value = if kind == "boolean" { json!({ "type": "string" }) } else { json!({ "type": "boolean" }) };
        Some(Worst(Compilation))
    }),
    ("require a property of a request", |document, places, picker| {
        let schema = component(document, picker.name(&places.sent));
        let name = property(schema, picker)?;
        let list = required(schema)?;
        (!list.contains(&json!(name))).then_some(())?;
        list.push(json!(name));
        Some(Worst(Compilation))
    }),
    ("no longer require a property of a request", |document, places, picker| {
        required(component(document, picker.name(&places.sent)))?.pop()?;
        Some(Worst(Compilation))
    }),
    ("let a property of a request be null", |document, places, picker| {
        allow_null(component(document, picker.name(&places.sent)), picker)?;
        Some(Worst(Compilation))
    }),
    ("let a property of an answer be null", |document, places, picker| {
        allow_null(component(document, picker.name(&places.received)), picker)?;
        Some(Worst(Additive))
    }),
    ("add a value", |document, places, picker| {
        document.pointer_mut(picker.name(&places.enums))?["enum"].as_array_mut()?.push(json!("whiskers"));
        Some(Worst(Additive))
    }),
    ("take a value away", |document, places, picker| {
        document.pointer_mut(picker.name(&places.enums))?["enum"].as_array_mut()?.remove(0);
        Some(Worst(Compilation))
    }),
    ("narrow a limit of a request", |document, places, picker| {
        limit(component(document, picker.name(&places.sent)), picker, json!(1))?;
        Some(Worst(Behaviour))
    }),
    ("widen a limit of a request", |document, places, picker| {
        limit(component(document, picker.name(&places.sent)), picker, json!(100_000_000))?;
        Some(Worst(Additive))
    }),
    ("name another host", |document, places, picker| {
        if picker.below(2) == 0 {
            document["servers"][0]["url"] = json!("https://cats.example/v1");
        } else {
            document.pointer_mut(picker.name(&places.operations))?["servers"] =
                json!([{ "url": "https://cats.example" }]);
        }
        Some(Worst(Behaviour))
    }),
    ("want other credentials", |document, places, picker| {
        let schemes = &mut document["components"]["securitySchemes"];
        let key = json!({ "type": "apiKey", "in": "header", "name": "Authorization" });
        if picker.below(2) == 0 {
            schemes["BearerAuth"] = key;
        } else {
            schemes["Key"] = key;
            document.pointer_mut(picker.name(&places.operations))?["security"] = json!([{ "Key": [] }]);
        }
        Some(Worst(Behaviour))
    }),
    ("want credentials that the client does not have", |document, _, picker| {
        let other = json!([
            { "type": "http", "scheme": "basic" },
            { "type": "apiKey", "in": "query", "name": "key" },
            { "type": "oauth2", "flows": {} }
        ]);
        document["components"]["securitySchemes"]["BearerAuth"] = picker.of(other.as_array()?).clone();
        Some(Refused)
    }),
    ("answer something else than JSON", |document, places, picker| {
        let at = picker.name(&places.operations);
        let answer = success(document, at)?;
        let schema = answer["content"].as_object_mut()?.remove("application/json")?;
        answer["content"] = json!({ "text/csv": schema });
        Some(Worst(Compilation))
    }),
    ("answer nothing any more", |document, places, picker| {
        success(document, picker.name(&places.operations))?.as_object_mut()?.remove("content")?;
        Some(Worst(Compilation))
    }),
    ("give JSON another name", |document, places, picker| {
        let answer = success(document, picker.name(&places.operations))?;
        let schema = answer["content"].as_object_mut()?.remove("application/json")?;
        answer["content"] = json!({ "application/json; charset=utf-8": schema });
        Some(Worst(Additive))
    }),
    ("make a property of a request read-only", |document, places, picker| {
        let schema = component(document, picker.name(&places.sent));
        let name = property(schema, picker)?;
        let value = &mut schema["properties"][&name];
        (value.get("$ref").is_none() && value.get("readOnly").is_none()).then_some(())?;
        value["readOnly"] = json!(true);
        Some(Worst(Behaviour))
    }),
    ("require a header that nobody sends", |document, places, picker| {
        let operation = document.pointer_mut(picker.name(&places.operations))?.as_object_mut()?;
        let list = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut()?;
        list.retain(|parameter| parameter["name"] != "X-Correlation-ID");
        let header =
            json!({ "name": "X-Correlation-ID", "in": "header", "required": true, "schema": { "type": "string" } });
        list.push(header);
        Some(Worst(Behaviour))
    }),
    ("add a failure", |document, places, picker| {
        document.pointer_mut(picker.name(&places.operations))?["responses"]["418"] =
            json!({ "description": "I'm a teapot" });
        Some(Worst(Additive))
    }),
    ("take a header from an answer", |document, places, picker| {
        let answer = success(document, picker.name(&places.operations))?;
        let headers = answer["headers"].as_object_mut()?;
        let name = headers.keys().next()?.clone();
        headers.remove(&name);
        Some(Worst(Behaviour))
    }),
    ("deprecate an operation", |document, places, picker| {
        document.pointer_mut(picker.name(&places.operations))?["deprecated"] = json!(true);
        Some(Worst(Additive))
    }),
    ("rename the field of a form", |document, places, picker| {
        let body = document.pointer_mut(picker.name(&places.forms))?.get_mut("requestBody")?;
        let schema = body.pointer_mut("/content/multipart~1form-data/schema")?;
        let schema = match schema["$ref"].as_str().map(str::to_owned) {
            Some(reference) => document.pointer_mut(reference.strip_prefix('#')?)?,
            None => schema,
        };
        let properties = schema["properties"].as_object_mut()?;
        let name = properties.iter().find(|(_, schema)| schema["format"] == "binary")?.0.clone();
        let file = properties.remove(&name)?;
        properties.insert("whiskers".to_owned(), file);
        for other in required(schema)?.iter_mut().filter(|other| **other == json!(name)) {
            *other = json!("whiskers");
        }
        Some(Worst(Behaviour))
    }),
    ("send a patch of JSON", |document, places, picker| {
        let body = document.pointer_mut(picker.name(&places.operations))?.get_mut("requestBody")?;
        let schema = body["content"].as_object_mut()?.remove("application/json")?;
        body["content"] = json!({ "application/json-patch+json": schema });
        Some(Refused)
    }),
    ("say a default", |document, places, picker| match picker.below(3) {
        0 => {
            let parameter = document.pointer_mut(picker.name(&places.list_parameters))?.as_object_mut()?;
            for (key, value) in [("style", json!("form")), ("explode", json!(true)), ("allowReserved", json!(false))] {
                parameter.insert(key.to_owned(), value);
            }
            Some(Worst(Additive))
        }
        1 => {
            let schema = component(document, picker.name(&places.sent));
            let name = property(schema, picker)?;
            let value = schema["properties"].get_mut(&name)?;
            let key = if value["type"] == "array" { "minItems" } else { "minLength" };
            (["string", "array"].iter().any(|kind| value["type"] == *kind) && value.get(key).is_none()).then_some(())?;
            value[key] = json!(0);
            Some(Worst(Additive))
        }
        _ => {
            document.pointer_mut(picker.name(&places.operations))?["deprecated"] = json!(false);
            Some(Worst(Additive))
        }
    }),
    ("take a parameter of any kind", |document, places, picker| {
        document.pointer_mut(picker.name(&places.optional_parameters))?["schema"] =
            picker.of(&[json!({}), json!({ "enum": ["many", 4] }), json!({ "type": "array", "items": {} })]).clone();
        Some(Refused)
    }),
    ("close a circle", |document, places, picker| {
        let name = picker.name(&places.received).to_owned();
        let way = *picker.of(&["allOf", "oneOf", "anyOf"]);
        let schema = component(document, &name);
        *schema = json!({ way: [{ "type": "object" }, { "$ref": format!("#/components/schemas/{name}") }] });
        Some(Refused)
    }),
    ("contradict a type", |document, places, picker| {
        let schema = component(document, picker.name(&places.sent));
        schema["allOf"] = json!([{ "type": "string" }]);
        Some(Refused)
    }),
];

fn take(document: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(list) => drop(list.remove(key.parse().unwrap())),
        Value::Object(object) => drop(object.remove(key).unwrap()),
        other => panic!("{other}"),
    }
}

fn component<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    &mut document["components"]["schemas"][name]
}

fn property(schema: &Value, picker: &mut Picker) -> Option<String> {
    let names: Vec<&String> = schema["properties"].as_object()?.keys().collect();
    Some((*picker.of(&names)).clone())
}

fn required(schema: &mut Value) -> Option<&mut Vec<Value>> {
    schema.as_object_mut()?.entry("required").or_insert_with(|| json!([])).as_array_mut()
}

fn drop_property(document: &mut Value, name: &str, picker: &mut Picker) -> Option<Class> {
    let schema = component(document, name);
    let property = property(schema, picker)?;
    schema["properties"].as_object_mut()?.remove(&property);
    required(schema)?.retain(|name| *name != json!(property));
    Some(Worst(Compilation))
}

/// Lets a property be null that could not be.
fn allow_null(schema: &mut Value, picker: &mut Picker) -> Option<()> {
    let name = property(schema, picker)?;
    let value = schema["properties"].get_mut(&name)?;
    // A list of values that has null among them says so already.
    let lists_null = value["enum"].as_array().is_some_and(|values| values.contains(&Value::Null));
    (value.get("type").is_some() && value.get("nullable").is_none() && !lists_null).then_some(())?;
    value["nullable"] = json!(true);
    Some(())
}

fn limit(schema: &mut Value, picker: &mut Picker, limit: Value) -> Option<()> {
    let name = property(schema, picker)?;
    let value = schema["properties"].get_mut(&name)?;
    let key = match value["type"].as_str()? {
        "string" if value.get("enum").is_none() => "maxLength",
        "integer" => "maximum",
        "array" => "maxItems",
        _ => return None,
    };
    let widens = limit != json!(1);
    let low = ["minLength", "minimum", "minItems"].iter().any(|key| value.get(*key).is_some());
    ((widens || !low) && widens == value.get(key).is_some() && value.get(key) != Some(&limit)).then_some(())?;
    value[key] = limit;
    Some(())
}

fn success<'a>(document: &'a mut Value, operation: &str) -> Option<&'a mut Value> {
    let responses = document.pointer_mut(operation)?["responses"].as_object_mut()?;
    responses.iter_mut().find(|(status, _)| status.starts_with('2')).map(|(_, answer)| answer)
}

/// Where a mutation was judged otherwise than its class says.
#[derive(Default)]
struct Tally {
    breaking: usize,
    missed: Vec<String>,
    called: usize,
    wrongly: Vec<String>,
    other: Vec<String>,
    /// What import should have taken, or the generator.
    refused: Vec<String>,
    kinds: BTreeMap<&'static str, usize>,
    slowest: (Duration, &'static str),
}

impl Tally {
    fn is_right(&self, count: usize) {
        assert!(self.refused.is_empty(), "wrongly refused: {:#?}", self.refused);
        assert!(self.missed.is_empty(), "missed: {:#?}", self.missed);
        assert!(self.wrongly.len() * 20 <= self.called, "wrongly called breaking: {:#?}", self.wrongly);
        assert!(self.other.len() * 20 <= count, "of another class: {:#?}", self.other);
        assert!(self.kinds.len() == MUTATIONS.len() || count < MUTATIONS.len(), "{:?}", self.kinds);
    }
}

#[test]
fn mutations_of_known_class_are_classified() {
    let asked: Option<usize> = std::env::var("CINTX_MUTATIONS").ok().map(|count| count.parse().unwrap());
    let count = asked.unwrap_or(IN_CI);
    let (date, text) = documents().pop().unwrap();
    // Parameters and answers stand in place, so that each mutation is of one operation.
    let original: Value = serde_json::from_str(&text).unwrap();
    let mut document = view::prepared(&original);
    // The headers of answers are referred to still.
    document["components"]["headers"] = original["components"]["headers"].clone();
    let places = Places::of(&document);
    // What they change at import stands in the document already, and elsewhere since parameters are in place.
    let overlays = Overlays::default();
    let notes = Notes::read(&repository()).unwrap();
    let unchanged = crate::import::import("unchanged.json", &document.to_string(), None, &overlays);
    assert!(unchanged.is_ok(), "what is refused would not be for its mutation: {unchanged:?}");
    let mut picker = Picker(u64::try_from(count).unwrap());
    let mut tally = Tally::default();
    let mut parts = Vec::new();
    let mut at = 0;
    while tally.kinds.values().sum::<usize>() < count {
        let (name, mutate) = MUTATIONS[at % MUTATIONS.len()];
        at += 1;
        let found = (0..100).find_map(|_| {
            let mut mutated = document.clone();
            mutate(&mut mutated, &places, &mut picker).map(|class| (mutated, class))
        });
        let (mutated, class) = found.unwrap_or_else(|| panic!("no place fits {name}"));
        let first = !tally.kinds.contains_key(name);
        *tally.kinds.entry(name).or_default() += 1;
        let start = Instant::now();
        judge(name, class, (&date, &document, &mutated), &mut tally);
        // One in ten is imported, too; the first of each kind goes the whole way.
        if asked.is_some() && (first || at % 10 == 0) || class == Refused {
            let imported = crate::import::import("mutated.json", &mutated.to_string(), None, &overlays);
            match (class, imported) {
                (Refused, Ok(_)) => panic!("{name} is taken"),
                (Refused, Err(problems)) => {
                    assert!(problems.list().iter().all(|problem| !problem.pointer.is_empty()), "{name}: {problems}");
                }
                (Worst(_), Err(problems)) => tally.refused.push(format!("{name}: {problems}")),
                (Worst(_), Ok(imported)) if first => {
                    match whole_way(name, (&date, &document, &mutated), &imported.document, &notes) {
                        Ok(part) => parts.extend(part),
                        Err(error) => tally.refused.push(format!("{name}, by the generator: {error}")),
                    }
                }
                _ => {}
            }
        }
        tally.slowest = tally.slowest.max((start.elapsed(), name));
        assert!(start.elapsed() < HANG, "{name} takes {:?}", start.elapsed());
    }
    println!(
        "{count} mutations of {} kinds: {} break, {} of them missed; {} called breaking, {} of them wrongly; {} of another class; the slowest took {:?}",
        tally.kinds.len(),
        tally.breaking,
        tally.missed.len(),
        tally.called,
        tally.wrongly.len(),
        tally.other.len(),
        tally.slowest
    );
    tally.is_right(count);
    if asked.is_some() {
        let start = Instant::now();
        let called = wire::compile_and_call(&date, &parts);
        println!("{} kinds compiled and called, {called} operations, in {:.0?}", parts.len(), start.elapsed());
    }
}

/// What the generator refuses with a place, in these words: nothing that is generated would call it rightly.
const NOT_GENERATED: [(&str, &str); 2] = [
    ("name another host", "a host that the seam does not know"),
    ("name another host", "see `host` in openapi/supplement.toml"),
];

/// Generates a document as import has left it, and of it the operations that the mutation touches.
/// What is sent and read is held against the document before import.
fn whole_way(
    name: &'static str,
    (date, old, mutated): (&str, &Value, &Value),
    imported: &Value,
    notes: &Notes,
) -> Result<Option<Part>, String> {
    if let Err(error) = regen::make_of(date, imported, notes) {
        let error = format!("{error:#}");
        let is_known = NOT_GENERATED.iter().any(|(kind, words)| *kind == name && error.contains(words));
        return if is_known && error.contains("  /") { Ok(None) } else { Err(error) };
    }
    let touched = part::touched(old, mutated);
    // What is dropped cannot be called; what remains must stay as it was.
    assert!(!touched.is_empty() || name == "drop an operation", "{name} touches no operation");
    let others = part::touched(&json!({}), mutated);
    let kept = touched.into_iter().chain(others).take(wire::MOST).collect();
    let files = part::files(date, imported, notes, &kept).map_err(|error| format!("cut down: {error:#}"))?;
    Ok(Some(Part { name, files, document: part::only(mutated, &kept) }))
}

fn judge(name: &str, class: Class, (date, old, new): (&str, &Value, &Value), tally: &mut Tally) {
    let Worst(expected) = class else { return };
    let difference = between_prepared((date, old), ("mutated", new));
    let worst = difference.changes.iter().map(super::super::Change::worst).min();
    let shown = || {
        let changes: Vec<String> =
            difference.changes.iter().map(|change| format!("{}: {}", change.subject, change.what)).collect();
        format!("{name} should be {expected:?}, is {worst:?}: {changes:?}")
    };
    let (should, is) = (expected != Additive, difference.breaks());
    tally.breaking += usize::from(should);
    tally.called += usize::from(is);
    match (should, is) {
        (true, false) => tally.missed.push(shown()),
        (false, true) => tally.wrongly.push(shown()),
        _ if worst.unwrap_or(Additive) != expected => tally.other.push(shown()),
        _ => {}
    }
}
