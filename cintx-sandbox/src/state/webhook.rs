//! Webhooks: who wants to hear what, what there is to tell, and how far each
//! telling has come. Sending is the courier's work, not done here.

use super::World;
use super::bounded_map::approximate_size;
use super::supply::supplier_name;
use crate::sim::clock::{plus, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A target group has changed.
pub(crate) const GROUP: &str = "target-group-updated";
/// A quota, or the group as a whole, has counted someone.
pub(crate) const FILL: &str = "quota-fill-registered";
/// A respondent has come or moved on.
pub(crate) const SESSION: &str = "session-updated";

/// Deliveries are given up after so long.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// So many events wait for one subscriber; older ones are given up.
pub(crate) const MOST_WAITING: usize = 20_000;

/// A subscription.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) events: Vec<String>,
    pub(crate) secret: String,
    pub(crate) created_at: Timestamp,
    pub(crate) changed_at: Timestamp,
    pub(crate) version: u64,
}

impl Webhook {
    pub(crate) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Pending,
    Delivering,
    Delivered,
    Undelivered,
    Expired,
}

impl Progress {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivering => "delivering",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Expired => "expired",
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Expired)
    }
}

/// One event on its way to one subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) webhook: String,
    /// The subscription's word for the event.
    pub(crate) kind: &'static str,
    pub(crate) payload: Arc<Value>,
    pub(crate) progress: Progress,
    pub(crate) created_at: Timestamp,
    attempts: u32,
    due_at: Timestamp,
}

/// A letter for the courier.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) delivery: String,
    pub(crate) event: String,
    pub(crate) url: String,
    pub(crate) body: String,
    pub(crate) signature: String,
}

