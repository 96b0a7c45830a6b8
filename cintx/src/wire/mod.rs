//! Everything that differs between the dated versions, and nowhere else. Each area is a macro, written once;
//! a version's file is a line for each area, and the compiler renders the domain into that version's wire types.

pub(crate) mod assistant;
pub(crate) mod audience;
pub(crate) mod bulk;
pub(crate) mod calendar;
pub(crate) mod directory;
pub(crate) mod distribution;
pub(crate) mod exclusions;
pub(crate) mod fielding;
pub(crate) mod groups;
pub(crate) mod library;
pub(crate) mod price;
pub(crate) mod projects;
pub(crate) mod quotas;
mod read;
pub(crate) mod reconciliation;
pub(crate) mod recontacts;
pub(crate) mod reports;
pub(crate) mod respondents;
pub(crate) mod statistics;
pub(crate) mod supply;
pub(crate) mod supply_templates;
pub(crate) mod templates;
pub(crate) mod unique_codes;
#[cfg(feature = "v2024-12-02")]
mod v2024_12_02;
#[cfg(feature = "v2025-02-17")]
mod v2025_02_17;
#[cfg(feature = "v2025-12-18")]
mod v2025_12_18;
pub(crate) mod webhooks;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, FieldError};
use crate::http::Pipeline;
use crate::types::Money;
use crate::types::ids::JobId;

type Answer<T> = Result<T, Error>;

/// What every version can do. Implemented by the wire files alone.
#[expect(private_interfaces, reason = "only this crate implements and calls it")]
#[doc(hidden)]
pub trait Wire: Clone + Copy + fmt::Debug + Send + Sync + 'static {
    /// The version's date.
    const DATE: &'static str;
    /// The operation table.
    const OPERATIONS: &'static [&'static cintx_raw::Operation];
    /// The generated client.
    type Raw: Clone + Send + Sync + fmt::Debug;

    fn raw(pipeline: Arc<Pipeline>) -> Self::Raw;
}

/// One version: its marker and its module of the raw crate.
macro_rules! version {
    ($marker:ident, $version:ident) => {
        #[expect(private_interfaces, reason = "only this crate implements and calls it")]
        impl crate::wire::Wire for crate::$marker {
            const DATE: &'static str = cintx_raw::$version::VERSION;
            const OPERATIONS: &'static [&'static cintx_raw::Operation] = cintx_raw::$version::operations::ALL;
            type Raw = cintx_raw::$version::Client;

            fn raw(pipeline: std::sync::Arc<crate::http::Pipeline>) -> Self::Raw {
                cintx_raw::$version::Client::new(pipeline)
            }
        }
    };
}
use version;

/// RFC 3339 in UTC with three digits after the second, as Cint writes it.
fn timestamp(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Money as it came, if it can be read.
fn money(value: Option<&str>, currency: Option<&str>) -> Option<Money> {
    Money::new(value?, currency?).ok()
}

/// Calls an operation that takes `If-Match`: where it is required it stands among the arguments, before those after the
/// semicolon; where it is optional it is in the parameters behind them; where there is none the tag goes unused.
macro_rules! if_match {
    (required, $raw:ident.$operation:ident($($lead:expr),+; $($tail:expr),*), $params:ident, $etag:ident) => {
        $raw.$operation($($lead,)+ $crate::wire::tag(stringify!($operation), $etag)?, $($tail),*).await?
    };
    (optional, $raw:ident.$operation:ident($($lead:expr),+; $($tail:expr),*), $params:ident, $etag:ident) => {
        $raw.$operation($($lead,)+ $($tail,)* &$params { if_match: $etag.map(str::to_owned) }).await?
    };
    (none, $raw:ident.$operation:ident($($lead:expr),+; $($tail:expr),*), $params:ident, $etag:ident) => {{
        let _: Option<&str> = $etag;
        $raw.$operation($($lead,)+ $($tail),*).await?
    }};
}
use if_match;

/// One page of a list that goes on by cursor. The braces hold the parameters that are the list's own; behind them stand
/// the field that holds the items and, where there is one, the field that says whether more follow.
macro_rules! page {
    ($ask:ident => $raw:ident.$operation:ident($($lead:expr),+), $row:ident,
     $params:ident { $($own:tt)* }, $items:ident $(, $more:ident)?) => {{
        let params = $params {
            page_size: $ask.page_size(),
            start_after: $ask.start_after(),
            end_before: None,
            $($own)*
        };
        let operation = &operations::$row;
        let answer = $raw.$operation($($lead,)+ &params).await?.into_value();
        Ok($crate::paging::RawPage::new(operation, $crate::wire::read::list(operation, answer.$items)?)
            .next(answer.next_cursor)
            $(.more(answer.$more))?)
    }};
}
use page;

/// A wire value as JSON, for parts that many types share.
fn to_json<T: serde::Serialize>(wire: &T) -> Answer<Value> {
    serde_json::to_value(wire).map_err(Error::other)
}

/// JSON of ours as the type that an operation takes; a field that the type wants and the JSON lacks is an error.
fn from_json<T: serde::de::DeserializeOwned>(field: &'static str, json: Value) -> Answer<T> {
    serde_json::from_value(json).map_err(|error| Error::invalid(vec![FieldError::new(field, error.to_string())]))
}

/// Money of one version: how it is written, and which of its types it is read from.
macro_rules! amounts {
    ($version:ident, write: [$($write:ident { $value:ident, $currency:ident $(, $scale:ident)? }),* $(,)?],
     read: [$($read:ident { $amount:ident, $code:ident }),* $(,)?]) => {
        mod amounts {
            use cintx_raw::$version::types;

            use crate::types::Money;
            use crate::wire::read::{Missing, Read};

            $(
                impl From<&Money> for types::$write {
                    fn from(money: &Money) -> Self {
                        Self {
                            $value: Some(money.value().to_string()),
                            $currency: Some(money.currency().to_owned()),
                            $($scale: None,)?
                        }
                    }
                }
            )*
            $(
                impl Read<types::$read> for Money {
                    fn read(wire: types::$read) -> Result<Self, Missing> {
                        let parts = wire.$amount.zip(wire.$code);
                        parts.and_then(|(value, code)| Money::new(&value, &code).ok()).ok_or(Missing("amount"))
                    }
                }
            )*
        }
    };
}
use amounts;

/// The job that an answer says was started.
fn started<T>(operation: &'static str, answer: &cintx_raw::Response<T>) -> Answer<JobId> {
    answer.location_id().map(JobId::new).ok_or_else(|| Error::incomplete(operation, "Location"))
}

/// A tag that must be sent. Without one nothing is: a write that cannot name what it changes is refused here.
#[cfg(feature = "_since-2025-12-18")]
fn tag<'a>(operation: &'static str, etag: Option<&'a str>) -> Answer<&'a str> {
    etag.ok_or_else(|| {
        let reason = format!("is missing: {operation} must send one, and the last answer had none; read it again");
        Error::invalid(vec![crate::error::FieldError::new("etag", reason)])
    })
}

#[cfg(all(test, feature = "_since-2025-12-18"))]
mod tests {
    use super::*;
    use crate::Outcome;

    #[test]
    fn a_tag_that_is_missing_is_refused_before_anything_is_sent() {
        assert_eq!(tag("update_project", Some("W/\"1\"")).unwrap(), "W/\"1\"");
        let error = tag("update_project", None).unwrap_err();
        assert_eq!((error.outcome(), error.invalid_fields()[0].field()), (Outcome::NotSent, "etag"));
    }
}
