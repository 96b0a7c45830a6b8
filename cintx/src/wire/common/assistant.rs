//! The fielding assistant: written and read as JSON, held against the version's types.

use super::raw::*;

use crate::error::Error;
use crate::fielding::assistant::FieldingAssistant;
use crate::optimistic::WithEtag;
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::wire::assistant::{AssistantWire, from_modules, to_modules};
use crate::wire::{from_json, to_json};

impl AssistantWire for super::Marker {
    const GEMINI: bool = super::HAS_GEMINI_PACING;

    async fn assistant(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> Result<WithEtag<FieldingAssistant>, Error> {
        let answer = raw.get_fielding_assistant_assignment(account, project.as_str(), group.as_str()).await?;
        let etag = answer.etag().map(str::to_owned);
        Ok(WithEtag { value: from_modules(&to_json(answer.value())?), etag })
    }

    async fn set_assistant(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        assistant: &FieldingAssistant,
        etag: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let body = from_json("assistant", to_modules(assistant))?;
        let (project, group) = (project.as_str(), group.as_str());
        let answer = raw.create_or_update_fielding_assistant_assignment(account, project, group, etag, &body).await?;
        Ok(answer.etag().map(str::to_owned))
    }
}
