//! What an answer must look like to be the success that its document describes: status, media type, coding, shape.
//! A gateway's page or an error object under a success status does not say that the request was carried out.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::object::FieldName;
use crate::operation::{AnswerShape, Operation};

/// An answer whose status says success, and which is none that the operation's document describes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnexpectedAnswer {
    /// Another success status than the document's.
    Status {
        /// The success statuses that the document lists.
        expected: &'static [u16],
    },
    /// Another media type than the document's.
    MediaType {
        /// The media type that came, without parameters.
        got: String,
        /// The media types that the document lists; empty if its answer has no body.
        expected: &'static [&'static str],
    },
    /// A content coding that was not asked for, and that nobody undid.
    Coding(String),
    /// An error object.
    ErrorObject,
    /// A body that is not what the document describes: a page, nothing, another object.
    Shape {
        /// What the document describes.
        expected: &'static str,
    },
}

impl fmt::Display for UnexpectedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { expected } => write!(f, "the document has {} for success", Either(expected)),
            Self::MediaType { got, expected: [] } => write!(f, "the body is {got}, expected none"),
            Self::MediaType { got, expected } => write!(f, "the media type is {got}, expected {}", Either(expected)),
            Self::Coding(coding) => write!(f, "the body is encoded as {coding}, which was not asked for"),
            Self::ErrorObject => f.write_str("the body is an error object"),
            Self::Shape { expected } => write!(f, "the body is not {expected}"),
        }
    }
}

impl std::error::Error for UnexpectedAnswer {}

/// Alternatives, as a sentence lists them.
struct Either<T: 'static>(&'static [T]);

impl<T: fmt::Display> fmt::Display for Either<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in self.0.iter().enumerate() {
            write!(f, "{}{one}", if at > 0 { " or " } else { "" })?;
        }
        Ok(())
    }
}

/// How much of a body is looked at: error objects are short, and what only reads is decoded anyway.
const MAX_INSPECTED_BYTES: usize = 64 << 10;
const ZIP: &[u8] = b"PK";
const GZIP: &[u8] = &[0x1f, 0x8b];

impl Operation {
    /// Whether an answer with a status of success is one that the document describes; `body` is `None` if it broke off.
    /// Any other status says enough by itself.
    ///
    /// # Errors
    /// What differs.
    pub fn check_answer(
        &'static self,
        status: StatusCode,
        headers: &HeaderMap,
        body: Option<&[u8]>,
    ) -> Result<(), UnexpectedAnswer> {
        if !status.is_success() {
            return Ok(());
        }
        self.check_head(status, headers)?;
        body.map_or(Ok(()), |body| self.check_body(headers, body))
    }

    /// Whether status and headers are those of a success that the document describes.
    ///
    /// # Errors
    /// What differs. A media type that is missing or no media type at all is left for the body to decide.
    pub fn check_head(&'static self, status: StatusCode, headers: &HeaderMap) -> Result<(), UnexpectedAnswer> {
        if self.success.is_empty() {
            // No document describes it.
            return Ok(());
        }
        if !self.success.contains(&status.as_u16()) {
            return Err(UnexpectedAnswer::Status { expected: self.success });
        }
        let coding = headers.get(header::CONTENT_ENCODING).map(|coding| String::from_utf8_lossy(coding.as_bytes()));
        if let Some(coding) = coding.filter(|coding| !coding.trim().is_empty() && coding.trim() != "identity") {
            return Err(UnexpectedAnswer::Coding(coding.into_owned()));
        }
        match media_type(headers) {
            Some(got) if !self.answer_media.is_empty() && !self.answers(&got) => {
                Err(UnexpectedAnswer::MediaType { got: got.into_owned(), expected: self.answer_media })
            }
            _ => Ok(()),
        }
    }

