//! Respondents from server to server: who is admitted, and what is known of an outcome, whatever gets lost on the way.

#![cfg(feature = "v2025-12-18")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cintx::audience::{Audience, Question};
use cintx::client::{Credentials, RetryPolicy, Timeouts};
use cintx::http::{ByteStream, TransportError};
use cintx::respondent::{
    Admitted, Entry, EntryRefusal, Refused, RespondentOutcome, ServerToServer, TransitionResult as Result,
};
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, V2025_12_18};
use cintx_sandbox::{Fault, Sandbox};
use jiff::{Timestamp, ToSpan as _};

const COMPLETE: RespondentOutcome = RespondentOutcome::Complete;

/// A sandbox with a live target group, whose respondents come to `https://survey.example/?RID=..&wave=2`.
async fn field() -> (Sandbox, String) {
    let sandbox = Sandbox::builder().seed(7).job_delay(std::time::Duration::ZERO).start().await.unwrap();
    let cint = Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .build()
        .unwrap();
    let manager = sandbox.project_manager_id().parse().unwrap();
    let project = cint.projects().create("MyDrinksSurveyQ1", manager).await.unwrap();
    let start = Timestamp::now() + 2.hours();
    let draft = cint
        .project(&project)
        .draft_target_group("UK drinks")
        .business_unit(sandbox.business_unit_id())
        .manager(manager)
        .locale("eng_gb")
        .completes_goal(100)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(start..start + 240.hours())
        .cost_per_interview(Money::new("2.73", "USD").unwrap())
        .live_url("https://survey.example/?RID=[%RID%]&wave=2")
        .supply(Supply::test_supplier_only())
        .audience(Audience::independent([Question::choice(43).option("1", 50).option("2", 50)]));
    let group = draft.create().await.unwrap();
    group.launch(start + 240.hours()).await.unwrap().until_live().await.unwrap();
    (sandbox, group.id().to_string())
}

fn client(sandbox: &Sandbox) -> ServerToServer {
    ServerToServer::builder().key(sandbox.s2s_key()).url(sandbox.s2s_url()).build().unwrap()
}

fn link(rid: &str) -> String {
    format!("https://survey.example/?RID={rid}&wave=2")
}

async fn admit(s2s: &ServerToServer, rid: &str) -> Admitted {
    match s2s.validate(rid, &link(rid)).await.unwrap() {
        Entry::Admitted(respondent) => respondent,
        Entry::Refused(refused) => panic!("{refused:?}"),
    }
}

async fn refuse(s2s: &ServerToServer, rid: &str, entry_url: &str) -> Refused {
    match s2s.validate(rid, entry_url).await.unwrap() {
        Entry::Refused(refused) => refused,
        Entry::Admitted(respondent) => panic!("{respondent:?}"),
    }
}

