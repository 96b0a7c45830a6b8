//! Intents that survive a crash: each write is written down before its first byte leaves, and struck out when its
//! outcome is known. What is left after a crash is replayed under its key, or looked up: [`Client::recover`].
//!
//! [`Client::recover`]: crate::Client::recover

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use cintx_raw::{Body, Operation, Request};
use http::{HeaderName, HeaderValue, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use crate::error::Outcome;
use crate::http::idempotency::IDEMPOTENCY_KEY;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where intents are written down. A client with a journal records every write in it.
///
/// One journal belongs to one account, and to one process at a time.
pub trait Journal: Send + Sync {
    /// Writes down an intent. When this returns, it must survive a crash of the machine.
    fn begin(&self, intent: &Intent) -> BoxFuture<'_, Result<(), JournalError>>;
    /// Strikes one out. Losing this in a crash does no harm: the write is replayed under its key, or looked up.
    fn end(&self, id: &str, outcome: Outcome) -> BoxFuture<'_, Result<(), JournalError>>;
    /// The intents that are not struck out, oldest first.
    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, JournalError>>;
}

/// The journal could not be read or written. Nothing is sent that could not be written down.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the journal failed")]
pub struct JournalError(#[source] Arc<dyn std::error::Error + Send + Sync>);

impl JournalError {
    /// The failure of a journal.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(cause.into()))
    }
}

impl From<std::io::Error> for JournalError {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}

/// One write that is about to be done. It holds what is needed to do it again, and no credential.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Intent {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) operation: String,
    pub(crate) at: Timestamp,
    target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    if_match: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<IntentBody>,
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct IntentBody {
    content_type: String,
    sha256: String,
    #[serde(flatten)]
    content: Content,
}

/// Nearly every body is text, and reads better as such.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Intent {
    /// The intent of sending a request.
    pub(crate) fn of(request: &Request, version: &str) -> Self {
        let header = |name: HeaderName| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
        let body = request.body().map(|body| IntentBody {
            content_type: String::from_utf8_lossy(body.content_type.as_bytes()).into_owned(),
            sha256: sha256(&body.bytes),
            content: match std::str::from_utf8(&body.bytes) {
                Ok(text) => Content::Text(text.to_owned()),
                Err(_) => Content::Bytes(body.bytes.to_vec()),
            },
        });
        Self {
            id: Ulid::new().to_string(),
            version: version.to_owned(),
            operation: request.operation().id.to_owned(),
            at: Timestamp::now(),
            target: request.target().to_owned(),
            key: header(IDEMPOTENCY_KEY),
            if_match: header(header::IF_MATCH),
            body,
        }
    }

    /// The request again, exactly as it was; `None` if the body is not what it was.
    pub(crate) fn request(&self, operation: &'static Operation) -> Option<Request> {
        let mut request = Request::to(operation, &*self.target);
        for (name, value) in [(IDEMPOTENCY_KEY, &self.key), (header::IF_MATCH, &self.if_match)] {
            if let Some(value) = value {
                request.headers_mut().insert(name, HeaderValue::from_str(value).ok()?);
            }
        }
        let body = match &self.body {
            Some(body) if sha256(body.content.bytes()) == body.sha256 => Some(Body {
                bytes: body.content.bytes().to_vec().into(),
                content_type: HeaderValue::from_str(&body.content_type).ok()?,
            }),
            Some(_) => return None,
            None => None,
        };
        Some(request.with_body(body))
    }

    /// Its id in the journal.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The operation's id.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The idempotency key, if the operation takes one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The SHA-256 of the body in hexadecimal digits, if there is a body.
    pub fn body_sha256(&self) -> Option<&str> {
        self.body.as_ref().map(|body| &*body.sha256)
    }

    /// When it was written down.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies hold respondents' ids and survey links; they stay out of logs.
        f.debug_struct("Intent")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("key", &self.key)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(feature = "files")]
pub use self::file::FileJournal;

#[cfg(feature = "files")]
mod file {
    //! A journal in one file: a line for each beginning, synced to the disk, and a line for each end.
    //! It is rewritten without what is struck out when that has become the larger part.

    use std::collections::BTreeMap;
    use std::fs::{File, OpenOptions};
    use std::io::{self, BufRead as _, BufReader, Write as _};
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::{Arc, BoxFuture, Deserialize, Intent, Journal, JournalError, Outcome, Serialize, fmt};

    /// Rewriting pays off beyond this many struck-out intents.
    const REWRITE: usize = 1_000;

    /// A journal in a file, for one process at a time.
    ///
    /// ```no_run
    /// # fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use cintx::{Client, V2025_12_18};
    /// use cintx::client::Credentials;
    /// use cintx::recovery::FileJournal;
    ///
    /// let cint = Client::<V2025_12_18>::builder()
    ///     .credentials(Credentials::from_env()?)
    ///     .account(2428)
    ///     .journal(FileJournal::open("cint.journal")?)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Clone)]
    pub struct FileJournal {
        inner: Arc<Mutex<Inner>>,
    }

    struct Inner {
        path: PathBuf,
        file: File,
        open: BTreeMap<String, Intent>,
        struck_out: usize,
        /// Held for as long as the journal is open.
        _lock: File,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Line {
        Begin(Box<Intent>),
        End { id: String, outcome: String },
    }

    impl FileJournal {
        /// Opens a journal, making it if there is none. A last line that a crash cut off counts as never written:
        /// its request did not leave.
        ///
        /// # Errors
        /// The file cannot be read or written, another process has it open, or it is no journal.
        pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
            let path = path.as_ref();
            let lock = lock(path)?;
            let open = read(path)?;
            let inner = Inner { path: path.to_owned(), file: rewrite(path, &open)?, open, struck_out: 0, _lock: lock };
            Ok(Self { inner: Arc::new(Mutex::new(inner)) })
        }

