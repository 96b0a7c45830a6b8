//! Projects and drafts: each field of them, each kind of audience, each module of the assistant; and studies.

use cintx::fielding::{FieldingAssistant, Pacing, Pricing, QuotaOverlay, SoftLaunch};
use cintx::project::Project;
use cintx::study::Study;
use cintx::target_group::TargetGroup;
use cintx::{EndClientId, IndustryCode, LockoutCode, Money, StudyTypeCode, TargetGroupId, Version};
use http::Method;
use serde_json::{Value, json};

use super::{audiences, day, draft, supply, usd};
use crate::setup::Setup;

/// A business unit with rate cards.
pub const RATE_CARD_UNIT: i64 = 3850;

pub async fn calls<V: Version>(setup: &Setup<V>) {
    let created = setup.cint.projects().create("MyDrinksSurveyQ1", setup.manager).reference("PO-0042").await.unwrap();
    setup.cint.project(&created).edit(|project| project.name = "MyDrinksSurveyQ2".into()).await.unwrap();
    let group = every_field(setup, &created).await;
    group.set_audience(audiences::crossed(), |draft| draft.completes_goal = 600).await.unwrap();
    group.duplicate("UK drinks, second wave", |draft| draft.name.push('!')).await.unwrap();
    for assistant in assistants::<V>(group.id()) {
        let other = draft(setup, &created, audiences::crossed()).cost_per_interview(usd("2.73"));
        other.assistant(assistant.clone()).create().await.unwrap();
        let edited =
            draft(setup, &created, audiences::crossed()).cost_per_interview(usd("2.73")).create().await.unwrap();
        edited.edit_draft(|draft| draft.assistant = assistant).await.unwrap();
    }
    let by_card = draft(setup, &created, audiences::crossed()).business_unit(RATE_CARD_UNIT);
    let by_card = by_card.assistant(rate_card_pricing()).create().await.unwrap();
    by_card.edit_draft(|draft| draft.completes_goal = 400).await.unwrap();
    for audience in audiences::all::<V>() {
        let made = draft(setup, &created, audience.clone()).cost_per_interview(usd("2.73"));
        made.feasibility().await.unwrap();
        let made = made.create().await.unwrap();
        let names = names_of_quotas(&last_body(setup, "create_target_group"));
        made.edit_draft(|draft| draft.completes_goal = 500).await.unwrap();
        let kept = names_of_quotas(&last_body(setup, "update_target_group"));
        assert_eq!(kept, names, "an edit keeps the names of quotas");
        made.set_audience(audience, |_| ()).await.unwrap();
    }
    study(setup).await;
}

/// The body that an operation was called with last.
fn last_body<V: Version>(setup: &Setup<V>, operation: &str) -> Value {
    let requests = setup.sandbox.requests().into_iter();
    let mut sent = requests.filter(|request| request.operation.as_deref() == Some(operation)).filter_map(|it| it.body);
    sent.next_back().unwrap()
}

/// The names that quotas have somewhere in a body.
fn names_of_quotas(body: &Value) -> Vec<Value> {
    let below: Vec<Value> = match body {
        Value::Object(fields) => fields.values().flat_map(names_of_quotas).collect(),
        Value::Array(items) => items.iter().flat_map(names_of_quotas).collect(),
        _ => Vec::new(),
    };
    let is_quota =
        ["completes_goal", "completes_goal_percentage", "quota_percentage"].iter().any(|goal| body.get(goal).is_some());
    let own = body.get("name").filter(|_| is_quota && body.get("project_manager_id").is_none());
    own.cloned().into_iter().chain(below).collect()
}

/// A draft with everything that can be said of one, and another supply later.
async fn every_field<V: Version>(setup: &Setup<V>, project: &Project) -> TargetGroup<V> {
    let mut made = draft(setup, project, audiences::all::<V>().remove(0))
        .cost_per_interview(usd("2.73"))
        .cost_note(usd("4.20"))
        .test_url("https://survey.example/test?RID=[%RID%]")
        .collects_pii(true)
        .exclude_project(true)
        .on_behalf_of(EndClientId::new(701))
        .industry(IndustryCode::new("automotive"))
        .lockout(LockoutCode::new("automotive"))
        .study_type(StudyTypeCode::new("adhoc"))
        .supply(supply::everybody::<V>());
    if V::DATE >= "2025-12-18" {
        made = made.reference("TG-0042");
    }
    made.feasibility().await.unwrap();
    let group = made.create().await.unwrap();
    // Its groups of suppliers have ids by now.
    group.edit_draft(|draft| draft.supply.exchange = 10..=90).await.unwrap();
    group
}

