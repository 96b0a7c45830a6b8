//! Whole numbers from shares, with the sum kept.
//! Quotas must add up to their goal, whatever their percentages.

/// Splits a total by weights into whole numbers that add up to it; what is
/// left after rounding down goes to the greatest remainders, first come first.
pub(crate) fn split(total: u64, weights: &[f64]) -> Vec<u64> {
    let clean = |w: f64| if w.is_finite() && w > 0.0 { w } else { 0.0 };
    let sum: f64 = weights.iter().copied().map(clean).sum();
    if sum <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights.iter().map(|w| total as f64 * clean(*w) / sum).collect();
    let mut parts: Vec<u64> = exact.iter().map(|part| (part + 1e-9).floor() as u64).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let remainder = |at: &usize| exact.get(*at).copied().unwrap_or(0.0).fract();
    order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)));
    let mut left = total.saturating_sub(parts.iter().sum());
    for at in order.into_iter().cycle() {
        if left == 0 {
            break;
        }
        if clean(weights.get(at).copied().unwrap_or(0.0)) > 0.0
            && let Some(part) = parts.get_mut(at)
        {
            *part += 1;
            left -= 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        assert_eq!(split(500, &[40.0, 35.0, 25.0]), [200, 175, 125]);
        assert_eq!(split(10, &[1.0, 1.0, 1.0]).iter().sum::<u64>(), 10);
        assert_eq!(split(7, &[0.0, 1.0, 0.0]), [0, 7, 0]);
        assert_eq!(split(7, &[0.0, 0.0]), [0, 0]);
        assert_eq!(split(3, &[f64::NAN, 1.0]), [0, 3]);
    }
}
