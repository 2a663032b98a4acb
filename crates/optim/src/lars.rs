//! LARS: momentum whose steps are as long as the weights of their layer allow.

use crate::pass::{self, Formula, Real};
use crate::slices::{Element, Slices};
use crate::sums;
use pleach_core::read::Rules;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// LARS (You, Gitman and Ginsburg): SGD whose steps are a share of the size of the parameter that they change, so
/// that very large batches can be learned from.
///
/// `a = trust_coeff |p| / (|g| + weight_decay |p| + eps)`, or 1 where either norm is 0; `g = a (g + weight_decay p)`,
/// then SGD: `buf = momentum buf + (1 - dampening) g; p = p - lr buf`, where the first step has `buf = g`, and
/// Nesterov's form takes `g + momentum buf`. Names, defaults and rules are those of timm's `Lars`: `a` is 1 wherever
/// the decay is 0 (norms and biases with `filter_bias_and_bn`), unless `always_adapt` says otherwise. The LARS of
/// pytorch_optimizer has `lr = 1e-3`, `momentum = 0.9`, no eps, and leaves parameters of one dimension alone.
#[plugin(optimizer, alias = ["Lars"], cite = "arXiv:1708.03888", check = Self::check)]
pub struct LARS {
    /// Learning rate: what a step is multiplied by.
    #[plugin(default = 1.0, range = 0.0..)]
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
    /// The length of a step, at a rate of 1, relative to the length of the parameter.
    #[plugin(default = 1e-3)]
    pub trust_coeff: f64,
    /// Added to the norm that is divided by.
    #[plugin(default = 1e-8)]
    pub eps: f64,
    /// Lets the size of a parameter only shorten the step that the rate would take (LARC).
    #[plugin(default = false)]
    pub trust_clip: bool,
    /// Adapts steps also where the decay is 0.
    #[plugin(default = false)]
    pub always_adapt: bool,
    /// timm's choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
}

impl LARS {
    fn check(&self, rules: &mut Rules) {
        if self.nesterov && (self.momentum <= 0.0 || self.dampening != 0.0) {
            rules.refuse("nesterov", "Nesterov's form needs a `momentum` above 0 and a `dampening` of 0");
        }
    }

    /// What the gradient with its decay is multiplied by.
    fn trust(&self, param: &Tensor, grad: &Tensor, lr: f64) -> Result<f64> {
        let (weight, slope) = (sums::squares(param)?.sqrt(), sums::squares(grad)?.sqrt());
        let ratio = if weight > 0.0 && slope > 0.0 {
            self.trust_coeff * weight / (slope + weight * self.weight_decay + self.eps)
        } else {
            1.0
        };
        Ok(if self.trust_clip { (ratio / lr).min(1.0) } else { ratio })
    }
}

const BUFFER: &str = "momentum_buffer";

/// The numbers of one step.
struct Step {
    lr: f64,
    trust: f64,
    weight_decay: f64,
    momentum: f64,
    /// What is kept of the momentum buffer, and how much of the gradient enters it.
    keep: f64,
    enter: f64,
    /// How much of the gradient and of the buffer a weight loses.
    of_grad: f64,
    of_buffer: f64,
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &[BUFFER] }
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        if self.momentum == 0.0 { all.each::<0>(self) } else { all.each::<1>(self) }
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let mut direction = ((grad + (param * self.weight_decay)?)? * self.trust)?;
        if let [buffer] = slots {
            *buffer = ((&*buffer * self.keep)? + (&direction * self.enter)?)?;
            direction = ((direction * self.of_grad)? + (&*buffer * self.of_buffer)?)?;
        }
        Ok((param - (direction * self.lr)?)?)
    }
}

impl<T: Real> Element<T, 0> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, []: &mut [T; 0]) -> T {
        let [lr, trust, decay] = [self.lr, self.trust, self.weight_decay].map(T::of);
        p - lr * (trust * (g + decay * p))
    }
}

impl<T: Real> Element<T, 1> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [buffer]: &mut [T; 1]) -> T {
        let [lr, trust, decay] = [self.lr, self.trust, self.weight_decay].map(T::of);
        let [keep, enter, of_grad, of_buffer] = [self.keep, self.enter, self.of_grad, self.of_buffer].map(T::of);
        let g = trust * (g + decay * p);
        *buffer = keep * *buffer + enter * g;
        p - lr * (of_grad * g + of_buffer * *buffer)
    }
}

impl Optimizer for LARS {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.momentum)
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        // The first gradient fills the buffer whole, whatever the dampening.
        let first = !slots.tensors.contains_key(BUFFER);
        let momentum = hyper.momentum.unwrap_or(self.momentum);
        let adapts = self.weight_decay != 0.0 || self.always_adapt;
        let step = Step {
            lr: hyper.lr,
            trust: if adapts { self.trust(param, grad, hyper.lr)? } else { 1.0 },
            weight_decay: self.weight_decay,
            momentum,
            keep: if first { 0.0 } else { momentum },
            enter: if first { 1.0 } else { 1.0 - self.dampening },
            of_grad: if self.nesterov { 1.0 } else { 0.0 },
            of_buffer: if self.nesterov { momentum } else { 1.0 },
        };
        pass::step(&step, param, grad, slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        let step = Step {
            lr: 0.1,
            trust: 0.3,
            weight_decay: 0.01,
            momentum: 0.9,
            keep: 0.9,
            enter: 0.7,
            of_grad: 0.0,
            of_buffer: 1.0,
        };
        pass::tests::both_forms_agree(&step);
        pass::tests::both_forms_agree(&Step { of_grad: 1.0, of_buffer: 0.9, ..step });
        pass::tests::both_forms_agree(&Step { momentum: 0.0, ..step });
    }

    #[test]
    fn a_parameter_of_zeros_takes_the_plain_step() {
        let g = Tensor::new(&[3f64, 4.0], &pleach_core::Device::Cpu).unwrap();
        let lars = LARS { always_adapt: true, ..LARS::default() };
        let hyper = Hyper { lr: 0.1, momentum: None };
        let new = lars.update(&g.zeros_like().unwrap(), &g, &mut ParamSlots::default(), &hyper).unwrap();
        assert_eq!(new.to_vec1::<f64>().unwrap(), [-0.1 * 3.0, -0.1 * 4.0]);
    }
}
