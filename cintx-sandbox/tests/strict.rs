//! What the documents let through and the platform does not know: refused by
//! name with every allowed value, and taken where that is tolerated.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::{Sandbox, Tolerance};
use common::{Caller, VERSIONS, assert_own_answers_valid};
use serde_json::{Value, json};

/// Where something is put into a draft, what, what is allowed instead, and who
/// takes it all the same.
fn mutants(version: &str) -> Vec<(&'static str, Value, &'static str, Tolerance)> {
    let (amount, currency) = match version {
        "2024-12-02" => ("/cost_per_interview/amount", "/cost_per_interview/code"),
        _ => ("/cost_per_interview/value", "/cost_per_interview/currency_code"),
    };
    let past = json!({ "start_at": "2020-01-01T00:00:00.000Z", "end_at": common::field().1 });
    let soon = json!({ "start_at": format!("{:.3}", jiff::Timestamp::now()), "end_at": common::field().1 });
    vec![
        ("/locale", json!("eng_xx"), "eng_us, spa_us", Tolerance::UnknownLocales),
        (
            "/study_type_code",
            json!("census"),
            "adhoc, diary, tracker, recontact, internal_use",
            Tolerance::UnknownStudyTypes,
        ),
        ("/industry_code", json!("magic"), "automotive, beverages", Tolerance::UnknownIndustries),
        ("/client_id", json!(1), "701, 702", Tolerance::UnknownClients),
        ("/industry_lockout_code", json!("magic"), "no_lockout", Tolerance::UnknownIndustries),
        (amount, json!("105.01"), "105 USD at most", Tolerance::AnyPrice),
        (currency, json!("EUR"), "USD", Tolerance::AnyCurrency),
        ("/live_url", json!("https://survey.example/"), "[%RID%]", Tolerance::LinksWithoutRid),
        ("/test_url", json!("https://survey.example/"), "[%RID%]", Tolerance::LinksWithoutRid),
        ("/fielding_specification", past, "or later", Tolerance::PastStarts),
        ("/fielding_specification", soon, "or later", Tolerance::EarlyStarts),
    ]
}

fn put(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
}

#[tokio::test]
async fn drafts_name_only_what_there_is() {
    for version in VERSIONS {
        let strict = Sandbox::builder().tolerate([]).start().await.unwrap();
        let lenient = Sandbox::builder().tolerate(Tolerance::ALL).start().await.unwrap();
        for (sandbox, is_strict) in [(&strict, true), (&lenient, false)] {
            let caller = Caller::new(sandbox, version).await;
            let project = caller.project(sandbox, "p").await;
            let groups = format!("{project}/target-groups");
            let good = caller.draft_body(sandbox, 100).await;
            caller.post(&groups, &good).await.expect(201);
            if !is_strict {
                // What no sum of prices could be written for is refused whatever is tolerated.
                let mut bad = good.clone();
                let price = if version == "2024-12-02" { "amount" } else { "value" };
                bad["cost_per_interview"][price] = json!("79228162514264337593543950335");
                let refused = caller.post(&groups, &bad).await.expect(400);
                assert!(refused.text.contains("1000000000000 at most"), "{}", refused.text);
            }
            for (pointer, value, allowed, tolerance) in mutants(version) {
                let mut bad = good.clone();
                put(&mut bad, pointer, value);
                let reply = caller.post(&groups, &bad).await;
                if !is_strict {
                    // Another currency is refused by the draft's own rules.
                    let status = if tolerance == Tolerance::AnyCurrency { 400 } else { 201 };
                    let reply = reply.expect(status);
                    assert!(status == 201 || reply.text.contains(&pointer[1..].replace('/', ".")), "{}", reply.text);
                    continue;
                }
                let reply = reply.expect(400).json();
                let params =
                    reply["invalid_params"].as_array().unwrap_or_else(|| panic!("{version} {pointer}: {reply}"));
                let name = match pointer {
                    "/fielding_specification" => "fielding_specification.start_at".to_owned(),
                    _ => pointer.trim_start_matches('/').replace('/', "."),
                };
                let found = params
                    .iter()
                    .any(|param| param["name"] == name.as_str() && param["reason"].as_str().unwrap().contains(allowed));
                assert!(found, "{version} {pointer}: {reply}");
            }
            assert_own_answers_valid(sandbox);
        }
    }
}

