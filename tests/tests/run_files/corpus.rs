//! The corpus of the fuzz target goes through the function that the target calls.

use crate::reader;
use std::fs;
use std::path::PathBuf;

/// Every file of the corpus, by name.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let folder = pleach_tests::root().join("fuzz/corpus/reader");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
    paths.into_iter().map(named).collect()
}

#[test]
fn the_laws_of_the_reader_hold_for_the_corpus_and_for_every_beginning_of_it() {
    let all = files();
    assert!(all.len() >= 9, "{} files", all.len());
    for (_, bytes) in &all {
        reader::hold(bytes);
        for end in (0..bytes.len()).step_by(97) {
            reader::hold(&bytes[..end]);
        }
    }
}

#[test]
fn the_corpus_has_files_that_are_right_and_files_that_are_not() {
    let right: Vec<String> = files()
        .into_iter()
        .filter(|(_, bytes)| {
            let text = std::str::from_utf8(bytes).unwrap();
            pleach_config::from_text("run.toml", text, std::path::Path::new("/nowhere")).is_ok()
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(right, ["least.toml", "long.toml", "phases.toml", "quickstart.toml", "segmentation.toml"]);
}
