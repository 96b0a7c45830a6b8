//! Bodies that are sent, held against a document strictly: what it does not describe is a mistake, too.
//! And the changes of a document that no body would notice.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use cintx_raw::Operation;
use serde_json::{Map, Value, json};

use crate::document::Document;

/// Bodies that were sent through one version.
#[derive(Debug)]
pub struct SentBodies {
    document: Document,
    table: &'static [&'static Operation],
    bodies: Vec<SentBody>,
}

#[derive(Debug)]
struct SentBody {
    operation: &'static str,
    /// Where its schema is in the document.
    schema: String,
    body: Value,
}

/// A change that a newer document may bring.
#[derive(Clone, Copy, Debug)]
enum Change {
    Rename,
    Retype,
    Drop,
}

impl SentBodies {
    /// None yet.
    pub fn new(date: &str, table: &'static [&'static Operation]) -> Self {
        Self { document: Document::of(date), table, bodies: Vec::new() }
    }

    /// One more, of an operation by its id in the document or in the table.
    pub fn push(&mut self, id: &str, body: Value) {
        self.push_as("application~1json", id, body);
    }

    /// One more that is a file. Where the operation takes forms, it was sent as the part `file`; where it takes the
    /// file itself, the document has no properties that could be held against it.
    pub fn push_file(&mut self, id: &str) {
        self.push_as("multipart~1form-data", id, json!({ "file": "<content>" }));
    }

    fn push_as(&mut self, media: &str, id: &str, body: Value) {
        let Some(row) = self.table.iter().find(|row| row.id == id || row.document_id == id) else { return };
        let path = row.path.replace('~', "~0").replace('/', "~1");
        let method = row.method.as_str().to_lowercase();
        let request = followed(&self.document.root, format!("/paths/{path}/{method}/requestBody"));
        let schema = format!("{request}/content/{media}/schema");
        if self.document.root.pointer(&schema).is_some() {
            self.bodies.push(SentBody { operation: row.id, schema, body });
        }
    }

    /// What is wrong about them, and the places of the properties that each holds.
    fn check(&self, schemas: &Schemas<'_>, sent: &SentBody) -> (Vec<String>, BTreeSet<String>) {
        let visit = self.visit(schemas, sent);
        (visit.problems, visit.places)
    }

    fn visit<'a>(&self, schemas: &'a Schemas<'a>, sent: &SentBody) -> Visit<'a> {
        let mut visit = Visit::of(schemas);
        visit.value(&sent.schema, &sent.body, sent.operation);
        visit
    }

    /// What the document does not allow in them.
    pub fn problems(&self) -> Vec<String> {
        let schemas = Schemas::of(&self.document.root);
        self.bodies.iter().flat_map(|sent| self.check(&schemas, sent).0).collect()
    }

    /// The changes of the document that nobody notices: each property that some body holds, called otherwise, of
    /// another type, or gone. Either a body is wrong then, or other properties than before are never sent. Also how
    /// many were tried. A word that a list of the document does not have any more is such a change, too.
    pub fn unnoticed(&self) -> (Vec<String>, usize) {
        let mut holders: BTreeMap<String, Vec<&SentBody>> = BTreeMap::new();
        let schemas = Schemas::of(&self.document.root);
        for sent in &self.bodies {
            for place in self.check(&schemas, sent).1 {
                holders.entry(place).or_default().push(sent);
            }
        }
        // The small ones tell the quickest.
        for bodies in holders.values_mut() {
            bodies.sort_by_cached_key(|sent| sent.body.to_string().len());
        }
        let (mut root, mut unnoticed, mut tried) = (self.document.root.clone(), Vec::new(), 0);
        let never_sent = self.never_sent();
        for (place, bodies) in holders {
            for change in [Change::Rename, Change::Retype, Change::Drop] {
                tried += 1;
                let whole = apply(&mut root, &place, change);
                let schemas = Schemas::of(&root);
                if bodies.iter().all(|sent| self.check(&schemas, sent).0.is_empty())
                    && self.never_sent_by(&schemas) == never_sent
                {
                    unnoticed.push(format!("{change:?} {place}"));
                }
                restore(&mut root, &place, whole);
            }
        }
        let (mut words, tried_words) = self.unnoticed_words();
        unnoticed.append(&mut words);
        (unnoticed, tried + tried_words)
    }

    /// The same for each word that some body holds, taken out of its list.
    fn unnoticed_words(&self) -> (Vec<String>, usize) {
        let schemas = Schemas::of(&self.document.root);
        let mut holders: BTreeMap<(String, String), Vec<&SentBody>> = BTreeMap::new();
        for sent in &self.bodies {
            for word in self.visit(&schemas, sent).words {
                holders.entry(word).or_default().push(sent);
            }
        }
        let (mut root, mut unnoticed, tried) = (self.document.root.clone(), Vec::new(), holders.len());
        for ((place, word), mut bodies) in holders {
            bodies.sort_by_cached_key(|sent| sent.body.to_string().len());
            let list = root.pointer_mut(&place).and_then(Value::as_array_mut).expect("the words");
            let whole = list.clone();
            list.retain(|it| *it != word);
            let schemas = Schemas::of(&root);
            if bodies.iter().all(|sent| self.check(&schemas, sent).0.is_empty()) {
                unnoticed.push(format!("{word} of {place}"));
            }
            *root.pointer_mut(&place).expect("the words") = Value::Array(whole);
        }
        (unnoticed, tried)
    }

    /// What is wrong about them once the document calls a property otherwise.
    ///
    /// # Panics
    /// If the document has no such property: the test is wrong then.
    pub fn problems_if_renamed(&self, property: &str) -> Vec<String> {
        let mut root = self.document.root.clone();
        apply(&mut root, property, Change::Rename);
        let schemas = Schemas::of(&root);
        self.bodies.iter().flat_map(|sent| self.check(&schemas, sent).0).collect()
    }

    /// The properties of the bodies' schemas that no body holds: what the SDK cannot say, or what no body here says.
    pub fn never_sent(&self) -> BTreeSet<String> {
        self.never_sent_by(&Schemas::of(&self.document.root))
    }

    fn never_sent_by(&self, schemas: &Schemas<'_>) -> BTreeSet<String> {
        let (mut known, mut sent) = (BTreeSet::new(), BTreeSet::new());
        for body in &self.bodies {
            every_place(schemas, &body.schema, &mut known);
            sent.extend(self.check(schemas, body).1);
        }
        known.difference(&sent).map(|place| short(place)).collect()
    }
}

