//! A small net for small images.

use crate::input::{fits_poolings, still, stills_only};
use crate::layers::{Bias, Conv2d, Conv2dShape, Dropout, Linear, Norm, NormLayer};
use pleach_core::read::Rules;
use pleach_core::{Cx, Model, ModelSpec, Named, Net, Result, Scope, Tensor, plugin};
use pleach_ops::{self as ops, Pool2d};

/// A small classifier: blocks of convolution 3 x 3, norm, ReLU, a 2 x 2 max pooling between two of them, then the mean
/// over all pixels and an affine map to the classes.
#[plugin(model, check = Self::check)]
pub struct ConvNet {
    /// Channels of each block; their number is the number of blocks.
    #[plugin(default = vec![32, 64, 128], range = 1..=65536)]
    pub channels: Vec<usize>,
    /// What is normalised together after each convolution; `false` for nothing.
    #[plugin(default = Some(Norm::Batch))]
    pub norm: Option<Norm>,
    /// Groups of channels, for `norm = "group"`.
    #[plugin(default = 8, range = 1..)]
    pub groups: usize,
    /// Probability of a feature to be dropped before the affine map, in training.
    #[plugin(default = 0.0, range = 0.0..1.0)]
    pub dropout: f64,
}

impl ConvNet {
    fn check(&self, rules: &mut Rules) {
        if self.channels.is_empty() {
            rules.refuse("channels", "a ConvNet has at least one block");
        }
        if self.norm == Some(Norm::Group) && self.channels.iter().any(|c| !c.is_multiple_of(self.groups)) {
            rules.refuse("groups", "every number of `channels` must be a multiple of it");
        }
    }
}

impl Model for ConvNet {
    fn build(&self, mut scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        stills_only("ConvNet", spec)?;
        let bias = if self.norm.is_some() { Bias::Without } else { Bias::With };
        let mut cin = spec.in_channels;
        let mut blocks = Vec::new();
        for (i, &channels) in self.channels.iter().enumerate() {
            let mut block = scope.at(format!("blocks.{i}"));
            let conv = Conv2d::new(block.at("conv"), &Conv2dShape::new(cin, channels, 3).padding(1).bias(bias))?;
            blocks.push((conv, NormLayer::new(block.at("norm"), self.norm, self.groups, channels)?));
            cin = channels;
        }
        let fc = Linear::new(scope.at("fc"), cin, spec.out_channels, Bias::With)?;
        Ok(Box::new(ConvNetNet { blocks, fc, dropout: Dropout { p: self.dropout } }))
    }
}

struct ConvNetNet {
    blocks: Vec<(Conv2d, NormLayer)>,
    fc: Linear,
    dropout: Dropout,
}

impl Net for ConvNetNet {
    fn forward(&self, x: &Named<Tensor>, cx: &mut Cx) -> Result<Named<Tensor>> {
        let mut x = still("ConvNet", x)?;
        fits_poolings("ConvNet", &x, self.blocks.len().saturating_sub(1))?;
        for (i, (conv, norm)) in self.blocks.iter().enumerate() {
            if i > 0 {
                x = ops::max_pool2d(&x, &Pool2d::new(2))?;
            }
            x = norm.forward_relu(&conv.forward(&x)?, cx)?;
        }
        let features = ops::adaptive_avg_pool2d(&x, [1, 1])?.flatten_from(1)?;
        Ok(Named::one("logits", self.fc.forward(&self.dropout.forward(&features, cx)?)?))
    }
}
