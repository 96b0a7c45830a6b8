//! Emission of the tests' dispatcher: every operation called by its id with JSON arguments,
//! so that one test can call them all and none can be forgotten.

use super::Version;
use super::client::{Answer, Body, Call, qualified};
use crate::regen::table::Place;

pub(super) fn file(version: &Version<'_>) -> Result<String, String> {
    let module = version.module();
    let mut text =
        version.head(&["Calls each operation of this version by its id, and recodes its bodies through their types."]);
    text.push_str(&format!(
        "use cintx_raw::{module}::{{self as version, Client, types}};\nuse serde_json::Value;\n\nuse super::{{Arguments, Called, Failed, done, done_bytes, done_empty, recode}};\n\n/// Calls the operation `id`.\npub async fn call(client: &Client, id: &str, arguments: &Arguments) -> Result<Called, Failed> {{\n    match id {{\n"
    ));
    let mut requests = String::new();
    let mut answers = String::new();
    for row in version.rows {
        let call = Call::new(version, row)?;
        let mut given = Vec::new();
        for (parameter, ty) in call.required() {
            given.push(value(parameter.place, &parameter.name, ty, true));
        }
        for (_, parameter) in call.uniform() {
            given.push(format!("{}.as_deref()", value(parameter.place, &parameter.name, "String", false)));
        }
        match &call.body {
            Body::None => {}
            Body::Json { required: true, .. } => given.push(format!("&{}", body(&call.body))),
            Body::Json { required: false, .. } => given.push(format!("Some(&{})", body(&call.body))),
            Body::Bytes => given.push("arguments.bytes()".to_owned()),
            Body::File { .. } => given.push("&arguments.file()".to_owned()),
        }
        if let Some(name) = call.params_name() {
            let mut fields = String::new();
            for (parameter, ty) in call.optional() {
                fields.push_str(&format!(
                    "{}: {}, ",
                    parameter.ident,
                    value(parameter.place, &parameter.name, ty, false)
                ));
            }
            given.push(format!("&version::{name} {{ {fields}}}"));
        }
        let finish = match &call.answer {
            Answer::Empty => "done_empty(answer)",
            Answer::Json(_) => "done(answer)",
            Answer::Bytes => "done_bytes(answer).await",
        };
        text.push_str(&format!(
            "        {:?} => {{\n            let answer = client.{}({}).await?;\n            {finish}\n        }}\n",
            row.id,
            call.method_name(),
            given.join(", ")
        ));
        if let Body::Json { ty, .. } = &call.body {
            requests.push_str(&format!(
                "        {:?} => recode::<{}>(value, strictly).map(Some),\n",
                row.id,
                qualified(ty)
            ));
        }
        if let Answer::Json(ty) = &call.answer {
            answers.push_str(&format!(
                "        {:?} => recode::<{}>(value, strictly).map(Some),\n",
                row.id,
                qualified(ty)
            ));
        }
    }
    text.push_str("        _ => Err(Failed::NoSuchOperation),\n    }\n}\n");
    for (what, arms) in [("request", requests), ("answer", answers)] {
        text.push_str(&format!(
            "\n/// Decodes and encodes a JSON {what} of the operation `id`; `None` if it has none.\npub fn recode_{what}(id: &str, value: &Value, strictly: bool) -> Result<Option<Value>, serde_json::Error> {{\n    match id {{\n{arms}        _ => Ok(None),\n    }}\n}}\n"
        ));
    }
    Ok(text)
}

fn value(place: Place, name: &str, ty: &str, required: bool) -> String {
    let place = match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    let get = format!("arguments.{place}::<{}>({name:?})?", qualified(ty));
    match (required, ty) {
        (false, _) => get,
        (true, "i64" | "f64" | "bool") => format!("arguments.required({get}, {name:?})?"),
        (true, _) => format!("&arguments.required({get}, {name:?})?"),
    }
}

fn body(body: &Body) -> String {
    match body {
        Body::Json { ty, .. } => format!("arguments.body::<{}>()?", qualified(ty)),
        _ => String::new(),
    }
}
