//! The delivery history of webhooks.

use super::raw::*;

use crate::error::Error;
use crate::paging::{PageRequest, RawPage};
use crate::types::ids::WebhookId;
use crate::webhook::{DeliveryStatus, HistoryFilter, WebhookDelivery};
use crate::wire::read::{read_words, reads};
use crate::wire::webhooks::HasWebhookHistory;
use crate::wire::{page, timestamp};

read_words! { DeliveryStatus = WebhookEventsDeliveryStatus; }
reads! {
    WebhookDelivery = WebhookEvent { id; event = type_, status, created_at, payload }
}

impl HasWebhookHistory for super::Marker {
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
            ask => raw.list_webhook_events_history_with(account, id, &since),
            LIST_WEBHOOK_EVENTS_HISTORY, ListWebhookEventsHistoryParams {
                delivery_status: (!statuses.is_empty()).then_some(statuses),
                type_: (!events.is_empty()).then_some(events),
                end_time: filter.until.map(timestamp),
                created_at_sort_order: filter
                    .newest_first
                    .then_some(types::ListWebhookEventsHistoryCreatedAtSortOrder::Desc),
            ..Default::default()
        }, events
        )
    }
}
