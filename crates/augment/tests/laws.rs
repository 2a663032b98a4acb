//! Draws are data, the same draw gives the same bytes, fused passes give the bits of their definition,
//! and no pipeline drops half an instance.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{noise, row, stream};
use pleach_augment::{
    CenterCrop, HorizontalFlip, Limit, Normalize, PerChannel, RandomCrop, Resize, Rotate, Shorter, ToFloat,
    VerticalFlip,
};
use pleach_core::image::{Image, Pixels};
use pleach_core::read::{Read, ReadTable, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::warp::Interpolation;
use pleach_core::{
    Backend, DynAugmentation, Frame, FusedTouch, Instance, NamedPoint, Plug, Result, Row, RowView, SampleId, Saved,
    Seat,
};
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};

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

type Boxed = Box<dyn DynAugmentation>;

fn any_of(kind: u8) -> Boxed {
    let crop = RandomCrop { pad_if_needed: true, fill: PerChannel(vec![99.0]), ..RandomCrop::sample() };
    match kind {
        0 => Box::new(HorizontalFlip::default()),
        1 => Box::new(VerticalFlip::default()),
        2 => Box::new(Rotate { crop_border: true, ..Rotate::default() }),
        3 => {
            Box::new(Rotate { interpolation: Interpolation::Nearest, limit: Limit(-180.0, 180.0), ..Rotate::default() })
        }
        4 => Box::new(crop),
        5 => Box::new(CenterCrop { height: Some(20), width: Some(24), pad_if_needed: true, ..CenterCrop::sample() }),
        6 => Box::new(Resize { height: Some(21), width: Some(45), ..Resize::default() }),
        7 => Box::new(Resize {
            size: Some(Shorter::One(18)),
            interpolation: Interpolation::Antialias,
            ..Resize::default()
        }),
        8 => Box::new(ToFloat::default()),
        _ => Box::new(Normalize::default()),
    }
}

