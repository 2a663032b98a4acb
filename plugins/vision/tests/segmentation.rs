//! Every pixel of images and of the frames of clips gets a class.
#![allow(clippy::unwrap_used)]

mod common;

use common::{cx, data, map, objective, row, tensor};
use pleach_core::image::Pixels;
use pleach_core::kinds::loss::IGNORED;
use pleach_core::*;
use pleach_vision::{Segmentation, SegmentationMode};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["sky", "road", "tree"];

fn task() -> Segmentation {
    Segmentation::default()
}

fn binary() -> Segmentation {
    Segmentation { mode: SegmentationMode::Binary, ..Segmentation::default() }
}

/// A clip of frames of 3x2 with one map per frame.
fn clip(key: &str, maps: &[Vec<u16>]) -> Row {
    let mut row = row(key, &vec![(3, 2, 3); maps.len()]);
    row.maps = (0..).zip(maps).map(|(f, classes)| map(f, 3, classes)).collect();
    row
}

fn maps_below(classes: u16) -> impl Strategy<Value = Vec<Vec<Vec<u16>>>> {
    (1usize..4, 1usize..4).prop_flat_map(move |(n, f)| {
        prop::collection::vec(prop::collection::vec(prop::collection::vec(0..classes, 6), f), n)
    })
}

/// Maps come back in the order of their frames, whatever the order in which the row had them.
fn classes_of(rows: &[Row]) -> Vec<Vec<Vec<u16>>> {
    rows.iter().map(|r| r.maps.iter().map(|m| m.classes.clone()).collect()).collect()
}

proptest! {
    #[test]
    fn what_is_said_of_a_pixel_comes_back_as_its_class(maps in maps_below(3)) {
        let data = DataInfo { frames: maps[0].len(), ..data(&NAMES) };
        let mut rows: Vec<Row> = maps.iter().map(|m| clip("a", m)).collect();
        rows.iter_mut().for_each(|r| r.maps.reverse());
        let batch = task().collate(rows, &cx(&data)).unwrap();
        let images = maps.len() * maps[0].len();
        let target = batch.targets.want("class").unwrap();
        prop_assert_eq!(target.dims(), [images, 2, 3]);
        let flat: Vec<u32> = maps.iter().flatten().flatten().map(|&c| u32::from(c)).collect();
        prop_assert_eq!(target.flatten_all().unwrap().to_vec1::<u32>().unwrap(), flat.clone());

        // Logits that favour the true class, in both shapes that a model for clips may give.
        let favour = |(image, class, pixel): (usize, u32, usize)| f32::from(u8::from(flat[image * 6 + pixel] == class));
        let logits: Vec<f32> =
            (0..images).flat_map(|i| (0..3).flat_map(move |c| (0..6).map(move |p| (i, c, p)))).map(favour).collect();
        for shape in [vec![images, 3, 2, 3], vec![maps.len(), maps[0].len(), 3, 2, 3]] {
            let outputs = Named::one("logits", tensor(&logits, &shape));
            let decoded = task().decoder(&data).decode(&outputs, &batch).unwrap();
            prop_assert_eq!(classes_of(&decoded), maps.clone());
            prop_assert!(decoded.iter().all(|r| r.frames.is_empty() && (0..).zip(&r.maps).all(|(f, m)| m.frame == f)));
        }
    }

    #[test]
    fn a_mask_comes_back_as_the_same_mask(maps in maps_below(2)) {
        let data = DataInfo { frames: maps[0].len(), ..data(&NAMES[..2]) };
        let rows = maps.iter().map(|m| clip("a", m)).collect();
        let batch = binary().collate(rows, &cx(&data)).unwrap();
        let mask = batch.targets.want("mask").unwrap();
        prop_assert_eq!(mask.dims(), [maps.len() * maps[0].len(), 1, 2, 3]);
        let outputs = Named::one("logits", mask.affine(8.0, -4.0).unwrap());
        let decoded = binary().decoder(&data).decode(&outputs, &batch).unwrap();
        prop_assert_eq!(classes_of(&decoded), maps);
        prop_assert!(decoded[0].maps[0].scores.iter().all(|s| (0.0..=1.0).contains(s)));
    }
}

