//! Makes requests from the documents: shapes give the form, the state gives
//! the ids, and a few names get values that mean something.

use crate::api::engine::{Engine, Incoming};
use crate::contract::shape::{Shape, ShapeKind};
use crate::contract::{Contract, Host, Location, Operation, Parameter, is_json};
use crate::sim::clock::{plus, text};
use crate::sim::rng::Rng;
use crate::sim::synth::{Amount, Synth};
use crate::state::World;
use crate::state::audience::{Profile, ProfileKind};
use crate::state::file_job::List;
use crate::state::template::Scope;
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Ids by the name of the parameter that takes them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids(BTreeMap<&'static str, String>, BTreeMap<String, String>, Vec<ProfileIds>, bool);

/// The parts of a profile that bodies name.
#[derive(Clone, Debug)]
struct ProfileIds {
    id: String,
    regular: bool,
    /// Targets with a quota.
    quotas: Vec<String>,
    conditions: Vec<String>,
}

impl ProfileIds {
    fn of(profile: &Profile) -> Self {
        let conditions = profile.targets.iter().flat_map(|target| &target.conditions);
        Self {
            id: profile.id.clone(),
            regular: profile.kind == ProfileKind::Regular,
            quotas: profile.targets.iter().filter(|t| t.quota.is_some()).map(|t| t.id.clone()).collect(),
            conditions: conditions.map(|condition| condition.id.clone()).collect(),
        }
    }
}

impl Ids {
    pub(super) fn with(mut self, name: &'static str, id: impl Into<String>) -> Self {
        self.0.insert(name, id.into());
        self
    }

    /// Whether the group has been written through the newest version.
    pub(super) fn is_forward(&self) -> bool {
        self.3
    }

    /// The profile that an operation can work on.
    fn profile(&self, operation: &str) -> Option<&ProfileIds> {
        let regular = operation != "remove-interlocks";
        self.2.iter().find(|profile| profile.regular == regular)
    }

    /// The job of the kind that a path names.
    fn job(&self, path: &str) -> Option<&str> {
        let (before, _) = path.split_once("/{job_id}")?;
        let kind = before.rsplit('/').next()?;
        let family = ["exclusions", "recontacts"].into_iter().find(|family| path.contains(&format!("/{family}/")));
        let kind = family.map_or_else(|| kind.to_owned(), |family| format!("{family}/{kind}"));
        self.1.get(&kind).map(String::as_str)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Ids that belong to one target group, and the newest of the rest.
    pub(super) fn of_group(world: &World, group: Option<&str>) -> Self {
        let mut ids = Self::default();
        let group = group.and_then(|id| world.groups.get(id));
        if let Some(group) = group {
            ids = ids.with("project_id", &group.project_id).with("target_group_id", &group.id);
            if let Some(run) = &group.run {
                ids = ids.with("fielding_run_id", &run.id);
            }
            ids.3 = world.forward.contains_key(&group.id);
            ids.2 = group.audience.profiles.iter().map(ProfileIds::of).collect();
            if let Some(profile) = group.audience.profiles.first() {
                ids = ids.with("profile_id", &profile.id);
            }
            if let Some(share) = group.supply.groups.first() {
                ids = ids.with("share", share.id.to_string());
            }
        } else if let Some(project) = world.projects.keys().next_back() {
            ids = ids.with("project_id", project);
        }
        let supply = |scope| world.supply_templates.values().rev().find(|one| one.scope == scope).map(|one| &one.id);
        if let (Some(own), Some(global)) = (supply(Scope::Account), supply(Scope::Global)) {
            ids = ids.with("account_template", own).with("global_template", global);
        }
        let spare = world
            .supply_templates
            .values()
            .rev()
            .find(|one| one.scope == Scope::Account && one.id != world.association.template_id);
        if let Some(spare) = spare {
            ids = ids.with("spare_template", &spare.id);
        }
        let own_profiles = world.profile_templates.values().filter(|one| one.scope == Scope::Account);
        if let Some(template) = own_profiles.max_by_key(|one| one.number) {
            ids = ids.with("profile_template_id", &template.id);
        }
        if let Some(report) = world.reports.keys().next_back() {
            ids = ids.with("report_id", report);
        }
        let empty = world.exclusion_groups.values().rev().take(50).find(|group| group.groups.is_empty());
        if let Some(empty) = empty.or_else(|| world.exclusion_groups.values().next_back()) {
            ids = ids.with("exclusion_group_id", &empty.id);
        }
        for job in world.file_jobs.values().rev().take(50) {
            if group.is_none_or(|group| job.order.group == group.id) {
                let family = if job.order.list == List::Recontacts { "recontacts" } else { "exclusions" };
                ids.1.insert(format!("{family}/{}", job.order.kind), job.id.clone());
            }
        }
        if let Some(reconciliation) = world.reconciliations.keys().next_back() {
            ids = ids.with("request_id", reconciliation);
        }
        let mut sessions = group.into_iter().flat_map(|group| world.sessions_of(group));
        if let Some(session) = sessions.find(|one| one.is_complete()) {
            ids = ids.with("RID", &session.rid);
        }
        if let Some(session) = world.sessions.values().take(500).find(|one| one.left_at.is_none()) {
            ids = ids.with("open", &session.rid);
        }
        for job in world.jobs.values().take(60) {
            if group.is_none_or(|group| job.group().is_none_or(|own| own == group.id)) {
                ids.1.insert(job.kind.clone(), job.id.clone());
            }
        }
        if let Some(hook) = world.webhooks.keys().next_back() {
            ids = ids.with("webhook_id", hook);
        }
        ids.with("user_id", world.account.caller())
            .with("business_unit_id", world.account.business_units[0].id.to_string())
    }
}

pub(super) struct Maker<'e> {
    pub(super) engine: &'e Engine,
    pub(super) contract: &'static Contract,
    pub(super) token: String,
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.first().map(plain).unwrap_or_default(),
        other => other.to_string(),
    }
}

