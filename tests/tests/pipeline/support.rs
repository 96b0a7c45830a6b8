//! Clients for servers that with_faults: hardly any waiting, no patience, tokens out of thin air.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cintx::auth::{AccessToken, TokenError, TokenSource};
use cintx::client::{OperationTimeouts, RetryPolicy, Timeouts};
use cintx::{Client, ClientBuilder, Version};

/// Makes a new token whenever it is asked, and counts.
#[derive(Clone, Debug)]
pub(crate) struct Mint {
    pub(crate) made: Arc<AtomicU32>,
    pub(crate) life: Duration,
}

impl Mint {
    pub(crate) fn new(life: Duration) -> Self {
        Self { made: Arc::default(), life }
    }
}

impl TokenSource for Mint {
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<AccessToken, TokenError>> + Send + '_>> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(AccessToken::new(format!("token-{number}"), self.life)) })
    }
}

/// Repeats at once, up to three attempts in all.
pub(crate) fn hasty() -> RetryPolicy {
    RetryPolicy::standard().max_attempts(3).backoff(Duration::from_millis(1), Duration::from_millis(2))
}

/// The same limits for everything.
pub(crate) fn limits(attempt: u64, operation: u64) -> Timeouts {
    let limits = OperationTimeouts::new(Duration::from_millis(attempt), Duration::from_millis(operation));
    Timeouts::standard().reads(limits).writes(limits).transfers(limits).processing(Duration::ZERO)
}

pub(crate) fn builder<V: Version>(url: &str) -> ClientBuilder<V> {
    Client::<V>::builder()
        .token_source(Mint::new(Duration::from_secs(86_400)))
        .account(2428)
        .api_url(format!("{url}/v1"))
        .server_to_server_url(format!("{url}/s2s"))
        .server_to_server_key("s2s-key")
        .retry(hasty())
        .timeouts(limits(5_000, 20_000))
}
