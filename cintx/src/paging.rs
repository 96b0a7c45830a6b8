//! Lists: streams of items or pages, resumable by cursor, for each of the API's ways to paginate. Pages are fetched one
//! at a time on demand, so memory does not grow with the list.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::task::{Context, Poll};

use cintx_raw::{NextCursor, Operation, Pagination};
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use serde::{Deserialize, Serialize};

use crate::client::CallOptions;
use crate::error::{Error, FieldError, text_length};
use crate::sealed::Sealed;

/// The characters that the API takes in a text to search for.
const SEARCH_CHARS: RangeInclusive<usize> = 5..=128;

/// Refuses a text to search for that is too short or too long.
pub(crate) fn check_search(text: Option<&str>) -> Result<(), Error> {
    Error::check(text.and_then(|text| text_length("search", text, SEARCH_CHARS)))
}

/// A place in a list: keep it to go on later, in another process if need be. Opaque; only its own list can read it.
///
/// ```
/// # use cintx::paging::Cursor;
/// let kept = Cursor::new("01JABCDEFGHJKMNPQRSTVWXYZ0").to_string();
/// assert_eq!(Cursor::new(kept).as_str(), "01JABCDEFGHJKMNPQRSTVWXYZ0");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(Box<str>);

impl Cursor {
    /// A cursor that was kept as text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The cursor as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// Its items; there may be fewer than were requested, or none, though more pages follow.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Cursor>,
}

/// A list about to be read: filters first, then [`stream`](Self::stream) or [`pages`](Self::pages).
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// let mut projects = cint.projects().list().page_size(100).stream();
/// while let Some(project) = projects.try_next().await? {
///     println!("{}", project.id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is fetched before its stream is polled"]
pub struct ListRequest<Q> {
    pub(crate) source: Q,
    page_size: Option<u16>,
    from: Option<Cursor>,
}

impl<Q: ListQuery> ListRequest<Q> {
    pub(crate) fn new(source: Q) -> Self {
        Self { source, page_size: None, from: None }
    }

    /// How many items a page has: 1 to 100 (1 to 1,000 for some exclusion lists). Cint's own default if not set.
    pub fn page_size(mut self, items: u16) -> Self {
        self.page_size = Some(items);
        self
    }

    /// Goes on where a [`Page`] ended.
    pub fn start_after(mut self, from: Cursor) -> Self {
        self.from = Some(from);
        self
    }

    /// Other options for the requests of this list alone: retries, time limits, headers. They go before the client's.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use std::time::Duration;
    /// use cintx::client::{CallOptions, OperationTimeouts};
    ///
    /// let hasty = OperationTimeouts::new(Duration::from_secs(5), Duration::from_secs(15));
    /// let projects = cint.projects().list().with(CallOptions::new().limits(hasty)).stream().collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with(mut self, options: CallOptions) -> Self {
        self.source.set_options(options);
        self
    }

    /// The items, page after page.
    pub fn stream(self) -> ItemStream<Q::Item> {
        ItemStream { items: Vec::new().into_iter(), pages: self.pages() }
    }

    /// The pages, each with the cursor of the next.
    pub fn pages(self) -> PageStream<Q::Item> {
        let Self { source, page_size, from } = self;
        let start = Some((source, Watch::default(), from, None));
        let pages = futures_util::stream::try_unfold(start, move |state| async move {
            let Some((source, mut watch, from, before)) = state else { return Ok(None) };
            if page_size.is_some_and(|size| size == 0 || size > Q::MAX_PAGE) {
                let reason = format!("is {}, expected 1 to {}", page_size.unwrap_or_default(), Q::MAX_PAGE);
                return Err(Error::invalid(vec![FieldError::new("page_size", reason)]));
            }
            let ask = PageRequest { from, page_size };
            let batch = source.page(&ask).await?;
            let (operation, mark) = (batch.operation, batch.mark);
            // What ignores the page's number gives the same page for ever: the list has ended.
            if mark.is_some() && mark == before {
                return Ok(None);
            }
            let page = batch.into_page(&ask)?;
            let state = match &page.next {
                Some(next) if watch.came_round(next) => {
                    return Err(Error::other(RepeatedCursor { operation: operation.id, cursor: next.clone() }));
                }
                Some(next) => Some((source, watch, Some(next.clone()), mark)),
                None => None,
            };
            Ok(Some((page, state)))
        });
        PageStream(pages.boxed())
    }
}

