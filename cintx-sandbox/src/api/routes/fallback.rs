//! Operations without a simulation of their own: made-up data of the declared
//! shape, the same for the same seed and the same path.

use super::Outcome;
use crate::api::answer::{Answer, Content};
use crate::api::call::Call;
use crate::contract::is_json;
use crate::sim::rng::Rng;
use crate::sim::synth::{Amount, Synth};
use crate::state::World;
use serde_json::{Value, json};

pub(super) fn answer(world: &mut World, call: &Call<'_>) -> Outcome {
    let status = call.operation.success();
    let name = format!("{} {}", call.operation.id(), call.requested);
    let mut synth = Synth::new(Rng::named(world.settings.seed, &name), world.now());
    let mut answer = Answer::empty(status);
    if status != 204 {
        answer.content = match call.contract.answer_shape(call.operation, status) {
            Some(shape) => {
                let mut body = synth.make(&shape, Amount::Full);
                end_list(&mut body, call);
                let named = with_names(body.clone(), call);
                let fits = call.contract.accepts_answer(call.operation, status, &named);
                Content::Json(if fits { named } else { body })
            }
            None => bytes(call, status),
        };
    }
    let id = world.ulid();
    Ok(answer.with("location", format!("/v1{}/{id}", call.requested)).with("etag", "W/\"1\""))
}

fn bytes(call: &Call<'_>, status: u16) -> Content {
    let mut media: Vec<&str> = call.operation.answer_media(status).filter(|media| !is_json(media)).collect();
    media.sort_by_key(|media| *media != "text/csv");
    match media.first() {
        Some(&"text/csv") => Content::Bytes("text/csv", b"id,value\n1,sandbox\n".to_vec()),
        Some(_) => Content::Bytes("application/octet-stream", b"sandbox".to_vec()),
        None => Content::Nothing,
    }
}

/// A list ends, since a cursor that always leads on would never let a reader
/// stop.
fn end_list(body: &mut Value, call: &Call<'_>) {
    let shape = call.contract.answer_shape(call.operation, call.operation.success());
    let Some(map) = body.as_object_mut() else {
        return;
    };
    if map.contains_key("has_more") {
        map.insert("has_more".into(), json!(false));
    }
    if map.contains_key("next_cursor") {
        let nullable = shape.is_some_and(|shape| shape.takes_null("next_cursor"));
        map.insert("next_cursor".into(), if nullable { Value::Null } else { json!("") });
    }
}

/// Ids of the path come back in the body.
fn with_names(mut body: Value, call: &Call<'_>) -> Value {
    let Some(map) = body.as_object_mut() else {
        return body;
    };
    for (name, value) in &call.path {
        if let Some(Value::String(own)) = map.get_mut(*name) {
            own.clone_from(value);
        }
    }
    if let (Some((_, last)), Some(Value::String(own))) = (call.path.last(), map.get_mut("id"))
        && call.operation.path().ends_with('}')
    {
        own.clone_from(last);
    }
    body
}
