//! What a release cannot read is not deleted by an edit: the edit is refused before anything is sent and names the
//! field, or what was there is written back as it came.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cintx::audience::{Audience, Question};
use cintx::error::FieldError;
use cintx::fielding::{FieldingAssistant, Pacing, SoftLaunch};
use cintx::http::{ByteStream, TransportError};
use cintx::supply::Supply;
use cintx::target_group::TargetGroup;
use cintx::{Client, Error, Money, Outcome, Version};
use http::{Method, Request, Response};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::setup::{Setup, on_every_version};

on_every_version!(
    a_draft_keeps_what_was_not_read,
    an_unread_amount_can_be_replaced,
    an_unread_allocation_can_be_replaced,
    an_assistant_keeps_what_was_not_read,
    a_launched_target_group_keeps_its_unread_note,
);

/// What is done to an answer, with an amount that cannot be read.
type Change = fn(&mut Value, Value);
type Written = Arc<Mutex<Vec<Value>>>;

/// A target group of an API that answers every read with this, and keeps what is written.
fn answering<V: Version>(of: &TargetGroup<V>, answer: Value) -> (TargetGroup<V>, Written) {
    let written = Written::default();
    let kept = Arc::clone(&written);
    let exchange = move |request: Request<Bytes>| {
        let (mut status, mut body) = (200, answer.to_string());
        if request.method() != Method::GET {
            kept.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
            (status, body) = match request.uri().path().ends_with("/details") {
                true => (200, json!({ "id": "01BX5ZZKBKACTAV9WEVGEMMVS0" }).to_string()),
                false => (204, String::new()),
            };
        }
        async move {
            let answer = Response::builder().status(status).header("etag", "\"1\"");
            let answer = if body.is_empty() { answer } else { answer.header("content-type", "application/json") };
            answer.body(ByteStream::from(body)).map_err(TransportError::not_sent)
        }
    };
    let client = Client::<V>::builder().account(7).token("t").transport(exchange).build().unwrap();
    (client.project(of.project_id()).target_group(of.id().clone()), written)
}

/// What the sandbox answers about a target group.
async fn answer<V: Version>(setup: &Setup<V>, group: &TargetGroup<V>, of: &str) -> Value {
    let (account, project, group) = (setup.sandbox.account_id(), group.project_id(), group.id());
    let path = format!("/demand/accounts/{account}/projects/{project}/target-groups/{group}{of}");
    setup.cint.request(Method::GET, &path).send().await.unwrap().into_value()
}

async fn draft<V: Version>(setup: &Setup<V>) -> (TargetGroup<V>, Value) {
    let project = setup.project().await;
    let end: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let soft = SoftLaunch::Until { end, goal_percent: 10, strictness_percent: 50 };
    let assistant = FieldingAssistant::off().soft_launch(soft);
    let draft = setup.draft(&project).assistant(assistant).supply(Supply::open_exchange().block([12])).create();
    let group = draft.await.unwrap();
    let draft = answer(setup, &group, "").await;
    (group, draft)
}

/// Adds to the supply of a draft what this release does not know.
fn with_a_stranger(draft: &mut Value) {
    match draft["supply_allocations"].as_array_mut() {
        Some(list) => list.push(json!({ "type": "auction", "percentage_max": 10 })),
        None => draft["allocations"]["open_exchange_allocations"]["exchange_max_percentage"] = json!(1_000),
    }
}

/// The value and the currency of an amount of a draft.
fn amount_names(draft: &Value) -> (&'static str, &'static str) {
    if draft["cost_per_interview"].get("value").is_some() { ("value", "currency_code") } else { ("amount", "code") }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, written: &Written, fields: &[&str]) {
    let error = outcome.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    let blamed: Vec<&str> = error.invalid_fields().iter().map(FieldError::field).collect();
    assert_eq!(blamed, fields, "{error}");
    assert!(written.lock().unwrap().is_empty(), "{written:?}");
}

async fn a_draft_keeps_what_was_not_read<V: Version>(setup: Setup<V>) {
    let (group, whole) = draft(&setup).await;
    let (value, currency) = amount_names(&whole);
    let odd = json!({ value: "about three", currency: "USD" });
    let changes: [(&str, Change); 4] = [
        ("supply", |draft, _| with_a_stranger(draft)),
        ("cost_per_interview", |draft, odd| draft["cost_per_interview"] = odd),
        ("cost_note", |draft, odd| draft["client_cost_per_interview_note"] = odd),
        ("client", |draft, _| draft["client_id"] = json!("nobody")),
    ];
    for (field, change) in changes {
        let mut answer = whole.clone();
        change(&mut answer, odd.clone());
        let (group, written) = answering(&group, answer);
        refused(group.edit_draft(|draft| draft.completes_goal = 300).await, &written, &[field]);
        let audience = Audience::independent([Question::choice(43).option("1", 40).option("2", 60)]);
        refused(group.set_audience(audience, |_| ()).await, &written, &[field]);
        refused(group.duplicate("Another one", |_| ()).await, &written, &[field]);
    }
    // Nothing is refused where there is nothing of the kind, or an amount of nothing.
    for nothing in [Value::Null, json!({}), json!({ currency: "USD" })] {
        let mut answer = whole.clone();
        answer["client_cost_per_interview_note"] = nothing;
        let (group, written) = answering(&group, answer);
        group.edit_draft(|draft| draft.completes_goal = 300).await.unwrap();
        assert_eq!(written.lock().unwrap().len(), 1);
    }
}