/// What a list is of, and its filters. Only this crate has them; the trait is there to be named, in helpers that take
/// any list.
///
/// ```
/// use cintx::Error;
/// use cintx::paging::{ListQuery, ListRequest};
///
/// /// How many items a list has.
/// async fn count<Q: ListQuery>(list: ListRequest<Q>) -> Result<usize, Error> {
///     let (mut pages, mut count) = (list.pages(), 0);
///     while let Some(page) = pages.try_next().await? {
///         count += page.items.len();
///     }
///     Ok(count)
/// }
///
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Error> {
/// println!("{} projects, {} webhooks", count(cint.projects().list()).await?, count(cint.webhooks().list()).await?);
/// # Ok(())
/// # }
/// ```
pub trait ListQuery: Sealed + Send + Sync + 'static {
    /// What it lists.
    type Item: Send + 'static;
    /// The largest page size.
    #[doc(hidden)]
    const MAX_PAGE: u16 = 100;
    #[doc(hidden)]
    fn set_options(&mut self, options: CallOptions);
    #[doc(hidden)]
    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<Self::Item>, Error>>;
}

/// Which page is wanted.
#[derive(Debug)]
#[doc(hidden)]
pub struct PageRequest {
    from: Option<Cursor>,
    page_size: Option<u16>,
}

impl PageRequest {
    /// The first page, of this size.
    pub(crate) fn first(items: u16) -> Self {
        Self { from: None, page_size: Some(items) }
    }

    /// The value of `start_after`.
    pub(crate) fn start_after(&self) -> Option<String> {
        self.from.as_ref().map(ToString::to_string)
    }

    /// The value of `page_size`.
    pub(crate) fn page_size(&self) -> Option<i64> {
        self.page_size.map(i64::from)
    }
}

/// A page as a wire file reads it.
#[derive(Debug)]
#[doc(hidden)]
pub struct RawPage<T> {
    pub(crate) operation: &'static Operation,
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
    pub(crate) has_more: Option<bool>,
    pub(crate) last_id: Option<String>,
    /// What tells it from the page before, where pages have numbers.
    pub(crate) mark: Option<u64>,
}

impl<T> RawPage<T> {
    pub(crate) fn new(operation: &'static Operation, items: Vec<T>) -> Self {
        Self { operation, items, next_cursor: None, has_more: None, last_id: None, mark: None }
    }

    /// The cursor that the answer gave.
    pub(crate) fn next(mut self, cursor: Option<String>) -> Self {
        self.next_cursor = cursor;
        self
    }

    /// The id of the last item, where that is the only cursor there is.
    pub(crate) fn last(mut self, id: Option<String>) -> Self {
        self.last_id = id;
        self
    }

    /// By what it is told from the page before, for pages that have numbers: the ids of its items.
    pub(crate) fn numbered<I: Hash>(mut self, id: impl Fn(&T) -> I) -> Self {
        if !self.items.is_empty() {
            let mut hasher = DefaultHasher::new();
            self.items.iter().for_each(|item| id(item).hash(&mut hasher));
            self.mark = Some(hasher.finish());
        }
        self
    }

    /// The same page with other items.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> RawPage<U> {
        let Self { operation, items, next_cursor, has_more, last_id, mark } = self;
        RawPage { operation, items: items.into_iter().map(change).collect(), next_cursor, has_more, last_id, mark }
    }

    /// What the answer said of further pages.
    pub(crate) fn more(mut self, has_more: Option<bool>) -> Self {
        self.has_more = has_more;
        self
    }

    /// Decides where the next page begins, as the operation table says. A short page is never the end:
    /// the API says so itself, or answers with an empty page.
    fn into_page(self, ask: &PageRequest) -> Result<Page<T>, Error> {
        let next = match self.operation.pagination {
            _ if self.has_more == Some(false) => None,
            Some(Pagination::Cursor { next: NextCursor::Field, .. }) => {
                let cursor = self.next_cursor.filter(|cursor| !cursor.is_empty());
                if cursor.is_none() && self.has_more == Some(true) {
                    return Err(Error::incomplete(self.operation, "next_cursor"));
                }
                cursor
            }
            // An empty page that promises more has no last item to go on from: not an end, but an error.
            Some(Pagination::Cursor { next: NextCursor::LastId, .. })
                if !self.items.is_empty() || self.has_more == Some(true) =>
            {
                Some(self.last_id.ok_or_else(|| Error::incomplete(self.operation, "id"))?)
            }
            Some(Pagination::Number { .. }) if !self.items.is_empty() => {
                let page: u64 = ask.from.as_ref().map_or(Ok(0), |from| from.0.parse()).unwrap_or_default();
                page.checked_add(1).map(|next| next.to_string())
            }
            _ => None,
        };
        Ok(Page { items: self.items, next: next.map(Cursor::new) })
    }
}

