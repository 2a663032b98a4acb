//! One residual block: a branch of convolutions and a shortcut around it.

use super::Measures;
use crate::layers::{BatchNorm2d, Bias, Conv2d, Conv2dShape, ConvInit};
use pleach_core::{Cx, Error, Result, Scope, Tensor};
use pleach_ops::{self as ops, Then};

/// What the blocks of a network are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Two 3 x 3 convolutions.
    Basic,
    /// 1 x 1, 3 x 3, 1 x 1, the last with four times the channels.
    Bottleneck,
}

impl Kind {
    /// Channels that a block gives for each of its planes.
    pub fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// The measures of one block.
pub(super) struct BlockShape {
    pub cin: usize,
    pub planes: usize,
    pub stride: usize,
    pub dilation: usize,
}

pub(super) struct Block {
    branch: Vec<(Conv2d, BatchNorm2d)>,
    downsample: Option<(Conv2d, BatchNorm2d)>,
}

impl Block {
    pub fn new(mut scope: Scope<'_>, shape: &BlockShape, of: &Measures) -> Result<Self> {
        let &BlockShape { cin, planes, stride, dilation } = shape;
        let cout = planes * of.kind.expansion();
        let width = planes * of.width_per_group / 64 * of.groups;
        if width == 0 {
            return Err(Error::new("PL0222", format!("{} has no channels in its bottlenecks", of.model)));
        }
        if of.kind == Kind::Basic && (of.groups != 1 || of.width_per_group != 64 || dilation != 1) {
            return Err(Error::new("PL0222", "basic blocks have neither groups nor widths nor dilation"));
        }
        let three = |cin, cout, stride, dilation| {
            Conv2dShape::new(cin, cout, 3).stride(stride).padding(dilation).dilation(dilation)
        };
        let convs = match of.kind {
            Kind::Basic => vec![three(cin, planes, stride, 1), three(planes, planes, 1, 1)],
            Kind::Bottleneck => vec![
                Conv2dShape::new(cin, width, 1),
                three(width, width, stride, dilation).groups(of.groups),
                Conv2dShape::new(width, cout, 1),
            ],
        };
        let last = convs.len();
        let mut branch = Vec::new();
        for (i, conv) in convs.into_iter().enumerate() {
            let i = i + 1;
            let scale = if i == last { of.last_norm.scale() } else { 1.0 };
            let bn = BatchNorm2d::scaled(scope.at(format!("bn{i}")), conv.out_channels, scale)?;
            branch.push((Conv2d::new(scope.at(format!("conv{i}")), &plain(conv))?, bn));
        }
        let downsample = if stride != 1 || cin != cout {
            let conv = plain(Conv2dShape::new(cin, cout, 1).stride(stride));
            let bn = BatchNorm2d::new(scope.at("downsample.1"), cout)?;
            Some((Conv2d::new(scope.at("downsample.0"), &conv)?, bn))
        } else {
            None
        };
        Ok(Self { branch, downsample })
    }

    pub fn forward(&self, x: &Tensor, cx: &Cx) -> Result<Tensor> {
        ops::residual(Then::Relu, || {
            let mut y = x.clone();
            for (i, (conv, bn)) in self.branch.iter().enumerate() {
                let then = if i + 1 < self.branch.len() { Then::Relu } else { Then::Identity };
                y = bn.forward_then(&conv.forward(&y)?, cx, then)?;
            }
            let shortcut = match &self.downsample {
                Some((conv, bn)) => bn.forward(&conv.forward(x)?, cx)?,
                None => x.clone(),
            };
            Ok([y, shortcut])
        })
    }
}

/// All convolutions of a ResNet: no bias, torchvision's first values.
fn plain(shape: Conv2dShape) -> Conv2dShape {
    shape.bias(Bias::Without).init(ConvInit::KaimingNormalFanOut)
}
