//! Group normalisation.

use super::{Affine, EPS};
use pleach_core::{Error, Result, Scope, Tensor};
use pleach_ops as ops;

/// Normalises groups of channels of each sample (arXiv:1803.08494): `weight` and `bias` `[channels]`; eps 1e-5.
#[derive(Debug)]
pub struct GroupNorm {
    affine: Affine,
    groups: usize,
}

impl GroupNorm {
    /// Makes the weights, 1 and 0, in `scope`.
    ///
    /// # Errors
    /// The groups do not divide the channels, or a name is taken.
    pub fn new(mut scope: Scope<'_>, groups: usize, channels: usize) -> Result<Self> {
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(Error::new("PL0222", format!("{channels} channels cannot be cut into {groups} groups")));
        }
        Ok(Self { affine: Affine::new(&mut scope, channels)?, groups })
    }

    /// `[N, C, ...]` to the same.
    ///
    /// # Errors
    /// The channels do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = self.affine.values();
        Ok(ops::group_norm(x, self.groups, Some(&weight), Some(&bias), EPS)?)
    }
}
