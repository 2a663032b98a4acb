//! `pleach dev`: the program with the plugins of the crate in which one stands.

use crate::args::Dev;
use crate::graft::{Build, Home, Nursery, Profile, Registry, Scion, build};
use crate::output::Done;
use pleach_core::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

pub fn run(args: &Dev) -> Done {
    let folder = here()?;
    let scion = Scion::folder(&folder)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder.join("target"), PathBuf::from);
    let scions = vec![scion];
    let home = Home::find(args.core.as_deref(), &scions)?;
    let name = format!("pleach-with-{}", scions.first().map(|s| s.name.as_str()).unwrap_or_default());
    let nursery = Nursery { folder: target.join("pleach-dev").join(&name), name, scions, home };
    // What was resolved the last time stays, so that a fetched crate is not fetched in another version.
    let own = nursery.folder.join("Cargo.lock");
    let lock = if own.is_file() { Some(own) } else { nursery.home.lock() };
    nursery.write(lock.as_deref())?;
    let registry = if args.offline { Registry::Offline } else { Registry::Online };
    let profile = if args.release { Profile::Release } else { Profile::Dev };
    let binary = build(&Build { folder: &nursery.folder, name: &nursery.name, target: &target, profile, registry })?;
    let status = Command::new(&binary).args(&args.args).status();
    let status = status.map_err(|e| Error::new("PL0242", format!("cannot run `{}`: {e}", binary.display())))?;
    // What a signal has ended has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The nearest folder, from the current one upward, that has a manifest.
fn here() -> pleach_core::Result<PathBuf> {
    let current =
        std::env::current_dir().map_err(|e| Error::new("PL0501", format!("cannot see the current folder: {e}")))?;
    let found = current.ancestors().find(|f| f.join("Cargo.toml").is_file()).map(Path::to_owned);
    found.ok_or_else(|| {
        Error::new("PL0175", format!("`{}` is not in a crate", current.display()))
            .hint("`pleach dev` runs in the folder of a plugin crate; `pleach new KIND NAME` makes one")
    })
}
