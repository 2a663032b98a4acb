//! `pleach import`.

use crate::within;
use pleach_tests::Done;
use std::fs;
use std::path::Path;

/// A file of Lightning's command line, as it writes it itself.
const LIGHTNING: &str = r#"# lightning.pytorch==2.4.0
seed_everything: 42
trainer:
  accelerator: gpu
  strategy: auto
  devices: 2
  precision: 16-mixed
  logger:
    class_path: lightning.pytorch.loggers.TensorBoardLogger
    init_args:
      save_dir: logs
  callbacks:
    - class_path: lightning.pytorch.callbacks.EarlyStopping
      init_args: {monitor: val_loss, patience: 7, min_delta: 0.001, verbose: true}
    - class_path: lightning.pytorch.callbacks.ModelCheckpoint
      init_args: {monitor: val_accuracy, mode: max, save_top_k: 3, save_last: true}
    - class_path: lightning.pytorch.callbacks.LearningRateMonitor
  max_epochs: 90
  min_epochs: null
  max_time: null
  gradient_clip_val: 1.0
  accumulate_grad_batches: 2
  check_val_every_n_epoch: 1
  use_distributed_sampler: true
model:
  class_path: vision.LitClassifier
  init_args:
    net:
      class_path: torchvision.models.resnet18
      init_args: {weights: null}
    criterion:
      class_path: torch.nn.CrossEntropyLoss
      init_args: {label_smoothing: 0.1, reduction: mean, weight: null}
optimizer:
  class_path: torch.optim.SGD
  init_args: {lr: 0.1, momentum: 0.9, weight_decay: 1e-4, nesterov: true}
lr_scheduler:
  class_path: torch.optim.lr_scheduler.CosineAnnealingLR
  init_args: {T_max: 90, eta_min: 0.0, last_epoch: -1}
data:
  class_path: vision.ImageFolderModule
  init_args: {root: /data/images, batch_size: 64, num_workers: 8}
ckpt_path: null
"#;

const HYDRA: &str = r#"
seed: 3
optimizer:
  _target_: torch.optim.AdamW
  _partial_: true
  params: ${model.parameters}
  lr: 3e-4
  betas: [0.9, 0.95]
  decoupled: true
scheduler:
  scheduler:
    _target_: torch.optim.lr_scheduler.ReduceLROnPlateau
    _partial_: true
    factor: 0.5
    patience: 4
    verbose: false
  monitor: val_loss
  interval: epoch
  frequency: 1
loss:
  - {loss: {_target_: monai.losses.DiceLoss, sigmoid: true}, weight: 0.7}
  - {loss: {_target_: torch.nn.BCEWithLogitsLoss}, weight: 0.3}
train_transforms:
  _target_: albumentations.Compose
  transforms:
    - {_target_: albumentations.HorizontalFlip, p: 0.5}
    - {_target_: albumentations.Rotate, limit: 15, p: 0.3, always_apply: false}
    - {_target_: albumentations.NoSuchThing, strength: 2}
trainer:
  _target_: lightning.Trainer
  max_epochs: ${epochs}
"#;

const PLAIN: &str = r#"{
  "optimizer": {"name": "adam", "params": {"lr": 0.002, "eps": 1e-8, "lrr": 1}},
  "scheduler": {"name": "step", "step_size": 30, "gamma": 5.0},
  "loss": "cross_entropy",
  "epochs": 12,
  "batch_size": 16,
  "momentum_of_the_moon": [1, 2]
}"#;

fn import(dir: &Path, name: &str, text: &str, args: &[&str]) -> Done {
    fs::write(dir.join(name), text).unwrap();
    let args: Vec<&str> = ["import", name].iter().chain(args).copied().collect();
    within(dir, &args)
}

#[test]
fn a_file_of_lightning_becomes_a_run_with_an_account_of_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let done = import(dir.path(), "config.yaml", LIGHTNING, &[]).expect_code(0);
    insta::assert_snapshot!(format!("{}\n--- said\n{}", done.out, done.err));
}

#[test]
fn a_file_of_hydra_becomes_a_run_with_an_account_of_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let done = import(dir.path(), "train.yaml", HYDRA, &[]).expect_code(0);
    insta::assert_snapshot!(format!("{}\n--- said\n{}", done.out, done.err));
}

#[test]
fn names_with_parameters_become_a_run_with_an_account_of_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let done = import(dir.path(), "params.json", PLAIN, &[]).expect_code(0);
    insta::assert_snapshot!(format!("{}\n--- said\n{}", done.out, done.err));
}

#[test]
fn what_was_imported_is_a_run_file_once_task_model_and_data_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let rest = "\n[task]\nname = \"Classification\"\n";
    let data = "[dataset.train]\nname = \"Digits\"\n[dataset.val]\nname = \"Digits\"\n";
    let model = "[model]\nname = \"ConvNet\"\n";
    for (name, text, more) in [
        ("a.yaml", LIGHTNING.replace("precision: 16-mixed", "precision: 32-true"), data.to_owned()),
        ("b.json", PLAIN.into(), format!("{model}{data}")),
    ] {
        let _ = import(dir.path(), name, &text, &["-o", "run.toml"]).expect_code(0);
        let run = fs::read_to_string(dir.path().join("run.toml")).unwrap();
        // A metric that the run does not compute by itself.
        let metrics = "[metrics]\nval = [\"Accuracy\"]\n";
        fs::write(dir.path().join("run.toml"), format!("{run}{rest}{more}{metrics}")).unwrap();
        let _ = within(dir.path(), &["check", "run.toml"]).expect_code(0);
    }
}

#[test]
fn every_value_of_a_document_is_in_the_account() {
    let dir = tempfile::tempdir().unwrap();
    let done = import(dir.path(), "params.json", PLAIN, &["--json"]).expect_code(0);
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let values = json["values"].as_object().unwrap();
    assert_eq!(values["optimizer.params.lr"]["kept"], "optimizer.lr");
    assert!(values["optimizer.params.lrr"]["missing"].as_str().unwrap().contains("did you mean `lr`?"));
    assert!(
        values["scheduler.gamma"]["missing"].as_str().is_some()
            || values["scheduler.gamma"]["kept"] == "scheduler.gamma"
    );
    assert!(values["momentum_of_the_moon"]["missing"].is_string());
    assert_eq!(json["run"]["trainer"]["max_epochs"], 12);
    let _ = import(dir.path(), "params.json", PLAIN, &["--strict"]).expect_code(2);
}

#[test]
fn what_nobody_knows_is_refused_with_the_importers_that_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let done = import(dir.path(), "x.yaml", "colour: red\n", &[]).expect_code(2);
    assert!(done.err.contains("PL0138") && done.err.contains("PyTorch"), "{}", done.err);
    let done = import(dir.path(), "x.json", "{", &[]).expect_code(2);
    assert!(done.err.contains("PL0137"), "{}", done.err);
    let done = import(dir.path(), "x.yaml", "loss: Dice\n", &["--as", "PyTorsh"]).expect_code(2);
    assert!(done.err.contains("did you mean `PyTorch`?"), "{}", done.err);
    let done = within(dir.path(), &["import", "nowhere.yaml"]).expect_code(2);
    assert!(done.err.contains("there is no such file"), "{}", done.err);
}
