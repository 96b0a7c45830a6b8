//! Finds out whether a call with a lost answer took effect: by its key, by the thing it changed, or by a reference to
//! the thing it made. Where nothing can be proven, the answer stays unknown, and says why.

#[cfg(feature = "files")]
mod file;
mod journal;

#[cfg(feature = "files")]
pub use self::file::FileJournal;
pub use self::journal::{Intent, Journal, JournalError};

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::{Idempotency, NextCursor, Operation, Pagination, Request, Response};
use http::{Method, header};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Client;
use crate::client::CallOptions;
use crate::error::{Error, Outcome};
use crate::http::{Pipeline, idempotency};
use crate::version::Version;

/// Lists may lag behind what was written: so many looks before absence is believed.
const LOOKS: u32 = 4;
/// Pages of a list that are looked through.
const PAGES: usize = 200;
/// Clocks differ: what was made this long before a call may still be its work.
const SKEW: SignedDuration = SignedDuration::from_secs(120);

/// What was found out about a call whose outcome was unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Resolution {
    /// It took effect.
    Applied {
        /// The id of what it made, where it made something and the id is known.
        id: Option<String>,
    },
    /// It had no effect.
    NotApplied,
    /// Whether it took effect is not known.
    Unknown {
        /// Why not.
        why: Cow<'static, str>,
    },
}

impl Resolution {
    fn unknown(why: &'static str) -> Self {
        Self::Unknown { why: why.into() }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Applied { .. } => Outcome::Applied,
            Self::NotApplied => Outcome::NoEffect,
            Self::Unknown { .. } => Outcome::Unknown,
        }
    }
}

/// An intent that a crash had left open, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recovered {
    /// The intent.
    pub intent: Intent,
    /// What is known now. What stays unknown stays in the journal.
    pub resolution: Resolution,
}

/// How an operation that takes no key can be looked up afterwards: a reviewed row for each that makes something.
struct Search {
    create: &'static str,
    list: &'static str,
    /// The properties that name the thing, in the request and in the list; the first that was sent counts.
    by: &'static [Reference],
    /// The property of an item that holds its id.
    id: &'static str,
}

struct Reference {
    name: &'static str,
    /// The query parameter that narrows the list down to it.
    filter: Option<&'static str>,
}

const fn reference(name: &'static str, filter: Option<&'static str>) -> Reference {
    Reference { name, filter }
}

const SEARCHES: &[Search] = &[
    Search {
        create: "create_target_group",
        list: "get_list_target_groups",
        // The SDK gives each group a reference of its own where the version has the field.
        by: &[
            reference("target_group_customer_reference_number", Some("target_group_customer_reference_numbers")),
            reference("name", Some("name")),
        ],
        id: "id",
    },
    Search { create: "create_webhook", list: "get_webhooks", by: &[reference("url", None)], id: "id" },
    Search {
        create: "create_exclusion_group",
        list: "get_exclusion_groups_by_account_id",
        by: &[reference("tag", None), reference("description", None)],
        id: "exclusion_group_id",
    },
    Search {
        create: "create_profile_template",
        list: "list_profile_templates",
        by: &[reference("name", None)],
        id: "id",
    },
];

impl<V: Version> Client<V> {
    /// Finds out whether a failed call took effect, where the API allows it.
    ///
    /// A write under an idempotency key is sent again under the same key: that does it now, if it was not done before.
    /// A change is compared with what the thing is now. Something that was made is searched by the reference that was
    /// sent with it: a target group by its customer reference, or its name; a webhook by its URL.
    /// A call that took effect, but whose answer could not be read, is looked up in the same way, for the id of what it
    /// made. Errors of calls that had no effect are answered without a request.
    ///
    /// # Errors
    /// Those of the requests that look it up; the call stays as unknown as it was.
    pub async fn resolve(&self, error: &Error) -> Result<Resolution, Error> {
        let applied = match error.outcome() {
            Outcome::NotSent | Outcome::NoEffect => return Ok(Resolution::NotApplied),
            Outcome::Applied => true,
            Outcome::Unknown => false,
        };
        let resolution = match (error.request(), error.report()) {
            (Some(request), Some(report)) => self.find_out(request, report.began).await,
            _ => Ok(Resolution::unknown("the request is not known any more")),
        };
        match resolution {
            Ok(Resolution::Applied { id }) => Ok(Resolution::Applied { id }),
            // That much is known already.
            _ if applied => Ok(Resolution::Applied { id: None }),
            other => other,
        }
    }

