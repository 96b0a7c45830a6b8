//! The simulated Exchange's state, and how it moves with time.
//! Pure: the clock and the randomness are part of it, nothing here does I/O.

pub(crate) mod arrivals;
pub(crate) mod audience;
pub(crate) mod bounded_map;
pub(crate) mod currency;
pub(crate) mod edit;
pub(crate) mod exclusion;
pub(crate) mod field;
pub(crate) mod fielding;
pub(crate) mod file_job;
pub(crate) mod history;
pub(crate) mod idempotency;
pub(crate) mod interlock;
pub(crate) mod job;
pub(crate) mod ledger;
pub(crate) mod library;
pub(crate) mod locale;
pub(crate) mod market;
pub(crate) mod outbox;
pub(crate) mod pacing;
pub(crate) mod page;
pub(crate) mod people;
pub(crate) mod population;
pub(crate) mod project;
pub(crate) mod rate_card;
pub(crate) mod reconciliation;
pub(crate) mod report;
pub(crate) mod rounding;
pub(crate) mod saved;
pub(crate) mod schedule;
mod seeding;
mod seeds;
pub(crate) mod session;
pub(crate) mod supply;
pub(crate) mod target_group;
pub(crate) mod template;
pub(crate) mod tokens;
pub(crate) mod webhook;

use crate::scenario::Scenario;
use crate::seed_file::SeedFile;
use crate::sim::clock::Clock;
use crate::sim::rng::Rng;
use crate::tolerance::Tolerance;
use audience::Condition;
use bounded_map::BoundedMap;
use exclusion::ExclusionGroup;
use file_job::FileJob;
use history::Entry;
use idempotency::Idempotency;
use jiff::{SignedDuration, Timestamp};
use job::{Job, PlannedFailure};
use market::Market;
use outbox::{Deliveries, Outbox};
use people::People;
use project::Project;
use reconciliation::Reconciliation;
use report::Report;
use schedule::Schedule;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session::Session;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use target_group::TargetGroup;
use template::{Association, ProfileTemplate, SupplyTemplate};
use tokens::Tokens;
use webhook::Webhook;

/// What a sandbox is told at its start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) token_ttl: SignedDuration,
    /// How long an asynchronous job stays in progress.
    pub(crate) job_delay: SignedDuration,
    /// The mean time between two respondents; zero turns the field off.
    pub(crate) field_pace: SignedDuration,
    /// How many respondents come at the moment of going live.
    pub(crate) field_burst: u32,
    /// How long a respondent stays in the survey.
    pub(crate) session_time: SignedDuration,
    pub(crate) account_id: i64,
    /// The wait before a webhook is tried again; it doubles each time.
    pub(crate) webhook_retry: SignedDuration,
    /// How the people of the field behave.
    #[serde(with = "saved::shared")]
    pub(crate) scenario: Arc<Scenario>,
    /// What there is from the start.
    #[serde(with = "saved::shared")]
    pub(crate) seed_file: Arc<SeedFile>,
    /// Whether reports end where their last day begins.
    #[serde(default)]
    pub(crate) reports_end_at_last_midnight: bool,
    /// What is taken though the API may refuse it.
    pub(crate) tolerances: BTreeSet<Tolerance>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            token_ttl: SignedDuration::from_hours(24),
            job_delay: SignedDuration::from_millis(150),
            field_pace: SignedDuration::from_millis(200),
            field_burst: 12,
            session_time: SignedDuration::from_millis(100),
            account_id: 2428,
            webhook_retry: SignedDuration::from_secs(1),
            scenario: Arc::default(),
            seed_file: Arc::default(),
            reports_end_at_last_midnight: false,
            tolerances: Tolerance::USUAL.into(),
        }
    }
}

/// A business unit of the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BusinessUnit {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) currency: String,
    pub(crate) pricing_models: Vec<String>,
}

impl BusinessUnit {
    /// Those that there are where a seed file names none.
    pub(crate) fn usual() -> [Self; 3] {
        let unit = |id, name: &str, currency: &str, models: &[&str]| Self {
            id,
            name: name.to_owned(),
            currency: currency.to_owned(),
            pricing_models: models.iter().map(|model| (*model).to_owned()).collect(),
        };
        [
            unit(3848, "Sandbox US", "USD", &["dynamic"]),
            unit(3849, "Sandbox UK", "GBP", &["dynamic", "rate_card"]),
            unit(3850, "Sandbox Rate Card", "EUR", &["rate_card"]),
        ]
    }

    /// Whether target groups of it can be priced so.
    pub(crate) fn prices_by(&self, model: &str) -> bool {
        self.pricing_models.iter().any(|own| own == model)
    }
}

/// A user of the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
}

