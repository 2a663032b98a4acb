//! Contrast of each neighbourhood.

use super::filter::reflect;
use super::grid::{as_bytes, channels, gray_or_rgb};
use super::lab;
use super::limits::FromOne;
use super::rounding::byte;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Contrast limited adaptive histogram equalisation: each tile's levels are equalised by a table, and between the
/// middles of tiles the tables are mixed.
///
/// Follows `CLAHE` of Albumentations 2.0.8 (OpenCV's `createCLAHE`, on the lightness of CIE Lab for RGB), within
/// 1 level; the tables are to the bit. It needs the counts of whole tiles, so it is done on the host.
#[plugin(augmentation, cite = "Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994")]
pub struct CLAHE {
    /// Least and greatest slope of a table; one number `x` stands for `[1, x]`.
    #[plugin(default = FromOne(1.0, 4.0), range = 1.0..)]
    pub clip_limit: FromOne,
    /// Tiles across and down.
    #[plugin(default = (8, 8), range = 1..=256)]
    pub tile_grid_size: (usize, usize),
}

/// What was decided.
#[state]
pub struct Clipped {
    /// The greatest slope of a table.
    pub clip_limit: f64,
}

/// The table of a tile from its counts.
fn table(mut counts: [u32; 256], clip: f64, pixels: usize) -> [u8; 256] {
    let limit = ((clip * pixels as f64 / 256.0) as u32).max(1);
    let mut cut = 0;
    for n in &mut counts {
        cut += n.saturating_sub(limit);
        *n = (*n).min(limit);
    }
    // What was cut off is dealt out again, and what cannot be divided goes to levels at even distances.
    let (each, mut rest) = (cut / 256, cut % 256);
    counts.iter_mut().for_each(|n| *n += each);
    let step = 256_usize.checked_div(rest as usize).unwrap_or(256).max(1);
    for n in counts.iter_mut().step_by(step) {
        if rest == 0 {
            break;
        }
        *n += 1;
        rest -= 1;
    }
    let scale = 255.0 / pixels as f32;
    let mut sum = 0;
    counts.map(|n| {
        sum += n;
        (sum as f32 * scale).round_ties_even().clamp(0.0, 255.0) as u8
    })
}

/// The two tiles between whose middles a place lies, and the share of the second.
fn between(place: usize, side: usize, tiles: usize) -> (usize, usize, f32) {
    let at = place as f32 * (1.0 / side as f32) - 0.5;
    let first = at.floor();
    ((first as i32).max(0) as usize, (first as i32 + 1).clamp(0, tiles as i32 - 1) as usize, at - first)
}

/// Changes a plane of one channel.
fn equalize(plane: &mut [u8], width: usize, height: usize, clip: f64, (across, down): (usize, usize)) {
    // Where tiles do not fit, the image is mirrored to the right and downwards, by a whole number of tiles' rows.
    let fits = width.is_multiple_of(across) && height.is_multiple_of(down);
    let (wide, high) =
        if fits { (width, height) } else { (width + across - width % across, height + down - height % down) };
    let (tw, th) = (wide / across, high / down);
    let mut tables = Vec::with_capacity(across * down);
    for ty in 0..down {
        for tx in 0..across {
            let mut counts = [0_u32; 256];
            for y in ty * th..(ty + 1) * th {
                let row = &plane[reflect(y as isize, height) * width..][..width];
                for x in tx * tw..(tx + 1) * tw {
                    let x = if x < width { x } else { reflect(x as isize, width) };
                    counts[usize::from(row[x])] += 1;
                }
            }
            tables.push(table(counts, clip, tw * th));
        }
    }
    let columns: Vec<_> = (0..width).map(|x| between(x, tw, across)).collect();
    for (y, row) in plane.chunks_exact_mut(width).enumerate() {
        let (first, second, share) = between(y, th, down);
        let (upper, lower) = (&tables[first * across..][..across], &tables[second * across..][..across]);
        for (x, &(left, right, part)) in row.iter_mut().zip(&columns) {
            let level = usize::from(*x);
            let along = |tables: &[[u8; 256]]| {
                f32::from(tables[left][level]) * (1.0 - part) + f32::from(tables[right][level]) * part
            };
            *x = byte((along(upper) * (1.0 - share) + along(lower) * share).clamp(0.0, 255.0));
        }
    }
}

impl Augmentation for CLAHE {
    type Draw = Clipped;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Clipped>> {
        gray_or_rgb("CLAHE", channels(row))?;
        Ok(Some(Clipped { clip_limit: rng.range(self.clip_limit.0, self.clip_limit.1) }))
    }

    fn touch(&self, draw: &Clipped, image: &mut Image) -> Result<()> {
        gray_or_rgb("CLAHE", image.channels)?;
        as_bytes(image, |grid| {
            let (w, h) = (grid.width, grid.height);
            if grid.channels == 1 {
                equalize(&mut grid.samples, w, h, draw.clip_limit, self.tile_grid_size);
                return Ok(());
            }
            let pixels = grid.samples.as_chunks_mut::<3>().0;
            let mut lightness = Vec::with_capacity(pixels.len());
            for pixel in pixels.iter_mut() {
                *pixel = lab::forward(*pixel);
                lightness.push(pixel[0]);
            }
            equalize(&mut lightness, w, h, draw.clip_limit, self.tile_grid_size);
            for (pixel, l) in pixels.iter_mut().zip(lightness) {
                *pixel = lab::backward([l, pixel[1], pixel[2]]);
            }
            Ok(())
        })
    }

    fn reduces(&self) -> bool {
        true
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
