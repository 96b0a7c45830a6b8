//! Re-entry: whether respondents who have left a survey may enter it, or another one, again.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::target_group::TargetGroup;
use crate::version::Version;
pub use crate::wire::re_entry::HasReEntry;

/// What respondents may enter again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReEntryRule {
    /// The target group that they have left.
    pub same_target_group: bool,
    /// Other target groups.
    pub other_target_groups: bool,
}

impl ReEntryRule {
    /// Neither the target group that they have left nor others.
    pub const NEVER: Self = Self { same_target_group: false, other_target_groups: false };
    /// Other target groups alone.
    pub const OTHERS: Self = Self { same_target_group: false, other_target_groups: true };
    /// The target group that they have left, and others.
    pub const ALWAYS: Self = Self { same_target_group: true, other_target_groups: true };
}

/// What respondents may enter again, by where they have left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReEntryRules {
    /// In the client's survey.
    pub client_side: ReEntryRule,
    /// In Cint's screener.
    pub screener_side: ReEntryRule,
}

impl From<ReEntryRule> for ReEntryRules {
    /// The same, wherever they have left.
    fn from(rule: ReEntryRule) -> Self {
        Self { client_side: rule, screener_side: rule }
    }
}

/// Whether respondents may enter again, by how they have left. Cint switches it on for an account; it answers 403 where
/// it has not.
///
/// ```
/// use cintx::target_group::{ReEntry, ReEntryRule};
///
/// let mut re_entry = ReEntry::new(ReEntryRule::OTHERS);
/// re_entry.overquota = ReEntryRule::ALWAYS.into();
/// re_entry.security_failures = ReEntryRule::NEVER.into();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReEntry {
    /// After a complete.
    pub completes: ReEntryRule,
    /// After being screened out.
    pub terminates: ReEntryRules,
    /// After failing a check of security or quality.
    pub security_failures: ReEntryRules,
    /// After a quota was found to be full.
    pub overquota: ReEntryRules,
    /// After leaving the screener.
    pub in_screener: ReEntryRules,
    /// After what comes before the client's survey.
    pub pre_client_survey_processes: ReEntryRule,
    /// After the prices did not agree.
    pub financial_terms: ReEntryRule,
}

impl ReEntry {
    /// The same, however they have left.
    pub fn new(rule: ReEntryRule) -> Self {
        Self {
            completes: rule,
            terminates: rule.into(),
            security_failures: rule.into(),
            overquota: rule.into(),
            in_screener: rule.into(),
            pre_client_survey_processes: rule,
            financial_terms: rule,
        }
    }
}

impl<V: Version> TargetGroup<V> {
    /// Says whether respondents may enter the draft again. As with [`edit_draft`](Self::edit_draft), the API has no
    /// entity tag here. [`Draft::re_entry`](super::Draft::re_entry) reads it.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// The API answers 301 once the target group is launched. See [when a call fails](crate::guide::failures).
    #[doc(alias = "update_target_group")]
    pub async fn set_re_entry(&self, re_entry: &ReEntry) -> Result<(), Error>
    where
        V: HasReEntry,
    {
        let mut draft = self.draft().await?;
        draft.kept.0["re_entry_configuration"] = crate::wire::re_entry::configuration(re_entry);
        let (raw, account) = (self.client.raw(), self.client.account());
        V::update_draft(raw, account, &self.project, &self.id, &draft.settings, &draft.kept, None).await
    }
}
