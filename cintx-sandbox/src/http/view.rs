//! What the page shows, as JSON, and the stream of it: groups, one of them in
//! full, webhooks, faults and the last requests.

use super::control;
use crate::api::engine::{Engine, Incoming};
use crate::http::log::Received;
use crate::sim::clock::{Clock, text};
use crate::state::World;
use crate::state::ledger::Tally;
use crate::state::target_group::TargetGroup;
use crate::state::webhook::is_held_back;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// So many groups stand on a page.
const GROUPS: usize = 12;
/// So many requests are shown.
const REQUESTS: usize = 60;
/// So many respondents of a group are shown.
const RESPONDENTS: usize = 25;
/// So many deliveries of a webhook are shown, the last ones, and so many of
/// all are looked through for them.
const DELIVERIES: usize = 6;
const DELIVERIES_SEEN: usize = 5_000;
/// So many points its curve has at most.
const POINTS: i64 = 60;
/// So many profiles and targets of it are shown.
const PROFILES: usize = 30;
const TARGETS: usize = 200;

/// How often the stream looks, and when it speaks though there is nothing new.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) look: Duration,
    pub(crate) heartbeat: Duration,
    /// When it ends, so that a connection whose other end is gone does not stay; browsers come again by themselves.
    pub(crate) end: Duration,
}

impl Pace {
    pub(crate) const USUAL: Self =
        Self { look: Duration::from_secs(1), heartbeat: Duration::from_secs(15), end: Duration::from_secs(3_600) };
}

/// What somebody wants to see.
#[derive(Debug, Default)]
struct Wanted {
    search: String,
    status: String,
    page: usize,
    group: String,
    requests: String,
    /// One event, and the stream ends.
    once: bool,
}

impl Wanted {
    fn read(incoming: &Incoming) -> Self {
        let mut given: BTreeMap<String, String> = control::parameters(incoming).into_iter().collect();
        let mut take = |name: &str| given.remove(name).unwrap_or_default();
        Self {
            search: take("search").to_lowercase(),
            status: take("status"),
            page: take("page").parse().unwrap_or(0),
            group: take("group"),
            requests: take("requests").to_lowercase(),
            once: !take("once").is_empty(),
        }
    }
}

/// The stream of what somebody wants to see: an event at once, another whenever something has changed, the time by
/// itself where only that has, a comment where nothing has for long. An event's id stands for what it tells: whoever
/// comes again with the last one is told nothing twice. Ends with the sandbox, and with `once` after what it has to
/// tell at once.
pub(crate) fn stream(
    engine: Arc<Engine>,
    incoming: &Incoming,
    pace: Pace,
    closing: watch::Receiver<bool>,
) -> mpsc::Receiver<String> {
    let wanted = Wanted::read(incoming);
    let last = incoming.headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let telling = tell(&engine, &wanted, last, pace, &sender);
        let mut closing = closing;
        tokio::select! {
            () = telling => {}
            // A closed channel means that the sandbox was dropped.
            _ = closing.wait_for(|closing| *closing) => {}
            () = sender.closed() => {}
        }
    });
    receiver
}

