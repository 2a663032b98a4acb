//! Samples of one type with their shape, and how images of other types pass through an operation.

use super::rounding::byte;
use pleach_core::image::{Image, Pixels};
use pleach_core::{Error, Result, RowView, state};

/// Rows of interleaved channels.
#[derive(Debug, Clone)]
pub(crate) struct Grid<T> {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples in a pixel.
    pub channels: usize,
    /// Row by row.
    pub samples: Vec<T>,
}

impl<T> Grid<T> {
    /// Samples in a row.
    pub fn row_len(&self) -> usize {
        self.width * self.channels
    }

    /// Another image of this shape.
    pub fn with<U>(&self, samples: Vec<U>) -> Grid<U> {
        Grid { width: self.width, height: self.height, channels: self.channels, samples }
    }
}

impl<T: Copy> Grid<T> {
    /// Makes one sample of every pixel, which then stands in each of so many channels.
    pub fn mixed(&mut self, channels: usize, sample: impl Fn(&[T]) -> T) -> Result<()> {
        let pixels = self.samples.chunks_exact(self.channels);
        self.samples = pixels.flat_map(|pixel| std::iter::repeat_n(sample(pixel), channels)).collect();
        self.channels = channels;
        Ok(())
    }
}

/// That it happens; there is nothing to decide.
#[state]
pub struct Done {}

/// The channels of the first frame.
pub(crate) fn channels(row: &RowView<'_>) -> usize {
    row.row.frames.first().map_or(0, |f| f.image.channels)
}

/// An error where an image has neither one channel nor three.
pub(crate) fn gray_or_rgb(who: &str, channels: usize) -> Result<()> {
    if channels == 1 || channels == 3 { Ok(()) } else { Err(undefined(who, channels, "1 or 3")) }
}

/// An error where an image has not three channels.
pub(crate) fn only_rgb(who: &str, channels: usize) -> Result<()> {
    if channels == 3 { Ok(()) } else { Err(undefined(who, channels, "3")) }
}

fn undefined(who: &str, channels: usize, wants: &str) -> Error {
    let message = format!("{who} is defined for images with {wants} channels; this one has {channels}");
    Error::new("PL0347", message).hint("convert the images, or leave it out")
}

/// Eight bits are changed by `bytes`; floats, and 16 bits as floats with white at 1, by `floats`.
pub(crate) fn by_type(
    image: &mut Image,
    bytes: impl FnOnce(&mut Grid<u8>) -> Result<()>,
    floats: impl FnOnce(&mut Grid<f32>) -> Result<()>,
) -> Result<()> {
    let shape = Grid { width: image.width, height: image.height, channels: image.channels, samples: Vec::<()>::new() };
    // What fails leaves the image as it was, so samples are taken out only once nothing can fail but the closure,
    // which gets them back.
    let pixels = std::mem::replace(&mut image.pixels, Pixels::U8(Vec::new()));
    let (channels, pixels, done) = match pixels {
        Pixels::U8(samples) => {
            let mut grid = shape.with(samples);
            let done = bytes(&mut grid);
            (grid.channels, Pixels::U8(grid.samples), done)
        }
        Pixels::U16(samples) => {
            let mut grid = shape.with(samples.iter().map(|&x| f32::from(x) / 65535.0).collect());
            let done = floats(&mut grid);
            let back = |x: &f32| (x * 65535.0).round_ties_even().clamp(0.0, 65535.0) as u16;
            let samples = if done.is_ok() { grid.samples.iter().map(back).collect() } else { samples };
            (grid.channels, Pixels::U16(samples), done)
        }
        Pixels::F32(samples) => {
            let mut grid = shape.with(samples);
            let done = floats(&mut grid);
            (grid.channels, Pixels::F32(grid.samples), done)
        }
    };
    image.pixels = pixels;
    image.channels = channels;
    done
}

/// Floats and 16 bits become 8 bits for this operation, as under Albumentations' `uint8_io`.
pub(crate) fn as_bytes(image: &mut Image, change: impl FnOnce(&mut Grid<u8>) -> Result<()>) -> Result<()> {
    let change = std::cell::Cell::new(Some(change));
    let run = |grid: &mut Grid<u8>| change.take().map_or(Ok(()), |change| change(grid));
    by_type(image, run, |grid| {
        let round = |x: &f32| byte((x * 255.0).clamp(0.0, 255.0));
        let mut bytes = grid.with(grid.samples.iter().map(round).collect());
        run(&mut bytes)?;
        grid.channels = bytes.channels;
        grid.samples = bytes.samples.iter().map(|&x| f32::from(x) / 255.0).collect();
        Ok(())
    })
}

/// Eight bits become floats for this operation and are rounded after it, as under Albumentations' `float32_io`.
pub(crate) fn as_floats(image: &mut Image, change: impl FnOnce(&mut Grid<f32>) -> Result<()>) -> Result<()> {
    let change = std::cell::Cell::new(Some(change));
    let run = |grid: &mut Grid<f32>| change.take().map_or(Ok(()), |change| change(grid));
    by_type(
        image,
        |grid| {
            let mut floats = grid.with(grid.samples.iter().map(|&x| f32::from(x) / 255.0).collect());
            run(&mut floats)?;
            grid.channels = floats.channels;
            grid.samples = floats.samples.iter().map(|x| byte((x * 255.0).clamp(0.0, 255.0))).collect();
            Ok(())
        },
        run,
    )
}
