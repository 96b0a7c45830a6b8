//! Respondent unique codes: the buyer's own codes, one of which is passed to the survey with each respondent.

use serde::{Deserialize, Serialize};

use crate::client::options::handle_options;
use crate::error::Error;
use crate::respondent::id_list::{self, IdList};
use crate::target_group::TargetGroup;
use crate::types::serde_text::word;
use crate::version::Version;
pub use crate::wire::unique_codes::HasUniqueCodes;

/// Who gets a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RespondentMode {
    /// Respondents.
    Live,
    /// Those who test the survey.
    Test,
}

word!(RespondentMode: "a mode: live or test");

impl<V: Version> TargetGroup<V> {
    /// The codes that the target group hands out to respondents. Asks nothing.
    ///
    /// From 2025-12-18 on.
    pub fn unique_codes(&self, codes_for: RespondentMode) -> UniqueCodes<V>
    where
        V: HasUniqueCodes,
    {
        UniqueCodes { group: self.clone(), codes_for }
    }
}

/// The codes that a target group hands out, each to one respondent.
///
/// ```no_run
/// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// use cintx::respondent::{RespondentMode, IdList};
///
/// let codes: IdList = (0..5_000).map(|number| format!("wave2-{number:05}")).collect();
/// let live = group.unique_codes(RespondentMode::Live);
/// live.upload(codes).await?;
/// println!("{:?} are left", live.stats().await?.unconsumed);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct UniqueCodes<V: Version> {
    group: TargetGroup<V>,
    codes_for: RespondentMode,
}

handle_options!(UniqueCodes: group.client);

impl<V: HasUniqueCodes> UniqueCodes<V> {
    /// Adds 1 to 20,000 codes, each of 1 to 128 letters, digits, `-` and `_`, from an iterator, a stream or a file (see
    /// [`IdList`]); answers with how many were taken.
    ///
    /// From 2025-12-18 on. It takes no idempotency key.
    ///
    /// # Errors
    /// What is wrong with the codes, found before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "upload_live_respondent_unique_codes")]
    #[doc(alias = "upload_test_respondent_unique_codes")]
    pub async fn upload(&self, codes: impl Into<IdList>) -> Result<i64, Error> {
        let codes = codes.into();
        codes.check("codes", id_list::MAX_CODES, &id_list::CODE)?;
        let group = &self.group;
        <V as HasUniqueCodes>::upload_codes(group.client.raw(), group.place(), self.codes_for, codes.texts()).await
    }

    /// How many codes there are, and how many are left.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_live_respondent_unique_codes_stats")]
    #[doc(alias = "get_test_respondent_unique_codes_stats")]
    pub async fn stats(&self) -> Result<UniqueCodesStats, Error> {
        <V as HasUniqueCodes>::codes_stats(self.group.client.raw(), self.group.place(), self.codes_for).await
    }

    /// Deletes the codes that are not used yet.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "delete_unconsumed_live_respondent_unique_codes")]
    #[doc(alias = "delete_unconsumed_test_respondent_unique_codes")]
    pub async fn delete_unconsumed(&self) -> Result<(), Error> {
        <V as HasUniqueCodes>::delete_codes(self.group.client.raw(), self.group.place(), self.codes_for).await
    }
}

/// How many codes a target group has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct UniqueCodesStats {
    /// How many there are or were.
    pub total: Option<i64>,
    /// How many are not used yet.
    pub unconsumed: Option<i64>,
}
