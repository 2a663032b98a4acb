//! `pleach plot`: what a run is going to do, before it does it.

use crate::args::{Plot, PlotSchedule};
use crate::dots::{plot, short};
use crate::output::{self, Done};
use pleach_config::run::Run;
use pleach_core::Error;
use pleach_core::error::Result;
use pleach_observe::rates::{Rate, Rates, picture};
use pleach_train::forecast::{Forecast, Measured, Track, forecast};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &Plot) -> Done {
    match args {
        Plot::Schedule(args) => schedule(args),
    }
}

fn schedule(args: &PlotSchedule) -> Done {
    let form = args.output.iter().map(|path| Form::of(path)).collect::<Result<Vec<_>>>()?;
    let resolved = output::load_run(&args.run)?;
    let measured = args.log.as_deref().map(log).transpose()?;
    let all = forecast(&resolved.run, args.steps_per_epoch, measured.as_ref())?;
    all.notes.iter().for_each(|note| output::say(note));
    if args.json {
        output::print(&as_json(&all, &resolved.run).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let (title, below, rates) =
        (format!("schedule of {}", resolved.run.run.name), below(&all), panels(&all, &resolved.run));
    if form.is_empty() {
        in_terminal(&title, &below, &rates);
        return Ok(ExitCode::SUCCESS);
    }
    let drawn = picture(&title, &below, &rates)?;
    for (path, form) in args.output.iter().zip(form) {
        let bytes = match form {
            Form::Svg => drawn.svg.as_bytes(),
            Form::Png => &drawn.png,
        };
        std::fs::write(path, bytes)
            .map_err(|e| Error::new("PL0501", format!("cannot write `{}`: {e}", path.display())))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// In which form a file holds a picture.
#[derive(Clone, Copy)]
enum Form {
    Svg,
    Png,
}

impl Form {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().map(|e| e.to_ascii_lowercase()) {
            Some(e) if e == "svg" => Ok(Self::Svg),
            Some(e) if e == "png" => Ok(Self::Png),
            _ => Err(Error::new("PL0136", format!("`{}` is no name of a picture", path.display()))
                .hint("a name ends with .svg or .png")),
        }
    }
}

fn log(path: &Path) -> Result<Measured> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::new("PL0114", format!("cannot read `{}`: {e}", path.display())))?;
    Measured::read(&text).map_err(|e| e.context(format!("reading `{}`", path.display())))
}

/// "675 steps  ·  15 epochs of 45", or the phases.
fn below(all: &Forecast) -> String {
    let span = |steps: u64, per_epoch: u64| {
        let epochs = steps as f64 / per_epoch.max(1) as f64;
        format!("{steps} steps  ·  {} epochs of {per_epoch}", short(epochs))
    };
    match all.phases.as_slice() {
        [one] => span(one.steps, one.steps_per_epoch),
        several => {
            let one = |p: &pleach_train::forecast::PhaseSpan| format!("{} from step {}", p.name, p.begin);
            format!("{} steps  ·  {}", all.steps(), several.iter().map(one).collect::<Vec<_>>().join("  ·  "))
        }
    }
}

/// The names of the groups: patterns of the file, and the rest.
fn names(all: &Forecast, run: &Run) -> Vec<String> {
    let patterns = run.optimizer.group.iter().map(|g| g.patterns.join(", "));
    let known: Vec<String> = match run.optimizer.group.len() {
        0 => vec!["all parameters".into()],
        _ => std::iter::once("other parameters".to_owned()).chain(patterns).collect(),
    };
    let group = |i: usize| known.get(i).cloned().unwrap_or_else(|| format!("group {i}"));
    (0..all.groups.len()).map(group).collect()
}

/// The learning rates; the momenta too, if one changes.
fn panels(all: &Forecast, run: &Run) -> Vec<Rates> {
    let names = names(all, run);
    let of = |values: fn(&Track) -> &Vec<f64>| -> Vec<Rate> {
        let rate = |(track, name): (&Track, &String)| Rate { name: name.clone(), values: values(track).clone() };
        let some = all.groups.iter().zip(&names).map(rate);
        some.filter(|r| r.values.iter().any(|v| v.is_finite())).collect()
    };
    let mut panels = vec![Rates { title: "learning rate".into(), rates: of(|t| &t.lr) }];
    let momenta = of(|t| &t.momentum);
    let moves = |r: &Rate| {
        let mut known = r.values.iter().filter(|v| v.is_finite());
        let first = known.next();
        known.any(|v| Some(v) != first)
    };
    if momenta.iter().any(moves) {
        panels.push(Rates { title: "momentum".into(), rates: momenta });
    }
    panels
}

fn in_terminal(title: &str, below: &str, panels: &[Rates]) {
    output::print(&format!("{title}: {below}"));
    for panel in panels {
        output::print("");
        output::print(&panel.title);
        let curves: Vec<&[f64]> = panel.rates.iter().map(|r| r.values.as_slice()).collect();
        plot(&curves).iter().for_each(|line| output::print(line));
        for rate in &panel.rates {
            let known = || rate.values.iter().enumerate().filter(|(_, v)| v.is_finite());
            let highest = known().fold((0, f64::NEG_INFINITY), |best, (i, v)| if *v > best.1 { (i, *v) } else { best });
            if let (Some((_, first)), Some((_, last))) = (known().next(), known().next_back()) {
                let (top, at) = (short(highest.1), highest.0);
                output::print(&format!(
                    "  {}: first {}, highest {top} in step {at}, last {}",
                    rate.name,
                    short(*first),
                    short(*last)
                ));
            }
        }
    }
}

fn as_json(all: &Forecast, run: &Run) -> Json {
    let numbers = |values: &[f64]| -> Vec<Json> { values.iter().map(|v| json!(v.is_finite().then_some(*v))).collect() };
    let groups: Vec<Json> = all
        .groups
        .iter()
        .zip(names(all, run))
        .map(|(g, name)| json!({ "name": name, "lr": numbers(&g.lr), "momentum": numbers(&g.momentum) }))
        .collect();
    let phases: Vec<Json> = all
        .phases
        .iter()
        .map(|p| json!({ "name": p.name, "begin": p.begin, "steps": p.steps, "steps_per_epoch": p.steps_per_epoch }))
        .collect();
    json!({ "steps": all.steps(), "groups": groups, "phases": phases, "notes": all.notes })
}
