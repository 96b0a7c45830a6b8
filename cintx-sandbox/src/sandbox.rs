//! Starting, asking and stopping a sandbox.
//! The crate's face: everything else is behind it.

use crate::api::engine::Engine;
use crate::contract::{Contract, ContractError};
use crate::fault::{BESIDE_OPERATIONS, Fault, FaultId};
use crate::http::connection_fault::{ConnectionFault, FaultyListener};
use crate::http::log::Received;
use crate::http::{access, control, server};
use crate::scenario::{Scenario, ScenarioError};
use crate::seed_file::SeedFile;
use crate::setting::Setting;
use crate::sim::clock::{Clock, machine_time};
use crate::state::session::status;
use crate::state::{Settings, World, saved};
use crate::tolerance::Tolerance;
use crate::webhook_delivery;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port could not be opened.
    #[error("the sandbox cannot listen: {0}")]
    Listen(std::io::Error),
    /// A version has no usable document.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The scenario has a number that cannot be.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A fault could never strike, because nothing is called as it says, or there are too many.
    #[error("the faults cannot be injected: {0}")]
    Fault(String),
    /// The control token cannot be one.
    #[error("the control token {0}")]
    ControlToken(&'static str),
    /// What was given to go on from is no saved state, or was begun otherwise
    /// than is wanted.
    #[error("{0}")]
    State(String),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Listen(error)
    }
}

/// How a sandbox is to be.
#[derive(Clone, Debug)]
pub struct Builder {
    port: u16,
    versions: Vec<String>,
    settings: Settings,
    /// Which of them were set here, so that they hold in a state as well.
    told: BTreeSet<Setting>,
    standing: Option<Timestamp>,
    speed: f64,
    check_answers: bool,
    print: bool,
    faults: Vec<Fault>,
    webhook_gateway: Option<String>,
    listen: IpAddr,
    control_token: Option<String>,
    idle: Duration,
    state: Option<Vec<u8>>,
    documents: Vec<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            port: 0,
            versions: Vec::new(),
            settings: Settings::default(),
            told: BTreeSet::new(),
            standing: None,
            speed: 1.0,
            check_answers: cfg!(debug_assertions),
            print: false,
            faults: Vec::new(),
            webhook_gateway: None,
            listen: Ipv4Addr::LOCALHOST.into(),
            control_token: None,
            idle: Duration::from_secs(75),
            state: None,
            documents: Vec::new(),
        }
    }
}

impl Builder {
    fn told(mut self, setting: Setting) -> Self {
        self.told.insert(setting);
        self
    }

    /// Listens on this port instead of a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Listens on this address instead of loopback. From other machines, the
    /// control endpoint and the page need [`Sandbox::control_token`].
    #[must_use]
    pub fn listen(mut self, address: IpAddr) -> Self {
        self.listen = address;
        self
    }

    /// Sets the token that opens the control endpoint and the page from
    /// anywhere, instead of a random one. It has at least one character, and
    /// only printable ASCII.
    #[must_use]
    pub fn control_token(mut self, token: impl Into<String>) -> Self {
        self.control_token = Some(token.into());
        self
    }

