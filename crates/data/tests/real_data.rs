//! Published data sets, as they come, become rows.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{classes_of, data, open};
use pleach_core::image::Pixels;
use pleach_data::{Channels, ClassFolders, Idx, ImageFiles, ImageMasks, Orientation, Part};
use std::path::PathBuf;

fn image_masks(images: PathBuf, masks: PathBuf) -> ImageMasks {
    ImageMasks {
        images,
        masks,
        image_suffix: String::new(),
        mask_suffix: String::new(),
        extensions: pleach_data::files::image_extensions(),
        channels: Channels::Rgb,
        orientation: Orientation::Stored,
        classes: Vec::new(),
        colors: Default::default(),
        threshold: None,
        ignore_index: None,
        ignore_color: None,
        frames_per_clip: 1,
        stride: 1,
    }
}

#[test]
fn clothing_comes_by_folder() {
    let Some(root) = data("clothing") else { return };
    let source = ClassFolders {
        root: root.join("train"),
        classes: Vec::new(),
        extensions: pleach_data::files::image_extensions(),
        channels: Channels::Rgb,
        orientation: Orientation::Stored,
    };
    let samples = open(&source, "train");
    let info = samples.info();
    assert_eq!((samples.len(), info.channels), (240, 3));
    let names = ["dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt"];
    assert_eq!(info.classes, names);
    assert_eq!((0..240).filter(|&i| samples.stratum(i) == Some(1)).count(), 24);
    let row = samples.row(30).unwrap();
    assert_eq!(row.labels.class, Some(1));
    assert!(row.id.key.contains("hat") && samples.key(30) == *row.id.key);
    let image = &row.frames[0].image;
    assert!(image.channels == 3 && image.width >= 300 && matches!(image.pixels, Pixels::U8(_)));

    let two = ClassFolders { classes: vec!["skirt".into(), "hat".into()], ..source };
    let samples = open(&two, "train");
    assert_eq!((samples.len(), samples.info().classes), (48, two.classes.clone()));
    assert!(samples.key(0).contains("skirt"));
}

#[test]
fn fashion_mnist_comes_by_split() {
    let Some(root) = data("fashion-mnist") else { return };
    let source = Idx { root: Some(root.clone()), split: None, images: None, labels: None, classes: Vec::new() };
    let (train, test) = (open(&source, "train"), open(&source, "val"));
    assert_eq!((train.len(), test.len()), (10_000, 2_000));
    assert_eq!(train.info().size, Some((28, 28)));
    assert_eq!(train.info().classes.len(), 10);
    // Mean of the training part, as the data's description gives it.
    let mut sum = 0.0;
    for i in 0..10_000 {
        let row = train.row(i).unwrap();
        assert_eq!(row.labels.class, Some((i % 10) as u32), "classes alternate");
        sum += row.frames[0].image.to_planes().iter().map(|&x| f64::from(x)).sum::<f64>();
    }
    assert!((sum / 7_840_000.0 - 0.28668).abs() < 1e-4, "{}", sum / 7_840_000.0);
    let all = open(&Idx { split: Some(Part::All), ..source.clone() }, "train");
    assert_eq!(all.len(), 12_000);
    assert_eq!(all.row(10_003).unwrap().frames, test.row(3).unwrap().frames);
    // The first image of class 0 is there as a PNG too.
    let png = pleach_data::decode::read(&root.join("png/0_00001.png"), Channels::Gray).unwrap();
    assert!((0..200).any(|i| train.row(10 * i).unwrap().frames[0].image == png));
}

#[test]
fn camvid_has_eleven_classes_and_void() {
    let Some(root) = data("camvid") else { return };
    let names = "sky building pole road pavement tree sign fence car pedestrian bicyclist";
    let source = ImageMasks {
        classes: names.split(' ').map(String::from).collect(),
        ignore_index: Some(11),
        ..image_masks(root.join("train"), root.join("trainannot"))
    };
    let samples = open(&source, "train");
    let info = samples.info();
    assert_eq!((samples.len(), info.classes.len(), info.ignore_index), (16, 11, Some(11)));
    for i in 0..samples.len() {
        let row = samples.row(i).unwrap();
        assert_eq!((row.size(), row.maps.len(), row.video.clone()), (Some((480, 360)), 1, None));
        assert!(classes_of(&row).len() > 5 && classes_of(&row).iter().all(|&c| c <= 11));
    }
    // Without void in the class map its first pixel is reported with path and place.
    let strict = ImageMasks { ignore_index: None, ..source };
    let errors: Vec<_> = (0..16).filter_map(|i| open(&strict, "train").row(i).err()).collect();
    let text = errors[0].to_string();
    assert!(errors[0].code() == "PL0309" && text.contains("trainannot") && text.contains("class 11 at x = "), "{text}");
}

#[test]
fn polyp_masks_are_jpegs_with_a_threshold() {
    let Some(root) = data("polyp-images") else { return };
    let source = ImageMasks { threshold: Some(128), ..image_masks(root.join("images"), root.join("masks")) };
    let samples = open(&source, "train");
    assert_eq!((samples.len(), samples.info().classes), (3, vec!["background".into(), "foreground".into()]));
    for i in 0..3 {
        assert_eq!(classes_of(&samples.row(i).unwrap()), [0, 1]);
    }
}

#[test]
fn frames_of_cells_are_clips_of_three_with_a_map_each() {
    let Some(root) = data("tracking-cells") else { return };
    let source = ImageMasks {
        threshold: Some(1),
        channels: Channels::Gray,
        orientation: Orientation::Stored,
        frames_per_clip: 3,
        ..image_masks(root.join("test_0"), root.join("test_0_GT/TRA"))
    };
    let samples = open(&source, "train");
    assert_eq!((samples.len(), samples.info().frames, samples.info().channels), (9, 3, 1));
    let row = samples.row(4).unwrap();
    assert_eq!(row.video.as_deref(), Some("test_0"));
    assert_eq!(row.frames.iter().map(|f| f.number).collect::<Vec<_>>(), [4, 5, 6]);
    assert_eq!(row.maps.iter().map(|m| m.frame).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(row.size(), Some((608, 592)));
    assert_eq!(classes_of(&row), [0, 1]);
    assert_ne!(row.maps[0].classes, row.maps[1].classes);
    assert!(row.id.key.contains("frame_0004.tif and 2 more"));
    assert_eq!(open(&ImageMasks { stride: 3, ..source }, "train").len(), 3);
}

#[test]
fn files_and_folders_are_predicted_for_together() {
    let Some(root) = data("polyp-images") else { return };
    let one = root.join("masks/cju0qkwl35piu0993l0dewei2.jpg");
    let samples = open(&ImageFiles::new(vec![one.clone(), root.join("images")], Channels::Rgb), "predict");
    assert_eq!((samples.len(), samples.key(0)), (4, one.display().to_string()));
    assert_eq!(samples.row(1).unwrap().labels, Default::default());
}
