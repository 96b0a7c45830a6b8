//! One respondent's way through one survey: who it is, what it answered, and
//! what has become of it so far.

use super::audience::{Condition, Target, Wanted};
use super::saved;
use crate::sim::rng::Rng;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the server-to-server interface calls a respondent's state.
pub(crate) mod status {
    /// In the survey, or dropped out of it.
    pub(crate) const IN_SURVEY: i64 = 1;
    pub(crate) const TERMINATE: i64 = 2;
    pub(crate) const OVERQUOTA: i64 = 3;
    pub(crate) const SECURITY: i64 = 4;
    pub(crate) const COMPLETE: i64 = 5;
}

/// What has become of a respondent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Standing {
    InSurvey,
    /// Left without an outcome; may still come back.
    Dropped,
    Terminated,
    OverQuota,
    SecurityTerminated,
    Complete,
    /// A complete that reconciliation has turned back.
    Reversed,
}

impl Standing {
    /// The state in the server-to-server interface's codes.
    pub(crate) fn status(self) -> i64 {
        match self {
            Self::InSurvey | Self::Dropped => status::IN_SURVEY,
            Self::Terminated | Self::Reversed => status::TERMINATE,
            Self::OverQuota => status::OVERQUOTA,
            Self::SecurityTerminated => status::SECURITY,
            Self::Complete => status::COMPLETE,
        }
    }

    /// The outcome that a client can set by such a code.
    pub(crate) fn of_status(code: i64) -> Option<Self> {
        Some(match code {
            status::TERMINATE => Self::Terminated,
            status::OVERQUOTA => Self::OverQuota,
            status::SECURITY => Self::SecurityTerminated,
            status::COMPLETE => Self::Complete,
            _ => return None,
        })
    }

    /// A name for people and for the control endpoint.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InSurvey => "in_survey",
            Self::Dropped => "dropped",
            Self::Terminated => "terminated",
            Self::OverQuota => "over_quota",
            Self::SecurityTerminated => "security_terminated",
            Self::Complete => "complete",
            Self::Reversed => "reversed",
        }
    }
}

/// What a respondent answered to one question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Reply {
    Option(String),
    Number(i64),
    Text(String),
}

impl Reply {
    /// A reply that meets a condition.
    pub(crate) fn draw(condition: &Condition, rng: &mut Rng) -> Self {
        match &condition.wanted {
            Wanted::Option(option) => Self::Option(option.clone()),
            Wanted::Range(min, max) => {
                let span = max.saturating_sub(*min).saturating_add(1).max(1);
                Self::Number(min.saturating_add(rng.below(span.unsigned_abs()) as i64))
            }
            Wanted::Open { values, .. } => {
                let at = rng.below(values.len() as u64) as usize;
                Self::Text(values.get(at).cloned().unwrap_or_default())
            }
        }
    }

    fn meets(&self, wanted: &Wanted) -> bool {
        match (wanted, self) {
            (Wanted::Option(option), Self::Option(own)) => option == own,
            (Wanted::Range(min, max), Self::Number(own)) => min <= own && own <= max,
            (Wanted::Open { all: true, .. }, _) => true,
            (Wanted::Open { values, .. }, Self::Text(own)) => values.contains(own),
            _ => false,
        }
    }
}

/// Replies by question.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Replies(BTreeMap<i64, Reply>);

impl Replies {
    pub(crate) fn knows(&self, question: i64) -> bool {
        self.0.contains_key(&question)
    }

    /// Whether a target can take the respondent, as far as it has answered.
    pub(crate) fn agree_with(&self, target: &Target) -> bool {
        self.0.iter().all(|(question, reply)| {
            let mut own = target.conditions.iter().filter(|condition| condition.question == *question).peekable();
            own.peek().is_none() || own.any(|condition| reply.meets(&condition.wanted))
        })
    }

    /// Whether the respondent meets a target: for every question that it asks,
    /// one of its conditions.
    pub(crate) fn meet(&self, target: &Target) -> bool {
        self.agree_with(target) && target.conditions.iter().all(|condition| self.knows(condition.question))
    }

    /// Answers what a target asks and is not answered yet, so that it is met.
    pub(crate) fn complete_for(&mut self, target: &Target, rng: &mut Rng) {
        let mut open: BTreeMap<i64, Vec<&Condition>> = BTreeMap::new();
        for condition in target.conditions.iter().filter(|condition| !self.knows(condition.question)) {
            open.entry(condition.question).or_default().push(condition);
        }
        for (question, conditions) in open {
            let at = rng.below(conditions.len() as u64) as usize;
            if let Some(condition) = conditions.get(at) {
                self.0.insert(question, Reply::draw(condition, rng));
            }
        }
    }
}

/// The number that the marketplace has for a respondent, as events give it: the first that its own randomness draws.
pub(crate) fn respondent_id(own: &mut Rng) -> u64 {
    100_000_000 + own.below(900_000_000)
}

/// One respondent's way through one survey.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) rid: String,
    pub(crate) project_id: String,
    pub(crate) group_id: String,
    pub(crate) supplier_id: i64,
    /// Who it is to the panel; the same in every survey of one person.
    pub(crate) panelist: String,
    /// Changed by [`super::field::transfer`] alone.
    pub(crate) standing: Standing,
    pub(crate) entered_at: Timestamp,
    pub(crate) left_at: Option<Timestamp>,
    /// When it became a complete for the first time, and at which price.
    #[serde(with = "saved::completed")]
    pub(crate) completed: Option<(Timestamp, Decimal)>,
    /// How long the interview of a complete took.
    pub(crate) interview_seconds: Option<u64>,
    pub(crate) replies: Replies,
    /// The targets that it counts for.
    pub(crate) targets: Vec<String>,
    /// The reason code of its last reconciliation.
    pub(crate) reconciled: Option<String>,
    /// How many times its standing has been set; entering is the first.
    pub(crate) sequence: u64,
    /// Where the respondent was sent to.
    pub(crate) link: String,
    /// Whether the simulation decides the outcome; respondents that were put
    /// in by hand wait for the client.
    pub(crate) simulated: bool,
    pub(crate) outcome: Standing,
}

impl Session {
    /// The state in the server-to-server interface's codes.
    pub(crate) fn status(&self) -> i64 {
        self.standing.status()
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.standing == Standing::Complete
    }

    /// What it costs now: a complete costs what it cost when it became one.
    pub(crate) fn cost(&self) -> Decimal {
        match self.completed {
            Some((_, price)) if self.is_complete() => price,
            _ => Decimal::ZERO,
        }
    }

    /// The client-side response code.
    pub(crate) fn client_code(&self) -> u64 {
        match self.standing {
            Standing::Complete if self.reconciled.is_some() => 11,
            Standing::Complete => 10,
            Standing::Reversed => 26,
            Standing::Terminated => 20,
            Standing::OverQuota => 40,
            Standing::SecurityTerminated => 30,
            Standing::InSurvey | Standing::Dropped => 1,
        }
    }
}
