//! A transposed convolution with its weight.

use super::Bias;
use pleach_core::params::Weight;
use pleach_core::{Error, Init, Result, Scope, Tensor};
use pleach_ops as ops;

/// The measures of a transposed convolution; kernels are square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvTranspose2dShape {
    /// Channels that come in.
    pub in_channels: usize,
    /// Channels that go out.
    pub out_channels: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Stride, padding, dilation and groups.
    pub walk: ops::ConvTranspose2d,
    /// Whether there is a bias.
    pub bias: Bias,
}

impl ConvTranspose2dShape {
    /// No padding, one group and a bias.
    pub fn new(in_channels: usize, out_channels: usize, kernel: usize, stride: usize) -> Self {
        let walk = ops::ConvTranspose2d { stride: [stride; 2], ..Default::default() };
        Self { in_channels, out_channels, kernel, walk, bias: Bias::default() }
    }
}

/// A transposed convolution: `weight` `[in, out / groups, kernel, kernel]` and `bias` `[out]`.
#[derive(Debug)]
pub struct ConvTranspose2d {
    weight: Weight,
    bias: Option<Weight>,
    walk: ops::ConvTranspose2d,
    kernel: usize,
}

impl ConvTranspose2d {
    /// Makes the weights in `scope`, with PyTorch's default first values.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(mut scope: Scope<'_>, shape: &ConvTranspose2dShape) -> Result<Self> {
        let each = shape.out_channels / shape.walk.groups.max(1);
        // PyTorch reads the fan in off the weight's second dimension, which is the output's here.
        let fan_in = each * shape.kernel * shape.kernel;
        let dims = (shape.in_channels, each, shape.kernel, shape.kernel);
        let weight = scope.param("weight", dims, Init::pytorch_weight(fan_in))?;
        let bias = shape.bias.make(&mut scope, shape.out_channels, fan_in)?;
        Ok(Self { weight, bias, walk: shape.walk, kernel: shape.kernel })
    }

    /// `[N, in, H, W]` to `[N, out, H', W']`.
    ///
    /// # Errors
    /// The channels do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.walk_over(x, &self.walk)
    }

    /// The same to a size `[H', W']` that a convolution of these measures would have brought to H x W: PyTorch's
    /// `output_size`. Of several such sizes the plain [`forward`](Self::forward) gives the least.
    ///
    /// # Errors
    /// No such convolution leads from that size to the input's.
    pub fn forward_to(&self, x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        let (_, _, h, w) = x.dims4()?;
        let mut walk = self.walk;
        for (axis, from) in [h, w].into_iter().enumerate() {
            let reach = from.saturating_sub(1) * walk.stride[axis] + walk.dilation[axis] * (self.kernel - 1) + 1;
            let least = reach.saturating_sub(2 * walk.padding[axis]);
            walk.output_padding[axis] = size[axis].checked_sub(least).ok_or_else(|| {
                Error::new("PL0221", format!("a transposed convolution cannot bring {h} x {w} to {size:?}"))
            })?;
        }
        self.walk_over(x, &walk)
    }

    fn walk_over(&self, x: &Tensor, walk: &ops::ConvTranspose2d) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Weight::value);
        Ok(ops::conv_transpose2d(x, &self.weight.value(), bias.as_ref(), walk)?)
    }
}
