//! The files of a reconciliation: uploads the completes to keep, downloads the result for each respondent.

use cintx_raw::ByteStream;
use serde::{Deserialize, Serialize};

use super::{FILE_NAME_CHARS, Reconciliations, SubmittedReconciliation, to_csv};
use crate::error::{Error, text_length};
use crate::types::ids::ProjectId;
use crate::version::Version;
pub use crate::wire::reconciliation::{HasKeptCompletes, HasReconciliationFiles};

impl<V: Version> Reconciliations<V> {
    /// Keeps these completes of a project, and no others: **every complete of the project that is not among them is
    /// turned back.** At most 100,000, each RID a UUID and given once.
    ///
    /// Only in 2025-12-18; carries an idempotency key.
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
    /// The RIDs that are wrong, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "post_reconciliations_completes")]
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
        problems.extend(text_length("file_name", file_name, FILE_NAME_CHARS));
        Error::check(problems)?;
        let (raw, account, project) = (self.client.raw(), self.client.account(), project.into());
        let id = <V as HasKeptCompletes>::keep_only(raw, account, &project, file_name, csv.into()).await?;
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
    /// The RIDs that cannot be reconciled.
    FieldError,
    /// The completes that the project is left with; only after [`Reconciliations::keep_only`].
    RemainingCompletes,
}

impl<V: Version> SubmittedReconciliation<V> {
    /// Gets a file as CSV, chunk by chunk; [`ByteStream::collect`] reads it into memory.
    ///
    /// Only in 2025-12-18.
    ///
    /// # Errors
    /// The API answers 404 as long as the file is not there. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_recon_downloads")]
    pub async fn download(&self, file: ReconciliationFile) -> Result<ByteStream, Error>
    where
        V: HasReconciliationFiles,
    {
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasReconciliationFiles>::reconciliation_file(raw, account, &self.id, file).await
    }
}