#[tokio::test]
async fn questions_options_and_suppliers_are_those_of_the_lists() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let profiling = |condition: Value| {
        json!({
            "locale": "eng_us", "completes_goal": 100,
            "profiling": { "profile_adjustment_type": "percentage", "profiles": [
                { "object": "regular", "quotas_enabled": true,
                  "targets": [{ "conditions": [condition], "quota": { "completes_goal_percentage": 100 } }] },
            ] },
        })
    };
    let path = format!("{}/profiles/validate", caller.account);
    caller
        .post(&path, &profiling(json!({ "object": "selection", "question_id": 43, "option": "2" })))
        .await
        .expect(204);
    for (condition, name, allowed) in [
        (json!({ "object": "selection", "question_id": 4300, "option": "1" }), "question_id", "42, 43, 45, 46, 47"),
        (json!({ "object": "selection", "question_id": 43, "option": "9" }), "option", "allowed: 1, 2"),
    ] {
        let reply = caller.post(&path, &profiling(condition)).await.expect(400).json();
        let param = &reply["invalid_params"][0];
        assert_eq!(param["name"], format!("profiling.profiles.0.targets.0.conditions.0.{name}"));
        assert!(param["reason"].as_str().unwrap().contains(allowed), "{reply}");
    }
    let project = caller.project(&sandbox, "p").await;
    let mut body = caller.draft_body(&sandbox, 100).await;
    put(&mut body, "/allocations/open_exchange_allocations/blocked_supplier_ids", json!(["1101", "77"]));
    put(&mut body, "/allocations/open_exchange_allocations/groups/0/suppliers", json!(["78"]));
    let reply = caller.post(&format!("{project}/target-groups"), &body).await.expect(400).json();
    let names: Vec<&str> =
        reply["invalid_params"].as_array().unwrap().iter().map(|param| param["name"].as_str().unwrap()).collect();
    let open = "allocations.open_exchange_allocations";
    let wanted = [format!("{open}.blocked_supplier_ids.1"), format!("{open}.groups.0.suppliers.0")];
    assert_eq!(names, wanted, "{reply}");
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn pricing_modules_keep_to_the_currency_and_the_limit() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    let assistant = format!("{group}/fielding-assistant-assignment");
    let set = |pricing: Value| {
        common::send(caller.with_body(reqwest::Method::PUT, &assistant, &json!({ "pricing": pricing })))
    };
    let money = |value: &str, currency: &str| json!({ "value": value, "currency_code": currency });
    for (pricing, name) in [
        (json!({ "type": "dynamic", "total_budget": money("500.00", "EUR") }), "pricing.total_budget.currency_code"),
        (json!({ "type": "dynamic", "maximum_cpi": money("105.50", "USD") }), "pricing.maximum_cpi.value"),
        (json!({ "type": "rate_card", "maximum_cpi": money("5.00", "USD") }), "pricing.type"),
    ] {
        let reply = set(pricing).await.expect(400).json();
        assert_eq!(reply["invalid_params"][0]["name"], name, "{reply}");
    }
    set(json!({ "type": "dynamic", "maximum_cpi": money("5.00", "USD") })).await.expect(204);
}

#[tokio::test]
async fn every_amount_keeps_to_the_currency_and_the_limit() {
    let sandbox = Sandbox::start().await.unwrap();
    for version in VERSIONS {
        let caller = Caller::new(&sandbox, version).await;
        let [value_name, currency_name] =
            if version == "2024-12-02" { ["amount", "code"] } else { ["value", "currency_code"] };
        let money = |value: &str, currency: &str| json!({ value_name: value, currency_name: currency });
        let project = caller.project(&sandbox, version).await;
        let group = caller.draft(&sandbox, &project, 100).await;
        let refused = |reply: common::Reply, name: String| {
            let reply = reply.expect(400).json();
            assert_eq!(reply["invalid_params"][0]["name"], name, "{version}: {reply}");
        };
        let feasibility = format!("{group}/calculate-feasibility");
        for (amount, part) in [(money("105.01", "USD"), value_name), (money("2.50", "EUR"), currency_name)] {
            let reply = caller.post(&feasibility, &json!({ "price": amount })).await;
            refused(reply, format!("price.{part}"));
        }
        caller.launch(&group, version).await;
        let note = if caller.is_legacy() { "client_cpi" } else { "client_cost_per_interview_note" };
        let details = json!({
            "name": "Launched name", "project_manager_id": sandbox.project_manager_id(),
            "expected_length_of_interview_minutes": 12, "expected_incidence_rate": 0.4,
            "industry_lockout_code": "no_lockout", note: money("2.50", "EUR"),
            "live_url": "https://survey.example/2?RID=[%RID%]", "test_url": "https://survey.example/2?RID=[%RID%]",
        });
        let reply = common::send(caller.with_body(reqwest::Method::PUT, &format!("{group}/details"), &details)).await;
        refused(reply, format!("{note}.{currency_name}"));
    }
}

