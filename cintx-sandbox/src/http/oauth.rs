//! The token endpoint. It stands apart from the API: another path, another
//! shape of errors, no version.

use crate::api::engine::{Engine, Incoming};
use crate::sim::clock::machine_time;
use serde_json::{Value, json};

/// The audience that a token is asked for.
const AUDIENCE: &str = "https://api.luc.id";

/// Answers a token request: status and body.
pub(crate) fn token(engine: &Engine, incoming: &Incoming) -> (u16, Value) {
    let refuse = |status, error: &str, text: &str| (status, json!({ "error": error, "error_description": text }));
    if incoming.method != "POST" {
        return refuse(405, "invalid_request", "Only POST is allowed.");
    }
    let media = incoming.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !media.is_some_and(crate::contract::is_json) {
        return refuse(415, "invalid_request", "The body must be JSON.");
    }
    let Ok(body) = serde_json::from_slice::<Value>(&incoming.body) else {
        return refuse(400, "invalid_request", "The body is not JSON.");
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    for name in ["client_id", "client_secret", "grant_type", "audience"] {
        if text(name).is_none() {
            return refuse(400, "invalid_request", &format!("{name} is missing."));
        }
    }
    if text("grant_type") != Some("client_credentials") {
        return refuse(400, "unsupported_grant_type", "Only client_credentials is supported.");
    }
    if text("audience") != Some(AUDIENCE) {
        return refuse(400, "invalid_request", &format!("The audience must be {AUDIENCE}."));
    }
    // The scope's name depends on the host; it may be left out.
    for name in ["auth_scopes", "lucid_scopes"] {
        if body.get(name).is_some_and(|scope| scope != "app:api") {
            return refuse(400, "invalid_scope", "The scope must be app:api.");
        }
    }
    let mut world = engine.world();
    let known = text("client_id") == Some(world.account.client_id.as_str())
        && text("client_secret") == Some(world.account.client_secret.as_str());
    if !known {
        return refuse(401, "access_denied", "Unauthorized");
    }
    let (now, ttl) = (machine_time(), world.settings.token_ttl);
    let world = &mut *world;
    let token = world.tokens.issue(&mut world.rng, now, ttl);
    (200, json!({ "access_token": token, "expires_in": ttl.as_secs(), "token_type": "Bearer" }))
}
