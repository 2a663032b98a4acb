//! Resizes images by bilinear interpolation.

use crate::apply;
use crate::host::{Host, Real, dims4, dtype, for_float, output, slice, tensor};
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::lanes;

const NAME: &str = "upsample_bilinear2d";

/// Which points of two images of different size fall together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Corners {
    /// The outer edges of the corner cells: PyTorch's `align_corners = False`.
    #[default]
    Edges,
    /// The centres of the corner cells: PyTorch's `align_corners = True`.
    Centres,
}

/// `[N, C, H, W]` to `[N, C, size[0], size[1]]`, up or down, without antialiasing: each output is the mean of the four
/// inputs around its source point, weighed by nearness.
///
/// In place of candle's, which has no gradient.
pub fn upsample_bilinear2d(x: &Tensor, size: [usize; 2], corners: Corners) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    if h * w == 0 || size.contains(&0) {
        bail!("{NAME}: cannot resize {:?} to {size:?}", x.dims());
    }
    sizes::total(NAME, &[n, c, size[0], size[1]])?;
    let op = Op { planes: [n, c], input: [h, w], size, corners };
    apply::one(x, op)
}

struct Op {
    planes: [usize; 2],
    input: [usize; 2],
    size: [usize; 2],
    corners: Corners,
}

/// The two inputs that one output lies between, and how much of each it takes.
#[derive(Clone, Copy)]
struct Between<T> {
    at: [usize; 2],
    part: [T; 2],
}

impl Op {
    fn axis<T: Real>(&self, axis: usize) -> Vec<Between<T>> {
        let (from, to) = (self.input[axis], self.size[axis]);
        let scale = match self.corners {
            Corners::Edges => T::of(from as f64) / T::of(to as f64),
            Corners::Centres if to > 1 => T::of((from - 1) as f64) / T::of((to - 1) as f64),
            Corners::Centres => T::ZERO,
        };
        let half = T::of(0.5);
        (0..to)
            .map(|i| {
                let i = T::of(i as f64);
                let source = match self.corners {
                    Corners::Edges => (scale * (i + half) - half).larger(T::ZERO),
                    Corners::Centres => scale * i,
                };
                let first = (source.wide() as usize).min(from - 1);
                let second = (source - T::of(first as f64)).smaller(T::ONE);
                Between { at: [first, (first + 1).min(from - 1)], part: [T::ONE - second, second] }
            })
            .collect()
    }
}

lanes! {
    fn plane<T: Real>(x: &[T], w: usize, rows: &[Between<T>], cols: &[Between<T>], y: &mut [T]) {
        let mut mixed = vec![T::ZERO; w];
        for (y, row) in y.chunks_mut(cols.len()).zip(rows) {
            let [a, b] = row.at.map(|at| &x[at * w..][..w]);
            for (m, (&a, &b)) in mixed.iter_mut().zip(a.iter().zip(b)) {
                *m = row.part[0] * a + row.part[1] * b;
            }
            for (y, col) in y.iter_mut().zip(cols) {
                *y = col.part[0] * mixed[col.at[0]] + col.part[1] * mixed[col.at[1]];
            }
        }
    }
}

lanes! {
    fn plane_back<T: Real>(dy: &[T], w: usize, rows: &[Between<T>], cols: &[Between<T>], dx: &mut [T]) {
        let mut mixed = vec![T::ZERO; w];
        for (dy, row) in dy.chunks(cols.len()).zip(rows) {
            mixed.fill(T::ZERO);
            for (&dy, col) in dy.iter().zip(cols) {
                for side in 0..2 {
                    mixed[col.at[side]] += col.part[side] * dy;
                }
            }
            for side in 0..2 {
                let dx = &mut dx[row.at[side] * w..][..w];
                for (dx, &m) in dx.iter_mut().zip(&mixed) {
                    *dx += row.part[side] * m;
                }
            }
        }
    }
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([n, c], [h, w], [oh, ow]) = (self.planes, self.input, self.size);
        for_float!(NAME, dtype(s), T => {
            let (rows, cols) = (self.axis::<T>(0), self.axis::<T>(1));
            let x = slice::<T>(NAME, s, l)?;
            let y = fresh::rows(n * c * oh * ow, oh * ow, |r, y| {
                plane(&x[r * h * w..][..h * w], w, &rows, &cols, y);
            });
            Ok(output(y, (n, c, oh, ow)))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let ([h, w], [oh, ow]) = (self.input, self.size);
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (rows, cols) = (self.axis::<T>(0), self.axis::<T>(1));
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let dx = fresh::rows(x.elem_count(), h * w, |r, dx| {
                plane_back(&dys[r * oh * ow..][..oh * ow], w, &rows, &cols, dx);
            });
            tensor(dx, x.shape()).map(Some)
        })
    }
}
