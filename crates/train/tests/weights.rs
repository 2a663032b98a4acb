//! Weights load by torchvision's names, wholly or as far as they fit, and what does not fit is said.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use pleach_core::{DType, Device, Fit, Model, ModelSpec, Params, Plug, Tensor};
// Linked for its plugins.
use pleach_models as _;
use pleach_train::weights::{load_weights, read_weights};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const CPU: Device = Device::Cpu;

fn net(name: &str, seed: u64, classes: usize, dtype: DType) -> Params {
    let mut params = Params::new(seed, dtype, &CPU);
    let model: Plug<dyn Model> = Plug::named(name).unwrap();
    let spec = ModelSpec { in_channels: 3, out_channels: classes, frames: 1, size: None };
    model.build(params.root(), &spec).unwrap();
    params
}

fn floats(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn resnet(seed: u64, classes: usize, dtype: DType) -> Params {
    net("ResNet18", seed, classes, dtype)
}

/// What torchvision's `state_dict` would hold, counters as 64-bit integers included.
fn write(params: &Params, folder: &Path) -> PathBuf {
    let tensors: HashMap<String, Tensor> = params
        .snapshot()
        .unwrap()
        .into_iter()
        .map(|(name, t)| {
            let t = if name.ends_with("num_batches_tracked") { t.to_dtype(DType::I64).unwrap() } else { t };
            (name, t)
        })
        .collect();
    let path = folder.join("resnet18.safetensors");
    candle_core::safetensors::save(&tensors, &path).unwrap();
    path
}

fn equal(a: &Params, b: &Params, name: &str) -> bool {
    floats(a.get(name).unwrap().var()) == floats(b.get(name).unwrap().var())
}

#[test]
fn a_file_of_torchvisions_names_loads_strictly_and_into_another_type() {
    let folder = tempfile::tempdir().unwrap();
    let from = resnet(1, 10, DType::F32);
    from.get("bn1.num_batches_tracked").unwrap().set(&Tensor::new(7f32, &CPU).unwrap()).unwrap();
    let path = write(&from, folder.path());
    let to = resnet(2, 10, DType::F64);
    assert!(!equal(&from, &to, "conv1.weight"));
    let report = load_weights(&to, &path, Fit::Strict).unwrap();
    assert!(report.is_complete());
    assert_eq!(report.loaded.len(), 122);
    assert!(from.iter().all(|(name, _)| equal(&from, &to, name)));
    assert_eq!(to.get("conv1.weight").unwrap().var().dtype(), DType::F64);
}

#[test]
fn another_number_of_classes_loads_in_part_and_the_head_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&resnet(1, 1000, DType::F32), folder.path());
    let to = resnet(2, 10, DType::F32);
    let before = to.snapshot().unwrap();

    let error = load_weights(&to, &path, Fit::Strict).unwrap_err();
    let message = error.to_string();
    for part in ["fc.weight", "[10, 512]", "[1000, 512]", "fc.bias", "resnet18.safetensors"] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
    assert_eq!(floats(to.get("conv1.weight").unwrap().var()), floats(&before["conv1.weight"]), "changed by a failure");

    let report = load_weights(&to, &path, Fit::Partial).unwrap();
    let head: Vec<_> = report.mismatched.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(head, ["fc.bias", "fc.weight"]);
    assert!(report.missing.is_empty() && report.unexpected.is_empty());
    assert!(equal(&to, &resnet(1, 1000, DType::F32), "layer4.1.conv2.weight"));
    assert_eq!(floats(to.get("fc.weight").unwrap().var()), floats(&before["fc.weight"]));
}

#[test]
fn weights_of_another_model_are_refused_even_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&resnet(1, 10, DType::F32), folder.path());
    let params = net("UNet", 0, 2, DType::F32);
    let error = load_weights(&params, &path, Fit::Partial).unwrap_err();
    assert!(error.message().starts_with("nothing in"), "{error}");
    assert!(error.hint_text().unwrap().contains("decoder.0.conv1.weight"), "{error}");
}

#[test]
fn a_file_cut_off_anywhere_is_refused_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("small.safetensors");
    let tensors = HashMap::from([("weight", Tensor::ones((3, 4), DType::F32, &CPU).unwrap())]);
    candle_core::safetensors::save(&tensors, &whole).unwrap();
    let bytes = std::fs::read(&whole).unwrap();
    let path = folder.path().join("cut.safetensors");
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = read_weights(&path, &CPU).unwrap_err();
        assert_eq!(error.code(), "PL0533", "{length} bytes: {error}");
        assert!(error.message().contains("cut.safetensors"), "{error}");
    }
}

#[test]
fn files_of_other_kinds_are_named_for_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pth");
    for (bytes, code) in [(&b"PK\x03\x04 and so on"[..], "PL0532"), (b"name = \"a config\"", "PL0534")] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read_weights(&path, &CPU).unwrap_err().code(), code);
    }
    assert_eq!(read_weights(&folder.path().join("nothing"), &CPU).unwrap_err().code(), "PL0531");
    assert_eq!(read_weights(folder.path(), &CPU).unwrap_err().code(), "PL0531");
}