/// The statuses of all transitions that arrived.
fn transitions(sandbox: &Sandbox) -> Vec<u16> {
    let requests = sandbox.requests().into_iter().filter(|request| request.path.ends_with("/transition"));
    requests.map(|request| request.status).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn respondents_come_and_go() {
    let (sandbox, group) = field().await;
    let s2s = client(&sandbox);
    for outcome in RespondentOutcome::ALL {
        let rid = sandbox.enter_respondent(&group).unwrap().to_lowercase();
        let respondent = admit(&s2s, &rid).await;
        let first = s2s.finish(&respondent, outcome).await.confirmed().unwrap();
        assert_eq!(first.exit_url(), format!("https://samplicio.us/s/ClientCallBack.aspx?RID={rid}"));
        // Pressed again, also after a restart.
        let again = client(&sandbox).finish(&respondent, outcome).await.confirmed().unwrap();
        assert_eq!(again, first);
        let gone = refuse(&s2s, &rid, &link(&rid)).await;
        assert_eq!(gone.reason(), &EntryRefusal::NotInSurvey { code: outcome.code() });
        assert_eq!(gone.exit_url(), first.exit_url());

        let wanted = RespondentOutcome::ALL.into_iter().find(|it| *it != outcome).unwrap();
        let result = s2s.finish(&respondent, wanted).await;
        let Result::Conflict(conflict) = result else { panic!("{result:?}") };
        assert_eq!((conflict.wanted(), conflict.recorded()), (wanted, outcome));
        assert_eq!(conflict.to_string(), format!("{wanted} was reported, but Cint has {outcome} on record"));
        assert_eq!(conflict.accept_recorded(), first);
        // A question tells codes of which only one is published, so it confirms nothing.
        for wanted in [wanted, outcome] {
            let asked = s2s.resolve(&respondent, wanted).await;
            assert!(matches!(asked, Result::Unknown { cause: None }), "{asked:?}");
        }
    }
    assert_eq!(transitions(&sandbox), [200, 422, 422].repeat(4));
    let asked = sandbox.requests().pop().unwrap();
    assert_eq!((asked.version, asked.idempotency_key), (None, None), "the host knows neither");
}

/// Cint has them in the survey until an outcome is on record: who is here already is told by the host's own records.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_again_before_the_end_is_admitted_again() {
    let (sandbox, group) = field().await;
    let s2s = client(&sandbox);
    let rid = sandbox.enter_respondent(&group).unwrap();
    let first = admit(&s2s, &rid).await;
    assert_eq!(admit(&s2s, &rid).await, first);
    assert!(s2s.finish(&first, COMPLETE).await.confirmed().is_some());
    refuse(&s2s, &rid, &link(&rid)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_refused() {
    let (sandbox, group) = field().await;
    let s2s = client(&sandbox);
    let rid = sandbox.enter_respondent(&group).unwrap();
    let other = refuse(&s2s, &rid, "https://elsewhere.example/?wave=2").await;
    assert_eq!(other.reason(), &EntryRefusal::OtherLink { links: vec![link(&rid)] });
    assert_eq!(other.exit_url(), format!("https://samplicio.us/s/ClientCallBack.aspx?RID={rid}"));
    let nobody = "00000000-0000-4000-8000-000000000000";
    assert_eq!(refuse(&s2s, nobody, &link(nobody)).await.reason(), &EntryRefusal::NotFound);

    let before = sandbox.requests().len();
    for odd in ["", "nobody", "../transition", "00000000000040008000000000000001", "\r\nX: y"] {
        let refused = refuse(&s2s, odd, &link(odd)).await;
        assert_eq!(refused.reason(), &EntryRefusal::NotAnId);
        assert_eq!(refused.exit_url(), "https://samplicio.us/s/ClientCallBack.aspx", "nothing of it is passed on");
        let error = s2s.status(odd).await.unwrap_err();
        assert_eq!(error.invalid_fields()[0].field(), "rid");
    }
    assert_eq!(sandbox.requests().len(), before, "nobody was asked");

    let stranger = ServerToServer::builder().key("another-key").url(sandbox.s2s_url()).build().unwrap();
    let unanswered = stranger.validate(&rid, &link(&rid)).await.unwrap_err();
    assert_eq!(unanswered.cause().status().map(|status| status.as_u16()), Some(401));
    assert!(!format!("{unanswered:?} {unanswered:#} {stranger:?}").contains("another-key"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_acknowledgement_is_unknown_until_it_is_looked_into() {
    let (sandbox, group) = field().await;
    let s2s = client(&sandbox);
    let respondent = admit(&s2s, &sandbox.enter_respondent(&group).unwrap()).await;
    let kept = serde_json::to_string(&respondent).unwrap();
    sandbox.inject(Fault::on("update_respondent_status").drop_after_applying().times(1));
    let Result::Unknown { cause: Some(cause) } = s2s.finish(&respondent, COMPLETE).await else { panic!() };
    assert_eq!((cause.outcome(), cause.attempts()), (cintx::Outcome::Unknown, 1));
    assert_eq!(transitions(&sandbox).len(), 1, "sent once");
    drop((s2s, respondent));

    // After a restart.
    let s2s = client(&sandbox);
    let respondent: Admitted = serde_json::from_str(&kept).unwrap();
    let asked = s2s.resolve(&respondent, COMPLETE).await;
    assert!(matches!(asked, Result::Unknown { cause: None }), "it has arrived, and nobody says what: {asked:?}");
    assert_eq!(transitions(&sandbox).len(), 1, "only asked");
    // The way to close it.
    let confirmed = s2s.finish(&respondent, COMPLETE).await.confirmed().unwrap();
    assert_eq!((confirmed.outcome(), transitions(&sandbox).pop()), (COMPLETE, Some(422)), "no second transition");

    // This one never arrived.
    let respondent = admit(&s2s, &sandbox.enter_respondent(&group).unwrap()).await;
    sandbox.inject(Fault::on("update_respondent_status").drop_before_applying().times(1));
    assert!(matches!(s2s.finish(&respondent, COMPLETE).await, Result::Unknown { .. }));
    let timeouts = Timeouts::standard().processing(std::time::Duration::ZERO);
    let hasty = ServerToServer::builder().key(sandbox.s2s_key()).url(sandbox.s2s_url()).timeouts(timeouts);
    assert!(matches!(hasty.build().unwrap().resolve(&respondent, COMPLETE).await, Result::NotApplied { cause: None }));
    assert!(s2s.finish(&respondent, COMPLETE).await.confirmed().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_submits_twice_at_once_goes_once() {
    let (sandbox, group) = field().await;
    let (one, other) = (client(&sandbox), client(&sandbox));
    for _ in 0..10 {
        let before = transitions(&sandbox).len();
        let respondent = admit(&one, &sandbox.enter_respondent(&group).unwrap()).await;
        let (first, second) = tokio::join!(one.finish(&respondent, COMPLETE), other.finish(&respondent, COMPLETE));
        assert_eq!(first.confirmed().unwrap().exit_url(), second.confirmed().unwrap().exit_url());
        let mut statuses = transitions(&sandbox).split_off(before);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "one transition");
    }
}

const RID: &str = "0F1CE179-A917-49FF-9D50-B05FC91F7BD4";

/// What `finish` makes of an answer, and how often it was sent.
async fn finish_on(status: u16, media: &'static str, body: &'static str) -> (Result, usize) {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let fake = move |request: http::Request<bytes::Bytes>| {
        count.fetch_add(1, Ordering::SeqCst);
        assert_eq!(request.headers()["authorization"], "the key");
        async move {
            let answer = http::Response::builder().status(status).header("content-type", media);
            answer.body(ByteStream::from(body)).map_err(TransportError::not_sent)
        }
    };
    let s2s = ServerToServer::builder().key("the key").transport(fake).build().unwrap();
    let respondent = serde_json::from_value(serde_json::json!({ "rid": RID, "entry_url": link(RID) })).unwrap();
    let result = s2s.finish(&respondent, COMPLETE).await;
    (result, sent.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn only_an_answer_that_says_so_confirms() {
    let json = "application/json";
    let lower = r#"{"id":"0f1ce179-a917-49ff-9d50-b05fc91f7bd4","status":5}"#;
    let bare = r#"{"status":5}"#;
    for (status, body) in [(200, lower), (422, lower), (422, bare), (409, lower), (400, lower), (410, bare)] {
        assert!(finish_on(status, json, body).await.0.confirmed().is_some(), "{status} {body}");
    }
    let stranger = r#"{"id":"00000000-0000-4000-8000-000000000000","status":5}"#;
    for (status, media, body) in [
        (200, json, r#"{"status":2}"#),
        (200, json, stranger),
        (200, "text/html", "<html>Welcome to the hotel</html>"),
        (200, json, r#"{"status":"#),
        (204, json, ""),
        (422, json, stranger),
        (422, json, r#"{"status":77}"#),
        (422, json, r#"{"status":"complete"}"#),
        (422, json, "{}"),
        (422, "text/html", "<html></html>"),
        (409, json, r#"{"id":"0f1ce179-a917-49ff-9d50-b05fc91f7bd4","status":77}"#),
        (401, json, "{}"),
        (401, json, lower),
        (429, json, lower),
        (500, json, "{}"),
        (503, json, "{}"),
    ] {
        let (result, sent) = finish_on(status, media, body).await;
        assert!(matches!(result, Result::Unknown { .. }) && sent == 1, "{status} {body}: {sent} {result:?}");
    }
    for (status, media, body) in [
        (422, json, r#"{"status":1}"#),
        (409, json, r#"{"status":1}"#),
        (400, json, "{}"),
        // Their own status, and somebody else's.
        (400, json, r#"{"status":400}"#),
        (400, json, stranger),
        (403, json, lower),
        (404, "text/html", " <html>no such page</html>"),
    ] {
        let (result, _) = finish_on(status, media, body).await;
        assert!(matches!(result, Result::NotApplied { cause: Some(_) }), "{status} {body}: {result:?}");
    }
    for status in [422, 409] {
        let (conflict, _) = finish_on(status, json, r#"{"status":3}"#).await;
        let Result::Conflict(conflict) = conflict else { panic!("{conflict:?}") };
        assert_eq!(conflict.recorded(), RespondentOutcome::Overquota);
    }
}

/// A client whose questions are all answered alike.
fn asked_on(status: u16, media: &'static str, body: &'static str) -> ServerToServer {
    let fake = move |request: http::Request<bytes::Bytes>| {
        assert_eq!(request.method(), http::Method::GET);
        async move {
            let answer = http::Response::builder().status(status).header("content-type", media);
            answer.body(ByteStream::from(body)).map_err(TransportError::not_sent)
        }
    };
    ServerToServer::builder().key("the key").transport(fake).retry(RetryPolicy::none()).build().unwrap()
}

/// Nobody is left standing at the door: Cint's refusal is one, and a Cint that stays away is given up.
#[tokio::test(start_paused = true)]
async fn whoever_cint_does_not_vouch_for_can_be_sent_back() {
    let json = "application/json";
    let back = format!("https://samplicio.us/s/ClientCallBack.aspx?RID={RID}");
    let lower = r#"{"id":"0f1ce179-a917-49ff-9d50-b05fc91f7bd4","status":5}"#;
    let stranger = r#"{"id":"00000000-0000-4000-8000-000000000000","status":5}"#;
    for (media, body, reason) in [
        (json, lower, EntryRefusal::NotInSurvey { code: 5 }),
        (json, r#"{"status":77}"#, EntryRefusal::NotInSurvey { code: 77 }),
        (json, r#"{"status":1}"#, EntryRefusal::NoStatus),
        (json, stranger, EntryRefusal::NoStatus),
        (json, "{}", EntryRefusal::NoStatus),
        (json, "", EntryRefusal::NoStatus),
        ("text/plain", "no", EntryRefusal::NoStatus),
    ] {
        let refused = refuse(&asked_on(422, media, body), RID, &link(RID)).await;
        assert_eq!((refused.reason(), refused.exit_url()), (&reason, &*back), "{body}");
    }
    let refused = refuse(&asked_on(409, json, lower), RID, &link(RID)).await;
    assert_eq!(refused.reason(), &EntryRefusal::NotInSurvey { code: 5 });
    for (status, media, body) in [
        (422, "text/html", "<html>no such page</html>"),
        (400, json, r#"{"status":400}"#),
        (404, "text/html", "<html>no such page</html>"),
        (401, json, "{}"),
        (500, json, "{}"),
        (200, json, "{}"),
        (200, json, stranger),
        (200, "text/html", "<html>Welcome to the hotel</html>"),
    ] {
        let unanswered = asked_on(status, media, body).validate(RID, &link(RID)).await.unwrap_err();
        assert_eq!(unanswered.rid(), RID);
        assert_eq!(unanswered.to_string(), format!("Cint does not say whether {RID} may enter"));
        let refused = unanswered.clone().give_up();
        assert_eq!((refused.reason(), refused.exit_url()), (&EntryRefusal::Unanswered, &*back), "{status} {body}");
        let cause = cintx::Error::from(unanswered).status().map(|status| status.as_u16());
        assert!(cause == Some(status) || status == 200, "{status} {body}: {cause:?}");
    }
}

/// Of the codes that a question tells, only that of the survey is published.
#[tokio::test(start_paused = true)]
async fn a_question_confirms_no_outcome() {
    let (json, respondent) = ("application/json", serde_json::json!({ "rid": RID, "entry_url": link(RID) }));
    let respondent: Admitted = serde_json::from_value(respondent).unwrap();
    for status in [200, 422] {
        let still = asked_on(status, json, r#"{"status":1}"#).resolve(&respondent, COMPLETE).await;
        assert!(matches!(still, Result::NotApplied { .. }), "{status}: {still:?}");
        for body in [r#"{"status":5}"#, r#"{"status":2}"#, r#"{"status":77}"#, "{}"] {
            let asked = asked_on(status, json, body).resolve(&respondent, COMPLETE).await;
            assert!(matches!(asked, Result::Unknown { .. }), "{status} {body}: {asked:?}");
        }
    }
}

/// A gateway gave up on a transition, and the API finishes it.
#[tokio::test(start_paused = true)]
async fn a_transition_that_comes_late_is_waited_for() {
    let began = tokio::time::Instant::now();
    let fake = move |_: http::Request<bytes::Bytes>| {
        let status = if began.elapsed().as_secs() < 6 { 1 } else { 5 };
        async move {
            let answer = http::Response::builder().header("content-type", "application/json");
            answer.body(ByteStream::from(format!(r#"{{"status":{status}}}"#))).map_err(TransportError::not_sent)
        }
    };
    let s2s = ServerToServer::builder().key("the key").transport(fake).build().unwrap();
    let respondent = serde_json::from_value(serde_json::json!({ "rid": RID, "entry_url": link(RID) })).unwrap();
    let asked = s2s.resolve(&respondent, COMPLETE).await;
    assert!(matches!(asked, Result::Unknown { cause: None }), "{asked:?}");
    // Whoever is in the survey still when nothing can come any more has no outcome.
    let still = asked_on(200, "application/json", r#"{"status":1}"#);
    let began = tokio::time::Instant::now();
    assert!(matches!(still.resolve(&respondent, COMPLETE).await, Result::NotApplied { cause: None }));
    assert!(began.elapsed() >= std::time::Duration::from_secs(60));
}

/// Cint has forgotten the respondent, or is another Cint: nothing that is sent again would change that.
#[tokio::test(start_paused = true)]
async fn who_is_unknown_to_cint_goes_back_without_an_outcome() {
    for (media, body) in [("application/json", "{}"), ("application/json", ""), ("text/plain", "not found")] {
        let (result, sent) = finish_on(404, media, body).await;
        let Result::NotFound(unknown) = result else { panic!("{result:?}") };
        assert_eq!((unknown.rid(), unknown.wanted(), sent), (RID, COMPLETE, 1));
        assert_eq!(unknown.cause().status().map(|status| status.as_u16()), Some(404));
        assert_eq!(unknown.to_string(), format!("complete was reported, but Cint knows no respondent {RID}"));
        let refused = unknown.give_up();
        assert_eq!(refused.reason(), &EntryRefusal::NotFound);
        assert_eq!(refused.exit_url(), format!("https://samplicio.us/s/ClientCallBack.aspx?RID={RID}"));
    }
    // The same by a question, after a result that was unknown.
    let (sandbox, _) = field().await;
    let nobody = r#"{"rid":"00000000-0000-4000-8000-000000000000","entry_url":"https://survey.example/"}"#;
    let nobody: Admitted = serde_json::from_str(nobody).unwrap();
    for result in [client(&sandbox).resolve(&nobody, COMPLETE).await, client(&sandbox).finish(&nobody, COMPLETE).await]
    {
        assert!(matches!(result, Result::NotFound(_)), "{result:?}");
    }
    let odd = serde_json::from_str::<Admitted>(r#"{"rid":"nobody","entry_url":""}"#).unwrap_err();
    assert!(odd.to_string().contains("\"nobody\" is not a RID"), "{odd}");
}

#[tokio::test(start_paused = true)]
async fn what_has_not_left_is_sent_again_and_questions_are_repeated() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let fake = move |request: http::Request<bytes::Bytes>| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let lost = request.method() == http::Method::GET;
        async move {
            if number.is_multiple_of(2) {
                let fail = if lost { TransportError::lost } else { TransportError::not_sent };
                return Err(fail("the line is down"));
            }
            let body = format!(r#"{{"status":{},"links":[{{"href":"{}"}}]}}"#, if lost { 1 } else { 5 }, link(RID));
            let answer = http::Response::builder().header("content-type", "application/json");
            answer.body(ByteStream::from(body)).map_err(TransportError::not_sent)
        }
    };
    let s2s = ServerToServer::builder().key("the key").transport(fake.clone()).build().unwrap();
    let respondent = admit(&s2s, RID).await;
    assert!(s2s.finish(&respondent, COMPLETE).await.confirmed().is_some());
    assert_eq!(tries.load(Ordering::SeqCst), 4);

    let builder = ServerToServer::builder().key("the key").transport(fake).callback("https://back.example/end/");
    let s2s = builder.retry(RetryPolicy::none()).build().unwrap();
    let result = s2s.finish(&respondent, COMPLETE).await;
    let Result::NotApplied { cause: Some(cause) } = result else { panic!("{result:?}") };
    assert_eq!(cause.outcome(), cintx::Outcome::NotSent);
    let confirmed = s2s.finish(&respondent, COMPLETE).await.confirmed().unwrap();
    assert_eq!(confirmed.exit_url(), format!("https://back.example/end?RID={RID}"));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let fields = |error: cintx::Error| {
        error.invalid_fields().iter().map(|problem| problem.field().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fields(ServerToServer::builder().build().unwrap_err()), ["key"]);
    let wrong = ServerToServer::builder().key("hidden\n").url("http://s2s.cint.com").callback("nonsense");
    let error = wrong.user_agent_suffix("a\nb").build().unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hidden"));
    assert_eq!(fields(error), ["key", "url", "callback", "user_agent_suffix"]);
}
