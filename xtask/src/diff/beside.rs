//! Our difference beside that of an independent tool, api-smart-diff of npm: what it calls breaking is found by ours,
//! or one of a few reasons says why not. `docs/differs.md` explains the reasons and has the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use super::reach::Reach;
use super::schemas::IDS_EITHER_WAY;
use super::view::component;
use super::{Difference, Effect, view};
use crate::document::tree::{is_json, operations};
use crate::regen::{canonical_id, is_client_header, is_uniform, schemas, shared_ids};

/// One line of the other tool.
#[derive(Clone, Debug, Deserialize)]
struct Theirs {
    action: String,
    path: Vec<Value>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
}

/// What becomes of something that the other tool calls breaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Found,
    FoundWhereUsed,
    Definition,
    Unused,
    Same,
    Failure,
    SentByClient,
    ComesBack,
    Unexplained,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Found => "breaks or behaves otherwise by ours, too, about the same property or value",
            Self::FoundWhereUsed => "ours says so of what it is used by, or of what it refers to",
            Self::Definition => "a shared definition; ours compares operations, where it stands in place",
            Self::Unused => "a schema that no operation uses in both documents",
            Self::Same => "a schema that is the same in both documents: what refers to it is written another way",
            Self::Failure => "the body of a failure: one tolerant reader reads all of them",
            Self::SentByClient => "a header that the client sends by itself",
            Self::ComesBack => "narrows or adds to what comes back: every field is optional and every enum open there",
            Self::Unexplained => "no reason known",
        }
    }
}

/// Both documents, with what is asked of them again and again.
struct Pair<'a> {
    documents: [&'a Value; 2],
    /// Of each document, whether a schema is sent and whether it comes back.
    roles: [BTreeMap<String, (bool, bool)>; 2],
    /// Of each document, the operations that reach a schema, by the ids of the newer one.
    uses: [BTreeMap<String, BTreeSet<String>>; 2],
    /// Schemas that other ones, or operations, no longer lead to as they did, by ours.
    cut_off: BTreeSet<String>,
    /// The ids of the operations by path and method.
    ids: BTreeMap<(String, String), String>,
    breaking: Vec<Ours>,
    /// The ids that ours says are read as before, whatever their type is.
    ids_either_way: BTreeSet<String>,
    /// Shared answers that no operation gives on success.
    failures: BTreeSet<String>,
    /// Operations that moved, by their ids before and after.
    moved: BTreeSet<String>,
}

/// Compares; answers a table, and whether everything is explained.
pub(super) fn compare(difference: &Difference, old: &Value, new: &Value, theirs: &str) -> Result<(String, bool)> {
    let theirs: Vec<Theirs> = serde_json::from_str(theirs).context("this is not what api-smart-diff prints")?;
    let prepared = [view::prepared(old), view::prepared(new)];
    let pair = Pair::of(difference, [old, new], &prepared);
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut places = BTreeSet::new();
    let mut left = String::new();
    let breaking: Vec<&Theirs> = theirs.iter().filter(|entry| entry.kind == "breaking").collect();
    for entry in &breaking {
        let path = pair.canonical(entry);
        let verdict = pair.judge(entry, &path);
        *counts.entry(verdict).or_default() += 1;
        places.insert(pair.place(&path));
        if verdict == Verdict::Unexplained {
            let _ = writeln!(left, "no reason known: {} {}", entry.action, path.join(" / "));
        }
    }
    let mut text = format!("{} lines of theirs are breaking:\n", breaking.len());
    for (verdict, count) in &counts {
        let _ = writeln!(text, "{count:>5}  {}", verdict.words());
    }
    let ours: Vec<_> = difference.changes.iter().filter(|change| change.worst() != Effect::Additive).collect();
    let also = |change: &&&super::Change| {
        let operations = || change.operations.iter().any(|operation| places.contains(operation));
        places.contains(head(&change.subject)) || operations() || places.contains("") && change.subject.is_empty()
    };
    let both = ours.iter().filter(also).count();
    let _ = writeln!(text, "{} changes of ours break or behave otherwise:", ours.len());
    let _ = writeln!(text, "{both:>5}  theirs calls something breaking at the same operation or schema");
    let _ = writeln!(text, "{:>5}  ours alone:", ours.len() - both);
    for change in ours.iter().filter(|change| !also(change)) {
        let _ = writeln!(text, "       {}: {}", change.subject, change.what);
    }
    text.push_str(&left);
    Ok((text.trim_end().to_owned(), left.is_empty()))
}

