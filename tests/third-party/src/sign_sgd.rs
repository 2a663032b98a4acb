use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Moves each weight by the sign of its gradient (Bernstein et al., ICML 2018).
#[plugin(optimizer, cite = "arXiv:1802.04434")]
pub struct SignSGD {
    /// Learning rate: how far each weight moves.
    #[plugin(default = 0.01, range = 0.0..)]
    pub lr: f64,
}

impl Optimizer for SignSGD {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        slots.count("step");
        Ok((param - (grad.sign()? * hyper.lr)?)?)
    }
}
