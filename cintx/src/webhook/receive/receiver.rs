//! Verifies a request and parses its event; each failure has a status code.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cintx_raw::Secret;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;

use super::body::gunzip;
use super::event::{Event, EventError};
use super::signature::{SIGNATURE_HEADER, Signature, SignatureError};
use crate::client::Clock;
use crate::client::clock::SharedClock;

/// Why a call was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// A secret is empty.
    #[error("secret is empty, expected the text that the webhook was made with")]
    EmptySecret,
    /// A secret begins or ends with a space, a line break or a mark that nobody sees, as one that was read from a file
    /// with its line end.
    #[error("secret begins or ends with white space or an unseen mark, expected the text that Cint showed, no more")]
    SecretEnds,
    /// The body is longer than allowed, as received or unpacked.
    #[error("body is too long, expected at most {limit} bytes, unpacked too")]
    TooLarge {
        /// How long it may be.
        limit: usize,
    },
    /// The body could not be read.
    #[error("body could not be read: {problem}, expected the whole request body")]
    Body {
        /// What happened.
        problem: String,
    },
    /// The body is compressed in a way that is not known.
    #[error("Content-Encoding is {got:?}, expected gzip, identity or none")]
    Encoding {
        /// What it was, shortened.
        got: String,
    },
    /// The body is no gzip.
    #[error("body is not gzip: {problem}, expected what Content-Encoding says")]
    Gzip {
        /// What is wrong about it.
        problem: String,
    },
    /// The call is not Cint's, or too old.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The signature is right and the body is no event.
    #[error(transparent)]
    Event(#[from] EventError),
}

impl ReceiveError {
    /// What to answer. None of these is the acknowledgement, so Cint will try again.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::EmptySecret | Self::SecretEnds => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Signature(_) => StatusCode::UNAUTHORIZED,
            Self::Body { .. } | Self::Gzip { .. } | Self::Event(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Takes the calls of a webhook. Clones share their secrets, so that one that was given to a server
/// [gets a new secret](Self::add_secret) while the server runs.
///
/// ```
/// use cintx::webhook::receive::{ReceiveError, Receiver, SignatureError};
///
/// # fn main() -> Result<(), ReceiveError> {
/// let receiver = Receiver::new("FP7UPZpATKBcYJj4va95PYud+a3gCidRERiLO+9MoFE=")?;
/// let body = r#"{"id":"e1","type":"com.cint.session.updated","data":{}}"#;
/// let forged = http::Request::post("/cint").header("Cint-Signature", format!("t=1,v1={:064}", 0)).body(body);
/// let refused = receiver.receive(&forged.expect("a request"));
/// assert_eq!(refused, Err(ReceiveError::Signature(SignatureError::Mismatch)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    secrets: Arc<RwLock<Vec<Secret>>>,
    max_age: Option<u64>,
    limit: usize,
    clock: SharedClock,
}

impl Receiver {
    /// The longest body taken, unless set otherwise: 1 MiB.
    pub const DEFAULT_LIMIT: usize = 1 << 20;

    /// Takes what was signed with this secret: its text as Cint showed it, which is not decoded.
    ///
    /// # Errors
    /// That it is empty, or begins or ends with white space or a mark that nobody sees.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, ReceiveError> {
        let (secrets, clock) = (Arc::default(), SharedClock::system());
        Self { secrets, max_age: None, limit: Self::DEFAULT_LIMIT, clock }.or_secret(secret)
    }

    /// Takes what was signed with this secret too, as do all clones: [`add_secret`](Self::add_secret) as a step of
    /// making the receiver.
    ///
    /// # Errors
    /// That it is empty, or begins or ends with white space or a mark that nobody sees.
    pub fn or_secret(self, secret: impl Into<Secret>) -> Result<Self, ReceiveError> {
        self.add_secret(secret)?;
        Ok(self)
    }

