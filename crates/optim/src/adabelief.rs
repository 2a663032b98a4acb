//! AdaBelief: long steps where gradients are as expected.

use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// AdaBelief (Zhuang et al.): Adam that divides by how far gradients are from their average, so that steps are long
/// where gradients are as expected.
///
/// `m = beta1 m + (1 - beta1) g; s = beta2 s + (1 - beta2) (g - m)^2 + eps`, then
/// `p = p - lr (m / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + eps)`; with `rectify`, RAdam's
/// `p = p - lr r sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(s) + eps)` from where its length is at least 5, and
/// `p = p - lr m / (1 - beta1^t)` before. Names, defaults and rules are those of the authors' adabelief-pytorch, so
/// `rectify` is on (off in pytorch_optimizer), and with it `amsgrad` has no effect.
#[plugin(optimizer, cite = "arXiv:2010.07468")]
pub struct AdaBelief {
    /// Learning rate: about how far a weight moves in a step.
    #[plugin(default = 1e-3, range = 0.0..)]
    pub lr: f64,
    /// How slowly the averages of the gradient and of its surprises forget; schedulers may cycle the first.
    #[plugin(default = (0.9, 0.999), range = 0.0..1.0)]
    pub betas: (f64, f64),
    /// Added to the average of surprises at each step, and to the denominator; 1e-8 where SGD does better than Adam.
    #[plugin(default = 1e-16, range = 0.0..)]
    pub eps: f64,
    /// Decay: each step takes this share, times the learning rate, of a weight.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Divides by the greatest average of surprises so far, so that steps never grow again (AMSGrad).
    #[plugin(default = false)]
    pub amsgrad: bool,
    /// Takes the decay from the weight itself; without it, the decay is a part of the gradient.
    #[plugin(default = true)]
    pub weight_decouple: bool,
    /// Takes the share of a decoupled decay whole, and not times the learning rate.
    #[plugin(default = false)]
    pub fixed_decay: bool,
    /// Waits until the average of surprises can be trusted, as RAdam does.
    #[plugin(default = true)]
    pub rectify: bool,
    /// Takes steps of the momentum while it waits; without it, weights stay.
    #[plugin(default = true)]
    pub degenerated_to_sgd: bool,
    /// Whether the authors' package is to print its history; without effect here.
    #[plugin(idle)]
    pub print_change_log: Option<bool>,
}

/// The numbers of one step.
#[derive(Clone, Copy)]
struct Step {
    /// What gradients are multiplied by first.
    factor: f64,
    /// What a weight is multiplied by first.
    shrink: f64,
    /// The share of a weight that is added to its gradient.
    l2: f64,
    betas: (f64, f64),
    eps: f64,
    /// What the average of gradients is multiplied by.
    size: f64,
    /// What the root of the surprises is divided by; nothing where a step is not divided by them.
    root: Option<f64>,
    kept: Kept,
}

/// What is kept of the surprises.
#[derive(Clone, Copy)]
enum Kept {
    /// Their average.
    Average,
    /// The greatest average so far as well, which divides nothing.
    Both,
    /// The greatest average so far as well, which divides.
    Greatest,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        match self.kept {
            Kept::Average => &["exp_avg", "exp_avg_var"],
            Kept::Both | Kept::Greatest => &["exp_avg", "exp_avg_var", "max_exp_avg_var"],
        }
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        match self.kept {
            Kept::Average => all.each::<2>(self),
            Kept::Both | Kept::Greatest => all.each::<3>(self),
        }
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [m, s, rest @ ..] = slots else { return Ok(param.clone()) };
        let (beta1, beta2) = self.betas;
        let param = (param * self.shrink)?;
        let grad = ((grad * self.factor)? + (&param * self.l2)?)?;
        *m = ((&*m * beta1)? + (&grad * (1.0 - beta1))?)?;
        let surprise = (grad - &*m)?.sqr()?;
        *s = (((&*s * beta2)? + (surprise * (1.0 - beta2))?)? + self.eps)?;
        if let [max] = rest {
            *max = max.maximum(&*s)?;
        }
        let step = (&*m * self.size)?;
        let Some(root) = self.root else { return Ok((param - step)?) };
        let divisor = match rest {
            [max] if matches!(self.kept, Kept::Greatest) => &*max,
            _ => &*s,
        };
        Ok((param - (step / ((divisor.sqrt()? / root)? + self.eps)?)?)?)
    }
}

