//! What each version is sent for the same study code: the bodies, as golden files.

use std::collections::BTreeMap;

use cintx::audience::Question;
use cintx::fielding::{FieldingAssistant, Pacing, Pricing, QuotaOverlay, SoftLaunch};
use cintx::supply::Supply;
use cintx::target_group::FillingStrategy;
use cintx::types::LengthOfInterview;
use cintx::{Money, Version};
use cintx_tests::strict::SentBodies;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use crate::stage::{Stage, on_every_version};

on_every_version!(the_same_code_in_each_versions_words);

/// A day that is far enough away to be in the future whenever this runs.
fn day(day: u8) -> Timestamp {
    format!("2100-01-{day:02}T09:00:00Z").parse().unwrap()
}

fn usd(value: &str) -> Money {
    Money::new(value, "USD").unwrap()
}

async fn the_same_code_in_each_versions_words<V: Version>(stage: Stage<V>) {
    let manager = stage.manager;
    let project = stage.cint.projects().create("MyDrinksSurveyQ1", manager).reference("PO-0042").await.unwrap();
    let scope = stage.cint.project(&project);
    scope.edit(|project| project.name = "MyDrinksSurveyQ2".into()).await.unwrap();

    let assistant = FieldingAssistant::off()
        .pricing(Pricing::maximum_cpi(usd("3.50")).minimum_cpi(usd("1")))
        .pacing(Pacing::Linear("P1DT12H".parse().unwrap()))
        .quota_overlay(QuotaOverlay { prevent_overfill: true, balance_fill: false })
        .soft_launch(SoftLaunch { end: day(5), goal_percent: 10, strictness_percent: 50 });
    let mut draft = scope
        .draft_target_group("UK drinks")
        .business_unit(stage.sandbox.business_unit_id())
        .manager(manager)
        .locale("eng_gb")
        .completes_goal(500)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(day(4)..day(14))
        .cost_per_interview(usd("2.73"))
        .cost_note(usd("4.20"))
        .live_url("https://survey.example/?RID=[%RID%]")
        .test_url("https://survey.example/test?RID=[%RID%]")
        .supply(Supply::open_exchange().exchange(20..=80).group("Partners", 10..=60, [12, 34]).block([56]))
        .assistant(assistant.clone())
        .audience(cintx::audience::Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]));
    if V::DATE >= "2025-12-18" {
        draft = draft.reference("TG-0042");
    }
    draft.feasibility().await.unwrap();
    let group = draft.create().await.unwrap();
    group.edit_draft(|draft| draft.supply = Supply::test_supplier_only()).await.unwrap();
    group.feasibility().incidence_rate("0.20").fielding_period(day(4)..day(9)).await.unwrap();
    let mut run = group.schedule(day(4)..day(14)).await.unwrap().until_done().await.unwrap();
    run.edit_dates(|dates| dates.end = day(20)).await.unwrap();
    group.edit_details(|details| details.lockout = Some(cintx::LockoutCode::new("automotive"))).await.unwrap();
    group.set_cost_per_interview(&usd("3.10")).await.unwrap();
    group.set_filling_strategy(FillingStrategy::Completes).await.unwrap();
    group.edit_assistant(|it| *it = assistant.clone()).await.unwrap();
    scope.target_groups().all([&group]).complete().await.unwrap().until_done().await.unwrap();
    let [event, other] = crate::webhooks::events::<V>();
    let mut webhook = stage.cint.webhooks().create("https://hooks.example/cint", [event]).await.unwrap().webhook;
    webhook.edit(|webhook| webhook.events.push(other.clone())).await.unwrap();
    let days = Offset::UTC.to_datetime(Timestamp::now()).date();
    let days = days - 31.days()..=days;
    let terms = stage.cint.reports().term_details(&group, days.clone()).with_respondent_answers().link_type(2);
    let _ = terms.await.unwrap();
    stage.assert_no_violation();

    let mut bodies: BTreeMap<String, Value> = BTreeMap::new();
    let mut sent = SentBodies::new(V::DATE, V::OPERATIONS);
    for request in stage.sandbox.requests() {
        if let (Some(operation), Some(body)) = (request.operation, request.body) {
            sent.push(&operation, body.clone());
            bodies.insert(operation, body);
        }
    }
    every_change_of_the_document_is_noticed::<V>(&sent);
    let mut known = vec![
        (group.id().to_string(), "<target group>"),
        (manager.to_string(), "<manager>"),
        (days.start().to_string(), "<first day>"),
        (days.end().to_string(), "<last day>"),
    ];
    // The two older versions want an id that the caller makes up.
    if let Some(id) = bodies["create_webhook"].get("id") {
        known.push((id.as_str().unwrap().to_owned(), "<new id>"));
    }
    let mut text = serde_json::to_string_pretty(&bodies).unwrap();
    for (id, name) in known {
        text = text.replace(&id, name);
    }
    insta::assert_snapshot!(format!("bodies-{}", V::DATE), text);
}

/// A newer document that calls a property otherwise, gives it another type or drops it fails this before it fails a
/// user: each such change of each property in these bodies is tried.
fn every_change_of_the_document_is_noticed<V: Version>(sent: &SentBodies) {
    assert_eq!(sent.problems(), Vec::<String>::new());
    let (unnoticed, tried) = sent.unnoticed();
    assert!(tried > 200, "only {tried} changes were tried");
    assert_eq!(unnoticed, Vec::<String>::new());
    insta::assert_debug_snapshot!(format!("never_sent-{}", V::DATE), sent.never_sent());
}
