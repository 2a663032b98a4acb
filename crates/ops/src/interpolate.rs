//! Resizes images: each way that PyTorch's `interpolate` knows for two dimensions.

use crate::apply;
use crate::bands::{Bands, Even};
use crate::host::{Host, Real, dims4, dtype, for_float, output, slice, tensor};
use crate::upsample_nearest2d::taken;
use crate::{Corners, fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::lanes;

const NAME: &str = "interpolate";

/// How large the result is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// `[rows, columns]`.
    To([usize; 2]),
    /// The input's size times `[for rows, for columns]`, rounded down. The factors themselves, not the quotient of the
    /// sizes, say where a pixel comes from, as PyTorch's `scale_factor` does.
    By([f64; 2]),
}

/// How the pixels of one image are made from another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The element at `floor(i scale)`: PyTorch's `nearest`.
    Nearest,
    /// The element whose centre is nearest: PyTorch's `nearest-exact`.
    NearestExact,
    /// The mean of the four around, weighed by nearness.
    Bilinear(Corners),
    /// The cubic convolution of the sixteen around (Keys, a = -0.75).
    Bicubic(Corners),
    /// [`Bilinear`](Self::Bilinear) with its triangle stretched over all that a pixel of a smaller image covers:
    /// PyTorch's `antialias = True`.
    SmoothBilinear(Corners),
    /// [`Bicubic`](Self::Bicubic) (here a = -0.5) stretched likewise.
    SmoothBicubic(Corners),
    /// The mean of what the pixel covers, in whole pixels, as [`adaptive_avg_pool2d`](crate::adaptive_avg_pool2d); the
    /// factors of [`Size::By`] only give the size.
    Area,
}

/// `[N, C, H, W]` to `[N, C, H', W']`.
///
/// In place of candle's `interpolate2d` and `upsample_bilinear2d`, which know less and lose gradients.
pub fn interpolate(x: &Tensor, size: Size, how: Interpolation) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    let (to, factors) = match size {
        Size::To(to) => (to, [None; 2]),
        Size::By(by) => {
            if by.iter().any(|f| !(f.is_finite() && *f > 0.0)) {
                bail!("{NAME}: positive, finite factors expected for x {:?}, got {by:?}", x.dims());
            }
            // Too large a product saturates and is refused below.
            ([(h as f64 * by[0]) as usize, (w as f64 * by[1]) as usize], by.map(Some))
        }
    };
    if h * w == 0 || to.contains(&0) {
        bail!("{NAME}: cannot resize {:?} to {to:?}", x.dims());
    }
    sizes::total(NAME, &[n, c, to[0], to[1]])?;
    let bands = [(h, to[0], factors[0]), (w, to[1], factors[1])].map(|(from, to, by)| Bands::new(how, from, to, by));
    let [rows, cols] = bands;
    if let Interpolation::Nearest | Interpolation::NearestExact = how {
        return taken(NAME, x, [rows, cols].map(|axis| (0..axis.len()).map(|i| axis.at(i).0).collect()));
    }
    let op = Op { planes: [n, c], back: [rows.transposed(), cols.transposed()], bands: [rows, cols] };
    apply::one(x, op)
}

struct Op {
    planes: [usize; 2],
    /// What each row and each column of the output takes from those of the input.
    bands: [Bands; 2],
    /// The same, seen from the input.
    back: [Bands; 2],
}

/// Each output as the weighted sum of `K` elements of `x`.
#[inline(always)]
fn mix<T: Real, const K: usize>(x: &[T], taps: &[(u32, T)], y: &mut [T]) {
    for (y, taps) in y.iter_mut().zip(taps.as_chunks::<K>().0) {
        let mut sum = T::ZERO;
        for &(at, part) in taps {
            sum += part * x[at as usize];
        }
        *y = sum;
    }
}

lanes! {
    /// Rows `first ..` of an output plane: first the rows of `x` are mixed, a whole row at a time, then its columns.
    fn rows_of_plane<T: Real>(
        x: &[T],
        bands: &[Bands; 2],
        parts: &[Vec<T>; 2],
        even: Option<&Even<T>>,
        first: usize,
        mixed: &mut [T],
        y: &mut [T],
    ) {
        let width = mixed.len();
        for (row, y) in (first..).zip(y.chunks_mut(bands[1].len())) {
            let (start, span) = bands[0].at(row);
            mixed.fill(T::ZERO);
            for (x, &part) in x[start * width..].chunks_exact(width).zip(&parts[0][span]) {
                for (mixed, &x) in mixed.iter_mut().zip(x) {
                    *mixed += part * x;
                }
            }
            match even {
                Some(Even { width: 1, taps }) => mix::<T, 1>(mixed, taps, y),
                Some(Even { width: 2, taps }) => mix::<T, 2>(mixed, taps, y),
                Some(Even { width: 4, taps }) => mix::<T, 4>(mixed, taps, y),
                Some(Even { width: 8, taps }) => mix::<T, 8>(mixed, taps, y),
                _ => {
                    for (col, y) in y.iter_mut().enumerate() {
                        let (start, span) = bands[1].at(col);
                        let mut sum = T::ZERO;
                        for (&x, &part) in mixed[start..].iter().zip(&parts[1][span]) {
                            sum += part * x;
                        }
                        *y = sum;
                    }
                }
            }
        }
    }
}

/// Elements of the output that are made together, at least a row.
const TOGETHER: usize = 1 << 14;

/// All planes of `x`, each resized by `bands`.
fn resized<T: Real>(x: &[T], planes: usize, bands: &[Bands; 2]) -> Vec<T> {
    let [rows, cols] = bands;
    let area_in = rows.source() * cols.source();
    let parts = bands.each_ref().map(Bands::parts::<T>);
    let even = cols.even::<T>();
    // Blocks of whole rows; a block may go over into the next plane.
    let block = TOGETHER.div_ceil(cols.len());
    fresh::blocks(planes * rows.len() * cols.len(), block * cols.len(), |b, mut y| {
        let mut mixed = vec![T::ZERO; cols.source()];
        let mut at = b * block;
        while !y.is_empty() {
            let (plane, first) = (at / rows.len(), at % rows.len());
            let here = (rows.len() - first).min(y.len() / cols.len());
            let (now, rest) = y.split_at_mut(here * cols.len());
            rows_of_plane(&x[plane * area_in..][..area_in], bands, &parts, even.as_ref(), first, &mut mixed, now);
            (y, at) = (rest, at + here);
        }
    })
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let [n, c] = self.planes;
        for_float!(NAME, dtype(s), T => {
            let y = resized(slice::<T>(NAME, s, l)?, n * c, &self.bands);
            Ok(output(y, (n, c, self.bands[0].len(), self.bands[1].len())))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let [n, c] = self.planes;
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            tensor(resized(hdy.slice::<T>()?, n * c, &self.back), x.shape()).map(Some)
        })
    }
}
