//! Real data, learnt in seconds to minutes, also by a run that was killed on the way.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::{data, file, metric, run};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

/// Trains into a folder with a SIGKILL once the log has so many lines, and a resume.
fn train_killed(dir: &Path, text: &str, lines: usize) -> std::path::PathBuf {
    let run_file = file(dir, text);
    let killed = dir.join("killed");
    let args = ["train", run_file.to_str().unwrap(), "--out", killed.to_str().unwrap()];
    let mut child = Command::new(BIN).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let log = killed.join("log.jsonl");
    while child.try_wait().unwrap().is_none() && fs::read_to_string(&log).unwrap_or_default().lines().count() < lines {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
    child.kill().unwrap();
    child.wait().unwrap();
    let _ = run(BIN, ["resume", killed.to_str().unwrap()]).expect_code(0);
    killed
}

#[test]
fn fashion_mnist_is_learnt_to_088_in_five_epochs() {
    let Some(root) = data("fashion-mnist") else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
[run]
name = "fashion"
seed = 2
[task]
name = "Classification"
[model]
name = "ConvNet"
channels = [32, 64, 128, 128]
[optimizer]
name = "AdamW"
lr = 0.006
[scheduler]
name = "CosineAnnealingLR"
T_max = "100%"
every = "step"
[dataset.train]
name = "Idx"
root = "{0}"
augment = ["HorizontalFlip", {{ name = "Normalize", mean = [0.28668], std = [0.35401] }}]
[dataset.val]
name = "Idx"
root = "{0}"
augment = [{{ name = "Normalize", mean = [0.28668], std = [0.35401] }}]
[dataset.test]
name = "Idx"
root = "{0}"
augment = [{{ name = "Normalize", mean = [0.28668], std = [0.35401] }}]
[dataloader]
batch_size = 32
[trainer]
max_epochs = 5
[checkpointing]
every_n_steps = 50
"#,
        root.display()
    );
    let out = train_killed(dir.path(), &text, 600);
    let eval = run(BIN, ["eval", out.to_str().unwrap(), "--split", "test", "--json"]).expect_code(0);
    let json: serde_json::Value = serde_json::from_str(&eval.out).unwrap();
    let accuracy = json["metrics"]["test_accuracy"].as_f64().unwrap();
    assert!(accuracy >= 0.88, "test accuracy {accuracy}");
    let images = dir.path().join("predicted");
    let some = root.join("png");
    let done = run(BIN, ["predict", out.to_str().unwrap(), some.to_str().unwrap(), "--out", images.to_str().unwrap()])
        .expect_code(0);
    let table = fs::read_to_string(images.join("predictions.csv")).unwrap();
    assert_eq!(table.lines().count(), 51, "{}\n{table}", done.err);
}

/// The best mean IoU that one class for all pixels can have.
fn best_constant(masks: &Path, void: u8) -> f64 {
    let mut counts = [0u64; 256];
    for mask in fs::read_dir(masks).unwrap().map(|e| e.unwrap().path()) {
        for pixel in image::open(mask).unwrap().to_luma8().pixels() {
            counts[usize::from(pixel.0[0])] += 1;
        }
    }
    counts[usize::from(void)] = 0;
    let all: u64 = counts.iter().sum();
    let classes = counts.iter().filter(|n| **n > 0).count();
    *counts.iter().max().unwrap() as f64 / all as f64 / classes as f64
}

#[test]
fn camvid_is_segmented_far_better_than_by_any_constant() {
    let Some(root) = data("camvid") else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
[run]
name = "camvid"
seed = 4
[task]
name = "Segmentation"
[model]
name = "UNet"
channels = [8, 16, 32]
[optimizer]
name = "AdamW"
lr = 0.01
[dataset.train]
name = "ImageMasks"
images = "{0}/train"
masks = "{0}/trainannot"
classes = ["sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"]
ignore_index = 11
augment = [{{ name = "Resize", width = 120, height = 88 }}, "HorizontalFlip", "Normalize"]
[dataset.val]
name = "ImageMasks"
images = "{0}/val"
masks = "{0}/valannot"
classes = ["sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"]
ignore_index = 11
augment = [{{ name = "Resize", width = 120, height = 88 }}, "Normalize"]
[dataloader]
batch_size = 4
[trainer]
max_epochs = 20
"#,
        root.display()
    );
    let constant = best_constant(&root.join("valannot"), 11);
    let out = train_killed(dir.path(), &text, 30);
    let iou = metric(&out, "val_mean_iou");
    assert!(iou > 3.0 * constant, "mean IoU {iou}; a constant has {constant}");
    let masks = dir.path().join("masks");
    let _ = run(
        BIN,
        ["predict", out.to_str().unwrap(), root.join("val").to_str().unwrap(), "--out", masks.to_str().unwrap()],
    )
    .expect_code(0);
    let pictures =
        fs::read_dir(&masks).unwrap().map(|e| e.unwrap().path()).filter(|p| p.to_string_lossy().ends_with("_mask.png"));
    let sizes: Vec<_> = pictures.map(|p| image::image_dimensions(p).unwrap()).collect();
    assert_eq!(sizes.len(), fs::read_dir(root.join("val")).unwrap().count());
    assert!(sizes.iter().all(|s| *s == (480, 360)), "masks have the size of their images");
}

#[test]
fn folds_of_a_folder_of_photographs_train_and_validate() {
    let Some(root) = data("clothing") else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
[task]
name = "Classification"
[model]
name = "ResNet18"
[dataset.train]
name = "ClassFolders"
root = "{}"
augment = [{{ name = "Resize", width = 32, height = 32 }}, "HorizontalFlip", "Normalize"]
[dataset.split]
num_folds = 3
validation_fold = 1
[dataloader]
batch_size = 16
[trainer]
max_epochs = 1
limit_train_batches = 3
"#,
        class_root(&root).display()
    );
    let out = dir.path().join("out");
    let _ =
        run(BIN, ["train", file(dir.path(), &text).to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    assert!(metric(&out, "val_accuracy") >= 0.0);
}

/// The folder that has the class folders: the set's own, or its training part.
fn class_root(root: &Path) -> std::path::PathBuf {
    let train = root.join("train");
    if train.is_dir() { train } else { root.to_owned() }
}