impl<'e> Maker<'e> {
    pub(super) fn new(engine: &'e Engine, date: &str) -> Self {
        let contract = Contract::for_version(date).unwrap();
        let mut world = engine.world();
        let world = &mut *world;
        let token = world.tokens.issue(&mut world.rng, crate::sim::clock::machine_time(), world.settings.token_ttl);
        Self { engine, contract, token }
    }

    /// The oldest version writes the ids of supply templates as UUIDs.
    fn template_id(&self, id: &str) -> String {
        match ulid::Ulid::from_string(id) {
            Ok(ulid) if self.contract.date() == "2024-12-02" => uuid::Uuid::from_u128(ulid.0).to_string(),
            _ => id.to_owned(),
        }
    }

    fn accepts(&self, operation: &Operation, body: &Value) -> bool {
        let media = operation.body.iter().flat_map(|body| &body.media).find(|media| is_json(&media.name));
        media.is_some_and(|media| self.contract.validator(&media.schema).is_ok_and(|v| v.is_valid(body)))
    }

    /// Properties that documents leave open, but without which a request
    /// makes no sense.
    fn wanted(&self, operation: &str, facts: &Facts<'_>) -> Vec<(&'static str, Value)> {
        let date = self.contract.date();
        let legacy = date < "2025-12-18";
        let price = if date == "2024-12-02" {
            json!({ "amount": "2.50", "code": "USD" })
        } else {
            json!({ "value": "2.50", "currency_code": "USD" })
        };
        let profiling = json!({ "profile_adjustment_type": "percentage", "profiles": modern() });
        if let Some(wanted) = self.wanted_supply(operation, facts).or_else(|| wanted_profiles(operation, facts, legacy))
        {
            return wanted;
        }
        match operation {
            "create_target_group" => vec![
                ("live_url", json!("https://survey.example/?RID=[%RID%]")),
                ("cost_per_interview", price),
                (
                    "profile",
                    json!({
                        "profile_adjustment_type": "percentage",
                        "drafts": older("_template"),
                        "interlocked_profiles": [],
                    }),
                ),
                ("profiling", profiling),
            ],
            "update_target_group" => vec![("cost_per_interview", price), ("profiling", profiling)],
            "update_cost_per_interview" => vec![("target_group_cpi", price)],
            "create_bulk_update_target_group_project_manager_job" => {
                vec![("project_manager_id", json!(facts.manager))]
            }
            "create_or_update_fielding_assistant_assignment" => vec![("pricing", Value::Null), ("pacing", Value::Null)],
            "generate_report" => vec![
                ("filter", Value::Null),
                ("filter_ids", Value::Null),
                ("email_recipients", Value::Null),
                ("start_date", json!("2025-05-01")),
                ("end_date", json!("2025-05-31")),
            ],
            "add_target_groups_to_exclusion_group" => {
                vec![("data", json!(facts.ids.get("target_group_id").into_iter().collect::<Vec<_>>()))]
            }
            "set_target_group_respondent_activity_exclusions" => {
                vec![("respondent_activity_exclusions", json!([])), ("duration", json!("P2W"))]
            }
            "upload_live_respondent_unique_codes" | "upload_test_respondent_unique_codes" => {
                vec![("respondent_unique_codes", json!([format!("code-{}", facts.number), "other_code"]))]
            }
            "create_profile_template" | "edit_profile_template" if !legacy => vec![("profiling", profiling)],
            "update_respondent_status" => vec![("id", json!(facts.ids.get("open"))), ("status", json!(5))],
            _ if legacy => {
                vec![
                    ("drafts", older("_template")),
                    ("profiles", older("_template")),
                    ("profiles", older("")),
                    ("interlocked_profile", Value::Null),
                ]
            }
            _ => vec![("profiling", profiling), ("profiles", modern())],
        }
    }

