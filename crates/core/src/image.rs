//! Pixels in memory: rows of interleaved channels, 8 or 16 bits or floats.

use crate::{Error, Result};

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
        let scale = 1.0 / self.pixels.white();
        match &self.pixels {
            Pixels::U8(v) => apart(v, self.channels, |x| f32::from(x) * scale),
            Pixels::U16(v) => apart(v, self.channels, |x| f32::from(x) * scale),
            Pixels::F32(v) => apart(v, self.channels, |x| x),
        }
    }
}

/// Takes interleaved samples apart into planes.
fn apart<T: Copy>(samples: &[T], channels: usize, value: impl Fn(T) -> f32) -> Vec<f32> {
    let n = samples.len() / channels.max(1);
    let mut out = vec![0.0; samples.len()];
    if channels == 3 {
        // Colour images are nearly all there is, and one pass over them is twice as fast as three.
        let (red, rest) = out.split_at_mut(n);
        let (green, blue) = rest.split_at_mut(n);
        let planes = red.iter_mut().zip(green).zip(blue);
        for (&[r, g, b], ((red, green), blue)) in samples.as_chunks::<3>().0.iter().zip(planes) {
            (*red, *green, *blue) = (value(r), value(g), value(b));
        }
    } else {
        for (plane, out) in out.chunks_exact_mut(n.max(1)).enumerate() {
            let source = samples.iter().skip(plane).step_by(channels);
            out.iter_mut().zip(source).for_each(|(o, &x)| *o = value(x));
        }
    }
    out
}
