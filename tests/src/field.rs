//! How tests stand in for somebody far away: pleach and cargo run in a folder outside of the workspace.

use crate::{Done, root};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// A folder far from the workspace, in which builds are [`quick`].
pub fn field() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    quick(dir.path());
    dir
}

/// Gives builds in a folder the profile of the workspace, so that they take what it has built of the registry's crates, and lets cargo
/// spend no time on making pleach fast: what is shown there is that it compiles, links and runs.
pub fn quick(folder: &Path) {
    let workspace: toml::Table = toml::from_str(&fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    let mut dev = workspace["profile"]["dev"].as_table().unwrap().clone();
    let packages = dev["package"].as_table_mut().unwrap();
    packages.retain(|name, _| !name.starts_with("pleach-"));
    // Without the tiles of products as one piece, a run would take longer than they take to compile.
    for name in ["pleach-simd", "pleach-ops"] {
        packages.insert(name.to_owned(), toml::toml! { opt-level = 1 }.into());
    }
    // Said, for a crate of the field may say otherwise.
    packages["*"].as_table_mut().unwrap().insert("opt-level".to_owned(), 0.into());
    let profile = toml::Table::from_iter([("dev".to_owned(), dev.into())]);
    let config = toml::Table::from_iter([("profile".to_owned(), profile.into())]);
    fs::create_dir_all(folder.join(".cargo")).unwrap();
    fs::write(folder.join(".cargo/config.toml"), config.to_string()).unwrap();
}

/// What builds in the field share with each other: one folder of cargo's, and no network.
fn command(program: impl AsRef<OsStr>, folder: &Path, args: &[&str]) -> Done {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).env("CARGO", cargo()).env("CARGO_TARGET_DIR", root().join("target"));
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_NET_OFFLINE", "true");
    command.output().unwrap().into()
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Runs a program in a folder.
pub fn run_in(folder: &Path, program: impl AsRef<OsStr>, args: &[&str]) -> Done {
    command(program, folder, args)
}

/// Runs the tests of a crate, with the versions of the workspace.
pub fn cargo_test(folder: &Path) -> Done {
    let lock = folder.join("Cargo.lock");
    if !lock.exists() {
        fs::copy(root().join("Cargo.lock"), lock).unwrap();
    }
    command(cargo(), folder, &["test", "--offline", "--quiet"])
}

/// Lets a crate have its dependencies as the tests of the workspace have them, with the features that these turn on, so
/// that cargo takes what it has built for them and builds the tensors but once. What the crate is, stays as it is.
pub fn share(folder: &Path) {
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let manifest = folder.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).unwrap();
    if !text.contains("[workspace]") {
        // Its folder may lie below this workspace, to which it does not belong.
        text.push_str("\n[workspace]\n");
        fs::write(&manifest, &text).unwrap();
    }
    static WORKSPACE: LazyLock<Features> = LazyLock::new(|| features(&root(), &["--workspace"]));
    let own = features(folder, &[]);
    text.push_str("\n[target.'cfg(all())'.dependencies]\n");
    for (number, (package, features)) in own.iter().enumerate() {
        let Some(all) = WORKSPACE.get(package).filter(|all| !features.is_superset(all)) else { continue };
        // As TOML writes a list.
        let list: Vec<_> = all.iter().collect();
        let (name, version) = package;
        text.push_str(&format!(
            "shared-{number} = {{ package = {name:?}, version = \"={version}\", default-features = false, features = {list:?} }}\n"
        ));
    }
    fs::write(manifest, text).unwrap();
}

/// Packages by name and version, with their features.
type Features = BTreeMap<(String, String), BTreeSet<String>>;

/// The packages of the registry on which a workspace depends.
fn features(folder: &Path, more: &[&str]) -> Features {
    let tree = ["tree", "--offline", "--prefix", "none", "--edges", "normal,dev", "--format", "{p}|{f}"];
    let args: Vec<&str> = tree.iter().chain(more).copied().collect();
    let done = command(cargo(), folder, &args).expect_code(0);
    let mut all = Features::new();
    for (package, features) in done.out.lines().filter_map(|line| line.split_once('|')) {
        let Some((name, version)) = package.split_once(" v").filter(|(_, v)| !v.contains(' ')) else { continue };
        let features = features.trim_end_matches(" (*)").split(',').filter(|f| !f.is_empty()).map(str::to_owned);
        all.entry((name.to_owned(), version.to_owned())).or_default().extend(features);
    }
    all
}

/// Builds a program with plugin crates by `pleach graft`.
pub fn graft(pleach: &str, folder: &Path, with: &[&str], output: &Path) -> Done {
    let root = root();
    let (core, output) = (root.to_str().unwrap(), output.to_str().unwrap());
    let mut args = vec!["graft", "--offline", "--dev", "--core", core, "-o", output];
    with.iter().for_each(|with| args.extend(["--with", with]));
    command(pleach, folder, &args)
}

/// A crate of this repository, somewhere else: its paths to the workspace become those of the place where it was.
pub fn moved(krate: &str, to: &Path) -> PathBuf {
    copy(&root().join(krate), to);
    let manifest = to.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("../../crates", root().join("crates").to_str().unwrap())).unwrap();
    to.to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
        let (name, path) = (entry.file_name(), entry.path());
        if path.is_dir() && name != "target" {
            copy(&path, &to.join(name));
        } else if path.is_file() && name != "Cargo.lock" {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// Code blocks of a page: those in a language, by the words that stand in the line before them in backticks.
pub fn blocks(page: &str, language: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut lines = page.lines();
    let (mut before, fence) = ("", format!("```{language}"));
    while let Some(line) = lines.next() {
        if line == fence {
            let body: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            let title = before.split('`').nth(1).unwrap_or_default().to_owned();
            all.push((title, body.join("\n") + "\n"));
        } else if !line.trim().is_empty() {
            before = line;
        }
    }
    all
}
