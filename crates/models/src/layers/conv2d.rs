//! A convolution with its weight.

use super::Bias;
use pleach_core::params::Weight;
use pleach_core::{Init, Result, Scope, Tensor};
use pleach_ops as ops;

/// First values of a convolution's weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConvInit {
    /// PyTorch's default, `kaiming_uniform_(a = sqrt(5))`: uniform within 1 / sqrt(fan in).
    #[default]
    KaimingUniform,
    /// torchvision's ResNets', `kaiming_normal_(mode = "fan_out", nonlinearity = "relu")`.
    KaimingNormalFanOut,
}

/// The measures of a convolution; kernels are square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2dShape {
    /// Channels that come in.
    pub in_channels: usize,
    /// Channels that go out.
    pub out_channels: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Stride, padding, dilation and groups.
    pub walk: ops::Conv2d,
    /// Whether there is a bias.
    pub bias: Bias,
    /// First values.
    pub init: ConvInit,
}

impl Conv2dShape {
    /// Stride 1, no padding, one group, a bias, PyTorch's first values.
    pub fn new(in_channels: usize, out_channels: usize, kernel: usize) -> Self {
        let (walk, bias, init) = (ops::Conv2d::default(), Bias::default(), ConvInit::default());
        Self { in_channels, out_channels, kernel, walk, bias, init }
    }

    /// With this step between windows.
    #[must_use]
    pub fn stride(mut self, stride: usize) -> Self {
        self.walk.stride = [stride; 2];
        self
    }

    /// With this many zeros on each side.
    #[must_use]
    pub fn padding(mut self, padding: usize) -> Self {
        self.walk.padding = [padding; 2];
        self
    }

    /// With this step between the taps of a window.
    #[must_use]
    pub fn dilation(mut self, dilation: usize) -> Self {
        self.walk.dilation = [dilation; 2];
        self
    }

    /// With the channels cut into this many groups.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.walk.groups = groups;
        self
    }

    /// With or without a bias.
    #[must_use]
    pub fn bias(mut self, bias: Bias) -> Self {
        self.bias = bias;
        self
    }

    /// With these first values.
    #[must_use]
    pub fn init(mut self, init: ConvInit) -> Self {
        self.init = init;
        self
    }
}

/// A convolution: `weight` `[out, in / groups, kernel, kernel]` and `bias` `[out]`.
#[derive(Debug)]
pub struct Conv2d {
    weight: Weight,
    bias: Option<Weight>,
    walk: ops::Conv2d,
}

impl Conv2d {
    /// Makes the weights in `scope`.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(mut scope: Scope<'_>, shape: &Conv2dShape) -> Result<Self> {
        let (out, each) = (shape.out_channels, shape.in_channels / shape.walk.groups.max(1));
        let area = shape.kernel * shape.kernel;
        let init = match shape.init {
            ConvInit::KaimingUniform => Init::pytorch_weight(each * area),
            ConvInit::KaimingNormalFanOut => Init::kaiming_normal_fan_out(out * area),
        };
        let weight = scope.param("weight", (out, each, shape.kernel, shape.kernel), init)?;
        let bias = shape.bias.make(&mut scope, out, each * area)?;
        Ok(Self { weight, bias, walk: shape.walk })
    }

    /// `[N, in, H, W]` to `[N, out, H', W']`.
    ///
    /// # Errors
    /// The channels do not fit, or the padded image is smaller than the kernel.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Weight::value);
        Ok(ops::conv2d(x, &self.weight.value(), bias.as_ref(), &self.walk)?)
    }
}
