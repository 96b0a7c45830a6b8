//! Reading wire types into domain types: by name, tolerant where the API is loose, strict where a value has no
//! meaning without a field.

use cintx_raw::Id;
use jiff::Timestamp;

use super::Answer;
use super::moment::moment;
use crate::error::Error;
use crate::types::ids::{
    BusinessUnitId, EndClientId, ExclusionGroupId, FieldingRunId, IndustryCode, JobId, LockoutCode, ProfileTemplateId,
    ProjectId, ReconciliationId, ReportId, StudyTypeCode, SupplierId, TargetGroupId, TemplateId, UserId, WebhookId,
};
use crate::types::{CountryCode, IncidenceRate, LengthOfInterview, Locale, SurveyUrl};

/// The answer lacks a field without which it says nothing, or the field cannot be read.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) &'static str);

/// A value that can be read from a wire value.
pub(crate) trait Read<W>: Sized {
    fn read(wire: W) -> Result<Self, Missing>;
}

/// A field that may be absent: an optional value that cannot be read counts as absent, an absent list as empty.
pub(crate) trait Field<W>: Sized {
    fn field(wire: W) -> Result<Self, Missing>;
}

impl<T: Read<W>, W> Field<Option<W>> for Option<T> {
    #[inline]
    fn field(wire: Option<W>) -> Result<Self, Missing> {
        Ok(wire.and_then(|wire| T::read(wire).ok()))
    }
}

/// A switch that is not mentioned is off.
impl Field<Option<bool>> for bool {
    #[inline]
    fn field(wire: Option<bool>) -> Result<Self, Missing> {
        Ok(wire.unwrap_or_default())
    }
}

impl<T: Read<W>, W> Field<Option<Vec<W>>> for Vec<T> {
    #[inline]
    fn field(wire: Option<Vec<W>>) -> Result<Self, Missing> {
        match wire {
            Some(wire) if !wire.is_empty() => read_items(wire),
            _ => Ok(Self::new()),
        }
    }
}

/// Reads a list that is not empty: most are.
fn read_items<T: Read<W>, W>(wire: Vec<W>) -> Result<Vec<T>, Missing> {
    // Collected in place, the list would be copied once more when it shrinks.
    let mut read = Vec::with_capacity(wire.len());
    for item in wire {
        read.push(T::read(item)?);
    }
    Ok(read)
}

/// Reads a whole answer; an error names the operation and the field that is missing.
#[inline]
pub(crate) fn read<T: Read<W>, W>(operation: &'static cintx_raw::Operation, wire: W) -> Answer<T> {
    T::read(wire).map_err(|Missing(field)| Error::incomplete(operation, field))
}

/// Reads a list.
#[inline]
pub(crate) fn list<T: Read<W>, W>(operation: &'static cintx_raw::Operation, wire: Option<Vec<W>>) -> Answer<Vec<T>> {
    Vec::field(wire).map_err(|Missing(field)| Error::incomplete(operation, field))
}

/// Reads a field that must be there.
#[inline]
pub(crate) fn required<T: Read<W>, W>(name: &'static str, wire: Option<W>) -> Result<T, Missing> {
    wire.ok_or(Missing(name)).and_then(|wire| T::read(wire).map_err(|_| Missing(name)))
}

/// Reads what needs no change: `as_it_is!(bool)` expands to `impl Read<bool> for bool`.
macro_rules! as_it_is {
    ($($type:ty),+) => {$(
        impl Read<$type> for $type {
            #[inline]
            fn read(wire: $type) -> Result<Self, Missing> {
                Ok(wire)
            }
        }
    )+};
}
as_it_is!(String, i64, f64, bool, serde_json::Map<String, serde_json::Value>);

/// Reads ids that are text: `text_ids!(JobId)` expands to `impl Read<Id> for JobId` and `impl Read<String> for JobId`.
macro_rules! text_ids {
    ($($id:ident),+) => {$(
        impl Read<Id> for $id {
            #[inline]
            fn read(wire: Id) -> Result<Self, Missing> {
                Ok(Self::new(wire))
            }
        }

        impl Read<String> for $id {
            #[inline]
            fn read(wire: String) -> Result<Self, Missing> {
                Ok(Self::new(wire))
            }
        }
    )+};
}
text_ids!(
    FieldingRunId,
    JobId,
    ProjectId,
    ReconciliationId,
    TargetGroupId,
    TemplateId,
    ExclusionGroupId,
    ProfileTemplateId,
    ReportId,
    WebhookId
);

/// Reads ids that are numbers: `number_ids!(SupplierId)` expands to `impl Read<Id> for SupplierId`.
macro_rules! number_ids {
    ($($id:ident),+) => {$(
        impl Read<Id> for $id {
            #[inline]
            fn read(wire: Id) -> Result<Self, Missing> {
                wire.as_i64().map(Self::new).ok_or(Missing("id"))
            }
        }
    )+};
}
number_ids!(BusinessUnitId, EndClientId, SupplierId);

/// Reads what is parsed: `from_text!(Locale)` expands to `impl Read<String> for Locale`.
macro_rules! from_text {
    ($($type:ty),+) => {$(
        impl Read<String> for $type {
            #[inline]
            fn read(wire: String) -> Result<Self, Missing> {
                wire.parse().map_err(|_| Missing("text"))
            }
        }
    )+};
}
from_text!(Locale, CountryCode, u64);