/// Each module, in each of its forms for a target group with a price.
pub fn assistants<V: Version>(another: &TargetGroupId) -> Vec<FieldingAssistant> {
    let mut all = vec![
        FieldingAssistant::off()
            .pricing(Pricing::maximum_cpi(usd("3.50")).minimum_cpi(usd("1")))
            .pacing(Pacing::Linear("P1DT12H".parse().unwrap()))
            .quota_overlay(QuotaOverlay { prevent_overfill: true, balance_fill: false })
            .soft_launch(SoftLaunch::Until { end: day(5), goal_percent: 10, strictness_percent: 50 }),
        FieldingAssistant::off()
            .pricing(Pricing::total_budget(usd("900")).minimum_cpi(usd("1")))
            .pacing(Pacing::Adaptive("P1D".parse().unwrap())),
    ];
    if V::DATE >= "2025-02-17" {
        all.push(FieldingAssistant::off().pacing(Pacing::Gemini(another.clone())));
    }
    all
}

/// The form of pricing for a target group without a price.
pub fn rate_card_pricing() -> FieldingAssistant {
    let eur = |value| Some(Money::new(value, "EUR").unwrap());
    FieldingAssistant::off().pricing(Pricing::RateCard { maximum_cpi: eur("4.50"), boost_cpi: eur("0.25") })
}

/// A study says the same with the same calls.
async fn study<V: Version>(setup: &Setup<V>) {
    let study: Study = serde_json::from_value(json!({
        "name": "MyDrinksStudy",
        "manager": setup.manager,
        "reference": "PO-0043",
        "target_group": [{
            "name": "UK drinkers",
            "business_unit": setup.sandbox.business_unit_id(),
            "locale": "eng_gb",
            "completes_goal": 500,
            "length_of_interview": 10,
            "incidence_rate": "0.50",
            "fielding_period": { "start": day(4), "end": day(14) },
            "cost_per_interview": "2.73 USD",
            "live_url": "https://survey.example/?RID=[%RID%]",
            "test_url": "https://survey.example/test?RID=[%RID%]",
            "collects_pii": true,
            "industry": "automotive",
            "lockout": "automotive",
            "study_type": "adhoc",
            "supply": "test-supplier-only",
            "audience": { "interlock": { "question": [
                { "id": 42, "bands": [
                    { "from": 18, "to": 34, "percent": 40 }, { "from": 35, "to": 99, "percent": 60 },
                ] },
                { "id": 43, "options": [{ "option": "1", "percent": 49 }, { "option": "2", "percent": 51 }] },
            ] } },
            "launch": true,
        }],
    }))
    .unwrap();
    study.plan(&setup.cint).await.unwrap().apply(|_| ()).await.unwrap();
}

/// A draft with the parts that the SDK has no words for: made without it, as another program would.
pub async fn with_parts_of_others<V: Version>(setup: &Setup<V>) -> TargetGroup<V> {
    let project = setup.project().await;
    let audience = audiences::all::<V>().remove(0);
    let other = draft(setup, &project, audience).cost_per_interview(usd("2.73")).create().await.unwrap();
    let mut body = last_body(setup, "create_target_group");
    let excluded = json!({ "entity_type": "RID", "entity_ids": ["00000000-0000-4000-8000-000000000001"] });
    body["exclusion"] = json!({ "enabled": true, "list": [excluded] });
    if V::DATE >= "2025-12-18" {
        let both = json!({ "allow_for_current_target_group": false, "allow_for_other_target_groups": true });
        let (client, screener) = (json!({ "client_side": both }), json!({ "screener_side": both }));
        let sides = json!({ "client_side": both, "screener_side": both });
        body["re_entry_configuration"] = json!({
            "completes": client, "pre_client_survey_processes": screener, "financial_terms": screener,
            "terminates": sides, "security_failures": sides, "overquota": sides, "in_screener": sides,
        });
        let activity = json!({ "type": "target-group", "id": other.id(), "duration": "P30D" });
        body["respondent_activity_exclusions"] = json!([activity]);
        body["target_group_customer_reference_number"] = json!("TG-0044");
    }
    let path = format!("/demand/accounts/{}/projects/{}/target-groups", setup.cint.account(), project.id());
    let made: Value = setup.cint.request(Method::POST, &path).json(&body).send().await.unwrap().into_value();
    setup.cint.project(&project).target_group(TargetGroupId::new(made["id"].as_str().unwrap()))
}

/// What the SDK has no words for stays in a draft that it changes or copies.
pub async fn parts_of_others<V: Version>(group: &TargetGroup<V>) {
    group.edit_draft(|draft| draft.completes_goal = 400).await.unwrap();
    group.duplicate("UK drinks, second wave", |_| ()).await.unwrap();
}
