//! A small client for the tests: plain reqwest, nothing of the SDK.
//! Each test file uses a part of it.
#![allow(dead_code)]

use cintx_sandbox::Sandbox;
use cintx_sandbox::contract::Contract;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// A client of one version.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) http: Client,
    pub(crate) api: String,
    pub(crate) account: String,
    pub(crate) version: &'static str,
    pub(crate) token: String,
}

pub(crate) const VERSIONS: [&str; 3] = ["2024-12-02", "2025-02-17", "2025-12-18"];

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

pub(crate) fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

pub(crate) fn token_body(sandbox: &Sandbox) -> Value {
    json!({
        "client_id": sandbox.client_id(),
        "client_secret": sandbox.client_secret(),
        "grant_type": "client_credentials",
        "audience": "https://api.luc.id",
        "auth_scopes": "app:api",
    })
}

pub(crate) fn post_json(http: &Client, url: &str, body: &Value) -> RequestBuilder {
    http.post(url).header("content-type", "application/json").body(body.to_string())
}

impl Caller {
    pub(crate) async fn new(sandbox: &Sandbox, version: &'static str) -> Self {
        let http = client();
        let reply = send(post_json(&http, &sandbox.token_url(), &token_body(sandbox))).await.expect(200);
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        Self {
            http,
            api: sandbox.api_url(),
            account: format!("/demand/accounts/{}", sandbox.account_id()),
            version,
            token,
        }
    }

