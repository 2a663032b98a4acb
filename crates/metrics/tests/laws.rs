//! Whatever is measured: parts merge to the whole, a saved state goes on, shares stay between 0 and 1,
//! and what cannot be measured is refused with the sample's name.
#![allow(clippy::unwrap_used, clippy::panic)]

use pleach_core::{DataInfo, DynMetric, Labels, Map, Plug, Row, SampleId};
use pleach_metrics as _;
use proptest::prelude::*;

const CLASSES: u32 = 4;
const IGNORED: u32 = 255;

fn data() -> DataInfo {
    let classes = ["sky", "road", "tree", "car"].map(String::from).to_vec();
    DataInfo { classes, ignore_index: Some(IGNORED), ..DataInfo::default() }
}

fn metrics() -> Vec<Plug<dyn DynMetric>> {
    pleach_core::registry::of_kind::<dyn DynMetric>().map(|e| e.plug().unwrap()).collect()
}

/// A predicted and a true row with both labels and maps.
fn pair() -> impl Strategy<Value = (Row, Row)> {
    let truth = prop_oneof![5 => 0..CLASSES, 1 => Just(IGNORED)];
    let pixels = prop::collection::vec((truth.clone(), 0..CLASSES), 6);
    (truth, 0..CLASSES, pixels).prop_map(|(t, p, pixels)| {
        let row = |class, classes: Vec<u16>| {
            let mut row = Row::new(SampleId { index: 0, key: "a".into() }, vec![]);
            row.labels = Labels { class: Some(class), scores: vec![] };
            row.maps = vec![Map { frame: 0, width: 3, height: 2, classes, scores: vec![] }];
            row
        };
        let side = |f: fn(&(u32, u32)) -> u32| pixels.iter().map(|x| f(x) as u16).collect::<Vec<u16>>();
        (row(p, side(|x| x.1)), row(t, side(|x| x.0)))
    })
}

fn pairs() -> impl Strategy<Value = Vec<(Row, Row)>> {
    prop::collection::vec(pair(), 0..12)
}

fn count(metric: &dyn DynMetric, pairs: &[(Row, Row)]) -> Box<dyn std::any::Any + Send> {
    let mut state = metric.start(&data());
    for (predicted, truth) in pairs {
        metric.update(&mut *state, predicted, truth).unwrap();
    }
    state
}

proptest! {
    #[test]
    fn parts_merge_to_the_whole(pairs in pairs(), cuts in prop::collection::vec(0usize..12, 0..4)) {
        for metric in metrics() {
            let whole = count(&*metric, &pairs);
            let mut cuts: Vec<usize> = cuts.iter().map(|c| (*c).min(pairs.len())).collect();
            cuts.push(pairs.len());
            cuts.sort_unstable();
            let (mut merged, mut from) = (metric.start(&data()), 0);
            for to in cuts {
                metric.merge(&mut *merged, count(&*metric, &pairs[from..to]));
                from = to;
            }
            prop_assert_eq!(metric.save(&*merged).unwrap(), metric.save(&*whole).unwrap());
            prop_assert_eq!(metric.values(&*merged), metric.values(&*whole));
        }
    }

    #[test]
    fn a_saved_state_goes_on_as_if_nothing_had_happened(pairs in pairs(), cut in 0usize..12) {
        let cut = cut.min(pairs.len());
        for metric in metrics() {
            let saved = metric.save(&*count(&*metric, &pairs[..cut])).unwrap();
            let text = serde_json::to_string(&saved).unwrap();
            let mut state = metric.restore(&serde_json::from_str(&text).unwrap()).unwrap();
            for (predicted, truth) in &pairs[cut..] {
                metric.update(&mut *state, predicted, truth).unwrap();
            }
            prop_assert_eq!(metric.save(&*state).unwrap(), metric.save(&*count(&*metric, &pairs)).unwrap());
        }
    }

    #[test]
    fn shares_stay_between_0_and_1(pairs in pairs()) {
        for metric in metrics() {
            let values = metric.values(&*count(&*metric, &pairs));
            let shares = values.iter().filter(|(name, _)| !name.starts_with("confusion_"));
            for (name, value) in shares {
                prop_assert!((0.0..=1.0).contains(value), "{} of {:?} is {}", name, metric, value);
            }
        }
    }

    #[test]
    fn the_order_of_samples_does_not_matter(pairs in pairs()) {
        let back: Vec<_> = pairs.iter().rev().cloned().collect();
        for metric in metrics() {
            prop_assert_eq!(metric.values(&*count(&*metric, &pairs)), metric.values(&*count(&*metric, &back)));
        }
    }

    #[test]
    fn a_perfect_prediction_is_worth_1(pairs in pairs()) {
        let perfect: Vec<_> = pairs.iter().map(|(_, t)| (t.clone(), t.clone())).collect();
        for metric in metrics() {
            let values = metric.values(&*count(&*metric, &perfect));
            prop_assert!(values.first().is_none_or(|v| (v - 1.0).abs() < 1e-12), "{:?}: {:?}", metric, values);
        }
    }
}

#[test]
fn nothing_measured_has_no_value() {
    for metric in metrics() {
        assert!(metric.values(&*metric.start(&data())).is_empty(), "{metric:?}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_name_of_the_sample() {
    let map = |width, classes: Vec<u16>| Map { frame: 0, width, height: 1, classes, scores: vec![] };
    let row = |class, maps| {
        let mut row = Row::new(SampleId { index: 7, key: "b/07.png".into() }, vec![]);
        row.labels.class = class;
        row.maps = maps;
        row
    };
    let whole = row(Some(1), vec![map(2, vec![0, 1])]);
    let nothing = row(None, vec![]);
    let out_of_range = row(Some(9), vec![map(2, vec![0, 9])]);
    for metric in metrics() {
        for (predicted, truth, code) in [
            (&whole, &nothing, "PL0330"),
            (&nothing, &whole, "PL0230"),
            (&whole, &out_of_range, "PL0330"),
            (&out_of_range, &whole, "PL0230"),
        ] {
            let error = metric.update(&mut *metric.start(&data()), predicted, truth).unwrap_err();
            assert!(error.code() == code && error.message().contains("b/07.png"), "{metric:?}: {error}");
        }
        if metric.reads() == pleach_core::kinds::metric::Part::Maps {
            let larger = row(None, vec![map(3, vec![0, 1, 1])]);
            let error = metric.update(&mut *metric.start(&data()), &larger, &whole).unwrap_err();
            assert!(error.message().contains("is 3x1, the true one 2x1"), "{error}");
            let error = metric.update(&mut *metric.start(&data()), &whole, &out_of_range).unwrap_err();
            assert!(error.message().contains("pixel (1, 0)"), "{error}");
        }
    }
}

#[test]
fn a_state_of_another_shape_is_refused() {
    for metric in metrics() {
        assert_eq!(metric.restore(&serde_json::json!({ "counts": "three" })).unwrap_err().code(), "PL0204");
    }
}
