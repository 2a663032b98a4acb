//! Mean average precision equals pycocotools' to the last rounding, however the images come together.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use pleach_core::{DataInfo, DynMetric, Instance, Mask, Metric, Named, Plug, RotBox, Row, SampleId, registry, saved};
use pleach_metrics::{IouType, MeanAveragePrecision};
use proptest::prelude::*;
use serde_json::Value;

const NAME: &str = "MeanAveragePrecision";

fn with(kwargs: &Value) -> Plug<dyn DynMetric> {
    let entry = registry::of_kind::<dyn DynMetric>().find(|e| e.name == NAME).unwrap();
    let mut all = entry.defaults();
    for (key, value) in kwargs.as_object().unwrap() {
        all[key] = value.clone();
    }
    all["name"] = entry.qualified().into();
    saved::load(&all).unwrap()
}

fn plain() -> MeanAveragePrecision {
    MeanAveragePrecision {
        iou_type: IouType::Bbox,
        iou_thresholds: None,
        rec_thresholds: None,
        max_detection_thresholds: vec![1, 10, 100],
        area_ranges: Default::default(),
        average: pleach_metrics::OverClasses::Macro,
        class_metrics: false,
    }
}

fn info(classes: &[&str]) -> DataInfo {
    DataInfo { classes: classes.iter().map(|c| (*c).to_owned()).collect(), ..DataInfo::default() }
}

fn row(index: usize, instances: Vec<Instance>) -> Row {
    let mut row = Row::new(SampleId { index: index as u64, key: format!("{index}.png").into() }, vec![]);
    row.instances = instances;
    row
}

fn measure(metric: &dyn DynMetric, data: &DataInfo, pairs: &[(Row, Row)]) -> Named<f64> {
    let mut state = metric.start(data);
    for (predicted, truth) in pairs {
        metric.update(&mut *state, predicted, truth).unwrap();
    }
    metric.values(&*state)
}

#[test]
fn values_equal_those_of_pycocotools() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/goldens/mean_average_precision.json")).unwrap();
    let mut worst = 0.0_f64;
    for case in golden["cases"].as_array().unwrap() {
        let classes =
            case["data"]["classes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect::<Vec<_>>();
        let side = |index: usize, sample: &Value, side: &str| {
            row(index, serde_json::from_value(sample[side]["instances"].clone()).unwrap())
        };
        let samples = case["samples"].as_array().unwrap().iter().enumerate();
        let pairs: Vec<_> = samples.map(|(i, s)| (side(i, s, "predicted"), side(i, s, "truth"))).collect();
        let metric = with(&case["kwargs"]);
        let got = measure(&*metric, &info(&classes), &pairs);
        let want = case["values"].as_object().unwrap();
        assert_eq!(got.names().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>(), "{}", case["kwargs"]);
        for ((name, got), want) in got.iter().zip(want.values()) {
            let off = (got - want.as_f64().unwrap()).abs();
            assert!(off < 1e-11, "{} {name}: {got} is not {want}", case["kwargs"]);
            worst = worst.max(off);
        }
    }
    println!("largest error {worst:e}");
}

fn object(class: u32, score: Option<f32>, [x, y, w, h]: [u8; 4]) -> Instance {
    let [x, y, w, h] = [x, y, w, h].map(f32::from);
    Instance { class, score, bbox: Some(RotBox::from_corners(x, y, x + w, y + h)), ..Instance::default() }
}

fn objects(most: usize) -> impl Strategy<Value = Vec<(u32, u8, [u8; 4], bool)>> {
    let corner = || 0_u8..3;
    let shape = (corner(), corner(), 6_u8..9, 6_u8..9).prop_map(|(x, y, w, h)| [x, y, w, h]);
    prop::collection::vec((0_u32..2, 0_u8..3, shape, prop::bool::weighted(0.2)), 0..most)
}

fn images() -> impl Strategy<Value = Vec<(Row, Row)>> {
    prop::collection::vec((objects(5), objects(4), 0_usize..6), 0..8).prop_map(|all| {
        let pair = |(found, truths, index): (Vec<_>, Vec<_>, usize)| {
            let of = |scored: bool, list: Vec<(u32, u8, [u8; 4], bool)>| {
                let one = |(class, score, b, crowd)| Instance {
                    crowd: crowd && !scored,
                    ..object(class, scored.then_some(f32::from(score) / 2.0), b)
                };
                row(index, list.into_iter().map(one).collect())
            };
            (of(true, found), of(false, truths))
        };
        all.into_iter().map(pair).collect()
    })
}

