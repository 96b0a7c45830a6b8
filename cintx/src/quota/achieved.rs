//! What came in against what was asked for: deviations, design effect, effective sample size.

use std::collections::HashMap;

use cintx_quota::Achieved;

use super::QuotaTable;
use crate::audience::conditions_of_cell;
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
    /// If a count is larger than any survey.
    pub fn achieved(&self) -> Result<Achieved, Error> {
        self.achieved_of(self)
    }

    /// The same against the targets of another table of the same people: those of the audience, where targets in field
    /// make up for an earlier wave.
    ///
    /// # Errors
    /// If the other table is about other people.
    pub fn achieved_of(&self, asked: &Self) -> Result<Achieved, Error> {
        let refuse = |reason: String| Error::invalid(vec![FieldError::new("quotas", reason)]);
        let targets = (0..asked.cells.len())
            .map(|at| (conditions_of_cell(asked, &asked.position(at)), asked.cells[at].target.unwrap_or(0)));
        let targets: HashMap<_, _> = targets.collect();
        let target = |at: usize| targets.get(&conditions_of_cell(self, &self.position(at))).copied();
        let found: Option<Vec<u64>> = (0..self.cells.len()).map(target).collect();
        let found = found.filter(|found| found.len() == targets.len());
        let found = found.ok_or_else(|| refuse(format!("of {:?} are about other people", asked.name)))?;
        let completes: Vec<u64> = self.cells.iter().map(|quota| quota.completes).collect();
        cintx_quota::achieved(&found, &completes).map_err(|error| refuse(error.to_string()))
    }
}
