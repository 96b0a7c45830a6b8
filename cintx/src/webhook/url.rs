//! Validates the address of a webhook, and where plain HTTP is safe.

use ::url::Url;

use crate::error::FieldError;
use crate::http::is_loopback;

/// The rules for an address, except that plain HTTP is allowed to this machine.
pub(super) fn url_problem(text: &str) -> Option<FieldError> {
    let fits = is_uri(text)
        && Url::parse(text).is_ok_and(|url| match url.scheme() {
            "https" => url.has_host(),
            "http" => is_loopback(&url),
            _ => false,
        });
    // A query may hold secrets.
    let shown: String = text.split('?').next().unwrap_or_default().chars().take(80).collect();
    let expected = "an https:// address (or http:// of this machine itself), special characters percent-encoded";
    (!fits).then(|| FieldError::new("url", format!("is {shown:?}, expected {expected}")))
}

/// Whether an address is written as RFC 3986 requires, which is less than browsers, and so the parser, make sense of.
fn is_uri(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?#%".contains(&byte);
    let encoded = |part: &str| {
        let digits = |it: &str| it.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        part.split('%').skip(1).all(digits)
    };
    !authority.is_empty()
        && authority.bytes().all(|byte| plain(byte) || matches!(byte, b'[' | b']'))
        && rest.bytes().all(plain)
        && rest.matches('#').count() <= 1
        && encoded(authority)
        && encoded(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_safe_from_listeners() {
        let own = ["http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:1/"];
        for good in own.into_iter().chain(["https://hooks.example", "HTTPS://hooks.example/a%20b?c=d&e#f"]) {
            assert_eq!(url_problem(good), None);
        }
        for bad in [
            "",
            "hooks.example",
            "http://hooks.example/",
            "https://",
            "https:hooks.example",
            "https:///hooks.example",
            "ftp://hooks.example/",
            "https://a b.example",
            "https://hooks.example/\u{e9}",
            "https://hooks.example/[a]",
            "https://hooks.example/%4",
            "https://hooks.example/a#b#c",
            "https://hooks.example:99999/",
        ] {
            assert_eq!(url_problem(bad).unwrap().field(), "url", "{bad}");
        }
        let refused = url_problem("http://hooks.example/cint?token=abc").unwrap().to_string();
        assert!(refused.contains("\"http://hooks.example/cint\"") && !refused.contains("abc"), "{refused}");
    }
}
