//! LAMB: Adam whose steps are as long as the weights of their layer.

use crate::blend::blend;
use crate::pass::{self, Formula, Real};
use crate::slices::{Element, Slices};
use crate::sums;
use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::read::Rules;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, StepGroup, Tensor, plugin};

/// LAMB (You et al.): Adam whose step for a parameter is as long as the parameter itself, times the rate, so that very
/// large batches can be learned from.
///
/// `g = g / max(1, |all g| / max_grad_norm); m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay p; p = p - lr |p| / |u| u`, where the ratio
/// is 1 if either norm is 0. Names, defaults and rules are those of timm's `Lamb`: the ratio is 1 too wherever the
/// decay is 0 (norms and biases with `filter_bias_and_bn`), unless `always_adapt` says otherwise. The Lamb of
/// pytorch_optimizer has other defaults: no bias correction, a decay of 0, gradients as they are, and norms of weights
/// up to 10. Steps are counted, and gradients clipped, for a parameter group as a whole.
#[plugin(optimizer, alias = ["Lamb"], cite = "arXiv:1904.00962", check = Self::check)]
pub struct LAMB {
    /// Learning rate: the length of a step relative to the length of the parameter.
    #[plugin(default = 1e-3, range = 0.0..)]
    pub lr: f64,
    /// Divides both averages by what they would be had they not begun at 0.
    #[plugin(default = true)]
    pub bias_correction: bool,
    /// How slowly the averages of the gradient and of its square forget; schedulers may cycle the first.
    #[plugin(default = (0.9, 0.999), range = 0.0..1.0)]
    pub betas: (f64, f64),
    /// Added to the denominator: it bounds the steps of weights whose gradients are all but 0.
    #[plugin(default = 1e-6, range = 0.0..)]
    pub eps: f64,
    /// Decay: this share of a weight is added to its step before the step is measured.
    #[plugin(default = 1e-2, range = 0.0..)]
    pub weight_decay: f64,
    /// Lets a gradient enter its average by a share of 1 - beta1, and not whole.
    #[plugin(default = true)]
    pub grad_averaging: bool,
    /// The norm of all gradients, of all groups together, above which they are scaled down to it; none leaves them alone.
    #[plugin(default = Some(1.0), above = 0.0)]
    pub max_grad_norm: Option<f64>,
    /// Lets the size of a parameter only shorten the step (LAMBC).
    #[plugin(default = false)]
    pub trust_clip: bool,
    /// Adapts steps also where the decay is 0.
    #[plugin(default = false)]
    pub always_adapt: bool,
    /// Leaves out what of a step is against the present gradient (Liang et al., "Cautious Optimizers").
    #[plugin(default = false)]
    pub caution: bool,
    /// Takes the decay, times the learning rate, from the weight itself, as AdamW does.
    #[plugin(default = false)]
    pub decoupled_decay: bool,
    /// Takes a decoupled decay times the square of the rate over `lr`, which is to be the greatest rate of the run.
    #[plugin(default = false)]
    pub corrected_weight_decay: bool,
    /// timm's choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
}

/// Adam's averages; in place of the parameter comes the step for it.
struct Direction {
    /// What a gradient is multiplied by.
    clip: f64,
    betas: (f64, f64),
    /// What of a gradient enters its average.
    enter: f64,
    eps: f64,
    /// 1 - beta1^t and sqrt(1 - beta2^t).
    correction: f64,
    root: f64,
    /// The share of a weight that is added.
    decay: f64,
}

impl Formula for Direction {
    fn slots(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<2>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [m, v] = slots else { return Ok(param.clone()) };
        let grad = (grad * self.clip)?;
        *m = ((&*m * self.betas.0)? + (&grad * self.enter)?)?;
        *v = ((&*v * self.betas.1)? + (grad.sqr()? * (1.0 - self.betas.1))?)?;
        let denominator = ((v.sqrt()? / self.root)? + self.eps)?;
        Ok((((&*m / self.correction)? / denominator)? + (param * self.decay)?)?)
    }
}

impl<T: Real> Element<T, 2> for Direction {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, v]: &mut [T; 2]) -> T {
        let (beta1, beta2) = self.betas;
        let [clip, keep1, enter1, keep2, enter2] = [self.clip, beta1, self.enter, beta2, 1.0 - beta2].map(T::of);
        let [eps, correction, root, decay] = [self.eps, self.correction, self.root, self.decay].map(T::of);
        let g = clip * g;
        *m = keep1 * *m + enter1 * g;
        *v = keep2 * *v + enter2 * g * g;
        *m / correction / (v.sqrt() / root + eps) + decay * p
    }
}