/// Notices a cursor that comes round again, however long the round, keeping one cursor at a time (Brent's way).
#[derive(Default)]
struct Watch {
    kept: Option<Cursor>,
    steps: u64,
    limit: u64,
}

impl Watch {
    fn came_round(&mut self, next: &Cursor) -> bool {
        if self.kept.as_ref() == Some(next) {
            return true;
        }
        self.steps += 1;
        if self.steps > self.limit {
            self.kept = Some(next.clone());
            self.limit = self.limit.max(1) * 2;
            self.steps = 0;
        }
        false
    }
}

/// A list gave a cursor that it had given before: it would never end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: cursor {cursor} came twice, so the list would never end")]
pub struct RepeatedCursor {
    operation: &'static str,
    cursor: Cursor,
}

impl RepeatedCursor {
    /// The operation that lists.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The cursor that came again.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }
}

impl Error {
    /// The cursor that a list gave twice, if that is what happened.
    pub fn repeated_cursor(&self) -> Option<&RepeatedCursor> {
        self.other_as()
    }
}

/// What streams have in common: `stream!(Items: T)` expands to `Items::try_next` and `Debug for Items`.
macro_rules! stream {
    ($name:ident: $item:ty) => {
        impl<T> $name<T> {
            /// The next one; `None` at the end. After an error the stream has ended.
            ///
            /// # Errors
            /// [`Error::repeated_cursor`] if the API gives the same page twice. See
            /// [when a call fails](crate::guide::failures).
            pub async fn try_next(&mut self) -> Result<Option<$item>, Error> {
                self.next().await.transpose()
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

/// The items of a list as a [`Stream`].
#[must_use = "nothing is fetched before it is polled"]
pub struct ItemStream<T> {
    /// What is left of the page that came last.
    items: std::vec::IntoIter<T>,
    pages: PageStream<T>,
}

/// The pages of a list as a [`Stream`].
#[must_use = "nothing is fetched before it is polled"]
pub struct PageStream<T>(BoxStream<'static, Result<Page<T>, Error>>);

stream!(ItemStream: T);
stream!(PageStream: Page<T>);

impl<T> Stream for PageStream<T> {
    type Item = Result<Page<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

/// No item is pinned.
impl<T> Unpin for ItemStream<T> {}

impl<T> Stream for ItemStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.items.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match std::task::ready!(self.pages.poll_next_unpin(cx)) {
                Some(Ok(page)) => self.items = page.items.into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> ItemStream<T> {
    /// Everything that is left, in memory.
    ///
    /// # Errors
    /// The first one that a page meets.
    pub async fn collect(mut self) -> Result<Vec<T>, Error> {
        // A page becomes the list as it is: most lists have one.
        let mut all: Vec<T> = self.items.collect();
        while let Some(page) = self.pages.try_next().await? {
            if all.is_empty() { all = page.items } else { all.extend(page.items) }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::FutureExt as _;

    use super::*;

    #[test]
    fn any_circle_is_noticed() {
        for (tail, circle) in [(0, 1), (0, 2), (3, 5), (100, 37), (1, 1_000)] {
            let mut watch = Watch::default();
            let mut at = 0_u32;
            let noticed = (0..20_000).any(|_| {
                at = if at + 1 < tail + circle { at + 1 } else { tail };
                watch.came_round(&Cursor::new(at.to_string()))
            });
            assert!(noticed, "a circle of {circle} after {tail}");
        }
        let mut watch = Watch::default();
        assert!(!(0..20_000).any(|step: u32| watch.came_round(&Cursor::new(step.to_string()))));
    }

    /// A list of which every page is the same, whatever number is asked for.
    #[cfg(feature = "v2025-12-18")]
    struct Same;

    #[cfg(feature = "v2025-12-18")]
    impl Sealed for Same {}

    #[cfg(feature = "v2025-12-18")]
    impl ListQuery for Same {
        type Item = u64;

        fn set_options(&mut self, _: CallOptions) {}

        fn page<'a>(&'a self, _: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<u64>, Error>> {
            let operation = &cintx_raw::v2025_12_18::operations::GET_CLIENTS;
            async move { Ok(RawPage::new(operation, vec![1, 2]).numbered(|id| *id)) }.boxed()
        }
    }

    #[cfg(feature = "v2025-12-18")]
    #[tokio::test]
    async fn a_numbered_page_that_repeats_is_the_end() {
        assert_eq!(ListRequest::new(Same).stream().collect().await.unwrap(), [1, 2]);
        let beyond = ListRequest::new(Same).start_after(Cursor::new(u64::MAX.to_string()));
        assert_eq!(beyond.stream().collect().await.unwrap(), [1, 2]);
    }

    const ALL: usize = 10_000;

    /// An item that is counted for as long as it is in memory.
    struct Counted(usize, Arc<AtomicUsize>);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A list of ten thousand items, divided as one operation divides its answer, in pages that are at times short
    /// or empty where the style allows it.
    struct List {
        operation: &'static Operation,
        alive: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
    }

    impl Sealed for List {}

    impl ListQuery for List {
        type Item = Counted;

        fn set_options(&mut self, _: CallOptions) {}

        fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<Counted>, Error>> {
            async move {
                let size = usize::from(ask.page_size.unwrap_or(10));
                let from = ask.from.as_ref().map_or("0", |from| from.as_str());
                let (at, numbered) = match self.operation.pagination {
                    Some(Pagination::Number { .. }) => (from.parse::<usize>().unwrap() * size, true),
                    _ => (from.trim_start_matches("again ").parse().unwrap(), false),
                };
                let by_field =
                    matches!(self.operation.pagination, Some(Pagination::Cursor { next: NextCursor::Field, .. }));
                let empty = by_field && at % 5 == 2 && !from.starts_with("again");
                let short = if numbered { 0 } else { at % 3 };
                let end = if empty { at } else { (at + size - short).min(ALL) };
                self.alive.fetch_add(end - at, Ordering::Relaxed);
                self.most.fetch_max(self.alive.load(Ordering::Relaxed), Ordering::Relaxed);
                let items: Vec<Counted> = (at..end).map(|item| Counted(item, Arc::clone(&self.alive))).collect();
                let mut batch = RawPage::new(self.operation, items);
                batch.last_id = (end > at).then(|| end.to_string());
                if by_field {
                    // The last page says so in each of the ways in which the API says it.
                    batch.next_cursor = match end {
                        _ if empty => Some(format!("again {at}")),
                        ALL if at % 2 == 0 => Some(String::new()),
                        ALL => None,
                        end => Some(end.to_string()),
                    };
                }
                if let Some(Pagination::Cursor { has_more: true, .. }) = self.operation.pagination {
                    batch.has_more = Some(end < ALL);
                }
                Ok(batch)
            }
            .boxed()
        }
    }

    /// Every operation with pages, of every version that is switched on, so every style there is.
    #[tokio::test]
    async fn ten_thousand_items_come_once_each_in_order_and_few_at_a_time() {
        let mut paged: Vec<&Operation> = Vec::new();
        for row in crate::version::operations().filter(|row| row.pagination.is_some()) {
            if !paged.iter().any(|known| known.pagination == row.pagination) {
                paged.push(row);
            }
        }
        let mut styles = 0;
        for row in paged {
            styles += 1;
            let (alive, most) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
            let list = List { operation: row, alive: Arc::clone(&alive), most: Arc::clone(&most) };
            let mut items = ListRequest::new(list).page_size(100).stream();
            let mut seen = 0;
            while let Some(item) = items.try_next().await.unwrap() {
                assert_eq!(item.0, seen, "{}", row.id);
                seen += 1;
            }
            assert_eq!(seen, ALL, "{}", row.id);
            assert_eq!(alive.load(Ordering::Relaxed), 0);
            assert!(most.load(Ordering::Relaxed) <= 101, "{}: {most:?} items were in memory at once", row.id);
        }
        assert!(styles >= 3, "only {styles} lists");
    }
}
