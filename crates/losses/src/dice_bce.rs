//! Dice and binary cross-entropy, added.

use crate::bce::BCE;
use crate::binary::{shapes, widened};
use crate::dice::Dice;
use crate::reduce::Reduce;
use crate::region::Beside;
use pleach_core::{FusedLoss, Loss, LossInput, Named, Result, Target, Tensor, Wants, config, plugin};
use pleach_ops::{Corners, upsample_bilinear2d};

/// What happens to a mask of another size than the prediction.
#[config]
#[derive(Default)]
pub enum Differing {
    /// It is an error.
    #[default]
    Refuse,
    /// The mask is resized to the prediction, bilinearly: for side outputs of a fraction of the image's size.
    ResizeTarget,
}

/// The sum of the losses `Dice` and `BCE` of binary maps.
///
/// `1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth)`, sums over the whole batch, plus the mean of
/// `-(t ln p + (1 - t) ln(1 - p))`, with p the logistic function of the logits and t the mask; neither has a weight. A
/// batch in which nothing is there and nothing predicted has a Dice loss of 0.
///
/// With `differing = "resize_target"` a prediction (..., h, w) is held against a mask (..., H, W): both become (N x F,
/// 1, h, w), the mask by bilinear interpolation with `align_corners` false, so that it has values between 0 and 1.
#[plugin(loss, name = "Dice+BCE", alias = ["DiceBCE", "DiceBCELoss"], cite = "arXiv:1606.04797")]
pub struct DiceBCE {
    /// Added above and below the line of Dice, in pixels; more of it is milder to small objects.
    #[plugin(default = 0.0, range = 0.0..)]
    pub smooth: f64,
    /// What happens to a mask of another size: `refuse`, or `resize_target`.
    #[plugin(default = Differing::Refuse)]
    pub differing: Differing,
}

impl DiceBCE {
    fn dice(&self) -> Dice {
        Dice { smooth: self.smooth, reduce: Reduce::Batch }
    }
}

/// The mask at the size of the prediction.
fn resized(mask: &Tensor, prediction: &Tensor) -> Result<Tensor> {
    let (from, to) = (mask.dims(), prediction.dims());
    let ([.., in_h, in_w], [.., h, w]) = (from, to) else { return Err(shapes("a mask", from, to)) };
    let images: usize = to.iter().rev().skip(2).product();
    // (N, F, 1, H, W) and (N x F, 1, H, W) are the same images.
    if images == 0 || images * in_h * in_w != mask.elem_count() {
        return Err(shapes("a mask", from, to));
    }
    let images = mask.to_dtype(widened(prediction)?.dtype())?.reshape((images, 1, *in_h, *in_w))?;
    Ok(upsample_bilinear2d(&images, [*h, *w], Corners::Edges)?.reshape(to)?)
}

impl Loss for DiceBCE {
    fn wants(&self) -> Wants {
        self.dice().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let mask = x.target(Target::Mask)?;
        let fitting;
        let x = match self.differing {
            Differing::ResizeTarget if mask.dims() != x.prediction.dims() => {
                fitting = Named::one(Target::Mask.key(), resized(mask, x.prediction)?);
                &LossInput { prediction: x.prediction, targets: &fitting }
            }
            _ => x,
        };
        Ok((self.dice().forward(x)? + BCE::default().forward(x)?)?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        match self.differing {
            Differing::Refuse => self.dice().region().fused("dice_bce", Beside::Bce),
            // Slices do not tell the size of a mask.
            Differing::ResizeTarget => None,
        }
    }
}
