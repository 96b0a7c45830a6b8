//! Credentials for the token endpoint. The secret never shows in logs, errors or `Debug`.

use std::fmt;

use cintx_raw::Secret;

use crate::auth::mask::mask;

/// Client credentials, and where to exchange them for a token.
///
/// ```
/// # use cintx::client::Credentials;
/// let credentials = Credentials::new("client-id", "client-secret");
/// assert!(!format!("{credentials:?}").contains("client-secret"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) endpoint: String,
    pub(crate) scope_field: &'static str,
}

impl Credentials {
    /// Cint's present token endpoint.
    const ENDPOINT: &str = "https://auth.cint.com/oauth/token";
    /// The one before it, which names its scope field differently.
    const LEGACY_ENDPOINT: &str = "https://auth.lucidhq.com/oauth/token";

    /// Credentials for Cint's present token endpoint.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: Secret::from(client_secret.into()),
            endpoint: Self::ENDPOINT.to_owned(),
            scope_field: "auth_scopes",
        }
    }

    /// Reads `CINT_CLIENT_ID` and `CINT_CLIENT_SECRET`.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn from_env() -> Result<Self, MissingEnvVar> {
        let read = |name| std::env::var(name).ok().filter(|text| !text.is_empty()).ok_or(MissingEnvVar(name));
        Ok(Self::new(read("CINT_CLIENT_ID")?, read("CINT_CLIENT_SECRET")?))
    }

    /// Text from the token endpoint without the secret, should it repeat what it was sent.
    pub(crate) fn redact(&self, text: &str) -> String {
        mask(text, self.client_secret.expose()).into_owned()
    }

    /// Uses the token endpoint of the time before auth.cint.com.
    #[must_use]
    pub fn legacy_endpoint(self) -> Self {
        Self { endpoint: Self::LEGACY_ENDPOINT.to_owned(), scope_field: "lucid_scopes", ..self }
    }

    /// Uses another token endpoint: a sandbox's, a proxy's.
    #[must_use]
    pub fn endpoint(self, url: impl Into<String>) -> Self {
        Self { endpoint: url.into(), ..self }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// An environment variable that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct MissingEnvVar(&'static str);