/// The one account that is there from the start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) users: Vec<User>,
    pub(crate) service_clients: Vec<User>,
    pub(crate) business_units: Vec<BusinessUnit>,
    /// Whom the account works for: id and name.
    pub(crate) clients: Vec<(i64, String)>,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) s2s_key: String,
}

impl Account {
    fn seeded(settings: &Settings) -> Self {
        let mut rng = Rng::named(settings.seed, "account");
        let users = ["Robin Field", "Sam Quota", "Alex Survey"]
            .iter()
            .map(|name| User {
                id: rng.uuid(),
                name: (*name).to_owned(),
                email: format!("{}@example.com", name.to_lowercase().replace(' ', ".")),
            })
            .collect();
        let mut account = Self {
            id: settings.account_id,
            name: "Sandbox Research".into(),
            users,
            service_clients: vec![User {
                id: Rng::named(settings.seed, "service").uuid(),
                name: "Sandbox integration".into(),
                email: "integration@example.com".into(),
            }],
            clients: (1..=23).map(|n| (700 + n, format!("Client {n:02}"))).collect(),
            business_units: BusinessUnit::usual().into(),
            client_id: format!("sandbox-{}", rng.hex(12)),
            client_secret: rng.hex(40),
            s2s_key: rng.uuid(),
        };
        seeding::account(&settings.seed_file, settings.seed, &mut account);
        account
    }

    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id.eq_ignore_ascii_case(id))
    }

    /// What may stand where a user's id is asked for.
    pub(crate) fn not_a_user(&self, given: &str) -> String {
        let ids: Vec<&str> = self.users.iter().map(|user| user.id.as_str()).collect();
        format!("got {given}, allowed: {}", ids.join(", "))
    }

    /// The same of a business unit's.
    pub(crate) fn not_a_unit(&self, given: Option<&Value>) -> String {
        let ids: Vec<String> = self.business_units.iter().map(|unit| unit.id.to_string()).collect();
        let given = given.map_or_else(|| "nothing".into(), Value::to_string);
        format!("got {given}, allowed: {}", ids.join(", "))
    }

    pub(crate) fn business_unit(&self, id: i64) -> Option<&BusinessUnit> {
        self.business_units.iter().find(|unit| unit.id == id)
    }

    /// The currency of a business unit.
    pub(crate) fn currency_of(&self, unit: i64) -> &str {
        self.business_unit(unit).map_or("USD", |unit| unit.currency.as_str())
    }

    /// The user that calls with the account's credentials act for.
    pub(crate) fn caller(&self) -> &str {
        self.users.first().map_or("", |user| user.id.as_str())
    }
}

/// The whole state of one sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    #[serde(with = "saved::clock")]
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    pub(crate) account: Account,
    pub(crate) market: Market,
    /// Not saved: callers keep theirs.
    #[serde(skip)]
    pub(crate) tokens: Tokens,
    pub(crate) projects: BoundedMap<Project>,
    pub(crate) groups: BoundedMap<TargetGroup>,
    pub(crate) jobs: BoundedMap<Job>,
    pub(crate) sessions: BoundedMap<Session>,
    pub(crate) people: People,
    pub(crate) reconciliations: BoundedMap<Reconciliation>,
    pub(crate) webhooks: BoundedMap<Webhook>,
    pub(crate) deliveries: Deliveries,
    /// Webhooks draw on their own, so that subscribing changes nothing else.
    pub(crate) hook_rng: Rng,
    /// The id of the last event, which the next one must follow.
    #[serde(with = "saved::text")]
    pub(crate) last_event: ulid::Ulid,
    pub(crate) idempotency: Idempotency,
    pub(crate) schedule: Schedule,
    /// Cells that the interlock helper has given out, by condition id: the
    /// older versions name them without saying again what they consist of.
    pub(crate) cells: BoundedMap<Vec<Condition>>,
    /// Lists of ids that belong to target groups, see [`file_job::List`].
    pub(crate) lists: BoundedMap<BTreeSet<String>>,
    pub(crate) file_jobs: BoundedMap<FileJob>,
    /// The job that runs, by target group and whether it is for recontacts.
    #[serde(with = "saved::pairs")]
    pub(crate) busy: BTreeMap<(String, bool), String>,
    pub(crate) exclusion_groups: BoundedMap<ExclusionGroup>,
    pub(crate) supply_templates: BoundedMap<SupplyTemplate>,
    pub(crate) association: Association,
    pub(crate) profile_templates: BoundedMap<ProfileTemplate>,
    pub(crate) reports: BoundedMap<Report>,
    /// The changelogs of target groups, oldest entry first.
    pub(crate) histories: BoundedMap<VecDeque<Entry>>,
    /// What waits for subscribers, by webhook.
    pub(crate) outbox: BTreeMap<String, Outbox>,
    /// Whether somebody takes events to subscribers.
    #[serde(skip)]
    pub(crate) has_courier: bool,
    /// The moment at which the clock is held while a request is recorded.
    #[serde(skip)]
    pub(crate) pinned: Option<Timestamp>,
    /// What has been written through 2025-12-18, by id.
    pub(crate) forward: BoundedMap<()>,
    /// So many of the next jobs fail, because a test wants it.
    pub(crate) failing: u32,
    /// The same for the jobs of single target groups.
    pub(crate) planned_failures: BTreeMap<String, PlannedFailure>,
}

