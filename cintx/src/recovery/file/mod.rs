//! A journal in one file: a line for each beginning, synced to the disk, and a line for each end. It is rewritten
//! without what is struck out when that has become the larger part.

mod lines;
mod open;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use futures_util::future::BoxFuture;

pub use self::lines::DamagedLine;
use self::lines::{HEADER, Record};
use self::open::OpenIntents;
use super::journal::{Intent, Journal, JournalError};
use crate::error::Outcome;
use crate::fs::AtomicFile;

/// Rewriting pays off beyond this much that is struck out.
const REWRITE_BYTES: u64 = 64 * 1024;

/// A journal in a file, for one process at a time. Clones share it, so that clients of two versions can.
///
/// When the last clone is dropped, with the clients that have one, the file is free at once: dropping it waits for what
/// is being written, a moment of the disk's time.
///
/// Two names of one file are one journal: a symbolic link leads to the file itself, a hard link is recognised by its
/// lock. While a file has several names it is not rewritten, and grows.
///
/// ```no_run
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use cintx::{Client, V2025_12_18};
/// use cintx::client::Credentials;
/// use cintx::recovery::FileJournal;
///
/// let journal = FileJournal::open("cint.journal")?;
/// for line in journal.damaged() {
///     eprintln!("line {} of the journal is damaged", line.line());
/// }
/// let cint = Client::<V2025_12_18>::builder()
///     .credentials(Credentials::from_env()?)
///     .account(2428)
///     .journal(journal)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileJournal {
    shared: Arc<SharedFile>,
    /// Work on the disk that nobody waits for any more has the file, but none of these.
    _handles: Arc<CloseOnDrop>,
}

struct SharedFile {
    file: Mutex<JournalFile>,
    /// Intents whose calls were dropped while somebody else had the file, each with how it ended.
    abandoned: Mutex<Vec<(String, Outcome)>>,
}

/// Closes the file when the last handle of the journal is dropped.
struct CloseOnDrop(Arc<SharedFile>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        let mut file = locked(&self.0.file);
        self.0.end_abandoned(&mut file);
        file.close();
    }
}

impl FileJournal {
    /// Opens a journal, making it if there is none, readable by its owner alone.
    ///
    /// A line that is not as it was written is set aside and reported by [`damaged`](Self::damaged); all others are
    /// used.
    ///
    /// # Errors
    /// The file cannot be read or written, it is open already, or it is no journal; it is left as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let file = Mutex::new(JournalFile::open(path.as_ref())?);
        let shared = Arc::new(SharedFile { file, abandoned: Mutex::default() });
        let _handles = Arc::new(CloseOnDrop(Arc::clone(&shared)));
        Ok(Self { shared, _handles })
    }

    /// The lines that were damaged when the journal was opened. What a damaged line began is not known any more: a
    /// write of it that was under way must be looked for by other means.
    pub fn damaged(&self) -> Vec<DamagedLine> {
        locked(&self.shared.file).damaged.clone()
    }

    /// Takes the damaged lines out of the file. Waits for the disk.
    ///
    /// # Errors
    /// The file cannot be written, or has several names.
    pub fn discard_damaged(&self) -> Result<(), JournalError> {
        let mut file = locked(&self.shared.file);
        let damaged = std::mem::take(&mut file.damaged);
        file.rewrite().map_err(|error| {
            file.damaged = damaged;
            file.failed(error)
        })
    }

    /// Runs on a thread that may wait for the disk.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut JournalFile) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || {
            let mut file = locked(&shared.file);
            if file.is_closed {
                return Err(file.failed(io::Error::other("it was closed in the meantime")));
            }
            let done = work(&mut file);
            shared.end_abandoned(&mut file);
            done
        });
        done.await.map_err(JournalError::new)?
    }
}

impl SharedFile {
    fn end_abandoned(&self, file: &mut JournalFile) {
        for (id, outcome) in locked(&self.abandoned).drain(..) {
            // What cannot be written now is tried again with the next line.
            let _ = file.end(&id, outcome);
        }
    }