#[tokio::test]
async fn places_are_known_wherever_they_are_named() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let refused = |reply: common::Reply, name: &str, allowed: &str| {
        let reply = reply.expect(400).json();
        let param = &reply["invalid_params"][0];
        assert!(param["name"] == name && param["reason"].as_str().unwrap().contains(allowed), "{reply}");
    };
    let template = json!({ "name": "Pets", "label": "pets", "description": "d", "locales": ["eng_us", "eng_zz"],
        "profiling": { "profile_adjustment_type": "percentage", "profiles": caller.profiles() } });
    let reply = caller.post(&format!("{}/profiling-templates", caller.account), &template).await;
    refused(reply, "locales.1", "eng_us, spa_us");
    let card = format!("{}/business-units/3850/rate-card", caller.account);
    caller.get(&format!("{card}?country_code=GB")).await.expect(200);
    refused(caller.get(&format!("{card}?country_code=ZZ")).await, "country_code", "GB");
}

/// The limit follows the currency of the business unit.
#[tokio::test]
async fn prices_in_yen_are_not_held_for_dollars() {
    let seed = "[[business_unit]]\nid = 9\nname = \"Tokyo\"\ncurrency = \"JPY\"\npricing_models = [\"dynamic\"]";
    let sandbox = Sandbox::builder().seed_file(cintx_sandbox::SeedFile::read(seed).unwrap()).start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let mut body = caller.draft_body(&sandbox, 100).await;
    for (price, status) in [("500", 201), ("15750", 201), ("15751", 400)] {
        body["cost_per_interview"] = json!({ "value": price, "currency_code": "JPY" });
        caller.post(&format!("{project}/target-groups"), &body).await.expect(status);
    }
}

#[tokio::test]
async fn numbers_as_text_are_taken_where_that_is_tolerated() {
    let version = "2025-12-18";
    for (tolerances, status) in [(vec![Tolerance::NumbersAsText], 201), (Vec::new(), 400)] {
        let sandbox = Sandbox::builder().tolerate(tolerances).start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let mut body = caller.draft_body(&sandbox, 100).await;
        body["completes_goal"] = json!("100");
        body["expected_incidence_rate"] = json!("0.5");
        caller.post(&format!("{project}/target-groups"), &body).await.expect(status);
        let requests = sandbox.requests();
        let notes = &requests.last().unwrap().notes;
        assert_eq!(notes.iter().any(|note| note.starts_with("completes_goal")), status == 201, "{notes:?}");
        // What is no number stays what it is.
        body["completes_goal"] = json!("many");
        caller.post(&format!("{project}/target-groups"), &body).await.expect(400);
    }
}

#[tokio::test]
async fn users_and_units_that_are_not_there_are_answered_with_those_that_are() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let nobody = "45f1c114-111e-4ca9-968a-715b65895dc0";
        let body = json!({ "name": "Gardeners", "project_manager_id": nobody });
        let reply = caller.post_keyed(&format!("{}/projects", caller.account), "k", &body).await.expect(400);
        assert!(reply.text.contains(nobody) && reply.text.contains(&sandbox.project_manager_id()), "{reply:?}");
        let project = caller.project(&sandbox, "p").await;
        let mut body = caller.draft_body(&sandbox, 100).await;
        body["business_unit_id"] = json!("1");
        let reply = caller.post(&format!("{project}/target-groups"), &body).await.expect(400);
        assert!(reply.text.contains("3848, 3849, 3850"), "{reply:?}");
    }
}

#[tokio::test]
async fn ids_as_numbers_are_taken_where_that_is_tolerated() {
    for (tolerances, status) in [(vec![Tolerance::IdsAsNumbers], 201), (Vec::new(), 400)] {
        let sandbox = Sandbox::builder().tolerate(tolerances).start().await.unwrap();
        let caller = Caller::new(&sandbox, "2025-02-17").await;
        let project = caller.project(&sandbox, "p").await;
        let mut body = caller.draft_body(&sandbox, 100).await;
        body["business_unit_id"] = json!(sandbox.business_unit_id());
        caller.post(&format!("{project}/target-groups"), &body).await.expect(status);
        let notes = sandbox.requests().last().unwrap().notes.join("; ");
        assert_eq!(notes.contains("business_unit_id: an id was sent as a number"), status == 201, "{notes}");
        // Only ids: a name is no number.
        body["name"] = json!(5);
        caller.post(&format!("{project}/target-groups"), &body).await.expect(400);
    }
}

