//! Hashed links: HMAC-SHA-1 over the exact text of an address, for respondents who leave for Cint and who come from it.
//! Addresses are never parsed and serialized again: re-encoding one character would change the hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cintx_raw::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use super::CALLBACK;
use super::codes::ClientCode;
use crate::types::InvalidValue;

/// The parameter that carries the hash, unless said otherwise.
pub const DEFAULT_PARAMETER: &str = "hash";

/// How long a hash is: 20 bytes in URL-safe Base64 without padding.
const HASH_CHARS: usize = 27;

/// The longest address that is looked at.
const MAX_URL: usize = 16 * 1024;

/// Why a link was not signed, or is not to be trusted. No variant says what the right hash would have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// The key is empty.
    #[error("key is empty, expected the shared key exactly as Cint gave it")]
    EmptyKey,
    /// The key begins or ends with a space or a line break, as one that was read from a file with its line end.
    #[error("key begins or ends with white space, expected the shared key exactly as Cint gave it")]
    KeyEnds,
    /// The name of the hash parameter cannot be one.
    #[error("parameter is {got:?}, expected 1 to 64 of letters, digits, '-', '_' and '.'")]
    Parameter {
        /// What it was.
        got: String,
    },
    /// The address has no form that can be hashed.
    #[error("url {problem}, expected {expected}")]
    Url {
        /// What is wrong about it.
        problem: &'static str,
        /// What is allowed.
        expected: &'static str,
    },
    /// The RID is no UUID.
    #[error("RID is {got:?}, expected a UUID of 36 characters")]
    Rid {
        /// What it was, shortened.
        got: String,
    },
    /// The code cannot be carried by a redirect.
    #[error(transparent)]
    Code(#[from] InvalidValue),
    /// A parameter of an exit link comes twice.
    #[error("parameter {name:?} comes twice, expected each name once")]
    Repeated {
        /// The name of the parameter.
        name: String,
    },
    /// The link carries no hash.
    #[error("url has no parameter {parameter:?}, expected it as the last one")]
    Missing {
        /// The parameter that was looked for.
        parameter: String,
    },
    /// Something follows the hash, which it therefore does not cover, or the hash comes twice.
    #[error("parameter {parameter:?} is not the one last parameter of the url, expected nothing after it")]
    NotLast {
        /// The parameter that carries the hash.
        parameter: String,
    },
    /// The hash is right, but not of the public address that was given: of another scheme, port, host or path before
    /// it. The link is as Cint signed it, so the configuration is wrong, and every other link would be refused as well.
    #[error("the public address is {got:?}, expected {expected:?}: it is the one that the link was signed for")]
    PublicAddress {
        /// The public address as it was given, shortened.
        got: String,
        /// The one that fits, shortened.
        expected: String,
    },
    /// The hash is not that of this address under this key: the link was changed, or the key is another one.
    #[error("hash does not fit the url, expected that of its exact text under the shared key")]
    Mismatch,
}

/// A shared key with the name of the parameter that carries its hashes.
#[derive(Clone)]
struct LinkKey {
    key: Secret,
    parameter: String,
}

impl LinkKey {
    fn new(key: Secret) -> Result<Self, RedirectError> {
        if key.expose().is_empty() {
            return Err(RedirectError::EmptyKey);
        }
        if crate::types::is_padded(key.expose()) {
            return Err(RedirectError::KeyEnds);
        }
        Ok(Self { key, parameter: DEFAULT_PARAMETER.to_owned() })
    }

    fn for_parameter(self, parameter: &str) -> Result<Self, RedirectError> {
        Ok(Self { key: self.key, parameter: checked_name(parameter)?.to_owned() })
    }

    fn hash(&self, base: &str) -> Result<String, RedirectError> {
        // HMAC takes keys of every length, so this arm is never taken.
        let mac = Hmac::<Sha1>::new_from_slice(self.key.expose().as_bytes()).map_err(|_| RedirectError::EmptyKey)?;
        Ok(URL_SAFE_NO_PAD.encode(mac.chain_update(base.as_bytes()).finalize().into_bytes()))
    }

