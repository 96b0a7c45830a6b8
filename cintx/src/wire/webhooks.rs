//! Webhook subscriptions on the wire. The versions differ in the names of events, in whether a new subscription brings
//! its id, in keys and entity tags, and in how the list goes on. The history came with 2025-12-18.

use std::future::Future;

use cintx_raw::Secret;

use super::read::{Missing, Read};
use super::{Answer, Wire};
use crate::optimistic::WithEtag;
use crate::paging::{PageRequest, RawPage};
use crate::types::ids::WebhookId;
use crate::version::Version;
use crate::webhook::{HistoryFilter, WebhookChange, WebhookDelivery, WebhookEventType, WebhookFacts};

#[doc(hidden)]
pub trait WebhooksWire: Wire {
    /// The events that the version's document lists.
    const EVENTS: &'static [&'static str];

    /// Whether a change can be made under an entity tag.
    fn edits_under_tag() -> bool;

    fn list_webhooks(
        raw: &Self::Raw,
        account: i64,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<WebhookFacts>>> + Send;

    fn create_webhook(
        raw: &Self::Raw,
        account: i64,
        url: &str,
        events: &[WebhookEventType],
    ) -> impl Future<Output = Answer<(WebhookFacts, Secret)>> + Send;

    fn webhook(
        raw: &Self::Raw,
        account: i64,
        id: &WebhookId,
    ) -> impl Future<Output = Answer<WithEtag<WebhookFacts>>> + Send;

    /// Answers with the new tag, if there is one.
    fn update_webhook(
        raw: &Self::Raw,
        account: i64,
        id: &WebhookId,
        change: &WebhookChange<'_>,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;

    fn delete_webhook(
        raw: &Self::Raw,
        account: i64,
        id: &WebhookId,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn regenerate_webhook_secret(
        raw: &Self::Raw,
        account: i64,
        id: &WebhookId,
    ) -> impl Future<Output = Answer<Secret>> + Send;

    fn webhook_event_types(raw: &Self::Raw, account: i64)
    -> impl Future<Output = Answer<Vec<WebhookEventType>>> + Send;
}

/// The versions that keep a delivery history of webhooks.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no delivery history of webhooks",
    note = "keep the events as they arrive, or use a client of 2025-12-18 or later"
)]
pub trait HasWebhookHistory: Version {
    #[doc(hidden)]
    fn webhook_history(
        raw: &Self::Raw,
        account: i64,
        id: &WebhookId,
        filter: &HistoryFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<WebhookDelivery>>> + Send;
}

/// The oldest version lists events as plain text.
impl Read<String> for WebhookEventType {
    fn read(wire: String) -> Result<Self, Missing> {
        Ok(Self::parse(&wire))
    }
}
