//! The U-shaped net for maps of classes.

use crate::input::{fits_poolings, folded};
use crate::layers::{Bias, Conv2d, Conv2dShape, ConvTranspose2d, ConvTranspose2dShape, Dropout2d, Norm, NormLayer};
use pleach_core::read::Rules;
use pleach_core::{Cx, Model, ModelSpec, Named, Net, Result, Scope, Tensor, config, plugin};
use pleach_ops::{self as ops, Corners, Pool2d};

/// How a U-Net's decoder enlarges its maps.
#[config]
#[derive(Default)]
pub enum Up {
    /// By a transposed 2 x 2 convolution of stride 2, which is learnt.
    #[default]
    Transpose,
    /// By bilinear interpolation.
    Bilinear,
    /// By the nearest element.
    Nearest,
}

/// U-Net (Ronneberger, Fischer and Brox): halves the image level by level, then enlarges it again beside the maps of
/// the same size from the way down; gives a logit for each class and pixel.
///
/// A level is twice convolution 3 x 3, norm, ReLU. Images of any size from 2^(levels - 1) on keep their size: an
/// enlarged map takes the size of the one beside it. Clips go through frame by frame.
#[plugin(model, alias = ["unet"], cite = "arXiv:1505.04597", check = Self::check)]
pub struct UNet {
    /// Channels of each level, the full size first; their number is the number of levels.
    #[plugin(default = vec![32, 64, 128, 256], range = 1..=65536)]
    pub channels: Vec<usize>,
    /// What is normalised together after each convolution; `false` for nothing.
    #[plugin(default = Some(Norm::Batch))]
    pub norm: Option<Norm>,
    /// Groups of channels, for `norm = "group"`.
    #[plugin(default = 8, range = 1..)]
    pub groups: usize,
    /// How the decoder enlarges its maps.
    #[plugin(default = Up::Transpose)]
    pub up: Up,
    /// Probability of a channel of the deepest level to be dropped in training.
    #[plugin(default = 0.0, range = 0.0..1.0)]
    pub dropout: f64,
}

impl UNet {
    fn check(&self, rules: &mut Rules) {
        if self.channels.is_empty() {
            rules.refuse("channels", "a U-Net has at least one level");
        }
        if self.norm == Some(Norm::Group) && self.channels.iter().any(|c| !c.is_multiple_of(self.groups)) {
            rules.refuse("groups", "every number of `channels` must be a multiple of it");
        }
    }
}

impl Model for UNet {
    fn build(&self, mut scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        let mut cin = spec.in_channels;
        let mut encoder = Vec::new();
        for (i, &channels) in self.channels.iter().enumerate() {
            encoder.push(DoubleConv::new(scope.at(format!("encoder.{i}")), self, cin, channels)?);
            cin = channels;
        }
        let mut decoder = Vec::new();
        for (i, &channels) in self.channels.iter().rev().skip(1).enumerate() {
            decoder.push(Decoder::new(scope.at(format!("decoder.{i}")), self, cin, channels)?);
            cin = channels;
        }
        let head = Conv2d::new(scope.at("head"), &Conv2dShape::new(cin, spec.out_channels, 1))?;
        Ok(Box::new(UNetNet { encoder, decoder, head, dropout: Dropout2d { p: self.dropout } }))
    }
}

struct UNetNet {
    encoder: Vec<DoubleConv>,
    decoder: Vec<Decoder>,
    head: Conv2d,
    dropout: Dropout2d,
}

impl Net for UNetNet {
    fn forward(&self, x: &Named<Tensor>, cx: &mut Cx) -> Result<Named<Tensor>> {
        let (mut x, fold) = folded("UNet", x)?;
        fits_poolings("UNet", &x, self.decoder.len())?;
        let mut skips: Vec<Tensor> = Vec::new();
        for block in &self.encoder {
            if let Some(above) = skips.last() {
                x = ops::max_pool2d(above, &Pool2d::new(2))?;
            }
            x = block.forward(&x, cx)?;
            skips.push(x.clone());
        }
        x = self.dropout.forward(&x, cx)?;
        // The last of them is x itself.
        for (block, skip) in self.decoder.iter().zip(skips.iter().rev().skip(1)) {
            x = block.forward(&x, skip, cx)?;
        }
        Ok(Named::one("logits", fold.undo(self.head.forward(&x)?)?))
    }
}

/// Twice convolution, norm, ReLU: `conv1`, `norm1`, `conv2`, `norm2`.
struct DoubleConv {
    steps: [(Conv2d, NormLayer); 2],
}

impl DoubleConv {
    fn new(mut scope: Scope<'_>, of: &UNet, cin: usize, cout: usize) -> Result<Self> {
        let bias = if of.norm.is_some() { Bias::Without } else { Bias::With };
        let mut step = |i: usize, cin: usize| -> Result<_> {
            let shape = Conv2dShape::new(cin, cout, 3).padding(1).bias(bias);
            let conv = Conv2d::new(scope.at(format!("conv{i}")), &shape)?;
            Ok((conv, NormLayer::new(scope.at(format!("norm{i}")), of.norm, of.groups, cout)?))
        };
        Ok(Self { steps: [step(1, cin)?, step(2, cout)?] })
    }

    fn forward(&self, x: &Tensor, cx: &Cx) -> Result<Tensor> {
        let mut x = x.clone();
        for (conv, norm) in &self.steps {
            x = norm.forward_relu(&conv.forward(&x)?, cx)?;
        }
        Ok(x)
    }
}

/// One level of the way up: enlarges, joins, convolves.
struct Decoder {
    up: Enlarge,
    block: DoubleConv,
}

enum Enlarge {
    Transpose(ConvTranspose2d),
    Bilinear,
    Nearest,
}

impl Decoder {
    fn new(mut scope: Scope<'_>, of: &UNet, deep: usize, skip: usize) -> Result<Self> {
        let (up, enlarged) = match of.up {
            Up::Transpose => {
                let shape = ConvTranspose2dShape::new(deep, skip, 2, 2);
                (Enlarge::Transpose(ConvTranspose2d::new(scope.at("up"), &shape)?), skip)
            }
            Up::Bilinear => (Enlarge::Bilinear, deep),
            Up::Nearest => (Enlarge::Nearest, deep),
        };
        Ok(Self { up, block: DoubleConv::new(scope, of, skip + enlarged, skip)? })
    }

    fn forward(&self, x: &Tensor, skip: &Tensor, cx: &Cx) -> Result<Tensor> {
        let (_, _, h, w) = skip.dims4()?;
        let x = match &self.up {
            Enlarge::Transpose(up) => up.forward_to(x, [h, w])?,
            Enlarge::Bilinear => ops::upsample_bilinear2d(x, [h, w], Corners::Edges)?,
            Enlarge::Nearest => ops::upsample_nearest2d(x, [h, w])?,
        };
        self.block.forward(&Tensor::cat(&[skip, &x], 1)?, cx)
    }
}
