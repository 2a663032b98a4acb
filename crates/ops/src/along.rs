//! Runs operations on images along the axes of sequences and volumes.

use crate::sizes;
use candle_core::{Result, Tensor, bail};

/// What an operation of images makes of sequences `[N, C, L]`, as images of one row. An error names `op`, not that one.
pub(crate) fn sequences(op: &'static str, x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    if x.rank() != 3 {
        bail!("{op}: x with 3 dimensions expected, got {:?}", x.dims());
    }
    named(op, x, f(&x.unsqueeze(2)?))?.squeeze(2)
}

/// What two operations of images make of volumes `[N, C, D, H, W]`: one of the planes `[.., H, W]`, then one of the
/// depths, which gets planes `[.., D, H' W']`.
pub(crate) fn volumes(
    op: &'static str,
    x: &Tensor,
    of_planes: impl Fn(&Tensor) -> Result<Tensor>,
    of_depths: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let &[n, c, d, h, w] = x.dims() else {
        bail!("{op}: x with 5 dimensions expected, got {:?}", x.dims());
    };
    if sizes::total(op, x.dims())? == 0 && d * h * w == 0 {
        bail!("{op}: volumes of at least one element expected, got {:?}", x.dims());
    }
    let planes = named(op, x, of_planes(&x.reshape((n, c * d, h, w))?))?;
    let (_, _, h, w) = planes.dims4()?;
    let y = named(op, x, of_depths(&planes.reshape((n, c, d, h * w))?))?;
    let (_, _, d, _) = y.dims4()?;
    y.reshape((n, c, d, h, w))
}

fn named<T>(op: &'static str, x: &Tensor, result: Result<T>) -> Result<T> {
    result.map_err(|e| e.context(format!("{op} of x {:?}", x.dims())))
}
