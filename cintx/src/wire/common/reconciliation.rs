//! Reconciliations: submitted, read, listed with their target groups and reasons.

use super::raw::operations::{GET_RECONCILIATION_BY_REQUEST_ID as GET, POST_RECONCILIATIONS as POST};
use super::raw::*;
use bytes::Bytes;
use jiff::Timestamp;

use crate::error::Error;
use crate::paging::{PageRequest, RawPage};
use crate::reconciliation::{
    ReasonCode, ReconciledTargetGroup, ReconciliationCounts, ReconciliationFilter, ReconciliationOutcome,
    ReconciliationStatus, ReconciliationSummary,
};
use crate::types::ids::{ReconciliationId, TargetGroupId};
use crate::wire::read::{Field, Missing, Read, list, read, read_words, reads, required};
use crate::wire::reconciliation::{ReconciliationWire, counts};

read_words! { ReconciliationStatus = ReconciliationsTargetGroupStatus; }
reads! {
    ReconciliationCounts = ReconciliationRequestSubmittedCount {
        ;
        submitted, expired, invalid, positive_reversed, negative_reversed
    }
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

impl ReconciliationWire for super::Marker {
    const RECONCILIATIONS_BY_NAME: bool = super::reconciliation_requests::BY_NAME;
    const MAX_RECONCILIATION_ROWS: usize = super::MAX_RECONCILIATION_ROWS;

    async fn submit_reconciliation(
        raw: &Client,
        account: i64,
        file_name: &str,
        csv: Bytes,
    ) -> Result<ReconciliationId, Error> {
        let answer = super::reconciliation_requests::submit(raw, account, file_name, csv).await?;
        Error::required_in(answer, &POST, "request_id", |it| it.request_id).map(ReconciliationId::new)
    }

    async fn reconciliation(raw: &Client, account: i64, id: &ReconciliationId) -> Result<ReconciliationOutcome, Error> {
        let answer = raw.get_reconciliation_by_request_id(account, id.as_str()).await?.into_value();
        let status = answer.status.as_ref().ok_or_else(|| Error::incomplete(&GET, "status"))?;
        let status = ReconciliationStatus::parse(status.as_str());
        Ok(ReconciliationOutcome {
            status,
            counts: counts!(answer),
            name: answer.name,
            submitted_at: answer.submitted_at.and_then(|at| Timestamp::read(at).ok()),
            submitted_by: answer.submitter_las_id.and_then(|user| user.parse().ok()),
            kind: super::reconciliation_kind!(answer),
        })
    }

    async fn reconciliations(
        raw: &Client,
        account: i64,
        filter: &ReconciliationFilter,
        ask: &PageRequest,
    ) -> Result<RawPage<ReconciliationSummary>, Error> {
        super::reconciliation_requests::list(raw, account, filter, ask).await
    }

    async fn reconciled_target_groups(
        raw: &Client,
        account: i64,
        id: &ReconciliationId,
        ask: &PageRequest,
    ) -> Result<RawPage<ReconciledTargetGroup>, Error> {
        let params = GetTargetGroupsByRequestIdParams { page_size: ask.page_size(), start_after: ask.start_after() };
        let answer = raw.get_target_groups_by_request_id_with(account, id.as_str(), &params).await?.into_value();
        let operation = &operations::GET_TARGET_GROUPS_BY_REQUEST_ID;
        Ok(RawPage::new(operation, list(operation, answer.target_groups)?).next(answer.next_cursor))
    }

    async fn reconciled_target_group(
        raw: &Client,
        account: i64,
        id: &ReconciliationId,
        group: &TargetGroupId,
    ) -> Result<ReconciledTargetGroup, Error> {
        let answer =
            raw.get_target_group_by_request_id_and_target_group_id(account, id.as_str(), group.as_str()).await?;
        read(&operations::GET_TARGET_GROUP_BY_REQUEST_ID_AND_TARGET_GROUP_ID, answer.into_value())
    }

    async fn reason_codes(raw: &Client, account: i64) -> Result<Vec<ReasonCode>, Error> {
        let answer = raw.request_reconciliation_reason_codes(account).await?.into_value();
        list(&operations::REQUEST_RECONCILIATION_REASON_CODES, answer.reconciliation_reasons)
    }
}
