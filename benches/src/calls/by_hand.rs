//! The calls by hand: `reqwest` with the headers that the API wants, and every field of an answer decoded.

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::answers::{Created, Job, Library, Page, Run};
use super::{Call, counted, http};
use crate::Result;
use crate::server::{ACCOUNT, Address, GROUP, LIBRARY_QUESTIONS, LISTED_GROUPS, MANAGER, PROJECT, TOKEN};

pub(crate) struct ByHand {
    http: reqwest::Client,
    url: String,
}

#[derive(Serialize)]
struct NewProject<'a> {
    name: &'a str,
    project_manager_id: &'a str,
}

#[derive(Serialize)]
struct Launch<'a> {
    end_fielding_at: &'a str,
}

/// Every property that the server sends, decoded as by a program that reads them later.
mod answers {
    #![expect(dead_code, reason = "few are read here")]

    use serde::Deserialize;

    /// The id of what was made.
    #[derive(Deserialize)]
    pub(super) struct Created {
        pub(super) id: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Page {
        pub(super) target_groups: Vec<TargetGroup>,
    }

    /// A target group of the list: every property that the server sends.
    #[derive(Deserialize)]
    pub(super) struct TargetGroup {
        pub(super) id: String,
        human_readable_id: String,
        name: String,
        highlighted_name: String,
        locale: String,
        status: String,
        exclusion_enabled: bool,
        created_at: String,
        updated_at: String,
        project_manager_id: String,
        target_group_customer_reference_number: String,
        statistics: Statistics,
    }

    #[derive(Deserialize)]
    pub(super) struct Statistics {
        progress: Statistic<Progress>,
        average_cost_per_interview: Statistic<Amount>,
        conversion_rate: Statistic<f64>,
        drop_off_rate: Statistic<f64>,
        incidence_rate: Statistic<f64>,
        median_length_of_interview_seconds: Statistic<i64>,
        earnings_per_click: Statistic<Amount>,
        earnings_per_click_per_minute: Statistic<Amount>,
        last_complete_date: Statistic<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Statistic<T> {
        value: T,
        issues: Vec<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Progress {
        current_completes: i64,
        current_prescreens: i64,
        filling_goal: i64,
        filling_strategy: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Amount {
        value: String,
        currency_code: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Library {
        pub(super) profiles: Vec<Question>,
    }

    /// A question of the library: every property that the server sends.
    #[derive(Deserialize)]
    pub(super) struct Question {
        object: String,
        name: String,
        description: String,
        description_translated: String,
        classification_id: i64,
        classification_code: String,
        standard: bool,
        quotas_enabled: bool,
        profile_condition_type: String,
        targets: Vec<Target>,
    }

    #[derive(Deserialize)]
    pub(super) struct Target {
        text: String,
        text_translated: String,
        conditions: Vec<Condition>,
    }

    #[derive(Deserialize)]
    pub(super) struct Condition {
        object: String,
        question_id: i64,
        option: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Job {
        job_id: String,
        pub(super) status: String,
        created_at: String,
        created_by: String,
        pub(super) created_fielding_run_id: String,
        job_trace_id: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Run {
        id: String,
        pub(super) status: String,
        start_fielding_at: String,
        end_fielding_at: String,
        last_changed_at: String,
        last_changed_by: String,
        version: i64,
    }
}

impl ByHand {
    pub(crate) fn new(address: &Address) -> Result<Self> {
        Ok(Self { http: http(address)?.build()?, url: address.url.clone() })
    }

    pub(crate) async fn call(&self, call: Call) -> Result<()> {
        let demand = format!("{}/demand/accounts/{ACCOUNT}", self.url);
        match call {
            Call::Project => {
                let request = self.http.post(format!("{demand}/projects"));
                let key = uuid::Uuid::new_v4().to_string();
                let project = NewProject { name: "MyDrinksSurveyQ1", project_manager_id: MANAGER };
                let created: Created = self.send(request.header("idempotency-key", key).json(&project)).await?;
                counted("ids", usize::from(!created.id.is_empty()), 1)
            }
            Call::List => {
                let request = self.http.get(format!("{demand}/projects/{PROJECT}/target-groups?page_size=100"));
                let page: Page = self.send(request).await?;
                counted("target groups", page.target_groups.len(), LISTED_GROUPS)
            }
            Call::Library => {
                let request = self.http.get(format!("{demand}/questions-translation?locale=eng_gb"));
                let library: Library = self.send(request).await?;
                counted("questions", library.profiles.len(), LIBRARY_QUESTIONS)
            }
            Call::Launch => {
                let group = format!("{demand}/projects/{PROJECT}/target-groups/{GROUP}");
                let jobs = format!("{group}/fielding-run-jobs/launch-from-draft");
                let key = uuid::Uuid::new_v4().to_string();
                let launch = Launch { end_fielding_at: "2036-01-15T09:30:00Z" };
                let launched = self.answer(self.http.post(&jobs).header("idempotency-key", key).json(&launch)).await?;
                let location = launched.headers().get("location").ok_or("no location")?.to_str()?;
                let (_, id) = location.rsplit_once('/').ok_or("no job")?;
                let job: Job = self.send(self.http.get(format!("{jobs}/{id}"))).await?;
                let run = format!("{group}/fielding-runs/{}", job.created_fielding_run_id);
                let run: Run = self.send(self.http.get(run)).await?;
                counted("live runs", usize::from(job.status == "Completed" && run.status == "live"), 1)
            }
            Call::TargetGroup => Err("a target group is worked out by the facade alone".into()),
        }
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T> {
        Ok(serde_json::from_slice(&self.answer(request).await?.bytes().await?)?)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response> {
        let answer = request.bearer_auth(TOKEN).header("cint-api-version", "2025-12-18").send().await?;
        Ok(answer.error_for_status()?)
    }
}
