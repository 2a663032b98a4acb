//! `pleach resume`: a run goes on where it stopped.

use super::train::{host, report};
use crate::args::Resume;
use crate::output::{self, Done};
use pleach_core::Error;

pub fn run(args: &Resume) -> Done {
    let resolved = folder(&args.dir, &args.sets)?;
    let outcome = pleach_train::resume(&resolved, &args.dir, &host()?)?;
    Ok(report(&outcome))
}

/// The resolved run of a folder, with values set anew.
pub fn folder(dir: &std::path::Path, sets: &[String]) -> Result<pleach_config::Resolved, output::Failed> {
    let file = dir.join("resolved.toml");
    if !file.is_file() {
        let e = Error::new("PL0503", format!("`{}` is not the folder of a run", dir.display()))
            .hint("a run's folder has a file `resolved.toml`");
        return Err(e.into());
    }
    output::load(&file, sets)
}
