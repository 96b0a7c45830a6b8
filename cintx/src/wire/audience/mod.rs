//! Audiences on the wire, written as JSON once and held against each version's types: `legacy` for the two versions
//! before 2025-12-18, `modern` for that one.

#[cfg(feature = "_before-2025-12-18")]
pub(crate) mod legacy;
#[cfg(feature = "_since-2025-12-18")]
pub(crate) mod modern;

use std::future::Future;

use super::{Answer, Wire};
use crate::error::{Error, Invalid};
use crate::feasibility::Feasibility;
use crate::ids::{ProjectId, TargetGroupId};
use crate::target_group::TargetGroupDraft;

/// What a version does with a draft that has an audience.
#[doc(hidden)]
pub trait AudienceWire: Wire {
    fn feasibility(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> impl Future<Output = Answer<Feasibility>> + Send;

    fn create_target_group(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> impl Future<Output = Answer<TargetGroupId>> + Send;
}

pub(crate) fn refused(what: &'static str, reason: impl Into<String>) -> Error {
    Error::invalid(vec![Invalid::new(what, reason)])
}
