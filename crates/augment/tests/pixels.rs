//! Given draws change pixels as Albumentations 2.0.8 and torchvision do; `golden/pixels.py` made the file.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Definitions, alone, plugin};
use pleach_augment as _;
use pleach_core::image::{Image, Pixels};
use pleach_core::{DynAugmentation, Plug};
use serde_json::Value as Json;

fn image(golden: &Json, name: &str, samples: &str, channels: Option<usize>) -> Image {
    let source = &golden["images"][name];
    let number = |key: &str| source[key].as_u64().unwrap() as usize;
    let pixels = common::samples(source["type"].as_str().unwrap(), samples);
    Image::new(number("width"), number("height"), channels.unwrap_or(number("channels")), pixels).unwrap()
}

fn applied(plugin: &Plug<dyn DynAugmentation>, draw: &Json, image: Image) -> Image {
    let mut row = alone(image);
    plugin.apply(draw, &mut row, &Definitions).unwrap();
    row.frames.remove(0).image
}

#[test]
fn pixels_change_as_in_albumentations_and_torchvision() {
    let golden: Json = serde_json::from_str(include_str!("golden/pixels.json")).unwrap();
    let mut wrong = Vec::new();
    for (n, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let name = case["image"].as_str().unwrap();
        let what = format!("case {n}: {} {} {} on {name}", case["plugin"], case["parameters"], case["draw"]);
        let source = image(&golden, name, golden["images"][name]["samples"].as_str().unwrap(), None);
        let channels = case["channels"].as_u64().map(|n| n as usize);
        let want = image(&golden, name, case["result"].as_str().unwrap(), channels);
        let got = applied(&plugin(case), &case["draw"], source);
        let shape = |i: &Image| (i.width, i.height, i.channels, std::mem::discriminant(&i.pixels));
        assert_eq!(shape(&got), shape(&want), "{what}");
        let levels = case["tolerance"].as_f64().unwrap() as f32;
        let allowed = match got.pixels {
            Pixels::F32(_) => case["float_tolerance"].as_f64().map_or(1e-5, |t| t as f32),
            _ => levels,
        };
        let off: Vec<f32> = got.to_f32().iter().zip(&want.to_f32()).map(|(a, b)| (a - b).abs()).collect();
        let far = off.iter().fold(0.0, |a: f32, &b| a.max(b));
        if far > allowed || far.is_nan() {
            let many = off.iter().filter(|&&x| x > allowed).count();
            wrong.push(format!("{what}: off by {far} where {allowed} is allowed, {many} of {}", off.len()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