    /// From now on takes what was signed with this secret too, here and in all clones, those in a server that runs
    /// among them. How to replace a secret is shown at
    /// [`regenerate_secret`](crate::webhook::Webhook::regenerate_secret).
    ///
    /// # Errors
    /// That it is empty, or begins or ends with white space or a mark that nobody sees.
    pub fn add_secret(&self, secret: impl Into<Secret>) -> Result<(), ReceiveError> {
        let secret = secret.into();
        if secret.expose().is_empty() {
            return Err(ReceiveError::EmptySecret);
        }
        if crate::types::is_padded(secret.expose()) {
            return Err(ReceiveError::SecretEnds);
        }
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        if !secrets.contains(&secret) {
            secrets.push(secret);
        }
        Ok(())
    }

    /// From now on takes what was signed with this secret no more, here and in all clones. Answers whether it was one
    /// of several: the only one stays, as a receiver without a secret would take nothing.
    pub fn remove_secret(&self, secret: impl Into<Secret>) -> bool {
        let secret = secret.into();
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        let is_one_of_several = secrets.len() > 1 && secrets.contains(&secret);
        if is_one_of_several {
            secrets.retain(|known| *known != secret);
        }
        is_one_of_several
    }

    /// Refuses signatures further than this from now; whole seconds count. Not checked unless set: whether a repeated
    /// delivery, for up to seven days, is signed anew is not published. Event ids show which events were received
    /// before.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age.as_secs());
        self
    }

    /// Asks this clock what time it is, instead of the machine's, for [`max_age`](Self::max_age).
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = SharedClock::new(clock);
        self
    }

    /// Takes bodies up to this length in bytes, as received and unpacked.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Takes a request whose body was read, now. Answer with [`Event::acknowledgement`] once the event is safe.
    ///
    /// # Errors
    /// Why it is not taken; [`ReceiveError::status`] is what to answer.
    pub fn receive<B: AsRef<[u8]>>(&self, request: &Request<B>) -> Result<Event, ReceiveError> {
        self.receive_at(request.headers(), request.body().as_ref(), self.now())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// As [`receive`](Self::receive), at a given moment.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    pub fn receive_at(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Event, ReceiveError> {
        let plain = self.verify_at(headers, body, now)?;
        Ok(Event::parse(&plain)?)
    }

    /// Only verifies, and gives the unpacked body. The signature may be over the bytes as received or as unpacked: Cint
    /// signs before it compresses, and proxies may unpack on the way.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive), except for what is wrong about the event.
    pub fn verify_at<'a>(
        &self,
        headers: &HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Cow<'a, [u8]>, ReceiveError> {
        if body.len() > self.limit {
            return Err(ReceiveError::TooLarge { limit: self.limit });
        }
        let gzip = is_gzip(headers)?;
        let mut lines = headers.get_all(SIGNATURE_HEADER).iter();
        let header = lines.next().ok_or(SignatureError::Missing)?;
        let more = lines.count();
        if more > 0 {
            return Err(SignatureError::Repeated { got: more + 1 }.into());
        }
        let signature = Signature::parse(header.as_bytes())?;
        let plain = if gzip { Cow::Owned(gunzip(body, self.limit)?) } else { Cow::Borrowed(body) };
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        let fits = signature.fits(&secrets, &plain) || (gzip && signature.fits(&secrets, body));
        drop(secrets);
        if !fits {
            return Err(SignatureError::Mismatch.into());
        }
        if let Some(allowed) = self.max_age {
            signature.is_fresh(now.as_second(), allowed)?;
        }
        Ok(plain)
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, ReceiveError> {
    let mut gzip = false;
    for value in headers.get_all(CONTENT_ENCODING) {
        let text = value.to_str().unwrap_or("(no text)").trim();
        match text.to_ascii_lowercase().as_str() {
            "" | "identity" => {}
            "gzip" | "x-gzip" if !gzip => gzip = true,
            _ => return Err(ReceiveError::Encoding { got: text.chars().take(40).collect() }),
        }
    }
    Ok(gzip)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use hmac::{Hmac, KeyInit as _, Mac as _};
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;

    const SECRET: &str = "FP7UPZpATKBcYJj4va95PYud+a3gCidRERiLO+9MoFE=";
    const TIME: i64 = 1_732_526_080;
    const BODY: &[u8] = br#"{"foo":"bar"}"#;
    const RIGHT: &str = "6532d4777122acc32cd388763fc0c0ba8732698d09cf99eea086e5a86f8d3ebe";
    /// What comes out if the secret is decoded from Base64 first.
    const TRAP: &str = "f481af8ceff2e505f9c17ea53f51c467a6664d133591402f4acf9105eacc6198";

    fn headers(signature: &str) -> HeaderMap {
        let value = HeaderValue::from_str(signature).unwrap();
        HeaderMap::from_iter([(HeaderName::from_static(SIGNATURE_HEADER), value)])
    }

    fn sign(secret: &str, time: i64, body: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        let mac = mac.chain_update(format!("{time}.")).chain_update(body).finalize().into_bytes();
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={time},v1={hex}")
    }

    fn verify(receiver: &Receiver, signature: &str, body: &[u8]) -> Result<(), ReceiveError> {
        let now = Timestamp::from_second(TIME).unwrap();
        receiver.verify_at(&headers(signature), body, now).map(drop)
    }

    fn mismatch<T>() -> Result<T, ReceiveError> {
        Err(SignatureError::Mismatch.into())
    }

    fn zip(body: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(body).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_too_old_is_so_by_the_receivers_clock() {
        let body = br#"{"id":"e1","type":"com.cint.session.updated","data":{}}"#;
        let hour = Receiver::new(SECRET).unwrap().max_age(std::time::Duration::from_secs(3_600));
        let mut request = Request::new(body);
        *request.headers_mut() = headers(&sign(SECRET, TIME, body));
        assert!(hour.receive(&request).is_err(), "by the machine's clock");
        let then = hour.clock(|| Timestamp::from_second(TIME + 60).unwrap());
        assert_eq!(then.receive(&request).unwrap().id(), "e1");
    }

    #[test]
    fn the_published_vector_is_right_and_the_decoded_secret_is_wrong() {
        let receiver = Receiver::new(SECRET).unwrap();
        assert_eq!(sign(SECRET, TIME, BODY), format!("t={TIME},v1={RIGHT}"));
        assert_eq!(verify(&receiver, &format!("t={TIME},v1={RIGHT}"), BODY), Ok(()));
        assert_eq!(verify(&receiver, &format!("t={TIME},v1={TRAP}"), BODY), mismatch());
    }

    #[test]
    fn one_changed_byte_is_noticed() {
        let receiver = Receiver::new(SECRET).unwrap();
        let good = format!("t={TIME},v1={RIGHT}");
        for body in [&br#"{"foo": "bar"}"#[..], br#"{"foo":"baz"}"#, b"", b"{\"foo\":\"bar\"}\n"] {
            assert_eq!(verify(&receiver, &good, body), mismatch());
        }
        assert_eq!(verify(&receiver, &format!("t={},v1={RIGHT}", TIME + 1), BODY), mismatch());
        assert_eq!(verify(&receiver, &format!("t=0{TIME},v1={RIGHT}"), BODY), mismatch());
        for at in 0..64 {
            let mut wrong = RIGHT.to_owned();
            let other = if wrong.as_bytes()[at] == b'0' { "1" } else { "0" };
            wrong.replace_range(at..=at, other);
            assert_eq!(verify(&receiver, &format!("t={TIME},v1={wrong}"), BODY), mismatch(), "{at}");
        }
    }

    #[test]
    fn several_signatures_and_two_secrets_are_tried() {
        let receiver = Receiver::new(SECRET).unwrap();
        for signature in [
            format!("t={TIME},v1={TRAP},v1={RIGHT}"),
            format!("v1={RIGHT},v1={TRAP},t={TIME}"),
            format!("v0=abc, t={TIME}, v1=short, nonsense, v1={RIGHT}"),
            format!("t = {TIME} ,\tv1 = {}", RIGHT.to_uppercase()),
        ] {
            assert_eq!(verify(&receiver, &signature, BODY), Ok(()), "{signature}");
        }
        let new = sign("the new secret", TIME, BODY);
        assert_eq!(verify(&receiver, &new, BODY), mismatch());
        let both = receiver.or_secret("the new secret").unwrap();
        assert_eq!(verify(&both, &new, BODY), Ok(()));
        assert_eq!(verify(&both, &format!("t={TIME},v1={RIGHT}"), BODY), Ok(()));
        assert_eq!(Receiver::new("").unwrap_err(), ReceiveError::EmptySecret);
        for padded in [format!("{SECRET}\n"), format!(" {SECRET}"), format!("\u{feff}{SECRET}")] {
            assert_eq!(Receiver::new(padded).unwrap_err(), ReceiveError::SecretEnds);
        }
        assert!(!format!("{both:?}").contains("secret\""));
    }

    #[test]
    fn a_running_receiver_gets_a_secret_and_loses_one() {
        let receiver = Receiver::new(SECRET).unwrap();
        let (running, old) = (receiver.clone().max_age(Duration::from_secs(60)), format!("t={TIME},v1={RIGHT}"));
        let new = sign("the new secret", TIME, BODY);
        assert!(!receiver.remove_secret(SECRET), "the only one");
        assert_eq!(receiver.add_secret(" "), Err(ReceiveError::SecretEnds));
        for _ in 0..2 {
            receiver.add_secret("the new secret").unwrap();
        }
        assert_eq!([verify(&running, &old, BODY), verify(&running, &new, BODY)], [Ok(()), Ok(())]);
        assert!(!receiver.remove_secret("another") && receiver.remove_secret(SECRET));
        assert_eq!([verify(&running, &old, BODY), verify(&running, &new, BODY)], [mismatch(), Ok(())]);
        assert!(!receiver.remove_secret("the new secret"), "it is there once");
    }

    #[test]
    fn a_header_that_is_none_is_named() {
        let receiver = Receiver::new(SECRET).unwrap();
        for signature in [
            String::new(),
            format!("v1={RIGHT}"),
            format!("t=,v1={RIGHT}"),
            format!("t=-1,v1={RIGHT}"),
            format!("t=+{TIME},v1={RIGHT}"),
            format!("t=99999999999999999999,v1={RIGHT}"),
            format!("t={TIME},t={TIME},v1={RIGHT}"),
            format!("t={TIME}"),
            format!("t={TIME},v1={}", &RIGHT[1..]),
            format!("t={TIME},v1=g{}", &RIGHT[1..]),
            format!("t={TIME}{}", format!(",v1={RIGHT}").repeat(17)),
            format!("t={TIME},v1={RIGHT},x={}", "y".repeat(5000)),
        ] {
            let refused = verify(&receiver, &signature, BODY).unwrap_err();
            assert!(matches!(refused, ReceiveError::Signature(SignatureError::Malformed { .. })), "{signature}");
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        }
        let missing = receiver.verify_at(&HeaderMap::new(), BODY, Timestamp::UNIX_EPOCH);
        assert_eq!(missing, Err(SignatureError::Missing.into()));
        let mut twice = headers(&format!("t={TIME},v1={RIGHT}"));
        twice.append(SIGNATURE_HEADER, HeaderValue::from_static("t=1"));
        let repeated = receiver.verify_at(&twice, BODY, Timestamp::UNIX_EPOCH);
        assert_eq!(repeated, Err(SignatureError::Repeated { got: 2 }.into()));
    }

    #[test]
    fn age_counts_only_if_asked_for_and_in_both_directions() {
        let receiver = Receiver::new(SECRET).unwrap();
        let signed = headers(&format!("t={TIME},v1={RIGHT}"));
        let at = |receiver: &Receiver, offset: i64| {
            receiver.verify_at(&signed, BODY, Timestamp::from_second(TIME + offset).unwrap()).map(drop)
        };
        assert_eq!(at(&receiver, 7 * 86_400), Ok(()));
        let strict = receiver.max_age(Duration::from_secs(300));
        for offset in [-300, 0, 300] {
            assert_eq!(at(&strict, offset), Ok(()));
        }
        for offset in [-301, 301] {
            let stale = SignatureError::Stale { age: offset.into(), allowed: 300 };
            assert_eq!(at(&strict, offset), Err(stale.into()));
        }
    }

    #[test]
    fn gzip_is_verified_unpacked_or_packed_and_kept_within_the_limit() {
        let receiver = Receiver::new(SECRET).unwrap();
        let packed = zip(BODY);
        for over in [BODY, &packed] {
            let mut headers = headers(&sign(SECRET, TIME, over));
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("GZIP"));
            let plain = receiver.verify_at(&headers, &packed, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(plain, BODY);
        }
        let bomb = zip(&vec![b' '; 8 << 20]);
        assert!(bomb.len() < 20_000);
        let mut headers = headers(&sign(SECRET, TIME, &bomb));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let refused = receiver.verify_at(&headers, &bomb, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(refused, ReceiveError::TooLarge { limit: Receiver::DEFAULT_LIMIT });
        let broken = receiver.verify_at(&headers, &packed[..10], Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(matches!(broken, ReceiveError::Gzip { .. }), "{broken}");
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
        let other = receiver.verify_at(&headers, &bomb, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(other.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[test]
    fn a_long_body_is_refused_before_it_is_hashed() {
        let receiver = Receiver::new(SECRET).unwrap().limit(BODY.len());
        let signature = format!("t={TIME},v1={RIGHT}");
        assert_eq!(verify(&receiver, &signature, BODY), Ok(()));
        let short = receiver.limit(BODY.len() - 1);
        assert_eq!(verify(&short, &signature, BODY), Err(ReceiveError::TooLarge { limit: BODY.len() - 1 }));
    }

    #[test]
    fn a_request_becomes_an_event() {
        let receiver = Receiver::new(SECRET).unwrap();
        let body = br#"{"id":"e1","type":"com.cint.quota.fill.registered","data":{"target_group_id":"01J"}}"#;
        let request = |signature: String| Request::post("/").header("Cint-Signature", signature).body(body).unwrap();
        let event = receiver.receive(&request(sign(SECRET, TIME, body))).unwrap();
        assert_eq!(event.id(), "e1");
        assert_eq!(receiver.receive(&request(sign("other", TIME, body))), mismatch());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            header in prop::collection::vec(any::<u8>(), 0..200),
            text in "(t=[0-9]{0,25}|v1=[0-9a-f]{60,66}|[a-z=,\u{e9}]{0,9}|,){0,8}",
            body in prop::collection::vec(any::<u8>(), 0..300),
            gzip: bool,
        ) {
            let receiver = Receiver::new(SECRET).unwrap().max_age(Duration::MAX);
            for value in [&header[..], text.as_bytes()] {
                let Ok(value) = HeaderValue::from_bytes(value) else { continue };
                let mut headers = HeaderMap::from_iter([(HeaderName::from_static(SIGNATURE_HEADER), value)]);
                if gzip {
                    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                }
                prop_assert!(receiver.receive_at(&headers, &body, Timestamp::MIN).is_err());
            }
            // Signed rightly, so that the rest of the way is walked too.
            let signed = headers(&sign(SECRET, TIME, &body));
            prop_assert_eq!(receiver.verify_at(&signed, &body, Timestamp::MAX).unwrap(), body.clone());
            let _ = receiver.receive_at(&signed, &body, Timestamp::MAX);
        }
    }
}
