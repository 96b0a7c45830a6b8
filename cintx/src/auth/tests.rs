//! The driver of the tokens: patience, panics, runtimes that are gone, stores that are damaged. Time is paused where it
//! would be waited for.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use cintx_raw::Secret;
use http::StatusCode;

use super::endpoint::Endpoint;
use super::refresher::{Source, TokenCache};
use super::{AccessToken, BoxFuture, StoredToken, TokenError, TokenLock, TokenSource, TokenStore};
use crate::client::Credentials;
use crate::client::clock::SharedClock;
use crate::http::HttpSender;

const HOUR: Duration = Duration::from_secs(3600);
const MARGIN: Duration = Duration::from_secs(300);

/// What a source does when it is asked.
#[derive(Clone, Copy, Debug)]
enum Manner {
    New,
    Same,
    Panic,
    PanicLater,
    Hang,
    Empty,
}

#[derive(Clone)]
struct Moody {
    asked: Arc<AtomicU32>,
    manner: Arc<Mutex<Manner>>,
    name: Option<&'static str>,
}

impl Moody {
    fn new(manner: Manner) -> Self {
        Self { asked: Arc::default(), manner: Arc::new(Mutex::new(manner)), name: None }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn cache(&self) -> Arc<TokenCache> {
        Arc::new(TokenCache::new(Source::Own(Box::new(self.clone())), None, MARGIN, SharedClock::system()))
    }

    fn stored_in<S: TokenStore + 'static>(&self, store: &Arc<S>) -> Arc<TokenCache> {
        let store: Arc<dyn TokenStore> = Arc::clone(store) as _;
        Arc::new(TokenCache::new(Source::Own(Box::new(self.clone())), Some(store), MARGIN, SharedClock::system()))
    }
}

impl TokenSource for Moody {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, TokenError>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let manner = *self.manner.lock().unwrap();
        assert!(!matches!(manner, Manner::Panic), "as told");
        Box::pin(async move {
            match manner {
                Manner::Panic | Manner::PanicLater => panic!("as told"),
                Manner::Hang => std::future::pending().await,
                Manner::New => Ok(AccessToken::new(format!("token-{number}"), HOUR)),
                Manner::Same => Ok(AccessToken::new("token", HOUR)),
                Manner::Empty => Ok(AccessToken::new("", HOUR)),
            }
        })
    }

    fn store_name(&self) -> Option<String> {
        self.name.map(str::to_owned)
    }
}

async fn secret(cache: &Arc<TokenCache>) -> Result<String, TokenError> {
    cache.get().await.map(|token| token.secret().expose().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_a_source_that_panics_get_one_error_each_and_it_is_called_once() {
    for manner in [Manner::Panic, Manner::PanicLater] {
        let source = Moody::new(manner);
        let cache = source.cache();
        for _ in 0..1000 {
            assert!(matches!(secret(&cache).await, Err(TokenError::Panicked)));
        }
        assert_eq!(source.asked(), 1, "{manner:?}");
        // It goes on, and is asked less and less: after 1, 2, 4, ... seconds.
        for _ in 0..600 {
            tokio::time::advance(Duration::from_millis(100)).await;
            assert!(secret(&cache).await.is_err());
        }
        assert!((4..=7).contains(&source.asked()), "{manner:?}: asked {} times in a minute", source.asked());
        // It recovers, and so do they.
        *source.manner.lock().unwrap() = Manner::New;
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(secret(&cache).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up_and_all_who_wait_are_told() {
    let source = Moody::new(Manner::Hang);
    let cache = source.cache();
    let began = tokio::time::Instant::now();
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { secret(&cache).await })
        })
        .collect();
    for caller in callers {
        assert!(matches!(caller.await.unwrap(), Err(TokenError::TimedOut(_))));
    }
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    assert_eq!(source.asked(), 1);
}

/// Polls once, and forgets. The refresh that it began stays on the runtime, which nobody drives.
fn poll_once<T>(runtime: &tokio::runtime::Runtime, future: impl Future<Output = T>) {
    let _inside = runtime.enter();
    assert!(pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn a_thousand_who_lose_their_patience_begin_one_request_and_not_a_thousand() {
    // The refresh begins on a runtime that is there, but is not driven any more.
    let undriven = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let source = Moody::new(Manner::New);
    let cache = source.cache();
    poll_once(&undriven, cache.get());
    assert_eq!(source.asked(), 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let callers: Vec<_> = (0..1001)
            .map(|_| {
                let cache = Arc::clone(&cache);
                tokio::spawn(async move { secret(&cache).await })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap(), "token-0");
        }
    });
    assert_eq!(source.asked(), 1);
    // Driven again, the first has been ended: it asks for nothing.
    undriven.block_on(tokio::task::yield_now());
    assert_eq!(source.asked(), 1);
}

#[test]
fn a_runtime_that_is_gone_is_an_error_and_neither_a_loop_nor_a_deadlock() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let source = Moody::new(Manner::New);
    let cache = source.cache();
    let (done, finished) = std::sync::mpsc::channel();
    let late = Arc::clone(&cache);
    std::thread::spawn(move || {
        let _inside = handle.enter();
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let mut waiting = pin!(late.get());
            let polled = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            matches!(polled, Poll::Ready(Err(TokenError::Abandoned)))
        }));
        // A timer of that runtime may panic instead: it says so itself.
        done.send(polled.unwrap_or(true)).unwrap();
    });
    assert!(finished.recv_timeout(Duration::from_secs(20)).unwrap(), "it hangs, or gives something else");
    assert_eq!(source.asked(), 0);
    // Another runtime goes on, after a moment at most.
    let alive = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let token = alive.block_on(async {
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        secret(&cache).await
    });
    assert_eq!(token.unwrap(), "token-0");
}

