//! The replay of a loss: its value and its gradient, in tensor algebra and in its fused form.

use crate::deviation::{Deviation, Tolerance};
use crate::keys::{self, Keys};
use crate::read::plugin;
use pleach_core::kinds::backend::FusedInput;
use pleach_core::{DType, Device, Loss, LossInput, Named, Plug, Result, Target, Tensor, Var};
use serde_json::Value as Json;

/// A case, read.
pub(crate) struct Slope {
    pub plug: Plug<dyn Loss>,
    dtype: DType,
    shape: Vec<usize>,
    logits: Vec<f64>,
    target: Truth,
    target_shape: Vec<usize>,
    value: f64,
    grad: Vec<f64>,
}

enum Truth {
    Classes(Vec<u32>),
    Numbers(Vec<f64>),
    Nothing,
}

impl Slope {
    pub fn read(name: &str, kwargs: Json, mut keys: Keys) -> Result<Self> {
        let dtype = keys.dtype()?;
        let shape = keys.shape("shape")?;
        let logits = keys.numbers("logits")?;
        keys::fits("logits", logits.len(), &shape)?;
        let (target, target_shape) = (keys.maybe("target"), keys.maybe("target_shape"));
        let value = keys::number("value", &keys.want("value")?)?;
        let grad = keys.numbers("grad")?;
        keys::fits("grad", grad.len(), &shape)?;
        keys.end()?;
        let plug: Plug<dyn Loss> = plugin(name, kwargs)?;
        let wants = plug.wants().target;
        let target = truth(wants, target.unwrap_or(Json::Null))?;
        let target_shape = match target_shape {
            Some(json) => keys::shape("target_shape", &json)?,
            None => implied(wants, &shape),
        };
        let count = match &target {
            Truth::Nothing => None,
            Truth::Classes(classes) => Some(classes.len()),
            Truth::Numbers(numbers) => Some(numbers.len()),
        };
        if let Some(count) = count {
            keys::fits("target", count, &target_shape)?;
        }
        Ok(Self { plug, dtype, shape, logits, target, target_shape, value, grad })
    }

    /// By the definition.
    pub fn run(&self) -> Result<Deviation> {
        let tolerance = if self.dtype == DType::F64 { Tolerance::Double } else { Tolerance::Single };
        let mut deviation = Deviation::none(tolerance);
        let shape = self.shape.as_slice();
        let x = Var::from_tensor(&Tensor::from_slice(&self.logits, shape, &Device::Cpu)?.to_dtype(self.dtype)?)?;
        let shape = self.target_shape.as_slice();
        let target = match &self.target {
            Truth::Nothing => None,
            Truth::Classes(classes) => Some(Tensor::from_slice(classes, shape, &Device::Cpu)?),
            Truth::Numbers(numbers) => Some(Tensor::from_slice(numbers, shape, &Device::Cpu)?.to_dtype(self.dtype)?),
        };
        let targets: Named<Tensor> = target.into_iter().map(|t| (self.plug.wants().target.key(), t)).collect();
        let value = self.plug.forward(&LossInput { prediction: &x, targets: &targets })?;
        let gradient = match value.backward()?.get(&x) {
            Some(gradient) => gradient.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?,
            None => vec![0.0; self.logits.len()],
        };
        deviation.see(value.to_dtype(DType::F64)?.to_scalar()?, self.value, 0.0);
        deviation.see_all("grad", &gradient, &self.grad)?;
        Ok(deviation)
    }

    /// By the fused form, if there is one. It is for single precision, and for targets of the implied shape; others are
    /// left to the definition.
    pub fn run_fused(&self) -> Result<Option<Deviation>> {
        let Some(fused) = self.plug.fused() else { return Ok(None) };
        let exact = |numbers: &[f64]| numbers.iter().all(|x| f64::from(*x as f32) == *x);
        let given = match &self.target {
            Truth::Numbers(numbers) => exact(&self.logits) && exact(numbers),
            Truth::Classes(_) | Truth::Nothing => exact(&self.logits),
        };
        let fits = self.target_shape == implied(self.plug.wants().target, &self.shape);
        if !fits || (self.dtype == DType::F64 && !given) {
            return Ok(None);
        }
        let mut deviation = Deviation::none(Tolerance::Single);
        let single = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect::<Vec<_>>();
        let prediction = single(&self.logits);
        let (target, classes) = match &self.target {
            Truth::Nothing => (Vec::new(), [].as_slice()),
            Truth::Classes(classes) => (Vec::new(), classes.as_slice()),
            Truth::Numbers(numbers) => (single(numbers), [].as_slice()),
        };
        let input = FusedInput { prediction: &prediction, shape: &self.shape, target: &target, classes };
        let (value, gradient) = (fused.cpu)(&input)?;
        deviation.see(value, self.value, 0.0);
        let gradient: Vec<f64> = gradient.into_iter().map(f64::from).collect();
        deviation.see_all("grad", &gradient, &self.grad)?;
        Ok(Some(deviation))
    }
}

fn truth(wants: Target, json: Json) -> Result<Truth> {
    Ok(match wants {
        Target::Nothing => Truth::Nothing,
        Target::Class => {
            let class = |x: &Json| {
                let n = x.as_i64().or_else(|| x.as_f64().filter(|x| x.fract() == 0.0).map(|x| x as i64));
                // -100 is a class that counts nowhere, and stands as its bits.
                let class = n.and_then(|n| u32::try_from(n).or_else(|_| i32::try_from(n).map(|n| n as u32)).ok());
                class.ok_or_else(|| keys::wrong("target", "a list of whole numbers: the loss is between classes"))
            };
            Truth::Classes(keys::list("target", json)?.iter().map(class).collect::<Result<_>>()?)
        }
        Target::Mask | Target::Values | Target::Pair => Truth::Numbers(keys::numbers("target", &json)?),
    })
}

/// The target's shape where the case does not say it.
fn implied(wants: Target, shape: &[usize]) -> Vec<usize> {
    match wants {
        Target::Class => shape.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, n)| *n).collect(),
        Target::Pair => shape.first().copied().into_iter().collect(),
        Target::Mask | Target::Values | Target::Nothing => shape.to_vec(),
    }
}
