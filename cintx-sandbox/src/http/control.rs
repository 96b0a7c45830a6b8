//! The control endpoint: looking into a sandbox and moving it, from any
//! language. Not part of the API, and under a path of its own.

use super::log::Received;
use crate::api::engine::{Engine, Incoming};
use crate::fault::{self, Fault, fits};
use crate::http::recording::Recording;
use crate::reading;
use crate::scenario::Scenario;
use crate::seed_file::SeedFile;
use crate::sim::clock::{machine_time, text};
use crate::state::field;
use crate::state::outbox::Outbox;
use crate::state::session::Session;
use crate::state::webhook::{self, Webhook};
use crate::state::{Settings, World};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// A status and a body.
type Reply = (u16, Value);

/// What does one operation: a method, a path, and the handler.
type Route = (&'static str, &'static str, fn(&Engine, &Incoming) -> Result<Reply, Reply>);

/// Everything that there is; `{id}` stands for one segment.
const ROUTES: &[Route] = &[
    ("GET", "/control/about", |engine, incoming| plain(incoming).map(|()| (200, about(engine)))),
    ("GET", "/control/state", |engine, incoming| plain(incoming).map(|()| (200, state(&engine.world())))),
    ("GET", "/control/requests", requests),
    ("POST", "/control/requests/verify", verify),
    ("POST", "/control/clock", move_clock),
    ("GET", "/control/faults", |engine, incoming| {
        plain(incoming).map(|()| (200, json!({ "faults": engine.faults().facts() })))
    }),
    ("POST", "/control/faults", add_faults),
    ("DELETE", "/control/faults", |engine, incoming| {
        plain(incoming)?;
        engine.faults().clear();
        Ok((200, json!({})))
    }),
    ("DELETE", "/control/faults/{id}", remove_fault),
    ("GET", "/control/scenario", |engine, incoming| {
        plain(incoming)?;
        serde_json::to_value(engine.world().settings.scenario.as_ref()).map(|facts| (200, facts)).map_err(refuse)
    }),
    ("POST", "/control/scenario", set_scenario),
    ("POST", "/control/jobs/fail", fail_jobs),
    ("POST", "/control/tokens/expire", |engine, incoming| {
        let Nothing {} = read(incoming)?;
        engine.world().tokens.expire_all(machine_time());
        Ok((200, json!({})))
    }),
    ("POST", "/control/respondents", add_respondent),
    ("POST", "/control/reset", |engine, incoming| {
        let Nothing {} = read(incoming)?;
        not_recording(engine)?;
        engine.reset();
        Ok((200, json!({ "now": text(engine.world().now()) })))
    }),
    ("GET", "/control/seed", |engine, incoming| {
        plain(incoming)?;
        serde_json::to_value(engine.world().settings.seed_file.as_ref()).map(|facts| (200, facts)).map_err(refuse)
    }),
    ("POST", "/control/seed", set_seed_file),
    ("GET", "/control/saved", |engine, incoming| {
        plain(incoming).map(|()| (200, json!({ "saved": engine.saved_names() })))
    }),
    ("GET", "/control/saved/{id}", saved_state),
    ("PUT", "/control/saved/{id}", keep_state),
    ("GET", "/control/recording", |engine, incoming| plain(incoming).and_then(|()| recording(engine, false))),
    ("POST", "/control/recording/begin", |engine, incoming| {
        let Nothing {} = read(incoming)?;
        engine.begin_recording().map(|()| (200, json!({}))).map_err(refuse)
    }),
    ("POST", "/control/recording/end", |engine, incoming| {
        let Nothing {} = read(incoming)?;
        recording(engine, true)
    }),
    ("POST", "/control/recording/replay", replay),
    ("POST", "/control/save", |engine, incoming| {
        let Named { name } = read(incoming)?;
        check_name(&name)?;
        engine.save(&name).map(|()| (200, json!({ "saved": name }))).map_err(|reason| (409, json!({ "error": reason })))
    }),
    ("POST", "/control/load", |engine, incoming| {
        let Named { name } = read(incoming)?;
        not_recording(engine)?;
        match engine.load(&name) {
            Ok(()) => Ok((200, json!({ "loaded": name, "now": text(engine.world().now()) }))),
            Err(known) => Err((404, json!({ "error": format!("nothing is saved as {name}"), "saved": known }))),
        }
    }),
];

