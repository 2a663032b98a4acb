//! Whatever is measured: parts merge to the whole, a saved state goes on, shares stay between 0 and 1,
//! and what cannot be measured is refused with the sample's name.
#![allow(clippy::unwrap_used, clippy::panic)]

use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::metric::{MetricConfig, MetricSlot, Part, Per};
use pleach_core::{Better, DataInfo, DynMetric, Frame, Labels, Map, Plug, Row, SampleId};
use pleach_metrics as _;
use proptest::prelude::*;

const IGNORED: u32 = 255;
/// A side of an image, large enough for the window of SSIM.
const SIDE: usize = 6;

fn data(classes: u32) -> DataInfo {
    let classes = ["sky", "road", "tree", "car"].into_iter().take(classes as usize).map(String::from).collect();
    DataInfo { classes, ignore_index: Some(IGNORED), ..DataInfo::default() }
}

fn all() -> Vec<Plug<dyn DynMetric>> {
    let all = pleach_core::registry::of_kind::<dyn DynMetric>().map(|e| e.plug::<dyn DynMetric>().unwrap());
    // Instances have tests of their own.
    all.filter(|m| m.reads() != Part::Instances).collect()
}

/// All metrics, over all rows and for each video.
fn metrics() -> Vec<MetricConfig> {
    let slots = |plug: Plug<dyn DynMetric>| {
        [None, Some(Per::Video)].map(|per| MetricConfig { slot: MetricSlot { per }, plug: plug.clone() })
    };
    all().into_iter().flat_map(slots).collect()
}

/// A predicted and a true row of two classes with everything that metrics read.
fn pair() -> impl Strategy<Value = (Row, Row)> {
    let truth = prop_oneof![5 => 0..2u32, 1 => Just(IGNORED)];
    let score = (0..=10u8).prop_map(|tenths| f32::from(tenths) / 10.0);
    let pixels = prop::collection::vec((truth.clone(), score.clone()), 6);
    let values = prop::collection::vec((-9f32..9.0, -9f32..9.0), 2);
    let image = prop::collection::vec(any::<(u8, u8)>(), SIDE * SIDE);
    let video = prop_oneof![Just(None), (0..3u8).prop_map(Some)];
    (truth, score, pixels, values, image, video, any::<u64>()).prop_map(
        |(class, score, pixels, values, image, video, key)| {
            let row = || {
                let mut row = Row::new(SampleId { index: key, key: format!("sample {key}").into() }, vec![]);
                row.video = video.map(|v| format!("video {v}").into());
                row
            };
            let map = |classes, scores| Map { frame: 0, width: 3, height: 2, classes, scores };
            let frame =
                |bytes: Vec<u8>| Frame { number: 0, image: Image::new(SIDE, SIDE, 1, Pixels::U8(bytes)).unwrap() };
            let (mut p, mut t) = (row(), row());
            t.labels.class = Some(class);
            p.labels = Labels { class: Some(u32::from(score > 0.5)), scores: vec![1.0 - score, score] };
            t.maps = vec![map(pixels.iter().map(|x| x.0 as u16).collect(), vec![])];
            let scores: Vec<f32> = pixels.iter().map(|x| x.1).collect();
            p.maps = vec![map(scores.iter().map(|s| u16::from(*s > 0.5)).collect(), scores)];
            (p.values, t.values) = values.into_iter().unzip();
            let (a, b) = image.into_iter().unzip();
            (p.frames, t.frames) = (vec![frame(a)], vec![frame(b)]);
            (p, t)
        },
    )
}

fn pairs() -> impl Strategy<Value = Vec<(Row, Row)>> {
    prop::collection::vec(pair(), 0..12)
}

