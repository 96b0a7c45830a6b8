//! Interlocks: the cross product of several questions' targets, with shares
//! that multiply and whole numbers that add up.

use super::audience::{Condition, Profile, Target};
use super::rounding::split;

/// One cell of an interlock.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) conditions: Vec<Condition>,
    /// Which target of each profile the cell came from.
    pub(crate) name: String,
    pub(crate) goal: u64,
    /// Hundredths of a percent; they add up to 10,000 over all cells.
    pub(crate) hundredths: u64,
    /// Whole percents; they add up to 100 over all cells.
    pub(crate) percents: u64,
}

/// Crosses profiles. The last one varies fastest. `goal` is split by the
/// product of the shares; a profile without quotas shares evenly.
pub(crate) fn cross(profiles: &[Profile], goal: u64) -> Vec<Cell> {
    let mut cells: Vec<(Vec<&Target>, f64)> = vec![(Vec::new(), 1.0)];
    for profile in profiles {
        let shares = shares(profile);
        cells = cells
            .into_iter()
            .flat_map(|(targets, share)| {
                let shares = &shares;
                profile.targets.iter().zip(shares).map(move |(target, own)| {
                    let mut targets = targets.clone();
                    targets.push(target);
                    (targets, share * own)
                })
            })
            .collect();
    }
    let weights: Vec<f64> = cells.iter().map(|(_, share)| *share).collect();
    let goals = split(goal, &weights);
    let hundredths = split(10_000, &weights);
    let percents = split(100, &weights);
    cells
        .into_iter()
        .zip(goals)
        .zip(hundredths.into_iter().zip(percents))
        .map(|(((targets, _), goal), (hundredths, percents))| Cell {
            name: targets.iter().map(|target| target.label()).collect::<Vec<_>>().join(", "),
            conditions: targets.iter().flat_map(|target| target.conditions.clone()).collect(),
            goal,
            hundredths,
            percents,
        })
        .collect()
}

/// How many cells there would be.
pub(crate) fn count(profiles: &[Profile]) -> usize {
    profiles.iter().map(|profile| profile.targets.len()).fold(1, usize::saturating_mul)
}

fn shares(profile: &Profile) -> Vec<f64> {
    let quota = |target: &Target| {
        target
            .quota
            .as_ref()
            .map_or(0.0, |quota| if quota.percentage > 0.0 { quota.percentage } else { quota.goal as f64 })
    };
    let sum: f64 = profile.targets.iter().map(quota).sum();
    if sum > 0.0 {
        profile.targets.iter().map(|target| quota(target) / sum).collect()
    } else {
        vec![1.0 / profile.targets.len().max(1) as f64; profile.targets.len()]
    }
}
