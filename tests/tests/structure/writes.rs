//! Calls that write: each is played as a whole in bad weather, or there is a reason why the matrix of operations, which
//! plays each request by itself, says enough of it.

use std::collections::BTreeSet;

use cintx_raw::Idempotency;
use quote::ToTokens as _;
use syn::{Attribute, ImplItem, Item, Visibility};

use crate::options::implemented_for;
use crate::{parsed, source, source_files};

/// Played as a whole by `composites`.
const PLAYED: &[&str] = &[
    "Bulk::pause",
    "BulkSubmission::run",
    "DraftBuilder::create",
    "FieldingRun::complete",
    "FieldingRun::edit_dates",
    "FieldingRun::pause",
    "FieldingRun::resume",
    "ProfileTemplates::create",
    "ProjectScope::edit",
    "Projects::create",
    "Quotas::apply",
    "Quotas::delete",
    "Quotas::disable",
    "Quotas::enable",
    "Quotas::interlock",
    "Quotas::remove_interlock",
    "Quotas::replace",
    "Quotas::set_goal",
    "TargetGroup::duplicate",
    "TargetGroup::edit_assistant",
    "TargetGroup::edit_details",
    "TargetGroup::edit_draft",
    "TargetGroup::launch",
    "TargetGroup::schedule",
    "TargetGroup::set_audience",
    "TargetGroup::set_cost_per_interview",
    "TargetGroup::set_filling_strategy",
    "TargetGroup::set_supply",
    "Webhook::delete",
    "Webhook::edit",
    "Webhooks::create",
];

/// Not played as a whole, and why.
const NOT_PLAYED: &[(&str, &[&str])] = &[
    ("the code of `FieldingRun::pause`", &["FieldingRun::launch_now", "FieldingRun::relaunch"]),
    (
        "one job, as of `Bulk::pause`",
        &["Bulk::complete", "Bulk::launch_now", "Bulk::relaunch", "Bulk::resume", "Bulk::set_manager"],
    ),
    (
        "each item is a call that is played, with a result of its own",
        &["AtOnce::create", "AtOnce::launch", "AtOnce::schedule", "AtOnce::set_cost_per_interview"],
    ),
    (
        "a read, and a write under its entity tag by the code of `TargetGroup::edit_assistant`",
        &["SupplyTemplates::edit", "SupplyTemplates::edit_global", "SupplyTemplates::set_default"],
    ),
    (
        "a read, and one write, as of `TargetGroup::edit_draft`",
        &["ProfileTemplates::edit", "TargetGroup::set_re_entry"],
    ),
    (
        "one write, and a read of what there is now, as of `Quotas::delete`",
        &["Quotas::add", "Quotas::delete_quotas", "Quotas::group", "Quotas::set_conditions"],
    ),
    ("a create without a key, as of `Webhooks::create`", &["ExclusionGroups::create"]),
    ("each report is asked for with a result of its own", &["Study::request_reports"]),
    ("a report is made, and only reads follow", &["KeepOnly::preview"]),
    (
        "one write and nothing else",
        &[
            "ExclusionGroups::add",
            "ExclusionGroups::delete",
            "ExclusionGroups::remove",
            "ExclusionGroups::update",
            "ExclusionLists::add_cids",
            "ExclusionLists::add_rids",
            "Exclusions::remove_all",
            "Exclusions::upload",
            "ProfileTemplates::delete",
            "ProjectScope::set_exclusion_policies",
            "Reconciliations::keep_only",
            "Reconciliations::submit",
            "Recontacts::remove_all",
            "Recontacts::upload",
            "Reports::completes",
            "ServerToServer::finish",
            "SupplyTemplates::create",
            "SupplyTemplates::create_global",
            "SupplyTemplates::delete",
            "SupplyTemplates::delete_global",
            "TargetGroup::clear_supply",
            "TargetGroup::set_activity_exclusions",
            "UniqueCodes::delete_unconsumed",
            "UniqueCodes::upload",
            "Webhook::regenerate_secret",
        ],
    ),
];

/// The operations that the documentation of an item names.
fn aliases(attributes: &[Attribute]) -> Vec<String> {
    let texts = attributes.iter().map(|it| it.meta.to_token_stream().to_string());
    texts.filter_map(|text| Some(text.split_once("alias = \"")?.1.split_once('"')?.0.to_owned())).collect()
}

/// The public calls whose documentation names an operation that writes, as `Type::call`.
fn calls() -> BTreeSet<String> {
    let versions = cintx_tests::dispatch::versions();
    let rows = versions.iter().flat_map(|version| version.table);
    let writes: BTreeSet<&str> = rows.filter(|row| row.idempotency != Idempotency::Safe).map(|row| row.id).collect();
    let mut calls = BTreeSet::new();
    for path in source_files().into_iter().filter(|path| !path.starts_with(source().join("wire"))) {
        for item in parsed(&path).items {
            let Item::Impl(item) = item else { continue };
            let Some(of) = implemented_for(&item) else { continue };
            for item in &item.items {
                let ImplItem::Fn(call) = item else { continue };
                let names_a_write = aliases(&call.attrs).iter().any(|alias| writes.contains(&**alias));
                if names_a_write && matches!(call.vis, Visibility::Public(_)) {
                    calls.insert(format!("{of}::{}", call.sig.ident));
                }
            }
        }
    }
    calls
}

#[test]
fn every_call_that_writes_is_played_or_needs_no_play() {
    let calls = calls();
    let excused = NOT_PLAYED.iter().flat_map(|(_, calls)| *calls);
    let listed: BTreeSet<String> = PLAYED.iter().chain(excused).map(|call| (*call).to_owned()).collect();
    assert_eq!(listed.len(), PLAYED.len() + NOT_PLAYED.iter().map(|(_, calls)| calls.len()).sum::<usize>(), "twice");
    let scenarios = include_str!("../composites/scenario.rs");
    for call in PLAYED {
        // What is run is what its handle was asked for.
        let name = call.split("::").nth(1).map(|name| if name == "run" { "submit_in_parts" } else { name }).unwrap();
        assert!(scenarios.contains(&format!(".{name}\",")), "no scenario of `composites` is called after {call}");
    }
    let missing: Vec<_> = calls.difference(&listed).collect();
    assert!(missing.is_empty(), "neither played in `composites` nor excused: {missing:#?}");
    // With one version alone, what the others have is not known.
    if cintx_tests::dispatch::versions().len() == cintx_openapi::documents().len() {
        let gone: Vec<_> = listed.difference(&calls).collect();
        assert!(gone.is_empty(), "listed, but no public call that writes: {gone:?}");
    }
}
