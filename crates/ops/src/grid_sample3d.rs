//! Reads volumes at the places that a grid names.

use crate::grid_place::{NOWHERE, Places};
use crate::host::{Host, Real, dtype, for_float, output, slice, tensor};
use crate::{Corners, Outside, Sampling, apply, fresh, sizes};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

const NAME: &str = "grid_sample3d";

/// `x`, `[N, C, D, H, W]`, at the places of `grid`, `[N, D', H', W', 3]`: `[N, C, D', H', W']`. A place is `[x, y,
/// z]`, column
/// before row before depth; the rest as [`grid_sample`](crate::grid_sample). No cubic way, as in PyTorch.
pub fn grid_sample3d(x: &Tensor, grid: &Tensor, how: Sampling, outside: Outside, corners: Corners) -> Result<Tensor> {
    let (&[n, c, d, h, w], &[images, od, oh, ow, 3]) = (x.dims(), grid.dims()) else {
        bail!(
            "{NAME}: x [N, C, D, H, W] and grid [N, D', H', W', 3] expected, got {:?} and {:?}",
            x.dims(),
            grid.dims()
        );
    };
    for shape in [x.dims(), grid.dims(), &[n, c, od, oh, ow]] {
        sizes::total(NAME, shape)?;
    }
    if images != n || d * h * w == 0 {
        bail!("{NAME}: cannot read x {:?} at the places of grid {:?}", x.dims(), grid.dims());
    }
    if d * h * w >= NOWHERE as usize {
        bail!("{NAME}: volume too large: {:?}", x.dims());
    }
    if how == Sampling::Bicubic {
        bail!("{NAME}: bilinear or nearest expected for x {:?}, got {how:?}", x.dims());
    }
    if x.dtype() != grid.dtype() {
        bail!("{NAME}: one dtype for x and grid expected, got {:?} and {:?}", x.dtype(), grid.dtype());
    }
    let places = Places { image: [h, w], how, outside, corners };
    apply::two(x, grid, Op { planes: [n, c], input: [d, h, w], size: [od, oh, ow], places })
}

struct Op {
    planes: [usize; 2],
    input: [usize; 3],
    size: [usize; 3],
    places: Places,
}

/// One element that a sample takes from.
#[derive(Clone, Copy)]
struct Tap<T> {
    at: u32,
    weight: T,
    /// How the weight grows with the grid's x, y and z.
    slope: [T; 3],
}

impl Op {
    fn volumes(&self) -> [usize; 2] {
        [self.input.iter().product(), self.size.iter().product()]
    }

    fn taps(&self) -> usize {
        if self.places.how == Sampling::Nearest { 1 } else { 8 }
    }

    /// The taps of the sample at `[x, y, z]`. A place that is not a number gives a sample that is none.
    fn find<T: Real>(&self, place: &[T], taps: &mut [Tap<T>]) {
        let [d, h, w] = self.input;
        let along = |at: usize, size: usize| place.get(at).and_then(|&v| self.places.axis(v, size));
        let none = Tap { at: NOWHERE, weight: T::ZERO, slope: [T::ZERO; 3] };
        let (Some(cols), Some(rows), Some(depths)) = (along(0, w), along(1, h), along(2, d)) else {
            taps.fill(none);
            if let Some(tap) = taps.first_mut() {
                let nan = T::of(f64::NAN);
                let slope = if self.places.how == Sampling::Nearest { T::ZERO } else { nan };
                *tap = Tap { at: 0, weight: nan, slope: [slope; 3] };
            }
            return;
        };
        let side = if taps.len() == 1 { 1 } else { 2 };
        for (t, tap) in taps.iter_mut().enumerate() {
            let (k, i, j) = (t / (side * side), t / side % side, t % side);
            let at = match (depths.at[k], rows.at[i], cols.at[j]) {
                (Some(depth), Some(row), Some(col)) => ((depth * h + row) * w + col) as u32,
                _ => NOWHERE,
            };
            let [z, y, x] = [depths.weight[k], rows.weight[i], cols.weight[j]];
            let slope = [z * y * cols.slope[j], z * rows.slope[i] * x, depths.slope[k] * y * x];
            *tap = Tap { at, weight: z * y * x, slope };
        }
    }