#[test]
fn a_clip_of_three_frames_is_three_images_to_its_losses() {
    let data = DataInfo { frames: 3, ..data(&NAMES) };
    let maps = vec![vec![0; 6], vec![1; 6], vec![2; 6]];
    let batch = task().collate(vec![clip("v", &maps), clip("w", &maps)], &cx(&data)).unwrap();
    assert_eq!(batch.inputs.want("image").unwrap().dims(), [2, 3, 3, 2, 3]);
    let output = tensor(&vec![0.5; 2 * 3 * 3 * 6], &[2, 3, 3, 2, 3]);
    let made = objective(&task(), &batch, output, &["MeanOfClasses"]).unwrap();
    assert_eq!(made.outputs.first().unwrap().dims(), [6, 3, 2, 3]);
    assert_eq!(task().decoder(&data).decode(&made.outputs, &batch).unwrap()[1].maps.len(), 3);

    let data = DataInfo { classes: vec!["no".into(), "yes".into()], ..data };
    let batch = binary().collate(vec![clip("v", &[vec![0; 6], vec![1; 6], vec![1; 6]])], &cx(&data)).unwrap();
    objective(&binary(), &batch, tensor(&[0.5; 18], &[1, 3, 1, 2, 3]), &["MeanOfMask"]).unwrap();
}

#[test]
fn the_model_gets_a_channel_for_each_class_or_one_for_a_mask() {
    assert_eq!(task().model_spec(&data(&NAMES)).unwrap().out_channels, 3);
    assert_eq!(binary().model_spec(&data(&NAMES[..2])).unwrap().out_channels, 1);
    for (task, classes) in [(task(), 0), (task(), 1), (binary(), 1), (binary(), 3)] {
        let error = task.model_spec(&data(&NAMES[..classes])).unwrap_err();
        assert!(error.code() == "PL0322" && error.hint_text().is_some(), "{error}");
    }
}

#[test]
fn a_class_out_of_range_is_refused_with_its_pixel_and_the_key_of_its_sample() {
    let data = DataInfo { ignore_index: Some(255), ..data(&NAMES) };
    let bad =
        |classes: [u16; 6]| task().collate(vec![clip("a", &[vec![0; 6]]), clip("b", &[classes.to_vec()])], &cx(&data));
    let error = bad([0, 0, 0, 0, 7, 0]).unwrap_err();
    assert_eq!(error.code(), "PL0323");
    assert!(error.message().contains("pixel (1, 1) of sample `b` is of class 7, but there are 3"), "{error}");
    let batch = bad([0, 1, 2, 255, 0, 0]).unwrap();
    assert_eq!(batch.targets.want("class").unwrap().to_vec3::<u32>().unwrap()[1][1], [IGNORED, 0, 0]);
}

#[test]
fn a_mask_has_no_other_classes_and_ignores_nothing() {
    let data = DataInfo { ignore_index: Some(255), ..data(&NAMES[..2]) };
    let collate = |classes: [u16; 6]| binary().collate(vec![clip("b", &[classes.to_vec()])], &cx(&data));
    assert_eq!(collate([0, 0, 2, 0, 0, 0]).unwrap_err().code(), "PL0323");
    let error = collate([0, 0, 255, 0, 0, 0]).unwrap_err();
    assert!(error.code() == "PL0325" && error.message().contains("pixel (2, 0) of sample `b`"), "{error}");
}

#[test]
fn maps_that_do_not_fit_their_frames_are_refused() {
    let two = [vec![0; 6], vec![1; 6]];
    for (change, code, says) in [
        (
            (|r: &mut Row| r.maps[1] = map(1, 2, &[0; 6])) as fn(&mut Row),
            "PL0324",
            "map of frame 1 of sample `v` is 2x3",
        ),
        (|r| r.maps.truncate(1), "PL0321", "frame 1 of sample `v` has no map"),
        (|r| r.maps[1].frame = 0, "PL0321", "frame 0 of sample `v` has several maps"),
        (|r| r.maps[1].classes.truncate(2), "PL0324", "map of frame 1 of sample `v`"),
        (|r| r.maps.clear(), "PL0321", "sample `v` has no map"),
    ] {
        let mut odd = clip("v", &two);
        change(&mut odd);
        let data = DataInfo { frames: 2, ..data(&NAMES) };
        let error = task().collate(vec![clip("u", &two), odd], &cx(&data)).unwrap_err();
        assert!(error.code() == code && error.message().contains(says), "{error}");
    }
}

