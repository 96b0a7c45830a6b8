//! Recordings: what was asked of a sandbox from some state on, with moments
//! and answers, and doing it again to see whether the same comes of it.

use crate::api::engine::{Engine, Incoming, Outgoing, TOKEN_PATH};
use crate::contract::Contract;
use crate::fault::Effect;
use crate::http::{control, log};
use crate::sim::clock::{Clock, machine_time};
use crate::state::tokens::Standing;
use crate::state::{World, saved};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// So many exchanges a recording has at most.
const MAX_REQUESTS: usize = 100_000;
/// So many bytes they have at most.
const MAX_BYTES: usize = 64 << 20;
/// Headers that say nothing about what is asked, or too much about who asks.
const LEFT_OUT: &[&str] = &["authorization", "cookie", "host", "content-length", "connection", "user-agent"];
/// Operations of the control endpoint that move the state.
const RECORDED_CONTROL: &[&str] = &["/control/respondents", "/control/jobs/fail", "/control/scenario"];

/// How a caller has shown who it is. The credential itself is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Credential {
    None,
    Token,
    ExpiredToken,
    Key,
}

/// One request with its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    at: Timestamp,
    credential: Credential,
    method: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
    answer: String,
    /// What a fault did to it, if one hit it.
    fault: Option<Effect>,
}

/// A recording that is under way.
#[derive(Debug)]
pub(crate) struct Recorder {
    start: Value,
    exchanges: Vec<Exchange>,
    weight: usize,
    /// Whether something had to be left out at the end.
    is_full: bool,
}

/// A whole recording.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recording {
    start: Value,
    exchanges: Vec<Exchange>,
    is_full: bool,
}

impl Recorder {
    /// Begins with a state.
    pub(crate) fn begin(world: &World) -> Result<Self, String> {
        let start = saved::write(world)?;
        let start = serde_json::from_slice(&start).map_err(|error| error.to_string())?;
        Ok(Self { start, exchanges: Vec::new(), weight: 0, is_full: false })
    }

    /// Notes an exchange.
    pub(crate) fn add(
        &mut self,
        world: &World,
        at: Timestamp,
        incoming: &Incoming,
        outgoing: &Outgoing,
        fault: Option<&Effect>,
    ) {
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let is_kept = |name: &str| !LEFT_OUT.contains(&name) && !log::is_credential(name);
        let headers = incoming.headers.iter().filter(|(name, _)| is_kept(name.as_str()));
        let headers: Vec<(String, String)> = headers.filter_map(text).collect();
        let address = incoming.path.len() + incoming.query.as_ref().map_or(0, String::len);
        let weight = 500 + address + log::weight_of_pairs(&headers) + incoming.body.len() + outgoing.body.len();
        if self.is_full || self.exchanges.len() >= MAX_REQUESTS || self.weight + weight > MAX_BYTES {
            self.is_full = true;
            return;
        }
        self.weight += weight;
        let is_token = incoming.path == TOKEN_PATH;
        self.exchanges.push(Exchange {
            at,
            credential: credential(world, &incoming.headers),
            method: incoming.method.clone(),
            path: incoming.path.clone(),
            query: query(incoming),
            headers,
            // The secret and the token are nobody's business.
            body: if is_token { String::new() } else { String::from_utf8_lossy(&incoming.body).into_owned() },
            status: outgoing.status,
            answer: if is_token { String::new() } else { String::from_utf8_lossy(&outgoing.body).into_owned() },
            fault: fault.cloned(),
        });
    }

    /// What there is so far.
    pub(crate) fn recording(&self) -> Recording {
        Recording { start: self.start.clone(), exchanges: self.exchanges.clone(), is_full: self.is_full }
    }
}

/// Whether a request is one that recordings hold.
pub(crate) fn is_recorded(incoming: &Incoming) -> bool {
    let is_control = incoming.path.starts_with("/control/");
    !is_control || (incoming.method == "POST" && RECORDED_CONTROL.contains(&incoming.path.as_str()))
}

/// The query, without the control token; none of the token endpoint, where it can only be a secret in a wrong place.
fn query(incoming: &Incoming) -> Option<String> {
    let query = incoming.query.as_deref().filter(|_| incoming.path != TOKEN_PATH)?;
    if !incoming.path.starts_with("/control/") {
        return Some(query.to_owned());
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("token=")).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

fn credential(world: &World, headers: &HeaderMap) -> Credential {
    let given = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given == world.account.s2s_key {
        return Credential::Key;
    }
    let token = given.split_once(' ').map_or("", |(_, token)| token.trim());
    match world.tokens.standing(token, machine_time()) {
        Standing::Good => Credential::Token,
        Standing::Expired => Credential::ExpiredToken,
        Standing::Unknown => Credential::None,
    }
}

/// A recording done again, and the sandbox in which that happened.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) world: World,
    /// What came out otherwise than recorded.
    pub(crate) different: Vec<Value>,
    pub(crate) count: usize,
}