impl World {
    pub(crate) fn new(settings: Settings, clock: Clock) -> Self {
        let mut world = Self {
            account: Account::seeded(&settings),
            market: settings.seed_file.market(),
            rng: Rng::named(settings.seed, "world"),
            tokens: Tokens::default(),
            projects: BoundedMap::new(10_000, 32 << 20),
            groups: BoundedMap::new(10_000, 64 << 20),
            jobs: BoundedMap::new(10_000, 32 << 20),
            sessions: BoundedMap::new(200_000, 256 << 20),
            people: People::default(),
            reconciliations: BoundedMap::new(1_000, 64 << 20),
            webhooks: BoundedMap::new(20, 1 << 20),
            deliveries: Deliveries::default(),
            hook_rng: Rng::named(settings.seed, "webhooks"),
            last_event: ulid::Ulid::nil(),
            idempotency: Idempotency::default(),
            schedule: Schedule::default(),
            cells: BoundedMap::new(100_000, 64 << 20),
            lists: BoundedMap::new(20_000, 256 << 20),
            file_jobs: BoundedMap::new(5_000, 64 << 20),
            busy: BTreeMap::new(),
            exclusion_groups: BoundedMap::new(5_000, 64 << 20),
            supply_templates: BoundedMap::new(1_000, 16 << 20),
            association: Association::default(),
            profile_templates: BoundedMap::new(1_000, 32 << 20),
            reports: BoundedMap::new(1_000, 64 << 20),
            histories: BoundedMap::new(10_000, 64 << 20),
            outbox: BTreeMap::new(),
            has_courier: false,
            pinned: None,
            forward: BoundedMap::new(50_000, 16 << 20),
            failing: 0,
            planned_failures: BTreeMap::new(),
            settings,
            clock,
        };
        seeds::plant(&mut world);
        seeding::studies(&mut world);
        world
    }

    /// Whether the job that is done now is one that is to fail.
    pub(crate) fn fails_next(&mut self) -> bool {
        let fails = self.failing > 0;
        self.failing = self.failing.saturating_sub(1);
        fails
    }

    /// Lets the next jobs of a target group fail for a reason; 0 jobs end it.
    pub(crate) fn fail_jobs_of(&mut self, group: &str, jobs: u32, code: &str, description: &str) -> bool {
        if !self.groups.contains_key(group) {
            return false;
        }
        if jobs == 0 {
            self.planned_failures.remove(group);
        } else {
            let groups = &self.groups;
            self.planned_failures.retain(|id, _| groups.contains_key(id));
            let (code, description) = (code.to_owned(), description.to_owned());
            self.planned_failures.insert(group.to_owned(), PlannedFailure { left: jobs, code, description });
        }
        true
    }

    /// Lets other settings hold. Where people come otherwise under them, what was planned is planned anew.
    pub(crate) fn adopt(&mut self, settings: Settings) {
        let is_same = self.settings.field_pace == settings.field_pace && self.settings.scenario == settings.scenario;
        self.settings = settings;
        if !is_same {
            arrivals::plan_all(self);
        }
    }

    /// Puts another state in the place of this one. Callers keep their tokens,
    /// and what was on its way to subscribers then sets out again.
    pub(crate) fn replace(&mut self, mut other: Self) {
        other.tokens = std::mem::take(&mut self.tokens);
        other.has_courier = self.has_courier;
        let now = other.clock.unhurried();
        for outbox in other.outbox.values_mut() {
            outbox.recall(&mut other.deliveries, now);
        }
        *self = other;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.pinned.unwrap_or_else(|| self.clock.now())
    }

    pub(crate) fn ulid(&mut self) -> String {
        let now = self.now();
        self.rng.ulid(now)
    }

    /// Lets everything happen that is due by now, in its order; the rest later
    /// where subscribers have to catch up first.
    pub(crate) fn settle(&mut self) {
        if self.schedule.is_long() {
            self.tidy();
        }
        let now = self.now();
        while !webhook::is_held_back(self)
            && let Some((at, event)) = self.schedule.due(now)
        {
            schedule::apply(self, at, event);
        }
    }