/// A body without anything in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A state that is kept under a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

/// A recording to be done again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    recording: Recording,
    /// Whether the sandbox goes on from where it ends.
    #[serde(default)]
    load: bool,
}

/// How the clock is to move.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    #[serde(default)]
    advance_seconds: f64,
    speed: Option<f64>,
}

/// Jobs that are to fail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailingJobs {
    #[serde(default = "one")]
    next: u32,
    /// Only jobs about this target group, and for which reason.
    target_group_id: Option<String>,
    code: Option<String>,
    description: Option<String>,
}

/// The code of a failure that a test has given none for.
const USUAL_FAILURE: &str = "JobExecutionStartMessageFailed";

/// Somebody for a target group.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRespondent {
    target_group_id: String,
}

/// The methods that requests come with.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Which requests are meant; what is not given may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    operation: Option<String>,
    method: Option<String>,
    path: Option<String>,
    status: Option<u16>,
    idempotency_key: Option<String>,
    number: Option<u64>,
    /// Only requests with a greater number.
    after: Option<u64>,
}

impl Filter {
    fn read(engine: &Engine, given: serde_json::Map<String, Value>) -> Result<Self, Reply> {
        let filter: Self = reading::from(Value::Object(given)).map_err(refuse)?;
        // Of what is no operation, only calls for a token are requests.
        let operation = filter.operation.as_deref();
        operation.map_or(Ok(()), |operation| engine.check_operation(operation, &[fault::TOKEN])).map_err(refuse)?;
        if let Some(method) = filter.method.as_deref().filter(|method| !METHODS.contains(method)) {
            return Err(refuse(format!("method is {method}; there are: {}", METHODS.join(", "))));
        }
        Ok(filter)
    }

    fn fits(&self, one: &Received) -> bool {
        let same = |wanted: &Option<String>, own: Option<&str>| wanted.as_deref().is_none_or(|text| own == Some(text));
        let operation = one.operation.as_deref();
        self.operation.as_deref().is_none_or(|pattern| operation.is_some_and(|own| fits(pattern, own)))
            && same(&self.method, Some(&one.method))
            && same(&self.path, Some(&one.path))
            && same(&self.idempotency_key, one.idempotency_key.as_deref())
            && self.status.is_none_or(|status| status == one.status)
            && self.number.is_none_or(|number| one.number == number)
            && self.after.is_none_or(|number| one.number > number)
    }

    /// Whether it may mean one of the first requests, so many.
    fn reaches_back(&self, first: u64) -> bool {
        first > 0
            && self.after.is_none_or(|number| number < first)
            && self.number.is_none_or(|number| (1..=first).contains(&number))
    }
}

fn one() -> u32 {
    1
}

/// Answers a control request: status and body.
pub(crate) fn serve(engine: &Engine, incoming: &Incoming) -> Reply {
    let here: Vec<&Route> = ROUTES.iter().filter(|(_, path, _)| is_at(path, &incoming.path)).collect();
    if let Some((_, _, handler)) = here.iter().find(|(method, _, _)| *method == incoming.method) {
        return handler(engine, incoming).unwrap_or_else(|refusal| refusal);
    }
    let known =
        |routes: &[&Route]| routes.iter().map(|(method, path, _)| format!("{method} {path}")).collect::<Vec<_>>();
    if here.is_empty() {
        let all: Vec<&Route> = ROUTES.iter().collect();
        return (404, json!({ "error": format!("there is no {}", incoming.path), "known": known(&all) }));
    }
    let error = format!("{} cannot be asked of {}", incoming.method, incoming.path);
    (405, json!({ "error": error, "known": known(&here) }))
}

fn is_at(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix("{id}") {
        Some(before) => path.strip_prefix(before).is_some_and(|id| !id.is_empty() && !id.contains('/')),
        None => pattern == path,
    }
}

fn refuse(reason: impl std::fmt::Display) -> Reply {
    (400, json!({ "error": reason.to_string() }))
}

/// Holds that a request has no body and no query.
fn plain(incoming: &Incoming) -> Result<(), Reply> {
    match parameters(incoming).first() {
        Some((name, _)) => Err(refuse(format!("there is no parameter {name}"))),
        None => Ok(()),
    }
}

