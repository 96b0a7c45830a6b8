//! Vocabularies of the API as open enums: what is not known yet is kept as it came.
//! Spelling is forgiving: versions differ in case, spaces, underscores and hyphens.

/// The same word, whichever way a version spells it.
pub(crate) fn same_word(one: &str, other: &str) -> bool {
    let letters = |text: &str| -> Vec<u8> {
        let bytes = text.bytes().filter(|byte| !matches!(byte, b' ' | b'_' | b'-'));
        bytes.map(|byte| byte.to_ascii_lowercase()).collect()
    };
    letters(one) == letters(other)
}

/// Makes an open enum from its words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// A value that is not known yet, as it came.
            Unknown(String),
        }

        impl $name {
            /// The value as Cint spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }

            #[allow(dead_code, reason = "some versions lack what a vocabulary is for")]
            pub(crate) fn parse(text: &str) -> Self {
                match text {
                    $(_ if $crate::open_enum::same_word(text, $text) => Self::$variant,)+
                    _ => Self::Unknown(text.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::fielding::RunStatus;

    #[test]
    fn spelling_does_not_matter_and_strangers_are_kept() {
        for text in ["launched_now", "LAUNCHED NOW", "Launched-Now", "LaunchedNow"] {
            assert!(super::same_word(text, "launched_now"), "{text}");
        }
        assert_eq!(RunStatus::parse("Live"), RunStatus::Live);
        assert_eq!(RunStatus::parse("Gone Fishing").to_string(), "Gone Fishing");
    }
}
