//! Codes of a few ASCII letters, kept in place: currencies, languages, countries. A page of a list has hundreds of
//! them, and none is allocated.

use std::fmt;

/// So many ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Letters<const N: usize>([u8; N]);

impl<const N: usize> Letters<N> {
    /// Stands in a builder until letters are given. Never sent.
    pub(super) const PLACEHOLDER: Self = Self([b'-'; N]);

    /// Exactly so many letters, of any case.
    pub(super) fn new(text: &str) -> Option<Self> {
        let letters: [u8; N] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then_some(Self(letters))
    }

    pub(super) fn is_upper_case(self) -> bool {
        self.0.iter().all(u8::is_ascii_uppercase)
    }

    pub(super) fn to_lower_case(self) -> Self {
        Self(self.0.map(|letter| letter.to_ascii_lowercase()))
    }

    pub(super) fn as_str(&self) -> &str {
        // They are letters: there is always a text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Debug for Letters<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_ascii_letters_are_a_code() {
        let code = Letters::<3>::new("UsD").unwrap();
        assert_eq!((code.as_str(), code.to_lower_case().as_str()), ("UsD", "usd"));
        assert_eq!(format!("{code:?}"), "\"UsD\"");
        for odd in ["", "US", "USDT", "U D", "U1D", "\u{e4}a", "€"] {
            assert_eq!(Letters::<3>::new(odd), None, "{odd:?}");
        }
    }
}
