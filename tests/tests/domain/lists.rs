//! Lists of 10,000 items in each style of pages, served by a server of a dozen lines: all arrive, once each, in
//! order; a short or an empty page is no end; a circle is an error; a cursor goes on elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::{Json, Router};
use cintx::{Client, Version};
use serde_json::{Value, json};

/// What a page shall look like: told where it begins, says what the answer is.
type Pager = dyn Fn(&PageQuery) -> Value + Send + Sync;

#[derive(Debug, serde::Deserialize)]
struct PageQuery {
    start_after: Option<String>,
    page_size: Option<usize>,
}

struct Server {
    pager: Box<Pager>,
    requests: AtomicUsize,
}

/// A client of a server that answers everything with pages.
async fn client<V: Version>(pager: impl Fn(&PageQuery) -> Value + Send + Sync + 'static) -> (Client<V>, Arc<Server>) {
    let server = Arc::new(Server { pager: Box::new(pager), requests: AtomicUsize::new(0) });
    let answer = |State(server): State<Arc<Server>>, Query(asked): Query<PageQuery>| async move {
        server.requests.fetch_add(1, Ordering::Relaxed);
        match (server.pager)(&asked) {
            // A page that is not there for now.
            Value::Null => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            page => Json(page).into_response(),
        }
    };
    let router = Router::new().fallback(answer).with_state(Arc::clone(&server));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let cint = Client::builder().token("t").account(1).api_url(format!("http://{address}")).build().unwrap();
    (cint, server)
}

const ALL: usize = 10_000;

fn project(number: usize) -> Value {
    json!({ "id": number.to_string(), "name": format!("project {number}") })
}

/// A page that begins after a number, shorter than asked for, and at times empty.
fn projects(asked: &PageQuery) -> Value {
    let (from, empty) = match asked.start_after.as_deref() {
        Some(after) => (after.trim_start_matches("after ").parse().unwrap(), after.contains("after ")),
        None => (0, false),
    };
    let size = asked.page_size.unwrap_or(10) - 1;
    if !empty && from % 7 == 3 {
        return json!({ "projects": [], "has_more": true, "next_cursor": format!("after {from}") });
    }
    let end = (from + size).min(ALL);
    let items: Vec<Value> = (from..end).map(project).collect();
    json!({ "projects": items, "has_more": end < ALL, "next_cursor": if end < ALL { end.to_string() } else { String::new() } })
}

#[cfg(feature = "v2025-12-18")]
type Newest = cintx::V2025_12_18;

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn ten_thousand_items_come_by_cursor() {
    let (cint, server) = client::<Newest>(projects).await;
    let mut items = cint.projects().list().page_size(100).stream();
    let mut seen = 0;
    while let Some(item) = items.try_next().await.unwrap() {
        assert_eq!(item.id.as_str(), seen.to_string());
        seen += 1;
    }
    assert_eq!(seen, ALL);
    let requests = server.requests.load(Ordering::Relaxed);
    assert!(requests >= ALL / 99, "{requests}");
}

/// Reconciliations and their target groups say by the cursor alone that there is no more.
#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn ten_thousand_reconciliations_and_their_target_groups_come_by_cursor() {
    let pages = |asked: &PageQuery| {
        let mut page = projects(asked);
        let mut items = page["projects"].take();
        page["reconciliation_requests"] = items.clone();
        for item in items.as_array_mut().unwrap() {
            item["target_group_id"] = item["id"].take();
        }
        page["target_groups"] = items;
        page["has_more"] = Value::Null;
        page
    };
    let (cint, _) = client::<Newest>(pages).await;
    let all = cint.reconciliations().list().page_size(100).stream().collect().await.unwrap();
    assert_eq!(all.len(), ALL);
    assert!(all.iter().zip(0..).all(|(item, number): (_, usize)| item.id.as_str() == number.to_string()));
    let groups = cint.reconciliations().existing(&all[0]).target_groups();
    let groups = groups.page_size(100).stream().collect().await.unwrap();
    assert_eq!(groups.len(), ALL);
    assert!(groups.iter().zip(0..).all(|(item, number): (_, usize)| item.id.as_str() == number.to_string()));
    let eligible = cint.reconciliations().eligible().page_size(100).stream().collect().await.unwrap();
    assert_eq!(eligible.len(), ALL);
    assert!(eligible.iter().zip(0..).all(|(item, number): (_, usize)| item.id.as_str() == number.to_string()));
}

