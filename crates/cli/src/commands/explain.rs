//! `pleach explain`: where every value of a run comes from, what one key means, or what an error code is about.

use crate::args::Explain;
use crate::output::{self, Done};
use crate::pages;
use pleach_config::Explained;
use pleach_core::Error;
use pleach_core::diagnostic::nearest;
use serde_json::{Value as Json, json};
use std::process::ExitCode;

pub fn run(args: &Explain) -> Done {
    let what = args.run.file.to_string_lossy();
    if is_code(&what) && !args.run.file.exists() {
        return page(&what.to_uppercase());
    }
    let resolved = output::load_run(&args.run)?;
    match &args.key {
        None if args.json => {
            let origins: Json = json!(resolved.origins());
            output::print(&json!({ "toml": resolved.toml(), "hash": resolved.hash(), "origins": origins }).to_string());
        }
        None => output::print(pleach_config::explain::with_margin(&resolved, None)?.trim_end()),
        Some(key) => {
            let explained = pleach_config::explain_key(&resolved, key)?;
            if args.json {
                output::print(&explained.json().to_string());
            } else {
                show(&explained);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `PL0104`, in letters of any size.
fn is_code(what: &str) -> bool {
    let what = what.to_uppercase();
    what.strip_prefix("PL").is_some_and(|n| n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit()))
}

fn page(code: &str) -> Done {
    if let Some((_, page)) = pages::ALL.iter().find(|(name, _)| *name == code) {
        output::print(page.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let e = Error::new("PL0135", format!("there is no page about {code}"));
    let e = match nearest(code, pages::ALL.iter().map(|(name, _)| *name)) {
        Some(near) => e.hint(format!("did you mean {near}?")),
        None => e.hint("codes of errors begin with PL and have four digits, as in PL0104"),
    };
    Err(e.into())
}

fn show(explained: &Explained) {
    let Explained { path, doc, takes, bounds, choices, default, value, origin, plugin } = explained;
    if origin.is_some() {
        output::print(&format!("{path} = {value}"));
    } else {
        output::print(path);
    }
    for line in doc.lines() {
        output::print(format!("  {line}").trim_end());
    }
    output::print("");
    let fact = |name: &str, text: &str| {
        if !text.is_empty() {
            output::print(&format!("  {name:<8}{text}"));
        }
    };
    if origin.is_some() {
        let bounds = if bounds.is_empty() { String::new() } else { format!(", {bounds}") };
        fact("takes", &format!("{takes}{bounds}"));
        for (choice, doc) in choices {
            fact("", &format!("\"{choice}\": {}", doc.replace('\n', " ")));
        }
        match default {
            Some((default, of)) => fact("default", &format!("{default} ({of})")),
            None => fact("default", "none: a file must give it, or what stands around it decides"),
        }
    }
    fact("origin", origin.as_deref().unwrap_or_default());
    if let Some(plugin) = plugin {
        fact("more", &format!("pleach describe {plugin}"));
    }
    if origin.is_none() {
        output::print("");
        output::print(value.trim_end());
    }
}