    /// The same, for operations about supply.
    fn wanted_supply(&self, operation: &str, facts: &Facts<'_>) -> Option<Vec<(&'static str, Value)>> {
        Some(match operation {
            "update_target_group_supply_allocation" => {
                let supplier = json!([{ "id": 980 }]);
                match facts.ids.get("share") {
                    Some(_) => vec![("type", json!("group")), ("name", json!("own")), ("suppliers", supplier)],
                    None => {
                        vec![("type", json!("exchange")), ("percentage_min", json!(0)), ("percentage_max", json!(90))]
                    }
                }
            }
            "set_account_allocation_template_association" => {
                vec![("template_id", json!(self.template_id(facts.ids.get("account_template").unwrap_or("x"))))]
            }
            "create_account_allocation_template"
            | "create_global_allocation_template"
            | "update_account_allocation_template"
            | "update_global_allocation_template" => vec![(
                "supply_allocations",
                json!([
                    { "type": "exchange", "percentage_min": 10, "percentage_max": 100 },
                    { "type": "group", "name": "own", "percentage_min": 0, "percentage_max": 50,
                      "suppliers": [{ "supplier_id": 980 }] },
                ]),
            )],
            "create_target_group_supply_allocation" => vec![
                ("name", json!(format!("Group {}", facts.unique))),
                ("percentage_min", json!(0)),
                ("percentage_max", json!(50)),
                ("suppliers", json!([{ "id": 980 }])),
            ],
            "update_target_group_allocation_specification" => vec![
                (
                    "open_exchange_allocations",
                    json!({
                        "blocked_supplier_ids": ["1101"], "exchange_min_percentage": 10, "exchange_max_percentage": 90,
                        "groups": [{
                            "group_name": "own", "min_percentage": 0, "max_percentage": 60, "supplier_ids": ["980"],
                        }],
                    }),
                ),
                ("private_exchange_allocations", json!({ "blocked_supplier_ids": [], "groups": [] })),
            ],
            _ => return None,
        })
    }

    /// A value for one parameter; none for those that are better left out.
    fn parameter(
        &self,
        operation: &Operation,
        parameter: &Parameter,
        ids: &Ids,
        synth: &mut Synth,
        amount: Amount,
    ) -> Option<String> {
        let now = self.engine.world().now();
        Some(match (parameter.name.as_str(), ids.get(&parameter.name)) {
            ("account_id", _) => self.engine.world().account.id.to_string(),
            ("If-Match", _) => "*".into(),
            ("job_id", _) if ids.job(operation.path()).is_some() => {
                ids.job(operation.path()).unwrap_or_default().to_owned()
            }
            ("webhook_id", Some(id)) if self.contract.date() == "2024-12-02" => {
                uuid::Uuid::from_u128(ulid::Ulid::from_string(id).unwrap().0).to_string()
            }
            ("profile_id", _) if ids.profile(operation.id()).is_some() => {
                ids.profile(operation.id()).map(|profile| profile.id.clone()).unwrap_or_default()
            }
            ("report_type", _) => "completes".into(),
            ("file", _) => format!("{}.csv", ids.get("report_id").unwrap_or("x")),
            ("question_id", _) => "43".into(),
            ("locale", _) => "eng_us".into(),
            ("country_code", _) => "US".into(),
            ("aggregation_interval", _) => "PT6H".into(),
            ("days", _) if self.contract.date() >= "2025-12-18" => "5".into(),
            ("start" | "end", _) if self.contract.date() >= "2025-12-18" => return None,
            ("start", _) => hours(now, 2),
            ("end", _) => hours(now, 200),
            ("template_id", _) => {
                let global = operation.path().starts_with("/demand/allocation-templates")
                    || operation.path().contains("/global-allocation-templates");
                let kind = match operation.method() {
                    _ if global => "global_template",
                    "DELETE" => "spare_template",
                    _ => "account_template",
                };
                self.template_id(ids.get(kind).unwrap_or("x"))
            }
            ("allocation_id", _) => ids.get("share").unwrap_or("1").to_owned(),
            (_, Some(id)) if parameter.location == Location::Path => id.to_owned(),
            ("page_size" | "limit", _) => "5".into(),
            ("name", None) => "list".into(),
            ("page_number", _) => "0".into(),
            ("session_month", _) => "2025-05".into(),
            // Cursors of lists that are kept must be known ones.
            ("start_after" | "end_before" | "next_cursor", _) => return None,
            _ => plain(&synth.make(&self.contract.shape(&parameter.schema), amount)),
        })
    }