    /// The taps of all samples: one table for all channels.
    fn table<T: Real>(&self, grid: &[T]) -> Vec<Tap<T>> {
        let k = self.taps();
        let mut table = vec![Tap { at: NOWHERE, weight: T::ZERO, slope: [T::ZERO; 3] }; grid.len() / 3 * k];
        let row = self.size[2];
        pleach_simd::par_rows(&mut table, row * k, |r, taps| {
            for (place, taps) in grid[r * row * 3..].chunks_exact(3).zip(taps.chunks_exact_mut(k)) {
                self.find(place, taps);
            }
        });
        table
    }

    fn samples<T: Real>(&self, x: &[T], grid: &[T]) -> Vec<T> {
        let ([n, c], [many, few], k) = (self.planes, self.volumes(), self.taps());
        let table = self.table(grid);
        fresh::rows(n * c * few, few, |r, y| {
            let x = &x[r * many..][..many];
            for (y, taps) in y.iter_mut().zip(table[r / c * few * k..].chunks_exact(k)) {
                for tap in taps {
                    // What is nowhere is past the end.
                    if let Some(&v) = x.get(tap.at as usize) {
                        *y += tap.weight * v;
                    }
                }
            }
        })
    }

    /// Each volume goes over its samples in their order.
    fn volume_gradient<T: Real>(&self, grid: &[T], dy: &[T]) -> Vec<T> {
        let ([n, c], [many, few], k) = (self.planes, self.volumes(), self.taps());
        let table = self.table(grid);
        fresh::rows(n * c * many, many, |r, dx| {
            for (&dy, taps) in dy[r * few..][..few].iter().zip(table[r / c * few * k..].chunks_exact(k)) {
                for tap in taps.iter().filter(|tap| !tap.weight.is_nan()) {
                    if let Some(dx) = dx.get_mut(tap.at as usize) {
                        *dx += tap.weight * dy;
                    }
                }
            }
        })
    }

    /// Each place adds up its channels in their order.
    fn grid_gradient<T: Real>(&self, x: &[T], grid: &[T], dy: &[T]) -> Vec<T> {
        let (c, [many, few], k) = (self.planes[1], self.volumes(), self.taps());
        let table = self.table(grid);
        fresh::rows(grid.len(), 3, |place, grow| {
            let (n, sample) = (place / few, place % few);
            for tap in &table[place * k..][..k] {
                for channel in n * c..(n + 1) * c {
                    if let Some(&v) = x[channel * many..][..many].get(tap.at as usize) {
                        let pull = v * dy[channel * few + sample];
                        grow.iter_mut().zip(tap.slope).for_each(|(grow, slope)| *grow += slope * pull);
                    }
                }
            }
        })
    }
}

impl CustomOp2 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([n, c], [od, oh, ow]) = (self.planes, self.size);
        for_float!(NAME, dtype(s1), T => {
            let (x, grid) = (slice::<T>(NAME, s1, l1)?, slice(NAME, s2, l2)?);
            Ok(output(self.samples(x, grid), (n, c, od, oh, ow)))
        })
    }

    fn bwd(&self, x: &Tensor, grid: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, hgrid, hdy) = (Host::read(NAME, x), Host::read(NAME, grid), Host::read(NAME, &dy));
            let (xs, places, dys) = (hx.slice::<T>()?, hgrid.slice()?, hdy.slice()?);
            let dx = x.track_op().then(|| tensor(self.volume_gradient(places, dys), x.shape()));
            let dgrid = grid.track_op().then(|| tensor(self.grid_gradient(xs, places, dys), grid.shape()));
            Ok((dx.transpose()?, dgrid.transpose()?))
        })
    }
}