fn count(metric: &MetricConfig, pairs: &[(Row, Row)]) -> Box<dyn std::any::Any + Send> {
    let mut state = metric.start(&data(2));
    for (predicted, truth) in pairs {
        metric.update(&mut *state, predicted, truth).unwrap();
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_merge_to_the_whole_in_any_order(pairs in pairs(), cuts in prop::collection::vec(0usize..12, 0..4), last_first: bool) {
        for metric in metrics() {
            let whole = count(&metric, &pairs);
            let mut cuts: Vec<usize> = cuts.iter().map(|c| (*c).min(pairs.len())).collect();
            cuts.push(pairs.len());
            cuts.sort_unstable();
            let mut parts: Vec<_> = std::iter::once(0).chain(cuts.iter().copied()).zip(cuts.iter().copied()).collect();
            if last_first {
                parts.reverse();
            }
            let mut merged = metric.start(&data(2));
            for (from, to) in parts {
                metric.merge(&mut *merged, count(&metric, &pairs[from..to]));
            }
            prop_assert_eq!(metric.values(&*merged), metric.values(&*whole), "{:?}", metric);
        }
    }

    #[test]
    fn a_saved_state_goes_on_as_if_nothing_had_happened(pairs in pairs(), cut in 0usize..12) {
        let cut = cut.min(pairs.len());
        for metric in metrics() {
            let saved = metric.save(&*count(&metric, &pairs[..cut])).unwrap();
            let text = serde_json::to_string(&saved).unwrap();
            let mut state = metric.restore(&serde_json::from_str(&text).unwrap()).unwrap();
            for (predicted, truth) in &pairs[cut..] {
                metric.update(&mut *state, predicted, truth).unwrap();
            }
            prop_assert_eq!(metric.save(&*state).unwrap(), metric.save(&*count(&metric, &pairs)).unwrap());
        }
    }

    #[test]
    fn shares_stay_between_0_and_1(pairs in pairs()) {
        for metric in metrics() {
            if matches!(metric.reads(), Part::Values | Part::Frames) || metric.unit() == "px" {
                continue;
            }
            let values = metric.values(&*count(&metric, &pairs));
            let shares = values.iter().filter(|(name, _)| !name.starts_with("confusion_"));
            for (name, value) in shares {
                prop_assert!((0.0..=1.0).contains(value), "{} of {:?} is {}", name, metric, value);
            }
        }
    }

    #[test]
    fn nothing_is_ever_nan_and_no_value_is_unannounced(pairs in pairs()) {
        for metric in metrics() {
            let said = metric.names(&data(2));
            for (name, value) in metric.values(&*count(&metric, &pairs)) {
                prop_assert!(!value.is_nan() && said.contains(&name), "{} of {:?} is {}", name, metric, value);
            }
        }
    }

    #[test]
    fn the_order_of_samples_does_not_matter(pairs in pairs()) {
        let back: Vec<_> = pairs.iter().rev().cloned().collect();
        for metric in metrics() {
            prop_assert_eq!(metric.values(&*count(&metric, &pairs)), metric.values(&*count(&metric, &back)));
        }
    }

    #[test]
    fn a_perfect_prediction_is_worth_1_or_is_no_error(pairs in pairs()) {
        let perfect = |(_, t): &(Row, Row)| {
            let mut p = t.clone();
            let of = |class: u32| if class == 1 { 1.0 } else { 0.0 };
            p.labels.scores = vec![1.0 - of(t.labels.class.unwrap()), of(t.labels.class.unwrap())];
            p.maps[0].scores = t.maps[0].classes.iter().map(|c| of(u32::from(*c))).collect();
            (p, t.clone())
        };
        let perfect: Vec<_> = pairs.iter().map(perfect).collect();
        for metric in metrics() {
            let values = metric.values(&*count(&metric, &perfect));
            let want = if metric.better() == Better::Lower { 0.0 } else { 1.0 };
            // Without any error there is no end of decibels.
            let want = if metric.unit() == "dB" { f64::INFINITY } else { want };
            // Specificity has nothing to be right about where all samples are of one class.
            let is = values.first().is_none_or(|v| *v == want || (v - want).abs() < 1e-12);
            prop_assert!(is || metric.plug.name() == "Specificity", "{:?}: {:?}", metric, values);
        }
    }
}

#[test]
fn nothing_measured_has_no_value() {
    for metric in metrics() {
        assert!(metric.values(&*metric.start(&data(2))).is_empty(), "{metric:?}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_name_of_the_sample() {
    let map = |width, classes: Vec<u16>| {
        let scores = vec![0.5; classes.len()];
        Map { frame: 0, width, height: 1, classes, scores }
    };
    let frames = |side| {
        let image = Image::new(side, SIDE, 1, Pixels::F32(vec![0.5; side * SIDE])).unwrap();
        vec![Frame { number: 0, image }]
    };
    let row = |class, maps| {
        let mut row = Row::new(SampleId { index: 7, key: "b/07.png".into() }, vec![]);
        row.labels = Labels { class, scores: vec![0.5; 2] };
        row.maps = maps;
        row
    };
    let whole = Row { values: vec![1.0], frames: frames(SIDE), ..row(Some(1), vec![map(2, vec![0, 1])]) };
    let nothing = Row { labels: Labels::default(), ..row(None, vec![]) };
    let odd_pixel = Image::new(SIDE, SIDE, 1, Pixels::F32(vec![f32::INFINITY; SIDE * SIDE])).unwrap();
    let out_of_range = Row {
        labels: Labels { class: Some(9), scores: vec![f32::NAN, 0.5] },
        values: vec![f32::NAN],
        frames: vec![Frame { number: 0, image: odd_pixel }],
        maps: vec![Map { scores: vec![0.5, f32::NAN], ..map(2, vec![0, 9]) }],
        ..whole.clone()
    };
    for metric in metrics() {
        for (predicted, truth, code) in [
            (&whole, &nothing, "PL0330"),
            (&nothing, &whole, "PL0230"),
            (&whole, &out_of_range, "PL0330"),
            (&out_of_range, &whole, "PL0230"),
        ] {
            let error = metric.update(&mut *metric.start(&data(2)), predicted, truth).unwrap_err();
            assert!(error.code() == code && error.message().contains("b/07.png"), "{metric:?}: {error}");
        }
        let larger = Row { values: vec![1.0; 2], frames: frames(SIDE + 1), ..row(None, vec![map(3, vec![0, 1, 1])]) };
        if metric.reads() != Part::Labels {
            let error = metric.update(&mut *metric.start(&data(2)), &larger, &whole).unwrap_err();
            assert_eq!(error.code(), "PL0230", "{metric:?}");
        }
        if metric.reads() == Part::Maps {
            let error = metric.update(&mut *metric.start(&data(2)), &larger, &whole).unwrap_err();
            assert!(error.message().contains("is 3x1, the true one 2x1"), "{error}");
        }
    }
}

#[test]
fn a_clip_of_other_values_than_before_is_refused() {
    let row = |values: &[f32]| Row {
        values: values.to_vec(),
        ..Row::new(SampleId { index: 0, key: "two.png".into() }, vec![])
    };
    for metric in all().into_iter().filter(|m| m.reads() == Part::Values) {
        let mut state = metric.start(&data(2));
        metric.update(&mut *state, &row(&[1.0]), &row(&[2.0])).unwrap();
        let error = metric.update(&mut *state, &row(&[1.0, 2.0]), &row(&[2.0, 3.0])).unwrap_err();
        assert!(error.code() == "PL0330" && error.message().contains("two.png"), "{error}");
    }
}

#[test]
fn an_output_whose_truths_are_all_alike_has_no_r2() {
    let row =
        |values: [f32; 2]| Row { values: values.to_vec(), ..Row::new(SampleId { index: 0, key: "a".into() }, vec![]) };
    let metric = Plug::<dyn DynMetric>::named("R2").unwrap();
    let mut state = metric.start(&data(2));
    for i in 0..9 {
        let i = i as f32;
        metric.update(&mut *state, &row([0.2, i]), &row([0.1, i])).unwrap();
    }
    assert_eq!(metric.values(&*state).first(), Some(&1.0));
}

#[test]
fn a_row_without_a_video_counts_as_a_video_of_its_own() {
    let row = |key: &str, video: Option<&str>, value: f32| Row {
        video: video.map(Into::into),
        values: vec![value],
        ..Row::new(SampleId { index: 0, key: key.into() }, vec![])
    };
    let plug = Plug::<dyn DynMetric>::named("MAE").unwrap();
    let metric = MetricConfig { slot: MetricSlot { per: Some(Per::Video) }, plug };
    let mut state = metric.start(&data(2));
    // Errors: 1 and 3 in a video, 4 in one whose name is the key of the last, 9 alone.
    for (key, video, error) in [("0", Some("a"), 1.0), ("1", Some("a"), 3.0), ("2", Some("3"), 4.0), ("3", None, 9.0)] {
        metric.update(&mut *state, &row(key, video, error), &row(key, video, 0.0)).unwrap();
    }
    let values = metric.values(&*state);
    assert_eq!(values.iter().collect::<Vec<_>>(), [("mae_per_video", &5.0)]);
}

#[test]
fn a_state_of_another_shape_is_refused() {
    for metric in metrics() {
        assert_eq!(metric.restore(&serde_json::json!({ "counts": "three" })).unwrap_err().code(), "PL0204");
    }
}
