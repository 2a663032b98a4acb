//! Losses: one number for how far a prediction is from its target.

use crate::kinds::backend::{Backend, FusedLoss};
use crate::kinds::model::Mode;
use crate::read::Rules;
use crate::{Named, Result, Slot, Tensor, config};

/// What the values of a prediction are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any real number; sigmoid or softmax is still to come.
    Logits,
    /// Between 0 and 1.
    Probabilities,
    /// Logarithms of probabilities: what log-softmax gives.
    LogProbabilities,
    /// The quantity itself (regression).
    Values,
    /// Features to be compared with each other: (N, 2, D) for pairs, (N, 3, D) for triplets.
    Embeddings,
}

/// What a prediction is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The index of a class, u32: (N) for predictions (N, C), (N, H, W) for (N, C, H, W); [`IGNORED`] where
    /// nothing counts.
    Class,
    /// 0 or 1 (or between) for every value of the prediction, of its shape and type.
    Mask,
    /// Numbers of the prediction's shape and type.
    Values,
    /// 1 for a pair that belongs together, -1 for one that does not: (N), of the prediction's type.
    Pair,
    /// Nothing: parts of the prediction are compared with each other.
    Nothing,
}

impl Target {
    /// Its name among the targets of a batch.
    pub fn key(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Mask => "mask",
            Self::Values => "values",
            Self::Pair => "pair",
            Self::Nothing => "nothing",
        }
    }
}

/// The class of a target that counts nowhere, whatever number the data give it: -100, as PyTorch has it.
pub const IGNORED: u32 = -100_i32 as u32;

/// The shares of the classes among the targets of a batch, (N, C), each row with the sum 1: there where samples are mixed
/// (`MixUp`, `CutMix`), beside [`Target::Class`], which has the class of the greatest share.
pub const SHARES: &str = "shares";

/// What a loss works on; a task that gives something else is refused before training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// Form of the prediction.
    pub form: Form,
    /// Kind of target.
    pub target: Target,
}

/// A prediction with all targets that the task has made.
#[derive(Clone, Copy)]
pub struct LossInput<'a> {
    /// The model's output of the slot's name.
    pub prediction: &'a Tensor,
    /// The targets by [`Target::key`].
    pub targets: &'a Named<Tensor>,
}

impl<'a> LossInput<'a> {
    /// The target of a kind.
    ///
    /// # Errors
    /// The task does not make it.
    pub fn target(&self, target: Target) -> Result<&'a Tensor> {
        self.targets.want(target.key())
    }
}

/// A loss: a differentiable function of a prediction.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a loss, and does not implement `Loss`",
    label = "write `impl Loss for {Self}`"
)]
pub trait Loss: std::fmt::Debug + Send + Sync + 'static {
    /// What it works on.
    fn wants(&self) -> Wants;

    /// The value, a tensor of rank 0 with its graph, in plain tensor algebra: the definition.
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor>;

    /// Whether it takes [`SHARES`] in place of one class for each sample, where there are some.
    fn takes_shares(&self) -> bool {
        false
    }

    /// The same value and gradient in one pass over slices, for the kernels seat.
    fn fused(&self) -> Option<FusedLoss> {
        None
    }
}

/// Keys of a loss's slot.
#[config(check = Self::check)]
pub struct LossSlot {
    /// Weight of this loss in the sum.
    #[config(default = 1.0)]
    pub factor: f64,
    /// The model's output to which it applies; the first if not given.
    pub output: Option<String>,
    /// Deep supervision: in training the loss applies to every output of the model, with one weight for each, in the
    /// order of the outputs; evaluation takes the first output alone.
    pub loss_factors: Option<Vec<f64>>,
}

impl LossSlot {
    fn check(&self, rules: &mut Rules) {
        if self.loss_factors.is_some() && self.output.is_some() {
            rules.refuse("loss_factors", "they stand for all outputs, and `output` chooses one");
        }
        if self.loss_factors.as_ref().is_some_and(Vec::is_empty) {
            rules.refuse("loss_factors", "an empty list has no weight for any output");
        }
    }