proptest! {
    // Scores are few and boxes alike, so that nearly everything is decided by the order of images; some come twice.
    #[test]
    fn images_measure_the_same_to_the_bit_in_whatever_order_they_come_together(
        pairs in images(), cut in 0_usize..8, seed: u64,
    ) {
        let (metric, data) = (with(&serde_json::json!({})), info(&["cat", "dog"]));
        let state = |pairs: &[(Row, Row)]| {
            let mut state = metric.start(&data);
            pairs.iter().for_each(|(p, t)| metric.update(&mut *state, p, t).unwrap());
            state
        };
        let whole = state(&pairs);
        let mut mixed = pairs.clone();
        mixed.sort_by_key(|(_, t)| (t.id.index + 1).wrapping_mul(seed | 1) >> 7);
        let (front, back) = mixed.split_at(cut.min(mixed.len()));
        for (a, b) in [(front, back), (back, front)] {
            let mut merged = state(a);
            metric.merge(&mut *merged, state(b));
            prop_assert_eq!(metric.save(&*merged).unwrap(), metric.save(&*whole).unwrap());
            prop_assert_eq!(metric.values(&*merged), metric.values(&*whole));
        }
        let text = serde_json::to_string(&metric.save(&*whole).unwrap()).unwrap();
        let back = metric.restore(&serde_json::from_str(&text).unwrap()).unwrap();
        prop_assert_eq!(metric.values(&*back), metric.values(&*whole));
        prop_assert!(metric.values(&*whole).iter().all(|(_, v)| (0.0..=1.0 + 1e-12).contains(v)));
    }

    #[test]
    fn a_perfect_prediction_is_worth_1(truths in objects(12)) {
        let truths: Vec<_> = truths.into_iter().enumerate().map(|(i, (c, _, [.., w, h], _))| {
            object(c, Some(0.5), [20 * i as u8, 0, w, h])
        }).collect();
        let found = row(0, truths.clone());
        let values = measure(&*with(&serde_json::json!({})), &info(&["cat", "dog"]), &[(found, row(0, truths))]);
        for name in ["map", "map_50", "map_75", "map_small", "mar_100", "mar_small"] {
            prop_assert!(values.get(name).is_none_or(|v| (v - 1.0).abs() < 1e-9), "{values:?}");
        }
    }
}

#[test]
fn equal_scores_are_ranked_in_the_order_of_the_samples() {
    let right = object(0, Some(0.5), [0, 0, 10, 10]);
    let wrong = object(0, Some(0.5), [50, 50, 10, 10]);
    let truth = |index| row(index, vec![object(0, None, [0, 0, 10, 10])]);
    let map = |pairs: &[(Row, Row)]| *measure(&plain(), &info(&["cat"]), pairs).first().unwrap();
    let first = [(row(0, vec![right.clone()]), truth(0)), (row(1, vec![wrong.clone()]), truth(1))];
    let last = [(row(0, vec![wrong]), truth(0)), (row(1, vec![right]), truth(1))];
    // 51 of 101 recalls are reached, at a precision of 1 or of 1/2.
    assert!((map(&first) - 51.0 / 101.0).abs() < 1e-12 && (map(&last) - 0.5 * 51.0 / 101.0).abs() < 1e-12);
}

#[test]
fn frames_of_a_clip_are_images_of_their_own() {
    let at = |frame, score| Instance { frame, ..object(0, score, [0, 0, 10, 10]) };
    let pair = (row(0, vec![at(1, Some(0.9))]), row(0, vec![at(0, None)]));
    assert_eq!(measure(&plain(), &info(&["cat"]), &[pair]).first(), Some(&0.0));
}

