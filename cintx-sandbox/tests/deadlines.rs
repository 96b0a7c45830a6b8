//! Until when completes can be reconciled: the 25th of the month after them,
//! in the time of the central United States, which has daylight saving.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, assert_own_answers_valid, send};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// A launched target group, and a sandbox to move through next year's summer.
struct Summer {
    sandbox: Sandbox,
    caller: Caller,
    group: String,
    year: i16,
}

impl Summer {
    async fn begin() -> Self {
        let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
        let caller = Caller::new(&sandbox, "2025-12-18").await;
        let project = caller.project(&sandbox, "p").await;
        let group = caller.draft(&sandbox, &project, 100).await;
        let end = json!({ "end_fielding_at": "2199-01-01T00:00:00.000Z" });
        caller.post_keyed(&format!("{group}/fielding-run-jobs/launch-from-draft"), "l", &end).await.expect(201);
        let group = group.rsplit('/').next().unwrap().to_owned();
        let year = jiff::tz::Offset::UTC.to_datetime(sandbox.now()).year() + 1;
        Self { sandbox, caller, group, year }
    }

    /// Goes on to a moment of that summer, in UTC.
    fn go_to(&self, moment: &str) {
        let moment: Timestamp = format!("{}-{moment}Z", self.year).parse().unwrap();
        let by = self.sandbox.now().duration_until(moment);
        self.sandbox.advance(by.try_into().expect("a moment that is still ahead"));
    }

    /// Somebody comes and completes.
    async fn complete(&self) -> String {
        let rid = self.sandbox.enter_respondent(&self.group).unwrap();
        let url = format!("{}/fulfillment/respondents/transition", self.sandbox.s2s_url());
        let body = json!({ "id": rid, "status": 5 });
        let request = common::post_json(&self.caller.http, &url, &body);
        send(request.header("authorization", self.sandbox.s2s_key())).await.expect(200);
        rid
    }

    /// The completes that a list names, and what they cost.
    async fn eligible(&self, query: &str) -> (String, String) {
        let path = format!("{}/reconciliations/eligible-target-groups?{query}", self.caller.account);
        let list = self.caller.get(&path).await.expect(200).json();
        let groups = list["target_groups"].as_array().unwrap();
        let sum = |name: &str| groups.first().map_or("0".into(), |group| text(&group[name]));
        assert_eq!(text(&list["summary"]["completes"]), sum("eligible_completes"), "{list}");
        assert_eq!(text(&list["summary"]["target_group_count"]), groups.len().to_string(), "{list}");
        let amount = groups.first().map_or(String::new(), |group| text(&group["monetary_amount"]["value"]));
        (sum("eligible_completes"), amount)
    }

    /// How many groups the oldest version lists for a month of this year.
    async fn with_sessions_in(&self, month: &str) -> usize {
        let caller = Caller { version: "2024-12-02", ..self.caller.clone() };
        let path = format!("{}/reconciliations/eligible-target-groups", caller.account);
        let list = caller.get(&format!("{path}?session_month={}-{month}", self.year)).await.expect(200).json();
        list["target_groups"].as_array().unwrap().len()
    }