    fn sign(&self, url: &str) -> Result<String, RedirectError> {
        let query = query(url)?;
        if pairs(query).next().is_none() {
            let problem = "has no other parameter";
            return Err(RedirectError::Url { problem, expected: "at least one parameter that the hash can follow" });
        }
        if pairs(query).any(|pair| name_of(pair) == self.parameter) {
            return Err(RedirectError::Repeated { name: self.parameter.clone() });
        }
        let separator = if url.ends_with('&') { "" } else { "&" };
        let base = format!("{url}{separator}");
        let hash = self.hash(&base)?;
        Ok(format!("{base}{}={hash}", self.parameter))
    }

    fn verify(&self, url: &str) -> Result<(), RedirectError> {
        let query = query(url)?;
        let missing = || RedirectError::Missing { parameter: self.parameter.clone() };
        let not_last = || RedirectError::NotLast { parameter: self.parameter.clone() };
        let count = pairs(query).filter(|pair| name_of(pair) == self.parameter).count();
        let Some((_, last)) = query.rsplit_once('&') else {
            let problem = "has the hash as its only parameter";
            let expected = "another one before it: what is hashed without one is not published";
            return Err(if count == 0 { missing() } else { RedirectError::Url { problem, expected } });
        };
        match (count, last.split_once('=')) {
            (0, _) => Err(missing()),
            (1, Some((name, given))) if name == self.parameter => {
                let base = url.get(..url.len() - last.len()).ok_or(RedirectError::Mismatch)?;
                let right = self.hash(base)?;
                let same = given.len() == HASH_CHARS && bool::from(right.as_bytes().ct_eq(given.as_bytes()));
                if same { Ok(()) } else { Err(RedirectError::Mismatch) }
            }
            _ => Err(not_last()),
        }
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkKey").field("parameter", &self.parameter).finish_non_exhaustive()
    }
}

/// Signs the links by which respondents leave your survey for Cint.
///
/// ```
/// use cintx::respondent::codes::ClientCode;
/// use cintx::respondent::redirect::ExitLinks;
///
/// # fn main() -> Result<(), cintx::respondent::redirect::RedirectError> {
/// let links = ExitLinks::new("the key for links into Cint")?;
/// let url = links.exit("67adda00-f3a4-f7b3-4dd2-f8494c3d5017", ClientCode::COMPLETE).url()?;
/// let start = "https://samplicio.us/s/ClientCallBack.aspx?RIS=10&RID=67adda00-f3a4-f7b3-4dd2-f8494c3d5017&hash=";
/// assert!(url.starts_with(start));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ExitLinks {
    key: LinkKey,
    callback: String,
}

impl ExitLinks {
    /// Signs with a key, which is used as it stands, never decoded.
    ///
    /// # Errors
    /// That the key is empty.
    pub fn new(key: impl Into<Secret>) -> Result<Self, RedirectError> {
        Ok(Self { key: LinkKey::new(key.into())?, callback: CALLBACK.to_owned() })
    }

    /// Names the parameter that carries the hash, as it is configured for links into Cint; `hash` if not set.
    ///
    /// # Errors
    /// That it cannot be a parameter's name.
    pub fn parameter(self, name: &str) -> Result<Self, RedirectError> {
        Ok(Self { key: self.key.for_parameter(name)?, callback: self.callback })
    }

    /// Sends respondents to another address than Cint's callback.
    ///
    /// # Errors
    /// That it is no absolute address without query and fragment.
    pub fn callback(self, url: &str) -> Result<Self, RedirectError> {
        Ok(Self { key: self.key, callback: without_query(url)?.to_owned() })
    }

    /// Begins the link for a respondent. The RID is kept in the spelling that the entry link had.
    pub fn exit(&self, rid: &str, outcome: ClientCode) -> ExitLink<'_> {
        ExitLink { links: self, rid: rid.to_owned(), outcome, more: Vec::new() }
    }

    /// Signs a finished address, as it stands: the hash is appended, nothing else is touched.
    ///
    /// # Errors
    /// That the address cannot be hashed, or has such a parameter already.
    pub fn sign(&self, url: &str) -> Result<String, RedirectError> {
        self.key.sign(url)
    }
}

