//! Reads an interface document for the tests, independently of the tool that generates from it.

use serde_json::Value;

/// A document of one version.
#[derive(Clone, Debug)]
pub struct Document {
    /// The whole document.
    pub root: Value,
}

/// One operation of a document.
#[derive(Clone, Debug)]
pub struct DocumentOperation<'a> {
    /// The path template.
    pub path: &'a str,
    /// The method, upper case.
    pub method: String,
    /// The id as the document spells it.
    pub id: &'a str,
    /// The operation.
    pub operation: &'a Value,
    /// The path item.
    pub item: &'a Value,
}

impl Document {
    /// The document of a version that is known to exist.
    ///
    /// # Panics
    /// If it does not: the test is wrong then.
    pub fn of(date: &str) -> Self {
        let document = cintx_openapi::document(date).expect("a known version");
        let root = serde_json::from_str(document.json).expect("an embedded document is JSON");
        Self { root }
    }

    /// Every operation.
    pub fn operations(&self) -> Vec<DocumentOperation<'_>> {
        let mut found = Vec::new();
        for (path, item) in self.root["paths"].as_object().into_iter().flatten() {
            for method in ["get", "put", "post", "delete", "patch", "head", "options", "trace"] {
                if let Some(operation) = item.get(method) {
                    let id = operation["operationId"].as_str().unwrap_or_default();
                    found.push(DocumentOperation { path, method: method.to_uppercase(), id, operation, item });
                }
            }
        }
        found
    }

    /// Follows references until something else stands there.
    pub fn follow<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        while let Some(target) =
            value.get("$ref").and_then(Value::as_str).and_then(|at| self.root.pointer(at.strip_prefix('#')?))
        {
            value = target;
        }
        value
    }

    /// An operation's parameters, the path's included.
    pub fn parameters<'a>(&'a self, operation: &DocumentOperation<'a>) -> Vec<&'a Value> {
        let mut parameters: Vec<&Value> = Vec::new();
        for list in [operation.operation.get("parameters"), operation.item.get("parameters")].into_iter().flatten() {
            for parameter in list.as_array().into_iter().flatten() {
                let parameter = self.follow(parameter);
                if !parameters.iter().any(|other| other["name"] == parameter["name"] && other["in"] == parameter["in"])
                {
                    parameters.push(parameter);
                }
            }
        }
        parameters
    }

    /// The request body's schema for JSON.
    pub fn request_schema<'a>(&'a self, operation: &DocumentOperation<'a>) -> Option<&'a Value> {
        self.follow(operation.operation.get("requestBody")?).pointer("/content/application~1json/schema")
    }

    /// Each status with the answer.
    pub fn answers<'a>(&'a self, operation: &DocumentOperation<'a>) -> Vec<(u16, &'a Value)> {
        let answers = operation.operation["responses"].as_object();
        answers
            .into_iter()
            .flatten()
            .filter_map(|(status, answer)| Some((status.parse().ok()?, self.follow(answer))))
            .collect()
    }
}

/// The schema of an answer's JSON.
pub fn json_schema(answer: &Value) -> Option<&Value> {
    let content = answer.get("content")?.as_object()?;
    content.iter().find(|(media, _)| essence(media) == "application/json")?.1.get("schema")
}

/// A media type without its parameters.
pub fn essence(media: &str) -> &str {
    media.split(';').next().unwrap_or_default().trim()
}
