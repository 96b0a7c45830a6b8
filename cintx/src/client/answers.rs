//! Answers as they came, for what is newer than this crate: kept for the calls that ask for it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use serde_json::Value;

/// Keeps the answers of the calls that are made with it, as they came: for a field that is newer than this crate. Give
/// it to some calls by [`CallOptions::keep_answers`](super::CallOptions::keep_answers).
///
/// ```no_run
/// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// use cintx::client::{Answers, CallOptions};
///
/// let answers = Answers::new();
/// let details = group.with(CallOptions::new().keep_answers(&answers)).details().await?;
/// for answer in answers.take() {
///     println!("{} has {:?}: {}", details.settings.name, answer.body["mood"], answer.operation);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Vec<KeptAnswer>>>);

impl Answers {
    /// Keeps nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The answers that came since this was asked last, oldest first.
    pub fn take(&self) -> Vec<KeptAnswer> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps an answer, if it is JSON.
    pub(crate) fn keep(&self, operation: &'static str, status: StatusCode, body: &[u8]) {
        if let Ok(body) = serde_json::from_slice(body) {
            let answer = KeptAnswer { operation, status, body };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        }
    }
}

/// How many there are, and not what they say, which may be secret.
impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Answers").field("kept", &kept).finish()
    }
}

/// An answer as it came.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct KeptAnswer {
    /// The operation that it answers, by its id in Cint's document.
    pub operation: &'static str,
    /// The HTTP status of the answer.
    pub status: StatusCode,
    /// The body of the answer as JSON. It may hold a secret, such as that of a webhook.
    pub body: Value,
}

impl fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptAnswer").field("operation", &self.operation).field("status", &self.status).finish()
    }
}
