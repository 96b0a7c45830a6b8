//! The lists of excluded respondents as 2025-02-17 has them: sent whole, without a job.

use crate::client::options::handle_options;
use crate::error::Error;
use crate::respondent::id_list::{self, IdList};
use crate::target_group::TargetGroup;
use crate::version::Version;
pub use crate::wire::exclusions::HasExclusionLists;

/// The most ids that both lists of a target group have together.
const MAX_IDS: usize = 10_000;

impl<V: Version> TargetGroup<V> {
    /// The respondents that are kept out of the target group. Asks nothing.
    ///
    /// Only in 2025-02-17; [`exclusions`](Self::exclusions) came after it.
    pub fn exclusion_lists(&self) -> ExclusionLists<V>
    where
        V: HasExclusionLists,
    {
        ExclusionLists { group: self.clone() }
    }
}

/// The lists of respondents that are kept out of a target group: 10,000 ids at most in both together.
#[derive(Clone, Debug)]
pub struct ExclusionLists<V: Version> {
    group: TargetGroup<V>,
}

handle_options!(ExclusionLists: group.client);

impl<V: HasExclusionLists> ExclusionLists<V> {
    /// Who is kept out, by RID.
    ///
    /// Only in 2025-02-17.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_rid_exclusion_list_api")]
    pub async fn rids(&self) -> Result<Vec<String>, Error> {
        <V as HasExclusionLists>::excluded_rids(self.group.client.raw(), self.group.place()).await
    }

    /// Who is kept out, by Cobra id.
    ///
    /// Only in 2025-02-17.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_cid_exclusion_list_api")]
    pub async fn cids(&self) -> Result<Vec<String>, Error> {
        <V as HasExclusionLists>::excluded_cids(self.group.client.raw(), self.group.place()).await
    }

    /// Keeps out more respondents, by RID: 1 to 10,000 UUIDs.
    ///
    /// Only in 2025-02-17.
    ///
    /// # Errors
    /// What is wrong with the ids, found before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "upsert_target_group_rid_exclusion_list_api")]
    pub async fn add_rids(&self, ids: impl Into<IdList>) -> Result<(), Error> {
        let ids = checked(ids.into())?;
        <V as HasExclusionLists>::exclude_rids(self.group.client.raw(), self.group.place(), ids).await
    }

    /// Keeps out more respondents, by Cobra id: 1 to 10,000 UUIDs.
    ///
    /// Only in 2025-02-17.
    ///
    /// # Errors
    /// What is wrong with the ids, found before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "upsert_target_group_cid_exclusion_list_api")]
    pub async fn add_cids(&self, ids: impl Into<IdList>) -> Result<(), Error> {
        let ids = checked(ids.into())?;
        <V as HasExclusionLists>::exclude_cids(self.group.client.raw(), self.group.place(), ids).await
    }
}

fn checked(ids: IdList) -> Result<Vec<String>, Error> {
    ids.check("ids", MAX_IDS, &id_list::UUID)?;
    Ok(ids.texts())
}
