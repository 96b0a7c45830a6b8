//! `cargo xtask practice`: made-up documents to walk the maintainers' way with, before Cint publishes a real one.
//! Made from the newest real document, the same every time; what they change, a document of Cint has changed or may.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::diff;
use crate::document::index::Index;
use crate::document::tree::operations;
use crate::workspace::Workspace;

/// The document that the made-up ones start from.
const FROM: &str = "2025-12-18";
/// The date of the made-up version.
pub(crate) const NEXT: &str = "2026-06-01";

const GROUP: &str = "/demand/accounts/{account_id}/projects/{project_id}/target-groups/{target_group_id}";
const BATCH: &str = "/demand/accounts/{account_id}/projects/{project_id}/batch-jobs";

/// Which document to make up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A version to come, which breaks in every way.
    Next,
    /// The newest version as it has changed under its date.
    InPlace,
    /// The newest version with every additive change at every place.
    Additive,
}

/// Writes a made-up document.
pub(crate) fn run(workspace: &Workspace, file: &Path, kind: Kind) -> Result<String> {
    let index = Index::read(&workspace.index())?;
    ensure!(index.get(FROM).is_some(), "{FROM} is not imported: the made-up documents are made from it");
    let text = std::fs::read_to_string(workspace.document(FROM))
        .with_context(|| format!("cannot read openapi/{FROM}.json"))?;
    let (made, next) = match kind {
        Kind::Next => (next_version(&text), "new-version".to_owned()),
        Kind::InPlace => (changed_in_place(&text), format!("diff {FROM}")),
        Kind::Additive => {
            (serde_json::from_str(&text).ok().map(|document| additive(&document)), format!("diff {FROM}"))
        }
    };
    let document = made.with_context(|| format!("openapi/{FROM}.json has moved on: mend xtask/src/practice.rs"))?;
    std::fs::write(file, serde_json::to_string_pretty(&document)? + "\n")
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(format!("{} is made up from {FROM}; next: `cargo xtask {next} {}`", file.display(), file.display()))
}

/// A removal, a move, a rename, a new required parameter, a lost value, a new job, a new list.
pub(crate) fn next_version(text: &str) -> Option<Value> {
    // The date is also in the version header's parameter.
    let mut document: Value = serde_json::from_str(&text.replace(FROM, NEXT)).ok()?;
    let paths = document["paths"].as_object_mut()?;
    paths.remove("/accounts/{account_id}/webhooks/{webhook_id}/events-history")?;

    let performance = paths.remove(&format!("{GROUP}/performance"))?;
    paths.insert(format!("{GROUP}/performance").replace("/demand/", "/demand/v3/"), performance);

    let rate_card = paths.get_mut(&format!("{GROUP}/rate-card"))?.get_mut("get")?.as_object_mut()?;
    let parameters = rate_card.entry("parameters").or_insert_with(|| json!([])).as_array_mut()?;
    parameters
        .push(json!({ "name": "include_boost", "in": "query", "required": true, "schema": { "type": "boolean" } }));

    let pause = format!("{BATCH}/pause-fielding-runs-by-target-group-id");
    for (suffix, old, new) in [
        ("", "create_bulk_pause_target_groups_job", "create_bulk_archive_target_groups_job"),
        ("/{job_id}", "get_bulk_pause_target_groups_job", "get_bulk_archive_target_groups_job"),
    ] {
        let mut item = paths.get(&format!("{pause}{suffix}"))?.clone();
        let operation = item.as_object_mut()?.values_mut().find(|operation| operation["operationId"] == old)?;
        operation["operationId"] = json!(new);
        paths.insert(format!("{BATCH}/archive-target-groups{suffix}"), item);
    }

    let mut list = paths.get("/demand/accounts/{account_id}/exclusion-groups")?.clone();
    let list = list.as_object_mut()?;
    list.retain(|key, _| key == "get" || key == "parameters");
    let get = list.get_mut("get")?;
    get["operationId"] = json!("list_invoices");
    let answer = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/InvoiceList" } } });
    get["responses"]["200"] = json!({ "description": "OK", "content": answer });
    paths.insert("/demand/accounts/{account_id}/invoices".to_owned(), json!(list));

    let schemas = document["components"]["schemas"].as_object_mut()?;
    let text = json!({ "type": "string" });
    let invoice = json!({ "type": "object", "properties": { "id": text, "issued_at": text, "status": text } });
    schemas.insert("Invoice".to_owned(), invoice);
    let page = json!({
        "invoices": { "type": "array", "items": { "$ref": "#/components/schemas/Invoice" } },
        "next_cursor": text,
        "has_more": { "type": "boolean" }
    });
    schemas.insert("InvoiceList".to_owned(), json!({ "type": "object", "properties": page }));
    let field = schemas.get_mut("SuggestedTimeRangeResponse")?["properties"].as_object_mut()?;
    let zone = field.remove("timezone")?;
    field.insert("time_zone".to_owned(), zone);
    let files = schemas.get_mut("ReconciliationDownloadType")?["enum"].as_array_mut()?;
    let at = files.iter().position(|value| value == "remaining-project-completes")?;
    files.remove(at);
    Some(document)
}

