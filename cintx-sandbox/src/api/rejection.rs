//! Why a request is refused, before it is put into the shape that the
//! version's document gives to errors.

use crate::contract::{Place, Violation};
use crate::sim::clock::text;
use crate::state::saved::{self, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Display;
use std::ops::{Deref, DerefMut};

/// A refusal; boxed, since every route may return one.
#[derive(Clone, Debug)]
pub(crate) struct Rejection(Box<Reasons>);

/// What there is to say about a refusal.
#[derive(Clone, Debug)]
pub(crate) struct Reasons {
    pub(crate) status: u16,
    /// The kind, as the field `object` spells it.
    pub(crate) object: &'static str,
    pub(crate) detail: String,
    /// Name and reason of each parameter at fault.
    pub(crate) params: Vec<(String, String)>,
    /// Faults of profiles, with their published slugs.
    pub(crate) faults: Vec<Fault>,
    /// A body that stands for itself, where the document gives errors of
    /// this operation another shape.
    pub(crate) body: Option<Value>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// One fault of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// The number behind the slug.
    pub(crate) number: u16,
    /// The slug without its number.
    #[serde(deserialize_with = "saved::word")]
    pub(crate) slug: Word,
    pub(crate) detail: String,
    /// The questions concerned.
    pub(crate) questions: Vec<i64>,
    /// The profile concerned, where it has an id.
    pub(crate) profile: Option<String>,
}

impl Fault {
    pub(crate) fn name(&self) -> String {
        format!("profile_validation_error_{:03}", self.number)
    }

    pub(crate) fn reason(&self) -> String {
        format!("{}_{:03}", self.slug, self.number)
    }
}

impl Deref for Rejection {
    type Target = Reasons;

    fn deref(&self) -> &Reasons {
        &self.0
    }
}

impl DerefMut for Rejection {
    fn deref_mut(&mut self) -> &mut Reasons {
        &mut self.0
    }
}

impl Rejection {
    pub(crate) fn new(status: u16, object: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Reasons {
            status,
            object,
            detail: detail.into(),
            params: Vec::new(),
            faults: Vec::new(),
            body: None,
            headers: Vec::new(),
        }))
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad_request_error", detail)
    }

    /// A 400 about one parameter or property.
    pub(crate) fn invalid(name: impl Into<String>, reason: impl Into<String>) -> Self {
        let (name, reason) = (name.into(), reason.into());
        // The older versions have no list of parameters, only the detail.
        Self::bad_request(format!("The request is not valid. {name}: {reason}.")).with_param(name, reason)
    }

    /// The same with what came and everything that may come instead.
    pub(crate) fn refused(name: impl Into<String>, got: impl Display, allowed: impl Display) -> Self {
        Self::invalid(name, format!("got {got}, allowed: {allowed}"))
    }

    /// The same of a moment that had to be after another one.
    pub(crate) fn too_early(name: impl Into<String>, got: Timestamp, after: Timestamp) -> Self {
        Self::refused(name, text(got), format!("later than {}", text(after)))
    }

    /// The same of what is no moment.
    pub(crate) fn no_moment(name: impl Into<String>, given: Option<&str>) -> Self {
        Self::refused(name, given.unwrap_or("nothing"), "a moment like 2026-01-31T09:00:00.000Z")
    }

    /// The same of what is no locale.
    pub(crate) fn no_locale(given: &str) -> Self {
        Self::refused("locale", if given.is_empty() { "nothing" } else { given }, "a locale like eng_us")
    }

    pub(crate) fn with_param(mut self, name: impl Into<String>, reason: impl Into<String>) -> Self {
        self.params.push((name.into(), reason.into()));
        self
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "authorization_error", "No usable credential came with the request.")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(403, "authorization_error", "This credential has no right to do that.")
    }

    pub(crate) fn version_missing() -> Self {
        Self::new(403, "required_header_missing", "The header Cint-API-Version is missing.")
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "not_found_error", format!("There is no such {what}."))
    }

    pub(crate) fn method_not_allowed(methods: &[&str]) -> Self {
        let list = methods.join(", ");
        let mut refusal = Self::new(405, "method_not_allowed_error", format!("This path takes only: {list}."));
        refusal.headers.push(("allow", list));
        refusal
    }

    pub(crate) fn stale() -> Self {
        Self::new(412, "precondition_failed_error", "If-Match does not carry the current ETag.")
    }

    pub(crate) fn unsupported_media(detail: impl Into<String>) -> Self {
        Self::new(415, "unsupported_media_type_error", detail)
    }

    pub(crate) fn invalid_state(detail: impl Into<String>) -> Self {
        Self::new(422, "invalid_state_error", detail)
    }

    pub(crate) fn profiles(faults: Vec<Fault>) -> Self {
        let mut refusal = Self::new(422, "unprocessable_entity_error", "Validation error in the profiles.");
        refusal.faults = faults;
        refusal
    }

    /// What the judge found, as a refusal: the wrong media type has its own
    /// status, everything else is a 400 with the list.
    pub(crate) fn from_violations(violations: &[Violation]) -> Self {
        if let Some(media) = violations.iter().find(|v| v.rule == "media-type") {
            return Self::unsupported_media(format!("Content-Type: {}", media.reason()));
        }
        let mut refusal = Self::bad_request("The request does not match the interface document.");
        for violation in violations {
            let name = match &violation.place {
                Place::Header(name) => name.to_ascii_lowercase(),
                _ => violation.name(),
            };
            refusal.params.push((name, violation.reason()));
        }
        refusal
    }

    /// Everything an error body of any shape may want to say.
    pub(crate) fn facts(&self, id: String) -> Value {
        if let Some(body) = &self.body {
            return body.clone();
        }
        let list: Vec<Value> = if self.faults.is_empty() {
            self.params.iter().map(|(name, reason)| json!({ "name": name, "reason": reason })).collect()
        } else {
            self.faults.iter().map(fault_facts).collect()
        };
        let mut facts = json!({
            "id": id,
            "object": self.object,
            "detail": self.detail,
            "details": self.detail,
            "title": "profile request validation",
        });
        if !list.is_empty()
            && let Some(map) = facts.as_object_mut()
        {
            map.insert("invalid_params".into(), Value::Array(list.clone()));
            map.insert("errors".into(), Value::Array(list));
        }
        facts
    }
}

fn fault_facts(fault: &Fault) -> Value {
    let mut metadata = json!({ "question_id": fault.questions, "error_level": "error" });
    if let (Some(profile), Some(map)) = (&fault.profile, metadata.as_object_mut()) {
        map.insert("profile_id".into(), json!(profile));
    }
    json!({
        "error_type": "data_validation_error",
        "name": fault.name(),
        "reason": fault.reason(),
        "detail": fault.detail,
        "metadata": metadata,
    })
}
