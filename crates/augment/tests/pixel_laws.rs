//! What holds for every augmentation of pixels: any image is changed or refused whole, tables are the definition, noise
//! has its moments, and what is behind a hole is kept or dropped whole.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Definitions, alone, noise, noise_of, read, stream};
use pleach_augment::dropout::{CoarseDropout, Holes, InstanceDropout, NodeDropout, RandomImageDrop, RandomRectDropout};
use pleach_augment::pixel;
use pleach_augment::pixel::{
    Bits, BrightnessContrast, ChannelDropout, GaussNoise, KernelSizes, MultiplicativeNoise, Noisy, Posterize, RGBShift,
    RandomBrightnessContrast, RandomGamma, RandomPosterize, RandomSolarize, Solarize,
};
use pleach_core::image::{Image, Pixels};
use pleach_core::{
    Augmentation, DynAugmentation, Frame, Instance, Map, NamedPoint, Plug, RotBox, Row, RowView, SampleId,
};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use serde_json::{Value as Json, json};

/// Every augmentation of this kind.
const ALL: [&str; 43] = [
    "AutoContrast",
    "Blur",
    "CLAHE",
    "ChannelDropout",
    "ChannelShuffle",
    "CoarseDropout",
    "ColorJitter",
    "Defocus",
    "Downscale",
    "Emboss",
    "Equalize",
    "Erasing",
    "GaussNoise",
    "GaussianBlur",
    "GridDropout",
    "HueSaturationValue",
    "ISONoise",
    "ImageCompression",
    "InvertImg",
    "MedianBlur",
    "MotionBlur",
    "MultiplicativeNoise",
    "PixelDropout",
    "Posterize",
    "RGBShift",
    "RandomAutocontrast",
    "RandomBrightnessContrast",
    "RandomEqualize",
    "RandomFog",
    "RandomGamma",
    "RandomGrayscale",
    "RandomImageDrop",
    "RandomPhotometricDistort",
    "RandomRectDropout",
    "RandomShadow",
    "Sharpen",
    "Solarize",
    "ToGray",
    "ToRGB",
    "ToSepia",
    "UnsharpMask",
    "Invert",
    "RandomInvert",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_image_is_changed_or_refused_whole(
        which in 0..ALL.len(), w in 1_usize..24, h in 1_usize..20, channels in 1_usize..6, kind in 0_u8..3, seed in any::<u32>(),
    ) {
        let plugin = Plug::<dyn DynAugmentation>::named(ALL[which]).unwrap();
        let before = alone(noise_of((w, h), channels, kind, seed.into()));
        let (mut once, mut twice) = (before.clone(), before.clone());
        match plugin.run(&mut stream(seed.into()), &mut once, &Definitions) {
            Ok(_) => {
                let (a, b) = (&once.frames[0].image, &before.frames[0].image);
                prop_assert_eq!((a.width, a.height), (b.width, b.height));
                prop_assert_eq!(a.pixels.len(), a.width * a.height * a.channels);
                prop_assert_eq!(std::mem::discriminant(&a.pixels), std::mem::discriminant(&b.pixels));
                plugin.run(&mut stream(seed.into()), &mut twice, &Definitions).unwrap();
                prop_assert_eq!(&once, &twice);
            }
            Err(e) => {
                assert!(["PL0342", "PL0347"].contains(&e.code()), "{}: {e}", ALL[which]);
                prop_assert_eq!(&once, &before);
            }
        }
    }

    #[test]
    fn a_table_is_what_the_touch_does(channels in 1_usize..4, seed in any::<u32>()) {
        same(&RandomBrightnessContrast::default(), channels, seed);
        same(&RandomBrightnessContrast { ensure_safe_range: true, ..Default::default() }, channels, seed);
        same(&RandomGamma::default(), channels, seed);
        same(&Solarize::default(), channels, seed);
        same(&RandomSolarize { threshold: 77.0 }, channels, seed);
        same(&Posterize { num_bits: Bits(vec![(1, 7)]) }, channels, seed);
        same(&RandomPosterize { bits: 0 }, channels, seed);
        same(&RGBShift::default(), channels, seed);
        same(&MultiplicativeNoise { per_channel: true, ..Default::default() }, channels, seed);
        same(&pixel::InvertImg::default(), channels, seed);
        if channels > 1 {
            same(&ChannelDropout { fill: 31.0, ..Default::default() }, channels, seed);
        }
    }
}

