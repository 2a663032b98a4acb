//! RAdam: Adam that waits until its average of squares can be trusted.

use crate::moments::{Decay, Moments};
use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// RAdam (Liu et al.): Adam that takes plain momentum steps until its average of squares can be trusted, and
/// shorter ones while it is young.
///
/// `rho_inf = 2 / (1 - beta2) - 1; rho_t = rho_inf - 2 t beta2^t / (1 - beta2^t)`. Where `rho_t > 5`,
/// `p = p - lr m / (1 - beta1^t) r sqrt(1 - beta2^t) / (sqrt(v) + eps)` with
/// `r^2 = (rho_t - 4) (rho_t - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho_t)`; else `p = p - lr m / (1 - beta1^t)`.
#[plugin(optimizer, cite = "arXiv:1908.03265")]
pub struct RAdam {
    /// Learning rate: about how far a weight moves in a step.
    #[plugin(default = 1e-3, range = 0.0..)]
    pub lr: f64,
    /// How slowly the averages of the gradient and of its square forget; schedulers may cycle the first.
    #[plugin(default = (0.9, 0.999), range = 0.0..1.0)]
    pub betas: (f64, f64),
    /// Added to the denominator: it bounds the steps of weights whose gradients are all but 0.
    #[plugin(default = 1e-8, range = 0.0..)]
    pub eps: f64,
    /// L2 penalty: this share of a weight is added to its gradient.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Takes the weight decay from the weight itself, as AdamW does, and leaves the gradient alone.
    #[plugin(default = false)]
    pub decoupled_weight_decay: bool,
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
    moments: Moments,
    /// 1 - beta1^t.
    correction: f64,
    lr: f64,
    rectified: Option<Rectified>,
}

/// What a step has beside where the average of squares can be trusted.
struct Rectified {
    eps: f64,
    /// sqrt(1 - beta2^t).
    root: f64,
    /// r.
    factor: f64,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<2>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [m, v] = slots else { return Ok(param.clone()) };
        let (param, _) = self.moments.algebra(param, grad, m, v)?;
        let mut step = ((&*m / self.correction)? * self.lr)?;
        if let Some(r) = &self.rectified {
            step = ((step * r.root)? / (v.sqrt()? + r.eps)?)?;
            step = (step * r.factor)?;
        }
        Ok((param - step)?)
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, v]: &mut [T; 2]) -> T {
        let (shrunk, _) = self.moments.rates().next(p, g, m, v);
        let size = self.lr / self.correction;
        match &self.rectified {
            Some(r) => shrunk - T::of(size * r.root * r.factor) * *m / (v.sqrt() + T::of(r.eps)),
            None => shrunk - T::of(size) * *m,
        }
    }
}

impl RAdam {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        let t = slots.count("step");
        let betas @ (beta1, beta2) = (hyper.momentum.unwrap_or(self.betas.0), self.betas.1);
        let decay = if self.decoupled_weight_decay { Decay::Decoupled } else { Decay::Gradient };
        let factor = if self.maximize { -scale } else { scale };
        let correction2 = 1.0 - beta2.powf(t);
        let longest = 2.0 / (1.0 - beta2) - 1.0;
        let length = longest - 2.0 * t * beta2.powf(t) / correction2;
        let rectified = (length > 5.0).then(|| {
            let share = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length);
            Rectified { eps: self.eps, root: correction2.sqrt(), factor: share.sqrt() }
        });
        Ok(Step {
            moments: Moments::new(factor, betas, self.weight_decay, decay, hyper.lr),
            correction: 1.0 - beta1.powf(t),
            lr: hyper.lr,
            rectified,
        })
    }
}

impl Optimizer for RAdam {
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
        let moments = Moments { factor: -1.0, shrink: 0.99, l2: 0.02, beta1: 0.9, beta2: 0.999 };
        let step = Step { moments, correction: 0.4, lr: 0.02, rectified: None };
        pass::tests::both_forms_agree(&step);
        let rectified = Some(Rectified { eps: 1e-3, root: 0.2, factor: 0.7 });
        pass::tests::both_forms_agree(&Step { rectified, ..step });
    }
}
