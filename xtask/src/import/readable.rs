//! The reader that the generator uses, asked piece by piece: it names no place by itself.
//! The innermost piece that it cannot read is the problem, and in it the key without which it could.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::document::problem::Problem;
use crate::document::tree::{Kind, Object, escape, inspect};

/// What the generator's reader does not understand.
pub(super) fn problems(document: &Value) -> Vec<Problem> {
    let Err(whole) = serde_json::from_value::<openapiv3::OpenAPI>(document.clone()) else { return Vec::new() };
    let mut problems: Vec<Problem> = Vec::new();
    inspect(document, &mut |kind, pointer, object| {
        let inner =
            |problem: &Problem| problem.pointer.starts_with(&format!("{pointer}/")) || problem.pointer == pointer;
        if problems.iter().any(inner) {
            return;
        }
        if let Err(error) = read(kind, object) {
            problems.push(place(kind, pointer, object, &error));
        }
    });
    if problems.is_empty() {
        problems.push(Problem::at("", format!("not readable as OpenAPI 3.0: {whole}")));
    }
    problems
}

/// The key of an object that is to blame, if one alone is.
fn place(kind: Kind, pointer: &str, object: &Object, error: &str) -> Problem {
    let reads_without = |key: &&String| {
        let mut without = object.clone();
        without.remove(*key);
        read(kind, &without).is_ok()
    };
    match object.keys().find(reads_without) {
        Some(key) => {
            let mut value = object[key].to_string();
            value.truncate(value.char_indices().nth(80).map_or(value.len(), |(at, _)| at));
            let at = format!("{pointer}/{}", escape(key));
            Problem::at(at, format!("is {value}, which OpenAPI 3.0 does not have in a {kind:?}"))
        }
        None => Problem::at(pointer, format!("not readable as a {kind:?} of OpenAPI 3.0: {error}")),
    }
}

fn read(kind: Kind, object: &Object) -> Result<(), String> {
    fn as_a<T: DeserializeOwned>(object: &Object) -> Result<(), String> {
        serde_json::from_value::<T>(Value::Object(object.clone())).map(|_| ()).map_err(|error| error.to_string())
    }
    use openapiv3 as reader;
    if object.contains_key("$ref") {
        return Ok(());
    }
    match kind {
        Kind::Schema => as_a::<reader::Schema>(object),
        Kind::Parameter => as_a::<reader::Parameter>(object),
        Kind::RequestBody => as_a::<reader::RequestBody>(object),
        Kind::Response => as_a::<reader::Response>(object),
        Kind::Header => as_a::<reader::Header>(object),
        Kind::MediaType => as_a::<reader::MediaType>(object),
        Kind::Encoding => as_a::<reader::Encoding>(object),
        Kind::Operation => as_a::<reader::Operation>(object),
        Kind::PathItem => as_a::<reader::PathItem>(object),
        Kind::SecurityScheme => as_a::<reader::SecurityScheme>(object),
        Kind::Server => as_a::<reader::Server>(object),
        Kind::Tag => as_a::<reader::Tag>(object),
        Kind::Link => as_a::<reader::Link>(object),
        Kind::Discriminator => as_a::<reader::Discriminator>(object),
        Kind::Components => as_a::<reader::Components>(object),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(key: &str, value: Value) -> Vec<String> {
        let mut document = json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"get": {"operationId": "a", "responses": {"200": {"description": "OK"}}}}},
            "components": {"schemas": {"A": {"type": "object", "properties": {"p": {"type": "integer"}}}}}
        });
        let at = key.rsplit_once('/').unwrap();
        document.pointer_mut(at.0).unwrap()[at.1] = value;
        problems(&document).into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn what_cannot_be_read_has_a_place() {
        assert_eq!(found("/components/schemas/A/properties/p/minimum", json!(1)), [] as [&str; 0]);
        for (key, value) in [
            ("/components/schemas/A/properties/p/minimum", json!("one")),
            ("/components/schemas/A/nullable", json!("yes")),
            ("/components/schemas/A/required", json!("p")),
            ("/paths/~1a/get/tags", json!("dogs")),
            ("/paths/~1a/get/deprecated", json!(3)),
            ("/paths/~1a/get/security", json!({})),
        ] {
            assert_eq!(found(key, value.clone()), [key], "{value}");
        }
    }
}