    /// Completes what a crash interrupted: replays writes under their keys, looks the others up.
    /// Call it once after a start, before new work; without a journal it does nothing.
    ///
    /// An un-keyed write is never sent again. What stays unknown is reported, and stays in the journal until
    /// [`discard`](Self::discard) strikes it out.
    ///
    /// # Errors
    /// The journal cannot be read. An intent that cannot be resolved for now is reported as unknown.
    pub async fn recover(&self) -> Result<Vec<Recovered>, Error> {
        let Some(journal) = &self.pipeline().shared.journal else { return Ok(Vec::new()) };
        let mut recovered = Vec::new();
        for intent in journal.open_intents().await? {
            let resolution = self.resume_one(&intent).await;
            if resolution.outcome() != Outcome::Unknown {
                journal.end(intent.id(), resolution.outcome()).await?;
            }
            recovered.push(Recovered { intent, resolution });
        }
        Ok(recovered)
    }

    /// What a call made whose answer was lost, if that can be found; otherwise its error, with what is known now.
    /// For writes without a key: they are never sent twice, so this is the only way to a result.
    pub(crate) async fn recover_created<T>(&self, error: Error, made: impl FnOnce(String) -> T) -> Result<T, Error> {
        if matches!(error.outcome(), Outcome::NotSent | Outcome::NoEffect) {
            return Err(error);
        }
        match self.resolve(&error).await {
            Ok(Resolution::Applied { id: Some(id) }) => Ok(made(id)),
            Ok(resolution) => Err(error.resolved(resolution.outcome())),
            Err(_) => Err(error),
        }
    }

    /// Strikes an intent out of the journal that cannot be resolved, or that you resolved yourself.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn discard(&self, recovered: &Recovered) -> Result<(), Error> {
        match &self.pipeline().shared.journal {
            Some(journal) => Ok(journal.end(recovered.intent.id(), Outcome::Unknown).await?),
            None => Ok(()),
        }
    }

    async fn resume_one(&self, intent: &Intent) -> Resolution {
        if intent.version != V::DATE {
            return Resolution::unknown("it was written down by another version");
        }
        let Some(operation) = operation::<V>(|row| row.id == intent.operation) else {
            return Resolution::unknown("this version has no such operation");
        };
        let Some(request) = intent.request(operation) else {
            return Resolution::unknown("the journal's entry is damaged");
        };
        match self.find_out(&request, intent.at).await {
            Ok(resolution) => resolution,
            Err(error) if error.outcome() == Outcome::Unknown => Resolution::unknown("its answer was lost again"),
            Err(_) => Resolution::unknown("it could not be looked up for now"),
        }
    }

    async fn find_out(&self, request: &Request, began: Timestamp) -> Result<Resolution, Error> {
        // Its key is its own, not one of a caller's options; and what is written down is not written down again.
        let options = CallOptions { key: None, unrecorded: true, ..self.pipeline().options.clone() };
        let pipeline = Pipeline { shared: Arc::clone(&self.pipeline().shared), options };
        let resolver = OutcomeResolver { pipeline: &pipeline };
        let operation = request.operation();
        if idempotency::is_keyed(request) {
            return resolver.replay(request).await;
        }
        if let Some(search) = SEARCHES.iter().find(|search| search.create == operation.id)
            && let Some(list) = operation_of::<V>(search.list)
        {
            return resolver.search(request, search, list, began).await;
        }
        match resource::<V>(request) {
            Some((read, target)) => resolver.reread(request, read, target).await,
            None => Ok(Resolution::unknown("the API offers no way to look this up")),
        }
    }
}

fn operation<V: Version>(is: impl Fn(&Operation) -> bool) -> Option<&'static Operation> {
    V::OPERATIONS.iter().find(|row| is(row)).copied()
}

fn operation_of<V: Version>(id: &str) -> Option<&'static Operation> {
    operation::<V>(|row| row.id == id)
}

