//! What saying how a respondent ended came to. Only what Cint has confirmed has the address that sends the respondent
//! back: a redirect before that makes the respondent a terminate.

use super::RespondentOutcome;
use super::entry::Refused;
use crate::error::Error;

/// What is known of an outcome that was reported. Never a guess.
#[derive(Clone, Debug)]
#[must_use]
pub enum TransitionResult {
    /// Cint has this outcome on record: redirect to [`Confirmed::exit_url`].
    Confirmed(Confirmed),
    /// Cint has another outcome on record, which this call did not change.
    Conflict(OutcomeConflict),
    /// Cint knows no such respondent, so it has no outcome on record, and sending it again changes nothing: see
    /// [`UnknownRespondent`] for what is left to do.
    NotFound(UnknownRespondent),
    /// Nothing has changed, the respondent is still in the survey: the request did not leave, it was refused, or it
    /// was lost and cannot arrive any more. It may be sent again, once its cause is gone.
    NotApplied {
        /// Why, as far as it is known.
        cause: Option<Error>,
    },
    /// It may have arrived, or not. Do not redirect:
    /// [`finish`](super::ServerToServer::finish) it again, whose refusal tells what is on record.
    /// [`resolve`](super::ServerToServer::resolve) asks without sending anything, and tells whether it may still be
    /// missing.
    Unknown {
        /// Why that is not known, unless it is what Cint answered.
        cause: Option<Error>,
    },
}

impl TransitionResult {
    /// The confirmation, if there is one.
    pub fn confirmed(self) -> Option<Confirmed> {
        match self {
            Self::Confirmed(confirmed) => Some(confirmed),
            _ => None,
        }
    }
}

/// An outcome that Cint has on record. Comes from an answer of Cint alone: it can neither be made nor be read back.
///
/// ```compile_fail,E0451
/// use cintx::respondent::{Confirmed, RespondentOutcome};
/// let forged = Confirmed { rid: String::new(), outcome: RespondentOutcome::Complete, exit_url: String::new() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Confirmed {
    pub(super) rid: String,
    pub(super) outcome: RespondentOutcome,
    pub(super) exit_url: String,
}

impl Confirmed {
    /// The respondent, in the spelling of the entry link.
    pub fn rid(&self) -> &str {
        &self.rid
    }

    /// How it ended.
    pub fn outcome(&self) -> RespondentOutcome {
        self.outcome
    }

    /// Where to redirect the browser. It has no status: Cint has it already.
    pub fn exit_url(&self) -> &str {
        &self.exit_url
    }
}

/// Cint has answered that it knows no such respondent, though it did when they entered. What a host can do:
///
/// - If it is the same for every respondent, key or address of the server-to-server API are of another account or of
///   another environment, a sandbox's for example: send nobody away, put that right, and
///   [`finish`](super::ServerToServer::finish) again with the respondents and outcomes that you have kept.
/// - If it is one respondent, [give up](Self::give_up): the way back is the one of somebody who was refused, and Cint
///   records no outcome of yours.
/// - If they completed, keep the RID. As soon as Cint lists it, the complete can be claimed by a reconciliation, with
///   the reason `AdjustedComplete`, until its deadline.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{wanted} was reported, but Cint knows no respondent {rid}")]
pub struct UnknownRespondent {
    pub(super) rid: String,
    pub(super) wanted: RespondentOutcome,
    pub(super) refused: Refused,
    #[source]
    pub(super) cause: Error,
}

impl UnknownRespondent {
    /// The respondent, in the spelling of the entry link.
    pub fn rid(&self) -> &str {
        &self.rid
    }

    /// The outcome that was reported, and that nobody has on record.
    pub fn wanted(&self) -> RespondentOutcome {
        self.wanted
    }

    /// What Cint has answered.
    pub fn cause(&self) -> &Error {
        &self.cause
    }

    /// Sends the respondent back as one who was refused: without an outcome.
    pub fn give_up(self) -> Refused {
        self.refused
    }
}

/// Cint has another outcome on record than the one that was reported.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{wanted} was reported, but Cint has {} on record", recorded.outcome)]
pub struct OutcomeConflict {
    pub(super) wanted: RespondentOutcome,
    pub(super) recorded: Confirmed,
}

impl OutcomeConflict {
    /// The outcome that was reported.
    pub fn wanted(&self) -> RespondentOutcome {
        self.wanted
    }

    /// The outcome that counts.
    pub fn recorded(&self) -> RespondentOutcome {
        self.recorded.outcome
    }

    /// Takes the outcome that Cint has: the respondent is sent back with it. Note it in your own books; what is wrong
    /// about it can be reconciled later.
    pub fn accept_recorded(self) -> Confirmed {
        self.recorded
    }
}
