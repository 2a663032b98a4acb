//! Right files are broken in every way that fingers and editors know: nothing panics, what is still right reads again
//! to the same run and is valid by the schema, and what is wrong is shown within the text.

use crate::by_schema::mistakes;
use crate::{corpus, reader};
use pleach_config::from_text;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::fs;
use std::path::Path;

/// Broken files in one run of the test.
const CASES: u32 = 20_000;

/// One change to a text. Numbers choose lines, columns and words, whatever their count is.
#[derive(Debug, Clone)]
enum Change {
    DeleteLine(usize),
    DoubleLine(usize),
    SwapLines(usize, usize),
    /// A key gets the name of another line's key.
    RenameTo(usize, usize),
    /// A letter of a key is lost.
    Misspell(usize, usize),
    /// A value becomes that of another line.
    SwapValues(usize, usize),
    /// A value becomes one of another type.
    Retype(usize, usize),
    CutLine(usize, usize),
    CutFile(usize),
    Insert(usize, usize),
    /// A word is replaced by one from elsewhere in the file.
    Borrow(usize, usize),
}

/// Values of every type, at and beyond their ends.
pub const VALUES: &[&str] = &[
    "0",
    "-1",
    "1",
    "3",
    "0.5",
    "1.5",
    "1.0",
    "-0.0",
    "inf",
    "-inf",
    "nan",
    "1e308",
    "9223372036854775807",
    "99999999999999999999",
    "true",
    "false",
    "\"\"",
    "\"none\"",
    "\"ten\"",
    "\"3 epochs\"",
    "\"500 steps\"",
    "\"5%\"",
    "\"150%\"",
    "\"4 GiB\"",
    "\"7 parsecs\"",
    "\"2.5 epochs\"",
    "\"0 epochs\"",
    "\"-1 epochs\"",
    "\"-0 steps\"",
    "\"2.5 steps\"",
    "\"1_000 steps\"",
    "\"100%\"",
    "\"0.5 batches\"",
    "\"12 batches\"",
    "\"+7 ticks\"",
    "\" 512MiB \"",
    "\"1.5 GB\"",
    "\"500\"",
    "\"val_loss\"",
    "\"SGD\"",
    "\"AdamW\"",
    "\"Dice\"",
    "\"CrossEntropy\"",
    "\"MeanIoU\"",
    "\"inherited\"",
    "\"*\"",
    "\"../x\"",
    "[]",
    "[1, 2]",
    "[0.1, 0.9]",
    "[\"a\"]",
    "{}",
    "{ name = \"SGD\" }",
    "[{}]",
    "[{ name = \"StepLR\", step_size = 3 }]",
    "2024-01-01",
    "'''",
    "\"\\u0000\"",
    "\"ü🐈\"",
];

/// Characters that mean something in TOML, and some that mean nothing.
const CHARACTERS: &[&str] =
    &["[", "]", "{", "}", "=", ".", ",", "\"", "'", "#", "\n", "\\", "\t", "-", "_", "é", "\u{0}"];

fn change() -> impl Strategy<Value = Change> {
    let (a, b) = (0..10_000usize, 0..10_000usize);
    prop_oneof![
        a.clone().prop_map(Change::DeleteLine),
        a.clone().prop_map(Change::DoubleLine),
        (a.clone(), b.clone()).prop_map(|(x, y)| Change::SwapLines(x, y)),
        (a.clone(), b.clone()).prop_map(|(x, y)| Change::RenameTo(x, y)),
        (a.clone(), b.clone()).prop_map(|(x, y)| Change::Misspell(x, y)),
        (a.clone(), b.clone()).prop_map(|(x, y)| Change::SwapValues(x, y)),
        (a.clone(), b.clone()).prop_map(|(x, y)| Change::Retype(x, y)),
        (a.clone(), b.clone()).prop_map(|(x, y)| Change::CutLine(x, y)),
        a.clone().prop_map(Change::CutFile),
        (a.clone(), b.clone()).prop_map(|(x, y)| Change::Insert(x, y)),
        (a, b).prop_map(|(x, y)| Change::Borrow(x, y)),
    ]
}

/// The nearest place at or before a byte at which a character begins.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Lines that give a key a value, as key and value.
fn assignments(lines: &[String]) -> Vec<(usize, String, String)> {
    let of = |(i, line): (usize, &String)| {
        let (key, value) = line.split_once('=')?;
        Some((i, key.trim().to_owned(), value.trim().to_owned()))
    };
    lines.iter().enumerate().filter_map(of).collect()
}

