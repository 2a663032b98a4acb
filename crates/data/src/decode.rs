//! Turns the bytes of image files into images, with their own bit depth.

mod jpeg;

use crate::files;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use pleach_core::image::{Image, Pixels};
use pleach_core::{Error, Result, config};
use std::io::Cursor;
use std::path::Path;

/// The memory that decoding one image may take, in bytes; a file that asks for more is refused.
pub const MAX_BYTES: u64 = 1 << 30;

/// The channels into which images are brought. The bit depth always stays.
///
/// Gray is made of colours by the luma of ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B) and colours of
/// gray by repeating it; an alpha channel that is not wanted is dropped (the image is not laid over
/// any ground), and one that is missing is opaque. This is what Pillow's `convert` does.
#[config]
#[derive(Default)]
pub enum Channels {
    /// One channel.
    Gray,
    /// Three channels.
    #[default]
    Rgb,
    /// Three channels and alpha.
    Rgba,
    /// Those of the file; images of one data set may then differ.
    AsIs,
}

impl Channels {
    /// How many there are; none where each file has its own.
    pub fn count(self) -> Option<usize> {
        match self {
            Self::Gray => Some(1),
            Self::Rgb => Some(3),
            Self::Rgba => Some(4),
            Self::AsIs => None,
        }
    }

    /// The choice that gives this number of channels: 1, 3 or 4; any other number leaves files as they are.
    pub fn of_count(channels: usize) -> Self {
        match channels {
            1 => Self::Gray,
            3 => Self::Rgb,
            4 => Self::Rgba,
            _ => Self::AsIs,
        }
    }
}

/// Which way up an image is.
///
/// A camera that is held upright notes in EXIF by how much its picture is to be turned. What is to be right is for the
/// data set to say: masks and boxes that were drawn by a program that showed the picture turned belong to `exif`.
#[config]
#[derive(Default)]
pub enum Orientation {
    /// As its pixels are stored; Pillow, torchvision and pycocotools do so.
    #[default]
    Stored,
    /// Turned as the camera noted it in EXIF; OpenCV's `imread` does so.
    Exif,
}

/// What image files are brought into when they are read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reading {
    /// The channels.
    pub channels: Channels,
    /// Which way up.
    pub orientation: Orientation,
}

impl From<Channels> for Reading {
    /// These channels, as stored.
    fn from(channels: Channels) -> Self {
        Self { channels, orientation: Orientation::Stored }
    }
}

/// Reads and decodes an image file (JPEG, PNG, TIFF, BMP or WebP, by its contents, not its name).
///
/// # Errors
/// `PL0303` with the path: it cannot be read, is no image of these formats, is truncated or damaged, or takes
/// more than [`MAX_BYTES`].
pub fn read(path: &Path, how: impl Into<Reading>) -> Result<Image> {
    files::with_bytes(path, |bytes| decode(bytes, path, how))
}

/// Decodes an image; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub fn decode(bytes: &[u8], path: &Path, how: impl Into<Reading>) -> Result<Image> {
    let Reading { channels, orientation } = how.into();
    let (mut decoded, turned) = if jpeg::is_jpeg(bytes) { jpeg::decode(bytes, path)? } else { other(bytes, path)? };
    if orientation == Orientation::Exif {
        decoded.apply_orientation(turned);
    }
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let n = usize::from(decoded.color().channel_count());
    let pixels = match decoded {
        DynamicImage::ImageLuma8(i) => Pixels::U8(i.into_raw()),
        DynamicImage::ImageLumaA8(i) => Pixels::U8(i.into_raw()),
        DynamicImage::ImageRgb8(i) => Pixels::U8(i.into_raw()),
        DynamicImage::ImageRgba8(i) => Pixels::U8(i.into_raw()),
        DynamicImage::ImageLuma16(i) => Pixels::U16(i.into_raw()),
        DynamicImage::ImageLumaA16(i) => Pixels::U16(i.into_raw()),
        DynamicImage::ImageRgb16(i) => Pixels::U16(i.into_raw()),
        DynamicImage::ImageRgba16(i) => Pixels::U16(i.into_raw()),
        DynamicImage::ImageRgb32F(i) => Pixels::F32(i.into_raw()),
        DynamicImage::ImageRgba32F(i) => Pixels::F32(i.into_raw()),
        _ => return Err(unreadable(path, "its pixels are of a type that is not supported")),
    };
    let image = Image::new(width, height, n, pixels).map_err(|e| unreadable(path, e.message()))?;
    convert(image, channels)
}

/// The pixels of a file that is no JPEG, as stored, and the turn that it notes.
fn other(bytes: &[u8], path: &Path) -> Result<(DynamicImage, image::metadata::Orientation)> {
    let mut decoder = reader(bytes, path)?.into_decoder().map_err(|e| unreadable(path, e))?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > MAX_BYTES {
        let message = format!("its header says {width}x{height} pixels, which take more than 1 GiB");
        return Err(unreadable(path, message));
    }
    let turned = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder).map_err(|e| unreadable(path, e))?, turned))
}

