//! The same draws on the same images give what Albumentations 2.0.8 and Pillow give; `golden/make.py`
//! made the file.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use pleach_augment as _;
use pleach_core::image::{Image, Pixels};
use pleach_core::{
    Backend, DynAugmentation, Frame, FusedTouch, Instance, Map, Mask, NamedPoint, Plug, Purpose, Result, Rng, RotBox,
    Row, RowView, SampleId, Seat, rng,
};
use serde_json::Value as Json;

/// The kernels seat, with the kernels or without.
#[derive(Debug)]
struct Kernels {
    fused: bool,
}

impl Backend for Kernels {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
    fn fused_touch(&self, touch: &FusedTouch, image: &Image) -> Result<Option<Image>> {
        if self.fused { (touch.cpu)(image).map(Some) } else { Ok(None) }
    }
}

/// The plugin that a case names, read as a file would give it.
fn plugin(case: &Json) -> Plug<dyn DynAugmentation> {
    let mut parameters = case["parameters"].clone();
    if let "RandomCrop" | "CenterCrop" | "Resize" = case["plugin"].as_str().unwrap() {
        for key in ["width", "height"].iter().filter(|k| case["parameters"].get(**k).is_none()) {
            parameters[*key] = case["draw"][*key].clone();
        }
    }
    common::read(case["plugin"].as_str().unwrap(), &parameters).unwrap_or_else(|e| panic!("{case}: {e}"))
}

fn numbers(json: &Json) -> Vec<f32> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

fn image(json: &Json) -> Image {
    let samples = numbers(&json["samples"]);
    let pixels = match json["type"].as_str().unwrap() {
        "uint8" => Pixels::U8(samples.iter().map(|&x| x as u8).collect()),
        "uint16" => Pixels::U16(samples.iter().map(|&x| x as u16).collect()),
        _ => Pixels::F32(samples),
    };
    let size = |key: &str| json[key].as_u64().unwrap() as usize;
    Image::new(size("width"), size("height"), size("channels"), pixels).unwrap()
}

/// The image of a case with its box, point, mask, and the mask again as a map.
fn row(case: &Json) -> Row {
    let image = image(&case["image"]);
    let (width, height) = (image.width, image.height);
    let mut row = Row::new(SampleId { index: 0, key: "golden".into() }, vec![Frame { number: 0, image }]);
    if let Some(b) = case.get("box") {
        let b = numbers(&b[0]);
        let p = numbers(&case["point"][0]);
        let mut instance = Instance { bbox: Some(RotBox::from_corners(b[0], b[1], b[2], b[3])), ..Instance::default() };
        instance.points = vec![NamedPoint { name: "p".into(), x: p[0], y: p[1], visible: true }];
        if let Some(mask) = case.get("mask") {
            let inside: Vec<u8> = numbers(&mask[0]).iter().map(|&x| x as u8).collect();
            let classes = inside.iter().map(|&x| u16::from(x)).collect();
            row.maps.push(Map { frame: 0, width, height, classes, scores: Vec::new() });
            instance.mask = Some(Mask { width, height, inside });
        }
        row.instances.push(instance);
    }
    row
}

#[test]
fn samples_move_as_in_albumentations() {
    let golden: Json = serde_json::from_str(include_str!("golden/golden.json")).unwrap();
    let (mut plugins, mut wrong) = (Vec::new(), Vec::new());
    for (n, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let what = format!("case {n}: {} {} {}", case["plugin"], case["parameters"], case["draw"]);
        let plugin = plugin(case);
        for fused in [false, true] {
            let mut row = row(case);
            let draw = if case["draw"].is_null() {
                let mut rng = Rng::new(1, Purpose::Augment, rng::Stream::default());
                let size = row.size().unwrap();
                plugin.draw(&mut rng, &RowView { row: &row, size }).unwrap().unwrap()
            } else {
                case["draw"].clone()
            };
            plugin.apply(&draw, &mut row, &Kernels { fused }).unwrap();
            let (got, want) = (&row.frames[0].image, image(&case["result"]));
            assert_eq!((got.width, got.height, got.channels), (want.width, want.height, want.channels), "{what}");
            assert_eq!(std::mem::discriminant(&got.pixels), std::mem::discriminant(&want.pixels), "{what}");
            let mut tolerance = case["tolerance"].as_f64().unwrap() as f32;
            if matches!(want.pixels, Pixels::U16(_)) {
                // OpenCV weighs 16 bits in 32-bit floats, in another order.
                tolerance *= 2.0;
            }
            let far = got.to_f32().iter().zip(&want.to_f32()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            if far > tolerance {
                wrong.push(format!("{what}: off by {far}"));
            }
            let Some(i) = row.instances.first() else {
                assert!(case.get("box").is_none(), "{what}: the instance is gone");
                continue;
            };
            let (b, p) = (i.bbox.unwrap().bounds(), &i.points[0]);
            let off = |a: &[f32], b: &Json| a.iter().zip(numbers(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            if off(&b, &case["box"][1]) > 1e-3 || off(&[p.x, p.y], &case["point"][1]) > 1e-3 {
                wrong.push(format!("{what}: {b:?} {p:?} {} {}", case["box"][1], case["point"][1]));
            }
            if let Some(mask) = case.get("mask") {
                let want = numbers(&mask[1]);
                assert!(i.mask.as_ref().unwrap().inside.iter().zip(&want).all(|(a, b)| f32::from(*a) == *b), "{what}");
                assert!(row.maps[0].classes.iter().zip(&want).all(|(a, b)| f32::from(*a) == *b), "{what}");
            }
        }
        plugins.push(case["plugin"].clone());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    plugins.dedup();
    assert!(plugins.len() >= 20, "a golden is missing: {plugins:?}");
}