#[tokio::test(start_paused = true)]
async fn an_empty_token_is_one_error_and_an_api_that_refuses_all_is_another() {
    let source = Moody::new(Manner::Empty);
    assert!(matches!(secret(&source.cache()).await, Err(TokenError::Unreadable { .. })));
    for manner in [Manner::New, Manner::Same] {
        let source = Moody::new(manner);
        let cache = source.cache();
        let (mut sent, mut told) = (Vec::new(), 0);
        for _ in 0..1000 {
            match cache.get().await {
                Ok(token) => {
                    sent.push(token.secret().expose().to_owned());
                    cache.judge(&token, StatusCode::UNAUTHORIZED);
                }
                Err(error) => {
                    assert!(matches!(error, TokenError::Rejected { retry_after: Some(_) }), "{error:?}");
                    told += 1;
                }
            }
        }
        assert!(source.asked() <= 2, "{manner:?}: asked {} times", source.asked());
        assert!(sent.len() <= 2 && told >= 998, "{manner:?}: sent {sent:?}");
        sent.dedup();
        assert_eq!(sent.len(), if matches!(manner, Manner::New) { 2 } else { 1 }, "none is sent twice");
    }
}

#[tokio::test]
async fn a_right_that_is_missing_costs_no_token() {
    let source = Moody::new(Manner::New);
    let cache = source.cache();
    let token = cache.get().await.unwrap();
    cache.judge(&token, StatusCode::FORBIDDEN);
    assert_eq!(secret(&cache).await.unwrap(), "token-0");
}

/// A store that holds what it is given, or what a test puts there.
#[derive(Default)]
struct Shelf {
    kept: Mutex<HashMap<String, StoredToken>>,
    panics: bool,
    hangs: bool,
}

impl TokenStore for Shelf {
    fn load(&self, name: &str) -> BoxFuture<'_, Option<StoredToken>> {
        assert!(!self.panics, "as told");
        let kept = self.kept.lock().unwrap().get(name).cloned();
        Box::pin(async move { if self.hangs { std::future::pending().await } else { kept } })
    }

    fn save(&self, name: &str, token: &StoredToken) -> BoxFuture<'_, ()> {
        self.kept.lock().unwrap().insert(name.to_owned(), token.clone());
        Box::pin(async move {
            if self.panics {
                panic!("as told")
            }
        })
    }
}

fn named(name: &'static str) -> Moody {
    Moody { name: Some(name), ..Moody::new(Manner::New) }
}

