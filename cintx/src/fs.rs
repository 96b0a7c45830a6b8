//! Files that are replaced as a whole: a reader sees the old one or the new one, never a part.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is written beside the one it replaces, readable by its owner alone from its first byte on, and takes its
/// name once it is complete. Dropped before that, it is gone.
pub(crate) struct AtomicFile {
    path: PathBuf,
    file: tempfile::NamedTempFile,
}

impl AtomicFile {
    /// Begins to write what will be at this path.
    pub(crate) fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let file = tempfile::NamedTempFile::new_in(folder(&path))?;
        Ok(Self { path, file })
    }

    /// Puts the file in its place, on the disk.
    pub(crate) fn commit(self) -> io::Result<()> {
        self.commit_open().map(drop)
    }

    /// The same, and goes on with the file.
    pub(crate) fn commit_open(self) -> io::Result<File> {
        self.file.as_file().sync_all()?;
        let file = self.file.persist(&self.path).map_err(|error| error.error)?;
        // The new name, too, must survive.
        if cfg!(unix) {
            File::open(folder(&self.path))?.sync_all()?;
        }
        Ok(file)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The folder that a path is in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        std::fs::write(&path, "old").unwrap();
        let mut given_up = AtomicFile::create(&path).unwrap();
        given_up.write_all(b"half").unwrap();
        drop(given_up);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old", "not before it is complete");
        file.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_name_alone_is_in_the_working_directory() {
        assert_eq!(super::folder(Path::new("report.csv")), Path::new("."));
        assert_eq!(super::folder(Path::new("a/report.csv")), Path::new("a"));
    }
}
