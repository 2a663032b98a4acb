//! What happens between two stretches of training: a pass over the validation split with the weights that are to be measured.

use super::{Course, Trainer};
use crate::evaluate::{Measured, Pass, evaluate};
use crate::stage::Stage;
use pleach_core::{Event, Named, Result, Tensor};
use std::collections::BTreeMap;
use std::time::Instant;

impl Trainer<'_> {
    /// A pass over the validation split, with the averaged weights if an observer keeps some.
    pub(super) fn validate(&self, stage: &mut Stage<'_>, course: &mut Course) -> Result<Named<f64>> {
        let Some(batches) = stage.val_epoch() else { return Ok(Named::new()) };
        let stage = &*stage;
        let began = Instant::now();
        let own = match course.watch.weights() {
            Some((_, averages)) => Some(swap(stage, averages)?),
            None => stage.eval_weights()?.map(|weights| swap(stage, &weights)).transpose()?,
        };
        let pass = Pass {
            split: "val",
            task: &*stage.run.task,
            net: &*stage.net,
            params: &stage.params,
            losses: &stage.run.loss,
            metrics: stage.val_metrics(),
            kernels: &*stage.run.backend.kernels,
            info: &stage.data.info,
            say: &*self.host.say,
            limit: stage.val_limit(batches.batches()),
            // A curve over epochs needs no finer points, and views would multiply the time of each.
            views: None,
        };
        let told = |done, of| self.tell(course, stage, &Event::Evaluating { split: "val", done, of });
        let measured = evaluate(&pass, batches, told);
        if let Some(own) = own {
            put(stage, &own)?;
        }
        let Measured { metrics: measured, waited } = measured?;
        course.waited += waited;
        course.profile.add("validation", began);
        course.learn(&measured);
        let (step, epoch) = (course.clock.step, course.clock.epoch);
        self.tell(course, stage, &Event::Validated { step, epoch, metrics: &measured })?;
        Ok(measured)
    }
}

/// Puts other weights into the net and returns its own.
fn swap(stage: &Stage<'_>, weights: &BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
    let own = stage.params.snapshot()?;
    put(stage, weights)?;
    Ok(own)
}

fn put(stage: &Stage<'_>, weights: &BTreeMap<String, Tensor>) -> Result<()> {
    for (name, weight) in stage.params.iter() {
        if let Some(value) = weights.get(name) {
            weight.set(value)?;
        }
    }
    Ok(())
}
