//! The parameters and buffers of a net by name, with their first values.

use crate::rng::{Purpose, Rng};
use crate::{DType, Device, Error, Result, Tensor, Var};
use candle_core::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// First values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// The same number everywhere.
    Const(f64),
    /// Uniform in `[-bound, bound)`.
    Uniform(f64),
    /// Normal with this mean and standard deviation.
    Normal(f64, f64),
}

impl Init {
    /// PyTorch's default for the weight of a linear or convolution layer:
    /// `kaiming_uniform_(a = sqrt(5))`, which is uniform within 1 / sqrt(fan in).
    pub fn pytorch_weight(fan_in: usize) -> Self {
        Self::Uniform(1.0 / (fan_in.max(1) as f64).sqrt())
    }

    /// `kaiming_normal_(mode = "fan_out", nonlinearity = "relu")`, as torchvision's ResNets have it.
    pub fn kaiming_normal_fan_out(fan_out: usize) -> Self {
        Self::Normal(0.0, (2.0 / fan_out.max(1) as f64).sqrt())
    }
}

#[derive(Debug)]
struct Inner {
    var: Var,
    buffer: bool,
    frozen: AtomicBool,
}

/// A handle to one parameter or buffer, shared between the net and the store.
#[derive(Debug, Clone)]
pub struct Weight(Arc<Inner>);

impl Weight {
    /// The value; a frozen parameter and a buffer take no gradient.
    pub fn value(&self) -> Tensor {
        if self.0.buffer || self.is_frozen() { self.0.var.as_detached_tensor() } else { self.0.var.as_tensor().clone() }
    }

    /// The variable itself.
    pub fn var(&self) -> &Var {
        &self.0.var
    }

    /// Puts a new value in its place.
    ///
    /// # Errors
    /// The shape, type or device differs.
    pub fn set(&self, value: &Tensor) -> Result<()> {
        // Algebra over nothing returns what it was given, and a variable does not take itself for a new value.
        if value.elem_count() == 0 && value.dims() == self.0.var.dims() {
            return Ok(());
        }
        Ok(self.0.var.set(&value.detach())?)
    }

    /// Gives it the value that `new` makes of the present one, perhaps by writing over it.
    ///
    /// # Errors
    /// `new` fails, or gives another shape.
    pub fn update(&self, new: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<()> {
        let now = self.0.var.as_detached_tensor();
        let new = new(&now)?;
        if new.id() == now.id() { Ok(()) } else { self.set(&new) }
    }

    /// Whether it is a buffer (a running statistic), which no optimizer touches.
    pub fn is_buffer(&self) -> bool {
        self.0.buffer
    }

    /// Whether training leaves it as it is.
    pub fn is_frozen(&self) -> bool {
        self.0.frozen.load(Ordering::Relaxed)
    }
}

/// All parameters and buffers of a net.
#[derive(Debug)]
pub struct Params {
    all: BTreeMap<String, Weight>,
    device: Device,
    dtype: DType,
    seed: u64,
}

impl Params {
    /// An empty store; first values come from the seed and the name alone.
    pub fn new(seed: u64, dtype: DType, device: &Device) -> Self {
        Self { all: BTreeMap::new(), device: device.clone(), dtype, seed }
    }

    /// Where a net puts its parameters.
    pub fn root(&mut self) -> Scope<'_> {
        Scope { params: self, prefix: String::new() }
    }

    /// Type of the parameters.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Where they live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Parameters and buffers by name, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Weight)> {
        self.all.iter().map(|(name, weight)| (name.as_str(), weight))
    }

    /// The parameters that training changes.
    pub fn trainable(&self) -> impl Iterator<Item = (&str, &Weight)> {
        self.iter().filter(|(_, w)| !w.is_buffer() && !w.is_frozen())
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Weight> {
        self.all.get(name)
    }

    /// Freezes the parameters for which `chosen` is true and thaws the others; returns how many are frozen.
    pub fn freeze(&self, chosen: impl Fn(&str) -> bool) -> usize {
        let mut frozen = 0;
        for (name, weight) in &self.all {
            let freeze = !weight.is_buffer() && chosen(name);
            weight.0.frozen.store(freeze, Ordering::Relaxed);
            frozen += usize::from(freeze);
        }
        frozen
    }

    /// Number of values in all parameters, buffers left out.
    pub fn count(&self) -> usize {
        self.all.values().filter(|w| !w.is_buffer()).map(|w| w.var().elem_count()).sum()
    }

    /// Copies of all values: what a checkpoint holds.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>> {
        self.all.iter().map(|(n, w)| Ok((n.clone(), w.var().as_detached_tensor().copy()?))).collect()
    }
}

/// A place in the tree of names (`layer1.0.conv1`).
#[derive(Debug)]
pub struct Scope<'a> {
    params: &'a mut Params,
    prefix: String,
}

impl Scope<'_> {
    /// The place below, `prefix.name`.
    pub fn at(&mut self, name: impl AsRef<str>) -> Scope<'_> {
        let prefix = self.path(name.as_ref());
        Scope { params: self.params, prefix }
    }

    /// Type of the parameters.
    pub fn dtype(&self) -> DType {
        self.params.dtype
    }

    /// Where they live.
    pub fn device(&self) -> Device {
        self.params.device.clone()
    }

    /// A trainable parameter.
    ///
    /// # Errors
    /// The name is taken.
    pub fn param(&mut self, name: &str, shape: impl Into<Shape>, init: Init) -> Result<Weight> {
        self.make(name, shape.into(), init, false)
    }

    /// A buffer: saved with the parameters, never trained.
    ///
    /// # Errors
    /// The name is taken.
    pub fn buffer(&mut self, name: &str, shape: impl Into<Shape>, init: Init) -> Result<Weight> {
        self.make(name, shape.into(), init, true)
    }

    fn path(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }

    fn make(&mut self, name: &str, shape: Shape, init: Init, buffer: bool) -> Result<Weight> {
        let path = self.path(name);
        if self.params.all.contains_key(&path) {
            return Err(Error::new("PL0205", format!("two parameters are called `{path}`")));
        }
        let n = shape.elem_count();
        let mut rng = Rng::named(self.params.seed, Purpose::Init, &path);
        let values: Vec<f64> = match init {
            Init::Const(x) => vec![x; n],
            Init::Uniform(bound) => (0..n).map(|_| rng.range(-bound, bound)).collect(),
            Init::Normal(mean, std) => (0..n).map(|_| mean + std * rng.normal()).collect(),
        };
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?
            .to_dtype(self.params.dtype)?
            .to_device(&self.params.device)?;
        let weight =
            Weight(Arc::new(Inner { var: Var::from_tensor(&tensor)?, buffer, frozen: AtomicBool::new(false) }));
        self.params.all.insert(path, weight.clone());
        Ok(weight)
    }
}
