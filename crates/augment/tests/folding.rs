//! Maps that are put together show what each by itself would: pixels within a bound on smooth images, and rows alike.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Definitions, read};
use pleach_augment as _;
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::augmentation::{At, AugmentConfig, AugmentSlot, Pipeline};
use pleach_core::{Frame, Instance, NamedPoint, Polygon, Row, SampleId};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value as Json, json};

/// Levels by which pixels may differ: each step rounds, and takes half a level and what a wave bends between pixels.
const LEVELS: i32 = 4;

/// What moves pixels, with parameters that go with any frame of some size. Borders are mirrored: beside a constant one an
/// image is not smooth.
fn maps() -> Vec<(&'static str, Json)> {
    let mirrored = || json!({ "border_mode": "reflect_101" });
    vec![
        ("HorizontalFlip", json!({})),
        ("VerticalFlip", json!({})),
        ("Transpose", json!({})),
        ("RandomRotate90", json!({})),
        ("Rotate", mirrored()),
        ("Affine", json!({ "border_mode": "reflect_101", "rotate": [-30, 30], "scale": [0.8, 1.3], "shear": [-8, 8] })),
        ("ShiftScaleRotate", mirrored()),
        ("SafeRotate", mirrored()),
        ("Perspective", mirrored()),
        ("RandomScale", json!({ "scale_limit": 0.3 })),
        ("RandomCrop", json!({ "height": 60, "width": 70, "pad_if_needed": true, "border_mode": "reflect_101" })),
        ("CenterCrop", json!({ "height": 66, "width": 62, "pad_if_needed": true, "border_mode": "reflect_101" })),
        ("RandomResizedCrop", json!({ "size": [80, 90], "scale": [0.4, 1.0] })),
        ("RandomSizedCrop", json!({ "min_max_height": [40, 60], "size": [75, 85] })),
        ("Resize", json!({ "height": 90, "width": 100 })),
        ("PadIfNeeded", json!({ "min_height": 110, "min_width": 120, "border_mode": "reflect_101" })),
    ]
}

/// Slow waves, and outlines with a point in the middle of each.
fn row((w, h): (usize, usize), phase: f64) -> Row {
    let sample = |i: usize| {
        let (x, y, k) = ((i / 3 % w) as f64, (i / (3 * w)) as f64, (i % 3) as f64);
        let wave = 0.5 + 0.25 * (0.06 * x + k + phase).sin() + 0.2 * (0.05 * y - 0.7 * k).cos();
        (wave * 255.0).round() as u8
    };
    let image = Image::new(w, h, 3, Pixels::U8((0..w * h * 3).map(sample).collect())).unwrap();
    let mut row = Row::new(SampleId { index: 0, key: "waves".into() }, vec![Frame { number: 0, image }]);
    for class in 0..9 {
        // On no edge of a window.
        let place = |side: usize, n: u32| side as f32 * (0.2 + 0.3 * n as f32) + 0.137;
        let (cx, cy) = (place(w, class % 3), place(h, class / 3));
        let outline = vec![[cx - 5.0, cy - 4.0], [cx + 6.0, cy - 2.0], [cx + 1.0, cy + 5.0]];
        row.instances.push(Instance {
            class,
            polygon: Some(Polygon(vec![outline])),
            points: vec![NamedPoint { name: "middle".into(), x: cx, y: cy, visible: true }],
            ..Instance::default()
        });
    }
    row
}

/// Of what is left of an outline.
fn area(i: &Instance) -> f32 {
    let ring = &i.polygon.as_ref().unwrap().0[0];
    let next = ring.iter().skip(1).chain(ring.first());
    0.5 * ring.iter().zip(next).map(|([a, b], [c, d])| a * d - b * c).sum::<f32>().abs()
}

/// Some of the maps, as steps.
fn steps(kinds: &[usize], exact: bool) -> Vec<AugmentConfig> {
    let maps = maps();
    let slot = || AugmentSlot { p: Some(1.0), exact, ..AugmentSlot::default() };
    kinds.iter().map(|k| AugmentConfig { slot: slot(), plug: read(maps[*k].0, &maps[*k].1).unwrap() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn maps_at_once_show_what_each_by_itself_would(
        kinds in proptest::collection::vec(0_usize..16, 2..5), seed in any::<u32>(),
    ) {
        let size = (90 + seed as usize % 30, 85 + seed as usize / 7 % 30);
        let at = At { seed: seed.into(), epoch: 1, sample: 0 };
        let (mut folded, mut by_step) = (row(size, f64::from(seed % 7)), row(size, f64::from(seed % 7)));
        Pipeline::new(&steps(&kinds, false), &Definitions).run(at, &mut folded).unwrap();
        Pipeline::new(&steps(&kinds, true), &Definitions).run(at, &mut by_step).unwrap();
        prop_assert_eq!(folded.size(), by_step.size());
        let names: Vec<&str> = kinds.iter().map(|k| maps()[*k].0).collect();
        let (Pixels::U8(a), Pixels::U8(b)) = (&folded.frames[0].image.pixels, &by_step.frames[0].image.pixels) else {
            panic!("8 bits")
        };
        let far = a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs()).max().unwrap();
        prop_assert!(far <= LEVELS, "{names:?}: {far} levels");
        prop_assert_eq!(folded.instances.len(), by_step.instances.len(), "{:?}", names);
        for (a, b) in folded.instances.iter().zip(&by_step.instances) {
            prop_assert_eq!((a.class, a.points[0].visible), (b.class, b.points[0].visible));
            let (p, q) = (&a.points[0], &b.points[0]);
            prop_assert!((p.x - q.x).hypot(p.y - q.y) < 1e-2, "{names:?}: {p:?} {q:?}");
            prop_assert!((area(a) - area(b)).abs() < 0.02 * (1.0 + area(b)), "{names:?}: {a:?} {b:?}");
        }
    }

    #[test]
    fn exact_is_step_after_step_to_the_byte(
        kinds in proptest::collection::vec(0_usize..16, 2..5), seed in any::<u32>(),
    ) {
        let (steps, at) = (steps(&kinds, true), At { seed: seed.into(), epoch: 1, sample: 0 });
        let (mut together, mut alone) = (row((52, 45), 1.0), row((52, 45), 1.0));
        let decisions = Pipeline::new(&steps, &Definitions).record(at, &mut together).unwrap();
        for (step, decision) in steps.iter().zip(&decisions) {
            let one = Pipeline::new(std::slice::from_ref(step), &Definitions);
            one.replay(std::slice::from_ref(decision), &mut alone).unwrap();
        }
        prop_assert_eq!(together, alone);
    }
}
