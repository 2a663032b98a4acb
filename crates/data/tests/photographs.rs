//! Photographs of every kind are what OpenCV makes of them, and those that are broken are refused by name.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{data, open};
use pleach_core::image::{Image, Pixels};
use pleach_data::{Channels, ClassFolders, Orientation, Reading, decode, files};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

fn cases() -> Vec<Json> {
    let text = include_str!("golden/photographs.json");
    serde_json::from_str::<Json>(text).unwrap()["cases"].as_array().unwrap().clone()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn file(name: &str) -> Vec<u8> {
    let case = cases().into_iter().find(|c| c["name"] == name).unwrap();
    bytes(case["file"].as_str().unwrap())
}

fn samples(image: &Image) -> Vec<i64> {
    match &image.pixels {
        Pixels::U8(v) => v.iter().map(|&x| i64::from(x)).collect(),
        Pixels::U16(v) => v.iter().map(|&x| i64::from(x)).collect(),
        Pixels::F32(_) => panic!("no file here has floats"),
    }
}

fn numbers(json: &Json) -> Vec<i64> {
    json.as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect()
}

#[test]
fn photographs_of_every_kind_are_those_that_opencv_reads() {
    for case in cases() {
        let (name, bytes) = (case["name"].as_str().unwrap(), bytes(case["file"].as_str().unwrap()));
        let check = |orientation, key: &str, size: &str| {
            let how = Reading { channels: Channels::Rgb, orientation };
            let image = decode::decode(&bytes, Path::new(name), how).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(numbers(&case[size]), [image.width as i64, image.height as i64], "{name}, {key}");
            assert_eq!(matches!(image.pixels, Pixels::U16(_)), case["bits"] == 16, "{name}");
            let worst = samples(&image).iter().zip(numbers(&case[key])).map(|(a, b)| (a - b).abs()).max().unwrap();
            // Decoders round differently within their transforms; PNG has nothing to round.
            let tolerance = if name.contains("PNG") { 0 } else { 3 };
            assert!(worst <= tolerance, "{name}, {key}: off by {worst}");
        };
        check(Orientation::Stored, "stored", "size");
        if case["turned"].is_array() {
            check(Orientation::Exif, "turned", "turned_size");
        } else {
            check(Orientation::Exif, "stored", "size");
        }
    }
}

#[test]
fn a_gray_photograph_keeps_its_one_channel_and_says_so_in_advance() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gray.jpg");
    std::fs::write(&path, file("gray")).unwrap();
    assert_eq!(decode::channels_of(&path).unwrap(), 1);
    assert_eq!(decode::read(&path, Channels::AsIs).unwrap().channels, 1);
    std::fs::write(&path, file("CMYK")).unwrap();
    assert_eq!(decode::channels_of(&path).unwrap(), 3);
}

#[test]
fn a_source_turns_photographs_where_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("class")).unwrap();
    std::fs::write(dir.path().join("class/a.jpg"), file("orientation 6")).unwrap();
    let source = |orientation| ClassFolders {
        root: dir.path().into(),
        classes: vec![],
        extensions: files::image_extensions(),
        channels: Channels::Rgb,
        orientation,
    };
    let row = |orientation| open(&source(orientation), "train").row(0).unwrap();
    assert_eq!(row(Orientation::Stored).size(), Some((24, 16)));
    assert_eq!(row(Orientation::Exif).size(), Some((16, 24)));
}

fn refused(bytes: &[u8]) -> String {
    let read = decode::decode(bytes, Path::new("folder/some.jpg"), Channels::Rgb).map(|image| image.channels);
    let error = read.unwrap_err();
    assert_eq!(error.code(), "PL0303");
    assert!(error.message().contains("folder/some.jpg"), "{error}");
    error.message().to_owned()
}

/// The place of the segment with this marker.
fn segment(bytes: &[u8], markers: &[u8]) -> usize {
    let mut at = 2;
    while !markers.contains(&bytes[at + 1]) {
        at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    }
    at
}

#[test]
fn a_header_that_claims_more_than_the_file_can_hold_takes_no_memory() {
    for name in ["4:2:0", "progressive", "gray", "CMYK"] {
        for side in [20_000u16, 65_500] {
            let mut bytes = file(name);
            let frame = segment(&bytes, &[0xc0, 0xc2]);
            bytes[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
            bytes[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
            let why = refused(&bytes);
            assert!(why.contains(&format!("{side}x{side} pixels")), "{name}: {why}");
        }
    }
}

#[test]
fn a_photograph_with_a_foreign_marker_or_without_its_end_is_refused() {
    let Some(root) = data("blood-cells") else { return };
    let whole = std::fs::read(root.join("JPEGImages/BloodImage_00001.jpg")).unwrap();
    let scan = segment(&whole, &[0xda]) + 20;
    for part in [10, 50, 90] {
        let mut bytes = whole.clone();
        let at = scan + (whole.len() - scan) * part / 100;
        bytes[at..at + 2].copy_from_slice(&[0xff, 0xc0]);
        let why = refused(&bytes);
        assert!(why.contains("the JPEG is damaged"), "{why}");
    }
    assert!(refused(&whole[..whole.len() - 100]).contains("truncated"));
}

#[test]
fn a_png_with_a_wrong_checksum_or_no_end_is_refused() {
    let whole = file("16-bit PNG");
    let read = |bytes: &[u8]| decode::decode(bytes, Path::new("some.png"), Channels::Rgb).map(|image| image.channels);
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    for bytes in [&bytes, &whole[..whole.len() / 2]] {
        let error = read(bytes).unwrap_err();
        assert!(error.code() == "PL0303" && error.message().contains("some.png"), "{error}");
    }
}

#[test]
fn no_real_photograph_is_refused() {
    let (mut count, wanted) = (0, ["jpg".to_owned(), "jpeg".to_owned()]);
    for set in ["blood-cells", "clothing", "polyp-images", "pcb-defects"] {
        let Some(root) = data(set) else { continue };
        let all: Vec<PathBuf> = files::list(&root, &wanted).unwrap();
        for path in all.iter().step_by(all.len().div_ceil(20)) {
            decode::read(path, Channels::Rgb).unwrap();
            count += 1;
        }
    }
    println!("{count} photographs were read");
}
