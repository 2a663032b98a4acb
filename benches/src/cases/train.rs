//! A training step as the trainer takes it: forward, fused loss, backward, AdamW.

use super::{Run, classes, mask, noise};
use pleach_backends::Cpu;
use pleach_core::export::serde_json::{Value as Json, json};
use pleach_core::kinds::loss::value;
use pleach_core::kinds::optimizer::Memory;
use pleach_core::param_groups::OptimizerConfig;
use pleach_core::params::Params;
use pleach_core::{
    Cx, DType, Device, Error, Init, Loss, LossInput, Mode, Model, ModelSpec, Named, Net, Optimizer, Plug, Purpose,
    Result, Rng, Scope, Tensor, saved,
};
use pleach_models as _;
use pleach_ops as ops;
use pleach_optim as _;
use pleach_train::groups::{Descent, Groups};

pub fn open(name: &str) -> Result<Run> {
    let mut params = Params::new(0, DType::F32, &Device::Cpu);
    let mut image = |name: &str, keys: Json, outputs: usize| -> Result<Box<dyn Net>> {
        let mut all = Plug::<dyn Model>::named(name)?.saved()?;
        if let (Some(all), Json::Object(keys)) = (all.as_object_mut(), keys) {
            all.extend(keys);
        }
        let model: Plug<dyn Model> = saved::load(&all)?;
        model.build(params.root(), &ModelSpec { in_channels: 3, out_channels: outputs, frames: 1, size: None })
    };
    let (net, x, loss, target) = match name {
        "unet" => {
            let net = image("UNet", json!({ "up": "nearest" }), 1)?;
            (net, noise(&[4, 3, 128, 128])?, "BCE", mask(&[4, 1, 128, 128], 0.5)?)
        }
        "resnet18" => {
            (image("ResNet18", json!({}), 10)?, noise(&[8, 3, 224, 224])?, "CrossEntropy", classes(&[8], 10)?)
        }
        "transformer" => {
            let net: Box<dyn Net> = Box::new(Encoder::new(params.root())?);
            (net, noise(&[8, 128, 256])?, "MSE", noise(&[8, 128, 256])?)
        }
        _ => return Err(Error::new("PL0101", format!("no net is called `{name}`"))),
    };
    let loss = Plug::<dyn Loss>::named(loss)?;
    let targets = Named::one(loss.wants().target.key(), target);
    let inputs = Named::one("image", x);
    let config = OptimizerConfig::of_all(Plug::<dyn Optimizer>::named("AdamW")?);
    let groups = Groups::new(&config, &params)?;
    let (rates, mut memory, kernels) = (groups.rates(), Memory::default(), Cpu {});
    let mut step = 0;
    Ok(Box::new(move || {
        step += 1;
        let rng = Rng::named(step, Purpose::Net, "bench");
        let mut cx = Cx { mode: Mode::Train, rng, step };
        let outputs = net.forward(&inputs, &mut cx)?;
        let prediction = outputs.first().ok_or_else(|| Error::new("PL0202", "the net gives nothing"))?;
        let mut grads = ops::backward(&value(&*loss, &LossInput { prediction, targets: &targets }, &kernels)?)?;
        let gradients: std::collections::BTreeMap<_, _> = params
            .trainable()
            .filter_map(|(name, w)| Some((name.to_owned(), grads.remove(w.var().as_tensor())?)))
            .collect();
        let by = Descent { gradients: &gradients, scale: 1.0, follow: None };
        let mut again = || Err(Error::new("PL0402", "AdamW asks for no more"));
        groups.step(&params, &by, &mut memory, &rates, &mut again).map(drop)
    }))
}

/// Two pre-norm encoder layers of width 256 with 4 heads, as `torch.nn.TransformerEncoderLayer` has them.
struct Encoder {
    layers: Vec<Layer>,
}

struct Layer {
    norms: [(Tensor, Tensor); 2],
    qkv: (Tensor, Tensor),
    out: (Tensor, Tensor),
    up: (Tensor, Tensor),
    down: (Tensor, Tensor),
}

const WIDTH: usize = 256;
const HEADS: usize = 4;

impl Encoder {
    fn new(mut scope: Scope<'_>) -> Result<Self> {
        let layer = |mut scope: Scope<'_>| -> Result<Layer> {
            let mut linear = |name: &str, o: usize, i: usize| -> Result<(Tensor, Tensor)> {
                let mut scope = scope.at(name);
                let bound = 1.0 / (i as f64).sqrt();
                let weight = scope.param("weight", (o, i), Init::Uniform(bound))?.var().as_tensor().clone();
                Ok((weight, scope.param("bias", o, Init::Uniform(bound))?.var().as_tensor().clone()))
            };
            let (qkv, out) = (linear("qkv", 3 * WIDTH, WIDTH)?, linear("out", WIDTH, WIDTH)?);
            let (up, down) = (linear("up", 4 * WIDTH, WIDTH)?, linear("down", WIDTH, 4 * WIDTH)?);
            let mut norm = |name: &str| -> Result<(Tensor, Tensor)> {
                let mut scope = scope.at(name);
                let weight = scope.param("weight", WIDTH, Init::Const(1.0))?.var().as_tensor().clone();
                Ok((weight, scope.param("bias", WIDTH, Init::Const(0.0))?.var().as_tensor().clone()))
            };
            Ok(Layer { norms: [norm("norm1")?, norm("norm2")?], qkv, out, up, down })
        };
        Ok(Self { layers: (0..2).map(|i| layer(scope.at(i.to_string()))).collect::<Result<_>>()? })
    }
}

impl Net for Encoder {
    fn forward(&self, x: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        let mut x = x.want("image")?.clone();
        for layer in &self.layers {
            x = ops::residual(ops::Then::Identity, || Ok::<_, Error>([x.clone(), layer.attend(&x)?]))?;
            x = ops::residual(ops::Then::Identity, || Ok::<_, Error>([x.clone(), layer.widen(&x)?]))?;
        }
        Ok(Named::one("values", x))
    }
}

impl Layer {
    fn norm(&self, i: usize, x: &Tensor) -> Result<Tensor> {
        let [first, second] = &self.norms;
        let (weight, bias) = if i == 0 { first } else { second };
        Ok(ops::layer_norm(x, 1, Some(weight), Some(bias), 1e-5)?)
    }

    fn widen(&self, x: &Tensor) -> Result<Tensor> {
        let (up, down) = (&self.up, &self.down);
        let wide = ops::linear_then(&self.norm(1, x)?, &up.0, Some(&up.1), ops::Then::Relu)?;
        Ok(ops::linear(&wide, &down.0, Some(&down.1))?)
    }

    fn attend(&self, x: &Tensor) -> Result<Tensor> {
        let qkv = ops::linear(&self.norm(0, x)?, &self.qkv.0, Some(&self.qkv.1))?;
        let mixed = ops::self_attention(&qkv, HEADS, ops::Sight::All)?;
        Ok(ops::linear(&mixed, &self.out.0, Some(&self.out.1))?)
    }
}
