//! A token store in a folder that several processes share.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cintx_raw::Secret;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{StoredToken, TokenStore};
use crate::fs::AtomicFile;

/// The largest file that is read; a token takes a few KiB.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Keeps tokens in a folder, one file for each set of credentials, readable by their owner alone and replaced as a
/// whole.
#[derive(Clone, Debug)]
pub struct FileTokenStore {
    folder: PathBuf,
}

impl FileTokenStore {
    /// A store in this folder, which is made when it is first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    token: String,
    expires_at: u64,
}

impl TokenStore for FileTokenStore {
    fn load(&self, name: &str) -> BoxFuture<'_, Option<StoredToken>> {
        let path = self.path(name);
        Box::pin(async move {
            let bytes = tokio::task::spawn_blocking(move || read(&path)).await.ok()?.ok()?;
            let kept = serde_json::from_slice(&bytes).ok().and_then(|kept: Kept| {
                let expires_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(kept.expires_at))?;
                Some((kept, expires_at))
            });
            if kept.is_none() {
                tracing::warn!("the stored token is damaged");
            }
            let (kept, expires_at) = kept?;
            Some(StoredToken { token: Secret::from(kept.token), expires_at })
        })
    }

    fn save(&self, name: &str, token: &StoredToken) -> BoxFuture<'_, ()> {
        let path = self.path(name);
        let expires_at = token.expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let kept = Kept { token: token.token.expose().to_owned(), expires_at };
        Box::pin(async move {
            // A token that is not kept is fetched again: nothing is lost but a request.
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || replace(&path, &kept)).await {
                tracing::warn!(%error, "the token cannot be kept");
            }
        })
    }
}

/// What is in a file, up to a limit; what is longer is no token.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn replace(path: &Path, kept: &Kept) -> io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let mut file = AtomicFile::create(path)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.commit()
}
