//! The next wave of a tracker, for questions that stand by themselves; what is crossed has
//! [`Interlock::carry_over`](super::Interlock::carry_over).

use std::collections::HashMap;

use super::{Question, Share, conditions_of, conditions_of_cell, invalid};
use crate::error::Error;
use crate::quota::{Quota, QuotaTable};

impl Question {
    /// The next wave of a tracker: of a goal that includes [what the last one missed](QuotaTable::shortfall), each
    /// target gets what it missed and its share of the rest; what came in too many is taken off. The shares become
    /// completes. A target without a quota stays without.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Question, Share};
    /// # let age = || Question::range(42).band(18..=34, 50).band(35..=99, 50);
    /// # let mut kept = serde_json::json!({
    /// #     "name": "Age", "kind": "regular", "enabled": true, "profile": "p",
    /// #     "axes": [{ "question": 42, "labels": ["18-34", "35-99"], "conditions": [
    /// #         [[42, { "range": { "min": 18, "max": 34 } }]], [[42, { "range": { "min": 35, "max": 99 } }]]] }],
    /// #     "cells": [{ "target": 50, "completes": 38 }, { "target": 50, "completes": 50 }],
    /// # });
    /// # let last: cintx::quota::QuotaTable = serde_json::from_value(kept).unwrap();
    /// // Of the young, 38 of 50 came.
    /// assert_eq!(last.shortfall(), 12);
    /// let next = age().carry_over(&last, 112)?;
    /// let shares: Vec<_> = next.targets().iter().map(|target| target.share().clone()).collect();
    /// assert_eq!(shares, [Share::Completes(62), Share::Completes(50)]);
    /// # Ok::<(), cintx::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the table is not about the targets of this question alone, or its counts are too large.
    pub fn carry_over(mut self, last: &QuotaTable, completes_goal: u32) -> Result<Self, Error> {
        let call = self.call(None);
        let refuse = |reason: String| invalid(format!("{call}.carry_over: {reason}"));
        let quotas = self.quotas_in(last).ok_or_else(|| {
            refuse(format!("the table {:?} is about other people, or does not say about whom", last.name))
        })?;
        let goal = u64::from(completes_goal);
        let sum = |count: fn(&Quota) -> u64| quotas.iter().fold(0_u64, |sum, quota| sum.saturating_add(count(quota)));
        let missed = sum(|quota| quota.target.unwrap_or(0)).saturating_sub(sum(|quota| quota.completes));
        let rest = goal.saturating_sub(missed);
        let wave = self.counts(rest, rest);
        let of_wave = wave.iter().flatten().sum::<u64>();
        let wanted = |(own, quota): (&Option<u64>, &Quota)| {
            own.map_or(0, |own| own.saturating_add(quota.target.unwrap_or(0)).saturating_sub(quota.completes))
        };
        let mut wanted: Vec<u64> = wave.iter().zip(&quotas).map(wanted).collect();
        if wanted.iter().all(|count| *count == 0) {
            // So much came in too many everywhere that nothing is left to take it off.
            wanted = wave.iter().map(|own| own.unwrap_or(0)).collect();
        }
        let all = of_wave.saturating_add(missed).min(goal);
        let parts: Vec<f64> = wanted.iter().map(|count| *count as f64).collect();
        let counts =
            cintx_quota::apportion("what is wanted", &parts, all).map_err(|error| refuse(error.to_string()))?;
        for ((target, own), count) in self.targets.iter_mut().zip(wave).zip(counts.counts) {
            if own.is_some() {
                target.share = Share::Completes(u32::try_from(count).unwrap_or(u32::MAX));
            }
        }
        Ok(self)
    }

    /// The quota of each target in a table of this question alone; those without one count nobody.
    fn quotas_in(&self, table: &QuotaTable) -> Option<Vec<Quota>> {
        let cell = |at: usize| (conditions_of_cell(table, &table.position(at)), at);
        let mut places: HashMap<_, _> = (0..table.cells.len()).map(cell).collect();
        let quota = |at: usize| {
            let quota = table.cells.get(places.remove(&conditions_of(self, at))?)?.clone();
            Some(if quota.target.is_some() { quota } else { Quota::default() })
        };
        let quotas: Option<Vec<Quota>> = (0..self.targets.len()).map(quota).collect();
        quotas.filter(|quotas| quotas.len() == table.cells.len())
    }
}