#[tokio::test]
async fn tenants_never_share_a_stored_token() {
    let store = Arc::new(Shelf::default());
    // Without a name nothing is stored, so nothing can be found by another.
    for _ in 0..2 {
        let source = Moody::new(Manner::New);
        secret(&source.stored_in(&store)).await.unwrap();
        assert_eq!(source.asked(), 1);
    }
    assert!(store.kept.lock().unwrap().is_empty());
    for (name, asked) in [("acme", 1), ("bolt", 1), ("acme", 0)] {
        let source = named(name);
        secret(&source.stored_in(&store)).await.unwrap();
        assert_eq!(source.asked(), asked, "{name}");
    }
    assert_eq!(store.kept.lock().unwrap().len(), 2);
    // Credentials: another id, another endpoint, and a wrong secret find nothing.
    let name = |id: &str, secret: &str, host: &str| {
        let credentials = Credentials::new(id, secret).endpoint(host);
        let http = HttpSender::Given(reqwest::Client::new());
        Source::Endpoint(Endpoint { http, credentials, observer: None }).store_name().unwrap()
    };
    let one = name("id", "secret", "https://a.example");
    assert_eq!(one, name("id", "secret", "https://a.example"));
    let others = [
        name("other", "secret", "https://a.example"),
        name("id", "wrong", "https://a.example"),
        name("id", "secret", "https://b.example"),
        name("ids", "ecret", "https://a.example"),
    ];
    assert!(!others.contains(&one), "{others:?}");
}

#[test]
fn a_source_that_says_nothing_of_a_store_has_no_name_in_it() {
    struct Nameless;

    impl TokenSource for Nameless {
        fn token(&self) -> BoxFuture<'_, Result<AccessToken, TokenError>> {
            Box::pin(async { Ok(AccessToken::new("a", HOUR)) })
        }
    }

    assert_eq!(Nameless.store_name(), None);
}

#[tokio::test]
async fn what_a_store_gives_is_passed_over_if_it_is_no_good() {
    let day = 24 * HOUR;
    for (text, life, good) in [
        ("stored", HOUR, true),
        ("stored", day, true),
        ("", HOUR, false),
        ("two words", HOUR, false),
        ("line\n", HOUR, false),
        ("stored", Duration::from_secs(30), false),
        // A clock was wrong, or the file is damaged: nobody stores for longer than a day.
        ("stored", 2 * day, false),
        ("stored", 4_000 * day, false),
    ] {
        let store = Arc::new(Shelf::default());
        secret(&named("acme").stored_in(&store)).await.unwrap();
        for kept in store.kept.lock().unwrap().values_mut() {
            *kept = StoredToken { token: Secret::from(text), expires_at: SystemTime::now() + life };
        }
        let source = named("acme");
        let got = secret(&source.stored_in(&store)).await.unwrap();
        assert_eq!((&*got, source.asked()), if good { (text, 0) } else { ("token-0", 1) }, "{text:?} {life:?}");
    }
}

#[tokio::test]
async fn a_refused_token_is_not_taken_from_the_store_again() {
    let store = Arc::new(Shelf::default());
    secret(&named("acme").stored_in(&store)).await.unwrap();
    for kept in store.kept.lock().unwrap().values_mut() {
        *kept = StoredToken { token: Secret::from("stored"), expires_at: SystemTime::now() + HOUR };
    }
    let source = named("acme");
    let cache = source.stored_in(&store);
    let stored = cache.get().await.unwrap();
    assert_eq!((stored.secret().expose(), source.asked()), ("stored", 0));
    cache.judge(&stored, StatusCode::UNAUTHORIZED);
    assert_eq!((&*secret(&cache).await.unwrap(), source.asked()), ("token-0", 1));
}

#[tokio::test(start_paused = true)]
async fn a_life_is_counted_from_the_moment_at_which_it_was_asked_for() {
    /// Takes a minute for a token of a hundred seconds.
    struct Slow(AtomicU32);

    impl TokenSource for Slow {
        fn token(&self) -> BoxFuture<'_, Result<AccessToken, TokenError>> {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok(AccessToken::new(format!("token-{number}"), Duration::from_secs(100)))
            })
        }
    }

    let source = Source::Own(Box::new(Slow(AtomicU32::new(0))));
    let cache = Arc::new(TokenCache::new(source, None, Duration::ZERO, SharedClock::system()));
    assert_eq!(secret(&cache).await.unwrap(), "token-0");
    tokio::time::advance(Duration::from_secs(50)).await;
    assert_eq!(secret(&cache).await.unwrap(), "token-1", "it may have ended ten seconds ago");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_or_hangs_is_passed_over() {
    for store in [Shelf { panics: true, ..Shelf::default() }, Shelf { hangs: true, ..Shelf::default() }] {
        assert_eq!(secret(&named("acme").stored_in(&Arc::new(store))).await.unwrap(), "token-0");
    }
}

