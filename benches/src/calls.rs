//! The measured calls, as a program would write them.

use std::fmt;
use std::str::FromStr;

use cintx::audience::{Audience, Question};
use cintx::project::ProjectScope;
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, ProjectId, UserId, V2025_12_18};
use jiff::{Timestamp, ToSpan as _};
use tokio::runtime::{Builder, Runtime};

use crate::Result;
use crate::server::LISTED_GROUPS;

/// A measured call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// Creates one target group.
    Create,
    /// Lists a page of target groups.
    List,
}

impl Call {
    pub(crate) const ALL: [Self; 2] = [Self::Create, Self::List];
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::List => "list",
        })
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let found = Self::ALL.into_iter().find(|call| call.to_string() == text);
        found.ok_or_else(|| format!("call is {text:?}, expected create or list"))
    }
}

/// A client of the server, with a thread of its own to run on.
pub(crate) struct Caller {
    runtime: Runtime,
    project: ProjectScope<V2025_12_18>,
    manager: UserId,
    start: Timestamp,
}

impl Caller {
    pub(crate) fn new(url: &str) -> Result<Self> {
        let client = Client::builder().token("token").account(2428).api_url(url).build()?;
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            project: client.project(ProjectId::new("01JABCDEFGHJKMNPQRSTVWXYZ0")),
            manager: "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse()?,
            start: Timestamp::now() + 2.hours(),
        })
    }

    pub(crate) fn call(&self, call: Call) -> Result<()> {
        match call {
            Call::Create => self.runtime.block_on(self.create()),
            Call::List => self.runtime.block_on(self.list()),
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

    async fn list(&self) -> Result<()> {
        let groups = self.project.target_groups().list().page_size(100).stream().collect().await?;
        if groups.len() != LISTED_GROUPS {
            return Err(format!("{} target groups listed, expected {LISTED_GROUPS}", groups.len()).into());
        }
        Ok(())
    }
}
