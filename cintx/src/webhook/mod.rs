//! Webhook subscriptions: which events Cint sends to which address, the secret that signs them, and the history of what
//! was delivered. The calls themselves are verified in `receive` (feature `webhook-receive`) and put in order, once
//! each, in `inbox` (feature `webhook-inbox`).

mod history;
#[cfg(feature = "webhook-inbox")]
pub mod inbox;
#[cfg(feature = "webhook-receive")]
pub mod receive;
mod url;

pub(crate) use self::history::HistoryFilter;
pub use self::history::{DeliveryStatus, HasWebhookHistory, WebhookDelivery, WebhookHistory};
use self::url::url_problem;

use cintx_raw::Secret;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::options::handle_options;
use crate::client::{CallOptions, Client};
use crate::error::{Conflict, Error, FieldError};
use crate::open_enum::open_enum;
use crate::optimistic::{Doubts, Editable, WithEtag, edit, three_way_merge};
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::types::ids::WebhookId;
use crate::version::Version;

impl<V: Version> Client<V> {
    /// The account's webhook subscriptions. Asks nothing.
    pub fn webhooks(&self) -> Webhooks<V> {
        Webhooks { client: self.clone() }
    }
}

open_enum! {
    /// An event type that a webhook can subscribe to. Each version has its own words: [`Webhooks::event_types`] lists
    /// them.
    WebhookEventType {
        /// Something about a target group has changed. From 2025-02-17 on.
        TargetGroupUpdated = "target-group-updated",
        /// A quota, or the target group as a whole, has counted a respondent. From 2025-02-17 on.
        QuotaFillRegistered = "quota-fill-registered",
        /// A respondent has come, or moved on. From 2025-02-17 on.
        SessionUpdated = "session-updated",
        /// A target group is complete. Only in 2024-12-02.
        SurveyCompleted = "survey_completed",
        /// A target group was paused. Only in 2024-12-02.
        SurveyPaused = "survey_paused",
    }
}

/// The webhook subscriptions of an account.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// use cintx::webhook::WebhookEventType;
///
/// let webhooks = cint.webhooks();
/// let new = webhooks.create("https://hooks.example/cint", [WebhookEventType::SessionUpdated]).await?;
/// std::fs::write("webhook.secret", new.secret.expose()).expect("the secret is never shown again");
///
/// let mut webhook = webhooks.get(new.webhook.id()).await?;
/// webhook.edit(|it| it.events.push(WebhookEventType::TargetGroupUpdated)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Webhooks<V: Version> {
    client: Client<V>,
}

handle_options!(Webhooks: client);

impl<V: Version> Webhooks<V> {
    /// Subscribes an address to events: `https://`, or `http://` to this machine itself; one event or more, of those
    /// that the version has. The answer holds the secret that will sign the calls: keep it, it is never shown again.
    ///
    /// It takes no idempotency key, and every call makes another subscription. If its answer is lost,
    /// [`Client::resolve`] finds the subscription by its address, and [`Webhook::regenerate_secret`] gives it a secret
    /// that is known.
    ///
    /// # Errors
    /// What is wrong with address and events, found before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "create_webhook")]
    pub async fn create(
        &self,
        url: impl Into<String>,
        events: impl IntoIterator<Item = WebhookEventType>,
    ) -> Result<NewWebhook<V>, Error> {
        let mut settings = WebhookSettings { url: url.into(), events: events.into_iter().collect() };
        settings.tidy();
        settings.check::<V>()?;
        let WebhookSettings { url, events } = &settings;
        let (facts, secret) =
            V::create_webhook(self.client.looks_first().raw(), self.client.account(), url, events).await?;
        // The answer has no tag: the first change reads one.
        Ok(NewWebhook { webhook: Webhook { client: self.client.clone(), facts, etag: None }, secret })
    }

