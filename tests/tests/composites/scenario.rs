//! The calls that are judged, each on a sandbox of its own, and what the sandbox holds of what they change.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;
use std::time::Duration;

use cintx::audience::{Audience, Question};
use cintx::client::{Credentials, OperationTimeouts, RetryPolicy, Timeouts};
use cintx::project::ProjectScope;
use cintx::supply::Supply;
use cintx::target_group::{DraftBuilder, TargetGroup};
use cintx::types::LengthOfInterview;
use cintx::{Client, Error, Money, TargetGroupId, UserId, Version};
use cintx_sandbox::Sandbox;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use crate::gateway::Gateway;

/// Jobs are done at once: who waits longer waits for nothing.
const WAIT: Duration = Duration::from_secs(3);

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    EditProject,
    Create,
    Duplicate,
    EditDraft,
    SetAudience,
    Launch,
    Pause,
    Resume,
    Complete,
    EditDates,
    SetGoal,
    Disable,
    EditDetails,
    SetPrice,
    SetSupply,
    EditAssistant,
    BulkPause,
}

impl Scenario {
    pub(crate) const ALL: [Self; 17] = [
        Self::EditProject,
        Self::Create,
        Self::Duplicate,
        Self::EditDraft,
        Self::SetAudience,
        Self::Launch,
        Self::Pause,
        Self::Resume,
        Self::Complete,
        Self::EditDates,
        Self::SetGoal,
        Self::Disable,
        Self::EditDetails,
        Self::SetPrice,
        Self::SetSupply,
        Self::EditAssistant,
        Self::BulkPause,
    ];

    /// The call, as the facade has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EditProject => "project.edit",
            Self::Create => "draft.create",
            Self::Duplicate => "target_group.duplicate",
            Self::EditDraft => "target_group.edit_draft",
            Self::SetAudience => "target_group.set_audience",
            Self::Launch => "target_group.launch",
            Self::Pause => "fielding_run.pause",
            Self::Resume => "fielding_run.resume",
            Self::Complete => "fielding_run.complete",
            Self::EditDates => "fielding_run.edit_dates",
            Self::SetGoal => "quotas.set_goal",
            Self::Disable => "quotas.disable",
            Self::EditDetails => "target_group.edit_details",
            Self::SetPrice => "target_group.set_cost_per_interview",
            Self::SetSupply => "target_group.set_supply",
            Self::EditAssistant => "target_group.edit_assistant",
            Self::BulkPause => "target_groups.pause",
        }
    }

    fn needs_a_launched_group(self) -> bool {
        !matches!(
            self,
            Self::EditProject | Self::Create | Self::Duplicate | Self::EditDraft | Self::SetAudience | Self::Launch
        )
    }
}

/// A sandbox with a project and a target group, a client that goes through the gateway, and one that does not. It is
/// played in again and again, each time from its beginning.
pub(crate) struct World<V: Version> {
    pub(crate) gateway: Gateway,
    pub(crate) scenario: Scenario,
    sandbox: Arc<Sandbox>,
    direct: Client<V>,
    project: cintx::ProjectId,
    group: TargetGroupId,
    manager: UserId,
    start: Timestamp,
}

impl<V: Version> World<V> {
    pub(crate) async fn new(scenario: Scenario) -> Self {
        // Nobody enters by itself: what changes is what the call changes.
        let quiet = Duration::from_secs(86_400);
        let sandbox = Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(quiet);
        // Some calls block a supplier that the market does not have.
        let sandbox = sandbox.tolerate(cintx_sandbox::Tolerance::ALL).start().await.unwrap();
        let sandbox = Arc::new(sandbox);
        let gateway = Gateway::new(Arc::clone(&sandbox));
        let direct = client::<V>(&sandbox, &Gateway::new(Arc::clone(&sandbox)));
        let manager: UserId = sandbox.project_manager_id().parse().unwrap();
        let project = direct.projects().create("MyDrinksSurveyQ1", manager).await.unwrap().id().clone();
        // The same moments in every world, as far as they are shown.
        let start = Timestamp::from_second(Timestamp::now().as_second() / 3_600 * 3_600).unwrap() + 3.hours();
        let group = TargetGroupId::new("none");
        let mut world = Self { gateway, scenario, sandbox, direct, project, group, manager, start };
        if scenario != Scenario::Create {
            let scope = world.direct.project(world.project.clone());
            let group = world.draft(&scope, "UK drinks").create().await.unwrap();
            world.group = group.id().clone();
            if scenario.needs_a_launched_group() {
                let mut run = group.launch(world.start + 240.hours()).await.unwrap().until_live().await.unwrap();
                if scenario == Scenario::Resume {
                    run.pause().await.unwrap();
                }
            }
        }
        world.control("save");
        world
    }

    /// Begins anew: with what there was when it was made, and a client that knows nothing.
    pub(crate) fn begin(&self) -> Client<V> {
        self.control("load");
        client::<V>(&self.sandbox, &self.gateway)
    }

