//! Instance normalisation.

use super::{Affine, EPS};
use pleach_core::{Result, Scope, Tensor};
use pleach_ops as ops;

/// Normalises each channel of each sample (arXiv:1607.08022): `weight` and `bias` `[channels]`, PyTorch's `affine = True`,
/// because the convolution before it has no bias; eps 1e-5, no running statistics.
#[derive(Debug)]
pub struct InstanceNorm {
    affine: Affine,
}

impl InstanceNorm {
    /// Makes the weights, 1 and 0, in `scope`.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(mut scope: Scope<'_>, channels: usize) -> Result<Self> {
        Ok(Self { affine: Affine::new(&mut scope, channels)? })
    }

    /// `[N, C, ...]` to the same.
    ///
    /// # Errors
    /// The channels do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = self.affine.values();
        Ok(ops::instance_norm(x, Some(&weight), Some(&bias), EPS)?)
    }
}
