//! What came in against what was asked for: deviations, and what weighting them away costs.
//! The design effect is Kish's: the loss of precision by weights that differ.

use crate::error::{TableError, check_count};

/// What came in against what was asked for.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Achieved {
    /// For each cell, completes less the part of all completes that its target stands for: above 0 is too many.
    pub deviations: Vec<f64>,
    /// Half the sum of the absolute differences of shares, 0 to 1: the part of the completes in the wrong cell.
    /// 0 without completes.
    pub misplaced: f64,
    /// For each cell, the weight that gives its completes the share asked for; the mean over all completes is 1.
    /// `None` where nothing is completed.
    pub weights: Vec<Option<f64>>,
    /// Kish's design effect of these weights, at least 1: n Σw² / (Σw)². `None` if no weighted complete is left.
    pub design_effect: Option<f64>,
    /// How many completes of a proportional sample the weighted ones are worth: n by the design effect; else 0.
    pub effective_sample_size: f64,
    /// The share of the targets in cells without any complete: no weight can make up for it.
    pub uncovered: f64,
}

/// Compares completes with targets, cell by cell.
///
/// ```
/// let achieved = cintx_quota::achieved(&[50, 50], &[40, 10])?;
/// assert_eq!(achieved.deviations, [15.0, -15.0]);
/// assert_eq!(achieved.weights, [Some(0.625), Some(2.5)]);
/// assert_eq!(achieved.design_effect, Some(1.5625));
/// assert_eq!(achieved.effective_sample_size, 32.0);
/// # Ok::<(), cintx_quota::TableError>(())
/// ```
///
/// # Errors
/// [`TableError::Length`] if there are more or fewer completes than targets; [`TableError::TooLarge`] if one of them
/// or their sum is above [`Table::MAX_COUNT`](crate::Table::MAX_COUNT).
pub fn achieved(targets: &[u64], completes: &[u64]) -> Result<Achieved, TableError> {
    if targets.len() != completes.len() {
        return Err(TableError::Length { what: "completes", given: completes.len(), expected: targets.len() });
    }
    let total = |counts: &[u64], name: &str| {
        let sum = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        check_count(sum, || format!("the sum of {name}")).map(|()| sum as f64)
    };
    let (asked, done) = (total(targets, "targets")?, total(completes, "completes")?);
    let pairs = || targets.iter().zip(completes).map(|(target, done)| (*target as f64, *done as f64));
    let deviations: Vec<f64> =
        pairs().map(|(target, count)| if asked > 0.0 { count - target * done / asked } else { count }).collect();
    let misplaced = deviations.iter().map(|deviation| deviation.abs()).sum::<f64>() / 2.0;
    // Completes in cells without a target weigh 0; those in the others stand for the targets that are covered.
    let covered: f64 = pairs().filter(|(_, count)| *count > 0.0).map(|(target, _)| target).sum();
    let weight = |(target, count): (f64, f64)| match (count > 0.0, covered > 0.0) {
        (false, _) => None,
        (true, true) => Some(target * done / (count * covered)),
        (true, false) => Some(0.0),
    };
    let weights: Vec<Option<f64>> = pairs().map(weight).collect();
    let squares: f64 = pairs().zip(&weights).map(|((_, count), weight)| count * weight.unwrap_or(0.0).powi(2)).sum();
    // The mean weight is 1, so the squares add up to n times the design effect.
    let design_effect = (covered > 0.0).then(|| squares / done);
    Ok(Achieved {
        misplaced: if done > 0.0 { misplaced / done } else { 0.0 },
        effective_sample_size: design_effect.map_or(0.0, |effect| done / effect),
        uncovered: if asked > 0.0 { 1.0 - covered / asked } else { 0.0 },
        deviations,
        weights,
        design_effect,
    })
}