async fn tell(engine: &Engine, wanted: &Wanted, last: Option<String>, pace: Pace, sender: &mpsc::Sender<String>) {
    let (mut told, mut time) = (last, Value::Null);
    let end = Instant::now() + pace.end;
    let mut spoke = Instant::now();
    let mut text = format!("retry: {}\n\n", pace.look.as_millis());
    while Instant::now() < end {
        let mut facts = make(engine, wanted);
        let now = facts["now"].take();
        let id = format!("{:016x}", digest(&facts.to_string()));
        let is_later = ![&Value::Null, &now].contains(&&time);
        time.clone_from(&now);
        if told.as_ref() != Some(&id) {
            facts["now"] = now;
            text.push_str(&format!("id: {id}\ndata: {facts}\n\n"));
            told = Some(id);
        } else if is_later {
            text.push_str(&format!("event: clock\ndata: {}\n\n", json!({ "now": now, "speed": facts["speed"] })));
        } else if spoke.elapsed() >= pace.heartbeat {
            text.push_str(":\n\n");
        }
        if !text.is_empty() {
            spoke = Instant::now();
            if sender.send(std::mem::take(&mut text)).await.is_err() {
                return;
            }
        }
        if wanted.once {
            return;
        }
        tokio::time::sleep(pace.look).await;
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn make(engine: &Engine, wanted: &Wanted) -> Value {
    let (requests, total, refused) = {
        let log = engine.log();
        let fits = |one: &Received| wanted.requests.is_empty() || one.line().to_lowercase().contains(&wanted.requests);
        let shown: Vec<Value> = log.youngest().filter(|one| fits(one)).take(REQUESTS).map(request).collect();
        (shown, log.total(), log.refused())
    };
    let faults = engine.faults().facts();
    let about = control::about(engine);
    let world = engine.world();
    let fits = |group: &&TargetGroup| {
        let project = world.projects.get(&group.project_id).map_or("", |project| project.name.as_str());
        let texts = [&group.name, &group.id, &group.human_id, &group.locale].map(String::as_str);
        (wanted.status.is_empty() || group.status() == wanted.status)
            && (wanted.search.is_empty()
                || texts.into_iter().chain([project]).any(|text| text.to_lowercase().contains(&wanted.search)))
    };
    let found: Vec<&TargetGroup> = world.groups.in_order().rev().filter(fits).collect();
    let items: Vec<Value> =
        found.iter().skip(wanted.page * GROUPS).take(GROUPS).map(|group| summary(&world, group)).collect();
    let here = || found.iter().skip(wanted.page * GROUPS).take(GROUPS).copied();
    let chosen = world.groups.get(&wanted.group).or_else(|| here().find(|group| group.is_live()));
    let chosen = chosen.or_else(|| here().find(|group| !group.is_draft())).or_else(|| here().next());
    let sum = |part: fn(&TargetGroup) -> u64| world.groups.values().map(part).sum::<u64>();
    json!({
        "about": about,
        "account": world.account.name,
        "now": text(world.now()),
        "speed": match &world.clock { Clock::Running { speed, .. } => Some(*speed), Clock::Standing { .. } => None },
        "held_back": is_held_back(&world),
        "tiles": {
            "projects": world.projects.len(),
            "target groups": world.groups.len(),
            "live": sum(|group| u64::from(group.is_live())),
            "completes": sum(|group| group.ledger.total.completes),
            "in survey": sum(|group| group.ledger.total.in_survey),
            "requests": total,
            "refused": refused,
        },
        "spend": spend(&world),
        "groups": { "total": found.len(), "page": wanted.page, "size": GROUPS, "items": items },
        "group": chosen.map(|group| details(&world, group)),
        "webhooks": webhooks(&world),
        "faults": faults,
        "requests": requests,
    })
}

/// Subscriptions with their last deliveries, youngest first.
fn webhooks(world: &World) -> Vec<Value> {
    let mut hooks = control::webhooks(world);
    for hook in &mut hooks {
        let last = world.deliveries.values().rev().take(DELIVERIES_SEEN);
        let own = last.filter(|one| hook["id"] == one.webhook.as_str()).take(DELIVERIES).map(|one| {
            json!({
                "type": one.kind,
                "about": one.entity,
                "status": one.progress.name(),
                "attempts": one.attempts,
                "at": text(one.created_at),
            })
        });
        hook["deliveries"] = own.collect();
    }
    hooks
}

/// What all completes cost, by currency.
fn spend(world: &World) -> Value {
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for group in world.groups.values().filter(|group| group.ledger.total.completes > 0) {
        *sums.entry(currency(world, group)).or_default() += group.ledger.total.cost;
    }
    sums.into_iter().map(|(currency, sum)| (currency.to_owned(), json!(sum.to_string()))).collect()
}

fn currency<'w>(world: &'w World, group: &TargetGroup) -> &'w str {
    world.account.currency_of(group.business_unit)
}

fn request(one: &Received) -> Value {
    json!({
        "number": one.number,
        "at": one.at,
        "method": one.method,
        "path": one.path,
        "query": one.query,
        "version": one.version,
        "operation": one.operation,
        "status": one.status,
        "fault": one.fault,
        "replayed": one.replayed,
        "refusal": one.refusal,
        "violations": one.violations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "notes": one.notes,
    })
}

