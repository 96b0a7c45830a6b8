//! The crypto that TLS uses: the provider that the process has installed for rustls, else the one that is a feature.

use crate::error::Error;

/// A builder whose client can speak TLS.
#[cfg(feature = "aws-lc-rs")]
pub(crate) fn client_builder() -> Result<reqwest::ClientBuilder, Error> {
    Ok(reqwest::Client::builder())
}

/// A builder whose client can speak TLS: set up as `reqwest` does it, with ring.
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(crate) fn client_builder() -> Result<reqwest::ClientBuilder, Error> {
    use rustls::crypto::{CryptoProvider, ring};
    use rustls_platform_verifier::BuilderVerifierExt as _;

    if CryptoProvider::get_default().is_some() {
        return Ok(reqwest::Client::builder());
    }
    let provider = std::sync::Arc::new(ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.and_then(|builder| builder.with_platform_verifier()).map_err(Error::setup)?;
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(reqwest::Client::builder().tls_backend_preconfigured(config))
}

/// A builder whose client can speak TLS, if the process has installed a provider.
#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
pub(crate) fn client_builder() -> Result<reqwest::ClientBuilder, Error> {
    /// Nobody said which crypto TLS is to use.
    #[derive(Clone, Copy, Debug, thiserror::Error)]
    #[error("TLS has no crypto: turn on the feature `aws-lc-rs` or `ring` of cintx, or install a provider of rustls")]
    struct NoCryptoProvider;

    match rustls::crypto::CryptoProvider::get_default() {
        Some(_) => Ok(reqwest::Client::builder()),
        None => Err(Error::setup(NoCryptoProvider)),
    }
}
