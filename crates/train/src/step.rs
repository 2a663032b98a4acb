//! The one step pipeline. Its order is fixed: objective, scale, backward, accumulate, unscale,
//! finite?, clip, optimizer, which may move averages along. What comes after it (other averages of weights, ticks, events) is
//! the loop's.

use crate::groups::{Descent, Groups};
use crate::scaler::{Gradients, Scaler};
use candle_core::backprop::GradStore;
use pleach_config::run::ClipAlgorithm;
use pleach_core::kinds::loss::LossConfig;
use pleach_core::kinds::optimizer::Memory;
use pleach_core::rng::Stream;
use pleach_core::{
    Backend, Batch, Cx, Error, Follow, GroupRates, Mode, Named, Net, Params, Purpose, Result, Rng, StepCx, Task, Tensor,
};
use pleach_ops::backward;
use std::collections::BTreeMap;

/// What the step pipeline works on.
pub struct Pipeline<'a> {
    /// The task, whose objective is minimised.
    pub task: &'a dyn Task,
    /// The net.
    pub net: &'a dyn Net,
    /// Its parameters.
    pub params: &'a Params,
    /// The configured losses.
    pub losses: &'a [LossConfig],
    /// The kernels seat.
    pub kernels: &'a dyn Backend,
    /// The optimizer with its groups of parameters.
    pub groups: &'a Groups,
    /// Bound of the gradient and how it is held.
    pub clip: Option<(f64, ClipAlgorithm)>,
    /// The run's seed.
    pub seed: u64,
    /// Optimizer steps taken before this one.
    pub step: u64,
}

/// What came of a step.
#[derive(Debug, Clone)]
pub enum Stepped {
    /// The parameters were changed, and on the way the averages of these names.
    Taken(Losses, Vec<String>),
    /// They were not.
    Skipped(&'static str),
}

/// Loss and parts of a step, means over its batches.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    /// The loss.
    pub loss: f64,
    /// Its parts.
    pub parts: Named<f64>,
    /// The net's outputs for each batch.
    pub outputs: Vec<Named<Tensor>>,
}

/// Loss and gradients of the present weights.
struct Slope {
    losses: Losses,
    gradients: BTreeMap<String, Tensor>,
    skipped: usize,
}

impl Pipeline<'_> {
    /// Takes one optimizer step over batches whose gradients are averaged; averages of weights may follow.
    ///
    /// # Errors
    /// A loss or gradient is NaN or infinite in full precision (PL0402).
    pub fn step(
        &self,
        batches: &[Batch],
        memory: &mut Memory,
        rates: &[GroupRates],
        scaler: Option<&mut Scaler>,
        follow: Option<Follow<'_>>,
    ) -> Result<Stepped> {
        let scale = scaler.as_ref().map_or(1.0, |s| s.scale);
        let Slope { losses, mut gradients, skipped } = self.slope(batches, scale)?;
        if skipped == batches.len() {
            return Ok(Stepped::Skipped("the task left out every batch of the step"));
        }
        if !losses.loss.is_finite() {
            return Err(Error::new("PL0402", format!("the loss is {} at step {}", losses.loss, self.step + 1)));
        }
        let norms = norms(&gradients)?;
        let bad = norms.iter().find(|(_, norm)| !norm.is_finite()).map(|(name, _)| name.clone());
        match (scaler, &bad) {
            (Some(scaler), Some(_)) => {
                scaler.update(Gradients::Overflowed);
                return Ok(Stepped::Skipped("a gradient overflowed in 16 bits; the loss scale was halved"));
            }
            (Some(scaler), None) => scaler.update(Gradients::Finite),
            (None, Some(name)) => {
                return Err(Error::new(
                    "PL0402",
                    format!("the gradient of `{name}` is not finite at step {}", self.step + 1),
                ));
            }
            (None, None) => {}
        }
        let factor = clip(self.clip, &mut gradients, &norms, 1.0 / scale)?;
        let mut again = || {
            let Slope { losses, mut gradients, .. } = self.slope(batches, 1.0)?;
            let own = self::norms(&gradients)?;
            let factor = clip(self.clip, &mut gradients, &own, 1.0)?;
            let multiplied = gradients.into_iter().map(|(name, g)| Ok((name, (g * factor)?)));
            Ok((losses.loss, multiplied.collect::<Result<_>>()?))
        };
        let by = Descent { gradients: &gradients, scale: factor, follow };
        let moved = self.groups.step(self.params, &by, memory, rates, &mut again)?;
        Ok(Stepped::Taken(losses, moved))
    }

    /// Objective, scale, backward and accumulate.
    fn slope(&self, batches: &[Batch], scale: f64) -> Result<Slope> {
        let mut gradients: BTreeMap<String, Tensor> = BTreeMap::new();
        let mut losses = Losses::default();
        let mut skipped = 0;
        let share = 1.0 / batches.len().max(1) as f64;
        for (i, batch) in batches.iter().enumerate() {
            let at = Stream { sample: self.step, op: u32::try_from(i).unwrap_or(u32::MAX), ..Stream::default() };
            let mut cx = Cx { mode: Mode::Train, rng: Rng::new(self.seed, Purpose::Net, at), step: self.step };
            let mut step = StepCx { net: self.net, batch, cx: &mut cx, losses: self.losses, kernels: self.kernels };
            let objective = self.task.objective(&mut step)?;
            losses.outputs.push(objective.outputs.iter().map(|(n, t)| (n.to_owned(), t.detach())).collect());
            if objective.skip {
                skipped += 1;
                continue;
            }
            losses.loss += share * objective.loss.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?;
            for (name, part) in objective.parts.iter() {
                let before = losses.parts.get(name).copied().unwrap_or(0.0);
                losses.parts.insert(name, before + share * part);
            }
            let grads = backward(&(objective.loss * (share * scale))?)?;
            accumulate(&mut gradients, self.params, &grads)?;
        }
        Ok(Slope { losses, gradients, skipped })
    }
}

