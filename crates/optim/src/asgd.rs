//! Averaged stochastic gradient descent.

use crate::lerp::{self, Lerp};
use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Averaged stochastic gradient descent (Polyak and Juditsky): descent with a falling rate, and the average of the
/// weights from step `t0` on beside it, in the slot `ax`.
///
/// `p = (1 - lambd eta) p - eta g; ax = ax + mu (p - ax)`, then `eta = lr / (1 + lambd lr t)^alpha` and
/// `mu = 1 / max(1, t - t0)`; both are kept in single precision, as PyTorch keeps them.
#[plugin(optimizer, cite = "https://doi.org/10.1137/0330046")]
pub struct ASGD {
    /// Learning rate: `eta` of the first step.
    #[plugin(default = 1e-2, range = 0.0..)]
    pub lr: f64,
    /// Decay: each step takes this share, times `eta`, of a weight; it also lets `eta` fall.
    #[plugin(default = 1e-4, range = 0.0..)]
    pub lambd: f64,
    /// The power with which `eta` falls.
    #[plugin(default = 0.75, range = 0.0..)]
    pub alpha: f64,
    /// The step from which on weights are averaged.
    #[plugin(default = 1e6)]
    pub t0: f64,
    /// L2 penalty: this share of a weight is added to its gradient.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Climbs instead of descending.
    #[plugin(default = false)]
    pub maximize: bool,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
    /// PyTorch's switch for CUDA graphs; without effect here.
    #[plugin(idle)]
    pub capturable: Option<bool>,
    /// PyTorch's switch for gradients through a step; without effect here.
    #[plugin(idle)]
    pub differentiable: Option<bool>,
}

/// The numbers of one step.
struct Step {
    /// What gradients are multiplied by first: 1, or -1 where they are to be climbed, and the scale of a step.
    factor: f64,
    weight_decay: f64,
    /// 1 - lambd eta.
    shrink: f64,
    eta: f64,
    mu: f64,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &["ax"]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<1>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [average] = slots else { return Ok(param.clone()) };
        let grad = ((grad * self.factor)? + (param * self.weight_decay)?)?;
        let new = ((param * self.shrink)? - (grad * self.eta)?)?;
        *average = lerp::next(average, &new, 1.0 - self.mu)?;
        Ok(new)
    }
}

impl<T: Real> Element<T, 1> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [average]: &mut [T; 1]) -> T {
        let [factor, decay, shrink, eta] = [self.factor, self.weight_decay, self.shrink, self.eta].map(T::of);
        let g = factor * g + decay * p;
        let p = shrink * p - eta * g;
        *average = Lerp::keeping(1.0 - self.mu).next(*average, p);
        p
    }
}

/// As PyTorch keeps a number: in single precision.
fn single(x: f64) -> f64 {
    f64::from(x as f32)
}

impl ASGD {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        let t = slots.count("step");
        let eta = slots.numbers.get("eta").copied().unwrap_or(single(hyper.lr));
        let mu = slots.numbers.get("mu").copied().unwrap_or(1.0);
        let step = Step {
            factor: if self.maximize { -scale } else { scale },
            weight_decay: self.weight_decay,
            shrink: 1.0 - self.lambd * eta,
            eta,
            mu,
        };
        let next = hyper.lr / (1.0 + self.lambd * hyper.lr * t).powf(self.alpha);
        slots.numbers.insert("eta".to_owned(), single(next));
        slots.numbers.insert("mu".to_owned(), single(1.0 / (t - self.t0).max(1.0)));
        Ok(step)
    }
}

impl Optimizer for ASGD {
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
        let step = Step { factor: -1.0, weight_decay: 0.1, shrink: 0.97, eta: 0.2, mu: 1.0 };
        pass::tests::both_forms_agree(&step);
        pass::tests::both_forms_agree(&Step { mu: 0.25, ..step });
    }
}
