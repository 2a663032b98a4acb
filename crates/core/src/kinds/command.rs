//! Commands: what a plugin crate adds to the command line.

use crate::Result;

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    /// Exit code 0.
    #[default]
    Good,
    /// Exit code 1: it has found what it was asked to look for (a difference, a file that fails).
    Bad,
}

/// Where a command says what it has to say; it prints nowhere else.
pub trait Voice {
    /// A line of the result, on standard output.
    fn print(&mut self, line: &str);
    /// A line beside the result, on standard error.
    fn say(&mut self, line: &str);
}

/// A command of its own: the plugin `MaskReport` is `pleach mask-report`.
///
/// Its parameters are its options (`--threshold 0.7` is the field `threshold`), read like those of any plugin, with
/// their documentation as help; what stands beside them are its operands.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a command, and does not implement `Command`",
    label = "write `impl Command for {Self}`"
)]
pub trait Command: std::fmt::Debug + Send + Sync + 'static {
    /// What its operands are, for help: `RUN_DIR`, `FILE...`; empty if it takes none.
    fn operands(&self) -> &'static str {
        ""
    }

    /// Does the work.
    ///
    /// # Errors
    /// It cannot be done; the class of the error is the exit code.
    fn run(&self, operands: &[String], voice: &mut dyn Voice) -> Result<Verdict>;
}

/// How a command is written: `MaskReport` as `mask-report`.
pub fn spelling(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| letters.get(i));
        let new_word = c.is_uppercase()
            && before.is_some_and(|b| {
                !b.is_uppercase() && b.is_alphanumeric()
                    || b.is_uppercase() && letters.get(i + 1).is_some_and(|n| n.is_lowercase())
            });
        if new_word {
            out.push('-');
        }
        out.extend(if c.is_alphanumeric() { c.to_lowercase().collect::<Vec<_>>() } else { vec!['-'] });
    }
    out
}

crate::kind!(Command, "command");

#[cfg(test)]
mod tests {
    use super::spelling;

    #[test]
    fn names_of_types_become_names_of_commands() {
        let all = ["MaskReport", "Tracks", "COCOExport", "Top5"].map(spelling);
        assert_eq!(all, ["mask-report", "tracks", "coco-export", "top5"]);
    }
}
