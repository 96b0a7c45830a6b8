//! A sandbox with a client of one version, and a look at what was wrong with the requests.

use std::time::Duration;

use cintx::audience::{Audience, Question};
use cintx::client::Credentials;
use cintx::project::Project;
use cintx::supply::Supply;
use cintx::target_group::DraftBuilder;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, UserId, Version};
use cintx_sandbox::Sandbox;
use jiff::{Timestamp, ToSpan as _};

/// A sandbox and a client of it.
pub struct Setup<V: Version> {
    pub sandbox: Sandbox,
    pub cint: Client<V>,
    pub manager: UserId,
}

impl<V: Version> Setup<V> {
    pub async fn new() -> Self {
        Self::on(Sandbox::builder().seed(7)).await
    }

    /// Jobs are done at once, so that nobody waits for them.
    pub async fn quick() -> Self {
        Self::on(Sandbox::builder().seed(7).job_delay(Duration::ZERO)).await
    }

    /// On a sandbox of its own kind.
    pub async fn on(sandbox: cintx_sandbox::Builder) -> Self {
        // What properties draw from the types names suppliers and the like that nobody knows.
        let sandbox = sandbox.tolerate(cintx_sandbox::Tolerance::ALL).start().await.unwrap();
        let cint = Client::builder()
            .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
            .account(i64::from(sandbox.account_id()))
            .api_url(sandbox.api_url())
            .build()
            .unwrap();
        let manager = sandbox.project_manager_id().parse().unwrap();
        Self { sandbox, cint, manager }
    }

    pub async fn project(&self) -> Project {
        self.cint.projects().create("MyDrinksSurveyQ1", self.manager).await.unwrap()
    }

    /// A draft that nothing is wrong with.
    pub fn draft(&self, project: &Project) -> DraftBuilder<V> {
        self.unpriced_draft(project).cost_per_interview(Money::new("2.73", "USD").unwrap())
    }

    /// The same without a price.
    pub fn unpriced_draft(&self, project: &Project) -> DraftBuilder<V> {
        let start = Timestamp::now() + 2.hours();
        self.cint
            .project(project)
            .draft_target_group("UK drinks")
            .business_unit(self.sandbox.business_unit_id())
            .manager(self.manager)
            .locale("eng_gb")
            .completes_goal(500)
            .length_of_interview(LengthOfInterview::minutes(10))
            .incidence_rate("0.50")
            .fielding_period(start..start + 240.hours())
            .live_url("https://survey.example/?RID=[%RID%]")
            .supply(Supply::test_supplier_only())
            .audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]))
    }

    /// Every request was one that the document allows, on an operation that it has.
    #[track_caller]
    pub fn assert_no_violation(&self) {
        let wrong: Vec<String> = self
            .sandbox
            .requests()
            .into_iter()
            .filter(|request| {
                !request.violations.is_empty() || request.operation.is_none() && request.version.is_some()
            })
            .map(|request| format!("{} {}: {:?} {:?}", request.method, request.path, request.violations, request.body))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Makes a test of a function for each version that is switched on.
macro_rules! on_every_version {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            cintx_tests::for_each_version!($crate::setup::one_version, $name);
        }
    )+};
}
pub(crate) use on_every_version;

macro_rules! one_version {
    ($version:ident $marker:ident $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $version() {
            super::$name($crate::setup::Setup::<cintx::$marker>::new().await).await;
        }
    };
}
pub(crate) use one_version;
