//! `apply_p`: a chance that wraps a step, besides its own `p`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Definitions, node, row};
use pleach_augment as _;
use pleach_core::kinds::augmentation::{At, AugmentConfig, Decision, Pipeline, View};
use pleach_core::read::{Read, Reader};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use serde_json::{Value as Json, json};

/// A list of steps, as a file has it, or what is wrong with it.
fn steps(list: &Json) -> Result<Vec<AugmentConfig>, String> {
    let mut reader = Reader::default();
    let read = Vec::read(&node(list), &mut reader);
    let wrong: Vec<_> = reader.diagnostics.iter().map(|d| d.message.clone()).collect();
    read.filter(|_| wrong.is_empty()).ok_or_else(|| wrong.join("; "))
}

fn decisions(list: &Json, sample: u64) -> Vec<Decision> {
    let steps = steps(list).unwrap();
    let at = At { seed: 5, epoch: 1, sample };
    Pipeline::new(&steps, &Definitions).record(at, &mut row((16, 12), 3)).unwrap()
}

/// In how many of 2000 samples the first step does something.
fn often(step: &Json) -> usize {
    let list = json!([step]);
    (0..2000).filter(|sample| decisions(&list, *sample) != [Decision::None]).count()
}

#[test]
fn a_step_is_come_to_by_apply_p_and_then_tosses_its_own_p() {
    let near = |n: usize, share: f64| (n as f64 / 2000.0 - share).abs() < 0.04;
    assert!(near(often(&json!({ "name": "HorizontalFlip", "apply_p": 0.3, "p": 1.0 })), 0.3));
    assert!(near(often(&json!({ "name": "HorizontalFlip", "apply_p": 0.6, "p": 0.5 })), 0.3));
    // Where the file does not say `p`, it is the augmentation's own.
    assert!(near(often(&json!({ "name": "HorizontalFlip", "apply_p": 0.6 })), 0.3));
    assert_eq!(often(&json!({ "name": "HorizontalFlip", "apply_p": 0.0, "p": 1.0 })), 0);
    assert_eq!(often(&json!({ "name": "HorizontalFlip", "apply_p": 1.0, "p": 1.0 })), 2000);
}

#[test]
fn it_holds_wherever_a_step_stands() {
    let near = |n: usize, share: f64| (n as f64 / 2000.0 - share).abs() < 0.04;
    let step = json!({ "name": "HorizontalFlip", "apply_p": 0.4, "p": 1.0 });
    for name in ["Sequential", "OneOf", "SomeOf", "RandomOrder", "RandomApply", "Compose"] {
        assert!(near(often(&json!({ "name": name, "transforms": [step], "p": 1.0 })), 0.4), "{name}");
        let whole = json!({ "name": name, "transforms": ["Transpose"], "p": 1.0, "apply_p": 0.0 });
        assert_eq!(often(&whole), 0, "{name}");
    }
    // A weight of 3 to 1, and the one that was chosen is come to in half of the cases.
    let heavy = json!({ "name": "HorizontalFlip", "apply_p": 0.5, "p": 0.75 });
    let never = json!({ "name": "VerticalFlip", "apply_p": 0.0, "p": 0.25 });
    assert!(near(often(&json!({ "name": "OneOf", "transforms": [heavy, never], "p": 1.0 })), 0.375));
}

#[test]
fn a_view_is_taken_as_often_as_apply_p_says() {
    let list = steps(&json!([{ "name": "HorizontalFlip", "apply_p": 0.25 }])).unwrap();
    let views = View::all(&list).unwrap();
    let taken = |sample| {
        let at = At { seed: 5, epoch: 0, sample };
        views[0].take(at, &mut row((9, 8), 1), &Definitions).unwrap().is_some()
    };
    let share = (0..2000).filter(|sample| taken(*sample)).count() as f64 / 2000.0;
    assert!((share - 0.25).abs() < 0.04, "{share}");
}

#[test]
fn what_is_come_to_by_chance_is_random() {
    let random = |step: Json| steps(&json!([step])).unwrap()[0].is_random();
    assert!(!random(json!({ "name": "Resize", "height": 8, "width": 8 })));
    assert!(!random(json!({ "name": "Resize", "height": 8, "width": 8, "apply_p": 1.0 })));
    assert!(random(json!({ "name": "Resize", "height": 8, "width": 8, "apply_p": 0.5 })));
    let inner = json!({ "name": "Resize", "height": 8, "width": 8, "apply_p": 0.5 });
    assert!(random(json!({ "name": "Compose", "transforms": [inner] })));
}

#[test]
fn chances_outside_0_to_1_are_refused() {
    for key in ["p", "apply_p"] {
        for p in [-0.1, 1.1, f64::MAX] {
            let mut step = json!({ "name": "HorizontalFlip" });
            step[key] = p.into();
            let wrong = steps(&json!([step])).unwrap_err();
            assert!(wrong.contains(key), "{wrong}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_changes_no_draw_of_another_step(apply_p in 0.0..=1.0, sample in any::<u32>()) {
        let list = |middle: &Json| json!([{ "name": "Rotate", "p": 0.7 }, middle, { "name": "Affine", "p": 0.7 }]);
        let with = json!({ "name": "RandomBrightnessContrast", "apply_p": apply_p });
        let (with, without) = (decisions(&list(&with), sample.into()),
            decisions(&list(&json!("RandomBrightnessContrast")), sample.into()));
        prop_assert_eq!((&with[0], &with[2]), (&without[0], &without[2]));
    }

    #[test]
    fn what_was_tossed_is_repeated(apply_p in 0.0..=1.0, sample in any::<u32>()) {
        let inner = json!({ "name": "Rotate", "apply_p": apply_p, "p": 0.8 });
        let list = json!([
            { "name": "HorizontalFlip", "apply_p": apply_p },
            { "name": "OneOf", "transforms": [inner, "VerticalFlip"], "apply_p": 0.9, "p": 1.0 },
        ]);
        let steps = steps(&list).unwrap();
        let pipeline = Pipeline::new(&steps, &Definitions);
        let (mut drawn, mut again) = (row((16, 12), 3), row((16, 12), 3));
        let kept = pipeline.record(At { seed: 2, epoch: 0, sample: sample.into() }, &mut drawn).unwrap();
        pipeline.replay(&kept, &mut again).unwrap();
        prop_assert_eq!(drawn, again);
    }
}
