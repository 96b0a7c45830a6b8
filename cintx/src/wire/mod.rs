//! Everything that differs between the dated versions.
//!
//! - A file here holds the calls of an area, as a trait, and what needs no version's types.
//! - A file in `common/` does it for several versions: it is compiled once for each version that lists it, and names
//!   that version's types as `super::raw` and its marker as `super::Marker`.
//! - A version's folder lists its areas in `mod.rs`. What it alone has are ordinary files beside it; what it calls
//!   otherwise are small functions there, in `legacy.rs` (the two versions before 2025-12-18) or in `names.rs`.

#![allow(clippy::duplicate_mod, reason = "a file of `common/` is compiled once for each version that lists it")]
#![cfg_attr(
    not(all(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18")),
    allow(dead_code, unused_imports, unused_macros, reason = "what only other versions use is compiled all the same")
)]

pub(crate) mod assistant;
pub(crate) mod audience;
pub(crate) mod bulk;
pub(crate) mod calendar;
pub(crate) mod directory;
pub(crate) mod distribution;
pub(crate) mod exclusions;
pub(crate) mod feasibility;
pub(crate) mod fielding;
pub(crate) mod json;
pub(crate) mod library;
pub(crate) mod moment;
pub(crate) mod price;
pub(crate) mod projects;
pub(crate) mod quotas;
pub(crate) mod re_entry;
mod read;
pub(crate) mod reconciliation;
pub(crate) mod recontacts;
pub(crate) mod reports;
pub(crate) mod statistics;
pub(crate) mod study;
pub(crate) mod supply;
pub(crate) mod supply_templates;
pub(crate) mod target_groups;
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

use cintx_raw::ByteStream;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, FieldError};
use crate::http::Pipeline;
use crate::job::JobOrigin;
use crate::types::Money;
use crate::types::ids::JobId;

type Answer<T> = Result<T, Error>;

/// Where a target group is.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Place<'a> {
    pub(crate) account: i64,
    pub(crate) project: &'a str,
    pub(crate) group: &'a str,
}

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