/// The document with each change that Cint calls additive, wherever it fits: a new operation; an optional parameter and
/// an optional header of each operation; an optional field of each object that is sent or comes back; a header of each
/// success; a value of each enum.
pub(crate) fn additive(document: &Value) -> Value {
    let exchanged = diff::exchanged(document);
    let prepared = diff::prepared(document);
    let mut new = document.clone();
    let all: Vec<(String, &str)> = operations(&prepared).map(|(path, method, ..)| (path.to_owned(), method)).collect();
    for (path, method) in &all {
        let Some(operation) = new["paths"][path][*method].as_object_mut() else { continue };
        let list = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut();
        list.into_iter().for_each(|list| {
            for (name, place) in [("added_later", "query"), ("x-added-later", "header")] {
                list.push(json!({ "name": name, "in": place, "schema": { "type": "string" } }));
            }
        });
        let Some(answers) = new["paths"][path][*method]["responses"].as_object_mut() else { continue };
        for (_, answer) in answers.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            if answer.get("$ref").is_some() {
                continue;
            }
            answer["headers"]["x-added-later"] = json!({ "schema": { "type": "string" } });
        }
    }
    let schemas = new["components"]["schemas"].as_object_mut();
    for (name, schema) in schemas.into_iter().flatten() {
        let is_object = schema["type"] == "object" && schema["properties"].is_object();
        if exchanged.contains(name)
            && is_object
            && ["allOf", "oneOf", "anyOf"].iter().all(|key| schema.get(*key).is_none())
        {
            schema["properties"]["added_later"] = json!({ "type": "string" });
        }
        if schema["type"] == "string"
            && let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut).filter(|values| values.len() > 1)
        {
            values.push(json!("added-later"));
        }
    }
    let answer = json!({ "200": { "description": "OK", "content": { "application/json": { "schema": {
        "type": "object", "properties": { "id": { "type": "string" } }
    } } } } });
    new["paths"]["/demand/added-later"] =
        json!({ "get": { "operationId": "get_added_later", "tags": ["Accounts"], "responses": answer } });
    new
}