#[tokio::test]
async fn misspelt_fields_are_told_in_the_log() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        assert_eq!(sandbox.requests().last().unwrap().notes, [""; 0]);
        let mut body = caller.draft_body(&sandbox, 100).await;
        // The helpers' answers hold more than drafts declare.
        body.as_object_mut().unwrap().retain(|name, _| !["profile", "profiling"].contains(&name.as_str()));
        for (name, wanted) in
            [("test_url", vec![]), ("test_ulr", vec!["body.test_ulr is not declared, test_url is".to_owned()])]
        {
            body[name] = json!("https://survey.example/?RID=[%RID%]");
            caller.post(&format!("{project}/target-groups"), &body).await;
            assert_eq!(sandbox.requests().last().unwrap().notes, wanted, "{version}");
        }
    }
}

#[tokio::test]
async fn the_helper_takes_conditions_of_the_other_edition() {
    for (tolerances, status) in [(vec![Tolerance::ConditionEditions], 201), (Vec::new(), 400)] {
        let sandbox = Sandbox::builder().tolerate(tolerances).start().await.unwrap();
        let caller = Caller::new(&sandbox, "2025-02-17").await;
        let mut profiles = caller.profiles();
        for (at, kind) in [(0, "range"), (1, "selection")] {
            profiles[at]["conditions"]["object"] = json!(format!("{kind}_conditions_details_template"));
        }
        let (start, end) = common::field();
        let body = json!({
            "locale": "eng_us", "target_group_filling_goal": 100, "profile_adjustment_type": "percentage",
            "start_at": start, "end_at": end, "collects_pii": false, "profiles": profiles,
        });
        let path = format!("/demand/v2/accounts/{}/drafts/generate-interlocked-profile", sandbox.account_id());
        caller.post_keyed(&path, "k", &body).await.expect(status);
    }
}

#[tokio::test]
async fn launched_groups_take_the_links_that_drafts_take() {
    let sandbox = Sandbox::start().await.unwrap();
    for version in VERSIONS {
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, version).await;
        let group = caller.draft(&sandbox, &project, 100).await;
        caller.launch(&group, version).await;
        for name in ["live_url", "test_url"] {
            let mut details = json!({
                "name": "Launched name", "project_manager_id": sandbox.project_manager_id(),
                "expected_length_of_interview_minutes": 12, "expected_incidence_rate": 0.4,
                "industry_lockout_code": "no_lockout",
                "live_url": "https://survey.example/2?RID=[%RID%]", "test_url": "https://survey.example/2?RID=[%RID%]",
            });
            let put =
                |body: &Value| common::send(caller.with_body(reqwest::Method::PUT, &format!("{group}/details"), body));
            put(&details).await.expect(200);
            details[name] = json!("http://survey.example/2?RID=[%RID%]");
            let reply = put(&details).await.expect(400).json();
            assert_eq!(reply["invalid_params"][0]["name"], name, "{version}: {reply}");
        }
    }
}

#[tokio::test]
async fn price_notes_in_any_currency_are_taken_where_that_is_tolerated() {
    for (tolerances, status) in [(vec![], 400), (vec![Tolerance::AnyCurrency], 201)] {
        let sandbox = Sandbox::builder().tolerate(tolerances).start().await.unwrap();
        for version in VERSIONS {
            let caller = Caller::new(&sandbox, version).await;
            let project = caller.project(&sandbox, version).await;
            let mut body = caller.draft_body(&sandbox, 100).await;
            let mut note = body["cost_per_interview"].clone();
            let currency = if version == "2024-12-02" { "code" } else { "currency_code" };
            note[currency] = json!("EUR");
            body["client_cost_per_interview_note"] = note.clone();
            let reply = caller.post(&format!("{project}/target-groups"), &body).await.expect(status).json();
            if status == 201 {
                // The price itself has a currency that something is counted in.
                body["cost_per_interview"] = note;
                caller.post(&format!("{project}/target-groups"), &body).await.expect(400);
            } else {
                let name = format!("client_cost_per_interview_note.{currency}");
                assert_eq!(reply["invalid_params"][0]["name"], name, "{version}: {reply}");
            }
        }
    }
}
