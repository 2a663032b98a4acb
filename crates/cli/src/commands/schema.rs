//! `pleach schema`: the JSON Schema of run files, with every plugin of this program, for editors.

use crate::args::Schema;
use crate::output::{self, Done};
use pleach_core::Error;
use std::process::ExitCode;

pub fn run(args: &Schema) -> Done {
    let schema = pleach_config::schema::of_run();
    let text = serde_json::to_string_pretty(&schema).map_err(|e| Error::new("PL0203", e.to_string()))?;
    match &args.output {
        None => output::print(&text),
        Some(path) => {
            std::fs::write(path, text + "\n")
                .map_err(|e| Error::new("PL0501", format!("cannot write `{}`: {e}", path.display())))?;
            output::say(&format!("write this as the first line of a run file:\n#:schema {}", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}
