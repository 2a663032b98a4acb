//! Residual networks as torchvision has them (version 1.5: a bottleneck strides in its 3 x 3 convolution), under its names.

mod block;
pub mod resnet101;
pub mod resnet18;
pub mod resnet34;
pub mod resnet50;

use crate::input::{still, stills_only};
use crate::layers::{BatchNorm2d, Bias, Conv2d, Conv2dShape, ConvInit, Linear};
pub use block::Kind;
use block::{Block, BlockShape};
use pleach_core::{Cx, Error, ModelSpec, Named, Net, Result, Scope, Tensor};
use pleach_ops::{self as ops, Pool2d, Then};

/// First values of the last norm in each residual branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LastNorm {
    /// Weights of 1.
    #[default]
    One,
    /// Weights of 0, so that each block begins as its shortcut (arXiv:1706.02677); some 0.2 % better on ImageNet.
    Zero,
}

impl LastNorm {
    /// What the parameter `zero_init_residual` says.
    fn of(zero_init_residual: bool) -> Self {
        if zero_init_residual { Self::Zero } else { Self::One }
    }

    fn scale(self) -> f64 {
        match self {
            Self::One => 1.0,
            Self::Zero => 0.0,
        }
    }
}

/// The measures of a residual network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measures {
    /// The model's name, for messages.
    pub model: &'static str,
    /// What the blocks are made of.
    pub kind: Kind,
    /// Blocks of each of the four layers.
    pub layers: [usize; 4],
    /// Groups of the bottlenecks' 3 x 3 convolution (ResNeXt); 1 otherwise.
    pub groups: usize,
    /// Channels of a group in the first layer's bottlenecks; 64 otherwise.
    pub width_per_group: usize,
    /// Whether layers 2, 3 and 4 dilate their convolutions in place of a stride.
    pub dilated: [bool; 3],
    /// First values of the last norm in each branch.
    pub last_norm: LastNorm,
}

impl Measures {
    /// A plain network of two 3 x 3 convolutions a block.
    pub fn basic(model: &'static str, layers: [usize; 4]) -> Self {
        let last_norm = LastNorm::default();
        Self { model, kind: Kind::Basic, layers, groups: 1, width_per_group: 64, dilated: [false; 3], last_norm }
    }

    /// A plain network of bottlenecks.
    pub fn bottleneck(model: &'static str, layers: [usize; 4]) -> Self {
        Self { kind: Kind::Bottleneck, ..Self::basic(model, layers) }
    }
}

/// The network without its head: a stem and four layers of blocks.
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    layers: Vec<Vec<Block>>,
    channels: [usize; 4],
}

impl ResNet {
    /// Makes `conv1`, `bn1` and `layer1` to `layer4` in `scope`, with torchvision's first values.
    ///
    /// # Errors
    /// The groups do not divide a width, basic blocks are to have groups or dilation, or a name is taken.
    pub fn new(scope: &mut Scope<'_>, in_channels: usize, measures: &Measures) -> Result<Self> {
        let stem = Conv2dShape::new(in_channels, 64, 7).stride(2).padding(3).bias(Bias::Without);
        let conv1 = Conv2d::new(scope.at("conv1"), &stem.init(ConvInit::KaimingNormalFanOut))?;
        let bn1 = BatchNorm2d::new(scope.at("bn1"), 64)?;
        let (mut cin, mut dilation) = (64, 1);
        let (mut layers, mut channels) = (Vec::new(), [0; 4]);
        for (i, &blocks) in measures.layers.iter().enumerate() {
            let planes = 64 << i;
            let dilated = i.checked_sub(1).and_then(|i| measures.dilated.get(i)) == Some(&true);
            let stride = if i == 0 || dilated { 1 } else { 2 };
            // The first block of a dilated layer still walks with the dilation before it.
            let before = dilation;
            if dilated {
                dilation *= 2;
            }
            let mut layer = Vec::new();
            for b in 0..blocks {
                let (stride, dilation) = if b == 0 { (stride, before) } else { (1, dilation) };
                let shape = BlockShape { cin, planes, stride, dilation };
                layer.push(Block::new(scope.at(format!("layer{}.{b}", i + 1)), &shape, measures)?);
                cin = planes * measures.kind.expansion();
            }
            layers.push(layer);
            channels[i] = cin;
        }
        Ok(Self { conv1, bn1, layers, channels })
    }

    /// Channels of the four feature maps.
    pub fn channels(&self) -> [usize; 4] {
        self.channels
    }

    /// The feature maps after each layer, from `[N, C, H, W]`: a 4th, 8th, 16th and 32nd of the size.
    ///
    /// # Errors
    /// The channels do not fit.
    pub fn features(&self, x: &Tensor, cx: &Cx) -> Result<Vec<Tensor>> {
        let mut x = self.bn1.forward_then(&self.conv1.forward(x)?, cx, Then::Relu)?;
        x = ops::max_pool2d(&x, &Pool2d { kernel: [3; 2], stride: [2; 2], padding: [1; 2], ceil_mode: false })?;
        let mut maps = Vec::new();
        for layer in &self.layers {
            for block in layer {
                x = block.forward(&x, cx)?;
            }
            maps.push(x.clone());
        }
        Ok(maps)
    }
}

/// The network with the mean over all pixels and the head `fc`.
struct Classifier {
    model: &'static str,
    trunk: ResNet,
    fc: Linear,
}

impl Classifier {
    fn build(mut scope: Scope<'_>, spec: &ModelSpec, m: &Measures, classes: Option<usize>) -> Result<Box<dyn Net>> {
        stills_only(m.model, spec)?;
        let classes = classes.unwrap_or(spec.out_channels);
        if classes < spec.out_channels {
            return Err(Error::new(
                "PL0224",
                format!("{} has num_classes = {classes}, the data have {} classes", m.model, spec.out_channels),
            )
            .hint("leave `num_classes` out: it is taken from the data"));
        }
        let trunk = ResNet::new(&mut scope, spec.in_channels, m)?;
        let [.., last] = trunk.channels();
        let fc = Linear::new(scope.at("fc"), last, classes, Bias::With)?;
        Ok(Box::new(Self { model: m.model, trunk, fc }))
    }
}

impl Net for Classifier {
    fn forward(&self, x: &Named<Tensor>, cx: &mut Cx) -> Result<Named<Tensor>> {
        let maps = self.trunk.features(&still(self.model, x)?, cx)?;
        let last = maps.last().ok_or_else(|| Error::new("PL0222", format!("{} has no layer", self.model)))?;
        let features = ops::adaptive_avg_pool2d(last, [1, 1])?.flatten_from(1)?;
        Ok(Named::one("logits", self.fc.forward(&features)?))
    }
}