/// Leaves out what is against the gradient, and lengthens the rest for it.
fn cautious(step: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let with = (step * grad.to_dtype(step.dtype())?)?.gt(0.0)?.to_dtype(step.dtype())?;
    let share = sums::magnitudes(&with)? / step.elem_count().max(1) as f64;
    Ok((step * (with * (1.0 / share.max(1e-3)))?)?)
}

impl LAMB {
    fn check(&self, rules: &mut Rules) {
        if self.corrected_weight_decay && self.lr <= 0.0 {
            rules.refuse("corrected_weight_decay", "the corrected decay is relative to `lr`, which must be above 0");
        }
    }

    /// What gradients are multiplied by so that their norm is no greater than it may be.
    fn clip<'a>(&self, grads: impl Iterator<Item = &'a Tensor>) -> Result<f64> {
        let Some(most) = self.max_grad_norm else { return Ok(1.0) };
        let norm = grads.map(sums::squares).sum::<Result<f64>>()?.sqrt();
        Ok(1.0 / (norm / most).max(1.0))
    }

    /// What a weight is multiplied by before its step.
    fn shrink(&self, lr: f64) -> f64 {
        match (self.decoupled_decay, self.corrected_weight_decay) {
            (false, _) => 1.0,
            (true, false) => 1.0 - lr * self.weight_decay,
            (true, true) => 1.0 - lr * lr / self.lr * self.weight_decay,
        }
    }

    fn moved(
        &self,
        (t, clip): (f64, f64),
        param: &Tensor,
        grad: &Tensor,
        slots: &mut ParamSlots,
        hyper: &Hyper,
    ) -> Result<Tensor> {
        let betas @ (beta1, beta2) = (hyper.momentum.unwrap_or(self.betas.0), self.betas.1);
        let corrected = |power: f64| if self.bias_correction { 1.0 - power } else { 1.0 };
        let decay = if self.decoupled_decay { 0.0 } else { self.weight_decay };
        let direction = Direction {
            clip,
            betas,
            enter: if self.grad_averaging { 1.0 - beta1 } else { 1.0 },
            eps: self.eps,
            correction: corrected(beta1.powf(t)),
            root: corrected(beta2.powf(t)).sqrt(),
            decay: if self.caution { 0.0 } else { decay },
        };
        let mut step = pass::apply(&direction, param, grad, slots)?;
        if self.caution {
            step = blend(&cautious(&step, grad)?, 1.0, param, decay)?;
        }
        let shrink = self.shrink(hyper.lr);
        let mut trust = 1.0;
        if self.weight_decay != 0.0 || self.always_adapt {
            let (weight, length) = (sums::squares(param)?.sqrt() * shrink.abs(), sums::squares(&step)?.sqrt());
            if weight > 0.0 && length > 0.0 {
                trust = weight / length;
            }
            if self.trust_clip {
                trust = trust.min(1.0);
            }
        }
        blend(param, shrink, &step, -hyper.lr * trust)
    }
}

impl Optimizer for LAMB {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.betas.0)
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        let now = (slots.count("step"), self.clip(std::iter::once(grad))?);
        self.moved(now, param, grad, slots, hyper)
    }

    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _: Option<&mut Again<'_>>) -> Result<()> {
        let t = memory.0.entry(group.key.to_owned()).or_default().count("step");
        let now = (t, self.clip(group.all_gradients())?);
        for (name, weight, grad) in &group.params {
            let slots = memory.0.entry((*name).to_owned()).or_default();
            weight.update(|param| self.moved(now, param, grad, slots, &group.hyper))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        pass::tests::both_forms_agree(&Direction {
            clip: 0.8,
            betas: (0.9, 0.99),
            enter: 0.1,
            eps: 1e-3,
            correction: 0.4,
            root: 0.3,
            decay: 0.02,
        });
    }

    #[test]
    fn caution_keeps_what_goes_with_the_gradient() {
        let t = |v: [f64; 4]| Tensor::new(&v, &pleach_core::Device::Cpu).unwrap();
        let step = cautious(&t([1.0, -2.0, 3.0, 4.0]), &t([1.0, 1.0, -1.0, 0.5])).unwrap();
        assert_eq!(step.to_vec1::<f64>().unwrap(), [2.0, 0.0, 0.0, 8.0]);
    }
}