    /// How long nothing may come in on a connection before it is closed; 75
    /// seconds unless said otherwise.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle = timeout;
        self
    }

    /// Serves only this version, and others named in further calls. Without
    /// a call, all versions are served.
    #[must_use]
    pub fn api_version(mut self, date: impl Into<String>) -> Self {
        self.versions.push(date.into());
        self.versions.sort();
        self
    }

    /// The seed of everything that is made up: ids, credentials, respondents.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self.told(Setting::Seed)
    }

    /// How long a token is good for by the machine's clock; a day unless said
    /// otherwise.
    #[must_use]
    pub fn token_ttl(mut self, ttl: Duration) -> Self {
        self.settings.token_ttl = signed(ttl);
        self.told(Setting::TokenTtl)
    }

    /// How long asynchronous jobs stay in progress.
    #[must_use]
    pub fn job_delay(mut self, delay: Duration) -> Self {
        self.settings.job_delay = signed(delay);
        self.told(Setting::JobDelay)
    }

    /// The mean time between two respondents of a live target group, unless
    /// the scenario says how many come [per day](crate::Arrivals::per_day). Zero keeps
    /// all respondents away but those put in by hand.
    #[must_use]
    pub fn field_pace(mut self, pace: Duration) -> Self {
        self.settings.field_pace = signed(pace);
        self.told(Setting::FieldPace)
    }

    /// How many respondents come in the moment a target group goes live.
    #[must_use]
    pub fn field_burst(mut self, respondents: u32) -> Self {
        self.settings.field_burst = respondents;
        self.told(Setting::FieldBurst)
    }

    /// How long a respondent stays in a survey, where the scenario does not
    /// say it; 100 milliseconds unless said otherwise.
    #[must_use]
    pub fn session_time(mut self, time: Duration) -> Self {
        self.settings.session_time = signed(time);
        self.told(Setting::SessionTime)
    }

    /// How the people of the field behave, see [`Scenario`].
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.settings.scenario = Arc::new(scenario);
        self.told(Setting::Scenario)
    }

    /// What there is from the start, see [`SeedFile`].
    #[must_use]
    pub fn seed_file(mut self, file: SeedFile) -> Self {
        self.settings.seed_file = Arc::new(file);
        self.told(Setting::SeedFile)
    }

    /// What is taken though the API may refuse it, instead of
    /// [`Tolerance::USUAL`].
    #[must_use]
    pub fn tolerate(mut self, tolerances: impl IntoIterator<Item = Tolerance>) -> Self {
        self.settings.tolerances = tolerances.into_iter().collect();
        self.told(Setting::Tolerances)
    }

    /// Whether reports end at 00:00 US Central of their last day, so that the
    /// day itself is left out: one of the two readings of the document.
    /// Otherwise the last day is in them.
    #[must_use]
    pub fn reports_end_at_last_midnight(mut self, leave_out: bool) -> Self {
        self.settings.reports_end_at_last_midnight = leave_out;
        self.told(Setting::ReportsEnd)
    }

    /// Goes on from a state that [`Sandbox::save`] has given, at its own
    /// moment; a reset goes back to it. What is set here by name holds. Where
    /// the state was begun with another seed, account id or seed file than is
    /// set, the sandbox does not start.
    #[must_use]
    pub fn state(mut self, json: impl Into<Vec<u8>>) -> Self {
        self.state = Some(json.into());
        self
    }

    /// Serves another interface document, as JSON, in the place of the one
    /// that has its date. Cint changes dated documents.
    #[must_use]
    pub fn document(mut self, json: impl Into<String>) -> Self {
        self.documents.push(json.into());
        self
    }

    /// Lets the simulation's clock stand at a moment, in seconds since 1970,
    /// until it is moved by [`Sandbox::advance`]. With it, and with one
    /// caller at a time, the same calls give the same answers byte for byte.
    #[must_use]
    pub fn standing_clock(mut self, unix_seconds: i64) -> Self {
        self.standing = Timestamp::from_second(unix_seconds).ok();
        self
    }

    /// Lets the simulation's clock run so many times as fast as the
    /// machine's, from 0 (it stands) to a million; 604800 is a week in a
    /// second. Tokens keep the machine's pace.
    #[must_use]
    pub fn speed(mut self, times: f64) -> Self {
        self.speed = if control::is_speed(times) { times } else { 1.0 };
        self
    }

    /// The id of the one account.
    #[must_use]
    pub fn account_id(mut self, id: i32) -> Self {
        self.settings.account_id = i64::from(id);
        self.told(Setting::AccountId)
    }

    /// Whether the sandbox's own answers are held against the documents as
    /// well, see [`Received::answer_violations`]. On in debug builds.
    #[must_use]
    pub fn check_answers(mut self, check: bool) -> Self {
        self.check_answers = check;
        self
    }

    /// Whether every request is told on standard error.
    #[must_use]
    pub fn log(mut self, print: bool) -> Self {
        self.print = print;
        self
    }

    /// Faults that are in force from the start.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Delivers every webhook to this `host:port` over plain HTTP, whatever
    /// address it was subscribed with. Without it, only subscriptions of
    /// `http://` addresses on this machine are delivered.
    #[must_use]
    pub fn webhook_gateway(mut self, address: impl Into<String>) -> Self {
        self.webhook_gateway = Some(address.into());
        self
    }

    /// The wait before a webhook is tried again; it doubles with each try.
    #[must_use]
    pub fn webhook_retry(mut self, wait: Duration) -> Self {
        self.settings.webhook_retry = signed(wait);
        self.told(Setting::WebhookRetry)
    }

    /// Starts the sandbox.
    ///
    /// # Errors
    /// If the port cannot be opened, a version is unknown, the scenario has a
    /// number that cannot be, a fault is of an operation that no version
    /// served has, or the control token is empty.
    pub async fn start(self) -> Result<Sandbox, Error> {
        self.settings.scenario.check()?;
        if let Some(problem) = self.control_token.as_deref().and_then(access::token_problem) {
            return Err(Error::ControlToken(problem));
        }
        let clock = self.standing.map_or_else(|| Clock::running(self.speed), |now| Clock::Standing { now });
        let world = World::new(self.settings.clone(), clock);
        let mut engine = Engine::new(world, &self.versions, self.check_answers, self.print)?;
        if let Some(token) = self.control_token {
            engine.set_control_token(token);
        }
        for json in &self.documents {
            engine.replace_contract(Contract::of_document(json)?);
        }
        if let Some(json) = self.state {
            let mut first = saved::read(&json).map_err(Error::State)?;
            let mut settings = first.settings.clone();
            let mut carried = self.told.iter().map(|setting| setting.carry(&self.settings, &mut settings));
            carried.try_for_each(|held| held).map_err(Error::State)?;
            first.adopt(settings);
            engine.begin_from(first);
        }
        engine.check_faults(&self.faults).map_err(Error::Fault)?;
        let engine = Arc::new(engine);
        let listener = TcpListener::bind((self.listen, self.port)).await?;
        let mut address = listener.local_addr()?;
        if address.ip().is_unspecified() {
            // Where nothing narrower is said, this machine's own name for it.
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let courier = tokio::spawn(webhook_delivery::deliver(engine.clone(), self.webhook_gateway));
        let (stop, mut stopped) = watch::channel(false);
        for fault in self.faults {
            engine.faults().add(fault);
        }
        let serving = engine.clone();
        let app =
            server::router(engine.clone(), stopped.clone()).into_make_service_with_connect_info::<ConnectionFault>();
        let task = tokio::spawn(async move {
            let until = async move {
                // A closed channel means that the sandbox was dropped.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            // Dropped, and so ended, with the server.
            let _courier = AbortOnDrop(courier);
            let _ = axum::serve(FaultyListener { listener, engine: serving, idle: self.idle }, app)
                .with_graceful_shutdown(until)
                .await;
        });
        Ok(Sandbox { engine, address, stop, task })
    }
}

/// A task that ends with its owner.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// One respondent's way through a survey, as the simulation knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Respondent {
    /// The id under which Cint and client speak of it.
    pub rid: String,
    /// The project.
    pub project_id: String,
    /// The target group.
    pub target_group_id: String,
    /// The state in the server-to-server interface's codes: 1 in survey or
    /// dropped, 2 terminate, 3 overquota, 4 security, 5 complete.
    pub status: i64,
    /// The survey link it was sent to.
    pub link: String,
}

