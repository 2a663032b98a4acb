//! Normalises groups of channels.

use crate::norm_rows::{Per, Rows};
use crate::{Then, sizes};
use candle_core::{Result, Tensor, bail};

/// `(x - mean) / sqrt(var + eps) * weight + bias` for `x` `[N, C, ...]`, mean and biased variance over each of `groups` runs of
/// `C / groups` channels of each sample; `weight` and `bias` are `[C]`, 1 and 0 where not given.
///
/// In place of candle-nn's, some fifteen operations.
pub fn group_norm(
    x: &Tensor,
    groups: usize,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    group_norm_then(x, groups, weight, bias, eps, Then::Identity)
}

/// [`group_norm`] and what follows it, in the same pass.
pub fn group_norm_then(
    x: &Tensor,
    groups: usize,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
    then: Then,
) -> Result<Tensor> {
    grouped("group_norm", x, groups, [weight, bias], eps, then)
}

pub(crate) fn grouped(
    op: &'static str,
    x: &Tensor,
    groups: usize,
    affine: [Option<&Tensor>; 2],
    eps: f64,
    then: Then,
) -> Result<Tensor> {
    let &[_, channels, ref rest @ ..] = x.dims() else {
        bail!("{op}: x [N, C, ...] expected, got {:?}", x.dims());
    };
    if groups == 0 || !channels.is_multiple_of(groups) {
        bail!("{op}: {groups} groups do not divide the channels of x {:?}", x.dims());
    }
    sizes::total(op, x.dims())?;
    let area = rest.iter().product();
    let channels_each = channels / groups;
    let rows = Rows { op, len: channels_each * area, per: Per::Channel { channels: channels_each, area, groups } };
    rows.norm(x, affine, &[channels], eps, then)
}
