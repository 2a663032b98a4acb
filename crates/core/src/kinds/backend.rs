//! Backends: what executes a run, in three seats.

use crate::image::Image;
use crate::kinds::loss::{LossInput, Target};
use crate::{Device, Result, Tensor, config};
use std::sync::Arc;

/// A job in a run.
#[config]
#[derive(PartialOrd, Ord)]
pub enum Seat {
    /// Tensors with gradients.
    Train,
    /// Fused losses and pixel passes.
    Kernels,
    /// Inference.
    Eval,
}

/// The type of the numbers in training.
#[config]
#[derive(Default)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    #[config(name = "32-true")]
    F32,
    /// 64-bit floats.
    #[config(name = "64-true")]
    F64,
    /// 16-bit brain floats with 32-bit weights.
    #[config(name = "bf16-mixed")]
    Bf16Mixed,
    /// 16-bit floats with 32-bit weights and loss scaling.
    #[config(name = "16-mixed")]
    F16Mixed,
}

/// Slices that a fused loss reads.
#[derive(Debug, Clone, Copy)]
pub struct FusedInput<'a> {
    /// The prediction, row-major.
    pub prediction: &'a [f32],
    /// Its shape.
    pub shape: &'a [usize],
    /// The target, for [`Target::Mask`] and [`Target::Values`]; empty otherwise.
    pub target: &'a [f32],
    /// The target, for [`Target::Class`]; empty otherwise.
    pub classes: &'a [u32],
}

/// What a fused loss makes: its value, and the gradient of the value with respect to the prediction, row-major.
pub type Fused = (f64, Vec<f32>);

/// The body of a [`FusedLoss`] on slices.
pub type FusedLossBody = dyn Fn(&FusedInput<'_>) -> Result<Fused> + Send + Sync;

/// A loss as one pass: value and gradient together, without intermediate tensors.
#[derive(Clone)]
pub struct FusedLoss {
    /// Name of the kernel.
    pub name: &'static str,
    /// On slices, single precision.
    pub cpu: Arc<FusedLossBody>,
}

/// The body of a [`FusedTouch`] on an image.
pub type FusedTouchBody = dyn Fn(&Image) -> Result<Image> + Send + Sync;

/// A pass over pixels as one kernel.
#[derive(Clone)]
pub struct FusedTouch {
    /// Name of the kernel.
    pub name: &'static str,
    /// On one image.
    pub cpu: Arc<FusedTouchBody>,
}

/// Executes a part of a run.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a backend, and does not implement `Backend`",
    label = "write `impl Backend for {Self}`"
)]
pub trait Backend: std::fmt::Debug + Send + Sync + 'static {
    /// The jobs it can do.
    fn seats(&self) -> &'static [Seat];

    /// Where its tensors live.
    ///
    /// # Errors
    /// The device is not there.
    fn device(&self) -> Result<Device> {
        Ok(Device::Cpu)
    }

    /// The types of numbers it trains in.
    fn precisions(&self) -> &'static [Precision] {
        &[]
    }

    /// Runs a fused loss; `None` where it has no kernel for it, and the plain definition runs.
    fn fused_loss(&self, _loss: &FusedLoss, _x: &LossInput<'_>, _target: Target) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Runs a fused pass over pixels; `None` where it has no kernel for it.
    fn fused_touch(&self, _touch: &FusedTouch, _image: &Image) -> Result<Option<Image>> {
        Ok(None)
    }
}

crate::kind!(Backend, "backend");