fn apply(text: &str, change: &Change) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let given = assignments(&lines);
    let n = lines.len().max(1);
    let pick = |i: usize| given.get(i % given.len().max(1)).cloned().unwrap_or_default();
    match change {
        Change::DeleteLine(i) if !lines.is_empty() => drop(lines.remove(i % n)),
        Change::DoubleLine(i) if !lines.is_empty() => lines.insert(i % n, lines[i % n].clone()),
        Change::SwapLines(i, j) if !lines.is_empty() => lines.swap(i % n, j % n),
        Change::RenameTo(i, j) if !given.is_empty() => {
            let ((at, _, value), (_, key, _)) = (pick(*i), pick(*j));
            lines[at] = format!("{key} = {value}");
        }
        Change::Misspell(i, j) if !given.is_empty() => {
            let (at, key, value) = pick(*i);
            let lost = j % key.chars().count().max(1);
            let key: String = key.chars().enumerate().filter(|(k, _)| *k != lost).map(|(_, c)| c).collect();
            lines[at] = format!("{key} = {value}");
        }
        Change::SwapValues(i, j) if !given.is_empty() => {
            let ((at, key, value), (other, other_key, other_value)) = (pick(*i), pick(*j));
            lines[at] = format!("{key} = {other_value}");
            lines[other] = format!("{other_key} = {value}");
        }
        Change::Retype(i, j) if !given.is_empty() => {
            let (at, key, _) = pick(*i);
            lines[at] = format!("{key} = {}", VALUES[j % VALUES.len()]);
        }
        Change::CutLine(i, j) if !lines.is_empty() => {
            let line = &mut lines[i % n];
            let end = boundary(line, j % (line.len() + 1));
            line.truncate(end);
        }
        Change::CutFile(i) => return text[..boundary(text, i * text.len() / 10_000)].to_owned(),
        Change::Insert(i, j) => {
            let at = boundary(text, i * text.len() / 10_000);
            return format!("{}{}{}", &text[..at], CHARACTERS[j % CHARACTERS.len()], &text[at..]);
        }
        Change::Borrow(i, j) => {
            let words: Vec<&str> =
                text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| w.len() > 2).collect();
            let word = |i: usize| words.get(i % words.len().max(1)).copied().unwrap_or("x");
            return text.replacen(word(*i), word(*j), 1);
        }
        _ => {}
    }
    lines.join("\n") + "\n"
}

/// The shipped examples, the right examples of the error pages and the right files of the fuzz corpus.
fn right_files() -> Vec<String> {
    let mut all: Vec<String> =
        corpus::files().into_iter().filter_map(|(_, bytes)| String::from_utf8(bytes).ok()).collect();
    let read =
        |folder: &str| fs::read_dir(pleach_tests::root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut shipped: Vec<_> = read("examples").filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    shipped.sort();
    all.extend(shipped.iter().map(|path| fs::read_to_string(path).unwrap()));
    let mut pages: Vec<_> = read("docs/errors").collect();
    pages.sort();
    for page in pages {
        let text = fs::read_to_string(page).unwrap();
        let right = text.split("```toml right").nth(1).and_then(|rest| rest.split_once('\n')?.1.split("```").next());
        all.extend(right.map(str::to_owned));
    }
    all.retain(|text| from_text("run.toml", text, Path::new("/nowhere")).is_ok());
    all
}

#[test]
fn broken_files_are_refused_within_their_text_and_right_ones_read_again() {
    let files = right_files();
    assert!(files.len() > 20, "{} files", files.len());
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    // The cases are the same on every day; the fuzz target is there for others.
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    let strategy = (0..files.len(), prop::collection::vec(change(), 1..4));
    TestRunner::new_with_rng(config, rng)
        .run(&strategy, |(file, changes)| {
            let text = changes.iter().fold(files[file].clone(), |text, change| apply(&text, change));
            match from_text("run.toml", &text, Path::new("/nowhere")) {
                Ok(run) => {
                    accepted.set(accepted.get() + 1);
                    reader::reads_again(&run);
                    // A profile that is not chosen is read by the schema alone.
                    for text in [text.as_str(), run.toml()].into_iter().filter(|text| !text.contains("profile")) {
                        prop_assert_eq!(mistakes(text), Vec::<String>::new(), "the schema refuses\n{}", text);
                    }
                }
                Err(failure) => {
                    refused.set(refused.get() + 1);
                    reader::points_into(&failure);
                }
            }
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    // Most changes break a file, but what is accepted must not be a rarity either, or its law would go untested.
    assert!(accepted.get() > CASES / 50 && refused.get() > CASES / 2, "{} and {}", accepted.get(), refused.get());
}
