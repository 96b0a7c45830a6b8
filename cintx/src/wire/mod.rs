//! Everything that differs between the dated versions: one file for each, and nowhere else.
//! Each renders the domain's types into its version's wire types and reads what comes back.

pub(crate) mod assistant;
pub(crate) mod audience;
pub(crate) mod bulk;
pub(crate) mod calendar;
pub(crate) mod directory;
pub(crate) mod exclusions;
pub(crate) mod fielding;
pub(crate) mod groups;
pub(crate) mod library;
pub(crate) mod price;
pub(crate) mod projects;
pub(crate) mod quotas;
mod read;
pub(crate) mod recontacts;
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

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, Invalid};
use crate::feasibility::Feasibility;
use crate::ids::{JobId, ProjectId, ReconciliationId, TargetGroupId};
use crate::pipeline::Pipeline;
use crate::reconciliation::ReconciliationOutcome;
use crate::target_group::TargetGroupDraft;
use crate::value::Money;

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

    fn feasibility(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> impl Future<Output = Answer<Feasibility>> + Send;

    /// Whom a draft asks, as a request for the draft says it.
    fn profiles(
        raw: &Self::Raw,
        account: i64,
        draft: &TargetGroupDraft,
    ) -> impl Future<Output = Answer<serde_json::Value>> + Send;

    fn create_target_group(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> impl Future<Output = Answer<TargetGroupId>> + Send;

    fn submit_reconciliation(
        raw: &Self::Raw,
        account: i64,
        file_name: &str,
        csv: Bytes,
    ) -> impl Future<Output = Answer<ReconciliationId>> + Send;

    fn reconciliation(
        raw: &Self::Raw,
        account: i64,
        id: &ReconciliationId,
    ) -> impl Future<Output = Answer<ReconciliationOutcome>> + Send;
}

/// RFC 3339 in UTC with three digits after the second, as Cint writes it.
fn timestamp(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Money as it came, if it can be read.
fn money(value: Option<&str>, currency: Option<&str>) -> Option<Money> {
    Money::new(value?, currency?).ok()
}

/// Calls an operation that takes `If-Match`: where it is required it stands among the arguments, before those after the
/// semicolon; where it is optional it is in the parameters behind them.
macro_rules! if_match {
    (required, $raw:ident.$operation:ident($($lead:expr),+; $($tail:expr),*), $params:ident, $etag:ident) => {
        $raw.$operation($($lead,)+ $crate::wire::tag(stringify!($operation), $etag)?, $($tail),*).await?
    };
    (optional, $raw:ident.$operation:ident($($lead:expr),+; $($tail:expr),*), $params:ident, $etag:ident) => {
        $raw.$operation($($lead,)+ $($tail,)* &$params { if_match: $etag.map(str::to_owned) }).await?
    };
}
use if_match;

/// A wire value as JSON, for parts that many types share.
fn to_json<T: serde::Serialize>(wire: &T) -> Answer<Value> {
    serde_json::to_value(wire).map_err(Error::other)
}

/// JSON of ours as the type that an operation takes; a field that the type wants and the JSON lacks is an error.
fn from_json<T: serde::de::DeserializeOwned>(field: &'static str, json: Value) -> Answer<T> {
    serde_json::from_value(json).map_err(|error| Error::invalid(vec![Invalid::new(field, error.to_string())]))
}

/// Money of one version: how it is written, and which of its types it is read from.
macro_rules! amounts {
    ($version:ident, write: [$($write:ident { $value:ident, $currency:ident $(, $scale:ident)? }),* $(,)?],
     read: [$($read:ident { $amount:ident, $code:ident }),* $(,)?]) => {
        mod amounts {
            use cintx_raw::$version::types;

            use crate::value::Money;
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

/// A tag that must be sent.
#[cfg(feature = "v2025-12-18")]
fn tag<'a>(operation: &'static str, etag: Option<&'a str>) -> Answer<&'a str> {
    etag.ok_or_else(|| Error::incomplete(operation, "ETag to send: the last answer had none"))
}

/// What all versions have in common, written once and compiled against each version's types.
macro_rules! common_calls {
    ($version:ident) => {
        const DATE: &'static str = cintx_raw::$version::VERSION;
        const OPERATIONS: &'static [&'static cintx_raw::Operation] = cintx_raw::$version::operations::ALL;
        type Raw = Client;

        fn raw(pipeline: Arc<Pipeline>) -> Client {
            Client::new(pipeline)
        }

        async fn reconciliation(
            raw: &Client,
            account: i64,
            id: &ReconciliationId,
        ) -> Result<ReconciliationOutcome, Error> {
            let answer = raw.get_reconciliation_by_request_id(account, id.as_str()).await?.into_value();
            let status = answer
                .status
                .as_ref()
                .ok_or_else(|| Error::incomplete("get_reconciliation_by_request_id", "status"))?;
            Ok(ReconciliationOutcome {
                status: ReconciliationStatus::parse(status.as_str()),
                submitted: answer.submitted_count,
                expired: answer.expired_count,
                invalid: answer.invalid_count,
                positive_reversed: answer.positive_reversed_count,
                negative_reversed: answer.negative_reversed_count,
            })
        }
    };
}
use common_calls;

/// What the two versions before 2025-12-18 have in common; the braces hold the fields that only one of them has.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
macro_rules! legacy_calls {
    (feasibility: { $($own:tt)* }) => {
        async fn feasibility(
            raw: &Client,
            account: i64,
            project: &ProjectId,
            draft: &TargetGroupDraft,
        ) -> Result<Feasibility, Error> {
            let body = types::CalculateTargetGroupFeasibilityRequest {
                allocations: None,
                business_unit_id: draft.business_unit.get(),
                collects_pii: Some(draft.collects_pii),
                end_date: timestamp(draft.field.end()),
                filling_goal: i64::from(draft.completes_goal),
                incidence_rate: draft.incidence_rate.fraction(),
                interlocked_profiles: None,
                length_of_interview: i64::from(draft.length_of_interview.minutes()),
                locale: draft.locale.to_string(),
                price: draft.cost_per_interview.as_ref().map(|price| types::MonetaryAmountRequestModel {
                    value: Some(price.value().to_string()),
                    currency_code: Some(price.currency().to_owned()),
                }),
                profiles: Some(from_json("audience", legacy::feasibility(&draft.audience, draft.completes_goal).into())?),
                start_date: timestamp(draft.field.start()),
                step_days: None,
                $($own)*
            };
            let answer = raw.calculate_target_group_feasibility(account, project.as_str(), &body).await?.into_value();
            let range = answer.suggested_filling_goal_range.as_ref();
            let price = answer.suggested_price.as_ref();
            Ok(Feasibility {
                completes_min: range.and_then(|range| range.min),
                completes_max: range.and_then(|range| range.max),
                suggested_price: price.and_then(|price| money(price.value.as_deref(), price.currency_code.as_deref())),
            })
        }
    };
}
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
use legacy_calls;

/// How the two versions before 2025-12-18 write audiences: a profile a question, quotas that name conditions by index,
/// whole percentages, and interlocks that a helper of the API has made first.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
macro_rules! legacy_audience {
    (adjustment: $adjustment:expr) => {
        /// The draft's profiles. Crossed questions go through the API's helper, whose cells get our percentages.
        async fn draft_profiles(
            raw: &Client,
            account: i64,
            draft: &TargetGroupDraft,
        ) -> Result<types::TargetGroupDraftProfilesRequest, Error> {
            let (audience, goal) = (&draft.audience, draft.completes_goal);
            audience.only_what_all_versions_have()?;
            let mut interlocked_profiles = Vec::new();
            if let Some(interlock) = audience.crossed() {
                let context = legacy::Context {
                    locale: draft.locale.to_string(),
                    goal,
                    start: timestamp(draft.field.start()),
                    end: timestamp(draft.field.end()),
                    collects_pii: draft.collects_pii,
                };
                let body: types::GenerateDraftInterlockRequest =
                    from_json("audience", legacy::helper(interlock, &context)?)?;
                let made = raw.generate_draft_interlock_profile_v2(account, NEW_KEY, &body).await?.into_value();
                let made =
                    made.first().ok_or_else(|| Error::incomplete("generate_draft_interlock_profile_v2", "profile"))?;
                let pasted = legacy::pasted(&to_json(made)?, interlock, goal)?;
                interlocked_profiles.push(from_json("audience", pasted)?);
            }
            Ok(types::TargetGroupDraftProfilesRequest {
                profile_adjustment_type: $adjustment,
                drafts: Some(from_json("audience", legacy::drafts(audience, goal).into())?),
                interlocked_profiles: Some(interlocked_profiles),
            })
        }
    };
}
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
use legacy_audience;
