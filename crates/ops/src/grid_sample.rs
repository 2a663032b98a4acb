//! Reads images at the places that a grid names.

use crate::apply;
use crate::grid_place::{NOWHERE, Places, Tap};
use crate::host::{Host, Real, dims4, dtype, for_float, output, slice, tensor};
use crate::{Corners, fresh, sizes};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use pleach_simd::par_rows;

const NAME: &str = "grid_sample";

/// How a sample is made of the pixels around its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampling {
    /// The mean of the four around, weighed by nearness.
    #[default]
    Bilinear,
    /// The nearest, of two equally near the one with the even number; no gradient for the grid.
    Nearest,
    /// The cubic convolution of the sixteen around (Keys, a = -0.75).
    Bicubic,
}

/// What lies outside an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Zeros.
    #[default]
    Zeros,
    /// The nearest pixel of the image.
    Border,
    /// The image, mirrored at what -1 and 1 stand for.
    Reflection,
}

/// `x`, `[N, C, H, W]`, at the places of `grid`, `[N, H', W', 2]`: `[N, C, H', W']`. A place is `[x, y]`, column before
/// row; -1 and 1 stand for what `corners` names. Both get a gradient.
///
/// A place that is not a number gives NaN and takes part in no gradient of `x`.
///
/// Candle has none.
pub fn grid_sample(x: &Tensor, grid: &Tensor, how: Sampling, outside: Outside, corners: Corners) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    let &[images, oh, ow, 2] = grid.dims() else {
        bail!("{NAME}: grid of shape [{n}, H', W', 2] expected for x {:?}, got {:?}", x.dims(), grid.dims());
    };
    if images != n || h * w == 0 {
        bail!("{NAME}: cannot read x {:?} at the places of grid {:?}", x.dims(), grid.dims());
    }
    if h * w >= NOWHERE as usize {
        bail!("{NAME}: image too large: {:?}", x.dims());
    }
    if x.dtype() != grid.dtype() {
        bail!("{NAME}: one dtype for x and grid expected, got {:?} and {:?}", x.dtype(), grid.dtype());
    }
    sizes::total(NAME, &[n, c, oh, ow])?;
    let places = Places { image: [h, w], how, outside, corners };
    let op = Op { planes: [n, c], size: [oh, ow], places };
    apply::two(x, grid, op)
}

struct Op {
    planes: [usize; 2],
    size: [usize; 2],
    places: Places,
}

/// A pixel and its weight.
#[derive(Clone, Copy)]
struct Part<T> {
    at: u32,
    weight: T,
}

/// Puts the weighted sum of `K` pixels into each sample.
fn gather<T: Real, const K: usize>(x: &[T], parts: &[Part<T>], y: &mut [T]) {
    for (y, parts) in y.iter_mut().zip(parts.as_chunks::<K>().0) {
        let mut sum = T::ZERO;
        for part in parts {
            // What is nowhere is past the end.
            if let Some(&v) = x.get(part.at as usize) {
                sum += part.weight * v;
            }
        }
        *y = sum;
    }
}

/// Gives each of `K` pixels its share of each sample's gradient.
fn scatter<T: Real, const K: usize>(dy: &[T], parts: &[Part<T>], dx: &mut [T]) {
    for (&dy, parts) in dy.iter().zip(parts.as_chunks::<K>().0) {
        for part in parts {
            if let Some(dx) = dx.get_mut(part.at as usize)
                && !part.weight.is_nan()
            {
                *dx += part.weight * dy;
            }
        }
    }
}

/// Adds to each place's gradient what one plane says.
fn lean<T: Real, const K: usize>(x: &[T], dy: &[T], taps: &[Tap<T>], dgrid: &mut [T]) {
    for ((&dy, taps), dplace) in dy.iter().zip(taps.as_chunks::<K>().0).zip(dgrid.as_chunks_mut::<2>().0) {
        let mut grow = [T::ZERO; 2];
        for tap in taps {
            if let Some(&v) = x.get(tap.at as usize) {
                grow[0] += tap.slope[0] * v;
                grow[1] += tap.slope[1] * v;
            }
        }
        dplace[0] += grow[0] * dy;
        dplace[1] += grow[1] * dy;
    }
}

impl Op {
    fn areas(&self) -> [usize; 2] {
        let [[h, w], [oh, ow]] = [self.places.image, self.size];
        [h * w, oh * ow]
    }

