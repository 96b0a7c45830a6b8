//! Ways out of overfilled quotas: each a plan to approve, with what it costs in completes.

use std::fmt;

use cintx_quota::{Overfill, WayOut};
use serde::{Deserialize, Serialize};

use super::QuotaPlan;
use super::print::isolated;

/// A way out that works, to be approved: [`Quotas::apply`](super::Quotas::apply) takes its plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuotaChoice {
    /// Which way.
    pub way: WayOut,
    /// The new targets.
    pub plan: QuotaPlan,
    /// What is completed in the end, more than was asked for.
    pub additional: u64,
    /// What is still to be completed.
    pub to_come: u64,
    /// By how much other categories fall short of their targets: the price of a total that stays.
    pub given_up: u64,
}

impl fmt::Display for QuotaChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { way, plan, additional, to_come, given_up } = self;
        write!(f, "{way}: {} in all, {additional} more than asked for, {to_come} to come", plan.total)?;
        if *given_up > 0 { write!(f, ", other categories give up {given_up}") } else { Ok(()) }
    }
}

/// What is overfilled, and what can be done about it. `Display` lists both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuotaWaysOut {
    /// The categories that hold more than their targets.
    pub overfilled: Vec<Overfill>,
    /// The ways that work.
    pub choices: Vec<QuotaChoice>,
    /// Those that do not, and why.
    pub impossible: Vec<(WayOut, String)>,
}

impl QuotaWaysOut {
    /// The choice of a way, if it works.
    pub fn choice(&self, way: WayOut) -> Option<&QuotaChoice> {
        self.choices.iter().find(|choice| choice.way == way)
    }
}

impl fmt::Display for QuotaWaysOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said =
            |Overfill { label, target, holds, .. }: &Overfill| format!("{} holds {holds} of {target}", isolated(label));
        let overfilled = self.overfilled.iter().map(said);
        let choices = self.choices.iter().map(ToString::to_string);
        let impossible = self.impossible.iter().map(|(way, reason)| format!("{way}: impossible, {reason}"));
        f.write_str(&overfilled.chain(choices).chain(impossible).collect::<Vec<_>>().join("\n"))
    }
}