impl Step {
    /// The weight after the decay; both averages are replaced.
    #[inline(always)]
    fn averages<T: Real>(&self, p: T, g: T, m: &mut T, s: &mut T) -> T {
        let (beta1, beta2) = self.betas;
        let [keep1, enter1, keep2, enter2] = [beta1, 1.0 - beta1, beta2, 1.0 - beta2].map(T::of);
        let p = T::of(self.shrink) * p;
        let g = T::of(self.factor) * g + T::of(self.l2) * p;
        *m = keep1 * *m + enter1 * g;
        let surprise = g - *m;
        *s = keep2 * *s + enter2 * surprise * surprise + T::of(self.eps);
        p
    }

    /// `size m / (sqrt(s) / root + eps)` as `(size root) m / (sqrt(s) + eps root)`: a quotient less.
    #[inline(always)]
    fn moved<T: Real>(&self, p: T, m: T, divisor: T) -> T {
        match self.root {
            Some(root) => p - T::of(self.size * root) * m / (divisor.sqrt() + T::of(self.eps * root)),
            None => p - T::of(self.size) * m,
        }
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, s]: &mut [T; 2]) -> T {
        let shrunk = self.averages(p, g, m, s);
        self.moved(shrunk, *m, *s)
    }
}

impl<T: Real> Element<T, 3> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, s, max]: &mut [T; 3]) -> T {
        let shrunk = self.averages(p, g, m, s);
        // The new average stays where it is not a number: that must not be forgotten.
        *max = max.larger(*s);
        self.moved(shrunk, *m, if matches!(self.kept, Kept::Greatest) { *max } else { *s })
    }
}

impl AdaBelief {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        let t = slots.count("step");
        let betas @ (beta1, beta2) = (hyper.momentum.unwrap_or(self.betas.0), self.betas.1);
        let (correction1, correction2) = (1.0 - beta1.powf(t), 1.0 - beta2.powf(t));
        let longest = 2.0 / (1.0 - beta2) - 1.0;
        let length = longest - 2.0 * t * beta2.powf(t) / correction2;
        let (size, root) = if !self.rectify {
            (1.0 / correction1, Some(correction2.sqrt()))
        } else if length >= 5.0 {
            let share = (length - 4.0) / (longest - 4.0) * (length - 2.0) / length * longest / (longest - 2.0);
            ((correction2 * share).sqrt() / correction1, Some(1.0))
        } else if self.degenerated_to_sgd {
            (1.0 / correction1, None)
        } else {
            (0.0, None)
        };
        let decay = if self.fixed_decay { self.weight_decay } else { hyper.lr * self.weight_decay };
        Ok(Step {
            factor: scale,
            shrink: if self.weight_decouple { 1.0 - decay } else { 1.0 },
            l2: if self.weight_decouple { 0.0 } else { self.weight_decay },
            betas,
            eps: self.eps,
            size: hyper.lr * size,
            root,
            kept: match (self.amsgrad, self.rectify) {
                (false, _) => Kept::Average,
                (true, true) => Kept::Both,
                (true, false) => Kept::Greatest,
            },
        })
    }
}

impl Optimizer for AdaBelief {
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
        let step = Step {
            factor: 2.0,
            shrink: 0.99,
            l2: 0.02,
            betas: (0.9, 0.999),
            eps: 1e-3,
            size: 0.01,
            root: Some(0.3),
            kept: Kept::Average,
        };
        pass::tests::both_forms_agree(&step);
        pass::tests::both_forms_agree(&Step { root: None, ..step });
        pass::tests::both_forms_agree(&Step { kept: Kept::Both, ..step });
        pass::tests::both_forms_agree(&Step { kept: Kept::Greatest, betas: (0.9, 0.2), ..step });
    }
}
