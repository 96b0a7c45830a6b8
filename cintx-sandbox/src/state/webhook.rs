//! Webhooks: who wants to hear what, what there is to tell, and how far each
//! telling has come. Sending is the courier's work, not done here.

use super::World;
use super::audience::{Audience, Target};
use super::bounded_map::approximate_size;
use super::outbox::{self, Delivery, Fate, Progress};
use super::session::{Session, respondent_id};
use crate::http::access::is_loopback;
use crate::sim::clock::{plus, text};
use crate::sim::rng::Rng;
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A target group has changed.
pub(crate) const GROUP: &str = "target-group-updated";
/// A quota, or the group as a whole, has counted someone.
pub(crate) const FILL: &str = "quota-fill-registered";
/// A respondent has come or moved on.
pub(crate) const SESSION: &str = "session-updated";

/// Deliveries are given up after so long.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// An event to be sent now.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) delivery: String,
    pub(crate) url: String,
    pub(crate) payload: Arc<Value>,
    secret: String,
    at: i64,
}

impl Letter {
    /// The event's id, which the subscriber has to say again.
    pub(crate) fn event(&self) -> &str {
        self.payload.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    /// The body with its signature.
    pub(crate) fn signed(&self) -> (String, String) {
        let body = self.payload.to_string();
        let signature = sign(&self.secret, self.at, &body);
        (body, signature)
    }
}

/// Where a subscriber listens: the parts of its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) is_https: bool,
    /// Host and port, the port also where the address leaves it out.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: String,
}

/// Reads the address of a subscriber: HTTPS, or plain HTTP to this machine,
/// where nobody listens in.
pub(crate) fn destination(url: &str) -> Result<Destination, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "not an address")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("not an absolute address");
    };
    if authority.as_str().contains('@') {
        return Err("an address with a user in it");
    }
    if authority.as_str() != authority.host() && authority.port_u16().is_none() {
        return Err("an address with a port that is none");
    }
    let is_https = scheme == "https";
    let is_plain_and_near = scheme == "http" && is_loopback(authority.host());
    if !is_https && !is_plain_and_near {
        return Err("not an HTTPS address");
    }
    let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(Destination { is_https, authority: format!("{}:{port}", authority.host()), path: format!("{slash}{path}") })
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
fn tell(world: &mut World, at: Timestamp, kinds: &[&'static str], cloud_type: &str, entity: &str, data: Value) {
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
        "dataschema": format!("https://api.cint.com/schemas/{cloud_type}.json"),
        "data": data,
    }));
    // Each subscriber is charged for the whole, though they share it.
    let weight = 700 + approximate_size(&payload);
    let queued_at = world.clock.unhurried();
    for (webhook, kind) in subscribers {
        let id = next_id(world, at);
        let World { outbox, deliveries, .. } = world;
        let queue = outbox.entry(webhook.clone()).or_default();
        let nobody_comes = queue.is_unresponsive() || !world.has_courier;
        if queue.is_at_limit() || (queue.is_full() && nobody_comes) {
            outbox::expire_oldest(queue, deliveries);
        }
        queue.push(id.clone(), entity.to_owned(), queued_at);
        deliveries.put(Delivery {
            id,
            webhook,
            entity: entity.to_owned(),
            kind,
            payload: payload.clone(),
            progress: Progress::Pending,
            created_at: at,
            queued_at,
            attempts: 0,
            weight,
        });
    }
}

/// Whether the field has to wait, because a subscriber who listens cannot take
/// more.
pub(crate) fn is_held_back(world: &World) -> bool {
    world.has_courier && world.outbox.values().any(|outbox| outbox.is_full() && !outbox.is_unresponsive())
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
        Some(id) => json!({ "type": "las_user", "las_user_id": id }),
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
    let entity = format!("group {group_id}");
    tell(world, at, kinds, "com.cint.target-group.updated", &entity, data);
}

