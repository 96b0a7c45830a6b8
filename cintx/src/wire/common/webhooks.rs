//! Webhook subscriptions: created, listed, read, changed, deleted, with a new secret.

use super::raw::*;
use cintx_raw::{Requirement, Secret};

use crate::error::Error;
use crate::optimistic::WithEtag;
use crate::paging::{PageRequest, RawPage};
use crate::types::ids::WebhookId;
use crate::webhook::{WebhookChange, WebhookEventType, WebhookFacts};
use crate::wire::read::{list, read, reads};
use crate::wire::webhooks::WebhooksWire;

reads! {
    WebhookFacts = Webhook { id, url; events, created_at, updated_at }
    WebhookFacts = WebhookCreated { id, url; events, created_at, updated_at }
}

impl WebhooksWire for super::Marker {
    const EVENTS: &'static [&'static str] = super::WEBHOOK_EVENTS;

    fn edits_under_tag() -> bool {
        operations::UPDATE_WEBHOOK.if_match != Requirement::None
    }

    async fn list_webhooks(raw: &Client, account: i64, ask: &PageRequest) -> Result<RawPage<WebhookFacts>, Error> {
        let params = GetWebhooksParams { page_size: ask.page_size(), start_after: ask.start_after(), end_before: None };
        let operation = &operations::GET_WEBHOOKS;
        let mut answer = raw.get_webhooks_with(account, &params).await?.into_value();
        let hooks: Vec<WebhookFacts> = list(operation, answer.webhooks.take())?;
        let last = hooks.last().map(|hook| hook.id.to_string());
        Ok(super::continue_webhooks(RawPage::new(operation, hooks).last(last), answer))
    }

    async fn create_webhook(
        raw: &Client,
        account: i64,
        url: &str,
        events: &[WebhookEventType],
    ) -> Result<(WebhookFacts, Secret), Error> {
        let body = super::new_webhook(url, events);
        let answer = raw.create_webhook(account, &body).await?;
        let operation = &operations::CREATE_WEBHOOK;
        let made = answer.value();
        let lacks = |missing| Error::incomplete_answer(operation, missing, &answer);
        made.id.as_ref().ok_or_else(|| lacks("id"))?;
        let secret = made.secret.clone().ok_or_else(|| lacks("secret"))?;
        Ok((read(operation, answer.into_value())?, secret))
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
        let answer = super::update_webhook(raw, account, id.as_str(), etag, &body).await?;
        Ok(answer.etag().map(str::to_owned))
    }

    async fn delete_webhook(raw: &Client, account: i64, id: &WebhookId, etag: Option<&str>) -> Result<(), Error> {
        raw.delete_webhook(account, id.as_str(), etag).await?;
        Ok(())
    }

    async fn regenerate_webhook_secret(raw: &Client, account: i64, id: &WebhookId) -> Result<Secret, Error> {
        let answer = super::regenerate_webhook_secret(raw, account, id.as_str()).await?;
        let lacks_secret = || Error::incomplete_answer(&operations::REGENERATE_WEBHOOK_SECRET, "secret", &answer);
        answer.value().secret.clone().ok_or_else(lacks_secret)
    }

    async fn webhook_event_types(raw: &Client, account: i64) -> Result<Vec<WebhookEventType>, Error> {
        let answer = raw.get_webhook_events(account).await?.into_value();
        list(&operations::GET_WEBHOOK_EVENTS, answer.events)
    }
}
