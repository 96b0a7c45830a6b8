//! What changed between the operations of two documents: gone, new, moved, and what each takes and answers.
//! Operations are the same by method and path; of the rest, those with enough evidence are one that moved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::rename::{self, Candidate};
use super::schemas::{Changes, Place, Role, Slot};
use super::view::{View, component};
use super::{Effect, Policy};
use crate::document::tree::{self, Object, escape, essence, operations};
use crate::regen::{canonical_id, is_client_header, is_never_sent, is_uniform, shared_ids};

const BREAKS: &[Effect] = &[Effect::Compilation];
const OTHERWISE: &[Effect] = &[Effect::Behaviour];
const ADDS: &[Effect] = &[Effect::Additive];

/// Where the schema of a form is in a request body.
const FORM: &str = "/content/multipart~1form-data/schema";

/// One operation of one document.
#[derive(Clone, Copy)]
struct Operation<'a> {
    document: &'a Value,
    path: &'a str,
    method: &'static str,
    item: &'a Object,
    body: &'a Object,
}

/// What became of the operations.
pub(super) struct Found {
    pub(super) lost: Vec<String>,
    pub(super) moved: BTreeMap<String, String>,
}

/// The operations of a document by the id that the SDK gives them.
fn listed(document: &Value) -> BTreeMap<String, Operation<'_>> {
    let shared = shared_ids(document);
    operations(document)
        .map(|(path, method, item, body)| {
            let id = body.get("operationId").and_then(Value::as_str).unwrap_or_default();
            (canonical_id(id, path, &shared), Operation { document, path, method, item, body })
        })
        .collect()
}

pub(super) fn compare<'a>(old: &'a Value, new: &'a Value, changes: &mut Changes<'a>) -> Found {
    let (before, after) = (listed(old), listed(new));
    let key = |operation: &Operation<'_>| (operation.method, without_names(operation.path));
    let by_key: BTreeMap<_, &str> = after.iter().map(|(id, operation)| (key(operation), id.as_str())).collect();
    let mut pairs: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for (id, operation) in &before {
        if let Some(other) = by_key.get(&key(operation)) {
            pairs.push((id, other, Vec::new()));
        }
    }
    let taken = |id: &str, side: usize, pairs: &[(&str, &str, Vec<String>)]| {
        pairs.iter().any(|pair| if side == 0 { pair.0 == id } else { pair.1 == id })
    };
    let gone: Vec<&str> = before.keys().map(String::as_str).filter(|id| !taken(id, 0, &pairs)).collect();
    let added: Vec<&str> = after.keys().map(String::as_str).filter(|id| !taken(id, 1, &pairs)).collect();
    let judge = |old: &str, new: &str| succession(old, &before[old], new, &after[new]);
    let moved = rename::pairs(&gone, &added, &judge);
    let mut found = Found { lost: Vec::new(), moved: BTreeMap::new() };
    for (old, new, evidence) in moved {
        let (was, is) = (&before[old], &after[new]);
        found.moved.insert(old.to_owned(), new.to_owned());
        let place = Place::operation(new, "");
        let what = format!("is at {} {} and was at {} {}", upper(is), is.path, upper(was), was.path);
        changes.report_with(&place, what, OTHERWISE, Policy::Breaking, evidence.clone());
        pairs.push((old, new, evidence));
    }
    for id in gone.into_iter().filter(|id| !taken(id, 0, &pairs)) {
        let operation = &before[id];
        let place = Place::operation(id, "");
        changes.report(&place, format!("{} {} is gone", upper(operation), operation.path), BREAKS, Policy::Breaking);
        found.lost.push(id.to_owned());
    }
    for id in added.into_iter().filter(|id| !taken(id, 1, &pairs)) {
        let operation = &after[id];
        let place = Place::operation(id, "");
        changes.report(&place, format!("{} {} is new", upper(operation), operation.path), ADDS, Policy::Additive);
    }
    for (old, new, _) in &pairs {
        one(&before[*old], &after[*new], (old, new), changes);
    }
    changes.roles();
    whole(old, new, changes);
    found
}

