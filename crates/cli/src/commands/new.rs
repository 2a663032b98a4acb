//! `pleach new`: a plugin crate that compiles, obeys the laws, and is to be filled in.

use crate::args::New;
use crate::graft::{Home, cannot};
use crate::output::{self, Done};
use crate::scaffold::{self, Names};
use pleach_core::Error;
use pleach_core::diagnostic::nearest;
use pleach_core::registry::{entries, kinds};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(args: &New) -> Done {
    let kinds = kinds();
    let Some(template) = scaffold::template(&args.kind) else {
        let mut e = Error::new("PL0132", format!("there is no kind `{}`", args.kind))
            .hint(format!("kinds: {}", kinds.join(", ")));
        if let Some(near) = nearest(&args.kind, kinds.iter().copied()) {
            e = e.hint(format!("did you mean `{near}`?"));
        }
        return Err(e.into());
    };
    let names = Names::new(&args.name).ok_or_else(|| {
        Error::new("PL0170", format!("a plugin cannot be called `{}`", args.name))
            .hint("its name is that of a Rust type: letters and digits, as in `FocalTversky` or `focal-tversky`")
    })?;
    let same = |e: &&&pleach_core::Entry| {
        e.kind == args.kind && (e.name == names.plugin || e.alias.contains(&names.plugin.as_str()))
    };
    if let Some(taken) = entries().iter().find(same) {
        return Err(Error::new(
            "PL0170",
            format!("there is a {} `{}` already: {}", args.kind, names.plugin, taken.qualified()),
        )
        .hint("a file that names it would have to say which of the two: choose another name")
        .into());
    }
    let home = args.core.as_deref().map_or_else(|| Ok(Home::registry()), Home::checkout)?;
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from(&names.package));
    if std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(Error::new("PL0174", format!("`{}` is there already, and is not empty", folder.display()))
            .hint("`--out FOLDER` puts it elsewhere")
            .into());
    }
    for (path, text) in scaffold::files(template, &names, &home) {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(|e| cannot("create", parent, &e))?;
        std::fs::write(&path, text).map_err(|e| cannot("write", &path, &e))?;
    }
    output::print(&format!("{} {} in {}", args.kind, names.plugin, folder.display()));
    output::print(&format!("  cd {} && cargo test && pleach dev -- train run.toml", folder.display()));
    Ok(ExitCode::SUCCESS)
}
