//! The step that Adam and AdamW share.

use crate::moments::{Decay, Moments};
use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use pleach_core::{Hyper, ParamSlots, Result, Tensor};

/// What tells one Adam from another.
pub(crate) struct Settings {
    pub betas: (f64, f64),
    pub eps: f64,
    pub weight_decay: f64,
    /// Whether the decay shrinks the weight itself, and is no part of the gradient.
    pub decoupled: Decay,
    pub amsgrad: Denominator,
    /// What gradients are multiplied by first: their scale, negative where they are to be climbed.
    pub factor: f64,
}

/// Which second moment divides a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denominator {
    /// The running average.
    Average,
    /// The greatest running average so far.
    Greatest,
}

/// The numbers of one step.
pub(crate) struct Step {
    moments: Moments,
    eps: f64,
    /// lr / (1 - beta1^t).
    size: f64,
    /// sqrt(1 - beta2^t).
    root: f64,
    amsgrad: Denominator,
}

/// The next step of a parameter.
pub(crate) fn formula(settings: &Settings, slots: &mut ParamSlots, hyper: &Hyper) -> Step {
    let t = slots.count("step");
    let (beta1, beta2) = (hyper.momentum.unwrap_or(settings.betas.0), settings.betas.1);
    let moments = Moments::new(settings.factor, (beta1, beta2), settings.weight_decay, settings.decoupled, hyper.lr);
    Step {
        moments,
        eps: settings.eps,
        size: hyper.lr / (1.0 - beta1.powf(t)),
        root: (1.0 - beta2.powf(t)).sqrt(),
        amsgrad: settings.amsgrad,
    }
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        match self.amsgrad {
            Denominator::Average => &["exp_avg", "exp_avg_sq"],
            Denominator::Greatest => &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
        }
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        match self.amsgrad {
            Denominator::Average => all.each::<2>(self),
            Denominator::Greatest => all.each::<3>(self),
        }
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [m, v, rest @ ..] = slots else { return Ok(param.clone()) };
        let (param, _) = self.moments.algebra(param, grad, m, v)?;
        let v = match rest.first_mut() {
            Some(max) => {
                *max = max.maximum(&*v)?;
                max
            }
            None => v,
        };
        let denominator = ((v.sqrt()? / self.root)? + self.eps)?;
        Ok((param - ((&*m * self.size)? / denominator)?)?)
    }
}

impl Step {
    /// `size m / (sqrt(v) / root + eps)` as `(size root) m / (sqrt(v) + eps root)`: a quotient less, which counts where roots
    /// and quotients take longer than memory does.
    #[inline(always)]
    fn moved<T: Real>(&self, p: T, m: T, v: T) -> T {
        p - T::of(self.size * self.root) * m / (v.sqrt() + T::of(self.eps * self.root))
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, v]: &mut [T; 2]) -> T {
        let (shrunk, _) = self.moments.rates().next(p, g, m, v);
        self.moved(shrunk, *m, *v)
    }
}

impl<T: Real> Element<T, 3> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, v, max]: &mut [T; 3]) -> T {
        let (shrunk, _) = self.moments.rates().next(p, g, m, v);
        // The new average stays where it is not a number: that must not be forgotten.
        *max = max.larger(*v);
        self.moved(shrunk, *m, *max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        let moments = Moments { factor: -1.0, shrink: 0.99, l2: 0.02, beta1: 0.9, beta2: 0.999 };
        let step = Step { moments, eps: 1e-8, size: 0.01, root: 0.3, amsgrad: Denominator::Average };
        pass::tests::both_forms_agree(&step);
        pass::tests::both_forms_agree(&Step {
            moments: Moments { beta1: 0.3, ..moments },
            amsgrad: Denominator::Greatest,
            ..step
        });
    }
}
