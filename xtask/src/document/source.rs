//! Reads a document as it was downloaded: YAML or JSON text to a JSON value.
//! Remembers the line of every node, so that a problem can name it.

use std::collections::HashMap;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Number, Value};

use crate::document::problem::{Problem, Problems};
use crate::document::tree::push_pointer;

/// A parsed document and the lines of its nodes.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) value: Value,
    lines: HashMap<String, usize>,
}

impl Source {
    /// Parses JSON when the text starts like an object, YAML 1.2 otherwise.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') { Self::json(name, text) } else { Self::yaml(name, text) }
    }

    fn json(name: &str, text: &str) -> Result<Self, Problems> {
        let value = serde_json::from_str(text).map_err(|error| {
            let problem =
                Problem { line: Some(error.line()), pointer: String::new(), message: format!("not JSON: {error}") };
            Problems::one(name, problem)
        })?;
        Ok(Self { name: name.to_owned(), value, lines: HashMap::new() })
    }

    fn yaml(name: &str, text: &str) -> Result<Self, Problems> {
        let documents = MarkedYaml::load_from_str(text).map_err(|error| {
            let problem = Problem {
                line: Some(error.marker().line()),
                pointer: String::new(),
                message: format!("not YAML: {}", error.info()),
            };
            Problems::one(name, problem)
        })?;
        let [root] = documents.as_slice() else {
            let message = format!("holds {} YAML documents, expected one", documents.len());
            return Err(Problems::one(name, Problem::at("", message)));
        };
        let mut reader = YamlReader { lines: HashMap::new(), problems: Problems::new(name) };
        let value = reader.value(root, &mut String::new());
        reader.problems.into_result()?;
        Ok(Self { name: name.to_owned(), value, lines: reader.lines })
    }

    /// The line of a pointer, or of its nearest ancestor that the source has.
    pub(crate) fn line(&self, pointer: &str) -> Option<usize> {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.lines.get(pointer) {
                return Some(*line);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

struct YamlReader {
    lines: HashMap<String, usize>,
    problems: Problems,
}

impl YamlReader {
    fn value(&mut self, node: &MarkedYaml<'_>, pointer: &mut String) -> Value {
        let line = node.span.start.line();
        self.lines.insert(pointer.clone(), line);
        match &node.data {
            YamlData::Value(scalar) => self.scalar(scalar, pointer, line),
            YamlData::Sequence(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let length = push_pointer(pointer, &index.to_string());
                    list.push(self.value(item, pointer));
                    pointer.truncate(length);
                }
                Value::Array(list)
            }
            YamlData::Mapping(entries) => {
                let mut map = Map::new();
                for (key, item) in entries {
                    let key_line = key.span.start.line();
                    let Some(key) = self.key(key, pointer, key_line) else { continue };
                    let length = push_pointer(pointer, &key);
                    let item = self.value(item, pointer);
                    // A value may start below its key; the key is what a reader looks for.
                    self.lines.insert(pointer.clone(), key_line);
                    if map.insert(key.clone(), item).is_some() {
                        self.report(pointer, key_line, format!("the key {key:?} stands twice in one mapping"));
                    }
                    pointer.truncate(length);
                }
                Value::Object(map)
            }
            YamlData::Alias(_) | YamlData::Representation(..) | YamlData::Tagged(..) | YamlData::BadValue => {
                self.report(pointer, line, "a YAML alias, tag or malformed value has no JSON form".to_owned());
                Value::Null
            }
        }
    }

    /// Keys such as `200:` are numbers in YAML and strings in OpenAPI.
    fn key(&mut self, node: &MarkedYaml<'_>, pointer: &str, line: usize) -> Option<String> {
        match &node.data {
            YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
            YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
            YamlData::Value(Scalar::Boolean(flag)) => Some(flag.to_string()),
            _ => {
                self.report(pointer, line, "a mapping key is neither text nor a whole number".to_owned());
                None
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, pointer: &str, line: usize) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(flag) => Value::Bool(*flag),
            Scalar::Integer(number) => Value::Number((*number).into()),
            Scalar::FloatingPoint(number) => match Number::from_f64(number.into_inner()) {
                Some(number) => Value::Number(number),
                None => {
                    self.report(pointer, line, format!("the number {number} has no JSON form"));
                    Value::Null
                }
            },
            Scalar::String(text) => Value::String(text.to_string()),
        }
    }

    fn report(&mut self, pointer: &str, line: usize, message: String) {
        self.problems.push(Problem { line: Some(line), pointer: pointer.to_owned(), message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn status_keys_and_dates_stay_text() {
        let source =
            Source::parse("t", "responses:\n  200: ok\nversion: 2025-12-18\nat: 2025-12-18T00:00:00Z\n").unwrap();
        assert_eq!(
            source.value,
            json!({"responses": {"200": "ok"}, "version": "2025-12-18", "at": "2025-12-18T00:00:00Z"})
        );
        assert_eq!(source.line("/responses"), Some(1), "the line of the key");
        assert_eq!(source.line("/responses/200"), Some(2));
        assert_eq!(source.line("/responses/200/content/x"), Some(2), "the nearest ancestor stands in");
    }

    #[test]
    fn a_key_given_twice_names_its_line() {
        let problems = Source::parse("t", "a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(problems.list()[0].line, Some(3));
    }

    #[test]
    fn broken_yaml_and_json_name_their_line() {
        assert_eq!(Source::parse("t", "a:\n  - b\n c: [\n").unwrap_err().list().len(), 1);
        assert_eq!(Source::parse("t", "{\n\"a\": }\n").unwrap_err().list()[0].line, Some(2));
    }
}
