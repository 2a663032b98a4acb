//! `pleach-benches`: times each case here and in the peer's program, run after run in turn, and prints the ratios.
//!
//! ```text
//! cargo run --release -p pleach-benches -- --python python3 --only train/ --threads 1,2
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cases;
mod peer;
mod table;

use clap::Parser;
use pleach_core::{Error, Result};
use std::path::PathBuf;
use std::process::ExitCode;

/// As in pleach itself.
#[global_allocator]
static MEMORY: pleach_backends::Aligned = pleach_backends::Aligned;

/// What to time, and against whom.
#[derive(Parser)]
struct Args {
    /// The Python that has the peers (torch; monai for its losses).
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Only the cases whose names contain this.
    #[arg(long, default_value = "")]
    only: String,
    /// Numbers of threads, each on both sides.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Timed pairs of a case.
    #[arg(long, default_value_t = 15)]
    pairs: usize,
    /// Times our side alone.
    #[arg(long)]
    alone: bool,
    /// Serves timings of this program's cases to another process, on standard input and output.
    #[arg(long, hide = true)]
    serve: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = if args.serve { peer::serve() } else { compare(&args) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn compare(args: &Args) -> Result<()> {
    let names: Vec<_> = cases::NAMES.iter().filter(|name| name.contains(&args.only)).collect();
    if names.is_empty() {
        return Err(Error::new("PL0101", format!("no case's name contains `{}`", args.only))
            .hint(format!("there is: {}", cases::NAMES.join(", "))));
    }
    table::head();
    for &threads in &args.threads {
        for name in &names {
            let mut ours = peer::Child::ours(threads)?;
            ours.open(name)?;
            let mut theirs = match (args.alone, cases::beside(name)) {
                (true, _) => None,
                (false, Some(other)) => Some((peer::Child::ours(threads)?, other)),
                (false, None) => Some((peer::Child::theirs(&args.python, threads)?, (**name).to_owned())),
            };
            if let Some((child, name)) = &mut theirs {
                child.open(name)?;
            }
            let mut pairs = Vec::new();
            for _ in 0..args.pairs.max(1) {
                let a = ours.time()?;
                let b = theirs.as_mut().map(|(child, _)| child.time()).transpose()?;
                pairs.push((a, b));
            }
            let memory = (ours.memory()?, theirs.as_mut().map(|(child, _)| child.memory()).transpose()?);
            table::row(name, threads, &pairs, memory);
        }
    }
    Ok(())
}
