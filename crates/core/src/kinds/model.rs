//! Models: configurations that build nets.

use crate::{Named, Result, Rng, Scope, Tensor};

/// What a task and its data ask of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// Channels of a frame.
    pub in_channels: usize,
    /// Channels of the output: classes, or 1 for a binary map.
    pub out_channels: usize,
    /// Frames of a clip; 1 for still images.
    pub frames: usize,
    /// Height and width of a frame where all are alike.
    pub size: Option<(usize, usize)>,
}

/// Whether the net learns or serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Dropout drops, running statistics move.
    Train,
    /// They do not.
    Eval,
}

/// What a forward pass knows besides its inputs.
#[derive(Debug)]
pub struct Cx {
    /// Whether the net learns.
    pub mode: Mode,
    /// Random numbers of this step.
    pub rng: Rng,
    /// The optimizer step.
    pub step: u64,
}

impl Cx {
    /// A pass that serves.
    pub fn eval() -> Self {
        Self { mode: Mode::Eval, rng: Rng::new(0, crate::Purpose::Net, crate::rng::Stream::default()), step: 0 }
    }

    /// Whether the net learns.
    pub fn training(&self) -> bool {
        self.mode == Mode::Train
    }
}

/// A net: named tensors in, named tensors out; the first output is the main one.
pub trait Net: Send {
    /// The forward pass. The main input is called `image`: (N, C, H, W), or (N, F, C, H, W) for clips.
    fn forward(&self, x: &Named<Tensor>, cx: &mut Cx) -> Result<Named<Tensor>>;
}

/// A configuration that builds a net.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a model, and does not implement `Model`",
    label = "write `impl Model for {Self}`"
)]
pub trait Model: std::fmt::Debug + Send + Sync + 'static {
    /// Makes the parameters in `scope` and the net that uses them.
    fn build(&self, scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>>;
}

crate::kind!(Model, "model");
