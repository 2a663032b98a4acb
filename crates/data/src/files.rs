//! Finds and reads the files of a data set.

use pleach_core::{Error, Result};
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Folders in folders that are followed; a link that leads in a circle ends here.
const MAX_DEPTH: usize = 16;
/// An image file of more bytes than this is a mistake.
const MAX_FILE: u64 = 1 << 30;
/// A reading buffer that has grown beyond this is given back.
const KEEP: usize = 32 << 20;

/// Endings of the image files that can be decoded, without the dot.
pub fn image_extensions() -> Vec<String> {
    ["jpg", "jpeg", "png", "tif", "tiff", "bmp", "webp"].map(String::from).to_vec()
}

/// Whether a file's name ends in one of the extensions, capitals or not.
pub fn has_extension(path: &Path, extensions: &[String]) -> bool {
    let Some(ending) = path.extension().and_then(|e| e.to_str()) else { return false };
    extensions.iter().any(|e| e.trim_start_matches('.').eq_ignore_ascii_case(ending))
}

/// All files below a folder with one of the extensions, sorted by path; names that begin with a dot are left out.
///
/// # Errors
/// `PL0304` if the folder is missing or cannot be read, `PL0305` if there is no such file.
pub fn list(root: &Path, extensions: &[String]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    walk(root, extensions, 0, &mut found)?;
    if found.is_empty() {
        return Err(Error::new("PL0305", format!("{} has no files to read", root.display()))
            .hint(format!("files ending in {} are looked for, also in folders below", extensions.join(", "))));
    }
    found.sort();
    Ok(found)
}

/// The folders directly in a folder, sorted by name; names that begin with a dot are left out.
///
/// # Errors
/// `PL0304` if the folder is missing or cannot be read.
pub fn folders(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<_> = entries(root)?.into_iter().filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

fn walk(dir: &Path, extensions: &[String], depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::new("PL0304", format!("{} lies more than {MAX_DEPTH} folders deep", dir.display()))
            .hint("does a link lead back to a folder above it?"));
    }
    for path in entries(dir)? {
        if path.is_dir() {
            walk(&path, extensions, depth + 1, found)?;
        } else if has_extension(&path, extensions) {
            found.push(path);
        }
    }
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let fail = |e: &io::Error| {
        let why = if dir.is_file() { "it is a file, not a folder".to_owned() } else { cause(e) };
        Error::new("PL0304", format!("the folder {} cannot be read: {why}", dir.display()))
            .hint("a relative path in a file starts at the folder of that file")
    };
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| fail(&e))? {
        let entry = entry.map_err(|e| fail(&e))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            all.push(entry.path());
        }
    }
    Ok(all)
}

/// The cause of a failure, in the same words on every system where there are any.
pub fn cause(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::NotFound => "it does not exist".into(),
        io::ErrorKind::PermissionDenied => "it may not be read by this user".into(),
        _ => e.to_string(),
    }
}

/// Hands the bytes of a file to `use_them`, from a buffer that the thread uses again for the next file.
///
/// # Errors
/// `PL0303` with the path, or whatever `use_them` returns.
pub fn with_bytes<T>(path: &Path, use_them: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
    // Taken out while in use: a reader inside a reader gets a fresh one.
    let mut bytes = BUFFER.with(RefCell::take);
    bytes.clear();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    let result = match read {
        Err(e) => Err(Error::new("PL0303", format!("{} cannot be read: {}", path.display(), cause(&e)))),
        Ok(n) if n as u64 > MAX_FILE => {
            Err(Error::new("PL0303", format!("{} is no image file: it has more than 1 GiB", path.display())))
        }
        Ok(_) => use_them(&bytes),
    };
    if bytes.capacity() <= KEEP {
        BUFFER.with(|buffer| buffer.replace(bytes));
    }
    result
}

/// The part of a file's path below a folder, without its extension and with forward slashes.
pub fn stem(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path).with_extension("");
    let parts: Vec<_> = below.iter().map(|p| p.to_string_lossy()).collect();
    parts.join("/")
}
