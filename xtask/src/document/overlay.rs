//! Numbered overlays: one-off mends of one document, as data with a reason.
//! Each change says how many nodes it must find and fails when the document has moved on.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::document::problem::{Problem, Problems};
use crate::document::tree::escape;
use crate::report::Report;

/// When an overlay is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// At the end of import: the mend is part of `openapi/<date>.json`.
    Import,
    /// At the start of shaping: only the generator sees it.
    Shape,
}

/// One file of `openapi/overlays/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    #[serde(skip)]
    name: String,
    /// Why the document needs it, in our words.
    reason: String,
    stage: Stage,
    change: Vec<Change>,
}

/// One edit, at every node that a pattern finds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The dated versions that need it.
    documents: Vec<String>,
    /// A JSON pointer; a token `*` stands for any key or index.
    at: String,
    /// How many nodes the pattern must find.
    expect: usize,
    /// Keys to add to the object or to replace in it.
    #[serde(default)]
    merge: Option<toml::Table>,
    /// What to put in place of the node.
    #[serde(default)]
    replace: Option<toml::Table>,
    /// Replaces a schema by an array of it.
    #[serde(default)]
    array_of: bool,
}

/// Every overlay, in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlays(Vec<Overlay>);

impl Overlays {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut overlays = Vec::new();
        let mut paths: Vec<_> = match fs::read_dir(folder) {
            Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
        };
        paths.sort();
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut overlay: Overlay =
                toml::from_str(&text).with_context(|| format!("{} is not an overlay", path.display()))?;
            ensure!(
                overlay.change.iter().all(|change| change.actions() == 1),
                "{}: a change has one of `merge`, `replace` and `array_of`",
                path.display()
            );
            overlay.name = name;
            overlays.push(overlay);
        }
        Ok(Self(overlays))
    }

    /// Applies the overlays of one stage to the document of one version.
    pub(crate) fn apply(
        &self,
        stage: Stage,
        date: &str,
        document: &mut Value,
        report: &mut Report,
        problems: &mut Problems,
    ) {
        for overlay in self.0.iter().filter(|overlay| overlay.stage == stage) {
            let mut total = 0;
            let mut touched = false;
            for change in overlay.change.iter().filter(|change| change.documents.iter().any(|other| other == date)) {
                touched = true;
                let found = find(document, &change.at);
                if found.len() != change.expect {
                    problems.push(Problem::at(
                        change.at.clone(),
                        format!(
                            "overlay {} expects {} node(s) here and finds {}: the document has moved on, review the overlay",
                            overlay.name,
                            change.expect,
                            found.len()
                        ),
                    ));
                    continue;
                }
                for pointer in &found {
                    let Some(node) = document.pointer_mut(pointer) else { continue };
                    let before = node.clone();
                    match change.edit(node) {
                        Err(message) => {
                            problems.push(Problem::at(pointer.clone(), format!("overlay {}: {message}", overlay.name)));
                        }
                        Ok(()) if *node == before => report.note(format!(
                            "overlay {} changes nothing at {pointer}: the document says it by itself; take {date} out of it",
                            overlay.name
                        )),
                        Ok(()) => {}
                    }
                }
                total += found.len();
            }
            if touched {
                report.line(&overlay.name, total, &overlay.reason);
            }
        }
    }
}

impl Overlays {
    /// The overlays of shaping that leave a document of theirs as it is: it says by itself what they bring.
    pub(crate) fn idle(&self, date: &str, document: &Value) -> Vec<&str> {
        let idle = |change: &Change| {
            let found = find(document, &change.at);
            let nodes = || found.iter().filter_map(|pointer| document.pointer(pointer));
            nodes().all(|node| {
                let mut edited = node.clone();
                change.edit(&mut edited).is_ok() && &edited == node
            })
        };
        let shaping = self.0.iter().filter(|overlay| overlay.stage == Stage::Shape);
        let of_date = |overlay: &&Overlay| {
            let mut changes = overlay.change.iter().filter(|change| change.documents.iter().any(|other| other == date));
            changes.any(idle)
        };
        shaping.filter(of_date).map(|overlay| overlay.name.as_str()).collect()
    }

    /// The overlays that were made for other documents alone, and that would fit this one too.
    /// Of the documents that one was made for, the nearest older one stands for it, or else the nearest newer one.
    pub(crate) fn that_would_fit(&self, date: &str, document: &Value) -> Vec<&str> {
        let fits = |overlay: &&Overlay| {
            let dates = || overlay.change.iter().flat_map(|change| &change.documents);
            if dates().any(|other| other == date) {
                return false;
            }
            let older = dates().filter(|other| other.as_str() < date).max();
            let Some(nearest) = older.or_else(|| dates().min()) else { return false };
            let changes = || overlay.change.iter().filter(|change| change.documents.contains(nearest));
            changes().count() > 0 && changes().all(|change| change.would_fit(document))
        };
        self.0.iter().filter(fits).map(|overlay| overlay.name.as_str()).collect()
    }
}