    /// A body with its media type, for operations that take one.
    fn body(
        &self,
        operation: &Operation,
        facts: &Facts<'_>,
        synth: &mut Synth,
        amount: Amount,
    ) -> Option<(String, String)> {
        let Some(shape) = self.contract.request_shape(operation) else {
            return list_body(operation, facts.ids);
        };
        let mut made = synth.make(&shape, amount);
        facts.tame(&mut made);
        if operation.id() == "update_bulk_target_group_exclusions_api" {
            let group = facts.ids.get("target_group_id").unwrap_or("x");
            made = json!([{ "target_group_id": group, "project_exclusion_enabled": true }]);
        }
        for (name, value) in self.wanted(operation.id(), facts) {
            // Only what the document has room for.
            let mut fuller = made.clone();
            match fuller.as_object_mut() {
                Some(map) if value.is_null() => drop(map.remove(name)),
                Some(map) if declares(&shape, name) => drop(map.insert(name.to_owned(), value)),
                _ => continue,
            }
            if self.accepts(operation, &fuller) {
                made = fuller;
            }
        }
        Some(("application/json".to_owned(), made.to_string()))
    }

    fn manager(&self) -> String {
        self.engine.world().account.caller().to_owned()
    }

    pub(super) fn request(&self, operation: &Operation, ids: &Ids, amount: Amount, rng: Rng) -> Incoming {
        let now = self.engine.world().now();
        let unique = rng.clone().uuid();
        let number = rng.clone().below(1_000_000);
        let mut synth = Synth::new(rng, now);
        let mut path = operation.path().to_owned();
        let mut query = Vec::new();
        let mut headers = HeaderMap::new();
        for parameter in &operation.parameters {
            // A list's name is asked for by the text of the documents alone.
            let asked = parameter.required
                || operation.id().starts_with("post_reconciliations")
                || operation.id() == "suggest_time_range";
            if !asked && amount == Amount::Least {
                continue;
            }
            let Some(value) = self.parameter(operation, parameter, ids, &mut synth, amount) else {
                continue;
            };
            // Keys without a form of their own must differ all the same.
            let keyed = parameter.name.eq_ignore_ascii_case("idempotency-key") && ![26, 36].contains(&value.len());
            let value = if keyed { unique.clone() } else { value };
            // Even an instance of no text must fill its place.
            let value = if value.is_empty() { "x".to_owned() } else { value };
            match parameter.location {
                Location::Path => path = path.replace(&format!("{{{}}}", parameter.name), &value),
                Location::Query => query.push(format!("{}={value}", parameter.name)),
                Location::Header => {
                    headers.insert(parameter.name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
                }
            }
        }
        let facts = Facts { ids, manager: self.manager(), start: hours(now, 2), end: hours(now, 200), unique, number };
        let body = self.body(operation, &facts, &mut synth, amount).map_or_else(Bytes::new, |(media, body)| {
            headers.insert("content-type", media.parse().unwrap());
            body.into()
        });
        let prefix = match operation.host() {
            Host::Demand => {
                headers.insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
                headers.insert("cint-api-version", self.contract.date().parse().unwrap());
                "/v1"
            }
            Host::S2s => {
                headers.insert("authorization", self.engine.world().account.s2s_key.parse().unwrap());
                ""
            }
        };
        Incoming {
            method: operation.method().to_owned(),
            path: format!("{prefix}{path}"),
            query: (!query.is_empty()).then(|| query.join("&")),
            headers,
            body,
        }
    }
}

/// A list of respondents, as a file or as plain lines.
fn list_body(operation: &Operation, ids: &Ids) -> Option<(String, String)> {
    let media = operation.request_media().next()?;
    let rid = ids.get("RID").unwrap_or("6A4E4A56-8E55-4D0C-9D43-0E6A7B8C9D01");
    Some(if media.starts_with("multipart") {
        let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\
                    6a4e4a56-8e55-4d0c-9d43-0e6a7b8c9d01\r\n--b--\r\n";
        ("multipart/form-data; boundary=b".to_owned(), part.to_owned())
    } else if operation.id().ends_with("completes") {
        (media.to_owned(), format!("{rid}\n"))
    } else {
        (media.to_owned(), format!("{rid},933\n"))
    })
}

/// A moment so many hours from now.
fn hours(now: Timestamp, hours: i64) -> String {
    text(plus(now, SignedDuration::from_hours(hours)))
}

/// What operations about profiles want.
fn wanted_profiles(operation: &str, facts: &Facts<'_>, legacy: bool) -> Option<Vec<(&'static str, Value)>> {
    Some(match operation {
        "create-profile" | "create_profile" => {
            let data = if operation == "create-profile" { json!(["1", "2"]) } else { json!(["1"]) };
            vec![
                ("question_id", json!(1_000 + facts.number)),
                ("conditions", json!({ "object": "selection_conditions", "data": data })),
            ]
        }
        "update_profile_conditions" | "update-profile-conditions" => {
            vec![
                ("data", json!([{ "min": 18, "max": 44 }, { "min": 45, "max": 99 }])),
                ("object", json!("range_conditions")),
            ]
        }
        "group-quotas" | "manipulate_profile_condition_groups" => {
            let conditions = facts.ids.profile(operation).map(|profile| profile.conditions.clone());
            vec![("data", json!([{ "name": "together", "conditions": conditions.unwrap_or_default() }]))]
        }
        "create-interlocked-profile" => {
            let ids: Vec<_> = facts.ids.2.iter().filter(|profile| profile.regular).map(|p| p.id.clone()).collect();
            vec![
                ("profiles", json!(ids.into_iter().take(2).collect::<Vec<_>>())),
                ("target_group_filling_goal", json!(100)),
            ]
        }
        "batch_delete_profiles" | "batch-delete-profiles" => {
            let ids: Vec<_> = facts.ids.profile(operation).map(|profile| profile.id.clone()).into_iter().collect();
            vec![("profiles", json!(ids)), ("profile_ids", json!(ids))]
        }
        "batch_delete_profiles_quotas" | "batch-delete-profile-quotas" => {
            let profile = facts.ids.profile(operation);
            let list = profile.map(|p| json!([{ "profile": p.id, "profile_id": p.id, "quotas": p.quotas }]));
            vec![("profiles", list.unwrap_or(json!([])))]
        }
        "update_profile_filling_goal" | "bulk-update-quotas" => {
            let own = facts.ids.profile(operation).filter(|profile| !profile.quotas.is_empty());
            let one = |p: &ProfileIds| {
                json!([{
                    "profile_id": p.id,
                    "quotas": [{ "quota_id": p.quotas[0], "filling_goal": 61 }],
                    "targets": [{ "id": p.quotas[0], "quota": { "completes_goal": 61 } }],
                }])
            };
            let name = if legacy { "filling_goal" } else { "completes_goal" };
            vec![("profiles", own.map_or(json!([]), one)), (name, json!(120))]
        }
        "get_panel_distribution_draft" | "get_panel_distribution" => {
            let profile = if legacy {
                json!({
                    "question_id": 42,
                    "conditions": { "object": "range_conditions", "data": [
                        { "min": 18, "max": 34 }, { "min": 35, "max": 99 },
                    ] },
                    "quotas": { "grouped": [], "ungrouped": [
                        { "index": 0, "quota_percentage": 40, "quota_nominal": 0 },
                        { "index": 1, "quota_percentage": 60, "quota_nominal": 0 },
                    ] },
                })
            } else {
                modern()[0].clone()
            };
            vec![("profile", profile)]
        }
        _ => return None,
    })
}

/// What words in bodies mean.
struct Facts<'i> {
    ids: &'i Ids,
    unique: String,
    number: u64,
    manager: String,
    start: String,
    end: String,
}

