//! Photographs whose camera was turned: a run predicts for them as it has learnt from them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, Rgb, RgbImage};
use pleach_tests::{file, run};
use std::fs;
use std::path::Path;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

/// A picture of 32 columns and 16 rows, which by its EXIF is to be turned by a quarter.
fn photograph() -> Vec<u8> {
    let picture = RgbImage::from_fn(32, 16, |x, _| if x < 16 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 95).encode_image(&picture).unwrap();
    // One entry: tag 0x0112, a short, 1 of them, 6: "the first row is the right side".
    let tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut segment = vec![0xff, 0xe1];
    segment.extend(u16::try_from(2 + 6 + tiff.len()).unwrap().to_be_bytes());
    segment.extend(b"Exif\0\0");
    segment.extend(tiff);
    // Behind the mark of the beginning.
    jpeg.splice(2..2, segment);
    jpeg
}

/// Trains for a step on the photograph and predicts for it; the sides of the mask that comes out.
fn sides_of_prediction(dir: &Path, orientation: &str) -> (u32, u32) {
    for folder in ["data/images", "data/masks"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    fs::write(dir.join("data/images/a.jpg"), photograph()).unwrap();
    GrayImage::new(16, 32).save(dir.join("data/masks/a.png")).unwrap();
    let folders = "images = \"data/images\"\nmasks = \"data/masks\"\nthreshold = 128";
    let source = format!("name = \"ImageMasks\"\n{folders}\norientation = \"{orientation}\"\n");
    let augment = "augment = [{ name = \"Resize\", height = 16, width = 16 }, \"Normalize\"]";
    let text = format!(
        "task = {{ name = \"Segmentation\", mode = \"binary\" }}\n[model]\nname = \"UNet\"\nchannels = [4, 8]\n\
         [dataset.train]\n{source}{augment}\n[dataset.val]\n{source}{augment}\n\
         [trainer]\nmax_steps = 1\nenable_progress_bar = false\n"
    );
    let (config, out) = (file(dir, &text), dir.join("run"));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let _ = run(BIN, ["train".into(), text(&config), "--out".into(), text(&out)]).expect_code(0);
    let (photo, found) = (dir.join("data/images/a.jpg"), dir.join("found"));
    let _ = run(BIN, ["predict".into(), text(&out), text(&photo), "--out".into(), text(&found)]).expect_code(0);
    let masks = fs::read_dir(&found).unwrap().map(|entry| entry.unwrap().path());
    let masks: Vec<_> = masks.filter(|path| path.extension().is_some_and(|e| e == "png")).collect();
    image::image_dimensions(masks.first().unwrap_or_else(|| panic!("no mask in {}", found.display()))).unwrap()
}

#[test]
fn a_run_that_turns_photographs_turns_them_in_prediction_too() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(sides_of_prediction(dir.path(), "exif"), (16, 32));
}
