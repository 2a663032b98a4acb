//! Lion: steps of one size, whose signs a momentum decides.

use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Lion (Chen et al.): steps of one size, of which a momentum decides no more than the signs.
///
/// `p = (1 - lr weight_decay) p - lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g`, by PyPI's
/// lion-pytorch. Take a rate three to ten times smaller than AdamW's, and a decay as many times greater.
#[plugin(optimizer, cite = "arXiv:2302.06675")]
pub struct Lion {
    /// Learning rate: how far every weight moves in a step.
    #[plugin(default = 1e-4, above = 0.0)]
    pub lr: f64,
    /// How much momentum is in the direction of a step, and how slowly it forgets; schedulers may cycle the first.
    #[plugin(default = (0.9, 0.99), range = 0.0..=1.0)]
    pub betas: (f64, f64),
    /// Decay: each step takes this share, times the learning rate, of a weight.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Measures the decay by the rate as it is relative to `lr`, so that another `lr` leaves the decay as it was.
    #[plugin(default = false)]
    pub decoupled_weight_decay: bool,
    /// lion-pytorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub use_triton: Option<bool>,
}

/// The numbers of one step.
struct Step {
    /// What gradients are multiplied by first.
    factor: f64,
    lr: f64,
    /// What a weight is multiplied by first.
    shrink: f64,
    betas: (f64, f64),
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &["exp_avg"]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<1>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [m] = slots else { return Ok(param.clone()) };
        let grad = (grad * self.factor)?;
        let mix = |beta: f64, m: &Tensor| (m * beta)? + (&grad * (1.0 - beta))?;
        let direction = mix(self.betas.0, m)?.sign()?;
        *m = mix(self.betas.1, m)?;
        Ok(((param * self.shrink)? - (direction * self.lr)?)?)
    }
}

impl<T: Real> Element<T, 1> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m]: &mut [T; 1]) -> T {
        let (beta1, beta2) = self.betas;
        let n = [self.factor, self.lr, self.shrink, beta1, 1.0 - beta1, beta2, 1.0 - beta2];
        let [factor, lr, shrink, keep1, enter1, keep2, enter2] = n.map(T::of);
        let g = factor * g;
        let direction = keep1 * *m + enter1 * g;
        let up = if direction > T::ZERO { lr } else { T::ZERO };
        let down = if direction < T::ZERO { lr } else { T::ZERO };
        *m = keep2 * *m + enter2 * g;
        shrink * p - (up - down)
    }
}

impl Lion {
    fn formula(&self, _: &Tensor, _: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        let decay = if self.decoupled_weight_decay { self.weight_decay / self.lr } else { self.weight_decay };
        Ok(Step {
            factor: scale,
            lr: hyper.lr,
            shrink: 1.0 - hyper.lr * decay,
            betas: (hyper.momentum.unwrap_or(self.betas.0), self.betas.1),
        })
    }
}

impl Optimizer for Lion {
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
        pass::tests::both_forms_agree(&Step { factor: -0.5, lr: 0.1, shrink: 0.98, betas: (0.6, 0.9) });
    }

    #[test]
    fn a_weight_without_gradient_stays() {
        let p = Tensor::new(&[1f32, -2.0], &pleach_core::Device::Cpu).unwrap();
        let hyper = Hyper { lr: 0.1, momentum: None };
        let new = Lion::default().update(&p, &p.zeros_like().unwrap(), &mut ParamSlots::default(), &hyper).unwrap();
        assert_eq!(new.to_vec1::<f32>().unwrap(), [1.0, -2.0]);
    }
}
