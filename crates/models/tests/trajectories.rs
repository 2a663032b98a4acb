//! Training follows PyTorch: equal weights and equal batches give equal losses over 20 AdamW steps.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{CPU, build, golden, named, numbers, spec, training};
use pleach_core::kinds::optimizer::Memory;
use pleach_core::{DType, Hyper, Model, Named, Optimizer, Params, Plug, StepGroup, Tensor};
use pleach_models::UNet;
use pleach_ops::{Corners, log_softmax, upsample_bilinear2d};
// Linked for AdamW.
use pleach_optim as _;

const CLASSES: usize = 3;

/// Number `i` of a stream in `[-1, 1)`, as `trajectories.py` has it: the finaliser of SplitMix64.
fn uniform(stream: usize, n: usize) -> Vec<f64> {
    let number = |i: u64| {
        let mut z = (((stream as u64) << 32) + i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..n as u64).map(number).collect()
}

fn set_weights(params: &Params) {
    for (stream, (name, weight)) in params.trainable().enumerate() {
        let var = weight.var();
        let mut values = uniform(stream, var.elem_count());
        if var.rank() > 1 {
            let fan_in = (var.elem_count() / var.dims()[0]) as f64;
            values.iter_mut().for_each(|v| *v /= fan_in.sqrt());
        } else {
            let near = if name.ends_with("weight") { 1.0 } else { 0.0 };
            values.iter_mut().for_each(|v| *v = 0.1 * *v + near);
        }
        let tensor = Tensor::from_vec(values, var.shape(), &CPU).unwrap();
        weight.set(&tensor.to_dtype(var.dtype()).unwrap()).unwrap();
    }
}

/// Images, and the probability 1 of each one's or each pixel's class.
type Batch = (Tensor, Tensor);

fn classification_batch(step: usize) -> Batch {
    let colours = uniform(1000 + step % 2, 4 * 3 * 8 * 8);
    let colours = Tensor::from_vec(colours, (4, 3, 8, 8), &CPU).unwrap();
    let images = upsample_bilinear2d(&colours, [64, 64], Corners::Edges).unwrap();
    let mut right = vec![0f64; 4 * CLASSES];
    for (i, label) in [0, 1, 2, 1].into_iter().enumerate() {
        right[i * CLASSES + label] = 1.0;
    }
    (images, Tensor::from_vec(right, (4, CLASSES), &CPU).unwrap())
}

fn segmentation_batch(step: usize) -> Batch {
    let (n, side) = (2, 32);
    let mut right = vec![0f64; n * CLASSES * side * side];
    for i in 0..n {
        for y in 0..side {
            for x in 0..side {
                let label = (step + i + y / 8 + 2 * (x / 8)) % CLASSES;
                right[((i * CLASSES + label) * side + y) * side + x] = 1.0;
            }
        }
    }
    let right = Tensor::from_vec(right, (n, CLASSES, side, side), &CPU).unwrap();
    let noise = Tensor::from_vec(uniform(1000 + step, right.elem_count()), right.shape(), &CPU).unwrap();
    ((noise + (&right * 0.5).unwrap()).unwrap(), right)
}

fn losses(model: &dyn Model, batch: fn(usize) -> Batch, lr: f64, dtype: DType) -> Vec<f64> {
    let (params, net) = build(model, &spec(CLASSES), dtype);
    set_weights(&params);
    let adamw = Plug::<dyn Optimizer>::named("AdamW").unwrap();
    let mut memory = Memory::default();
    let step = |step| {
        let (images, right) = batch(step);
        let x = Named::one("image", images.to_dtype(dtype).unwrap());
        let out = net.forward(&x, &mut training()).unwrap();
        let logp = log_softmax(out.want("logits").unwrap(), 1).unwrap();
        let samples = (right.elem_count() / CLASSES) as f64;
        let picked = (logp * right.to_dtype(dtype).unwrap()).unwrap().sum_all().unwrap();
        let loss = (picked / -samples).unwrap();
        let grads = loss.backward().unwrap();
        let all = params.trainable().map(|(name, w)| (name, w, grads.get(w.var()).unwrap().clone())).collect();
        let group = StepGroup {
            key: "group:0",
            params: all,
            hyper: Hyper { lr, momentum: adamw.momentum() },
            others: &[],
            scale: 1.0,
            follow: None,
        };
        adamw.step(&group, &mut memory, None).unwrap();
        loss.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap()
    };
    (0..20).map(step).collect()
}

fn follows_pytorch(name: &str, model: &dyn Model, batch: fn(usize) -> Batch, lr: f64) {
    let file = golden(include_str!("golden/trajectories.json"));
    for (key, dtype, tolerance) in [("float64", DType::F64, 1e-7), ("float32", DType::F32, 1e-3)] {
        let theirs = numbers(&file[name][key]);
        let ours = losses(model, batch, lr, dtype);
        let far: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| (a / b - 1.0).abs()).collect();
        println!("{name} in {key}: at most {:.1e} from PyTorch", far.iter().fold(0.0, |m: f64, d| m.max(*d)));
        assert!(far.iter().all(|d| *d <= tolerance), "{name} in {key}: {far:?} from {theirs:?}");
        assert!(theirs[19] < 0.7 * theirs[0], "the golden run learns nothing");
    }
}

#[test]
fn a_resnet18_follows_pytorchs_loss_for_20_adamw_steps() {
    follows_pytorch("ResNet18", &*named("ResNet18"), classification_batch, 1e-5);
}

#[test]
fn a_unet_follows_pytorchs_loss_for_20_adamw_steps() {
    follows_pytorch("UNet", &UNet { channels: vec![8, 16, 32], ..UNet::default() }, segmentation_batch, 1e-3);
}
