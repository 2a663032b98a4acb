//! Pixels in memory: rows of interleaved channels, 8 or 16 bits or floats.

use crate::kinds::augmentation::Table;
use crate::{Error, Result};
use pleach_simd::{append_looked_up, append_planes};

/// The samples of an image, row by row, channels interleaved (HWC).
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// 0 to 255.
    U8(Vec<u8>),
    /// 0 to 65535.
    U16(Vec<u16>),
    /// As computed; after `Normalize` or `ToFloat`.
    F32(Vec<f32>),
}

impl Pixels {
    /// How many samples there are: width x height x channels.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::F32(v) => v.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The greatest value that the type stands for as white: 255, 65535 or 1.
    pub fn white(&self) -> f32 {
        match self {
            Self::U8(_) => 255.0,
            Self::U16(_) => 65535.0,
            Self::F32(_) => 1.0,
        }
    }
}

/// An image.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples in a pixel: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA, or any other number.
    pub channels: usize,
    /// The samples.
    pub pixels: Pixels,
}

impl Image {
    /// An image of the given size.
    ///
    /// # Errors
    /// The number of samples is not width x height x channels, or is 0.
    pub fn new(width: usize, height: usize, channels: usize, pixels: Pixels) -> Result<Self> {
        let want = width.checked_mul(height).and_then(|n| n.checked_mul(channels));
        if want != Some(pixels.len()) || want == Some(0) {
            return Err(Error::new(
                "PL0301",
                format!("an image of {width}x{height} with {channels} channels cannot have {} samples", pixels.len()),
            ));
        }
        Ok(Self { width, height, channels, pixels })
    }

    /// The samples as floats in their own range (0 to 255 for 8 bits).
    pub fn to_f32(&self) -> Vec<f32> {
        match &self.pixels {
            Pixels::U8(v) => v.iter().map(|&x| f32::from(x)).collect(),
            Pixels::U16(v) => v.iter().map(|&x| f32::from(x)).collect(),
            Pixels::F32(v) => v.clone(),
        }
    }

    /// The samples in planes (CHW), white scaled to 1.
    pub fn to_planes(&self) -> Vec<f32> {
        let mut out = Vec::new();
        self.append_planes(&mut out);
        out
    }

    /// [`append_planes`](Self::append_planes) of what a table makes of the samples, if there is one.
    pub fn append_looked_up(&self, table: Option<&Table>, out: &mut Vec<f32>) {
        match (table, &self.pixels) {
            (Some(Table::Floats(tables)), Pixels::U8(v)) => append_looked_up(v, self.channels, tables, out),
            (Some(table), _) => {
                let mut image = self.clone();
                table.apply(&mut image);
                image.append_planes(out);
            }
            (None, _) => self.append_planes(out),
        }
    }

    /// [`to_planes`](Self::to_planes), behind what a vector has.
    pub fn append_planes(&self, out: &mut Vec<f32>) {
        let scale = 1.0 / self.pixels.white();
        match &self.pixels {
            Pixels::U8(v) => append_planes(v, self.channels, scale, out),
            Pixels::U16(v) => append_planes(v, self.channels, scale, out),
            Pixels::F32(v) => append_planes(v, self.channels, scale, out),
        }
    }
}
