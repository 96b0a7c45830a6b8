//! The calls with the generated client: the operations' own types, no pipeline.

use cintx::raw::BearerTransport;
use cintx::raw::v2025_12_18::{AccountQuestionsTranslationParams, Client, GetListTargetGroupsParams, types};

use super::{Call, counted};
use crate::Result;
use crate::server::{ACCOUNT, LIBRARY_QUESTIONS, LISTED_GROUPS, MANAGER, PROJECT};

pub(crate) struct Raw {
    client: Client,
}

impl Raw {
    pub(crate) fn new(url: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client: Client::new(BearerTransport::with_client(http, "token")?.base_url(url)) })
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
            Call::TargetGroup => Err("a target group is worked out by the facade alone".into()),
        }
    }
}
