//! Images and clips get one class each.
#![allow(clippy::unwrap_used)]

mod common;

use common::{cx, data, labelled, objective, row, tensor};
use pleach_core::*;
use pleach_vision::{Activation, Classification};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["cat", "dog", "owl"];

fn task() -> Classification {
    Classification::default()
}

proptest! {
    #[test]
    fn what_is_said_of_a_class_comes_back_as_this_class(classes in prop::collection::vec(0u32..3, 1..6)) {
        let data = data(&NAMES);
        let rows: Vec<Row> = classes.iter().map(|&c| labelled("a", c)).collect();
        let batch = task().collate(rows, &cx(&data)).unwrap();
        prop_assert_eq!(batch.targets.want("class").unwrap().to_vec1::<u32>().unwrap(), classes.clone());
        // The one-hot target, taken as logits, is a right answer.
        let outputs = Named::one("logits", batch.targets.want("mask").unwrap().clone());
        let decoded = task().decoder(&data).decode(&outputs, &batch).unwrap();
        prop_assert_eq!(decoded.iter().map(|r| r.labels.class.unwrap()).collect::<Vec<_>>(), classes);
        for row in decoded {
            prop_assert!((row.labels.scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }
}

#[test]
fn the_model_gets_a_channel_for_each_class() {
    let data = DataInfo { size: Some((28, 28)), ..data(&NAMES) };
    let spec = task().model_spec(&data).unwrap();
    assert_eq!(spec, ModelSpec { in_channels: 3, out_channels: 3, frames: 1, size: Some((28, 28)) });
    for few in [&[][..], &["cat"]] {
        let error = task().model_spec(&common::data(few)).unwrap_err();
        assert!(error.code() == "PL0322" && error.hint_text().is_some(), "{error}");
    }
}

#[test]
fn probabilities_are_those_of_softmax_or_of_sigmoid() {
    let data = data(&NAMES);
    let batch = task().collate(vec![labelled("a", 0), labelled("b", 1)], &cx(&data)).unwrap();
    let outputs = Named::one("logits", tensor(&[1.0, 2.0, 3.0, 1000.0, 0.0, -1000.0], &[2, 3]));
    let scores = |activation| {
        let rows = Classification { activation }.decoder(&data).decode(&outputs, &batch).unwrap();
        rows.into_iter().map(|r| r.labels).collect::<Vec<_>>()
    };
    for (activation, want) in [
        (Activation::Softmax, [[0.090_030_57, 0.244_728_48, 0.665_240_94], [1.0, 0.0, 0.0]]),
        (Activation::Sigmoid, [[0.731_058_6, 0.880_797_1, 0.952_574_13], [1.0, 0.5, 0.0]]),
    ] {
        let got = scores(activation);
        for (labels, want) in got.iter().zip(want) {
            assert!(labels.scores.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{labels:?}");
        }
        assert_eq!((got[0].class, got[1].class), (Some(2), Some(0)));
    }
}

#[test]
fn a_clip_has_one_class() {
    let data = DataInfo { frames: 3, ..data(&NAMES) };
    let mut clip = row("v", &[(3, 2, 3); 3]);
    clip.labels.class = Some(2);
    let batch = task().collate(vec![clip.clone(), clip], &cx(&data)).unwrap();
    assert_eq!(batch.inputs.want("image").unwrap().dims(), [2, 3, 3, 2, 3]);
    assert_eq!(batch.targets.want("class").unwrap().to_vec1::<u32>().unwrap(), [2, 2]);
}

#[test]
fn a_label_out_of_range_is_refused_with_the_key_of_its_sample() {
    let error = task().collate(vec![labelled("a", 0), labelled("b", 3)], &cx(&data(&NAMES))).unwrap_err();
    assert!(error.code() == "PL0323" && error.message().contains("sample `b` is 3, but there are 3"), "{error}");
    let error = task().collate(vec![labelled("a", 0)], &cx(&data(&[]))).unwrap_err();
    assert_eq!(error.class(), error::Class::Data);
}

#[test]
fn samples_without_labels_can_be_predicted_but_not_learnt_from() {
    let data = data(&NAMES);
    let batch = task().collate(vec![row("a", &[(3, 2, 3)])], &cx(&data)).unwrap();
    assert!(batch.targets.is_empty());
    let error = objective(&task(), &batch, tensor(&[0.0; 3], &[1, 3]), &["MeanOfClasses"]).unwrap_err();
    assert!(error.message().contains("sample `a` has no label"), "{error}");
    let error = task().collate(vec![labelled("a", 0), row("b", &[(3, 2, 3)])], &cx(&data)).unwrap_err();
    assert!(error.message().contains("sample `b` has no label"), "{error}");
}

#[test]
fn both_kinds_of_losses_find_their_target() {
    let data = data(&NAMES);
    let batch = task().collate(vec![labelled("a", 0), labelled("b", 1)], &cx(&data)).unwrap();
    let made = objective(&task(), &batch, tensor(&[1.0; 6], &[2, 3]), &["MeanOfClasses", "MeanOfMask"]).unwrap();
    assert_eq!(made.loss.to_scalar::<f32>().unwrap(), 2.0);
    assert_eq!(made.parts.names().collect::<Vec<_>>(), ["loss_mean_of_classes", "loss_mean_of_mask"]);
}

#[test]
fn outputs_of_another_shape_are_refused() {
    let data = data(&NAMES);
    let batch = task().collate(vec![labelled("a", 0)], &cx(&data)).unwrap();
    let outputs = Named::one("logits", tensor(&[0.0; 4], &[1, 4]));
    assert_eq!(task().decoder(&data).decode(&outputs, &batch).unwrap_err().code(), "PL0231");
}

#[test]
fn the_report_names_the_class_and_lists_every_score() {
    let data = data(&NAMES);
    let original = row("a", &[(3, 2, 3)]);
    let mut predicted = Row::prediction(&original);
    predicted.labels = Labels { class: Some(1), scores: vec![0.25, 0.5, 0.25] };
    let report = task().report(&predicted, &original, &data).unwrap();
    let columns: Vec<(&str, &str)> = report.columns.iter().map(|(n, v)| (n, v.as_str())).collect();
    assert_eq!(
        columns,
        [
            ("class", "dog"),
            ("score", "0.500000"),
            ("score_cat", "0.250000"),
            ("score_dog", "0.500000"),
            ("score_owl", "0.250000")
        ]
    );
    predicted.labels.class = None;
    assert!(task().report(&predicted, &original, &data).unwrap_err().message().contains("`a`"));
}
