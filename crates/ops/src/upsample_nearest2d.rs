//! Resizes images by the nearest element.

use crate::host::{Host, Real, dims4, dtype, for_float, output, slice, tensor};
use crate::{apply, fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::lanes;
use std::ops::Range;

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
    sizes::total(NAME, &[n, c, size[0], size[1]])?;
    taken(NAME, x, [sources(h, size[0]), sources(w, size[1])])
}

/// Each row and each column of the result is one of `x`, `[N, C, H, W]`: `sources` says which, and never goes back.
pub(crate) fn taken(name: &'static str, x: &Tensor, sources: [Vec<usize>; 2]) -> Result<Tensor> {
    let [n, c, h, w] = dims4(name, "x", x)?;
    apply::one(x, Op { name, planes: n * c, lead: [n, c], input: [h, w], sources })
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
    name: &'static str,
    planes: usize,
    lead: [usize; 2],
    input: [usize; 2],
    sources: [Vec<usize>; 2],
}

/// Elements that are made together, at least a row.
const TOGETHER: usize = 1 << 14;

/// How the columns of a result follow from those of the input.
#[derive(Clone, Copy)]
enum Columns<'a> {
    Same,
    Twice,
    Any(&'a [usize]),
}

impl<'a> Columns<'a> {
    fn of(cols: &'a [usize], width: usize) -> Self {
        if cols.len() == width && cols.iter().enumerate().all(|(i, &at)| at == i) {
            Self::Same
        } else if cols.len() == 2 * width && cols.iter().enumerate().all(|(i, &at)| at == i / 2) {
            Self::Twice
        } else {
            Self::Any(cols)
        }
    }
}

lanes! {
    fn spread<T: Real>(x: &[T], cols: Columns<'_>, y: &mut [T]) {
        match cols {
            Columns::Same => y.copy_from_slice(x),
            Columns::Twice => {
                for (y, &x) in y.as_chunks_mut::<2>().0.iter_mut().zip(x) {
                    *y = [x; 2];
                }
            }
            Columns::Any(cols) => {
                for (y, &col) in y.iter_mut().zip(cols) {
                    *y = x[col];
                }
            }
        }
    }
}

lanes! {
    /// Adds the columns of `dy` that were taken from one column of the input, in their order.
    fn gather<T: Real>(dy: &[T], cols: Columns<'_>, dx: &mut [T]) {
        match cols {
            Columns::Same => dx.copy_from_slice(dy),
            Columns::Twice => {
                for (dx, dy) in dx.iter_mut().zip(dy.as_chunks::<2>().0) {
                    *dx = dy[0] + dy[1];
                }
            }
            Columns::Any(cols) => {
                for (&dy, &col) in dy.iter().zip(cols) {
                    dx[col] += dy;
                }
            }
        }
    }
}

lanes! {
    fn add<T: Real>(from: &[T], to: &mut [T]) {
        for (to, &v) in to.iter_mut().zip(from) {
            *to += v;
        }
    }
}

impl Op {
    fn forward<T: Real>(&self, x: &[T]) -> Vec<T> {
        let ([h, w], [rows, cols]) = (self.input, &self.sources);
        let (width, how) = (cols.len(), Columns::of(cols, w));
        let block = TOGETHER.div_ceil(width);
        fresh::blocks(self.planes * rows.len() * width, block * width, |b, y| {
            let mut last = None;
            for i in 0..y.len() / width {
                let at = b * block + i;
                let source = at / rows.len() * h + rows[at % rows.len()];
                let (done, y) = y.split_at_mut(i * width);
                if last == Some(source) {
                    y[..width].copy_from_slice(&done[(i - 1) * width..]);
                } else {
                    spread(&x[source * w..][..w], how, &mut y[..width]);
                }
                last = Some(source);
            }
        })
    }

    fn backward<T: Real>(&self, dy: &[T]) -> Vec<T> {
        let ([h, w], [rows, cols]) = (self.input, &self.sources);
        let (width, how) = (cols.len(), Columns::of(cols, w));
        let takers = takers(rows, h);
        let block = TOGETHER.div_ceil(w);
        fresh::blocks(self.planes * h * w, block * w, |b, dx| {
            let mut sum = vec![T::ZERO; width];
            for (at, dx) in (b * block..).zip(dx.chunks_mut(w)) {
                let takers = takers[at % h].clone();
                let mut taken =
                    dy[(at / h * rows.len() + takers.start) * width..].chunks_exact(width).take(takers.len());
                let Some(first) = taken.next() else { continue };
                if takers.len() == 1 {
                    gather(first, how, dx);
                    continue;
                }
                sum.copy_from_slice(first);
                taken.for_each(|row| add(row, &mut sum));
                gather(&sum, how, dx);
            }
        })
    }
}

/// For each of `from` positions, which positions take it.
fn takers(sources: &[usize], from: usize) -> Vec<Range<usize>> {
    let mut end = 0;
    (0..from)
        .map(|at| {
            let start = end;
            end += sources[start..].iter().take_while(|&&source| source == at).count();
            start..end
        })
        .collect()
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let [n, c] = self.lead;
        for_float!(self.name, dtype(s), T => {
            let y = self.forward(slice::<T>(self.name, s, l)?);
            Ok(output(y, (n, c, self.sources[0].len(), self.sources[1].len())))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        for_float!(self.name, x.dtype(), T => {
            let hdy = Host::read(self.name, &dy);
            tensor(self.backward(hdy.slice::<T>()?), x.shape()).map(Some)
        })
    }
}
