//! A survey host: respondents come from Cint, answer three questions, and go back with their outcome.
//! `cargo run --example survey_host -- --demo` plays a short story against the embedded sandbox; with `--stay` it waits
//! with the page open instead, for `examples/survey_host/screenshots.sh`.
//!
//! Without `--demo` it listens at 127.0.0.1:8080 behind your proxy, and wants `PUBLIC_URL` (as browsers call it),
//! `CINT_S2S_KEY`, and the keys of your links, `CINT_LINK_KEY_IN` (into Cint) and `CINT_LINK_KEY_OUT` (out of Cint).
//! Target groups have `<PUBLIC_URL>/s2s?RID=[%RID%]` as live URL; `/hashed` is the alternative by signed links.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Form, Query, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use cintx::respondent::codes::ClientCode;
use cintx::respondent::redirect::{EntryLinks, ExitLinks, RedirectError};
use cintx::respondent::{Admitted, Entry, RespondentOutcome, ServerToServer, TransitionResult};
use serde::Deserialize;
use tokio::net::TcpListener;

#[path = "survey_host/demo.rs"]
mod demo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == "--demo") {
        return demo::run().await;
    }
    let set = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let host = Host {
        public_url: set("PUBLIC_URL")?.trim_end_matches('/').to_owned(),
        s2s: ServerToServer::builder().key(set("CINT_S2S_KEY")?).build()?,
        entry_links: EntryLinks::new(set("CINT_LINK_KEY_OUT")?)?,
        exit_links: ExitLinks::new(set("CINT_LINK_KEY_IN")?)?,
        interviews: Mutex::default(),
        unanswered: Mutex::default(),
        hashed: Mutex::default(),
    };
    axum::serve(TcpListener::bind("127.0.0.1:8080").await?, router(host)).await?;
    Ok(())
}

/// How long somebody waits at the door while Cint cannot be asked.
const PATIENCE: Duration = Duration::from_secs(120);

struct Host {
    public_url: String,
    s2s: ServerToServer,
    entry_links: EntryLinks,
    exit_links: ExitLinks,
    /// By RID. In memory for the example; a real host keeps both parts in its database, before it tells Cint.
    interviews: Mutex<HashMap<String, Interview>>,
    /// By RID: since when Cint could not be asked about somebody at the door.
    unanswered: Mutex<HashMap<String, Instant>>,
    /// The same of those who came by a signed link. Only they get one back.
    hashed: Mutex<HashMap<String, Option<RespondentOutcome>>>,
}

#[derive(Clone)]
struct Interview {
    respondent: Admitted,
    outcome: Option<RespondentOutcome>,
}

#[derive(Deserialize)]
struct Visitor {
    #[serde(rename = "RID", default)]
    rid: String,
}

#[derive(Deserialize)]
struct Answers {
    rid: String,
    age: u8,
    drink: String,
    colour: String,
}

fn router(host: Host) -> Router {
    Router::new()
        .route("/s2s", get(enter))
        .route("/s2s/answers", post(finish))
        .route("/hashed", get(enter_by_hash))
        .route("/hashed/answers", post(finish_by_hash))
        .with_state(Arc::new(host))
}

/// Shows the questions to whom Cint vouches for.
async fn enter(State(host): State<Arc<Host>>, RawQuery(query): RawQuery, Query(visitor): Query<Visitor>) -> Response {
    let entry_url = format!("{}/s2s?{}", host.public_url, query.unwrap_or_default());
    let key = visitor.rid.to_lowercase();
    match host.s2s.validate(&visitor.rid, &entry_url).await {
        Ok(Entry::Admitted(respondent)) => {
            let rid = respondent.rid().to_owned();
            host.unanswered.lock().unwrap().remove(&key);
            let known = {
                let mut interviews = host.interviews.lock().unwrap();
                interviews.entry(key).or_insert(Interview { respondent, outcome: None }).clone()
            };
            match known.outcome {
                None => page(&rid, "/s2s/answers").into_response(),
                // The answers are here already, and Cint does not know yet.
                Some(outcome) => leave(&host, &known.respondent, outcome).await,
            }
        }
        Ok(Entry::Refused(refused)) => {
            // Many of another link are a sign of a wrong PUBLIC_URL.
            eprintln!("{} is not let in: {:?}", visitor.rid, refused.reason());
            Redirect::to(refused.exit_url()).into_response()
        }
        // Cint could not be asked: that says nothing about the respondent, who is not kept waiting for ever.
        Err(unanswered) => {
            let since = *host.unanswered.lock().unwrap().entry(key.clone()).or_insert_with(Instant::now);
            // Whoever has begun goes back with an outcome alone.
            let has_begun = host.interviews.lock().unwrap().contains_key(&key);
            if has_begun || since.elapsed() < PATIENCE {
                return try_again(&format!("{unanswered}: {}", unanswered.cause()));
            }
            Redirect::to(unanswered.give_up().exit_url()).into_response()
        }
    }
}