/// The parameters of the query, without the one that lets people in.
pub(super) fn parameters(incoming: &Incoming) -> Vec<(String, String)> {
    let query = incoming.query.as_deref().unwrap_or_default();
    let text = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| *name != "token")
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// Reads a body; nothing at all is an empty object. What is not known in it is
/// refused, with what is.
fn read<T: DeserializeOwned>(incoming: &Incoming) -> Result<T, Reply> {
    plain(incoming)?;
    let body: &[u8] = if incoming.body.is_empty() { b"{}" } else { &incoming.body };
    reading::from_json(body).map_err(refuse)
}

/// The text of a body that must not be left out.
fn text_of(incoming: &Incoming, what: &str) -> Result<String, Reply> {
    plain(incoming)?;
    let text = String::from_utf8(incoming.body.to_vec()).map_err(|_| refuse("the body is not UTF-8"))?;
    if text.trim().is_empty() {
        return Err(refuse(format!("the body is empty; {what} is needed, in TOML or JSON")));
    }
    Ok(text)
}

fn requests(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let mut given = serde_json::Map::new();
    for (name, value) in parameters(incoming) {
        let value = if ["status", "number", "after"].contains(&name.as_str()) {
            let number = value.parse::<u64>();
            Value::from(number.map_err(|_| refuse(format!("{name} is {value}; a whole number is needed")))?)
        } else {
            Value::String(value)
        };
        if given.insert(name.clone(), value).is_some() {
            return Err(refuse(format!("{name} is given twice; one value is needed")));
        }
    }
    let filter = Filter::read(engine, given)?;
    let entries: Vec<Value> = engine.log().entries(|one| filter.fits(one)).iter().map(Received::facts).collect();
    Ok((200, json!({ "count": entries.len(), "requests": entries })))
}

fn verify(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let mut given: serde_json::Map<String, Value> = read(incoming)?;
    let times = given.remove("times").unwrap_or_default();
    let Some(times) = times.as_u64() else {
        return Err(refuse(format!("times is {times}; a whole number from 0 on is needed")));
    };
    let filter = Filter::read(engine, given)?;
    let (forgotten, count) = {
        let log = engine.log();
        (log.forgotten(), log.youngest().filter(|one| filter.fits(one)).count() as u64)
    };
    if filter.reaches_back(forgotten) {
        return Err(refuse(format!(
            "the log has forgotten requests that may be meant: the oldest it has is number {}; give after, from \
             {forgotten} on",
            forgotten + 1
        )));
    }
    let status = if count == times { 200 } else { 409 };
    Ok((status, json!({ "expected": times, "count": count })))
}

fn move_clock(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let ClockMove { advance_seconds, speed } = read(incoming)?;
    if let Some(speed) = speed.filter(|speed| !is_speed(*speed)) {
        return Err(refuse(format!("speed is {speed}; a number from 0 to 1000000 is needed")));
    }
    if advance_seconds.is_nan() || advance_seconds < 0.0 {
        return Err(refuse(format!("advance_seconds is {advance_seconds}; the clock does not go back")));
    }
    {
        let mut world = engine.world();
        let most = world.now().duration_until(Timestamp::MAX).as_secs();
        // Moments beyond cannot be written.
        let by = SignedDuration::try_from_secs_f64(advance_seconds).ok().filter(|by| by.as_secs() < most);
        let by = by.ok_or_else(|| {
            refuse(format!(
                "advance_seconds is {advance_seconds}; less than {most} is needed, which is the end of time"
            ))
        })?;
        if let Some(speed) = speed {
            world.clock.set_speed(speed);
        }
        world.clock.advance(by);
    }
    Ok((200, json!({ "now": text(engine.world().now()) })))
}

fn add_faults(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let given = Fault::read_all(&text_of(incoming, "a fault or several")?).map_err(refuse)?;
    engine.check_faults(&given).map_err(refuse)?;
    let mut faults = engine.faults();
    let ids: Vec<u64> = given.into_iter().map(|fault| faults.add(fault).0).collect();
    Ok((201, json!({ "ids": ids })))
}

fn remove_fault(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    plain(incoming)?;
    let id = incoming.path.rsplit('/').next().and_then(|id| id.parse().ok());
    match id.is_some_and(|id| engine.faults().remove(id)) {
        true => Ok((200, json!({}))),
        false => Err((404, json!({ "error": "there is no such fault" }))),
    }
}