/// What the newest document gained and changed under its date: a strategy for filling, a template in place of
/// allocations of which exactly one is required, statuses in exclusions by activity, a business unit as a number.
pub(crate) fn changed_in_place(text: &str) -> Option<Value> {
    let mut document: Value = serde_json::from_str(text).ok()?;
    let schemas = document["components"]["schemas"].as_object_mut()?;
    let draft = schemas.get_mut("CreateDraftTargetGroupRequest")?;
    let required = draft["required"].as_array_mut()?;
    let at = required.iter().position(|name| name == "allocations")?;
    required.remove(at);
    draft["oneOf"] = json!([
        { "required": ["allocations"], "not": { "required": ["allocation_template"] } },
        { "required": ["allocation_template"], "not": { "required": ["allocations"] } }
    ]);
    let properties = draft["properties"].as_object_mut()?;
    properties.insert("filling_strategy".to_owned(), json!({ "$ref": "#/components/schemas/FillingStrategy" }));
    let template = json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } });
    properties.insert("allocation_template".to_owned(), template);
    properties.insert("business_unit_id".to_owned(), json!({ "type": "integer", "format": "int64" }));
    let activity = schemas.get_mut("RespondentActivityExclusionsIDsListRequest")?["properties"].as_object_mut()?;
    let statuses = json!({ "type": "array", "items": { "type": "string" } });
    activity.insert("respondent_statuses".to_owned(), statuses);
    Some(document)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::diff::{Effect, between};
    use crate::fixture::{documents, repository};
    use crate::regen::{self, Notes};

    fn newest() -> String {
        documents().into_iter().find(|(date, _)| date == FROM).unwrap().1
    }

    /// The worst effects of what a made-up document changes, and what each says.
    fn changes(made: &Value) -> (usize, usize, usize, Vec<String>) {
        let old: Value = serde_json::from_str(&newest()).unwrap();
        let difference = between(("old", &old), ("new", made));
        let count = |effect| difference.count(effect);
        let said = difference.changes.iter().map(|change| format!("{}: {}", change.subject, change.what)).collect();
        (count(Effect::Compilation), count(Effect::Behaviour), count(Effect::Additive), said)
    }

    #[test]
    fn the_version_to_come_breaks_in_every_way() {
        let made = next_version(&newest()).unwrap();
        let (compilation, behaviour, additive, said) = changes(&made);
        assert_eq!((compilation, behaviour, additive), (4, 1, 3), "{said:#?}");
        for part in [
            "list_webhook_events_history: GET /accounts",
            "get_target_group_performance: is at GET /demand/v3/",
            "`timezone` is called `time_zone` now",
            "query parameter `include_boost`: is new and required",
            "the value \"remaining-project-completes\" is gone",
            "create_bulk_archive_target_groups_job: POST",
            "list_invoices: GET",
        ] {
            assert!(said.iter().any(|said| said.contains(part)), "{part}: {said:#?}");
        }
    }

    #[test]
    fn what_changed_in_place_is_told_apart() {
        let (compilation, behaviour, additive, said) = changes(&changed_in_place(&newest()).unwrap());
        assert_eq!((compilation, behaviour, additive), (2, 1, 3), "{said:#?}");
    }

    /// What code can name of a version: methods with the types of their arguments and answers, fields, variants.
    fn surface(date: &str, document: &Value) -> BTreeMap<String, String> {
        let made = regen::make_of(date, document, &Notes::read(&repository()).unwrap()).unwrap();
        let mut found = BTreeMap::new();
        for (path, text) in made.files.iter().filter(|(path, _)| path.contains("/types/") || path.contains("/client/"))
        {
            let tokens = |part: &dyn quote::ToTokens| part.to_token_stream().to_string();
            for item in syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}")).items {
                match item {
                    syn::Item::Struct(item) => {
                        let open = item.attrs.iter().any(|attribute| attribute.path().is_ident("non_exhaustive"));
                        let default = item.attrs.iter().any(|attribute| tokens(attribute).contains("Default"));
                        found.insert(format!("struct {}", item.ident), format!("{}", open || default));
                        for field in &item.fields {
                            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                            found.insert(format!("{}.{name}", item.ident), tokens(&field.ty));
                        }
                    }
                    syn::Item::Impl(item) => {
                        for method in item.items {
                            let syn::ImplItem::Fn(method) = method else { continue };
                            found.insert(
                                format!("{}::{}", tokens(&item.self_ty), method.sig.ident),
                                tokens(&method.sig),
                            );
                        }
                    }
                    syn::Item::Enum(item) => {
                        for variant in &item.variants {
                            found.insert(format!("{}::{}", item.ident, variant.ident), tokens(&variant.fields));
                        }
                    }
                    syn::Item::Macro(item) if item.mac.path.is_ident("open_enum") => {
                        let body = item.mac.tokens.to_string();
                        found
                            .insert(format!("open enum {}", body.split('{').next().unwrap_or_default()), String::new());
                    }
                    // What requires fields has a `new` that takes them.
                    syn::Item::Macro(item) if item.mac.path.segments.last().is_some_and(|it| it.ident == "object") => {
                        let body = item.mac.tokens.to_string();
                        let Some((name, fields)) = body.split_once("{ requires {") else { continue };
                        let required = fields.split('}').next().unwrap_or_default().to_owned();
                        found.insert(format!("{}::new", name.trim()), required);
                        found.insert(format!("struct {}", name.trim()), "true".to_owned());
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// Objects that have nothing but their tag are maps; a first field would make each of them a struct.
    const MAPS: [&str; 4] = [
        "GetTargetGroupPriceResponseOpenExchangePricePricingContextDynamic.",
        "GetTargetGroupPriceResponsePrivateExchangePricesPricingContextDynamic.",
        "OpenExchangePricePredictionPricingContextDynamic.",
        "PrivateExchangePricePredictionPricingContextDynamic.",
    ];

    /// Yesterday's code compiles against every additive change: all that it can name is there with its type, and what
    /// has more fields could not be written down in full before.
    #[test]
    fn additive_changes_break_nobody() {
        // Of each document two versions are generated: all of them where somebody asks for it.
        let count = if std::env::var_os("CINTX_MUTATIONS").is_some() { usize::MAX } else { 1 };
        for (date, text) in documents().into_iter().rev().take(count) {
            let old: Value = serde_json::from_str(&text).unwrap();
            let (before, after) = (surface(&date, &old), surface(&date, &additive(&old)));
            let is_kept = |name: &String, kind: &String| after.get(name) == Some(kind);
            let gone: Vec<&str> =
                before.iter().filter(|(name, kind)| !is_kept(name, kind)).map(|(name, _)| name.as_str()).collect();
            // Versions that follow may still have them.
            let known: &[&str] = if *date < *FROM { &[] } else { &MAPS };
            assert!(gone == known || *date > *FROM && gone.iter().all(|name| known.contains(name)), "{date}: {gone:?}");
            let added: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
            assert!(added.len() > 200, "{date}: only {} additions", added.len());
            for name in &added {
                let Some((owner, _)) = name.split_once('.') else { continue };
                let is_old = before.contains_key(&format!("struct {owner}"));
                assert!(!is_old || after[&format!("struct {owner}")] == "true", "{date}: {name} breaks literals");
            }
        }
    }
}
