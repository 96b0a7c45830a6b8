//! The operation table against its document: the same operations, and every fact of a row derived again from the document.
//! Golden files show the table of each version, so a change in a document shows as a change in a line.

use std::collections::{BTreeMap, BTreeSet};

use cintx_raw::{
    BearerTransport, Host, Idempotency, IdempotencyKey, Job, JobId, KeyFormat, NextCursor, Operation, Pagination,
    Requirement,
};
use cintx_tests::dispatch::{Arguments, Failed, Version, call, versions};
use cintx_tests::document::{Document, DocumentOperation, json_schema};
use serde_json::{Map, Value};

/// How many operations the document of each version has, server-to-server ones included.
const COUNTS: [(&str, usize, usize); 3] = [("2024-12-02", 140, 0), ("2025-02-17", 149, 0), ("2025-12-18", 158, 2)];

/// Calls `check` with every operation and its row; fails with everything that `check` says.
fn each_row(check: impl Fn(&Document, &DocumentOperation<'_>, &Operation) -> Vec<String>) {
    let mut found = Vec::new();
    for version in versions() {
        let document = Document::of(version.date);
        for operation in document.operations() {
            let row = row_of(&version, &operation);
            let problems = check(&document, &operation, row);
            found.extend(problems.into_iter().map(|problem| format!("{} {}: {problem}", version.date, row.id)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn row_of(version: &Version, operation: &DocumentOperation<'_>) -> &'static Operation {
    let mut rows =
        version.table.iter().filter(|row| row.path == operation.path && row.method.as_str() == operation.method);
    let row = rows.next().unwrap_or_else(|| panic!("{}: {} has no row", version.date, operation.id));
    assert!(rows.next().is_none(), "{}: {} has two rows", version.date, operation.id);
    row
}

/// Says where a fact of the row is not that of the document.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, row: T, document: T) -> Option<String> {
    (row != document).then(|| format!("{what} is {row:?}, the document says {document:?}"))
}

fn header<'a>(document: &'a Document, operation: &DocumentOperation<'a>, name: &str) -> Option<&'a Value> {
    document.parameters(operation).into_iter().find(|parameter| {
        parameter["in"] == "header" && parameter["name"].as_str().is_some_and(|other| other.eq_ignore_ascii_case(name))
    })
}

fn media(document: &Document, value: Option<&Value>) -> Vec<String> {
    let content = value.map(|value| &document.follow(value)["content"]).and_then(Value::as_object);
    content.into_iter().flat_map(Map::keys).cloned().collect()
}

fn success<'a>(document: &'a Document, operation: &DocumentOperation<'a>) -> &'a Value {
    let answers = document.answers(operation);
    answers.into_iter().find(|(status, _)| (200..300).contains(status)).map(|(_, answer)| answer).unwrap()
}

/// The properties of an answer, whichever member or branch has them.
fn properties(document: &Document, schema: &Value) -> BTreeMap<String, Value> {
    let schema = document.follow(schema);
    let mut found = BTreeMap::new();
    for key in ["allOf", "oneOf", "anyOf"] {
        for member in schema[key].as_array().into_iter().flatten() {
            found.extend(properties(document, member));
        }
    }
    let own = schema["properties"].as_object().into_iter().flatten();
    found.extend(own.map(|(name, schema)| (name.clone(), document.follow(schema).clone())));
    found
}

fn answer_properties(document: &Document, operation: &DocumentOperation<'_>) -> BTreeMap<String, Value> {
    json_schema(success(document, operation)).map(|schema| properties(document, schema)).unwrap_or_default()
}

#[tokio::test]
async fn the_document_the_table_and_the_client_have_the_same_operations() {
    for version in versions() {
        let (_, count, fulfilment) = COUNTS.into_iter().find(|(date, ..)| *date == version.date).unwrap();
        let document = Document::of(version.date);
        let documented: BTreeSet<String> =
            document.operations().iter().map(|operation| row_of(&version, operation).id.to_owned()).collect();
        let rows: BTreeSet<String> = version.table.iter().map(|row| row.id.to_owned()).collect();
        // Where something is optional, the one that is called takes it.
        let methods = methods(version.date).into_iter();
        let methods: BTreeSet<String> =
            methods.map(|name| name.strip_suffix("_with").unwrap_or(&name).to_owned()).collect();
        assert_eq!(document.operations().len(), count, "{}", version.date);
        assert_eq!(version.table.len(), count, "an id stands twice or one is missing");
        assert_eq!(rows, documented);
        assert_eq!(rows, methods, "the client's methods are named like the rows");
        let served_elsewhere = version.table.iter().filter(|row| row.host == Host::ServerToServer).count();
        assert_eq!(served_elsewhere, fulfilment);
        let nowhere = BearerTransport::new("token").unwrap().base_url("http://127.0.0.1:1");
        for row in version.table {
            let outcome = Box::pin(call(version.date, nowhere.clone(), row.id, &Arguments::default())).await;
            assert!(!matches!(outcome, Err(Failed::NoSuchOperation)), "{} cannot be called", row.id);
        }
    }
}

/// The client's methods that the dispatcher calls, each once.
fn methods(date: &str) -> Vec<String> {
    let file = format!("{}/src/dispatch/v{}.rs", env!("CARGO_MANIFEST_DIR"), date.replace('-', "_"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let calls = text.split("= client.").skip(1);
    let mut methods: Vec<String> = calls.map(|call| call.split('(').next().unwrap().to_owned()).collect();
    methods.sort_unstable();
    let before = methods.len();
    methods.dedup();
    assert_eq!(methods.len(), before, "{date}: a method is called for two operations");
    methods
}

#[test]
fn ids_are_unique_and_read_like_the_documents() {
    each_row(|_, operation, row| {
        let bare = |id: &str| id.replace(['_', '-'], "").to_ascii_lowercase();
        let plain = bare(row.id) == bare(operation.id);
        // Where a newer path shares the id of an older one, its version tells them apart.
        let versioned = operation.path.contains("/v2/") && bare(row.id) == bare(operation.id) + "v2";
        let snake = row.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        let readable = (!plain && !versioned).then(|| format!("stands for {:?}", operation.id));
        let snake = (!snake).then(|| "is not snake case".to_owned());
        [readable, snake, same("document_id", row.document_id, operation.id)].into_iter().flatten().collect()
    });
    for version in versions() {
        let ids: BTreeSet<&str> = version.table.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), version.table.len(), "{}", version.date);
    }
}

#[test]
fn hosts_versions_and_tags_are_the_documents() {
    for version in versions() {
        let document = Document::of(version.date);
        let main = document.root.pointer("/servers/0/url").and_then(Value::as_str);
        assert_eq!(main, Some(Host::Demand.default_url()));
    }
    each_row(|document, operation, row| {
        let own = operation.operation.get("servers").or_else(|| operation.item.get("servers"));
        let url = own.unwrap_or(&document.root["servers"]).pointer("/0/url").and_then(Value::as_str);
        let declared = header(document, operation, "cint-api-version").is_some();
        let tags: Vec<&str> =
            operation.operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        [
            same("host", Some(row.host.default_url()), url),
            same("tags", row.tags.to_vec(), tags),
            same("deprecated", row.deprecated, operation.operation["deprecated"] == true),
            // The oldest document declares the version header nowhere, although every request needs it.
            (declared && row.api_version.is_none()).then(|| "is declared as versioned".to_owned()),
            same("versioned on its host", row.api_version.is_some(), row.host == Host::Demand),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
    for version in versions() {
        assert!(version.table.iter().all(|row| row.api_version.is_none_or(|date| date == version.date)));
    }
}

/// Whether a key must be a version 4 UUID, which the document says in words only.
fn is_uuid_in_words(row: &Operation) -> bool {
    let uploads = ["post_reconciliations", "post_reconciliations_completes"];
    uploads.contains(&row.id) && row.api_version.is_some_and(|date| date >= "2025-12-18")
}

#[test]
fn keys_and_preconditions_are_the_documents() {
    each_row(|document, operation, row| {
        let presence = |name: &str| match header(document, operation, name) {
            None => Requirement::None,
            Some(parameter) if parameter["required"] == true => Requirement::Required,
            Some(_) => Requirement::Optional,
        };
        let key = header(document, operation, "idempotency-key").map(|parameter| document.follow(&parameter["schema"]));
        let format = match key.and_then(|schema| schema["format"].as_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("ulid") => KeyFormat::Ulid,
            Some("uuid" | "uuidv4") => KeyFormat::UuidV4,
            None if is_uuid_in_words(row) => KeyFormat::UuidV4,
            None => KeyFormat::Any,
            Some(other) => return vec![format!("has a key of the format {other}")],
        };
        let key = match presence("idempotency-key") {
            Requirement::None => IdempotencyKey::None,
            Requirement::Optional => IdempotencyKey::Optional(format),
            Requirement::Required => IdempotencyKey::Required(format),
        };
        [
            same("idempotency_key", row.idempotency_key, key),
            same("if_match", row.if_match, presence("if-match")),
            same("if_none_match", row.if_none_match, presence("if-none-match")),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
}

#[test]
fn answers_are_the_documents() {
    each_row(|document, operation, row| {
        let mut statuses: Vec<u16> = document.answers(operation).iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        let (success, failures): (Vec<u16>, Vec<u16>) =
            statuses.into_iter().partition(|status| (200..300).contains(status));
        let mut headers = BTreeSet::new();
        for (_, answer) in document.answers(operation) {
            headers
                .extend(answer["headers"].as_object().into_iter().flat_map(Map::keys).map(|name| name.to_lowercase()));
        }
        let invented: Vec<&str> = row.headers.iter().copied().filter(|name| !headers.contains(*name)).collect();
        let forgotten: Vec<&str> = ["etag", "location", "retry-after", "traceparent"]
            .into_iter()
            .filter(|name| headers.contains(*name) && !row.headers.contains(name))
            .collect();
        let answer_media = media(document, Some(self::success(document, operation)));
        [
            same("success", row.success.to_vec(), success),
            same("failures", row.failures.to_vec(), failures),
            same("headers beyond the document", invented, Vec::new()),
            same("headers without", forgotten, Vec::new()),
            same("request_media", strings(row.request_media), media(document, operation.operation.get("requestBody"))),
            same("answer_media", strings(row.answer_media), answer_media),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn pages_are_lists_of_the_answer() {
    each_row(|document, operation, row| {
        let parameters = document.parameters(operation);
        let asks =
            |name: &str| parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == name);
        let properties = answer_properties(document, operation);
        let lists: Vec<&String> =
            properties.iter().filter(|(_, schema)| schema["type"] == "array").map(|(name, _)| name).collect();
        let [list] = lists.as_slice() else {
            return same("pagination", row.pagination, None).into_iter().collect();
        };
        let expected = if asks("start_after") {
            let next = if properties.contains_key("next_cursor") { NextCursor::Field } else { NextCursor::LastId };
            Some((list.as_str(), Some((next, properties.contains_key("has_more")))))
        } else {
            asks("page_number").then_some((list.as_str(), None))
        };
        let said = match row.pagination {
            Some(Pagination::Cursor { items, next, has_more }) => Some((items, Some((next, has_more)))),
            Some(Pagination::Number { items }) => Some((items, None)),
            None => None,
            Some(other) => return vec![format!("has pages of an unknown kind: {other:?}")],
        };
        same("pagination", said, expected).into_iter().collect()
    });
}

#[test]
fn starting_a_job_and_asking_for_it_refer_to_each_other() {
    for version in versions() {
        let rows: BTreeMap<&str, &Operation> = version.table.iter().map(|row| (row.id, *row)).collect();
        let document = Document::of(version.date);
        let mut pairs = 0;
        for operation in document.operations() {
            let row = row_of(&version, &operation);
            match row.job {
                Some(Job::Start { status, id }) => {
                    pairs += 1;
                    let asked = rows[status];
                    assert_eq!(asked.method, "GET", "{}", row.id);
                    assert!(matches!(asked.job, Some(Job::Status { .. })), "{} does not know {}", status, row.id);
                    match id {
                        JobId::Location => {
                            let headers = success(&document, &operation)["headers"].as_object().cloned();
                            let has = headers.is_some_and(|headers| {
                                headers.keys().any(|name| name.eq_ignore_ascii_case("location"))
                            });
                            assert!(has, "{} answers without Location", row.id);
                        }
                        JobId::Field(name) => {
                            let properties = answer_properties(&document, &operation);
                            assert!(properties.contains_key(name), "{} answers without {name}", row.id);
                            assert!(asked.path.contains('{'), "{status} takes no id");
                        }
                    }
                }
                Some(Job::Status { starts }) => {
                    assert!(!starts.is_empty(), "nobody starts what {} tells of", row.id);
                    for start in starts {
                        let back = matches!(rows[start].job, Some(Job::Start { status, .. }) if status == row.id);
                        assert!(back, "{start} does not lead to {}", row.id);
                    }
                    let leading = rows
                        .values()
                        .filter(|other| matches!(other.job, Some(Job::Start { status, .. }) if status == row.id));
                    assert_eq!(leading.count(), starts.len(), "{} names all that lead to it", row.id);
                }
                None => assert!(!operation.path.ends_with("{job_id}"), "{} tells of a job that nobody starts", row.id),
                Some(other) => panic!("{} has an unknown part in a job: {other:?}", row.id),
            }
        }
        assert!(pairs > 0, "{} has jobs", version.date);
    }
}

#[test]
fn nothing_is_repeated_that_could_apply_twice() {
    each_row(|_, operation, row| {
        let key = row.idempotency_key != IdempotencyKey::None;
        let may = match (operation.method.as_str(), row.idempotency) {
            ("GET" | "HEAD", repeat) => repeat == Idempotency::Safe,
            ("PUT" | "DELETE", repeat) => repeat != Idempotency::Safe && repeat != Idempotency::Unsafe,
            (_, Idempotency::Idempotent) => false,
            (_, Idempotency::Keyed) => key,
            (_, Idempotency::Unsafe) => !key,
            // A POST that only computes; which ones is reviewed in openapi/supplement.toml.
            (method, Idempotency::Safe) => method == "POST" && row.if_match == Requirement::None,
        };
        (!may).then(|| format!("{} may be repeated: {:?}", operation.method, row.idempotency)).into_iter().collect()
    });
}

/// A row in a line.
fn line(row: &Operation) -> String {
    let format = |format: KeyFormat| match format {
        KeyFormat::Any => "any",
        KeyFormat::Ulid => "ulid",
        KeyFormat::UuidV4 => "uuid",
    };
    let key = match row.idempotency_key {
        IdempotencyKey::None => "-".to_owned(),
        IdempotencyKey::Optional(key) => format!("optional:{}", format(key)),
        IdempotencyKey::Required(key) => format!("required:{}", format(key)),
    };
    let if_match = match row.if_match {
        Requirement::None => "-",
        Requirement::Optional => "optional",
        Requirement::Required => "required",
    };
    let pages = match row.pagination {
        None => "-".to_owned(),
        Some(Pagination::Cursor { items, next, has_more }) => {
            let next = if next == NextCursor::Field { "cursor" } else { "last-id" };
            format!("{items}:{next}{}", if has_more { "+more" } else { "" })
        }
        Some(Pagination::Number { items }) => format!("{items}:number"),
        Some(_) => "?".to_owned(),
    };
    let job = match row.job {
        None => "-".to_owned(),
        Some(Job::Start { status, id: JobId::Location }) => format!("location->{status}"),
        Some(Job::Start { status, id: JobId::Field(field) }) => format!("{field}->{status}"),
        Some(Job::Status { starts }) => format!("of:{}", starts.join(",")),
        Some(_) => "?".to_owned(),
    };
    let host = if row.host == Host::Demand { "demand" } else { "s2s" };
    let success: Vec<String> = row.success.iter().map(u16::to_string).collect();
    format!(
        "{} {} {} host={host} key={key} if-match={if_match} repeat={} success={} pages={pages} job={job}",
        row.id,
        row.method,
        row.path,
        format!("{:?}", row.idempotency).to_lowercase(),
        success.join(","),
    )
}

#[test]
fn the_tables_are_those_of_the_golden_files() {
    for version in versions() {
        let lines: Vec<String> = version.table.iter().map(|row| line(row)).collect();
        insta::assert_snapshot!(format!("operations_{}", version.date), lines.join("\n"));
    }
}
