use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Documented.
#[plugin(scheduler)]
struct Descent {}

impl Optimizer for Descent {
    fn lr(&self) -> f64 {
        0.1
    }

    fn update(&self, param: &Tensor, grad: &Tensor, _: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((param - (grad * hyper.lr)?)?)
    }
}

fn main() {}
