//! Respondent unique codes: codes of the buyer's own, one of which each respondent carries into the survey.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::respondent::id_list::{self, IdList};
use crate::target_group::TargetGroup;
use crate::version::Version;
use crate::wire::unique_codes::UniqueCodesWire;

/// The versions that hand out the buyer's own codes to respondents.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hand out codes of the buyer's own to respondents",
    note = "use a client of 2025-12-18"
)]
pub trait HasUniqueCodes: Version + UniqueCodesWire {}

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

impl<V: Version> TargetGroup<V> {
    /// The codes that the target group hands out to respondents. Asks nothing.
    ///
    /// Only in 2025-12-18.
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

impl<V: HasUniqueCodes> UniqueCodes<V> {
    /// Adds 1 to 20,000 codes, each of 1 to 128 letters, digits, `-` and `_`, from an iterator, a stream or a file (see
    /// [`IdList`]); answers with how many were taken.
    ///
    /// Only in 2025-12-18 (`upload_live_respondent_unique_codes`, `upload_test_respondent_unique_codes`). It takes no
    /// idempotency key.
    ///
    /// # Errors
    /// What is wrong about the codes, before anything is sent; or the call's.
    pub async fn upload(&self, codes: impl Into<IdList>) -> Result<i64, Error> {
        let codes = codes.into();
        codes.check("codes", id_list::MOST_CODES, &id_list::CODE)?;
        let group = &self.group;
        <V as UniqueCodesWire>::upload_codes(group.client.raw(), group.place(), self.codes_for, codes.texts()).await
    }

    /// How many codes there are, and how many are left.
    ///
    /// Only in 2025-12-18 (`get_live_respondent_unique_codes_stats`, `get_test_respondent_unique_codes_stats`).
    ///
    /// # Errors
    /// The call's.
    pub async fn stats(&self) -> Result<UniqueCodesStats, Error> {
        <V as UniqueCodesWire>::codes_stats(self.group.client.raw(), self.group.place(), self.codes_for).await
    }

    /// Deletes the codes that nobody has got yet.
    ///
    /// Only in 2025-12-18 (`delete_unconsumed_live_respondent_unique_codes`,
    /// `delete_unconsumed_test_respondent_unique_codes`).
    ///
    /// # Errors
    /// The call's.
    pub async fn delete_unconsumed(&self) -> Result<(), Error> {
        <V as UniqueCodesWire>::delete_codes(self.group.client.raw(), self.group.place(), self.codes_for).await
    }
}

/// How many codes a target group has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct UniqueCodesStats {
    /// How many there are or were.
    pub total: Option<i64>,
    /// How many nobody has got yet.
    pub unconsumed: Option<i64>,
}
