//! What several tests need: nets in f64, inputs, golden files.
#![allow(dead_code)]

use pleach_core::rng::Stream;
use pleach_core::{Cx, DType, Device, Mode, Model, ModelSpec, Named, Net, Params, Plug, Purpose, Rng, Tensor};
// Linked for its plugins.
use pleach_models as _;

pub const CPU: Device = Device::Cpu;

/// What a task of `out` classes on images of 3 channels asks for.
pub fn spec(out: usize) -> ModelSpec {
    ModelSpec { in_channels: 3, out_channels: out, frames: 1, size: None }
}

pub fn build(model: &dyn Model, spec: &ModelSpec, dtype: DType) -> (Params, Box<dyn Net>) {
    let mut params = Params::new(11, dtype, &CPU);
    let net = model.build(params.root(), spec).unwrap();
    (params, net)
}

pub fn named(name: &str) -> Plug<dyn Model> {
    Plug::named(name).unwrap()
}

/// Normal numbers, the same for the same shape.
pub fn normal(shape: &[usize], dtype: DType) -> Tensor {
    let mut rng = Rng::named(5, Purpose::Other, &format!("{shape:?}"));
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| rng.normal()).collect();
    Tensor::from_vec(values, shape, &CPU).unwrap().to_dtype(dtype).unwrap()
}

pub fn image(shape: &[usize], dtype: DType) -> Named<Tensor> {
    Named::one("image", normal(shape, dtype))
}

pub fn training() -> Cx {
    Cx { mode: Mode::Train, rng: Rng::new(3, Purpose::Net, Stream::default()), step: 0 }
}

pub fn logits(net: &dyn Net, shape: &[usize], cx: &mut Cx) -> pleach_core::Result<Tensor> {
    net.forward(&image(shape, DType::F32), cx).map(|out| out.want("logits").unwrap().clone())
}

pub fn floats(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

pub fn golden(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

pub fn numbers(json: &serde_json::Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}
