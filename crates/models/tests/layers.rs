//! Layers begin as PyTorch's do, and a batch norm's statistics move as PyTorch's do.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{CPU, build, floats, golden, named, normal, numbers, spec, training};
use pleach_core::{Cx, DType, Params, Tensor};
use pleach_models::layers::{
    BatchNorm2d, Bias, Conv2d, Conv2dShape, ConvTranspose2d, ConvTranspose2dShape, Dropout, Dropout2d, Linear,
};
use pleach_models::{ResNet18, UNet};

fn near(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{a} is not {b}");
    }
}

/// Greatest magnitude, mean and standard deviation.
fn moments(params: &Params, name: &str) -> (f64, f64, f64) {
    let all = floats(params.get(name).unwrap().var());
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let var = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64;
    (all.iter().fold(0.0, |m, x| x.abs().max(m)), mean, var.sqrt())
}

/// Uniform within `bound`, which a thousandth of the values come close to.
fn uniform_within(params: &Params, name: &str, bound: f64) {
    let (greatest, mean, std) = moments(params, name);
    let n = params.get(name).unwrap().var().elem_count() as f64;
    assert!(greatest <= bound && greatest > bound * (1.0 - 20.0 / n), "{name}: {greatest} for {bound}");
    let expected = bound / 3f64.sqrt();
    assert!(mean.abs() < 5.0 * expected / n.sqrt(), "{name}: mean {mean}");
    assert!((std / expected - 1.0).abs() < 5.0 / n.sqrt(), "{name}: deviation {std} for {expected}");
}

#[test]
fn weights_begin_with_pytorchs_default_bounds() {
    let mut params = Params::new(1, DType::F64, &CPU);
    let mut root = params.root();
    Conv2d::new(root.at("conv"), &Conv2dShape::new(32, 64, 3).groups(4)).unwrap();
    ConvTranspose2d::new(root.at("up"), &ConvTranspose2dShape::new(64, 32, 2, 2)).unwrap();
    Linear::new(root.at("fc"), 100, 200, Bias::With).unwrap();
    // The fan in of a group's 8 channels; of the output's 32 in a transposed convolution; of the inputs.
    for (layer, fan_in) in [("conv", 8 * 9), ("up", 32 * 4), ("fc", 100)] {
        let bound = 1.0 / f64::from(fan_in).sqrt();
        uniform_within(&params, &format!("{layer}.weight"), bound);
        uniform_within(&params, &format!("{layer}.bias"), bound);
    }
}

#[test]
fn resnets_begin_as_torchvisions_do() {
    let (params, _) = build(&*named("ResNet18"), &spec(10), DType::F32);
    for (name, fan_out) in
        [("conv1.weight", 64 * 49), ("layer3.0.conv1.weight", 256 * 9), ("layer2.0.downsample.0.weight", 128)]
    {
        let (_, mean, std) = moments(&params, name);
        let expected = (2.0 / f64::from(fan_out)).sqrt();
        assert!(mean.abs() < 0.05 * expected && (std / expected - 1.0).abs() < 0.03, "{name}: {mean} {std} {expected}");
    }
    uniform_within(&params, "fc.weight", 1.0 / 512f64.sqrt());
    for (name, value) in [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)] {
        assert!(floats(params.get(&format!("layer1.0.bn2.{name}")).unwrap().var()).iter().all(|x| *x == value));
    }
}

#[test]
fn zero_init_residual_lets_blocks_begin_as_their_shortcuts() {
    let model = ResNet18 { zero_init_residual: true, ..ResNet18::default() };
    let (params, _) = build(&model, &spec(10), DType::F32);
    for (name, weight) in params.iter().filter(|(name, _)| name.contains("bn") && name.ends_with(".weight")) {
        let expected = if name.contains("bn2") { 0.0 } else { 1.0 };
        assert!(floats(weight.var()).iter().all(|x| *x == expected), "{name}");
    }
}