        /// Runs on a thread that may wait for the disk.
        async fn on_disk<T: Send + 'static>(
            &self,
            work: impl FnOnce(&mut Inner) -> io::Result<T> + Send + 'static,
        ) -> Result<T, JournalError> {
            let inner = Arc::clone(&self.inner);
            let done = tokio::task::spawn_blocking(move || work(&mut locked(&inner)));
            Ok(done.await.map_err(JournalError::new)??)
        }
    }

    fn locked(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
        // What is on the disk counts; a panic cannot leave that half done.
        inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(path: &Path) -> io::Result<File> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let file = private().create(true).truncate(false).write(true).open(PathBuf::from(name))?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => Ok(file),
            Err(fs4::TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another process has the journal open"))
            }
            Err(fs4::TryLockError::Error(error)) => Err(error),
        }
    }

    fn private() -> OpenOptions {
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
    }

    fn read(path: &Path) -> io::Result<BTreeMap<String, Intent>> {
        let mut open = BTreeMap::new();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(open),
            Err(error) => return Err(error),
        };
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        let mut number = 0_u64;
        loop {
            line.clear();
            number += 1;
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(open);
            }
            match serde_json::from_slice(&line) {
                Ok(Line::Begin(intent)) => {
                    open.insert(intent.id.clone(), *intent);
                }
                Ok(Line::End { id, .. }) => {
                    open.remove(&id);
                }
                // Cut off by a crash: it was not synced, so nothing was sent for it.
                Err(_) if line.last() != Some(&b'\n') => return Ok(open),
                Err(error) => {
                    let what = format!("line {number} is no journal entry: {error}");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
            }
        }
    }

    /// Replaces the file by one with the open intents alone, and opens that for more.
    fn rewrite(path: &Path, open: &BTreeMap<String, Intent>) -> io::Result<File> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        for intent in open.values() {
            file.write_all(&line(&Line::Begin(Box::new(intent.clone())))?)?;
        }
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The new name, too, must survive.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        OpenOptions::new().append(true).open(path)
    }

    fn line(line: &Line) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    impl Journal for FileJournal {
        fn begin(&self, intent: &Intent) -> BoxFuture<'_, Result<(), JournalError>> {
            let intent = intent.clone();
            Box::pin(self.on_disk(move |inner| {
                inner.file.write_all(&line(&Line::Begin(Box::new(intent.clone())))?)?;
                inner.file.sync_data()?;
                inner.open.insert(intent.id.clone(), intent);
                Ok(())
            }))
        }

        fn end(&self, id: &str, outcome: Outcome) -> BoxFuture<'_, Result<(), JournalError>> {
            let id = id.to_owned();
            Box::pin(self.on_disk(move |inner| {
                if inner.open.remove(&id).is_none() {
                    return Ok(());
                }
                inner.file.write_all(&line(&Line::End { id, outcome: outcome.to_string() })?)?;
                inner.struck_out += 1;
                if inner.struck_out > REWRITE.max(2 * inner.open.len()) {
                    inner.file = rewrite(&inner.path, &inner.open)?;
                    inner.struck_out = 0;
                }
                Ok(())
            }))
        }

        fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, JournalError>> {
            Box::pin(self.on_disk(|inner| Ok(inner.open.values().cloned().collect())))
        }
    }

    impl fmt::Debug for FileJournal {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("FileJournal").field("path", &locked(&self.inner).path).finish_non_exhaustive()
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use cintx_raw::Request;

        fn intent() -> Intent {
            let operation = cintx_raw::Operation::undocumented(&http::Method::POST);
            let body = cintx_raw::Body {
                bytes: "{\"a\":1}".into(),
                content_type: http::HeaderValue::from_static("application/json"),
            };
            Intent::of(&Request::to(operation, "/a?b=c").with_body(Some(body)), "2025-12-18")
        }

        #[tokio::test]
        async fn what_is_not_struck_out_is_there_after_a_restart() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal");
            let (kept, done) = (intent(), intent());
            {
                let journal = FileJournal::open(&path).unwrap();
                journal.begin(&kept).await.unwrap();
                journal.begin(&done).await.unwrap();
                journal.end(done.id(), Outcome::Applied).await.unwrap();
                assert!(FileJournal::open(&path).is_err(), "two processes cannot have it open");
            }
            // A crash in the middle of a line.
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(b"{\"begin\":{\"id\":\"01").unwrap();
            let journal = FileJournal::open(&path).unwrap();
            assert_eq!(journal.open_intents().await.unwrap(), std::slice::from_ref(&kept));
            let operation = cintx_raw::Operation::undocumented(&http::Method::POST);
            let request = kept.request(operation).unwrap();
            assert_eq!((request.target(), &*request.body().unwrap().bytes), ("/a?b=c", &b"{\"a\":1}"[..]));
        }

        #[tokio::test]
        async fn it_does_not_grow_without_end() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal");
            let journal = FileJournal::open(&path).unwrap();
            let kept = intent();
            journal.begin(&kept).await.unwrap();
            for _ in 0..REWRITE + 10 {
                let intent = intent();
                journal.begin(&intent).await.unwrap();
                journal.end(intent.id(), Outcome::NoEffect).await.unwrap();
            }
            assert!(std::fs::metadata(&path).unwrap().len() < 10_000);
            assert_eq!(journal.open_intents().await.unwrap(), [kept]);
        }

        #[test]
        fn what_is_no_journal_is_refused_and_left_alone() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("notes");
            std::fs::write(&path, "milk\nbread\n").unwrap();
            assert!(format!("{:?}", FileJournal::open(&path).unwrap_err()).contains("line 1"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "milk\nbread\n");
        }
    }
}
