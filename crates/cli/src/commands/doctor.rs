//! `pleach doctor`: what could be in the way of a run.

use crate::args::Doctor;
use crate::output::{self, Done};
use crate::plugins;
use pleach_core::registry::{duplicates, entries};
use serde_json::json;
use std::collections::BTreeMap;
use std::process::ExitCode;

pub fn run(args: &Doctor) -> Done {
    let mut crates: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for entry in entries() {
        *crates.entry((entry.krate, entry.version)).or_default() += 1;
    }
    let mut problems = Vec::new();
    for name in plugins::DEFAULT {
        if !crates.keys().any(|(krate, _)| *krate == name) {
            problems.push(format!("{name} is linked but registers nothing"));
        }
    }
    for (kind, name, who) in duplicates() {
        let who: Vec<_> = who.iter().map(|e| e.qualified()).collect();
        problems.push(format!("the {kind} `{name}` is claimed by {}", who.join(" and ")));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if args.json {
        let crates: Vec<_> = crates
            .iter()
            .map(|((krate, version), n)| json!({ "crate": krate, "version": version, "plugins": n }))
            .collect();
        output::print(
            &json!({ "version": env!("CARGO_PKG_VERSION"), "cores": cores, "crates": crates, "problems": problems })
                .to_string(),
        );
    } else {
        output::print(&format!(
            "pleach {} on {} {}, {cores} cores",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH
        ));
        for ((krate, version), n) in &crates {
            output::print(&format!("  {krate} {version}: {n} plugins"));
        }
        for problem in &problems {
            output::print(&format!("problem: {problem}"));
        }
        if problems.is_empty() {
            output::print("no problems found");
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
