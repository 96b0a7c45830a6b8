//! A journal in one file: a line for each beginning, synced to the disk, and a line for each end. It is rewritten
//! without what is removed when that has become the larger part.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::journal::{Intent, Journal, JournalError};
use crate::error::Outcome;
use crate::fs::AtomicFile;

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
    let mut file = AtomicFile::create(path)?;
    for intent in open.values() {
        file.write_all(&line(&Line::Begin(Box::new(intent.clone())))?)?;
    }
    file.commit()?;
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
