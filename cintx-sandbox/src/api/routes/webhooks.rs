//! Webhooks: subscribing, and looking at what was sent.
//! The secret is shown when it is made, and never again.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::ids;
use crate::api::rejection::Rejection;
use crate::sim::clock::{read, text};
use crate::state::webhook::{self, FILL, GROUP, SESSION, Webhook};
use crate::state::{World, page};
use crate::version::Version;
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("create_webhook", create),
    ("get_webhooks", |world, call| list(world, call)),
    ("get_webhook", |world, call| get(world, call)),
    ("update_webhook", update),
    ("delete_webhook", delete),
    ("regenerate_webhook_secret", renew),
    ("get_webhook_events", |_, call| events_known(call)),
    ("list_webhook_events_history", |world, call| history(world, call)),
];

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Webhook, Rejection> {
    world.webhooks.get(&ids::kept(call.at("webhook_id"))).ok_or_else(|| Rejection::not_found("webhook"))
}

fn find_mut<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Webhook, Rejection> {
    let id = find(world, call)?.id.clone();
    world.webhooks.get_mut(&id).ok_or_else(|| Rejection::not_found("webhook"))
}

fn facts(hook: &Webhook, version: Version) -> Value {
    json!({
        "id": ids::shown(version, &hook.id),
        "url": hook.url,
        "events": hook.events,
        "created_at": text(hook.created_at),
        "updated_at": text(hook.changed_at),
    })
}

fn facts_with_secret(hook: &Webhook, version: Version) -> Value {
    let mut facts = facts(hook, version);
    if let Some(map) = facts.as_object_mut() {
        map.insert("secret".into(), json!(hook.secret));
    }
    facts
}

fn url(call: &Call<'_>) -> Result<Option<String>, Rejection> {
    let Some(url) = call.text("url") else {
        return Ok(None);
    };
    webhook::destination(url).map_err(|reason| Rejection::invalid("url", format!("got {url}: {reason}")))?;
    Ok(Some(url.to_owned()))
}

fn events(call: &Call<'_>) -> Option<Vec<String>> {
    let list = call.body.get("events")?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let url = url(call)?.ok_or_else(|| Rejection::invalid("url", "a value is required"))?;
    let now = world.now();
    let events = events(call).unwrap_or_default();
    let weight = 1_000 + url.len() + events.iter().map(String::len).sum::<usize>();
    // No subscription gives way, since nobody would tell its owner.
    if !world.webhooks.make_room(1, weight, |_| false) {
        let most = world.webhooks.most();
        return Err(Rejection::bad_request(format!("{most} subscriptions at most are kept; delete one first.")));
    }
    let hook = Webhook {
        id: world.ulid(),
        url,
        events,
        secret: webhook::secret(world),
        created_at: now,
        changed_at: now,
        version: 1,
    };
    let facts = facts_with_secret(&hook, call.version);
    world.webhooks.put(hook.id.clone(), hook, weight);
    Ok(Answer::json(201, facts))
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let page = page::cut(world.webhooks.values().collect(), &call.window(10, 100)?, |hook: &&Webhook| {
        ids::shown(call.version, &hook.id)
    })?;
    let hooks: Vec<Value> = page.items.iter().map(|hook| facts(hook, call.version)).collect();
    Ok(Answer::json(200, json!({ "has_more": page.next.is_some(), "next_cursor": page.next, "webhooks": hooks })))
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    let hook = find(world, call)?;
    Ok(Answer::json(200, facts(hook, call.version)).with("etag", hook.etag()))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    let (url, events, now) = (url(call)?, events(call), world.now());
    let hook = find_mut(world, call)?;
    call.match_etag(&hook.etag())?;
    let has_moved = url.as_ref().is_some_and(|url| *url != hook.url);
    hook.url = url.unwrap_or_else(|| hook.url.clone());
    hook.events = events.unwrap_or_else(|| hook.events.clone());
    hook.changed_at = now;
    hook.version += 1;
    let (id, answer) = (hook.id.clone(), Answer::json(200, facts(hook, call.version)));
    if has_moved {
        webhook::moved(world, &id);
    }
    Ok(answer)
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let hook = find(world, call)?;
    call.match_etag(&hook.etag())?;
    let id = hook.id.clone();
    world.webhooks.take(&id);
    webhook::give_up_orphans(world);
    Ok(Answer::empty(204))
}

/// The old secret ends at once.
fn renew(world: &mut World, call: &Call<'_>) -> Outcome {
    find(world, call)?;
    let (secret, now) = (webhook::secret(world), world.now());
    let hook = find_mut(world, call)?;
    hook.secret = secret;
    hook.changed_at = now;
    hook.version += 1;
    Ok(Answer::json(200, facts_with_secret(hook, call.version)))
}

fn events_known(call: &Call<'_>) -> Outcome {
    let events = match call.version {
        Version::First => json!(["survey_completed", "survey_paused"]),
        _ => json!([GROUP, FILL, SESSION]),
    };
    Ok(Answer::json(200, json!({ "events": events })))
}

fn history(world: &World, call: &Call<'_>) -> Outcome {
    let id = find(world, call)?.id.clone();
    let moment = |name: &str| match call.query(name) {
        None => Ok(None),
        Some(given) => read(given).map(Some).ok_or_else(|| Rejection::no_moment(name, Some(given))),
    };
    let (from, to) = (moment("start_time")?, moment("end_time")?);
    let among = |name: &str, own: &str| {
        let mut wanted = call.query_all(name).peekable();
        wanted.peek().is_none() || wanted.any(|wanted| wanted == own)
    };
    let mut sent: Vec<_> = world
        .deliveries
        .values()
        .filter(|one| one.webhook == id)
        .filter(|one| from.is_none_or(|from| one.created_at >= from) && to.is_none_or(|to| one.created_at <= to))
        .filter(|one| among("delivery_status", one.progress.name()) && among("type", one.kind))
        .collect();
    if call.query("created_at_sort_order") == Some("desc") {
        sent.reverse();
    }
    let page = page::cut(sent, &call.window(10, 100)?, |one| one.id.clone())?;
    let facts: Vec<Value> = page
        .items
        .iter()
        .map(|one| {
            json!({
                "id": one.id,
                "type": one.kind,
                "payload": *one.payload,
                "status": one.progress.name(),
                "created_at": text(one.created_at),
            })
        })
        .collect();
    Ok(Answer::json(200, json!({ "events": facts, "next_cursor": page.next })))
}
