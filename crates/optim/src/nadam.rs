//! NAdam: Adam that looks one step of its momentum ahead.

use crate::moments::{Decay, Moments};
use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// NAdam (Dozat): Adam that looks one step of its momentum ahead, as Nesterov does.
///
/// With Adam's averages `m` and `v`, and `mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)`:
/// `p = p - lr ((1 - mu_t) / (1 - mu_1 ... mu_t) g + mu_(t+1) / (1 - mu_1 ... mu_(t+1)) m)
/// / (sqrt(v / (1 - beta2^t)) + eps)`; the product is kept in single precision, as PyTorch keeps it.
#[plugin(optimizer, cite = "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ")]
pub struct NAdam {
    /// Learning rate: about how far a weight moves in a step.
    #[plugin(default = 2e-3, range = 0.0..)]
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
    /// How fast the momentum rises from half of the first beta to the whole.
    #[plugin(default = 4e-3, range = 0.0..)]
    pub momentum_decay: f64,
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
    eps: f64,
    /// 1 - beta2^t.
    correction: f64,
    /// What of the gradient and of its average a weight loses.
    of_grad: f64,
    of_average: f64,
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
        let (param, grad) = self.moments.algebra(param, grad, m, v)?;
        let denominator = ((&*v / self.correction)?.sqrt()? + self.eps)?;
        let param = (param - ((grad * self.of_grad)? / &denominator)?)?;
        Ok((param - ((&*m * self.of_average)? / denominator)?)?)
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [m, v]: &mut [T; 2]) -> T {
        // `x / (sqrt(v / c) + eps)` as `x sqrt(c) / (sqrt(v) + eps sqrt(c))`, and one quotient for both parts.
        let root = self.correction.sqrt();
        let [eps, of_grad, of_average] = [self.eps * root, self.of_grad * root, self.of_average * root].map(T::of);
        let (shrunk, g) = self.moments.rates().next(p, g, m, v);
        shrunk - (of_grad * g + of_average * *m) / (v.sqrt() + eps)
    }
}

impl NAdam {
    /// The momentum of a step.
    fn mu(&self, beta1: f64, t: f64) -> f64 {
        beta1 * (1.0 - 0.5 * 0.96f64.powf(t * self.momentum_decay))
    }
}

const PRODUCT: &str = "mu_product";

impl NAdam {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        let t = slots.count("step");
        let betas = (hyper.momentum.unwrap_or(self.betas.0), self.betas.1);
        let (mu, next) = (self.mu(betas.0, t), self.mu(betas.0, t + 1.0));
        let before = slots.numbers.get(PRODUCT).copied().unwrap_or(1.0);
        let product = f64::from(before as f32 * mu as f32);
        let decay = if self.decoupled_weight_decay { Decay::Decoupled } else { Decay::Gradient };
        let factor = if self.maximize { -scale } else { scale };
        let step = Step {
            moments: Moments::new(factor, betas, self.weight_decay, decay, hyper.lr),
            eps: self.eps,
            correction: 1.0 - betas.1.powf(t),
            of_grad: hyper.lr * (1.0 - mu) / (1.0 - product),
            of_average: hyper.lr * next / (1.0 - product * next),
        };
        slots.numbers.insert(PRODUCT.to_owned(), product);
        Ok(step)
    }
}

impl Optimizer for NAdam {
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
        let step = Step { moments, eps: 1e-3, correction: 0.4, of_grad: 0.02, of_average: 0.03 };
        pass::tests::both_forms_agree(&step);
    }
}
