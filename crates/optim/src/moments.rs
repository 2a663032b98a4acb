//! What Adam and its kin do before they step: weight decay, and running averages of the gradient and its square.

use crate::lerp::{self, Lerp};
use crate::pass::Real;
use pleach_core::{Result, Tensor};

/// Where weight decay acts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decay {
    /// On the weight.
    Decoupled,
    /// In the gradient.
    Gradient,
}

/// The numbers of one step.
#[derive(Clone, Copy)]
pub(crate) struct Moments {
    /// What gradients are multiplied by first: 1, or -1 where they are to be climbed, and the scale of a step.
    pub factor: f64,
    /// What a weight is multiplied by first.
    pub shrink: f64,
    /// The share of a weight that is added to its gradient.
    pub l2: f64,
    pub beta1: f64,
    pub beta2: f64,
}

/// [`Moments`] in the parameter's own precision.
#[derive(Clone, Copy)]
pub(crate) struct Rates<T> {
    factor: T,
    shrink: T,
    l2: T,
    first: Lerp<T>,
    beta2: T,
    enter2: T,
}

impl Moments {
    /// Both averages with these betas, and the decay at this learning rate.
    pub(crate) fn new(factor: f64, (beta1, beta2): (f64, f64), weight_decay: f64, decay: Decay, lr: f64) -> Self {
        let (shrink, l2) = match decay {
            Decay::Decoupled => (1.0 - lr * weight_decay, 0.0),
            Decay::Gradient => (1.0, weight_decay),
        };
        Self { factor, shrink, l2, beta1, beta2 }
    }

    #[inline(always)]
    pub(crate) fn rates<T: Real>(&self) -> Rates<T> {
        Rates {
            factor: T::of(self.factor),
            shrink: T::of(self.shrink),
            l2: T::of(self.l2),
            first: Lerp::keeping(self.beta1),
            beta2: T::of(self.beta2),
            enter2: T::of(1.0 - self.beta2),
        }
    }

    /// The weight and the gradient after the decay; both averages are replaced.
    pub(crate) fn algebra(
        &self,
        param: &Tensor,
        grad: &Tensor,
        m: &mut Tensor,
        v: &mut Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let param = (param * self.shrink)?;
        let grad = ((grad * self.factor)? + (&param * self.l2)?)?;
        *m = lerp::next(m, &grad, self.beta1)?;
        *v = ((&*v * self.beta2)? + (grad.sqr()? * (1.0 - self.beta2))?)?;
        Ok((param, grad))
    }
}

impl<T: Real> Rates<T> {
    /// The weight and the gradient after the decay; both averages are replaced.
    #[inline(always)]
    pub(crate) fn next(&self, p: T, g: T, m: &mut T, v: &mut T) -> (T, T) {
        let p = self.shrink * p;
        let g = self.factor * g + self.l2 * p;
        *m = self.first.next(*m, g);
        *v = self.beta2 * *v + self.enter2 * g * g;
        (p, g)
    }
}