/// The operation or schema that a subject starts with.
fn head(subject: &str) -> &str {
    subject.split(['.', ',', '[', '(']).next().unwrap_or_default()
}

impl<'a> Pair<'a> {
    fn of(difference: &Difference, documents: [&'a Value; 2], prepared: &[Value; 2]) -> Self {
        let either_way = difference.changes.iter().filter(|change| change.what.ends_with(IDS_EITHER_WAY));
        let mut pair = Self {
            documents,
            roles: [BTreeMap::new(), BTreeMap::new()],
            uses: [BTreeMap::new(), BTreeMap::new()],
            cut_off: BTreeSet::new(),
            ids: BTreeMap::new(),
            breaking: Vec::new(),
            ids_either_way: either_way.map(|change| change.subject.clone()).collect(),
            failures: failures(documents),
            moved: difference.moved.iter().flat_map(|(old, new)| [old.clone(), new.clone()]).collect(),
        };
        for ((document, roles), uses) in prepared.iter().zip(&mut pair.roles).zip(&mut pair.uses) {
            let reach = Reach::of(document);
            roles.extend(reach.roles().into_iter().map(|(name, role)| (name.to_owned(), role)));
            reach.uses(uses);
            let shared = shared_ids(document);
            for (path, method, _, operation) in operations(document) {
                let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
                pair.ids.insert((path.to_owned(), method.to_owned()), canonical_id(id, path, &shared));
            }
        }
        let breaking = difference.changes.iter().filter(|change| change.worst() != Effect::Additive);
        pair.breaking.extend(breaking.map(Ours::of));
        let renamed = |ids: &mut BTreeSet<String>| {
            *ids = ids.iter().map(|id| difference.moved.get(id).unwrap_or(id).clone()).collect();
        };
        pair.uses[0].values_mut().for_each(renamed);
        for document in prepared {
            let reach = Reach::of(document);
            let places = pair.breaking.iter().filter(|ours| ours.is_another()).flat_map(|ours| ours.nodes(document));
            let found: BTreeSet<&str> = reach.from(places);
            pair.cut_off.extend(found.into_iter().map(str::to_owned));
        }
        pair
    }

    /// Theirs follows references and reports a change at each place that leads to it; this is where it really is. Where
    /// the two documents refer to different things, it is the place that changed.
    fn canonical(&self, entry: &Theirs) -> Vec<String> {
        let mut path: Vec<String> = Vec::new();
        let mut nodes = self.documents.map(Some);
        for part in &entry.path {
            let word = part.as_str().map_or_else(|| part.to_string(), str::to_owned);
            while let Some(name) = same_target(nodes, &word) {
                nodes = self.documents.map(|document| document.pointer(&name));
                path = name.trim_start_matches('/').split('/').map(str::to_owned).collect();
            }
            nodes = match path.as_slice() {
                [first, at, method, list] if first == "paths" && list == "parameters" => {
                    self.declared(at, method, word.parse().unwrap_or(usize::MAX))
                }
                _ => [0, 1].map(|side: usize| {
                    let node = resolved(self.documents[side], nodes[side]?);
                    if path.len() == 3 && word == "parameters" {
                        return Some(node);
                    }
                    match node {
                        Value::Array(list) => list.get(word.parse::<usize>().ok()?),
                        other => other.get(&word),
                    }
                }),
            };
            path.push(word);
        }
        path
    }

    /// The parameter of an index of theirs: those that the operation declares, then those of its path, as the older
    /// document has them. The newer one's is that of the same name.
    fn declared(&self, at: &str, method: &str, index: usize) -> [Option<&'a Value>; 2] {
        let lists = self.documents.map(|document| {
            let item = &document["paths"][at];
            let lists = [&item[method]["parameters"], &item["parameters"]];
            lists.into_iter().filter_map(Value::as_array).flatten().collect::<Vec<&Value>>()
        });
        let name = |side: usize, parameter: &Value| resolved(self.documents[side], parameter).get("name").cloned();
        let Some(before) = lists[0].get(index) else { return [None, lists[1].get(index).copied()] };
        let twin = lists[1].iter().find(|other| name(1, other) == name(0, before));
        [Some(*before), twin.copied()]
    }

    /// The operation or the schema that a path is in.
    fn place(&self, path: &[String]) -> String {
        match path {
            [first, at, method, ..] if first == "paths" => {
                self.ids.get(&(at.clone(), method.clone())).cloned().unwrap_or_default()
            }
            [first, kind, name, ..] if first == "components" && kind == "schemas" => name.clone(),
            _ => String::new(),
        }
    }

    fn judge(&self, entry: &Theirs, path: &[String]) -> Verdict {
        match path.first().map(String::as_str) {
            Some("paths") => self.judge_operation(entry, path),
            Some("components") if path.get(1).is_some_and(|kind| kind == "schemas") => {
                self.judge_schema(entry, path.get(2).map(String::as_str).unwrap_or_default(), path)
            }
            Some("components") => self.judge_shared(entry, path),
            // The whole document: servers, security.
            _ if self.breaking.iter().any(|ours| ours.head.is_empty()) => Verdict::Found,
            _ => Verdict::Unexplained,
        }
    }

    /// Of parameters, bodies, answers and headers that several operations share.
    fn judge_shared(&self, entry: &Theirs, path: &[String]) -> Verdict {
        let kind = path.get(1).map(String::as_str).unwrap_or_default();
        if path.len() <= 3 {
            return Verdict::Definition;
        }
        if kind == "responses" && path.get(2).is_some_and(|name| self.failures.contains(name)) {
            Verdict::Failure
        } else if kind == "parameters" && self.is_sent_by_client(entry, path) {
            Verdict::SentByClient
        } else if kind == "parameters" && self.is_named(entry, path, |_| true) {
            Verdict::FoundWhereUsed
        } else if ["responses", "headers"].contains(&kind) && narrows(entry, path) {
            Verdict::ComesBack
        } else {
            Verdict::Unexplained
        }
    }

    fn judge_operation(&self, entry: &Theirs, path: &[String]) -> Verdict {
        let at = path.get(1).map(String::as_str).unwrap_or_default();
        let own: BTreeSet<&String> = match path.get(2).and_then(|method| self.ids.get(&(at.to_owned(), method.clone())))
        {
            Some(id) => BTreeSet::from([id]),
            None => self.ids.iter().filter(|((path, _), _)| path == at).map(|(_, id)| id).collect(),
        };
        let after = |word: &str| path.iter().position(|other| other == word).and_then(|at| path.get(at + 1));
        if after("responses").is_some_and(|status| !status.starts_with('2')) {
            return Verdict::Failure;
        }
        if after("parameters").is_some() && self.is_sent_by_client(entry, path) {
            return Verdict::SentByClient;
        }
        // A path or a method that is there in one document only went, or moved.
        let whole = path.len() <= 3 && own.iter().any(|id| self.moved.contains(*id));
        if whole || self.is_named(entry, path, |ours| own.contains(&ours.head)) {
            Verdict::Found
        } else if self.is_of_type(path) {
            Verdict::FoundWhereUsed
        } else if after("responses").is_some() && narrows(entry, path) {
            Verdict::ComesBack
        } else {
            Verdict::Unexplained
        }
    }

    /// Whether one of our findings is about the property, the parameter or the value of theirs.
    fn is_named(&self, entry: &Theirs, path: &[String], of: impl Fn(&Ours) -> bool) -> bool {
        let names = self.names(entry, path);
        self.breaking.iter().filter(|ours| of(ours)).any(|ours| ours.is_about(&names))
    }

    /// What a line of theirs is about.
    fn names(&self, entry: &Theirs, path: &[String]) -> Names {
        let mut names = Names::default();
        let skipped = match path.first().map(String::as_str) {
            Some("paths") => 3,
            Some(_) if path.get(1).is_some_and(|kind| kind == "parameters") => 1,
            _ => 2,
        };
        let mut words = path.iter().enumerate().skip(skipped);
        while let Some((at, word)) = words.next() {
            match word.as_str() {
                "properties" => names.properties.extend(words.next().map(|(_, name)| name.clone())),
                "headers" => names.other.extend(words.next().map(|(_, name)| name.to_ascii_lowercase())),
                "parameters" => {
                    words.next();
                    let found = self.parameters(entry, &path[..path.len().min(at + 2)]);
                    names.other = found.into_iter().map(|(_, name)| name.to_ascii_lowercase()).collect();
                }
                "required" => {
                    let name = [&entry.before, &entry.after].into_iter().find_map(Value::as_str);
                    names.properties.extend(name.map(str::to_owned));
                }
                "enum" => {
                    names.value = Some(if entry.before.is_null() { &entry.after } else { &entry.before }.to_string())
                }
                _ => {}
            }
        }
        names
    }

    /// Place and name of the parameter that a line is about. One that came or went is told by itself: its index is
    /// that of another list.
    fn parameters(&self, entry: &Theirs, path: &[String]) -> Vec<(String, String)> {
        let itself = [&entry.before, &entry.after].into_iter().filter(|value| value.is_object());
        let declared = match path {
            [first, at, method, _, index] if first == "paths" => {
                self.declared(at, method, index.parse().unwrap_or(usize::MAX))
            }
            [first, list, name] if first == "components" => {
                self.documents.map(|document| document.get(first)?.get(list)?.get(name))
            }
            _ => [None, None],
        };
        let declared = declared.into_iter().flatten();
        let named = |parameter: &Value| {
            let target = self.documents.iter().map(|document| resolved(document, parameter));
            target.into_iter().find_map(|parameter| {
                let text = |key: &str| parameter.get(key).and_then(Value::as_str);
                Some((text("in")?.to_owned(), text("name")?.to_owned()))
            })
        };
        let itself: Vec<(String, String)> = itself.filter_map(named).collect();
        if itself.is_empty() { declared.filter_map(named).collect() } else { itself }
    }

    /// Whether one of our findings is about the rule of theirs, at the schema that the parameter of theirs refers to.
    fn is_of_type(&self, path: &[String]) -> bool {
        let [first, at, method, list, index, schema, rule] = path else { return false };
        if first != "paths" || list != "parameters" || schema != "schema" {
            return false;
        }
        let nodes = self.declared(at, method, index.parse().unwrap_or(usize::MAX));
        let types = nodes.into_iter().zip(self.documents);
        let types = types.filter_map(|(parameter, document)| component(&resolved(document, parameter?)["schema"]));
        let types: BTreeSet<&str> = types.collect();
        self.breaking.iter().any(|ours| types.contains(ours.subject.as_str()) && ours.what.starts_with(rule.as_str()))
    }

    /// Whether a parameter is one that the client, or every method alike, takes care of.
    fn is_sent_by_client(&self, entry: &Theirs, path: &[String]) -> bool {
        let at = path.iter().position(|word| word == "parameters").map_or(0, |at| at + 2);
        let parameters = self.parameters(entry, &path[..path.len().min(at)]);
        let is_theirs =
            |(place, name): &(String, String)| place == "header" && is_client_header(name) || is_uniform(place, name);
        !parameters.is_empty() && parameters.iter().all(is_theirs)
    }

    fn judge_schema(&self, entry: &Theirs, name: &str, path: &[String]) -> Verdict {
        // Of a definition alone nothing follows: whatever used it is compared without it.
        let whole = path.len() == 3;
        if whole || self.documents.iter().any(|document| !schemas(document).contains_key(name)) {
            return Verdict::Definition;
        }
        if self.is_named(entry, path, |ours| ours.head == name) {
            return Verdict::Found;
        }
        let [was, is] = self.documents.map(|document| schemas(document).get(name));
        if was == is {
            return Verdict::Same;
        }
        let [Some(old), Some(new)] = [0, 1].map(|side: usize| self.roles[side].get(name)) else {
            return Verdict::Unused;
        };
        let [before, after] = [0, 1].map(|side: usize| self.uses[side].get(name));
        let (Some(before), Some(after)) = (before, after) else { return Verdict::Unused };
        if before.is_disjoint(after) {
            return Verdict::Unused;
        }
        if self.cut_off.contains(name) {
            Verdict::FoundWhereUsed
        } else if !(old.0 || new.0) && (narrows(entry, path) || self.is_read_either_way(name, path)) {
            Verdict::ComesBack
        } else {
            Verdict::Unexplained
        }
    }
}

impl Pair<'_> {
    /// Whether the type of an id changed, which is read as text and as a number.
    fn is_read_either_way(&self, name: &str, path: &[String]) -> bool {
        let [.., properties, property, kind] = path else { return false };
        let own = format!("{name}.{property}");
        let places = schemas(self.documents[1])
            .get(name)
            .map(|schema| at(self.documents[1], schema, std::slice::from_ref(property)));
        let types: BTreeSet<&str> = places.into_iter().flatten().filter_map(component).collect();
        let is_it = |subject: &str| subject == own || types.contains(subject);
        properties == "properties" && kind == "type" && self.ids_either_way.iter().any(|subject| is_it(subject))
    }
}

