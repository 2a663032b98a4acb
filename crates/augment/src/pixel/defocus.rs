//! Out of focus.

use super::filter::{Outside, Tap, correlate, gaussian, padded, symmetric_floats};
use super::grid::{Grid, by_type};
use super::limits::{FromOne, FromZero, whole};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Each sample becomes the mean of a disk around it, whose rim is softened by a Gaussian.
///
/// Follows `Defocus` of Albumentations 2.0.8: the disk is that of the pixels with `x^2 + y^2 <= r^2`, the Gaussian
/// 3 pixels wide, from radius 9 on 5. 8 bits sum the disk's rows as whole numbers from running sums and are within
/// 1 level, and from radius 8 on, where OpenCV cuts the softened rim off, 2. The border is mirrored without repeating the edge.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Defocus")]
pub struct Defocus {
    /// Least and greatest radius in pixels; one number `x` stands for `[1, x]`.
    #[plugin(default = FromOne(3.0, 10.0), range = 1.0..=64.0)]
    pub radius: FromOne,
    /// Least and greatest standard deviation of the rim in pixels; one number `x` stands for `[0, x]`.
    #[plugin(default = FromZero(0.1, 0.5), range = 0.0..)]
    pub alias_blur: FromZero,
}

/// What was decided.
#[state]
pub struct Defocused {
    /// The radius in pixels.
    pub radius: usize,
    /// The standard deviation of the rim in pixels.
    pub alias_blur: f64,
}

/// How far the disk reaches to each side of its centre, in its rows from the centre down.
fn reach(radius: usize) -> Vec<usize> {
    let row = |y: usize| (0..=radius).rev().find(|x| x * x + y * y <= radius * radius).unwrap_or(0);
    (0..=radius).map(row).collect()
}

/// The mean of the disk with 6 bits of fraction.
fn disk(grid: &Grid<u8>, radius: usize) -> Grid<u16> {
    let reach = reach(radius);
    let area: usize = reach.iter().enumerate().map(|(y, r)| (2 * r + 1) * if y == 0 { 1 } else { 2 }).sum();
    let (n, c) = (grid.row_len(), grid.channels);
    let source = padded(grid, radius, Outside::Mirror);
    let wide = source.row_len();
    // Sums of each row up to each sample. They wrap around, and differences of them do not care: those of a row of
    // the disk are below 2^16.
    let mut sums = vec![0_u16; (wide + c) * source.height];
    for (row, sums) in source.samples.chunks_exact(wide).zip(sums.chunks_exact_mut(wide + c)) {
        for (i, &x) in row.iter().enumerate() {
            sums[i + c] = sums[i].wrapping_add(u16::from(x));
        }
    }
    let mut out = vec![0; grid.samples.len()];
    let scale = 64.0 / area as f32;
    let mut total = vec![0_u32; n];
    for (y, out) in out.chunks_exact_mut(n).enumerate() {
        total.fill(0);
        for dy in 0..=2 * radius {
            let r = reach[dy.abs_diff(radius)];
            let row = &sums[(y + dy) * (wide + c)..][..wide + c];
            add_difference::<u16>(&mut total, &row[(radius + r + 1) * c..], &row[(radius - r) * c..]);
        }
        out.iter_mut().zip(&total).for_each(|(out, &sum)| *out = (sum as f32 * scale + 0.5) as i32 as u16);
    }
    grid.with(out)
}

pleach_simd::lanes! {
    fn add_difference<T: Copy>(total: &mut [u32], until: &[u16], before: &[u16]) {
        for ((total, until), before) in total.iter_mut().zip(until).zip(before) {
            *total += u32::from(until.wrapping_sub(*before));
        }
    }
}

impl Augmentation for Defocus {
    type Draw = Defocused;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Defocused>> {
        let radius = whole(rng, self.radius.0 as i64, self.radius.1 as i64) as usize;
        Ok(Some(Defocused { radius, alias_blur: rng.range(self.alias_blur.0, self.alias_blur.1) }))
    }

    fn touch(&self, draw: &Defocused, image: &mut Image) -> Result<()> {
        let radius = draw.radius.min(64);
        let rim = gaussian(if radius <= 8 { 3 } else { 5 }, draw.alias_blur);
        by_type(
            image,
            |grid| {
                super::filter::symmetric_wide(&disk(grid, radius), &rim, grid);
                Ok(())
            },
            |grid| {
                let rows = reach(radius);
                let r = radius as isize;
                let weight = |y: isize| rows[y.unsigned_abs()] as isize;
                let mut taps: Vec<Tap> =
                    (-r..=r).flat_map(|y| (-weight(y)..=weight(y)).map(move |x| Tap { x, y, weight: 1.0 })).collect();
                let share = 1.0 / taps.len() as f32;
                taps.iter_mut().for_each(|t| t.weight = share);
                correlate(grid, &taps);
                symmetric_floats(grid, &rim);
                grid.samples.iter_mut().for_each(|x| *x = x.clamp(0.0, 1.0));
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