#[test]
fn what_is_undefined_has_no_value() {
    let found = vec![object(1, Some(0.5), [0, 0, 10, 10])];
    let nothing = measure(&plain(), &info(&["cat", "dog"]), &[(row(0, found.clone()), row(0, vec![]))]);
    assert!(nothing.is_empty(), "{nothing:?}");
    let truth = vec![object(1, None, [0, 0, 10, 10])];
    let values = measure(&*with(&serde_json::json!({})), &info(&["cat", "dog"]), &[(row(0, found), row(0, truth))]);
    let names: Vec<_> = values.names().collect();
    assert_eq!(names, ["map", "map_50", "map_75", "map_small", "mar_1", "mar_10", "mar_100", "mar_small"]);
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_name_of_the_sample() {
    let mask = |width| Some(Mask { width, height: 2, inside: vec![1; 2 * width] });
    let boxed = |class, score| object(class, score, [0, 0, 5, 5]);
    let mut turned = boxed(0, Some(0.5));
    turned.bbox.as_mut().unwrap().angle = 0.3;
    let masked = |width, score| Instance { mask: mask(width), score, ..Instance::default() };
    let broken = Instance { mask: Some(Mask { width: 3, height: 3, inside: vec![1; 8] }), ..Instance::default() };
    for (iou_type, predicted, truth, code, what) in [
        (IouType::Bbox, boxed(0, None), boxed(0, None), "PL0230", "has no score"),
        (IouType::Bbox, boxed(0, Some(f32::NAN)), boxed(0, None), "PL0230", "has no score"),
        (IouType::Bbox, boxed(2, Some(0.5)), boxed(0, None), "PL0230", "of class 2, but there are 2"),
        (IouType::Bbox, boxed(0, Some(0.5)), boxed(7, None), "PL0330", "of class 7, but there are 2"),
        (IouType::Bbox, turned, boxed(0, None), "PL0230", "rotated_bbox"),
        (IouType::Bbox, boxed(0, Some(0.5)), masked(2, None), "PL0330", "has no box"),
        (IouType::Segm, boxed(0, Some(0.5)), masked(2, None), "PL0230", "has no mask"),
        (IouType::Segm, masked(2, Some(0.5)), masked(3, None), "PL0230", "another size"),
        (IouType::Segm, masked(2, Some(0.5)), broken, "PL0330", "another number of pixels"),
    ] {
        let metric = MeanAveragePrecision { iou_type, ..plain() };
        let mut state = Metric::start(&metric, &info(&["cat", "dog"]));
        let error = Metric::update(&metric, &mut state, &row(7, vec![predicted]), &row(7, vec![truth])).unwrap_err();
        assert!(error.code() == code && error.message().contains(what), "{error}");
        assert!(error.message().contains("7.png"), "{error}");
        assert_eq!(state, Metric::start(&metric, &info(&["cat", "dog"])), "nothing is kept of a refused sample");
    }
}

/// Seconds for so many images of 100 predictions.
fn seconds(images: usize) -> f64 {
    let mut rng = pleach_core::Rng::named(1, pleach_core::Purpose::Other, "boxes");
    let data = DataInfo { classes: (0..80).map(|c| c.to_string()).collect(), ..DataInfo::default() };
    let metric = with(&serde_json::json!({}));
    let start = std::time::Instant::now();
    let mut state = metric.start(&data);
    for index in 0..images {
        let mut some = |n: usize, scored: bool| {
            let one = |_| {
                let b = [rng.below(200), rng.below(200), 10 + rng.below(50), 10 + rng.below(50)].map(|x| x as u8);
                object(rng.below(80) as u32, scored.then(|| rng.uniform() as f32), b)
            };
            row(index, (0..n).map(one).collect())
        };
        let (found, truth) = (some(100, true), some(7, false));
        metric.update(&mut *state, &found, &truth).unwrap();
    }
    assert!(!metric.values(&*state).is_empty());
    start.elapsed().as_secs_f64()
}

#[test]
fn four_times_the_images_take_about_four_times_as_long_and_not_sixteen_times() {
    // In turns, and the least of each: a machine that is busy for a while slows both, a pause neither.
    let times: Vec<_> = (0..3).map(|_| (seconds(250), seconds(1000))).collect();
    let few = times.iter().map(|(few, _)| *few).fold(f64::INFINITY, f64::min);
    let many = times.iter().map(|(_, many)| *many).fold(f64::INFINITY, f64::min);
    println!("{few:.3} s for 25,000 predictions, {many:.3} s for 100,000");
    // Between growth with the number and with its square.
    assert!(many < 8.0 * few, "{few} s for 25,000 predictions, {many} s for 100,000");
}
