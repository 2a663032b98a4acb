//! `pleach certify`: golden files are replayed against the plugins of this program.

use crate::about::{self, counted};
use crate::args::Certify;
use crate::output::{self, Done};
use pleach_certify::{Deviation, Golden, Outcome, certificates, replay};
use pleach_core::certificate::{Certificate, Certificates};
use pleach_core::error::{Class, Error};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A file, and what came of its cases.
struct Replayed {
    path: PathBuf,
    result: Result<(Golden, Vec<(usize, Outcome)>), Error>,
}

pub fn run(args: &Certify) -> Done {
    let files = files(&args.files)?;
    let all: Vec<Replayed> = files.into_iter().map(|path| replayed(path, args.krate.as_deref())).collect();
    let cases: Vec<&Outcome> = all.iter().flat_map(Replayed::outcomes).collect();
    let total = Total {
        files: all.len(),
        unread: all.iter().filter(|file| file.result.is_err()).count(),
        cases: cases.len(),
        failed: cases.iter().filter(|case| !case.passes()).count(),
    };
    if args.json {
        let files: Vec<Json> = all.iter().map(Replayed::json).collect();
        output::print(&json!({ "files": files, "total": total.json() }).to_string());
    } else {
        all.iter().for_each(Replayed::print);
        output::print(&total.words());
    }
    if let Some(file) = &args.record {
        record(file, &all, &total)?;
    }
    Ok(total.code())
}

/// Files in the order of the arguments; those of a folder by name.
fn files(args: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in args {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let broken = |e| Error::new("PL0360", format!("cannot read `{}`: {e}", path.display()));
        let entries = std::fs::read_dir(path).map_err(broken)?.collect::<Result<Vec<_>, _>>().map_err(broken)?;
        let paths = entries.into_iter().map(|entry| entry.path());
        let mut found: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
        found.sort();
        if found.is_empty() {
            return Err(Error::new("PL0360", format!("there is no golden file in `{}`", path.display())));
        }
        files.extend(found);
    }
    Ok(files)
}

fn replayed(path: PathBuf, krate: Option<&str>) -> Replayed {
    let wanted = |outcome: &Outcome| match (krate, &outcome.plugin) {
        (Some(krate), Some(plugin)) => plugin.split_once('/').is_some_and(|(of, _)| of == krate),
        _ => true,
    };
    let result = Golden::read(&path).map(|golden| {
        let all = golden.cases.iter().map(replay).enumerate();
        let outcomes = all.filter(|(_, outcome)| wanted(outcome)).collect();
        (golden, outcomes)
    });
    Replayed { path, result }
}

impl Replayed {
    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.result.iter().flat_map(|(_, outcomes)| outcomes.iter().map(|(_, outcome)| outcome))
    }

    fn json(&self) -> Json {
        let file = self.path.display().to_string();
        match &self.result {
            Err(e) => json!({ "file": file, "failure": failure(e) }),
            Ok((golden, outcomes)) => {
                let cases: Vec<Json> = outcomes.iter().map(|(at, outcome)| case(*at, outcome)).collect();
                json!({ "file": file, "reference": golden.reference, "cases": cases })
            }
        }
    }

    fn print(&self) {
        let (golden, outcomes) = match &self.result {
            Ok((_, outcomes)) if outcomes.is_empty() => return,
            Ok(read) => (&read.0, &read.1),
            Err(e) => return output::print(&format!("{}\n  FAIL  {}\n", self.path.display(), line(e))),
        };
        output::print(&format!("{} ({})", self.path.display(), golden.reference.words()));
        let rows: Vec<_> = outcomes.iter().map(|(at, outcome)| row(*at, outcome)).collect();
        let width = |column: usize| rows.iter().map(|row| row.0[column].chars().count()).max().unwrap_or_default();
        let widths = [width(0), width(1), width(2), width(3), width(4)];
        for (cells, rest) in &rows {
            let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            output::print(format!("  {}  {rest}", padded.join("  ")).trim_end());
        }
        output::print("");
    }
}

