//! Cross-entropy between classes.

use crate::binary::{shapes, widened};
use crate::reduction::{Reduction, sum};
use pleach_core::kinds::loss::IGNORED;
use pleach_core::read::Rules;
use pleach_core::{DType, Error, Form, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// Cross-entropy between classes, from logits.
///
/// For each sample or pixel `-weight[y] ln softmax(x)[y]`, y being its class; `label_smoothing` s moves the share s
/// of the target to all C classes alike: `(1 - s)` of that and `s / C` of the sum over c of `-weight[c] ln
/// softmax(x)[c]`. The mean divides by the sum of the weights of the targets that count. Where no target counts,
/// loss and gradient are 0 (PyTorch: NaN).
///
/// Logits are (N, C) with classes (N), or (N, C, H, W) with (N, H, W), and so on.
#[plugin(
    loss,
    alias = ["CrossEntropyLoss"],
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",
    check = Self::check
)]
pub struct CrossEntropy {
    /// Weight of each class; without it all are 1.
    #[plugin(range = 0.0..)]
    pub weight: Option<Vec<f64>>,
    /// The class of targets that do not count, besides what the data ignore by themselves.
    #[plugin(default = Some(-100))]
    pub ignore_index: Option<i64>,
    /// Whether the loss is the mean over the targets that count or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
    /// The share of a target that is spread over all classes, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub label_smoothing: f64,
}

impl CrossEntropy {
    fn check(&self, rules: &mut Rules) {
        if self.weight.as_ref().is_some_and(Vec::is_empty) {
            rules.refuse("weight", "an empty list has no weight for any class");
        }
    }

    fn weights(&self, classes: usize) -> Result<Vec<f64>> {
        match &self.weight {
            None => Ok(vec![1.0; classes]),
            Some(list) if list.len() == classes => Ok(list.clone()),
            Some(list) => {
                Err(Error::new("PL0202", format!("`weight` has {} numbers for {classes} classes", list.len()))
                    .hint("give one for each class, in the order of the classes"))
            }
        }
    }
}

impl Loss for CrossEntropy {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: Target::Class }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let logits = widened(x.prediction)?;
        let target = x.target(Target::Class)?;
        let (classes, mut shape) = match logits.dims() {
            [n, c, rest @ ..] => (*c, [&[*n], rest].concat()),
            other => return Err(shapes("a target", target.dims(), other)),
        };
        if target.dims() != shape {
            return Err(shapes("a target", target.dims(), logits.dims()));
        }
        let weights = self.weights(classes)?;
        // Targets carry no gradient: what depends on them alone is computed here, not in the graph.
        let targets = target.to_dtype(DType::U32)?.flatten_all()?.to_vec1::<u32>()?;
        let (mut index, mut counts, mut weight_of) = (Vec::new(), Vec::new(), Vec::new());
        for y in targets {
            let ignored = y == IGNORED || self.ignore_index.is_some_and(|i| i as u32 == y);
            let weight = weights.get(y as usize).copied();
            if weight.is_none() && !ignored {
                return Err(Error::new(
                    "PL0326",
                    format!("a target has class {y}, and the model gives {classes} classes"),
                )
                .hint(format!("if {y} means that a target does not count, write `ignore_index = {y}`")));
            }
            index.push(if ignored { 0 } else { y });
            counts.push(if ignored { 0.0 } else { 1.0 });
            weight_of.push(weight.filter(|_| !ignored).unwrap_or(0.0));
        }
        let total: f64 = weight_of.iter().sum();
        let scale = match self.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean if total > 0.0 => 1.0 / total,
            Reduction::Mean => {
                // Nothing to divide by: no target counts. The graph stays, with gradients of 0.
                counts.fill(0.0);
                1.0
            }
        };
        shape.insert(1, 1);
        let (device, dtype) = (logits.device(), logits.dtype());
        let tensor = |v: Vec<f64>| Tensor::from_vec(v, shape.as_slice(), device)?.to_dtype(dtype);
        let logs = pleach_ops::log_softmax(&logits, 1)?;
        let of_class = logs.gather(&Tensor::from_vec(index, shape.as_slice(), device)?, 1)?;
        let mut loss = (sum(&(of_class * tensor(weight_of)?)?)? * (self.label_smoothing - 1.0))?;
        if self.label_smoothing > 0.0 {
            let mut by_class = vec![1; logits.rank()];
            if let Some(c) = by_class.get_mut(1) {
                *c = classes;
            }
            let weights = Tensor::from_vec(weights, by_class, device)?.to_dtype(dtype)?;
            let all = (logs.broadcast_mul(&weights)?.sum_keepdim(1)? * tensor(counts)?)?;
            loss = (loss - (sum(&all)? * (self.label_smoothing / classes as f64))?)?;
        }
        Ok((loss * scale)?.to_dtype(dtype)?)
    }
}