    /// Whether a whole body is one that the document describes. Long bodies of reads are left to their decoder.
    ///
    /// # Errors
    /// What differs.
    pub fn check_body(&'static self, headers: &HeaderMap, body: &[u8]) -> Result<(), UnexpectedAnswer> {
        if self.is_read() && body.len() > MAX_INSPECTED_BYTES {
            return Ok(());
        }
        let shape = |expected| Err(UnexpectedAnswer::Shape { expected });
        let text = body.trim_ascii_start();
        match (self.answer_shape, text.first()) {
            (AnswerShape::Object(expected), Some(b'{')) => match inspect(text, expected) {
                Some(object) if object.is_error => Err(UnexpectedAnswer::ErrorObject),
                Some(object) if object.is_described || expected.is_empty() => Ok(()),
                _ => shape("the JSON object that the document describes"),
            },
            (AnswerShape::Array, Some(b'{')) if inspect(text, &[]).is_some_and(|object| object.is_error) => {
                Err(UnexpectedAnswer::ErrorObject)
            }
            (AnswerShape::Object(_), _) => shape("the JSON object that the document describes"),
            (AnswerShape::Array, Some(b'[')) => Ok(()),
            (AnswerShape::Array, _) => shape("the JSON list that the document describes"),
            // No body is described: what comes may be anything but a page or an error.
            (AnswerShape::Other, Some(b'{')) if inspect(text, &[]).is_some_and(|object| object.is_error) => {
                Err(UnexpectedAnswer::ErrorObject)
            }
            (AnswerShape::Other, Some(_)) if !self.success.is_empty() => match media_type(headers) {
                Some(got) if self.answer_media.is_empty() && !is_json(&got) => {
                    Err(UnexpectedAnswer::MediaType { got: got.into_owned(), expected: &[] })
                }
                _ if is_page(text) => shape("empty"),
                _ => Ok(()),
            },
            (AnswerShape::Other, _) => Ok(()),
        }
    }

    /// Whether the first bytes of a download may be those of a file that the document describes.
    ///
    /// # Errors
    /// What they are instead: a page, an error object, a compressed stream.
    pub fn check_download(&'static self, start: &[u8]) -> Result<(), UnexpectedAnswer> {
        let text = without_mark(start).trim_ascii_start();
        let only = |media: &str| matches!(self.answer_media, [one] if *one == media);
        let is_markup = only("text/csv") && text.starts_with(b"<");
        if start.starts_with(GZIP) {
            Err(UnexpectedAnswer::Coding("gzip".to_owned()))
        } else if text.starts_with(b"{") {
            Err(UnexpectedAnswer::ErrorObject)
        } else if is_page(text) || is_markup || (only(SPREADSHEET) && !start.starts_with(ZIP)) {
            Err(UnexpectedAnswer::Shape { expected: "the file that the document describes" })
        } else {
            Ok(())
        }
    }

    fn answers(&self, got: &str) -> bool {
        self.answer_media.iter().any(|media| match *media {
            // A file of any kind.
            "application/octet-stream" => !is_json(got) && !matches!(got, "text/html" | "application/xhtml+xml"),
            media => media == got || (is_json(media) && is_json(got)),
        })
    }
}

const SPREADSHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What nearly all answers are.
const JSON: &str = "application/json";

fn is_json(media: &str) -> bool {
    media == JSON || media == "text/json" || media.ends_with("+json")
}

/// Without a byte-order mark at the start.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// How far a page may begin behind what XML begins with.
const MAX_PROLOGUE_BYTES: usize = 1 << 10;

/// Whether a text is a page, or a part of one. Other markup that is a file is a spreadsheet.
fn is_page(text: &[u8]) -> bool {
    let text = without_mark(text).trim_ascii_start();
    let starts = |text: &[u8], tag: &[u8]| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    if starts(text, b"<?xml") {
        let prologue = &text[..text.len().min(MAX_PROLOGUE_BYTES)];
        return (0..prologue.len()).any(|at| {
            let rest = &prologue[at..];
            starts(rest, b"<html") || starts(rest, b"<!doctype html")
        });
    }
    text.starts_with(b"<") && !starts(text, b"<workbook") && !starts(text, b"<ss:workbook")
}