/// Verdict, place, kind, name and parameters; then numbers, or why there are none.
fn row(at: usize, outcome: &Outcome) -> ([String; 5], String) {
    let rest = match &outcome.result {
        Err(e) => line(e),
        Ok(d) => {
            let fused = outcome.fused.as_ref().map(|d| format!("; fused {}", measured(d)));
            format!("{}{}", measured(d), fused.unwrap_or_default())
        }
    };
    let verdict = if outcome.passes() { "pass" } else { "FAIL" };
    let kind = outcome.kind.unwrap_or("?").to_owned();
    let kwargs = match outcome.kwargs.to_string() {
        none if none == "{}" => String::new(),
        long if long.chars().count() > 44 => format!("{}...", long.chars().take(41).collect::<String>()),
        short => short,
    };
    ([verdict.to_owned(), format!("#{}", at + 1), kind, outcome.name.clone(), kwargs], rest)
}

fn measured(d: &Deviation) -> String {
    format!("{:>7}  {:>5} of {}", about::number(d.error), about::percent(d.share), d.tolerance.words())
}

/// An error on one line.
fn line(e: &Error) -> String {
    let hint = e.hint_text().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{} {}{hint}", e.code(), e.message())
}

fn failure(e: &Error) -> Json {
    json!({ "code": e.code(), "message": e.message(), "hint": e.hint_text() })
}

fn numbers(d: &Deviation) -> Json {
    json!({ "largest_error": d.error, "largest_share": d.share, "tolerance": d.tolerance.words(), "numbers": d.numbers })
}

fn case(at: usize, outcome: &Outcome) -> Json {
    let mut json = json!({
        "case": at + 1, "kind": outcome.kind, "name": outcome.name, "plugin": outcome.plugin,
        "kwargs": outcome.kwargs, "passed": outcome.passes(),
    });
    let result = match &outcome.result {
        Err(e) => json!({ "failure": failure(e) }),
        Ok(d) => numbers(d),
    };
    if let (Some(json), Some(d)) = (json.as_object_mut(), &outcome.fused) {
        json.insert("fused".to_owned(), numbers(d));
    }
    if let (Some(json), Json::Object(numbers)) = (json.as_object_mut(), result) {
        json.extend(numbers);
    }
    json
}

struct Total {
    files: usize,
    unread: usize,
    cases: usize,
    failed: usize,
}

impl Total {
    fn words(&self) -> String {
        let fail = if self.failed == 1 { "fails" } else { "fail" };
        let unread = match self.unread {
            0 => String::new(),
            n => format!("; {} cannot be read", counted(n, "file")),
        };
        let (cases, files) = (counted(self.cases, "case"), counted(self.files, "file"));
        format!("{cases} of {files}: {} pass, {} {fail}{unread}", self.cases - self.failed, self.failed)
    }

    fn json(&self) -> Json {
        json!({
            "files": self.files, "unread": self.unread, "cases": self.cases, "passed": self.cases - self.failed,
            "failed": self.failed,
        })
    }

    fn code(&self) -> ExitCode {
        if self.unread > 0 {
            return output::code(Class::Data);
        }
        if self.failed > 0 { output::code(Class::Run) } else { ExitCode::SUCCESS }
    }
}

fn record(file: &Path, all: &[Replayed], total: &Total) -> Result<(), Error> {
    let broken = total.failed + total.unread;
    if broken > 0 {
        output::say(&format!("`{}` was not written: not everything passes", file.display()));
        return Ok(());
    }
    let mut found: Vec<Certificate> = Vec::new();
    for replayed in all {
        let Ok((golden, _)) = &replayed.result else { continue };
        let name = replayed.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        found.extend(certificates(&name, golden, replayed.outcomes()));
    }
    if found.is_empty() {
        return Err(Error::new("PL0134", "no case is of a plugin of this crate, so there is nothing to certify")
            .hint("the crates are in the brackets of: pleach list"));
    }
    let key = |c: &Certificate| (c.kind.clone(), c.plugin.clone(), c.file.clone(), c.tolerance.clone());
    found.sort_by_key(key);
    let text = serde_json::to_string_pretty(&Certificates { certificates: found })
        .map_err(|e| Error::new("PL0203", format!("certificates cannot be saved: {e}")))?;
    std::fs::write(file, text + "\n")
        .map_err(|e| Error::new("PL0501", format!("cannot write `{}`: {e}", file.display())))
}
