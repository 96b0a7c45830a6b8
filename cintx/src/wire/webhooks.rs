//! Webhook subscriptions on the wire. The versions differ in the names of events, in whether a new subscription brings
//! its id, in keys and entity tags, and in how the list goes on. Only 2025-12-18 has the history.

use std::future::Future;

use cintx_raw::Secret;

use super::read::{Missing, Read};
use super::{Answer, Wire};
use crate::optimistic::WithEtag;
use crate::paging::{PageRequest, RawPage};
use crate::types::ids::WebhookId;
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

#[doc(hidden)]
pub trait WebhookHistoryWire: Wire {
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

/// One version's webhooks: the enum of events that can be sent and those that are read, what a new subscription has
/// beside address and events, the idempotency key of changes, whether they take `If-Match`, and what says how the list
/// goes on.
macro_rules! webhooks {
    ($marker:ident, $version:ident, events: $known:ident, read: [$($event:ident),+], new: { $($new:tt)* },
     key: [$($key:expr)?], if_match: $if_match:ident, pages: $goes_on:ident($field:ident)) => {
        mod webhooks {
            use cintx_raw::$version::*;
            use cintx_raw::{Presence, Secret};

            use crate::optimistic::WithEtag;
            use crate::error::Error;
            use crate::types::ids::WebhookId;
            use crate::paging::{PageRequest, RawPage};
            use crate::webhook::{WebhookChange, WebhookEventType, WebhookFacts};
            use crate::wire::if_match;
            use crate::wire::read::{list, read, read_words, reads};
            use crate::wire::webhooks::WebhooksWire;

            read_words! { WebhookEventType = $($event),+; }
            reads! {
                WebhookFacts = Webhook { id, url; events, created_at, updated_at }
                WebhookFacts = WebhookCreated { id, url; events, created_at, updated_at }
            }

            impl WebhooksWire for crate::$marker {
                const EVENTS: &'static [&'static str] = types::$known::KNOWN;

                fn edits_under_tag() -> bool {
                    operations::UPDATE_WEBHOOK.if_match != Presence::None
                }

                async fn list_webhooks(raw: &Client, account: i64, ask: &PageRequest) -> Result<RawPage<WebhookFacts>, Error> {
                    let params = GetWebhooksParams {
                        page_size: ask.page_size(),
                        start_after: ask.start_after(),
                        end_before: None,
                    };
                    let operation = &operations::GET_WEBHOOKS;
                    let answer = raw.get_webhooks(account, &params).await?.into_value();
                    let hooks: Vec<WebhookFacts> = list(operation, answer.webhooks)?;
                    let last = hooks.last().map(|hook| hook.id.to_string());
                    Ok(RawPage::new(operation, hooks).$goes_on(answer.$field).last(last))
                }

                async fn create_webhook(
                    raw: &Client,
                    account: i64,
                    url: &str,
                    events: &[WebhookEventType],
                ) -> Result<(WebhookFacts, Secret), Error> {
                    let body = types::CreateWebhookRequest {
                        url: url.to_owned(),
                        events: events.iter().map(|event| event.as_str().into()).collect(),
                        $($new)*
                    };
                    let answer = raw.create_webhook(account, &body).await?.into_value();
                    let operation = &operations::CREATE_WEBHOOK;
                    let secret = answer.secret.clone().ok_or_else(|| Error::incomplete(operation.id, "secret"))?;
                    Ok((read(operation, answer)?, secret))
                }

                async fn webhook(raw: &Client, account: i64, id: &WebhookId) -> Result<WithEtag<WebhookFacts>, Error> {
                    let answer = raw.get_webhook(account, id.as_str()).await?;
                    let etag = answer.etag().map(str::to_owned);
                    Ok(WithEtag { value: read(&operations::GET_WEBHOOK, answer.into_value())?, etag })
                }

                async fn update_webhook(
                    raw: &Client,
                    account: i64,
                    id: &WebhookId,
                    change: &WebhookChange<'_>,
                    etag: Option<&str>,
                ) -> Result<Option<String>, Error> {
                    let events = change.events.map(|it| it.iter().map(|event| event.as_str().into()).collect());
                    let body = types::UpdateWebhookRequest { url: change.url.map(str::to_owned), events };
                    let id = id.as_str();
                    let answer = if_match!(
                        $if_match,
                        raw.update_webhook(account, id; $($key,)? &body),
                        UpdateWebhookParams,
                        etag
                    );
                    Ok(answer.etag().map(str::to_owned))
                }

                async fn delete_webhook(
                    raw: &Client,
                    account: i64,
                    id: &WebhookId,
                    etag: Option<&str>,
                ) -> Result<(), Error> {
                    let params = DeleteWebhookParams { if_match: etag.map(str::to_owned) };
                    raw.delete_webhook(account, id.as_str(), &params).await?;
                    Ok(())
                }

                async fn regenerate_webhook_secret(
                    raw: &Client,
                    account: i64,
                    id: &WebhookId,
                ) -> Result<Secret, Error> {
                    let answer = raw.regenerate_webhook_secret(account, id.as_str(), $($key)?).await?.into_value();
                    let operation = &operations::REGENERATE_WEBHOOK_SECRET;
                    answer.secret.ok_or_else(|| Error::incomplete(operation.id, "secret"))
                }

                async fn webhook_event_types(raw: &Client, account: i64) -> Result<Vec<WebhookEventType>, Error> {
                    let answer = raw.get_webhook_events(account).await?.into_value();
                    list(&operations::GET_WEBHOOK_EVENTS, answer.events)
                }
            }
        }
    };
}
pub(super) use webhooks;

/// One version's history of deliveries.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! webhook_history {
    ($marker:ident, $version:ident) => {
        mod webhook_history {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::types::ids::WebhookId;
            use crate::paging::{PageRequest, RawPage};
            use crate::webhook::{DeliveryStatus, HistoryFilter, WebhookDelivery};
            use crate::wire::read::{read_words, reads};
            use crate::wire::webhooks::WebhookHistoryWire;
            use crate::wire::{page, timestamp};

            impl crate::webhook::HasWebhookHistory for crate::$marker {}

            read_words! { DeliveryStatus = WebhookEventsDeliveryStatus; }
            reads! {
                WebhookDelivery = WebhookEvent { id; event = type_, status, created_at, payload }
            }

            impl WebhookHistoryWire for crate::$marker {
                async fn webhook_history(
                    raw: &Client,
                    account: i64,
                    id: &WebhookId,
                    filter: &HistoryFilter,
                    ask: &PageRequest,
                ) -> Result<RawPage<WebhookDelivery>, Error> {
                    let events = filter.events.iter().map(|event| event.as_str().into()).collect::<Vec<_>>();
                    let statuses = filter.statuses.iter().map(|status| status.as_str().into()).collect::<Vec<_>>();
                    let (id, since) = (id.as_str(), timestamp(filter.since));
                    page!(
                        ask => raw.list_webhook_events_history(account, id, &since),
                        LIST_WEBHOOK_EVENTS_HISTORY, ListWebhookEventsHistoryParams {
                            delivery_status: (!statuses.is_empty()).then_some(statuses),
                            type_: (!events.is_empty()).then_some(events),
                            end_time: filter.until.map(timestamp),
                            created_at_sort_order: filter
                                .newest_first
                                .then_some(types::ListWebhookEventsHistoryCreatedAtSortOrder::Desc),
                        }, events
                    )
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use webhook_history;
