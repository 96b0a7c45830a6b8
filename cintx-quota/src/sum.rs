//! A running sum of floating-point numbers that keeps what rounding would lose.
//! Neumaier's form: good also when the next number is larger than the sum.

/// The sum so far and what its rounding lost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// Adds a number.
    #[inline]
    pub(crate) fn add(&mut self, number: f64) {
        let sum = self.sum + number;
        let larger_first = self.sum.abs() >= number.abs();
        self.lost += if larger_first { (self.sum - sum) + number } else { (number - sum) + self.sum };
        self.sum = sum;
    }

    /// What the numbers add up to.
    #[inline]
    pub(crate) fn value(self) -> f64 {
        self.sum + self.lost
    }
}
