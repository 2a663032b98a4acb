//! Draws samples into one picture, with their masks, maps, boxes, outlines and points.

use pleach_core::image::{Image, Pixels};
use pleach_core::warp::Interpolation;
use pleach_core::{Error, Frame, Instance, Result, Row, Warp};
use std::path::Path;

/// Pixels between two tiles.
const GAP: usize = 6;
/// Frames of a clip that are shown.
const FRAMES: usize = 4;

/// Colours that are told apart easily (Okabe and Ito, 2008).
const COLOURS: [[u8; 3]; 7] =
    [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]];

fn colour(of: usize) -> [u8; 3] {
    COLOURS[of % COLOURS.len()]
}

/// A picture of tiles.
pub struct Sheet {
    columns: usize,
    side: usize,
    tiles: Vec<Image>,
}

impl Sheet {
    /// An empty one with so many tiles side by side, each of at most so many pixels a side.
    pub fn new(columns: usize, side: u32) -> Self {
        Self { columns: columns.max(1), side: side.max(1) as usize, tiles: Vec::new() }
    }

    /// Adds the first frames of a sample, with all that is known about them drawn in.
    ///
    /// # Errors
    /// The sample cannot be scaled to a tile.
    pub fn add(&mut self, row: &Row) -> Result<()> {
        let mut row = row.clone();
        row.frames.truncate(FRAMES);
        row.instances.retain(|i| (i.frame as usize) < FRAMES);
        row.maps.retain(|m| (m.frame as usize) < FRAMES);
        for frame in &mut row.frames {
            frame.image = visible(&frame.image)?;
        }
        let Some((w, h)) = row.size() else { return Ok(()) };
        let scale = (self.side as f64 / w as f64).min(self.side as f64 / h as f64);
        let side = |n: usize| ((n as f64 * scale).round() as usize).max(1);
        Warp::resize((w, h), (side(w), side(h))).with_interpolation(Interpolation::Antialias).apply(&mut row)?;
        for (index, Frame { image, .. }) in row.frames.iter().enumerate() {
            let mut tile = image.clone();
            for map in row.maps.iter().filter(|m| m.frame as usize == index) {
                tint(&mut tile, |at| map.classes.get(at).filter(|c| **c > 0).map(|c| colour(usize::from(*c))));
            }
            for (n, i) in row.instances.iter().enumerate().filter(|(_, i)| i.frame as usize == index) {
                draw(&mut tile, i, colour(i.track.map_or(n, |t| t as usize)));
            }
            self.tiles.push(tile);
        }
        Ok(())
    }

    /// Writes the picture in the format of the file's ending.
    ///
    /// # Errors
    /// There is no tile, or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let rows = self.tiles.len().div_ceil(self.columns);
        let columns = self.columns.min(self.tiles.len());
        let (w, h) = (columns * (self.side + GAP) + GAP, rows * (self.side + GAP) + GAP);
        let mut sheet = vec![255u8; 3 * w * h];
        for (n, tile) in self.tiles.iter().enumerate() {
            let Pixels::U8(pixels) = &tile.pixels else { continue };
            let middle = |n: usize| (self.side - n.min(self.side)) / 2;
            let left = GAP + n % self.columns * (self.side + GAP) + middle(tile.width);
            let top = GAP + n / self.columns * (self.side + GAP) + middle(tile.height);
            for (y, line) in pixels.chunks_exact(3 * tile.width).enumerate() {
                let start = 3 * ((top + y) * w + left);
                sheet[start..start + line.len()].copy_from_slice(line);
            }
        }
        let broken =
            |e: &dyn std::fmt::Display| Error::new("PL0501", format!("cannot write `{}`: {e}", path.display()));
        if self.tiles.is_empty() {
            return Err(broken(&"there is no sample to show"));
        }
        image::save_buffer(path, &sheet, w as u32, h as u32, image::ExtendedColorType::Rgb8).map_err(|e| broken(&e))
    }
}

