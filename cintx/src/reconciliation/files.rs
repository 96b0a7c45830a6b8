//! The files of a reconciliation, which say what became of each respondent.
//! Downloaded as they come.

use cintx_raw::ByteStream;
use serde::{Deserialize, Serialize};

use super::SubmittedReconciliation;
use crate::error::Error;
use crate::types::serde_text::word;
use crate::version::Version;
pub use crate::wire::reconciliation::HasReconciliationFiles;

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
    Invalid,
    /// The completes that the project is left with; only after [`keep_only`](super::Reconciliations::keep_only).
    RemainingCompletes,
}

word!(ReconciliationFile: "a file: submitted, expired, invalid or remaining-completes");

impl<V: Version> SubmittedReconciliation<V> {
    /// Gets a file as CSV, chunk by chunk; [`ByteStream::collect`] reads it into memory.
    ///
    /// From 2025-12-18 on.
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