/// A property for people: `Schema.property`, or its operation's path where the schema has no name.
fn short(place: &str) -> String {
    let place = place.trim_start_matches("/components/schemas/").replace("/content/application~1json/schema", "");
    place.replace("/properties/", ".").replace("~1", "/")
}

/// Where a place is once references are followed.
fn followed(root: &Value, mut place: String) -> String {
    while let Some(target) = root.pointer(&place).and_then(|it| it.get("$ref")).and_then(Value::as_str) {
        place = target.trim_start_matches('#').to_owned();
    }
    place
}

/// One way to fulfil a schema: what its parts say together.
#[derive(Clone, Debug, Default)]
struct Variant {
    types: BTreeSet<String>,
    words: Option<Vec<Value>>,
    /// Where those words are.
    words_at: Option<String>,
    /// Each property with its place; none at all where a schema says nothing of properties.
    properties: Option<BTreeMap<String, String>>,
    required: BTreeSet<String>,
    /// Where the schema of other properties is, and that of the items of a list.
    others: Option<String>,
    items: Option<String>,
    nullable: bool,
}

/// The schemas of a document. What one comes to is worked out once: bodies meet the same ones again and again.
struct Schemas<'a> {
    root: &'a Value,
    known: RefCell<HashMap<String, Rc<[Variant]>>>,
}

impl<'a> Schemas<'a> {
    fn of(root: &'a Value) -> Self {
        Self { root, known: RefCell::default() }
    }

    /// Every way to fulfil the schema at a place.
    fn variants(&self, place: &str) -> Rc<[Variant]> {
        if let Some(known) = self.known.borrow().get(place) {
            return Rc::clone(known);
        }
        let found: Rc<[Variant]> = variants(self.root, place).into();
        self.known.borrow_mut().insert(place.to_owned(), Rc::clone(&found));
        found
    }
}

