//! Normalises each channel of each sample.

use crate::Then;
use crate::group_norm::grouped;
use candle_core::{Result, Tensor, bail};

/// `(x - mean) / sqrt(var + eps) * weight + bias` for `x` `[N, C, ...]`, mean and biased variance over each channel of each
/// sample; `weight` and `bias` are `[C]`, 1 and 0 where not given. Candle has none.
pub fn instance_norm(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    instance_norm_then(x, weight, bias, eps, Then::Identity)
}

/// [`instance_norm`] and what follows it, in the same pass.
pub fn instance_norm_then(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
    then: Then,
) -> Result<Tensor> {
    let &[_, channels, ..] = x.dims() else {
        bail!("instance_norm: x [N, C, ...] expected, got {:?}", x.dims());
    };
    grouped("instance_norm", x, channels, [weight, bias], eps, then)
}
