//! Typed ids: a project's id cannot be passed as a target group's.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::serde_text::as_text;
use super::{InvalidValue, hyphenated_uuid};

/// `Display` as the bare id, `Debug` as `Name(id)`.
macro_rules! show_id {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

/// An id that is text: the type with `new` and `as_str`, and its conversions from and to text.
macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// An id that was kept as text.
            pub fn new(id: impl Into<Box<str>>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&Self> for $name {
            fn from(id: &Self) -> Self {
                id.clone()
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(text: &str) -> Result<Self, Infallible> {
                Ok(Self::new(text))
            }
        }

        as_text!($name);
        show_id!($name);
    };
}

id!(
    /// The id of a project.
    ProjectId
);
id!(
    /// The id of a target group.
    TargetGroupId
);
id!(
    /// The id of a fielding run.
    FieldingRunId
);
id!(
    /// The id of a long-running job.
    JobId
);
id!(
    /// The id of a submitted reconciliation.
    ReconciliationId
);
id!(
    /// The id of an exclusion group.
    ExclusionGroupId
);
id!(
    /// The id of a profile template.
    ProfileTemplateId
);

id!(
    /// The id of a template.
    TemplateId
);
id!(
    /// The id of a webhook subscription.
    WebhookId
);
id!(
    /// The id of a report.
    ReportId
);
id!(
    /// The code of an industry; the account's are listed by the API.
    IndustryCode
);
id!(
    /// The code of an industry lockout.
    LockoutCode
);
id!(
    /// The code of a kind of study.
    StudyTypeCode
);

/// An id that is a number: the type with `new` and `get`, and its conversions.
macro_rules! number {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The id with this number.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                text.parse().map(Self).map_err(|_| InvalidValue::new(text, "an id: a whole number"))
            }
        }

        show_id!($name);
    };
}

number!(
    /// The number of a business unit.
    BusinessUnitId
);
number!(
    /// The number of a client, on whose behalf a target group is bought.
    EndClientId
);
number!(
    /// The number of a supplier. Versions before 2025-12-18 write it as a number, that one as text.
    SupplierId
);

/// The id of a user: a UUID.
///
/// ```
/// let manager: cintx::UserId = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse()?;
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(uuid::Uuid);

impl UserId {
    /// Stands in a builder until a user is given. Never sent.
    pub(crate) const PLACEHOLDER: Self = Self(uuid::Uuid::nil());

    /// An id that an answer gave, in whatever form.
    pub(crate) fn from_uuid(id: uuid::Uuid) -> Self {
        Self(id)
    }
}

impl FromStr for UserId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        hyphenated_uuid(text).map(Self).ok_or_else(|| InvalidValue::new(text, "a user id: a UUID"))
    }
}

as_text!(UserId);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({})", self.0)
    }
}

/// A new ULID: the time, and 80 bits of chance, those of a UUID of version 4 that are neither version nor variant.
pub(crate) fn new_ulid() -> ulid::Ulid {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    let chance = bytes[..3].iter().chain(&bytes[9..]).fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
    ulid::Ulid::from_parts(now, chance)
}
