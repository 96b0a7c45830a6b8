//! Completes to keep, files of a reconciliation, target groups that can be reconciled by when that is due.

use super::raw::*;
use bytes::Bytes;
use cintx_raw::ByteStream;

use crate::error::Error;
use crate::paging::{PageRequest, RawPage};
use crate::reconciliation::{DueMonth, EligibleFilter, EligibleSummary, EligibleTargetGroup, ReconciliationFile};
use crate::reference::User;
use crate::types::ids::{ProjectId, ReconciliationId};
use crate::wire::download;
use crate::wire::read::{list, read, reads};
use crate::wire::reconciliation::{HasEligibleTargetGroups, HasKeptCompletes, HasReconciliationFiles};

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

impl HasEligibleTargetGroups for super::Marker {
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
        let answer = raw.get_eligible_target_groups_with(account, &params).await?.into_value();
        let operation = &operations::GET_ELIGIBLE_TARGET_GROUPS;
        let batch = RawPage::new(operation, list(operation, answer.target_groups)?);
        let summary = answer.summary.map(|summary| read(operation, summary)).transpose()?;
        Ok((batch.next(answer.next_cursor).more(answer.has_more), summary.unwrap_or_default()))
    }
}

impl HasKeptCompletes for super::Marker {
    async fn keep_only(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        file_name: &str,
        csv: Bytes,
    ) -> Result<ReconciliationId, Error> {
        let params = PostReconciliationsCompletesParams { name: Some(file_name.to_owned()) };
        let answer = raw.post_reconciliations_completes_with(account, project.as_str(), None, csv, &params).await?;
        let operation = &operations::POST_RECONCILIATIONS_COMPLETES;
        Error::required_in(answer, operation, "request_id", |it| it.request_id).map(ReconciliationId::new)
    }
}

impl HasReconciliationFiles for super::Marker {
    async fn reconciliation_file(
        raw: &Client,
        account: i64,
        id: &ReconciliationId,
        file: ReconciliationFile,
    ) -> Result<ByteStream, Error> {
        let file = match file {
            ReconciliationFile::Submitted => types::ReconciliationDownloadType::SubmittedRids,
            ReconciliationFile::Expired => types::ReconciliationDownloadType::ExpiredRids,
            ReconciliationFile::Invalid => types::ReconciliationDownloadType::InvalidRids,
            ReconciliationFile::RemainingCompletes => types::ReconciliationDownloadType::RemainingProjectCompletes,
        };
        let answer = raw.get_recon_downloads(account, id.as_str(), &file).await?;
        Ok(download(&operations::GET_RECON_DOWNLOADS, answer))
    }
}
