//! Batch normalisation with its running statistics.

use super::{Affine, EPS};
use pleach_core::params::Weight;
use pleach_core::{Cx, Init, Result, Scope, Tensor};
use pleach_ops::{self as ops, Then};

/// How much of the running statistics a batch replaces.
const MOMENTUM: f64 = 0.1;

/// Batch normalisation (arXiv:1502.03167): `weight`, `bias`, `running_mean`, `running_var` `[channels]` and the
/// count `num_batches_tracked`; eps 1e-5 and momentum 0.1.
#[derive(Debug)]
pub struct BatchNorm2d {
    affine: Affine,
    mean: Weight,
    var: Weight,
    batches: Weight,
}

impl BatchNorm2d {
    /// Makes weights (1 and 0) and statistics (mean 0, variance 1) in `scope`.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(scope: Scope<'_>, channels: usize) -> Result<Self> {
        Self::scaled(scope, channels, 1.0)
    }

    /// The same with another first value of `weight`; 0 lets a residual branch begin as nothing.
    ///
    /// # Errors
    /// A name is taken.
    pub fn scaled(mut scope: Scope<'_>, channels: usize, scale: f64) -> Result<Self> {
        let weight = scope.param("weight", channels, Init::Const(scale))?;
        let affine = Affine { weight, bias: scope.param("bias", channels, Init::Const(0.0))? };
        let mean = scope.buffer("running_mean", channels, Init::Const(0.0))?;
        let var = scope.buffer("running_var", channels, Init::Const(1.0))?;
        let batches = scope.buffer("num_batches_tracked", (), Init::Const(0.0))?;
        Ok(Self { affine, mean, var, batches })
    }

    /// `[N, C, H, W]` to the same: by the batch's statistics, which move the running ones, where the net learns; by
    /// the running ones where it serves. As in PyTorch they move where the weights are frozen, too.
    ///
    /// # Errors
    /// The channels do not fit, or a channel has a single value in training.
    pub fn forward(&self, x: &Tensor, cx: &Cx) -> Result<Tensor> {
        self.forward_then(x, cx, Then::Identity)
    }

    /// The same, with what follows in the same pass.
    ///
    /// # Errors
    /// See [`forward`](Self::forward).
    pub fn forward_then(&self, x: &Tensor, cx: &Cx, then: Then) -> Result<Tensor> {
        let (weight, bias) = self.affine.values();
        let (weight, bias) = (Some(&weight), Some(&bias));
        if !cx.training() {
            return Ok(ops::batch_norm(x, &self.mean.value(), &self.var.value(), weight, bias, EPS, then)?);
        }
        let out = ops::batch_norm_train(x, weight, bias, EPS, then)?;
        // The running variance takes the unbiased one.
        let unbiased = out.count as f64 / (out.count as f64 - 1.0);
        follow(&self.mean, &out.mean, 1.0)?;
        follow(&self.var, &out.var, unbiased)?;
        self.batches.set(&(self.batches.value() + 1.0)?)?;
        Ok(out.y)
    }
}

/// Moves a running statistic towards the batch's.
fn follow(running: &Weight, batch: &Tensor, times: f64) -> Result<()> {
    let old = (running.value() * (1.0 - MOMENTUM))?;
    let new = (batch.to_device(old.device())?.to_dtype(old.dtype())? * (MOMENTUM * times))?;
    running.set(&(old + new)?)
}