fn tally(tally: &Tally) -> Value {
    json!({
        "entered": tally.entered(),
        "in_survey": tally.in_survey,
        "dropped": tally.dropped,
        "terminated": tally.terminated,
        "over_quota": tally.over_quota,
        "security": tally.security_terminated,
        "completes": tally.completes,
        "reversed": tally.reversed,
        "cost": tally.cost.to_string(),
    })
}

fn summary(world: &World, group: &TargetGroup) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "project": world.projects.get(&group.project_id).map(|project| &project.name),
        "status": group.status(),
        "goal": group.goal,
        "locale": group.locale,
        "minutes": group.interview_minutes,
        "price": group.price.as_ref().map(|money| &money.value),
        "currency": currency(world, group),
        "expected_incidence": group.incidence,
        "incidence": group.ledger.total.incidence(),
        "end_at": text(group.end()),
        "tally": tally(&group.ledger.total),
    })
}

fn details(world: &World, group: &TargetGroup) -> Value {
    let mut facts = summary(world, group);
    let profiles: Vec<Value> = group
        .audience
        .profiles
        .iter()
        .take(PROFILES)
        .map(|profile| {
            let targets = profile.targets.iter().take(TARGETS).filter_map(|target| {
                let quota = target.quota.as_ref()?;
                let (completes, pending) = (quota.tally.completes, quota.tally.in_survey);
                Some(json!({ "name": target.label(), "goal": quota.goal, "completes": completes, "pending": pending }))
            });
            json!({ "name": profile.label(), "targets": targets.collect::<Vec<_>>() })
        })
        .collect();
    let suppliers: Vec<Value> = group
        .ledger
        .by_supplier
        .iter()
        .map(|(id, own)| json!({ "name": world.market.supplier_name(*id), "tally": tally(own) }))
        .collect();
    let respondents: Vec<Value> = group
        .rids
        .iter()
        .rev()
        .filter_map(|rid| world.sessions.get(rid))
        .take(RESPONDENTS)
        .map(control::session_facts)
        .collect();
    if let Some(map) = facts.as_object_mut() {
        map.insert("project_id".into(), json!(group.project_id));
        map.insert("human_id".into(), json!(group.human_id));
        map.insert("turned_away".into(), json!(group.ledger.turned_away));
        map.insert("profiles".into(), json!(profiles));
        map.insert("suppliers".into(), json!(suppliers));
        map.insert("respondents".into(), json!(respondents));
        map.insert("curve".into(), curve(group));
    }
    facts
}

/// Completes and cost over time: how many there were by each moment.
fn curve(group: &TargetGroup) -> Value {
    let Some(last) = group.ledger.last_complete_at() else {
        return json!([]);
    };
    let begin = group.run.as_ref().map_or(group.start(), |run| run.start_at).as_millisecond();
    let end = last.as_millisecond().max(begin + 1);
    let mut done = group.ledger.completes_over_time().peekable();
    let (mut count, mut cost) = (0_u64, Decimal::ZERO);
    let points = (0..=POINTS).map(|point| {
        let at = begin + (end - begin) * point / POINTS;
        while let Some((_, then)) = done.next_if(|(moment, _)| moment.as_millisecond() <= at) {
            count += then.count;
            cost += then.cost;
        }
        json!([at, count, cost.to_string()])
    });
    Value::Array(points.collect())
}

#[cfg(test)]
mod tests {
    // Helpers of tests count as tests.
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sim::clock::Clock;
    use crate::state::Settings;
    use http::HeaderMap;

    /// A sandbox in which nothing happens by itself.
    fn quiet() -> Arc<Engine> {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let world = World::new(Settings::default(), Clock::Standing { now });
        Arc::new(Engine::new(world, &[], false, false).unwrap())
    }

    /// One in which only time passes.
    fn ticking() -> Arc<Engine> {
        Arc::new(Engine::new(World::new(Settings::default(), Clock::running(1.0)), &[], false, false).unwrap())
    }

