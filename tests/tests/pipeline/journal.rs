//! What is in the journal, and when: an intent begins before the first byte leaves and ends with its call; what a later
//! write made obsolete is not sent again, nor what is too old or of another version.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cintx::auth::{AccessToken, TokenError, TokenSource};
use cintx::client::RetryPolicy;
use cintx::error::ErrorKind;
use cintx::recovery::{FileJournal, Intent, Journal, JournalError, Recovered, Resolution};
use cintx::{Client, ClientBuilder, Outcome, V2025_12_18};
use cintx_raw::v2025_12_18::types;
use cintx_tests::with_faults::{Answer, Deed, Scripted, Server};
use tokio::sync::Notify;

use crate::support::builder;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A journal in memory that remembers all it was told.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    begun: Vec<Intent>,
    open: Vec<Intent>,
    ended: Vec<(String, Outcome)>,
    fails: bool,
    stalls: bool,
    unreadable: bool,
}

impl Memory {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap()
    }

    fn ends(&self) -> Vec<Outcome> {
        self.told().ended.iter().map(|(_, outcome)| *outcome).collect()
    }

    /// Ends of dropped calls are written in the background.
    async fn until_ended(&self) -> Vec<Outcome> {
        let ended = async {
            while self.told().ended.is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ended).await.expect("an intent stays");
        self.ends()
    }
}

impl Journal for Memory {
    fn begin(&self, intent: &Intent) -> BoxFuture<'_, Result<(), JournalError>> {
        let (fails, stalls) = {
            let mut told = self.told();
            told.begun.push(intent.clone());
            told.open.push(intent.clone());
            (told.fails, told.stalls)
        };
        Box::pin(async move {
            if stalls {
                std::future::pending::<()>().await;
            }
            if fails { Err(JournalError::new("no paper left")) } else { Ok(()) }
        })
    }

    fn end(&self, id: &str, outcome: Outcome) -> BoxFuture<'_, Result<(), JournalError>> {
        let mut told = self.told();
        told.open.retain(|intent| intent.id() != id);
        told.ended.push((id.to_owned(), outcome));
        Box::pin(async { Ok(()) })
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, JournalError>> {
        let told = self.told();
        let open = if told.unreadable { Err(JournalError::new("no glasses")) } else { Ok(told.open.clone()) };
        Box::pin(std::future::ready(open))
    }
}

async fn setup(deed: Deed) -> (Arc<Scripted>, Server) {
    let scripted = Scripted::new(deed);
    let server = Server::start(scripted.clone()).await;
    (scripted, server)
}

fn with_journal(server: &Server, journal: impl Journal + 'static) -> ClientBuilder<V2025_12_18> {
    builder::<V2025_12_18>(&server.url()).journal(journal)
}