/// A respondent has entered a survey or left it.
pub(crate) fn session_changed(world: &mut World, at: Timestamp, rid: &str) {
    if world.webhooks.is_empty() {
        return;
    }
    let Some(session) = world.sessions.get(rid) else {
        return;
    };
    let data = session_facts(world, session);
    let (group_id, targets) = (session.group_id.clone(), session.targets.clone());
    let entity = format!("session {rid}");
    tell(world, at, &[SESSION], "com.cint.session.updated", &entity, data);
    let Some(group) = world.groups.get(&group_id) else {
        return;
    };
    let mut counted = vec![(None, (group.ledger.total.entered(), group.ledger.total.completes))];
    let own = group.audience.targets().filter(|target| targets.contains(&target.id));
    counted.extend(own.filter_map(fill).map(|(target, fill)| (Some(target), fill)));
    tell_fills(world, at, &group_id, counted);
}

/// Who has entered and who has completed, of one quota.
type Fill = (u64, u64);

fn fill(target: &Target) -> Option<(String, Fill)> {
    let tally = &target.quota.as_ref()?.tally;
    Some((target.id.clone(), (tally.entered(), tally.completes)))
}

/// The fill of each quota, in the order of the targets.
pub(crate) fn fills(audience: &Audience) -> Vec<(String, Fill)> {
    audience.targets().filter_map(fill).collect()
}

/// Quotas have counted people anew, or have got other people. What is new and empty says nothing.
pub(crate) fn fills_changed(world: &mut World, at: Timestamp, group_id: &str, before: &[(String, Fill)]) {
    let Some(group) = world.groups.get(group_id).filter(|_| !world.webhooks.is_empty()) else {
        return;
    };
    let before: BTreeMap<&str, Fill> = before.iter().map(|(id, fill)| (id.as_str(), *fill)).collect();
    let is_changed = |(id, fill): &(String, Fill)| before.get(id.as_str()).copied().unwrap_or_default() != *fill;
    let changed = fills(&group.audience).into_iter().filter(is_changed);
    let changed = changed.map(|(id, fill)| (Some(id), fill)).collect();
    tell_fills(world, at, group_id, changed);
}

/// Tells fills, of a group as a whole where no quota is named.
fn tell_fills(world: &mut World, at: Timestamp, group_id: &str, counted: Vec<(Option<String>, Fill)>) {
    for (quota, (screens, completes)) in counted {
        let mut data = json!({
            "account_id": world.account.id,
            "target_group_id": group_id,
            "screens": screens,
            "completes": completes,
        });
        let entity = format!("fill {group_id} {}", quota.as_deref().unwrap_or_default());
        if let (Some(quota), Some(map)) = (quota, data.as_object_mut()) {
            map.insert("profile_quota_id".into(), json!(quota));
        }
        tell(world, at, &[FILL], "com.cint.quota.fill.registered", &entity, data);
    }
}

/// What is told of a respondent. The ids of the marketplace follow from the
/// respondent's and the group's.
fn session_facts(world: &World, session: &Session) -> Value {
    let mut own = Rng::named(world.settings.seed, &session.rid);
    let mut changes = vec![json!({ "object": "client_status_code_change", "new_value": session.client_code() })];
    if let Some(left) = session.left_at {
        changes.push(json!({ "object": "respondent_last_date_change", "new_value": text(left) }));
    }
    json!({
        "account_id": world.account.id,
        "response_session_id": session.rid,
        "sequence_number": session.sequence,
        "project_id": session.project_id,
        "target_group_id": session.group_id,
        "survey_id": 100_000 + Rng::named(world.settings.seed, &session.group_id).below(900_000),
        "supplier_id": session.supplier_id,
        "supplier_name": world.market.supplier_name(session.supplier_id),
        "respondent_id": respondent_id(&mut own),
        "respondent_entry_date": text(session.entered_at),
        "panelist_id": session.panelist,
        "parent_sid": own.uuid(),
        "entry_type": 1,
        "mid": own.below(1_000_000_000).to_string(),
        "changes": changes,
    })
}

/// A subscriber has got another address: what waits is tried there at once.
pub(crate) fn moved(world: &mut World, webhook: &str) {
    let now = world.clock.unhurried();
    if let Some(queue) = world.outbox.get_mut(webhook) {
        queue.wake(&mut world.deliveries, now);
    }
}

