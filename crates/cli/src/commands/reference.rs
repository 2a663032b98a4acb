//! `pleach reference`: every plugin of this program on one page.

use crate::about::{self, Parameter};
use crate::args::Reference;
use crate::output::{self, Done};
use pleach_core::Error;
use pleach_core::registry::{Entry, entries};
use std::fmt::Write;
use std::process::ExitCode;

pub fn run(args: &Reference) -> Done {
    let page = page();
    match &args.output {
        None => output::print(page.trim_end()),
        Some(path) => std::fs::write(path, page)
            .map_err(|e| Error::new("PL0501", format!("cannot write `{}`: {e}", path.display())))?,
    }
    Ok(ExitCode::SUCCESS)
}

const HEAD: &str = "# All plugins

What `pleach describe NAME` says, of every plugin, on one page. It is made from the registry by
`pleach reference -o docs/reference.md`.

A certificate is the outcome of a replay of golden files (`pleach certify`): `b` stands for a number of the reference. Where a
plugin is optimizer, scheduler, loss or metric and has no golden file, its certificate is \"none\".
";

fn page() -> String {
    let mut out = HEAD.to_owned();
    let kinds: Vec<&[&Entry]> = entries().chunk_by(|a, b| a.kind == b.kind).collect();
    for all in &kinds {
        let links: Vec<_> = all.iter().map(|e| format!("[{}](#{})", e.name, anchor(e))).collect();
        put(&mut out, format_args!("\n- **{}**: {}", kind(all), links.join(", ")));
    }
    out.push('\n');
    for all in kinds {
        put(&mut out, format_args!("\n## {}\n", kind(all)));
        for e in all {
            plugin(&mut out, e);
        }
    }
    out
}

/// Writing into a string cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn kind(all: &[&Entry]) -> &'static str {
    all.first().map(|e| e.kind).unwrap_or_default()
}

fn anchor(e: &Entry) -> String {
    let word = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    format!("{}-{}", e.kind, e.name).chars().map(word).collect()
}

fn plugin(out: &mut String, e: &Entry) {
    put(out, format_args!("\n### {} <a id=\"{}\"></a>\n\n{}\n", e.name, anchor(e), e.doc.trim_end()));
    let mut facts = vec![format!("Crate: {}", e.krate)];
    if !e.alias.is_empty() {
        let names: Vec<_> = e.alias.iter().map(|name| format!("`{name}`")).collect();
        facts.push(format!("Also: {}", names.join(", ")));
    }
    facts.extend(e.cite.iter().map(|cite| format!("Source: {}", source(cite))));
    facts.extend(about::certificates(e).into_iter().map(|line| format!("Certificate: {line}")));
    out.push('\n');
    for fact in facts {
        put(out, format_args!("- {}\n", fact.replace('\n', " ")));
    }
    let parameters = about::parameters(e);
    if parameters.is_empty() {
        return;
    }
    out.push_str("\n| parameter | type | default | takes | meaning |\n|---|---|---|---|---|\n");
    for Parameter { name, ty, value, takes, doc } in parameters {
        let default = value.strip_prefix("default ").unwrap_or(&value).to_owned();
        let row = [format!("`{name}`"), format!("`{ty}`"), default, takes, doc.to_owned()].map(|text| cell(&text));
        put(out, format_args!("| {} |\n", row.join(" | ")));
    }
}

/// A page on the web is a link.
fn source(cite: &str) -> String {
    match cite.split_once(':') {
        Some(("http" | "https", _)) => format!("<{cite}>"),
        Some(("doi", number)) => format!("[{cite}](https://doi.org/{number})"),
        Some(("arXiv", number)) => format!("[{cite}](https://arxiv.org/abs/{number})"),
        _ => cite.to_owned(),
    }
}

/// Text within a table: on one line, and without a bar of its own.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
