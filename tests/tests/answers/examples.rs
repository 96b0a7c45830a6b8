//! The example answers of Cint's documents, which are not in the repository: an extra for maintainers who have the
//! downloads. `CINTX_EXAMPLES` names their folder, each document as JSON; without it nothing is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cintx_tests::document::Document;
use cintx_tests::instances::Instance;
use serde_json::Value;

use crate::Setup;
use crate::readings::{self, OwnReadings, Reading};
use crate::service::Service;
use crate::unread;

/// Leaves of examples that nothing reads, though no line of `unread.txt` says so, with the reason.
const OF_EXAMPLES_ALONE: &[(&str, &[(&str, &str)])] = &[
    (
        "A name with a quotation mark too many; without it, it is read.",
        &[
            ("generate_price_prediction", "/private_exchange_prices/*/cost_per_interview/currency_code\""),
            ("get_account_allocation_template_for_business_unit_id", "/last_modified_at\""),
            (
                "get_account_allocation_template_for_business_unit_id",
                "/open_exchange_allocations/blocked_suppliers/*/supplier_id\"",
            ),
            (
                "get_account_allocation_template_for_business_unit_id",
                "/open_exchange_allocations/exchange_suppliers/*/supplier_id\"",
            ),
            (
                "get_account_allocation_template_for_business_unit_id",
                "/private_exchange_allocations/blocked_suppliers/*/supplier_id\"",
            ),
            ("get_account_allocation_template_for_business_unit_id", "/template_name\""),
            ("get_fielding_assistant_assignment", "/pricing/maximum_cpi\"/currency_code"),
            ("get_fielding_assistant_assignment", "/pricing/maximum_cpi\"/value"),
            ("get_fielding_assistant_assignment", "/quota_overlay/prevent_overfill\""),
            ("report_status", "/report_url\""),
        ],
    ),
    (
        "Beside such a name, without which nothing is known that it is about.",
        &[
            ("generate_price_prediction", "/private_exchange_prices/*/cost_per_interview/value"),
            (
                "get_account_allocation_template_for_business_unit_id",
                "/open_exchange_allocations/blocked_suppliers/*/supplier_name",
            ),
            (
                "get_account_allocation_template_for_business_unit_id",
                "/open_exchange_allocations/exchange_suppliers/*/supplier_name",
            ),
            (
                "get_account_allocation_template_for_business_unit_id",
                "/private_exchange_allocations/blocked_suppliers/*/supplier_name",
            ),
        ],
    ),
    (
        "The example is of another form than the schema, in which the questions are profiles.",
        &[
            ("get_profile_template", "/created_at"),
            ("get_profile_template", "/questions/*/answer_options/*"),
            ("get_profile_template", "/questions/*/question_id"),
            ("get_profile_template", "/updated_at"),
        ],
    ),
    (
        "The example's name for what the schema, and every other answer, calls `events`.",
        &[("get_webhooks", "/webhooks/*/event"), ("get_webhooks", "/webhooks/*/event/*")],
    ),
    (
        "It says which of the values count, and the example has none.",
        &[("account_questions_translation", "/profiles/*/targets/*/conditions/*/allow_all_values")],
    ),
];

/// The document as it was downloaded, with its examples.
fn document(date: &str) -> Option<Document> {
    let folder = PathBuf::from(std::env::var_os("CINTX_EXAMPLES")?);
    let text = std::fs::read_to_string(folder.join(format!("{date}.json"))).ok()?;
    Some(Document { root: serde_json::from_str(&text).unwrap() })
}

/// The examples of an answer.
fn examples(document: &Document, answer: &Value) -> Vec<Instance> {
    let Some(media) = answer.pointer("/content/application~1json") else { return Vec::new() };
    let named = media.get("examples").and_then(Value::as_object).into_iter().flatten();
    let named =
        named.filter_map(|(name, example)| Some((name.clone(), document.follow(example).get("value")?.clone())));
    let one = media.get("example").map(|example| ("example".to_owned(), example.clone()));
    one.into_iter().chain(named).map(|(name, value)| Instance { name, value }).collect()
}

async fn every_example_is_read<V: OwnReadings>() {
    let Some(document) = document(V::DATE) else {
        println!("skipped: CINTX_EXAMPLES does not name a folder with the document of {}", V::DATE);
        return;
    };
    let service = Service::new(V::DATE, V::OPERATIONS);
    let setup = Setup { client: readings::client(&service), service };
    let readings = V::readings();
    let mut calls: BTreeMap<&'static str, Vec<&Reading<V>>> = BTreeMap::new();
    for reading in &readings {
        setup.service.reset();
        drop(reading.outcome(&setup.client).await);
        for id in setup.service.called() {
            calls.entry(id).or_default().push(reading);
        }
    }
    let (mut problems, mut lost, mut count) = (Vec::new(), BTreeSet::new(), 0);
    let known = unread::operations(V::DATE, V::OPERATIONS);
    for operation in document.operations() {
        let row = V::OPERATIONS.iter().find(|it| it.path == operation.path && it.method.as_str() == operation.method);
        let Some(row) = row.filter(|row| known.contains(&row.id)) else { continue };
        let answers = document.answers(&operation);
        let Some((_, answer)) = answers.into_iter().find(|(status, _)| (200..300).contains(status)) else { continue };
        let readings = calls.get(row.id).map_or(&[][..], Vec::as_slice);
        let instances = examples(&document, answer);
        count += instances.len();
        let (unread, _) = crate::unread(&setup, readings, row.id, &instances, &mut problems).await;
        setup.service.reset();
        lost.extend(unread.into_iter().map(|leaf| format!("{} {leaf}", row.id)));
    }
    println!("{}: {count} examples", V::DATE);
    problems.extend(unread::without_a_reason(V::DATE, &lost).into_iter().filter(|leaf| {
        let is_it = |(operation, place): &(&str, &str)| *leaf == format!("{operation} {place}");
        !OF_EXAMPLES_ALONE.iter().any(|(_, leaves)| leaves.iter().any(is_it))
    }));
    assert!(problems.is_empty(), "{}: {} problems:\n{}", V::DATE, problems.len(), problems.join("\n"));
}

macro_rules! one_version {
    ($version:ident $marker:ident) => {
        #[tokio::test(start_paused = true)]
        async fn $version() {
            super::every_example_is_read::<cintx::$marker>().await;
        }
    };
}
use one_version;

mod every_example_of_an_answer_is_read {
    cintx_tests::for_each_version!(super::one_version);
}