fn upper(operation: &Operation<'_>) -> String {
    operation.method.to_uppercase()
}

/// A path whose parameters have no names: those are no part of the request.
fn without_names(path: &str) -> String {
    let blank = |word: &str| if word.starts_with('{') { "{}".to_owned() } else { word.to_owned() };
    path.split('/').map(blank).collect::<Vec<_>>().join("/")
}

fn without_version(path: &str) -> String {
    let is_version = |word: &&str| {
        word.strip_prefix('v')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    without_names(&path.split('/').filter(|word| !is_version(word)).collect::<Vec<_>>().join("/"))
}

/// The evidence that one operation succeeds another; nothing where there is too little.
fn succession(old_id: &str, old: &Operation<'_>, new_id: &str, new: &Operation<'_>) -> Vec<String> {
    if old.method != new.method {
        return Vec::new();
    }
    let mut evidence = Vec::new();
    let mut score = 0;
    if old_id == new_id {
        score += 3;
        evidence.push(format!("both are `{old_id}`"));
    }
    if without_version(old.path) == without_version(new.path) {
        score += 3;
        evidence.push("the path is the same but for its version".to_owned());
    } else if old.path.rsplit('/').next() == new.path.rsplit('/').next() {
        score += 1;
        evidence.push("the path ends alike".to_owned());
    }
    let (old_sent, old_received) = (sent_component(old), received_component(old));
    let (new_sent, new_received) = (sent_component(new), received_component(new));
    for (what, was, is) in [("what is sent", old_sent, new_sent), ("what comes back", old_received, new_received)] {
        if let (Some(was), Some(is)) = (was, is)
            && was == is
        {
            score += 1;
            evidence.push(format!("{what} is `{is}`"));
        }
    }
    let shared = rename::shared_words(old_id, new_id);
    if old_id != new_id && shared.len() > 1 {
        score += 1;
        evidence.push(format!("both ids have `{}`", shared.join("`, `")));
    }
    if score >= 3 { evidence } else { Vec::new() }
}

fn sent_component<'a>(operation: &Operation<'a>) -> Option<&'a str> {
    component(json_of(operation.body.get("requestBody")?)?)
}

fn received_component<'a>(operation: &Operation<'a>) -> Option<&'a str> {
    component(json_of(success(operation)?.1)?)
}

/// The schema of the JSON that a body or an answer holds.
fn json_of(body: &Value) -> Option<&Value> {
    tree::json_of(body.get("content")?.as_object()?)?.1.get("schema")
}

/// The name under which JSON is sent or comes, its parameters aside.
fn json_name(body: &Value) -> Option<String> {
    tree::json_of(body.get("content")?.as_object()?).map(|(media, _)| essence(media))
}

fn media(body: Option<&Value>) -> BTreeSet<&str> {
    let content = body.and_then(|body| body.get("content")).and_then(Value::as_object);
    content.into_iter().flat_map(Object::keys).map(String::as_str).collect()
}

fn success<'a>(operation: &Operation<'a>) -> Option<(&'a str, &'a Value)> {
    let responses = operation.body.get("responses")?.as_object()?;
    responses.iter().find(|(status, _)| status.starts_with('2')).map(|(status, answer)| (status.as_str(), answer))
}

/// Everything about one operation that both documents have.
fn one<'a>(old: &Operation<'a>, new: &Operation<'a>, ids: (&str, &str), changes: &mut Changes<'a>) {
    let place = Place::operation(ids.1, "");
    if ids.0 != ids.1 {
        changes.report(&place, format!("the method is `{}` and was `{}`", ids.1, ids.0), BREAKS, Policy::Unlisted);
    }
    let deprecated = |operation: &Operation<'_>| operation.body.get("deprecated") == Some(&Value::Bool(true));
    if !deprecated(old) && deprecated(new) {
        changes.report(&place, "is deprecated now", ADDS, Policy::Unlisted);
    }
    for (key, what) in [("servers", "is served by another host"), ("security", "wants other credentials")] {
        let own = |operation: &Operation<'a>| {
            let own = operation.body.get(key).or_else(|| operation.item.get(key));
            own.map(|value| told(operation.document, key, value))
        };
        let effective = |operation: &Operation<'a>| {
            own(operation).or_else(|| operation.document.get(key).map(|value| told(operation.document, key, value)))
        };
        // What the whole document says is reported once.
        if own(old) != own(new) && effective(old) != effective(new) {
            changes.report(&place, what, OTHERWISE, Policy::Breaking);
        }
    }
    parameters(old, new, ids.1, changes);
    request_body(old, new, ids.1, changes);
    answer(old, new, ids.1, changes);
}

