//! Stochastic gradient descent.

use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::switches;
use crate::whole::elementwise;
use pleach_core::read::Rules;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Stochastic gradient descent, with momentum if asked for.
///
/// `g = grad + weight_decay * p; buf = momentum * buf + (1 - dampening) * g; p = p - lr * buf`, where the
/// first step has `buf = g`, and Nesterov's form takes `g + momentum * buf` in place of `buf`.
#[plugin(optimizer, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html", check = Self::check)]
pub struct SGD {
    /// Learning rate: what a gradient is multiplied by before it is taken from a weight.
    #[plugin(default = 1e-3, range = 0.0..)]
    pub lr: f64,
    /// How much of the last step goes on in the next; 0 keeps nothing and needs no memory.
    #[plugin(default = 0.0, range = 0.0..)]
    pub momentum: f64,
    /// How much less than whole a new gradient enters the momentum.
    #[plugin(default = 0.0)]
    pub dampening: f64,
    /// L2 penalty: this share of a weight is added to its gradient.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Looks one step of the momentum ahead (Nesterov); needs a momentum and no dampening.
    #[plugin(default = false)]
    pub nesterov: bool,
    /// Climbs instead of descending.
    #[plugin(default = false)]
    pub maximize: bool,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub fused: Option<bool>,
    /// PyTorch's switch for gradients through a step; without effect here.
    #[plugin(idle)]
    pub differentiable: Option<bool>,
}

impl SGD {
    fn check(&self, rules: &mut Rules) {
        if self.nesterov && (self.momentum <= 0.0 || self.dampening != 0.0) {
            rules.refuse("nesterov", "Nesterov's form needs a `momentum` above 0 and a `dampening` of 0");
        }
        switches::check(rules, self.fused, self.foreach, self.differentiable);
    }
}

const BUFFER: &str = "momentum_buffer";

/// The numbers of one step.
struct Step {
    /// The learning rate with its sign: descent is negative.
    rate: f64,
    /// What gradients are multiplied by first: 1, or -1 where they are to be climbed, and the scale of a step.
    factor: f64,
    weight_decay: f64,
    momentum: f64,
    /// What is kept of the momentum buffer, and how much of the gradient enters it.
    keep: f64,
    enter: f64,
    nesterov: bool,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &[BUFFER] }
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        if self.momentum == 0.0 { all.each::<0>(self) } else { all.each::<1>(self) }
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let mut direction = ((grad * self.factor)? + (param * self.weight_decay)?)?;
        if let [buffer] = slots {
            *buffer = ((&*buffer * self.keep)? + (&direction * self.enter)?)?;
            direction = if self.nesterov { (direction + (&*buffer * self.momentum)?)? } else { buffer.clone() };
        }
        Ok((param + (direction * self.rate)?)?)
    }
}

impl<T: Real> Element<T, 0> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, []: &mut [T; 0]) -> T {
        let [rate, factor, decay] = [self.rate, self.factor, self.weight_decay].map(T::of);
        p + rate * (factor * g + decay * p)
    }
}

impl<T: Real> Element<T, 1> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [buffer]: &mut [T; 1]) -> T {
        // A whole step of the gradient, or only what the buffer holds of it.
        let (ahead, along) = if self.nesterov { (1.0, self.momentum) } else { (0.0, 1.0) };
        let [rate, factor, decay] = [self.rate, self.factor, self.weight_decay].map(T::of);
        let [keep, enter, ahead, along] = [self.keep, self.enter, ahead, along].map(T::of);
        let g = factor * g + decay * p;
        *buffer = keep * *buffer + enter * g;
        p + rate * (ahead * g + along * *buffer)
    }
}

impl SGD {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        // The first gradient fills the buffer whole, whatever the dampening.
        let first = !slots.tensors.contains_key(BUFFER);
        let momentum = hyper.momentum.unwrap_or(self.momentum);
        Ok(Step {
            rate: -hyper.lr,
            factor: if self.maximize { -scale } else { scale },
            weight_decay: self.weight_decay,
            momentum,
            keep: if first { 0.0 } else { momentum },
            enter: if first { 1.0 } else { 1.0 - self.dampening },
            nesterov: self.nesterov,
        })
    }
}

impl Optimizer for SGD {
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
        let step = Step {
            rate: -0.1,
            factor: -1.0,
            weight_decay: 0.01,
            momentum: 0.9,
            keep: 0.9,
            enter: 0.7,
            nesterov: false,
        };
        pass::tests::both_forms_agree(&step);
        pass::tests::both_forms_agree(&Step { nesterov: true, ..step });
        pass::tests::both_forms_agree(&Step { momentum: 0.0, ..step });
    }

    #[test]
    fn without_momentum_nothing_is_remembered() {
        let (p, g) = (Tensor::new(&[1f32, 2.0], &candle_core::Device::Cpu).unwrap(), [0.5f32, -1.0]);
        let g = Tensor::new(&g, p.device()).unwrap();
        let mut slots = ParamSlots::default();
        let new = SGD::default().update(&p, &g, &mut slots, &Hyper { lr: 0.1, momentum: None }).unwrap();
        assert_eq!(new.to_vec1::<f32>().unwrap(), [0.95, 2.1]);
        assert!(slots.tensors.is_empty() && slots.numbers.is_empty());
    }
}
