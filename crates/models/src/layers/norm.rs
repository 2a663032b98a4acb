//! The choice of a norm, as a model's parameter and as a layer.

use super::{BatchNorm2d, GroupNorm, InstanceNorm};
use pleach_core::{Cx, Result, Scope, Tensor, config};
use pleach_ops::{self as ops, Then};

/// What is normalised together.
#[config]
#[derive(Default)]
pub enum Norm {
    /// Each channel over the batch.
    #[default]
    Batch,
    /// Groups of channels of each sample; for batches of a few samples.
    Group,
    /// Each channel of each sample.
    Instance,
}

/// A norm with its weights, or none.
#[derive(Debug)]
pub enum NormLayer {
    /// See [`BatchNorm2d`].
    Batch(BatchNorm2d),
    /// See [`GroupNorm`].
    Group(GroupNorm),
    /// See [`InstanceNorm`].
    Instance(InstanceNorm),
    /// The input goes through as it is.
    Identity,
}

impl NormLayer {
    /// Makes the norm's weights in `scope`; `groups` is for [`Norm::Group`] alone.
    ///
    /// # Errors
    /// The groups do not divide the channels, or a name is taken.
    pub fn new(scope: Scope<'_>, norm: Option<Norm>, groups: usize, channels: usize) -> Result<Self> {
        Ok(match norm {
            Some(Norm::Batch) => Self::Batch(BatchNorm2d::new(scope, channels)?),
            Some(Norm::Group) => Self::Group(GroupNorm::new(scope, groups, channels)?),
            Some(Norm::Instance) => Self::Instance(InstanceNorm::new(scope, channels)?),
            None => Self::Identity,
        })
    }

    /// `[N, C, H, W]` to the same.
    ///
    /// # Errors
    /// The channels do not fit.
    pub fn forward(&self, x: &Tensor, cx: &Cx) -> Result<Tensor> {
        match self {
            Self::Batch(norm) => norm.forward(x, cx),
            Self::Group(norm) => norm.forward(x),
            Self::Instance(norm) => norm.forward(x),
            Self::Identity => Ok(x.clone()),
        }
    }

    /// The norm and the rectifier behind it, in one pass where there is one.
    ///
    /// # Errors
    /// The channels do not fit.
    pub fn forward_relu(&self, x: &Tensor, cx: &Cx) -> Result<Tensor> {
        match self {
            Self::Batch(norm) => norm.forward_then(x, cx, Then::Relu),
            _ => Ok(ops::relu(&self.forward(x, cx)?)?),
        }
    }
}
