//! `pleach describe`: what a plugin is and what it takes.

use crate::about;
use crate::args::Describe;
use crate::output::{self, Done};
use pleach_core::Error;
use pleach_core::diagnostic::nearest;
use pleach_core::registry::{Entry, entries};
use serde_json::Value as Json;
use std::process::ExitCode;

pub fn run(args: &Describe) -> Done {
    let is = |e: &&&Entry| e.name == args.name || e.alias.contains(&args.name.as_str()) || e.qualified() == args.name;
    let found: Vec<&Entry> = entries().iter().filter(is).copied().collect();
    if found.is_empty() {
        let names: Vec<&str> =
            entries().iter().flat_map(|e| std::iter::once(e.name).chain(e.alias.iter().copied())).collect();
        let mut e = Error::new("PL0103", format!("no plugin is called `{}`", args.name)).hint("see: pleach list");
        if let Some(near) = nearest(&args.name, names) {
            e = e.hint(format!("did you mean `{near}`?"));
        }
        return Err(e.into());
    }
    if args.json {
        let all: Vec<Json> = found.iter().map(|e| about::whole(e)).collect();
        output::print(&Json::Array(all).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for e in found {
        describe(e);
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(e: &Entry) {
    output::print(&format!("{} {} [{} {}]", e.kind, e.name, e.krate, e.version));
    for line in e.doc.lines() {
        output::print(format!("  {line}").trim_end());
    }
    if !e.alias.is_empty() {
        output::print(&format!("  also: {}", e.alias.join(", ")));
    }
    for cite in e.cite {
        output::print(&format!("  source: {cite}"));
    }
    for line in about::certificates(e) {
        output::print(&format!("  certificate: {line}"));
    }
    for p in about::parameters(e) {
        let takes = if p.takes.is_empty() { String::new() } else { format!(", {}", p.takes) };
        output::print("");
        output::print(&format!("  {}: {} ({}{takes})", p.name, p.ty, p.value));
        for line in p.doc.lines() {
            output::print(format!("      {line}").trim_end());
        }
    }
    output::print("");
}