/// Place and name of a parameter.
type Key = (String, String);

/// Whether a parameter is a required argument or a field of the method's struct, and nothing that all methods have.
fn is_plain((place, name): &Key) -> bool {
    let sent_by_client = place == "header" && is_client_header(name);
    !(sent_by_client || is_uniform(place, name))
}

/// The evidence that one parameter is another one under a new name, where these are all that is gone and new.
fn successor<'a>(
    (old_key, old): (&Key, &'a Value),
    (new_key, new): (&Key, &'a Value),
    (alone, id): (bool, &str),
    changes: &Changes<'a>,
) -> Vec<String> {
    let (Some(old_schema), Some(new_schema)) = (old.get("schema"), new.get("schema")) else { return Vec::new() };
    let candidate = Candidate {
        name: &new_key.1,
        same_type: changes.same(old_schema, new_schema, Role::Sent),
        same_duty: is_required(old) == is_required(new),
    };
    changes.renamed(&old_key.1, &candidate, alone, &Place::operation(id, ""))
}

/// The parameters that another one of the same place took the place of.
fn renamed_parameters<'k>(
    (before, after): (&'k Declared<'_>, &'k Declared<'_>),
    (gone, added): (&[&'k Key], &[&'k Key]),
    id: &str,
    changes: &Changes<'_>,
) -> Vec<(&'k Key, &'k Key, Vec<String>)> {
    let alone = gone.len() == 1 && added.len() == 1;
    let mut found = Vec::new();
    // Those of a path are arguments in its order.
    for place in ["query", "header", "cookie"] {
        let of = |keys: &[&'k Key]| -> BTreeMap<&'k str, &'k Key> {
            keys.iter().filter(|key| key.0 == place).map(|key| (key.1.as_str(), *key)).collect()
        };
        let (old, new) = (of(gone), of(added));
        let judge = |was: &'k str, is: &'k str| {
            let (was, is) = (old[was], new[is]);
            successor((was, before[was]), (is, after[is]), (alone, id), changes)
        };
        let names = |keys: &BTreeMap<&'k str, &'k Key>| -> Vec<&'k str> { keys.keys().copied().collect() };
        let pairs = rename::pairs(&names(&old), &names(&new), &judge);
        found.extend(pairs.into_iter().map(|(was, is, evidence)| (old[was], new[is], evidence)));
    }
    found
}

/// The parameters by place and name; names of headers have no case.
fn declared<'a>(operation: &Operation<'a>) -> BTreeMap<Key, &'a Value> {
    let list = operation.body.get("parameters").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|parameter| {
            let place = parameter.get("in")?.as_str()?.to_owned();
            let name = parameter.get("name")?.as_str()?;
            let name = if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
            Some(((place, name), parameter))
        })
        .collect()
}

fn is_required(parameter: &Value) -> bool {
    parameter.get("required") == Some(&Value::Bool(true))
}