    fn listening(last: Option<&str>) -> Incoming {
        let mut headers = HeaderMap::new();
        if let Some(last) = last {
            headers.insert("last-event-id", last.parse().unwrap());
        }
        let body = bytes::Bytes::new();
        Incoming { method: "GET".into(), path: "/events".into(), query: None, headers, body }
    }

    fn pace(end: u64) -> Pace {
        let [look, heartbeat, end] = [5, 25, end].map(Duration::from_millis);
        Pace { look, heartbeat, end }
    }

    #[test]
    fn the_curve_ends_where_the_books_do() {
        let engine = quiet();
        let mut world = engine.world();
        world.sessions = crate::state::bounded_map::BoundedMap::new(5, 1 << 20);
        let (now, id) = (world.now(), "group".to_owned());
        let end = now + jiff::SignedDuration::from_hours(24);
        let group = TargetGroup::new(id.clone(), "G".into(), "project".into(), now, (now, end));
        let price = Some(crate::state::target_group::Money { value: "2.50".into(), currency: "USD".into() });
        let live_url = Some("https://survey.example/?rid=[%RID%]".to_owned());
        let _ = world.add_group(TargetGroup { goal: 100, price, live_url, business_unit: 3848, ..group });
        crate::state::fielding::create(&mut world, now, &id, now, end, crate::state::fielding::RunStatus::Live);
        world.clock.advance(jiff::SignedDuration::from_mins(1));
        world.settle();
        let group = world.groups.get(&id).unwrap();
        let total = &group.ledger.total;
        assert!(total.completes > 5, "{total:?}");
        assert!(world.sessions.len() <= 5, "the others are forgotten");
        let curve = curve(group);
        let last = curve.as_array().unwrap().last().unwrap();
        assert_eq!((&last[1], &last[2]), (&json!(total.completes), &json!(total.cost.to_string())));
    }

    #[tokio::test]
    async fn where_nothing_happens_the_stream_shows_that_it_lives_and_then_ends() {
        let (_stop, closing) = watch::channel(false);
        let mut events = stream(quiet(), &listening(None), pace(200), closing.clone());
        let first = events.recv().await.unwrap();
        assert!(first.starts_with("retry: 5\n\nid: ") && first.ends_with("\n\n"), "{first}");
        let mut beats = 0;
        while let Some(beat) = events.recv().await {
            assert_eq!(beat, ":\n\n");
            beats += 1;
        }
        assert!((1..=8).contains(&beats), "{beats}");

        // Whoever has seen that already is told nothing of it again.
        let id = first.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
        let mut again = stream(quiet(), &listening(Some(id)), pace(200), closing.clone());
        assert_eq!(again.recv().await.unwrap(), "retry: 5\n\n");
        let mut other = stream(quiet(), &listening(Some("seen elsewhere")), pace(200), closing);
        assert!(other.recv().await.unwrap().contains("\ndata: {"));
    }

    /// Pages build anew what they are told, so they are told the time alone where nothing else has changed.
    #[tokio::test]
    async fn where_only_time_passes_only_the_time_is_told() {
        let (_stop, closing) = watch::channel(false);
        let mut events = stream(ticking(), &listening(None), pace(200), closing);
        let first = events.recv().await.unwrap();
        assert!(first.contains("\"now\":\"") && first.contains("\"tiles\":"), "{first}");
        let mut ticks = 0;
        while let Some(tick) = events.recv().await {
            assert!(tick.starts_with("event: clock\ndata: {\"now\":\"") && !tick.contains("tiles"), "{tick}");
            ticks += 1;
        }
        assert!(ticks >= 3, "{ticks}");
    }

    #[tokio::test]
    async fn the_stream_ends_with_the_sandbox() {
        for is_dropped in [false, true] {
            let (stop, closing) = watch::channel(false);
            let mut events = stream(quiet(), &listening(None), Pace::USUAL, closing);
            assert!(events.recv().await.is_some());
            if is_dropped {
                drop(stop)
            } else {
                stop.send(true).unwrap()
            }
            assert_eq!(events.recv().await, None);
        }
    }
}
