//! `pleach graft`: a program of its own, with chosen plugin crates in it.

use crate::about::counted;
use crate::args::Graft;
use crate::graft::{Build, Home, Nursery, Profile, Registry, Scion, build, cannot};
use crate::output::{self, Done};
use pleach_core::{Error, Result};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

pub fn run(args: &Graft) -> Done {
    let scions = args.with.iter().map(|text| Scion::parse(text)).collect::<Result<Vec<_>>>()?;
    let home = Home::find(args.core.as_deref(), &scions)?;
    let target = target()?;
    let name = name(&args.output)?;
    let nursery = Nursery { folder: target.join("pleach-graft").join(&name), name, scions, home };
    // The lock beside the binary is of the last time: the same versions again, unless the crates ask for others.
    let beside = lock_beside(&args.output);
    let lock = if beside.is_file() && !args.update { Some(beside.clone()) } else { nursery.home.lock() };
    nursery.write(lock.as_deref())?;
    let registry = if args.offline { Registry::Offline } else { Registry::Online };
    let profile = if args.dev { Profile::Dev } else { Profile::Release };
    let built = build(&Build { folder: &nursery.folder, name: &nursery.name, target: &target, profile, registry })?;
    copy(&built, &args.output)?;
    copy(&nursery.folder.join("Cargo.lock"), &beside)?;
    report(args, &nursery, &beside)
}

/// Says what is in the new program, as it says itself.
fn report(args: &Graft, nursery: &Nursery, lock: &Path) -> Done {
    let program = args.output.canonicalize().map_err(|e| cannot("find", &args.output, &e))?;
    let ran = Command::new(&program).args(["doctor", "--json"]).output();
    let ran = ran.map_err(|e| Error::new("PL0242", format!("cannot run `{}`: {e}", program.display())))?;
    let said: Json = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    let list = |key: &str| said.get(key).and_then(Json::as_array).cloned().unwrap_or_default();
    let text = |json: &Json, key: &str| json.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    output::print(&format!("{}: pleach {}", args.output.display(), text(&said, "version")));
    for krate in list("crates").iter().filter(|c| nursery.scions.iter().any(|s| s.name == text(c, "crate"))) {
        let plugins =
            krate.get("plugins").and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
        let (name, version) = (text(krate, "crate"), text(krate, "version"));
        output::print(&format!("  {name} {version}: {}", counted(plugins, "plugin")));
    }
    output::print(&format!("  locked by {}", lock.display()));
    let problems = list("problems");
    for problem in problems.iter().filter_map(Json::as_str) {
        output::say(&format!("problem: {problem}"));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lock_beside(output: &Path) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    output.with_file_name(name)
}

/// Where cargo builds: one place for all grafts, so that the second is quick.
fn target() -> Result<PathBuf> {
    if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
        return Ok(PathBuf::from(target));
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let cache = cache.or_else(home).ok_or_else(|| {
        Error::new("PL0175", "there is no home folder to build in").hint("name a folder by CARGO_TARGET_DIR")
    })?;
    Ok(cache.join("pleach").join("graft"))
}

/// The name of the package, from that of the binary.
fn name(output: &Path) -> Result<String> {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    if name.trim_matches('-').is_empty() {
        return Err(Error::new("PL0176", format!("`-o {}` names no file", output.display())));
    }
    Ok(format!("grafted-{}", name.trim_matches('-')))
}

/// Copies to a file beside and renames it, so that a program that runs there is not written into.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|e| cannot("create", parent, &e))?;
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = to.with_file_name(name);
    std::fs::copy(from, &new).map_err(|e| cannot("write", &new, &e))?;
    std::fs::rename(&new, to).map_err(|e| cannot("write", to, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_stands_beside_the_binary() {
        assert_eq!(lock_beside(Path::new("bin/my.exe")), Path::new("bin/my.exe.lock"));
        assert_eq!(lock_beside(Path::new("mine")), Path::new("mine.lock"));
    }

    #[test]
    fn any_file_name_makes_a_package() {
        assert_eq!(name(Path::new("out/My pleach.exe")).unwrap(), "grafted-My-pleach");
        assert_eq!(name(Path::new("/")).unwrap_err().code(), "PL0176");
    }
}