#[test]
fn samples_without_maps_can_be_predicted_but_not_learnt_from() {
    let data = data(&NAMES);
    let batch = task().collate(vec![row("a", &[(3, 2, 3)])], &cx(&data)).unwrap();
    let output = tensor(&[0.0; 18], &[1, 3, 2, 3]);
    let error = objective(&task(), &batch, output.clone(), &["MeanOfClasses"]).unwrap_err();
    assert!(error.message().contains("sample `a` has no map"), "{error}");
    let decoded = task().decoder(&data).decode(&Named::one("logits", output), &batch).unwrap();
    assert_eq!((decoded[0].maps[0].width, decoded[0].maps[0].height), (3, 2));
}

#[test]
fn the_threshold_moves_the_border_of_a_mask() {
    let data = data(&NAMES[..2]);
    let batch = binary().collate(vec![row("a", &[(3, 2, 3)])], &cx(&data)).unwrap();
    let outputs = Named::one("logits", tensor(&[-2.0, -1.0, 0.0, 0.1, 1.0, 2.0], &[1, 1, 2, 3]));
    for (threshold, inside) in [(0.5, [0, 0, 0, 1, 1, 1]), (0.2, [0, 1, 1, 1, 1, 1]), (0.8, [0, 0, 0, 0, 0, 1])] {
        let task = Segmentation { threshold, ..binary() };
        let decoded = task.decoder(&data).decode(&outputs, &batch).unwrap();
        assert_eq!(decoded[0].maps[0].classes, inside, "{threshold}");
    }
}

#[test]
fn outputs_of_another_size_than_the_image_are_refused() {
    let data = data(&NAMES);
    let batch = task().collate(vec![row("a", &[(3, 2, 3)])], &cx(&data)).unwrap();
    let outputs = Named::one("logits", tensor(&[0.0; 9], &[1, 3, 1, 3]));
    let error = task().decoder(&data).decode(&outputs, &batch).unwrap_err();
    assert!(error.message().contains("[1, 3, 1, 3], [1, 3, 2, 3] was expected"), "{error}");
}

#[test]
fn the_report_has_shares_and_images_of_the_original_size() {
    let original = row("a", &[(6, 4, 1)]);
    let mut predicted = Row::prediction(&original);
    predicted.maps = vec![map(0, 3, &[0, 1, 2, 0, 1, 1])];
    let report = task().report(&predicted, &original, &data(&NAMES)).unwrap();
    let columns: Vec<(&str, &str)> = report.columns.iter().map(|(n, v)| (n, v.as_str())).collect();
    assert_eq!(columns, [("share_sky", "0.333333"), ("share_road", "0.500000"), ("share_tree", "0.166667")]);
    let (mask, overlay) = (report.images.want("mask").unwrap(), report.images.want("overlay").unwrap());
    assert_eq!((mask.width, mask.height, mask.channels), (6, 4, 1));
    let lines = [[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1]].concat();
    assert_eq!(mask.pixels, Pixels::U8(lines));
    assert_eq!((overlay.width, overlay.height, overlay.channels), (6, 4, 3));
    let Pixels::U8(colours) = &overlay.pixels else { panic!("an overlay is of bytes") };
    assert_eq!(colours[3..9], [1, 1, 1, 65, 1, 1], "class 0 as it is, class 1 reddened");
}

#[test]
fn the_report_of_a_clip_has_an_image_for_each_frame() {
    let original = clip("v", &[vec![0; 6], vec![1; 6]]);
    let report = task().report(&original.clone(), &original, &data(&NAMES)).unwrap();
    let names: Vec<&str> = report.images.names().collect();
    assert_eq!(names, ["mask_0", "overlay_0", "mask_1", "overlay_1"]);
    assert!(task().report(&row("v", &[]), &original, &data(&NAMES)).is_err());
}

#[test]
fn a_task_reads_its_parameters_and_comes_back_from_its_saved_form() {
    let plug = Plug::<dyn Task>::named("SemanticSegmentation").unwrap();
    let saved = plug.saved().unwrap();
    assert_eq!((&saved["mode"], &saved["threshold"]), (&"multiclass".into(), &0.5.into()));
    let back: Plug<dyn Task> = saved::load(&saved).unwrap();
    assert_eq!(back, plug);
    assert_eq!(back.gives().targets, [Target::Class]);
    assert_eq!(binary().gives().targets, [Target::Mask]);
    assert_eq!(Plug::<dyn Task>::named("ImageClassification").unwrap().name(), "Classification");
}