/// The operation that reads what a request changes, and its address: the GET of the same path,
/// or of the path without its last segment, where that names an action (`.../pause`).
fn resource<V: Version>(request: &Request) -> Option<(&'static Operation, String)> {
    let changed = request.operation();
    let read = |path: &str| operation::<V>(|row| row.method == Method::GET && row.path == path);
    let target = request.target().split('?').next().unwrap_or_default();
    if let Some(same) = read(changed.path).filter(|_| changed.idempotency == Idempotency::Idempotent) {
        return Some((same, target.to_owned()));
    }
    let (thing, action) = changed.path.rsplit_once('/')?;
    if action.starts_with('{') || !thing.ends_with('}') || request.headers().get(header::IF_MATCH).is_none() {
        return None;
    }
    Some((read(thing)?, target.rsplit_once('/')?.0.to_owned()))
}

struct OutcomeResolver<'a> {
    pipeline: &'a Pipeline,
}

impl OutcomeResolver<'_> {
    /// The same request under the same key: the API answers what it answered first.
    async fn replay(&self, request: &Request) -> Result<Resolution, Error> {
        match request.clone().fetch_value(self.pipeline).await.map_err(Error::from) {
            Ok(answer) => Ok(Resolution::Applied { id: made(&answer) }),
            Err(error) => match error.outcome() {
                Outcome::Applied => Ok(Resolution::Applied { id: None }),
                // These refuse the request for what it says, so it was refused the first time as well.
                Outcome::NoEffect
                    if matches!(error.status().map(|status| status.as_u16()), Some(400 | 413 | 415 | 422)) =>
                {
                    Ok(Resolution::NotApplied)
                }
                _ => Err(error),
            },
        }
    }

    /// Compares what the thing is now with what the request wanted.
    async fn reread(&self, request: &Request, read: &'static Operation, target: String) -> Result<Resolution, Error> {
        let answer = match Request::to(read, target).fetch_value(self.pipeline).await.map_err(Error::from) {
            Ok(answer) => answer,
            Err(error) if request.operation().method == Method::DELETE && error.is_not_found() => {
                return Ok(Resolution::Applied { id: None });
            }
            Err(error) => return Err(error),
        };
        let if_match = request.headers().get(header::IF_MATCH).and_then(|tag| tag.to_str().ok());
        // Whatever changes the thing changes its tag.
        if let (Some(sent), Some(now)) = (if_match, answer.etag())
            && sent == now
        {
            return Ok(Resolution::NotApplied);
        }
        if request.operation().method == Method::DELETE {
            return Ok(Resolution::NotApplied);
        }
        let wanted = request.body().and_then(|body| serde_json::from_slice::<Value>(&body.bytes).ok());
        match wanted {
            Some(wanted) if holds(&wanted, answer.value()) => Ok(Resolution::Applied { id: None }),
            Some(_) => {
                Ok(Resolution::unknown("the thing is not what was wanted: it was not changed, or changed again"))
            }
            None if action_holds(request.operation(), answer.value()) => Ok(Resolution::Applied { id: None }),
            None => Ok(Resolution::unknown("it was changed since, by this call or by somebody else")),
        }
    }

    /// Looks for what was made, by the reference that was sent with it.
    async fn search(
        &self,
        request: &Request,
        search: &Search,
        list: &'static Operation,
        began: Timestamp,
    ) -> Result<Resolution, Error> {
        let body =
            request.body().and_then(|body| serde_json::from_slice::<Value>(&body.bytes).ok()).unwrap_or_default();
        let sent = search.by.iter().find_map(|by| Some((by, body.get(by.name)?.as_str()?.trim())));
        let Some((by, sent)) = sent else {
            return Ok(Resolution::unknown("nothing was sent by which it could be found"));
        };
        let mut pause = Duration::from_millis(500);
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            let found = self.matching(request.target(), by, sent, list, began).await?;
            match found.as_slice() {
                [] => {}
                [item] => {
                    let id = item.get(search.id).map(text);
                    return Ok(Resolution::Applied { id });
                }
                _ => return Ok(Resolution::unknown("there are several of that name")),
            }
        }
        Ok(Resolution::NotApplied)
    }

    async fn matching(
        &self,
        target: &str,
        by: &Reference,
        sent: &str,
        list: &'static Operation,
        began: Timestamp,
    ) -> Result<Vec<Value>, Error> {
        let Some(Pagination::Cursor { items, next, .. }) = list.pagination else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let mut page = Request::to(list, target).with_query("page_size", "100");
            if let Some(filter) = by.filter {
                page = page.with_query(filter, sent);
            }
            if let Some(cursor) = &cursor {
                page = page.with_query("start_after", cursor);
            }
            let answer = page.fetch::<Value>(self.pipeline).await?.into_value();
            let listed = answer.get(items).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let ours = |item: &&Value| {
                let same = item.get(by.name).and_then(Value::as_str).is_some_and(|name| name.trim() == sent);
                same && made_since(item, began)
            };
            found.extend(listed.iter().filter(ours).cloned());
            let after = match next {
                NextCursor::Field => answer.get("next_cursor").and_then(Value::as_str).map(str::to_owned),
                NextCursor::LastId => listed.last().and_then(|item| item.get("id")).map(text),
            };
            match after.filter(|after| !after.is_empty() && Some(after) != cursor.as_ref()) {
                Some(after) => cursor = Some(after),
                None => break,
            }
        }
        Ok(found)
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The id of what an answer says was made.
fn made(answer: &Response<Value>) -> Option<String> {
    let field =
        ["id", "request_id", "report_id", "job_id", "template_id"].iter().find_map(|name| answer.value().get(*name));
    field.map(text).or_else(|| answer.location_id().map(str::to_owned))
}

