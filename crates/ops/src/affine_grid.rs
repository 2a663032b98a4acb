//! Makes the sampling grid of an affine map.

use crate::Corners;
use crate::apply;
use crate::host::{Host, dtype, for_float, output, slice, tensor};
use crate::sizes::{self, Sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::{Float, par_rows};

const NAME: &str = "affine_grid";

/// Where each pixel of an image of `size` = `[rows, columns]` comes from under the maps `theta`, `[N, 2, 3]`:
/// `[N, rows, columns, 2]`, the places `theta [x, y, 1]` as [`grid_sample`](crate::grid_sample) reads them. `x` and `y`
/// run from -1 to 1 over the columns and the rows, between the centres of the first and the last
/// ([`Corners::Centres`]) or between their outer edges ([`Corners::Edges`]).
///
/// Candle has none.
pub fn affine_grid(theta: &Tensor, size: [usize; 2], corners: Corners) -> Result<Tensor> {
    let &[n, 2, 3] = theta.dims() else {
        bail!("{NAME}: theta of shape [N, 2, 3] expected, got {:?}", theta.dims());
    };
    if size.contains(&0) {
        bail!("{NAME}: a grid of at least one pixel expected, got {size:?} for theta {:?}", theta.dims());
    }
    sizes::total(NAME, &[n, size[0], size[1], 2])?;
    apply::one(theta, Op { images: n, size, corners })
}

struct Op {
    images: usize,
    size: Sizes,
    corners: Corners,
}

/// The coordinate of each of `count` positions along an axis.
pub(crate) fn coordinates(count: usize, corners: Corners) -> Vec<f64> {
    let last = (count - 1) as f64;
    let half = match corners {
        Corners::Centres => last,
        Corners::Edges => count as f64,
    };
    // From the middle outwards: the same on both sides. A single one stands in the middle.
    (0..count).map(|i| if count > 1 { (2.0 * i as f64 - last) / half } else { 0.0 }).collect()
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([h, w], [ys, xs]) = (self.size, self.size.map(|count| coordinates(count, self.corners)));
        for_float!(NAME, dtype(s), T => {
            let theta = slice::<T>(NAME, s, l)?;
            let mut grid = vec![0.0; self.images * h * w * 2];
            par_rows(&mut grid, w * 2, |r, row| {
                let (theta, y) = (&theta[r / h * 6..][..6], ys[r % h] as T);
                for (place, &x) in row.chunks_exact_mut(2).zip(&xs) {
                    for (place, theta) in place.iter_mut().zip(theta.chunks_exact(3)) {
                        *place = theta[0] * x as T + theta[1] * y + theta[2];
                    }
                }
            });
            Ok(output::<T>(grid, (self.images, h, w, 2)))
        })
    }

    fn bwd(&self, theta: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let ([h, w], [ys, xs]) = (self.size, self.size.map(|count| coordinates(count, self.corners)));
        let dy = dy.contiguous()?;
        for_float!(NAME, theta.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            // Each row's share, then the rows in their order.
            let mut shares = vec![0.0; self.images * h * 6];
            par_rows(&mut shares, 6, |r, share| {
                let row = &dys[r * w * 2..][..w * 2];
                for (axis, share) in share.chunks_exact_mut(3).enumerate() {
                    let (mut along, mut all) = (0.0, 0.0);
                    for (d, &x) in row.chunks_exact(2).zip(&xs) {
                        let d = Float::wide(d[axis]);
                        along += d * x;
                        all += d;
                    }
                    share.copy_from_slice(&[along, all * ys[r % h], all]);
                }
            });
            let mut dtheta = vec![0.0; self.images * 6];
            for (n, dtheta) in dtheta.chunks_exact_mut(6).enumerate() {
                let mut sums = [0.0; 6];
                for share in shares[n * h * 6..][..h * 6].chunks_exact(6) {
                    sums.iter_mut().zip(share).for_each(|(sum, share)| *sum += share);
                }
                dtheta.iter_mut().zip(sums).for_each(|(d, sum)| *d = sum as T);
            }
            tensor::<T>(dtheta, theta.shape()).map(Some)
        })
    }
}
