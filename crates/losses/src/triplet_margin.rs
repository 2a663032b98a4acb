//! The triplet loss.

use crate::embeddings::{embeddings, part};
use crate::pointwise::{absolute, reduced};
use crate::reduction::Reduction;
use pleach_core::read::Rules;
use pleach_core::{Form, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// Triplet loss: what is alike shall be nearer than what is not, by a margin.
///
/// The mean over samples of `max(0, d(a, b) - d(a, c) + margin)`, where a is a sample, b one like it and c one unlike
/// it: a prediction (N, 3, D) has them in this order. The distance is `d(x, y) = (sum |x - y + eps|^p)^(1/p)`. With
/// `swap` the smaller of d(a, c) and d(b, c) counts.
#[plugin(
    loss,
    alias = ["TripletMarginLoss"],
    cite = [
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html",
        "http://www.bmva.org/bmvc/2016/papers/paper119/index.html",
    ],
    check = Self::check
)]
pub struct TripletMargin {
    /// By how much the unlike shall be farther away, in the unit of the distance.
    #[plugin(default = 1.0, above = 0.0)]
    pub margin: f64,
    /// The power of the distance; 2 is Euclid's.
    #[plugin(default = 2.0, range = 1.0..)]
    pub p: f64,
    /// Added to every difference, so that a distance of 0 has a gradient.
    #[plugin(default = 1e-6)]
    pub eps: f64,
    /// Whether the unlike is held against the nearer of the two others.
    #[plugin(default = false)]
    pub swap: bool,
    /// Whether the loss is the mean over samples or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

impl TripletMargin {
    fn check(&self, rules: &mut Rules) {
        if self.p.is_infinite() {
            rules.refuse("p", "the power of a distance is a number");
        }
    }

    /// (N) from (N, D) twice.
    fn distance(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        let d = absolute(&((x - y)? + self.eps)?)?;
        // Of the largest difference, which keeps powers in range; it cancels, and so needs no gradient.
        let largest = d.max_keepdim(1)?.detach();
        let d = d.broadcast_div(&largest.maximum(f64::from(f32::MIN_POSITIVE))?)?;
        let largest = largest.squeeze(1)?;
        // The largest counts 1, so that the sum is smaller only where all is 0.
        let rooted = |sum: Tensor| sum.maximum(0.5);
        let norm = if self.p == 1.0 {
            d.sum(1)?
        } else if self.p == 2.0 {
            rooted(d.sqr()?.sum(1)?)?.sqrt()?
        } else {
            rooted(d.powf(self.p)?.sum(1)?)?.powf(1.0 / self.p)?
        };
        Ok((norm * largest)?)
    }
}

impl Loss for TripletMargin {
    fn wants(&self) -> Wants {
        Wants { form: Form::Embeddings, target: Target::Nothing }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let triplets = embeddings(x, 3)?;
        let [a, b, c] = [part(&triplets, 0)?, part(&triplets, 1)?, part(&triplets, 2)?];
        let mut unlike = self.distance(&a, &c)?;
        if self.swap {
            unlike = unlike.minimum(&self.distance(&b, &c)?)?;
        }
        reduced(&((self.distance(&a, &b)? - unlike)? + self.margin)?.relu()?, self.reduction)
    }
}
