//! Ten thousand items over HTTP in bad weather, in each way in which a list of the domain is divided: pages are short
//! or empty in the middle, connections break, servers are busy. Every item comes once, in order, and no page is
//! fetched before the items of the one before are used up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cintx::client::RetryPolicy;
use cintx::paging::ItemStream;
use cintx::{Client, ProjectId, TargetGroupId, Version};
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Server};
use serde_json::{Value, json};

const ALL: usize = 10_000;

/// How a list is divided into pages.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// `next_cursor`, and `has_more` beside it.
    CursorAndMore,
    /// `next_cursor` alone.
    Cursor,
    /// `has_more` alone: the id of the last item is the cursor.
    LastId,
    /// A page's number; an empty page is the end.
    Number,
}

/// A list of which every few pages something goes wrong first.
struct BadWeather {
    style: Style,
    /// The name of the array.
    items: &'static str,
    item: fn(usize) -> Value,
    requests: AtomicUsize,
    faults: AtomicUsize,
    /// The items of all pages that left in one piece.
    served: AtomicUsize,
    odd_pages: AtomicUsize,
}

impl BadWeather {
    /// A page: where it begins, where it ends, and what says where the next one is.
    fn page(&self, request: &Received) -> (std::ops::Range<usize>, Value) {
        let asked = |name: &str| {
            let query = request.target.split_once('?')?.1;
            query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, it)| it)
        };
        let size: usize = asked("page_size").unwrap().parse().unwrap();
        if let Style::Number = self.style {
            let page: usize = asked("page_number").map_or(0, |page| page.parse().unwrap());
            // Of five pages the third lacks seven items.
            let begin = |page: usize| (page * size - 7 * ((page + 2) / 5)).min(ALL);
            return (begin(page)..begin(page + 1), json!({}));
        }
        if let Style::LastId = self.style {
            let at = asked("start_after").map_or(0, |last| last.parse::<usize>().unwrap() + 1);
            // Never empty: such a page has no last item from which to go on.
            let end = (at + size - at % 7).min(ALL);
            return (at..end, json!({ "has_more": end < ALL }));
        }
        let from = asked("start_after").unwrap_or("0");
        let (at, again): (usize, bool) = match from.strip_prefix("again-") {
            Some(at) => (at.parse().unwrap(), true),
            None => (from.parse().unwrap(), false),
        };
        let empty = !again && at % 7 == 3;
        let end = if empty { at } else { (at + size - at % 3).min(ALL) };
        let next = if empty { format!("again-{at}") } else { end.to_string() };
        let next = (end < ALL).then_some(next);
        let about = match self.style {
            Style::CursorAndMore => json!({ "next_cursor": next, "has_more": end < ALL }),
            _ => json!({ "next_cursor": next }),
        };
        (at..end, about)
    }
}

impl Behaviour for BadWeather {
    fn deed(&self, request: &Received) -> Deed {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let (range, mut page) = self.page(request);
        let items = range.len();
        page[self.items] = range.map(self.item).collect();
        let answer = Answer::json(200, page.to_string());
        let fault = match number {
            _ if number % 17 == 5 => Deed::Answer(Answer::json(503, "{}")),
            _ if number % 19 == 7 => Deed::Reset,
            _ if number % 23 == 11 => Deed::Truncate(answer),
            _ => {
                self.served.fetch_add(items, Ordering::Relaxed);
                self.odd_pages.fetch_add(usize::from(items % 10 != 0), Ordering::Relaxed);
                return Deed::Answer(answer);
            }
        };
        self.faults.fetch_add(1, Ordering::Relaxed);
        fault
    }
}

