//! Serializes values as text, and parses them with the checks of `FromStr`.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize as _, Deserializer, de};

use crate::error::{ErrorKind, Outcome};

/// Types that print and read the same text.
macro_rules! as_text {
    ($($type:ident),+) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::types::serde_text::read_text(deserializer)
            }
        }
    )+};
}
pub(crate) use as_text;

/// Reads text as the type reads it, with its checks.
pub(crate) fn read_text<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// Text for an enum that serde writes as one word: `word!(ReportFormat: "a format: csv, xlsx")` expands to `Display`
/// and `FromStr` of that word; `word!(from Outcome: "an outcome")` to `FromStr` alone, for what prints other text.
macro_rules! word {
    ($name:ident: $expected:literal) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                serde::Serialize::serialize(self, f)
            }
        }

        $crate::types::serde_text::word!(from $name: $expected);
    };
    (from $name:ident: $expected:literal) => {
        impl std::str::FromStr for $name {
            type Err = $crate::types::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let word = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text);
                serde::Deserialize::deserialize(word).map_err(|_| $crate::types::InvalidValue::new(text, $expected))
            }
        }
    };
}
pub(crate) use word;

// The module of errors uses no other, so the text of its words is here.
word!(ErrorKind: "a kind of error, such as invalid, timeout or status");
word!(from Outcome: "an outcome: not-sent, no-effect, applied or unknown");
