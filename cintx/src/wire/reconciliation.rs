//! Reconciliations on the wire. The versions differ in where the name of the file stands and in whether a key is asked
//! for; what comes back is the same.

use std::future::Future;

use bytes::Bytes;

use super::{Answer, Wire};
use crate::ids::ReconciliationId;
use crate::reconciliation::ReconciliationOutcome;

#[doc(hidden)]
pub trait ReconciliationWire: Wire {
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

/// One version's reconciliations, and how it takes the file.
macro_rules! reconciliation {
    ($marker:ident, $version:ident, file: |$name:ident, $csv:ident| $($argument:expr),+) => {
        mod reconciliation {
            use bytes::Bytes;
            use cintx_raw::$version::operations::{
                GET_RECONCILIATION_BY_REQUEST_ID as GET, POST_RECONCILIATIONS as POST,
            };
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::ids::ReconciliationId;
            use crate::reconciliation::{ReconciliationOutcome, ReconciliationStatus};
            use crate::wire::reconciliation::ReconciliationWire;

            impl ReconciliationWire for crate::$marker {
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
                        submitted: answer.submitted_count,
                        expired: answer.expired_count,
                        invalid: answer.invalid_count,
                        positive_reversed: answer.positive_reversed_count,
                        negative_reversed: answer.negative_reversed_count,
                    })
                }
            }
        }
    };
}
pub(super) use reconciliation;
