//! The calls with the generated client: the operations' own types, no pipeline.

use cintx::raw::BearerTransport;
use cintx::raw::v2025_12_18::{AccountQuestionsTranslationParams, Client, GetListTargetGroupsParams, types};

use super::{Call, counted, http};
use crate::Result;
use crate::server::{ACCOUNT, Address, GROUP, LIBRARY_QUESTIONS, LISTED_GROUPS, MANAGER, PROJECT, TOKEN};

pub(crate) struct Raw {
    client: Client,
}

impl Raw {
    pub(crate) fn new(address: &Address) -> Result<Self> {
        let http = http(address)?.redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client: Client::new(BearerTransport::with_client(http, TOKEN)?.base_url(&address.url)) })
    }

    pub(crate) async fn call(&self, call: Call) -> Result<()> {
        match call {
            Call::Project => {
                let body = types::ProjectInfo {
                    name: "MyDrinksSurveyQ1".into(),
                    project_manager_id: MANAGER.into(),
                    project_customer_reference_number: None,
                };
                let key = uuid::Uuid::new_v4().to_string();
                let answer = self.client.create_project(ACCOUNT, Some(&key), &body).await?.into_value();
                counted("ids", usize::from(answer.id.is_some()), 1)
            }
            Call::List => {
                let params = GetListTargetGroupsParams { page_size: Some(100), ..Default::default() };
                let answer = self.client.get_list_target_groups_with(ACCOUNT, PROJECT, &params).await?.into_value();
                counted("target groups", answer.target_groups.map_or(0, |groups| groups.len()), LISTED_GROUPS)
            }
            Call::Library => {
                let params = AccountQuestionsTranslationParams::default();
                let answer = self.client.account_questions_translation_with(ACCOUNT, Some("eng_gb"), &params).await?;
                counted("questions", answer.into_value().profiles.map_or(0, |all| all.len()), LIBRARY_QUESTIONS)
            }
            Call::Launch => {
                let body = types::CreateLaunchFieldingRunFromDraftJobRequest {
                    end_fielding_at: "2036-01-15T09:30:00Z".into(),
                };
                let key = uuid::Uuid::new_v4().to_string();
                let launched = self
                    .client
                    .create_launch_fielding_run_from_draft_job(ACCOUNT, PROJECT, GROUP, Some(&key), &body)
                    .await?;
                let id = launched.location_id().ok_or("no job")?;
                let job = self.client.get_launch_fielding_run_from_draft_job(ACCOUNT, PROJECT, GROUP, id).await?;
                let run = job.into_value().created_fielding_run_id.ok_or("no run")?;
                let run = self.client.get_fielding_run(ACCOUNT, PROJECT, GROUP, run.as_str()).await?.into_value();
                counted("live runs", usize::from(run.status == Some(types::FieldingRunStatus::Live)), 1)
            }
            Call::TargetGroup => Err("a target group is worked out by the facade alone".into()),
        }
    }
}
