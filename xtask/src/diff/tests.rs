//! The comparison on small documents, a change at a time, and on the real ones.
//! `mutations` and `unions` change the real documents in ways whose class is known; `wire` calls what comes of it.

mod mutations;
mod unions;
mod wire;

use serde_json::{Value, json};

use super::{Difference, Effect, Format, Policy, Sides, between};
use crate::fixture::{DATE, KENNELS, Temporary, documents, repository};

/// The small document as it is imported.
fn kennels() -> Value {
    let overlays = crate::document::overlay::Overlays::default();
    crate::import::import("kennels.yaml", KENNELS, None, &overlays).unwrap().document
}

fn run(
    workspace: &crate::workspace::Workspace,
    old: &str,
    new: &str,
    format: Format,
) -> anyhow::Result<(String, bool)> {
    super::run(workspace, &Sides { old, new, date: None }, format)
}

fn diff(edit: impl FnOnce(&mut Value)) -> Difference {
    let old = kennels();
    let mut new = old.clone();
    edit(&mut new);
    between(("old", &old), ("new", &new))
}

/// Subject, what, worst effect and policy of the only change.
fn only(edit: impl FnOnce(&mut Value)) -> (String, String, Effect, Policy) {
    let difference = diff(edit);
    let [change] = difference.changes.as_slice() else { panic!("{:#?}", difference.changes) };
    (change.subject.clone(), change.what.clone(), change.worst(), change.policy)
}

fn schema<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    &mut document["components"]["schemas"][name]
}

fn get_dogs(document: &mut Value) -> &mut Value {
    &mut document["paths"]["/kennels/{kennel_id}/dogs"]["get"]
}

#[test]
fn a_document_is_the_same_as_itself() {
    let difference = diff(|_| ());
    assert!(difference.changes.is_empty() && !difference.breaks());
    assert_eq!(difference.summary(), "old and new are the same");
    for (date, text) in documents() {
        let document: Value = serde_json::from_str(&text).unwrap();
        assert!(between((&date, &document), (&date, &document)).changes.is_empty(), "{date}");
    }
}

#[test]
fn the_same_change_breaks_what_is_sent_and_not_what_comes_back() {
    // `Failure` is only read on failure, `DogList` only comes back, `Dog` goes both ways.
    let (subject, what, effect, policy) = only(|document| {
        schema(document, "DogList")["properties"]["total"] = json!({ "type": "integer" });
    });
    assert_eq!(
        (subject.as_str(), what.as_str(), effect, policy),
        ("DogList.total", "is new", Effect::Additive, Policy::Additive)
    );
    let difference = diff(|document| schema(document, "Dog")["required"] = json!(["name", "food", "age"]));
    let found: Vec<(&str, Effect)> =
        difference.changes.iter().map(|change| (change.what.as_str(), change.worst())).collect();
    assert_eq!(found, [("is required now", Effect::Compilation), ("is always there now", Effect::Additive)]);
    let (_, what, effect, _) = only(|document| schema(document, "DogList")["required"] = json!(["dogs"]));
    assert_eq!((what.as_str(), effect), ("is always there now", Effect::Additive));
    let difference = diff(|document| {
        schema(document, "Dog")["properties"]["chip"] = json!({ "type": "string" });
        schema(document, "Dog")["required"] = json!(["name", "food", "chip"]);
    });
    let found: Vec<(&str, Effect, Policy)> =
        difference.changes.iter().map(|change| (change.what.as_str(), change.worst(), change.policy)).collect();
    assert_eq!(
        found,
        [
            ("is new and required", Effect::Compilation, Policy::Breaking),
            ("is new", Effect::Additive, Policy::Additive)
        ]
    );
}

