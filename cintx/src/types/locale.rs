//! Languages, countries and locales, as Cint codes them: not every code is one of ISO 639, so none is looked up.

use std::fmt;
use std::str::FromStr;

use super::letters::Letters;
use super::serde_text::as_text;
use super::{InvalidValue, from_text};

/// A code of so many letters: `code!(CountryCode, 2, "a country")` expands to the type with `as_str`, `FromStr`,
/// `TryFrom` of texts, serde, `Display` and `Debug`.
macro_rules! code {
    ($(#[$meta:meta])* $name:ident, $count:literal, $expected:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Letters<$count>);

        impl $name {
            /// The code in lower case.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                let code = Letters::new(text).ok_or_else(|| InvalidValue::new(text, $expected))?;
                Ok(Self(code.to_lower_case()))
            }
        }

        from_text!($name);
        as_text!($name);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }
    };
}

code!(
    /// A language of three letters: `eng`, `ger`. Read in any case, kept in lower case.
    LanguageCode,
    3,
    "a language: three letters, such as eng"
);
code!(
    /// A country of two letters: `us`, `gb`. Read in any case, kept in lower case.
    CountryCode,
    2,
    "a country: two letters, such as us"
);

/// A language in a country: `eng_gb`, `ger_de`. Read with `_` or `-` and in any case; kept as Cint writes it.
///
/// ```
/// # use cintx::Locale;
/// let locale: Locale = "ENG-gb".parse()?;
/// assert_eq!(locale.to_string(), "eng_gb");
/// assert!("en_GB".parse::<Locale>().is_err(), "languages have three letters");
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locale {
    language: LanguageCode,
    country: CountryCode,
}

impl Locale {
    /// Stands in a builder until a locale is given. Never sent.
    pub(crate) const PLACEHOLDER: Self =
        Self { language: LanguageCode(Letters::PLACEHOLDER), country: CountryCode(Letters::PLACEHOLDER) };

    /// A language in a country.
    pub fn new(language: LanguageCode, country: CountryCode) -> Self {
        Self { language, country }
    }

    /// The language.
    pub fn language(&self) -> &LanguageCode {
        &self.language
    }

    /// The country.
    pub fn country(&self) -> &CountryCode {
        &self.country
    }
}

impl FromStr for Locale {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let parts = text.split_once(['_', '-']);
        let parsed = parts.and_then(|(language, country)| Some((language.parse().ok()?, country.parse().ok()?)));
        parsed
            .map(|(language, country)| Self { language, country })
            .ok_or_else(|| InvalidValue::new(text, "a locale: three letters of language, _, two of country: eng_gb"))
    }
}

from_text!(Locale);
as_text!(Locale);

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.language, self.country)
    }
}
