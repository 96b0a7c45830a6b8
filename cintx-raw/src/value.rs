//! The values that the generated types share: ids of either kind, and secrets.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An id as Cint sent it: one operation gives it as a number, another as text.
///
/// Two ids are equal when they read the same, whichever way they came.
///
/// ```
/// # use cintx_raw::Id;
/// let number: Id = serde_json::from_str("2428")?;
/// let text: Id = serde_json::from_str("\"2428\"")?;
/// assert_eq!(number, text);
/// assert_eq!(number.as_str(), "2428");
/// assert_eq!(serde_json::to_string(&number)?, "2428", "it goes back as it came");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Id(Form);

/// How an id came. A number is kept in place: lists are full of them.
#[derive(Clone)]
enum Form {
    Text(Box<str>),
    Number { digits: [u8; MAX_DIGITS], length: u8 },
}

/// The sign and the digits of any integer of 64 bits.
const MAX_DIGITS: usize = 20;

impl Id {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Text(text) => text,
            // They are digits: there is always a text.
            Form::Number { digits, length } => {
                digits.get(..usize::from(*length)).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
            }
        }
    }

    /// The id as a number, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_str().parse().ok()
    }

    fn of_number(number: impl itoa::Integer) -> Self {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(number).as_bytes();
        let mut digits = [0; MAX_DIGITS];
        digits.iter_mut().zip(text).for_each(|(digit, byte)| *digit = *byte);
        Self(Form::Number { digits, length: text.len() as u8 })
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Id {}

impl PartialEq<str> for Id {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Id {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl std::hash::Hash for Id {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::ops::Deref for Id {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Id> for Box<str> {
    fn from(id: Id) -> Self {
        match id.0 {
            Form::Text(text) => text,
            Form::Number { .. } => id.as_str().into(),
        }
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(Form::Text(text.into()))
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(Form::Text(text.into()))
    }
}

impl From<i64> for Id {
    fn from(number: i64) -> Self {
        Self::of_number(number)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.as_str();
        match &self.0 {
            Form::Text(_) => serializer.serialize_str(text),
            Form::Number { .. } => match (text.parse::<i64>(), text.parse::<u64>()) {
                (Ok(number), _) => serializer.serialize_i64(number),
                (_, Ok(number)) => serializer.serialize_u64(number),
                _ => serializer.serialize_str(text),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: text or a whole number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                Ok(text.into())
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Id, E> {
                Ok(text.into())
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Id, E> {
                Ok(Id::of_number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id::of_number(number))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Id {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "integer"] })
    }
}

/// Text that must not be printed by accident: a webhook's secret, a pre-signed address.
///
/// `Debug` shows that there is one and nothing of it.
///
/// ```
/// # use cintx_raw::Secret;
/// let secret = Secret::from("FP7UPZ");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(secret.expose(), "FP7UPZ");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Secret(Box<str>);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A string enum that keeps values nobody has documented yet, and sends them back as they came.
macro_rules! open_enum {
    ($name:ident { $($variant:ident = $text:literal,)+ }) => {
        #[doc = concat!("One of ", $("`", $text, "`, ",)+ "or a value that is not documented yet.")]
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
            /// A value that the document of this version does not list.
            Unknown(String),
        }

        impl $name {
            /// The values that the document of this version lists.
            pub const KNOWN: &'static [&'static str] = &[$($text),+];

            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }

            fn known(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::Unknown(text.to_owned()))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::known(&text).unwrap_or(Self::Unknown(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($crate::value::TextVisitor).map(|text| match text {
                    $crate::value::Text::Borrowed(text) => Self::from(text),
                    $crate::value::Text::Owned(text) => Self::from(text),
                })
            }
        }

        impl $crate::request::QueryValue for $name {
            fn append(&self, name: &str, query: &mut $crate::request::Query<'_>) {
                self.as_str().append(name, query);
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "examples": [$($text),+] })
            }
        }
    };
}
pub(crate) use open_enum;

/// The text of an enum value, borrowed from the body where it has no escapes.
pub(crate) enum Text<'de> {
    Borrowed(&'de str),
    Owned(String),
}

pub(crate) struct TextVisitor;

impl<'de> de::Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a whole number")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text::Owned(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Text<'de>, E> {
        Ok(Text::Owned(text))
    }

    // Cint numbers in one operation what it names in another.
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text::Owned(number.to_string()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text::Owned(number.to_string()))
    }
}
