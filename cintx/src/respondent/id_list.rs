//! Lists of ids to upload: from an iterator, a stream, or a file, each id checked before anything is sent.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt as _};

use crate::error::{Error, FieldError};
use crate::types::hyphenated_uuid;

/// The most ids that a target group keeps of one kind, so the most that an upload can have.
pub(crate) const MAX_IDS: usize = 100_000;
/// The most codes that an upload can have.
pub(crate) const MAX_CODES: usize = 20_000;
/// A file of ids must stay below this.
const MAX_BYTES: usize = 5_000_000;
/// How many wrong ids an error names one by one.
const MAX_NAMED_IDS: usize = 20;

/// Ids to upload, one a line: respondents to exclude or to ask again, or codes to hand out. Empty lines do not count,
/// and an id that comes twice is sent once.
///
/// What an id must look like depends on what it is for, so the check is made when it is uploaded.
///
/// ```
/// # use cintx::respondent::IdList;
/// let list: IdList = ["a1", "a2", "", "a1"].into_iter().collect();
/// assert_eq!(list.len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct IdList {
    ids: Vec<Box<str>>,
    seen: HashSet<Box<str>>,
    /// Whether there are more than can be sent; they are not kept.
    too_many: bool,
    /// The lines read so far, and where each id is.
    lines: usize,
    at: Vec<usize>,
}

impl IdList {
    /// How many different ids it has.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Reads ids from a stream of bytes, one a line, in UTF-8: the body of a download, for example.
    ///
    /// ```
    /// # use cintx::respondent::IdList;
    /// # async fn run() -> Result<(), cintx::Error> {
    /// let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("a1\r\na"), Ok("2\n")]);
    /// assert_eq!(IdList::from_stream(chunks).await?.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The stream's; or that it is no text, or 5 MB or more: the rest is not read then.
    pub async fn from_stream<B, E>(stream: impl Stream<Item = Result<B, E>> + Send) -> Result<Self, Error>
    where
        B: Into<Bytes>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let mut stream = std::pin::pin!(stream);
        let mut content = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| Error::local_unsent("the stream of ids broke off", error))?;
            content.extend_from_slice(&chunk.into());
            size_problem(content.len() as u64)?;
        }
        Self::from_bytes(&content)
    }

    /// Reads ids from a file: CSV or text, one id a line, in UTF-8, without a header.
    ///
    /// # Errors
    /// If the file cannot be read ([`ErrorKind::Local`](crate::error::ErrorKind::Local)), is no text, or has 5 MB or
    /// more.
    #[cfg(feature = "files")]
    pub async fn from_file(path: impl Into<std::path::PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let what = format!("file is {path:?}, expected a file that can be read");
        let unread = what.clone();
        let read = move || {
            let local = |error| Error::local_unsent(&*what, error);
            size_problem(std::fs::metadata(&path).map_err(local)?.len())?;
            Self::from_bytes(&std::fs::read(&path).map_err(local)?)
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| Error::local_unsent(unread, error))?
    }

    fn from_bytes(content: &[u8]) -> Result<Self, Error> {
        // A file that has grown since its size was read.
        size_problem(content.len() as u64)?;
        let text = std::str::from_utf8(content).map_err(|error| {
            let reason = format!("is no UTF-8 text at byte {}, expected one id a line", error.valid_up_to());
            Error::invalid(vec![FieldError::new("file", reason)])
        })?;
        Ok(text.trim_start_matches('\u{feff}').lines().collect())
    }

    fn push(&mut self, id: &str) {
        self.lines += 1;
        let id = id.trim();
        if id.is_empty() || self.seen.contains(id) {
            return;
        }
        self.ids.push(id.into());
        self.seen.insert(id.into());
        self.at.push(self.lines);
    }

    /// Everything that is wrong with the ids, the first wrong ones one by one.
    pub(crate) fn check(&self, field: &'static str, most: usize, rule: &Rule) -> Result<(), Error> {
        let mut problems = Vec::new();
        let wrong = self.ids.iter().zip(&self.at).filter(|(id, _)| !(rule.fits)(id));
        let mut count = 0_usize;
        for (id, line) in wrong {
            count += 1;
            if count <= MAX_NAMED_IDS {
                problems.push(FieldError::new(
                    field,
                    format!("number {line} is {:?}, expected {}", shown(id), rule.expected),
                ));
            }
        }
        if count > MAX_NAMED_IDS {
            problems.push(FieldError::new(field, format!("{} more are wrong in the same way", count - MAX_NAMED_IDS)));
        }
        if self.ids.is_empty() {
            problems.push(FieldError::new(field, format!("are none, expected 1 to {most}")));
        }
        if self.too_many || self.ids.len() > most {
            let more = if self.too_many { "more than " } else { "" };
            problems.push(FieldError::new(field, format!("are {more}{}, expected 1 to {most}", self.ids.len())));
        }
        Error::check(problems)
    }

    /// The file that is sent, or that it would be too large.
    pub(crate) fn to_file(&self) -> Result<cintx_raw::File, Error> {
        let size = self.ids.iter().map(|id| id.len() + 1).sum();
        size_problem(size as u64)?;
        let mut content = String::with_capacity(size);
        for id in &self.ids {
            content.push_str(id);
            content.push('\n');
        }
        Ok(cintx_raw::File::new("ids.csv", content))
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.ids.iter().map(ToString::to_string).collect()
    }
}