/// Gives up what waits for subscriptions that are no more.
pub(crate) fn give_up_orphans(world: &mut World) {
    let World { outbox, webhooks, deliveries, .. } = world;
    outbox.retain(|webhook, queue| {
        let kept = webhooks.contains_key(webhook);
        if !kept {
            outbox::expire_all(queue, deliveries);
        }
        kept
    });
}

/// The events that are to go out now, the oldest first.
pub(crate) fn letters(world: &mut World) -> Vec<Letter> {
    let now = world.clock.unhurried();
    let mut letters = Vec::new();
    let World { outbox, webhooks, deliveries, .. } = world;
    for (webhook, queue) in outbox {
        let Some(hook) = webhooks.get(webhook) else {
            continue;
        };
        while let Some(id) = queue.next(now) {
            let Some(delivery) = deliveries.get_mut(&id) else {
                continue;
            };
            delivery.progress = Progress::Delivering;
            delivery.attempts += 1;
            letters.push(Letter {
                payload: delivery.payload.clone(),
                delivery: id,
                url: hook.url.clone(),
                secret: hook.secret.clone(),
                at: now.as_second(),
            });
        }
    }
    letters
}

/// Everything that can go out, heard at once by everyone.
#[cfg(test)]
pub(crate) fn drain(world: &mut World) -> Vec<Arc<Value>> {
    let now = world.clock.unhurried();
    let mut heard = Vec::new();
    for webhook in world.outbox.keys().cloned().collect::<Vec<_>>() {
        while let Some(id) = world.outbox.get_mut(&webhook).and_then(|queue| queue.next(now)) {
            let delivery = world.deliveries.get_mut(&id).unwrap();
            delivery.progress = Progress::Delivering;
            heard.push(delivery.payload.clone());
            outbox::resolve(&mut world.outbox, &mut world.deliveries, &id, Fate::Delivered);
        }
    }
    heard
}

/// What a subscriber made of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reception {
    /// It said that it has the event.
    Heard,
    /// It did not, or could not be reached.
    Unheard,
    /// The event never left; those behind it overtake it.
    Overtaken,
}

/// What became of an event that was sent. Tries follow the callers' clock: a
/// hurried simulation does not make a subscriber late.
pub(crate) fn settle(world: &mut World, id: &str, reception: Reception) {
    let now = world.clock.unhurried();
    let base = world.settings.webhook_retry;
    let Some(delivery) = world.deliveries.get_mut(id) else {
        return;
    };
    let factor = 1_i32.checked_shl(delivery.attempts.saturating_sub(1).min(12)).unwrap_or(1);
    let again = plus(now, base.saturating_mul(factor));
    let fate = match reception {
        Reception::Heard => Fate::Delivered,
        _ if plus(delivery.queued_at, GIVEN_UP) <= now => Fate::Expired,
        Reception::Unheard => Fate::Again(again),
        Reception::Overtaken => Fate::Behind(again),
    };
    outbox::resolve(&mut world.outbox, &mut world.deliveries, id, fate);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_not_guessed() {
        let there = destination("http://127.0.0.1:8080/a?b=c").unwrap();
        assert_eq!((there.authority.as_str(), there.path.as_str()), ("127.0.0.1:8080", "/a?b=c"));
        assert_eq!(destination("https://hooks.example").unwrap().authority, "hooks.example:443");
        assert_eq!(destination("http://[::1]?x").unwrap().path, "/?x");
        for bad in [
            "http://hooks.example/",
            "http://127.0.0.1.hooks.example/",
            "http://localhost.hooks.example/",
            "http://127.0.0.1@hooks.example/",
            "https://user:secret@hooks.example/",
            "http://127.0.0.1:x/",
            "ftp://127.0.0.1/",
            "https:///path",
            "127.0.0.1/a",
            "https://hooks.example/a b",
        ] {
            assert!(destination(bad).is_err(), "{bad}");
        }
    }

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
        tell(&mut world, now, &[SESSION], "com.cint.session.updated", "session a", json!({}));
        assert_eq!(world.outbox.len(), 1);
        world.webhooks.take("w");
        give_up_orphans(&mut world);
        assert!(world.outbox.is_empty());
        assert!(world.deliveries.values().all(|one| one.progress == Progress::Expired));
    }
}
