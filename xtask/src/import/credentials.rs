//! Checks of the credentials that operations want: the client sends a bearer token, or a key in `Authorization`.

use serde_json::Value;

use crate::document::problem::Problem;
use crate::document::tree::{Kind, Object, escape, inspect};

/// Every place whose credentials the client does not have.
pub(super) fn problems(document: &Value) -> Vec<Problem> {
    let schemes = document.pointer("/components/securitySchemes");
    let Some(schemes) = schemes.map_or(Some(&Object::new()), Value::as_object).cloned() else {
        // What is no object is another check's to name.
        return Vec::new();
    };
    let mut problems = Vec::new();
    inspect(document, &mut |kind, pointer, object| {
        if !matches!(kind, Kind::Document | Kind::Operation) {
            return;
        }
        let wanted = object.get("security").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let refusals: Vec<String> = wanted.iter().filter_map(|wanted| refusal(wanted, &schemes)).collect();
        // They are alternatives: one that can be sent is enough.
        if let Some(first) = refusals.first().filter(|_| refusals.len() == wanted.len()) {
            problems.push(Problem::at(format!("{pointer}/security"), first.clone()));
        }
    });
    problems
}

/// Why credentials that are wanted together cannot be sent.
fn refusal(wanted: &Value, schemes: &Object) -> Option<String> {
    let names: Vec<&String> = wanted.as_object().into_iter().flat_map(Object::keys).collect();
    if names.len() > 1 {
        return Some(format!("wants {} at once: one header is sent", names.len()));
    }
    let name = names.first()?;
    let Some(scheme) = schemes.get(*name) else {
        return Some(format!("wants {name:?}, which components/securitySchemes lacks"));
    };
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let known = match text("type") {
        "http" => text("scheme").eq_ignore_ascii_case("bearer"),
        "apiKey" => text("in") == "header" && text("name").eq_ignore_ascii_case("authorization"),
        _ => false,
    };
    let place = format!("/components/securitySchemes/{}", escape(name));
    (!known).then(|| {
        format!("wants {place} ({scheme}): the client sends a bearer token, or a key in the header Authorization")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::documents;

    fn found(security: &Value, schemes: &Value) -> Vec<String> {
        let get = json!({ "security": security, "responses": {} });
        let document = json!({ "paths": { "/dogs": { "get": get } }, "components": { "securitySchemes": schemes } });
        problems(&document).into_iter().map(|problem| format!("{}: {}", problem.pointer, problem.message)).collect()
    }

    #[test]
    fn credentials_that_the_client_does_not_have_are_refused() {
        let schemes = json!({
            "bearer": { "type": "http", "scheme": "Bearer" },
            "key": { "type": "apiKey", "in": "header", "name": "Authorization" },
            "basic": { "type": "http", "scheme": "basic" },
            "query": { "type": "apiKey", "in": "query", "name": "key" },
            "other": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
            "flow": { "type": "oauth2", "flows": {} }
        });
        for name in ["basic", "query", "other", "flow", "missing"] {
            let found = found(&json!([{ name: [] }]), &schemes);
            let [said] = found.as_slice() else { panic!("{name}: {found:?}") };
            assert!(said.starts_with("/paths/~1dogs/get/security: wants ") && said.contains(name), "{said}");
        }
        assert!(found(&json!([{ "bearer": [], "key": [] }]), &schemes)[0].contains("2 at once"));
        for fine in [json!([]), json!([{}]), json!([{ "bearer": [] }]), json!([{ "basic": [] }, { "key": [] }])] {
            assert_eq!(found(&fine, &schemes), Vec::<String>::new(), "{fine}");
        }
        assert_eq!(found(&json!([{ "bearer": [] }]), &json!([])), Vec::<String>::new(), "is refused for its type");
    }

    #[test]
    fn those_of_the_real_documents_are_known() {
        for (date, text) in documents() {
            assert!(problems(&serde_json::from_str(&text).unwrap()).is_empty(), "{date}");
        }
    }
}
