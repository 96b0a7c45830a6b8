//! Emission of the endpoints that typed mocks are made of: each operation's row with its types.

use super::Version;
use super::client::{Answer, Body, Call, qualified};
use super::operations::constant;
use crate::regen::shape::pascal;

pub(super) fn file(version: &Version<'_>) -> Result<String, String> {
    let mut text = version.head(&[
        "The operations of this version as types, for `httpmock`: what a mock expects and answers.",
        "See [`MockServerExt`](crate::mock::MockServerExt).",
    ]);
    text.push_str("use super::{operations, types};\nuse crate::Operation;\n#[allow(unused_imports)]\nuse crate::mock::{Endpoint, NoBody, RawBody};\n");
    for row in version.rows {
        let call = Call::new(version, row)?;
        let name = pascal(&row.id);
        let body = match &call.body {
            Body::None => "NoBody".to_owned(),
            Body::Json { ty, .. } => qualified(ty),
            Body::Bytes | Body::File { .. } => "RawBody".to_owned(),
        };
        let answer = match &call.answer {
            Answer::Empty => "NoBody".to_owned(),
            Answer::Json(ty) => qualified(ty),
            Answer::Bytes => "RawBody".to_owned(),
        };
        text.push_str(&format!(
            "\n/// {}\n#[derive(Clone, Copy, Debug)]\npub struct {name};\n\nimpl Endpoint for {name} {{\n    type Body = {body};\n    type Answer = {answer};\n\n    fn operation() -> &'static Operation {{\n        &operations::{}\n    }}\n}}\n",
            version.summary(&row.id),
            constant(row),
        ));
    }
    Ok(text)
}
