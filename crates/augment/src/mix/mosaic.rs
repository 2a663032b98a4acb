//! Lays several pictures side by side.

use super::pixels::{matched, paste_all};
use crate::PerChannel;
use pleach_core::image::{Image, Pixels};
use pleach_core::warp::{Border, Interpolation};
use pleach_core::{Augmentation, Frame, Map, Result, Rng, Row, RowView, Warp, config, plugin, state};
use std::cmp::Ordering;

/// How a picture is laid into a cell.
#[config]
#[derive(Default)]
pub enum FitMode {
    /// It covers the cell from the top left corner on, and what reaches beyond is cut off.
    #[default]
    Cover,
    /// It is no larger than the cell, and in the middle of what it does not fill.
    Contain,
}

/// Lays a sample and partners into a grid of cells and cuts a window out of it (Bochkovskiy and others, 2020), with
/// probability 0.5 unless `p` says otherwise.
///
/// Follows `Mosaic` of Albumentations 2.0.8: the sample itself is in the cell that shows most, and the window lies in
/// the given range of the places that it may have. As there, a cell that is cut shows the part of its picture that lies
/// towards the middle of the result, and the middle of its picture where it lies on a middle line of the result itself.
/// Partners come from the data set, not from metadata.
#[plugin(augmentation, cite = ["arXiv:2004.10934", "Albumentations 2.0.8, Mosaic"])]
pub struct Mosaic {
    /// Rows and columns of cells.
    #[plugin(default = (2, 2), range = 1..=8)]
    pub grid_yx: (usize, usize),
    /// Height and width of the result.
    #[plugin(default = (512, 512), range = 1..)]
    pub target_size: (usize, usize),
    /// Height and width of a cell.
    #[plugin(default = (512, 512), range = 1..)]
    pub cell_shape: (usize, usize),
    /// Where the window lies, in shares of the room that it has in the grid.
    #[plugin(default = (0.3, 0.7), range = 0.0..=1.0)]
    pub center_range: (f64, f64),
    /// How a picture is laid into a cell.
    #[plugin(default = FitMode::Cover)]
    pub fit_mode: FitMode,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
    /// Brightness where there is no picture, 0 to 255, one number or one for each channel.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
    /// Class in maps where there is no picture.
    #[plugin(default = 0)]
    pub fill_mask: u16,
}

/// What was decided.
#[state]
pub struct Tiled {
    /// The cell of the sample itself; partners fill the others in order.
    pub own: usize,
    /// The corner of the window within the grid, in pixels.
    pub x: i64,
    /// The corner of the window within the grid, in pixels.
    pub y: i64,
}

impl Mosaic {
    /// From a picture to the part of its cell that is visible in a window of the result.
    fn part(&self, size: (usize, usize), [x0, y0, x1, y1]: [usize; 4]) -> Warp {
        let (height, width) = self.cell_shape;
        let (sx, sy) = (width as f64 / size.0 as f64, height as f64 / size.1 as f64);
        let scale = if matches!(self.fit_mode, FitMode::Cover) { sx.max(sy) } else { sx.min(sy) };
        let side = |n: usize| ((n as f64 * scale).round() as usize).max(1);
        let scaled = (side(size.0), side(size.1));
        // The part that lies towards the middle of the result, or the middle of the cell.
        let half = [x0 + x1, y0 + y1].into_iter().zip([self.target_size.1, self.target_size.0]);
        let sides: Vec<Ordering> = half.map(|(twice, all)| twice.cmp(&all)).collect();
        let central = sides.contains(&Ordering::Equal);
        let corner = |axis: usize, cell: usize, shown: usize, picture: usize| {
            let room = cell.saturating_sub(shown) as i64;
            let at = match sides[axis] {
                _ if central => room / 2,
                Ordering::Less => room,
                _ => 0,
            };
            // A picture that ends before the part does is moved into the middle of what it leaves.
            at - (at + shown as i64 - picture as i64).max(0) / 2
        };
        let (x, y) = (corner(0, width, x1 - x0, scaled.0), corner(1, height, y1 - y0, scaled.1));
        let border = Border::Constant { fill: self.fill.levels(), map_fill: self.fill_mask };
        let resize = Warp::resize(size, scaled).with_interpolation(self.interpolation);
        Warp { border, ..resize.then(&Warp::crop(x, y, (x1 - x0, y1 - y0)).with_border(border)) }
    }
}