    /// Turns a complete back; the counts of what became of it.
    async fn turn_back(&self, rid: &str) -> Value {
        let path = format!("{}/reconciliations?name=june", self.caller.account);
        let request = self.caller.request(Method::POST, &path).header("content-type", "text/csv");
        let reply = send(request.body(format!("{rid},933\n"))).await.expect(202).json();
        let path = format!("{}/reconciliations/{}", self.caller.account, reply["request_id"].as_str().unwrap());
        self.caller.until(&path, |state| state["status"] == "complete").await
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn pair(count: &str, cost: &str) -> (String, String) {
    (count.into(), cost.into())
}

#[tokio::test]
async fn completes_are_listed_in_the_month_in_which_they_are_due() {
    let summer = Summer::begin().await;
    summer.go_to("06-20T12:00:00");
    summer.complete().await;
    // Ten in the evening of the last of June there.
    summer.go_to("07-01T03:00:00");
    let june = summer.complete().await;
    assert_eq!(summer.eligible("").await, pair("0", ""), "what May has left");
    assert_eq!(summer.eligible("due_month=next_month").await, pair("2", "5.47"));
    // Half past midnight with daylight saving, half past eleven without.
    summer.go_to("07-01T05:30:00");
    summer.complete().await;
    assert_eq!(summer.eligible("").await, pair("2", "5.47"));
    assert_eq!(summer.eligible("due_month=current_month").await, pair("2", "5.47"));
    assert_eq!(summer.eligible("due_month=next_month").await, pair("1", "2.74"));
    for (month, groups) in [("05", 0), ("06", 1), ("07", 1)] {
        assert_eq!(summer.with_sessions_in(month).await, groups, "{month}");
    }
    let oldest = Caller { version: "2024-12-02", ..summer.caller.clone() };
    let unread = format!("{}/reconciliations/eligible-target-groups?session_month=June", oldest.account);
    assert!(oldest.get(&unread).await.expect(400).text.contains("session_month"));
    let done = summer.turn_back(&june).await;
    assert_eq!(done["negative_reversed_count"], 1, "{done}");
    assert_eq!(summer.eligible("").await, pair("1", "2.74"));
    summer.go_to("07-26T04:59:00");
    assert_eq!(summer.eligible("").await.0, "1");
    summer.go_to("07-26T05:00:01");
    assert_eq!(summer.eligible("").await.0, "0");
    assert_eq!((summer.with_sessions_in("06").await, summer.with_sessions_in("07").await), (0, 1));
    assert_eq!(summer.eligible("due_month=next_month").await.0, "1");
    assert_own_answers_valid(&summer.sandbox);
}

#[tokio::test]
async fn completes_can_be_turned_back_until_the_25th_in_central_time() {
    for (moment, expired) in [("07-26T04:59:50", 0), ("07-26T05:00:01", 1)] {
        let summer = Summer::begin().await;
        summer.go_to("06-20T12:00:00");
        let rid = summer.complete().await;
        summer.go_to(moment);
        let done = summer.turn_back(&rid).await;
        assert_eq!(done["expired_count"], expired, "{moment}: {done}");
        assert_eq!(done["negative_reversed_count"], 1 - expired, "{moment}: {done}");
    }
}

#[tokio::test]
async fn who_completes_after_a_drop_is_due_by_the_complete() {
    let summer = Summer::begin().await;
    summer.go_to("06-20T12:00:00");
    let url = format!("{}/fulfillment/respondents/transition", summer.sandbox.s2s_url());
    let rid = summer.sandbox.enter_respondent(&summer.group).unwrap();
    summer.go_to("07-03T12:00:00");
    let body = json!({ "id": rid, "status": 5 });
    let request = common::post_json(&summer.caller.http, &url, &body);
    send(request.header("authorization", summer.sandbox.s2s_key())).await.expect(200);
    summer.go_to("07-26T12:00:00");
    assert_eq!(summer.turn_back(&rid).await["negative_reversed_count"], 1);
}

#[tokio::test]
async fn reports_of_what_can_be_reconciled_leave_out_what_is_too_late() {
    let summer = Summer::begin().await;
    summer.go_to("06-20T12:00:00");
    let june = summer.complete().await;
    summer.go_to("07-02T12:00:00");
    let july = summer.complete().await;
    summer.go_to("07-26T05:00:01");
    let caller = &summer.caller;
    let dates = (format!("{}-06-01", summer.year), format!("{}-07-25", summer.year));
    let body = json!({
        "filter": "target_group", "filter_ids": [summer.group], "start_date": dates.0, "end_date": dates.1,
    });
    let path = format!("{}/reports", caller.account);
    let asked = caller.post(&format!("{path}/reconciliation-eligible-rids"), &body).await.expect(202).json();
    let id = asked["report_id"].as_str().unwrap();
    let state = caller.until(&format!("{path}/{id}/status"), |state| state["status"] == "completed").await;
    assert_eq!(state["start_date"], format!("{}-06-01T05:00:00.000Z", summer.year), "{state}");
    let file = caller.get(&format!("{path}/{id}/download")).await.expect(200).text;
    assert!(file.contains(&july) && !file.contains(&june), "{file}");
}
