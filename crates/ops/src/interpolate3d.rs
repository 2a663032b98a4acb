//! Resizes sequences and volumes, by the resizing of images.

use crate::along::{sequences, volumes};
use crate::{Interpolation, Size, interpolate};
use candle_core::{Result, Tensor, bail};

/// `[N, C, L]` to `[N, C, size]`, as [`interpolate`]; `Bilinear` is PyTorch's `linear`. No cubic and no antialiased
/// way, as
/// in PyTorch.
pub fn interpolate1d(x: &Tensor, size: usize, how: Interpolation) -> Result<Tensor> {
    const NAME: &str = "interpolate1d";
    known(NAME, x, how)?;
    sequences(NAME, x, |x| interpolate(x, Size::To([1, size]), how))
}

/// `[N, C, D, H, W]` to `[N, C, size..]`, as [`interpolate`]; `Bilinear` is PyTorch's `trilinear`. No cubic and no
/// antialiased
/// way, as in PyTorch.
pub fn interpolate3d(x: &Tensor, [depth, rows, cols]: [usize; 3], how: Interpolation) -> Result<Tensor> {
    const NAME: &str = "interpolate3d";
    known(NAME, x, how)?;
    volumes(
        NAME,
        x,
        |planes| interpolate(planes, Size::To([rows, cols]), how),
        |depths| interpolate(depths, Size::To([depth, depths.dims()[3]]), how),
    )
}

fn known(op: &'static str, x: &Tensor, how: Interpolation) -> Result<()> {
    match how {
        Interpolation::Nearest | Interpolation::NearestExact | Interpolation::Bilinear(_) | Interpolation::Area => {
            Ok(())
        }
        other => bail!("{op}: nearest, linear or area expected for x {:?}, got {other:?}", x.dims()),
    }
}
