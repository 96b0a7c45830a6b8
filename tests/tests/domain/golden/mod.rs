//! What each version is sent for the same calls, as golden files: every field that the SDK can set is set in a body.
//! A newer document that renames, retypes or drops one of them fails a test here before it fails a user.

mod account;
mod audiences;
mod calls;
mod drafts;
mod field;
mod never_sent;
mod prices;
mod quotas;
mod respondents;
mod supply;
mod templates;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cintx::audience::Audience;
use cintx::project::Project;
use cintx::supply::Supply;
use cintx::target_group::DraftBuilder;
use cintx::types::LengthOfInterview;
use cintx::{Money, Version};
use cintx_sandbox::Sandbox;
use cintx_tests::strict::SentBodies;
use jiff::Timestamp;
use serde_json::Value;

use crate::setup::Setup;

mod every_call_sends_what_its_document_says {
    cintx_tests::for_each_version!(super::one_version);
}

macro_rules! one_version {
    ($version:ident $marker:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $version() {
            super::every_call::<cintx::$marker>().await;
        }
    };
}
use one_version;

async fn every_call<V: versions::OwnCalls>() {
    let mut golden = Golden::<V>::new().await;
    golden.area("drafts", drafts::calls).await;
    let theirs = drafts::with_parts_of_others(&golden.setup).await;
    golden.skip();
    golden.area("parts_of_others", async |_: &Setup<V>| drafts::parts_of_others(&theirs).await).await;
    golden.area("field", field::calls).await;
    golden.area("quotas", quotas::calls).await;
    golden.area("supply", supply::calls).await;
    golden.area("templates", templates::calls).await;
    golden.area("prices", prices::calls).await;
    golden.area("account", account::calls).await;
    V::own_calls(&mut golden).await;
    let sent = &golden.sent;
    assert_eq!(sent.problems(), Vec::<String>::new());
    calls::every_one_is_made::<V>(&golden.operations);
    never_sent::every_one_is_explained(V::DATE, &sent.never_sent());
    let (unnoticed, tried) = sent.unnoticed();
    assert!(tried > 600, "only {tried} changes were tried");
    assert_eq!(unnoticed, Vec::<String>::new());
    if V::DATE == "2025-12-18" {
        a_renamed_property_is_named_with_its_place(sent);
    }
}

/// What is said of a property that a newer document calls otherwise.
fn a_renamed_property_is_named_with_its_place(sent: &SentBodies) {
    for (property, problem) in [
        (
            "/components/schemas/CreateDraftTargetGroupRequest/properties/industry_code",
            "create_target_group.industry_code is not in the document",
        ),
        (
            "/components/schemas/ModuleSoftLaunch/properties/end_at",
            "create_target_group.fielding_assistant_assignment.soft_launch.end_at is not in the document",
        ),
        (
            "/components/schemas/UpdateExclusionGroupRequest/properties/tag",
            "update_exclusion_group_by_id.tag is not in the document",
        ),
    ] {
        let problems = sent.problems_if_renamed(property);
        assert!(problems.iter().any(|it| it == problem), "{property}: {problems:?}");
    }
}

/// A day that is far enough away to be in the future whenever this runs.
fn day(day: u8) -> Timestamp {
    format!("2100-01-{day:02}T09:00:00Z").parse().unwrap()
}

fn usd(value: &str) -> Money {
    Money::new(value, "USD").unwrap()
}

/// A draft with what it must have, but for a price.
fn draft<V: Version>(setup: &Setup<V>, project: &Project, audience: Audience) -> DraftBuilder<V> {
    setup
        .cint
        .project(project)
        .draft_target_group("UK drinks")
        .business_unit(setup.sandbox.business_unit_id())
        .manager(setup.manager)
        .locale("eng_gb")
        .completes_goal(500)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(day(4)..day(14))
        .live_url("https://survey.example/?RID=[%RID%]")
        .supply(Supply::test_supplier_only())
        .audience(audience)
}

/// What was sent so far.
pub struct Golden<V: Version> {
    setup: Setup<V>,
    sent: SentBodies,
    operations: BTreeSet<String>,
    /// The number of the last request that was looked at.
    seen: u64,
    /// The bodies that are in a golden file already.
    kept: BTreeSet<String>,
}

impl<V: Version> Golden<V> {
    /// Nothing. Jobs are done at once, and nobody enters a survey by themselves.
    async fn new() -> Self {
        let sandbox = Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO);
        Self {
            setup: Setup::on(sandbox).await,
            sent: SentBodies::new(V::DATE, V::OPERATIONS),
            operations: BTreeSet::new(),
            seen: 0,
            kept: BTreeSet::new(),
        }
    }

    /// Leaves out what was sent since: it is not the SDK's.
    fn skip(&mut self) {
        self.seen = self.setup.sandbox.requests().iter().map(|request| request.number).max().unwrap_or(0);
    }

    /// Makes the calls of an area, and holds the bodies that none before has sent against their golden file.
    pub async fn area(&mut self, name: &str, calls: impl AsyncFnOnce(&Setup<V>)) {
        calls(&self.setup).await;
        self.setup.assert_no_violation();
        let mut bodies: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let seen = self.seen;
        for request in self.setup.sandbox.requests().into_iter().filter(|request| request.number > seen) {
            let Some(operation) = request.operation else { continue };
            let row = V::OPERATIONS.iter().find(|row| row.id == operation || row.document_id == operation).unwrap();
            self.operations.insert(row.id.to_owned());
            let Some(body) = request.body else {
                self.sent.push_file(&operation);
                continue;
            };
            let shown = masked(&body, &self.setup.manager.to_string());
            if self.kept.insert(format!("{operation} {shown}")) {
                self.sent.push(&operation, body);
                bodies.entry(operation).or_default().push(shown);
            }
        }
        self.skip();
        let text = serde_json::to_string_pretty(&bodies).unwrap();
        insta::assert_snapshot!(format!("{name}-{}", V::DATE), text);
    }
}

/// A body without what differs from run to run: ids, and days that depend on today.
fn masked(body: &Value, manager: &str) -> Value {
    match body {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), masked(value, manager))).collect::<Value>()
        }
        Value::Array(items) => items.iter().map(|item| masked(item, manager)).collect(),
        Value::String(text) => mask(text, manager).unwrap_or(text).into(),
        other => other.clone(),
    }
}

/// The year of the moments that the calls set themselves.
const FAR: &str = "2100-";

fn mask(text: &str, manager: &str) -> Option<&'static str> {
    let is_ulid = || text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let is_uuid = || text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4;
    if text == manager {
        Some("<manager>")
    } else if text.starts_with("cintx-") {
        Some("<reference of the SDK>")
    } else if is_ulid() {
        Some("<id>")
    } else if is_uuid() {
        Some("<uuid>")
    } else if text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok() {
        Some("<day>")
    } else if text.parse::<jiff::Timestamp>().is_ok() && !text.starts_with(FAR) {
        Some("<moment>")
    } else {
        None
    }
}