    /// Lists the account's subscriptions.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let mut webhooks = cint.webhooks().list().page_size(100).stream();
    /// while let Some(webhook) = webhooks.try_next().await? {
    ///     println!("{} hears {:?}", webhook.url(), webhook.events());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_webhooks")]
    pub fn list(&self) -> ListRequest<WebhookQuery<V>> {
        ListRequest::new(WebhookQuery { client: self.client.clone() })
    }

    /// Reads a subscription, with its entity tag.
    ///
    /// # Errors
    /// The API answers 404 if there is no such subscription. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_webhook")]
    pub async fn get(&self, id: impl Into<WebhookId>) -> Result<Webhook<V>, Error> {
        let client = self.client.clone();
        let WithEtag { value: facts, etag } = V::webhook(client.raw(), client.account(), &id.into()).await?;
        Ok(Webhook { client, facts, etag })
    }

    /// Lists the events that a subscription can be for, as the API names them now.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_webhook_events")]
    pub async fn event_types(&self) -> Result<Vec<WebhookEventType>, Error> {
        V::webhook_event_types(self.client.raw(), self.client.account()).await
    }
}

/// A subscription that was just made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewWebhook<V: Version> {
    /// The subscription.
    pub webhook: Webhook<V>,
    /// What signs its calls: Base64 text, which is the key as it stands. It is shown here and never again.
    pub secret: Secret,
}

/// What can be changed about a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookSettings {
    /// The address that events are sent to: an `https://` address, or an `http://` one of this machine itself.
    pub url: String,
    /// The event types: one event or more. One that comes twice counts once.
    pub events: Vec<WebhookEventType>,
}
three_way_merge!(WebhookSettings { url, events });

impl WebhookSettings {
    /// Keeps each event once.
    fn tidy(&mut self) {
        let mut seen = std::collections::HashSet::new();
        self.events.retain(|event| seen.insert(event.clone()));
    }

    fn check<V: Version>(&self) -> Result<(), Error> {
        Error::check(url_problem(&self.url).into_iter().chain(event_problems::<V>(&self.events)))
    }
}

fn event_problems<V: Version>(events: &[WebhookEventType]) -> Vec<FieldError> {
    let known = || V::EVENTS.join(", ");
    if events.is_empty() {
        return vec![FieldError::new("events", format!("are none, expected at least one of {}", known()))];
    }
    let strangers = events.iter().filter(|event| !V::EVENTS.contains(&event.as_str()));
    let problem = |event: &WebhookEventType| {
        let reason = format!("has {:?}, expected what {} knows: {}", event.as_str(), V::DATE, known());
        FieldError::new("events", reason)
    };
    strangers.map(problem).collect()
}

/// What an answer says of a subscription.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct WebhookFacts {
    pub(crate) id: WebhookId,
    pub(crate) url: String,
    pub(crate) events: Vec<WebhookEventType>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
}

impl WebhookFacts {
    fn settings(&self) -> WebhookSettings {
        WebhookSettings { url: self.url.clone(), events: self.events.clone() }
    }
}

/// What is sent of a change.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct WebhookChange<'a> {
    pub(crate) url: Option<&'a str>,
    pub(crate) events: Option<&'a [WebhookEventType]>,
}

/// A webhook subscription. It carries the entity tag that it was read with, so a change by another client is noticed.
///
/// ```no_run
/// # async fn run(mut webhook: cintx::webhook::Webhook<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// webhook.edit(|it| it.url = "https://hooks.example/v2".into()).await?;
/// let secret = webhook.regenerate_secret().await?;
/// println!("{} bytes to keep", secret.expose().len());
/// webhook.delete().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Webhook<V: Version> {
    client: Client<V>,
    facts: WebhookFacts,
    etag: Option<String>,
}

handle_options!(Webhook: client);

impl<V: Version> From<&Webhook<V>> for WebhookId {
    fn from(webhook: &Webhook<V>) -> Self {
        webhook.facts.id.clone()
    }
}

/// How often another client may change it first than a deletion.
const MAX_ROUNDS: usize = 8;

impl<V: Version> Webhook<V> {
    /// The id of the subscription.
    pub fn id(&self) -> &WebhookId {
        &self.facts.id
    }

