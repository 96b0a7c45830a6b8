//! The control endpoint: looking into a sandbox and moving it, from any
//! language. Not part of the API, and under a path of its own.

use crate::api::engine::{Engine, Incoming};
use crate::fault::Fault;
use crate::sim::clock::text;
use crate::state::World;
use crate::state::field;
use crate::state::outbox::Outbox;
use crate::state::session::Session;
use crate::state::webhook::{self, Webhook};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Answers a control request: status and body.
pub(crate) fn serve(engine: &Engine, incoming: &Incoming) -> (u16, Value) {
    // Faults may be given in TOML.
    let body: Value = if incoming.body.is_empty() || incoming.path == "/control/faults" {
        Value::Null
    } else {
        match serde_json::from_slice(&incoming.body) {
            Ok(body) => body,
            Err(error) => return (400, json!({ "error": error.to_string() })),
        }
    };
    match (incoming.method.as_str(), incoming.path.as_str()) {
        ("GET", "/control/state") => (200, state(&engine.world())),
        ("GET", "/control/about") => (200, about(engine)),
        ("GET", "/control/requests") => {
            let entries: Vec<Value> = engine.log().entries().iter().map(|entry| entry.facts()).collect();
            (200, json!({ "requests": entries }))
        }
        ("POST", "/control/clock") => {
            let seconds = body.get("advance_seconds").and_then(Value::as_f64).unwrap_or(0.0);
            let speed = body.get("speed").and_then(Value::as_f64);
            if speed.is_some_and(|speed| !is_speed(speed)) {
                return (400, json!({ "error": "a speed is a number between 0 and 1000000" }));
            }
            match SignedDuration::try_from_secs_f64(seconds) {
                Ok(by) => {
                    let mut world = engine.world();
                    if let Some(speed) = speed {
                        world.clock.set_speed(speed);
                    }
                    world.clock.advance(by);
                    drop(world);
                    (200, json!({ "now": text(engine.world().now()) }))
                }
                Err(error) => (400, json!({ "error": error.to_string() })),
            }
        }
        ("GET", "/control/faults") => (200, json!({ "faults": engine.faults().facts() })),
        ("POST", "/control/faults") => match Fault::read_all(&String::from_utf8_lossy(&incoming.body)) {
            Ok(given) => {
                let mut faults = engine.faults();
                let ids: Vec<u64> = given.into_iter().map(|fault| faults.add(fault).0).collect();
                (201, json!({ "ids": ids }))
            }
            Err(error) => (400, json!({ "error": error.to_string() })),
        },
        ("DELETE", "/control/faults") => {
            engine.faults().clear();
            (200, json!({}))
        }
        ("DELETE", path) if path.starts_with("/control/faults/") => {
            let id = path.rsplit('/').next().and_then(|id| id.parse().ok());
            match id.is_some_and(|id| engine.faults().remove(id)) {
                true => (200, json!({})),
                false => (404, json!({ "error": "there is no such fault" })),
            }
        }
        ("POST", "/control/jobs/fail") => {
            let jobs = body.get("next").and_then(Value::as_u64).unwrap_or(1);
            engine.world().failing = u32::try_from(jobs).unwrap_or(u32::MAX);
            (200, json!({}))
        }
        ("POST", "/control/tokens/expire") => {
            let mut world = engine.world();
            let now = world.clock.unhurried();
            world.tokens.expire_all(now);
            (200, json!({}))
        }
        ("POST", "/control/respondents") => {
            let Some(group) = body.get("target_group_id").and_then(Value::as_str) else {
                return (400, json!({ "error": "target_group_id is missing" }));
            };
            match enter(&mut engine.world(), group) {
                Some(session) => (201, session),
                None => (409, json!({ "error": "the target group is not live or has no room" })),
            }
        }
        (_, path) => (404, json!({ "error": format!("there is no {path}") })),
    }
}

/// Whom it lets in, and which ids there are to begin with.
fn about(engine: &Engine) -> Value {
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

fn session_facts(session: &Session) -> Value {
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
fn webhooks(world: &World) -> Vec<Value> {
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
            "listens": !outbox.is_deaf(),
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