impl Change {
    /// Whether it finds what it expects, and would make it another.
    fn would_fit(&self, document: &Value) -> bool {
        let found = find(document, &self.at);
        let nodes = || found.iter().filter_map(|pointer| document.pointer(pointer));
        // What a document says itself by now is not to be merged into it.
        let says = |node: &Value, key: &String| node.get(key).is_some_and(|value| value != &json!([]));
        let lacks = |node: &Value| self.merge.as_ref().is_none_or(|table| table.keys().any(|key| !says(node, key)));
        found.len() == self.expect
            && nodes().all(|node| {
                let mut edited = node.clone();
                lacks(node) && self.edit(&mut edited).is_ok() && &edited != node
            })
    }

    fn actions(&self) -> usize {
        [self.merge.is_some(), self.replace.is_some(), self.array_of].into_iter().filter(|given| *given).count()
    }

    fn edit(&self, node: &mut Value) -> Result<(), String> {
        if self.array_of {
            if node.get("type").and_then(Value::as_str) == Some("array") {
                return Err("is a list already: the document has moved on, review the overlay".to_owned());
            }
            *node = json!({ "type": "array", "items": node.take() });
        }
        if let Some(table) = &self.replace {
            *node = serde_json::to_value(table).map_err(|error| error.to_string())?;
        }
        if let Some(table) = &self.merge {
            let object = node.as_object_mut().ok_or("can only merge into an object")?;
            for (key, value) in table {
                object.insert(key.clone(), serde_json::to_value(value).map_err(|error| error.to_string())?);
            }
        }
        Ok(())
    }
}

/// The pointers of all nodes that a pattern finds.
fn find(document: &Value, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for token in pattern.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|pointer| {
                let keys: Vec<String> = match (document.pointer(&pointer), token) {
                    (Some(Value::Object(object)), "*") => object.keys().map(|key| escape(key)).collect(),
                    (Some(Value::Array(list)), "*") => (0..list.len()).map(|index| index.to_string()).collect(),
                    _ => vec![token.to_owned()],
                };
                keys.into_iter().map(move |key| format!("{pointer}/{key}")).collect::<Vec<_>>()
            })
            .filter(|pointer| document.pointer(pointer).is_some())
            .collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(expect: usize) -> Overlays {
        let text = format!(
            "reason = 'r'\nstage = 'import'\n[[change]]\ndocuments = ['2025-01-01']\nat = '/a/*/b'\nexpect = {expect}\narray_of = true\n"
        );
        Overlays(vec![toml::from_str(&text).unwrap()])
    }

    fn apply(expect: usize, date: &str) -> (Value, Problems) {
        let mut document = json!({"a": {"x": {"b": {"type": "string"}}, "y": {}}});
        let mut problems = Problems::new("t");
        overlay(expect).apply(Stage::Import, date, &mut document, &mut Report::new("t"), &mut problems);
        (document, problems)
    }

    #[test]
    fn a_change_applies_to_what_its_pattern_finds() {
        let (document, problems) = apply(1, "2025-01-01");
        assert_eq!(document["a"]["x"]["b"], json!({"type": "array", "items": {"type": "string"}}));
        assert!(problems.list().is_empty());
        assert_eq!(apply(1, "2024-01-01").0["a"]["x"]["b"], json!({"type": "string"}), "only its own documents");
    }

    #[test]
    fn an_overlay_that_would_fit_a_newer_document_is_named() {
        let mut overlays = overlay(1);
        overlays.0[0].name = "001-lists".to_owned();
        let document = json!({"a": {"x": {"b": {"type": "string"}}}});
        assert_eq!(overlays.that_would_fit("2025-06-01", &document), ["001-lists"]);
        assert!(overlays.that_would_fit("2025-01-01", &document).is_empty(), "it is applied there");
        assert_eq!(
            overlays.that_would_fit("2024-01-01", &document),
            ["001-lists"],
            "an older document may need it, too"
        );
        let mended = json!({"a": {"x": {"b": {"type": "array", "items": {}}}}});
        assert!(overlays.that_would_fit("2025-06-01", &mended).is_empty(), "nothing to mend");
        assert!(overlays.that_would_fit("2025-06-01", &json!({})).is_empty(), "no such place");
    }

    #[test]
    fn a_document_that_moved_on_is_a_problem_and_stays_as_it_was() {
        let (document, problems) = apply(2, "2025-01-01");
        assert_eq!(problems.list()[0].pointer, "/a/*/b");
        assert_eq!(document["a"]["x"]["b"], json!({"type": "string"}));
    }
}
