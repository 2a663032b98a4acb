//! Layers: a few weights and the operation that uses them, under the names and with the defaults of PyTorch's modules.

mod batch_norm2d;
mod conv2d;
mod conv_transpose2d;
mod dropout;
mod dropout2d;
mod group_norm;
mod instance_norm;
mod linear;
mod norm;

pub use batch_norm2d::BatchNorm2d;
pub use conv_transpose2d::{ConvTranspose2d, ConvTranspose2dShape};
pub use conv2d::{Conv2d, Conv2dShape, ConvInit};
pub use dropout::Dropout;
pub use dropout2d::Dropout2d;
pub use group_norm::GroupNorm;
pub use instance_norm::InstanceNorm;
pub use linear::Linear;
pub use norm::{Norm, NormLayer};

use pleach_core::params::Weight;
use pleach_core::{Init, Result, Scope, Tensor};

/// Whether a layer adds a bias to its output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bias {
    /// It does: the default of PyTorch's layers.
    #[default]
    With,
    /// It does not: a norm that follows would take the bias out again.
    Without,
}

impl Bias {
    /// The parameter `bias` `[out]`, uniform within 1 / sqrt(fan in) as PyTorch has it, if there is to be one.
    fn make(self, scope: &mut Scope<'_>, out: usize, fan_in: usize) -> Result<Option<Weight>> {
        match self {
            Self::With => Ok(Some(scope.param("bias", out, Init::pytorch_weight(fan_in))?)),
            Self::Without => Ok(None),
        }
    }
}

/// Scale and shift of the channels after a norm, `weight` and `bias`: 1 and 0 at first.
#[derive(Debug)]
struct Affine {
    weight: Weight,
    bias: Weight,
}

impl Affine {
    fn new(scope: &mut Scope<'_>, channels: usize) -> Result<Self> {
        let weight = scope.param("weight", channels, Init::Const(1.0))?;
        Ok(Self { weight, bias: scope.param("bias", channels, Init::Const(0.0))? })
    }

    fn values(&self) -> (Tensor, Tensor) {
        (self.weight.value(), self.bias.value())
    }
}

/// What all norms of PyTorch add to the variance.
const EPS: f64 = 1e-5;