/// A link by which a respondent leaves, not yet signed.
#[derive(Clone, Debug)]
pub struct ExitLink<'a> {
    links: &'a ExitLinks,
    rid: String,
    outcome: ClientCode,
    more: Vec<(String, String)>,
}

impl ExitLink<'_> {
    /// Adds a parameter, before the hash. The value is percent-encoded.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.more.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The signed address.
    ///
    /// # Errors
    /// What is wrong about RID, outcome or parameters.
    pub fn url(&self) -> Result<String, RedirectError> {
        let rid = checked_rid(&self.rid)?;
        let outcome = self.outcome.for_redirect()?;
        let mut names = vec!["RIS", "RID"];
        let mut url = format!("{}?RIS={outcome}&RID={rid}", self.links.callback);
        for (name, value) in &self.more {
            let name = checked_name(name)?;
            // Whether Cint's callback looks at the case of a name is not published.
            if names.iter().any(|there| there.eq_ignore_ascii_case(name)) {
                return Err(RedirectError::Repeated { name: name.to_owned() });
            }
            names.push(name);
            url.push('&');
            url.push_str(name);
            url.push('=');
            encode_into(&mut url, value);
        }
        self.links.sign(&url)
    }
}

/// Verifies the links by which respondents come from Cint. Several keys may be good at once, while one is replaced.
///
/// ```
/// use cintx::respondent::redirect::EntryLinks;
///
/// # fn main() -> Result<(), cintx::respondent::redirect::RedirectError> {
/// let links = EntryLinks::new("ZZ6VkORqV25iSWOVb5cwZ03zpns")?.parameter("oenc")?;
/// links.verify("https://www.abc.com/ex.aspx?abc=def&vid=123&oenc=dYQuf4tCr1l07nDRpzO-PLSBNTQ")?;
/// // Behind a proxy the server sees only this; the public address is what was hashed.
/// links.verify_behind("https://www.abc.com", "/ex.aspx?abc=def&vid=123&oenc=dYQuf4tCr1l07nDRpzO-PLSBNTQ")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EntryLinks {
    keys: Vec<LinkKey>,
}

impl EntryLinks {
    /// Verifies under a key, which is used as it stands, never decoded.
    ///
    /// # Errors
    /// That the key is empty.
    pub fn new(key: impl Into<Secret>) -> Result<Self, RedirectError> {
        Ok(Self { keys: vec![LinkKey::new(key.into())?] })
    }

    /// Takes another key as good too.
    ///
    /// # Errors
    /// That the key is empty.
    pub fn or_key(mut self, key: impl Into<Secret>) -> Result<Self, RedirectError> {
        let parameter = self.keys.first().map_or(DEFAULT_PARAMETER, |first| &first.parameter).to_owned();
        self.keys.push(LinkKey { parameter, ..LinkKey::new(key.into())? });
        Ok(self)
    }

