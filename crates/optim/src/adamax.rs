//! Adamax: Adam with the greatest gradient in place of the average of squares.

use crate::lerp::{self, Lerp};
use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Adamax (Kingma and Ba): Adam with the greatest gradient, slowly forgotten, in place of the average of squares.
///
/// `m = beta1 m + (1 - beta1) g; u = max(beta2 u, |g| + eps); p = p - lr / (1 - beta1^t) m / u`.
#[plugin(optimizer, cite = "arXiv:1412.6980")]
pub struct Adamax {
    /// Learning rate: about how far a weight moves in a step.
    #[plugin(default = 2e-3, range = 0.0..)]
    pub lr: f64,
    /// How slowly the average and the greatest gradient are forgotten; schedulers may cycle the first.
    #[plugin(default = (0.9, 0.999), range = 0.0..1.0)]
    pub betas: (f64, f64),
    /// Added to the size of each gradient, so that nothing is divided by 0.
    #[plugin(default = 1e-8, range = 0.0..)]
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
    beta1: f64,
    beta2: f64,
    eps: f64,
    /// lr / (1 - beta1^t).
    size: f64,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_inf"]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<2>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [m, u] = slots else { return Ok(param.clone()) };
        let grad = ((grad * self.factor)? + (param * self.weight_decay)?)?;
        *m = lerp::next(m, &grad, self.beta1)?;
        *u = (&*u * self.beta2)?.maximum(&(grad.abs()? + self.eps)?)?;
        Ok((param - ((&*m * self.size)? / &*u)?)?)
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, u]: &mut [T; 2]) -> T {
        let n = [self.factor, self.weight_decay, self.beta2, self.eps, self.size];
        let [factor, decay, beta2, eps, size] = n.map(T::of);
        let g = factor * g + decay * p;
        *m = Lerp::keeping(self.beta1).next(*m, g);
        // The new size stays where it is not a number: that must not be forgotten.
        *u = (beta2 * *u).larger(g.abs() + eps);
        p - size * *m / *u
    }
}

impl Adamax {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        let t = slots.count("step");
        let beta1 = hyper.momentum.unwrap_or(self.betas.0);
        Ok(Step {
            factor: if self.maximize { -scale } else { scale },
            weight_decay: self.weight_decay,
            beta1,
            beta2: self.betas.1,
            eps: self.eps,
            size: hyper.lr / (1.0 - beta1.powf(t)),
        })
    }
}

impl Optimizer for Adamax {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.betas.0)
    }

    elementwise!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        let step = Step { factor: -1.0, weight_decay: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-3, size: 0.05 };
        pass::tests::both_forms_agree(&step);
        pass::tests::both_forms_agree(&Step { beta1: 0.2, ..step });
    }
}
