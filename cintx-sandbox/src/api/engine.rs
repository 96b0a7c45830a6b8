//! A request in, an answer out: who is asking, which version, is it allowed,
//! do it, put it into the version's shape, write it down.

use crate::api::answer::{Answer, Content};
use crate::api::call::Call;
use crate::api::read_cache::ReadCache;
use crate::api::rejection::Rejection;
use crate::api::routes;
use crate::api::strict;
use crate::contract::{Contract, ContractError, Found, Host, Operation, Place, Request, Violation};
use crate::fault::{BESIDE_OPERATIONS, Effect, Fault, Faults, Strike, TOKEN, drift, fits};
use crate::http::log::{self, Log, Received};
use crate::http::recording::{self, Recorder, Recording};
use crate::seed_file::SeedFile;
use crate::sim::clock::{Clock, machine_time, text};
use crate::sim::rng::Rng;
use crate::sim::synth::Synth;
use crate::state::idempotency::Known;
use crate::state::tokens::Standing;
use crate::state::{Settings, World, saved};
use crate::version::Version;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The header that names the version.
const VERSION: &str = "cint-api-version";

/// The path of the token endpoint.
pub(crate) const TOKEN_PATH: &str = "/oauth/token";

/// So many faults can be in force at once that a file or a request gives.
const MAX_FAULTS: usize = 1_000;

/// So many states are kept at most.
const MAX_SAVED: usize = 16;

/// A request as the server read it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Incoming {
    /// A request whose body was read.
    pub(crate) fn of(head: http::request::Parts, body: Bytes) -> Self {
        Self {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
            body,
        }
    }

    /// The host that is meant, and the path behind its base path.
    fn place(&self) -> (Host, &str) {
        match self.path.strip_prefix("/v1") {
            Some(rest) if rest.starts_with('/') => (Host::Demand, rest),
            _ => (Host::S2s, self.path.as_str()),
        }
    }
}

/// An answer ready to be written.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// One sandbox without its server.
#[derive(Debug)]
pub(crate) struct Engine {
    world: Mutex<World>,
    log: Mutex<Log>,
    /// Wakes whoever waits for requests to be answered.
    answered: Notify,
    faults: Mutex<Faults>,
    reads: Mutex<ReadCache>,
    /// States that are kept under a name.
    saved: Mutex<BTreeMap<String, World>>,
    /// Opens the control endpoint and the page from anywhere.
    control_token: String,
    /// The clock to begin with, where it stands or runs at another pace.
    first_clock: Clock,
    /// What a reset goes back to.
    start: Mutex<Start>,
    /// The contracts served, oldest first.
    contracts: Vec<&'static Contract>,
    /// The recording that is under way, if one is.
    recorder: Mutex<Option<Recorder>>,
    is_recording: AtomicBool,
    check_answers: bool,
    print: bool,
}

/// How a sandbox begins, whatever is loaded into it later.
#[derive(Debug)]
struct Start {
    settings: Settings,
    /// The state, where one was given.
    world: Option<World>,
}

/// What the judge's desk passes on.
struct Admitted<'c> {
    contract: &'c Contract,
    operation: &'c Operation,
    verdict: crate::contract::Verdict<'c>,
}

/// What is known of a request while it is worked on.
#[derive(Default)]
struct Notes<'c> {
    contract: Option<&'c Contract>,
    operation: Option<&'c Operation>,
    body: Option<Value>,
    violations: Vec<Violation>,
    notes: Vec<String>,
    replayed: bool,
    fault: Option<&'static str>,
}

