//! The command line of pleach, as a library `main()` and the default binary.
//!
//! A binary with more plugins names their crates and calls [`main`]:
//!
//! ```ignore
//! use my_losses as _;
//! fn main() -> std::process::ExitCode { pleach_cli::main() }
//! ```

mod about;
mod args;
mod commands;
mod output;
mod plugins;

use args::{Cli, Command};
use clap::Parser;
use output::Failed;
use std::process::ExitCode;

/// Runs the command line: exit code 0 done, 1 the run failed, 2 the configuration or the arguments
/// are wrong, 3 the data are wrong, 130 interrupted.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    pleach_backends::memory::keep();
    pleach_backends::threads::leave_to_the_pool();
    // The one thread pool starts here, before any library could start it with another size.
    pleach_simd::enlist();
    let done = match &cli.command {
        Command::Train(args) => commands::train::run(args),
        Command::Resume(args) => commands::resume::run(args),
        Command::Eval(args) => commands::eval::run(args),
        Command::Predict(args) => commands::predict::run(args),
        Command::Score(args) => commands::score::run(args),
        Command::Check(args) => commands::check::run(args),
        Command::List(args) => commands::list::run(args),
        Command::Describe(args) => commands::describe::run(args),
        Command::Certify(args) => commands::certify::run(args),
        Command::Reference(args) => commands::reference::run(args),
        Command::Doctor(args) => commands::doctor::run(args),
    };
    match done {
        Ok(code) => code,
        Err(Failed::Said(code)) => code,
        Err(Failed::Error(e)) => output::fail(&e),
    }
}