fn accumulate(sum: &mut BTreeMap<String, Tensor>, params: &Params, grads: &GradStore) -> Result<()> {
    for (name, weight) in params.trainable() {
        let Some(gradient) = grads.get(weight.var().as_tensor()) else { continue };
        let gradient = gradient.detach();
        let total = match sum.remove(name) {
            Some(before) => (before + gradient)?,
            None => gradient,
        };
        sum.insert(name.to_owned(), total);
    }
    Ok(())
}

/// The L2 norm of each gradient, in the order of the names.
fn norms(gradients: &BTreeMap<String, Tensor>) -> Result<Vec<(String, f64)>> {
    Ok(gradients.keys().cloned().zip(pleach_core::norms(gradients.values())?).collect())
}

/// `torch.nn.utils.clip_grad_norm_` (L2, all parameters together) or `clip_grad_value_` of gradients that are to be multiplied by
/// `factor`. Returns what they are to be multiplied by then: clipping by norm is a factor and leaves them as they are.
fn clip(
    how: Option<(f64, ClipAlgorithm)>,
    gradients: &mut BTreeMap<String, Tensor>,
    norms: &[(String, f64)],
    factor: f64,
) -> Result<f64> {
    match how {
        None => Ok(factor),
        Some((bound, ClipAlgorithm::Norm)) => {
            let total = factor * norms.iter().map(|(_, n)| n * n).sum::<f64>().sqrt();
            Ok(factor * (bound / (total + 1e-6)).min(1.0))
        }
        Some((bound, ClipAlgorithm::Value)) => {
            for gradient in gradients.values_mut() {
                *gradient = (&*gradient * factor)?.clamp(-bound, bound)?;
            }
            Ok(1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::Device;

    fn gradients() -> BTreeMap<String, Tensor> {
        BTreeMap::from([
            ("a".to_owned(), Tensor::new(&[3f64, 0.0], &Device::Cpu).unwrap()),
            ("b".to_owned(), Tensor::new(&[-4f64], &Device::Cpu).unwrap()),
        ])
    }

    #[test]
    fn clipping_by_norm_bounds_the_length_of_all_gradients_together() {
        let mut g = gradients();
        let n = norms(&g).unwrap();
        for (factor, bound, want) in [(1.0, 1.0, 1.0), (0.5, 1.0, 1.0), (0.5, 6.0, 2.5)] {
            let by = clip(Some((bound, ClipAlgorithm::Norm)), &mut g, &n, factor).unwrap();
            assert!((5.0 * by - want).abs() < 1e-5, "{by}");
        }
    }

    #[test]
    fn clipping_by_value_bounds_each_value() {
        for (factor, a, b) in [(1.0, 3.0, -3.5), (0.5, 1.5, -2.0)] {
            let mut g = gradients();
            let n = norms(&g).unwrap();
            assert_eq!(clip(Some((3.5, ClipAlgorithm::Value)), &mut g, &n, factor).unwrap(), 1.0);
            assert_eq!(g["a"].to_vec1::<f64>().unwrap(), [a, 0.0]);
            assert_eq!(g["b"].to_vec1::<f64>().unwrap(), [b]);
        }
    }
}
