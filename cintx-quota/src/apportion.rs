//! Shares to whole numbers by largest remainder, with a report of what was rounded.
//! Each count is the floor or the ceiling of its part, and the counts add up to the total.

use crate::error::TableError;

/// Counts for shares, and what became of each share.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Apportionment {
    /// Whole numbers that add up to the total.
    pub counts: Vec<u64>,
    /// The shares whose part was not whole, by number.
    pub rounded: Vec<Rounded>,
}

/// A part that was not whole, and the whole number it got.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rounded {
    /// Which share, from 0.
    pub share: usize,
    /// What it would have got, as a fraction.
    pub exact: f64,
    /// What it got.
    pub count: u64,
}

/// Divides a total by shares (percentages, weights: only their proportions count).
///
/// The largest remainders are rounded up; among equal ones, those of the earlier shares. This is the method
/// that stays nearest to the exact parts; a larger total may give a share one less (the Alabama paradox).
/// Shares are read to nine decimals where they are that coarse, else to 62 bits of their sum.
///
/// ```
/// let parts = cintx_quota::apportion("age", &[40.0, 35.0, 25.0], 10)?;
/// assert_eq!(parts.counts, [4, 4, 2]);
/// assert_eq!(parts.rounded.len(), 2);
/// # Ok::<(), cintx_quota::TableError>(())
/// ```
///
/// # Errors
/// [`TableError`] if a share is negative or not a number, the shares add up to zero or to infinity while the
/// total does not, or the total is above [`Table::MAX_COUNT`](crate::Table::MAX_COUNT). `name` is what the error calls them.
pub fn apportion(name: &str, shares: &[f64], total: u64) -> Result<Apportionment, TableError> {
    for (index, share) in shares.iter().enumerate() {
        crate::error::check_number(*share, || format!("share {index} of {name}"))?;
    }
    crate::error::check_count(total, || name.to_owned())?;
    if total == 0 {
        return Ok(Apportionment { counts: vec![0; shares.len()], rounded: Vec::new() });
    }
    let units = units(shares);
    let sum: u128 = units.iter().sum();
    if sum == 0 {
        return Err(TableError::NoShares { axis: name.to_owned(), total });
    }
    // A unit is below 2^62 and a total at most 2^53: the product fits.
    let part = |unit: &u128| *unit * u128::from(total);
    let floor = |unit: &u128| u64::try_from(part(unit) / sum).unwrap_or(u64::MAX);
    let mut counts: Vec<u64> = units.iter().map(floor).collect();
    let mut order: Vec<usize> = (0..units.len()).filter(|index| part(&units[*index]) % sum > 0).collect();
    let rounded = order.clone();
    order.sort_by_key(|index| (std::cmp::Reverse(part(&units[*index]) % sum), *index));
    let missing = total - counts.iter().sum::<u64>();
    for index in order.into_iter().zip(0..missing).map(|(index, _)| index) {
        counts[index] += 1;
    }
    let describe = |share: usize| {
        let exact = (part(&units[share]) / sum) as f64 + (part(&units[share]) % sum) as f64 / sum as f64;
        Rounded { share, exact, count: counts[share] }
    };
    let rounded = rounded.into_iter().map(describe).collect();
    Ok(Apportionment { counts, rounded })
}

/// The shares as whole numbers in the same proportions, each below 2^62.
fn units(shares: &[f64]) -> Vec<u128> {
    const NINE_DECIMALS: f64 = 1e9;
    let largest = shares.iter().copied().fold(0.0, f64::max);
    let decimal = |share: &f64| {
        let scaled = share * NINE_DECIMALS;
        scaled < 9.0e15 && (scaled - scaled.round()).abs() <= scaled * 1e-13
    };
    if shares.iter().all(decimal) {
        return shares.iter().map(|share| (share * NINE_DECIMALS).round() as u128).collect();
    }
    // Powers of two change no digit; 61 leaves room for the sum of very many shares in 128 bits.
    shares.iter().map(|share| (share / largest * 2_f64.powi(61)) as u128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(shares: &[f64], total: u64) -> Vec<u64> {
        apportion("test", shares, total).unwrap().counts
    }

    #[test]
    fn shares_become_counts_that_add_up() {
        assert_eq!(counts(&[40.0, 35.0, 25.0], 10), [4, 4, 2]);
        assert_eq!(counts(&[1.0, 1.0, 1.0], 100), [34, 33, 33]);
        assert_eq!(counts(&[33.33, 33.33, 33.34], 3), [1, 1, 1]);
        assert_eq!(counts(&[], 0), [0_u64; 0]);
        assert_eq!(counts(&[0.0, 0.0], 0), [0, 0]);
    }

    #[test]
    fn scale_does_not_matter_however_large_or_small() {
        for scale in [1e-300, 1e-9, 1.0, 1e12, 1e300] {
            assert_eq!(counts(&[2.0 * scale, scale], 9), [6, 3], "scale {scale}");
        }
    }

    #[test]
    fn the_report_names_what_was_rounded() {
        let parts = apportion("age", &[50.0, 25.0, 25.0], 10).unwrap();
        let expected = [Rounded { share: 1, exact: 2.5, count: 3 }, Rounded { share: 2, exact: 2.5, count: 2 }];
        assert_eq!(parts.rounded, expected);
    }

    #[test]
    fn what_is_not_a_share_is_refused() {
        assert!(matches!(apportion("a", &[f64::NAN], 1), Err(TableError::NotFinite { .. })));
        assert!(matches!(apportion("a", &[f64::INFINITY], 1), Err(TableError::NotFinite { .. })));
        assert!(matches!(apportion("a", &[-1.0], 1), Err(TableError::Negative { .. })));
        assert!(matches!(apportion("a", &[0.0], 1), Err(TableError::NoShares { .. })));
        assert!(matches!(apportion("a", &[1.0], u64::MAX), Err(TableError::TooLarge { .. })));
    }
}
