//! Our difference beside that of an independent tool, api-smart-diff of npm: what it calls breaking is found by ours,
//! or one of a few reasons says why not. `docs/differs.md` explains the reasons and has the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use super::reach::Reach;
use super::{Difference, Effect, view};
use crate::document::tree::{escape, operations};
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
    Failure,
    SentByClient,
    ComesBack,
    Unexplained,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Found => "breaks or behaves otherwise by ours, too, at the same operation or schema",
            Self::FoundWhereUsed => "ours says so of another schema of the operations that use it",
            Self::Definition => "a shared definition; ours compares operations, where it stands in place",
            Self::Unused => "a schema that no operation of one of the documents uses",
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
    uses: BTreeMap<String, BTreeSet<String>>,
    /// The ids of the operations by path and method.
    ids: BTreeMap<(String, String), String>,
    /// Operations and schemas of which ours says that they break or behave otherwise, and the operations they reach.
    subjects: BTreeSet<String>,
    reached: BTreeSet<String>,
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
        let mut pair = Self {
            documents,
            roles: [BTreeMap::new(), BTreeMap::new()],
            uses: BTreeMap::new(),
            ids: BTreeMap::new(),
            subjects: BTreeSet::new(),
            reached: BTreeSet::new(),
        };
        for (document, roles) in prepared.iter().zip(&mut pair.roles) {
            let reach = Reach::of(document);
            roles.extend(reach.roles().into_iter().map(|(name, role)| (name.to_owned(), role)));
            reach.uses(&mut pair.uses);
            let shared = shared_ids(document);
            for (path, method, _, operation) in operations(document) {
                let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
                pair.ids.insert((path.to_owned(), method.to_owned()), canonical_id(id, path, &shared));
            }
        }
        for change in difference.changes.iter().filter(|change| change.worst() != Effect::Additive) {
            pair.subjects.insert(head(&change.subject).to_owned());
            pair.reached.extend(change.operations.iter().cloned());
        }
        for (old, new) in &difference.moved {
            pair.subjects.extend([old.clone(), new.clone()]);
        }
        pair
    }

    /// Theirs follows references and reports a change at each place that leads to it; this is where it really is.
    fn canonical(&self, entry: &Theirs) -> Vec<String> {
        let words: Vec<String> =
            entry.path.iter().map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect();
        let document = self.documents[usize::from(entry.action != "remove")];
        let mut path: Vec<String> = Vec::new();
        let mut node = Some(document);
        for word in words {
            while let Some(target) = node.and_then(|node| node.get("$ref")).and_then(Value::as_str) {
                path = target.trim_start_matches("#/").split('/').map(str::to_owned).collect();
                node = document.pointer(target.trim_start_matches('#'));
            }
            node = node.and_then(|node| match node {
                Value::Array(list) => list.get(word.parse::<usize>().ok()?),
                other => other.get(&word),
            });
            path.push(word);
        }
        path
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
                self.judge_schema(path.get(2).map(String::as_str).unwrap_or_default(), path.len() == 3)
            }
            Some("components") => Verdict::Definition,
            // The whole document: servers, security.
            _ if self.subjects.contains("") => Verdict::Found,
            _ => Verdict::Unexplained,
        }
    }

    fn judge_operation(&self, entry: &Theirs, path: &[String]) -> Verdict {
        let at = path.get(1).map(String::as_str).unwrap_or_default();
        let of_path = || self.ids.iter().filter(|((path, _), _)| path == at).map(|(_, id)| id);
        let own = path.get(2).and_then(|method| self.ids.get(&(at.to_owned(), method.clone())));
        let found = |id: &String| self.subjects.contains(id) || self.reached.contains(id);
        let after = |word: &str| path.iter().position(|other| other == word).and_then(|at| path.get(at + 1));
        if after("responses").is_some_and(|status| !status.starts_with('2')) {
            return Verdict::Failure;
        }
        if after("parameters").is_some() && self.is_sent_by_client(entry, path) {
            return Verdict::SentByClient;
        }
        match own {
            Some(id) if found(id) => Verdict::Found,
            None if of_path().any(found) => Verdict::Found,
            _ if after("responses").is_some() => Verdict::ComesBack,
            _ => Verdict::Unexplained,
        }
    }

    /// Whether a parameter is one that the client, or every method alike, takes care of. One that came or went is told
    /// by itself: its index is that of another list.
    fn is_sent_by_client(&self, entry: &Theirs, path: &[String]) -> bool {
        let named = |document: &Value, parameter: &Value| {
            let target = parameter.get("$ref").and_then(Value::as_str);
            let parameter = target.and_then(|target| document.pointer(&target[1..])).unwrap_or(parameter);
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let (place, name) = (text("in"), text("name"));
            place == "header" && is_client_header(name) || is_uniform(place, name)
        };
        let at = path.iter().position(|word| word == "parameters").map_or(0, |at| at + 2);
        let whole =
            |document: &&&Value| path.len() == at && [&entry.before, &entry.after].iter().any(|it| named(document, it));
        let pointer: String = path.iter().take(at).map(|word| format!("/{}", escape(word))).collect();
        let inside =
            |document: &&&Value| document.pointer(&pointer).is_some_and(|parameter| named(document, parameter));
        self.documents.iter().any(|document| whole(&document) || path.len() > at && inside(&document))
    }

    fn judge_schema(&self, name: &str, whole: bool) -> Verdict {
        if self.subjects.contains(name) {
            return Verdict::Found;
        }
        // Of a definition alone nothing follows: whatever used it is compared without it.
        if whole || self.documents.iter().any(|document| !schemas(document).contains_key(name)) {
            return Verdict::Definition;
        }
        let [Some(old), Some(new)] = [0, 1].map(|side: usize| self.roles[side].get(name)) else {
            return Verdict::Unused;
        };
        let used = self
            .uses
            .get(name)
            .is_some_and(|ids| ids.iter().any(|id| self.reached.contains(id) || self.subjects.contains(id)));
        match (old.0 || new.0, used) {
            (false, _) => Verdict::ComesBack,
            (true, true) => Verdict::FoundWhereUsed,
            (true, false) => Verdict::Unexplained,
        }
    }
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
            "    2  breaks or behaves otherwise by ours, too",
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
}
