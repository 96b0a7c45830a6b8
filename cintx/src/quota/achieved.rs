//! What came in against what was asked for: deviations, design effect, effective sample size.

use std::collections::HashMap;

use cintx_quota::Achieved;

use super::QuotaTable;
use super::print::isolated;
use crate::audience::{Conditions, conditions_of_cell};
use crate::error::{Error, FieldError};

impl QuotaTable {
    /// What came in against the targets: how far each cell is off, in the order of [`cells`](Self::cells), and what
    /// weighting that away costs.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Question};
    /// # let age = Question::range(42).band(18..=34, 50).band(35..=99, 50);
    /// # let gender = Question::choice(43).option("1", 50).option("2", 50);
    /// # let mut kept = serde_json::to_value(Audience::interlock([age, gender]).quota_table(100)?).unwrap();
    /// # for (cell, completes) in [20, 20, 5, 5].into_iter().enumerate() {
    /// #     kept["cells"][cell]["completes"] = completes.into();
    /// # }
    /// # let table: cintx::quota::QuotaTable = serde_json::from_value(kept).unwrap();
    /// // 20, 20, 5 and 5 of 25 each.
    /// let achieved = table.achieved()?;
    /// assert_eq!(achieved.deviations, [7.5, 7.5, -7.5, -7.5]);
    /// assert_eq!((achieved.design_effect, achieved.effective_sample_size), (Some(1.5625), 32.0));
    /// # Ok::<(), cintx::Error>(())
    /// ```
    ///
    /// # Errors
    /// If what its counts add up to is above 2⁵³.
    pub fn achieved(&self) -> Result<Achieved, Error> {
        self.achieved_against(&self.cells.iter().map(|quota| quota.target.unwrap_or(0)).collect::<Vec<_>>())
    }

    /// The same against the targets of another table of the same people: those of the audience, where targets in field
    /// make up for an earlier wave. Cells are found by their conditions.
    ///
    /// # Errors
    /// If the other table is about other people, or one of the two does not say whom its cells are about: an interlock
    /// of before 2025-12-18 may come in words alone. Else as [`achieved`](Self::achieved).
    pub fn achieved_of(&self, asked: &Self) -> Result<Achieved, Error> {
        let (own, mut targets) = (self.cells_by_conditions()?, asked.cells_by_conditions()?);
        let other = || refused(format!("of {:?} are about other people", asked.name));
        let mut found = vec![0; self.cells.len()];
        for (conditions, at) in own {
            let place = targets.remove(&conditions).ok_or_else(other)?;
            found[at] = asked.cells[place].target.unwrap_or(0);
        }
        if targets.is_empty() { self.achieved_against(&found) } else { Err(other()) }
    }

    /// The place of each cell by whom it is about.
    fn cells_by_conditions(&self) -> Result<HashMap<Conditions, usize>, Error> {
        let mut places = HashMap::new();
        for at in 0..self.cells.len() {
            let position = self.position(at);
            if places.insert(conditions_of_cell(self, &position), at).is_some() {
                let cell = isolated(&self.label(&position));
                return Err(refused(format!("of {:?} do not say whom they are about, {cell} for one", self.name)));
            }
        }
        Ok(places)
    }

    fn achieved_against(&self, targets: &[u64]) -> Result<Achieved, Error> {
        let completes: Vec<u64> = self.cells.iter().map(|quota| quota.completes).collect();
        cintx_quota::achieved(targets, &completes).map_err(|error| refused(error.to_string()))
    }
}

fn refused(reason: String) -> Error {
    Error::invalid(vec![FieldError::new("quotas", reason)])
}
