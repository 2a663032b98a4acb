//! Whatever the image and its annotations are, an augmentation gives a whole row or an error, and its draw repeats.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Definitions, stream};
use pleach_augment as _;
use pleach_core::error::Class;
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::augmentation::{At, AugmentConfig, AugmentSlot, Pipeline};
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{DynAugmentation, Frame, Instance, Map, Mask, NamedPoint, Plug, RotBox, Row, SampleId, registry};
use serde_json::json;

/// Two frames, each with a map, an object with a mask, and one that lies outside with a point that is no number.
fn row((w, h): (usize, usize), channels: usize, depth: usize) -> Row {
    let n = w * h * channels;
    let pixels = match depth {
        8 => Pixels::U8((0..n).map(|i| (i * 37) as u8).collect()),
        16 => Pixels::U16((0..n).map(|i| (i * 3797) as u16).collect()),
        _ => Pixels::F32((0..n).map(|i| (i % 255) as f32 / 255.0).collect()),
    };
    let image = Image::new(w, h, channels, pixels).unwrap();
    let frames = (0..2).map(|number| Frame { number, image: image.clone() }).collect();
    let mut row = Row::new(SampleId { index: 0, key: "odd".into() }, frames);
    for frame in 0..2 {
        row.maps.push(Map { frame, width: w, height: h, classes: vec![1; w * h], scores: Vec::new() });
        let (fw, fh) = (w as f32, h as f32);
        let mask = Some(Mask { width: w, height: h, inside: vec![1; w * h] });
        let bbox = Some(RotBox::from_corners(fw * 0.2, fh * 0.2, fw * 0.8, fh * 0.9));
        row.instances.push(Instance { frame, track: Some(1), bbox, mask, ..Instance::default() });
        let points = vec![NamedPoint { name: "nowhere".into(), x: f32::NAN, y: 1.0, visible: true }];
        let bbox = Some(RotBox::from_corners(-50.0, -40.0, -10.0, -5.0));
        row.instances.push(Instance { frame, bbox, points, ..Instance::default() });
    }
    row
}

/// What an image may be refused for: its size, its values per channel, its channels, or the map that it would need.
const REASONS: [&str; 5] = ["PL0207", "PL0208", "PL0341", "PL0342", "PL0347"];

#[test]
fn odd_images_give_whole_rows_or_errors_that_say_why_and_draws_repeat() {
    let all = [(1, 8), (3, 8), (4, 8), (5, 8), (1, 16), (3, 16), (3, 32)];
    let odd = all.into_iter().flat_map(|(channels, depth)| [(1, 1), (17, 9)].map(|size| (size, channels, depth)));
    let mut done = 0;
    for (size, channels, depth) in odd.chain([((2, 30), 3, 8)]) {
        let original = row(size, channels, depth);
        for entry in registry::of_kind::<dyn DynAugmentation>() {
            // Cells of 512 x 512 pixels would take their time.
            let plug: Plug<dyn DynAugmentation> = match entry.name {
                "Mosaic" => {
                    common::read("Mosaic", &json!({ "target_size": [30, 40], "cell_shape": [24, 32] })).unwrap()
                }
                _ => entry.plug().unwrap(),
            };
            let steps = [AugmentConfig { slot: AugmentSlot { p: Some(1.0), ..AugmentSlot::default() }, plug }];
            let pipeline = Pipeline::new(&steps, &Definitions);
            let at = At { seed: 1, epoch: 0, sample: 0 };
            let mut at_once = original.clone();
            let what = format!("{} on {size:?} with {channels} channels of {depth} bits", entry.name);
            if let Err(error) = pipeline.run(at, &mut at_once) {
                assert!(REASONS.contains(&error.code()), "{what}: {error}");
                assert_eq!(error.class(), Class::Data, "{what}: {error}");
                assert!(error.to_string().contains(entry.name), "{what}: {error}");
                assert!(error.hint_text().is_some(), "{what}: {error}");
                assert!(at_once.frames == original.frames, "{what}: it is refused, and changed");
                continue;
            }
            done += 1;
            let (mut drawn, mut repeated) = (original.clone(), original.clone());
            let decisions = pipeline.record(at, &mut drawn).unwrap();
            pipeline.replay(&decisions, &mut repeated).unwrap();
            for row in [&drawn, &repeated] {
                assert!(at_once.frames == row.frames && at_once.maps == row.maps, "{what}");
                // Numbers that are none are never equal, so by their looks.
                assert_eq!(format!("{:?}", at_once.instances), format!("{:?}", row.instances), "{what}");
            }
            let (w, h) = at_once.size().unwrap();
            assert!(at_once.maps.iter().all(|m| (m.width, m.height, m.classes.len()) == (w, h, w * h)));
            let masks = at_once.instances.iter().filter_map(|i| i.mask.as_ref());
            assert!(masks.into_iter().all(|m| (m.width, m.height, m.inside.len()) == (w, h, w * h)), "{what}");
        }
    }
    assert!(done > 700, "{done}");
}

