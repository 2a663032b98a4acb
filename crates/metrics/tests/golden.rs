//! Values equal those of scikit-learn and torchmetrics, wherever these define the same.
#![allow(clippy::unwrap_used, clippy::panic)]

use pleach_core::{DataInfo, Frame, Labels, Map, Metric, Named, Row, SampleId};
use pleach_metrics::*;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/metrics.json")).unwrap()
}

fn info(case: &Value) -> DataInfo {
    let classes = (0..case["classes"].as_u64().unwrap()).map(|c| c.to_string()).collect();
    DataInfo { classes, ignore_index: case["ignore"].as_u64().map(|i| i as u32), ..DataInfo::default() }
}

fn row() -> Row {
    Row::new(SampleId { index: 0, key: "a".into() }, Vec::<Frame>::new())
}

fn values<M: Metric>(metric: &M, data: &DataInfo, pairs: &[(Row, Row)]) -> Named<f64> {
    let mut state = metric.start(data);
    for (predicted, truth) in pairs {
        metric.update(&mut state, predicted, truth).unwrap();
    }
    metric.values(&state)
}

fn label_pairs(case: &Value) -> Vec<(Row, Row)> {
    let truths = case["truth"].as_array().unwrap().iter().zip(case["scores"].as_array().unwrap());
    truths
        .map(|(t, scores)| {
            let scores: Vec<f32> = scores.as_array().unwrap().iter().map(|s| s.as_f64().unwrap() as f32).collect();
            let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
            let (mut predicted, mut truth) = (row(), row());
            predicted.labels = Labels { class: Some(best as u32), scores };
            truth.labels.class = Some(t.as_u64().unwrap() as u32);
            (predicted, truth)
        })
        .collect()
}

fn map_pairs(case: &Value) -> Vec<(Row, Row)> {
    let one = |v: &Value| {
        let lines = v.as_array().unwrap();
        let classes: Vec<u16> =
            lines.iter().flat_map(|l| l.as_array().unwrap()).map(|c| c.as_u64().unwrap() as u16).collect();
        let mut row = row();
        row.maps =
            vec![Map { frame: 0, width: classes.len() / lines.len(), height: lines.len(), classes, scores: vec![] }];
        row
    };
    let truths = case["truth"].as_array().unwrap().iter();
    case["predicted"].as_array().unwrap().iter().zip(truths).map(|(p, t)| (one(p), one(t))).collect()
}

/// Reference values of torchmetrics are computed in single precision.
fn close(what: &str, got: Option<f64>, want: &Value) {
    let (got, want) = (got.unwrap_or_else(|| panic!("{what} has no value")), want.as_f64().unwrap());
    assert!((got - want).abs() < 1e-6, "{what}: {got} is not {want}");
}

/// The values after the main one are those of the reference, class by class, and no others.
fn each(prefix: &str, values: &Named<f64>, want: &Value) {
    let want = want.as_object().unwrap();
    for (class, v) in want {
        let name = format!("{prefix}_{class}");
        close(&name, values.get(&name).copied(), v);
    }
    assert_eq!(values.len(), want.len() + 1, "{values:?}");
}

#[test]
fn scores_of_labels_equal_the_references() {
    for case in golden()["labels"].as_array().unwrap() {
        let (data, pairs, expected) = (info(case), label_pairs(case), &case["expected"]);
        for (key, want) in expected.as_object().unwrap() {
            let parts: Vec<&str> = key.split('/').collect();
            let average = match parts[1] {
                "micro" => Average::Micro,
                "weighted" => Average::Weighted,
                "none" => Average::None,
                _ => Average::Macro,
            };
            let got = match parts[0] {
                "precision" => values(&Precision { average, zero_division: parts[2].parse().unwrap() }, &data, &pairs),
                "recall" => values(&Recall { average, zero_division: parts[2].parse().unwrap() }, &data, &pairs),
                "f1" => values(&F1 { average }, &data, &pairs),
                "accuracy" => {
                    let average = if parts[1] == "micro" { AverageOver::Micro } else { AverageOver::Macro };
                    values(&Accuracy { average, top_k: parts[2].parse().unwrap() }, &data, &pairs)
                }
                _ => continue,
            };
            if average == Average::None {
                each(parts[0], &got, want);
            } else {
                close(key, got.first().copied(), want);
            }
        }
    }
}

#[test]
fn the_confusion_matrix_equals_the_reference() {
    for case in golden()["labels"].as_array().unwrap() {
        let (data, pairs) = (info(case), label_pairs(case));
        for (how, normalize) in
            [("none", Normalize::None), ("true", Normalize::True), ("pred", Normalize::Pred), ("all", Normalize::All)]
        {
            let got = values(&ConfusionMatrix { normalize }, &data, &pairs);
            for (t, line) in case["expected"][format!("confusion/{how}")].as_array().unwrap().iter().enumerate() {
                for (p, want) in line.as_array().unwrap().iter().enumerate() {
                    let name = format!("confusion_{t}_as_{p}");
                    close(&name, got.get(&name).copied(), want);
                }
            }
        }
    }
}

#[test]
fn scores_of_maps_equal_the_references() {
    for case in golden()["maps"].as_array().unwrap() {
        let (data, pairs, expected) = (info(case), map_pairs(case), &case["expected"]);
        let iou = values(&MeanIoU::default(), &data, &pairs);
        close("mean_iou", iou.first().copied(), &expected["mean_iou"]);
        each("iou", &iou, &expected["iou"]);
        let dice = values(&DiceScore::default(), &data, &pairs);
        close("dice_score", dice.first().copied(), &expected["dice_score"]);
        each("dice", &dice, &expected["dice"]);
        let micro = values(&PixelAccuracy::default(), &data, &pairs);
        close("pixel_accuracy", micro.get("pixel_accuracy").copied(), &expected["pixel_accuracy"]);
        let metric = PixelAccuracy { average: AverageOver::Macro, ..PixelAccuracy::default() };
        let name = "pixel_accuracy_macro";
        close(name, values(&metric, &data, &pairs).get(name).copied(), &expected[name]);
    }
}

#[test]
fn without_the_background_the_mean_is_over_the_other_classes() {
    let case = &golden()["maps"][0];
    let metric = MeanIoU { include_background: false, ..MeanIoU::default() };
    let got = values(&metric, &info(case), &map_pairs(case));
    let names: Vec<&str> = got.names().collect();
    assert_eq!(names, ["mean_iou", "iou_1", "iou_2", "iou_3"]);
    let mean = got.iter().skip(1).map(|(_, v)| v).sum::<f64>() / 3.0;
    assert!((got.first().unwrap() - mean).abs() < 1e-12);
}
