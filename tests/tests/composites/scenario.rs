//! The calls that are judged, each on a sandbox of its own, and what the sandbox holds of what they change.

use std::fmt::{Debug, Write as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cintx::audience::{Audience, Question};
use cintx::client::{Credentials, OperationTimeouts, RetryPolicy, Timeouts};
use cintx::project::ProjectScope;
use cintx::quota::QuotaTable;
use cintx::reconciliation::bulk::Corrections;
use cintx::recovery::{Intent, Journal, JournalError};
use cintx::supply::Supply;
use cintx::target_group::{DraftBuilder, FillingStrategy, TargetGroup};
use cintx::types::LengthOfInterview;
use cintx::webhook::{Webhook, WebhookEventType};
use cintx::{Client, Error, Money, Outcome, TargetGroupId, UserId, Version};
use cintx_sandbox::Sandbox;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use crate::gateway::Gateway;

/// The longest that the API is at work on a request.
const PROCESSING: Duration = Duration::from_secs(20);
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
    SetGroups,
    EditAssistant,
    BulkPause,
    CreateProject,
    Schedule,
    SetStrategy,
    Apply,
    CreateWebhook,
    EditWebhook,
    DeleteWebhook,
    CreateTemplate,
    Enable,
    Interlock,
    RemoveInterlock,
    Replace,
    DeleteProfile,
    SubmitInParts,
}

impl Scenario {
    pub(crate) const ALL: [Self; 32] = [
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
        Self::SetGroups,
        Self::EditAssistant,
        Self::BulkPause,
        Self::CreateProject,
        Self::Schedule,
        Self::SetStrategy,
        Self::Apply,
        Self::CreateWebhook,
        Self::EditWebhook,
        Self::DeleteWebhook,
        Self::CreateTemplate,
        Self::Enable,
        Self::Interlock,
        Self::RemoveInterlock,
        Self::Replace,
        Self::DeleteProfile,
        Self::SubmitInParts,
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
            Self::SetGroups => "target_group.set_supply of groups",
            Self::EditAssistant => "target_group.edit_assistant",
            Self::BulkPause => "target_groups.pause",
            Self::CreateProject => "projects.create",
            Self::Schedule => "target_group.schedule",
            Self::SetStrategy => "target_group.set_filling_strategy",
            Self::Apply => "quotas.apply",
            Self::CreateWebhook => "webhooks.create",
            Self::EditWebhook => "webhook.edit",
            Self::DeleteWebhook => "webhook.delete",
            Self::CreateTemplate => "profile_templates.create",
            Self::Enable => "quotas.enable",
            Self::Interlock => "quotas.interlock",
            Self::RemoveInterlock => "quotas.remove_interlock",
            Self::Replace => "quotas.replace",
            Self::DeleteProfile => "quotas.delete",
            Self::SubmitInParts => "reconciliations.submit_in_parts",
        }
    }

    /// Whether it may be done in part, since it makes several writes.
    pub(crate) fn is_in_parts(self) -> bool {
        matches!(self, Self::SetGroups | Self::SubmitInParts)
    }

    fn needs_a_group(self) -> bool {
        !matches!(self, Self::Create | Self::CreateProject | Self::CreateTemplate | Self::SubmitInParts)
            && !self.is_about_a_webhook()
    }

    fn needs_a_launched_group(self) -> bool {
        let of_drafts = matches!(
            self,
            Self::EditProject | Self::Duplicate | Self::EditDraft | Self::SetAudience | Self::Launch | Self::Schedule
        );
        self.needs_a_group() && !of_drafts
    }

    /// What the target group begins with.
    fn audience(self) -> Audience {
        let gender = Question::choice(43).option("1", 50).option("2", 50);
        let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
        match self {
            Self::Interlock | Self::DeleteProfile => Audience::independent([age, gender]),
            Self::RemoveInterlock => Audience::interlock([age, gender]),
            _ => Audience::independent([gender]),
        }
    }

    fn is_about_a_webhook(self) -> bool {
        matches!(self, Self::CreateWebhook | Self::EditWebhook | Self::DeleteWebhook)
    }
}

/// A sandbox with a project and a target group, a client that goes through the gateway, and one that does not. It is
/// played in again and again, each time from its beginning.
pub(crate) struct World<V: Version> {
    pub(crate) gateway: Gateway,
    pub(crate) scenario: Scenario,
    pub(crate) journal: Notebook,
    sandbox: Arc<Sandbox>,
    direct: Client<V>,
    project: cintx::ProjectId,
    group: TargetGroupId,
    manager: UserId,
    start: Timestamp,
    repeats_writes: AtomicBool,
    idle: Option<tokio::runtime::Runtime>,
}

