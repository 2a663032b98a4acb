//! A command.

use pleach_core::{Command, Error, Result, Verdict, Voice, plugin};

/// Counts the lines of files, and finds those with too few.
#[plugin(command)]
pub struct CountRows {
    /// Lines that every file should have.
    #[plugin(default = 1, range = 0..=1000)]
    pub at_least: u64,
}

impl Command for CountRows {
    fn operands(&self) -> &'static str {
        "FILE..."
    }

    fn run(&self, operands: &[String], voice: &mut dyn Voice) -> Result<Verdict> {
        if operands.is_empty() {
            return Err(Error::new("PL0131", "no file was named").hint("pleach count-rows FILE..."));
        }
        let mut verdict = Verdict::Good;
        for file in operands {
            let text = std::fs::read_to_string(file).map_err(|e| Error::new("PL0114", format!("`{file}`: {e}")))?;
            let rows = text.lines().count() as u64;
            voice.print(&format!("{file}: {rows}"));
            if rows < self.at_least {
                voice.say(&format!("{file} has fewer than {}", self.at_least));
                verdict = Verdict::Bad;
            }
        }
        Ok(verdict)
    }
}