/// A store with one right to renew for all names, which may be held for ever.
#[derive(Default)]
struct Locking {
    shelf: Shelf,
    right: Arc<tokio::sync::Mutex<()>>,
}

impl TokenStore for Locking {
    fn load(&self, name: &str) -> BoxFuture<'_, Option<StoredToken>> {
        self.shelf.load(name)
    }

    fn save(&self, name: &str, token: &StoredToken) -> BoxFuture<'_, ()> {
        self.shelf.save(name, token)
    }

    fn lock(&self, _: &str) -> BoxFuture<'_, Option<TokenLock>> {
        Box::pin(async { Some(TokenLock::new(Arc::clone(&self.right).lock_owned().await)) })
    }
}

#[tokio::test(start_paused = true)]
async fn of_those_that_share_a_lock_one_asks_and_the_others_find_what_it_stored() {
    let store = Arc::new(Locking::default());
    let sources: Vec<_> = (0..4).map(|_| named("acme")).collect();
    let caches: Vec<_> = sources.iter().map(|source| source.stored_in(&store)).collect();
    let tokens = futures_util::future::join_all(caches.iter().map(secret)).await;
    assert!(tokens.iter().all(|token| token.as_ref().unwrap() == "token-0"));
    assert_eq!(sources.iter().map(Moody::asked).sum::<u32>(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_does_not_come_is_not_waited_for_longer_than_half_a_minute() {
    let store = Locking::default();
    let _held = Arc::clone(&store.right).lock_owned().await;
    let store = Arc::new(store);
    let (source, began) = (named("acme"), tokio::time::Instant::now());
    assert_eq!(secret(&source.stored_in(&store)).await.unwrap(), "token-0");
    assert_eq!((source.asked(), began.elapsed().as_secs()), (1, 30));
}

#[tokio::test]
async fn a_token_is_stored_for_a_day_at_most() {
    struct Eternal;
    impl TokenSource for Eternal {
        fn token(&self) -> BoxFuture<'_, Result<AccessToken, TokenError>> {
            Box::pin(async { Ok(AccessToken::new("token", Duration::MAX)) })
        }
        fn store_name(&self) -> Option<String> {
            Some("acme".to_owned())
        }
    }
    let store = Arc::new(Shelf::default());
    let shared: Arc<dyn TokenStore> = Arc::clone(&store) as _;
    let cache = Arc::new(TokenCache::new(Source::Own(Box::new(Eternal)), Some(shared), MARGIN, SharedClock::system()));
    secret(&cache).await.unwrap();
    let kept = store.kept.lock().unwrap().values().next().unwrap().expires_at;
    assert!(kept <= SystemTime::now() + 24 * HOUR);
}

#[cfg(feature = "files")]
#[tokio::test]
async fn a_damaged_file_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = super::FileTokenStore::new(folder.path());
    let now = SystemTime::now();
    let token = StoredToken { token: Secret::from("stored"), expires_at: now + HOUR };
    store.save("name", &token).await;
    assert_eq!(store.load("name").await.unwrap().token.expose(), "stored");
    let path = folder.path().join("name");
    for damaged in [
        String::new(),
        "{\"token\":\"sto".to_owned(),
        "{\"token\":7,\"expires_at\":1}".to_owned(),
        "{\"token\":\"t\",\"expires_at\":-1}".to_owned(),
        "{\"token\":\"t\",\"expires_at\":18446744073709551615}".to_owned(),
        format!("{{\"token\":\"{}\",\"expires_at\":9999999999}}", "x".repeat(10_000_000)),
    ] {
        std::fs::write(&path, &damaged).unwrap();
        assert!(store.load("name").await.is_none(), "{} bytes", damaged.len());
    }
}