    pub(crate) fn is_legacy(&self) -> bool {
        self.version < "2025-12-18"
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.api))
            .header("authorization", format!("Bearer {}", self.token))
            .header("cint-api-version", self.version)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) fn with_body(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        self.request(method, path).header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        send(self.with_body(Method::POST, path, body)).await
    }

    pub(crate) async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Reply {
        send(self.with_body(Method::POST, path, body).header("idempotency-key", key)).await
    }

    pub(crate) async fn act(&self, path: &str, etag: &str) -> Reply {
        send(self.request(Method::POST, path).header("if-match", etag).header("content-length", "0")).await
    }

    /// A new project; its path.
    pub(crate) async fn project(&self, sandbox: &Sandbox, key: &str) -> String {
        let body = json!({ "name": "MyDrinksSurveyQ1", "project_manager_id": sandbox.project_manager_id() });
        let reply = self.post_keyed(&format!("{}/projects", self.account), key, &body).await.expect(202);
        assert!(reply.header("etag").starts_with("W/\""));
        format!("{}/projects/{}", self.account, reply.json()["id"].as_str().unwrap())
    }

    /// The age bands and genders of the study, in the version's words.
    pub(crate) fn profiles(&self) -> Value {
        if self.is_legacy() {
            json!([
                {
                    "question_id": 42, "name": "AGE", "quotas_enabled": true,
                    "conditions": { "object": "range_conditions_details", "data": [
                        { "text": "18-34", "min": 18, "max": 34 },
                        { "text": "35-54", "min": 35, "max": 54 },
                        { "text": "55-99", "min": 55, "max": 99 },
                    ] },
                    "quotas": { "grouped": [], "ungrouped": [
                        { "index": 0, "quota_percentage": 40, "quota_nominal": 0 },
                        { "index": 1, "quota_percentage": 35, "quota_nominal": 0 },
                        { "index": 2, "quota_percentage": 25, "quota_nominal": 0 },
                    ] },
                },
                {
                    "question_id": 43, "name": "GENDER", "quotas_enabled": true,
                    "conditions": { "object": "selection_conditions_details", "data": [
                        { "text": "Male", "option": "1" }, { "text": "Female", "option": "2" },
                    ] },
                    "quotas": { "grouped": [], "ungrouped": [
                        { "index": 0, "quota_percentage": 49, "quota_nominal": 0 },
                        { "index": 1, "quota_percentage": 51, "quota_nominal": 0 },
                    ] },
                },
            ])
        } else {
            let range = |min: i64, max: i64, part: i64| {
                json!({
                    "conditions": [{ "object": "range", "question_id": 42, "min": min, "max": max }],
                    "quota": { "completes_goal_percentage": part },
                })
            };
            let option = |option: &str, part: i64| {
                json!({
                    "conditions": [{ "object": "selection", "question_id": 43, "option": option }],
                    "quota": { "completes_goal_percentage": part },
                })
            };
            json!([
                { "object": "regular", "quotas_enabled": true,
                  "targets": [range(18, 34, 40), range(35, 54, 35), range(55, 99, 25)] },
                { "object": "regular", "quotas_enabled": true, "targets": [option("1", 49), option("2", 51)] },
            ])
        }
    }

    /// The crossed profiles, from the helper.
    pub(crate) async fn interlock(&self, goal: u64) -> Value {
        let (start, end) = field();
        if self.is_legacy() {
            let body = json!({
                "locale": "eng_us", "target_group_filling_goal": goal, "profile_adjustment_type": "percentage",
                "start_at": start, "end_at": end, "collects_pii": false, "profiles": self.profiles(),
            });
            let path = format!("/demand/v2/accounts/{}/drafts/generate-interlocked-profile", self.account_id());
            self.post_keyed(&path, &format!("interlock-{start}"), &body).await.expect(201).json()
        } else {
            let body = json!({
                "locale": "eng_us", "completes_goal": goal, "start_at": start, "end_at": end, "collects_pii": false,
                "profiling": { "profile_adjustment_type": "percentage", "profiles": self.profiles() },
            });
            self.post(&format!("{}/drafts/generate-blended-profile", self.account), &body).await.expect(201).json()
        }
    }

    fn account_id(&self) -> &str {
        self.account.rsplit('/').next().unwrap()
    }

    /// A draft target group with an interlock of age and gender.
    pub(crate) async fn draft_body(&self, sandbox: &Sandbox, goal: u64) -> Value {
        let interlock = self.interlock(goal).await;
        let (start, end) = field();
        let price = if self.version == "2024-12-02" {
            json!({ "amount": "2.7352", "code": "USD" })
        } else {
            json!({ "value": "2.7352", "currency_code": "USD" })
        };
        let mut body = json!({
            "name": "US pet owners",
            "business_unit_id": sandbox.business_unit_id().to_string(),
            "project_manager_id": sandbox.project_manager_id(),
            "locale": "eng_us",
            "collects_pii": false,
            "fielding_specification": { "start_at": start, "end_at": end },
            "expected_length_of_interview_minutes": 10,
            "expected_incidence_rate": 0.5,
            "cost_per_interview": price,
            "live_url": "https://survey.example/?RID=[%RID%]",
            "test_url": "https://survey.example/?RID=[%RID%]&test=1",
            "fielding_assistant_assignment": {},
        });
        let map = body.as_object_mut().unwrap();
        if self.is_legacy() {
            let interlocked: Vec<Value> = interlock.as_array().unwrap().iter().map(as_request).collect();
            map.insert("filling_goal".into(), json!(goal));
            map.insert(
                "profile".into(),
                json!({ "profile_adjustment_type": "percentage", "drafts": [], "interlocked_profiles": interlocked }),
            );
        } else {
            let targets: Vec<Value> = interlock["targets"]
                .as_array()
                .unwrap()
                .iter()
                .map(|target| {
                    json!({
                        "name": target["name"],
                        "conditions": target["conditions"],
                        "quota": { "completes_goal_percentage": target["quota"]["completes_goal_percentage"] },
                    })
                })
                .collect();
            map.insert("completes_goal".into(), json!(goal));
            map.insert(
                "profiling".into(),
                json!({ "profile_adjustment_type": "percentage", "profiles": [{
                    "object": "blended", "name": interlock["name"], "quotas_enabled": true, "targets": targets,
                }] }),
            );
            map.insert(
                "allocations".into(),
                json!({ "open_exchange_allocations": {
                    "blocked_supplier_ids": [], "exchange_min_percentage": 0, "exchange_max_percentage": 0,
                    "groups": [{ "group_name": "Test supplier only", "min_percentage": 0, "max_percentage": 100,
                                 "suppliers": ["980"] }],
                } }),
            );
        }
        body
    }

    /// Creates a draft; its path.
    pub(crate) async fn draft(&self, sandbox: &Sandbox, project: &str, goal: u64) -> String {
        let body = self.draft_body(sandbox, goal).await;
        let reply = self.post(&format!("{project}/target-groups"), &body).await.expect(201);
        format!("{project}/target-groups/{}", reply.json()["id"].as_str().unwrap())
    }

    /// Launches a draft and waits; the run's path.
    pub(crate) async fn launch(&self, group: &str, key: &str) -> String {
        let jobs = format!("{group}/fielding-run-jobs/launch-from-draft");
        let reply = self.post_keyed(&jobs, key, &json!({ "end_fielding_at": field().1 })).await.expect(201);
        let location = reply.header("location");
        let job = location.rsplit('/').next().unwrap();
        let done = self.until(&format!("{jobs}/{job}"), |job| job["status"] != "Processing").await;
        assert_eq!(done["status"], "Completed", "{done}");
        let name = if self.version == "2024-12-02" { "fielding_run_id" } else { "created_fielding_run_id" };
        format!("{group}/fielding-runs/{}", done[name].as_str().unwrap_or_else(|| panic!("{done}")))
    }

    /// Reads until a condition holds.
    pub(crate) async fn until(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..200 {
            let body = self.get(path).await.expect(200).json();
            if done(&body) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} never came to it");
    }
}

/// Helpers' answers carry more than drafts may send back.
fn as_request(interlock: &Value) -> Value {
    let cells: Vec<Value> = interlock["quotas"]["ungrouped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| {
            json!({
                "id": cell["id"],
                "condition": { "id": cell["condition"]["id"], "option": cell["condition"]["option"] },
                "quota_percentage": cell["quota_percentage"],
            })
        })
        .collect();
    json!({
        "id": interlock["id"],
        "name": interlock["name"],
        "quotas_enabled": true,
        "depends_on_questions": interlock["depends_on_questions"],
        "quotas": { "ungrouped": cells },
        "profiles": interlock["profiles"],
    })
}

/// A time in field that lies ahead.
pub(crate) fn field() -> (String, String) {
    let now = jiff::Timestamp::now();
    let at = |hours: i64| format!("{:.3}", now + jiff::SignedDuration::from_hours(hours));
    (at(2), at(7 * 24))
}

/// Every answer the sandbox gave was held against the documents.
#[track_caller]
pub(crate) fn assert_own_answers_valid(sandbox: &Sandbox) {
    for request in sandbox.requests() {
        assert!(request.answer_violations.is_empty(), "{request:#?}");
    }
}

pub(crate) fn contract(version: &str) -> &'static Contract {
    Contract::for_version(version).unwrap()
}
