//! Faults that are put into a sandbox on purpose: which requests they hit,
//! how often, and what they do to them.

mod drift;
mod file;
mod list;

pub(crate) use drift::drift;
pub use file::FaultError;
pub(crate) use list::{Faults, fits};

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The name under which the token endpoint is hit.
pub(crate) const TOKEN: &str = "oauth_token";
/// The name under which calls to subscribers of webhooks are hit.
pub(crate) const DELIVERY: &str = "webhook_delivery";

/// The name under which connections are hit when they are opened, before
/// anything is read from them. No pattern with `*` stands for it.
pub(crate) const CONNECTION: &str = "connection";

/// What can be hit that is no operation.
pub(crate) const BESIDE_OPERATIONS: [&str; 3] = [TOKEN, DELIVERY, CONNECTION];

/// What a fault does to a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    /// Nothing but waiting.
    #[default]
    Wait,
    DropBefore,
    DropAfter,
    ResetBefore,
    ResetAfter,
    Truncate(usize),
    Status {
        status: u16,
        retry_after: Option<u32>,
    },
    GatewayPage(u16),
    ContentType(String),
    ExpireToken,
    StaleRead,
    Drift {
        fields: bool,
        values: bool,
    },
    ApplyTwice,
    DeliverTwice,
    DeliverLate,
}

impl Effect {
    /// Whether it puts an answer in the place of the one to be given, so that the request is not worked on.
    pub(crate) fn replaces_answer(&self) -> bool {
        matches!(self, Self::Status { .. } | Self::GatewayPage(_) | Self::DropBefore | Self::ResetBefore)
    }

    /// A name for people and logs, as fault files spell it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Wait => "delay",
            Self::DropBefore => "drop-before-applying",
            Self::DropAfter => "drop-after-applying",
            Self::ResetBefore => "reset-before-applying",
            Self::ResetAfter => "reset-after-applying",
            Self::Truncate(_) => "truncate",
            Self::Status { .. } => "status",
            Self::GatewayPage(_) => "gateway-page",
            Self::ContentType(_) => "content-type",
            Self::ExpireToken => "expire-token",
            Self::StaleRead => "stale-read",
            Self::Drift { fields: true, values: true } => "drift",
            Self::Drift { values: true, .. } => "unknown-values",
            Self::Drift { .. } => "unknown-fields",
            Self::ApplyTwice => "apply-twice",
            Self::DeliverTwice => "deliver-twice",
            Self::DeliverLate => "deliver-late",
        }
    }
}

/// Something that goes wrong, by script or by chance.
///
/// A fault names the operation that it hits, then what happens, then how
/// often. Operations are named as in the interface documents; `*` stands for
/// any run of characters. Three names are not in the documents: `oauth_token`,
/// the token endpoint; `webhook_delivery`, a call to a subscriber; and
/// `connection`, which `*` does not stand for: a connection that is closed or
/// reset as soon as it is opened, before a request is read from it.
///
/// ```
/// use cintx_sandbox::Fault;
/// use std::time::Duration;
///
/// // The project is created, but its caller never hears of it, once.
/// let lost = Fault::on("create_project").drop_after_applying().times(1);
/// // From the third one on, every other read of anything is turned away.
/// let storm = Fault::on("get_*").rate_limited(2).after(2).chance(0.5);
/// // Slow, and then gone.
/// let gone = Fault::on("*").delay(Duration::from_millis(50)).reset_before_applying();
/// # drop((lost, storm, gone));
/// ```
///
/// Of several faults that fit a request, the one injected first hits it.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    pub(crate) on: String,
    effect: Effect,
    /// Before the request is applied.
    wait: Duration,
    /// Before the answer is sent.
    delay: Duration,
    times: Option<u64>,
    after: u64,
    chance: f64,
}

impl Fault {
    /// A fault of one operation, or of all whose ids fit a pattern with `*`.
    pub fn on(operation: impl Into<String>) -> Self {
        Self {
            on: operation.into(),
            effect: Effect::Wait,
            wait: Duration::ZERO,
            delay: Duration::ZERO,
            times: None,
            after: 0,
            chance: 1.0,
        }
    }

    /// A fault of every operation, the token endpoint among them.
    pub fn everywhere() -> Self {
        Self::on("*")
    }