/// As much of a wrong id as an error shows.
fn shown(id: &str) -> String {
    const MAX_SHOWN_CHARS: usize = 80;
    if id.chars().count() <= MAX_SHOWN_CHARS {
        id.to_owned()
    } else {
        id.chars().take(MAX_SHOWN_CHARS).chain("...".chars()).collect()
    }
}

fn size_problem(bytes: u64) -> Result<(), Error> {
    let too_large = bytes >= MAX_BYTES as u64;
    let problem = || FieldError::new("file", format!("has {bytes} bytes, expected less than {MAX_BYTES}"));
    Error::check(too_large.then(problem))
}

impl<T: AsRef<str>> FromIterator<T> for IdList {
    /// Stops at the first id that is too many, so it may be given an iterator that never ends.
    fn from_iter<I: IntoIterator<Item = T>>(ids: I) -> Self {
        let mut list = Self::default();
        for id in ids {
            if list.len() == MAX_IDS {
                list.too_many |= !id.as_ref().trim().is_empty() && !list.seen.contains(id.as_ref().trim());
                if list.too_many {
                    break;
                }
                continue;
            }
            list.push(id.as_ref());
        }
        list
    }
}

impl<T: AsRef<str>> From<Vec<T>> for IdList {
    fn from(ids: Vec<T>) -> Self {
        ids.into_iter().collect()
    }
}

impl<T: AsRef<str>> From<&[T]> for IdList {
    fn from(ids: &[T]) -> Self {
        ids.iter().collect()
    }
}

impl<T: AsRef<str>, const N: usize> From<[T; N]> for IdList {
    fn from(ids: [T; N]) -> Self {
        ids.into_iter().collect()
    }
}

/// What an id must look like.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) fits: fn(&str) -> bool,
    pub(crate) expected: &'static str,
}

/// An id of a respondent or of a session: a UUID with hyphens.
pub(crate) const UUID: Rule =
    Rule { fits: |id| hyphenated_uuid(id).is_some(), expected: "a UUID such as 2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2" };

/// An id of a kind whose form is not published: one word.
pub(crate) const WORD: Rule = Rule {
    fits: |id| id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b';' | b'"')),
    expected: "one word of at most 128 characters without commas and quotes",
};

/// A code that respondents carry.
pub(crate) const CODE: Rule = Rule {
    fits: |code| {
        (1..=128).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    },
    expected: "1 to 128 letters, digits, - and _",
};
