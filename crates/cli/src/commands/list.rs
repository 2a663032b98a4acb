//! `pleach list`: who exists.

use crate::about;
use crate::args::List;
use crate::output::{self, Done};
use pleach_core::Error;
use pleach_core::diagnostic::nearest;
use pleach_core::registry::{Entry, entries};
use serde_json::Value as Json;
use std::process::ExitCode;

pub fn run(args: &List) -> Done {
    let mut kinds: Vec<&str> = entries().iter().map(|e| e.kind).collect();
    kinds.dedup();
    if let Some(kind) = &args.kind
        && !kinds.contains(&kind.as_str())
    {
        let mut e =
            Error::new("PL0132", format!("there is no kind `{kind}`")).hint(format!("kinds: {}", kinds.join(", ")));
        if let Some(near) = nearest(kind, kinds.iter().copied()) {
            e = e.hint(format!("did you mean `{near}`?"));
        }
        return Err(e.into());
    }
    let chosen: Vec<&Entry> =
        entries().iter().copied().filter(|e| args.kind.as_ref().is_none_or(|k| k == e.kind)).collect();
    if args.json {
        let all: Vec<Json> = chosen.iter().map(|e| about::brief(e)).collect();
        output::print(&Json::Array(all).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let width = chosen.iter().map(|e| e.name.len()).max().unwrap_or_default();
    let mut kind = "";
    for e in chosen {
        if e.kind != kind {
            if !kind.is_empty() {
                output::print("");
            }
            kind = e.kind;
            output::print(kind);
        }
        output::print(&format!("  {:width$}  {}  [{} {}]", e.name, about::first(e), e.krate, e.version));
    }
    Ok(ExitCode::SUCCESS)
}