/// Another scenario, for those who come from now on: one of the sandbox's own
/// by its name, or a whole one in TOML or JSON.
fn set_scenario(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let text = text_of(incoming, "a scenario or the name of one")?;
    let scenario = match serde_json::from_slice::<Named>(&incoming.body) {
        Ok(Named { name }) => Scenario::named(&name)
            .ok_or_else(|| refuse(format!("there is no scenario {name}; there are: quick, lifelike")))?,
        Err(_) => Scenario::read(&text).map_err(refuse)?,
    };
    let mut world = engine.world();
    let settings = Settings { scenario: Arc::new(scenario), ..world.settings.clone() };
    world.adopt(settings);
    Ok((200, json!({})))
}

/// What is in the way of changing the whole state.
fn not_recording(engine: &Engine) -> Result<(), Reply> {
    if engine.is_recording() {
        return Err((409, json!({ "error": "a recording is under way, POST /control/recording/end ends it" })));
    }
    Ok(())
}

/// Begins anew with what a seed file has, in TOML or JSON.
fn set_seed_file(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let text = text_of(incoming, "a seed file")?;
    not_recording(engine)?;
    let file = SeedFile::read(&text).map_err(refuse)?;
    engine.begin_with(file);
    Ok((200, about(engine)))
}

fn last_segment(incoming: &Incoming) -> String {
    let segment = incoming.path.rsplit('/').next().unwrap_or_default();
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Whether a state can be kept under this name.
fn check_name(name: &str) -> Result<(), Reply> {
    let length = name.chars().count();
    if (1..=100).contains(&length) {
        return Ok(());
    }
    Err(refuse(format!("name has {length} characters; 1 to 100 are needed")))
}

/// A saved state as a whole, to be kept in a file.
fn saved_state(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    plain(incoming)?;
    let name = last_segment(incoming);
    let Some(state) = engine.saved_json(&name) else {
        let known = engine.saved_names();
        return Err((404, json!({ "error": format!("nothing is saved as {name}"), "saved": known })));
    };
    let state = state.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
    state.map(|state| (200, state)).map_err(refuse)
}

/// Takes a state from a file, for `/control/load`.
fn keep_state(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    plain(incoming)?;
    let name = last_segment(incoming);
    check_name(&name)?;
    engine.keep(&name, &incoming.body).map(|()| (200, json!({ "saved": name }))).map_err(refuse)
}

fn recording(engine: &Engine, end: bool) -> Result<Reply, Reply> {
    let Some(recording) = engine.recording(end) else {
        return Err((404, json!({ "error": "no recording is under way, POST /control/recording/begin begins one" })));
    };
    serde_json::to_value(recording).map(|facts| (200, facts)).map_err(refuse)
}

/// Does a recording again, apart from this sandbox, and tells what came out
/// otherwise: 200 if nothing did, 409 if something.
fn replay(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let Replay { recording, load } = read(incoming)?;
    if load {
        not_recording(engine)?;
    }
    let (count, different) = engine.replay(&recording, load).map_err(refuse)?;
    let status = if different.is_empty() { 200 } else { 409 };
    Ok((status, json!({ "count": count, "different": different })))
}

fn fail_jobs(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let FailingJobs { next, target_group_id, code, description } = read(incoming)?;
    let Some(group) = target_group_id else {
        if code.is_some() || description.is_some() {
            return Err(refuse("code and description belong to a target_group_id"));
        }
        engine.world().failing = next;
        return Ok((200, json!({})));
    };
    let (code, description) = (code.unwrap_or(USUAL_FAILURE.into()), description.unwrap_or_default());
    if code.is_empty() || code.len() > 200 || description.len() > 2_000 {
        return Err(refuse("code has 1 to 200 characters, description 2000 at most"));
    }
    match engine.world().fail_jobs_of(&group, next, &code, &description) {
        true => Ok((200, json!({}))),
        false => Err((404, json!({ "error": format!("there is no target group {group}") }))),
    }
}

fn add_respondent(engine: &Engine, incoming: &Incoming) -> Result<Reply, Reply> {
    let NewRespondent { target_group_id } = read(incoming)?;
    let mut world = engine.world();
    if !world.groups.contains_key(&target_group_id) {
        return Err((404, json!({ "error": format!("there is no target group {target_group_id}") })));
    }
    enter(&mut world, &target_group_id)
        .map(|session| (201, session))
        .ok_or_else(|| (409, json!({ "error": "the target group is not live or has no room" })))
}

/// Whom it lets in, and which ids there are to begin with.
pub(super) fn about(engine: &Engine) -> Value {
    let versions: Vec<&str> = engine.contracts().iter().map(|contract| contract.date()).collect();
    let world = engine.world();
    json!({
        "versions": versions,
        "client_id": world.account.client_id,
        "client_secret": world.account.client_secret,
        "s2s_key": world.account.s2s_key,
        "account_id": world.account.id,
        "project_manager_id": world.account.caller(),
        "business_unit_id": world.account.business_units.first().map_or(0, |unit| unit.id),
    })
}

/// Whether the clock can run so fast.
pub(crate) fn is_speed(speed: f64) -> bool {
    (0.0..=1_000_000.0).contains(&speed)
}

/// Puts a respondent into a survey, to be moved on by the client.
pub(crate) fn enter(world: &mut World, group: &str) -> Option<Value> {
    let now = world.now();
    let rid = field::enter(world, now, group, false)?;
    world.sessions.get(&rid).map(session_facts)
}

pub(super) fn session_facts(session: &Session) -> Value {
    json!({
        "rid": session.rid,
        "project_id": session.project_id,
        "target_group_id": session.group_id,
        "supplier_id": session.supplier_id,
        "status": session.status(),
        "standing": session.standing.name(),
        "sequence": session.sequence,
        "cost": session.cost().to_string(),
        "simulated": session.simulated,
        "link": session.link,
        "entered_at": text(session.entered_at),
        "left_at": session.left_at.map(text),
        "reconciled": session.reconciled,
    })
}

/// Subscriptions, and how far each has come.
pub(super) fn webhooks(world: &World) -> Vec<Value> {
    let facts = |hook: &Webhook| {
        let empty = Outbox::default();
        let outbox = world.outbox.get(&hook.id).unwrap_or(&empty);
        json!({
            "id": hook.id,
            "url": hook.url,
            "events": hook.events,
            "waiting": outbox.waiting(),
            "in_flight": outbox.in_flight(),
            "delivered": outbox.delivered,
            "expired": outbox.expired,
            "listens": !outbox.is_unresponsive(),
        })
    };
    world.webhooks.values().map(facts).collect()
}

/// The whole state, for people and tests.
pub(crate) fn state(world: &World) -> Value {
    let projects: Vec<Value> = world
        .projects
        .values()
        .map(|project| json!({ "id": project.id, "name": project.name, "version": project.version }))
        .collect();
    let groups: Vec<Value> = world
        .groups
        .values()
        .map(|group| {
            let quotas: Vec<Value> = group
                .audience
                .profiles
                .iter()
                .flat_map(|profile| profile.targets.iter().map(move |target| (profile, target)))
                .filter_map(|(profile, target)| {
                    let quota = target.quota.as_ref()?;
                    Some(json!({
                        "id": target.id,
                        "profile": profile.label(),
                        "name": target.label(),
                        "goal": quota.goal,
                        "completes": quota.tally.completes,
                        "prescreens": quota.tally.entered(),
                    }))
                })
                .collect();
            json!({
                "id": group.id,
                "project_id": group.project_id,
                "name": group.name,
                "status": group.status(),
                "goal": group.goal,
                "completes": group.ledger.total.completes,
                "prescreens": group.ledger.total.entered(),
                "cost": group.ledger.total.cost.to_string(),
                "fielding_run_id": group.run.as_ref().map(|run| run.id.as_str()),
                "version": group.run.as_ref().map(|run| run.version),
                "quotas": quotas,
            })
        })
        .collect();
    json!({
        "now": text(world.now()),
        "account_id": world.account.id,
        "projects": projects,
        "target_groups": groups,
        "webhooks": webhooks(world),
        // Where a subscriber cannot take more, the field stands still.
        "held_back": webhook::is_held_back(world),
        "sessions": world.sessions.values().map(session_facts).collect::<Vec<_>>(),
        "reconciliations": world.reconciliations.values().map(|one| json!({
            "id": one.id, "name": one.name, "status": one.status(),
        })).collect::<Vec<_>>(),
    })
}
