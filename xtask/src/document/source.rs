//! Reads a document as it was downloaded: YAML or JSON text to a JSON value.
//! Remembers the line of every node, so that a problem can name it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::document::problem::{Problem, Problems};
use crate::document::tree::push_pointer;

/// How deep a document may be nested. The deepest of Cint's is below forty; every walk of a document is recursive.
const MAX_DEPTH: usize = 100;
/// How many nodes a document may have once its YAML aliases are written out. The largest of Cint's has some 60,000.
const MAX_NODES: usize = 2_000_000;

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
        let reader = JsonReader::default();
        let mut json = serde_json::Deserializer::from_str(text);
        let value = reader.deserialize(&mut json).and_then(|value| json.end().map(|()| value)).map_err(|error| {
            let pointer = reader.pointer.borrow().clone();
            Problems::one(name, Problem { line: Some(error.line()), pointer, message: format!("not JSON: {error}") })
        })?;
        let mut problems = Problems::new(name);
        problems.extend(reader.twice.into_inner().into_iter().map(|pointer| {
            let key = pointer.rsplit('/').next().unwrap_or_default().to_owned();
            Problem::at(pointer, format!("the key {key:?} stands twice in one object"))
        }));
        problems.into_result()?;
        Ok(Self { name: name.to_owned(), value, lines: HashMap::new() })
    }

    fn yaml(name: &str, text: &str) -> Result<Self, Problems> {
        measure(text).map_err(|problem| Problems::one(name, problem))?;
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

/// Refuses what would overflow the stack or fill the memory before it is read: deep nesting, aliases of aliases.
/// Whatever else is wrong with the text is the loader's to say.
fn measure(text: &str) -> Result<(), Problem> {
    /// What is open: its anchor, the nodes before it, the deepest level inside it.
    type Open = (usize, usize, usize);
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, (usize, usize)> = HashMap::new();
    let mut nodes = 0_usize;
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { return Ok(()) };
        let refuse = |message: String| {
            let line = Some(span.start.line());
            Err(Problem { line, pointer: String::new(), message })
        };
        let mut reached = open.len();
        match event {
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                open.push((anchor, nodes, open.len() + 1));
                nodes += 1;
                reached = open.len();
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((anchor, before, deepest)) = open.pop() {
                    anchors.insert(anchor, (nodes - before, deepest - open.len()));
                    reached = deepest;
                }
            }
            Event::Scalar(_, _, anchor, _) => {
                nodes += 1;
                anchors.insert(anchor, (1, 0));
            }
            Event::Alias(anchor) => match anchors.get(&anchor) {
                Some((size, depth)) => {
                    nodes = nodes.saturating_add(*size);
                    reached += depth;
                }
                None => return refuse("a YAML alias refers to itself or to nothing".to_owned()),
            },
            _ => {}
        }
        if let Some((_, _, deepest)) = open.last_mut() {
            *deepest = reached.max(*deepest);
        }
        if reached > MAX_DEPTH {
            return refuse(format!("is nested more than {MAX_DEPTH} levels deep"));
        }
        if nodes > MAX_NODES {
            return refuse(format!("has more than {MAX_NODES} nodes once its aliases are written out"));
        }
    }
    Ok(())
}

/// Reads JSON as serde_json does, and takes note of keys that stand twice: the last of them would win in silence.
#[derive(Default)]
struct JsonReader {
    pointer: RefCell<String>,
    twice: RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for &JsonReader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &JsonReader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let length = push_pointer(&mut self.pointer.borrow_mut(), &list.len().to_string());
            let item = items.next_element_seed(self)?;
            self.pointer.borrow_mut().truncate(length);
            match item {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let length = push_pointer(&mut self.pointer.borrow_mut(), &key);
            let value = entries.next_value_seed(self)?;
            if map.insert(key, value).is_some() {
                self.twice.borrow_mut().push(self.pointer.borrow().clone());
            }
            self.pointer.borrow_mut().truncate(length);
        }
        Ok(Value::Object(map))
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

    #[test]
    fn a_json_key_given_twice_is_a_problem_at_its_pointer() {
        let problems = Source::parse("t", r#"{"paths": {"/a": 1}, "x": [{"b": 1, "b": 2}], "paths": {}}"#).unwrap_err();
        let pointers: Vec<&str> = problems.list().iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/x/0/b", "/paths"]);
        assert!(problems.list()[1].message.contains("\"paths\" stands twice"), "{problems}");
        let text = r#"{"a": [1, -2, 0.5, null, true, "b", {"c": {}}]}"#;
        assert_eq!(Source::parse("t", text).unwrap().value, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn deep_nesting_is_refused_in_every_form() {
        let block: String = (0..3000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        let dashes = "- ".repeat(3000);
        let flow = format!("a: {}", "[".repeat(3000));
        let braces = format!("a: {}", "{a: ".repeat(3000));
        let json = format!("{{\"a\": {}", "[".repeat(3000));
        for (name, text, message) in [
            ("block", block, "nested more than"),
            ("dashes", dashes, "nested more than"),
            ("flow", flow, "recursion limit exceeded"),
            ("braces", braces, "nested more than"),
            ("json", json, "recursion limit exceeded"),
        ] {
            let problems = Source::parse("t", &text).unwrap_err();
            assert!(problems.list()[0].message.contains(message), "{name}: {problems}");
            assert!(problems.list()[0].line.is_some(), "{name}: {problems}");
        }
        let shallow: String = (0..90).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(Source::parse("t", &shallow).is_ok());
    }

    #[test]
    fn aliases_that_would_fill_the_memory_or_the_stack_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        let problems = Source::parse("t", &bomb).unwrap_err();
        assert!(problems.list()[0].message.contains("more than 2000000 nodes"), "{problems}");
        let mut tower = String::from("a0: &a0 [x]\n");
        for level in 1..3000 {
            tower.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        let problems = Source::parse("t", &tower).unwrap_err();
        assert!(problems.list()[0].message.contains("nested more than"), "{problems}");
        assert!(Source::parse("t", "a: &a [*a]\n").is_err(), "an alias of itself");
        assert_eq!(Source::parse("t", "a: &a [x]\nb: *a\n").unwrap().value, json!({"a": ["x"], "b": ["x"]}));
    }
}
