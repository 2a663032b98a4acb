//! Detail lost by making the image smaller and larger again.

use super::grid::{Grid, as_bytes};
use super::resample::{Kernel, nearest, resized, scaled};
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, config, plugin, state};

/// Makes the image smaller by a factor and brings it back to its size.
///
/// Follows `Downscale` of Albumentations 2.0.8 (OpenCV's `resize` twice): to the bit with `nearest`, else within 1 level
/// for each of the two; other types become 8 bits first. The names of `interpolation_pair` are OpenCV's without `INTER_`.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Downscale", check = Self::check)]
pub struct Downscale {
    /// Least and greatest factor.
    #[plugin(default = (0.25, 0.25), above = 0.0, range = ..=1.0)]
    pub scale_range: (f64, f64),
    /// How pixels between pixels are made, on either way.
    #[plugin(default = InterpolationPair::default())]
    pub interpolation_pair: InterpolationPair,
}

/// How pixels between pixels are made, on either way.
#[config]
pub struct InterpolationPair {
    /// On the way to the small image.
    #[config(default = Kernel::Nearest)]
    pub downscale: Kernel,
    /// On the way back.
    #[config(default = Kernel::Nearest)]
    pub upscale: Kernel,
}

/// What was decided.
#[state]
pub struct Smaller {
    /// The factor.
    pub scale: f64,
}

impl Downscale {
    fn check(&self, rules: &mut Rules) {
        if self.scale_range.0 > self.scale_range.1 {
            rules.refuse("scale_range", "the smaller number comes first");
        }
    }
}

fn rounded(grid: &mut Grid<f32>) {
    grid.samples.iter_mut().for_each(|x| *x = x.round_ties_even().clamp(0.0, 255.0));
}

/// Both ways by places alone: each pixel is one of the source.
fn places(grid: &mut Grid<u8>, small: (usize, usize), scale: f64, down: Kernel, up: Kernel) {
    let axis = |from: usize, small: usize| {
        let first = nearest(from, small, down, 1.0 / scale);
        let back = nearest(small, from, up, small as f64 / from as f64);
        back.into_iter().map(|i| first[i]).collect::<Vec<_>>()
    };
    let (columns, rows) = (axis(grid.width, small.0), axis(grid.height, small.1));
    let (c, n) = (grid.channels, grid.row_len());
    let (mut out, mut line) = (Vec::with_capacity(grid.samples.len()), vec![0_u8; n]);
    for (y, &from) in rows.iter().enumerate() {
        if y > 0 && rows[y - 1] == from {
            let above = out.len() - n;
            out.extend_from_within(above..);
            continue;
        }
        let row = &grid.samples[from * n..][..n];
        match row.as_chunks::<3>() {
            (pixels, []) if c == 3 => {
                line.as_chunks_mut::<3>().0.iter_mut().zip(&columns).for_each(|(to, x)| *to = pixels[*x]);
            }
            _ => line.chunks_exact_mut(c).zip(&columns).for_each(|(to, x)| to.copy_from_slice(&row[x * c..][..c])),
        }
        out.extend_from_slice(&line);
    }
    grid.samples = out;
}

impl Augmentation for Downscale {
    type Draw = Smaller;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Smaller>> {
        Ok(Some(Smaller { scale: rng.range(self.scale_range.0, self.scale_range.1) }))
    }

    fn touch(&self, draw: &Smaller, image: &mut Image) -> Result<()> {
        let InterpolationPair { downscale: down, upscale: up } = self.interpolation_pair.clone();
        as_bytes(image, |grid| {
            let size = |side: usize| ((side as f64 * draw.scale).round_ties_even() as usize).max(1);
            let small = (size(grid.width), size(grid.height));
            let by_place = |k: &Kernel| matches!(k, Kernel::Nearest | Kernel::NearestExact);
            if by_place(&down) && by_place(&up) {
                places(grid, small, draw.scale, down, up);
                return Ok(());
            }
            let floats = grid.with(grid.samples.iter().map(|&x| f32::from(x)).collect());
            let mut less = scaled(&floats, small, down, (1.0 / draw.scale, 1.0 / draw.scale));
            rounded(&mut less);
            let mut again = resized(&less, (grid.width, grid.height), up);
            rounded(&mut again);
            grid.samples = again.samples.iter().map(|&x| x as u8).collect();
            Ok(())
        })
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
