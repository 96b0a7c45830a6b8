//! Randomness with a seed, and the ids made from it.
//! The generator is own and tiny, so that one seed gives one log for ever.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// SplitMix64.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for a named purpose, so that one purpose does
    /// not shift the numbers of another.
    pub(crate) fn named(seed: u64, name: &str) -> Self {
        // FNV-1a.
        let hash =
            name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        let mut rng = Self(seed ^ hash);
        rng.next();
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this chance happens.
    pub(crate) fn chance(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    /// The wait until the next event of a Poisson process with one event in
    /// each unit of time: exponential, by inversion.
    pub(crate) fn gap(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// A standard normal number (Box and Muller).
    fn normal(&mut self) -> f64 {
        (2.0 * self.gap()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A length around a median, log-normal with this deviation.
    pub(crate) fn length(&mut self, median: f64, deviation: f64) -> f64 {
        median * (deviation * self.normal()).exp()
    }

    /// A part around a mean, from a beta distribution. The spread is its
    /// deviation by the greatest that there can be with this mean.
    pub(crate) fn part(&mut self, mean: f64, spread: f64) -> f64 {
        if spread <= 0.0 || mean <= 0.0 || mean >= 1.0 {
            return mean;
        }
        let sum = spread.powi(-2) - 1.0;
        let (one, other) = (self.gamma(mean * sum), self.gamma((1.0 - mean) * sum));
        // Both are 0 only where they are too small for a number.
        if one + other > 0.0 { one / (one + other) } else { mean }
    }

    /// A gamma-distributed number of a shape (Marsaglia and Tsang).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * (1.0 - self.unit()).powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.unit()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    fn wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    /// A ULID for a moment.
    pub(crate) fn ulid(&mut self, at: Timestamp) -> String {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        ulid::Ulid::from_parts(millis, self.wide() & ((1 << 80) - 1)).to_string()
    }

    /// A UUID of version 4, lower case.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.wide().to_be_bytes()).into_uuid().to_string()
    }

    /// So many lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    /// So many characters of an alphabet without look-alikes.
    pub(crate) fn code(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHJKMNPQRSTVWXYZ0123456789";
        (0..length).map(|_| char::from(ALPHABET[(self.next() % 32) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_have_their_means_and_repeat_with_the_seed() {
        let mut rng = Rng::new(5);
        let mut moments = |draw: &dyn Fn(&mut Rng) -> f64| {
            let all: Vec<f64> = (0..20_000).map(|_| draw(&mut rng)).collect();
            let mean = all.iter().sum::<f64>() / 20_000.0;
            (mean, (all.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt())
        };
        let near = |(mean, deviation): (f64, f64), wanted: (f64, f64)| {
            let close = |is: f64, wanted: f64| (is - wanted).abs() < 0.02 * wanted.max(0.5);
            assert!(close(mean, wanted.0) && close(deviation, wanted.1), "{mean} {deviation}, not {wanted:?}");
        };
        near(moments(&Rng::gap), (1.0, 1.0));
        near(moments(&|rng| rng.length(600.0, 0.35).ln()), (600.0_f64.ln(), 0.35));
        // The deviation of a beta distribution is the spread times the root of m(1-m).
        near(moments(&|rng| rng.part(0.2, 0.3)), (0.2, 0.12));
        near(moments(&|rng| rng.part(0.02, 0.8)), (0.02, 0.112));
        near(moments(&|rng| if rng.chance(0.3) { 1.0 } else { 0.0 }), (0.3, 0.21_f64.sqrt()));
        assert_eq!(rng.part(0.3, 0.0), 0.3, "no spread is the mean itself");
        let (mut a, mut b) = (Rng::new(9), Rng::new(9));
        assert!((0..100).all(|_| a.gap() == b.gap() && a.part(0.5, 0.2) == b.part(0.5, 0.2)));
    }

    #[test]
    fn ids_have_their_forms_and_repeat_with_the_seed() {
        let mut a = Rng::new(7);
        let mut b = Rng::new(7);
        let at = Timestamp::from_second(1_750_000_000).unwrap();
        assert_eq!(a.ulid(at), b.ulid(at));
        assert!(crate::contract::is_ulid(&a.ulid(at)));
        assert!(crate::contract::is_uuid(&a.uuid()));
        assert_eq!(a.hex(33).len(), 33);
        assert_eq!(a.code(7).len(), 7);
        assert_ne!(Rng::named(7, "x").next(), Rng::named(7, "y").next());
    }
}
