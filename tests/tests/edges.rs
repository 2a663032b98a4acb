//! Leaves do not know each other: every dependency between crates of the workspace is in this table.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value as Json;
use std::process::Command;

/// What each crate may depend on, tests and examples aside.
const EDGES: &[(&str, &[&str])] = &[
    ("macros", &[]),
    // What a warp does to pixels is core's business, and pixels want vector lanes.
    ("core", &["macros", "simd"]),
    ("simd", &[]),
    ("config", &["core", "data"]),
    ("certify", &["core"]),
    ("import", &["core"]),
    ("ops", &["simd"]),
    ("optim", &["core", "simd"]),
    ("losses", &["core", "ops", "simd"]),
    ("augment", &["core", "simd"]),
    ("metrics", &["core"]),
    ("models", &["core", "ops"]),
    ("data", &["core", "simd"]),
    ("backends", &["core", "ops", "simd"]),
    ("observe", &["core"]),
    // The backward pass is an operation.
    ("train", &["core", "config", "data", "ops"]),
    ("testkit", &["core"]),
    ("vision", &["core", "ops", "models", "data"]),
    (
        "cli",
        &[
            "augment", "backends", "certify", "config", "core", "data", "import", "losses", "metrics", "models",
            "observe", "optim", "simd", "train", "vision",
        ],
    ),
    (
        "benches",
        &["augment", "backends", "core", "data", "losses", "models", "ops", "optim", "simd", "train", "vision"],
    ),
    ("tests", &["cli"]),
];

/// Only these may lift the ban on `unsafe`.
const UNSAFE: [&str; 3] = ["simd", "ops", "backends"];

fn packages() -> Vec<Json> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(pleach_tests::root())
        .output()
        .unwrap();
    let json: Json = serde_json::from_slice(&out.stdout).unwrap();
    json["packages"].as_array().unwrap().clone()
}

fn short(name: &Json) -> Option<&str> {
    name.as_str().unwrap().strip_prefix("pleach-")
}

#[test]
fn every_edge_between_crates_is_in_the_table() {
    let mut wrong = Vec::new();
    for package in packages() {
        let name = short(&package["name"]).unwrap().to_owned();
        let Some((_, allowed)) = EDGES.iter().find(|(n, _)| *n == name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let (Some(to), true) = (short(&dependency["name"]), dependency["kind"].is_null()) else { continue };
            if !allowed.contains(&to) {
                wrong.push(format!("{name} must not depend on {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace_and_unsafe_has_three_homes() {
    for package in packages() {
        let name = short(&package["name"]).unwrap();
        let manifest = std::path::PathBuf::from(package["manifest_path"].as_str().unwrap());
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{name} has lints of its own");
        if UNSAFE.contains(&name) {
            continue;
        }
        for file in sources(&manifest.parent().unwrap().join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains("allow(unsafe_code)"), "{} lifts the ban on unsafe", file.display());
        }
    }
}

fn sources(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|p| if p.is_dir() { sources(&p) } else { vec![p] }).collect()
}