/// What a line of theirs is about: a property by its way, a parameter or a header, a value of an enum.
#[derive(Debug, Default)]
struct Names {
    properties: Vec<String>,
    other: Vec<String>,
    value: Option<String>,
}

/// One of our findings that breaks or behaves otherwise.
#[derive(Debug)]
struct Ours {
    head: String,
    /// The properties on the way to its place.
    properties: Vec<String>,
    subject: String,
    what: String,
}

impl Ours {
    fn of(change: &super::Change) -> Self {
        let property = |part: &str| part.split(['[', '(', '{']).next().unwrap_or_default().to_owned();
        Self {
            head: head(&change.subject).to_owned(),
            properties: change.subject.split('.').skip(1).map(property).collect(),
            subject: change.subject.clone(),
            what: change.what.clone(),
        }
    }

    /// Whether another type stands in its place, or nothing.
    fn is_another(&self) -> bool {
        let what = self.what.as_str();
        what == "is gone" || what.starts_with("the type is") || what.contains(" and was ") && what.starts_with("is ")
    }

    /// What stands in its place in a document.
    fn nodes<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        if let Some(schema) = schemas(document).get(&self.head) {
            return at(document, schema, &self.properties);
        }
        // Of what is sent and of what comes back only: parameters lead to no schema of their own.
        let place = self.subject.split_once(", ").map_or("", |(_, place)| place);
        let key = match place.split(['.', '[']).next() {
            Some("request body") => "requestBody",
            Some("answer") => "responses",
            _ => return Vec::new(),
        };
        let shared = shared_ids(document);
        let bodies = operations(document).filter_map(|(path, _, _, operation)| {
            let id = operation.get("operationId").and_then(Value::as_str)?;
            let body = operation.get(key).filter(|_| canonical_id(id, path, &shared) == self.head)?;
            let body = match key {
                "responses" => body.as_object()?.iter().find(|(status, _)| status.starts_with('2'))?.1,
                _ => body,
            };
            body.get("content")?.as_object()?.iter().find(|(media, _)| is_json(media))?.1.get("schema")
        });
        bodies.flat_map(|schema| at(document, schema, &self.properties)).collect()
    }

    /// Whether it is about what a line of theirs at the same schema or operation is about.
    fn is_about(&self, theirs: &Names) -> bool {
        if !theirs.other.is_empty() {
            let (subject, what) = (self.subject.to_ascii_lowercase(), self.what.to_ascii_lowercase());
            let mut quoted = theirs.other.iter().map(|name| format!("`{name}`"));
            return quoted.any(|name| subject.contains(&name) || what.contains(&name));
        }
        let is_another = self.is_another() || self.what.starts_with("takes ") || self.what.starts_with("has only");
        let way = match theirs.properties.as_slice() {
            [] => self.properties.is_empty() && !self.what.starts_with('`'),
            // Another type of the whole is another type of everything in it; a rename is about what it names.
            all if self.properties.is_empty() => {
                self.is_another() || all.iter().any(|name| self.what.contains(&format!("`{name}`")))
            }
            all => all.starts_with(&self.properties) || self.properties.starts_with(all),
        };
        way && theirs.value.as_ref().is_none_or(|value| is_another || self.what.contains(value.as_str()))
    }
}