/// The number of channels of an image file, from its header.
///
/// # Errors
/// As [`read`].
pub fn channels_of(path: &Path) -> Result<usize> {
    files::with_bytes(path, |bytes| {
        if jpeg::is_jpeg(bytes) {
            return jpeg::channels(bytes, path);
        }
        let decoder = reader(bytes, path)?.into_decoder().map_err(|e| unreadable(path, e))?;
        Ok(usize::from(decoder.color_type().channel_count()))
    })
}

/// Brings an image into the wanted channels, by the rules of [`Channels`].
///
/// # Errors
/// The image has more than four channels.
pub fn convert(image: Image, channels: Channels) -> Result<Image> {
    let Some(to) = channels.count().filter(|&to| to != image.channels) else { return Ok(image) };
    let (width, height, from) = (image.width, image.height, image.channels);
    if !(1..=4).contains(&from) {
        return Err(Error::new("PL0301", format!("an image of {from} channels cannot be brought into {to}")));
    }
    let pixels = match image.pixels {
        Pixels::U8(v) => Pixels::U8(rechannel(&v, from, to, u8::MAX, |[r, g, b]| {
            ((19595 * u32::from(r) + 38470 * u32::from(g) + 7471 * u32::from(b) + 0x8000) >> 16) as u8
        })),
        Pixels::U16(v) => Pixels::U16(rechannel(&v, from, to, u16::MAX, |[r, g, b]| {
            ((19595 * u64::from(r) + 38470 * u64::from(g) + 7471 * u64::from(b) + 0x8000) >> 16) as u16
        })),
        Pixels::F32(v) => Pixels::F32(rechannel(&v, from, to, 1.0, |[r, g, b]| 0.299 * r + 0.587 * g + 0.114 * b)),
    };
    Image::new(width, height, to, pixels)
}

/// Every pixel goes through RGBA; `to` is 1, 3 or 4.
fn rechannel<T: Copy>(flat: &[T], from: usize, to: usize, white: T, luma: impl Fn([T; 3]) -> T) -> Vec<T> {
    let mut out = Vec::with_capacity(flat.len() / from * to);
    for px in flat.chunks_exact(from) {
        let rgba = match *px {
            [v] => [v, v, v, white],
            [v, a] => [v, v, v, a],
            [r, g, b] => [r, g, b, white],
            [r, g, b, a] => [r, g, b, a],
            _ => continue,
        };
        let [r, g, b, _] = rgba;
        match to {
            1 if from < 3 => out.push(r),
            1 => out.push(luma([r, g, b])),
            3 => out.extend([r, g, b]),
            _ => out.extend(rgba),
        }
    }
    out
}

fn reader<'a>(bytes: &'a [u8], path: &Path) -> Result<ImageReader<Cursor<&'a [u8]>>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| unreadable(path, e))?;
    if reader.format().is_none() {
        return Err(unreadable(path, "its contents are of no known image format"));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    Ok(reader)
}

/// The error of an image file that cannot be used.
pub fn unreadable(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new("PL0303", format!("{} cannot be read as an image: {why}", path.display()))
        .hint("replace or remove the file, or write `on_error = \"skip\"` in [dataloader] to leave such files out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(channels: usize, values: &[u8]) -> Image {
        Image::new(values.len() / channels, 1, channels, Pixels::U8(values.to_vec())).unwrap()
    }

    fn bytes(i: &Image) -> Vec<u8> {
        match &i.pixels {
            Pixels::U8(v) => v.clone(),
            other => panic!("{other:?}"),
        }
    }

    // Values of Pillow 11's Image.convert("L").
    #[test]
    fn gray_of_colours_is_pillows() {
        let gray = convert(image(3, &[255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30]), Channels::Gray).unwrap();
        assert_eq!(bytes(&gray), [76, 150, 29, 18]);
    }

    #[test]
    fn colours_of_gray_repeat_it_and_missing_alpha_is_opaque() {
        assert_eq!(bytes(&convert(image(1, &[7]), Channels::Rgba).unwrap()), [7, 7, 7, 255]);
        assert_eq!(bytes(&convert(image(2, &[7, 9]), Channels::Rgba).unwrap()), [7, 7, 7, 9]);
        assert_eq!(bytes(&convert(image(4, &[1, 2, 3, 4]), Channels::Rgb).unwrap()), [1, 2, 3]);
        assert_eq!(bytes(&convert(image(2, &[7, 9]), Channels::Gray).unwrap()), [7]);
    }

    #[test]
    fn sixteen_bits_stay_sixteen() {
        let wide = Image::new(1, 1, 3, Pixels::U16(vec![65535, 65535, 65535])).unwrap();
        assert_eq!(convert(wide, Channels::Gray).unwrap().pixels, Pixels::U16(vec![65535]));
    }
}