impl Augmentation for Mosaic {
    type Draw = Tiled;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Tiled>> {
        let mut corner = |cells: usize, cell: usize, window: usize| {
            let room = (cells * cell).saturating_sub(window);
            let at = rng.range(self.center_range.0, self.center_range.1) * (room + 1) as f64;
            (at as usize).min(room)
        };
        let y = corner(self.grid_yx.0, self.cell_shape.0, self.target_size.0);
        let x = corner(self.grid_yx.1, self.cell_shape.1, self.target_size.1);
        let seen = |n: usize, cell: usize, from: usize, window: usize| {
            ((n + 1) * cell).min(from + window).saturating_sub((n * cell).max(from))
        };
        let shown = |cell: usize| {
            let (col, line) = (cell % self.grid_yx.1, cell / self.grid_yx.1);
            seen(col, self.cell_shape.1, x, self.target_size.1) * seen(line, self.cell_shape.0, y, self.target_size.0)
        };
        // The first of those that show most.
        let cells = self.grid_yx.0 * self.grid_yx.1;
        let own = (0..cells).rev().max_by_key(|cell| shown(*cell)).unwrap_or(0);
        Ok(Some(Tiled { own, x: x as i64, y: y as i64 }))
    }

    fn looks(&self) -> bool {
        false
    }

    fn partners(&self) -> usize {
        (self.grid_yx.0 * self.grid_yx.1).saturating_sub(1)
    }

    fn mix(&self, draw: &Tiled, row: &mut Row, partners: Vec<Row>) -> Result<()> {
        let (height, width) = self.target_size;
        let mut canvas = Row { instances: Vec::new(), frames: Vec::new(), maps: Vec::new(), ..row.clone() };
        for frame in &row.frames {
            let image = blank(&frame.image, (width, height), self.fill.levels())?;
            canvas.frames.push(Frame { number: frame.number, image });
        }
        for map in &row.maps {
            let classes = vec![self.fill_mask; width * height];
            canvas.maps.push(Map { frame: map.frame, width, height, classes, scores: Vec::new() });
        }
        let mut parts = Vec::with_capacity(partners.len() + 1);
        for partner in partners {
            parts.push(matched(row, partner)?);
        }
        parts.insert(draw.own.min(parts.len()), row.clone());
        for (at, mut part) in parts.into_iter().enumerate() {
            let (col, line) = (at % self.grid_yx.1, at / self.grid_yx.1);
            let left = (col * self.cell_shape.1) as i64 - draw.x;
            let top = (line * self.cell_shape.0) as i64 - draw.y;
            let span = |from: i64, cell: usize, all: usize| {
                let low = from.clamp(0, all as i64);
                (low as usize, (from + cell as i64).clamp(low, all as i64) as usize)
            };
            let (x0, x1) = span(left, self.cell_shape.1, width);
            let (y0, y1) = span(top, self.cell_shape.0, height);
            if x0 >= x1 || y0 >= y1 {
                continue;
            }
            self.part(part.size().unwrap_or((1, 1)), [x0, y0, x1, y1]).apply(&mut part)?;
            Warp::crop(-(x0 as i64), -(y0 as i64), (width, height)).apply(&mut part)?;
            paste_all(&mut canvas, &part, [x0, y0, x1, y1]);
            // Tracks of partners must not meet each other either.
            let free = canvas.instances.iter().filter_map(|i| i.track).max().map_or(0, |t| t.saturating_add(1));
            let meets = |t: u64| canvas.instances.iter().any(|i| i.track == Some(t));
            let shift = part.instances.iter().filter_map(|i| i.track).any(meets);
            canvas.instances.extend(part.instances.into_iter().map(|mut i| {
                i.track = i.track.map(|t| if shift { t.saturating_add(free) } else { t });
                i
            }));
        }
        *row = canvas;
        Ok(())
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}

/// An image of one colour, of the kind of another.
fn blank(like: &Image, (width, height): (usize, usize), fill: [f32; 4]) -> Result<Image> {
    let white = like.pixels.white();
    let sample = |k: usize| fill[k.min(3)] * white;
    let samples = |n: usize| (0..n).map(|i| sample(i % like.channels));
    let n = width * height * like.channels;
    let pixels = match &like.pixels {
        Pixels::U8(_) => Pixels::U8(samples(n).map(|v| (v + 0.5) as u8).collect()),
        Pixels::U16(_) => Pixels::U16(samples(n).map(|v| (v + 0.5) as u16).collect()),
        Pixels::F32(_) => Pixels::F32(samples(n).collect()),
    };
    Image::new(width, height, like.channels, pixels)
}