/// The shared answers that are given under a status of failure only.
fn failures(documents: [&Value; 2]) -> BTreeSet<String> {
    let mut found: BTreeMap<String, bool> = BTreeMap::new();
    for (_, _, _, operation) in documents.into_iter().flat_map(operations) {
        let answers = operation.get("responses").and_then(Value::as_object);
        for (status, answer) in answers.into_iter().flatten() {
            let target = answer.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
            if let Some(name) = target {
                *found.entry(name.to_owned()).or_insert(true) &= !status.starts_with('2');
            }
        }
    }
    found.into_iter().filter(|(_, only)| *only).map(|(name, _)| name).collect()
}

/// The pointer to what both documents refer to in a place, or the only one that has the place. A reference alone in an
/// allOf is one, too, unless theirs goes on into the allOf.
fn same_target(nodes: [Option<&Value>; 2], next: &str) -> Option<String> {
    let target = |node: &Value| {
        let written = node.get("$ref").and_then(Value::as_str).map(|target| target.trim_start_matches('#').to_owned());
        let alone = || component(node).filter(|_| next != "allOf").map(|name| format!("/components/schemas/{name}"));
        written.or_else(alone)
    };
    let [before, after] = nodes.map(|node| node.map(target));
    match (before, after) {
        (Some(before), Some(after)) => before.filter(|target| after.as_ref() == Some(target)),
        (before, after) => before.or(after).flatten(),
    }
}