impl Read<String> for jiff::civil::Date {
    #[inline]
    fn read(wire: String) -> Result<Self, Missing> {
        super::moment::day(&wire).ok_or(Missing("day"))
    }
}

impl Read<String> for Timestamp {
    #[inline]
    fn read(wire: String) -> Result<Self, Missing> {
        moment(&wire).ok_or(Missing("time"))
    }
}

/// Reads codes of an open set: `codes!(IndustryCode)` expands to `impl Read<String> for IndustryCode`.
macro_rules! codes {
    ($($code:ident),+) => {$(
        impl Read<String> for $code {
            #[inline]
            fn read(wire: String) -> Result<Self, Missing> {
                Ok(Self::new(wire))
            }
        }
    )+};
}
codes!(IndustryCode, LockoutCode, StudyTypeCode);

/// Survey addresses are read as they are: what another program has set is not refused here.
impl Read<String> for SurveyUrl {
    #[inline]
    fn read(wire: String) -> Result<Self, Missing> {
        Ok(Self::kept(wire))
    }
}

impl Read<Id> for UserId {
    #[inline]
    fn read(wire: Id) -> Result<Self, Missing> {
        wire.as_str().parse().map(Self::from_uuid).map_err(|_| Missing("id"))
    }
}

impl Read<Id> for String {
    #[inline]
    fn read(wire: Id) -> Result<Self, Missing> {
        Ok(Box::<str>::from(wire).into())
    }
}

impl Read<Id> for i64 {
    #[inline]
    fn read(wire: Id) -> Result<Self, Missing> {
        wire.as_i64().ok_or(Missing("id"))
    }
}

impl Read<f64> for IncidenceRate {
    #[inline]
    fn read(wire: f64) -> Result<Self, Missing> {
        Self::from_fraction(wire).ok_or(Missing("incidence rate"))
    }
}

impl Read<i64> for u32 {
    #[inline]
    fn read(wire: i64) -> Result<Self, Missing> {
        Self::try_from(wire).map_err(|_| Missing("number"))
    }
}

impl Read<i64> for LengthOfInterview {
    #[inline]
    fn read(wire: i64) -> Result<Self, Missing> {
        u8::try_from(wire).ok().and_then(|minutes| Self::try_from(minutes).ok()).ok_or(Missing("length of interview"))
    }
}

/// Says how one version's types are read, field by field: those that must be there; those that may be absent; those
/// that this version does not have, which get their default. A field that the version names differently is written
/// `ours = theirs`.
///
/// `reads! { Holiday = CalendarHoliday { date; name, rate = completes_rate; note } }` expands to
///
/// ```text
/// impl Read<types::CalendarHoliday> for Holiday {
///     fn read(wire: types::CalendarHoliday) -> Result<Self, Missing> {
///         Ok(Self {
///             date: required("date", wire.date)?,
///             name: Field::field(wire.name)?,
///             rate: Field::field(wire.completes_rate)?,
///             note: Default::default(),
///         })
///     }
/// }
/// ```
macro_rules! reads {
    ($($domain:path = $wire:ident {
        $($must:ident $(= $must_wire:ident)?),*;
        $($may:ident $(= $may_wire:ident)?),* $(,)? $(; $($absent:ident),+)?
    })+) => {$(
        impl $crate::wire::read::Read<types::$wire> for $domain {
            #[inline]
            fn read(wire: types::$wire) -> Result<Self, $crate::wire::read::Missing> {
                Ok(Self {
                    $($must: $crate::wire::read::required(
                        stringify!($must),
                        $crate::wire::read::pick!(wire $must $($must_wire)?),
                    )?,)*
                    $($may: $crate::wire::read::Field::field($crate::wire::read::pick!(wire $may $($may_wire)?))?,)*
                    $($($absent: Default::default(),)+)?
                })
            }
        }
    )+};
}
pub(crate) use reads;

/// The field of a wire value: `pick!(wire rate completes_rate)` expands to `wire.completes_rate`, `pick!(wire rate)` to
/// `wire.rate`.
macro_rules! pick {
    ($wire:ident $name:ident) => {
        $wire.$name
    };
    ($wire:ident $name:ident $theirs:ident) => {
        $wire.$theirs
    };
}
pub(crate) use pick;

/// Reads the enums of one version into the domain's open ones: for each, an `impl Read<types::Theirs> for Ours` that
/// follows the text.
macro_rules! read_words {
    ($($domain:path = $($wire:ident),+;)+) => {$($(
        impl $crate::wire::read::Read<types::$wire> for $domain {
            #[inline]
            fn read(wire: types::$wire) -> Result<Self, $crate::wire::read::Missing> {
                Ok(Self::parse(wire.as_str()))
            }
        }
    )+)+};
}
pub(crate) use read_words;

/// Reads money from one version's types, given the fields that hold value and currency: for each, an
/// `impl Read<types::Theirs> for Money` that fails unless both are there and can be read.
macro_rules! read_amounts {
    ($($wire:ident { $value:ident, $currency:ident })+) => {$(
        impl $crate::wire::read::Read<types::$wire> for $crate::types::Money {
            #[inline]
            fn read(wire: types::$wire) -> Result<Self, $crate::wire::read::Missing> {
                let parts = wire.$value.as_deref().zip(wire.$currency.as_deref());
                parts
                    .and_then(|(value, currency)| Self::new(value, currency).ok())
                    .ok_or($crate::wire::read::Missing("amount"))
            }
        }
    )+};
}
pub(crate) use read_amounts;
