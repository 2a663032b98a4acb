//! Normalises over the last dimensions.

use crate::norm_rows::{Per, Rows};
use crate::{Then, sizes};
use candle_core::{Result, Tensor, bail};

/// `(x - mean) / sqrt(var + eps) * weight + bias`, mean and biased variance over the last `dims` dimensions together;
/// `weight` and `bias` have the shape of those dimensions and are 1 and 0 where not given.
///
/// In place of candle-nn's `LayerNorm`, which cuts the graph without a word on contiguous input.
pub fn layer_norm(x: &Tensor, dims: usize, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    layer_norm_then(x, dims, weight, bias, eps, Then::Identity)
}

/// [`layer_norm`] and what follows it, in the same pass.
pub fn layer_norm_then(
    x: &Tensor,
    dims: usize,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
    then: Then,
) -> Result<Tensor> {
    if dims == 0 || dims > x.rank() {
        bail!("layer_norm: {dims} last dimensions of x {:?}", x.dims());
    }
    sizes::total("layer_norm", x.dims())?;
    let shape = &x.dims()[x.rank() - dims..];
    let rows = Rows { op: "layer_norm", len: shape.iter().product(), per: Per::Position };
    rows.norm(x, [weight, bias], shape, eps, then)
}
