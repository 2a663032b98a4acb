//! `pleach doctor`: what could be in the way of a run.

use super::plugged;
use crate::about::counted;
use crate::args::{Cli, Doctor};
use crate::grafted::{Grafted, silence};
use crate::output::{self, Done};
use crate::plugins;
use clap::CommandFactory;
use pleach_core::Backend;
use pleach_core::registry::{duplicates, entries, of_kind};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, ExitCode};

pub fn run(args: &Doctor, grafted: &Grafted) -> Done {
    let mut crates: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for entry in entries() {
        *crates.entry((entry.krate, entry.version)).or_default() += 1;
    }
    let registered: BTreeSet<&str> = crates.keys().map(|(krate, _)| *krate).collect();
    let silent = plugins::DEFAULT.into_iter().filter(|name| !registered.contains(name));
    let mut problems: Vec<String> = silent.map(silence).collect();
    problems.extend(grafted.problems(&registered));
    problems.extend(plugged::hidden(&Cli::command()));
    for (kind, name, who) in duplicates() {
        let who: Vec<_> = who.iter().map(|e| e.qualified()).collect();
        problems.push(format!("the {kind} `{name}` is claimed by {}", who.join(" and ")));
    }
    let remarks = grafted.remarks(&registered);
    let machine = machine();
    let seats = seats();
    if args.json {
        let crates: Vec<_> = crates
            .iter()
            .map(|((krate, version), n)| json!({ "crate": krate, "version": version, "plugins": n }))
            .collect();
        let seats: Vec<_> = seats.iter().map(|(name, what)| json!({ "backend": name, "seats": what })).collect();
        output::print(
            &json!({
                "version": env!("CARGO_PKG_VERSION"), "machine": machine, "backends": seats, "crates": crates,
                "remarks": remarks, "problems": problems,
            })
            .to_string(),
        );
    } else {
        output::print(&format!("pleach {}", env!("CARGO_PKG_VERSION")));
        for (key, value) in machine.as_object().into_iter().flatten() {
            output::print(&format!("  {key}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        output::print("backends");
        for (name, what) in &seats {
            output::print(&format!("  {name}: {what}"));
        }
        output::print("crates");
        for ((krate, version), n) in &crates {
            output::print(&format!("  {krate} {version}: {}", counted(*n, "plugin")));
        }
        remarks.iter().for_each(|remark| output::print(&format!("remark: {remark}")));
        problems.iter().for_each(|problem| output::print(&format!("problem: {problem}")));
        if problems.is_empty() {
            output::print("no problems found");
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the machine lends, and what of it is used.
fn machine() -> Json {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = pleach_simd::threads();
    let by = if std::env::var_os("PLEACH_THREADS").is_some() { " (PLEACH_THREADS)" } else { "" };
    json!({
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "cores": cores,
        "threads": format!("{threads}{by}"),
        "vectors": vectors(),
        "cargo": cargo().unwrap_or_else(|| "none: `dev` and `graft` cannot compile".to_owned()),
    })
}

/// The widest instruction set that the kernels use here.
fn vectors() -> &'static str {
    match pleach_simd::level() {
        pleach_simd::Level::Avx512 => "AVX-512",
        pleach_simd::Level::Avx2 => "AVX2 and FMA",
        pleach_simd::Level::Portable => "those of the compiler's target alone",
    }
}

fn cargo() -> Option<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo).arg("--version").output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    Some(text.strip_prefix("cargo ").map_or(text.clone(), str::to_owned))
}

/// The parts that may be there or not: which seats each backend can take here.
fn seats() -> Vec<(&'static str, String)> {
    let one = |entry: &'static pleach_core::Entry| {
        let backend = entry.plug::<dyn Backend>()?;
        let seats: Vec<_> = backend.seats().iter().map(|seat| format!("{seat:?}").to_lowercase()).collect();
        let there = match backend.device() {
            Ok(_) => seats.join(", "),
            Err(e) => format!("not here: {}", e.message()),
        };
        Some((entry.name, there))
    };
    of_kind::<dyn Backend>().filter_map(one).collect()
}
