//! A process that times cases when asked: this program again, or the peer's. Each case has a process of its own, so that
//! threads are set as a user sets them and the peak of memory is the case's.
//!
//! The protocol is a line each way: `open NAME` prepares and warms up, `time` runs once and answers with
//! milliseconds, `memory` answers with the peak in MiB.

use crate::cases;
use pleach_core::{Error, Result};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs shorter than this are repeated within one timing, in milliseconds.
const LEAST: f64 = 30.0;
/// Rest before each timing: threads of the side that ran before look for more work for a while.
const REST: Duration = Duration::from_millis(50);

/// A running process.
pub struct Child {
    child: std::process::Child,
    answers: BufReader<std::process::ChildStdout>,
    who: String,
}

impl Child {
    /// This program with a number of threads.
    pub fn ours(threads: usize) -> Result<Self> {
        let program = std::env::current_exe().map_err(|e| Error::new("PL0501", format!("where am I? {e}")))?;
        Self::start(Command::new(program).arg("--serve").env("PLEACH_THREADS", threads.to_string()), "this program")
    }

    /// The peer's program with a number of threads.
    pub fn theirs(python: &Path, threads: usize) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/serve.py");
        Self::start(Command::new(python).arg(script).arg(threads.to_string()), "the peer")
    }

    fn start(command: &mut Command, who: &str) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| Error::new("PL0501", format!("{who} does not start: {e}")).hint("see `--python`"))?;
        let out = child.stdout.take().ok_or_else(|| Error::new("PL0501", "no pipe"))?;
        Ok(Self { child, answers: BufReader::new(out), who: who.into() })
    }

    fn ask(&mut self, question: &str) -> Result<f64> {
        let lost = |e: &dyn std::fmt::Display| Error::new("PL0501", format!("{} at `{question}`: {e}", self.who));
        let pipe = self.child.stdin.as_mut().ok_or_else(|| lost(&"no pipe"))?;
        writeln!(pipe, "{question}").and_then(|()| pipe.flush()).map_err(|e| lost(&e))?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|e| lost(&e))?;
        line.trim().parse().map_err(|_| lost(&format!("answered `{}`", line.trim())))
    }

    /// Prepares a case.
    pub fn open(&mut self, name: &str) -> Result<()> {
        self.ask(&format!("open {name}")).map(|_| ())
    }

    /// Milliseconds of one run.
    pub fn time(&mut self) -> Result<f64> {
        std::thread::sleep(REST);
        self.ask("time")
    }

    /// Peak of memory so far, MiB.
    pub fn memory(&mut self) -> Result<f64> {
        self.ask("memory")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers on standard output until standard input ends.
pub fn serve() -> Result<()> {
    pleach_backends::memory::keep();
    pleach_backends::threads::settle();
    pleach_simd::enlist();
    let mut open: Option<(cases::Run, usize)> = None;
    for line in std::io::stdin().lines() {
        let line = line.map_err(|e| Error::new("PL0501", e.to_string()))?;
        let answer = match (line.split_once(' '), &mut open) {
            (Some(("open", name)), _) => {
                let mut run = cases::open(name)?;
                run()?;
                run()?;
                let once = cases::time(&mut run, 1)?;
                open = Some((run, (LEAST / once).ceil().max(1.0) as usize));
                once
            }
            (None, Some((run, repeats))) if line == "time" => cases::time(run, *repeats)? / *repeats as f64,
            _ if line == "memory" => peak()?,
            _ => return Err(Error::new("PL0101", format!("`{line}` is no question"))),
        };
        println!("{answer}");
    }
    Ok(())
}

/// Peak of this process's memory, MiB; 0 where the system does not say.
fn peak() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse::<f64>().ok());
    Ok(kib.unwrap_or(0.0) / 1024.0)
}