impl Engine {
    pub(crate) fn new(
        world: World,
        versions: &[String],
        check_answers: bool,
        print: bool,
    ) -> Result<Self, ContractError> {
        let first_clock = world.clock.clone();
        let contracts = if versions.is_empty() {
            Contract::versions().map(Contract::for_version).collect::<Result<Vec<_>, _>>()?
        } else {
            versions.iter().map(|date| Contract::for_version(date)).collect::<Result<Vec<_>, _>>()?
        };
        Ok(Self {
            faults: Mutex::new(Faults::new(world.settings.seed)),
            start: Mutex::new(Start { settings: world.settings.clone(), world: None }),
            world: Mutex::new(world),
            log: Mutex::default(),
            answered: Notify::new(),
            reads: Mutex::default(),
            saved: Mutex::default(),
            control_token: uuid::Uuid::new_v4().simple().to_string(),
            first_clock,
            contracts,
            recorder: Mutex::default(),
            is_recording: AtomicBool::new(false),
            check_answers,
            print,
        })
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle();
        world
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many requests to the API have been answered.
    pub(crate) async fn answered(&self, requests: u64) {
        loop {
            // What is answered after this line wakes it.
            let answered = self.answered.notified();
            if self.log().total_of_api() >= requests {
                return;
            }
            answered.await;
        }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses a name, or a pattern of names, that neither an operation has nor something beside them.
    pub(crate) fn check_operation(&self, pattern: &str, beside: &[&str]) -> Result<(), String> {
        let operations = self.contracts.iter().flat_map(|contract| contract.operations()).map(Operation::id);
        let known: BTreeSet<&str> = operations.chain(beside.iter().copied()).collect();
        if known.iter().any(|name| fits(pattern, name)) {
            return Ok(());
        }
        let mut nearest: Vec<&str> = known.into_iter().collect();
        nearest.sort_by_key(|name| strsim::levenshtein(name, pattern));
        nearest.truncate(5);
        Err(format!("no operation is called {pattern}; the nearest are: {}", nearest.join(", ")))
    }

    /// Refuses faults that could never strike, and more of them than there can be.
    pub(crate) fn check_faults(&self, given: &[Fault]) -> Result<(), String> {
        let count = self.faults().len() + given.len();
        if count > MAX_FAULTS {
            return Err(format!("there would be {count} faults; {MAX_FAULTS} at most can be in force"));
        }
        given.iter().try_for_each(|fault| self.check_operation(&fault.on, &BESIDE_OPERATIONS))
    }

    /// The token that opens the control endpoint and the page from anywhere.
    pub(crate) fn control_token(&self) -> &str {
        &self.control_token
    }

    /// Serves another document in the place of the one of its date.
    pub(crate) fn replace_contract(&mut self, contract: &'static Contract) {
        self.contracts.retain(|own| own.date() != contract.date());
        self.contracts.push(contract);
        self.contracts.sort_by_key(|contract| contract.date());
    }

    /// Sets the token instead of a random one.
    pub(crate) fn set_control_token(&mut self, token: String) {
        self.control_token = token;
    }

    /// Begins again: the state as it was at the start, no faults, an empty
    /// log. Tokens stay good, since callers keep theirs.
    pub(crate) fn reset(&self) {
        self.begin_anew(None);
    }

    /// The same, with other things there from the start.
    pub(crate) fn begin_with(&self, seed_file: SeedFile) {
        self.begin_anew(Some(seed_file));
    }

    /// Begins with a state that was given, at its own moment, now and after each reset.
    pub(crate) fn begin_from(&mut self, world: World) {
        self.start = Mutex::new(Start { settings: world.settings.clone(), world: Some(world.clone()) });
        self.put_world(world);
    }

    fn begin_anew(&self, seed_file: Option<SeedFile>) {
        let mut start = self.start.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = seed_file {
            start.settings.seed_file = Arc::new(file);
            start.world = None;
        }
        let mut world = self.world();
        // The scenario stays in force.
        let settings = Settings { scenario: world.settings.scenario.clone(), ..start.settings.clone() };
        let clock = self.first_clock.restarted();
        let fresh = match start.world.clone() {
            Some(first) => {
                let mut fresh = World { clock: clock.running_on_from(&first.clock), ..first };
                fresh.adopt(settings);
                fresh
            }
            None => World::new(settings, clock),
        };
        world.replace(fresh);
        drop(world);
        self.faults().clear();
        *self.log() = Log::default();
        *self.reads() = ReadCache::default();
    }

    /// Keeps the state under a name.
    pub(crate) fn save(&self, name: &str) -> Result<(), String> {
        let world = self.world().clone();
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if saved.len() >= MAX_SAVED && !saved.contains_key(name) {
            return Err(format!("{MAX_SAVED} states are saved already"));
        }
        saved.insert(name.to_owned(), World { clock: world.clock.stopped(), ..world });
        Ok(())
    }

    /// Goes back to a state that was kept, at its own moment; the names that
    /// there are, if there is none of this one.
    pub(crate) fn load(&self, name: &str) -> Result<(), Vec<String>> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = saved.get(name).cloned() else {
            return Err(saved.keys().cloned().collect());
        };
        drop(saved);
        self.put_world(known);
        Ok(())
    }

    /// The names of the states that are kept.
    pub(crate) fn saved_names(&self) -> Vec<String> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// A state that was kept, as JSON.
    pub(crate) fn saved_json(&self, name: &str) -> Option<Result<Vec<u8>, String>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(saved::write)
    }