#[test]
fn types_values_and_limits_have_their_effects() {
    let difference = diff(|document| schema(document, "Dog")["properties"]["age"] = json!({ "type": "string" }));
    let [change] = difference.changes.as_slice() else { panic!("{:#?}", difference.changes) };
    assert_eq!(change.what, "is text and was a whole number");
    assert!(change.effects.contains(&Effect::Decoding) && change.effects.contains(&Effect::Compilation));
    assert_eq!(change.operations.len(), 2, "{:?}", change.operations);

    let (_, what, effect, policy) =
        only(|document| schema(document, "Mood")["enum"] = json!(["calm", "playful", "sad"]));
    assert_eq!((what.as_str(), effect, policy), ("the value \"sad\" is new", Effect::Additive, Policy::Additive));
    let (_, what, effect, _) = only(|document| schema(document, "Name")["maxLength"] = json!(20));
    assert_eq!((what.as_str(), effect), ("maxLength is 20 and was 40", Effect::Behaviour));
    let (_, _, effect, _) = only(|document| schema(document, "Name")["maxLength"] = json!(80));
    assert_eq!(effect, Effect::Additive);
}

/// `Dog` with a union beside its properties.
fn with_union(edit: impl FnOnce(&mut Value)) -> Difference {
    let mut old = kennels();
    let branch = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } } });
    schema(&mut old, "Dog")["anyOf"] = json!([branch("chip"), branch("tattoo")]);
    schema(&mut old, "Dog")["properties"]["coat"] = json!({ "type": "string", "enum": ["long", "short", "wire"] });
    let mut new = old.clone();
    edit(schema(&mut new, "Dog"));
    between(("old", &old), ("new", &new))
}

#[test]
fn what_stands_beside_a_union_is_compared_too() {
    let said = |difference: &Difference| -> Vec<String> {
        difference.changes.iter().map(|change| format!("{}: {}", change.subject, change.what)).collect()
    };
    let lost = with_union(|dog| dog["properties"]["coat"]["enum"] = json!(["long", "short"]));
    assert_eq!(said(&lost), ["Dog.coat: the value \"wire\" is gone"]);
    let gone = with_union(|dog| drop(dog["properties"].as_object_mut().unwrap().remove("coat")));
    assert_eq!(said(&gone), ["Dog.coat: is gone"]);
    let retyped = with_union(|dog| dog["properties"]["coat"] = json!({ "type": "boolean" }));
    assert_eq!(said(&retyped), ["Dog.coat: is a flag and was an enum"]);
    let added = with_union(|dog| dog["properties"]["tail"] = json!({ "type": "string" }));
    assert_eq!(said(&added), ["Dog.tail: is new"]);
    // What is required beside the union is a property of its branches.
    let demanded = with_union(|dog| dog["required"].as_array_mut().unwrap().push(json!("chip")));
    let [change, ..] = demanded.changes.as_slice() else { panic!("nothing is found") };
    assert!(
        change.worst() == Effect::Compilation && said(&demanded)[0].contains("chip: is required now"),
        "{change:?}"
    );
}

#[test]
fn a_first_property_beside_a_union_is_new_and_no_other_type() {
    let branch = json!({ "type": "object", "properties": { "chip": { "type": "string" } } });
    let mut old = kennels();
    *schema(&mut old, "DogList") = json!({ "type": "object", "anyOf": [branch] });
    let mut new = old.clone();
    schema(&mut new, "DogList")["properties"] = json!({ "total": { "type": "integer" } });
    let difference = between(("old", &old), ("new", &new));
    let [change] = difference.changes.as_slice() else { panic!("{:#?}", difference.changes) };
    assert_eq!((change.subject.as_str(), change.what.as_str()), ("DogList.total", "is new"));
}

