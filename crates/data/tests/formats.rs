//! Image files keep their bits and channels, and broken ones are reported, never a panic.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::data;
use image::{DynamicImage, ImageBuffer, ImageFormat};
use pleach_core::image::Pixels;
use pleach_data::{Channels, decode};
use proptest::prelude::*;
use std::io::Cursor;
use std::path::Path;

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn decoded(bytes: &[u8]) -> pleach_core::image::Image {
    decode::decode(bytes, Path::new("some.image"), Channels::AsIs).unwrap()
}

const SIZE: (u32, u32) = (5, 3);

fn wide<const N: usize>() -> Vec<u16> {
    (0..15 * N as u32).map(|i| (i * 4001 % 65536) as u16).collect()
}

fn narrow<const N: usize>() -> Vec<u8> {
    (0..15 * N as u32).map(|i| (i * 37 % 256) as u8).collect()
}

#[test]
fn eight_bits_come_back_from_every_lossless_format() {
    use ImageFormat::{Bmp, Png, Tiff, WebP};
    let gray = DynamicImage::ImageLuma8(ImageBuffer::from_raw(SIZE.0, SIZE.1, narrow::<1>()).unwrap());
    let gray_alpha = DynamicImage::ImageLumaA8(ImageBuffer::from_raw(SIZE.0, SIZE.1, narrow::<2>()).unwrap());
    let rgb = DynamicImage::ImageRgb8(ImageBuffer::from_raw(SIZE.0, SIZE.1, narrow::<3>()).unwrap());
    let rgba = DynamicImage::ImageRgba8(ImageBuffer::from_raw(SIZE.0, SIZE.1, narrow::<4>()).unwrap());
    for (image, channels, formats) in [
        (&gray, 1, &[Png, Tiff][..]),
        (&gray_alpha, 2, &[Png]),
        (&rgb, 3, &[Png, Tiff, Bmp, WebP]),
        (&rgba, 4, &[Png, Tiff, Bmp, WebP]),
    ] {
        for &format in formats {
            let back = decoded(&encoded(image, format));
            assert_eq!((back.width, back.height, back.channels), (5, 3, channels), "{format:?}");
            assert_eq!(back.pixels, Pixels::U8(image.as_bytes().to_vec()), "{format:?}");
        }
    }
}

#[test]
fn sixteen_bits_come_back_from_png_and_tiff() {
    let gray = DynamicImage::ImageLuma16(ImageBuffer::from_raw(SIZE.0, SIZE.1, wide::<1>()).unwrap());
    let gray_alpha = DynamicImage::ImageLumaA16(ImageBuffer::from_raw(SIZE.0, SIZE.1, wide::<2>()).unwrap());
    let rgb = DynamicImage::ImageRgb16(ImageBuffer::from_raw(SIZE.0, SIZE.1, wide::<3>()).unwrap());
    let rgba = DynamicImage::ImageRgba16(ImageBuffer::from_raw(SIZE.0, SIZE.1, wide::<4>()).unwrap());
    for (image, values) in [(gray, wide::<1>()), (gray_alpha, wide::<2>()), (rgb, wide::<3>()), (rgba, wide::<4>())] {
        assert_eq!(decoded(&encoded(&image, ImageFormat::Png)).pixels, Pixels::U16(values.clone()));
        if image.color().channel_count() != 2 {
            assert_eq!(decoded(&encoded(&image, ImageFormat::Tiff)).pixels, Pixels::U16(values));
        }
    }
}

#[test]
fn a_jpeg_cut_anywhere_is_refused_with_its_path() {
    let Some(root) = data("polyp-images") else { return };
    let path = root.join("images/cju0qkwl35piu0993l0dewei2.jpg");
    let whole = std::fs::read(&path).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for part in [0, 1, 10, 50, 90, 99] {
        let cut = dir.path().join(format!("cut{part}.jpg"));
        std::fs::write(&cut, &whole[..whole.len() * part / 100]).unwrap();
        let error = decode::read(&cut, Channels::Rgb).unwrap_err();
        assert_eq!(error.code(), "PL0303");
        assert!(error.message().contains(&format!("cut{part}.jpg")) && error.hint_text().is_some(), "{error}");
    }
    assert!(decode::read(&path, Channels::Rgb).is_ok());
}

#[test]
fn every_format_is_refused_when_cut() {
    let rgb =
        DynamicImage::ImageRgb8(ImageBuffer::from_fn(64, 64, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8])));
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Jpeg] {
        let bytes = encoded(&rgb, format);
        for part in [5, 50, 90] {
            let cut = decode::decode(&bytes[..bytes.len() * part / 100], Path::new("cut"), Channels::Rgb);
            assert_eq!(cut.expect_err(&format!("{part} % of {format:?}")).code(), "PL0303");
        }
    }
}

#[test]
fn a_small_file_that_claims_to_be_huge_takes_no_memory() {
    // The header of a PNG of 60,000 x 60,000 RGBA pixels of 16 bits: 29 GB.
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x10\x06\0\0\0".to_vec();
    bytes.extend(crc32(&bytes[12..]).to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
    let error = decode::decode(&bytes, Path::new("bomb.png"), Channels::Rgb).unwrap_err();
    assert_eq!(error.code(), "PL0303");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn damaged_files_never_panic(
        format in 0usize..5, at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        use ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
        let format = [Png, Tiff, Bmp, WebP, Jpeg][format];
        let rgb = DynamicImage::ImageRgb8(ImageBuffer::from_fn(9, 7, |x, y| image::Rgb([x as u8, y as u8, 3])));
        let mut bytes = encoded(&rgb, format);
        for (index, value) in at {
            let i = index.index(bytes.len());
            bytes[i] = value;
        }
        let _ = decode::decode(&bytes, Path::new("damaged"), Channels::Rgb);
        let map = pleach_data::masks::ClassMap {
            names: vec!["a".into()],
            meaning: pleach_data::masks::Meaning::Index,
            ignore_index: None,
        };
        let _ = map.decode(&bytes, Path::new("damaged"));
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode::decode(&bytes, Path::new("garbage"), Channels::Rgb).is_err());
    }
}
