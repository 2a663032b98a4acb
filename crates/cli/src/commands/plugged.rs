//! Commands that plugins bring: their parameters are options, their documentation is help.

use crate::about;
use crate::args::Cli;
use crate::output::{self, Done, Failed, WRONG_CONFIG};
use clap::{Arg, ArgMatches, Command as App, CommandFactory};
use pleach_core::kinds::command::spelling;
use pleach_core::registry::{self, Entry};
use pleach_core::{Command, Verdict, Voice};
use std::process::ExitCode;

const OPERANDS: &str = "operands of the command";

/// The command line with the commands of all plugins. One whose name is taken is not there, as `doctor` says.
pub fn with_plugins(app: App) -> App {
    registry::of_kind::<dyn Command>().fold(app, |app, entry| match is_taken(&app, entry) {
        true => app,
        false => app.subcommand(of(entry)),
    })
}

fn is_taken(app: &App, entry: &Entry) -> bool {
    let name = spelling(entry.name);
    name == "help" || app.get_subcommands().any(|known| known.get_name() == name)
}

/// The plugins whose command another one has taken.
pub fn hidden(app: &App) -> Vec<String> {
    let mut names: Vec<String> = app.get_subcommands().map(|known| known.get_name().to_owned()).collect();
    names.push("help".to_owned());
    let mut all = Vec::new();
    for entry in registry::of_kind::<dyn Command>() {
        let name = spelling(entry.name);
        match names.contains(&name) {
            true => all.push(format!(
                "`pleach {name}` is there already: the command of {} cannot be called",
                entry.qualified()
            )),
            false => names.push(name),
        }
    }
    all
}

fn of(entry: &'static Entry) -> App {
    let mut app = App::new(spelling(entry.name)).about(about::first(entry)).long_about(entry.doc);
    for (field, parameter) in entry.fields.iter().zip(about::parameters(entry)) {
        let takes = if parameter.takes.is_empty() { String::new() } else { format!(", {}", parameter.takes) };
        let mut option = Arg::new(field.name).long(field.name.replace('_', "-")).value_name(field.ty).help(format!(
            "{} ({}{takes})",
            field.doc.replace('\n', " "),
            parameter.value
        ));
        if field.ty == "bool" {
            option = option.num_args(0..=1).require_equals(true).default_missing_value("true");
        }
        app = app.arg(option);
    }
    let operands = entry.plug::<dyn Command>().map_or("", |plug| plug.operands());
    if !operands.is_empty() {
        app = app.arg(Arg::new(OPERANDS).num_args(0..).value_name(operands));
    }
    app
}

/// Runs the command of a plugin, if it was asked for.
pub fn run(matches: &ArgMatches) -> Option<Done> {
    let (name, matches) = matches.subcommand()?;
    if Cli::command().find_subcommand(name).is_some() {
        return None;
    }
    let entry = registry::of_kind::<dyn Command>().find(|e| spelling(e.name) == name)?;
    let set = |f: &registry::Field| Some(format!("{}={}", f.name, matches.get_one::<String>(f.name)?));
    let sets: Vec<String> = entry.fields.iter().filter_map(set).collect();
    let operands: Vec<String> =
        matches.try_get_many::<String>(OPERANDS).ok().flatten().into_iter().flatten().cloned().collect();
    Some(done(entry, &sets, &operands))
}

fn done(entry: &Entry, sets: &[String], operands: &[String]) -> Done {
    let command = pleach_config::plugin::<dyn Command>(&entry.qualified(), sets).map_err(|failure| {
        let paint = if output::is_terminal() { pleach_config::Paint::Color } else { pleach_config::Paint::Plain };
        output::say(&failure.render(paint));
        Failed::Said(ExitCode::from(WRONG_CONFIG))
    })?;
    Ok(match command.run(operands, &mut Streams)? {
        Verdict::Good => ExitCode::SUCCESS,
        Verdict::Bad => ExitCode::FAILURE,
    })
}

/// Standard output and standard error.
struct Streams;

impl Voice for Streams {
    fn print(&mut self, line: &str) {
        output::print(line);
    }
    fn say(&mut self, line: &str) {
        output::say(line);
    }
}
