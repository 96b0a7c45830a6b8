//! What can be changed about a launched target group, in each version's words:
//! profiles, goals, interlocks, supply, the assistant; and what the changelog says.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, VERSIONS, assert_own_answers_valid, send};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const LEGACY: [&str; 2] = ["2024-12-02", "2025-02-17"];
const MODERN: &str = "2025-12-18";

/// A sandbox whose field stands still, and a launched group with regular
/// profiles of age and gender.
async fn launched(version: &'static str) -> (Sandbox, Caller, String) {
    let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
    let caller = Caller::new(&sandbox, version).await;
    let project = caller.project(&sandbox, "p").await;
    let mut body = caller.draft_body(&sandbox, 100).await;
    if caller.is_legacy() {
        let mut drafts = caller.profiles();
        for draft in drafts.as_array_mut().unwrap() {
            let kind = format!("{}_template", draft["conditions"]["object"].as_str().unwrap());
            draft["conditions"]["object"] = json!(kind);
        }
        body["profile"] =
            json!({ "profile_adjustment_type": "percentage", "drafts": drafts, "interlocked_profiles": [] });
    } else {
        body["profiling"] = json!({ "profile_adjustment_type": "percentage", "profiles": caller.profiles() });
    }
    let reply = caller.post(&format!("{project}/target-groups"), &body).await.expect(201).json();
    let group = format!("{project}/target-groups/{}", reply["id"].as_str().unwrap());
    caller.launch(&group, "l").await;
    (sandbox, caller, group)
}

