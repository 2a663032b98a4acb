//! `pleach score`: a metric over predictions and truths that lie in files.

use crate::args::Score;
use crate::output::{self, Done, Failed};
use pleach_core::error::Context;
use pleach_core::{DynMetric, Error, Result};
use pleach_data::scored;
use serde_json::json;
use std::any::Any;
use std::process::ExitCode;

/// Samples that a thread measures in one go.
const AT_ONCE: usize = 16;

pub fn run(args: &Score) -> Done {
    let metric = pleach_config::plugin::<dyn DynMetric>(&args.metric, &args.sets).map_err(|failure| {
        let paint = if output::is_terminal() { pleach_config::Paint::Color } else { pleach_config::Paint::Plain };
        output::say(&failure.render(paint));
        Failed::Said(ExitCode::from(output::WRONG_CONFIG))
    })?;
    let pairs = scored::open(&args.truth, &args.predictions)?;
    if !pairs.has(metric.reads()) {
        let part = format!("{:?}", metric.reads()).to_lowercase();
        let message = format!("{} reads {part}, which these files do not have", metric.name());
        return Err(Error::new("PL0133", message).into());
    }
    let data = pairs.info();
    let part = |n: usize| -> Result<Box<dyn Any + Send>> {
        let mut state = metric.start(&data);
        for index in n * AT_ONCE..pairs.len().min((n + 1) * AT_ONCE) {
            let (predicted, truth) = pairs.pair(index)?;
            metric.update(&mut *state, &predicted, &truth)?;
        }
        Ok(state)
    };
    let mut whole = metric.start(&data);
    for state in pleach_simd::par_map(pairs.len().div_ceil(AT_ONCE), part) {
        metric.merge(&mut *whole, state.context(|| format!("scoring {}", args.predictions.display()))?);
    }
    let values = metric.values(&*whole);
    if args.json {
        let values = output::metrics_json(&values);
        output::print(&json!({ "metric": metric.saved()?, "samples": pairs.len(), "values": values }).to_string());
    } else {
        output::metrics(&values);
    }
    if values.is_empty() {
        output::say("nothing could be measured: there is nothing to find in these files");
    }
    Ok(ExitCode::SUCCESS)
}