fn parameters<'a>(old: &Operation<'a>, new: &Operation<'a>, id: &str, changes: &mut Changes<'a>) {
    let (before, after) = (declared(old), declared(new));
    let about = |place: &str, name: &str| match place == "header" && is_client_header(name) {
        // One header of every operation is one change.
        true => Place::everywhere(&format!("header `{name}`"), id),
        false => Place::operation(id, &format!("{place} parameter `{name}`")),
    };
    // What a method takes as a struct of optional parameters.
    let optional = |parameters: &BTreeMap<Key, &Value>| {
        parameters.iter().filter(|(key, parameter)| !is_required(parameter) && is_plain(key)).count()
    };
    let struct_goes = optional(&before) > 0 && optional(&after) == 0;
    let gone: Vec<&Key> = before.keys().filter(|key| !after.contains_key(*key)).collect();
    let added: Vec<&Key> = after.keys().filter(|key| !before.contains_key(*key)).collect();
    let renamed = renamed_parameters((&before, &after), (&gone, &added), id, changes);
    for (key, other, evidence) in &renamed {
        let what = format!("is called `{}` now", other.1);
        changes.settle(&key.1, &other.1, &Place::operation(id, ""));
        changes.report_with(&about(&key.0, &key.1), what, BREAKS, Policy::Breaking, evidence.clone());
    }
    for key in gone.iter().filter(|key| key.0 != "path" && !renamed.iter().any(|(old, ..)| old == *key)) {
        let effects = if key.0 == "header" && is_client_header(&key.1) { ADDS } else { BREAKS };
        changes.report(&about(&key.0, &key.1), "is gone", effects, Policy::Breaking);
    }
    for key in added.iter().filter(|key| key.0 != "path" && !renamed.iter().any(|(_, new, _)| new == *key)) {
        new_parameter(&about(&key.0, &key.1), key, is_required(after[*key]), changes);
    }
    for (key, was) in &before {
        let Some(is) = after.get(key) else { continue };
        let place = about(&key.0, &key.1);
        let plain = is_plain(key);
        match (is_required(was), is_required(is)) {
            (false, true) => {
                let effects = if plain { BREAKS } else { OTHERWISE };
                changes.report(&place, "is required now", effects, Policy::Breaking);
            }
            (true, false) => {
                let effects = if plain { BREAKS } else { ADDS };
                changes.report(&place, "is no longer required", effects, Policy::Unlisted);
            }
            _ => {}
        }
        for key in ["style", "explode", "allowReserved"] {
            if serialisation(was, key) != serialisation(is, key) {
                changes.report(&place, format!("{key} has changed"), OTHERWISE, Policy::Breaking);
            }
        }
        if let (Some(old), Some(new)) = (was.get("schema"), is.get("schema")) {
            changes.compare(old, new, &place, Role::Sent, Slot::Whole);
        }
    }
    if struct_goes {
        changes.report(
            &Place::operation(id, ""),
            "has nothing optional any more: the method that ends in `_with` is gone",
            BREAKS,
            Policy::Unlisted,
        );
    }
    path_parameters(old, new, (&before, &after), id, changes);
}

/// How a parameter is written, said or by default.
fn serialisation(parameter: &Value, key: &str) -> Value {
    let is_form = |place: Option<&Value>| place.is_some_and(|place| place == "query" || place == "cookie");
    let usual = match key {
        "style" if is_form(parameter.get("in")) => json!("form"),
        "style" => json!("simple"),
        "explode" => json!(serialisation(parameter, "style") == "form"),
        _ => json!(false),
    };
    parameter.get(key).cloned().unwrap_or(usual)
}

fn new_parameter(place: &Place, key: &Key, required: bool, changes: &mut Changes<'_>) {
    let sent_by_client = key.0 == "header" && is_client_header(&key.1);
    match required {
        true if sent_by_client && is_never_sent(&key.1) => {
            changes.report(place, "is new and required, and nothing sends it", OTHERWISE, Policy::Breaking);
        }
        _ if sent_by_client => changes.report(place, "is new; the client sends it by itself", ADDS, Policy::Additive),
        true => changes.report(place, "is new and required", BREAKS, Policy::Breaking),
        false if is_uniform(&key.0, &key.1) => {
            changes.report(place, "is new; the method takes it as an argument", BREAKS, Policy::Additive);
        }
        false => changes.report(place, "is new", ADDS, Policy::Additive),
    }
}

type Declared<'a> = BTreeMap<Key, &'a Value>;

