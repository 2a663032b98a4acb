//! A file that only grows while a run goes on, and is cut back where a run goes on from a checkpoint.

use pleach_core::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// An open file and its length.
#[derive(Debug)]
pub(crate) struct Append {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Append {
    /// An empty file, in place of what an earlier attempt at this run may have left.
    pub fn begin(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(|e| fault(path, &e))?;
        Ok(Self { file, path: path.to_owned(), bytes: 0 })
    }

    /// The file as it stands; an empty one where there is none.
    pub fn go_on(path: &Path) -> Result<Self> {
        let open = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
            let bytes = file.seek(SeekFrom::End(0))?;
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|e| fault(path, &e))?;
        Ok(Self { file, path: path.to_owned(), bytes })
    }

    /// How long it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes at its end, in one call, so that a kill tears at most the last piece.
    pub fn append(&mut self, piece: &[u8]) -> Result<()> {
        self.file.write_all(piece).map_err(|e| fault(&self.path, &e))?;
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Its length, once all of it is on the disk: a checkpoint must not know more than the file.
    pub fn settled(&self) -> Result<u64> {
        self.file.sync_data().map_err(|e| fault(&self.path, &e))?;
        Ok(self.bytes)
    }

    /// Cuts it back to its first lines.
    ///
    /// # Errors
    /// It has fewer.
    pub fn cut_to_lines(&mut self, lines: u64) -> Result<()> {
        let text = std::fs::read(&self.path).map_err(|e| fault(&self.path, &e))?;
        let mut ends = text.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i as u64 + 1);
        let end = if lines == 0 { Some(0) } else { usize::try_from(lines - 1).ok().and_then(|n| ends.nth(n)) };
        match end {
            Some(bytes) => self.cut(bytes),
            None => Err(self.too_short(&format!("{lines} lines"))),
        }
    }

    fn too_short(&self, had: &str) -> Error {
        let message = format!("{} is shorter than when the checkpoint was written: it had {had}", self.path.display());
        Error::new("PL0521", message)
            .hint("the file was changed since: restore it, or take this observer out of the run to go on without")
    }

    /// Cuts it back to a length that it had.
    ///
    /// # Errors
    /// It is shorter than that.
    pub fn cut(&mut self, bytes: u64) -> Result<()> {
        if self.bytes < bytes {
            return Err(self.too_short(&format!("{bytes} bytes")));
        }
        let cut = self.file.set_len(bytes).and_then(|()| self.file.seek(SeekFrom::Start(bytes)));
        cut.map_err(|e| fault(&self.path, &e))?;
        self.bytes = bytes;
        Ok(())
    }
}

/// What the system said about a file.
pub(crate) fn fault(path: &Path, error: &std::io::Error) -> Error {
    Error::new("PL0520", format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_after_the_cut_is_gone_and_a_shorter_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Append::begin(&path).unwrap();
        log.append(b"one\n").unwrap();
        let length = log.settled().unwrap();
        log.append(b"tw").unwrap();
        drop(log);
        let mut log = Append::go_on(&path).unwrap();
        log.cut(length).unwrap();
        log.append(b"two\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        assert_eq!(log.cut(100).unwrap_err().code(), "PL0521");
    }

    #[test]
    fn a_folder_that_does_not_exist_is_an_error_with_its_path() {
        let error = Append::begin(Path::new("/no/such/folder/log")).unwrap_err();
        assert!(error.message().contains("/no/such/folder/log"));
    }
}
