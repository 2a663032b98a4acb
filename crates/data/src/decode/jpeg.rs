//! JPEG files: decoded straight into the memory that becomes the image, and held to be whole.

use super::{MAX_BYTES, unreadable};
use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use pleach_core::{Error, Result};
use std::fmt::Display;
use std::path::Path;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

/// More pixels than this for each byte of a file cannot be: a block of 64 pixels takes a bit at the least.
const PIXELS_PER_BYTE: usize = 1024;

/// Whether these are the first bytes of a JPEG.
pub(super) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xd8, 0xff])
}

/// The pixels of a JPEG as stored, gray or RGB, and how the camera was held.
///
/// Headers may be odd, as cameras write them; codes and markers in the midst of pixels that mean nothing are an error,
/// where other decoders fill the rest with gray. The format has no checksum, so that a file which lacks a part and has
/// its end can go unnoticed. Inks (CMYK) become RGB as OpenCV does it: taken as inverted, which is how
/// Adobe's programs, and nearly nobody else, write them.
pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<(DynamicImage, Orientation)> {
    let (mut decoder, space) = open(bytes, path)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let options = decoder.options().jpeg_set_out_colorspace(space).set_strict_mode(true);
    decoder.set_options(options);
    let size = width.checked_mul(height).and_then(|n| n.checked_mul(space.num_components()));
    let size = size.filter(|&n| n as u64 <= MAX_BYTES && width * height <= PIXELS_PER_BYTE.saturating_mul(bytes.len()));
    let Some(size) = size else {
        let held = bytes.len();
        return Err(unreadable(path, format!("its header says {width}x{height} pixels, but it has {held} bytes")));
    };
    let mut pixels = vec![0; size];
    decoder.decode_into(&mut pixels).map_err(|e| damaged(path, &e))?;
    let turned = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    // A JPEG has at most 65,535 rows and columns.
    let (w, h) = (width as u32, height as u32);
    let image = match space {
        ColorSpace::Luma => ImageBuffer::from_raw(w, h, pixels).map(DynamicImage::ImageLuma8),
        _ => ImageBuffer::from_raw(w, h, pixels).map(DynamicImage::ImageRgb8),
    };
    let image = image.ok_or_else(|| unreadable(path, "its pixels do not fill it"))?;
    Ok((image, turned.unwrap_or(Orientation::NoTransforms)))
}

/// The channels of a JPEG: 1 or 3.
pub(super) fn channels(bytes: &[u8], path: &Path) -> Result<usize> {
    Ok(open(bytes, path)?.1.num_components())
}

/// A decoder that has read the headers, and the colours to ask it for.
fn open<'a>(bytes: &'a [u8], path: &Path) -> Result<(JpegDecoder<ZCursor<&'a [u8]>>, ColorSpace)> {
    if !is_whole(bytes) {
        return Err(unreadable(path, "the JPEG is truncated: its end marker is missing"));
    }
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| damaged(path, &e))?;
    let space = match decoder.input_colorspace() {
        Some(ColorSpace::Luma | ColorSpace::LumaA) => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    Ok((decoder, space))
}

fn damaged(path: &Path, e: &DecodeErrors) -> Error {
    let why: &dyn Display = match e {
        DecodeErrors::Format(why) | DecodeErrors::HuffmanDecode(why) | DecodeErrors::MCUError(why) => why,
        DecodeErrors::FormatStatic(why) => why,
        other => return unreadable(path, format!("the JPEG is damaged: {other:?}")),
    };
    unreadable(path, format!("the JPEG is damaged: {why}"))
}

/// Whether the end marker comes after the first scan. Decoders fill the rest of a truncated file
/// with gray and say nothing; a marker of the thumbnail inside EXIF comes before the scan.
fn is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4).and_then(|b| <&[u8; 4]>::try_from(b).ok()) {
        match marker {
            0xda => return bytes[at..].windows(2).rev().any(|w| w == [0xff, 0xd9]),
            // Fill bytes before a marker, and markers without a segment.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    false
}
