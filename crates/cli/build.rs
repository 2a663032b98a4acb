//! Writes the list of the pages about error codes, which the program holds.
#![allow(clippy::expect_used, reason = "a build that cannot write has nothing else to say")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    let home = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo names the folder of the crate"));
    let folder = home.join("../../docs/errors");
    let watched = if folder.is_dir() { folder.clone() } else { home.join("../../docs") };
    println!("cargo:rerun-if-changed={}", watched.display());
    let mut list = String::from("/// Codes with their pages, sorted.\npub const ALL: &[(&str, &str)] = &[\n");
    for page in pages(&folder) {
        let code = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(list, "    ({code:?}, include_str!({:?})),", page.display().to_string()).expect("a string takes all");
    }
    list.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("Cargo names a folder for what is built"));
    std::fs::write(out.join("pages.rs"), list).expect("the folder for what is built can be written");
}

/// The pages in the order of their codes; none where the sources are not beside the crate.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let is_page = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        path.extension().is_some_and(|e| e == "md") && stem.starts_with("PL")
    };
    let mut all: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_page).collect(),
        Err(_) => Vec::new(),
    };
    all.sort();
    all
}