    /// The address that events are sent to.
    pub fn url(&self) -> &str {
        &self.facts.url
    }

    /// The event types.
    pub fn events(&self) -> &[WebhookEventType] {
        &self.facts.events
    }

    /// When it was made.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.facts.created_at
    }

    /// When it was last changed, as far as this handle knows; a change through it has no date before
    /// [`refresh`](Self::refresh).
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.facts.updated_at
    }

    /// Reads it again.
    ///
    /// # Errors
    /// The API answers 404 if it is gone. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_webhook")]
    pub async fn refresh(&mut self) -> Result<(), Error> {
        let WithEtag { value, etag } = self.fetch().await?;
        (self.facts, self.etag) = (value, etag);
        Ok(())
    }

    /// Changes address, events, or both. If another client changed it first, reads again and makes the change again;
    /// what would undo another's change is a conflict.
    ///
    /// 2025-02-17 takes no entity tag there: only what is different from what was just read is sent, and of two who
    /// change the same field at once the last one wins.
    ///
    /// # Errors
    /// What is wrong with address and events, before the write; [`Error::conflict`] if another client changed the same
    /// field. See [when a call fails](crate::guide::failures).
    #[doc(alias = "update_webhook")]
    pub async fn edit(&mut self, change: impl Fn(&mut WebhookSettings) + Send + Sync) -> Result<(), Error> {
        let change = |settings: &mut WebhookSettings| {
            change(settings);
            settings.tidy();
        };
        let WithEtag { value, etag } = if V::edits_under_tag() {
            let known = self.etag.clone().map(|etag| WithEtag { value: self.facts.settings(), etag: Some(etag) });
            edit(&*self, known, change).await?
        } else {
            self.edit_untagged(change).await?
        };
        (self.facts.url, self.facts.events) = (value.url, value.events);
        (self.etag, self.facts.updated_at) = (etag, None);
        Ok(())
    }

    async fn edit_untagged(&self, change: impl Fn(&mut WebhookSettings)) -> Result<WithEtag<WebhookSettings>, Error> {
        let base = self.fetch().await?.value.settings();
        let mut value = base.clone();
        change(&mut value);
        value.check::<V>()?;
        let changed = WebhookChange {
            url: (value.url != base.url).then_some(&value.url),
            events: (value.events != base.events).then_some(&value.events),
        };
        let etag = self.update(&changed, None).await?;
        Ok(WithEtag { value, etag })
    }

    /// Ends the subscription, if it still is what this handle says: what another client made of it meanwhile is not
    /// thrown away unseen.
    ///
    /// Under its entity tag.
    ///
    /// # Errors
    /// [`Error::conflict`] with what another client changed. The API answers 404 if it is gone already. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "delete_webhook")]
    pub async fn delete(&self) -> Result<(), Error> {
        let mut etag = self.etag.clone();
        let mut doubts = Doubts::default();
        let mut round = 1;
        loop {
            if etag.is_none() {
                let theirs = match self.fetch().await {
                    Ok(theirs) => theirs,
                    Err(error) => return Err(doubts.or(error)),
                };
                let changed =
                    [("url", self.facts.url != theirs.value.url), ("events", self.facts.events != theirs.value.events)];
                let changed = changed.into_iter().filter_map(|(field, changed)| changed.then_some(field));
                if let Err(conflict) = Conflict::none(changed.collect()) {
                    return Err(doubts.or_conflict(conflict));
                }
                etag = theirs.etag;
            }
            let (raw, account) = (self.client.raw(), self.client.account());
            match V::delete_webhook(raw, account, self.id(), etag.as_deref()).await {
                Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) && round < MAX_ROUNDS => {
                    doubts.add(error);
                    (etag, round) = (None, round + 1);
                }
                Ok(()) => {
                    doubts.end_intents(self).await;
                    return Ok(());
                }
                Err(error) => return Err(doubts.or_of_write(self, error).await),
            }
        }
    }

    /// Gives the subscription a new secret, shown here and never again. The old one is void at once.
    ///
    /// Give the new one to the receivers that run, at once: what is delivered in between is refused with 401, and Cint
    /// sends it again. A receiver that must be started anew for it refuses everything until then, for which Cint may
    /// stop delivering for a while; subscribe a second address with a receiver of its own first in that case.
    ///
    /// ```no_run
    /// # async fn run(mut webhook: cintx::webhook::Webhook<cintx::V2025_12_18>, old: String)
    /// #     -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "webhook-receive")] {
    /// use cintx::webhook::receive::Receiver;
    ///
    /// let receiver = Receiver::new(old.clone())?; // the web server has a clone
    /// let secret = webhook.regenerate_secret().await?;
    /// receiver.add_secret(secret.clone())?;
    /// // Keep `secret` for the next start. What was signed before has come some minutes later:
    /// receiver.remove_secret(old);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Where it takes no idempotency key and its answer is lost, call it again: the secret that was lost is void then.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "regenerate_webhook_secret")]
    pub async fn regenerate_secret(&mut self) -> Result<Secret, Error> {
        // Whatever becomes of the call, the tag may be another one now.
        self.etag = None;
        V::regenerate_webhook_secret(self.client.raw(), self.client.account(), self.id()).await
    }

    /// Lists the events delivered to the subscription, or due, since a point in time; the oldest event first.
    ///
    /// From 2025-12-18 on.
    ///
    /// ```no_run
    /// # async fn run(webhook: cintx::webhook::Webhook<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::webhook::DeliveryStatus;
    /// use jiff::{Timestamp, ToSpan as _};
    ///
    /// let mut lost = webhook.history(Timestamp::now() - 24.hours()).status(DeliveryStatus::Expired).stream();
    /// while let Some(delivery) = lost.try_next().await? {
    ///     println!("{} {:?}", delivery.id, delivery.payload);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "list_webhook_events_history")]
    pub fn history(&self, since: Timestamp) -> ListRequest<WebhookHistory<V>>
    where
        V: HasWebhookHistory,
    {
        let filter =
            HistoryFilter { since, until: None, statuses: Vec::new(), events: Vec::new(), newest_first: false };
        ListRequest::new(WebhookHistory { client: self.client.clone(), webhook: self.id().clone(), filter })
    }

    async fn fetch(&self) -> Result<WithEtag<WebhookFacts>, Error> {
        V::webhook(self.client.raw(), self.client.account(), self.id()).await
    }

    async fn update(&self, change: &WebhookChange<'_>, etag: Option<&str>) -> Result<Option<String>, Error> {
        V::update_webhook(self.client.raw(), self.client.account(), self.id(), change, etag).await
    }
}

