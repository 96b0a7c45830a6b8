//! A small integration as people write it: plain HTTP, one study from the
//! project to the bill. Clean, unless a bug is planted.

use crate::bug::Bug;
use crate::common::{Caller, client, field, send, token_body};
use cintx_sandbox::Sandbox;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;

/// What goes wrong with a step: a status and what was said, or nothing if the
/// reply was lost.
pub(crate) type Trouble = Option<(u16, String)>;

/// An answer as the pipeline sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }
}

/// The outcome of an interview, as the pipeline's survey tool tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete,
    Terminate,
    OverQuota,
    Security,
}

pub(crate) struct Pipeline<'s> {
    sandbox: &'s Sandbox,
    caller: Caller,
    bug: Option<Bug>,
    token: Mutex<Option<String>>,
    keys: Mutex<u32>,
}

impl<'s> Pipeline<'s> {
    pub(crate) async fn new(sandbox: &'s Sandbox, bug: Option<Bug>) -> Self {
        let caller = Caller::new(sandbox, "2025-12-18").await;
        let token = Mutex::new(Some(caller.token.clone()));
        Self { sandbox, caller, bug, token, keys: Mutex::new(0) }
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    pub(crate) fn account(&self) -> &str {
        &self.caller.account
    }

    fn key(&self) -> String {
        let mut keys = self.keys.lock().unwrap();
        *keys += 1;
        format!("pipeline-{keys}")
    }

    async fn token(&self) -> String {
        let known = self.token.lock().unwrap().clone();
        match known {
            Some(token) if !self.has(Bug::TokenPerCall) => token,
            _ => {
                let request =
                    crate::common::post_json(&self.caller.http, &self.sandbox.token_url(), &token_body(self.sandbox));
                let token = send(request).await.expect(200).json()["access_token"].as_str().unwrap().to_owned();
                *self.token.lock().unwrap() = Some(token.clone());
                token
            }
        }
    }

    /// One call; renews the token once and waits out a 429.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        dress: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Seen, Trouble> {
        let mut renewed = false;
        for _ in 0..20 {
            let url = format!("{}{path}", self.caller.api);
            let http = if self.has(Bug::FollowsRedirect) {
                reqwest::Client::builder().no_proxy().build().unwrap()
            } else {
                self.caller.http.clone()
            };
            let mut request = http.request(method.clone(), url).bearer_auth(self.token().await);
            let forgets = self.has(Bug::MissingVersion) && path.ends_with("/details");
            if !forgets {
                request = request.header("cint-api-version", self.caller.version);
            }
            let response = dress(request).send().await.map_err(|_| None)?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let text = response.text().await.map_err(|_| None)?;
            if status == 429 {
                if !self.has(Bug::RetryStorm) {
                    let wait = headers["retry-after"].to_str().unwrap().parse().unwrap();
                    tokio::time::sleep(Duration::from_secs(wait)).await;
                }
                continue;
            }
            if self.has(Bug::ZeroIsExhausted) && headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0") {
                return Err(Some((429, "no requests left, it seems".into())));
            }
            if status == 403 && !renewed && !self.has(Bug::NoRefresh) {
                renewed = true;
                *self.token.lock().unwrap() = None;
                continue;
            }
            if status >= 400 {
                return Err(Some((status, text)));
            }
            let body = serde_json::from_str(&text).unwrap_or(Value::Null);
            return Ok(Seen { status, headers, body });
        }
        Err(Some((429, "still too many".into())))
    }

    async fn get(&self, path: &str) -> Result<Seen, Trouble> {
        self.call(Method::GET, path, |request| request).await
    }

    async fn write(&self, method: Method, path: &str, body: &Value, extra: &[(&str, String)]) -> Result<Seen, Trouble> {
        self.call(method, path, |mut request| {
            for (name, value) in extra {
                request = request.header(*name, value);
            }
            request.header("content-type", "application/json").body(body.to_string())
        })
        .await
    }

    /// A project, also when the first reply is lost; its path.
    pub(crate) async fn project(&self, name: &str) -> Result<String, Trouble> {
        let path = format!("{}/projects", self.account());
        let body = json!({
            "name": name,
            "project_manager_id": self.sandbox.project_manager_id(),
            "project_customer_reference_number": "PO 1001",
        });
        let mut key = self.key();
        for _ in 0..3 {
            let keys = if self.has(Bug::MissingKey) { Vec::new() } else { vec![("idempotency-key", key.clone())] };
            match self.write(Method::POST, &path, &body, &keys).await {
                Ok(seen) => return Ok(format!("{path}/{}", seen.text("id"))),
                Err(None) if self.has(Bug::FreshKeyOnRetry) => key = self.key(),
                Err(None) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Err(None)
    }

    pub(crate) async fn rename(&self, project: &str, name: &str) -> Result<(), Trouble> {
        let read = self.get(project).await?;
        let reference = if self.has(Bug::ForgottenReference) {
            Value::Null
        } else {
            read.body["project_customer_reference_number"].clone()
        };
        let body = json!({
            "name": name,
            "project_manager_id": read.body["project_manager_id"],
            "project_customer_reference_number": reference,
        });
        let extra = [("if-match", read.header("etag")), ("idempotency-key", self.key())];
        self.write(Method::PUT, project, &body, &extra).await.map(drop)
    }

    /// A draft, also when the first reply is lost; its path. The API gives
    /// target groups no key, so a lost one is looked for by its reference.
    pub(crate) async fn draft(&self, project: &str, reference: &str, sum: i64) -> Result<String, Trouble> {
        let mut body = self.caller.draft_body(self.sandbox, 60).await;
        body["target_group_customer_reference_number"] = json!(reference);
        if sum != 100 {
            let part = |min: i64, max: i64, part: i64| {
                json!({
                    "conditions": [{ "object": "range", "question_id": 42, "min": min, "max": max }],
                    "quota": { "completes_goal_percentage": part },
                })
            };
            let targets = json!([part(18, 40, 50), part(41, 90, sum - 50)]);
            body["profiling"]["profiles"] =
                json!([{ "object": "regular", "quotas_enabled": true, "targets": targets }]);
        }
        if self.has(Bug::FloatPrice) {
            body["cost_per_interview"]["value"] = json!(2.7352);
        }
        let path = format!("{project}/target-groups");
        for _ in 0..3 {
            match self.write(Method::POST, &path, &body, &[]).await {
                Ok(seen) => return Ok(format!("{path}/{}", seen.text("id"))),
                Err(None) if self.has(Bug::BlindRecreate) => {}
                Err(None) => {
                    let query = format!("{path}?target_group_customer_reference_numbers={reference}");
                    let found = self.get(&query).await?;
                    if let Some(id) = found.body["target_groups"][0]["id"].as_str() {
                        return Ok(format!("{path}/{id}"));
                    }
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Err(None)
    }

    /// Launches a draft and says whether it is live; its run's path.
    pub(crate) async fn launch(&self, group: &str) -> Result<String, Trouble> {
        let jobs = format!("{group}/fielding-run-jobs/launch-from-draft");
        let body = json!({ "end_fielding_at": field().1 });
        let mut key = self.key();
        let seen = loop {
            match self.write(Method::POST, &jobs, &body, &[("idempotency-key", key.clone())]).await {
                Ok(seen) => break seen,
                Err(None) if self.has(Bug::DoubleLaunch) => key = self.key(),
                Err(None) => {}
                Err(trouble) => return Err(trouble),
            }
        };
        if self.has(Bug::CreatedIsLive) {
            return Ok(String::new());
        }
        let place = seen.header("location");
        let job = format!("{jobs}/{}", place.rsplit('/').next().unwrap());
        for _ in 0..200 {
            let seen = self.get(&job).await?;
            match seen.text("status").as_str() {
                "Completed" => return Ok(format!("{group}/fielding-runs/{}", seen.text("created_fielding_run_id"))),
                "Failed" if self.has(Bug::FailedIsDone) => return Ok(String::new()),
                "Failed" => return Err(Some((0, seen.body["failure_reason"].to_string()))),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        Err(None)
    }

    /// Pauses a run and takes it up again.
    pub(crate) async fn pause_for_a_while(&self, run: &str) -> Result<(), Trouble> {
        let mut etag = self.get(run).await?.header("etag");
        for action in ["pause", "resume"] {
            let path = format!("{run}/{action}");
            let dress = |request: RequestBuilder| request.header("if-match", &etag).header("content-length", "0");
            let next = self.call(Method::POST, &path, dress).await?.header("etag");
            if !self.has(Bug::StaleEtag) {
                etag = next;
            }
        }
        Ok(())
    }

    /// The goal of a group, and whether it is still a draft.
    pub(crate) async fn goal(&self, group: &str) -> Result<(i64, bool), Trouble> {
        let draft = self.get(group).await?;
        let goal = |seen: &Seen| seen.body["completes_goal"].as_i64().unwrap_or(0);
        if draft.status == 301 {
            Ok((goal(&self.get(&format!("{group}/details")).await?), false))
        } else {
            Ok((goal(&draft), true))
        }
    }

    /// All items of a list, by its cursor.
    pub(crate) async fn all(&self, path: &str, name: &str) -> Result<Vec<Value>, Trouble> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}?page_size=3{cursor}")).await?;
            let own = page.body[name].as_array().cloned().unwrap_or_default();
            let short = own.len() < 3;
            items.extend(own);
            match page.body["next_cursor"].as_str().filter(|next| !next.is_empty()) {
                Some(next) => cursor = format!("&start_after={next}"),
                None => return Ok(items),
            }
            if self.has(Bug::LostPage) || (self.has(Bug::ShortPage) && short) {
                return Ok(items);
            }
        }
    }

    fn s2s(&self, request: RequestBuilder) -> RequestBuilder {
        let key = self.sandbox.s2s_key();
        request.header("authorization", if self.has(Bug::BearerKey) { format!("Bearer {key}") } else { key })
    }

    /// Looks a respondent up; whether to let them in.
    pub(crate) async fn admits(&self, rid: &str) -> bool {
        let url = format!("{}/fulfillment/respondents/{rid}", self.sandbox.s2s_url());
        let reply = send(self.s2s(client().get(url))).await;
        self.has(Bug::LetsAnyoneIn) || (reply.status == 200 && reply.json()["status"] == 1)
    }

    /// Reports an outcome; `back` is called when the respondent is sent back.
    pub(crate) async fn finish(&self, rid: &str, outcome: Outcome, back: impl Fn(&str)) {
        let status = match outcome {
            Outcome::Complete => 5,
            Outcome::Terminate => 2,
            Outcome::OverQuota if self.has(Bug::CrossedCodes) => 4,
            Outcome::Security if self.has(Bug::CrossedCodes) => 3,
            Outcome::OverQuota => 3,
            Outcome::Security => 4,
        };
        if self.has(Bug::EarlyRedirect) {
            back(rid);
        }
        let url = format!("{}/fulfillment/respondents/transition", self.sandbox.s2s_url());
        let body = json!({ "id": rid, "status": status });
        let request = || self.s2s(crate::common::post_json(&client(), &url, &body));
        let mut reply = request().send().await;
        if reply.is_err() && self.has(Bug::TransitionTwice) {
            reply = request().send().await;
        }
        let accepted = reply.is_ok_and(|reply| reply.status().as_u16() == 200);
        if accepted && !self.has(Bug::EarlyRedirect) {
            back(rid);
        }
    }

    /// Turns completes back, those whose time is not over. `now` is the
    /// pipeline's own clock, `completes` are RIDs with the moment they ended.
    pub(crate) async fn turn_back(
        &self,
        project: &str,
        completes: &[(String, jiff::Timestamp)],
        now: jiff::Timestamp,
    ) -> Result<Value, Trouble> {
        let open = |ended: &jiff::Timestamp| {
            // To the 25th of the month after, which is 26 to 56 days ahead.
            self.has(Bug::PastDeadline) || ended.duration_until(now) < jiff::SignedDuration::from_hours(24 * 25)
        };
        let rids: Vec<&String> = completes.iter().filter(|(_, ended)| open(ended)).map(|(rid, _)| rid).collect();
        if rids.is_empty() {
            return Ok(Value::Null);
        }
        let (path, lines) = if self.has(Bug::KeepsTheWrongOnes) {
            let lines: String = rids.iter().map(|rid| format!("{rid}\n")).collect();
            (format!("{project}/reconciliations/completes"), lines)
        } else {
            let lines: String = rids.iter().map(|rid| format!("{rid},933\n")).collect();
            (format!("{}/reconciliations", self.account()), lines)
        };
        let dress = |request: RequestBuilder| request.header("content-type", "text/csv").body(lines.clone());
        let seen = self.call(Method::POST, &format!("{path}?name=back.csv"), dress).await?;
        let place = format!("{}/reconciliations/{}", self.account(), seen.text("request_id"));
        for _ in 0..200 {
            let state = self.get(&place).await?;
            if state.text("status") == "complete" {
                return Ok(state.body);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(None)
    }

    /// Subscribes to what respondents do; the secret.
    pub(crate) async fn subscribe(&self, url: &str) -> Result<String, Trouble> {
        let path = format!("/accounts/{}/webhooks", self.sandbox.account_id());
        let body = json!({ "url": url, "events": ["session-updated"] });
        Ok(self.write(Method::POST, &path, &body, &[]).await?.text("secret"))
    }
}