    /// The outputs to which the loss applies, with the weight of each.
    fn outputs<'t>(&self, outputs: &'t Named<Tensor>, mode: Mode) -> Result<Vec<(f64, &'t Tensor)>> {
        let first = || outputs.first().ok_or_else(|| crate::Error::new("PL0202", "the model has no output"));
        match (&self.output, &self.loss_factors) {
            (Some(name), _) => Ok(vec![(1.0, outputs.want(name)?)]),
            (None, Some(factors)) if mode == Mode::Train => {
                if factors.len() != outputs.len() {
                    let names: Vec<_> = outputs.names().collect();
                    return Err(crate::Error::new(
                        "PL0212",
                        format!("`loss_factors` has {} weights for {} outputs", factors.len(), outputs.len()),
                    )
                    .hint(format!("give one for each of {}", names.join(", "))));
                }
                Ok(factors.iter().copied().zip(outputs.iter().map(|(_, output)| output)).collect())
            }
            (None, _) => Ok(vec![(1.0, first()?)]),
        }
    }
}

/// One of `[[loss]]`.
pub type LossConfig = Slot<dyn Loss, LossSlot>;

/// The value of one loss, by the seat's fused kernel where both sides have one, in plain algebra otherwise.
pub fn value(loss: &dyn Loss, x: &LossInput<'_>, kernels: &dyn Backend) -> Result<Tensor> {
    let target = loss.wants().target;
    if target == Target::Class && x.targets.get(SHARES).is_some() {
        if loss.takes_shares() {
            return loss.forward(x);
        }
        let message = "samples are mixed, and the loss takes one class for each sample";
        return Err(crate::Error::new("PL0331", message)
            .hint("CrossEntropy takes the shares of classes, as losses over masks (BCE) do"));
    }
    // Slices carry no shape of the target; what does not fit is the definition's to judge.
    let alike = match target {
        Target::Mask | Target::Values => x.targets.get(target.key()).is_some_and(|t| t.dims() == x.prediction.dims()),
        Target::Class | Target::Pair | Target::Nothing => true,
    };
    if let Some(fused) = loss.fused().filter(|_| alike)
        && let Some(value) = kernels.fused_loss(&fused, x, target)?
    {
        return Ok(value);
    }
    loss.forward(x)
}

/// The weighted sum of all losses, and each one's own value by name (`loss_dice`).
pub fn weighted_sum(
    losses: &[LossConfig],
    outputs: &Named<Tensor>,
    targets: &Named<Tensor>,
    kernels: &dyn Backend,
    mode: Mode,
) -> Result<(Tensor, Named<f64>)> {
    let mut sum: Option<Tensor> = None;
    let mut parts = Named::new();
    for loss in losses {
        let mut v: Option<Tensor> = None;
        for (factor, prediction) in loss.slot.outputs(outputs, mode)? {
            let one = value(&**loss, &LossInput { prediction, targets }, kernels)?;
            let one = if factor == 1.0 { one } else { (one * factor)? };
            v = Some(match v {
                Some(v) => (v + one)?,
                None => one,
            });
        }
        let Some(v) = v else { continue };
        let mut name = format!("loss_{}", snake(&loss.plug.name()));
        if let Some(output) = &loss.slot.output {
            name = format!("{name}_{output}");
        }
        parts.insert(name, v.to_dtype(crate::DType::F64)?.to_scalar::<f64>()?);
        let v = (v * loss.slot.factor)?;
        sum = Some(match sum {
            Some(s) => (s + v)?,
            None => v,
        });
    }
    let sum = sum.ok_or_else(|| crate::Error::new("PL0206", "there is no loss").hint("add a [[loss]] section"))?;
    Ok((sum, parts))
}

/// `FocalTversky` as `focal_tversky`, `MeanIoU` as `mean_iou`: how names stand in logs.
pub fn snake(name: &str) -> String {
    // The one word of the field whose capitals are not its beginnings.
    let chars: Vec<char> = name.replace("IoU", "Iou").chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            if !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let before = i.checked_sub(1).map(|j| chars[j]);
        let after = chars.get(i + 1);
        let starts_word = before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
            || before.is_some_and(char::is_uppercase) && after.is_some_and(|a| a.is_lowercase());
        if c.is_uppercase() && starts_word && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

crate::kind!(Loss, "loss");

#[cfg(test)]
mod tests {
    use super::snake;

    #[test]
    fn names_of_plugins_become_names_of_values() {
        let all = ["FocalTversky", "BCE", "MeanIoU", "F1", "Dice+BCE", "PSNR", "HD95", "CrossEntropy"].map(snake);
        assert_eq!(all, ["focal_tversky", "bce", "mean_iou", "f1", "dice_bce", "psnr", "hd95", "cross_entropy"]);
    }
}
