use pleach_core::kinds::command::{Command, Verdict, Voice};
use pleach_core::{Error, Result, plugin};

/// Counts the lines of files: `pleach my-plugin FILE...`.
#[plugin(command)]
pub struct MyPlugin {
    /// Whether lines without a letter count too.
    #[plugin(default = false)]
    pub blank: bool,
}

impl Command for MyPlugin {
    fn operands(&self) -> &'static str {
        "FILE..."
    }

    fn run(&self, operands: &[String], voice: &mut dyn Voice) -> Result<Verdict> {
        if operands.is_empty() {
            return Err(Error::new("MY0101", "which files?").hint("pleach my-plugin FILE..."));
        }
        for path in operands {
            let text = std::fs::read_to_string(path)
                .map_err(|e| Error::new("MY0301", format!("cannot read `{path}`: {e}")))?;
            let lines = text.lines().filter(|line| self.blank || !line.trim().is_empty()).count();
            voice.print(&format!("{lines} {path}"));
        }
        Ok(Verdict::Good)
    }
}
