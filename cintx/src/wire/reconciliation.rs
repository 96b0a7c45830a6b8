//! Reconciliations on the wire. The versions differ in where the name of the file stands, in whether a key is required
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
use crate::version::Version;

#[doc(hidden)]
pub trait ReconciliationWire: Wire {
    /// Whether the list asks for the name of a file.
    const RECONCILIATIONS_BY_NAME: bool;
    /// The most rows that a list of respondents may have.
    const MAX_RECONCILIATION_ROWS: usize;

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

/// The versions that list what can be reconciled by when that is due.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list what can be reconciled by when that is due",
    note = "2024-12-02 lists it by the month of the sessions: `Reconciliations::eligible_in`; or use a client of \
            2025-12-18 or later"
)]
pub trait HasEligibleTargetGroups: Version {
    #[doc(hidden)]
    fn eligible(
        raw: &Self::Raw,
        account: i64,
        filter: &EligibleFilter,
        due: Option<DueMonth>,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<(RawPage<EligibleTargetGroup>, EligibleSummary)>> + Send;
}

/// The versions that take a list of the completes to keep.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no list of the completes to keep",
    note = "submit those that do not count, each with a reason: `Reconciliations::submit`; or use a client of \
            2025-12-18 or later"
)]
pub trait HasKeptCompletes: Version {
    #[doc(hidden)]
    fn keep_only(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        file_name: &str,
        csv: Bytes,
    ) -> impl Future<Output = Answer<ReconciliationId>> + Send;
}

/// The versions whose reconciliations can be downloaded.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no files of a reconciliation to download",
    note = "what became of the rows is counted in `SubmittedReconciliation::status`; or use a client of \
            2025-12-18 or later"
)]
pub trait HasReconciliationFiles: Version {
    #[doc(hidden)]
    fn reconciliation_file(
        raw: &Self::Raw,
        account: i64,
        id: &ReconciliationId,
        file: ReconciliationFile,
    ) -> impl Future<Output = Answer<ByteStream>> + Send;
}

/// The versions that list what can be reconciled by the month of the sessions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list what can be reconciled by the month of the sessions",
    note = "from 2025-12-18 on use `Reconciliations::eligible`; 2025-02-17 has no such list"
)]
pub trait HasEligibleInMonth: Version {
    #[doc(hidden)]
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