/// RFC 3339 in UTC with three digits after the second, as Cint writes it.
fn timestamp(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Money as it came, if it can be read.
fn money(value: Option<&str>, currency: Option<&str>) -> Option<Money> {
    Money::new(value?, currency?).ok()
}

/// What most requests call the value and the currency of an amount.
const AMOUNT: (&str, &str) = ("value", "currency_code");

/// Money as a request takes it, which calls value and currency so.
fn amount(money: &Money, (value, currency): (&str, &str)) -> Value {
    serde_json::json!({ value: money.value().to_string(), currency: money.currency() })
}

/// One page of a list that goes on by cursor: asks for it with the parameters that every list has and those in the
/// braces, reads the items, and says where the next page begins. The braces hold the parameters that are the list's own
/// and end with a base for the others; behind them stand the field that holds the items and, where there is one, the
/// field that says whether more follow.
macro_rules! page {
    ($ask:ident => $raw:ident.$operation:ident($($lead:expr),+), $row:ident,
     $params:ident { $($own:tt)* }, $items:ident $(, $more:ident)?) => {{
        let params = $params {
            page_size: $ask.page_size(),
            start_after: $ask.start_after(),
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
fn to_json<T: Serialize>(wire: &T) -> Answer<Value> {
    serde_json::to_value(wire).map_err(Error::other)
}

/// JSON of ours as the type that an operation takes. What the type wants and the JSON lacks is an error, and so is what
/// the JSON holds and the type does not take: nothing is left out of a request in silence.
fn from_json<T: Serialize + DeserializeOwned>(field: &'static str, json: Value) -> Answer<T> {
    convert(json, |place| place_in(field, place))
}

/// As [`from_json`], with a part that callers know by another name: what is wrong there is blamed on it.
fn from_json_parts<T: Serialize + DeserializeOwned>(
    field: &'static str,
    (part, own): (&str, &str),
    json: Value,
) -> Answer<T> {
    convert(json, |place| match place.strip_prefix(part) {
        Some(rest) if rest.is_empty() || rest.starts_with(['.', '[']) => format!("{own}{rest}"),
        _ => place_in(field, place),
    })
}

/// What callers call a place in a field; the field itself where a conversion fails as a whole.
fn place_in(field: &str, place: &str) -> String {
    match place {
        "" | "." => field.to_owned(),
        place => format!("{field}.{place}"),
    }
}

/// The conversion of both; `name` says what callers call a place in the JSON.
fn convert<T: Serialize + DeserializeOwned>(json: Value, name: impl Fn(&str) -> String) -> Answer<T> {
    let refuse = |place: &str, reason: String| Error::invalid(vec![FieldError::new(name(place), reason)]);
    // To keep track of the place costs more than the conversion: only what fails is converted again for it.
    let typed = T::deserialize(&json).or_else(|_| {
        serde_path_to_error::deserialize(&json)
            .map_err(|error| refuse(&error.path().to_string(), format!("does not fit this version: {}", error.inner())))
    })?;
    match json::first_lost(&json, &to_json(&typed)?) {
        Some((place, value)) => Err(refuse(&place, format!("is {value}, which this version does not take"))),
        None => Ok(typed),
    }
}

/// The body of a download. What breaks it off is an [`Error`] that says which call it is of.
fn download(operation: &'static cintx_raw::Operation, answer: cintx_raw::Response<ByteStream>) -> ByteStream {
    let report = crate::error::report(answer.report());
    let broken_off = move |cause| Error::broken_off(operation, report.clone(), cause);
    ByteStream::new(answer.into_value().map_err(broken_off))
}

/// The job that an answer says was started.
fn started_job<T>(operation: &'static cintx_raw::Operation, answer: &cintx_raw::Response<T>) -> Answer<JobId> {
    let lacks_location = || Error::incomplete_answer(operation, "Location", answer);
    answer.location_id().map(JobId::new).ok_or_else(lacks_location)
}

/// Where an answer says that a job comes from; what cannot be read is not said.
fn job_origin(at: Option<String>, by: Option<String>, trace_id: Option<cintx_raw::Id>) -> JobOrigin {
    JobOrigin {
        answered_at: None,
        created_at: at.and_then(|at| moment::moment(&at)),
        created_by: by.and_then(|user| user.parse().ok()),
        trace_id: trace_id.map(|id| id.as_str().into()),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// A request whose `industry_code` a newer document names differently.
    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Renamed {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        sector_code: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        quotas: Vec<Quota>,
    }

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Quota {
        percent: f64,
    }

    fn problem(json: Value) -> String {
        let error = from_json::<Renamed>("draft", json).unwrap_err();
        assert_eq!(error.outcome(), crate::Outcome::NotSent);
        error.invalid_fields()[0].to_string()
    }

    #[test]
    fn what_a_type_does_not_take_is_an_error_that_names_its_place() {
        let whole = json!({ "name": "x", "sector_code": "beer", "quotas": [{ "percent": 50 }], "note": null });
        let part = json!({ "name": "a", "quotas": [{ "percent": "half" }] });
        let error = from_json_parts::<Renamed>("draft", ("quotas", "audience"), part).unwrap_err();
        assert_eq!(error.invalid_fields()[0].field(), "audience[0].percent");
        let nameless =
            from_json_parts::<Renamed>("draft", ("quotas", "audience"), json!({ "quotas": [] })).unwrap_err();
        assert_eq!(nameless.invalid_fields()[0].field(), "draft");
        assert_eq!(from_json::<Renamed>("draft", whole).unwrap().quotas[0].percent, 50.0);
        let renamed = problem(json!({ "name": "x", "industry_code": "beer" }));
        assert_eq!(renamed, "draft.industry_code is \"beer\", which this version does not take");
        let deep = problem(json!({ "name": "x", "quotas": [{ "percent": 1 }, { "percent": 2, "count": 7 }] }));
        assert_eq!(deep, "draft.quotas[1].count is 7, which this version does not take");
        let retyped = problem(json!({ "name": "x", "quotas": [{ "percent": "50" }] }));
        assert!(retyped.starts_with("draft.quotas[0].percent does not fit this version: invalid type"), "{retyped}");
        let dropped = problem(json!({ "sector_code": "beer" }));
        assert!(dropped.contains("missing field `name`"), "{dropped}");
    }
}
