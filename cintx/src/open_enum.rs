//! Open enums: a value that this version of the crate does not know is kept as text. Parsing ignores what versions
//! differ in: case, spaces, underscores and hyphens.

use std::fmt;

/// The same word, whichever way a version spells it.
pub(crate) fn same_word(one: &str, other: &str) -> bool {
    fn letters(text: &str) -> impl Iterator<Item = u8> {
        text.bytes().filter(|byte| !matches!(byte, b' ' | b'_' | b'-')).map(|byte| byte.to_ascii_lowercase())
    }
    letters(one).eq(letters(other))
}

/// The text of a value that this release of the crate does not know. Only reading makes one, so a value that is
/// known is never hidden behind it.
///
/// ```
/// use cintx::fielding::RunStatus;
///
/// let status = RunStatus::from("Hibernating");
/// let RunStatus::Unknown(word) = &status else { unreachable!() };
/// assert_eq!(word.as_str(), "Hibernating");
/// assert_eq!(RunStatus::from("LIVE"), RunStatus::Live, "what is known is never unknown");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownValue(Box<str>);

impl UnknownValue {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The value as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Makes an open enum of a vocabulary: `Live = "live"` is a variant and its spelling, `Complete = "complete" |
/// "completed"` one that is also read otherwise.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $text:literal $(| $alias:literal)*,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// A value that this release does not know, as it came.
            Unknown($crate::types::UnknownValue),
        }

        impl $name {
            /// The value as Cint spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text.as_str(),
                }
            }

            pub(crate) fn parse(text: &str) -> Self {
                match text {
                    // Nearly every word is spelled so.
                    $($text => return Self::$variant,)+
                    _ => {}
                }
                let is = |word| $crate::open_enum::same_word(text, word);
                match text {
                    $(_ if is($text) $(|| is($alias))* => Self::$variant,)+
                    _ => Self::Unknown($crate::types::UnknownValue::new(text)),
                }
            }
        }

        $crate::open_enum::text_conversions!($name);
        $crate::types::serde_text::as_text!($name);
    };
}
pub(crate) use open_enum;

/// From text and to text, for what has `parse` and `as_str`.
macro_rules! text_conversions {
    ($name:ident) => {
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::parse(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::parse(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use text_conversions;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use proptest::prelude::*;

    use crate::fielding::RunStatus;
    use crate::reconciliation::ReconciliationStatus;

    #[test]
    fn spelling_does_not_matter_and_strangers_are_kept() {
        for text in ["launched_now", "LAUNCHED NOW", "Launched-Now", "LaunchedNow"] {
            assert!(super::same_word(text, "launched_now"), "{text}");
        }
        assert_eq!(RunStatus::from("Live"), RunStatus::Live);
        assert_eq!(RunStatus::from("Gone Fishing").to_string(), "Gone Fishing");
        assert_eq!(format!("{:?}", RunStatus::from("Gone Fishing")), "Unknown(\"Gone Fishing\")");
    }

    #[test]
    fn a_word_may_have_two_spellings_and_prints_the_first() {
        for text in ["complete", "Completed"] {
            assert_eq!(ReconciliationStatus::from(text), ReconciliationStatus::Complete);
        }
        assert_eq!(ReconciliationStatus::Complete.to_string(), "complete");
    }

    proptest! {
        #[test]
        fn a_value_that_is_kept_as_text_is_read_back(text in prop_oneof![any::<String>(), "[lL][iI_-]{1,2}[vV][eE]"]) {
            let status = RunStatus::from(&*text);
            let json = serde_json::to_string(&status).unwrap();
            prop_assert_eq!(&serde_json::from_str::<RunStatus>(&json).unwrap(), &status);
            prop_assert_eq!(&status.to_string().parse::<RunStatus>().unwrap(), &status);
            prop_assert_eq!(HashSet::from([status.clone(), status.as_str().into()]).len(), 1);
            prop_assert_eq!(BTreeSet::from([status.clone(), status.as_str().into()]).len(), 1);
        }
    }
}
