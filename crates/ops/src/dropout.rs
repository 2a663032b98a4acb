//! Drops elements.

use crate::apply;
use crate::host::{Host, dtype, for_float, output, slice, tensor};
use crate::sizes;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::par_rows;

/// Zeroes each element whose draw `uniform()` in `[0, 1)` is below `p` and multiplies the rest by `1 / (1 - p)`.
///
/// `uniform` is called once for each element in order, so the caller's generator alone decides. In place of
/// candle-nn's, which draws from candle's own generator: that one cannot be seeded on the CPU.
pub fn dropout(x: &Tensor, p: f64, uniform: impl FnMut() -> f32) -> Result<Tensor> {
    drop_runs("dropout", x, 1, p, uniform)
}

/// Drops or keeps runs of `run` elements, one draw each.
pub(crate) fn drop_runs(
    name: &'static str,
    x: &Tensor,
    run: usize,
    p: f64,
    mut uniform: impl FnMut() -> f32,
) -> Result<Tensor> {
    if !(0.0..=1.0).contains(&p) {
        bail!("{name}: p between 0 and 1 expected, got {p}");
    }
    let draws = sizes::total(name, x.dims())? / run.max(1);
    let kept = (0..draws).map(|_| f64::from(uniform()) >= p).collect();
    let scale = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    let op = Op { name, run, kept, scale };
    apply::one(x, op)
}

struct Op {
    name: &'static str,
    run: usize,
    kept: Vec<bool>,
    scale: f64,
}

impl Op {
    /// Calls `f` with the scale of each run, the run of `out` and where it begins.
    fn each<T: Send>(&self, out: &mut [T], f: impl Fn(f64, usize, &mut [T]) + Sync + Send) {
        par_rows(out, self.run, |r, out| {
            let scale = if self.kept[r] { self.scale } else { 0.0 };
            f(scale, r * self.run, out);
        });
    }
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        for_float!(self.name, dtype(s), T => {
            let x = slice::<T>(self.name, s, l)?;
            let mut y = vec![0.0; x.len()];
            self.each(&mut y, |scale, at, y| {
                for (y, &x) in y.iter_mut().zip(&x[at..]) {
                    *y = x * scale as T;
                }
            });
            Ok(output::<T>(y, l.shape()))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        for_float!(self.name, x.dtype(), T => {
            let hdy = Host::read(self.name, &dy);
            let dys = hdy.slice::<T>()?;
            let mut dx = vec![0.0; dys.len()];
            self.each(&mut dx, |scale, at, dx| {
                for (dx, &dy) in dx.iter_mut().zip(&dys[at..]) {
                    *dx = dy * scale as T;
                }
            });
            tensor::<T>(dx, x.shape()).map(Some)
        })
    }
}