fn made() -> Deed {
    Deed::Answer(Answer::json(202, r#"{"id": "01BX5ZZKBKACTAV9WEVGEMMVS0"}"#))
}

fn status(status: u16) -> Deed {
    Deed::Answer(Answer::json(status, "{}"))
}

/// What the API says of what is not there.
fn not_found() -> Deed {
    Deed::Answer(Answer::json(404, r#"{"object":"not_found_error","detail":"no such thing"}"#))
}

async fn create(client: &Client<V2025_12_18>) -> Result<(), cintx::Error> {
    let body = types::ProjectInfo {
        name: "MyDrinksSurveyQ1".to_owned(),
        project_manager_id: "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".to_owned(),
        project_customer_reference_number: None,
    };
    client.raw().create_project(2428, None, &body).await?;
    Ok(())
}

const PROJECT: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";

async fn pause(client: &Client<V2025_12_18>, groups: &[&str]) -> Result<(), cintx::Error> {
    let target_group_ids = groups.iter().map(|group| (*group).to_owned()).collect();
    let body = types::CreateBulkPauseTargetGroupJobRequest { target_group_ids };
    client.raw().create_bulk_pause_target_groups_job(2428, PROJECT, None, &body).await?;
    Ok(())
}

async fn resume(client: &Client<V2025_12_18>, groups: &[&str]) -> Result<(), cintx::Error> {
    let target_group_ids = groups.iter().map(|group| (*group).to_owned()).collect();
    let body = types::CreateBulkResumeTargetGroupJobRequest { target_group_ids };
    client.raw().create_bulk_resume_target_groups_job(2428, PROJECT, None, &body).await?;
    Ok(())
}

fn resolutions(recovered: &[Recovered]) -> Vec<&Resolution> {
    recovered.iter().map(|one| &one.resolution).collect()
}

fn sent(scripted: &Scripted) -> Vec<String> {
    scripted.seen().iter().map(|request| request.target.rsplit('/').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_intent_ends_with_its_call() {
    for (deed, outcome) in [
        (made(), Outcome::Applied),
        (status(400), Outcome::NoEffect),
        (Deed::Truncate(Answer::json(202, "[1, 2, 3]")), Outcome::Applied),
    ] {
        let (_scripted, server) = setup(deed).await;
        let journal = Memory::default();
        let _ = create(&with_journal(&server, journal.clone()).build().unwrap()).await;
        assert_eq!((journal.ends(), journal.told().begun.len()), (vec![outcome], 1));
    }
    // Nobody listens.
    let (_scripted, server) = setup(made()).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).api_url("http://127.0.0.1:9/v1").build().unwrap();
    assert_eq!(create(&client).await.unwrap_err().outcome(), Outcome::NotSent);
    assert_eq!(journal.ends(), [Outcome::NotSent]);
}

#[tokio::test]
async fn what_reads_is_not_written_down() {
    let (_scripted, server) = setup(status(200)).await;
    let journal = Memory::default();
    let _ = with_journal(&server, journal.clone()).build().unwrap().raw().get_user_accounts().await;
    assert!(journal.told().begun.is_empty());
}

#[tokio::test]
async fn an_intent_ends_when_resolve_decides() {
    let (scripted, server) = setup(Deed::Close).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    let error = create(&client).await.unwrap_err();
    assert_eq!((error.outcome(), journal.ends().len()), (Outcome::Unknown, 0));
    // Lost again: still open.
    client.resolve(&error).await.unwrap_err();
    assert_eq!(journal.told().open.len(), 1);
    scripted.now(made());
    assert!(matches!(client.resolve(&error).await.unwrap(), Resolution::Applied { id: Some(_) }));
    assert_eq!((journal.ends(), journal.told().begun.len()), (vec![Outcome::Applied], 1));
    assert_eq!(client.recover().await.unwrap(), []);
}

#[tokio::test]
async fn an_intent_ends_when_writing_it_down_failed() {
    let (scripted, server) = setup(made()).await;
    let journal = Memory::default();
    journal.told().fails = true;
    let error = create(&with_journal(&server, journal.clone()).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Journal, Outcome::NotSent));
    assert!(format!("{error:#}").contains("no paper left"), "{error:#}");
    assert_eq!((scripted.seen().len(), journal.ends()), (0, vec![Outcome::NotSent]));
}

/// Gives no token, ever.
struct NoToken;

impl TokenSource for NoToken {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, TokenError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_call_dropped_before_its_first_byte_leaves_nothing_behind() {
    let (scripted, server) = setup(made()).await;
    // While it waits for a token.
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).token_source(NoToken).build().unwrap();
    tokio::time::timeout(Duration::from_millis(20), create(&client)).await.unwrap_err();
    assert!(journal.told().begun.is_empty());
    // While it is written down.
    journal.told().stalls = true;
    let client = with_journal(&server, journal.clone()).build().unwrap();
    let until_begun = async {
        while journal.told().begun.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        done = create(&client) => panic!("{done:?}"),
        () = until_begun => {}
    }
    assert_eq!(journal.until_ended().await, [Outcome::NotSent]);
    assert!(scripted.seen().is_empty());
}

#[tokio::test]
async fn a_call_dropped_between_attempts_ends_its_intent_if_none_took_effect() {
    let unwilling = |status| Deed::Answer(Answer::json(status, "{}").header("retry-after", "5"));
    // Nobody listens; a gateway that turns it away may have passed it on nevertheless.
    for (deed, ends) in [(None, true), (Some(unwilling(429)), false), (Some(unwilling(503)), false)] {
        let listens = deed.is_some();
        let (_scripted, server) = setup(deed.unwrap_or_else(made)).await;
        let url = if listens { server.url() } else { "http://127.0.0.1:9".to_owned() };
        let patient = RetryPolicy::standard().backoff(Duration::from_secs(5), Duration::from_secs(5));
        let folder = tempfile::tempdir().unwrap();
        let (memory, file) = (Memory::default(), FileJournal::open(folder.path().join("journal")).unwrap());
        for in_file in [false, true] {
            let answered = Arc::new(Notify::new());
            let tell = Arc::clone(&answered);
            let builder = builder::<V2025_12_18>(&url).retry(patient).observe(move |_| tell.notify_one());
            let client =
                if in_file { builder.journal(file.clone()) } else { builder.journal(memory.clone()) }.build().unwrap();
            tokio::select! {
                biased;
                done = create(&client) => panic!("{done:?}"),
                () = answered.notified() => {}
            }
        }
        if ends {
            assert_eq!(memory.until_ended().await, [Outcome::NotSent]);
        }
        assert_eq!(memory.told().open.len(), usize::from(!ends));
        assert_eq!(file.open_intents().await.unwrap().len(), usize::from(!ends));
    }
}

#[tokio::test]
async fn a_call_dropped_after_its_first_byte_stays_open() {
    let (scripted, server) = setup(Deed::Silence).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    let until_sent = async {
        while scripted.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // A call under way is not the business of recovery.
        assert_eq!(client.recover().await.unwrap(), []);
        assert_eq!((scripted.seen().len(), journal.told().open.len()), (1, 1));
    };
    tokio::select! {
        done = create(&client) => panic!("{done:?}"),
        () = until_sent => {}
    }
    assert_eq!(journal.told().open.len(), 1);
    scripted.now(made());
    assert!(matches!(resolutions(&client.recover().await.unwrap())[..], [Resolution::Applied { .. }]));
    assert_eq!(journal.ends(), [Outcome::Applied]);
}

/// Of a bulk write, the groups that no later one changed may still be as they were.
#[tokio::test]
async fn what_is_left_of_an_old_pause_is_named_and_kept() {
    for restart in [false, true] {
        let (scripted, server) = setup(Deed::Close).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let open = || with_journal(&server, FileJournal::open(&path).unwrap()).build().unwrap();
        let mut client = open();
        let error = pause(&client, &["A", "B"]).await.unwrap_err();
        scripted.now(status(201));
        resume(&client, &["B"]).await.unwrap();
        if restart {
            drop(client);
            client = open();
        } else {
            let Resolution::Unknown { why } = client.resolve(&error).await.unwrap() else { panic!("it is decided") };
            assert!(why.contains("look at A, and discard it"), "{why}");
        }
        let recovered = client.recover().await.unwrap();
        let [Recovered { intent, resolution: Resolution::Unknown { why }, .. }] = &recovered[..] else {
            panic!("{recovered:?}")
        };
        assert!(why.contains("look at A, and discard it"), "{why}");
        assert_eq!(intent.left_over(), ["A"]);
        assert_eq!(client.recover().await.unwrap(), recovered, "it stays");
        resume(&client, &["A"]).await.unwrap();
        let recovered = client.recover().await.unwrap();
        assert!(
            matches!(&recovered[..], [Recovered { resolution: Resolution::Superseded { .. }, .. }]),
            "{recovered:?}"
        );
        let resume = "resume-fielding-runs-by-target-group-id";
        assert_eq!(sent(&scripted), [resume, resume], "nothing is sent again");
        assert_eq!(client.recover().await.unwrap(), []);
    }
}

/// Seen in use: a restart sent an old pause again, and groups that had been resumed since were paused.
#[tokio::test]
async fn an_old_pause_is_not_sent_again_over_a_later_resume() {
    for restart in [false, true] {
        let (scripted, server) = setup(Deed::Close).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let open = || with_journal(&server, FileJournal::open(&path).unwrap()).build().unwrap();
        let mut client = open();
        let error = pause(&client, &["A", "B"]).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
        scripted.now(status(201));
        resume(&client, &["B", "A"]).await.unwrap();
        scripted.now(status(201));
        if restart {
            drop(client);
            client = open();
        } else {
            assert!(matches!(client.resolve(&error).await.unwrap(), Resolution::Superseded { .. }));
        }
        let recovered = client.recover().await.unwrap();
        if restart {
            assert_eq!(recovered.len(), 1);
            let Resolution::Superseded { by } = &recovered[0].resolution else { panic!("{recovered:?}") };
            assert_eq!(Some(&**by), recovered[0].intent.superseded_by());
        } else {
            assert_eq!(recovered, [], "resolve has struck it out");
        }
        // What came after it is not in the journal any more.
        let again = client.resolve(&error).await.unwrap();
        assert!(matches!(again, Resolution::Unknown { .. }), "{again:?}");
        assert_eq!(sent(&scripted), [""; 0], "nothing is sent");
        assert_eq!(client.recover().await.unwrap(), [], "it is told once");
    }
}

#[tokio::test]
async fn what_was_written_for_another_server_is_not_sent_to_this_one() {
    let (scripted, server) = setup(made()).await;
    for (address, is_ours) in [("https://api.example.com", false), ("http://127.0.0.1:1", true)] {
        let journal = Memory::default();
        let lost = |_: http::Request<bytes::Bytes>| async { Err(cintx::http::TransportError::lost("no answer")) };
        let elsewhere = builder::<V2025_12_18>(address).journal(journal.clone()).transport(lost).build().unwrap();
        assert_eq!(create(&elsewhere).await.unwrap_err().outcome(), Outcome::Unknown);
        let client = with_journal(&server, journal.clone()).build().unwrap();
        let recovered = client.recover().await.unwrap();
        let intent = &recovered[0].intent;
        assert_eq!(intent.server(), Some(&*format!("{address}/v1")));
        if is_ours {
            // A sandbox on this machine that was started again has another port.
            assert!(matches!(recovered[0].resolution, Resolution::Applied { .. }), "{recovered:?}");
            assert_eq!(sent(&scripted), ["projects"]);
            continue;
        }
        let Resolution::Unknown { why } = &recovered[0].resolution else { panic!("{recovered:?}") };
        assert!(why.contains(address), "{why}");
        assert_eq!(sent(&scripted), [""; 0], "nothing is sent");
        assert_eq!(journal.told().open.len(), 1, "it is kept");
    }
}

#[tokio::test]
async fn of_two_lost_writes_on_one_thing_only_the_later_is_sent_again() {
    let (scripted, server) = setup(Deed::Close).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    pause(&client, &["A"]).await.unwrap_err();
    resume(&client, &["A"]).await.unwrap_err();
    pause(&client, &["B"]).await.unwrap_err();
    // While the later one is unknown, so is what becomes of the earlier one.
    scripted.now(Deed::Close);
    let recovered = client.recover().await.unwrap();
    let Resolution::Unknown { why } = &recovered[0].resolution else { panic!("{recovered:?}") };
    assert!(why.contains("a later write"), "{why}");
    assert_eq!(journal.told().open.len(), 3, "all of them stay");
    assert!(sent(&scripted).iter().filter(|action| action.starts_with("pause")).count() <= 3, "that of B alone");
    scripted.now(status(201));
    let recovered = client.recover().await.unwrap();
    let later = recovered[1].intent.id().to_owned();
    let applied = Resolution::Applied { id: None };
    assert_eq!(resolutions(&recovered), [&Resolution::Superseded { by: later }, &applied, &applied]);
    let suffix = "-fielding-runs-by-target-group-id";
    assert_eq!(sent(&scripted), [format!("pause{suffix}"), format!("resume{suffix}")]);
    assert!(journal.told().open.is_empty());
}

#[tokio::test]
async fn a_later_write_that_is_unknown_itself_makes_nothing_obsolete() {
    let (scripted, server) = setup(Deed::Close).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    let paused = pause(&client, &["A"]).await.unwrap_err();
    let resumed = resume(&client, &["A"]).await.unwrap_err();
    scripted.now(status(201));
    let Resolution::Unknown { why } = client.resolve(&paused).await.unwrap() else { panic!("it is not known") };
    assert!(why.contains("a later write on the same thing is unknown itself"), "{why}");
    assert_eq!(journal.told().open.len(), 2, "both stay");
    assert_eq!(client.resolve(&resumed).await.unwrap(), Resolution::Applied { id: None });
    assert_eq!(journal.told().open.len(), 1, "a journal that keeps count says that it is obsolete");
}

#[tokio::test]
async fn a_repetition_that_is_refused_proves_nothing_of_the_first_attempt() {
    let (scripted, server) = setup(Deed::Close).await;
    let client = with_journal(&server, Memory::default()).build().unwrap();
    pause(&client, &["A"]).await.unwrap_err();
    resume(&client, &["A"]).await.unwrap_err();
    scripted.now(status(422));
    let recovered = client.recover().await.unwrap();
    let unknown = |number: usize, reason: &str| {
        let resolution = &recovered[number].resolution;
        assert!(matches!(resolution, Resolution::Unknown { why } if why.contains(reason)), "{resolution:?}");
    };
    unknown(0, "a later write on the same thing is unknown itself");
    unknown(1, "its repetition was refused");
    assert_eq!(sent(&scripted).len(), 1);
}

#[tokio::test]
async fn what_is_too_old_is_not_sent_again() {
    let (scripted, server) = setup(Deed::Close).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    create(&client).await.unwrap_err();
    scripted.now(made());
    let recovered = client.recover().replay_within(Duration::ZERO).await.unwrap();
    let Resolution::Unknown { why } = &recovered[0].resolution else { panic!("{recovered:?}") };
    assert!(why.starts_with("it is too old to be sent again"), "{why}");
    assert_eq!((scripted.seen().len(), journal.told().open.len()), (0, 1), "it stays");
    // A day and a second old, by the default.
    let old = {
        let intent = serde_json::to_value(&journal.told().open[0]).unwrap();
        let mut old = intent.clone();
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(24 * 60 * 60 + 1);
        old["at"] = serde_json::to_value(at).unwrap();
        serde_json::from_value::<Intent>(old).unwrap()
    };
    let young = std::mem::replace(&mut journal.told().open, vec![old]);
    assert!(matches!(resolutions(&client.recover().await.unwrap())[..], [Resolution::Unknown { .. }]));
    assert_eq!(scripted.seen().len(), 0);
    journal.told().open = young;
    assert!(matches!(resolutions(&client.recover().await.unwrap())[..], [Resolution::Applied { .. }]));
}

#[tokio::test]
async fn each_intent_is_seen_before_it_is_struck_out() {
    let (scripted, server) = setup(Deed::Close).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    create(&client).await.unwrap_err();
    scripted.now(made());
    let mut seen = Vec::new();
    let recovered = client.recover().inspect(|one| seen.push((one.clone(), journal.told().open.len()))).await.unwrap();
    assert_eq!(seen, [(recovered[0].clone(), 1)]);
    assert!(journal.told().open.is_empty());
}

#[tokio::test]
async fn an_intent_tells_what_it_is_about() {
    let (_scripted, server) = setup(Deed::Close).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    create(&client).await.unwrap_err();
    pause(&client, &["A", "B"]).await.unwrap_err();
    let told = journal.told();
    let (project, bulk) = (&told.begun[0], &told.begun[1]);
    assert_eq!(project.path(), "/demand/accounts/2428/projects");
    assert_eq!(project.version(), "2025-12-18");
    assert_eq!(project.summary(), r#"create_project: POST /demand/accounts/2428/projects, name "MyDrinksSurveyQ1""#);
    assert!(bulk.summary().ends_with("/batch-jobs/pause-fielding-runs-by-target-group-id, 2 target groups"));
    assert!(std::str::from_utf8(project.body().unwrap()).unwrap().contains("2e8b1f9a"));
    let debug = format!("{project:?}");
    assert!(debug.contains("/demand/accounts/2428/projects") && !debug.contains("2e8b1f9a"), "{debug}");
}

/// The same intent as if another version of the API had written it down.
fn of_version(intent: &Intent, version: &str) -> Intent {
    let mut other = serde_json::to_value(intent).unwrap();
    other["version"] = version.into();
    serde_json::from_value(other).unwrap()
}

#[tokio::test]
async fn what_another_version_wrote_down_is_looked_up_or_discarded() {
    let (scripted, server) = setup(Deed::Close).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    create(&client).await.unwrap_err();
    client.raw().delete_webhook(2428, "7", None).await.unwrap_err();
    let open: Vec<_> = journal.told().open.iter().map(|intent| of_version(intent, "2025-02-17")).collect();
    journal.told().open = open;
    scripted.now(not_found());
    let recovered = client.recover().await.unwrap();
    let [Resolution::Unknown { why }, Resolution::Applied { id: None }] = resolutions(&recovered)[..] else {
        panic!("{recovered:?}")
    };
    assert!(why.contains("under 2025-02-17: recover by a client of that version, or discard it"), "{why}");
    assert!(scripted.seen().iter().all(|request| request.method == "GET"), "nothing is sent again");
    assert_eq!(journal.told().open.len(), 1);
    client.discard(&recovered[0]).await.unwrap();
    assert!(journal.told().open.is_empty());
}

#[cfg(feature = "v2025-02-17")]
mod of_another_version {
    use cintx::V2025_02_17;
    use cintx_raw::v2025_02_17::types;

    use super::*;

    async fn lost(server: &Server, journal: &Memory) -> Client<V2025_02_17> {
        let client = builder::<V2025_02_17>(&server.url()).journal(journal.clone()).build().unwrap();
        let body = types::ProjectInfo {
            name: "MyDrinksSurveyQ1".to_owned(),
            project_manager_id: "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".to_owned(),
            purchase_order_number: None,
        };
        client.raw().create_project(2428, None, &body).await.unwrap_err();
        client
    }

    #[tokio::test]
    async fn an_intent_is_not_sent_again_under_another_version() {
        let (scripted, server) = setup(Deed::Close).await;
        let journal = Memory::default();
        let old = lost(&server, &journal).await;
        scripted.now(made());
        let new = with_journal(&server, journal.clone()).build().unwrap();
        let recovered = new.recover().await.unwrap();
        let Resolution::Unknown { why } = &recovered[0].resolution else { panic!("{recovered:?}") };
        assert!(why.contains("under 2025-02-17: recover by a client of that version, or discard it"), "{why}");
        assert_eq!((scripted.seen().len(), journal.told().open.len()), (0, 1));
        // Both ways out.
        let open = journal.told().open.clone();
        assert!(matches!(resolutions(&old.recover().await.unwrap())[..], [Resolution::Applied { .. }]));
        assert!(journal.told().open.is_empty());
        journal.told().open = open;
        new.discard(&recovered[0]).await.unwrap();
        assert!(journal.told().open.is_empty());
    }

    #[tokio::test]
    async fn what_can_be_looked_up_is_settled_under_another_version() {
        let (scripted, server) = setup(Deed::Close).await;
        let journal = Memory::default();
        let old = builder::<V2025_02_17>(&server.url()).journal(journal.clone()).build().unwrap();
        old.raw().delete_webhook(2428, "7", None).await.unwrap_err();
        scripted.now(not_found());
        let new = with_journal(&server, journal.clone()).build().unwrap();
        assert_eq!(resolutions(&new.recover().await.unwrap()), [&Resolution::Applied { id: None }]);
        assert!(scripted.seen().iter().all(|request| request.method == "GET"));
        assert!(journal.told().open.is_empty());
    }
}

#[tokio::test]
async fn what_another_client_of_this_process_has_under_way_is_left_alone() {
    let (scripted, server) = setup(Deed::Silence).await;
    let journal = Memory::default();
    let busy = with_journal(&server, journal.clone()).build().unwrap();
    let call = tokio::spawn(async move { create(&busy).await });
    while scripted.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let other = with_journal(&server, journal.clone()).build().unwrap();
    assert_eq!(other.recover().await.unwrap(), []);
    assert_eq!(journal.ends(), [], "it stays for its own client");
    call.abort();
    drop(call.await);
    scripted.now(status(400));
    // Its client is gone, and nobody has it under way.
    assert_eq!(other.recover().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_look_that_fails_leaves_the_call_as_unknown_as_it_was() {
    let (scripted, server) = setup(Deed::Reset).await;
    let journal = Memory::default();
    let client = with_journal(&server, journal.clone()).build().unwrap();
    let error = create(&client).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    for refusal in [403, 503] {
        scripted.now(status(refusal));
        let failed = client.resolve(&error).await.unwrap_err();
        assert_eq!(failed.outcome(), Outcome::Unknown, "{failed:#}");
    }
    for refusal in [404, 409, 410] {
        scripted.now(status(refusal));
        let Resolution::Unknown { why } = client.resolve(&error).await.unwrap() else { panic!("{refusal}") };
        assert!(why.contains(&format!("its repetition was refused ({refusal}), and ")), "{why}");
    }
    journal.told().unreadable = true;
    assert_eq!(client.resolve(&error).await.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(journal.ends(), []);
}