#[test]
fn other_credentials_are_found_and_another_name_for_the_same_ones_is_none() {
    let scheme = |document: &mut Value, scheme: Value| {
        document["components"]["securitySchemes"]["Bearer"] = scheme;
    };
    let found = only(|document| scheme(document, json!({ "type": "http", "scheme": "basic" })));
    assert_eq!(
        (found.1.as_str(), found.2, found.3),
        ("all operations want other credentials", Effect::Behaviour, Policy::Breaking)
    );
    let difference =
        diff(|document| scheme(document, json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" })));
    assert!(difference.changes.is_empty(), "{:#?}", difference.changes);
    let difference = diff(|document| {
        document["components"]["securitySchemes"] = json!({ "Token": { "type": "http", "scheme": "bearer" } });
        document["security"] = json!([{ "Token": [] }]);
    });
    assert!(difference.changes.is_empty(), "{:#?}", difference.changes);
    let (subject, what, ..) = only(|document| {
        document["components"]["securitySchemes"]["Key"] =
            json!({ "type": "apiKey", "in": "header", "name": "Authorization" });
        get_dogs(document)["security"] = json!([{ "Key": [] }]);
    });
    assert_eq!((subject.as_str(), what.as_str()), ("list_dogs", "wants other credentials"));
}

#[test]
fn a_new_rule_for_what_is_sent_is_breaking_by_the_policy() {
    // `Name` goes both ways.
    let (_, what, effect, policy) = only(|document| schema(document, "Name")["pattern"] = json!("^[A-Z]"));
    assert_eq!(
        (what.as_str(), effect, policy),
        ("pattern is `\"^[A-Z]\"` and was none", Effect::Behaviour, Policy::Breaking)
    );
    let difference = diff(|document| {
        let size = &mut document["components"]["parameters"]["PageSize"]["schema"];
        *size = json!({ "type": "integer", "enum": [10, 20] });
    });
    let listed = difference.changes.iter().find(|change| change.what.starts_with("takes only")).unwrap();
    assert_eq!((listed.worst(), listed.policy), (Effect::Behaviour, Policy::Breaking));
    let (.., policy) = only(|document| schema(document, "DogList")["properties"]["dogs"]["maxItems"] = json!(3));
    assert_eq!(policy, Policy::Unlisted, "nobody has to keep a rule of what comes back");
}

/// A limit beside a reference is the place's own, whatever changes in what it refers to.
#[test]
fn what_stands_beside_a_reference_is_compared_too() {
    let mut old = kennels();
    let named = |limit: i32| json!({ "allOf": [{ "$ref": "#/components/schemas/Name" }], "minLength": limit });
    schema(&mut old, "Dog")["properties"]["nickname"] = named(1);
    let mut new = old.clone();
    schema(&mut new, "Dog")["properties"]["nickname"] = named(5);
    schema(&mut new, "Name")["maxLength"] = json!(20);
    let difference = between(("old", &old), ("new", &new));
    let said: Vec<String> =
        difference.changes.iter().map(|change| format!("{}: {}", change.subject, change.what)).collect();
    for line in ["Dog.nickname: minLength is 5 and was 1", "Name: maxLength is 20 and was 40"] {
        assert!(said.iter().any(|said| said == line), "{line}: {said:?}");
    }
    assert!(!said.iter().any(|said| said.starts_with("Name: minLength")), "{said:?}");
}

#[test]
fn a_change_counts_for_each_of_its_effects() {
    let difference = diff(|document| {
        schema(document, "DogList")["properties"]["dogs"] = json!({ "type": "string" });
        schema(document, "Name")["maxLength"] = json!(20);
    });
    assert_eq!(
        difference.summary(),
        "old to new: 1 break compilation, 1 break decoding, 1 change behaviour, 0 are additive"
    );
    let text = super::print::print(&difference, Format::Text).unwrap();
    let section = text.split("Breaks decoding:").nth(1).unwrap_or_else(|| panic!("{text}"));
    assert!(section.trim_start().starts_with("DogList.dogs: is text and was a list"), "{text}");
    let entry = crate::changelog::entry(&difference);
    assert!(entry.contains("  - Releases that are out cannot read: `DogList.dogs`"), "{entry}");
}

#[test]
fn renames_are_recognised_with_their_evidence() {
    let difference = diff(|document| {
        let properties = schema(document, "Wet")["properties"].as_object_mut().unwrap();
        let tins = properties.remove("tins").unwrap();
        properties.insert("number_of_tins".to_owned(), tins);
    });
    let [change] = difference.changes.as_slice() else { panic!("{:#?}", difference.changes) };
    assert_eq!(change.what, "`tins` is called `number_of_tins` now");
    assert!(change.evidence.iter().any(|reason| reason.contains("`tins`")), "{:?}", change.evidence);

    let difference = diff(|document| {
        let paths = document["paths"].as_object_mut().unwrap();
        let item = paths.remove("/kennels/{kennel_id}/dogs/{dog_id}").unwrap();
        paths.insert("/v3/kennels/{kennel_id}/dogs/{dog_id}".to_owned(), item);
    });
    let [change] = difference.changes.as_slice() else { panic!("{:#?}", difference.changes) };
    assert!(change.what.starts_with("is at DELETE /v3/kennels"), "{}", change.what);
    assert!(change.evidence.iter().any(|reason| reason.contains("but for its version")));
    assert!(difference.lost.is_empty());
}

/// What an answer said of itself stands in an object of its own now: neither date is the new one.
#[test]
fn what_was_moved_into_an_object_has_no_new_name() {
    let mut old = kennels();
    let day = json!({ "type": "string", "format": "date" });
    let both = json!({ "start_date": day, "end_date": day });
    schema(&mut old, "DogList")["properties"] = both.clone();
    let mut new = old.clone();
    let asked = json!({ "type": "object", "properties": both });
    schema(&mut new, "DogList")["properties"] = json!({ "create_date": day, "params": asked });
    let difference = between(("old", &old), ("new", &new));
    let said: Vec<String> =
        difference.changes.iter().map(|change| format!("{}: {}", change.subject, change.what)).collect();
    assert_eq!(
        said,
        [
            "DogList.end_date: is gone",
            "DogList.start_date: is gone",
            "DogList.create_date: is new",
            "DogList.params: is new"
        ]
    );
    // A date is no time, and a name alone does not make it one.
    schema(&mut new, "DogList")["properties"] =
        json!({ "start_date": day, "end_at": { "type": "string", "format": "date-time" } });
    let difference = between(("old", &old), ("new", &new));
    assert!(difference.changes.iter().all(|change| !change.what.contains("is called")), "{:#?}", difference.changes);
}

#[test]
fn a_rename_that_is_certain_in_one_place_is_one_in_others() {
    let text = json!({ "type": "string" });
    let mut old = kennels();
    schema(&mut old, "Wet")["properties"]["order_number"] = text.clone();
    schema(&mut old, "Dry")["properties"]["order_number"] = text.clone();
    let mut new = old.clone();
    for name in ["Wet", "Dry"] {
        let properties = schema(&mut new, name)["properties"].as_object_mut().unwrap();
        properties.remove("order_number");
        properties.insert("reference_number".to_owned(), text.clone());
    }
    schema(&mut new, "Dry")["properties"]["shape"] = text.clone();
    let difference = between(("old", &old), ("new", &new));
    let renamed: Vec<&str> = difference
        .changes
        .iter()
        .filter(|change| change.what == "`order_number` is called `reference_number` now")
        .map(|change| change.subject.as_str())
        .collect();
    assert_eq!(renamed.len(), 2, "{:#?}", difference.changes);
}

#[test]
fn of_several_new_parameters_the_likeliest_takes_the_place() {
    let parameter = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    let mut old = kennels();
    get_dogs(&mut old)["parameters"].as_array_mut().unwrap().push(parameter("filling_goal_range"));
    let mut new = old.clone();
    let list = get_dogs(&mut new)["parameters"].as_array_mut().unwrap();
    list.pop();
    list.extend(["completes_goal", "completes_goal_range"].map(parameter));
    let difference = between(("old", &old), ("new", &new));
    let said: Vec<String> =
        difference.changes.iter().map(|change| format!("{}: {}", change.subject, change.what)).collect();
    assert_eq!(
        said,
        [
            "list_dogs, query parameter `filling_goal_range`: is called `completes_goal_range` now",
            "list_dogs, query parameter `completes_goal`: is new"
        ]
    );
}

/// A document may say what holds anyway.
#[test]
fn a_default_that_is_said_is_no_change() {
    let difference = diff(|document| {
        for (key, value) in [("style", json!("form")), ("explode", json!(true)), ("allowReserved", json!(false))] {
            get_dogs(document)["parameters"][1][key] = value;
        }
        schema(document, "Dog")["properties"]["age"]["exclusiveMinimum"] = json!(false);
        schema(document, "Dog")["properties"]["age"]["readOnly"] = json!(false);
        schema(document, "DogList")["properties"]["dogs"]["minItems"] = json!(0);
        schema(document, "DogList")["properties"]["dogs"]["uniqueItems"] = json!(false);
    });
    assert!(difference.changes.is_empty(), "{:#?}", difference.changes);
    let (_, what, effect, _) = only(|document| get_dogs(document)["parameters"][1]["explode"] = json!(false));
    assert_eq!((what.as_str(), effect), ("explode has changed", Effect::Behaviour));
    let (_, what, effect, _) = only(|document| schema(document, "Name")["minLength"] = json!(0));
    assert_eq!((what.as_str(), effect), ("minLength is none and was 1", Effect::Additive));
}

#[test]
fn a_finer_step_takes_what_the_coarser_one_took() {
    let with_step = |step: f64| {
        let mut document = kennels();
        schema(&mut document, "Dry")["properties"]["weight"] = json!({ "type": "number", "multipleOf": step });
        document
    };
    for (was, is, effect) in [
        (0.01, 0.001, Effect::Additive),
        (0.01, 0.1, Effect::Behaviour),
        (10.0, 5.0, Effect::Additive),
        (10.0, 4.0, Effect::Behaviour),
    ] {
        let difference = between(("old", &with_step(was)), ("new", &with_step(is)));
        assert_eq!(difference.changes.iter().map(super::Change::worst).min(), Some(effect), "{was} to {is}");
    }
}

#[test]
fn what_json_is_called_is_a_part_of_the_request() {
    let renamed = |document: &mut Value, media: &str| {
        let body = &mut document["paths"]["/kennels/{kennel_id}/dogs"]["post"]["requestBody"];
        let content = body["content"]["application/json"].clone();
        body["content"] = json!({ media: content });
    };
    let (subject, what, effect, policy) = only(|document| renamed(document, "application/json-patch+json"));
    assert_eq!((subject.as_str(), what.as_str()), ("add_dog, request body", "is of another media type"));
    assert_eq!((effect, policy), (Effect::Behaviour, Policy::Breaking));
    assert!(diff(|document| renamed(document, "application/json; charset=utf-8")).changes.is_empty());
}

#[test]
fn the_fields_of_a_form_are_compared() {
    let with_form = |properties: Value| {
        let mut document = kennels();
        document["paths"]["/kennels/{kennel_id}/dogs"]["post"]["requestBody"]["content"] =
            json!({ "multipart/form-data": { "schema": { "type": "object", "properties": properties } } });
        document
    };
    let file = json!({ "type": "string", "format": "binary" });
    let old = with_form(json!({ "photo": file }));
    for (properties, what, effect) in [
        (json!({ "picture": file }), "the file `photo` is called `picture` now", Effect::Behaviour),
        (json!({ "photo": file, "note": {} }), "the field `note`, which is not sent, is new", Effect::Additive),
    ] {
        let difference = between(("old", &old), ("new", &with_form(properties)));
        let [change] = difference.changes.as_slice() else { panic!("{:#?}", difference.changes) };
        assert_eq!((change.what.as_str(), change.worst()), (what, effect));
    }
}

#[test]
fn operations_and_parameters_come_and_go() {
    let difference = diff(|document| {
        document["paths"].as_object_mut().unwrap().remove("/kennels/{kennel_id}/dogs/{dog_id}");
    });
    assert_eq!(difference.lost, ["release_dog"]);
    assert_eq!(difference.count(Effect::Compilation), 1);
    let parameter =
        |required: bool| json!({ "name": "size", "in": "query", "required": required, "schema": { "type": "string" } });
    let add = |required: bool| {
        only(|document| get_dogs(document)["parameters"].as_array_mut().unwrap().push(parameter(required)))
    };
    assert_eq!(add(false).2, Effect::Additive);
    assert_eq!(add(true).2, Effect::Compilation);
    let first = only(|document| {
        let list = document["paths"]["/kennels/{kennel_id}/dogs"]["post"]["parameters"].as_array_mut().unwrap();
        list.push(parameter(false));
    });
    assert_eq!((first.1.as_str(), first.2, first.3), ("is new", Effect::Additive, Policy::Additive));
    let (_, what, effect, _) = only(|document| document["servers"][0]["url"] = json!("https://cats.example"));
    assert_eq!((what.as_str(), effect), ("all operations are served by another host", Effect::Behaviour));
}

#[test]
fn the_real_steps_have_what_is_known_of_them() {
    let real: Vec<(String, Value)> =
        documents().into_iter().map(|(date, text)| (date, serde_json::from_str(&text).unwrap())).collect();
    let step = |from: usize| between((&real[from].0, &real[from].1), (&real[from + 1].0, &real[from + 1].1));
    let has = |difference: &Difference, what: &str| difference.changes.iter().any(|change| change.what.contains(what));
    let second = step(1);
    assert!(has(&second, "`filling_goal` is called `completes_goal` now"));
    assert!(second.moved.len() > 3, "{:?}", second.moved);
    assert!(second.lost.iter().any(|id| id == "create_global_allocation_template"), "{:?}", second.lost);
    assert!(step(0).breaks());
    for difference in [step(0), second] {
        insta::assert_snapshot!(
            format!("{}-to-{}", difference.old, difference.new),
            super::print::print(&difference, Format::Text).unwrap()
        );
    }
}

#[test]
fn the_command_takes_dates_and_files_and_prints_three_ways() {
    let at = Temporary::with_kennels();
    let file = at.download("newer.yaml", KENNELS.replace("[calm, playful]", "[calm, sleepy]"));
    let newer = file.to_str().unwrap();
    let (text, breaks) = run(&at.workspace, DATE, newer, Format::Text).unwrap();
    assert!(breaks && text.contains("Breaks compilation:\n  Mood: the value \"playful\" is gone"), "{text}");
    let (md, _) = run(&at.workspace, DATE, newer, Format::Md).unwrap();
    assert!(md.contains("## Additive\n\n- `Mood`: the value \"sleepy\" is new"), "{md}");
    let (json, _) = run(&at.workspace, DATE, newer, Format::Json).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["changes"][0]["effects"], json!(["compilation"]));
    assert!(!run(&at.workspace, DATE, DATE, Format::Text).unwrap().1);
    let error = run(&at.workspace, DATE, "2001-01-01", Format::Text).unwrap_err().to_string();
    assert_eq!(error, "2001-01-01 is neither an imported version (2031-05-06) nor a file");
    // A document that says no date of its own is given one.
    let undated = at.download("undated.yaml", KENNELS.replace("2031-05-06T00:00:00Z", "next"));
    let file = undated.to_str().unwrap();
    let error = run(&at.workspace, DATE, file, Format::Text).unwrap_err().to_string();
    assert!(error.contains("--as DATE"), "{error}");
    let sides = Sides { old: DATE, new: file, date: Some(DATE) };
    assert!(!super::run(&at.workspace, &sides, Format::Text).unwrap().1);
    assert!(run(&repository(), "2024-12-02", "2025-02-17", Format::Text).unwrap().1);
}