/// An image as 8 bits of three channels; floats are stretched from their least to their greatest value.
fn visible(image: &Image) -> Result<Image> {
    let samples = image.to_f32();
    let (low, high) = match image.pixels {
        Pixels::F32(_) => samples.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v))),
        _ => (0.0, image.pixels.white()),
    };
    let byte = |v: f32| ((v - low) / (high - low).max(1e-6) * 255.0 + 0.5) as u8;
    let channels = image.channels;
    let pixel = |p: &[f32]| match channels {
        1 | 2 => [p[0]; 3],
        _ => [p[0], p[1], p[2]],
    };
    let pixels = samples.chunks_exact(channels).flat_map(|p| pixel(p).map(byte)).collect();
    Image::new(image.width, image.height, 3, Pixels::U8(pixels))
}

fn tint(tile: &mut Image, with: impl Fn(usize) -> Option<[u8; 3]>) {
    let Pixels::U8(pixels) = &mut tile.pixels else { return };
    for (at, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        if let Some(colour) = with(at) {
            pixel.iter_mut().zip(colour).for_each(|(p, c)| *p = ((u16::from(*p) * 3 + u16::from(c) * 2) / 5) as u8);
        }
    }
}

fn draw(tile: &mut Image, i: &Instance, colour: [u8; 3]) {
    if let Some(mask) = &i.mask {
        tint(tile, |at| mask.inside.get(at).filter(|v| **v != 0).map(|_| colour));
    }
    for ring in i.polygon.iter().flat_map(|p| &p.0) {
        outline(tile, ring, colour);
    }
    if let Some(b) = i.bbox {
        outline(tile, &b.corners(), colour);
    }
    for p in i.points.iter().filter(|p| p.visible) {
        let (x, y) = (p.x as i64, p.y as i64);
        (-2..=2).for_each(|dy| (-2..=2).for_each(|dx| dot(tile, x + dx, y + dy, [255; 3])));
        (-1..=1).for_each(|dy| (-1..=1).for_each(|dx| dot(tile, x + dx, y + dy, colour)));
    }
}

fn outline(tile: &mut Image, ring: &[[f32; 2]], colour: [u8; 3]) {
    for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let steps = (b[0] - a[0]).abs().max((b[1] - a[1]).abs()).ceil().clamp(1.0, 1e4);
        for k in 0..=steps as u32 {
            let t = k as f32 / steps;
            // A line on the far edge of the picture belongs to its last pixels, and one a rounding before a pixel to that.
            let place = |i: usize, n: usize| (a[i] + (b[i] - a[i]) * t + 1e-3).min(n as f32 - 0.5).floor() as i64;
            dot(tile, place(0, tile.width), place(1, tile.height), colour);
        }
    }
}

fn dot(tile: &mut Image, x: i64, y: i64, colour: [u8; 3]) {
    let (w, h) = (tile.width as i64, tile.height as i64);
    let Pixels::U8(pixels) = &mut tile.pixels else { return };
    if (0..w).contains(&x) && (0..h).contains(&y) {
        let at = 3 * (y * w + x) as usize;
        pixels[at..at + 3].copy_from_slice(&colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{RotBox, SampleId};

    #[test]
    fn a_box_is_drawn_at_its_edges() {
        let image = Image::new(240, 120, 1, Pixels::U8(vec![0; 240 * 120])).unwrap();
        let mut row = Row::new(SampleId { index: 0, key: "b".into() }, vec![Frame { number: 0, image }]);
        let bbox = Some(RotBox::from_corners(20.0, 10.0, 200.0, 100.0));
        row.instances.push(Instance { bbox, track: Some(2), ..Instance::default() });
        let mut sheet = Sheet::new(2, 240);
        sheet.add(&row).unwrap();
        let tile = &sheet.tiles[0];
        let at = |x: usize, y: usize| tile.to_f32()[3 * (y * 240 + x)..][..3].to_vec();
        assert_eq!((tile.width, tile.height), (240, 120));
        assert_eq!(at(20, 50), [0.0, 158.0, 115.0]);
        assert_eq!(at(100, 10), [0.0, 158.0, 115.0]);
        assert_eq!(at(100, 50), [0.0, 0.0, 0.0]);
    }
}
