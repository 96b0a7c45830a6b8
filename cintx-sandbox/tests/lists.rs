//! Files of respondents, exclusion groups, templates, reports and what else
//! an account keeps: written, worked on, read back, refused.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, Reply, VERSIONS, assert_own_answers_valid, send};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const MODERN: &str = "2025-12-18";
const RSID: &str = "0c2b1d3e-4f56-4789-8abc-0123456789ab";

async fn group() -> (Sandbox, Caller, String, String) {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, MODERN).await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    (sandbox, caller, project, group)
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

async fn upload(caller: &Caller, path: &str, lines: &str) -> Reply {
    let body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ids.csv\"\r\nContent-Type: text/csv\r\n\r\n\
         {lines}\r\n--cut--\r\n"
    );
    let request = caller.request(Method::POST, path).header("content-type", "multipart/form-data; boundary=cut");
    send(request.body(body)).await
}

#[tokio::test]
async fn respondents_are_excluded_by_file() {
    let (sandbox, caller, _, group) = group().await;
    let jobs = format!("{group}/exclusions/jobs");
    let path = format!("{jobs}/upload-respondents-by-file?entity_type=RSID");
    let job = upload(&caller, &path, &format!("{RSID}\nnonsense")).await.expect(201).json();
    // One at a time.
    let clash = upload(&caller, &path, RSID).await.expect(409).json();
    assert_eq!(clash["object"], "conflict_error");
    let status = format!("{jobs}/upload-respondents-by-file/{}", job["job_id"].as_str().unwrap());
    let done = caller.until(&status, |job| job["status"] != "Processing").await;
    assert_eq!(done["status"], "Success");
    assert!(done["partial_success_reason"]["description"].is_string(), "{done}");
    let overview = caller.get(&format!("{group}/exclusions/overview")).await.expect(200).json();
    assert_eq!(overview["saved_respondent_ids_count"], 1);
    let list = caller.get(&format!("{group}/exclusions/rsid/paginated")).await.expect(200).json();
    assert_eq!(list["data"], json!([RSID]));
    let failed = upload(&caller, &path, "nonsense").await.expect(201).json();
    let status = format!("{jobs}/upload-respondents-by-file/{}", failed["job_id"].as_str().unwrap());
    let done = caller.until(&status, |job| job["status"] != "Processing").await;
    assert_eq!(done["status"], "Failed");
    let job = caller.post(&format!("{jobs}/remove-all-respondents?entity_type=RSID"), &json!({})).await;
    let job = job.expect(201).json();
    let status = format!("{jobs}/remove-all-respondents/{}", job["job_id"].as_str().unwrap());
    caller.until(&status, |job| job["status"] == "Success").await;
    let overview = caller.get(&format!("{group}/exclusions/overview")).await.expect(200).json();
    assert_eq!(overview["saved_respondent_ids_count"], 0);
    upload(&caller, &path, "").await.expect(400);
    upload(&caller, &path, &"x".repeat(5_000_001)).await.expect(413);
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn respondents_are_asked_again_by_file() {
    let (sandbox, caller, _, group) = group().await;
    caller.launch(&group, "l").await;
    let rid = sandbox.respondents()[0].rid.clone();
    let jobs = format!("{group}/recontacts/jobs/upload-respondents-by-file");
    let job = upload(&caller, &format!("{jobs}?entity_type=RID"), &rid).await.expect(201).json();
    let status = format!("{jobs}/{}", job["job_id"].as_str().unwrap());
    let done = caller.until(&status, |job| job["status"] != "Processing").await;
    assert_eq!(done["status"], "Completed", "{done}");
    let file = caller.get(&format!("{status}/download")).await.expect(200);
    assert_eq!(file.text, rid);
    assert!(file.header("content-disposition").contains("ids.csv"));
    let all = caller.get(&jobs).await.expect(200).json();
    assert_eq!(all["data"][0]["file_name"], "ids.csv");
    let list = caller.get(&format!("{group}/recontacts/rsids")).await.expect(200).json();
    assert_eq!(list["data"], json!([rid.to_lowercase()]));
    // A failure that was ordered.
    sandbox.fail_next_jobs(1);
    let path = format!("{group}/recontacts/jobs/upload-rsids-by-file");
    let job = upload(&caller, &path, RSID).await.expect(201).json();
    let status = format!("{path}/{}", job["job_id"].as_str().unwrap());
    let done = caller.until(&status, |job| job["status"] != "Processing").await;
    assert_eq!(done["failure_reason"]["code"], "JobExecutionStartMessageFailed", "{done}");
    // One that was ordered for this group alone, and its reason.
    let order = json!({ "target_group_id": last(&group), "code": "TooManyRespondents", "description": "Too many." });
    send(common::post_json(&caller.http, &format!("{}/jobs/fail", sandbox.control_url()), &order)).await.expect(200);
    for (status_word, reason) in
        [("Failed", json!({ "code": "TooManyRespondents", "description": "Too many." })), ("Completed", Value::Null)]
    {
        let job = upload(&caller, &path, RSID).await.expect(201).json();
        let status = format!("{path}/{}", job["job_id"].as_str().unwrap());
        let done = caller.until(&status, |job| job["status"] != "Processing").await;
        assert_eq!((&done["status"], &done["failure_reason"]), (&json!(status_word), &reason), "{done}");
    }
    assert_own_answers_valid(&sandbox);
}

/// The document has two words for each of two kinds of ids.
#[tokio::test]
async fn respondents_are_asked_again_by_every_kind_of_id() {
    let (sandbox, caller, project, group) = group().await;
    caller.launch(&group, "l").await;
    let rid = sandbox.respondents()[0].rid.clone();
    let rsid = rid.to_lowercase();
    let hooks = format!("/accounts/{}/webhooks", sandbox.account_id());
    let hook = json!({ "url": "https://hooks.example/cint", "events": ["session-updated"] });
    let hook = caller.post(&hooks, &hook).await.expect(201).json();
    let newest = sandbox.enter_respondent(&last(&group)).unwrap();
    let history =
        format!("{hooks}/{}/events-history?start_time=2020-01-01T00:00:00.000Z", hook["id"].as_str().unwrap());
    let history = caller.get(&history).await.expect(200).json();
    let events = history["events"].as_array().unwrap().iter().map(|event| &event["payload"]["data"]);
    let event = events.clone().find(|event| event["response_session_id"] == newest.as_str()).unwrap();
    let number = event["respondent_id"].to_string();
    let known = newest.to_lowercase();
    for (entity, given, listed) in [
        ("RSID", &rsid, &rsid),
        ("RESPONDENT_ID", &rsid, &rsid),
        ("RID", &rid, &rsid),
        ("RESPONSE_ID", &rid, &rsid),
        ("RSID", &number, &known),
        ("RESPONDENT_ID", &number, &known),
        // Panels know people who have not been here.
        ("RESPONDENT_ID", &RSID.to_owned(), &RSID.to_owned()),
    ] {
        let group = caller.draft(&sandbox, &project, 100).await;
        let jobs = format!("{group}/recontacts/jobs/upload-respondents-by-file");
        let job = upload(&caller, &format!("{jobs}?entity_type={entity}"), given).await.expect(201).json();
        let status = format!("{jobs}/{}", job["job_id"].as_str().unwrap());
        let done = caller.until(&status, |job| job["status"] != "Processing").await;
        assert_eq!(done["status"], "Completed", "{entity} {given}: {done}");
        let list = caller.get(&format!("{group}/recontacts/rsids")).await.expect(200).json();
        assert_eq!(list["data"], json!([listed]), "{entity} {given}");
    }
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn exclusion_groups_and_policies() {
    let (sandbox, caller, project, group) = group().await;
    let path = format!("{}/exclusion-groups", caller.account);
    let body = json!({ "tag": "wave", "description": "all waves" });
    let made = caller.post(&path, &body).await.expect(201).json();
    let own = format!("{path}/{}", made["exclusion_group_id"].as_str().unwrap());
    let data = json!({ "data": [last(&group)] });
    caller.post(&format!("{own}/target-groups/add"), &data).await.expect(204);
    caller
        .post(&format!("{own}/target-groups/add"), &json!({ "data": ["01JP0M57XAWSMNPSW5M62A035H"] }))
        .await
        .expect(400);
    let members = caller.get(&format!("{own}/target-groups")).await.expect(200).json();
    assert_eq!(members["data"], data["data"]);
    let of = format!("{}/target-groups/{}/exclusion-groups", caller.account, last(&group));
    assert_eq!(caller.get(&of).await.expect(200).json()["data"][0]["tag"], "wave");
    send(caller.request(Method::DELETE, &own)).await.expect(409);
    send(caller.with_body(Method::PUT, &own, &json!({ "tag": "waves", "description": "x" }))).await.expect(204);
    assert_eq!(caller.get(&own).await.expect(200).json()["tag"], "waves");
    caller.post(&format!("{own}/target-groups/remove"), &data).await.expect(204);
    send(caller.request(Method::DELETE, &own)).await.expect(204);
    caller.get(&own).await.expect(404);

    let policy = json!([{ "target_group_id": last(&group), "project_exclusion_enabled": true }]);
    send(caller.with_body(Method::PUT, &format!("{project}/exclusion-policies"), &policy)).await.expect(204);
    let read = caller.get(&format!("{project}/exclusions")).await.expect(200).json();
    assert_eq!(read, policy);
    let listed = caller.get(&format!("{project}/target-groups?exclusion_status=true")).await.expect(200).json();
    assert_eq!(listed["target_groups"][0]["exclusion_enabled"], true);

    let other = caller.draft(&sandbox, &project, 50).await;
    let path = format!("{group}/respondent-activity-exclusions");
    let put = |id: String, duration: &'static str| {
        let body =
            json!({ "respondent_activity_exclusions": [{ "id": id, "type": "target-group", "duration": duration }] });
        let request = caller.with_body(Method::PUT, &path, &body);
        async move { send(request).await }
    };
    put(last(&other), "P2W").await.expect(204);
    let read = caller.get(&path).await.expect(200).json();
    assert_eq!(read["respondent_activity_exclusions"][0]["duration"], "P14D");
    put(last(&group), "P2W").await.expect(400);
    put(last(&other), "P400D").await.expect(400);
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn unique_codes_are_taken_one_by_one() {
    let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
    let caller = Caller::new(&sandbox, MODERN).await;
    let project = caller.project(&sandbox, "p").await;
    let mut body = caller.draft_body(&sandbox, 100).await;
    body["live_url"] = json!("https://survey.example/[%RID%]?code=[%RESPONDENT_UNIQUE_CODE%]");
    let made = caller.post(&format!("{project}/target-groups"), &body).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    let group = format!("{project}/target-groups/{id}");
    let codes = format!("{}/target-groups/{id}/respondent-unique-codes/live", caller.account);
    let upload = json!({ "respondent_unique_codes": ["a-1", "b_2", "a-1"] });
    assert_eq!(caller.post(&codes, &upload).await.expect(200).json()["uploaded_count"], 2);
    caller.post(&codes, &json!({ "respondent_unique_codes": ["no spaces"] })).await.expect(400);
    caller.launch(&group, "l").await;
    assert!(sandbox.enter_respondent(id).is_some());
    assert!(sandbox.respondents()[0].link.ends_with("?code=a-1"), "{:?}", sandbox.respondents());
    let stats = caller.get(&format!("{codes}/stats")).await.expect(200).json();
    assert_eq!(stats, json!({ "total_count": 2, "unconsumed_count": 1 }));
    send(caller.request(Method::DELETE, &format!("{codes}/unconsumed"))).await.expect(204);
    assert!(sandbox.enter_respondent(id).is_none());
    assert_eq!(sandbox.state()["target_groups"][0]["status"], "paused");
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn supply_templates_have_etags_and_one_is_the_default() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let path = format!("{}/allocation-templates", caller.account);
        let body = json!({ "name": "Ours", "supply_allocations": [
            { "type": "exchange", "percentage_min": 0, "percentage_max": 80 },
            { "type": "group", "name": "own", "percentage_min": 20, "percentage_max": 50, "suppliers": [{ "supplier_id": 980 }] },
        ] });
        let place = caller.post_keyed(&path, "01JP0M57XAWSMNPSW5M62A035H", &body).await.expect(201).header("location");
        let own = format!("{path}/{}", last(&place));
        let read = caller.get(&format!("{own}?locale=eng_us")).await.expect(200);
        assert_eq!(read.json()["name"], "Ours");
        let etag = read.header("etag");
        let put = |tag: &str| caller.with_body(Method::PUT, &own, &body).header("if-match", tag);
        send(put("W/\"7\"")).await.expect(412);
        send(put(&etag)).await.expect(204);
        send(put(&etag)).await.expect(412);
        let list = caller.get(&format!("{path}?page_size=1")).await.expect(200).json();
        assert_eq!(
            (list["has_more"].clone(), list["templates"][0]["template_id"].clone()),
            (json!(true), json!(last(&place)))
        );
        let next = list["next_cursor"].as_str().unwrap();
        let rest = caller.get(&format!("{path}?page_size=1&start_after={next}")).await.expect(200).json();
        assert_eq!((rest["has_more"].clone(), rest["next_cursor"].clone()), (json!(false), json!("")));

        let association = format!("{}/allocation-template-association", caller.account);
        let read = caller.get(&association).await.expect(200);
        let body = json!({ "template_id": last(&place) });
        let put = |tag: String| caller.with_body(Method::PUT, &association, &body).header("if-match", tag);
        send(put(read.header("etag"))).await.expect(204);
        send(put(read.header("etag"))).await.expect(412);
        assert_eq!(caller.get(&association).await.expect(200).json(), body);
        send(caller.request(Method::DELETE, &own)).await.expect(400);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn profile_templates_fill_in_what_is_not_said() {
    let (sandbox, caller, project, _) = group().await;
    let path = format!("{}/profiling-templates", caller.account);
    let body = json!({ "name": "Pets", "label": "pets", "description": "d", "locales": ["eng_us"], "profiling": {
        "profile_adjustment_type": "percentage", "profiles": caller.profiles(),
    } });
    let made = caller.post(&path, &body).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    let listed = caller.get(&format!("{path}?scope=account")).await.expect(200).json();
    assert_eq!(listed["templates"].as_array().unwrap().len(), 1);
    let all = caller.get(&format!("{path}?order=asc")).await.expect(200).json();
    assert_eq!(all["templates"][0]["scope"], "global");
    let mut draft = caller.draft_body(&sandbox, 100).await;
    let age = &caller.profiles()[0];
    let mut own = age.clone();
    own["targets"] = json!([{
        "conditions": [{ "object": "range", "question_id": 42, "min": 18, "max": 99 }],
        "quota": { "completes_goal_percentage": 100 },
    }]);
    draft["profiling"] = json!({ "profile_adjustment_type": "percentage", "template_id": id, "profiles": [own] });
    let group = caller.post(&format!("{project}/target-groups"), &draft).await.expect(201).json();
    let group = format!("{project}/target-groups/{}", group["id"].as_str().unwrap());
    let read = caller.get(&group).await.expect(200).json();
    let profiles = read["profiling"]["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), 2, "{read}");
    assert_eq!(profiles[0]["targets"].as_array().unwrap().len(), 1, "what is said wins over the template");
    let mut elsewhere = draft.clone();
    elsewhere["locale"] = json!("eng_gb");
    let refused = caller.post(&format!("{project}/target-groups"), &elsewhere).await;
    assert!((400..=422).contains(&refused.status) && refused.text.contains("040"), "{refused:?}");
    send(caller.request(Method::DELETE, &format!("{path}/{id}"))).await.expect(204);
    assert_own_answers_valid(&sandbox);
}

/// A seed file puts in one group after another, the later ones with an older past.
#[tokio::test]
async fn reports_have_everybody_whenever_the_groups_began() {
    let mut file = "[[project]]\nname = \"p\"\n".to_owned();
    for days in [1, 20] {
        file.push_str(&format!(
            "[[project.target_group]]\nname = \"{days}\"\nlocale = \"eng_us\"\ngoal = 5000\nprice = \"2.80\"\n\
             days_in_field = {days}\n"
        ));
    }
    let now = "2025-06-20T12:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    let scenario = cintx_sandbox::Scenario::lifelike();
    let sandbox = Sandbox::builder().standing_clock(now).scenario(scenario).start().await.unwrap();
    let control = sandbox.control_url();
    send(common::client().post(format!("{control}/seed")).body(file)).await.expect(200);
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let path = format!("{}/reports", caller.account);
    let body = json!({ "start_date": "2025-06-02", "end_date": "2025-06-04", "filter_ids": [] });
    let made = caller.post(&format!("{path}/completes"), &body).await.expect(202).json();
    sandbox.advance(std::time::Duration::from_secs(10));
    let report = format!("{path}/{}/download", made["report_id"].as_str().unwrap());
    let file = caller.get(&report).await.expect(200);
    let state = sandbox.state();
    let mut wanted: Vec<(&str, &str)> = state["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["standing"] == "complete")
        .map(|one| (one["entered_at"].as_str().unwrap(), one["rid"].as_str().unwrap()))
        .filter(|(at, _)| ("2025-06-02T05:00:00.000Z".."2025-06-05T05:00:00.000Z").contains(at))
        .collect();
    wanted.sort_unstable();
    let rids: Vec<&str> = file.text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert!(rids.len() > 20, "{}", file.text);
    assert_eq!(rids, wanted.into_iter().map(|(_, rid)| rid).collect::<Vec<_>>());
}

#[tokio::test]
async fn reports_are_written_from_the_field() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let group = caller.draft(&sandbox, &project, 100).await;
        caller.launch(&group, "l").await;
        let path = format!("{}/reports", caller.account);
        let today = jiff::tz::Offset::constant(-6).to_datetime(jiff::Timestamp::now()).date();
        let day = |back: i64| today.checked_sub(jiff::Span::new().days(back)).unwrap().to_string();
        let ask = |filter: Value, ids: Value, from: i64| {
            let mut body = json!({ "start_date": day(from), "end_date": day(0), "filter_ids": ids });
            if !filter.is_null() {
                body["filter"] = filter;
            }
            body
        };
        let authorized = |request: reqwest::RequestBuilder| request;
        let post =
            |kind: &str, body: Value| authorized(caller.with_body(Method::POST, &format!("{path}/{kind}"), &body));
        let filter = if caller.is_legacy() { "Project" } else { "project" };
        let body = ask(json!(filter), json!([last(&project)]), 5);
        let made = send(post("completes", body.clone())).await.expect(202).json();
        let id = made["report_id"].as_str().unwrap().to_owned();
        let status = format!("{path}/{id}/status");
        let done =
            caller.until(&status, |one| one["status"].as_str().unwrap().to_lowercase().starts_with("completed")).await;
        let word = if caller.is_legacy() { "COMPLETED" } else { "completed" };
        assert_eq!(done["status"], word);
        let listed = caller.get(&format!("{path}?report_type=completes")).await.expect(200).json();
        assert_eq!(listed["reports_requests"][0]["report_id"], id);
        assert_eq!(listed["reports_requests"][0]["status"], "completed");
        let url = listed["reports_requests"][0]["report_url"].as_str().unwrap().to_owned();
        let file = caller.get(url.strip_prefix("/v1").unwrap()).await.expect(200);
        assert_eq!(file.header("content-type"), "text/csv");
        assert!(file.header("content-disposition").ends_with(".csv\""), "{file:?}");
        let heads: Vec<&str> = file.text.lines().next().unwrap().split(',').collect();
        let cost = heads.iter().position(|name| *name == "cost").unwrap();
        assert!(file.text.lines().skip(1).all(|line| line.split(',').nth(cost) == Some("2.7352")), "{}", file.text);
        let completes = sandbox.respondents().iter().filter(|one| one.is_complete()).count();
        assert!(completes > 0);
        // More may have come since it was written.
        let lines = file.text.lines().count() - 1;
        assert!((1..=completes).contains(&lines), "{lines} {completes}");
        // What it is about must be said from 2025-12-18 on.
        let about = if caller.is_legacy() { "" } else { "?report_type=completes" };
        caller.get(&format!("{path}/{id}/share{about}")).await.expect(200);

        send(post("term-details", body)).await.expect(400);
        send(post("completes", ask(Value::Null, json!([]), 200))).await.expect(400);
        send(post("completes", ask(Value::Null, json!([]), 500))).await.expect(400);
        if !caller.is_legacy() {
            let body = ask(json!("target_group"), json!([last(&group)]), 1);
            let made = send(post("term-details", body)).await.expect(202).json();
            let own = format!("{path}/{}", made["report_id"].as_str().unwrap());
            caller.get(&format!("{own}/download")).await.expect(404);
            caller.until(&format!("{own}/status"), |one| one["status"] == "completed").await;
            let file = caller.get(&format!("{own}/download")).await.expect(200);
            let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            assert_eq!(file.header("content-type"), media);
            let name = format!("attachment; filename=\"term-details-{}-{}.xlsx\"", day(1), day(0));
            assert_eq!(file.header("content-disposition"), name);
            assert!(file.text.starts_with("PK"), "an archive, as spreadsheets are");
        }
        assert_own_answers_valid(&sandbox);
    }
}

/// Ten minutes at 50 % stand in the third row and the sixth column.
#[tokio::test]
async fn completes_cost_what_the_rate_card_shows() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let groups = format!("{project}/target-groups");
    let mut body = caller.draft_body(&sandbox, 100).await;
    body.as_object_mut().unwrap().remove("cost_per_interview");
    let refused = caller.post(&groups, &body).await.expect(400).json();
    assert_eq!(refused["invalid_params"][0]["name"], "cost_per_interview", "{refused}");
    let mut seen = Vec::new();
    for (unit, currency) in [("3849", "GBP"), ("3850", "EUR")] {
        body["business_unit_id"] = json!(unit);
        let made = caller.post(&groups, &body).await.expect(201).json();
        let group = format!("{groups}/{}", made["id"].as_str().unwrap());
        let card = caller.get(&format!("{group}/rate-card")).await.expect(200).json();
        let cell = |card: &Value, row: usize, column: usize| {
            assert_eq!(card["pricing_table_currency_code"], currency, "{card}");
            let cell = card["pricing_table_data"][row][column].as_u64().unwrap();
            format!("{}.{:02}", cell / 100, cell % 100)
        };
        let wanted = cell(&card["predicted_rate_card"], 2, 5);
        let whole = format!("{}/business-units/{unit}/rate-card?country_code=US", caller.account);
        assert_eq!(cell(&caller.get(&whole).await.expect(200).json()["rate_card_data"], 2, 5), wanted);
        caller.launch(&group, unit).await;
        let overview = caller.get(&format!("{group}/overview")).await.expect(200).json();
        assert_eq!(overview["current_cost_per_interview"]["value"], wanted.as_str(), "{overview}");
        assert_eq!(overview["current_cost_per_interview"]["currency_code"], currency, "{overview}");
        let state = sandbox.state();
        let costs: Vec<&str> = state["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["standing"] == "complete" && one["target_group_id"] == last(&group))
            .map(|one| one["cost"].as_str().unwrap())
            .collect();
        assert!(!costs.is_empty() && costs.iter().all(|cost| *cost == wanted), "{wanted} {costs:?}");
        seen.push(wanted);
    }
    assert_ne!(seen[0], seen[1], "each in its own currency");
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn the_library_clients_and_the_numbers_of_a_group() {
    let (sandbox, caller, project, group) = group().await;
    let path = format!("{}/questions-translation?locale=eng_us&translation_language=ger", caller.account);
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = caller.get(&format!("{path}&page_size=4{next}")).await.expect(200).json();
        found.extend(page["profiles"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        assert_eq!(page["total"], 10);
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&start_after={cursor}"),
            None => break,
        }
    }
    assert_eq!(found.len(), 10);
    let gender = caller.get(&format!("{path}&id=43")).await.expect(200).json();
    assert_eq!(gender["profiles"][0]["targets"][0]["text_translated"], "Männlich");
    let own = caller.get(&format!("{path}&only_custom_quals=true")).await.expect(200).json();
    assert_eq!(own["profiles"][0]["name"], "OWN_SEGMENT");

    let clients = format!("/accounts/{}/clients", sandbox.account_id());
    let mut count = 0;
    for number in 0.. {
        let page = caller.get(&format!("{clients}?page_number={number}&page_size=10")).await.expect(200).json();
        let page = page["clients"].as_array().unwrap().len();
        count += page;
        if page < 10 {
            break;
        }
    }
    assert_eq!(count, 23);

    let draft = caller.get(&format!("{group}/rate-card")).await.expect(200).json();
    assert!(draft.get("predicted_rate_card").is_some());
    caller.launch(&group, "l").await;
    let bound = caller.get(&format!("{group}/rate-card")).await.expect(200).json();
    assert!(bound.get("bound_rate_card").is_some());
    let performance = caller.get(&format!("{group}/performance")).await.expect(200).json();
    let completes = performance["completes"].as_u64().unwrap();
    assert!(completes > 0 && performance["completes_cost"]["value"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
    let time = caller.get(&format!("{group}/completes-aggregated-by-interval?aggregation_interval=PT6H")).await;
    let sum: u64 = time.expect(200).json()["aggregated_completes_intervals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["count"].as_u64().unwrap())
        .sum();
    assert!(sum >= completes);
    caller.get(&format!("{project}/target-groups?name=pet")).await.expect(200);
    assert_own_answers_valid(&sandbox);
}