/// The signature over a body: the secret's text is the key, as it stands.
pub(crate) fn sign(secret: &str, at: i64, body: &str) -> String {
    let digest = hmac(secret.as_bytes(), format!("{at}.{body}").as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

/// HMAC with SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = [0_u8; BLOCK];
    let short: Vec<u8> = if key.len() > BLOCK { Sha256::digest(key).to_vec() } else { key.to_vec() };
    for (to, from) in block.iter_mut().zip(short) {
        *to = from;
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

/// 32 random bytes in Base64.
pub(crate) fn secret(world: &mut World) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u64| char::from(ALPHABET[(bits & 63) as usize]);
    // 256 bits are 42 letters of 6 bits and one of 4.
    let mut text: String = (0..42).map(|_| letter(world.hook_rng.next())).collect();
    text.push(letter(world.hook_rng.next() << 2));
    text.push('=');
    text
}

/// Ids in the order of events, also within one moment.
fn next_id(world: &mut World, at: Timestamp) -> String {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let fresh = ulid::Ulid::from_parts(millis, 0);
    world.last_event = if fresh > world.last_event { fresh } else { ulid::Ulid(world.last_event.0.saturating_add(1)) };
    world.last_event.to_string()
}

/// Tells everyone who asked for it.
fn tell(world: &mut World, at: Timestamp, kinds: &[&'static str], cloud_type: &str, data: Value) {
    let subscribers: Vec<(String, &'static str)> = world
        .webhooks
        .values()
        .filter_map(|hook| {
            let kind = kinds.iter().find(|kind| hook.events.iter().any(|event| event == *kind))?;
            Some((hook.id.clone(), *kind))
        })
        .collect();
    if subscribers.is_empty() {
        return;
    }
    let event = world.hook_rng.uuid();
    let payload = Arc::new(json!({
        "id": event,
        "specversion": "1.0",
        "source": "https://api.cint.com",
        "type": cloud_type,
        "time": text(at),
        "datacontenttype": "application/json",
        "data": data,
    }));
    // Each subscriber is charged for the whole, though they share it.
    let weight = 700 + approximate_size(&payload);
    for (webhook, kind) in subscribers {
        let id = next_id(world, at);
        let delivery = Delivery {
            id: id.clone(),
            webhook,
            kind,
            payload: payload.clone(),
            progress: Progress::Pending,
            created_at: at,
            attempts: 0,
            due_at: at,
        };
        let queue = world.outbox.entry(delivery.webhook.clone()).or_default();
        // What the shelf has given up waits no longer.
        while queue.front().is_some_and(|oldest| queue.len() >= MOST_WAITING || !world.deliveries.contains_key(oldest))
        {
            queue.pop_front();
        }
        queue.push_back(id.clone());
        world.deliveries.put(id, delivery, weight);
    }
}

/// A target group has changed.
pub(crate) fn group_changed(world: &mut World, at: Timestamp, group_id: &str, by: Option<&str>, changes: &[Value]) {
    if world.webhooks.is_empty() {
        return;
    }
    let Some(group) = world.groups.get(group_id) else {
        return;
    };
    let moved = changes.iter().any(|change| change.get("object").and_then(Value::as_str) == Some("status_change"));
    // The oldest version has a word for two of the changes only.
    let kinds: &[&'static str] = match group.status() {
        "completed" if moved => &[GROUP, "survey_completed"],
        "paused" if moved => &[GROUP, "survey_paused"],
        _ => &[GROUP],
    };
    let user = match by {
        Some(id) => json!({ "id": id, "type": "las_user" }),
        None => json!({ "type": "system_user" }),
    };
    let data = json!({
        "id": world.hook_rng.uuid(),
        "account_id": world.account.id.to_string(),
        "project_id": group.project_id,
        "target_group_id": group.id,
        "occurred_at": text(at),
        "user": user,
        "changes": changes,
    });
    tell(world, at, kinds, "com.cint.target-group.updated", data);
}

/// A respondent has entered a survey or left it.
pub(crate) fn session_changed(world: &mut World, at: Timestamp, rid: &str) {
    if world.webhooks.is_empty() {
        return;
    }
    let Some(session) = world.sessions.get(rid) else {
        return;
    };
    // The client's codes are not those of the transitions.
    let code = match session.status {
        5 => 10,
        2 => 20,
        4 => 30,
        3 => 40,
        _ => 1,
    };
    let data = json!({
        "account_id": world.account.id,
        "response_session_id": session.rid,
        "sequence_number": if session.left_at.is_some() { 2 } else { 1 } + i64::from(session.reconciled.is_some()),
        "project_id": session.project_id,
        "target_group_id": session.group_id,
        "supplier_id": session.supplier_id,
        "supplier_name": supplier_name(session.supplier_id),
        "respondent_entry_date": text(session.entered_at),
        "changes": [{ "object": "client_status_code_change", "new_value": code }],
    });
    let (group_id, targets) = (session.group_id.clone(), session.targets.clone());
    tell(world, at, &[SESSION], "com.cint.session.updated", data);
    let Some(group) = world.groups.get(&group_id) else {
        return;
    };
    let mut fills = vec![(None, group.prescreens, group.completes)];
    for target in group.audience.targets().filter(|target| targets.contains(&target.id)) {
        if let Some(quota) = &target.quota {
            fills.push((Some(target.id.clone()), quota.prescreens, quota.completes));
        }
    }
    for (quota, screens, completes) in fills {
        let mut data = json!({
            "account_id": world.account.id,
            "target_group_id": group_id,
            "screens": screens,
            "completes": completes,
        });
        if let (Some(quota), Some(map)) = (quota, data.as_object_mut()) {
            map.insert("profile_quota_id".into(), json!(quota));
        }
        tell(world, at, &[FILL], "com.cint.quota.fill.registered", data);
    }
}

/// Gives up what waits for subscriptions that are no more.
pub(crate) fn give_up_orphans(world: &mut World) {
    let World { outbox, webhooks, deliveries, .. } = world;
    outbox.retain(|webhook, queue| {
        let kept = webhooks.contains_key(webhook);
        for id in queue.iter().filter(|_| !kept) {
            if let Some(delivery) = deliveries.get_mut(id).filter(|one| !one.progress.is_final()) {
                delivery.progress = Progress::Expired;
            }
        }
        kept
    });
}

/// The letters that are to go out now: for each subscriber the oldest event
/// that is not settled, so that a deaf one hears nothing newer.
pub(crate) fn letters(world: &mut World) -> Vec<Letter> {
    let now = world.now();
    let mut letters = Vec::new();
    for (webhook, queue) in &mut world.outbox {
        let hook = world.webhooks.get(webhook);
        while let Some(first) = queue.front() {
            let Some(delivery) = world.deliveries.get_mut(first).filter(|one| !one.progress.is_final()) else {
                queue.pop_front();
                continue;
            };
            let Some(hook) = hook else {
                delivery.progress = Progress::Expired;
                continue;
            };
            if delivery.progress == Progress::Delivering || delivery.due_at > now {
                break;
            }
            delivery.progress = Progress::Delivering;
            delivery.attempts += 1;
            let body = delivery.payload.to_string();
            letters.push(Letter {
                delivery: delivery.id.clone(),
                event: delivery.payload.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
                url: hook.url.clone(),
                signature: sign(&hook.secret, now.as_second(), &body),
                body,
            });
            break;
        }
    }
    world.outbox.retain(|_, queue| !queue.is_empty());
    letters
}

/// What a subscriber made of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reception {
    /// It said that it has the event.
    Heard,
    /// It did not, or could not be reached.
    Unheard,
    /// The letter never left; those behind it overtake it.
    Overtaken,
}

/// Moves a letter that was not heard to the end of its queue.
fn step_back(world: &mut World, delivery: &str) {
    let Some(webhook) = world.deliveries.get(delivery).map(|one| one.webhook.clone()) else {
        return;
    };
    if let Some(queue) = world.outbox.get_mut(&webhook)
        && let Some(at) = queue.iter().position(|id| id == delivery)
        && let Some(id) = queue.remove(at)
    {
        queue.push_back(id);
    }
}

/// What became of a letter.
pub(crate) fn settle(world: &mut World, delivery: &str, reception: Reception) {
    if reception == Reception::Overtaken {
        step_back(world, delivery);
    }
    let now = world.now();
    let base = world.settings.webhook_retry;
    let Some(delivery) = world.deliveries.get_mut(delivery) else {
        return;
    };
    delivery.progress = if reception == Reception::Heard {
        Progress::Delivered
    } else if plus(delivery.created_at, GIVEN_UP) <= now {
        Progress::Expired
    } else {
        let factor = 1_i32.checked_shl(delivery.attempts.saturating_sub(1).min(12)).unwrap_or(1);
        delivery.due_at = plus(now, base.saturating_mul(factor));
        Progress::Undelivered
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_signature() {
        let signature = sign("FP7UPZpATKBcYJj4va95PYud+a3gCidRERiLO+9MoFE=", 1_732_526_080, "{\"foo\":\"bar\"}");
        assert_eq!(signature, "t=1732526080,v1=6532d4777122acc32cd388763fc0c0ba8732698d09cf99eea086e5a86f8d3ebe");
    }

    #[test]
    fn nothing_waits_for_a_subscription_that_is_gone() {
        let now = Timestamp::from_second(1_750_000_000).unwrap();
        let mut world = World::new(crate::state::Settings::default(), crate::sim::clock::Clock::Standing { now });
        let hook = Webhook {
            id: "w".into(),
            url: "http://127.0.0.1:1/".into(),
            events: vec![SESSION.into()],
            secret: "s".into(),
            created_at: now,
            changed_at: now,
            version: 1,
        };
        world.webhooks.put("w".into(), hook, 1_000);
        tell(&mut world, now, &[SESSION], "com.cint.session.updated", json!({}));
        assert_eq!(world.outbox.len(), 1);
        world.webhooks.take("w");
        give_up_orphans(&mut world);
        assert!(world.outbox.is_empty());
        assert!(world.deliveries.values().all(|one| one.progress == Progress::Expired));
    }
}