/// Every way to fulfil a schema: with each part of its `allOf`, one of its `oneOf`, and one or all of its `anyOf`.
fn variants(root: &Value, place: &str) -> Vec<Variant> {
    let place = followed(root, place.to_owned());
    let schema = root.pointer(&place).unwrap_or(&Value::Null);
    let own = Variant {
        types: schema["type"].as_str().map(str::to_owned).into_iter().collect(),
        words: schema["enum"].as_array().cloned(),
        words_at: schema["enum"].is_array().then(|| format!("{place}/enum")),
        properties: schema["properties"].as_object().map(|properties| {
            let place_of = |name: &String| format!("{place}/properties/{}", name.replace('~', "~0").replace('/', "~1"));
            properties.keys().map(|name| (name.clone(), place_of(name))).collect()
        }),
        required: texts(&schema["required"]),
        others: schema["additionalProperties"].is_object().then(|| format!("{place}/additionalProperties")),
        items: schema.get("items").is_some().then(|| format!("{place}/items")),
        nullable: schema["nullable"] == true,
    };
    let list = |word: &str| -> Vec<String> {
        (0..schema[word].as_array().map_or(0, Vec::len)).map(|at| format!("{place}/{word}/{at}")).collect()
    };
    let mut out = vec![own];
    for part in list("allOf") {
        out = both(&out, &variants(root, &part));
    }
    for word in ["oneOf", "anyOf"] {
        let choices: Vec<Vec<Variant>> = list(word).iter().map(|choice| variants(root, choice)).collect();
        // Several of an `anyOf` may hold at once.
        let together = match (word, choices.split_first()) {
            ("anyOf", Some((first, rest))) => rest.iter().fold(first.clone(), |all, one| both(&all, one)),
            _ => Vec::new(),
        };
        let choices: Vec<Variant> = choices.into_iter().flatten().chain(together).collect();
        if !choices.is_empty() {
            out = both(&out, &choices);
        }
    }
    out
}

fn texts(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Each of these with each of those.
fn both(these: &[Variant], those: &[Variant]) -> Vec<Variant> {
    let join = |one: &Variant, other: &Variant| {
        let (mut one, other) = (one.clone(), other.clone());
        one.types.extend(other.types);
        one.words = one.words.or(other.words);
        one.words_at = one.words_at.or(other.words_at);
        one.properties = match (one.properties, other.properties) {
            (Some(mut properties), Some(more)) => {
                properties.extend(more);
                Some(properties)
            }
            (properties, more) => properties.or(more),
        };
        one.required.extend(other.required);
        one.others = one.others.or(other.others);
        one.items = one.items.or(other.items);
        one.nullable |= other.nullable;
        one
    };
    these.iter().flat_map(|one| those.iter().map(move |other| join(one, other))).collect()
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        // A number without a fraction, however it is written.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => true,
    }
}

struct Visit<'a> {
    schemas: &'a Schemas<'a>,
    problems: Vec<String>,
    places: BTreeSet<String>,
    /// Each word that a list has: where the list is, and the word.
    words: BTreeSet<(String, String)>,
}

impl<'a> Visit<'a> {
    fn of(schemas: &'a Schemas<'a>) -> Self {
        Self { schemas, problems: Vec::new(), places: BTreeSet::new(), words: BTreeSet::new() }
    }

    /// Holds a value against the variant that it fits best.
    fn value(&mut self, place: &str, value: &Value, at: &str) {
        let variants = self.schemas.variants(place);
        let tried = variants.iter().map(|variant| {
            let mut visit = Visit::of(self.schemas);
            visit.variant(variant, value, at);
            visit
        });
        if let Some(best) = tried.min_by_key(|visit| visit.problems.len()) {
            self.problems.extend(best.problems);
            self.places.extend(best.places);
            self.words.extend(best.words);
        }
    }

    fn variant(&mut self, variant: &Variant, value: &Value, at: &str) {
        if value.is_null() && variant.nullable {
            return;
        }
        if let Some(wrong) = variant.types.iter().find(|name| !has_type(value, name)) {
            return self.problems.push(format!("{at} is {value}, expected {wrong}"));
        }
        if let Some(words) = variant.words.as_ref().filter(|words| !words.contains(value)) {
            return self.problems.push(format!("{at} is {value}, expected one of {words:?}"));
        }
        if let (Some(place), Some(word)) = (&variant.words_at, value.as_str()) {
            self.words.insert((place.clone(), word.to_owned()));
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(place) = &variant.items {
                        self.value(place, item, &format!("{at}[{index}]"));
                    }
                }
            }
            Value::Object(fields) => self.fields(variant, fields, at),
            _ => {}
        }
    }

    fn fields(&mut self, variant: &Variant, fields: &Map<String, Value>, at: &str) {
        let missing = variant.required.iter().filter(|name| !fields.contains_key(*name));
        self.problems.extend(missing.map(|name| format!("{at} lacks {name}")));
        if variant.properties.is_none() && variant.others.is_none() {
            return;
        }
        for (name, value) in fields {
            let at = format!("{at}.{name}");
            match (variant.properties.as_ref().and_then(|it| it.get(name)), &variant.others) {
                (Some(property), _) => {
                    self.places.insert(property.clone());
                    self.value(property, value, &at);
                }
                (None, Some(others)) => self.value(others, value, &at),
                (None, None) => self.problems.push(format!("{at} is not in the document")),
            }
        }
    }
}