impl<V: Version> Drop for World<V> {
    fn drop(&mut self) {
        // In a runtime there is no waiting for another one's end.
        self.idle.take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

impl<V: Version> World<V> {
    pub(crate) async fn new(scenario: Scenario) -> Self {
        // Nobody enters by itself: what changes is what the call changes.
        let quiet = Duration::from_secs(86_400);
        let sandbox = Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(quiet);
        // Some calls block a supplier that the market does not have.
        let sandbox = sandbox.tolerate(cintx_sandbox::Tolerance::ALL);
        // Its own tasks would wake simulated time again and again: their runtime is one that nobody drives.
        let start = move || {
            let idle = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let sandbox = idle.block_on(sandbox.start()).unwrap();
            (idle, sandbox)
        };
        let (idle, sandbox) = std::thread::spawn(start).join().unwrap();
        let sandbox = Arc::new(sandbox);
        let gateway = Gateway::new(Arc::clone(&sandbox));
        let direct = builder::<V>(&sandbox, &Gateway::new(Arc::clone(&sandbox))).build().unwrap();
        let manager: UserId = sandbox.project_manager_id().parse().unwrap();
        let project = direct.projects().create("MyDrinksSurveyQ1", manager).await.unwrap().id().clone();
        // The same moments in every world, as far as they are shown.
        let start = Timestamp::from_second(Timestamp::now().as_second() / 3_600 * 3_600).unwrap() + 3.hours();
        let group = TargetGroupId::new("none");
        let journal = Notebook::default();
        let (repeats_writes, idle) = (AtomicBool::new(false), Some(idle));
        let mut world =
            Self { gateway, scenario, journal, sandbox, direct, project, group, manager, start, repeats_writes, idle };
        if scenario.is_about_a_webhook() && scenario != Scenario::CreateWebhook {
            world.direct.webhooks().create("https://hooks.example/old", [event::<V>()]).await.unwrap();
        }
        if scenario.needs_a_group() {
            let scope = world.direct.project(world.project.clone());
            let group = world.draft(&scope, "UK drinks").create().await.unwrap();
            world.group = group.id().clone();
            if scenario.needs_a_launched_group() {
                let mut run = group.launch(world.start + 240.hours()).await.unwrap().until_live().await.unwrap();
                if scenario == Scenario::Resume {
                    run.pause().await.unwrap();
                }
                if scenario == Scenario::Enable {
                    let tables = group.quotas().read().await.unwrap();
                    group.quotas().disable(profile(&tables)).await.unwrap();
                }
            }
        }
        world.control("save");
        world
    }

    /// Begins anew: with what there was when it was made, and a client that knows nothing.
    pub(crate) fn begin(&self) -> Client<V> {
        self.control("load");
        self.journal.0.lock().unwrap().clear();
        self.gateway.begin();
        self.client()
    }

    /// A program that was just started, with the journal of those before it.
    pub(crate) fn client(&self) -> Client<V> {
        let policy = retries().repeat_idempotent_writes(self.repeats_writes.load(Ordering::Relaxed));
        builder(&self.sandbox, &self.gateway).journal(self.journal.clone()).retry(policy).build().unwrap()
    }

    /// Whether its clients repeat writes that set a state and take no key.
    pub(crate) fn repeat_writes(&self, repeat: bool) {
        self.repeats_writes.store(repeat, Ordering::Relaxed);
    }

    pub(crate) fn business_unit(&self) -> i64 {
        self.sandbox.business_unit_id()
    }

    pub(crate) fn manager(&self) -> UserId {
        self.manager
    }

    /// When field is to begin.
    pub(crate) fn start(&self) -> Timestamp {
        self.start
    }

    fn control(&self, action: &str) {
        let name = bytes::Bytes::from_static(br#"{"name":"beginning"}"#);
        let request = http::Request::post(format!("/control/{action}")).body(name).unwrap();
        let answer = self.sandbox.answer(request);
        assert!(answer.status().is_success(), "{answer:?}");
    }

    fn draft(&self, project: &ProjectScope<V>, name: &str) -> DraftBuilder<V> {
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
            .audience(self.scenario.audience())
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
                // Finer than what the API keeps.
                let end = self.start + 480.hours() + 123_456_789.nanoseconds();
                self.run(&group).await?.edit_dates(move |dates| dates.end = end).await
            }
            Scenario::SetGoal => group.quotas().set_goal(1_000).await.map(drop),
            Scenario::Disable => {
                let tables = group.quotas().read().await?;
                group.quotas().disable(profile(&tables)).await.map(drop)
            }
            Scenario::EditDetails => group.edit_details(|details| details.name = "UK spirits".into()).await.map(drop),
            Scenario::SetPrice => group.set_cost_per_interview(&Money::new("3.10", "USD").unwrap()).await.map(drop),
            Scenario::SetSupply => {
                let supply = group.supply().await?;
                group.set_supply(&supply.block([77])).await
            }
            Scenario::SetGroups => {
                let supply = group.supply().await?;
                group.set_supply(&supply.group("First", 0..=30, [1]).group("Second", 0..=40, [2])).await
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
            _ => self.play_more(client, &project, &group).await,
        }
    }

    async fn play_more(
        &self,
        client: &Client<V>,
        project: &ProjectScope<V>,
        group: &TargetGroup<V>,
    ) -> Result<(), Error> {
        match self.scenario {
            Scenario::CreateProject => client.projects().create("MySnacksSurveyQ1", self.manager).await.map(drop),
            Scenario::Schedule => {
                let period = self.start + 24.hours()..self.start + 240.hours();
                group.schedule(period).await?.timeout(WAIT).until_done().await.map(drop)
            }
            Scenario::SetStrategy => group.set_filling_strategy(FillingStrategy::Completes).await.map(drop),
            Scenario::Apply => {
                let tables = group.quotas().read().await?;
                let plan = tables[0].plan([(vec![0], 200), (vec![1], 300)])?;
                group.quotas().apply(&plan).await.map(drop)
            }
            Scenario::CreateWebhook => {
                client.webhooks().create("https://hooks.example/new", [event::<V>()]).await.map(drop)
            }
            Scenario::EditWebhook => {
                self.webhook(client).await?.edit(|webhook| webhook.url = "https://hooks.example/new".into()).await
            }
            Scenario::DeleteWebhook => self.webhook(client).await?.delete().await,
            Scenario::CreateTemplate => {
                let question = Question::choice(43).option("1", 49).option("2", 51);
                let template = client.profile_templates().create("Adults by gender", "adults");
                template.locale("eng_gb").profile(question).await.map(drop)
            }
            Scenario::Enable => {
                let tables = group.quotas().read().await?;
                group.quotas().enable(profile(&tables)).await.map(drop)
            }
            Scenario::Interlock => {
                let tables = group.quotas().read().await?;
                let profiles: Vec<String> = tables.iter().filter_map(|it| it.profile().map(str::to_owned)).collect();
                group.quotas().interlock(&profiles).await.map(drop)
            }
            Scenario::RemoveInterlock => {
                let tables = group.quotas().read().await?;
                group.quotas().remove_interlock(profile(&tables)).await.map(drop)
            }
            Scenario::Replace => {
                let question = Question::choice(43).option("1", 30).option("2", 70);
                let draft = self.draft(project, "UK drinks").audience(Audience::independent([question])).build()?;
                group.quotas().replace(&draft).await?.send().await.map(drop)
            }
            Scenario::DeleteProfile => {
                let tables = group.quotas().read().await?;
                group.quotas().delete(&[profile(&tables).to_owned()]).await.map(drop)
            }
            Scenario::SubmitInParts => {
                let rows = (0..2).map(|number| format!("{number:08x}-4f02-4e32-9f5c-0a6f0c1c9b0e;933\n"));
                let file: String = ["rid;reason\n".to_owned()].into_iter().chain(rows).collect();
                let corrections = Corrections::from_csv(file.as_bytes()).expect("two rows");
                let parts = client.reconciliations().submit_in_parts("first wave", &corrections).part_rows(1);
                parts.run(|_| {}).await.map(drop)
            }
            other => unreachable!("{other:?} of {:?}", project.id()),
        }
    }

    async fn webhook(&self, client: &Client<V>) -> Result<Webhook<V>, Error> {
        let webhooks = client.webhooks().list().stream().collect().await?;
        Ok(webhooks.into_iter().next().expect("there is one"))
    }

    async fn run(&self, group: &TargetGroup<V>) -> Result<cintx::fielding::FieldingRun<V>, Error> {
        Ok(group.fielding_run().await?.expect("it was launched"))
    }

    /// What the account has of what the call is about, if that is no target group.
    async fn things(&self) -> Option<Vec<String>> {
        let direct = &self.direct;
        let mut things: Vec<_> = match self.scenario {
            Scenario::CreateProject => {
                let projects = direct.projects().list().stream().collect().await.unwrap();
                projects.into_iter().map(|project| project.name.unwrap_or_default()).collect()
            }
            Scenario::CreateTemplate => {
                let templates = direct.profile_templates().list().stream().collect().await.unwrap();
                templates.into_iter().map(|template| template.name.unwrap_or_default()).collect()
            }
            Scenario::SubmitInParts => {
                let files = direct.reconciliations().list().name("first wave").stream().collect().await.unwrap();
                files.into_iter().map(|file| file.name.unwrap_or_default()).collect()
            }
            scenario if scenario.is_about_a_webhook() => {
                let webhooks = direct.webhooks().list().stream().collect().await.unwrap();
                webhooks.iter().map(|webhook| format!("{} {:?}", webhook.url(), webhook.events())).collect()
            }
            _ => return None,
        };
        things.sort();
        Some(things)
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
        if let Some(things) = self.things().await {
            line("things", &things);
            return text;
        }
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
                let cells = |table: &QuotaTable| table.cells().map(|(_, quota)| quota.target).collect::<Vec<_>>();
                let goals = quotas.iter().map(|table| (table.kind(), table.is_enabled(), table.total(), cells(table)));
                let goals: Vec<_> = goals.collect();
                line("quotas", &goals);
                let run = group.fielding_run().await.unwrap().map(|run| (run.status().clone(), run.dates().end));
                line("run", &run);
                let overview = group.overview().await.unwrap();
                line("price", &overview.current_cost_per_interview);
                line("strategy", &overview.progress.and_then(|it| it.filling_strategy));
            }
        }
        let mut supply = group.supply().await.ok();
        // A group that is sent twice has two ids, one after the other.
        supply.iter_mut().flat_map(|supply| &mut supply.groups).for_each(|group| group.id = None);
        line("supply", &supply);
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

/// The first profile, which has the quotas.
fn profile(tables: &[QuotaTable]) -> &str {
    tables.first().and_then(|table| table.profile()).unwrap_or_default()
}

/// An event that the version has.
fn event<V: Version>() -> WebhookEventType {
    if V::DATE == "2024-12-02" { WebhookEventType::SurveyCompleted } else { WebhookEventType::TargetGroupUpdated }
}

fn retries() -> RetryPolicy {
    RetryPolicy::standard().max_attempts(3).backoff(Duration::from_millis(1), Duration::from_millis(2))
}

fn builder<V: Version>(sandbox: &Sandbox, gateway: &Gateway) -> cintx::ClientBuilder<V> {
    let (gateway, clock) = (gateway.clone(), gateway.clone());
    let limits = OperationTimeouts::new(Duration::from_secs(10), Duration::from_secs(30));
    Client::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .transport(move |request| gateway.clone().send(request))
        .clock(move || clock.now())
        .retry(retries())
        .timeouts(Timeouts::standard().reads(limits).writes(limits).transfers(limits).processing(PROCESSING))
}

/// A journal that outlives the programs that write in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notebook(Arc<Mutex<Vec<Intent>>>);

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, JournalError>> + Send + 'a>>;

impl Notebook {
    /// What is open.
    pub(crate) fn open(&self) -> Vec<Intent> {
        self.0.lock().unwrap().clone()
    }
}

impl Journal for Notebook {
    fn begin(&self, intent: &Intent) -> Answer<'_, ()> {
        self.0.lock().unwrap().push(intent.clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn end(&self, id: &str, outcome: Outcome) -> Answer<'_, ()> {
        let mut intents = self.0.lock().unwrap();
        if let Some(number) = intents.iter().position(|intent| intent.id() == id) {
            let ended = intents.remove(number);
            let earlier = intents[..number].iter_mut();
            earlier
                .filter(|earlier| outcome == Outcome::Applied && ended.supersedes(earlier))
                .for_each(|earlier| earlier.mark_superseded(&ended));
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn open_intents(&self) -> Answer<'_, Vec<Intent>> {
        Box::pin(std::future::ready(Ok(self.open())))
    }

    fn abandon(&self, id: &str, outcome: Outcome) -> bool {
        drop(self.end(id, outcome));
        true
    }
}
