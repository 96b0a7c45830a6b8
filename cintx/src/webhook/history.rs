//! The delivery history of a webhook subscription.

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{WebhookEventType, event_problems};
use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError};
use crate::open_enum::open_enum;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::types::ids::WebhookId;
use crate::version::Version;
pub use crate::wire::webhooks::HasWebhookHistory;

open_enum! {
    /// How far the delivery of an event has come.
    DeliveryStatus {
        /// It waits.
        Pending = "pending",
        /// It is under way.
        Delivering = "delivering",
        /// It was taken. This is the end.
        Delivered = "delivered",
        /// It was not taken, and is tried again.
        Undelivered = "undelivered",
        /// The address fails too often: it is not tried again before that is over.
        Bounced = "bounced",
        /// It was given up. This is the end.
        Expired = "expired",
    }
}

/// An event that was delivered to a subscription, or was due to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// The id of the event.
    pub id: String,
    /// What kind of event it is.
    pub event: Option<WebhookEventType>,
    /// How far it has come.
    pub status: Option<DeliveryStatus>,
    /// When the event was.
    pub created_at: Option<Timestamp>,
    /// The event as it is delivered.
    pub payload: Option<Map<String, Value>>,
}

/// The filters of a webhook history.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct HistoryFilter {
    pub(crate) since: Timestamp,
    pub(crate) until: Option<Timestamp>,
    pub(crate) statuses: Vec<DeliveryStatus>,
    pub(crate) events: Vec<WebhookEventType>,
    pub(crate) newest_first: bool,
}

/// Lists the delivery history of a subscription.
#[derive(Clone, Debug)]
pub struct WebhookHistory<V: Version> {
    pub(super) client: Client<V>,
    pub(super) webhook: WebhookId,
    pub(super) filter: HistoryFilter,
}

impl<V: HasWebhookHistory> ListRequest<WebhookHistory<V>> {
    /// Only events until this moment; until now if not set.
    pub fn until(mut self, end: Timestamp) -> Self {
        self.source.filter.until = Some(end);
        self
    }

    /// Only events whose delivery has come so far; if called several times, any of them.
    pub fn status(mut self, status: DeliveryStatus) -> Self {
        self.source.filter.statuses.push(status);
        self
    }

    /// Only events of this kind; if called several times, any of them.
    pub fn event(mut self, event: WebhookEventType) -> Self {
        self.source.filter.events.push(event);
        self
    }

    /// The newest event first.
    pub fn newest_first(mut self) -> Self {
        self.source.filter.newest_first = true;
        self
    }
}

impl<V: HasWebhookHistory> Sealed for WebhookHistory<V> {}

impl<V: HasWebhookHistory> ListQuery for WebhookHistory<V> {
    type Item = WebhookDelivery;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<WebhookDelivery>, Error>> {
        async move {
            Error::check(self.filter.problems::<V>())?;
            let (raw, account) = (self.client.raw(), self.client.account());
            <V as HasWebhookHistory>::webhook_history(raw, account, &self.webhook, &self.filter, ask).await
        }
        .boxed()
    }
}

impl HistoryFilter {
    fn problems<V: Version>(&self) -> Vec<FieldError> {
        let mut problems = Vec::new();
        if let Some(end) = self.until.filter(|end| *end < self.since) {
            let reason = format!("is {end}, expected a moment after the first one, {}", self.since);
            problems.push(FieldError::new("until", reason));
        }
        for status in &self.statuses {
            if let DeliveryStatus::Unknown(word) = status {
                problems.push(FieldError::new("status", format!("is {word:?}, expected a status that is documented")));
            }
        }
        if !self.events.is_empty() {
            problems.extend(event_problems::<V>(&self.events));
        }
        problems
    }
}
