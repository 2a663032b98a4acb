//! Normalises each channel over the batch.

use candle_core::{Result, Tensor, bail};

/// What batch normalisation in training gives: the output and the batch's own statistics.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// The normalised, scaled and shifted input, in its shape.
    pub y: Tensor,
    /// Mean of each channel, `[C]`, without gradient.
    pub mean: Tensor,
    /// Biased variance (divided by the count) of each channel, `[C]`, without gradient. PyTorch's running variance
    /// takes the unbiased one: times `count / (count - 1)`.
    pub var: Tensor,
    /// Elements per channel.
    pub count: usize,
}

/// Training mode: `(x - mean) / sqrt(var + eps) * weight + bias`, mean and var over all dimensions but dim 1.
pub fn batch_norm_train(_x: &Tensor, _weight: Option<&Tensor>, _bias: Option<&Tensor>, _eps: f64) -> Result<BatchNorm> {
    bail!("being written")
}

/// Evaluation mode: the same with given statistics `mean` and `var`, `[C]`, which get no gradient.
pub fn batch_norm(
    _x: &Tensor,
    _mean: &Tensor,
    _var: &Tensor,
    _weight: Option<&Tensor>,
    _bias: Option<&Tensor>,
    _eps: f64,
) -> Result<Tensor> {
    bail!("being written")
}
