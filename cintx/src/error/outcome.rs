//! What a failed call did: whether it took effect, and how to find out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether a failed call had its effect.
///
/// | outcome | did it take effect? | what to do |
/// |---|---|---|
/// | [`NotSent`](Self::NotSent) | no: nothing left this machine | repeat it when the reason is gone |
/// | [`NoEffect`](Self::NoEffect) | no: the API refused it, or it only reads | mend what it names, or repeat it |
/// | [`Applied`](Self::Applied) | yes, but its answer could not be read | do not repeat it; look it up |
/// | [`Unknown`](Self::Unknown) | not known | [`Client::resolve`](crate::Client::resolve) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing left this machine.
    NotSent,
    /// It had no effect: the API refused it, or it only reads.
    NoEffect,
    /// It took effect, but its answer could not be read.
    Applied,
    /// It may have taken effect.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotSent => "not sent",
            Self::NoEffect => "had no effect",
            Self::Applied => "took effect",
            Self::Unknown => "may have taken effect",
        })
    }
}