    fn doing(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The request is done at once, its answer is held back for a while. Goes
    /// together with every other effect.
    pub fn delay(mut self, by: Duration) -> Self {
        self.delay = by;
        self
    }

    /// The request itself waits for a while: a caller that gives up before
    /// has changed nothing. Goes together with every other effect.
    pub fn delay_before_applying(mut self, by: Duration) -> Self {
        self.wait = by;
        self
    }

    /// The connection is closed without an answer; nothing is changed.
    pub fn drop_before_applying(self) -> Self {
        self.doing(Effect::DropBefore)
    }

    /// The request is done, but the connection is closed without an answer.
    pub fn drop_after_applying(self) -> Self {
        self.doing(Effect::DropAfter)
    }

    /// The connection is reset; nothing is changed.
    pub fn reset_before_applying(self) -> Self {
        self.doing(Effect::ResetBefore)
    }

    /// The request is done, but the connection is reset instead of an answer.
    pub fn reset_after_applying(self) -> Self {
        self.doing(Effect::ResetAfter)
    }

    /// The request is done; of the answer's body only so many bytes arrive.
    pub fn truncate(self, bytes: usize) -> Self {
        self.doing(Effect::Truncate(bytes))
    }

    /// Turned away with 429 and a `retry-After` of so many seconds; nothing
    /// is changed.
    pub fn rate_limited(self, retry_after_seconds: u32) -> Self {
        self.doing(Effect::Status { status: 429, retry_after: Some(retry_after_seconds) })
    }

    /// Refused with a status, in the error form of the API; nothing is
    /// changed.
    pub fn status(self, status: u16) -> Self {
        self.doing(Effect::Status { status, retry_after: None })
    }

    /// Adds a `retry-After` to [`Fault::status`]; of no effect elsewhere.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if let Effect::Status { retry_after, .. } = &mut self.effect {
            *retry_after = Some(seconds);
        }
        self
    }

    /// A page of HTML with a status, as gateways between caller and API send
    /// it; nothing is changed.
    pub fn gateway_page(self, status: u16) -> Self {
        self.doing(Effect::GatewayPage(status))
    }

    /// The request is done; its answer claims to be of another media type.
    pub fn content_type(self, media: impl Into<String>) -> Self {
        self.doing(Effect::ContentType(media.into()))
    }

    /// The token that the request carries has just expired: 403, as long as
    /// no new one is fetched.
    pub fn expire_token(self) -> Self {
        self.doing(Effect::ExpireToken)
    }

    /// A read gives the answer that the same read gave the last time; 404 if
    /// it was never asked before. Writes are not affected.
    pub fn stale_read(self) -> Self {
        self.doing(Effect::StaleRead)
    }

    /// Tomorrow's Cint: the answer has fields and values that today's
    /// interface document does not know.
    pub fn drift(self) -> Self {
        self.doing(Effect::Drift { fields: true, values: true })
    }

    /// The answer has fields that the interface document does not know.
    pub fn unknown_fields(self) -> Self {
        self.doing(Effect::Drift { fields: true, values: false })
    }

    /// Every value of a closed list in the answer is one that the interface
    /// document does not know.
    pub fn unknown_values(self) -> Self {
        self.doing(Effect::Drift { fields: false, values: true })
    }

    /// The request is delivered twice, as by a proxy that tries again, and
    /// done twice, unless its key prevents it; the second answer is given.
    pub fn apply_twice(self) -> Self {
        self.doing(Effect::ApplyTwice)
    }

    /// A webhook is held back, so that later ones to the same subscriber
    /// overtake it. Only for `webhook_delivery`.
    pub fn deliver_late(self) -> Self {
        self.doing(Effect::DeliverLate)
    }

    /// A webhook is delivered twice. Only for `webhook_delivery`.
    pub fn deliver_twice(self) -> Self {
        self.doing(Effect::DeliverTwice)
    }

    /// Hits so many requests, then never again. Without it there is no end.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets so many fitting requests pass first.
    pub fn after(mut self, requests: u64) -> Self {
        self.after = requests;
        self
    }

    /// Hits with this probability, 0 to 1, drawn from the sandbox's seed.
    pub fn chance(mut self, probability: f64) -> Self {
        self.chance = probability.clamp(0.0, 1.0);
        self
    }

    /// Reads faults as [`Builder::faults`](crate::Builder::faults) takes them
    /// from a text in TOML or JSON, the form of the program's fault files.
    ///
    /// # Errors
    /// If the text is neither, or says something that no fault can do.
    pub fn read_all(text: &str) -> Result<Vec<Self>, FaultError> {
        file::read(text)
    }
}

/// A fault that was injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultId(pub(crate) u64);

/// What hits one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strike {
    pub(crate) effect: Effect,
    pub(crate) wait: Duration,
    pub(crate) delay: Duration,
}
