//! `pleach eval`: a trained run is measured on a split.

use super::resume::folder;
use crate::args::Eval;
use crate::output::{self, Done};
use pleach_core::{Error, Result};
use pleach_train::predict::{Pick, Served};
use serde_json::json;
use std::process::ExitCode;

pub fn run(args: &Eval) -> Done {
    let resolved = folder(&args.dir, &args.sets)?;
    let served = Served::load(&resolved, &args.dir, pick(&args.checkpoint)?)?;
    let views = served.views()?;
    let metrics = served.evaluate(&args.split, &output::say)?;
    let weights = if served.averaged { "averaged" } else { "trained" };
    if args.json {
        let metrics = output::metrics_json(&metrics);
        let all =
            json!({ "split": args.split, "step": served.step, "weights": weights, "views": views, "metrics": metrics });
        output::print(&all.to_string());
    } else {
        let seen = if views > 1 { format!(", {views} views of each sample") } else { String::new() };
        output::say(&format!("checkpoint of step {}, {weights} weights, split {}{seen}", served.step, args.split));
        output::metrics(&metrics);
    }
    Ok(ExitCode::SUCCESS)
}

/// The checkpoint that an argument names.
pub fn pick(text: &str) -> Result<Pick> {
    match text {
        "best" => Ok(Pick::Best),
        "last" => Ok(Pick::Last),
        step => step
            .parse()
            .map(Pick::Step)
            .map_err(|_| Error::new("PL0131", format!("`--checkpoint {step}`: expected best, last or a step"))),
    }
}