fn same<A: Augmentation>(plugin: &A, channels: usize, seed: u32) {
    let image = noise((37, 5), channels, seed.into());
    let row = alone(image.clone());
    let view = RowView { row: &row, size: (37, 5) };
    let Some(draw) = plugin.draw(&mut stream(seed.into()), &view).unwrap() else { return };
    let tables = plugin.table(&draw, channels).unwrap();
    assert!(tables.len() == 1 || tables.len() == channels);
    let mut touched = image.clone();
    plugin.touch(&draw, &mut touched).unwrap();
    let (Pixels::U8(before), Pixels::U8(after)) = (&image.pixels, &touched.pixels) else { panic!("no bytes") };
    for (i, (a, b)) in before.iter().zip(after).enumerate() {
        assert_eq!(tables[i % channels % tables.len()][usize::from(*a)], *b, "{plugin:?} {draw:?}");
    }
}

#[test]
fn sixteen_bits_keep_their_depth_in_a_change_of_brightness() {
    let plugin = RandomBrightnessContrast::default();
    let draw = BrightnessContrast { alpha: 1.0, beta: 0.0 };
    let before = noise_of((30, 20), 1, 1, 3);
    let mut after = before.clone();
    plugin.touch(&draw, &mut after).unwrap();
    assert_eq!(before, after);
}

#[test]
fn normal_noise_has_the_mean_and_the_deviation_of_its_draw() {
    let flat = |value| Image::new(400, 300, 3, Pixels::U8(vec![value; 360_000])).unwrap();
    for (std, mean) in [(0.05, 0.0), (0.1, 0.04)] {
        for plugin in [GaussNoise::default(), GaussNoise { per_channel: false, ..Default::default() }] {
            let mut image = flat(128);
            plugin.touch(&Noisy { std, mean, seed: 5 }, &mut image).unwrap();
            let samples = image.to_f32();
            let n = samples.len() as f32;
            let got = samples.iter().sum::<f32>() / n;
            let spread = (samples.iter().map(|x| (x - got).powi(2)).sum::<f32>() / n).sqrt();
            // Fractions are dropped, which takes half a level.
            assert!((got - (127.5 + 255.0 * mean as f32)).abs() < 0.3, "{got}");
            assert!((spread - 255.0 * std as f32).abs() < 0.3, "{spread}");
            let alike = samples.as_chunks::<3>().0.iter().all(|[r, g, b]| r == g && g == b);
            assert_eq!(alike, !plugin.per_channel);
        }
    }
}

#[test]
fn a_blur_limit_that_is_even_is_the_next_odd_one() {
    let read = |limit: Json| read("Blur", &json!({ "blur_limit": limit })).map(|p| format!("{p:?}"));
    assert!(read(json!(6)).unwrap().contains(&format!("{:?}", KernelSizes(3.0, 7.0))));
    assert!(read(json!([4, 8])).unwrap().contains(&format!("{:?}", KernelSizes(5.0, 9.0))));
    assert!(read(json!([9, 5])).unwrap().contains(&format!("{:?}", KernelSizes(5.0, 5.0))));
    assert!(read(json!("wide")).is_err());
}

