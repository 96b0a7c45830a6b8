//! Where things lie in the repository, and how files are written: all of them or none.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// The repository that the command works on.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    pub(crate) fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn openapi(&self) -> PathBuf {
        self.root.join("openapi")
    }

    pub(crate) fn document(&self, date: &str) -> PathBuf {
        self.openapi().join(format!("{date}.json"))
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.openapi().join("index.toml")
    }

    pub(crate) fn embedded(&self) -> PathBuf {
        self.openapi().join("src/documents.rs")
    }

    pub(crate) fn overlays(&self) -> PathBuf {
        self.openapi().join("overlays")
    }

    pub(crate) fn summaries(&self) -> PathBuf {
        self.openapi().join("docs/operations.toml")
    }

    pub(crate) fn successors(&self) -> PathBuf {
        self.openapi().join("docs/successors.toml")
    }

    pub(crate) fn supplement(&self) -> PathBuf {
        self.openapi().join("supplement.toml")
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes every file beside its target first, and only then renames them into place.
    pub(crate) fn write_all(&self, files: impl IntoIterator<Item = (PathBuf, String)>) -> Result<()> {
        let mut staged = Vec::new();
        for (path, text) in files {
            let folder = path.parent().context("a file has a folder")?;
            ensure!(!path.is_dir(), "cannot replace {}: it is a folder", path.display());
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            let mut file = tempfile::NamedTempFile::new_in(folder)
                .with_context(|| format!("cannot write in {}", folder.display()))?;
            file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
            }
            staged.push((file, path));
        }
        for (file, path) in staged {
            file.persist(&path).with_context(|| format!("cannot replace {}", path.display()))?;
        }
        Ok(())
    }
}
