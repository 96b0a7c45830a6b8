//! The calls by hand: `reqwest` with the headers that the API wants, and every field of an answer decoded.

use serde::Serialize;
use serde_json::Value;

use super::{Call, counted};
use crate::Result;
use crate::server::{ACCOUNT, LIBRARY_QUESTIONS, LISTED_GROUPS, MANAGER, PROJECT};

pub(crate) struct ByHand {
    http: reqwest::Client,
    url: String,
}

#[derive(Serialize)]
struct NewProject<'a> {
    name: &'a str,
    project_manager_id: &'a str,
}

impl ByHand {
    pub(crate) fn new(url: &str) -> Result<Self> {
        Ok(Self { http: reqwest::Client::builder().no_proxy().build()?, url: url.to_owned() })
    }

    pub(crate) async fn call(&self, call: Call) -> Result<()> {
        let demand = format!("{}/demand/accounts/{ACCOUNT}", self.url);
        match call {
            Call::Project => {
                let request = self.http.post(format!("{demand}/projects"));
                let key = uuid::Uuid::new_v4().to_string();
                let project = NewProject { name: "MyDrinksSurveyQ1", project_manager_id: MANAGER };
                let answer = self.send(request.header("idempotency-key", key).json(&project)).await?;
                counted("ids", usize::from(answer["id"].is_string()), 1)
            }
            Call::List => {
                let request = self.http.get(format!("{demand}/projects/{PROJECT}/target-groups?page_size=100"));
                let answer = self.send(request).await?;
                counted("target groups", answer["target_groups"].as_array().map_or(0, Vec::len), LISTED_GROUPS)
            }
            Call::Library => {
                let request = self.http.get(format!("{demand}/questions-translation?locale=eng_gb"));
                let answer = self.send(request).await?;
                counted("questions", answer["profiles"].as_array().map_or(0, Vec::len), LIBRARY_QUESTIONS)
            }
            Call::TargetGroup => Err("a target group is worked out by the facade alone".into()),
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let answer = request.bearer_auth("token").header("cint-api-version", "2025-12-18").send().await?;
        let body = answer.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }
}
