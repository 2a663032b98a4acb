//! Every code has a page in `docs/errors`, and what a page shows is what happens.
//!
//! `PLEACH_BLESS=1 cargo test -p pleach-tests --test run_files pages` writes anew what the diagnostics of the
//! examples are.

use pleach_config::{Failure, Paint, Resolved, Sources};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a page says whose code no run file provokes.
const LATE: &str = "<!-- not from a run file -->";

/// The codes of the configuration that no run file provokes, each with a page that says so. Codes of plugins, data,
/// training and run folders (`PL02xx` and up) arise later by their nature.
const LATE_OF_CONFIGURATION: [&str; 27] = [
    "PL0100", "PL0102", "PL0115", "PL0116", "PL0126", "PL0129", "PL0130", "PL0131", "PL0132", "PL0133", "PL0134",
    "PL0135", "PL0136", "PL0137", "PL0138", "PL0160", "PL0161", "PL0162", "PL0163", "PL0164", "PL0170", "PL0171",
    "PL0172", "PL0173", "PL0174", "PL0175", "PL0176",
];

struct Page {
    path: PathBuf,
    code: String,
    text: String,
}

/// A fenced block: what stands behind the opening fence, and the lines.
struct Block<'a> {
    info: &'a str,
    body: &'a str,
}

impl Page {
    fn blocks(&self) -> Vec<Block<'_>> {
        let mut parts = self.text.split("```");
        parts.next();
        let mut blocks = Vec::new();
        while let (Some(inside), Some(_)) = (parts.next(), parts.next()) {
            let (info, body) = inside.split_once('\n').unwrap();
            blocks.push(Block { info, body });
        }
        blocks
    }

    fn is_late(&self) -> bool {
        self.text.contains(LATE)
    }

    fn block(&self, begin: &str) -> Block<'_> {
        let found = self.blocks().into_iter().find(|block| block.info.starts_with(begin));
        found.unwrap_or_else(|| panic!("{} has no block `{begin}`", self.code))
    }
}

fn pages() -> Vec<Page> {
    let folder = pleach_tests::root().join("docs/errors");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let of = |path: PathBuf| Page {
        code: path.file_stem().unwrap().to_string_lossy().into_owned(),
        text: fs::read_to_string(&path).unwrap(),
        path,
    };
    paths.into_iter().filter(|path| path.file_stem().is_some_and(|s| s != "README")).map(of).collect()
}

/// Reads an example, with the `--set`s and `--profile`s behind its fence.
fn read(block: &Block<'_>) -> Result<Resolved, Failure> {
    let words: Vec<&str> = block.info.split_whitespace().skip(2).collect();
    let sources = Sources::text("run.toml", block.body, Path::new("/nowhere"));
    pleach_config::resolve(words.chunks(2).fold(sources, |sources, pair| match pair {
        ["--set", set] => sources.set(set),
        ["--profile", name] => sources.profile(name),
        other => panic!("{other:?} stands behind a fence"),
    }))
}

/// What is said of an example: mistakes, or remarks if there are none.
fn said(example: Result<Resolved, Failure>) -> Failure {
    example.map_or_else(|failure| failure, |run| run.remarks().clone())
}

#[test]
fn a_wrong_example_gives_its_code_alone_as_the_page_shows_it_and_the_right_one_nothing() {
    let bless = std::env::var_os("PLEACH_BLESS").is_some();
    let mut odd = Vec::new();
    for page in pages().iter().filter(|page| !page.is_late()) {
        let told = said(read(&page.block("toml wrong")));
        let codes: BTreeSet<&str> = told.diagnostics.iter().map(|d| d.code).collect();
        let whole = told.render(Paint::Plain);
        if codes != BTreeSet::from([page.code.as_str()]) {
            odd.push(format!("the wrong example of {} gives {codes:?}\n{whole}", page.code));
        }
        let shown = page.block("text").body.trim_end();
        if bless {
            // What follows the drawing names plugins, and so changes with each new one.
            let kept: Vec<&str> = whole.lines().take_while(|line| !line.trim_start().starts_with("= ")).collect();
            let text = page.text.replacen(shown, kept.join("\n").trim_end(), 1);
            fs::write(&page.path, text).unwrap();
        } else if !whole.starts_with(shown) {
            odd.push(format!("{} shows\n{shown}\nbut it is\n{whole}", page.code));
        }
        let told = said(read(&page.block("toml right")));
        if !told.diagnostics.is_empty() {
            odd.push(format!("the right example of {} gives\n{}", page.code, told.render(Paint::Plain)));
        }
    }
    assert!(odd.is_empty(), "{}", odd.join("\n\n"));
}

#[test]
fn a_page_says_what_its_code_means_and_begins_its_message_with_it() {
    for page in pages() {
        assert!(page.text.starts_with(&format!("# {}: ", page.code)), "{}", page.code);
        assert!(page.block("text").body.starts_with(&page.code), "{}", page.code);
        let kinds: Vec<&str> =
            page.blocks().iter().map(|block| block.info.split_whitespace().next().unwrap()).collect();
        match page.is_late() {
            true => assert_eq!(kinds, ["text"], "{}", page.code),
            false => assert_eq!(kinds, ["toml", "text", "toml"], "{}", page.code),
        }
        assert!(page.text.lines().all(|line| line.len() < 400), "{}", page.code);
    }
}

#[test]
fn the_codes_of_the_configuration_that_no_file_provokes_are_these() {
    let late: Vec<String> = pages()
        .into_iter()
        .filter(|page| page.is_late() && page.code.as_str() < "PL02")
        .map(|page| page.code)
        .collect();
    assert_eq!(late, LATE_OF_CONFIGURATION);
    let later = pages().iter().filter(|page| page.code.as_str() > "PL02").filter(|page| !page.is_late()).count();
    assert_eq!(later, 0, "codes of running things have no example that is a run file");
}

/// Every code that the sources report, tests left out.
fn codes_of_sources() -> BTreeSet<String> {
    fn walk(folder: &Path, all: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["tests", "target", "templates"].contains(&name.as_str()) {
                walk(&path, all);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                let tested = text.split("#[cfg(test)]").next().unwrap();
                let quoted = tested.split("\"PL").skip(1).filter_map(|rest| rest.get(..5));
                let codes = quoted.filter(|q| q.ends_with('"') && q.bytes().take(4).all(|b| b.is_ascii_digit()));
                all.extend(codes.map(|q| format!("PL{}", &q[..4])));
            }
        }
    }
    let mut all = BTreeSet::new();
    for folder in ["crates", "plugins"] {
        walk(&pleach_tests::root().join(folder), &mut all);
    }
    all
}

#[test]
fn every_code_in_the_sources_has_a_page_and_every_page_a_code_in_the_sources() {
    let sources = codes_of_sources();
    let pages: BTreeSet<String> = pages().into_iter().map(|page| page.code).collect();
    assert!(sources.len() > 100, "{}", sources.len());
    let without: Vec<_> = sources.difference(&pages).collect();
    let stale: Vec<_> = pages.difference(&sources).collect();
    assert!(without.is_empty() && stale.is_empty(), "without a page: {without:?}; pages without a code: {stale:?}");
}
