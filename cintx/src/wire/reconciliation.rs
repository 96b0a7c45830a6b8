//! Reconciliations on the wire. The versions differ in where the name of the file stands, in whether a key is asked
//! for and whether the list is by name alone; what comes back is nearly the same.

use std::future::Future;

use bytes::Bytes;
use cintx_raw::ByteStream;

use super::read::{Missing, Read};
use super::{Answer, Wire};
use crate::paging::{PageRequest, RawPage};
use crate::reconciliation::{
    DueMonth, EligibleFilter, EligibleInMonth, EligibleSummary, EligibleTargetGroup, ReasonCode, ReconciledTargetGroup,
    ReconciliationFile, ReconciliationFilter, ReconciliationOutcome, ReconciliationStatus, ReconciliationSummary,
};
use crate::target_group::TargetGroupStatus;
use crate::types::ids::{ProjectId, ReconciliationId, TargetGroupId};

#[doc(hidden)]
pub trait ReconciliationWire: Wire {
    /// Whether the list asks for the name of a file.
    const RECONCILIATIONS_BY_NAME: bool;

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

    fn reconciliations(
        raw: &Self::Raw,
        account: i64,
        filter: &ReconciliationFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ReconciliationSummary>>> + Send;

    fn reconciled_target_groups(
        raw: &Self::Raw,
        account: i64,
        id: &ReconciliationId,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ReconciledTargetGroup>>> + Send;

    fn reconciled_target_group(
        raw: &Self::Raw,
        account: i64,
        id: &ReconciliationId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<ReconciledTargetGroup>> + Send;

    fn reason_codes(raw: &Self::Raw, account: i64) -> impl Future<Output = Answer<Vec<ReasonCode>>> + Send;
}

/// What 2025-12-18 brought.
#[doc(hidden)]
pub trait NewerReconciliationsWire: Wire {
    fn eligible(
        raw: &Self::Raw,
        account: i64,
        filter: &EligibleFilter,
        due: Option<DueMonth>,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<(RawPage<EligibleTargetGroup>, EligibleSummary)>> + Send;

    fn keep_only(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        file_name: &str,
        csv: Bytes,
    ) -> impl Future<Output = Answer<ReconciliationId>> + Send;

    fn reconciliation_file(
        raw: &Self::Raw,
        account: i64,
        id: &ReconciliationId,
        file: ReconciliationFile,
    ) -> impl Future<Output = Answer<ByteStream>> + Send;
}

/// What 2024-12-02 alone has.
#[doc(hidden)]
pub trait EligibleInMonthWire: Wire {
    fn eligible_in(
        raw: &Self::Raw,
        account: i64,
        month: &str,
        filter: &EligibleFilter,
    ) -> impl Future<Output = Answer<EligibleInMonth>> + Send;
}

/// The list of what can be reconciled has the state as plain text.
impl Read<String> for TargetGroupStatus {
    fn read(wire: String) -> Result<Self, Missing> {
        Ok(Self::parse(&wire))
    }
}

/// Versions before 2025-12-18 have the states of the list as plain text.
impl Read<String> for ReconciliationStatus {
    fn read(wire: String) -> Result<Self, Missing> {
        Ok(Self::parse(&wire))
    }
}

/// The counts of a reconciliation or of one of its target groups.
macro_rules! counts {
    ($wire:ident) => {
        $crate::reconciliation::ReconciliationCounts {
            submitted: $wire.submitted_count,
            expired: $wire.expired_count,
            invalid: $wire.invalid_count,
            positive_reversed: $wire.positive_reversed_count,
            negative_reversed: $wire.negative_reversed_count,
        }
    };
}
pub(super) use counts;

/// One version's reconciliations: how it takes the file; whether the list is by name alone, or by any filter; the enums
/// that it has for states; the fields of reasons and of the list that are its own.
macro_rules! reconciliation {
    ($marker:ident, $version:ident, file: |$name:ident, $csv:ident| $($argument:expr),+;
     list: $list:ident, states: [$($states:ident),+], words: { $($words:tt)* },
     summary: { $($summary:tt)* }, reason: { $($reason:tt)* }) => {
        mod reconciliation {
            use bytes::Bytes;
            use cintx_raw::$version::operations::{
                GET_RECONCILIATION_BY_REQUEST_ID as GET, POST_RECONCILIATIONS as POST,
            };
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::types::ids::{ReconciliationId, TargetGroupId};
            use crate::paging::{PageRequest, RawPage};
            use crate::reconciliation::{
                ReasonCode, ReconciledTargetGroup, ReconciliationCounts, ReconciliationFilter, ReconciliationOutcome,
                ReconciliationStatus, ReconciliationSummary,
            };
            use crate::wire::read::{Field, Missing, Read, list, read, read_words, reads, required};
            use crate::wire::reconciliation::{ReconciliationWire, by_name, counts, list_by};

            read_words! { ReconciliationStatus = $($states),+; $($words)* }
            reads! {
                ReconciliationSummary = ReconciliationRequests {
                    id;
                    name, status, submitted_at, submitted_by = submitted_by_user_id, counts = result_counts, $($summary)*
                }
                ReconciliationCounts = ReconciliationRequestSubmittedCount {
                    ;
                    submitted, expired, invalid, positive_reversed, negative_reversed
                }
                ReasonCode = ReconciliationReasonCodes { code; name, description, $($reason)* }
            }

            impl Field<Option<types::ReconciliationRequestSubmittedCount>> for ReconciliationCounts {
                fn field(wire: Option<types::ReconciliationRequestSubmittedCount>) -> Result<Self, Missing> {
                    wire.map_or_else(|| Ok(Self::default()), Self::read)
                }
            }

            impl Read<types::ReconciliationsTargetGroup> for ReconciledTargetGroup {
                fn read(wire: types::ReconciliationsTargetGroup) -> Result<Self, Missing> {
                    Ok(Self {
                        counts: counts!(wire),
                        id: required("target_group_id", wire.target_group_id)?,
                        status: Field::field(wire.status)?,
                    })
                }
            }

            impl ReconciliationWire for crate::$marker {
                const RECONCILIATIONS_BY_NAME: bool = by_name!($list);

                async fn submit_reconciliation(
                    raw: &Client,
                    account: i64,
                    $name: &str,
                    $csv: Bytes,
                ) -> Result<ReconciliationId, Error> {
                    let answer = raw.post_reconciliations(account, $($argument),+).await?.into_value();
                    let id = answer.request_id.map(|id| ReconciliationId::new(id.as_str()));
                    id.ok_or_else(|| Error::incomplete(POST.id, "request_id"))
                }

                async fn reconciliation(
                    raw: &Client,
                    account: i64,
                    id: &ReconciliationId,
                ) -> Result<ReconciliationOutcome, Error> {
                    let answer = raw.get_reconciliation_by_request_id(account, id.as_str()).await?.into_value();
                    let status = answer.status.as_ref().ok_or_else(|| Error::incomplete(GET.id, "status"))?;
                    Ok(ReconciliationOutcome {
                        status: ReconciliationStatus::parse(status.as_str()),
                        counts: counts!(answer),
                    })
                }

                async fn reconciliations(
                    raw: &Client,
                    account: i64,
                    filter: &ReconciliationFilter,
                    ask: &PageRequest,
                ) -> Result<RawPage<ReconciliationSummary>, Error> {
                    list_by!($list, ask => raw, account, filter)
                }

                async fn reconciled_target_groups(
                    raw: &Client,
                    account: i64,
                    id: &ReconciliationId,
                    ask: &PageRequest,
                ) -> Result<RawPage<ReconciledTargetGroup>, Error> {
                    let params = GetTargetGroupsByRequestIdParams {
                        page_size: ask.page_size(),
                        start_after: ask.start_after(),
                    };
                    let answer = raw.get_target_groups_by_request_id(account, id.as_str(), &params).await?.into_value();
                    let operation = &operations::GET_TARGET_GROUPS_BY_REQUEST_ID;
                    Ok(RawPage::new(operation, list(operation, answer.target_groups)?).next(answer.next_cursor))
                }

                async fn reconciled_target_group(
                    raw: &Client,
                    account: i64,
                    id: &ReconciliationId,
                    group: &TargetGroupId,
                ) -> Result<ReconciledTargetGroup, Error> {
                    let answer = raw
                        .get_target_group_by_request_id_and_target_group_id(account, id.as_str(), group.as_str())
                        .await?;
                    read(&operations::GET_TARGET_GROUP_BY_REQUEST_ID_AND_TARGET_GROUP_ID, answer.into_value())
                }

                async fn reason_codes(raw: &Client, account: i64) -> Result<Vec<ReasonCode>, Error> {
                    let answer = raw.request_reconciliation_reason_codes(account).await?.into_value();
                    list(&operations::REQUEST_RECONCILIATION_REASON_CODES, answer.reconciliation_reasons)
                }
            }
        }
    };
}
pub(super) use reconciliation;

/// Whether the list is by name alone.
macro_rules! by_name {
    (by_name) => {
        true
    };
    (by_filter) => {
        false
    };
}
pub(super) use by_name;

/// Lists reconciliations: where the list is by name alone, the name stands among the arguments.
macro_rules! list_by {
    (by_filter, $ask:ident => $raw:ident, $account:ident, $filter:ident) => {
        $crate::wire::reconciliation::list_by!($ask => $raw, $filter, ($account), { name: $filter.name.clone(), })
    };
    (by_name, $ask:ident => $raw:ident, $account:ident, $filter:ident) => {{
        let name = $filter.name.as_deref().unwrap_or_default();
        $crate::wire::reconciliation::list_by!($ask => $raw, $filter, ($account, name), {})
    }};
    ($ask:ident => $raw:ident, $filter:ident, ($($lead:expr),+), { $($own:tt)* }) => {
        $crate::wire::page!(
            $ask => $raw.get_reconciliations_by_account_id($($lead),+),
            GET_RECONCILIATIONS_BY_ACCOUNT_ID, GetReconciliationsByAccountIdParams {
                $($own)*
                status: $filter.status.as_ref().map(|status| status.as_str().to_owned()),
                submitted_by_user_id: $filter.submitted_by.map(|user| user.to_string()),
                next_cursor: None,
            }, reconciliation_requests
        )
    };
}
pub(super) use list_by;

/// The target groups of a month, of the one version that lists them so.
#[cfg(feature = "_only-2024-12-02")]
macro_rules! eligible_in_month {
    ($marker:ident, $version:ident) => {
        mod eligible_in_month {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::reconciliation::{EligibleFilter, EligibleInMonth, EligibleTargetGroup};
            use crate::reference::User;
            use crate::wire::read::{list, reads};
            use crate::wire::reconciliation::EligibleInMonthWire;

            impl crate::reconciliation::HasEligibleInMonth for crate::$marker {}

            reads! {
                EligibleTargetGroup = ReconciliationsEligibleTargetGroups {
                    id = target_group_id;
                    name, status, project = project_id, project_name, manager = project_manager,
                    last_reconciled_at = last_reconciliation_date - completes, amount
                }
                User = ReconciliationsEligibleTargetGroupsProjectManager { id; name, email }
            }

            impl EligibleInMonthWire for crate::$marker {
                async fn eligible_in(
                    raw: &Client,
                    account: i64,
                    month: &str,
                    filter: &EligibleFilter,
                ) -> Result<EligibleInMonth, Error> {
                    let params = GetEligibleTargetGroupsParams {
                        name: filter.name.clone(),
                        status: filter.status.as_ref().map(ToString::to_string),
                        project_name: filter.project_name.clone(),
                        project_manager_id: filter.manager.map(|manager| manager.to_string()),
                    };
                    let answer = raw.get_eligible_target_groups(account, month, &params).await?.into_value();
                    Ok(EligibleInMonth {
                        cut_short: answer.next_cursor.is_some_and(|cursor| !cursor.is_empty()),
                        target_groups: list(&operations::GET_ELIGIBLE_TARGET_GROUPS, answer.target_groups)?,
                    })
                }
            }
        }
    };
}
#[cfg(feature = "_only-2024-12-02")]
pub(super) use eligible_in_month;

/// What one version has beyond submitting and asking.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! newer_reconciliations {
    ($marker:ident, $version:ident) => {
        mod newer_reconciliations {
            use bytes::Bytes;
            use cintx_raw::ByteStream;
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::paging::{PageRequest, RawPage};
            use crate::reconciliation::{
                DueMonth, EligibleFilter, EligibleSummary, EligibleTargetGroup, ReconciliationFile,
            };
            use crate::reference::User;
            use crate::types::ids::{ProjectId, ReconciliationId};
            use crate::wire::read::{list, read, reads};
            use crate::wire::reconciliation::NewerReconciliationsWire;

            impl crate::reconciliation::HasEligibleTargetGroups for crate::$marker {}
            impl crate::reconciliation::HasKeptCompletes for crate::$marker {}
            impl crate::reconciliation::HasReconciliationFiles for crate::$marker {}

            reads! {
                EligibleTargetGroup = ReconciliationsEligibleTargetGroups {
                    id = target_group_id;
                    name, status, project = project_id, project_name, manager = project_manager,
                    last_reconciled_at = last_reconciliation_date, completes = eligible_completes,
                    amount = monetary_amount
                }
                User = ReconciliationsEligibleTargetGroupsProjectManager { id; name, email }
                EligibleSummary = ReconciliationsEligibleTargetGroupsResponseSummary {
                    ;
                    target_groups = target_group_count, completes, amount = monetary_amount
                }
            }

            impl NewerReconciliationsWire for crate::$marker {
                async fn eligible(
                    raw: &Client,
                    account: i64,
                    filter: &EligibleFilter,
                    due: Option<DueMonth>,
                    ask: &PageRequest,
                ) -> Result<(RawPage<EligibleTargetGroup>, EligibleSummary), Error> {
                    let params = GetEligibleTargetGroupsParams {
                        page_size: ask.page_size(),
                        start_after: ask.start_after(),
                        due_month: due.map(|due| match due {
                            DueMonth::Current => types::GetEligibleTargetGroupsDueMonth::CurrentMonth,
                            DueMonth::Next => types::GetEligibleTargetGroupsDueMonth::NextMonth,
                        }),
                        name: filter.name.clone(),
                        status: filter.status.as_ref().map(ToString::to_string),
                        project_name: filter.project_name.clone(),
                        project_manager_id: filter.manager.map(|manager| manager.to_string()),
                    };
                    let answer = raw.get_eligible_target_groups(account, &params).await?.into_value();
                    let operation = &operations::GET_ELIGIBLE_TARGET_GROUPS;
                    let batch = RawPage::new(operation, list(operation, answer.target_groups)?);
                    let summary = answer.summary.map(|summary| read(operation, summary)).transpose()?;
                    Ok((batch.next(answer.next_cursor).more(answer.has_more), summary.unwrap_or_default()))
                }

                async fn keep_only(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    file_name: &str,
                    csv: Bytes,
                ) -> Result<ReconciliationId, Error> {
                    let params =
                        PostReconciliationsCompletesParams { name: Some(file_name.to_owned()), idempotency_key: None };
                    let answer = raw.post_reconciliations_completes(account, project.as_str(), csv, &params).await?;
                    let id = answer.into_value().request_id.map(|id| ReconciliationId::new(id.as_str()));
                    id.ok_or_else(|| Error::incomplete(operations::POST_RECONCILIATIONS_COMPLETES.id, "request_id"))
                }

                async fn reconciliation_file(
                    raw: &Client,
                    account: i64,
                    id: &ReconciliationId,
                    file: ReconciliationFile,
                ) -> Result<ByteStream, Error> {
                    let file = match file {
                        ReconciliationFile::Submitted => types::ReconciliationDownloadType::SubmittedRids,
                        ReconciliationFile::Expired => types::ReconciliationDownloadType::ExpiredRids,
                        ReconciliationFile::FieldError => types::ReconciliationDownloadType::InvalidRids,
                        ReconciliationFile::RemainingCompletes => {
                            types::ReconciliationDownloadType::RemainingProjectCompletes
                        }
                    };
                    Ok(raw.get_recon_downloads(account, id.as_str(), &file).await?.into_value())
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use newer_reconciliations;
