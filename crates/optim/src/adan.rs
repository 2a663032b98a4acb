//! Adan: momentum, and how gradients change, in one step.

use crate::pass::{self, Formula, Real};
use crate::slices::{Element, Slices};
use crate::{sums, whole};
use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, StepGroup, Tensor, plugin};

/// Adan (Xie et al.): averages of gradients, of their differences from step to step, and of the squares of both
/// together.
///
/// `d = g - g_before` (0 at first); `m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) d;
/// n = beta3 n + (1 - beta3) (g + beta2 d)^2; u = (m / (1 - beta1^t) + beta2 v / (1 - beta2^t))
/// / (sqrt(n / (1 - beta3^t)) + eps); p = (p - lr u) / (1 + lr weight_decay)`, or
/// `p = (1 - lr weight_decay) p - lr u` with `no_prox`. Names and defaults are those of the authors' code, which timm
/// has too; `no_prox` is what pytorch_optimizer calls `weight_decouple`. The betas are what each average keeps, as in
/// that code, and 1 minus those of the paper. Steps are counted for a parameter group as a whole.
#[plugin(optimizer, cite = "arXiv:2208.06677")]
pub struct Adan {
    /// Learning rate: about how far a weight moves in a step.
    #[plugin(default = 1e-3, range = 0.0..)]
    pub lr: f64,
    /// How slowly the averages of gradients, differences and squares forget; schedulers may cycle the first.
    #[plugin(default = [0.98, 0.92, 0.99], range = 0.0..1.0)]
    pub betas: [f64; 3],
    /// Added to the denominator: it bounds the steps of weights whose gradients are all but 0.
    #[plugin(default = 1e-8, range = 0.0..)]
    pub eps: f64,
    /// Decay: each step takes about this share, times the learning rate, of a weight.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// The norm of all gradients, of all groups together, above which they are scaled down to it; 0 leaves them alone.
    #[plugin(default = 0.0, range = 0.0..)]
    pub max_grad_norm: f64,
    /// Takes the decay before the step, as AdamW does, and not by division after it.
    #[plugin(default = false)]
    pub no_prox: bool,
    /// The authors' choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
    /// The authors' choice of implementation; without effect here.
    #[plugin(idle)]
    pub fused: Option<bool>,
}

const BEFORE: &str = "neg_pre_grad";

/// The numbers of one step.
#[derive(Clone, Copy)]
struct Step {
    /// What a gradient is multiplied by.
    clip: f64,
    betas: [f64; 3],
    eps: f64,
    /// What a weight is multiplied by first, and divided by at last.
    shrink: f64,
    divide: f64,
    /// What is taken of the averages of gradients and of differences.
    of_grad: f64,
    of_change: f64,
    /// sqrt(1 - beta3^t).
    root: f64,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_diff", "exp_avg_sq", BEFORE]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<4>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [m, v, n, before] = slots else { return Ok(param.clone()) };
        let average = |old: &Tensor, new: &Tensor, beta: f64| (old * beta)? + (new * (1.0 - beta))?;
        let [beta1, beta2, beta3] = self.betas;
        let grad = (grad * self.clip)?;
        let change = (&*before + &grad)?;
        *m = average(m, &grad, beta1)?;
        *v = average(v, &change, beta2)?;
        *n = average(n, &((change * beta2)? + &grad)?.sqr()?, beta3)?;
        *before = grad.neg()?;
        let denominator = ((n.sqrt()? / self.root)? + self.eps)?;
        let param = ((param * self.shrink)? - ((&*m * self.of_grad)? / &denominator)?)?;
        Ok(((param - ((&*v * self.of_change)? / denominator)?)? / self.divide)?)
    }
}

impl<T: Real> Element<T, 4> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, v, n, before]: &mut [T; 4]) -> T {
        let [keep1, keep2, keep3] = self.betas.map(T::of);
        let [enter1, enter2, enter3] = self.betas.map(|beta| T::of(1.0 - beta));
        let [clip, shrink, divide] = [self.clip, self.shrink, self.divide].map(T::of);
        let [eps, root, of_grad, of_change] = [self.eps, self.root, self.of_grad, self.of_change].map(T::of);
        let g = clip * g;
        let change = *before + g;
        *m = keep1 * *m + enter1 * g;
        *v = keep2 * *v + enter2 * change;
        let ahead = keep2 * change + g;
        *n = keep3 * *n + enter3 * ahead * ahead;
        *before = -g;
        let denominator = n.sqrt() / root + eps;
        (shrink * p - of_grad * *m / denominator - of_change * *v / denominator) / divide
    }
}

impl Adan {
    /// The numbers of step `t`; `clip` is what gradients are multiplied by.
    fn next(&self, t: f64, clip: f64, hyper: &Hyper) -> Step {
        let betas @ [beta1, beta2, beta3] = [hyper.momentum.unwrap_or(self.betas[0]), self.betas[1], self.betas[2]];
        let decay = hyper.lr * self.weight_decay;
        Step {
            clip,
            betas,
            eps: self.eps,
            shrink: if self.no_prox { 1.0 - decay } else { 1.0 },
            divide: if self.no_prox { 1.0 } else { 1.0 + decay },
            of_grad: hyper.lr / (1.0 - beta1.powf(t)),
            of_change: hyper.lr * beta2 / (1.0 - beta2.powf(t)),
            root: (1.0 - beta3.powf(t)).sqrt(),
        }
    }

    /// What gradients that are to be multiplied by `scale` are multiplied by, so that their norm is no greater than it may be.
    fn clip<'a>(&self, grads: impl Iterator<Item = &'a Tensor>, scale: f64) -> Result<f64> {
        if self.max_grad_norm == 0.0 {
            return Ok(scale);
        }
        let norm = grads.map(sums::squares).sum::<Result<f64>>()?.sqrt() * scale.abs();
        Ok(scale * (self.max_grad_norm / (norm + self.eps)).min(1.0))
    }
}

/// The step of a parameter, before whose first step there was no other gradient.
fn of_param(step: &Step, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots) -> Result<Step> {
    if !slots.tensors.contains_key(BEFORE) {
        slots.keep(BEFORE, (grad.to_dtype(param.dtype())? * -step.clip)?);
    }
    Ok(*step)
}

impl Optimizer for Adan {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.betas[0])
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        let step = self.next(slots.count("step"), self.clip(std::iter::once(grad), 1.0)?, hyper);
        pass::step(&of_param(&step, param, grad, slots)?, param, grad, slots)
    }

    fn takes_scale(&self) -> bool {
        true
    }

    fn moves_averages(&self) -> bool {
        true
    }

    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _: Option<&mut Again<'_>>) -> Result<()> {
        let t = memory.0.entry(group.key.to_owned()).or_default().count("step");
        let step = self.next(t, self.clip(group.all_gradients(), group.scale)?, &group.hyper);
        whole::step(group, memory, |param, grad, slots| of_param(&step, param, grad, slots))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        let step = Step {
            clip: 0.8,
            betas: [0.9, 0.7, 0.95],
            eps: 1e-3,
            shrink: 0.99,
            divide: 1.1,
            of_grad: 0.02,
            of_change: 0.03,
            root: 0.4,
        };
        pass::tests::both_forms_agree(&step);
    }
}
