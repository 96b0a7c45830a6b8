//! Whether a target group of a study is launched, and when: `false`, `true` or `"at-start"` in a file.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whether a target group of a study is launched, and when.
///
/// ```
/// # use cintx::study::StudyLaunch;
/// assert_eq!(serde_json::to_string(&StudyLaunch::AtStart)?, "\"at-start\"");
/// assert_eq!(serde_json::from_str::<StudyLaunch>("true")?, StudyLaunch::Now);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
