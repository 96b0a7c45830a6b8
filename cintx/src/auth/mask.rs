//! Takes a secret out of a text that came from outside, however the text spells it.

use std::borrow::Cow;

/// What stands in a secret's place.
const MASK: &str = "***";

/// The text without the secret: plain, with its slashes escaped as some JSON has them, or percent-encoded.
pub(crate) fn mask<'a>(text: &'a str, secret: &str) -> Cow<'a, str> {
    let mut out = Cow::Borrowed(text);
    // No spelling is shorter than the secret.
    if secret.is_empty() || text.len() < secret.len() {
        return out;
    }
    let encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
    let quoted = serde_json::Value::from(secret).to_string();
    let quoted = &quoted[1..quoted.len() - 1];
    for spelling in [secret, quoted, &quoted.replace('/', "\\/"), &encoded] {
        if out.contains(spelling) {
            out = Cow::Owned(out.replace(spelling, MASK));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_however_it_is_spelled() {
        let secret = "a/b+c\"d==";
        for (text, masked) in [
            ("no a/b+c\"d== here", "no *** here"),
            (r#"{"detail":"a\/b+c\"d=="}"#, r#"{"detail":"***"}"#),
            (r#"{"detail":"a/b+c\"d=="}"#, r#"{"detail":"***"}"#),
            ("?token=a%2Fb%2Bc%22d%3D%3D&x", "?token=***&x"),
        ] {
            assert_eq!(mask(text, secret), masked);
        }
        assert!(matches!(mask("nothing", secret), Cow::Borrowed("nothing")));
        assert_eq!(mask("nothing", ""), "nothing");
    }
}
