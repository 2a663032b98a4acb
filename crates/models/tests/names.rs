//! The ResNets have torchvision's parameters, name by name and shape by shape.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{build, golden, named, spec};
use pleach_core::DType;
use std::collections::BTreeMap;

fn has_torchvisions_names(model: &str) {
    let file = golden(include_str!("golden/names.json"));
    let theirs: BTreeMap<String, Vec<usize>> = serde_json::from_value(file["models"][model].clone()).unwrap();
    let (params, _) = build(&*named(model), &spec(1000), DType::F32);
    let ours: BTreeMap<String, Vec<usize>> =
        params.iter().map(|(name, w)| (name.to_owned(), w.var().dims().to_vec())).collect();
    let differ: Vec<_> = theirs.iter().filter(|(name, shape)| ours.get(*name) != Some(shape)).collect();
    assert!(differ.is_empty(), "{model} lacks, or has in another shape: {differ:?}");
    let more: Vec<_> = ours.keys().filter(|name| !theirs.contains_key(*name)).collect();
    assert!(more.is_empty(), "{model} has besides: {more:?}");
}

#[test]
fn resnet18_has_torchvisions_names_and_shapes() {
    has_torchvisions_names("ResNet18");
}

#[test]
fn resnet34_has_torchvisions_names_and_shapes() {
    has_torchvisions_names("ResNet34");
}

#[test]
fn resnet50_has_torchvisions_names_and_shapes() {
    has_torchvisions_names("ResNet50");
}

#[test]
fn resnet101_has_torchvisions_names_and_shapes() {
    has_torchvisions_names("ResNet101");
}

#[test]
fn torchvisions_own_names_find_the_models() {
    for name in ["ResNet18", "ResNet34", "ResNet50", "ResNet101"] {
        assert_eq!(named(&name.to_lowercase()).name(), name);
    }
}