/// Does a recording again, in a sandbox of its own.
pub(crate) fn replay(recording: &Recording, contracts: &[&'static Contract]) -> Result<Replayed, String> {
    let start = serde_json::to_vec(&recording.start).map_err(|error| error.to_string())?;
    let dates: Vec<String> = contracts.iter().map(|contract| contract.date().to_owned()).collect();
    let mut engine = Engine::new(saved::read(&start)?, &dates, false, false).map_err(|error| error.to_string())?;
    for contract in contracts {
        engine.replace_contract(contract);
    }
    let (good, expired) = {
        let mut world = engine.world();
        // Tokens of their own, drawn from elsewhere: the recorded ones are not
        // known, and the state's randomness must not move.
        let mut rng = crate::sim::rng::Rng::new(0);
        let good = world.tokens.issue(&mut rng, machine_time(), SignedDuration::from_hours(24));
        let expired = world.tokens.issue(&mut rng, machine_time(), SignedDuration::ZERO);
        (good, expired)
    };
    let mut different = Vec::new();
    for (number, exchange) in recording.exchanges.iter().enumerate() {
        engine.world().clock = Clock::Standing { now: exchange.at };
        let incoming = incoming(&engine, exchange, &good, &expired)?;
        let outgoing = exchange_again(&engine, exchange, &incoming);
        let got = String::from_utf8_lossy(&outgoing.body);
        let is_same = exchange.path == TOKEN_PATH || (outgoing.status == exchange.status && got == exchange.answer);
        if !is_same {
            different.push(json!({
                "number": number + 1,
                "request": format!("{} {}", exchange.method, exchange.path),
                "recorded": { "status": exchange.status, "answer": exchange.answer },
                "now": { "status": outgoing.status, "answer": got },
            }));
        }
    }
    let world = engine.world().clone();
    Ok(Replayed { world, different, count: recording.exchanges.len() })
}

fn incoming(engine: &Engine, exchange: &Exchange, good: &str, expired: &str) -> Result<Incoming, String> {
    let mut headers = HeaderMap::new();
    let authorization = match exchange.credential {
        Credential::None => None,
        Credential::Token => Some(format!("Bearer {good}")),
        Credential::ExpiredToken => Some(format!("Bearer {expired}")),
        Credential::Key => Some(engine.world().account.s2s_key.clone()),
    };
    let authorization = authorization.map(|value| ("authorization".to_owned(), value));
    for (name, value) in exchange.headers.iter().cloned().chain(authorization) {
        let name = HeaderName::try_from(&name).map_err(|error| format!("header {name}: {error}"))?;
        headers.append(name, HeaderValue::try_from(value).map_err(|error| error.to_string())?);
    }
    Ok(Incoming {
        method: exchange.method.clone(),
        path: exchange.path.clone(),
        query: exchange.query.clone(),
        headers,
        body: Bytes::from(exchange.body.clone()),
    })
}

fn exchange_again(engine: &Engine, exchange: &Exchange, incoming: &Incoming) -> Outgoing {
    let empty = |status| Outgoing { status, headers: HeaderMap::new(), body: Vec::new() };
    let fault = exchange.fault.as_ref();
    if exchange.path == TOKEN_PATH && !fault.is_some_and(Effect::replaces_answer) {
        if exchange.status == 200 {
            let mut world = engine.world();
            let world = &mut *world;
            world.tokens.issue(&mut world.rng, machine_time(), world.settings.token_ttl);
        }
        return empty(exchange.status);
    }
    if exchange.path.starts_with("/control/") {
        let (status, body) = control::serve(engine, incoming);
        return Outgoing { status, headers: HeaderMap::new(), body: serde_json::to_vec(&body).unwrap_or_default() };
    }
    engine.serve_under(incoming, fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Settings;

    #[test]
    fn headers_weigh_in_a_recording() {
        let now = Timestamp::UNIX_EPOCH;
        let world = World::new(Settings::default(), Clock::Standing { now });
        let mut recorder = Recorder { start: Value::Null, exchanges: Vec::new(), weight: 0, is_full: false };
        let mut headers = HeaderMap::new();
        headers.insert("x-long", HeaderValue::try_from("x".repeat(1 << 20)).unwrap());
        let (method, path) = ("GET".to_owned(), "/v1/accounts".to_owned());
        let incoming = Incoming { method, path, query: None, headers, body: Bytes::new() };
        let outgoing = Outgoing { status: 401, headers: HeaderMap::new(), body: Vec::new() };
        for _ in 0..70 {
            recorder.add(&world, now, &incoming, &outgoing, None);
        }
        assert!(recorder.is_full && recorder.exchanges.len() < 64, "{}", recorder.exchanges.len());
    }
}
