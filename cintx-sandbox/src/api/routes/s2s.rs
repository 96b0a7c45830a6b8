//! Server to server: asking for a respondent, and saying how one ended.
//! Its refusals have the shape of its answers.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::state::World;
use crate::state::field::{self, Transition};
use serde_json::json;

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] =
    &[("get_respondent_status", |world, call| respondent(world, call)), ("update_respondent_status", transition)];

fn respondent(world: &World, call: &Call<'_>) -> Outcome {
    let given = call.at("RID");
    let session = field::find(world, given)
        .and_then(|rid| world.sessions.get(&rid))
        .ok_or_else(|| Rejection::not_found("respondent"))?;
    let body = json!({ "id": given, "status": session.status(), "links": [{ "href": session.link }] });
    Ok(Answer::json(200, body))
}

fn transition(world: &mut World, call: &Call<'_>) -> Outcome {
    let given = call.text("id").unwrap_or_default().to_owned();
    let to = call.number("status").unwrap_or(0);
    match field::transition(world, &given, to)? {
        Transition::Done(status) => Ok(Answer::json(200, json!({ "id": given, "status": status }))),
        Transition::Refused(status) => {
            // The refusal has the shape of the answer, not of an error.
            let mut refusal = Rejection::invalid_state("The respondent cannot be moved to that status.");
            refusal.body = Some(json!({ "id": given, "status": status }));
            Err(refusal)
        }
    }
}
