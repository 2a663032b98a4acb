//! Makes the sampling grid of an affine map of volumes.

use crate::affine_grid::coordinates;
use crate::{Corners, matmul, sizes};
use candle_core::{Result, Tensor, bail};

const NAME: &str = "affine_grid3d";

/// Where each element of a volume of `size` = `[depth, rows, columns]` comes from under the maps `theta`, `[N, 3, 4]`:
/// `[N, depth, rows, columns, 3]`, the places `theta [x, y, z, 1]` as [`grid_sample3d`](crate::grid_sample3d) reads
/// them;
/// coordinates as in [`affine_grid`](crate::affine_grid).
///
/// Candle has none.
pub fn affine_grid3d(theta: &Tensor, size: [usize; 3], corners: Corners) -> Result<Tensor> {
    let &[n, 3, 4] = theta.dims() else {
        bail!("{NAME}: theta of shape [N, 3, 4] expected, got {:?}", theta.dims());
    };
    if size.contains(&0) {
        bail!("{NAME}: a grid of at least one element expected, got {size:?} for theta {:?}", theta.dims());
    }
    let [d, h, w] = size;
    sizes::total(NAME, &[n, d, h, w, 4])?;
    let [zs, ys, xs] = size.map(|count| coordinates(count, corners));
    let mut places = Vec::with_capacity(d * h * w * 4);
    for &z in &zs {
        for &y in &ys {
            places.extend(xs.iter().flat_map(|&x| [x, y, z, 1.0]));
        }
    }
    let places = Tensor::from_vec(places, (d * h * w, 4), theta.device())?.to_dtype(theta.dtype())?;
    let grid = matmul(&places, &theta.transpose(1, 2)?)
        .map_err(|e| e.context(format!("{NAME} of theta {:?}", theta.dims())))?;
    grid.reshape((n, d, h, w, 3))
}
