//! The calls that not every version has.

use cintx::Version;

use super::Golden;
#[allow(unused_imports, reason = "with one version alone, some are not called")]
use super::{account, drafts, prices, quotas, respondents, templates};

/// A version with the calls that others do not have.
pub trait OwnCalls: Version {
    /// Makes them.
    async fn own_calls(golden: &mut Golden<Self>);
}

#[cfg(feature = "v2024-12-02")]
impl OwnCalls for cintx::V2024_12_02 {
    async fn own_calls(golden: &mut Golden<Self>) {
        golden.area("global_templates", templates::for_everybody).await;
        golden.area("profile_edits", quotas::one_by_one).await;
    }
}

#[cfg(feature = "v2025-02-17")]
impl OwnCalls for cintx::V2025_02_17 {
    async fn own_calls(golden: &mut Golden<Self>) {
        golden.area("global_templates", templates::for_everybody).await;
        golden.area("profile_edits", quotas::one_by_one).await;
        golden.area("validations", quotas::validations).await;
        golden.area("exclusion_policies", respondents::policies).await;
        golden.area("exclusion_lists", respondents::exclusion_lists).await;
    }
}

#[cfg(feature = "v2025-12-18")]
impl OwnCalls for cintx::V2025_12_18 {
    async fn own_calls(golden: &mut Golden<Self>) {
        golden.area("validations", quotas::validations).await;
        golden.area("control_quotas", quotas::with_control).await;
        golden.area("templates_in_use", templates::in_use).await;
        golden.area("predictions", prices::predictions).await;
        golden.area("newest_account", account::newest).await;
        golden.area("exclusion_policies", respondents::policies).await;
        golden.area("respondents", respondents::newest).await;
    }
}