/// A node with its references followed.
fn resolved<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let target =
        node.get("$ref").and_then(Value::as_str).and_then(|target| document.pointer(target.strip_prefix('#')?));
    target.map_or(node, |target| resolved(document, target))
}

/// The schemas at the end of a way of properties, through lists and branches.
fn at<'a>(document: &'a Value, schema: &'a Value, properties: &[String]) -> Vec<&'a Value> {
    let Some((first, rest)) = properties.split_first() else { return vec![schema] };
    let view = view::View::of(document, schema);
    if let Some(property) = view.properties.get(first.as_str()) {
        return at(document, property, rest);
    }
    view.items.into_iter().chain(view.branches).flat_map(|inner| at(document, inner, properties)).collect()
}

/// Whether a line says that less comes back than before, or more: a rule that values keep, a property that is new or
/// always there, a branch more, a value that is gone.
fn narrows(entry: &Theirs, path: &[String]) -> bool {
    const RULES: [&str; 8] = ["required", "enum", "format", "pattern", "minLength", "maxLength", "minimum", "maximum"];
    let key = path.iter().rev().find(|word| word.parse::<usize>().is_err()).map(String::as_str).unwrap_or_default();
    let is_in = |words: &[&str]| path.iter().rev().nth(1).is_some_and(|word| words.contains(&word.as_str()));
    RULES.contains(&key) || entry.action == "add" && is_in(&["properties", "oneOf", "anyOf"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diff::between;
    use crate::fixture::KENNELS;

    #[test]
    fn what_another_tool_calls_breaking_is_found_or_has_a_reason() {
        let overlays = crate::document::overlay::Overlays::default();
        let old = crate::import::import("kennels.yaml", KENNELS, None, &overlays).unwrap().document;
        let mut new = old.clone();
        new["components"]["schemas"]["Mood"]["enum"] = json!(["calm"]);
        new["components"]["schemas"]["DogList"]["required"] = json!(["dogs"]);
        let difference = between(("old", &old), ("new", &new));
        let dogs = "/kennels/{kennel_id}/dogs";
        let schema = |rest: &[&'static str]| [&["components", "schemas"], rest].concat();
        let entry = |action: &str, path: Vec<&str>| json!({ "action": action, "type": "breaking", "path": path });
        let lines = json!([
            entry("remove", schema(&["Mood", "enum", "1"])),
            // The same through a reference.
            entry("remove", schema(&["Dog", "properties", "mood", "enum", "1"])),
            entry("add", schema(&["DogList", "required", "0"])),
            entry("remove", vec!["paths", dogs, "get", "responses", "400", "description"]),
            json!({ "action": "add", "type": "non-breaking", "path": ["paths", "/cats"] }),
        ]);
        let (text, explained) = compare(&difference, &old, &new, &lines.to_string()).unwrap();
        assert!(explained, "{text}");
        for said in [
            "4 lines of theirs are breaking",
            "    2  breaks or behaves otherwise by ours, too, about the same property or value",
            "    1  narrows or adds to what comes back",
            "    1  the body of a failure",
            "1 changes of ours break",
        ] {
            assert!(text.contains(said), "{said:?} is not in {text}");
        }
        let lines = json!([entry("add", vec!["paths", "/cats", "get", "requestBody"])]);
        let (text, explained) = compare(&difference, &old, &new, &lines.to_string()).unwrap();
        assert!(!explained && text.ends_with("no reason known: add paths / /cats / get / requestBody"), "{text}");
        assert!(text.contains("       Mood: is text and was an enum"), "{text}");
        assert!(compare(&difference, &old, &new, "Usage: node").is_err());
    }

    /// A line of theirs is answered by a finding about the same property, not by any at the same schema or operation.
    #[test]
    fn a_miss_beside_another_finding_is_told() {
        let [(_, old), (_, new), _] = crate::fixture::documents().try_into().unwrap();
        let [old, new]: [Value; 2] = [old, new].map(|text| serde_json::from_str(&text).unwrap());
        let mut difference = between(("old", &old), ("new", &new));
        let name = "TargetGroupDraftProfilesRequest";
        let path = ["components", "schemas", name, "properties", "profile_adjustment_type", "enum", "1"];
        let line = json!([{ "action": "remove", "type": "breaking", "path": path, "before": "nominal" }]).to_string();
        assert!(compare(&difference, &old, &new, &line).unwrap().1);
        difference.changes.retain(|change| change.subject != format!("{name}.profile_adjustment_type"));
        let (text, explained) = compare(&difference, &old, &new, &line).unwrap();
        assert!(!explained && text.contains("no reason known: remove components / schemas"), "{text}");
        // What no longer comes back is not excused by coming back.
        let [old, new] = [json!({ "type": "string" }), json!({ "type": "integer" })].map(|tail| {
            let dog = json!({ "type": "object", "properties": { "tail": tail, "age": tail } });
            let answer = json!({ "200": { "content": { "application/json": { "schema": dog } } } });
            json!({ "paths": { "/dogs": { "get": { "operationId": "list_dogs", "responses": answer } } } })
        });
        let mut difference = between(("old", &old), ("new", &new));
        difference.changes.retain(|change| change.subject.ends_with(".age"));
        let schema = ["paths", "/dogs", "get", "responses", "200", "content", "application/json", "schema"];
        let line = |name: &'static str| {
            let path = [&schema[..], &["properties", name, "type"]].concat();
            json!([{ "action": "replace", "type": "breaking", "path": path, "before": "string" }]).to_string()
        };
        assert!(compare(&difference, &old, &new, &line("age")).unwrap().1, "{:?}", difference.changes);
        assert!(!compare(&difference, &old, &new, &line("tail")).unwrap().1, "another property is found");
    }
}
