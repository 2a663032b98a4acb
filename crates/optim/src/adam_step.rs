//! The step that Adam and AdamW share.

use crate::pass::{self, Formula, Real};
use pleach_core::{Hyper, ParamSlots, Result, Tensor};

/// What tells one Adam from another.
pub(crate) struct Settings {
    pub betas: (f64, f64),
    pub eps: f64,
    pub weight_decay: f64,
    /// Whether the decay shrinks the weight itself, and is no part of the gradient.
    pub decoupled: Decay,
    pub amsgrad: Denominator,
    /// 1, or -1 where the gradient is to be climbed.
    pub sign: f64,
}

/// Where weight decay acts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decay {
    /// On the weight.
    Decoupled,
    /// In the gradient.
    Gradient,
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
struct Step {
    sign: f64,
    /// What a weight is multiplied by first.
    shrink: f64,
    /// The share of a weight that is added to its gradient.
    l2: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    /// lr / (1 - beta1^t).
    size: f64,
    /// sqrt(1 - beta2^t).
    root: f64,
    amsgrad: Denominator,
}

/// Takes one step.
pub(crate) fn update(
    settings: &Settings,
    param: &Tensor,
    grad: &Tensor,
    slots: &mut ParamSlots,
    hyper: &Hyper,
) -> Result<Tensor> {
    let t = slots.count("step");
    let (beta1, beta2) = (hyper.momentum.unwrap_or(settings.betas.0), settings.betas.1);
    let decoupled = settings.decoupled == Decay::Decoupled;
    let step = Step {
        sign: settings.sign,
        shrink: if decoupled { 1.0 - hyper.lr * settings.weight_decay } else { 1.0 },
        l2: if decoupled { 0.0 } else { settings.weight_decay },
        beta1,
        beta2,
        eps: settings.eps,
        size: hyper.lr / (1.0 - beta1.powf(t)),
        root: (1.0 - beta2.powf(t)).sqrt(),
        amsgrad: settings.amsgrad,
    };
    pass::apply(&step, param, grad, slots)
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        match self.amsgrad {
            Denominator::Average => &["exp_avg", "exp_avg_sq"],
            Denominator::Greatest => &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
        }
    }

    fn slices<T: Real>(&self, param: &mut [T], grad: &[T], slots: &mut [&mut [T]]) {
        let n = Numbers {
            sign: T::of(self.sign),
            shrink: T::of(self.shrink),
            l2: T::of(self.l2),
            // As PyTorch's lerp has it: from the nearer end.
            near: self.beta1 > 0.5,
            beta1: T::of(self.beta1),
            enter1: T::of(1.0 - self.beta1),
            beta2: T::of(self.beta2),
            enter2: T::of(1.0 - self.beta2),
            eps: T::of(self.eps),
            size: T::of(-self.size),
            root: T::of(self.root),
        };
        match slots {
            [m, v] => average(param, grad, m, v, n),
            [m, v, max] => greatest(param, grad, m, v, max, n),
            _ => {}
        }
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let param = (param * self.shrink)?;
        let grad = ((grad * self.sign)? + (&param * self.l2)?)?;
        let [m, v, rest @ ..] = slots else { return Ok(param) };
        *m = (&*m + ((&grad - &*m)? * (1.0 - self.beta1))?)?;
        *v = ((&*v * self.beta2)? + (grad.sqr()? * (1.0 - self.beta2))?)?;
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

/// [`Step`] in the parameter's own precision.
#[derive(Clone, Copy)]
struct Numbers<T> {
    sign: T,
    shrink: T,
    l2: T,
    near: bool,
    beta1: T,
    enter1: T,
    beta2: T,
    enter2: T,
    eps: T,
    size: T,
    root: T,
}

impl<T: Real> Numbers<T> {
    /// The gradient, and both moments after it.
    #[inline(always)]
    fn moments(&self, p: T, g: T, m: T, v: T) -> (T, T) {
        let g = self.sign * g + self.l2 * p;
        let m = if self.near { m + self.enter1 * (g - m) } else { g - (g - m) * self.beta1 };
        (m, self.beta2 * v + self.enter2 * g * g)
    }

    #[inline(always)]
    fn moved(&self, p: T, m: T, v: T) -> T {
        p + self.size * m / (v.sqrt() / self.root + self.eps)
    }
}

pleach_simd::lanes! {
    fn average<T: Real>(param: &mut [T], grad: &[T], m: &mut [T], v: &mut [T], n: Numbers<T>) {
        for (((p, &g), m), v) in param.iter_mut().zip(grad).zip(m).zip(v) {
            let shrunk = n.shrink * *p;
            (*m, *v) = n.moments(shrunk, g, *m, *v);
            *p = n.moved(shrunk, *m, *v);
        }
    }
}

pleach_simd::lanes! {
    fn greatest<T: Real>(
        param: &mut [T], grad: &[T], m: &mut [T], v: &mut [T], max: &mut [T], n: Numbers<T>,
    ) {
        for ((((p, &g), m), v), max) in param.iter_mut().zip(grad).zip(m).zip(v).zip(max) {
            let shrunk = n.shrink * *p;
            (*m, *v) = n.moments(shrunk, g, *m, *v);
            // The new average comes first: a NaN in it must not be forgotten.
            *max = if *v < *max { *max } else { *v };
            *p = n.moved(shrunk, *m, *max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        let step = Step {
            sign: -1.0,
            shrink: 0.99,
            l2: 0.02,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            size: 0.01,
            root: 0.3,
            amsgrad: Denominator::Average,
        };
        pass::tests::both_forms_agree(&step);
        pass::tests::both_forms_agree(&Step { beta1: 0.3, amsgrad: Denominator::Greatest, ..step });
    }
}
