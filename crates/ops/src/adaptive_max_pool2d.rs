//! Takes the largest of each cell of a grid of given size.

use crate::adaptive_avg_pool2d::spans;
use crate::apply;
use crate::host::{Host, dims4, dtype, for_float, output, slice, tensor};
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::par_rows2;
use std::ops::Range;
use std::sync::OnceLock;

const NAME: &str = "adaptive_max_pool2d";

/// The largest element of each of the windows of [`adaptive_avg_pool2d`](crate::adaptive_avg_pool2d):
/// `[N, C, H, W]` becomes `[N, C, size[0], size[1]]`. Of equals, the first in reading order takes the gradient; NaN
/// wins.
///
/// Candle has none.
pub fn adaptive_max_pool2d(x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    if h * w == 0 || size.contains(&0) {
        bail!("{NAME}: nothing to choose from {:?} to {size:?}", x.dims());
    }
    if u32::try_from(h * w).is_err() {
        bail!("{NAME}: image too large: {:?}", x.dims());
    }
    sizes::total(NAME, &[n, c, size[0], size[1]])?;
    let windows = [spans(h, size[0]), spans(w, size[1])];
    apply::one(x, Op { planes: [n, c], input: [h, w], windows, winners: OnceLock::new() })
}

struct Op {
    planes: [usize; 2],
    input: [usize; 2],
    windows: [Vec<Range<usize>>; 2],
    /// For each output, where in its input plane the maximum was.
    winners: OnceLock<Vec<u32>>,
}

impl Op {
    fn areas(&self) -> [usize; 2] {
        let [h, w] = self.input;
        [h * w, self.windows[0].len() * self.windows[1].len()]
    }
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([n, c], [area_in, area], width) = (self.planes, self.areas(), self.input[1]);
        let [rows, cols] = &self.windows;
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let mut y = vec![0.0; n * c * area];
            let mut at = vec![0; y.len()];
            par_rows2(&mut y, area, &mut at, area, |r, y, at| {
                let x = &x[r * area_in..][..area_in];
                let windows = rows.iter().flat_map(|r| cols.iter().map(move |c| (r, c)));
                for ((y, at), (rows, cols)) in y.iter_mut().zip(at).zip(windows) {
                    let first = rows.start * width + cols.start;
                    let mut best = (x[first], first);
                    for row in rows.clone() {
                        let start = row * width + cols.start;
                        for (i, &v) in x[start..][..cols.len()].iter().enumerate() {
                            if v > best.0 || v.is_nan() {
                                best = (v, start + i);
                            }
                        }
                    }
                    (*y, *at) = (best.0, best.1 as u32);
                }
            });
            // The op runs once; were it run again, the winners would be the same.
            let _ = self.winners.set(at);
            Ok(output::<T>(y, (n, c, rows.len(), cols.len())))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let Some(winners) = self.winners.get() else {
            bail!("{NAME}: backward without a forward");
        };
        let [area_in, area] = self.areas();
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let dx = fresh::rows(x.elem_count(), area_in, |r, dx| {
                let range = r * area..(r + 1) * area;
                for (&at, &dy) in winners[range.clone()].iter().zip(&dys[range]) {
                    dx[at as usize] += dy;
                }
            });
            tensor::<T>(dx, x.shape()).map(Some)
        })
    }
}