    /// Keeps a state that comes as JSON under a name.
    pub(crate) fn keep(&self, name: &str, json: &[u8]) -> Result<(), String> {
        let world = saved::read(json)?;
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if saved.len() >= MAX_SAVED && !saved.contains_key(name) {
            return Err(format!("{MAX_SAVED} states are saved already"));
        }
        saved.insert(name.to_owned(), world);
        Ok(())
    }

    /// The state as it is now, as JSON.
    pub(crate) fn state_json(&self) -> Result<Vec<u8>, String> {
        let world = self.world().clone();
        saved::write(&World { clock: world.clock.stopped(), ..world })
    }

    /// Goes on from a state that comes as JSON, at its own moment.
    pub(crate) fn go_on_from(&self, json: &[u8]) -> Result<(), String> {
        self.put_world(saved::read(json)?);
        Ok(())
    }

    fn put_world(&self, known: World) {
        let mut world = self.world();
        let clock = world.clock.running_on_from(&known.clock);
        world.replace(World { clock, ..known });
        drop(world);
        *self.reads() = ReadCache::default();
    }

    /// Whether a recording is under way.
    pub(crate) fn is_recording(&self) -> bool {
        self.is_recording.load(Ordering::Acquire)
    }

    /// Begins a recording, instead of the one that is under way if one is. Stale answers are those that it has itself
    /// from here on, since nobody who does it again has others.
    pub(crate) fn begin_recording(&self) -> Result<(), String> {
        let mut recorder = self.recorder();
        let world = self.world().clone();
        *recorder = Some(Recorder::begin(&World { clock: world.clock.stopped(), ..world })?);
        *self.reads() = ReadCache::default();
        self.is_recording.store(true, Ordering::Release);
        Ok(())
    }

    /// The recording that is under way; ends it if asked to.
    pub(crate) fn recording(&self, end: bool) -> Option<Recording> {
        let mut recorder = self.recorder();
        let recording = recorder.as_ref().map(Recorder::recording);
        if end {
            *recorder = None;
            self.is_recording.store(false, Ordering::Release);
        }
        recording
    }

    /// Does a recording again: how many requests, and what came out otherwise.
    /// The state at its end is taken over if asked to.
    pub(crate) fn replay(&self, recording: &Recording, take_over: bool) -> Result<(usize, Vec<Value>), String> {
        let done = recording::replay(recording, &self.contracts)?;
        if take_over {
            self.put_world(done.world);
        }
        Ok((done.count, done.different))
    }

    fn recorder(&self) -> MutexGuard<'_, Option<Recorder>> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a request, and records it while a recording is under way: one at
    /// a time then, with the clock held still meanwhile.
    pub(crate) fn recorded(
        &self,
        incoming: &Incoming,
        fault: Option<&Effect>,
        serve: impl FnOnce() -> Outgoing,
    ) -> Outgoing {
        if !self.is_recording() || !recording::is_recorded(incoming) {
            return serve();
        }
        let mut recorder = self.recorder();
        let at = {
            let mut world = self.world();
            let now = world.now();
            world.pinned = Some(now);
            world.settle();
            now
        };
        let outgoing = serve();
        let mut world = self.world();
        if let Some(recorder) = recorder.as_mut() {
            recorder.add(&world, at, incoming, &outgoing, fault);
        }
        world.pinned = None;
        outgoing
    }

    fn reads(&self) -> MutexGuard<'_, ReadCache> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault that hits a request, if one does.
    pub(crate) fn strike(&self, incoming: &Incoming) -> Option<Strike> {
        if self.faults().is_empty() {
            return None;
        }
        let operation = match incoming.path.as_str() {
            TOKEN_PATH => TOKEN,
            _ => self.locate(incoming).map_or("", |(_, operation)| operation.id()),
        };
        self.faults().draw(operation)
    }