/// Every property below a schema.
fn every_place(schemas: &Schemas<'_>, place: &str, out: &mut BTreeSet<String>) {
    for variant in schemas.variants(place).iter() {
        for property in variant.properties.iter().flat_map(BTreeMap::values) {
            if out.insert(property.clone()) {
                every_place(schemas, property, out);
            }
        }
        for below in variant.others.iter().chain(&variant.items) {
            every_place(schemas, below, out);
        }
    }
}

/// The schema that holds a property, and the property's name.
fn holder(place: &str) -> (&str, String) {
    let (holder, name) = place.rsplit_once("/properties/").expect("a property");
    (holder, name.replace("~1", "/").replace("~0", "~"))
}

/// Changes a property; hands back the schema that holds it, as it was.
fn apply(root: &mut Value, place: &str, change: Change) -> Value {
    let (holder, name) = holder(place);
    let schema = root.pointer_mut(holder).expect("the schema");
    let whole = schema.clone();
    let renamed = format!("{name}_renamed");
    let property = schema["properties"].as_object_mut().and_then(|it| it.remove(&name)).expect("the property");
    match change {
        Change::Rename => schema["properties"][&renamed] = property,
        Change::Retype => {
            schema["properties"][&name] =
                json!({ "type": "object", "required": ["of_another_type"], "properties": {} });
        }
        Change::Drop => {}
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        match change {
            Change::Rename => required.iter_mut().filter(|it| **it == name).for_each(|it| *it = json!(renamed)),
            Change::Drop => required.retain(|it| *it != name),
            Change::Retype => {}
        }
    }
    whole
}

fn restore(root: &mut Value, place: &str, whole: Value) {
    *root.pointer_mut(holder(place).0).expect("the schema") = whole;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_does_not_describe_is_a_problem() {
        let root = json!({ "a": {
            "type": "object", "required": ["name"],
            "properties": { "name": { "type": "string" }, "count": { "oneOf": [{ "type": "integer" }, { "$ref": "#/b" }] } },
        }, "b": { "type": "object", "properties": { "of": { "type": "string", "nullable": true } } } });
        let problems = |body: Value| {
            let schemas = Schemas::of(&root);
            let mut visit = Visit::of(&schemas);
            visit.value("/a", &body, "body");
            visit.problems
        };
        assert!(problems(json!({ "name": "x", "count": 1 })).is_empty());
        assert!(problems(json!({ "name": "x", "count": { "of": null } })).is_empty());
        assert_eq!(problems(json!({ "count": 1 })), ["body lacks name"]);
        assert_eq!(problems(json!({ "name": 1 })), ["body.name is 1, expected string"]);
        assert_eq!(problems(json!({ "name": "x", "other": 1 })), ["body.other is not in the document"]);
        assert_eq!(problems(json!({ "name": "x", "count": { "off": "y" } })).len(), 1);
    }

    #[test]
    fn a_word_of_a_list_is_known_with_its_place() {
        let root = json!({ "a": { "properties": { "of": { "oneOf": [{ "type": "integer" }, { "$ref": "#/b" }] } } },
            "b": { "type": "string", "enum": ["x", "y"] } });
        let schemas = Schemas::of(&root);
        let mut visit = Visit::of(&schemas);
        visit.value("/a", &json!({ "of": "x" }), "body");
        assert_eq!(visit.words, BTreeSet::from([("/b/enum".to_owned(), "x".to_owned())]));
        visit.value("/a", &json!({ "of": "z" }), "body");
        assert_eq!(visit.problems.len(), 1, "{:?}", visit.problems);
    }

    #[test]
    fn a_change_is_made_and_taken_back() {
        let whole = json!({ "a": { "required": ["x"], "properties": { "x": { "type": "string" }, "y/z": {} } } });
        for place in ["/a/properties/x", "/a/properties/y~1z"] {
            for change in [Change::Rename, Change::Retype, Change::Drop] {
                let mut root = whole.clone();
                let before = apply(&mut root, place, change);
                assert_ne!(root, whole);
                restore(&mut root, place, before);
                assert_eq!(root, whole);
            }
        }
    }
}
