//! Adadelta: steps whose size follows from the steps before.

use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Adadelta (Zeiler): steps whose size follows from the steps before.
///
/// `v = rho v + (1 - rho) g^2; d = g sqrt(u + eps) / sqrt(v + eps); u = rho u + (1 - rho) d^2; p = p - lr d`.
#[plugin(optimizer, cite = "arXiv:1212.5701")]
pub struct Adadelta {
    /// Learning rate: what the method's own step is multiplied by.
    #[plugin(default = 1.0, range = 0.0..)]
    pub lr: f64,
    /// How slowly the averages of squared gradients and of squared steps forget.
    #[plugin(default = 0.9, range = 0.0..=1.0)]
    pub rho: f64,
    /// Added under both roots: it sets the first steps going.
    #[plugin(default = 1e-6, range = 0.0..)]
    pub eps: f64,
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
    rho: f64,
    eps: f64,
    lr: f64,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &["square_avg", "acc_delta"]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<2>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [squares, deltas] = slots else { return Ok(param.clone()) };
        let average = |old: &Tensor, new: &Tensor| (old * self.rho)? + (new.sqr()? * (1.0 - self.rho))?;
        let grad = ((grad * self.factor)? + (param * self.weight_decay)?)?;
        *squares = average(squares, &grad)?;
        let step = (((&*deltas + self.eps)?.sqrt()? / (&*squares + self.eps)?.sqrt()?)? * grad)?;
        *deltas = average(deltas, &step)?;
        Ok((param - (step * self.lr)?)?)
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [squares, deltas]: &mut [T; 2]) -> T {
        let n = [self.factor, self.weight_decay, self.rho, 1.0 - self.rho, self.eps, self.lr];
        let [factor, decay, keep, enter, eps, lr] = n.map(T::of);
        let g = factor * g + decay * p;
        *squares = keep * *squares + enter * g * g;
        // One root for two: apart from each other they would only differ where a step is 1e16 long, or a gradient.
        let step = ((*deltas + eps) / (*squares + eps)).sqrt() * g;
        *deltas = keep * *deltas + enter * step * step;
        p - lr * step
    }
}

impl Adadelta {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        slots.count("step");
        Ok(Step {
            factor: if self.maximize { -scale } else { scale },
            weight_decay: self.weight_decay,
            rho: self.rho,
            eps: self.eps,
            lr: hyper.lr,
        })
    }
}

impl Optimizer for Adadelta {
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
        pass::tests::both_forms_agree(&Step { factor: -1.0, weight_decay: 0.1, rho: 0.8, eps: 1e-3, lr: 0.7 });
    }
}