fn second(group: &str) -> String {
    group.replacen("/demand/", "/demand/v2/", 1)
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

async fn put(caller: &Caller, path: &str, body: &Value) -> common::Reply {
    send(caller.with_body(Method::PUT, path, body).header("idempotency-key", path)).await
}

#[tokio::test]
async fn interlocks_come_and_go_in_the_older_versions() {
    for version in LEGACY {
        let (sandbox, caller, group) = launched(version).await;
        let profiles = format!("{}/profiles", second(&group));
        let before = caller.get(&profiles).await.expect(200).json();
        let ids: Vec<String> = before["data"].as_array().unwrap().iter().map(id).collect();
        assert_eq!(ids.len(), 2);
        let body = json!({ "profiles": ids, "target_group_filling_goal": 100 });
        let made = caller.post(&format!("{profiles}/create-interlocked-profile"), &body).await.expect(200).json();
        let cells = made["quotas"]["ungrouped"].as_array().unwrap().clone();
        assert_eq!(cells.len(), 6);
        assert_eq!(cells.iter().map(|cell| cell["quota"].as_i64().unwrap()).sum::<i64>(), 100);
        let all = caller.get(&format!("{}/all-profiles", second(&group))).await.expect(200).json();
        assert_eq!(all["interlocked_profile"]["id"], made["id"]);
        // Its margins cannot be changed by themselves.
        caller.post(&format!("{profiles}/{}/disable-quotas", ids[0]), &json!({})).await.expect(400);
        caller.post(&format!("{profiles}/create-interlocked-profile"), &body).await.expect(400);
        // A cell's goal can.
        let goals = json!({ "filling_goal": 110, "profiles": [
            { "profile_id": made["id"], "quotas": [{ "quota_id": cells[0]["id"], "filling_goal": 30 }] },
        ] });
        put(&caller, &format!("{profiles}/filling-goal"), &goals).await.expect(201);
        let all = caller.get(&profiles).await.expect(200).json();
        assert_eq!(all["interlocked_profile"]["quotas"]["ungrouped"][0]["completes_goal"], 30, "{all}");
        let path = format!("{profiles}/{}/remove-interlocks", id(&made));
        let back = caller.post(&path, &json!({})).await.expect(200).json();
        assert_eq!(back["data"].as_array().unwrap().len(), 2);
        let after = caller.get(&profiles).await.expect(200).json();
        assert!(after.get("interlocked_profile").is_none_or(Value::is_null), "{after}");
        assert_own_answers_valid(&sandbox);
    }
}

/// A draft names the profiles behind its interlock by id and question alone; what they consist of is in the cells.
#[tokio::test]
async fn a_drafts_interlock_is_taken_apart_after_launch_in_the_older_versions() {
    for version in LEGACY {
        let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let mut body = caller.draft_body(&sandbox, 100).await;
        for profile in body["profile"]["interlocked_profiles"][0]["profiles"].as_array_mut().unwrap() {
            profile.as_object_mut().unwrap().retain(|name, _| ["id", "question_id", "interlock_id"].contains(&&**name));
        }
        let reply = caller.post(&format!("{project}/target-groups"), &body).await.expect(201).json();
        let group = format!("{project}/target-groups/{}", id(&reply));
        caller.launch(&group, "l").await;
        let profiles = format!("{}/profiles", second(&group));
        let all = caller.get(&profiles).await.expect(200).json();
        let path = format!("{profiles}/{}/remove-interlocks", id(&all["interlocked_profile"]));
        let back = caller.post(&path, &json!({})).await.expect(200).json();
        let goals = |at: usize| -> Vec<(Value, i64)> {
            let quotas = back["data"][at]["quotas"]["ungrouped"].as_array().unwrap();
            let conditions = back["data"][at]["conditions"]["data"].as_array().unwrap();
            let of = |quota: &Value| conditions.iter().find(|it| it["id"] == quota["condition"]).unwrap().clone();
            let what = |it: Value| if it["option"].is_null() { it["min"].clone() } else { it["option"].clone() };
            quotas.iter().map(|quota| (what(of(quota)), quota["completes_goal"].as_i64().unwrap())).collect()
        };
        assert_eq!(back["data"].as_array().unwrap().len(), 2, "{back}");
        let sums = |at: usize| goals(at).iter().map(|(_, goal)| goal).sum::<i64>();
        assert_eq!((sums(0), sums(1)), (100, 100), "{back}");
        let what = |at: usize| goals(at).into_iter().map(|(what, _)| what).collect::<Vec<_>>();
        assert_eq!((what(0), what(1)), (vec![json!(18), json!(35), json!(55)], vec![json!("1"), json!("2")]), "{back}");
        assert!(goals(0).iter().zip([40, 35, 25]).all(|((_, goal), wanted)| goal.abs_diff(wanted) <= 1), "{back}");
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn quotas_are_grouped_switched_and_deleted_in_the_older_versions() {
    for version in LEGACY {
        for edition in [str::to_owned as fn(&str) -> String, second as fn(&str) -> String] {
            let (sandbox, caller, group) = launched(version).await;
            let profiles = format!("{}/profiles", edition(&group));
            let is_second = profiles.contains("/v2/");
            let age = caller.get(&profiles).await.expect(200).json()["data"][0].clone();
            let own = format!("{profiles}/{}", id(&age));
            let conditions: Vec<String> = age["conditions"]["data"].as_array().unwrap().iter().map(id).collect();
            assert_eq!(conditions.len(), 3);

            let body = json!({ "data": [{ "name": "grown up", "conditions": conditions[1..] }] });
            let path = format!("{own}/group-quotas");
            let grouped = caller.post_keyed(&path, "g", &body).await.expect(if is_second { 201 } else { 200 }).json();
            assert_eq!(grouped["quotas"]["ungrouped"].as_array().unwrap().len(), 1, "{grouped}");
            assert_eq!(grouped["quotas"]["grouped"][0]["name"], "grown up");
            assert_eq!(grouped["quotas"]["grouped"][0]["quota"], 60);
            let wrong = json!({ "data": [{ "name": "none", "conditions": ["x"] }] });
            caller.post_keyed(&path, "w", &wrong).await.expect(400);

            let off = caller.post_keyed(&format!("{own}/disable-quotas"), "d", &json!({})).await.expect(200).json();
            assert_eq!(off["quotas"]["grouped"], json!([]));
            let on = caller.post_keyed(&format!("{own}/enable-quotas"), "e", &json!({})).await.expect(200).json();
            assert_eq!(on["quotas"]["grouped"][0]["quota"], 50);

            let body =
                json!({ "object": "range_conditions", "data": [{ "min": 18, "max": 49 }, { "min": 50, "max": 99 }] });
            let new = put(&caller, &format!("{own}/conditions"), &body).await.expect(200).json();
            assert_eq!(new["conditions"]["data"].as_array().unwrap().len(), 2);
            let quotas: Vec<String> = new["quotas"]["ungrouped"].as_array().unwrap().iter().map(id).collect();

            let goals = if is_second {
                json!({ "filling_goal": 120, "profiles": [
                    { "profile_id": id(&age), "quotas": [{ "quota_id": quotas[0], "filling_goal": 70 }] },
                ] })
            } else {
                json!({ "profiles": [{ "profile_id": id(&age), "quotas": [{ "quota_id": quotas[0], "filling_goal": 70 }] }] })
            };
            let status = if is_second { 201 } else { 200 };
            put(&caller, &format!("{profiles}/filling-goal"), &goals).await.expect(status);
            let read = caller.get(&own).await.expect(200).json();
            assert_eq!(read["quotas"]["ungrouped"][0]["quota"], 70, "{read}");

            let name = if is_second { "profile_id" } else { "profile" };
            let body = json!({ "profiles": [{ name: id(&age), "quotas": [quotas[1]] }] });
            caller.post(&format!("{profiles}/batch-delete-profile-quotas"), &body).await.expect(204);
            let read = caller.get(&own).await.expect(200).json();
            assert_eq!(read["quotas"]["ungrouped"].as_array().unwrap().len(), 1, "{read}");

            let body = json!({ "profiles": [id(&age)] });
            caller.post(&format!("{profiles}/batch-delete-profiles"), &body).await.expect(204);
            caller.get(&own).await.expect(404);
            let data = if is_second { json!(["1"]) } else { json!(["2"]) };
            let body = json!({ "question_id": 47, "conditions": { "object": "selection_conditions", "data": data } });
            let made = caller.post(&profiles, &body).await.expect(201).json();
            assert_eq!(caller.get(&profiles).await.expect(200).json()["data"].as_array().unwrap().len(), 2);
            // The same question twice is refused.
            caller.post(&profiles, &body).await.expect(400);
            if !is_second {
                send(caller.request(Method::DELETE, &format!("{profiles}/{}", id(&made)))).await.expect(204);
                caller.get(&format!("{profiles}/{}", id(&made))).await.expect(404);
            }
            assert_own_answers_valid(&sandbox);
        }
    }
}

#[tokio::test]
async fn profiles_are_managed_as_a_whole_and_keep_what_they_collected() {
    let sandbox = Sandbox::builder().field_pace(Duration::from_secs(3_600)).start().await.unwrap();
    let caller = Caller::new(&sandbox, MODERN).await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    let profiles = format!("{group}/profiles");
    let before = caller.get(&profiles).await.expect(200).json();
    let collected = |list: &Value| -> u64 {
        let targets = list["profiles"].as_array().unwrap().iter().flat_map(|p| p["targets"].as_array().unwrap());
        targets.map(|target| target["quota"]["completes"].as_u64().unwrap()).sum()
    };
    let completes = collected(&before);
    assert!(completes > 0);
    let blend = &before["profiles"][0];

    // Goals, by target.
    let first = &blend["targets"][0];
    let goals = json!({ "completes_goal": 150, "profiles": [{
        "profile_id": blend["id"], "targets": [{ "id": first["id"], "quota": { "completes_goal": 70 } }],
    }] });
    let changed = put(&caller, &format!("{profiles}/completes-goal"), &goals).await.expect(200).json();
    assert_eq!(changed["completes_goal"], 150);
    assert_eq!(changed["profiles"][0]["targets"][0]["quota"]["completes_goal"], 70);
    // Only the total: everything follows.
    let changed = put(&caller, &format!("{profiles}/completes-goal"), &json!({ "completes_goal": 300 })).await;
    let changed = changed.expect(200).json();
    let sum: u64 = changed["profiles"][0]["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["quota"]["completes_goal"].as_u64().unwrap())
        .sum();
    assert_eq!(sum, 300);
    // Less than is collected, and what is not there.
    let refused =
        put(&caller, &format!("{profiles}/completes-goal"), &json!({ "completes_goal": 1 })).await.expect(422);
    assert!(refused.text.contains("cannot_be_less_than_collected_076"), "{}", refused.text);
    let mut unknown = goals.clone();
    unknown["profiles"][0]["targets"][0]["id"] = json!("01JP0M57XAWSMNPSW5M62A035H");
    let refused = put(&caller, &format!("{profiles}/completes-goal"), &unknown).await.expect(422);
    assert!(refused.text.contains("target_id_not_found_for_profile_045"), "{}", refused.text);

    // The same cells again, in numbers: ids and counts stay.
    let targets: Vec<Value> = changed["profiles"][0]["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| {
            json!({
                "name": target["name"],
                "conditions": target["conditions"].as_array().unwrap().iter().map(|condition| {
                    let mut condition = condition.clone();
                    condition.as_object_mut().unwrap().retain(|name, _| !name.starts_with("condition_name"));
                    condition
                }).collect::<Vec<_>>(),
                "quota": { "completes_goal": target["quota"]["completes_goal"] },
            })
        })
        .collect();
    let body = json!({ "completes_goal": 300, "profiling": { "profile_adjustment_type": "nominal", "profiles": [
        { "object": "blended", "name": "cells", "quotas_enabled": true, "targets": targets },
    ] } });
    let managed = caller.post(&format!("{profiles}/manage-profiles"), &body).await.expect(201).json();
    assert_eq!(managed["profiles"][0]["id"], blend["id"]);
    assert_eq!(managed["profiles"][0]["targets"][0]["id"], first["id"]);
    assert_eq!(collected(&managed), completes);
    let mut short = body.clone();
    short["completes_goal"] = json!(200);
    let refused = caller.post(&format!("{profiles}/manage-profiles"), &short).await.expect(422);
    assert!(refused.text.contains("incorrect_sum_of_nominal_010"), "{}", refused.text);
    assert_eq!(caller.get(&profiles).await.expect(200).json(), managed);

    let body = json!({ "profile_ids": [blend["id"]] });
    caller.post(&format!("{profiles}/delete-profiles"), &body).await.expect(204);
    let refused = caller.post(&format!("{profiles}/delete-profiles"), &body).await.expect(422);
    assert!(refused.text.contains("profile_id_not_found_044"), "{}", refused.text);
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn the_assistant_is_replaced_under_its_etag() {
    for version in VERSIONS {
        let (sandbox, caller, group) = launched(version).await;
        let path = format!("{group}/fielding-assistant-assignment");
        let read = caller.get(&path).await.expect(200);
        assert_eq!(read.json(), json!({}));
        let etag = read.header("etag");
        let money = |value: &str| json!({ "value": value, "currency_code": "USD" });
        let body = json!({
            "pricing": { "type": "dynamic", "minimum_cpi": money("1.50"), "maximum_cpi": money("4.00") },
            "pacing": { "type": "linear", "increment_interval": "PT6H" },
            "quota_overlay": { "prevent_overfill": true, "balance_fill": false },
        });
        let put = |body: Value, name: &'static str, tag: String| {
            let request = caller.with_body(Method::PUT, &path, &body).header(name, tag);
            async move { send(request).await }
        };
        put(body.clone(), "if-match", "W/\"99\"".into()).await.expect(412);
        put(body.clone(), "if-match", etag.clone()).await.expect(204);
        put(body.clone(), "if-match", etag.clone()).await.expect(412);
        put(body.clone(), "if-none-match", "*".into()).await.expect(412);
        let read = caller.get(&path).await.expect(200);
        assert_ne!(read.header("etag"), etag);
        assert_eq!(read.json()["pacing"], body["pacing"]);
        assert_eq!(read.json()["pricing"]["maximum_cpi"]["value"], "4.00");
        assert_eq!(read.json()["quota_overlay"], body["quota_overlay"]);
        // One module alone turns the others off.
        put(json!({ "quota_overlay": body["quota_overlay"] }), "if-match", "*".into()).await.expect(204);
        assert!(caller.get(&path).await.expect(200).json().get("pacing").is_none_or(Value::is_null));
        let mut wrong = body.clone();
        wrong["pricing"]["minimum_cpi"] = money("5.00");
        put(wrong, "if-match", "*".into()).await.expect(400);
        let rate_card = json!({ "pricing": { "type": "rate_card", "maximum_cpi": money("5.00") } });
        put(rate_card, "if-match", "*".into()).await.expect(400);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn a_soft_launch_fills_in_part_and_pauses() {
    let sandbox = Sandbox::builder()
        .field_pace(Duration::from_secs(60))
        .token_ttl(Duration::from_secs(1 << 20))
        .start()
        .await
        .unwrap();
    let caller = Caller::new(&sandbox, MODERN).await;
    let project = caller.project(&sandbox, "p").await;
    let mut body = caller.draft_body(&sandbox, 100).await;
    let end = format!("{:.3}", jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24));
    body["fielding_assistant_assignment"] = json!({ "soft_launch": {
        "end_at": end, "filling_goal_percentage": 10, "demographics_strictness_percentage": 50,
    } });
    let reply = caller.post(&format!("{project}/target-groups"), &body).await.expect(201).json();
    let group = format!("{project}/target-groups/{}", id(&reply));
    caller.launch(&group, "l").await;
    sandbox.advance(Duration::from_secs(23 * 3_600));
    let overview = caller.get(&format!("{group}/overview")).await.expect(200).json();
    assert_eq!(overview["status"], "live");
    assert!(overview["statistics"]["progress"]["value"]["current_completes"].as_u64().is_none_or(|n| n <= 10));
    let state = sandbox.state();
    assert_eq!(state["target_groups"][0]["completes"], 10, "{state}");
    sandbox.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(sandbox.state()["target_groups"][0]["status"], "paused");
    let log = caller.get(&format!("{group}/changelog?change_types=status_change")).await.expect(200).json();
    assert_eq!(log["changelog"][0]["changes"][0]["reason_code"], "past_soft_launch_end_date", "{log}");
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn supply_is_read_back_as_it_was_written() {
    let (sandbox, caller, group) = launched(MODERN).await;
    let path = format!("{group}/allocation-specification");
    let read = caller.get(&path).await.expect(200).json();
    let own = &read["open_exchange_allocations"]["groups"][0];
    assert_eq!(own["suppliers"][0]["id"], 980, "{read}");
    let mut body = json!({
        "open_exchange_allocations": {
            "blocked_supplier_ids": ["1101"], "exchange_min_percentage": 10, "exchange_max_percentage": 50,
            "groups": [
                { "group_id": own["group_id"], "group_name": "test", "min_percentage": 0, "max_percentage": 60, "supplier_ids": ["980"] },
                { "group_name": "more", "min_percentage": 20, "max_percentage": 60, "supplier_ids": ["1102", "1103"] },
            ],
        },
        "private_exchange_allocations": { "blocked_supplier_ids": [], "groups": [
            { "group_name": "own panel", "min_percentage": 0, "max_percentage": 20, "supplier_id": "1107" },
        ] },
    });
    put(&caller, &path, &body).await.expect(204);
    let read = caller.get(&path).await.expect(200).json();
    assert_eq!(read["open_exchange_allocations"]["groups"][0]["group_id"], own["group_id"]);
    assert_eq!(read["open_exchange_allocations"]["groups"][1]["suppliers"][1]["id"], 1103);
    assert_eq!(read["open_exchange_allocations"]["blocked_suppliers"][0]["id"], 1101);
    assert_eq!(read["private_exchange_allocations"]["groups"][0]["supplier"]["id"], 1107);
    body["open_exchange_allocations"]["groups"][1]["min_percentage"] = json!(95);
    put(&caller, &path, &body).await.expect(400);
    assert_own_answers_valid(&sandbox);

    for version in LEGACY {
        let (sandbox, caller, group) = launched(version).await;
        let path = format!("{}/supply-allocations", second(&group));
        let read = caller.get(&path).await.expect(200).json();
        assert_eq!(read["supply_allocations"][0]["type"], "exchange", "{read}");
        let body = json!({ "type": "group", "name": "own", "percentage_min": 5, "percentage_max": 40, "suppliers": [{ "id": 980 }] });
        caller.post(&path, &body).await.expect(201);
        caller.post(&path, &json!({ "type": "blocked", "suppliers": [{ "id": 1104 }] })).await.expect(201);
        let read = caller.get(&path).await.expect(200).json();
        let entries = read["supply_allocations"].as_array().unwrap();
        assert_eq!(entries.len(), 3, "{read}");
        let own = entries.iter().find(|entry| entry["type"] == "group").unwrap();
        let mut changed = body.clone();
        changed["percentage_max"] = json!(30);
        let reply = put(&caller, &format!("{path}/{}", own["id"]), &changed).await.expect(200).json();
        assert_eq!(reply["percentage_max"], 30);
        put(&caller, &format!("{path}/77"), &changed).await.expect(404);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn the_changelog_tells_what_changed() {
    for version in VERSIONS {
        let (sandbox, caller, group) = launched(version).await;
        let price = if version == "2024-12-02" {
            json!({ "amount": "3.10", "code": "USD" })
        } else {
            json!({ "value": "3.10", "currency_code": "USD" })
        };
        put(&caller, &format!("{group}/cost-per-interview"), &json!({ "target_group_cpi": price })).await.expect(200);
        put(&caller, &format!("{group}/filling-strategy"), &json!({ "filling_strategy": "completes" }))
            .await
            .expect(200);
        let log = caller.get(&format!("{group}/changelog")).await.expect(200).json();
        let objects: Vec<&str> = log["changelog"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|entry| entry["changes"].as_array().unwrap())
            .map(|change| change["object"].as_str().unwrap())
            .collect();
        assert_eq!(objects[..3], ["filling_strategy_change", "cpi_change", "status_change"], "{log}");
        // A draft's start lies ahead, a launched group's is now.
        assert!(objects[3..].contains(&"fielding_period_start_date_change"), "{log}");
        assert_eq!(log["changelog"][0]["changes"][0]["old_value"], "prescreens");
        assert_eq!(log["changelog"][1]["changes"][0]["new_value"]["value"], "3.10");
        assert_eq!(log["changelog"][2]["changes"][0]["new_value"], "live");
        let page = caller.get(&format!("{group}/changelog?page_size=2")).await.expect(200).json();
        let next = page["next_cursor"].as_str().unwrap();
        let rest = caller.get(&format!("{group}/changelog?page_size=2&start_after={next}")).await.expect(200).json();
        assert_eq!(rest["changelog"][0]["id"], log["changelog"][2]["id"]);
        assert_own_answers_valid(&sandbox);
    }
}

/// A live group in field, whose draft was changed before.
async fn in_field(sandbox: &Sandbox, change: impl FnOnce(&mut Value)) -> (Caller, String) {
    let caller = Caller::new(sandbox, MODERN).await;
    let project = caller.project(sandbox, "p").await;
    let mut body = caller.draft_body(sandbox, 5_000).await;
    change(&mut body);
    let reply = caller.post(&format!("{project}/target-groups"), &body).await.expect(201).json();
    (caller, format!("{project}/target-groups/{}", id(&reply)))
}

#[tokio::test]
async fn a_larger_budget_is_noticed_at_once() {
    let minute = Duration::from_secs(60);
    let sandbox = Sandbox::builder().field_pace(minute).token_ttl(minute * 100_000).start().await.unwrap();
    let budget = |value: &str| json!({ "type": "dynamic", "total_budget": { "value": value, "currency_code": "USD" } });
    let draft = |body: &mut Value| body["fielding_assistant_assignment"] = json!({ "pricing": budget("1.00") });
    let (caller, group) = in_field(&sandbox, draft).await;
    caller.launch(&group, "l").await;
    sandbox.advance(minute * 60 * 24 * 4);
    assert_eq!(sandbox.respondents().len(), 0);
    let assistant = caller.with_body(
        Method::PUT,
        &format!("{group}/fielding-assistant-assignment"),
        &json!({ "pricing": budget("5000.00") }),
    );
    send(assistant.header("if-match", "*")).await.expect(204);
    sandbox.advance(minute * 120);
    assert!(sandbox.respondents().len() > 20, "{}", sandbox.respondents().len());
}

#[tokio::test]
async fn the_length_of_past_interviews_does_not_change_with_the_expected_one() {
    let lifelike = cintx_sandbox::Scenario::lifelike();
    for scenario in [cintx_sandbox::Scenario::default(), lifelike.clone()] {
        let hour = Duration::from_secs(3_600);
        let builder = Sandbox::builder().scenario(scenario.clone()).field_pace(hour / 60);
        let sandbox = builder.token_ttl(hour * 1_000).start().await.unwrap();
        let (caller, group) = in_field(&sandbox, |_| {}).await;
        caller.launch(&group, "l").await;
        sandbox.advance(hour * 48);
        let median = async || {
            let overview = caller.get(&format!("{group}/overview")).await.expect(200).json();
            let projects = caller.get(&format!("{}/projects", caller.account)).await.expect(200).json();
            let of_project = projects["projects"][0]["statistics"]["length_of_interview_median_seconds"].clone();
            let own = overview["median_length_of_interview_seconds"].clone();
            assert_eq!(own, of_project, "{overview} {projects}");
            own.as_i64().unwrap()
        };
        let before = median().await;
        let details = json!({
            "name": "Longer", "project_manager_id": sandbox.project_manager_id(),
            "expected_length_of_interview_minutes": 30, "expected_incidence_rate": 0.5,
            "industry_lockout_code": "no_lockout",
            "live_url": "https://survey.example/?RID=[%RID%]", "test_url": "https://survey.example/?RID=[%RID%]",
        });
        put(&caller, &format!("{group}/details"), &details).await.expect(200);
        assert_eq!(median().await, before);
        if scenario != lifelike {
            assert_eq!(before, 600, "as expected, where a scenario does not say how long interviews are");
            continue;
        }
        let at = |session: &Value, name: &str| -> jiff::Timestamp { session[name].as_str().unwrap().parse().unwrap() };
        let state = sandbox.state();
        let completes = state["sessions"].as_array().unwrap().iter().filter(|one| one["standing"] == "complete");
        let mut lengths: Vec<i64> =
            completes.map(|one| at(one, "entered_at").duration_until(at(one, "left_at")).as_secs()).collect();
        lengths.sort_unstable();
        let middle = i64::midpoint(lengths[(lengths.len() - 1) / 2], lengths[lengths.len() / 2]);
        assert!(lengths.len() > 20 && before.abs_diff(middle) <= 1, "{before} {middle}, {} in all", lengths.len());
    }
}

/// Times of the changelog, newest first.
async fn changelog_times(caller: &Caller, group: &str) -> Vec<jiff::Timestamp> {
    let log = caller.get(&format!("{group}/changelog")).await.expect(200).json();
    let time = |entry: &Value| entry["occurred_at"].as_str().unwrap_or_else(|| panic!("{entry}")).parse().unwrap();
    log["changelog"].as_array().unwrap().iter().map(time).collect()
}

#[tokio::test]
async fn a_soft_launch_that_is_over_before_the_launch_does_nothing() {
    let hour = Duration::from_secs(3_600);
    for scheduled in [false, true] {
        let sandbox = Sandbox::builder().field_pace(Duration::ZERO).token_ttl(hour * 1_000).start().await.unwrap();
        let later = |time: jiff::SignedDuration| format!("{:.3}", sandbox.now() + time);
        let (in_a_day, hours) = (later(jiff::SignedDuration::from_hours(24)), jiff::SignedDuration::from_hours);
        let soft = json!({ "soft_launch": {
            "end_at": in_a_day, "filling_goal_percentage": 10, "demographics_strictness_percentage": 50,
        } });
        let (caller, group) = in_field(&sandbox, |body| body["fielding_assistant_assignment"] = soft).await;
        sandbox.advance(hour * 25);
        if scheduled {
            let times = json!({ "start_fielding_at": later(hours(1)), "end_fielding_at": later(hours(48)) });
            let jobs = format!("{group}/fielding-run-jobs/schedule-from-draft");
            caller.post_keyed(&jobs, "s", &times).await.expect(201);
            sandbox.advance(hour * 2);
        } else {
            caller.launch(&group, "l").await;
        }
        assert_eq!(sandbox.state()["target_groups"][0]["status"], "live", "scheduled: {scheduled}");
        let times = changelog_times(&caller, &group).await;
        assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    }
}

#[tokio::test]
async fn a_run_whose_start_passes_while_it_is_scheduled_begins_at_once() {
    let second = Duration::from_secs(1);
    let sandbox = Sandbox::builder().field_pace(Duration::ZERO).job_delay(second * 10).start().await.unwrap();
    let (caller, group) = in_field(&sandbox, |_| {}).await;
    let later = |seconds: i64| format!("{:.3}", sandbox.now() + jiff::SignedDuration::from_secs(seconds));
    let times = json!({ "start_fielding_at": later(5), "end_fielding_at": later(86_400) });
    caller.post_keyed(&format!("{group}/fielding-run-jobs/schedule-from-draft"), "s", &times).await.expect(201);
    sandbox.advance(second * 20);
    assert_eq!(sandbox.state()["target_groups"][0]["status"], "live");
    let times = changelog_times(&caller, &group).await;
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
}