    /// Takes from the schedule what has lost its meaning: runs whose dates were
    /// moved, things that are forgotten.
    fn tidy(&mut self) {
        let mut schedule = std::mem::take(&mut self.schedule);
        schedule.keep(|at, event| schedule::matters(self, at, event));
        self.schedule = schedule;
    }

    /// Which of the collections that callers can make grow are larger than
    /// they may be.
    #[cfg(test)]
    pub(crate) fn out_of_bounds(&self) -> Vec<&'static str> {
        let full = |outbox: &Outbox| outbox.waiting() > outbox::MAX_WAITING_EVENTS;
        let within = [
            ("projects", self.projects.is_within_bounds()),
            ("groups", self.groups.is_within_bounds()),
            ("jobs", self.jobs.is_within_bounds()),
            ("sessions", self.sessions.is_within_bounds()),
            ("people", self.people.is_within_bounds()),
            ("reconciliations", self.reconciliations.is_within_bounds()),
            ("webhooks", self.webhooks.is_within_bounds()),
            ("deliveries", self.deliveries.is_within_bounds()),
            ("cells", self.cells.is_within_bounds()),
            ("lists", self.lists.is_within_bounds()),
            ("file jobs", self.file_jobs.is_within_bounds()),
            ("exclusion groups", self.exclusion_groups.is_within_bounds()),
            ("supply templates", self.supply_templates.is_within_bounds()),
            ("profile templates", self.profile_templates.is_within_bounds()),
            ("reports", self.reports.is_within_bounds()),
            ("histories", self.histories.is_within_bounds()),
            ("forward", self.forward.is_within_bounds()),
            // One file job of each kind runs for a group, and each is known.
            ("busy", self.busy.len() <= self.file_jobs.len() + 1),
            ("outbox", self.outbox.keys().all(|id| self.webhooks.contains_key(id)) && !self.outbox.values().any(full)),
            // Respondents that no shelf knows any more are forgotten in time.
            ("rids", self.groups.values().map(|group| group.rids.len()).sum::<usize>() <= 600_000),
            ("group ids", self.projects.values().map(|project| project.groups.len()).sum::<usize>() <= 60_000),
            ("schedule", self.schedule.len() <= 600_000),
        ];
        within.into_iter().filter(|(_, within)| !within).map(|(name, _)| name).collect()
    }

    /// The target groups of a project, oldest first.
    pub(crate) fn groups_of<'w>(&'w self, project: &'w str) -> impl Iterator<Item = &'w TargetGroup> {
        let ids = self.projects.get(project).map(|project| project.groups.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.groups.get(id))
    }

    /// Weighs a group again that may have been changed. It is never the reason for another one to go that is in use.
    pub(crate) fn reweigh_group(&mut self, id: &str) {
        if let Some(weight) = self.groups.get(id).map(TargetGroup::weight) {
            self.groups.weigh(id, weight);
            let _ = self.has_room_for_groups(0, 0, id);
        }
    }

    /// Whether there is room for so many target groups more and so much more weight. Drafts and those whose field is
    /// over give way for it, but not the one that is named.
    pub(crate) fn has_room_for_groups(&mut self, count: usize, weight: usize, but: &str) -> bool {
        self.groups.make_room(count, weight, |group| group.id != but && !group.is_in_use())
    }

    /// Puts a group that is new into its project. Whether there was room for it.
    pub(crate) fn add_group(&mut self, group: TargetGroup) -> bool {
        let weight = group.weight();
        if !self.has_room_for_groups(1, weight, "") {
            return false;
        }
        let groups = &self.groups;
        if let Some(project) = self.projects.get_mut(&group.project_id) {
            // What the shelf has given up is forgotten here as well.
            if project.groups.len().is_power_of_two() {
                project.groups.retain(|id| groups.contains_key(id));
            }
            project.groups.push(group.id.clone());
        }
        self.groups.put(group.id.clone(), group, weight);
        true
    }

    /// The respondents of a target group, in the order in which they came.
    pub(crate) fn sessions_of<'w>(&'w self, group: &'w TargetGroup) -> impl Iterator<Item = &'w Session> {
        group.rids.iter().filter_map(|rid| self.sessions.get(rid))
    }

    /// The respondents of a project that have completed.
    pub(crate) fn completes_of<'w>(&'w self, project: &'w str) -> impl Iterator<Item = &'w Session> {
        // Most groups have none, so theirs are not looked through.
        let groups = self.groups_of(project).filter(|group| group.ledger.total.completes > 0);
        groups.flat_map(|group| self.sessions_of(group)).filter(|session| session.is_complete())
    }
}