    /// Names the parameter that carries the hash, as it is configured for links out of Cint; `hash` if not set.
    ///
    /// # Errors
    /// That it cannot be a parameter's name.
    pub fn parameter(self, name: &str) -> Result<Self, RedirectError> {
        let keys = self.keys.into_iter().map(|key| key.for_parameter(name)).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// Whether an address is as Cint signed it. Give the whole one, scheme and host included, as the browser called it.
    ///
    /// # Errors
    /// Why it is not to be trusted. Let nobody in by it, show a page, and sign nothing: the RID may be that of somebody
    /// else, whom a way back would take out of the survey.
    pub fn verify(&self, url: &str) -> Result<(), RedirectError> {
        // Every key is tried, so the time does not tell which one fits.
        let mut result = Err(RedirectError::Mismatch);
        for key in &self.keys {
            match key.verify(url) {
                Ok(()) => result = Ok(()),
                Err(RedirectError::Mismatch) => {}
                // The form is wrong, which it is under every key.
                Err(other) => return Err(other),
            }
        }
        result
    }

    /// As [`verify`](Self::verify), where a proxy stands before the server: the base is the public scheme and host,
    /// with what the proxy cuts off the path, and the rest is the request target as the server got it.
    ///
    /// The base is yours to configure. Do not take it from headers that the caller could have written. A mismatch may
    /// mean that it is wrong: where the hash fits another scheme, port, spelling of the host, `www.` or path in its
    /// place, the error is [`PublicAddress`](RedirectError::PublicAddress). Any other wrong base cannot be told from a
    /// link that was changed.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify); that the base is no absolute address or the target no path; that the link was
    /// signed for another base.
    pub fn verify_behind(&self, public_base: &str, target: &str) -> Result<(), RedirectError> {
        let base = without_query(public_base)?;
        if !target.starts_with('/') {
            let problem = "has a request target that is no path";
            return Err(RedirectError::Url { problem, expected: "path and query as received, from the first '/' on" });
        }
        let base = base.strip_suffix('/').unwrap_or(base);
        match self.verify(&format!("{base}{target}")) {
            Err(RedirectError::Mismatch) => {
                let fits = |other: &String| self.verify(&format!("{other}{target}")).is_ok();
                Err(match other_bases(base).into_iter().find(fits) {
                    Some(fitting) => {
                        RedirectError::PublicAddress { got: shortened(public_base), expected: shortened(&fitting) }
                    }
                    None => RedirectError::Mismatch,
                })
            }
            other => other,
        }
    }
}

/// What a public address may have been meant to be: with another scheme, with or without a port, with or without
/// `www.`, in lower case, without its path or without the last part of that.
fn other_bases(base: &str) -> Vec<String> {
    let Some((scheme, rest)) = base.split_once("://") else { return Vec::new() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let lower = authority.to_ascii_lowercase();
    let bare = match lower.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => &*lower,
    };
    let www = bare.strip_prefix("www.").map_or_else(|| format!("www.{bare}"), str::to_owned);
    let hosts = [authority, &*lower, bare, &*www];
    let paths = [path, "", path.rsplit_once('/').map_or("", |(start, _)| start)];
    let mut bases = Vec::new();
    for scheme in [scheme, "https", "http"] {
        let port = if scheme.eq_ignore_ascii_case("http") { ":80" } else { ":443" };
        for (host, port) in hosts.iter().flat_map(|host| [(host, ""), (host, port)]) {
            for path in paths {
                let other = format!("{scheme}://{host}{port}{path}");
                if other != base && !bases.contains(&other) {
                    bases.push(other);
                }
            }
        }
    }
    bases
}

/// The query of an address that can be hashed.
fn query(url: &str) -> Result<&str, RedirectError> {
    let wrong = |problem, expected| Err(RedirectError::Url { problem, expected });
    absolute(url)?;
    match url.split_once('?') {
        _ if url.contains('#') => wrong("has a fragment", "none: browsers do not send it"),
        None => wrong("has no query", "parameters after a '?'"),
        Some((_, query)) => Ok(query),
    }
}

fn without_query(url: &str) -> Result<&str, RedirectError> {
    absolute(url)?;
    if url.contains(['?', '#']) {
        let problem = "has a query or a fragment";
        return Err(RedirectError::Url { problem, expected: "scheme, host and path only" });
    }
    Ok(url)
}

fn absolute(url: &str) -> Result<(), RedirectError> {
    let wrong = |problem, expected| Err(RedirectError::Url { problem, expected });
    if url.len() > MAX_URL {
        return wrong("is too long", "at most 16 KiB");
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("has characters that no address has", "printable ASCII, the rest percent-encoded");
    }
    let scheme_len = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme)).map(str::len));
    let host = scheme_len.and_then(|len| url.get(len..)).and_then(|rest| rest.bytes().next());
    if host.is_none_or(|byte| matches!(byte, b'/' | b'?' | b'#')) {
        return wrong("is not absolute", "https:// or http://, and a host");
    }
    Ok(())
}

fn pairs(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|pair| !pair.is_empty())
}

fn name_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name)
}

fn checked_name(name: &str) -> Result<&str, RedirectError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = (1..=64).contains(&name.len()) && name.bytes().all(plain);
    if fits { Ok(name) } else { Err(RedirectError::Parameter { got: shortened(name) }) }
}