impl Respondent {
    /// Whether it counts as a complete.
    pub fn is_complete(&self) -> bool {
        self.status == status::COMPLETE
    }
}

/// A running sandbox. Stops when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    engine: Arc<Engine>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox as it comes: a free port, all versions, seed 1.
    ///
    /// # Errors
    /// If no port can be opened.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// A sandbox to be set up first.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Stops listening, lets requests end that are being answered, and waits
    /// until the port is free.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        // Idle connections that clients keep open must not hold it up.
        let patience = Duration::from_secs(2);
        if tokio::time::timeout(patience, &mut self.task).await.is_err() {
            self.task.abort();
            let _ = (&mut self.task).await;
        }
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base address of the Demand API, with its `/v1`.
    pub fn api_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The base address of the server-to-server interface.
    pub fn s2s_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that gives tokens.
    pub fn token_url(&self) -> String {
        format!("http://{}/oauth/token", self.address)
    }

    /// The base address of the control endpoint.
    pub fn control_url(&self) -> String {
        format!("http://{}/control", self.address)
    }

    /// The token that opens the control endpoint and the page from anywhere;
    /// from this machine, none is needed.
    pub fn control_token(&self) -> String {
        self.engine.control_token().to_owned()
    }

    /// The client id that gets a token.
    pub fn client_id(&self) -> String {
        self.engine.world().account.client_id.clone()
    }

    /// The secret that belongs to the client id.
    pub fn client_secret(&self) -> String {
        self.engine.world().account.client_secret.clone()
    }

    /// The key of the server-to-server interface.
    pub fn s2s_key(&self) -> String {
        self.engine.world().account.s2s_key.clone()
    }

    /// The id of the account.
    pub fn account_id(&self) -> i32 {
        i32::try_from(self.engine.world().account.id).unwrap_or(i32::MAX)
    }

    /// The id of a user who can be a project manager.
    pub fn project_manager_id(&self) -> String {
        self.engine.world().account.caller().to_owned()
    }

    /// The id of a business unit with dynamic pricing in US dollars.
    pub fn business_unit_id(&self) -> i64 {
        self.engine.world().account.business_units.first().map_or(0, |unit| unit.id)
    }

    /// The dates of the versions served, oldest first.
    pub fn versions(&self) -> Vec<String> {
        self.engine.contracts().iter().map(|contract| contract.date().to_owned()).collect()
    }

    /// Answers a request as the server would, without a network and at once: the API, the token endpoint and the
    /// control endpoint. Injected faults have no effect here.
    ///
    /// A client whose transport calls this can be tested with simulated time.
    pub fn answer(&self, request: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
        server::respond(&self.engine, request)
    }

    /// The requests to the API received so far, oldest first; the last 10,000, those for a token counted in.
    pub fn requests(&self) -> Vec<Received> {
        self.engine.log().entries(|one| !one.is_for_token())
    }

    /// The same of the requests to the token endpoint; secrets and tokens are left out.
    pub fn token_requests(&self) -> Vec<Received> {
        self.engine.log().entries(Received::is_for_token)
    }

    /// Waits until it has answered so many requests to the API since it started, those for a token left out: the moment
    /// at which a test kills its client.
    ///
    /// ```
    /// # use cintx_sandbox::Sandbox;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cintx_sandbox::Error> {
    /// let sandbox = Sandbox::start().await?;
    /// let job = std::future::pending::<()>(); // the program that is killed
    /// tokio::select! {
    ///     () = sandbox.answered(0) => println!("killed"),
    ///     () = job => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn answered(&self, requests: usize) {
        self.engine.answered(requests.try_into().unwrap_or(u64::MAX)).await;
    }

    /// Everyone who has entered a survey so far.
    pub fn respondents(&self) -> Vec<Respondent> {
        let world = self.engine.world();
        world
            .sessions
            .values()
            .map(|session| Respondent {
                rid: session.rid.clone(),
                project_id: session.project_id.clone(),
                target_group_id: session.group_id.clone(),
                status: session.status(),
                link: session.link.clone(),
            })
            .collect()
    }

    /// Puts a respondent into a live target group's survey, where it stays
    /// until the client moves it on; its RID. `None` if there is no room.
    pub fn enter_respondent(&self, target_group_id: &str) -> Option<String> {
        let session = control::enter(&mut self.engine.world(), target_group_id)?;
        session.get("rid").and_then(Value::as_str).map(str::to_owned)
    }

    /// The state, as the control endpoint shows it.
    pub fn state(&self) -> Value {
        control::state(&self.engine.world())
    }

    /// The whole state as JSON, for [`Builder::state`] and [`Sandbox::load`].
    ///
    /// # Errors
    /// If it cannot be written down.
    pub fn save(&self) -> Result<Vec<u8>, Error> {
        self.engine.state_json().map_err(Error::State)
    }

    /// Goes back to a state, at its own moment.
    ///
    /// # Errors
    /// If this is no saved state.
    pub fn load(&self, json: &[u8]) -> Result<(), Error> {
        self.engine.go_on_from(json).map_err(Error::State)
    }

    /// What time it is in the simulation.
    pub fn now(&self) -> Timestamp {
        self.engine.world().clock.now()
    }

    /// The simulation's clock, for a client's builder: `Client::builder().clock(sandbox.clock())`.
    pub fn clock(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let engine = Arc::clone(&self.engine);
        move || engine.world().clock.now()
    }

    /// Moves the simulation's clock forward.
    pub fn advance(&self, by: Duration) {
        self.engine.world().clock.advance(signed(by));
        self.engine.world().settle();
    }

    /// Lets the simulation's clock run so many times as fast as the machine's
    /// from now on, see [`Builder::speed`]. A standing clock begins to run.
    pub fn set_speed(&self, times: f64) {
        if control::is_speed(times) {
            self.engine.world().clock.set_speed(times);
        }
    }

    /// Lets the next asynchronous jobs fail: launches, bulk jobs, files of
    /// respondents, reports. They fail when they would have been done.
    pub fn fail_next_jobs(&self, jobs: u32) {
        self.engine.world().failing = jobs;
    }

    /// Lets the next launches, schedules, bulk jobs and files of respondents
    /// fail for one target group, with this reason; whether there is such a
    /// group. In a bulk job, the others are done.
    pub fn fail_jobs_of(&self, target_group_id: &str, jobs: u32, code: &str, description: &str) -> bool {
        self.engine.world().fail_jobs_of(target_group_id, jobs, code, description)
    }

    /// Puts a fault into force, behind those that already are. One of an
    /// operation that no version served has would never strike; standard error
    /// says so.
    pub fn inject(&self, fault: Fault) -> FaultId {
        if let Err(reason) = self.engine.check_operation(&fault.on, &BESIDE_OPERATIONS) {
            eprintln!("a fault will not strike: {reason}");
        }
        self.engine.faults().add(fault)
    }

    /// How many requests a fault has hit so far; 0 once it is removed.
    pub fn fault_hits(&self, id: FaultId) -> u64 {
        self.engine.faults().hits(id)
    }

    /// Ends one fault; whether it was there.
    pub fn remove_fault(&self, id: FaultId) -> bool {
        self.engine.faults().remove(id.0)
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.engine.faults().clear();
    }

    /// Makes all tokens given so far expire now.
    pub fn expire_tokens(&self) {
        self.engine.world().tokens.expire_all(machine_time());
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.task.abort();
    }
}
