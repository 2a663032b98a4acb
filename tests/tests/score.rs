//! Predictions that lie in files, measured from the command line: COCO's published numbers, and rows of any kind.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::{data, run};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

const TWELVE: [&str; 12] = [
    "map",
    "map_50",
    "map_75",
    "map_small",
    "map_medium",
    "map_large",
    "mar_1",
    "mar_10",
    "mar_100",
    "mar_small",
    "mar_medium",
    "mar_large",
];

/// The twelve published numbers of a type of evaluation.
fn published(text: &str, kind: &str) -> Vec<f64> {
    let part = text.split("type=").find(|part| part.starts_with(kind)).unwrap();
    let value = |line: &str| line.contains(" @[ ").then(|| line.rsplit('=').next().unwrap().trim().parse().unwrap());
    part.lines().filter_map(value).collect()
}

fn score(truth: &Path, predictions: &Path, more: &[&str]) -> pleach_tests::Done {
    let files = ["--truth", truth.to_str().unwrap(), "--predictions", predictions.to_str().unwrap()];
    run(BIN, ["score"].iter().chain(&files).chain(more))
}

#[test]
fn cocos_published_numbers_are_equalled_for_boxes_and_for_masks() {
    let Some(root) = data("coco-eval") else { return };
    let text = fs::read_to_string(root.join("val2014_fake_eval_res.txt")).unwrap();
    let truth = root.join("instances_val2014_100.json");
    for kind in ["bbox", "segm"] {
        let predictions = root.join(format!("instances_val2014_fake{kind}100_results.json"));
        let set = format!("iou_type={kind}");
        let args = ["--metric", "MeanAveragePrecision", "--set", &set, "--json"];
        let done = score(&truth, &predictions, &args).expect_code(0);
        let json: Json = serde_json::from_str(&done.out).unwrap();
        let want = published(&text, kind);
        assert_eq!((want.len(), json["samples"].as_u64()), (12, Some(100)));
        for (name, want) in TWELVE.iter().zip(want) {
            let got = json["values"][name].as_f64().unwrap_or_else(|| panic!("{kind} has no {name}: {json}"));
            assert!((got - want).abs() < 1e-3, "{kind} {name}: {got} is not {want}");
        }
    }
}

#[test]
fn boxes_cannot_be_measured_as_masks() {
    let Some(root) = data("coco-eval") else { return };
    let predictions = root.join("instances_val2014_fakebbox100_results.json");
    let args = ["--metric", "mAP", "--set", "iou_type=segm"];
    let done = score(&root.join("instances_val2014_100.json"), &predictions, &args).expect_code(3);
    assert!(done.err.contains("has no mask") && done.err.contains("while scoring"), "{}", done.err);
}

#[test]
fn any_metric_measures_rows_of_text() {
    let dir = tempfile::tempdir().unwrap();
    let (truth, predictions) = (dir.path().join("truth.jsonl"), dir.path().join("found.jsonl"));
    let mut text = String::from("{\"classes\": [\"cat\", \"dog\"]}\n");
    let mut found = String::new();
    for i in 0..40 {
        text.push_str(&format!("{{\"key\": \"{i}\", \"labels\": {{\"class\": {}}}}}\n", i % 2));
        found.push_str(&format!("{{\"key\": \"{i}\", \"labels\": {{\"class\": {}}}}}\n", u8::from(i % 4 == 1)));
    }
    fs::write(&truth, text).unwrap();
    fs::write(&predictions, found).unwrap();
    let done = score(&truth, &predictions, &["--metric", "Accuracy"]).expect_code(0);
    assert_eq!(done.out.trim(), "accuracy  0.7500");
    let done = score(&truth, &predictions, &["--metric", "Recall", "--set", "average=none", "--json"]).expect_code(0);
    let json: Json = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&json["values"]["recall_dog"], &json["metric"]["average"]), (&0.5.into(), &"none".into()));
}

#[test]
fn mistakes_on_the_command_line_have_carets() {
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth.json");
    fs::write(&truth, r#"{"images": [], "annotations": [], "categories": []}"#).unwrap();
    let found = dir.path().join("found.json");
    fs::write(&found, "[]").unwrap();
    let done = score(&truth, &found, &["--metric", "MeanAveragePrecison"]).expect_code(2);
    assert!(done.err.contains("did you mean `MeanAveragePrecision`?"), "{}", done.err);
    let done =
        score(&truth, &found, &["--metric", "mAP", "--set", "iou_tipe=segm", "--set", "average=mean"]).expect_code(2);
    assert!(done.err.contains("did you mean `iou_type`?") && done.err.contains("unknown value `mean`"), "{}", done.err);
    let done = score(&truth, &found, &["--metric", "Accuracy"]).expect_code(2);
    assert!(done.err.contains("Accuracy reads labels, which these files do not have"), "{}", done.err);
    let done = score(&truth, &found, &["--metric", "mAP"]).expect_code(0);
    assert!(done.out.is_empty() && done.err.contains("nothing could be measured"), "{done:?}");
    fs::write(&truth, r#"{"images": ["#).unwrap();
    let done = score(&truth, &found, &["--metric", "mAP"]).expect_code(3);
    assert!(
        done.err.contains("PL0316") && done.err.contains("truth.json") && done.err.contains("line 1"),
        "{}",
        done.err
    );
}