fn checked_rid(rid: &str) -> Result<&str, RedirectError> {
    let fits = rid.len() == 36 && uuid::Uuid::try_parse(rid).is_ok();
    if fits { Ok(rid) } else { Err(RedirectError::Rid { got: shortened(rid) }) }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Everything but RFC 3986's unreserved characters is encoded.
fn encode_into(url: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LONG_KEY: &str = "ZZ6VkORqV25iSWOVb5cwZ03zpns";
    const SHORT_KEY: &str = "1234567890ABC";
    const OUT: &str = "https://www.abc.com/ex.aspx?abc=def&vid=123&";
    const IN: &str = "http://www.samplicio.us/router/default.aspx?SID=12345dca-a691-4496-a2fa-12345b99ec29&PID=1234&";
    const RID: &str = "67ADDA00-f3a4-f7b3-4dd2-f8494c3d5017";
    const VECTORS: [(&str, &str, &str); 4] = [
        (LONG_KEY, OUT, "dYQuf4tCr1l07nDRpzO-PLSBNTQ"),
        (LONG_KEY, IN, "n3yzbU4WgqUT5hNKm7AnN07falA"),
        (SHORT_KEY, IN, "XWwaVNlMH8fxcLe5OQIh-vn5_b8"),
        (SHORT_KEY, OUT, "h5o29uA19Z73RFWNsQU6-OW-7ls"),
    ];
    /// Printed in old documents: its base holds the parameter's name, against the text around it.
    const TRAP: &str = "NPJPxGx_-1vHe0T1q4tt-MyWnQ4";

    #[test]
    fn published_vectors_are_signed_and_verified() {
        for (key, base, hash) in VECTORS {
            for parameter in ["hash", "ienc", "oenc"] {
                let expected = format!("{base}{parameter}={hash}");
                let exit = ExitLinks::new(key).unwrap().parameter(parameter).unwrap();
                let entry = EntryLinks::new(key).unwrap().parameter(parameter).unwrap();
                assert_eq!(exit.sign(base).unwrap(), expected);
                assert_eq!(exit.sign(base.strip_suffix('&').unwrap()).unwrap(), expected);
                assert_eq!(entry.verify(&expected), Ok(()));
            }
        }
    }

    #[test]
    fn the_misleading_vector_is_refused() {
        let entry = EntryLinks::new(LONG_KEY).unwrap().parameter("oenc2").unwrap();
        assert_eq!(entry.verify(&format!("{OUT}oenc2={TRAP}")), Err(RedirectError::Mismatch));
        // It is what comes out if the name is hashed along, so it is this mistake that the test guards against.
        assert_eq!(LinkKey::new(LONG_KEY.into()).unwrap().hash(&format!("{OUT}oenc2=")).unwrap(), TRAP);
        let exit = ExitLinks::new(LONG_KEY).unwrap().parameter("oenc2").unwrap();
        assert!(!exit.sign(OUT).unwrap().ends_with(TRAP));
    }

    #[test]
    fn only_the_exact_text_is_verified() {
        let entry = EntryLinks::new(LONG_KEY).unwrap();
        let good = format!("{OUT}hash=dYQuf4tCr1l07nDRpzO-PLSBNTQ");
        entry.verify(&good).unwrap();
        for (from, to) in [
            ("https:", "http:"),
            ("www.abc.com", "WWW.abc.com"),
            ("vid=123", "vid=124"),
            ("vid=123", "vid=%3123"),
            ("&vid", "&&vid"),
            ("hash=d", "hash=D"),
            ("BNTQ", "BNTR"),
            ("BNTQ", "BNTQ="),
            ("zO-PL", "zO+PL"),
            ("BNTQ", ""),
        ] {
            let changed = good.replacen(from, to, 1);
            assert_ne!(changed, good);
            assert_eq!(entry.verify(&changed), Err(RedirectError::Mismatch), "{changed}");
        }
    }

    #[test]
    fn the_hash_is_the_one_last_parameter() {
        let entry = EntryLinks::new(LONG_KEY).unwrap();
        let hash = "dYQuf4tCr1l07nDRpzO-PLSBNTQ";
        let not_last = RedirectError::NotLast { parameter: "hash".into() };
        for tail in [format!("hash={hash}&a=b"), format!("hash={hash}&"), format!("hash=x&hash={hash}"), "hash".into()]
        {
            assert_eq!(entry.verify(&format!("{OUT}{tail}")), Err(not_last.clone()), "{tail}");
        }
        let missing = RedirectError::Missing { parameter: "hash".into() };
        for tail in ["", "Hash=x", "ahash=x", "a=hash="] {
            assert_eq!(entry.verify(&format!("{OUT}{tail}")), Err(missing.clone()), "{tail}");
        }
        for url in ["", "/a?b=c&hash=d", "https://", "https:///a?b&hash=c", "ftp://a/?b&hash=c", "https://a/"] {
            assert!(matches!(entry.verify(url), Err(RedirectError::Url { .. })), "{url}");
        }
        for url in ["https://a/?b&hash=c#d", "https://a/?\u{e9}&hash=c", "https://a/?b c&hash=d"] {
            assert!(matches!(entry.verify(url), Err(RedirectError::Url { .. })), "{url}");
        }
        assert_eq!(entry.verify("https://a/?has=x"), Err(missing));
        // Which text is hashed if there is no other parameter is not published.
        let alone = entry.verify("https://a/?hash=dYQuf4tCr1l07nDRpzO-PLSBNTQ").unwrap_err().to_string();
        assert!(alone.starts_with("url has the hash as its only parameter, expected another one before it"), "{alone}");
        let exit = ExitLinks::new(LONG_KEY).unwrap();
        assert!(matches!(exit.sign("https://a/?"), Err(RedirectError::Url { .. })));
        assert!(matches!(exit.sign("https://a/?a=b&hash=c"), Err(RedirectError::Repeated { .. })));
    }

    #[test]
    fn behind_a_proxy_the_public_address_counts() {
        let entry = EntryLinks::new(LONG_KEY).unwrap();
        let target = "/ex.aspx?abc=def&vid=123&hash=dYQuf4tCr1l07nDRpzO-PLSBNTQ";
        for base in ["https://www.abc.com", "https://www.abc.com/"] {
            assert_eq!(entry.verify_behind(base, target), Ok(()));
        }
        let stripped = target.replacen("/ex.aspx", "/", 1);
        assert_eq!(entry.verify_behind("https://www.abc.com/ex.aspx", &stripped), Err(RedirectError::Mismatch));
        for (base, target) in
            [("www.abc.com", target), ("https://a?b", target), ("https://a", "evil"), ("https://a", "")]
        {
            assert!(matches!(entry.verify_behind(base, target), Err(RedirectError::Url { .. })), "{base} {target}");
        }
    }

    #[test]
    fn a_wrong_public_address_is_told_from_a_changed_link() {
        let entry = EntryLinks::new(LONG_KEY).unwrap().or_key(SHORT_KEY).unwrap();
        let target = "/ex.aspx?abc=def&vid=123&hash=dYQuf4tCr1l07nDRpzO-PLSBNTQ";
        for wrong in [
            "http://www.abc.com",
            "HTTPS://www.abc.com",
            "https://www.abc.com:443",
            "https://www.abc.com:8443",
            "http://www.abc.com:80/",
            "https://WWW.abc.com",
            "https://abc.com",
            "https://www.abc.com/survey",
            "https://www.abc.com/ex.aspx/",
        ] {
            let error = entry.verify_behind(wrong, target).unwrap_err();
            let RedirectError::PublicAddress { got, expected } = &error else { panic!("{wrong}: {error}") };
            assert_eq!((&**got, &**expected), (wrong, "https://www.abc.com"));
            assert!(!error.to_string().contains("dYQuf4tCr1l07nDRpzO-PLSBNTQ"));
        }
        for signed in ["https://a.example:443/s?a=b", "http://a.example/s?a=b", "https://a.example/p/s?a=b"] {
            let link = ExitLinks::new(SHORT_KEY).unwrap().sign(signed).unwrap();
            let target = format!("/s{}", &link[link.find('?').unwrap()..]);
            let error = entry.verify_behind("https://a.example/p/q", &target);
            assert!(matches!(error, Err(RedirectError::PublicAddress { .. })), "{signed}: {error:?}");
        }
        // A stranger's address, and a link that was changed as well.
        assert_eq!(entry.verify_behind("https://other.example", target), Err(RedirectError::Mismatch));
        let changed = target.replacen("123", "124", 1);
        assert_eq!(entry.verify_behind("http://www.abc.com", &changed), Err(RedirectError::Mismatch));
        assert!(other_bases("http://a:80/b/c").len() < 80);
    }

    #[test]
    fn each_direction_may_have_a_key_of_its_own_and_two_during_a_change() {
        let url = ExitLinks::new(SHORT_KEY).unwrap().sign(OUT).unwrap();
        let other = EntryLinks::new(LONG_KEY).unwrap();
        assert_eq!(other.verify(&url), Err(RedirectError::Mismatch));
        assert_eq!(other.or_key(SHORT_KEY).unwrap().verify(&url), Ok(()));
        assert_eq!(EntryLinks::new("").unwrap_err(), RedirectError::EmptyKey);
        assert_eq!(ExitLinks::new("").unwrap_err(), RedirectError::EmptyKey);
        assert_eq!(ExitLinks::new("key\n").unwrap_err(), RedirectError::KeyEnds);
        let shown = format!("{:?}", ExitLinks::new(SHORT_KEY).unwrap());
        assert!(!shown.contains(SHORT_KEY), "{shown}");
    }

    #[test]
    fn exit_links_are_built_and_checked() {
        let links = ExitLinks::new(SHORT_KEY).unwrap();
        let url = links.exit(RID, ClientCode::OVERQUOTA).with("note", "a b&c=\u{e9}").url().unwrap();
        assert!(url.starts_with(&format!("{CALLBACK}?RIS=40&RID={RID}&note=a%20b%26c%3D%C3%A9&hash=")), "{url}");
        EntryLinks::new(SHORT_KEY).unwrap().verify(&url).unwrap();

        assert!(matches!(links.exit("1234", ClientCode::COMPLETE).url(), Err(RedirectError::Rid { .. })));
        assert!(matches!(links.exit(RID, ClientCode::IN_SURVEY).url(), Err(RedirectError::Code(_))));
        for name in ["RIS", "RID", "hash", "rid", "Ris"] {
            let built = links.exit(RID, ClientCode::COMPLETE).with(name, "1").url();
            assert_eq!(built, Err(RedirectError::Repeated { name: name.into() }));
        }
        let odd = links.exit(RID, ClientCode::COMPLETE).with("a=b", "1").url();
        assert_eq!(odd, Err(RedirectError::Parameter { got: "a=b".into() }));
        assert!(links.clone().callback("https://callback.example/?a").is_err());
        let moved = links.callback("https://callback.example/end").unwrap();
        let url = moved.exit(RID, ClientCode::COMPLETE).url().unwrap();
        assert!(url.starts_with("https://callback.example/end?RIS=10&RID="), "{url}");
    }

    proptest! {
        #[test]
        fn nothing_from_outside_panics(
            url in ".*",
            target in any::<String>(),
            base in "(https?://)?[a-z?#/&=\u{e9}]*",
        ) {
            let entry = EntryLinks::new(LONG_KEY).unwrap();
            prop_assert!(entry.verify(&url).is_err());
            let queried = format!("https://a/?{target}");
            prop_assert!(entry.verify(&queried).is_err());
            prop_assert!(entry.verify_behind(&base, &target).is_err());
            let hashed = format!("{OUT}hash={target}");
            prop_assert!(entry.verify(&hashed).is_err());
            let _ = ExitLinks::new(SHORT_KEY).unwrap().sign(&queried);
        }

        #[test]
        fn what_is_signed_verifies_and_one_changed_byte_does_not(
            query in "[a-zA-Z0-9%._~=-]{1,40}", at in any::<prop::sample::Index>(), byte in 0x21_u8..0x7f,
        ) {
            prop_assume!(name_of(&query) != "hash");
            let url = ExitLinks::new(LONG_KEY).unwrap().sign(&format!("https://a.example/b?{query}")).unwrap();
            let entry = EntryLinks::new(LONG_KEY).unwrap();
            prop_assert_eq!(entry.verify(&url), Ok(()));
            let mut changed = url.clone().into_bytes();
            let at = at.index(changed.len());
            prop_assume!(changed[at] != byte);
            changed[at] = byte;
            prop_assert!(entry.verify(&String::from_utf8(changed).unwrap()).is_err());
        }
    }
}
