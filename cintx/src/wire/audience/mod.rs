//! Audiences on the wire, written as JSON once and held against each version's types: `legacy` for the two versions
//! before 2025-12-18, `modern` for that one.
pub(crate) mod legacy;
pub(crate) mod modern;

use std::future::Future;

use serde_json::Value;

use super::{Answer, Wire};
use crate::audience::{Shape, Unit};
use crate::error::{Error, FieldError};
use crate::target_group::feasibility::Feasibility;
use crate::target_group::{KeptDraft, TargetGroupDraft};
use crate::types::ids::ProjectId;

/// The audience of a draft, and whom it will find.
#[doc(hidden)]
pub trait AudienceWire: Wire {
    /// What the quotas of a draft are written in.
    const DRAFTS_IN: Unit;

    /// A draft's audience as a request takes it.
    fn audience(raw: &Self::Raw, account: i64, draft: &TargetGroupDraft) -> impl Future<Output = Answer<Value>> + Send;

    /// What the audience of a draft that was read comes to, in that unit.
    fn audience_of(kept: &KeptDraft) -> Shape;

    fn feasibility(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
        step_days: Option<u32>,
    ) -> impl Future<Output = Answer<Feasibility>> + Send;
}

pub(crate) fn refused(what: &'static str, reason: impl Into<String>) -> Error {
    Error::invalid(vec![FieldError::new(what, reason)])
}
