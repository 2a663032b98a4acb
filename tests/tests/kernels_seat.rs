//! Who sits in the kernels seat changes how fast a run is, not what it learns.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::{data, file, log, run};

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

#[test]
fn plain_algebra_and_fused_slices_train_alike() {
    let Some(polyps) = data("polyp-images") else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
[run]
seed = 5
[task]
name = "Segmentation"
mode = "binary"
[model]
name = "UNet"
channels = [8, 16]
[[loss]]
name = "FocalTversky"
[optimizer]
name = "SGD"
lr = 0.05
[dataset.train]
name = "ImageMasks"
images = "{0}/images"
masks = "{0}/masks"
threshold = 128
augment = [{{ name = "Resize", width = 64, height = 64 }}, "HorizontalFlip", "Normalize"]
[dataloader]
batch_size = 2
[trainer]
max_epochs = 3
[metrics]
train = ["MeanIoU"]
"#,
        polyps.display()
    );
    let run_file = file(dir.path(), &text);
    let mut curves = Vec::new();
    for seat in ["Plain", "Cpu"] {
        let out = dir.path().join(seat);
        let set = format!("backend.kernels={seat}");
        let _ = run(BIN, ["train", run_file.to_str().unwrap(), "--set", &set, "--out", out.to_str().unwrap()])
            .expect_code(0);
        let losses: Vec<f64> = log(&out)
            .iter()
            .filter(|l| l["event"] == "step")
            .map(|l| l["metrics"]["train_loss"].as_f64().unwrap())
            .collect();
        curves.push(losses);
    }
    assert!(curves[0].len() >= 3 && curves[0].len() == curves[1].len());
    for (plain, fused) in curves[0].iter().zip(&curves[1]) {
        assert!((plain - fused).abs() <= 1e-4 * plain.abs(), "{plain} and {fused}");
    }
}

#[test]
fn a_seat_that_cannot_do_the_job_is_an_error_with_a_caret() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[task]\nname = \"Classification\"\n[model]\nname = \"ConvNet\"\n[dataset.train]\nname = \"Digits\"\n[backend]\ntrain = \"Plain\"\n";
    let done = run(BIN, ["check", file(dir.path(), text).to_str().unwrap()]).expect_code(2);
    assert!(done.err.contains("run.toml:8:9") && done.err.contains("CandleCpu"), "{}", done.err);
    let text = text.replace("[backend]\ntrain = \"Plain\"", "[trainer]\nprecision = \"16-mixed\"");
    let done = run(BIN, ["check", file(dir.path(), &text).to_str().unwrap()]).expect_code(2);
    assert!(done.err.contains("16-mixed") || done.err.contains("precision"), "{}", done.err);
}