    /// The operation that a request is for, whoever asks.
    fn locate(&self, incoming: &Incoming) -> Option<(&'static Contract, &'static Operation)> {
        let (host, path) = incoming.place();
        let version = header(&incoming.headers, VERSION).filter(|_| host == Host::Demand);
        let contract = version.and_then(|date| self.contract(date)).or_else(|| self.contracts.last().copied())?;
        match contract.locate(host, &incoming.method, path) {
            Found::Operation(operation, _) => Some((contract, operation)),
            _ => None,
        }
    }

    pub(crate) fn contracts(&self) -> &[&'static Contract] {
        &self.contracts
    }

    /// Serves a request to either of the API's hosts.
    #[cfg(test)]
    pub(crate) fn serve(&self, incoming: &Incoming) -> Outgoing {
        self.serve_under(incoming, None)
    }

    /// Serves a request that a fault may hit.
    pub(crate) fn serve_under(&self, incoming: &Incoming, effect: Option<&Effect>) -> Outgoing {
        let mut notes = Notes { fault: effect.map(Effect::name), ..Notes::default() };
        let located = effect.and_then(|_| self.locate(incoming));
        match effect {
            Some(Effect::DropBefore | Effect::ResetBefore) => {
                let lost = Outgoing { status: 0, headers: HeaderMap::new(), body: Vec::new() };
                notes.operation = located.map(|(_, operation)| operation);
                return self.record(incoming, lost, notes, None);
            }
            Some(Effect::Status { status, retry_after }) => {
                let mut refusal = faulty(*status);
                if let Some(seconds) = retry_after {
                    refusal.headers.push(("retry-after", seconds.to_string()));
                }
                if incoming.path == TOKEN_PATH {
                    refusal.body = Some(serde_json::json!({ "error": "temporarily_unavailable" }));
                } else {
                    notes.contract = located.map(|(contract, _)| contract).or_else(|| self.contracts.last().copied());
                    notes.operation = located.map(|(_, operation)| operation);
                }
                return self.turn_away(incoming, refusal, notes);
            }
            Some(Effect::GatewayPage(status)) => {
                notes.operation = located.map(|(_, operation)| operation);
                let page = format!("<html><head><title>{status}</title></head><body>{status}</body></html>\r\n");
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
                let outgoing = Outgoing { status: *status, headers, body: page.into_bytes() };
                return self.record(incoming, outgoing, notes, Some("A fault was injected.".into()));
            }
            Some(Effect::ExpireToken) => {
                let token = header(&incoming.headers, "authorization").and_then(|value| value.split_once(' '));
                self.world().tokens.expire(token.map_or("", |(_, token)| token.trim()), machine_time());
            }
            Some(Effect::StaleRead) if incoming.method == "GET" => {
                notes.operation = located.map(|(_, operation)| operation);
                let known = self.reads().last(incoming);
                return match known {
                    Some(outgoing) => self.record(incoming, outgoing, notes, None),
                    None => {
                        notes.contract = located.map(|(contract, _)| contract);
                        self.turn_away(incoming, Rejection::not_found("resource yet"), notes)
                    }
                };
            }
            _ => {}
        }
        if effect == Some(&Effect::ApplyTwice) {
            self.work(incoming, Notes { fault: notes.fault, ..Notes::default() });
        }
        let mut outgoing = self.work(incoming, notes);
        match effect {
            Some(Effect::ContentType(media)) => {
                if let Ok(media) = HeaderValue::try_from(media) {
                    outgoing.headers.insert(CONTENT_TYPE, media);
                }
            }
            Some(Effect::Drift { fields, values }) => {
                let shape = located.and_then(|(contract, op)| contract.answer_shape(op, outgoing.status));
                if let (Some(shape), Ok(mut body)) = (shape, serde_json::from_slice(&outgoing.body)) {
                    drift(&shape, &mut body, *fields, *values);
                    outgoing.body = serde_json::to_vec(&body).unwrap_or_default();
                }
            }
            _ => {}
        }
        outgoing
    }

    /// Writes down what the token endpoint has answered.
    pub(crate) fn record_token(&self, incoming: &Incoming, outgoing: Outgoing, effect: Option<&Effect>) -> Outgoing {
        let body: Option<Value> = serde_json::from_slice(&outgoing.body).ok().filter(|_| outgoing.status >= 400);
        let refusal = body.as_ref().and_then(|body| body.get("error_description")).and_then(Value::as_str);
        let notes = Notes { fault: effect.map(Effect::name), ..Notes::default() };
        self.record(incoming, outgoing, notes, refusal.map(str::to_owned))
    }