    /// The parts of all samples: one table for all channels.
    fn parts<T: Real>(&self, grid: &[T]) -> Vec<Part<T>> {
        let (k, width) = (self.places.taps(), self.size[1]);
        let mut parts = vec![Part { at: NOWHERE, weight: T::ZERO }; grid.len() / 2 * k];
        par_rows(&mut parts, width * k, |row, parts| {
            let mut taps = [Tap::none(); 16];
            let places = grid[row * width * 2..].chunks_exact(2);
            for (place, parts) in places.zip(parts.chunks_exact_mut(k)) {
                self.places.find(place, &mut taps[..k]);
                for (part, tap) in parts.iter_mut().zip(&taps) {
                    *part = Part { at: tap.at, weight: tap.weight };
                }
            }
        });
        parts
    }

    fn samples<T: Real>(&self, x: &[T], grid: &[T]) -> Vec<T> {
        let ([n, c], [area_in, area], k) = (self.planes, self.areas(), self.places.taps());
        let (parts, width) = (self.parts(grid), self.size[1]);
        fresh::rows(n * c * area, width, |row, y| {
            let (plane, row) = (row / self.size[0], row % self.size[0]);
            let x = &x[plane * area_in..][..area_in];
            let parts = &parts[(plane / c * area + row * width) * k..][..width * k];
            match k {
                1 => gather::<T, 1>(x, parts, y),
                4 => gather::<T, 4>(x, parts, y),
                _ => gather::<T, 16>(x, parts, y),
            }
        })
    }

    /// Each plane goes over its samples in their order.
    fn image_gradient<T: Real>(&self, grid: &[T], dy: &[T]) -> Vec<T> {
        let ([n, c], [area_in, area], k) = (self.planes, self.areas(), self.places.taps());
        let parts = self.parts(grid);
        fresh::rows(n * c * area_in, area_in, |plane, dx| {
            let dy = &dy[plane * area..][..area];
            let parts = &parts[plane / c * area * k..][..area * k];
            match k {
                1 => scatter::<T, 1>(dy, parts, dx),
                4 => scatter::<T, 4>(dy, parts, dx),
                _ => scatter::<T, 16>(dy, parts, dx),
            }
        })
    }

    /// Each place adds up its channels in their order.
    fn grid_gradient<T: Real>(&self, x: &[T], grid: &[T], dy: &[T]) -> Vec<T> {
        let (c, [area_in, area], k) = (self.planes[1], self.areas(), self.places.taps());
        let [height, width] = self.size;
        let mut dgrid = vec![T::ZERO; grid.len()];
        par_rows(&mut dgrid, width * 2, |row, dgrid| {
            let (image, first) = (row / height, row % height * width);
            let mut taps = vec![Tap::none(); width * k];
            for (place, taps) in grid[row * width * 2..].chunks_exact(2).zip(taps.chunks_exact_mut(k)) {
                self.places.find(place, taps);
            }
            for plane in image * c..(image + 1) * c {
                let (x, dy) = (&x[plane * area_in..][..area_in], &dy[plane * area + first..][..width]);
                match k {
                    1 => lean::<T, 1>(x, dy, &taps, dgrid),
                    4 => lean::<T, 4>(x, dy, &taps, dgrid),
                    _ => lean::<T, 16>(x, dy, &taps, dgrid),
                }
            }
        });
        dgrid
    }
}

impl CustomOp2 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([n, c], [oh, ow]) = (self.planes, self.size);
        for_float!(NAME, dtype(s1), T => {
            let (x, grid) = (slice::<T>(NAME, s1, l1)?, slice(NAME, s2, l2)?);
            Ok(output(self.samples(x, grid), (n, c, oh, ow)))
        })
    }

    fn bwd(&self, x: &Tensor, grid: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, hgrid, hdy) = (Host::read(NAME, x), Host::read(NAME, grid), Host::read(NAME, &dy));
            let (xs, places, dys) = (hx.slice::<T>()?, hgrid.slice()?, hdy.slice()?);
            let dx = x.track_op().then(|| tensor(self.image_gradient(places, dys), x.shape()));
            let dgrid = grid.track_op().then(|| tensor(self.grid_gradient(xs, places, dys), grid.shape()));
            Ok((dx.transpose()?, dgrid.transpose()?))
        })
    }
}