fn pipeline() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0_u8..10, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pipeline_replayed_from_its_saved_draws_gives_the_same_row(
        kinds in pipeline(), w in 8_usize..50, h in 8_usize..50, seed in any::<u32>(),
    ) {
        let (mut row, mut replayed) = (row((w, h), seed.into()), row((w, h), seed.into()));
        let before = row.instances.clone();
        let kernels = Kernels { fused: true };
        for (n, kind) in kinds.iter().enumerate() {
            let plugin = any_of(*kind);
            let seed = u64::from(seed) + n as u64;
            let view = RowView { row: &replayed, size: replayed.size().unwrap() };
            let draw = plugin.draw(&mut stream(seed), &view).unwrap().unwrap();
            prop_assert!(!draw.is_null(), "a null would be read as no draw at all");
            let draw: Saved = serde_json::from_str(&draw.to_string()).unwrap();
            plugin.apply(&draw, &mut replayed, &Kernels { fused: false }).unwrap();
            prop_assert!(plugin.run(&mut stream(seed), &mut row, &kernels).unwrap());
        }
        prop_assert_eq!(&row, &replayed);
        prop_assert_eq!(&row.frames[0].image, &row.frames[1].image);
        let (w, h) = row.size().unwrap();
        for i in &row.instances {
            let old = before.iter().find(|b| b.class == i.class).unwrap();
            prop_assert_eq!((i.frame, i.track, i.points.len()), (old.frame, old.track, old.points.len()));
            prop_assert_eq!(i.mask.is_some(), old.mask.is_some());
            prop_assert_eq!(i.polygon.is_some(), old.polygon.is_some());
            prop_assert!(i.mask.as_ref().is_none_or(|m| m.inside.len() == w * h && m.inside.contains(&1)));
            prop_assert!(i.polygon.as_ref().is_none_or(|p| p.0.iter().all(|r| r.len() >= 3) && !p.0.is_empty()));
            let b = i.bbox.unwrap();
            prop_assert!(b.w > 0.0 && b.h > 0.0 && (b.angle == 0.0) == (old.bbox.unwrap().angle == 0.0));
        }
    }

    #[test]
    fn normalize_fused_is_normalize_to_the_bit(
        w in 1_usize..40, h in 1_usize..9, channels in 1_usize..6, seed in any::<u32>(), kind in 0..3,
    ) {
        let bytes = noise((w, h), channels, seed.into());
        let samples = bytes.to_f32();
        let pixels = match kind {
            0 => bytes.pixels.clone(),
            1 => Pixels::U16(samples.iter().map(|&x| x as u16 * 256 + 3).collect()),
            _ => Pixels::F32(samples.iter().map(|&x| x / 251.0 - 0.1).collect()),
        };
        let frame = Frame { number: 0, image: Image { pixels, ..bytes } };
        let mut rng = stream(seed.into());
        let mut list = |low, high| PerChannel((0..channels).map(|_| rng.range(low, high)).collect());
        let plugin = Normalize { mean: list(-0.5, 1.0), std: list(0.01, 2.0), ..Normalize::default() };
        let run = |fused| {
            let mut row = Row::new(SampleId { index: 0, key: "n".into() }, vec![frame.clone()]);
            plugin.run(&mut stream(0), &mut row, &Kernels { fused }).unwrap();
            match row.frames.remove(0).image.pixels {
                Pixels::F32(v) => v.into_iter().map(f32::to_bits).collect::<Vec<_>>(),
                other => panic!("no floats: {other:?}"),
            }
        };
        prop_assert_eq!(run(false), run(true));
    }

    #[test]
    fn a_random_crop_is_a_piece_of_the_image(w in 5_usize..30, h in 5_usize..30, seed in any::<u32>()) {
        let mut row = row((w, h), seed.into());
        let whole = row.frames[0].image.clone();
        let (width, height) = (1 + seed as usize % w, 1 + seed as usize % h);
        let plugin = RandomCrop { width: Some(width), height: Some(height), ..RandomCrop::sample() };
        plugin.run(&mut stream(seed.into()), &mut row, &Kernels { fused: false }).unwrap();
        let piece = &row.frames[0].image;
        let rows = |image: &Image| image.to_f32().chunks(3 * image.width).map(<[f32]>::to_vec).collect::<Vec<_>>();
        let (whole, piece) = (rows(&whole), rows(piece));
        prop_assert_eq!((piece.len(), piece[0].len()), (height, 3 * width));
        let found = (0..=h - height).any(|y| (0..=w - width).any(|x| {
            piece.iter().zip(&whole[y..]).all(|(p, row)| p[..] == row[3 * x..3 * (x + width)])
        }));
        prop_assert!(found);
    }
}

#[test]
fn a_crop_that_does_not_fit_names_the_sample_and_the_way_out() {
    let mut row = row((20, 10), 1);
    let before = row.clone();
    let plugin = RandomCrop { width: Some(16), height: Some(12), ..RandomCrop::sample() };
    let error = plugin.run(&mut stream(0), &mut row, &Kernels { fused: false }).unwrap_err();
    assert_eq!((error.code(), error.class()), ("PL0341", pleach_core::error::Class::Data));
    assert_eq!(error.message(), "a row: a window of 16x12 does not fit into 20x10 pixels");
    assert!(error.hint_text().unwrap().contains("pad_if_needed"));
    assert_eq!(row, before);
}

#[test]
fn three_means_for_a_gray_image_are_an_error_and_one_is_not() {
    let gray =
        || Row::new(SampleId { index: 0, key: "g".into() }, vec![Frame { number: 0, image: noise((4, 3), 1, 0) }]);
    for fused in [false, true] {
        let run = |plugin: &Normalize| plugin.run(&mut stream(0), &mut gray(), &Kernels { fused });
        let error = run(&Normalize::default()).unwrap_err();
        assert_eq!(error.code(), "PL0342");
        assert_eq!(error.message(), "Normalize has 3 values in `mean`, but the image has 1 channels");
        let one = || PerChannel(vec![0.5]);
        assert!(run(&Normalize { mean: one(), std: one(), ..Normalize::default() }).unwrap());
    }
}

