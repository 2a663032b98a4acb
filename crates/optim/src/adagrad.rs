//! Adagrad: steps that grow smaller with all that a weight has seen.

use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::switches;
use crate::whole::elementwise;
use pleach_core::read::Rules;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Adagrad (Duchi, Hazan and Singer): steps that grow smaller with all the gradients that a weight has seen.
///
/// `s = s + g^2; p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)`.
#[plugin(optimizer, cite = "https://jmlr.org/papers/v12/duchi11a.html", check = Self::check)]
pub struct Adagrad {
    /// Learning rate: about how far a weight moves in its first step.
    #[plugin(default = 1e-2, range = 0.0..)]
    pub lr: f64,
    /// How fast the rate falls with the steps, beside what the gradients do.
    #[plugin(default = 0.0, range = 0.0..)]
    pub lr_decay: f64,
    /// L2 penalty: this share of a weight is added to its gradient.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// With what the sum of squared gradients begins: more makes the first steps shorter.
    #[plugin(default = 0.0, range = 0.0..)]
    pub initial_accumulator_value: f64,
    /// Added to the denominator: it bounds the steps of weights whose gradients are all but 0.
    #[plugin(default = 1e-10, range = 0.0..)]
    pub eps: f64,
    /// Climbs instead of descending.
    #[plugin(default = false)]
    pub maximize: bool,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub fused: Option<bool>,
    /// PyTorch's switch for gradients through a step; without effect here.
    #[plugin(idle)]
    pub differentiable: Option<bool>,
}

impl Adagrad {
    fn check(&self, rules: &mut Rules) {
        switches::check(rules, self.fused, self.foreach, self.differentiable);
    }
}

const SUM: &str = "sum";

/// The numbers of one step.
struct Step {
    /// What gradients are multiplied by first: 1, or -1 where they are to be climbed, and the scale of a step.
    factor: f64,
    weight_decay: f64,
    eps: f64,
    lr: f64,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &[SUM]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<1>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [sum] = slots else { return Ok(param.clone()) };
        let grad = ((grad * self.factor)? + (param * self.weight_decay)?)?;
        *sum = (&*sum + grad.sqr()?)?;
        Ok((param - ((grad * self.lr)? / (sum.sqrt()? + self.eps)?)?)?)
    }
}

impl<T: Real> Element<T, 1> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [sum]: &mut [T; 1]) -> T {
        let [factor, decay, eps, lr] = [self.factor, self.weight_decay, self.eps, self.lr].map(T::of);
        let g = factor * g + decay * p;
        *sum += g * g;
        p - lr * g / (sum.sqrt() + eps)
    }
}

impl Adagrad {
    fn formula(&self, param: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        if !slots.tensors.contains_key(SUM) {
            slots.keep(SUM, (param.zeros_like()? + self.initial_accumulator_value)?);
        }
        let t = slots.count("step");
        Ok(Step {
            factor: if self.maximize { -scale } else { scale },
            weight_decay: self.weight_decay,
            eps: self.eps,
            lr: hyper.lr / (1.0 + (t - 1.0) * self.lr_decay),
        })
    }
}

impl Optimizer for Adagrad {
    fn lr(&self) -> f64 {
        self.lr
    }

    elementwise!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        pass::tests::both_forms_agree(&Step { factor: -1.0, weight_decay: 0.1, eps: 1e-3, lr: 0.3 });
    }
}
