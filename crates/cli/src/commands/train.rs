//! `pleach train`: a run file becomes a trained run.

use crate::args::Train;
use crate::output::{self, Done, Failed};
use jiff::Zoned;
use pleach_core::Error;
use pleach_train::stage::Terminal;
use pleach_train::{Ended, Host, Outcome};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub fn run(args: &Train) -> Done {
    let resolved = output::load_run(&args.run)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => {
            let date = Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
            PathBuf::from("runs").join(format!("{date}-{}-{}", resolved.run.run.name, resolved.hash()))
        }
    };
    let host = host()?;
    let text = std::fs::read_to_string(&args.run.file).unwrap_or_default();
    let outcome = pleach_train::train(&resolved, &text, &out, &host)?;
    Ok(report(&outcome))
}

/// The program around a run: its lines go to standard error, and Ctrl-C ends it after the current step.
pub fn host() -> Result<Host, Failed> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            // The second time a person does not want to wait for the step.
            #[allow(clippy::exit)]
            std::process::exit(i32::from(output::INTERRUPTED));
        }
        output::say("ending after this step; once more to end at once");
    })
    .map_err(|e| Error::new("PL0404", format!("cannot listen for Ctrl-C: {e}")))?;
    let terminal = if output::is_terminal() { Terminal::Yes } else { Terminal::No };
    Ok(Host { interrupted, terminal, say: Arc::new(output::say) })
}

/// Says how a run ended, and gives the exit code.
pub fn report(outcome: &Outcome) -> ExitCode {
    let dir = outcome.dir.display();
    match &outcome.ended {
        Ended::Finished(why) => {
            output::say(&format!("done: {why} ({} steps, {} epochs)", outcome.clock.step, outcome.clock.epoch))
        }
        Ended::Already => output::say("this run is finished; with a larger `--set trainer.max_epochs=...` it goes on"),
        Ended::Interrupted => {
            output::say(&format!("interrupted at step {}; go on with: pleach resume {dir}", outcome.clock.step));
            return ExitCode::from(output::INTERRUPTED);
        }
    }
    output::metrics(&outcome.metrics);
    output::print(&format!("run folder: {dir}"));
    ExitCode::SUCCESS
}
