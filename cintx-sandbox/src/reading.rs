//! JSON that people write: what is wrong in it is told with its place, and in words.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// Reads JSON text, all of it.
pub(crate) fn from_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = from(&mut json)?;
    json.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// The same of JSON that has been read already.
pub(crate) fn from<'de, T: Deserialize<'de>>(
    json: impl Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, String> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        // A name that is not known is no place.
        let place = path.trim_end_matches('?').trim_end_matches('.');
        let reason = in_words(&error.inner().to_string());
        if place.is_empty() { reason } else { format!("{place}: {reason}") }
    })
}

/// What Rust calls its numbers says nothing to others.
pub(crate) fn in_words(reason: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        ("expected f64", "expected a number"),
        ("expected i64", "expected a whole number"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number from 0 on"),
        ("expected u64", "expected a whole number from 0 on"),
        ("expected usize", "expected a whole number from 0 on"),
    ];
    WORDS.iter().fold(reason.to_owned(), |reason, (own, word)| reason.replace(own, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        times: u32,
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let said = |text: &str| from_json::<Outer>(text.as_bytes()).unwrap_err();
        let wrong = said(r#"{ "inner": [{ "times": 1 }, { "times": -1 }] }"#);
        assert!(wrong.starts_with("inner[1].times: invalid value: integer `-1`, expected a whole number"), "{wrong}");
        let unknown = said(r#"{ "inner": [{ "tmes": 1 }] }"#);
        assert!(unknown.contains("unknown field `tmes`, expected `times`"), "{unknown}");
        assert!(said(r#"{ "inner": [] } more"#).contains("trailing characters"));
    }
}