/// The media type of an answer in lower case and without parameters; `None` if there is none that can be read.
fn media_type(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get(header::CONTENT_TYPE)?;
    if value == JSON {
        return Some(Cow::Borrowed(JSON));
    }
    let text = value.to_str().ok()?;
    let essence = text.split(';').next()?.trim();
    let essence = match essence.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(essence.to_ascii_lowercase()),
        false => Cow::Borrowed(essence),
    };
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let (kind, subtype) = essence.split_once('/')?;
    (token(kind) && token(subtype)).then_some(essence)
}

/// What the top level of a JSON object says.
#[derive(Default)]
struct Inspected {
    /// It has a property that the document describes.
    is_described: bool,
    /// It is an error in one of the shapes that APIs and gateways use.
    is_error: bool,
}

fn inspect(text: &[u8], expected: &'static [&'static str]) -> Option<Inspected> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let object = (&mut reader).deserialize_map(TopLevel(expected)).ok()?;
    reader.end().ok()?;
    Some(object)
}

struct TopLevel(&'static [&'static str]);

impl<'de> Visitor<'de> for TopLevel {
    type Value = Inspected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inspected, A::Error> {
        let mut object = Inspected::default();
        let (mut says_error, mut says_message) = (false, false);
        while let Some(key) = map.next_key_seed(FieldName)? {
            let described = self.0.contains(&&*key);
            match &*key {
                "object" => {
                    says_error |= map.next_value_seed(ErrorWord)?;
                    // Every object has it, errors too: it describes none.
                    continue;
                }
                "error" | "errors" | "error_description" | "invalid_params" if !described => says_error = true,
                "message" | "detail" | "details" | "title" if !described => says_message = true,
                _ => {}
            }
            object.is_described |= described;
            map.next_value::<IgnoredAny>()?;
        }
        object.is_error = says_error || (says_message && !object.is_described);
        Ok(object)
    }
}

/// Reads whether a value is the word for an error.
struct ErrorWord;

impl<'de> DeserializeSeed<'de> for ErrorWord {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ErrorWord {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E>(self, word: &str) -> Result<bool, E> {
        Ok(is_error_word(word))
    }

    // Anything else is none.
    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<bool, A::Error> {
        IgnoredAny.visit_seq(items).map(|_| false)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<bool, A::Error> {
        IgnoredAny.visit_map(fields).map(|_| false)
    }
}

fn is_error_word(word: &str) -> bool {
    word == "error" || word.ends_with("_error") || word.ends_with("problem_details")
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::Idempotency;
    use crate::operation::undocumented;
    use http::Method;

    static CREATE: LazyLock<Operation> = LazyLock::new(|| Operation {
        success: &[201],
        answer_shape: AnswerShape::Object(&["id", "name", "message"]),
        ..undocumented(Method::POST, Idempotency::Unsafe)
    });
    static ACTION: LazyLock<Operation> = LazyLock::new(|| Operation {
        success: &[204],
        answer_media: &[],
        ..undocumented(Method::POST, Idempotency::Unsafe)
    });
    static DOWNLOAD: LazyLock<Operation> = LazyLock::new(|| Operation {
        success: &[200],
        answer_media: &["text/csv", SPREADSHEET],
        ..undocumented(Method::GET, Idempotency::Safe)
    });

    static FILE: LazyLock<Operation> = LazyLock::new(|| Operation {
        success: &[200],
        answer_media: &["application/octet-stream"],
        ..undocumented(Method::GET, Idempotency::Safe)
    });

    static LIST: LazyLock<Operation> = LazyLock::new(|| Operation {
        success: &[200],
        answer_media: &["text/csv"],
        ..undocumented(Method::GET, Idempotency::Safe)
    });

    fn headers(media: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, media.parse().unwrap());
        headers
    }