impl Facts<'_> {
    fn tame(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.tame(item)),
            Value::Object(map) => {
                for (name, value) in map {
                    match self.known(name, value) {
                        Some(known) => *value = known,
                        None => self.tame(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn known(&self, name: &str, value: &Value) -> Option<Value> {
        let group = self.ids.get("target_group_id");
        Some(match (name, value) {
            ("project_manager_id", Value::String(_)) => json!(self.manager),
            ("business_unit_id", Value::String(_)) => json!("3848"),
            ("business_unit_id", Value::Number(_)) => json!(3848),
            ("start_at" | "start_fielding_at", Value::String(_)) => json!(self.start),
            ("end_at" | "end_fielding_at", Value::String(_)) => json!(self.end),
            ("start_date", Value::String(given)) if given.len() == 10 => json!("2025-05-01"),
            ("end_date", Value::String(given)) if given.len() == 10 => json!("2025-05-31"),
            ("start_date", Value::String(_)) => json!(self.start),
            ("end_date", Value::String(_)) => json!(self.end),
            ("locale", Value::String(_)) => json!("eng_us"),
            ("currency_code" | "code", Value::String(_)) => json!("USD"),
            ("expected_incidence_rate", Value::Number(_)) => json!(0.6),
            ("value" | "amount", Value::String(_)) => json!("2.50"),
            ("live_url" | "test_url", Value::String(_)) => json!("https://survey.example/?RID=[%RID%]"),
            ("target_group_ids", Value::Array(_)) => json!([group?]),
            ("url", Value::String(_)) => json!("https://hooks.example/cint"),
            ("respondent_activity_exclusions", Value::Array(_)) => json!([]),
            ("country_code", Value::String(_)) => json!("US"),
            ("profile_adjustment_type", Value::String(_)) => json!("percentage"),
            ("fielding_assistant_assignment", Value::Object(_)) => json!({}),
            ("allocations", Value::Object(_)) => json!({
                "open_exchange_allocations": {
                    "blocked_supplier_ids": [], "exchange_min_percentage": 0, "exchange_max_percentage": 100,
                    "groups": [],
                },
                "private_exchange_allocations": { "blocked_supplier_ids": [], "groups": [] },
            }),
            ("supply_allocations", Value::Array(_)) => json!([
                { "type": "exchange", "percentage_min": 0, "percentage_max": 100 },
            ]),
            ("filling_goal" | "completes_goal" | "target_group_filling_goal", Value::Number(_)) => json!(100),
            // Profiles made up of nothing make no sense: fewer are enough.
            ("drafts" | "interlocked_profiles", Value::Array(_)) => json!([]),
            _ => return None,
        })
    }
}

fn declares(shape: &Shape, name: &str) -> bool {
    match &shape.kind {
        ShapeKind::Object { properties, .. } => properties.iter().any(|property| property.name == name),
        ShapeKind::Union(branches) => branches.iter().any(|branch| declares(branch, name)),
        _ => false,
    }
}

/// Age bands and genders, in the words of 2025-12-18.
fn modern() -> Value {
    let target = |condition: Value, part: i64| json!({ "conditions": [condition], "quota": { "completes_goal_percentage": part } });
    let age = |min: i64, max: i64| json!({ "object": "range", "question_id": 42, "min": min, "max": max });
    let gender = |option: &str| json!({ "object": "selection", "question_id": 43, "option": option });
    json!([
        { "object": "regular", "quotas_enabled": true, "targets": [target(age(18, 34), 40), target(age(35, 99), 60)] },
        { "object": "regular", "quotas_enabled": true, "targets": [target(gender("1"), 49), target(gender("2"), 51)] },
    ])
}

/// The same in the words before.
fn older(suffix: &str) -> Value {
    let quota = |at: i64, part: i64| json!({ "index": at, "quota_percentage": part, "quota_nominal": 0 });
    json!([
        {
            "question_id": 42, "name": "AGE", "quotas_enabled": true,
            "conditions": { "object": format!("range_conditions_details{suffix}"), "data": [
                { "text": "18-34", "min": 18, "max": 34 }, { "text": "35-99", "min": 35, "max": 99 },
            ] },
            "quotas": { "grouped": [], "ungrouped": [quota(0, 40), quota(1, 60)] },
        },
        {
            "question_id": 43, "name": "GENDER", "quotas_enabled": true,
            "conditions": { "object": format!("selection_conditions_details{suffix}"), "data": [
                { "text": "Male", "option": "1" }, { "text": "Female", "option": "2" },
            ] },
            "quotas": { "grouped": [], "ungrouped": [quota(0, 49), quota(1, 51)] },
        },
    ])
}