#[test]
fn what_is_behind_a_hole_is_kept_or_dropped_whole() {
    let mut row = alone(noise((40, 30), 3, 1));
    row.maps.push(Map { frame: 0, width: 40, height: 30, classes: vec![3; 1200], scores: Vec::new() });
    let boxed = |x0, y0, x1, y1, x: f32, y: f32| Instance {
        bbox: Some(RotBox::from_corners(x0, y0, x1, y1)),
        points: vec![NamedPoint { name: "middle".into(), x, y, visible: true }],
        ..Instance::default()
    };
    row.instances = vec![
        boxed(2.0, 2.0, 8.0, 8.0, 5.0, 5.0),
        boxed(5.0, 5.0, 20.0, 9.0, 15.0, 7.0),
        boxed(30.0, 20.0, 38.0, 28.0, 33.0, 24.0),
    ];
    let plugin = CoarseDropout { fill_mask: Some(0), ..Default::default() };
    let draw = Holes { holes: vec![[0, 0, 10, 10]], seed: 0 };
    plugin.edit(&draw, &mut row).unwrap();
    plugin.touch(&draw, &mut row.frames[0].image).unwrap();
    let left: Vec<_> = row.instances.iter().map(|i| (i.bbox.unwrap().bounds(), i.points[0].visible)).collect();
    assert_eq!(left, [([10.0, 5.0, 20.0, 9.0], true), ([30.0, 20.0, 38.0, 28.0], true)]);
    assert_eq!(row.maps[0].classes.iter().filter(|c| **c == 0).count(), 100);
    let Pixels::U8(samples) = &row.frames[0].image.pixels else { panic!("no bytes") };
    assert!(samples[..30].iter().all(|x| *x == 0));
}

#[test]
fn rectangles_to_paint_in_have_a_tenth_of_each_frame_and_a_dropped_frame_is_blank() {
    let white = || Image::new(64, 48, 1, Pixels::F32(vec![1.0; 64 * 48])).unwrap();
    let clip = || {
        let frames = (0..3).map(|number| Frame { number, image: white() }).collect();
        Row::new(SampleId { index: 0, key: "clip".into() }, frames)
    };
    let (mut row, size) = (clip(), (64, 48));
    let plugin = RandomRectDropout::default();
    let whole = clip();
    let view = RowView { row: &whole, size };
    let draw = Augmentation::draw(&plugin, &mut stream(4), &view).unwrap().unwrap();
    plugin.edit(&draw, &mut row).unwrap();
    for (frame, rects) in row.frames.iter().zip(&draw.frames) {
        let area: i64 = rects.iter().map(|[x0, y0, x1, y1]| (x1 - x0) * (y1 - y0)).sum();
        let blank = frame.image.to_f32().iter().filter(|x| **x == 0.0).count() as i64;
        assert!(area >= 307 && blank > 0 && blank <= area, "{area} {blank}");
    }
    assert_ne!(draw.frames[0], draw.frames[1]);
    let (mut row, plugin) = (clip(), RandomImageDrop::default());
    assert!(DynAugmentation::run(&plugin, &mut stream(4), &mut row, &Definitions).unwrap());
    let blank = row.frames.iter().filter(|f| f.image.to_f32().iter().all(|x| *x == 0.0)).count();
    assert_eq!(blank, 1);
}

#[test]
fn nodes_and_instances_are_dropped_up_to_a_number() {
    let mut row = alone(noise((8, 8), 1, 0));
    let point = |name: &str| NamedPoint { name: name.into(), x: 1.0, y: 1.0, visible: true };
    row.instances = vec![Instance { points: vec![point("a"), point("b"), point("c")], ..Instance::default() }; 4];
    let mut nodes = row.clone();
    let plugin = NodeDropout { drop_prob: 1.0, n: 2 };
    assert!(DynAugmentation::run(&plugin, &mut stream(1), &mut nodes, &Definitions).unwrap());
    for instance in &nodes.instances {
        assert_eq!(instance.points.iter().filter(|p| p.visible).count(), 1);
        assert_eq!(instance.points, nodes.instances[0].points);
    }
    let plugin = InstanceDropout { drop_prob: 1.0, n: 3 };
    assert!(DynAugmentation::run(&plugin, &mut stream(1), &mut row, &Definitions).unwrap());
    assert_eq!(row.instances.len(), 1);
    let never = InstanceDropout { drop_prob: 0.0, n: 3 };
    assert!(!DynAugmentation::run(&never, &mut stream(1), &mut row, &Definitions).unwrap());
}
