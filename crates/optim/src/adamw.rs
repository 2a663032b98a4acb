//! Adam with weight decay apart from the gradient.

use crate::adam_step::{self, Denominator, Settings, Step};
use crate::moments::Decay;
use crate::switches;
use crate::whole::elementwise;
use pleach_core::read::Rules;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// AdamW (Loshchilov and Hutter): Adam whose weight decay shrinks the weight and leaves the gradient alone.
///
/// `p = (1 - lr weight_decay) p`, then Adam's step: `m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)`.
#[plugin(optimizer, cite = "arXiv:1711.05101", check = Self::check)]
pub struct AdamW {
    /// Learning rate: about how far a weight moves in a step.
    #[plugin(default = 1e-3, range = 0.0..)]
    pub lr: f64,
    /// How slowly the averages of the gradient and of its square forget; schedulers may cycle the first.
    #[plugin(default = (0.9, 0.999), range = 0.0..1.0)]
    pub betas: (f64, f64),
    /// Added to the denominator: it bounds the steps of weights whose gradients are all but 0.
    #[plugin(default = 1e-8, range = 0.0..)]
    pub eps: f64,
    /// Decay: each step takes this share, times the learning rate, of a weight.
    #[plugin(default = 1e-2, range = 0.0..)]
    pub weight_decay: f64,
    /// Divides by the greatest average of squares so far, so that steps never grow again (AMSGrad).
    #[plugin(default = false)]
    pub amsgrad: bool,
    /// Climbs instead of descending.
    #[plugin(default = false)]
    pub maximize: bool,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub fused: Option<bool>,
    /// PyTorch's switch for CUDA graphs; without effect here.
    #[plugin(idle)]
    pub capturable: Option<bool>,
    /// PyTorch's switch for gradients through a step; without effect here.
    #[plugin(idle)]
    pub differentiable: Option<bool>,
}

impl AdamW {
    fn check(&self, rules: &mut Rules) {
        switches::check(rules, self.fused, self.foreach, self.differentiable);
    }
}

impl AdamW {
    fn formula(&self, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        let settings = Settings {
            betas: self.betas,
            eps: self.eps,
            weight_decay: self.weight_decay,
            decoupled: Decay::Decoupled,
            amsgrad: if self.amsgrad { Denominator::Greatest } else { Denominator::Average },
            factor: if self.maximize { -scale } else { scale },
        };
        Ok(adam_step::formula(&settings, slots, hyper))
    }
}

impl Optimizer for AdamW {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.betas.0)
    }

    elementwise!();
}
