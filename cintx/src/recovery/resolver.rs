//! Looks up what a write with a lost answer did: by its key, by the thing it changed, or by the thing it made.
//! Absence, or a thing that is still unchanged, is believed only when the API cannot be at work on it any more.

use std::time::Duration;

use cintx_raw::{Idempotency, NextCursor, Operation, Pagination, Request, Response};
use http::{Method, StatusCode, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Resolution;
use super::compare::{Elsewhere, compare, holds, text};
use crate::error::{Error, Outcome};
use crate::http::Pipeline;

/// Lists lag behind what was written: absence is believed after looks over this long at least.
const LIST_LAG: Duration = Duration::from_millis(3_500);
/// Between the first looks; each wait is twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(8);
/// The statuses by which the API refuses a request for good: for what it says, or for what is there.
const REFUSALS: [u16; 9] = [400, 404, 409, 410, 412, 413, 415, 422, 428];
/// Pages of a list that are looked through. A longer list proves no absence.
const MAX_PAGES: usize = 200;

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

/// What begins a reference that only this SDK gives; a ULID follows.
const OWN_REFERENCE: &str = "cintx-";

/// A reference that no other thing has.
pub(crate) fn own_reference() -> String {
    format!("{OWN_REFERENCE}{}", crate::types::ids::new_ulid())
}

/// The reference of what a program calls by this name in a project: the same in every process, today and tomorrow.
pub(crate) fn derived_reference(project: &str, name: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["cintx reference 1", project, name] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    format!("{OWN_REFERENCE}{}", ulid::Ulid::from_bytes(bytes))
}

fn is_own_reference(text: &str) -> bool {
    text.strip_prefix(OWN_REFERENCE).is_some_and(|id| ulid::Ulid::from_string(id).is_ok())
}

/// The call that is looked up, beside its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    /// For how long the API has been at work on it, at least.
    pub(super) since: Duration,
    /// The ids of the things that looked the same before it was sent; `None` if nobody looked.
    pub(super) known_before: Option<&'a [String]>,
    /// Whether an answer came that ends the work: it was done by then, or never is.
    pub(super) ended: bool,
}

pub(crate) struct OutcomeResolver<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) operations: &'static [&'static Operation],
}