    /// Refuses a request without looking at it.
    fn turn_away(&self, incoming: &Incoming, refusal: Rejection, notes: Notes<'_>) -> Outgoing {
        let (trace_id, traceparent) = self.trace(&incoming.headers);
        let detail = refusal.detail.clone();
        let answer = self.refuse(refusal, &notes);
        self.record(incoming, outgoing(&answer, &trace_id, &traceparent), notes, Some(detail))
    }

    fn work<'c>(&'c self, incoming: &Incoming, mut notes: Notes<'c>) -> Outgoing {
        let (host, path) = incoming.place();
        let request = Request {
            host,
            method: &incoming.method,
            path,
            query: incoming.query.as_deref(),
            headers: &incoming.headers,
            body: &incoming.body,
        };
        let (trace_id, traceparent) = self.trace(&incoming.headers);
        let result = self
            .admit(&request, &mut notes)
            .and_then(|admitted| self.perform(&request, admitted, &trace_id, &mut notes));
        let refusal = result.as_ref().err().map(|refusal| refusal.detail.clone());
        let answer = result.unwrap_or_else(|refusal| self.refuse(refusal, &notes));
        let outgoing = outgoing(&answer, &trace_id, &traceparent);
        if incoming.method == "GET" && outgoing.status == 200 {
            self.reads().keep(incoming, &outgoing);
        }
        self.record(incoming, outgoing, notes, refusal)
    }

    /// Who is asking, for which version, and does its document allow it.
    fn admit<'c>(&'c self, request: &Request<'_>, notes: &mut Notes<'c>) -> Result<Admitted<'c>, Rejection> {
        let contract = match request.host {
            Host::S2s => {
                // This host knows no versions; the newest document has it.
                let newest = self.contracts.last().copied().ok_or_else(|| Rejection::not_found("path"))?;
                notes.contract = Some(newest);
                if !request.path.starts_with("/fulfillment/") {
                    return Err(Rejection::not_found("path"));
                }
                self.check_key(request.headers)?;
                newest
            }
            Host::Demand => {
                notes.contract = self.contracts.last().copied();
                let version = header(request.headers, VERSION);
                if let Some(known) = version.and_then(|date| self.contract(date)) {
                    // Even a refusal speaks the version's language.
                    notes.contract = Some(known);
                }
                self.check_token(request.headers)?;
                let version = version.ok_or_else(Rejection::version_missing)?;
                let contract = self.contract(version).ok_or_else(|| unknown_version(version, &self.contracts))?;
                notes.contract = Some(contract);
                contract
            }
        };
        let (operation, path) = match contract.locate(request.host, request.method, request.path) {
            Found::Operation(operation, path) => (operation, path),
            Found::OtherMethods(methods) => return Err(Rejection::method_not_allowed(&methods)),
            Found::Nothing => return Err(Rejection::not_found("path")),
        };
        notes.operation = Some(operation);
        let mut verdict = contract.check_operation(operation, path, request);
        notes.body.clone_from(&verdict.body);
        notes.notes = std::mem::take(&mut verdict.notes);
        if let Some(body) = verdict.body.as_ref().filter(|_| !verdict.violations.is_empty())
            && let Some((changed, taken)) =
                strict::other_types(&self.world().settings.tolerances, &verdict.violations, body)
        {
            let again = contract.check_body_value(operation, &changed);
            verdict.violations.retain(|violation| !matches!(violation.place, Place::Body(_)));
            verdict.violations.extend(again);
            verdict.body = Some(changed);
            notes.notes.extend(taken);
        }
        if let Some(body) = verdict.body.as_ref().filter(|_| !verdict.violations.is_empty())
            && let Some(other) = strict::other_edition(&self.world().settings.tolerances, body)
            && contract.check_body_value(operation, &other).is_empty()
        {
            verdict.violations.retain(|violation| !matches!(violation.place, Place::Body(_)));
            verdict.body = Some(other);
            notes.notes.push("conditions are named as in another edition of this call".into());
        }
        if let Some(body) = &verdict.body {
            notes.notes.extend(contract.undeclared(operation, body));
        }
        if !verdict.violations.is_empty() {
            notes.violations = std::mem::take(&mut verdict.violations);
            return Err(Rejection::from_violations(&notes.violations));
        }
        Ok(Admitted { contract, operation, verdict })
    }

    fn contract(&self, date: &str) -> Option<&'static Contract> {
        self.contracts.iter().find(|contract| contract.date() == date).copied()
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        let token = header(headers, "authorization")
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(Rejection::unauthorized)?;
        match self.world().tokens.standing(token, machine_time()) {
            Standing::Good => Ok(()),
            Standing::Expired => Err(Rejection::forbidden()),
            Standing::Unknown => Err(Rejection::unauthorized()),
        }
    }

    /// The key stands alone in the header, without a scheme.
    fn check_key(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        let given = header(headers, "authorization").ok_or_else(Rejection::unauthorized)?;
        if given == self.world().account.s2s_key { Ok(()) } else { Err(Rejection::unauthorized()) }
    }

    /// Does what an admitted request asks for.
    fn perform<'c>(
        &self,
        request: &Request<'_>,
        admitted: Admitted<'c>,
        trace_id: &str,
        notes: &mut Notes<'c>,
    ) -> Result<Answer, Rejection> {
        let Admitted { contract, operation, verdict } = admitted;
        let call = Call {
            contract,
            operation,
            version: Version::of(contract.date()),
            path: verdict.path,
            query: verdict.query,
            headers: request.headers,
            body: verdict.body.unwrap_or(Value::Null),
            raw: request.body,
            requested: request.path,
            trace_id: trace_id.to_owned(),
        };
        let mut world = self.world();
        let account = call.at("account_id");
        if !account.is_empty() && account != world.account.id.to_string() {
            return Err(Rejection::forbidden());
        }
        let key = operation.header("idempotency-key").and_then(|_| call.header("idempotency-key"));
        let Some(key) = key else {
            return finish(&mut world, &call, routes::serve);
        };
        let print = fingerprint(request, contract.date());
        match world.idempotency.look_up(operation.id(), key, print) {
            Known::Repeat(answer) => {
                notes.replayed = true;
                Ok(*answer)
            }
            // What the API does here is not published; staying silent would
            // hide a fault of the caller.
            Known::Clash => Err(Rejection::invalid("idempotency-key", "already used for another request")),
            Known::Fresh => {
                let answer = finish(&mut world, &call, routes::serve)?.with("idempotency-key", key);
                world.idempotency.remember(operation.id(), key, print, answer.clone());
                Ok(answer)
            }
        }
    }

    /// Puts a refusal into the shape that the document gives it.
    fn refuse(&self, refusal: Rejection, notes: &Notes<'_>) -> Answer {
        let mut world = self.world();
        let facts = refusal.facts(world.rng.uuid());
        let shape = notes.contract.and_then(|contract| {
            let declared = notes.operation.and_then(|operation| contract.answer_shape(operation, refusal.status));
            // An undeclared error has the common shape, if the operation does
            // not declare that it has no body at all.
            let bodiless = notes.operation.is_some_and(|op| {
                op.statuses().any(|s| s == refusal.status) && op.answer_media(refusal.status).next().is_none()
            });
            match declared {
                Some(shape) => Some(shape),
                None if bodiless => None,
                None if refusal.status == 429 => contract.named_shape("TooManyRequestsProblemDetails"),
                None => contract.named_shape("Error"),
            }
        });
        if let Some(body) = &refusal.body
            && shape.is_none()
        {
            let mut answer = Answer::json(refusal.status, body.clone());
            answer.headers.clone_from(&refusal.headers);
            return answer;
        }
        let mut answer = Answer::empty(refusal.status);
        if let Some(shape) = shape {
            let seed = world.rng.next();
            let body = Synth::new(Rng::new(seed), world.now()).fit(&shape, &facts);
            answer.content = Content::Json(body);
        }
        answer.headers.clone_from(&refusal.headers);
        answer
    }

    /// The trace of a request: continued where the caller began one.
    fn trace(&self, headers: &HeaderMap) -> (String, String) {
        let mut world = self.world();
        let given = header(headers, "traceparent").and_then(|value| value.split('-').nth(1));
        let id = match given {
            Some(id) if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) => id.to_owned(),
            _ => world.rng.hex(32),
        };
        let parent = format!("00-{id}-{}-01", world.rng.hex(16));
        (id, parent)
    }

    fn record(&self, incoming: &Incoming, outgoing: Outgoing, notes: Notes<'_>, refusal: Option<String>) -> Outgoing {
        let mut own = Vec::new();
        if self.check_answers
            && let (Some(contract), Some(operation)) = (notes.contract, notes.operation)
            // Errors that a document does not declare are still answered.
            && (outgoing.status < 400 || operation.statuses().any(|status| status == outgoing.status))
        {
            own = contract.check_answer(operation, outgoing.status, &outgoing.headers, &outgoing.body);
        }
        let is_for_token = incoming.path == TOKEN_PATH;
        let operation = notes.operation.map(Operation::id).or(is_for_token.then_some(TOKEN));
        let (at, body, answer) = {
            let world = self.world();
            let kept = |body: &[u8]| match is_for_token {
                true => log::token_body(body, &world.account),
                false => log::body(body),
            };
            let body = if is_for_token { kept(&incoming.body) } else { notes.body.map(log::without_credentials) };
            (text(world.now()), body, kept(&outgoing.body))
        };
        let mut entry = Received {
            number: 0,
            at,
            method: incoming.method.clone(),
            path: incoming.path.clone(),
            // No parameter of the token endpoint is known, so anything may be meant by one.
            query: incoming.query.as_deref().filter(|_| !is_for_token).map(log::query),
            version: header(&incoming.headers, VERSION).map(str::to_owned),
            idempotency_key: header(&incoming.headers, "idempotency-key").map(str::to_owned),
            operation: operation.map(str::to_owned),
            body,
            status: outgoing.status,
            fault: notes.fault,
            replayed: notes.replayed,
            refusal,
            violations: notes.violations,
            notes: notes.notes,
            answer_violations: own,
            headers: log::headers(&incoming.headers),
            answer_headers: log::headers(&outgoing.headers),
            answer,
        };
        if self.print || !entry.answer_violations.is_empty() {
            eprintln!("{}", entry.line());
        }
        entry.number = 0;
        self.log().add(entry, incoming.body.len(), outgoing.body.len());
        self.answered.notify_waiters();
        outgoing
    }
}

