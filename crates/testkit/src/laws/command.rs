//! Laws of commands.

use super::{Bench, Law};
use crate::fault::ensure;
use pleach_core::kinds::command::spelling;
use pleach_core::{Command, Plug, Voice};

/// A command can be typed.
pub const TYPED: Law = Law {
    name: "a command's name and options can be typed, and are none of those that every command has",
    why: "`help` and `version` would be taken away from the command line, and other letters need quotes in a shell",
    write: "names of letters and digits, and fields that are not called `help` or `version`",
};

/// Nothing to work on is an error.
pub const ASKS: Law = Law {
    name: "a command that takes operands says so when it gets none",
    why: "a person who forgets the operand must not be told that all is good",
    write: "an error with a hint from `run` where the operands are too few",
};

struct Silence;

impl Voice for Silence {
    fn print(&mut self, _: &str) {}
    fn say(&mut self, _: &str) {}
}

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Command>) {
    let entry = bench.entry;
    bench.check(&TYPED, || {
        let name = spelling(entry.name);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ensure(name.chars().all(plain) && name != "help", || format!("it is `pleach {name}`"))?;
        let taken = entry.fields.iter().find(|f| ["help", "version"].contains(&f.name));
        ensure(taken.is_none(), || format!("`--{}` is an option of every command", taken.map_or("", |f| f.name)))
    });
    bench.check(&ASKS, || {
        let operands = plug.operands();
        // Operands in brackets may be left out: `[RUN_DIR]`.
        if operands.is_empty() || operands.starts_with('[') {
            return Ok(());
        }
        ensure(plug.run(&[], &mut Silence).is_err(), || format!("without {operands} it is content"))
    });
}
