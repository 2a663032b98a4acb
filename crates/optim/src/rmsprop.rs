//! RMSprop: gradients divided by their running size.

use crate::lerp::{self, Lerp};
use crate::pass::{Formula, Real};
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

    fn slices<T: Real>(&self, param: &mut [T], grad: &[T], slots: &mut [&mut [T]]) {
        let n = Numbers {
            factor: T::of(self.factor),
            decay: T::of(self.weight_decay),
            keep: T::of(self.alpha),
            enter: T::of(1.0 - self.alpha),
            average: Lerp::keeping(self.alpha),
            eps: T::of(self.eps),
            lr: T::of(self.lr),
            momentum: T::of(self.momentum),
        };
        match (self.centered, slots) {
            (_, [squares]) => plain(param, grad, squares, n),
            (false, [squares, buffer]) => moving(param, grad, squares, buffer, n),
            (true, [squares, average]) => centered(param, grad, squares, average, n),
            (_, [squares, average, buffer]) => centered_moving(param, grad, squares, average, buffer, n),
            _ => {}
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

/// [`Step`] in the parameter's own precision.
#[derive(Clone, Copy)]
struct Numbers<T> {
    factor: T,
    decay: T,
    keep: T,
    enter: T,
    average: Lerp<T>,
    eps: T,
    lr: T,
    momentum: T,
}

impl<T: Real> Numbers<T> {
    /// The gradient after the decay; its average square is replaced.
    #[inline(always)]
    fn squared(&self, p: T, g: T, v: &mut T) -> T {
        let g = self.factor * g + self.decay * p;
        *v = self.keep * *v + self.enter * g * g;
        g
    }

    /// What divides, where the average is taken away.
    #[inline(always)]
    fn deviation(&self, g: T, v: T, a: &mut T) -> T {
        *a = self.average.next(*a, g);
        (v - *a * *a).sqrt() + self.eps
    }
}

pleach_simd::lanes! {
    fn plain<T: Real>(param: &mut [T], grad: &[T], squares: &mut [T], n: Numbers<T>) {
        for ((p, &g), v) in param.iter_mut().zip(grad).zip(squares) {
            let g = n.squared(*p, g, v);
            *p -= n.lr * g / (v.sqrt() + n.eps);
        }
    }
}

pleach_simd::lanes! {
    fn moving<T: Real>(param: &mut [T], grad: &[T], squares: &mut [T], buffer: &mut [T], n: Numbers<T>) {
        for (((p, &g), v), b) in param.iter_mut().zip(grad).zip(squares).zip(buffer) {
            let g = n.squared(*p, g, v);
            *b = n.momentum * *b + g / (v.sqrt() + n.eps);
            *p -= n.lr * *b;
        }
    }
}

pleach_simd::lanes! {
    fn centered<T: Real>(param: &mut [T], grad: &[T], squares: &mut [T], average: &mut [T], n: Numbers<T>) {
        for (((p, &g), v), a) in param.iter_mut().zip(grad).zip(squares).zip(average) {
            let g = n.squared(*p, g, v);
            *p -= n.lr * g / n.deviation(g, *v, a);
        }
    }
}

pleach_simd::lanes! {
    fn centered_moving<T: Real>(
        param: &mut [T], grad: &[T], squares: &mut [T], average: &mut [T], buffer: &mut [T], n: Numbers<T>,
    ) {
        for ((((p, &g), v), a), b) in param.iter_mut().zip(grad).zip(squares).zip(average).zip(buffer) {
            let g = n.squared(*p, g, v);
            *b = n.momentum * *b + g / n.deviation(g, *v, a);
            *p -= n.lr * *b;
        }
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
