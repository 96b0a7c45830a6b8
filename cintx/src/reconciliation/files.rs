//! The files of a reconciliation: completes to keep go in, what became of respondents comes out.

use cintx_raw::ByteStream;
use serde::{Deserialize, Serialize};

use super::{Reconciliations, SubmittedReconciliation, name_problem, to_csv};
use crate::error::Error;
use crate::types::ids::ProjectId;
use crate::version::Version;
use crate::wire::reconciliation::NewerReconciliationsWire;

/// The versions that take a list of the completes to keep.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no list of the completes to keep",
    note = "submit those that do not count, each with a reason: `Reconciliations::submit`; or use a client of 2025-12-18"
)]
pub trait HasKeptCompletes: Version + NewerReconciliationsWire {}

/// The versions whose reconciliations can be downloaded.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no files of a reconciliation to download",
    note = "what became of the rows is counted in `SubmittedReconciliation::status`; or use a client of 2025-12-18"
)]
pub trait HasReconciliationFiles: Version + NewerReconciliationsWire {}

impl<V: Version> Reconciliations<V> {
    /// Keeps these completes of a project, and no others: **every complete of the project that is not among them is
    /// turned back.** At most 100,000, each RID a UUID and given once.
    ///
    /// Only in 2025-12-18 (`post_reconciliations_completes`); carries an idempotency key.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, id: cintx::ProjectId) -> Result<(), cintx::Error> {
    /// let good = ["0f1ce179-a917-49ff-9d50-b05fc91f7bd4", "71d5a5b5-4f02-4e32-9f5c-0a6f0c1c9b0e"];
    /// let submitted = cint.reconciliations().keep_only(id, "good.csv", good).await?;
    /// println!("{:?} turned back", submitted.until_done().await?.counts.negative_reversed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The RIDs that are wrong, before anything is sent; or the call's.
    pub async fn keep_only<R: Into<String>>(
        &self,
        project: impl Into<ProjectId>,
        file_name: &str,
        rids: impl IntoIterator<Item = R>,
    ) -> Result<SubmittedReconciliation<V>, Error>
    where
        V: HasKeptCompletes,
    {
        let (csv, mut problems) = to_csv("rids", rids.into_iter().map(|rid| (rid.into(), None)));
        problems.extend(name_problem("file_name", file_name));
        Error::check(problems)?;
        let (raw, account, project) = (self.client.raw(), self.client.account(), project.into());
        let id = <V as NewerReconciliationsWire>::keep_only(raw, account, &project, file_name, csv.into()).await?;
        Ok(self.existing(id))
    }
}

/// A file of a reconciliation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReconciliationFile {
    /// The RIDs that were submitted; there at once.
    Submitted,
    /// The RIDs that came too late; there when it is worked off, as the others are.
    Expired,
    /// The RIDs that name nobody who can be reconciled.
    FieldError,
    /// The completes that the project is left with; only after [`Reconciliations::keep_only`].
    RemainingCompletes,
}

impl<V: Version> SubmittedReconciliation<V> {
    /// Gets a file as CSV, chunk by chunk; [`ByteStream::collect`] reads it into memory.
    ///
    /// Only in 2025-12-18 (`get_recon_downloads`).
    ///
    /// # Errors
    /// The call's: 404 as long as the file is not there.
    pub async fn download(&self, file: ReconciliationFile) -> Result<ByteStream, Error>
    where
        V: HasReconciliationFiles,
    {
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as NewerReconciliationsWire>::reconciliation_file(raw, account, &self.id, file).await
    }
}