#[test]
fn the_mirror_image_of_a_left_eye_is_a_right_eye() {
    let mut row = row((20, 10), 1);
    row.instances.truncate(1);
    let point = |name: &str, x: f32| NamedPoint { name: name.into(), x, y: 2.0, visible: true };
    row.instances[0] =
        Instance { points: vec![point("left", 3.0), point("nose", 5.0), point("right", 7.5)], ..Instance::default() };
    let plugin = HorizontalFlip { swap_points: vec![("left".into(), "right".into())] };
    plugin.run(&mut stream(0), &mut row, &Kernels { fused: false }).unwrap();
    let points: Vec<_> = row.instances[0].points.iter().map(|p| (&*p.name, p.x)).collect();
    assert_eq!(points, [("right", 17.0), ("nose", 15.0), ("left", 12.5)]);
}

const AT: Place = Place { source: 0, start: 0, end: 0 };

fn read(entries: &[(&str, Value)]) -> Result<Plug<dyn DynAugmentation>, Vec<String>> {
    let entry = |(k, v): &(&str, Value)| (Key { name: (*k).into(), place: AT }, Node { value: v.clone(), place: AT });
    let table = Node { value: Value::Table(Table { entries: entries.iter().map(entry).collect() }), place: AT };
    let mut reader = Reader::default();
    let plug = Plug::read(&table, &mut reader);
    plug.filter(|_| reader.diagnostics.is_empty())
        .ok_or_else(|| reader.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect())
}

#[test]
fn a_file_may_write_a_limit_as_one_number_and_a_mean_too() {
    let named = |name: &str| ("name", Value::Str(name.into()));
    let list =
        |items: &[f64]| Value::Array(items.iter().map(|&x| Node { value: Value::Float(x), place: AT }).collect());
    let debug = |entries: &[(&str, Value)]| format!("{:?}", read(entries).unwrap());
    assert!(debug(&[named("Rotate"), ("limit", Value::Int(15))]).contains("Limit(-15.0, 15.0)"));
    assert!(debug(&[named("Rotate"), ("limit", list(&[-5.0, 30.0]))]).contains("Limit(-5.0, 30.0)"));
    assert!(debug(&[named("Normalize"), ("mean", Value::Float(0.5))]).contains("mean: PerChannel([0.5])"));
    assert!(debug(&[named("RandomHorizontalFlip")]).contains("HorizontalFlip"));
    let wrong = |entries: &[(&str, Value)]| read(entries).unwrap_err().remove(0);
    assert!(wrong(&[named("Rotate"), ("limit", list(&[30.0, -5.0]))]).contains("the smaller one first"));
    assert!(wrong(&[named("Rotate"), ("limit", Value::Int(720))]).contains("`limit` of augmentation Rotate is out of"));
    assert!(wrong(&[named("Normalize"), ("std", Value::Int(0))]).contains("out of bounds"));
    assert!(wrong(&[named("Normalize"), ("std", list(&[0.5, 0.5]))]).contains("has 2 values where `mean` has 3"));
    assert!(wrong(&[named("Resize")]).contains("to which size?"));
    assert!(wrong(&[named("Resize"), ("height", Value::Int(3))]).contains("`width` is missing"));
    assert!(wrong(&[named("RandomCrop"), ("height", Value::Int(3))]).contains("`width` is missing"));
    let probabilities = ["HorizontalFlip", "VerticalFlip", "Rotate", "Resize", "Normalize", "RandomCrop"];
    let p: Vec<f64> = probabilities.map(|name| Plug::<dyn DynAugmentation>::named(name).unwrap().default_p()).into();
    assert_eq!(p, [0.5, 0.5, 0.5, 1.0, 1.0, 1.0]);
}