    /// Ends an intent at once, or lets whoever has the file do it.
    fn abandon(&self, id: &str, outcome: Outcome) {
        locked(&self.abandoned).push((id.to_owned(), outcome));
        match self.file.try_lock() {
            Ok(mut file) => self.end_abandoned(&mut file),
            Err(TryLockError::Poisoned(poisoned)) => self.end_abandoned(&mut poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is on the disk counts; a panic cannot leave that half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The open file. Writes go to its end, as far as it is known to be whole.
struct JournalFile {
    /// Without links.
    path: PathBuf,
    file: File,
    /// Where the next line goes.
    len: u64,
    open: OpenIntents,
    damaged: Vec<DamagedLine>,
    /// Ends that could not be written yet.
    unwritten: Vec<(String, Outcome)>,
    /// A rewrite is due at this much that is struck out.
    rewrite_bytes: u64,
    /// Held for as long as the journal is open; it stays the same file when the journal is rewritten.
    lock: File,
    /// Somebody else may have it by now.
    is_closed: bool,
}

impl JournalFile {
    fn open(given: &Path) -> Result<Self, JournalError> {
        let failed = |error| failed(given, error);
        // Made if there is none, also at the end of a link.
        let made = private().read(true).write(true).create(true).truncate(false).open(given).map_err(failed)?;
        let metadata = made.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(JournalError::NotAJournal { path: given.to_owned(), why: "it is no regular file" });
        }
        if metadata.permissions().readonly() {
            return Err(failed(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only")));
        }
        let path = given.canonicalize().map_err(failed)?;
        let lock = lock_file(&path)?;
        // Until now another process may have rewritten it.
        let file = private().read(true).write(true).open(&path).map_err(failed)?;
        if cfg!(unix) {
            try_lock(&file, &path)?;
        }
        let contents = lines::read(BufReader::new(&file)).map_err(failed)?;
        let Some(lines::Contents { open, damaged, is_new }) = contents else {
            return Err(JournalError::NotAJournal { path, why: "its first line is not that of a journal" });
        };
        let len = file.metadata().map_err(failed)?.len();
        let unwritten = Vec::new();
        let (rewrite_bytes, is_closed) = (REWRITE_BYTES, false);
        let mut journal = Self { path, file, len, open, damaged, unwritten, rewrite_bytes, lock, is_closed };
        if is_new {
            journal.write_header().map_err(failed)?;
        }
        journal.report_damage();
        journal.rewrite_if_due();
        Ok(journal)
    }

    fn write_header(&mut self) -> io::Result<()> {
        self.len = 0;
        self.file.set_len(0)?;
        self.append(HEADER)?;
        self.file.sync_all()?;
        // The name, too, must survive.
        match self.path.parent() {
            Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }

    /// Says what is damaged; a line that was cut off is told once.
    fn report_damage(&mut self) {
        for damaged in &self.damaged {
            let DamagedLine { line, cut_off, .. } = damaged;
            tracing::warn!(path = %self.path.display(), line, cut_off, "a line of the journal is damaged");
        }
        if self.damaged.last().is_some_and(DamagedLine::is_cut_off)
            && let Ok(line) = Record::CutOff.encode()
        {
            let _ = self.append(&line);
        }
    }

    /// Adds a line, or leaves the file as it was.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.len))?;
        if let Err(error) = self.file.write_all(line) {
            // If this fails as well, the next line begins here.
            let _ = self.file.set_len(self.len);
            return Err(error);
        }
        self.len += line.len() as u64;
        Ok(())
    }

    fn begin(&mut self, intent: Intent) -> Result<(), JournalError> {
        if !self.is_in_place() {
            return Err(JournalError::Replaced { path: self.path.clone() });
        }
        let _ = self.write_ends();
        let line = Record::Begin(Box::new(intent.clone())).encode().map_err(|error| self.failed(error))?;
        if let Err(error) = self.append_synced(&line) {
            // The disk may be full; without what is struck out there may be room.
            if self.struck_out() == 0 || self.rewrite().is_err() {
                return Err(self.failed(error));
            }
            self.append_synced(&line).map_err(|error| self.failed(error))?;
        }
        self.open.begin(intent, line.len() as u64);
        Ok(())
    }

    /// Adds a line that survives a crash of the machine, or leaves the file as it was.
    fn append_synced(&mut self, line: &[u8]) -> io::Result<()> {
        let before = self.len;
        self.append(line)?;
        let synced = self.file.sync_data();
        if synced.is_err() {
            self.len = before;
            let _ = self.file.set_len(before).and_then(|()| self.file.sync_data());
        }
        synced
    }

    /// How much of the file says nothing any more.
    fn struck_out(&self) -> u64 {
        self.len.saturating_sub(self.open.bytes() + HEADER.len() as u64)
    }

    fn end(&mut self, id: &str, outcome: Outcome) -> Result<(), JournalError> {
        if !self.open.end(id, outcome) {
            return Ok(());
        }
        self.unwritten.push((id.to_owned(), outcome));
        self.write_ends().map_err(|error| self.failed(error))
    }

    fn write_ends(&mut self) -> io::Result<()> {
        while let Some((id, outcome)) = self.unwritten.first() {
            let line = Record::End { id: Cow::Borrowed(id), outcome: *outcome }.encode()?;
            self.append(&line)?;
            self.unwritten.remove(0);
        }
        Ok(())
    }

    /// Writes what is left, and lets go of the file.
    fn close(&mut self) {
        let _ = self.write_ends();
        self.is_closed = true;
        // Work that still waits for a thread keeps the files open, and must not keep their locks.
        let _ = fs4::FileExt::unlock(&self.file);
        let _ = fs4::FileExt::unlock(&self.lock);
    }

    fn rewrite_if_due(&mut self) {
        let struck_out = self.struck_out();
        if struck_out <= self.rewrite_bytes.max(2 * self.open.bytes()) || self.has_several_names() {
            return;
        }
        self.rewrite_bytes = match self.rewrite() {
            Ok(()) => REWRITE_BYTES,
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the journal could not be rewritten, and grows");
                2 * struck_out
            }
        };
    }

    /// Replaces the file by one with the open intents and the damaged lines alone.
    fn rewrite(&mut self) -> io::Result<()> {
        if self.has_several_names() {
            return Err(io::Error::other("it has several names, of which one would be left behind"));
        }
        let mut text = HEADER.to_vec();
        for damaged in self.damaged.iter().filter(|damaged| !damaged.cut_off) {
            text.push(b'\n');
            text.extend_from_slice(&damaged.bytes);
            text.push(b'\n');
        }
        for intent in self.open.intents() {
            text.extend(Record::Begin(Box::new(intent.clone())).encode()?);
        }
        let mut file = AtomicFile::create(&self.path)?;
        file.write_all(&text)?;
        self.file = file.commit_open()?;
        self.len = text.len() as u64;
        self.unwritten.clear();
        if cfg!(unix) { fs4::FileExt::try_lock(&self.file).map_err(io::Error::other) } else { Ok(()) }
    }

    /// Whether a new process would find this file.
    fn is_in_place(&self) -> bool {
        match (self.file.metadata(), std::fs::metadata(&self.path)) {
            (Ok(open), Ok(there)) => is_same(&open, &there),
            _ => false,
        }
    }

    fn has_several_names(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| names(&metadata) > 1)
    }

    fn failed(&self, error: io::Error) -> JournalError {
        failed(&self.path, error)
    }
}

fn failed(path: &Path, error: io::Error) -> JournalError {
    JournalError::File { path: path.to_owned(), source: Arc::new(error) }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The lock beside a journal, which stays when the journal itself is replaced.
fn lock_file(path: &Path) -> Result<File, JournalError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = private().create(true).truncate(false).write(true).open(&name).map_err(|error| failed(&name, error))?;
    try_lock(&file, path)?;
    Ok(file)
}

fn try_lock(file: &File, path: &Path) -> Result<(), JournalError> {
    match fs4::FileExt::try_lock(file) {
        Ok(()) => Ok(()),
        Err(fs4::TryLockError::WouldBlock) => Err(JournalError::InUse { path: path.to_owned() }),
        Err(fs4::TryLockError::Error(error)) => Err(failed(path, error)),
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(unix)]
fn names(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

/// Elsewhere a file that is open keeps its place, and nothing tells its names.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn names(_: &Metadata) -> u64 {
    1
}

/// Tells work on the disk that nobody waits for it any more.
struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Journal for FileJournal {
    fn begin(&self, intent: &Intent) -> BoxFuture<'_, Result<(), JournalError>> {
        let intent = intent.clone();
        let dropped = Arc::new(AtomicBool::new(false));
        let guard = SetOnDrop(Arc::clone(&dropped));
        Box::pin(async move {
            let _guard = guard;
            // Dropped before its turn came, it must not begin after it was struck out.
            self.on_disk(move |file| if dropped.load(Ordering::SeqCst) { Ok(()) } else { file.begin(intent) }).await
        })
    }

    fn end(&self, id: &str, outcome: Outcome) -> BoxFuture<'_, Result<(), JournalError>> {
        let id = id.to_owned();
        Box::pin(self.on_disk(move |file| {
            let ended = file.end(&id, outcome);
            file.rewrite_if_due();
            ended
        }))
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, JournalError>> {
        Box::pin(self.on_disk(|file| Ok(file.open.intents().cloned().collect())))
    }

    fn abandon(&self, id: &str, outcome: Outcome) -> bool {
        self.shared.abandon(id, outcome);
        true
    }
}

impl fmt::Debug for FileJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileJournal").field("path", &locked(&self.shared.file).path).finish_non_exhaustive()
    }
}
