//! A change under an entity tag whose answer is lost: the repeated attempt is refused with 412, by the tag that the
//! first attempt renewed. It was our own write, and must not be made a second time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cintx::client::RetryPolicy;
use cintx::project::{ProjectScope, ProjectSettings};
use cintx::recovery::{FileJournal, Resolution};
use cintx::{Client, Outcome, ProjectId, V2025_12_18};
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Server};
use serde_json::{Value, json};

use crate::support::builder;

/// One project, with a tag that each write renews. The answer to the first write is lost.
#[derive(Debug)]
struct Project {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    name: String,
    reference: Option<&'static str>,
    version: u32,
    writes: Vec<String>,
    refused: u32,
    /// Somebody else writes this right after our first write.
    intruder: Option<Intruder>,
}

#[derive(Clone, Copy, Debug)]
enum Intruder {
    Name(&'static str),
    Reference(&'static str),
}

impl Project {
    fn new(intruder: Option<Intruder>) -> Arc<Self> {
        let (name, reference, writes) = ("Wave 1".to_owned(), None, Vec::new());
        Arc::new(Self { state: Mutex::new(State { name, reference, version: 1, writes, refused: 0, intruder }) })
    }
}

impl Behaviour for Project {
    fn deed(&self, request: &Received) -> Deed {
        let mut state = self.state.lock().unwrap();
        let tag = format!("W/\"{}\"", state.version);
        if request.method == "GET" {
            let body = json!({
                "id": "01JABCDEFGHJKMNPQRSTVWXYZ0",
                "name": state.name,
                "project_manager_id": "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2",
                "project_customer_reference_number": state.reference,
            });
            return Deed::Answer(Answer::json(200, body.to_string()).header("etag", tag));
        }
        if request.header("if-match") != Some(&*tag) {
            state.refused += 1;
            return Deed::Answer(Answer::json(412, r#"{"object": "precondition_failed_error"}"#));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        state.name = body["name"].as_str().unwrap().to_owned();
        state.version += 1;
        let written = state.name.clone();
        state.writes.push(written);
        if state.writes.len() > 1 {
            return Deed::Answer(
                Answer::json(200, r#"{"id": "01JABCDEFGHJKMNPQRSTVWXYZ0"}"#)
                    .header("etag", format!("W/\"{}\"", state.version)),
            );
        }
        match state.intruder {
            Some(Intruder::Name(name)) => state.name = name.to_owned(),
            Some(Intruder::Reference(reference)) => state.reference = Some(reference),
            None => return Deed::Reset,
        }
        state.version += 1;
        Deed::Reset
    }
}

/// Serves the project: the server, a client, and its handle.
async fn serve(project: &Arc<Project>) -> (Server, Client<V2025_12_18>, ProjectScope<V2025_12_18>) {
    let server = Server::start(project.clone()).await;
    let client = builder(&server.url()).build().unwrap();
    let scope = client.project(ProjectId::new("01JABCDEFGHJKMNPQRSTVWXYZ0"));
    (server, client, scope)
}

/// A change that is seen to be made twice.
fn next_wave(name: &mut String) {
    let number: u32 = name.strip_prefix("Wave ").unwrap().parse().unwrap();
    *name = format!("Wave {}", number + 1);
}

#[tokio::test]
async fn a_412_that_answers_our_own_lost_write_is_no_reason_to_write_again() {
    let project = Project::new(None);
    let (_server, _, scope) = serve(&project).await;

    let now = scope.edit(|project| next_wave(&mut project.name)).await.unwrap();

    let state = project.state.lock().unwrap();
    assert_eq!((&*now.name, &*state.name), ("Wave 2", "Wave 2"));
    assert_eq!(state.writes, ["Wave 2"], "once");
    assert_eq!(state.refused, 1, "the repeated attempt was refused");
}

#[tokio::test]
async fn what_somebody_else_wrote_over_it_is_changed_as_ever() {
    let project = Project::new(Some(Intruder::Name("Wave 7")));
    let (_server, _, scope) = serve(&project).await;

    let now = scope.edit(|project| next_wave(&mut project.name)).await.unwrap();

    assert_eq!(now.name, "Wave 8");
    assert_eq!(project.state.lock().unwrap().writes, ["Wave 2", "Wave 8"]);
}

#[tokio::test]
async fn what_somebody_else_changed_beside_it_does_not_make_it_twice() {
    let project = Project::new(Some(Intruder::Reference("PO 1848")));
    let (_server, _, scope) = serve(&project).await;

    let now = scope.edit(|project| next_wave(&mut project.name)).await.unwrap();

    assert_eq!((&*now.name, now.reference.as_deref()), ("Wave 2", Some("PO 1848")));
    assert_eq!(project.state.lock().unwrap().writes, ["Wave 2"], "once");
}

#[tokio::test]
async fn a_conflict_after_a_lost_write_says_so_and_can_be_looked_up() {
    let project = Project::new(Some(Intruder::Name("Wave 7")));
    let (_server, client, scope) = serve(&project).await;

    let error = scope.edit(|project| project.name = "Wave 2".into()).await.unwrap_err();

    assert_eq!((error.conflict().unwrap().fields(), error.outcome()), (&["name"][..], Outcome::Unknown));
    let text = error.to_string();
    assert!(text.starts_with("another client changed name, and an earlier attempt may have been written: "), "{text}");
    let resolution = client.resolve(&error).await.unwrap();
    assert!(
        matches!(&resolution, Resolution::Unknown { why } if !why.contains("not known any more")),
        "{resolution:?}"
    );
}

#[tokio::test]
async fn a_lost_edit_that_is_too_old_to_be_sent_again_is_seen_in_what_it_changed() {
    let project = Project::new(None);
    let server = Server::start(project.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(folder.path().join("journal")).unwrap();
    let client = builder::<V2025_12_18>(&server.url()).journal(journal).retry(RetryPolicy::none()).build().unwrap();
    let scope = client.project(ProjectId::new("01JABCDEFGHJKMNPQRSTVWXYZ0"));
    let error = scope.edit(|project| next_wave(&mut project.name)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);

    let recovered = client.recover().replay_within(Duration::ZERO).await.unwrap();
    assert_eq!(recovered.into_iter().map(|one| one.resolution).collect::<Vec<_>>(), [Resolution::Applied { id: None }]);
    assert_eq!(project.state.lock().unwrap().writes, ["Wave 2"], "nothing is sent again");
}

#[tokio::test]
async fn a_change_that_was_made_is_not_made_again_whatever_it_looks_at() {
    let project = Project::new(None);
    let (_server, _, scope) = serve(&project).await;
    let change = |project: &mut ProjectSettings| match &*project.name {
        "Wave 1" => project.name = "Wave 2".into(),
        _ => project.reference = Some("twice".into()),
    };

    let now = scope.edit(change).await.unwrap();

    assert_eq!((&*now.name, now.reference), ("Wave 2", None));
    assert_eq!(project.state.lock().unwrap().writes, ["Wave 2"], "once");
}