/// Whether an item is not older than the call; without a date it counts as new.
fn made_since(item: &Value, began: Timestamp) -> bool {
    let at = ["created_at", "create_date"].iter().find_map(|name| item.get(*name)?.as_str()?.parse::<Timestamp>().ok());
    at.is_none_or(|at| at >= began.saturating_sub(SKEW).unwrap_or(Timestamp::MIN))
}

/// The state of a fielding run after each action on it.
const ACTIONS: [(&str, &str); 5] =
    [("pause", "paused"), ("resume", "live"), ("relaunch", "live"), ("launch-now", "live"), ("complete", "completed")];

/// Whether a thing is in the state that an action brings about.
fn action_holds(operation: &Operation, now: &Value) -> bool {
    let action = operation.path.rsplit('/').next().unwrap_or_default();
    let status = now.get("status").and_then(Value::as_str).unwrap_or_default();
    ACTIONS.iter().any(|(name, state)| *name == action && state.eq_ignore_ascii_case(status))
}

/// Whether everything that was wanted is so now; what the thing says beyond that does not matter.
fn holds(wanted: &Value, now: &Value) -> bool {
    match (wanted, now) {
        (Value::Object(wanted), Value::Object(now)) => {
            wanted.iter().all(|(key, value)| now.get(key).map_or(value.is_null(), |now| holds(value, now)))
        }
        (Value::Array(wanted), Value::Array(now)) => {
            wanted.len() == now.len() && wanted.iter().zip(now).all(|(wanted, now)| holds(wanted, now))
        }
        // The same id is a number here and text there, the same amount has more digits, the same moment fewer.
        (wanted, now) if wanted == now => true,
        (wanted, now) => same_text(&text(wanted), &text(now)),
    }
}

fn same_text(wanted: &str, now: &str) -> bool {
    let number = |text: &str| text.parse::<rust_decimal::Decimal>().ok();
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    wanted.trim() == now.trim()
        || number(wanted).is_some_and(|wanted| number(now) == Some(wanted))
        || moment(wanted).is_some_and(|wanted| moment(now) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_wanted_holds_whatever_else_there_is() {
        let now = json!({"name": "a", "price": {"value": "2.730000"}, "at": "2026-11-24T10:00:00Z", "id": 5, "x": [1]});
        for (wanted, is) in [
            (json!({"name": "a"}), true),
            (json!({"name": "b"}), false),
            (json!({"price": {"value": "2.73"}}), true),
            (json!({"at": "2026-11-24T10:00:00.000Z"}), true),
            (json!({"id": "5"}), true),
            (json!({"gone": null}), true),
            (json!({"gone": 1}), false),
            (json!({"x": [1, 2]}), false),
        ] {
            assert_eq!(holds(&wanted, &now), is, "{wanted}");
        }
    }

    #[test]
    fn what_is_older_than_the_call_is_not_its_work() {
        let began: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        assert!(made_since(&json!({"created_at": "2026-11-24T10:00:01Z"}), began));
        assert!(made_since(&json!({"created_at": "2026-11-24T09:59:00Z"}), began));
        assert!(!made_since(&json!({"created_at": "2026-11-24T09:00:00Z"}), began));
        assert!(made_since(&json!({}), began));
    }
}
