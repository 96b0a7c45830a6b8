//! The calls with the SDK.

use cintx::audience::{Audience, Question};
use cintx::fielding::RunStatus;
use cintx::project::ProjectScope;
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, ProjectId, TargetGroupId, UserId, V2025_12_18};
use jiff::{Timestamp, ToSpan as _};

use super::{Call, counted, http};
use crate::Result;
use crate::server::{ACCOUNT, Address, GROUP, LIBRARY_QUESTIONS, LISTED_GROUPS, MANAGER, PROJECT, TOKEN};

/// As many as the load program has on their way.
const MOST_AT_ONCE: usize = 256;

pub(crate) struct Facade {
    client: Client<V2025_12_18>,
    project: ProjectScope<V2025_12_18>,
    manager: UserId,
    start: Timestamp,
}

impl Facade {
    pub(crate) fn new(address: &Address) -> Result<Self> {
        let mut client =
            Client::builder().token(TOKEN).account(ACCOUNT).api_url(&address.url).max_in_flight(MOST_AT_ONCE);
        if address.certificate.is_some() {
            client = client.http_client(http(address)?.redirect(reqwest::redirect::Policy::none()).build()?);
        }
        let client = client.build()?;
        Ok(Self {
            project: client.project(ProjectId::new(PROJECT)),
            client,
            manager: MANAGER.parse()?,
            start: Timestamp::now() + 2.hours(),
        })
    }

    pub(crate) async fn call(&self, call: Call) -> Result<()> {
        match call {
            Call::Project => {
                self.client.projects().create("MyDrinksSurveyQ1", self.manager).await?;
                Ok(())
            }
            Call::TargetGroup => self.create().await,
            Call::List => {
                let groups = self.project.target_groups().list().page_size(100).stream().collect().await?;
                counted("target groups", groups.len(), LISTED_GROUPS)
            }
            Call::Library => {
                let questions = self.client.questions("eng_gb").stream().collect().await?;
                counted("questions", questions.len(), LIBRARY_QUESTIONS)
            }
            Call::Launch => {
                let job = self.project.target_group(TargetGroupId::new(GROUP)).launch(self.start + 240.hours()).await?;
                let run = job.until_live().await?;
                counted("live runs", usize::from(*run.status() == RunStatus::Live), 1)
            }
        }
    }

    async fn create(&self) -> Result<()> {
        let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
        let gender = Question::choice(43).option("1", 49).option("2", 51);
        self.project
            .draft_target_group("UK pets")
            .business_unit(3848)
            .manager(self.manager)
            .locale("eng_gb")
            .completes_goal(500)
            .length_of_interview(LengthOfInterview::minutes(10))
            .incidence_rate("0.50")
            .fielding_period(self.start..self.start + 240.hours())
            .cost_per_interview(Money::new("2.73", "USD")?)
            .live_url("https://survey.example/?RID=[%RID%]")
            .supply(Supply::open_exchange())
            .audience(Audience::independent([age, gender]))
            .create()
            .await?;
        Ok(())
    }
}
