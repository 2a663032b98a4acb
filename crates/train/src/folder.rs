//! A run's folder: made once, held by a lock that dies with the process, written whole or not at all.

use pleach_core::{Error, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of one run, held until it is dropped or the process ends.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: File,
}

const LOCK: &str = ".lock";

/// What writing a file met, as an error with its path.
pub fn io_error(path: &Path, doing: &str, e: &std::io::Error) -> Error {
    let error = Error::new("PL0501", format!("cannot {doing} `{}`: {e}", path.display()));
    match e.kind() {
        std::io::ErrorKind::StorageFull => error.hint("the disk is full; free some space and `pleach resume` the run"),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            error.hint("choose a folder that you may write to with --out")
        }
        _ => error,
    }
}

impl RunFolder {
    /// Makes the folder of a new run.
    ///
    /// # Errors
    /// It holds a run already, another process holds it, or it cannot be written to.
    pub fn create(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|e| io_error(path, "make the folder", &e))?;
        let folder = Self::hold(path)?;
        if path.join("resolved.toml").exists() {
            return Err(Error::new("PL0502", format!("`{}` holds a run already", path.display()))
                .hint("go on with `pleach resume`, or choose another folder with --out"));
        }
        Ok(folder)
    }

    /// Takes hold of the folder of a run that exists.
    ///
    /// # Errors
    /// There is none, or another process holds it.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.join("resolved.toml").is_file() {
            return Err(Error::new("PL0503", format!("`{}` is not the folder of a run", path.display()))
                .hint("a run's folder has a file `resolved.toml`"));
        }
        Self::hold(path)
    }

    fn hold(path: &Path) -> Result<Self> {
        let lock = path.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(|e| io_error(&lock, "write", &e))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: file }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new("PL0504", format!("another process is at work in `{}`", path.display()))
                    .hint("wait for it, or give this run a folder of its own with --out"))
            }
            Err(TryLockError::Error(e)) => Err(io_error(&lock, "lock", &e)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of the folder whole: beside it, synced, renamed.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        write_whole(&self.path.join(name), content)
    }
}

/// Writes a file beside its place, syncs it, and renames it: a reader sees the old or the new, never a part.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let beside = path.with_extension("part");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|e| io_error(path, "write", &e))
}
