//! The cosine embedding loss.

use crate::embeddings::{embeddings, part};
use crate::pointwise::{reduced, unlike};
use crate::reduction::Reduction;
use pleach_core::{Form, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// Cosine embedding loss of pairs: those that belong together shall point the same way, others apart.
///
/// The mean over samples of `1 - cos(a, b)` where the target is 1, and of `max(0, cos(a, b) - margin)` where it is -1,
/// with `cos(a, b) = a b / sqrt((a a + 1e-12) (b b + 1e-12))`. The prediction is (N, 2, D): a and b of each sample.
#[plugin(
    loss,
    alias = ["CosineEmbeddingLoss"],
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html"
)]
pub struct CosineEmbedding {
    /// The cosine below which a pair that does not belong together is left in peace.
    #[plugin(default = 0.0, range = -1.0..=1.0)]
    pub margin: f64,
    /// Whether the loss is the mean over samples or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

/// Keeps the cosine of a vector of 0 finite; of single precision in PyTorch, whatever the prediction is.
const EPS: f32 = 1e-12;

impl Loss for CosineEmbedding {
    fn wants(&self) -> Wants {
        Wants { form: Form::Embeddings, target: Target::Pair }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let pairs = embeddings(x, 2)?;
        let target = x.target(Target::Pair)?;
        if target.dims() != &pairs.dims()[..1] {
            return Err(unlike(target.dims(), pairs.dims()));
        }
        let (a, b) = (part(&pairs, 0)?, part(&pairs, 1)?);
        let length = |x: &Tensor| x.sqr()?.sum(1)? + f64::from(EPS);
        let cos = ((&a * &b)?.sum(1)? / (length(&a)? * length(&b)?)?.sqrt()?)?;
        let is = |y: f64| target.eq(y)?.to_dtype(cos.dtype());
        let together = (is(1.0)? * (1.0 - &cos)?)?;
        let apart = (is(-1.0)? * (&cos - self.margin)?.relu()?)?;
        reduced(&(together + apart)?, self.reduction)
    }
}
