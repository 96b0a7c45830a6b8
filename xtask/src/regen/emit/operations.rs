//! Emission of the operation table: a static row for each operation.

use heck::ToShoutySnakeCase as _;

use super::Version;
use crate::regen::table::{AnswerShape, Idempotency, Job, KeyFormat, Pagination, Requirement, Row};

pub(super) fn file(version: &Version<'_>) -> String {
    let mut text = version.head(&[
        "The operation table of this version: one row for each operation of the document.",
        "[`ALL`] has them in the order of the document's paths.",
    ]);
    text.push_str("use http::Method;\n\nuse crate::operation::{\n    AnswerShape, Host, IdempotencyKey, Job, JobId, KeyFormat, NextCursor, Operation, Pagination, Requirement, Idempotency,\n};\n\n");
    text.push_str("/// Every operation of this version.\npub static ALL: &[&Operation] = &[\n");
    for row in version.rows {
        text.push_str(&format!("    &{},\n", constant(row)));
    }
    text.push_str("];\n\n/// The operation with this id, in snake case.\npub fn find(id: &str) -> Option<&'static Operation> {\n    ALL.iter().copied().find(|operation| operation.id == id)\n}\n");
    for row in version.rows {
        text.push('\n');
        text.push_str(&emit(version, row));
    }
    text
}

pub(super) fn constant(row: &Row) -> String {
    row.id.to_shouty_snake_case()
}

fn emit(version: &Version<'_>, row: &Row) -> String {
    let format = |format: KeyFormat| match format {
        KeyFormat::Any => "KeyFormat::Any",
        KeyFormat::Ulid => "KeyFormat::Ulid",
        KeyFormat::UuidV4 => "KeyFormat::UuidV4",
    };
    let key = match row.idempotency_key {
        None => "IdempotencyKey::None".to_owned(),
        Some((Requirement::Optional, key)) => format!("IdempotencyKey::Optional({})", format(key)),
        Some((Requirement::Required, key)) => format!("IdempotencyKey::Required({})", format(key)),
    };
    let presence = |presence: Option<Requirement>| match presence {
        None => "Requirement::None",
        Some(Requirement::Optional) => "Requirement::Optional",
        Some(Requirement::Required) => "Requirement::Required",
    };
    let pagination = match &row.pagination {
        None => "None".to_owned(),
        Some(Pagination::Cursor { items, field, has_more }) => {
            let next = if *field { "NextCursor::Field" } else { "NextCursor::LastId" };
            format!("Some(Pagination::Cursor {{ items: {items:?}, next: {next}, has_more: {has_more} }})")
        }
        Some(Pagination::Number { items }) => format!("Some(Pagination::Number {{ items: {items:?} }})"),
    };
    let job = match &row.job {
        None => "None".to_owned(),
        Some(Job::Status { starts }) => format!("Some(Job::Status {{ starts: &{starts:?} }})"),
        Some(Job::Start { status, field }) => {
            let id = match field {
                Some(field) => format!("JobId::Field({field:?})"),
                None => "JobId::Location".to_owned(),
            };
            format!("Some(Job::Start {{ status: {status:?}, id: {id} }})")
        }
    };
    let idempotency = match row.idempotency {
        Idempotency::Safe => "Idempotency::Safe",
        Idempotency::Idempotent => "Idempotency::Idempotent",
        Idempotency::Keyed => "Idempotency::Keyed",
        Idempotency::Unsafe => "Idempotency::Unsafe",
    };
    let answer_shape = match &row.answer_shape {
        AnswerShape::Other => "AnswerShape::Other".to_owned(),
        AnswerShape::Array => "AnswerShape::Array".to_owned(),
        AnswerShape::Object(properties) => format!("AnswerShape::Object(&{properties:?})"),
    };
    let version_header = if row.versioned { format!("Some({:?})", version.date) } else { "None".to_owned() };
    let host = if row.server_to_server { "Host::ServerToServer" } else { "Host::Demand" };
    format!(
        "/// {}\npub static {}: Operation = Operation {{\n    id: {:?},\n    document_id: {:?},\n    method: Method::{},\n    path: {:?},\n    host: {host},\n    tags: &{:?},\n    api_version: {version_header},\n    idempotency_key: {key},\n    if_match: {},\n    if_none_match: {},\n    request_media: &{:?},\n    answer_media: &{:?},\n    answer_shape: {answer_shape},\n    success: &{:?},\n    failures: &{:?},\n    headers: &{:?},\n    pagination: {pagination},\n    job: {job},\n    idempotency: {idempotency},\n    deprecated: {},\n}};\n",
        version.summary(&row.id),
        constant(row),
        row.id,
        row.document_id,
        row.method,
        row.path,
        row.tags,
        presence(row.if_match),
        presence(row.if_none_match),
        row.request_media,
        row.answer_media,
        row.success,
        row.failures,
        row.headers,
        row.deprecated,
    )
}
