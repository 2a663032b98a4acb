//! Random pipelines over random rows: rows stay whole, draws are data, and nothing depends on threads or order.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Definitions, read, row};
use pleach_augment as _;
use pleach_core::kinds::augmentation::{
    At, AugmentConfig, AugmentSlot, Decision, DynAugmentation, Pipeline, Pool, View, Work,
};
use pleach_core::{Entry, Result, Row, SampleId, registry};
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value as Json, json};

/// Samples of one split, to mix with.
struct Split {
    size: (usize, usize),
    seed: u64,
}

impl Pool for Split {
    fn len(&self) -> usize {
        5
    }
    fn row(&self, index: usize) -> Result<Row> {
        let id = SampleId { index: index as u64, key: format!("sample {index}").into() };
        Ok(Row { id, ..row(self.size, self.seed + 31 * index as u64) })
    }
}

/// Those whose draws at random decide nothing by the truth alone, or whose size of the result is drawn, each with parameters
/// that go with any frame.
fn step(name: &str, slot: AugmentSlot) -> AugmentConfig {
    let parameters = match name {
        "RandomCrop" | "CenterCrop" => json!({ "height": 24, "width": 20, "pad_if_needed": true }),
        "Crop" => json!({ "x_max": 24, "y_max": 20, "pad_if_needed": true }),
        "Mosaic" => json!({ "target_size": [30, 40], "cell_shape": [24, 32] }),
        "RandomSizedCrop" => json!({ "min_max_height": [3, 8], "size": [20, 24] }),
        "PadIfNeeded" => json!({ "min_height": 40, "min_width": 44 }),
        "CopyPaste" | "RandomCropResize" => json!({}),
        _ => return AugmentConfig { slot, plug: entry(name).plug().unwrap() },
    };
    let parameters = if name == "RandomCropResize" { json!({ "size": 3 }) } else { parameters };
    AugmentConfig { slot, plug: read(name, &parameters).unwrap() }
}

fn entry(name: &str) -> &'static Entry {
    registry::of_kind::<dyn DynAugmentation>().find(|e| e.name == name).unwrap()
}

fn names() -> Vec<&'static str> {
    // What makes floats or other channels would have the rest refuse them; they have laws of their own.
    let other = ["Normalize", "ToFloat", "ToDtype", "Grayscale", "ToRGB", "ChannelDropout"];
    registry::of_kind::<dyn DynAugmentation>().map(|e| e.name).filter(|n| !other.contains(n)).collect()
}

/// Steps with their keys: which, how often, for each frame, and whether step by step.
fn pipeline() -> impl Strategy<Value = Vec<AugmentConfig>> {
    let one = (0..names().len(), 0_u8..3, any::<bool>(), any::<bool>(), any::<bool>());
    let one = one.prop_map(|(n, p, per_frame, exact, strict)| {
        let p = [Some(1.0), Some(0.5), None][usize::from(p)];
        let rules = if strict { (0.3, 4.0) } else { (0.0, 0.0) };
        let name = names()[n];
        let plug = &entry(name).plug::<dyn DynAugmentation>().unwrap();
        // A size that is drawn for each frame would leave frames of several sizes.
        let per_frame = per_frame && keeps_size(name) && !plug.draws_partners();
        step(name, AugmentSlot { p, apply_p: None, per_frame, exact, min_visibility: rules.0, min_area: rules.1 })
    });
    proptest::collection::vec(one, 1..5)
}

/// Whether every draw leaves frames of one size.
fn keeps_size(name: &str) -> bool {
    !["RandomRotate90", "D4", "Transpose", "RandomScale", "RandomZoomOut", "BBoxSafeRandomCrop", "RandomIoUCrop"]
        .contains(&name)
        && !["RandomCropFromBorders", "LongestMaxSize", "SmallestMaxSize", "CropAndPad"].contains(&name)
        && entry(name).plug::<dyn DynAugmentation>().unwrap().parts().is_empty()
        && name != "InstanceDropout"
}

trait Partners {
    fn draws_partners(&self) -> bool;
}