/// Tells Cint the outcome, and redirects only once that is confirmed. Pressed twice, it comes to the same.
async fn finish(State(host): State<Arc<Host>>, Form(answers): Form<Answers>) -> Response {
    let key = answers.rid.to_lowercase();
    let (respondent, outcome) = {
        let mut interviews = host.interviews.lock().unwrap();
        let Some(interview) = interviews.get_mut(&key) else {
            return (StatusCode::NOT_FOUND, "There is no such interview.").into_response();
        };
        // The first answers count.
        let outcome = *interview.outcome.get_or_insert_with(|| outcome(&answers));
        (interview.respondent.clone(), outcome)
    };
    leave(&host, &respondent, outcome).await
}

/// An earlier try may have arrived: then Cint refuses this one, and says what it has on record.
async fn leave(host: &Host, respondent: &Admitted, outcome: RespondentOutcome) -> Response {
    match host.s2s.finish(respondent, outcome).await {
        TransitionResult::Confirmed(confirmed) => Redirect::to(confirmed.exit_url()).into_response(),
        TransitionResult::Conflict(conflict) => {
            eprintln!("{}: {conflict}", respondent.rid());
            Redirect::to(conflict.accept_recorded().exit_url()).into_response()
        }
        // Nothing that is sent again would change that. For a complete, it is a case for a reconciliation.
        TransitionResult::NotFound(unknown) => {
            eprintln!("{unknown}");
            Redirect::to(unknown.give_up().exit_url()).into_response()
        }
        TransitionResult::NotApplied { cause } | TransitionResult::Unknown { cause } => {
            try_again(&cause.map_or_else(|| "Cint's answer says nothing".to_owned(), |error| error.to_string()))
        }
    }
}

/// The alternative without a call to Cint: the link itself is signed.
async fn enter_by_hash(
    State(host): State<Arc<Host>>,
    RawQuery(query): RawQuery,
    Query(visitor): Query<Visitor>,
) -> Response {
    let target = format!("/hashed?{}", query.unwrap_or_default());
    match host.entry_links.verify_behind(&host.public_url, &target) {
        Ok(()) => {
            host.hashed.lock().unwrap().entry(visitor.rid.to_lowercase()).or_insert(None);
            page(&visitor.rid, "/hashed/answers").into_response()
        }
        // The link is right, and our own configuration is not.
        Err(error @ RedirectError::PublicAddress { .. }) => try_again(&format!("PUBLIC_URL: {error}")),
        // Whoever signs a way back for a link that Cint did not sign ends the interview of whom it names.
        Err(error) => (StatusCode::FORBIDDEN, format!("This link was changed: {error}.")).into_response(),
    }
}

async fn finish_by_hash(State(host): State<Arc<Host>>, Form(answers): Form<Answers>) -> Response {
    let outcome = match host.hashed.lock().unwrap().get_mut(&answers.rid.to_lowercase()) {
        // The first answers count.
        Some(kept) => *kept.get_or_insert_with(|| outcome(&answers)),
        None => return (StatusCode::NOT_FOUND, "There is no such interview.").into_response(),
    };
    leave_by_hash(&host, &answers.rid, ClientCode::from(outcome))
}

fn leave_by_hash(host: &Host, rid: &str, code: ClientCode) -> Response {
    match host.exit_links.exit(rid, code).url() {
        Ok(url) => Redirect::to(&url).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

fn outcome(answers: &Answers) -> RespondentOutcome {
    match (answers.age, &*answers.drink, &*answers.colour) {
        (_, _, colour) if colour != "green" => RespondentOutcome::SecurityTerminate,
        (0..18, ..) | (_, "none", _) => RespondentOutcome::Terminate,
        _ => RespondentOutcome::Complete,
    }
}

fn try_again(why: &str) -> Response {
    eprintln!("not redirected yet: {why}");
    let page = "<p>One moment: your answers are safe, please press <b>back</b> and send them again.</p>";
    (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "5")], Html(page)).into_response()
}

/// The whole survey.
fn page(rid: &str, action: &str) -> Html<String> {
    let rid = rid.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let choice = |name: &str, value: &str| {
        format!(r#"<label><input type="radio" name="{name}" value="{value}" required> {value}</label>"#)
    };
    let choices = |name: &str, values: &[&str]| values.iter().map(|value| choice(name, value)).collect::<String>();
    let drinks = choices("drink", &["coffee", "tea", "juice", "none"]);
    let colours = choices("colour", &["red", "green", "blue"]);
    Html(format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Drinks</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 1.1em/1.5 system-ui, sans-serif; max-width: 34em; margin: 2em auto; padding: 0 1em; color: #222 }}
fieldset {{ border: 0; border-top: 1px solid #ccc; margin: 1.2em 0; padding: .8em 0 }}
legend {{ font-weight: bold; padding-right: .6em }}
label {{ display: block; padding: .2em 0 }}
button {{ font: inherit; padding: .5em 1.5em; border: 0; border-radius: .3em; background: #15616d; color: #fff }}
</style></head><body>
<h1>Three questions about drinks</h1>
<form method="post" action="{action}"><input type="hidden" name="rid" value="{rid}">
<fieldset><legend>1. How old are you?</legend>
<label><input type="number" name="age" min="1" max="120" required aria-label="age"> years</label></fieldset>
<fieldset><legend>2. What do you drink in the morning?</legend>{drinks}</fieldset>
<fieldset><legend>3. Please choose green here.</legend>{colours}</fieldset>
<button>Send</button></form></body></html>"#
    ))
}
