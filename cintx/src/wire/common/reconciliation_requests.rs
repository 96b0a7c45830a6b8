//! Reconciliations are submitted under a name that may be left out, and listed by any filter.

use bytes::Bytes;
use cintx_raw::Response;

use super::raw::*;
use crate::error::Error;
use crate::paging::{PageRequest, RawPage};
use crate::reconciliation::{ReconciliationFilter, ReconciliationSummary};
use crate::wire::page;

/// Whether the list asks for the name of a file.
pub(super) const BY_NAME: bool = false;

/// Sends the file.
pub(super) async fn submit(
    raw: &Client,
    account: i64,
    file_name: &str,
    csv: Bytes,
) -> Result<Response<types::SubmitReconciliationsResponse>, Error> {
    let params = PostReconciliationsParams { name: Some(file_name.to_owned()) };
    Ok(raw.post_reconciliations_with(account, None, csv, &params).await?)
}

/// One page of the list.
pub(super) async fn list(
    raw: &Client,
    account: i64,
    filter: &ReconciliationFilter,
    ask: &PageRequest,
) -> Result<RawPage<ReconciliationSummary>, Error> {
    page!(
        ask => raw.get_reconciliations_by_account_id_with(account), GET_RECONCILIATIONS_BY_ACCOUNT_ID,
        GetReconciliationsByAccountIdParams {
            name: filter.name.clone(),
            status: filter.status.as_ref().map(|status| status.as_str().to_owned()),
            submitted_by_user_id: filter.submitted_by.map(|user| user.to_string()),
            next_cursor: None,
            ..Default::default()
        },
        reconciliation_requests
    )
}