/// 2024-12-02 says that there is more, and has no way to ask for it.
#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn a_list_that_cannot_go_on_says_that_it_is_cut_short() {
    for (cursor, cut_short) in [(json!("x"), true), (json!(""), false), (Value::Null, false)] {
        let page = json!({ "target_groups": [{ "target_group_id": "1" }], "next_cursor": cursor });
        let (cint, _) = client::<cintx::V2024_12_02>(move |_| page.clone()).await;
        let eligible = cint.reconciliations().eligible_in("2026-11").await.unwrap();
        assert_eq!((eligible.target_groups.len(), eligible.cut_short), (1, cut_short));
    }
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn pages_that_fail_at_first_come_all_the_same() {
    let left = Arc::new(AtomicUsize::new(3));
    let failing = Arc::clone(&left);
    let at_times = move |asked: &PageQuery| {
        let from: usize = asked.start_after.as_deref().map_or(0, |it| it.trim_start_matches("after ").parse().unwrap());
        let fails = from > 1_000;
        if fails && failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Value::Null;
        }
        projects(asked)
    };
    let (cint, _) = client::<Newest>(at_times).await;
    let items = cint.projects().list().page_size(100).stream().collect().await.unwrap();
    assert_eq!(items.len(), ALL);
    assert_eq!(left.load(Ordering::Relaxed), 0, "three pages failed at first");
    assert!(items.iter().zip(0..).all(|(item, number): (_, usize)| item.id.as_str() == number.to_string()));
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn pages_come_when_asked_for_and_go_on_elsewhere() {
    let (cint, server) = client::<Newest>(projects).await;
    let mut pages = cint.projects().list().page_size(51).pages();
    assert_eq!(server.requests.load(Ordering::Relaxed), 0, "nothing is fetched before it is asked for");
    let first = pages.try_next().await.unwrap().unwrap();
    assert_eq!((first.items.len(), server.requests.load(Ordering::Relaxed)), (50, 1));
    let kept = first.next.unwrap().to_string();
    let rest = cint
        .projects()
        .list()
        .page_size(51)
        .start_after(cintx::paging::Cursor::new(kept))
        .stream()
        .collect()
        .await
        .unwrap();
    assert_eq!((rest.len(), rest[0].id.as_str()), (ALL - 50, "50"));
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn a_circle_is_an_error() {
    let circle = |asked: &PageQuery| {
        let at: usize = asked.start_after.as_deref().map_or(0, |after| after.parse().unwrap());
        let next = if at < 8 { at + 1 } else { 3 };
        json!({ "projects": [project(at)], "has_more": true, "next_cursor": next.to_string() })
    };
    let (cint, server) = client::<Newest>(circle).await;
    let error = cint.projects().list().stream().collect().await.unwrap_err();
    assert_eq!(error.repeated_cursor().unwrap().operation(), "list_account_projects");
    assert!(server.requests.load(Ordering::Relaxed) < 40);

    let lost = |_: &PageQuery| json!({ "projects": [project(1)], "has_more": true, "next_cursor": null });
    let (cint, _) = client::<Newest>(lost).await;
    let error = cint.projects().list().stream().collect().await.unwrap_err();
    assert!(error.to_string().contains("next_cursor"), "{error}");
}

/// Where the last id is the only cursor, an empty page that promises more cannot be gone on from.
#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn an_empty_page_that_promises_more_is_not_the_end() {
    let webhook = |number: usize| json!({ "id": number.to_string(), "url": "https://hooks.example/", "events": [] });
    let empty = move |asked: &PageQuery| match asked.start_after {
        None => json!({ "webhooks": [webhook(1)], "has_more": true }),
        Some(_) => json!({ "webhooks": [], "has_more": true }),
    };
    let (cint, _) = client::<Newest>(empty).await;
    let error = cint.webhooks().list().stream().collect().await.unwrap_err();
    assert!(error.to_string().contains("get_webhooks"), "{error}");

    let silent = move |asked: &PageQuery| match asked.start_after {
        None => json!({ "webhooks": [webhook(1)] }),
        Some(_) => json!({ "webhooks": [] }),
    };
    let (cint, _) = client::<Newest>(silent).await;
    assert_eq!(cint.webhooks().list().stream().collect().await.unwrap().len(), 1, "an empty page alone is the end");
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn a_page_size_out_of_range_is_refused_unsent() {
    let (cint, server) = client::<Newest>(projects).await;
    for size in [0, 101] {
        let error = cint.projects().list().page_size(size).stream().collect().await.unwrap_err();
        assert_eq!(error.invalid_fields()[0].field(), "page_size");
    }
    let error = cint.projects().list().search("abc").stream().collect().await.unwrap_err();
    assert_eq!(error.invalid_fields()[0].field(), "search");
    assert_eq!(server.requests.load(Ordering::Relaxed), 0);
}