/// Parameters of the path are arguments in its order; their names are no part of the request.
fn path_parameters<'a>(
    old: &Operation<'a>,
    new: &Operation<'a>,
    (before, after): (&Declared<'a>, &Declared<'a>),
    id: &str,
    changes: &mut Changes<'a>,
) {
    let names = |path: &'a str| -> Vec<&'a str> {
        path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    };
    let (were, are) = (names(old.path), names(new.path));
    if were.len() != are.len() {
        let what = format!("the path takes {} values and took {}", are.len(), were.len());
        return changes.report(&Place::operation(id, ""), what, BREAKS, Policy::Breaking);
    }
    for (was, is) in were.into_iter().zip(are).filter(|(was, is)| was != is) {
        let place = Place::operation(id, &format!("path parameter `{was}`"));
        changes.report(&place, format!("is called `{is}` now; it is the same argument"), ADDS, Policy::Breaking);
        let schema = |parameters: &Declared<'a>, name: &str| {
            parameters.get(&("path".to_owned(), name.to_owned())).and_then(|parameter| parameter.get("schema"))
        };
        if let (Some(old), Some(new)) = (schema(before, was), schema(after, is)) {
            changes.compare(old, new, &place, Role::Sent, Slot::Whole);
        }
    }
}

fn request_body<'a>(old: &Operation<'a>, new: &Operation<'a>, id: &str, changes: &mut Changes<'a>) {
    let place = Place::operation(id, "request body");
    let (was, is) = match (old.body.get("requestBody"), new.body.get("requestBody")) {
        (None, None) => return,
        (Some(_), None) => return changes.report(&place, "is gone", BREAKS, Policy::Breaking),
        (None, Some(body)) => {
            let policy = if is_required(body) { Policy::Breaking } else { Policy::Unlisted };
            return changes.report(&place, "is new", BREAKS, policy);
        }
        (Some(was), Some(is)) => (was, is),
    };
    match (json_of(was), json_of(is)) {
        (Some(old), Some(new)) => {
            match (is_required(was), is_required(is)) {
                (false, true) => changes.report(&place, "is required now", BREAKS, Policy::Breaking),
                (true, false) => changes.report(&place, "is no longer required", BREAKS, Policy::Unlisted),
                _ => {}
            }
            if json_name(was) != json_name(is) {
                changes.report(&place, "is of another media type", OTHERWISE, Policy::Breaking);
            }
            changes.compare(old, new, &place, Role::Sent, Slot::Whole);
        }
        (None, None) if media(Some(was)) != media(Some(is)) => {
            let form = |body| media(Some(body)).contains("multipart/form-data");
            let effects = if form(was) == form(is) { OTHERWISE } else { BREAKS };
            changes.report(&place, "is of another media type", effects, Policy::Breaking);
        }
        (None, None) => form(old, new, &place, changes),
        (was, _) => {
            let what = if was.is_some() { "is no longer JSON" } else { "is JSON now" };
            changes.report(&place, what, BREAKS, Policy::Breaking);
        }
    }
}

/// The fields of a form, of which only the file is sent.
fn form<'a>(old: &Operation<'a>, new: &Operation<'a>, place: &Place, changes: &mut Changes<'a>) {
    let fields = |operation: &Operation<'a>| -> BTreeMap<&'a str, bool> {
        let schema = operation.body.get("requestBody").and_then(|body| body.pointer(FORM));
        let fields = schema.map(|schema| View::of(operation.document, schema).properties).unwrap_or_default();
        fields.into_iter().map(|(name, schema)| (name, schema.get("format") == Some(&json!("binary")))).collect()
    };
    let (before, after) = (fields(old), fields(new));
    let file = |fields: &BTreeMap<&'a str, bool>| fields.iter().find(|(_, is_file)| **is_file).map(|(name, _)| *name);
    let (was, is) = (file(&before), file(&after));
    if let (Some(was), Some(is)) = (was, is)
        && was != is
    {
        changes.report(place, format!("the file `{was}` is called `{is}` now"), OTHERWISE, Policy::Breaking);
    }
    for name in before.keys().filter(|name| Some(**name) != was && !after.contains_key(*name)) {
        changes.report(place, format!("the field `{name}`, which is not sent, is gone"), ADDS, Policy::Breaking);
    }
    for name in after.keys().filter(|name| Some(**name) != is && !before.contains_key(*name)) {
        changes.report(place, format!("the field `{name}`, which is not sent, is new"), ADDS, Policy::Additive);
    }
}