impl OutcomeResolver<'_> {
    fn operation(&self, is: impl Fn(&Operation) -> bool) -> Option<&'static Operation> {
        self.operations.iter().find(|row| is(row)).copied()
    }

    /// The same request under the same key: the API answers what it answered first. The status if it is refused for
    /// what it says, or for what is there. That proves nothing of the first attempt: a gateway may have said it, the
    /// moment that the request names has passed since, or the first attempt is why.
    pub(super) async fn replay(&self, request: &Request) -> Result<Result<Resolution, StatusCode>, Error> {
        match request.clone().fetch_value(self.pipeline).await.map_err(Error::from) {
            Ok(answer) => Ok(Ok(Resolution::Applied { id: created_id(&answer) })),
            Err(error) => match (error.outcome(), error.status()) {
                (Outcome::Applied, _) => Ok(Ok(Resolution::Applied { id: None })),
                (Outcome::NoEffect, Some(status)) if REFUSALS.contains(&status.as_u16()) => Ok(Err(status)),
                _ => Err(error),
            },
        }
    }

    /// Looks up a write without a key.
    pub(super) async fn look_up(
        &self,
        request: &Request,
        circumstances: Circumstances<'_>,
    ) -> Result<Resolution, Error> {
        if let Some((search, list)) = self.search_for(request) {
            return self.search(request, search, list, circumstances).await;
        }
        match self.resource(request) {
            Some((read, target)) => self.reread(request, read, target, circumstances).await,
            None => Ok(Resolution::unknown("the API offers no way to look this up")),
        }
    }

    /// The ids of the things that a create, not sent yet, could be taken for: `None` if they cannot be listed.
    pub(crate) async fn known_before(&self, request: &Request) -> Option<Vec<String>> {
        let (search, list) = self.search_for(request)?;
        let sent = Sent::of(request, search)?;
        let Listed { items, complete } = self.alike(request.target(), &sent, search, list).await.ok()?;
        complete.then(|| items.iter().filter_map(|item| item.get(search.id).map(text)).collect())
    }

    fn search_for(&self, request: &Request) -> Option<(&'static Search, &'static Operation)> {
        let search = SEARCHES.iter().find(|search| search.create == request.operation().id)?;
        Some((search, self.operation(|row| row.id == search.list)?))
    }

    /// The operation that reads what a request changes, and its address: the GET of the same path, or of the path
    /// without its last segment, where that names an action (`.../pause`).
    fn resource(&self, request: &Request) -> Option<(&'static Operation, String)> {
        let changed = request.operation();
        let read = |path: &str| self.operation(|row| row.method == Method::GET && row.path == path);
        let target = request.target().split('?').next().unwrap_or_default();
        // What sets a state can be seen in it, whether it took a key or not.
        let sets_state = changed.idempotency == Idempotency::Idempotent || changed.method == Method::PUT;
        if let Some(same) = read(changed.path).filter(|_| sets_state) {
            return Some((same, target.to_owned()));
        }
        if let Some(elsewhere) = Elsewhere::of(request) {
            let there = |path: &str| Some(format!("{}{}", path.strip_suffix(elsewhere.written)?, elsewhere.read));
            let (path, target) = (there(changed.path)?, there(target)?);
            // What the second edition of an operation changed may be shown by the first edition of another.
            let first = |path: &str| path.replacen("/demand/v2/", "/demand/", 1);
            let of_first = (first(&path), first(&target));
            return [(path, target), of_first].into_iter().find_map(|(path, target)| Some((read(&path)?, target)));
        }
        let (thing, action) = changed.path.rsplit_once('/')?;
        if action.starts_with('{') || !thing.ends_with('}') || request.headers().get(header::IF_MATCH).is_none() {
            return None;
        }
        Some((read(thing)?, target.rsplit_once('/')?.0.to_owned()))
    }

    /// Compares what the thing is now with what the request wanted.
    async fn reread(
        &self,
        request: &Request,
        read: &'static Operation,
        target: String,
        circumstances: Circumstances<'_>,
    ) -> Result<Resolution, Error> {
        let mut looks = Looks::new(self.pipeline, circumstances);
        loop {
            let got = Request::to(read, target.clone()).fetch_value(self.pipeline).await.map_err(Error::from);
            match compare(request, got)? {
                // It may still come.
                Resolution::NotApplied if looks.again().await => {}
                resolution => return Ok(resolution),
            }
        }
    }

    /// Looks for what was made, by the reference that was sent with it.
    async fn search(
        &self,
        request: &Request,
        search: &Search,
        list: &'static Operation,
        circumstances: Circumstances<'_>,
    ) -> Result<Resolution, Error> {
        let Some(sent) = Sent::of(request, search) else {
            return Ok(Resolution::unknown("nothing was sent by which it could be found"));
        };
        let mut looks = Looks::new(self.pipeline, circumstances);
        loop {
            let Listed { mut items, complete } = self.alike(request.target(), &sent, search, list).await?;
            let known = circumstances.known_before.unwrap_or_default();
            let id = |item: &Value| item.get(search.id).map(text);
            items.retain(|item| id(item).is_none_or(|id| !known.contains(&id)));
            match items.as_slice() {
                [] if looks.again().await => {}
                [] if complete => return Ok(Resolution::NotApplied),
                [] => return Ok(Resolution::unknown("the list of what there is cannot be read to its end")),
                [item] if sent.is_own || (circumstances.known_before.is_some() && sent.holds_in(item, search.id)) => {
                    return Ok(Resolution::Applied { id: id(item) });
                }
                [_] if circumstances.known_before.is_some() => {
                    return Ok(Resolution::unknown("there is a new one of that name that differs from what was sent"));
                }
                [_] => return Ok(Resolution::unknown("there is one like it, which may be older than the call")),
                _ => return Ok(Resolution::unknown("there are several like it")),
            }
        }
    }

    /// What a list has that looks like what was sent.
    async fn alike(
        &self,
        target: &str,
        sent: &Sent,
        search: &Search,
        list: &'static Operation,
    ) -> Result<Listed, Error> {
        let mut found = Listed { items: Vec::new(), complete: false };
        let Some(Pagination::Cursor { items, next, .. }) = list.pagination else { return Ok(found) };
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut page =
                Request::to(list, target.split('?').next().unwrap_or_default()).with_query("page_size", "100");
            if let Some(filter) = sent.by.filter {
                page = page.with_query(filter, &sent.reference);
            }
            if let Some(cursor) = &cursor {
                page = page.with_query("start_after", cursor);
            }
            let answer = page.fetch::<Value>(self.pipeline).await?.into_value();
            let Some(listed) = answer.get(items).and_then(Value::as_array) else { return Ok(found) };
            for item in listed {
                match item.get(sent.by.name) {
                    // An item that does not say what it is called, or what its id is, may be the one.
                    None => return Ok(found),
                    Some(_) if item.get(search.id).is_none() => return Ok(found),
                    Some(name) if text(name).trim() == sent.reference.trim() => found.items.push(item.clone()),
                    Some(_) => {}
                }
            }
            // Where a list says that there is no more, there is none; and where it says that there is, its end was not
            // read before it says so no longer.
            let has_more = answer.get("has_more").and_then(Value::as_bool);
            let more = has_more.unwrap_or(true);
            let after = match next {
                _ if !more => None,
                NextCursor::Field => answer.get("next_cursor").and_then(Value::as_str).map(str::to_owned),
                NextCursor::LastId => listed.last().and_then(|item| item.get("id")).map(text),
            };
            match after.filter(|after| !after.is_empty()) {
                // A list in circles has no end.
                Some(after) if Some(&after) == cursor.as_ref() => return Ok(found),
                Some(after) => cursor = Some(after),
                None if has_more == Some(true) => return Ok(found),
                None => {
                    found.complete = true;
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}

/// What was found in a list, and whether all of it was read.
struct Listed {
    items: Vec<Value>,
    complete: bool,
}

/// What was sent, as far as a list can show it again.
struct Sent {
    body: Value,
    by: &'static Reference,
    reference: String,
    /// The reference is one that nothing else has.
    is_own: bool,
}

impl Sent {
    fn of(request: &Request, search: &Search) -> Option<Self> {
        let body: Value = serde_json::from_slice(&request.body()?.bytes).ok()?;
        let (by, reference) = search.by.iter().find_map(|by| Some((by, body.get(by.name)?.as_str()?)))?;
        let (reference, is_own) = (reference.to_owned(), is_own_reference(reference));
        Some(Self { body, by, reference, is_own })
    }

    /// Whether an item is what was sent in all that it shows of it. Lists and objects are written in more than one way,
    /// so they are not compared; nor is the id, which is the API's to give.
    fn holds_in(&self, item: &Value, id: &str) -> bool {
        let plain = |value: &Value| !matches!(value, Value::Array(_) | Value::Object(_));
        let sent = self.body.as_object().into_iter().flatten();
        let sent = sent.filter(|(name, value)| *name != id && plain(value));
        sent.filter_map(|(name, sent)| Some((sent, item.get(name)?))).all(|(sent, now)| holds(sent, now))
    }
}

/// Looks at what cannot be seen yet: with waits that grow, until the API cannot be at work on the write any more.
pub(crate) struct Looks {
    until: tokio::time::Instant,
    wait: Duration,
}

impl Looks {
    fn new(pipeline: &Pipeline, circumstances: Circumstances<'_>) -> Self {
        let left = if circumstances.ended {
            Duration::ZERO
        } else {
            pipeline.shared.timeouts.processing.saturating_sub(circumstances.since)
        };
        Self::during(left.max(LIST_LAG))
    }

    /// From now on, the last look at the end.
    pub(crate) fn during(time: Duration) -> Self {
        let now = tokio::time::Instant::now();
        // What cannot be counted is as good as for ever.
        let far = now + Duration::from_secs(86_400 * 365);
        Self { until: now.checked_add(time).unwrap_or(far), wait: FIRST_WAIT }
    }

    /// Waits for another look; `false` if the last one was the last.
    pub(crate) async fn again(&mut self) -> bool {
        let now = tokio::time::Instant::now();
        if now >= self.until {
            return false;
        }
        tokio::time::sleep_until((now + self.wait).min(self.until)).await;
        self.wait = (self.wait * 2).min(MAX_WAIT);
        true
    }
}

/// The id of what an answer says was made.
fn created_id(answer: &Response<Value>) -> Option<String> {
    let field =
        ["id", "request_id", "report_id", "job_id", "template_id"].iter().find_map(|name| answer.value().get(*name));
    field.map(text).or_else(|| answer.location_id().map(str::to_owned))
}