    #[test]
    fn only_the_documents_status_media_type_and_coding_are_a_success() {
        let created = |media: &str| CREATE.check_head(StatusCode::CREATED, &headers(media));
        for fine in ["application/json", "Application/JSON; charset=utf-8", "application/hal+json", "garbled", "a/b/c"]
        {
            assert_eq!(created(fine), Ok(()), "{fine}");
        }
        for page in ["text/html", "text/plain; charset=utf-8", "application/octet-stream"] {
            assert!(matches!(created(page), Err(UnexpectedAnswer::MediaType { .. })), "{page}");
        }
        let other = CREATE.check_head(StatusCode::OK, &HeaderMap::new()).unwrap_err();
        assert_eq!(other.to_string(), "the document has 201 for success");
        let file = |media: &str| FILE.check_head(StatusCode::OK, &headers(media));
        assert_eq!((file("text/csv"), file("application/octet-stream")), (Ok(()), Ok(())));
        for page in ["text/html", "application/xhtml+xml", "application/json"] {
            assert!(file(page).is_err(), "{page}");
        }
        let mut coded = headers("application/json");
        coded.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(CREATE.check_head(StatusCode::CREATED, &coded), Err(UnexpectedAnswer::Coding("gzip".to_owned())));
    }

    #[test]
    fn a_body_must_be_the_object_that_the_document_describes() {
        let none = HeaderMap::new();
        for fine in [r#"{"id":"1"}"#, r#" {"new":1,"name":"x","object":"project"}"#, r#"{"message":"m","object":5}"#] {
            assert_eq!(CREATE.check_body(&none, fine.as_bytes()), Ok(()), "{fine}");
        }
        for error in [
            r#"{"error":"no"}"#,
            r#"{"object":"bad_request_error","id":"1","detail":"d"}"#,
            r#"{"object":"too_many_requests_problem_details"}"#,
            r#"{"errors":[]}"#,
            r#"{"detail":"d"}"#,
        ] {
            assert_eq!(CREATE.check_body(&none, error.as_bytes()), Err(UnexpectedAnswer::ErrorObject), "{error}");
        }
        for odd in ["", "null", "{}", "[]", "5", "<html>", r#"{"id":"1""#, r#"{"status":"ok"}"#, r#"{"id":1} x"#] {
            let got = CREATE.check_body(&none, odd.as_bytes());
            assert!(matches!(got, Err(UnexpectedAnswer::Shape { .. })), "{odd}: {got:?}");
        }
    }

    #[test]
    fn where_no_body_is_described_none_or_any_object_will_do() {
        for fine in ["", " ", "{}", r#"{"id":"1"}"#] {
            assert_eq!(ACTION.check_body(&headers("application/json"), fine.as_bytes()), Ok(()), "{fine}");
        }
        assert!(ACTION.check_body(&headers("application/json"), br#"{"error":"no"}"#).is_err());
        assert!(ACTION.check_body(&headers("text/html"), b"hello").is_err());
        assert!(ACTION.check_body(&HeaderMap::new(), b"<HTML>").is_err());
    }

    #[test]
    fn a_download_is_neither_a_page_nor_an_error_nor_a_compressed_stream() {
        let sheet = b"<?xml version='1.0'?><?mso-application progid='Excel.Sheet'?><Workbook>";
        for fine in [&b""[..], b"RID,status\r\n", b"\xef\xbb\xbfRID", b"PK\x03\x04", sheet, b"<Workbook xmlns=''>"] {
            assert_eq!(DOWNLOAD.check_download(fine), Ok(()), "{fine:?}");
        }
        let pages = [
            &b"<!DOCTYPE html>"[..],
            b" <html lang=en>",
            b"<script>location='/login'</script>",
            b"<!-- proxy --><html>",
            b"\xef\xbb\xbf\r\n<!DOCTYPE html>",
            b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN'>",
            b"<?xml version='1.0'?><HTML>",
        ];
        for odd in pages.into_iter().chain([&b"{\"error\":\"no\"}"[..], b"\xef\xbb\xbf{", b"\x1f\x8b\x08"]) {
            for download in [&DOWNLOAD, &LIST] {
                assert!(download.check_download(odd).is_err(), "{odd:?}");
            }
        }
        // A list of text holds no markup at all.
        assert!(LIST.check_download(sheet).is_err());
    }
}
