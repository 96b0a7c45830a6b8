//! 2025-02-17 lists nothing that can be reconciled, takes no completes to keep and has no files.

use cintx::{Client, ProjectId, V2025_02_17, V2025_12_18};
use cintx::reconciliation::{ReconciliationFile, SubmittedReconciliation};

fn older(
    cint: Client<V2025_02_17>,
    id: ProjectId,
    submitted: SubmittedReconciliation<V2025_02_17>,
) {
    let reconciliations = cint.reconciliations();
    let _ = reconciliations.eligible();
    let _ = reconciliations.eligible_in("2026-11");
    let _ = reconciliations.keep_only(id, ["0f1ce179-a917-49ff-9d50-b05fc91f7bd4"]);
    let _ = submitted.download(ReconciliationFile::Submitted);
}

fn newer(cint: Client<V2025_12_18>) {
    let _ = cint.reconciliations().eligible_in("2026-11");
}

fn main() {}