#[test]
fn what_lies_outside_is_dropped_by_a_map_and_a_point_that_is_no_number_is_never_seen() {
    let moves = ["HorizontalFlip", "Rotate", "Affine", "Perspective", "Transpose", "Resize", "ElasticTransform", "D4"];
    let mut original = row((40, 30), 3, 8);
    let nan = NamedPoint { name: "nowhere".into(), x: f32::NAN, y: 1.0, visible: true };
    let mask = Some(Mask { width: 40, height: 30, inside: vec![1; 1200] });
    original.instances.push(Instance { class: 7, mask, points: vec![nan], ..Instance::default() });
    for name in moves {
        let entry = registry::of_kind::<dyn DynAugmentation>().find(|e| e.name == name).unwrap();
        let plug: Plug<dyn DynAugmentation> = entry.plug().unwrap();
        for seed in 0..5 {
            let mut out = original.clone();
            let rng = &mut stream(seed);
            if !plug.run(rng, &mut out, &Definitions).unwrap() || out.frames == original.frames {
                continue;
            }
            let outside = |i: &&Instance| i.bbox.is_some_and(|b| b.bounds()[2] <= 0.0 || b.bounds()[3] <= 0.0);
            assert_eq!(out.instances.iter().find(outside), None, "{name}");
            let seen = out.instances.iter().flat_map(|i| &i.points).find(|p| p.visible && !p.x.is_finite());
            assert_eq!(seen, None, "{name}");
        }
    }
}

#[test]
fn a_window_that_is_larger_than_the_image_is_refused_padded_or_made_to_fit_as_in_the_references() {
    let run = |name: &str, parameters: serde_json::Value| {
        let mut small = row((20, 10), 3, 8);
        let rng = &mut stream(1);
        let plug = common::read(name, &parameters).unwrap();
        plug.run(rng, &mut small, &Definitions).map(|_| small.size().unwrap()).map_err(|e| e.code())
    };
    let window = || json!({ "height": 16, "width": 30 });
    let padded = || json!({ "height": 16, "width": 30, "pad_if_needed": true });
    for name in ["RandomCrop", "CenterCrop"] {
        assert_eq!(run(name, window()), Err("PL0341"), "{name}");
        assert_eq!(run(name, padded()), Ok((30, 16)), "{name}");
    }
    assert_eq!(run("Crop", json!({ "x_max": 30, "y_max": 16 })), Err("PL0341"));
    assert_eq!(run("Crop", json!({ "x_max": 30, "y_max": 16, "pad_if_needed": true })), Ok((30, 16)));
    assert_eq!(run("RandomCropResize", json!({ "size": 500 })), Err("PL0341"));
    // Albumentations bounds these by the image.
    assert_eq!(run("RandomSizedCrop", json!({ "min_max_height": [50, 60], "size": [8, 9] })), Ok((9, 8)));
    assert_eq!(run("RandomResizedCrop", json!({ "size": [64, 48] })), Ok((48, 64)));
}

#[test]
fn a_chance_outside_of_0_and_1_is_refused_where_it_stands() {
    for (p, code) in [(-0.1, "PL0107"), (1.5, "PL0107"), (f64::NAN, "PL0105")] {
        let at = |start, end| Place { source: 0, start, end };
        let entry = |k: &str, value, place| (Key { name: k.into(), place }, Node { value, place });
        let name = entry("name", Value::Str("HorizontalFlip".into()), at(0, 10));
        let entries = vec![name, entry("p", Value::Float(p), at(11, 15))];
        let mut reader = Reader::default();
        AugmentConfig::read(&Node { value: Value::Table(Table { entries }), place: at(0, 15) }, &mut reader);
        let [wrong] = &reader.diagnostics[..] else { panic!("{p}: {:?}", reader.diagnostics) };
        assert_eq!((wrong.code, wrong.place), (code, Some(at(11, 15))), "{p}: {wrong:?}");
    }
}

#[test]
fn a_row_without_instances_stays_without() {
    let mut bare = row((24, 20), 3, 8);
    bare.instances.clear();
    for entry in registry::of_kind::<dyn DynAugmentation>() {
        let plug: Plug<dyn DynAugmentation> = entry.plug().unwrap();
        let mut out = bare.clone();
        if plug.run(&mut stream(2), &mut out, &Definitions).is_ok() {
            assert_eq!(out.instances, [], "{}", entry.name);
        }
    }
}
