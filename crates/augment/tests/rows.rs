//! Crops around boxes, symmetries, mixing, elastic fields, interpolations and torchvision's own names do with given draws
//! what Albumentations 2.0.8, OpenCV, Pillow and torchvision do; `golden/rows.py` made the file.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Definitions, plugin, samples};
use pleach_augment::BorderMode;
use pleach_augment::PerChannel;
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::augmentation::{AugmentConfig, AugmentSlot, Decision, Pipeline, Pool};
use pleach_core::warp::Field;
use pleach_core::{Frame, Instance, Result, RotBox, Row, RowView, SampleId, Warp};
use serde_json::{Value as Json, json};

fn golden() -> Json {
    serde_json::from_str(include_str!("golden/rows.json")).unwrap()
}

fn number(json: &Json, key: &str) -> usize {
    json[key].as_u64().unwrap() as usize
}

fn image(json: &Json) -> Image {
    let pixels = samples(json["type"].as_str().unwrap(), json["samples"].as_str().unwrap());
    Image::new(number(json, "width"), number(json, "height"), number(json, "channels"), pixels).unwrap()
}

fn numbers(json: &Json) -> Vec<f32> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

fn row(image: Image, boxes: Option<&Json>) -> Row {
    let mut row = Row::new(SampleId { index: 0, key: "golden".into() }, vec![Frame { number: 0, image }]);
    for (class, b) in boxes.iter().flat_map(|b| b[0].as_array().unwrap()).enumerate() {
        let [x0, y0, x1, y1] = numbers(b)[..] else { panic!("{b}") };
        let bbox = Some(RotBox::from_corners(x0, y0, x1, y1));
        row.instances.push(Instance { class: class as u32, bbox, ..Instance::default() });
    }
    row
}

/// The samples that a mixing augmentation takes.
struct Others(Vec<Row>);

impl Pool for Others {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        Ok(self.0[index].clone())
    }
}

fn run(case: &Json) -> Row {
    let mut row = row(image(&case["image"]), case.get("boxes"));
    let (plug, draw) = (plugin(case), case["draw"].clone());
    let mut others =
        Others(case["partners"].as_array().iter().flat_map(|p| p.iter()).map(|p| self::row(image(p), None)).collect());
    if let Some(partner) = case.get("partner") {
        others.0.push(self::row(image(partner), None));
        let classes = numbers(&case["classes"]);
        row.labels.class = Some(classes[0] as u32);
        others.0[0].labels.class = Some(classes[1] as u32);
    }
    if others.0.is_empty() {
        let draw = if draw.is_null() {
            let view = RowView { row: &row, size: row.size().unwrap() };
            plug.draw(&mut common::stream(1), &view).unwrap().unwrap()
        } else {
            draw
        };
        plug.apply(&draw, &mut row, &Definitions).unwrap();
        return row;
    }
    let partners: Vec<Json> = (0..others.0.len()).map(|index| json!({ "index": index, "steps": [] })).collect();
    let steps = [AugmentConfig { slot: AugmentSlot::default(), plug }];
    let decision = Decision::All(json!({ "draw": draw, "partners": partners }));
    Pipeline::new(&steps, &Definitions).with_pool(&others).replay(&[decision], &mut row).unwrap();
    row
}

#[test]
fn rows_change_as_in_the_references() {
    let golden = golden();
    let (mut wrong, mut plugins) = (Vec::new(), Vec::new());
    for (n, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let what = format!("case {n}: {} {} {}", case["plugin"], case["parameters"], case["draw"]);
        let row = run(case);
        let (got, want) = (&row.frames[0].image, image(&case["result"]));
        let shape = |i: &Image| (i.width, i.height, i.channels, std::mem::discriminant(&i.pixels));
        assert_eq!(shape(got), shape(&want), "{what}");
        let allowed = case["tolerance"].as_f64().unwrap() as f32;
        let off: Vec<f32> = got.to_f32().iter().zip(&want.to_f32()).map(|(a, b)| (a - b).abs()).collect();
        let far = off.iter().copied().fold(0.0, f32::max);
        if far > allowed || far.is_nan() {
            let many = off.iter().filter(|x| **x > allowed).count();
            wrong.push(format!("{what}: off by {far} where {allowed} is allowed, {many} of {}", off.len()));
        }
        if let Some(boxes) = case.get("boxes") {
            let want: Vec<Vec<f32>> = boxes[1].as_array().unwrap().iter().map(numbers).collect();
            let found: Vec<Vec<f32>> = row
                .instances
                .iter()
                .map(|i| [i.class as f32].into_iter().chain(i.bbox.unwrap().bounds()).collect())
                .collect();
            let near = |a: &Vec<f32>, b: &Vec<f32>| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-4);
            if found.len() != want.len() || !found.iter().zip(&want).all(|(a, b)| near(a, b)) {
                wrong.push(format!("{what}: boxes {found:?}, want {want:?}"));
            }
        }
        if let Some(shares) = case.get("shares") {
            let (got, want) = (&row.labels.scores, numbers(shares));
            assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-6), "{what}: {got:?} {want:?}");
        }
        plugins.push(case["plugin"].as_str().unwrap().to_owned());
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    plugins.dedup();
    for name in ["D4", "RandomIoUCrop", "RandomZoomOut", "SanitizeBoundingBoxes", "MixUp", "CutMix", "Mosaic"] {
        assert!(plugins.iter().any(|p| p == name), "no case of {name}");
    }
}

#[test]
fn given_fields_bend_as_opencv_does() {
    for case in golden()["fields"].as_array().unwrap() {
        let (source, want) = (image(&case["image"]), image(&case["result"]));
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let at = |all: &[f32], col: usize, line: usize| f64::from(all[line * source.width + col]);
        let field = Field::new((source.width, source.height), |c, l| [at(&x, c, l), at(&y, c, l)]).unwrap();
        let mode = if case["border"] == "constant" { BorderMode::Constant } else { BorderMode::Reflect101 };
        let mut row = row(source, None);
        Warp::field(field).with_border(mode.border(&PerChannel(vec![0.0]), 0)).apply(&mut row).unwrap();
        let (Pixels::U8(got), Pixels::U8(want)) = (&row.frames[0].image.pixels, &want.pixels) else { panic!("8 bits") };
        let far = got.iter().zip(want).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(far <= 1, "{}: {far}", case["border"]);
    }
}