/// Runs a route and fits what it says to the declared shape.
fn finish(
    world: &mut World,
    call: &Call<'_>,
    route: fn(&mut World, &Call<'_>) -> Result<Answer, Rejection>,
) -> Result<Answer, Rejection> {
    strict::check(world, call)?;
    let mut answer = route(world, call)?;
    if let Content::Json(facts) = &answer.content
        && let Some(shape) = call.contract.answer_shape(call.operation, answer.status)
    {
        let seed = world.rng.next();
        let body = Synth::new(Rng::new(seed), world.now()).fit(&shape, facts);
        answer.content = Content::Json(body);
    }
    Ok(answer)
}

/// What an injected status looks like when the API itself sends it.
fn faulty(status: u16) -> Rejection {
    let object = match status {
        401 | 403 => "authorization_error",
        404 => "not_found_error",
        409 => "conflict_error",
        412 => "precondition_failed_error",
        429 => "too_many_requests_problem_details",
        400..=499 => "bad_request_error",
        _ => "unexpected_internal_error",
    };
    Rejection::new(status, object, "A fault was injected.")
}

fn unknown_version(given: &str, contracts: &[&'static Contract]) -> Rejection {
    let known: Vec<_> = contracts.iter().map(|contract| contract.date()).collect();
    Rejection::refused("cint-api-version", given, known.join(", "))
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What makes two requests the same: everything but the headers.
fn fingerprint(request: &Request<'_>, version: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (version, request.method, request.path, request.query, request.body).hash(&mut hasher);
    hasher.finish()
}

fn outgoing(answer: &Answer, trace_id: &str, traceparent: &str) -> Outgoing {
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    };
    put("traceparent", traceparent);
    put("x-tyk-trace-id", trace_id);
    // Zero means that nothing is metered.
    for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        put(name, "0");
    }
    if let Some(media) = answer.content_type() {
        put(CONTENT_TYPE.as_str(), media);
    }
    for (name, value) in &answer.headers {
        put(name, value);
    }
    Outgoing { status: answer.status, headers, body: answer.bytes() }
}