#[test]
fn equal_seeds_give_equal_weights_and_others_do_not() {
    let weights = |seed| {
        let mut params = Params::new(seed, DType::F32, &CPU);
        Linear::new(params.root().at("fc"), 3, 4, Bias::Without).unwrap();
        floats(params.get("fc.weight").unwrap().var())
    };
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
}

#[test]
fn a_batch_norm_follows_pytorch_through_three_batches_and_serves_as_it_does() {
    let file = golden(include_str!("golden/batch_norm.json"));
    let shape: Vec<usize> = serde_json::from_value(file["shape"].clone()).unwrap();
    let mut params = Params::new(0, DType::F64, &CPU);
    let norm = BatchNorm2d::new(params.root(), 2).unwrap();
    for name in ["weight", "bias"] {
        params.get(name).unwrap().set(&Tensor::new(numbers(&file["state"][name]), &CPU).unwrap()).unwrap();
    }
    for (step, (x, y)) in
        file["batches"].as_array().unwrap().iter().zip(file["outputs"].as_array().unwrap()).enumerate()
    {
        let x = Tensor::from_vec(numbers(x), shape.as_slice(), &CPU).unwrap();
        let cx = if step < 3 { training() } else { Cx::eval() };
        near(&floats(&norm.forward(&x, &cx).unwrap()), &numbers(y), 1e-12);
    }
    for name in ["running_mean", "running_var", "num_batches_tracked"] {
        near(&floats(params.get(name).unwrap().var()), &numbers(&file["state"][name]), 1e-14);
    }
}

#[test]
fn serving_changes_nothing() {
    let model = UNet { channels: vec![4, 8], dropout: 0.5, ..UNet::default() };
    let (params, net) = build(&model, &spec(2), DType::F32);
    let before = params.snapshot().unwrap();
    let x = common::image(&[1, 3, 8, 8], DType::F32);
    let mut all = (0..2).map(|_| floats(net.forward(&x, &mut Cx::eval()).unwrap().want("logits").unwrap()));
    assert_eq!(all.next(), all.next());
    for (name, value) in params.snapshot().unwrap() {
        assert_eq!(floats(&value), floats(&before[&name]), "{name}");
    }
}

#[test]
fn dropout_repeats_with_the_generator_and_keeps_the_mean() {
    let x = Tensor::ones((40, 50, 2, 2), DType::F64, &CPU).unwrap();
    let single = Dropout { p: 0.25 };
    let whole = Dropout2d { p: 0.25 };
    let one = floats(&single.forward(&x, &mut training()).unwrap());
    assert_eq!(one, floats(&single.forward(&x, &mut training()).unwrap()));
    let two = floats(&whole.forward(&x, &mut training()).unwrap());
    assert!(two.chunks(4).all(|channel| channel.iter().all(|v| *v == channel[0])));
    for y in [one, two] {
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        assert!((mean - 1.0).abs() < 0.06, "{mean}");
        assert!(y.iter().all(|v| *v == 0.0 || *v == 1.0 / 0.75));
    }
    assert_eq!(floats(&single.forward(&x, &mut Cx::eval()).unwrap()), floats(&x));
}

#[test]
fn a_transposed_convolution_reaches_the_sizes_that_lead_back_and_no_others() {
    let mut params = Params::new(0, DType::F32, &CPU);
    let up = ConvTranspose2d::new(params.root(), &ConvTranspose2dShape::new(3, 2, 2, 2)).unwrap();
    let x = normal(&[1, 3, 4, 5], DType::F32);
    assert_eq!(up.forward(&x).unwrap().dims(), [1, 2, 8, 10]);
    assert_eq!(up.forward_to(&x, [9, 10]).unwrap().dims(), [1, 2, 9, 10]);
    assert!(up.forward_to(&x, [10, 10]).is_err());
    assert!(up.forward_to(&x, [7, 10]).is_err());
}
