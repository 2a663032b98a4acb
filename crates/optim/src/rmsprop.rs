//! RMSprop: gradients divided by their running size.

use crate::lerp::{self, Lerp};
use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// RMSprop (Hinton; centered as Graves has it): gradients divided by their running size.
///
/// `v = alpha v + (1 - alpha) g^2; p = p - lr g / (sqrt(v) + eps)`. Centered, `a = alpha a + (1 - alpha) g` and
/// `sqrt(v - a^2)` is what divides; with a momentum, `b = momentum b + g / (sqrt(v) + eps); p = p - lr b`.
#[plugin(optimizer, cite = "arXiv:1308.0850")]
pub struct RMSprop {
    /// Learning rate: about how far a weight moves in a step.
    #[plugin(default = 1e-2, range = 0.0..)]
    pub lr: f64,
    /// How slowly the average of squared gradients forgets.
    #[plugin(default = 0.99, range = 0.0..)]
    pub alpha: f64,
    /// Added to the denominator: it bounds the steps of weights whose gradients are all but 0.
    #[plugin(default = 1e-8, range = 0.0..)]
    pub eps: f64,
    /// L2 penalty: this share of a weight is added to its gradient.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// How much of the last step goes on in the next; 0 keeps nothing and needs no memory.
    #[plugin(default = 0.0, range = 0.0..)]
    pub momentum: f64,
    /// Divides by the deviation of the gradient from its average, and not by its size.
    #[plugin(default = false)]
    pub centered: bool,
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
    alpha: f64,
    eps: f64,
    lr: f64,
    momentum: f64,
    centered: bool,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        match (self.centered, self.momentum > 0.0) {
            (false, false) => &["square_avg"],
            (false, true) => &["square_avg", "momentum_buffer"],
            (true, false) => &["square_avg", "grad_avg"],
            (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
        }
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        match self.slots().len() {
            1 => all.each::<1>(self),
            2 => all.each::<2>(self),
            _ => all.each::<3>(self),
        }
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [squares, rest @ ..] = slots else { return Ok(param.clone()) };
        let grad = ((grad * self.factor)? + (param * self.weight_decay)?)?;
        *squares = ((&*squares * self.alpha)? + (grad.sqr()? * (1.0 - self.alpha))?)?;
        let mut spread = squares.clone();
        let buffer = match (self.centered, rest) {
            (true, [average, buffer @ ..]) => {
                *average = lerp::next(average, &grad, self.alpha)?;
                spread = (spread - average.sqr()?)?;
                buffer
            }
            (_, buffer) => buffer,
        };
        let mut step = (grad / (spread.sqrt()? + self.eps)?)?;
        if let [buffer] = buffer {
            *buffer = ((&*buffer * self.momentum)? + step)?;
            step = buffer.clone();
        }
        Ok((param - (step * self.lr)?)?)
    }
}

impl Step {
    /// The gradient after the decay; its average square is replaced.
    #[inline(always)]
    fn squared<T: Real>(&self, p: T, g: T, v: &mut T) -> T {
        let g = T::of(self.factor) * g + T::of(self.weight_decay) * p;
        *v = T::of(self.alpha) * *v + T::of(1.0 - self.alpha) * g * g;
        g
    }

    /// The gradient over the root of its average square, from which the square of an average may have been taken.
    #[inline(always)]
    fn divided<T: Real>(&self, g: T, square: T) -> T {
        g / (square.sqrt() + T::of(self.eps))
    }

    /// The average square less the square of the average, which is replaced.
    #[inline(always)]
    fn variance<T: Real>(&self, g: T, v: T, a: &mut T) -> T {
        *a = Lerp::keeping(self.alpha).next(*a, g);
        v - *a * *a
    }
}

impl<T: Real> Element<T, 1> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [v]: &mut [T; 1]) -> T {
        let g = self.squared(p, g, v);
        p - T::of(self.lr) * self.divided(g, *v)
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [v, other]: &mut [T; 2]) -> T {
        let g = self.squared(p, g, v);
        if self.centered {
            return p - T::of(self.lr) * self.divided(g, self.variance(g, *v, other));
        }
        *other = T::of(self.momentum) * *other + self.divided(g, *v);
        p - T::of(self.lr) * *other
    }
}

impl<T: Real> Element<T, 3> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [v, a, buffer]: &mut [T; 3]) -> T {
        let g = self.squared(p, g, v);
        *buffer = T::of(self.momentum) * *buffer + self.divided(g, self.variance(g, *v, a));
        p - T::of(self.lr) * *buffer
    }
}

impl RMSprop {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        slots.count("step");
        Ok(Step {
            factor: if self.maximize { -scale } else { scale },
            weight_decay: self.weight_decay,
            alpha: self.alpha,
            eps: self.eps,
            lr: hyper.lr,
            momentum: hyper.momentum.unwrap_or(self.momentum),
            centered: self.centered,
        })
    }
}

impl Optimizer for RMSprop {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.momentum)
    }

    elementwise!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        for (centered, momentum) in [(false, 0.0), (false, 0.9), (true, 0.0), (true, 0.9)] {
            let step = Step { factor: -1.0, weight_decay: 0.1, alpha: 0.9, eps: 1e-3, lr: 0.01, momentum, centered };
            pass::tests::both_forms_agree_from_the_start(&step);
        }
    }
}
