//! Resizes images by the nearest element.

use crate::host::{Host, dims4, dtype, for_float, output, slice, tensor};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::par_rows;

const NAME: &str = "upsample_nearest2d";

/// `[N, C, H, W]` to `[N, C, size[0], size[1]]`, up or down: output row i takes input row `floor(i H / size[0])`, the
/// quotient `H / size[0]` rounded to `f32` first, as PyTorch's `nearest` does.
///
/// In place of candle's, whose gradient overwrites what its input has from elsewhere.
pub fn upsample_nearest2d(x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    if h * w == 0 || size.contains(&0) {
        bail!("{NAME}: cannot resize {:?} to {size:?}", x.dims());
    }
    let op = Op { planes: [n, c], input: [h, w], sources: [sources(h, size[0]), sources(w, size[1])] };
    x.contiguous()?.apply_op1(op)
}

/// Which of `from` positions each of `to` positions takes.
fn sources(from: usize, to: usize) -> Vec<usize> {
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|i| {
            if to == from {
                i
            } else if to == 2 * from {
                i / 2
            } else {
                ((i as f32 * scale) as usize).min(from - 1)
            }
        })
        .collect()
}

struct Op {
    planes: [usize; 2],
    input: [usize; 2],
    sources: [Vec<usize>; 2],
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([n, c], [h, w]) = (self.planes, self.input);
        let [rows, cols] = &self.sources;
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let mut y = vec![0.0; n * c * rows.len() * cols.len()];
            par_rows(&mut y, rows.len() * cols.len(), |r, y| {
                let x = &x[r * h * w..][..h * w];
                for (y, &row) in y.chunks_mut(cols.len()).zip(rows) {
                    let x = &x[row * w..][..w];
                    for (y, &col) in y.iter_mut().zip(cols) {
                        *y = x[col];
                    }
                }
            });
            Ok(output::<T>(y, (n, c, rows.len(), cols.len())))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let ([h, w], [rows, cols]) = (self.input, &self.sources);
        let area = rows.len() * cols.len();
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let mut dx = vec![0.0; x.elem_count()];
            par_rows(&mut dx, h * w, |r, dx| {
                for (dy, &row) in dys[r * area..][..area].chunks(cols.len()).zip(rows) {
                    let dx = &mut dx[row * w..][..w];
                    for (&dy, &col) in dy.iter().zip(cols) {
                        dx[col] += dy;
                    }
                }
            });
            tensor::<T>(dx, x.shape()).map(Some)
        })
    }
}
