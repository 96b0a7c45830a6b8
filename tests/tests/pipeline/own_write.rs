//! A change under an entity tag whose answer is lost: the repeated attempt is refused with 412, by the tag that the
//! first attempt renewed. It was our own write, and must not be made a second time.

use std::sync::{Arc, Mutex};

use cintx::{ProjectId, V2025_12_18};
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
    version: u32,
    writes: Vec<String>,
    refused: u32,
    /// Somebody else writes this right after our first write.
    intruder: Option<&'static str>,
}

impl Project {
    fn new(intruder: Option<&'static str>) -> Arc<Self> {
        let state = State { name: "Wave 1".to_owned(), version: 1, writes: Vec::new(), refused: 0, intruder };
        Arc::new(Self { state: Mutex::new(state) })
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
                "customer_reference": null,
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
        if let Some(name) = state.intruder {
            state.name = name.to_owned();
            state.version += 1;
        }
        Deed::Reset
    }
}

/// A change that is seen to be made twice.
fn next_wave(name: &mut String) {
    let number: u32 = name.strip_prefix("Wave ").unwrap().parse().unwrap();
    *name = format!("Wave {}", number + 1);
}

#[tokio::test]
async fn a_412_that_answers_our_own_lost_write_is_no_reason_to_write_again() {
    let project = Project::new(None);
    let server = Server::start(project.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    let scope = client.project(ProjectId::new("01JABCDEFGHJKMNPQRSTVWXYZ0"));

    let now = scope.edit(|project| next_wave(&mut project.name)).await.unwrap();

    let state = project.state.lock().unwrap();
    assert_eq!((&*now.name, &*state.name), ("Wave 2", "Wave 2"));
    assert_eq!(state.writes, ["Wave 2"], "once");
    assert_eq!(state.refused, 1, "the repeated attempt was refused");
}

#[tokio::test]
async fn what_somebody_else_wrote_over_it_is_changed_as_ever() {
    let project = Project::new(Some("Wave 7"));
    let server = Server::start(project.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    let scope = client.project(ProjectId::new("01JABCDEFGHJKMNPQRSTVWXYZ0"));

    let now = scope.edit(|project| next_wave(&mut project.name)).await.unwrap();

    assert_eq!(now.name, "Wave 8");
    assert_eq!(project.state.lock().unwrap().writes, ["Wave 2", "Wave 8"]);
}
