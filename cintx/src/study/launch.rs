//! Whether a target group of a study is launched, and when: `false`, `true` or `"at-start"` in a file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::types::InvalidValue;

/// Whether a target group of a study is launched, and when.
///
/// ```
/// # use cintx::study::StudyLaunch;
/// assert_eq!(serde_json::to_string(&StudyLaunch::AtStart)?, "\"at-start\"");
/// assert_eq!(serde_json::from_str::<StudyLaunch>("true")?, StudyLaunch::Now);
/// assert_eq!("at-start".parse::<StudyLaunch>().unwrap().to_string(), "at-start");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StudyLaunch {
    /// It stays a draft: `false` in a file.
    #[default]
    Draft,
    /// Field begins as soon as the study is applied, whatever beginning it is given: `true` in a file.
    Now,
    /// Field begins by itself when its time comes: `"at-start"` in a file.
    AtStart,
}

const AT_START: &str = "at-start";

impl From<bool> for StudyLaunch {
    fn from(launch: bool) -> Self {
        if launch { Self::Now } else { Self::Draft }
    }
}

impl fmt::Display for StudyLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for StudyLaunch {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            AT_START => Ok(Self::AtStart),
            _ => text.parse::<bool>().map(Self::from).map_err(|_| InvalidValue::new(text, "false, true or at-start")),
        }
    }
}

impl Serialize for StudyLaunch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Draft => serializer.serialize_bool(false),
            Self::Now => serializer.serialize_bool(true),
            Self::AtStart => serializer.serialize_str(AT_START),
        }
    }
}

impl<'de> Deserialize<'de> for StudyLaunch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Said;

        impl de::Visitor<'_> for Said {
            type Value = StudyLaunch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "false, true or {AT_START:?}")
            }

            fn visit_bool<E: de::Error>(self, launch: bool) -> Result<StudyLaunch, E> {
                Ok(launch.into())
            }

            fn visit_str<E: de::Error>(self, said: &str) -> Result<StudyLaunch, E> {
                if said == AT_START {
                    return Ok(StudyLaunch::AtStart);
                }
                Err(E::invalid_value(de::Unexpected::Str(said), &self))
            }
        }

        deserializer.deserialize_any(Said)
    }
}
