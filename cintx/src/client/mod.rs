//! The client: one account, one version, one pipeline. Cheap to clone.

mod answers;
pub(crate) mod builder;
pub(crate) mod clock;
mod credentials;
pub(crate) mod options;
mod untyped;

pub use self::answers::{Answers, KeptAnswer};
pub use self::builder::ClientBuilder;
pub use self::clock::Clock;
pub use self::credentials::{Credentials, MissingEnvVar};
pub use self::options::{CallOptions, OperationTimeouts, RetryPolicy, Timeouts};
pub use self::untyped::UndocumentedRequest;

use std::fmt;
use std::sync::Arc;

use crate::auth::TokenError;
use crate::http::Pipeline;
use crate::http::pace::Pace;
use crate::version::Version;

/// Talks to the Demand API of one version on behalf of one account.
///
/// ```no_run
/// use cintx::{Client, V2025_12_18};
/// use cintx::client::Credentials;
///
/// # fn build() -> Result<(), Box<dyn std::error::Error>> {
/// let cint = Client::<V2025_12_18>::builder().credentials(Credentials::from_env()?).account(2428).build()?;
/// # Ok(())
/// # }
/// ```
pub struct Client<V: Version> {
    raw: V::Raw,
    pipeline: Arc<Pipeline>,
    account: i64,
}

impl<V: Version> Client<V> {
    /// Starts a client.
    pub fn builder() -> ClientBuilder<V> {
        ClientBuilder::new()
    }

    /// A client over a pipeline, for one account.
    pub(crate) fn of_pipeline(pipeline: Arc<Pipeline>, account: i64) -> Self {
        Self { raw: V::raw(Arc::clone(&pipeline)), pipeline, account }
    }

    /// A clone for which other options hold: retries, time limits, headers, an idempotency key.
    /// It shares everything else: tokens, connections, retry budget, pacer, journal.
    pub fn with(&self, options: CallOptions) -> Self {
        let options = options.with_defaults(&self.pipeline.options);
        Self::of_pipeline(Arc::new(Pipeline { shared: Arc::clone(&self.pipeline.shared), options }), self.account)
    }

    /// What time it is for this client.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.pipeline.shared.clock.now()
    }

    /// A clone for another account that the credentials give access to.
    pub fn with_account(&self, account: i64) -> Self {
        Self { account, ..self.clone() }
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The generated client of this version, behind the same pipeline: every operation that Cint documents.
    pub fn raw(&self) -> &V::Raw {
        &self.raw
    }

    /// Gets a token now, if there is none that is good: finds wrong credentials before there is work to lose.
    /// Nobody has to call it; the first request does the same.
    ///
    /// # Errors
    /// [`TokenError`]: the token endpoint's own words.
    pub async fn authenticate(&self) -> Result<(), TokenError> {
        self.pipeline.shared.tokens.get().await.map(|_| ())
    }

    /// How fast requests leave at present, over all clones; `None` if the client was built
    /// [without a pacer](ClientBuilder::without_pacer).
    pub fn pace(&self) -> Option<Pace> {
        self.pipeline.shared.pacer.as_ref().map(|pacer| pacer.pace())
    }

    /// The account that this client works for.
    pub fn account(&self) -> i64 {
        self.account
    }
}

impl<V: Version> Clone for Client<V> {
    fn clone(&self) -> Self {
        Self { raw: self.raw.clone(), pipeline: Arc::clone(&self.pipeline), account: self.account }
    }
}

impl<V: Version> fmt::Debug for Client<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("version", &V::DATE).field("account", &self.account).finish_non_exhaustive()
    }
}