/// Reads a list to its end; `number` tells an item's.
async fn read<V: Version, T>(
    (style, items, item): (Style, &'static str, fn(usize) -> Value),
    page_size: u16,
    list: impl Fn(&Client<V>, u16) -> ItemStream<T>,
    number: impl Fn(&T) -> usize,
) {
    let counted = || AtomicUsize::new(0);
    let (requests, faults, served, odd_pages) = (counted(), counted(), counted(), counted());
    let weather = Arc::new(BadWeather { style, items, item, requests, faults, served, odd_pages });
    let server = Server::start(Arc::<BadWeather>::clone(&weather)).await;
    let hasty = RetryPolicy::standard().backoff(Duration::from_millis(1), Duration::from_millis(2));
    let cint = Client::<V>::builder().token("t").account(1).api_url(server.url()).retry(hasty).build().unwrap();
    let mut stream = list(&cint, page_size);
    let mut seen = 0;
    while let Some(item) = stream.try_next().await.unwrap() {
        assert_eq!(number(&item), seen, "{style:?}");
        // What left the server and was not handed on yet is all that can be in memory.
        let alive = weather.served.load(Ordering::Relaxed) - seen;
        assert!(alive <= usize::from(page_size), "{style:?}: {alive} items were in memory at once");
        seen += 1;
    }
    assert_eq!((seen, weather.served.load(Ordering::Relaxed)), (ALL, ALL), "{style:?}");
    assert!(weather.faults.load(Ordering::Relaxed) >= 10, "the weather was too good");
    assert!(weather.odd_pages.load(Ordering::Relaxed) >= 10, "the pages were too regular");
}

/// Both ways with a cursor, which every version has.
async fn by_cursor<V: Version>() {
    let project = |number: usize| json!({ "id": number.to_string(), "name": format!("project {number}") });
    let projects = (Style::CursorAndMore, "projects", project as fn(usize) -> Value);
    let list = |cint: &Client<V>, size| cint.projects().list().page_size(size).stream();
    read(projects, 100, list, |it| it.id.as_str().parse().unwrap()).await;

    let entry = |number: usize| json!({ "id": number.to_string() });
    let changelog = (Style::Cursor, "changelog", entry as fn(usize) -> Value);
    let list = |cint: &Client<V>, size| {
        let group = cint.project(ProjectId::new("P")).target_group(TargetGroupId::new("G"));
        group.changelog().page_size(size).stream()
    };
    read(changelog, 50, list, |it| it.id.parse().unwrap()).await;
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn by_cursor_in_the_first_version() {
    by_cursor::<cintx::V2024_12_02>().await;
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn by_cursor_in_the_second_version() {
    by_cursor::<cintx::V2025_02_17>().await;
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn by_cursor_in_the_newest_version() {
    by_cursor::<cintx::V2025_12_18>().await;
}

/// Webhooks, whose list has no cursor but the last id from 2025-02-17 on, and `next_cursor` alone before.
async fn webhooks<V: Version>(style: Style) {
    let webhook = |number: usize| json!({ "id": number.to_string(), "url": "https://hooks.example/", "events": [] });
    let webhooks = (style, "webhooks", webhook as fn(usize) -> Value);
    let list = |cint: &Client<V>, size| cint.webhooks().list().page_size(size).stream();
    read(webhooks, 100, list, |it| it.id().as_str().parse().unwrap()).await;
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn webhooks_of_the_first_version() {
    webhooks::<cintx::V2024_12_02>(Style::Cursor).await;
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn webhooks_of_the_second_version_by_last_id() {
    webhooks::<cintx::V2025_02_17>(Style::LastId).await;
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn webhooks_of_the_newest_version_by_last_id() {
    webhooks::<cintx::V2025_12_18>(Style::LastId).await;
}

/// Only the newest version has a list with numbered pages.
#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn by_number() {
    let client = |number: usize| json!({ "id": number, "name": format!("client {number}") });
    let clients = (Style::Number, "clients", client as fn(usize) -> Value);
    let list = |cint: &Client<cintx::V2025_12_18>, size| cint.clients().page_size(size).stream();
    read(clients, 100, list, |it| usize::try_from(it.id.get()).unwrap()).await;
}
