//! Averages an image to a given size.

use crate::apply;
use crate::host::{Host, dims4, dtype, for_float, output, slice, tensor};
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::sum;
use std::ops::Range;

const NAME: &str = "adaptive_avg_pool2d";

/// Means over windows so placed that `[N, C, H, W]` becomes `[N, C, size[0], size[1]]`: window i covers the rows
/// from `floor(i H / size[0])` to `ceil((i + 1) H / size[0])`. Windows may overlap.
///
/// Candle has none.
pub fn adaptive_avg_pool2d(x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    if h * w == 0 || size.contains(&0) {
        bail!("{NAME}: nothing to average from {:?} to {size:?}", x.dims());
    }
    sizes::total(NAME, &[n, c, size[0], size[1]])?;
    let op = Op { planes: [n, c], input: [h, w], windows: [spans(h, size[0]), spans(w, size[1])] };
    apply::one(x, op)
}

/// Window i reaches from `floor(i from / to)` to `ceil((i + 1) from / to)`, in products that do not overflow.
pub(crate) fn spans(from: usize, to: usize) -> Vec<Range<usize>> {
    let (wide, count) = (from as u128, to as u128);
    (0..count).map(|i| (i * wide / count) as usize..((i + 1) * wide).div_ceil(count) as usize).collect()
}

struct Op {
    planes: [usize; 2],
    input: [usize; 2],
    windows: [Vec<Range<usize>>; 2],
}

impl Op {
    /// The windows in the order of the outputs.
    fn windows(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let [rows, cols] = &self.windows;
        rows.iter().flat_map(move |r| cols.iter().map(move |c| (r.clone(), c.clone())))
    }

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
        let ([n, c], [area_in, area]) = (self.planes, self.areas());
        let width = self.input[1];
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let means = fresh::rows(n * c * area, area, |r, means| {
                let x = &x[r * area_in..][..area_in];
                for (mean, (rows, cols)) in means.iter_mut().zip(self.windows()) {
                    let count = (rows.len() * cols.len()) as f64;
                    let total: f64 = rows.map(|i| sum(&x[i * width..][cols.clone()])).sum();
                    *mean = (total / count) as T;
                }
            });
            Ok(output::<T>(means, (n, c, self.windows[0].len(), self.windows[1].len())))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let ([area_in, area], width) = (self.areas(), self.input[1]);
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let dx = fresh::rows(x.elem_count(), area_in, |r, dx| {
                for (&dy, (rows, cols)) in dys[r * area..].iter().zip(self.windows()) {
                    let share = dy / (rows.len() * cols.len()) as T;
                    for i in rows {
                        dx[i * width..][cols.clone()].iter_mut().for_each(|v| *v += share);
                    }
                }
            });
            tensor::<T>(dx, x.shape()).map(Some)
        })
    }
}
