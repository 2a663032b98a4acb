use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Gradient descent with a momentum: `m = momentum m + g; p = p - lr m`.
#[plugin(optimizer)]
pub struct MyPlugin {
    /// Learning rate: how far a weight moves for a gradient of 1.
    #[plugin(default = 0.01, above = 0.0)]
    pub lr: f64,
    /// The share of the last step that goes into the next, 0 to 1.
    #[plugin(default = 0.9, range = 0.0..1.0)]
    pub momentum: f64,
}

impl Optimizer for MyPlugin {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.momentum)
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        let m = slots.zeros("momentum", param)?;
        let m = ((m * hyper.momentum.unwrap_or(self.momentum))? + grad)?;
        slots.keep("momentum", m.clone());
        Ok((param - (m * hyper.lr)?)?)
    }
}
