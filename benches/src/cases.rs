//! Our side of each case; `peers/serve.py` has the other under the same names.

mod conv;
mod loss;
mod optim;
mod train;

use pleach_core::{Device, Error, Result, Tensor};

/// One run of a case.
pub type Run = Box<dyn FnMut() -> Result<()>>;

/// All cases.
pub const NAMES: &[&str] = &[
    "train/unet",
    "train/resnet18",
    "train/transformer",
    "conv/3x3/forward",
    "conv/3x3/dx",
    "conv/3x3/dw",
    "conv/7x7s2/forward",
    "conv/7x7s2/dx",
    "conv/7x7s2/dw",
    "conv/1x1/forward",
    "conv/1x1/dx",
    "conv/1x1/dw",
    "conv/3x3s2/forward",
    "conv/3x3s2/dx",
    "conv/3x3s2/dw",
    "conv/deep3x3/forward",
    "conv/deep3x3/dx",
    "conv/deep3x3/dw",
    "optim/adamw/fused",
    "optim/adamw/default",
    "optim/sgd/fused",
    "optim/sgd/default",
    "loss/bce",
    "loss/dice",
    "loss/dicebce",
    "loss/tversky",
    "loss/focal_tversky",
    "loss/ce21",
    "loss/dicece21",
];

/// Prepares a case.
pub fn open(name: &str) -> Result<Run> {
    let unknown = || Error::new("PL0101", format!("there is no case `{name}`"));
    let (kind, case) = name.split_once('/').ok_or_else(unknown)?;
    match kind {
        "train" => train::open(case),
        "conv" => conv::open(case),
        "optim" => optim::open(case),
        "loss" => loss::open(case),
        _ => Err(unknown()),
    }
}

/// Normal noise.
fn noise(shape: &[usize]) -> Result<Tensor> {
    Ok(Tensor::randn(0f32, 1.0, shape, &Device::Cpu)?)
}

/// Ones with the probability `share`, zeros otherwise.
fn mask(shape: &[usize], share: f32) -> Result<Tensor> {
    let noise = Tensor::rand(0f32, 1.0, shape, &Device::Cpu)?;
    Ok(noise.lt(share)?.to_dtype(pleach_core::DType::F32)?)
}

/// Classes below `n`.
fn classes(shape: &[usize], n: u32) -> Result<Tensor> {
    Ok((Tensor::rand(0f32, 1.0, shape, &Device::Cpu)? * f64::from(n))?.to_dtype(pleach_core::DType::U32)?)
}