impl Partners for pleach_core::Plug<dyn DynAugmentation> {
    fn draws_partners(&self) -> bool {
        ["MixUp", "CutMix", "Mosaic", "CopyPaste"].contains(&self.name().as_str())
    }
}

fn at(seed: u32, sample: u64) -> At {
    At { seed: seed.into(), epoch: 2, sample }
}

/// The decisions, as they come back from a file.
fn through_text(all: &[Decision]) -> Vec<Decision> {
    serde_json::from_str(&serde_json::to_string(all).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pipeline_replayed_from_text_gives_the_same_bytes(
        steps in pipeline(), w in 12_usize..50, h in 12_usize..50, seed in any::<u32>(),
    ) {
        let pool = Split { size: (w, h), seed: seed.into() };
        let pipeline = Pipeline::new(&steps, &Definitions).with_pool(&pool);
        let (mut once, mut drawn, mut again) = (pool.row(0).unwrap(), pool.row(0).unwrap(), pool.row(0).unwrap());
        // A mix of clips of which one has lost its size, or a window that does not fit, is an error, whichever way it comes.
        let Ok(decisions) = pipeline.record(at(seed, 0), &mut drawn) else {
            prop_assert!(pipeline.run(at(seed, 0), &mut once).is_err());
            return Ok(());
        };
        pipeline.run(at(seed, 0), &mut once).unwrap();
        pipeline.replay(&through_text(&decisions), &mut again).unwrap();
        prop_assert_eq!(&once, &drawn);
        prop_assert_eq!(&again, &drawn);
    }

    #[test]
    fn a_row_stays_whole(steps in pipeline(), w in 12_usize..50, h in 12_usize..50, seed in any::<u32>()) {
        let pool = Split { size: (w, h), seed: seed.into() };
        let pipeline = Pipeline::new(&steps, &Definitions).with_pool(&pool);
        let mut row = pool.row(0).unwrap();
        let before = row.instances.clone();
        if pipeline.run(at(seed, 0), &mut row).is_err() {
            return Ok(());
        }
        let mixes = steps.iter().any(|s| s.plug.draws_partners());
        let (w, h) = row.size().unwrap();
        prop_assert_eq!(row.frames.len(), 2);
        for f in &row.frames {
            let i = &f.image;
            prop_assert_eq!((i.width, i.height, i.pixels.len()), (w, h, w * h * i.channels));
        }
        for m in &row.maps {
            prop_assert_eq!((m.width, m.height, m.classes.len()), (w, h, w * h));
        }
        for i in &row.instances {
            prop_assert!((i.frame as usize) < 2);
            if let Some(mask) = &i.mask {
                prop_assert_eq!((mask.width, mask.height, mask.inside.len()), (w, h, w * h));
                prop_assert!(mask.inside.contains(&1), "a mask of nothing");
            }
            if let Some(b) = i.bbox {
                prop_assert!(b.w > 0.0 && b.h > 0.0 && [b.cx, b.cy, b.w, b.h].iter().all(|v| v.is_finite()));
            }
            if mixes {
                continue;
            }
            // Its class was its number, and so was its track: whatever it had, it still has.
            let old = before.iter().find(|b| b.class == i.class).unwrap();
            prop_assert_eq!((old.track, old.frame, old.points.len()), (i.track, i.frame, i.points.len()));
            let parts = |i: &pleach_core::Instance| [i.bbox.is_some(), i.mask.is_some(), i.polygon.is_some()];
            prop_assert_eq!(parts(old), parts(i));
            prop_assert!(old.points.iter().zip(&i.points).all(|(a, b)| a.name == b.name));
        }
        if !mixes {
            let mut classes: Vec<u32> = row.instances.iter().map(|i| i.class).collect();
            classes.sort_unstable();
            classes.dedup();
            prop_assert_eq!(classes.len(), row.instances.len(), "an instance is there twice");
        }
    }

    #[test]
    fn samples_are_the_same_in_any_order_and_on_any_number_of_threads(
        steps in pipeline(), w in 12_usize..40, h in 12_usize..40, seed in any::<u32>(),
    ) {
        let pool = Split { size: (w, h), seed: seed.into() };
        let one = |index: usize| {
            let mut row = pool.row(index).unwrap();
            let done = Pipeline::new(&steps, &Definitions).with_pool(&pool).run(at(seed, index as u64), &mut row);
            done.map(|()| row).map_err(|e| e.to_string())
        };
        let in_order: Vec<_> = (0..5).map(one).collect();
        let on_threads: Vec<_> = std::thread::scope(|s| {
            let all: Vec<_> = (0..5).rev().map(|index| s.spawn(move || one(index))).collect();
            all.into_iter().rev().map(|t| t.join().unwrap()).collect()
        });
        prop_assert!(in_order == on_threads);
    }

    #[test]
    fn with_a_draw_for_each_frame_each_frame_is_as_if_alone(n in 0_usize..200, seed in any::<u32>()) {
        let all: Vec<&str> = names().into_iter().filter(|n| keeps_size(n) && !n.contains("Mix")).collect();
        let name = all[n % all.len()];
        if ["Mosaic", "CopyPaste", "RandomImageDrop", "RandomRectDropout"].contains(&name) {
            return Ok(());
        }
        let slot = |per_frame| AugmentSlot { p: Some(1.0), per_frame, ..AugmentSlot::default() };
        let steps = [step(name, slot(true))];
        let alone = [step(name, slot(false))];
        let before = row((40, 30), seed.into());
        let mut clip = before.clone();
        let decisions = Pipeline::new(&steps, &Definitions).record(at(seed, 3), &mut clip).unwrap();
        let [Decision::Frames(draws)] = &decisions[..] else { panic!("{decisions:?}") };
        prop_assert_eq!(draws.len(), 2);
        for (frame, draw) in draws.iter().enumerate() {
            let mut one = before.clone();
            one.frames = vec![before.frames[frame].clone()];
            one.instances.retain(|i| i.frame as usize == frame);
            one.instances.iter_mut().for_each(|i| i.frame = 0);
            one.maps.retain(|m| m.frame as usize == frame);
            one.maps.iter_mut().for_each(|m| m.frame = 0);
            let decision = draw.clone().map_or(Decision::None, Decision::All);
            Pipeline::new(&alone, &Definitions).replay(&[decision], &mut one).unwrap();
            prop_assert_eq!(&one.frames[0].image, &clip.frames[frame].image, "{}", name);
            let tracks = |row: &Row, frame: usize| -> Vec<Option<u64>> {
                row.instances.iter().filter(|i| i.frame as usize == frame).map(|i| i.track).collect()
            };
            prop_assert_eq!(tracks(&one, 0), tracks(&clip, frame));
        }
    }

    #[test]
    fn a_pipeline_that_never_applies_leaves_everything(n in proptest::collection::vec(0_usize..500, 1..6), seed in any::<u32>()) {
        let all = names();
        let never = || AugmentSlot { p: Some(0.0), ..AugmentSlot::default() };
        let steps: Vec<_> = n.iter().map(|n| step(all[n % all.len()], never())).collect();
        let mut after = row((30, 20), seed.into());
        let decisions = Pipeline::new(&steps, &Definitions).record(at(seed, 1), &mut after).unwrap();
        prop_assert!(decisions.iter().all(|d| *d == Decision::None));
        prop_assert_eq!(after, row((30, 20), seed.into()));
    }

    #[test]
    fn copies_that_follow_each_other_are_the_same_bytes_at_once_and_one_by_one(
        kinds in proptest::collection::vec(0_usize..8, 2..6), seed in any::<u32>(),
    ) {
        let copies = ["HorizontalFlip", "VerticalFlip", "Transpose", "RandomRotate90", "D4", "RandomCrop", "CenterCrop", "Crop"];
        let all = |exact| -> Vec<AugmentConfig> {
            let slot = || AugmentSlot { p: Some(1.0), exact, ..AugmentSlot::default() };
            kinds.iter().map(|k| step(copies[*k], slot())).collect()
        };
        let (mut folded, mut by_step) = (row((37, 29), seed.into()), row((37, 29), seed.into()));
        Pipeline::new(&all(false), &Definitions).run(at(seed, 0), &mut folded).unwrap();
        Pipeline::new(&all(true), &Definitions).run(at(seed, 0), &mut by_step).unwrap();
        prop_assert_eq!(&folded.frames, &by_step.frames);
        prop_assert_eq!(&folded.maps, &by_step.maps);
    }

    #[test]
    fn maps_that_are_put_together_leave_points_where_each_by_itself_would(
        kinds in proptest::collection::vec(0_usize..6, 2..5), seed in any::<u32>(),
    ) {
        let maps = ["Rotate", "Affine", "ShiftScaleRotate", "HorizontalFlip", "Perspective", "RandomScale"];
        let all = |exact| -> Vec<AugmentConfig> {
            let slot = || AugmentSlot { p: Some(1.0), exact, ..AugmentSlot::default() };
            kinds.iter().map(|k| step(maps[*k], slot())).collect()
        };
        let (mut folded, mut by_step) = (row((60, 50), seed.into()), row((60, 50), seed.into()));
        Pipeline::new(&all(false), &Definitions).run(at(seed, 0), &mut folded).unwrap();
        Pipeline::new(&all(true), &Definitions).run(at(seed, 0), &mut by_step).unwrap();
        prop_assert_eq!(folded.size(), by_step.size());
        for a in &by_step.instances {
            // What one step cut off, another at once may show again; what both have lies in one place.
            let Some(b) = folded.instances.iter().find(|b| b.class == a.class) else { continue };
            for (p, q) in a.points.iter().zip(&b.points).filter(|(p, q)| p.visible && q.visible) {
                prop_assert!((p.x - q.x).hypot(p.y - q.y) < 1e-2, "{p:?} {q:?}");
            }
        }
    }

    #[test]
    fn what_a_view_moves_comes_back(n in 0_usize..200, seed in any::<u32>()) {
        let views: Vec<&str> =
            names().into_iter().filter(|n| entry(n).plug::<dyn DynAugmentation>().unwrap().undoes()).collect();
        let name = views[n % views.len()];
        let list = [step(name, AugmentSlot { p: None, ..AugmentSlot::default() })];
        for view in View::all(&list).unwrap() {
            let mut seen = row((48, 40), seed.into());
            let before = seen.clone();
            let Ok(taken) = view.take(at(seed, 1), &mut seen, &Definitions) else { continue };
            let Some(trail) = taken else { continue };
            trail.undo(&mut seen).unwrap();
            for i in &seen.instances {
                let old = before.instances.iter().find(|b| b.class == i.class).unwrap();
                for (p, q) in i.points.iter().zip(&old.points).filter(|(p, _)| p.visible) {
                    prop_assert!((p.x - q.x).hypot(p.y - q.y) < 0.01, "{name}: {p:?} {q:?}");
                }
            }
        }
    }
}

#[test]
fn a_trail_of_nothing_stays() {
    let mut one = row((20, 20), 1);
    let trail = Work::new(&mut one, &Definitions, None).with_trail().finish().unwrap();
    assert!(trail.stays());
}

#[test]
fn odd_parameters_are_refused_or_mean_what_they_mean_in_the_references() {
    let refused = |name: &str, parameters: Json| read(name, &parameters).is_err();
    for name in ["RandomCrop", "CenterCrop"] {
        assert!(refused(name, json!({ "height": 20 })) && refused(name, json!({ "height": 2, "width": 2, "size": 4 })));
    }
    assert!(
        refused("Resize", json!({ "height": 20, "size": 4 }))
            && refused("Resize", json!({ "size": [4, 5], "max_size": 9 }))
    );
    assert!(refused("Rotate", json!({ "interpolation": 9 })) && refused("Rotate", json!({ "border_mode": "round" })));
    assert!(!refused("Rotate", json!({ "interpolation": 2, "border_mode": 4 })));
    // A width of blur that is even is the next odd one.
    let blurred = |limit: u64| {
        let mut one = row((30, 20), 3);
        let plug = read("Blur", &json!({ "blur_limit": [limit, limit] })).unwrap();
        plug.run(&mut common::stream(1), &mut one, &Definitions).unwrap();
        one.frames
    };
    assert_eq!(blurred(4), blurred(5));
    assert_ne!(blurred(3), blurred(5));
}