fn answer<'a>(old: &Operation<'a>, new: &Operation<'a>, id: &str, changes: &mut Changes<'a>) {
    const BOTH: &[Effect] = &[Effect::Compilation, Effect::Decoding];
    let place = Place::operation(id, "answer");
    let (Some((old_status, was)), Some((new_status, is))) = (success(old), success(new)) else { return };
    if old_status != new_status {
        changes.report(
            &place,
            format!("comes with {new_status} and came with {old_status}"),
            OTHERWISE,
            Policy::Unlisted,
        );
    }
    match (json_of(was), json_of(is)) {
        (Some(old), Some(new)) => {
            if json_name(was) != json_name(is) {
                changes.report(&place, "is of another media type", OTHERWISE, Policy::Breaking);
            }
            changes.compare(old, new, &place, Role::Received, Slot::Whole);
        }
        (None, None) => {
            let (before, after) = (media(Some(was)), media(Some(is)));
            if before.is_empty() != after.is_empty() {
                let what = if after.is_empty() { "has no body any more" } else { "has a body now" };
                changes.report(&place, what, BOTH, Policy::Breaking);
            } else if before != after {
                changes.report(&place, "is of another media type", OTHERWISE, Policy::Breaking);
            }
        }
        (was, _) => {
            let what = if was.is_some() { "is no longer JSON" } else { "is JSON now" };
            changes.report(&place, what, BOTH, Policy::Breaking);
        }
    }
    let headers = |answer: &Value| -> BTreeSet<String> {
        let names = answer.get("headers").and_then(Value::as_object);
        names.into_iter().flat_map(Object::keys).map(|name| name.to_ascii_lowercase()).collect()
    };
    let (before, after) = (headers(was), headers(is));
    for name in before.difference(&after) {
        changes.report(&place, format!("the header `{name}` is gone"), OTHERWISE, Policy::Breaking);
    }
    for name in after.difference(&before) {
        changes.report(&place, format!("the header `{name}` is new"), ADDS, Policy::Additive);
    }
    let failures = |operation: &Operation<'a>| -> BTreeSet<String> {
        let responses = operation.body.get("responses").and_then(Value::as_object);
        responses.into_iter().flat_map(Object::keys).filter(|status| !status.starts_with('2')).cloned().collect()
    };
    let (before, after) = (failures(old), failures(new));
    for status in before.symmetric_difference(&after) {
        let word = if after.contains(status) { "new" } else { "gone" };
        changes.report(&place, format!("the failure {status} is {word}"), ADDS, Policy::Unlisted);
    }
}

/// What is said of the document as a whole.
fn whole<'a>(old: &'a Value, new: &'a Value, changes: &mut Changes<'a>) {
    let place = Place::operation("", "");
    for (key, what) in [
        ("servers", "all operations are served by another host"),
        ("security", "all operations want other credentials"),
    ] {
        let told = |document: &Value| document.get(key).map(|value| told(document, key, value));
        if told(old) != told(new) {
            changes.report(&place, what, OTHERWISE, Policy::Breaking);
        }
    }
}

/// What is said of hosts as it is; of credentials, what each is in place of its name.
fn told(document: &Value, key: &str, value: &Value) -> Value {
    if key != "security" {
        return value.clone();
    }
    let of_name = |(name, scopes): (&String, &Value)| {
        let mut scheme = document.pointer(&format!("/components/securitySchemes/{}", escape(name))).cloned();
        // What a token looks like inside is nobody's affair but the server's.
        scheme.as_mut().and_then(Value::as_object_mut).map(|scheme| scheme.remove("bearerFormat"));
        json!([scheme, scopes])
    };
    let alternative = |wanted: &Value| wanted.as_object().into_iter().flatten().map(of_name).collect::<Vec<_>>();
    value.as_array().into_iter().flatten().map(alternative).collect()
}
