use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Lion (evolved sign momentum, Chen et al. 2023), in plain tensor algebra.
///
/// `p = (1 - lr weight_decay) p - lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g`. pleach-optim has
/// a `Lion` of its own: one name for both would have to be written `crate/Lion` in every file, so this is another.
#[plugin(optimizer, cite = "arXiv:2302.06675")]
pub struct EvoSign {
    /// Learning rate: how far every weight moves in a step.
    #[plugin(default = 1e-4, above = 0.0)]
    pub lr: f64,
    /// How much momentum decides the direction, and how slowly the momentum forgets.
    #[plugin(default = (0.9, 0.99), range = 0.0..=1.0)]
    pub betas: (f64, f64),
    /// The share of a weight, times the learning rate, that each step takes away.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
}

impl Optimizer for EvoSign {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.betas.0)
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        let m = slots.zeros("exp_avg", param)?;
        let blend = |beta: f64| -> Result<Tensor> { Ok(((&m * beta)? + (grad * (1.0 - beta))?)?) };
        let direction = blend(hyper.momentum.unwrap_or(self.betas.0))?.sign()?;
        slots.keep("exp_avg", blend(self.betas.1)?);
        Ok(((param * (1.0 - hyper.lr * self.weight_decay))? - (direction * hyper.lr)?)?)
    }
}