    fn control(&self, action: &str) {
        let name = bytes::Bytes::from_static(br#"{"name":"beginning"}"#);
        let request = http::Request::post(format!("/control/{action}")).body(name).unwrap();
        let answer = self.sandbox.answer(request);
        assert!(answer.status().is_success(), "{answer:?}");
    }

    fn draft(&self, project: &ProjectScope<V>, name: &str) -> DraftBuilder<V> {
        let question = Question::choice(43).option("1", 50).option("2", 50);
        project
            .draft_target_group(name)
            .business_unit(self.sandbox.business_unit_id())
            .manager(self.manager)
            .locale("eng_gb")
            .completes_goal(500)
            .length_of_interview(LengthOfInterview::minutes(10))
            .incidence_rate("0.50")
            .fielding_period(self.start..self.start + 240.hours())
            .cost_per_interview(Money::new("2.73", "USD").unwrap())
            .live_url("https://survey.example/?RID=[%RID%]")
            .supply(Supply::test_supplier_only())
            .audience(Audience::independent([question]))
    }

    fn group(&self, client: &Client<V>) -> TargetGroup<V> {
        client.project(self.project.clone()).target_group(self.group.clone())
    }

    /// Makes the call, through the gateway.
    pub(crate) async fn play(&self, client: &Client<V>) -> Result<(), Error> {
        let project = client.project(self.project.clone());
        let group = self.group(client);
        match self.scenario {
            Scenario::EditProject => project.edit(|project| project.name = "MyDrinksSurveyQ2".into()).await.map(drop),
            Scenario::Create => self.draft(&project, "UK drinks").create().await.map(drop),
            Scenario::Duplicate => group.duplicate("UK pets", |draft| draft.completes_goal = 200).await.map(drop),
            Scenario::EditDraft => group.edit_draft(|draft| draft.completes_goal = 300).await.map(drop),
            Scenario::SetAudience => {
                let question = Question::choice(43).option("1", 30).option("2", 70);
                group.set_audience(Audience::independent([question]), |_| {}).await.map(drop)
            }
            Scenario::Launch => {
                group.launch(self.start + 240.hours()).await?.timeout(WAIT).until_live().await.map(drop)
            }
            Scenario::Pause => self.run(&group).await?.pause().await,
            Scenario::Resume => self.run(&group).await?.resume().await,
            Scenario::Complete => self.run(&group).await?.complete().await,
            Scenario::EditDates => {
                let end = self.start + 480.hours();
                self.run(&group).await?.edit_dates(move |dates| dates.end = end).await
            }
            Scenario::SetGoal => group.quotas().set_goal(1_000).await.map(drop),
            Scenario::Disable => {
                let tables = group.quotas().read().await?;
                let profile = tables.first().and_then(|table| table.profile()).unwrap_or_default().to_owned();
                group.quotas().disable(&profile).await.map(drop)
            }
            Scenario::EditDetails => group.edit_details(|details| details.name = "UK spirits".into()).await.map(drop),
            Scenario::SetPrice => group.set_cost_per_interview(&Money::new("3.10", "USD").unwrap()).await.map(drop),
            Scenario::SetSupply => {
                let supply = group.supply().await?;
                group.set_supply(&supply.block([77])).await
            }
            Scenario::EditAssistant => group.edit_assistant(|assistant| assistant.quota_overlay = None).await.map(drop),
            Scenario::BulkPause => project
                .target_groups()
                .all([self.group.clone()])
                .pause()
                .await?
                .timeout(WAIT)
                .until_done()
                .await
                .map(drop),
        }
    }

    async fn run(&self, group: &TargetGroup<V>) -> Result<cintx::fielding::FieldingRun<V>, Error> {
        Ok(group.fielding_run().await?.expect("it was launched"))
    }

    /// What the sandbox holds, read past the gateway: a line for each part, without ids and moments of change.
    pub(crate) async fn state(&self) -> String {
        let scope = self.direct.project(self.project.clone());
        let group = self.group(&self.direct);
        let mut text = String::new();
        let mut line = |what: &str, value: &dyn Debug| {
            let _ = writeln!(text, "{what}: {value:?}");
        };
        line("project", &scope.get().await.unwrap().name());
        let groups = scope.target_groups().list().stream().collect().await.unwrap();
        let mut names: Vec<_> = groups.iter().map(|group| (group.name.clone(), group.status.clone())).collect();
        names.sort();
        line("groups", &names);
        if self.scenario == Scenario::Create {
            return text;
        }
        match group.draft().await {
            Ok(draft) => {
                line("draft", &draft.settings);
                let mut numbers = Vec::new();
                collect_numbers(&serde_json::to_value(&draft).unwrap(), "", &mut numbers);
                line("numbers", &numbers);
            }
            Err(_) => {
                line("details", &group.details().await.unwrap().settings);
                let quotas = group.quotas().read().await.unwrap();
                let goals: Vec<_> = quotas.iter().map(|table| (table.total(), table.cells().count())).collect();
                line("quotas", &goals);
                let run = group.fielding_run().await.unwrap().map(|run| (run.status().clone(), run.dates().end));
                line("run", &run);
                line("price", &group.overview().await.unwrap().current_cost_per_interview);
            }
        }
        line("supply", &group.supply().await.ok());
        line("assistant", &group.assistant().await.ok());
        without_own_references(&text)
    }
}

/// The references that the SDK gives differ from group to group.
fn without_own_references(text: &str) -> String {
    let mut parts = text.split("cintx-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "cintx-" + part.get(26..).unwrap_or_default())
}

/// Every number of a draft with the name of its field: an audience is told by its goals.
fn collect_numbers(value: &Value, name: &str, numbers: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| collect_numbers(value, name, numbers)),
        Value::Array(items) => items.iter().for_each(|item| collect_numbers(item, name, numbers)),
        Value::Number(number) => numbers.push(format!("{name} {number}")),
        _ => {}
    }
}

fn client<V: Version>(sandbox: &Sandbox, gateway: &Gateway) -> Client<V> {
    let gateway = gateway.clone();
    let limits = OperationTimeouts::new(Duration::from_secs(10), Duration::from_secs(30));
    Client::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .transport(move |request| gateway.clone().send(request))
        .retry(RetryPolicy::standard().max_attempts(3).backoff(Duration::from_millis(1), Duration::from_millis(2)))
        .timeouts(
            Timeouts::standard().reads(limits).writes(limits).transfers(limits).processing(Duration::from_secs(1)),
        )
        .build()
        .unwrap()
}
