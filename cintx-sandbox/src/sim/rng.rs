//! Randomness with a seed, and the ids made from it.
//! Own and tiny, so that one seed gives one log for ever.

use jiff::Timestamp;

/// SplitMix64.
#[derive(Clone, Debug)]
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
