//! The affine map with its weight.

use super::Bias;
use pleach_core::params::Weight;
use pleach_core::{Init, Result, Scope, Tensor};
use pleach_ops as ops;

/// An affine map: `weight` `[out, in]` and `bias` `[out]`, both uniform within 1 / sqrt(in) at first, as in PyTorch.
#[derive(Debug)]
pub struct Linear {
    weight: Weight,
    bias: Option<Weight>,
}

impl Linear {
    /// Makes the weights in `scope`.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(mut scope: Scope<'_>, inputs: usize, outputs: usize, bias: Bias) -> Result<Self> {
        let weight = scope.param("weight", (outputs, inputs), Init::pytorch_weight(inputs))?;
        Ok(Self { weight, bias: bias.make(&mut scope, outputs, inputs)? })
    }

    /// `[..., in]` to `[..., out]`.
    ///
    /// # Errors
    /// The last dimension does not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Weight::value);
        Ok(ops::linear(x, &self.weight.value(), bias.as_ref())?)
    }
}