impl<V: Version> Editable for Webhook<V> {
    type Value = WebhookSettings;

    fn strike_out<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, ()> {
        self.client.end_intent(intent).boxed()
    }

    fn check(&self, settings: &WebhookSettings) -> Result<(), Error> {
        settings.check::<V>()
    }

    fn read(&self) -> BoxFuture<'_, Result<WithEtag<WebhookSettings>, Error>> {
        async move {
            let WithEtag { value, etag } = self.fetch().await?;
            Ok(WithEtag { value: value.settings(), etag })
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        settings: &'a WebhookSettings,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        async move {
            let change = WebhookChange { url: Some(&settings.url), events: Some(&settings.events) };
            self.update(&change, etag).await
        }
        .boxed()
    }
}

/// Lists the subscriptions of an account.
#[derive(Clone, Debug)]
pub struct WebhookQuery<V: Version> {
    client: Client<V>,
}

impl<V: Version> Sealed for WebhookQuery<V> {}

impl<V: Version> ListQuery for WebhookQuery<V> {
    type Item = Webhook<V>;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<Webhook<V>>, Error>> {
        async move {
            let client = &self.client;
            let page = V::list_webhooks(client.raw(), client.account(), ask).await?;
            // A list has no tags: the first change reads one.
            Ok(page.map(|facts| Webhook { client: client.clone(), facts, etag: None }))
        }
        .boxed()
    }
}
