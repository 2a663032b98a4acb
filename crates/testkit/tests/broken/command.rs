//! Commands that break a law.

use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[("Help", &["can be typed"]), ("Content", &["when it gets none"])];

/// Takes the place of the help that every program has.
#[plugin(command)]
struct Help {}

impl Command for Help {
    fn run(&self, _: &[String], _: &mut dyn Voice) -> Result<Verdict> {
        Ok(Verdict::Good)
    }
}

/// Works on files, and on none of them just as well.
#[plugin(command)]
struct Content {}

impl Command for Content {
    fn operands(&self) -> &'static str {
        "FILE..."
    }
    fn run(&self, _: &[String], _: &mut dyn Voice) -> Result<Verdict> {
        Ok(Verdict::Good)
    }
}
