//! `pleach check`: everything that is wrong with a run file, without running it.

use crate::args::Check;
use crate::output::{self, Done, WRONG_CONFIG};
use serde_json::json;
use std::process::ExitCode;

pub fn run(args: &Check) -> Done {
    if !args.json {
        let resolved = output::load_run(&args.run)?;
        let run = &resolved.run;
        output::print(&format!("{}: good", args.run.file.display()));
        output::print(&format!(
            "  {} learns {} with {}",
            run.model.plug.name(),
            run.task.name(),
            run.optimizer.plug.name()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    match output::read(&args.run) {
        Ok(resolved) => {
            output::print(&json!({ "diagnostics": [], "remarks": resolved.remarks().json_of_remarks() }).to_string());
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            output::print(&json!({ "diagnostics": failure.json() }).to_string());
            Ok(ExitCode::from(WRONG_CONFIG))
        }
    }
}
