//! `pleach import`: a configuration of another system becomes a run file, with an account of every value.

mod refusals;

use crate::args::Import as Args;
use crate::output::{self, Done, Failed, WRONG_CONFIG};
use pleach_core::kinds::importer::{Claim, Fate, Import};
use pleach_core::registry::{self, Entry};
use pleach_core::{Error, Importer, Plug, Result, Saved};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &Args) -> Done {
    let document = pleach_import::document(&args.file)?;
    let (name, importer) = chosen(args, &document)?;
    let mut import =
        importer.import(&document).map_err(|e| e.context(format!("importing `{}`", args.file.display())))?;
    for path in import.passed_over(&document) {
        import.missing(path, format!("{name} passed over it"));
    }
    refusals::settle(&mut import);
    let missing = import.fates.values().filter(|fate| matches!(fate, Fate::Missing(_))).count();
    let account = account(&import, &document);
    let text =
        format!("{}\n{}", head(&args.file, &name, &account), pleach_config::judge::written(&import.run)?.trim_start());
    match &args.output {
        _ if args.json => output::print(&as_json(&import, &name).to_string()),
        Some(path) => std::fs::write(path, text)
            .map_err(|e| Error::new("PL0501", format!("cannot write `{}`: {e}", path.display())))?,
        None => output::print(text.trim_end()),
    }
    let kept = import.fates.values().filter(|fate| matches!(fate, Fate::Kept(_))).count();
    let anyway = import.fates.len() - kept - missing;
    output::say(&format!("{name}: {kept} values kept, {anyway} that hold anyway, {missing} without a counterpart"));
    account.missing.iter().for_each(|line| output::say(&format!("  {line}")));
    if !account.needed.is_empty() {
        output::say(&format!("a run still needs {}", account.needed.join(", ")));
    }
    Ok(if args.strict && missing > 0 { ExitCode::from(WRONG_CONFIG) } else { ExitCode::SUCCESS })
}

/// The importer of the arguments, or the one that is surest of the document.
fn chosen(args: &Args, document: &Saved) -> Result<(String, Plug<dyn Importer>), Failed> {
    if let Some(name) = &args.importer {
        let plug = pleach_config::plugin::<dyn Importer>(name, &[]).map_err(|failure| {
            let paint = if output::is_terminal() { pleach_config::Paint::Color } else { pleach_config::Paint::Plain };
            output::say(&failure.render(paint));
            Failed::Said(ExitCode::from(WRONG_CONFIG))
        })?;
        return Ok((plug.name(), plug));
    }
    let of = |e: &'static Entry| e.plug::<dyn Importer>().map(|plug| (e, plug));
    let claims: Vec<_> = registry::of_kind::<dyn Importer>()
        .filter_map(of)
        .map(|(e, plug)| (plug.knows(document), e, plug))
        .filter(|(claim, ..)| *claim > Claim::Nothing)
        .collect();
    let best = claims.iter().map(|(claim, ..)| *claim).max();
    let mut first: Vec<_> = claims.into_iter().filter(|(claim, ..)| Some(*claim) == best).collect();
    let names: Vec<_> = first.iter().map(|(_, e, _)| e.name).collect();
    match (first.pop(), first.is_empty()) {
        (Some((_, e, plug)), true) => Ok((e.name.to_owned(), plug)),
        (Some(_), false) => {
            let what = format!("`{}` could be for {}", args.file.display(), names.join(" or "));
            Err(Error::new("PL0138", what)
                .hint(format!("say which one with --as {}", names.first().unwrap_or(&"NAME")))
                .into())
        }
        (None, _) => {
            let all: Vec<_> = registry::of_kind::<dyn Importer>().map(|e| e.name).collect();
            let what = format!("no importer knows what `{}` is", args.file.display());
            Err(Error::new("PL0138", what)
                .hint(format!("importers: {}; `pleach describe NAME` says of what", all.join(", ")))
                .into())
        }
    }
}

/// What a person should read.
struct Account {
    /// A line for each value without a counterpart.
    missing: Vec<String>,
    /// The sections that no import can give.
    needed: Vec<&'static str>,
}

fn account(import: &Import, document: &Saved) -> Account {
    let mut missing = Vec::new();
    for (path, fate) in &import.fates {
        if let Fate::Missing(why) = fate {
            let value = value_at(document, path).filter(|v| !v.is_object() && !v.is_array());
            let value = value.map(|v| format!(" = {v}")).unwrap_or_default();
            missing.push(format!("{path}{value}: {why}"));
        }
    }
    let has = |path: &str| Json::Object(import.run.clone()).pointer(&format!("/{path}/name")).is_some();
    let needed = [("task", "[task]"), ("model", "[model]"), ("dataset/train", "[dataset.train]")];
    let needed = needed.into_iter().filter(|(path, _)| !has(path)).map(|(_, shown)| shown).collect();
    Account { missing, needed }
}

fn value_at<'d>(document: &'d Saved, path: &str) -> Option<&'d Saved> {
    path.split('.').try_fold(document, |here, part| match here {
        Saved::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

/// What stands above the sections.
fn head(file: &Path, importer: &str, account: &Account) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut lines = vec![format!("Imported from {name} by {importer}.")];
    if !account.needed.is_empty() {
        lines.push(format!("A run still needs {}.", account.needed.join(", ")));
    }
    if !account.missing.is_empty() {
        lines.push("Without a counterpart:".into());
        lines.extend(account.missing.iter().map(|line| format!("  {line}")));
    }
    let plain = |line: &String| line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    lines.iter().map(|line| format!("# {}\n", plain(line))).collect()
}

fn as_json(import: &Import, importer: &str) -> Json {
    let fate = |fate: &Fate| match fate {
        Fate::Kept(to) => json!({ "kept": to }),
        Fate::Anyway(what) => json!({ "anyway": what }),
        Fate::Missing(why) => json!({ "missing": why }),
    };
    let fates: serde_json::Map<String, Json> = import.fates.iter().map(|(path, f)| (path.clone(), fate(f))).collect();
    json!({ "importer": importer, "run": import.run, "values": fates })
}
