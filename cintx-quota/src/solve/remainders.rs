//! Whether whole numbers can meet all margins, bounds aside: linear algebra with remainders of a prime.
//! Finds a weighting in which every cell counts a multiple of the prime, and the targets do not.

use super::simplex::Simplex;

/// A weighting, and the cells that must have other counts for it to prove nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weighting {
    pub(crate) prime: u64,
    /// The weight of each row, as small as its remainder allows.
    pub(crate) weights: Vec<i64>,
    /// Cells that do not count a multiple of the prime.
    pub(crate) culprits: Vec<usize>,
}

/// The weighting with the fewest culprits, of the primes that may have one, at a basis whose cells are not all whole.
pub(crate) fn weighting(simplex: &mut Simplex) -> Option<Weighting> {
    let found = primes_of(simplex.scale()).into_iter().filter_map(|prime| for_prime(simplex, prime));
    found.min_by_key(|found| found.culprits.len())
}

/// The small primes that divide a number.
fn primes_of(number: i64) -> Vec<u64> {
    const MAX_PRIME: u64 = 1_000;
    let mut rest = number.unsigned_abs();
    let mut primes = Vec::new();
    for prime in 2..=MAX_PRIME {
        if rest > 0 && rest.is_multiple_of(prime) {
            primes.push(prime);
            while rest.is_multiple_of(prime) {
                rest /= prime;
            }
        }
    }
    primes
}

fn for_prime(simplex: &mut Simplex, prime: u64) -> Option<Weighting> {
    let rest =
        simplex.whole_rest().into_iter().map(|rest| u64::try_from(rest.rem_euclid(i128::from(prime))).unwrap_or(0));
    let mut space = Space { prime, vectors: Vec::new(), open: rest.collect() };
    space.open.iter().any(|entry| *entry != 0).then_some(())?;
    // Culprits shall be cells with little room: then there are not many counts to go through.
    let mut cells: Vec<usize> = (0..simplex.least.len()).filter(|cell| simplex.room(*cell) > 0).collect();
    cells.sort_by_key(|cell| std::cmp::Reverse(simplex.room(*cell)));
    let mut culprits = Vec::new();
    let height = space.open.len();
    for cell in cells {
        if !space.add(column(simplex, cell)) {
            culprits.push(cell);
        }
        if simplex.is_over_after(height) {
            return None;
        }
    }
    simplex.work += (height * (height + space.vectors.len() * culprits.len() + simplex.least.len())) as u64;
    let small = |weight: u64| if weight > prime / 2 { weight as i64 - prime as i64 } else { weight as i64 };
    let weights = space.functional()?.into_iter().map(small).collect();
    Some(Weighting { prime, weights, culprits })
}

/// The rows of a cell, counted.
fn column(simplex: &Simplex, cell: usize) -> Vec<u64> {
    let mut column = vec![0; simplex.height()];
    simplex.rows_of(cell).iter().for_each(|row| column[*row as usize] += 1);
    column
}

/// What some columns span, and a vector outside of it.
struct Space {
    prime: u64,
    /// Each with a 1 at its pivot, and zeros at the pivots before.
    vectors: Vec<(usize, Vec<u64>)>,
    /// What the targets leave, reduced.
    open: Vec<u64>,
}

impl Space {
    /// Takes a column in, unless that would take in the open vector: then it says `false`.
    fn add(&mut self, column: Vec<u64>) -> bool {
        let mut column = self.reduced(column);
        let Some(pivot) = column.iter().position(|entry| *entry != 0) else {
            return self.open.iter().any(|entry| *entry != 0);
        };
        let inverse = self.power(column[pivot], self.prime - 2);
        column.iter_mut().for_each(|entry| *entry = *entry * inverse % self.prime);
        let open = self.less(&self.open, self.open[pivot], &column);
        if open.iter().all(|entry| *entry == 0) {
            return false;
        }
        self.open = open;
        self.vectors.push((pivot, column));
        true
    }

    fn reduced(&self, mut vector: Vec<u64>) -> Vec<u64> {
        for (pivot, other) in &self.vectors {
            if vector[*pivot] != 0 {
                vector = self.less(&vector, vector[*pivot], other);
            }
        }
        vector
    }

    /// `vector − factor × other`
    fn less(&self, vector: &[u64], factor: u64, other: &[u64]) -> Vec<u64> {
        let against = self.prime - factor;
        vector.iter().zip(other).map(|(entry, other)| (entry + against * other) % self.prime).collect()
    }

    fn power(&self, base: u64, mut exponent: u64) -> u64 {
        let (mut power, mut base) = (1, base % self.prime);
        while exponent > 0 {
            if exponent % 2 == 1 {
                power = power * base % self.prime;
            }
            base = base * base % self.prime;
            exponent /= 2;
        }
        power
    }

    /// Weights that are 0 on all that is spanned, and not on the open vector.
    fn functional(&self) -> Option<Vec<u64>> {
        let at = self.open.iter().position(|entry| *entry != 0)?;
        let unit = |row: usize| (0..self.open.len()).map(|other| u64::from(other == row)).collect();
        Some((0..self.open.len()).map(|row| self.reduced(unit(row))[at]).collect())
    }
}