async fn an_unread_amount_can_be_replaced<V: Version>(setup: Setup<V>) {
    let (group, mut answer) = draft(&setup).await;
    let (value, currency) = amount_names(&answer);
    answer["cost_per_interview"] = json!({ value: "about three", currency: "USD" });
    let (group, written) = answering(&group, answer);
    group.edit_draft(|draft| draft.cost_per_interview = Some(Money::new("3", "USD").unwrap())).await.unwrap();
    let written = written.lock().unwrap();
    assert_eq!(written[0]["cost_per_interview"], json!({ value: "3", currency: "USD" }));
}

async fn an_unread_allocation_can_be_replaced<V: Version>(setup: Setup<V>) {
    let (group, mut answer) = draft(&setup).await;
    with_a_stranger(&mut answer);
    let (group, written) = answering(&group, answer);
    let partly = group.edit_draft(|draft| draft.supply.exchange = 10..=90).await;
    refused(partly, &written, &["supply"]);
    group.edit_draft(|draft| draft.supply = Supply::open_exchange()).await.unwrap();
    assert_eq!(written.lock().unwrap().len(), 1);
}

async fn an_assistant_keeps_what_was_not_read<V: Version>(setup: Setup<V>) {
    let (group, draft) = draft(&setup).await;
    let soft = json!({
        "end_at": "soon", "filling_goal_percentage": 10, "demographics_strictness_percentage": 50,
    });
    let pricing = json!({ "type": "rate_card", "maximum_cpi": { "value": "about three", "currency_code": "USD" } });
    let modules = json!({ "soft_launch": soft, "pricing": pricing });
    let daily = Pacing::Linear("P1D".parse().unwrap());

    let (edited, written) = answering(&group, modules.clone());
    edited.edit_assistant(|assistant| assistant.pacing = Some(daily.clone())).await.unwrap();
    let sent = written.lock().unwrap().remove(0);
    assert_eq!((&sent["soft_launch"], &sent["pricing"]), (&soft, &pricing), "{sent}");
    assert_eq!(sent["pacing"]["type"], "linear");

    let mut answer = draft;
    answer["fielding_assistant_assignment"] = modules;
    let (edited, written) = answering(&group, answer);
    edited.edit_draft(|draft| draft.completes_goal = 300).await.unwrap();
    let sent = written.lock().unwrap().remove(0);
    assert_eq!(sent["fielding_assistant_assignment"]["soft_launch"], soft, "{sent}");
    assert_eq!(sent["fielding_assistant_assignment"]["pricing"], pricing, "{sent}");

    // It is switched off by whoever says so.
    let (edited, written) = answering(&group, json!({ "soft_launch": soft }));
    edited.edit_assistant(|assistant| assistant.soft_launch = None).await.unwrap();
    assert_eq!(written.lock().unwrap().remove(0).get("soft_launch"), None);

    // What a request cannot say is refused.
    let (edited, written) = answering(&group, json!({ "soft_launch": { "end_at": "2100-01-01T00:00:00Z" } }));
    let partial = edited.edit_assistant(|assistant| assistant.pacing = Some(daily.clone())).await;
    refused(partial, &written, &["assistant.soft_launch"]);
}

async fn a_launched_target_group_keeps_its_unread_note<V: Version>(setup: Setup<V>) {
    let (group, _) = draft(&setup).await;
    group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    let mut answer = answer(&setup, &group, "/details").await;
    let note = if V::DATE < "2025-12-18" { "client_cpi" } else { "client_cost_per_interview_note" };
    answer[note] = json!({ "value": "about three", "currency_code": "USD" });
    let (group, written) = answering(&group, answer);
    refused(group.edit_details(|details| details.name = "Another one".into()).await, &written, &["cost_note"]);
    group.edit_details(|details| details.cost_note = Some(Money::new("3", "USD").unwrap())).await.unwrap();
    assert_eq!(written.lock().unwrap()[0][note]["value"], "3");
}
