//! The command line of pleach, as a library `main()` and the default binary.
//!
//! A binary with more plugins names their crates and calls [`main`]:
//!
//! ```ignore
//! use my_losses as _;
//!
//! #[global_allocator]
//! static MEMORY: pleach_cli::Aligned = pleach_cli::Aligned;
//!
//! fn main() -> std::process::ExitCode { pleach_cli::main() }
//! ```

mod about;
mod args;
mod commands;
mod dots;
mod graft;
mod grafted;
mod output;
mod pages;
mod plugins;
mod scaffold;
mod sheet;

use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
pub use grafted::Grafted;
use output::Failed;
pub use pleach_backends::Aligned;
use std::process::ExitCode;

/// Runs the command line: exit code 0 done, 1 the run failed, 2 the configuration or the arguments
/// are wrong, 3 the data are wrong, 130 interrupted.
pub fn main() -> ExitCode {
    main_of(&Grafted::default())
}

/// [`main`] of a binary that `pleach graft` made.
pub fn main_of(grafted: &Grafted) -> ExitCode {
    let matches = commands::plugged::with_plugins(Cli::command()).get_matches();
    pleach_backends::memory::keep();
    pleach_backends::threads::settle();
    // The one thread pool starts here, before any library could start it with another size.
    pleach_simd::enlist();
    let done = commands::plugged::run(&matches).unwrap_or_else(|| match Cli::from_arg_matches(&matches) {
        Ok(cli) => command(&cli.command, grafted),
        Err(e) => e.exit(),
    });
    match done {
        Ok(code) => code,
        Err(Failed::Said(code)) => code,
        Err(Failed::Error(e)) => output::fail(&e),
    }
}

fn command(command: &Command, grafted: &Grafted) -> output::Done {
    match command {
        Command::Train(args) => commands::train::run(args),
        Command::Resume(args) => commands::resume::run(args),
        Command::Eval(args) => commands::eval::run(args),
        Command::Predict(args) => commands::predict::run(args),
        Command::Score(args) => commands::score::run(args),
        Command::Check(args) => commands::check::run(args),
        Command::Explain(args) => commands::explain::run(args),
        Command::Plot(args) => commands::plot::run(args),
        Command::Schema(args) => commands::schema::run(args),
        Command::Diff(args) => commands::diff::run(args),
        Command::Import(args) => commands::import::run(args),
        Command::Augment(args) => commands::augment::run(args),
        Command::List(args) => commands::list::run(args),
        Command::Describe(args) => commands::describe::run(args),
        Command::Certify(args) => commands::certify::run(args),
        Command::Reference(args) => commands::reference::run(args),
        Command::Doctor(args) => commands::doctor::run(args, grafted),
        Command::New(args) => commands::new::run(args),
        Command::Dev(args) => commands::dev::run(args),
        Command::Graft(args) => commands::graft::run(args),
    }
}
