use pleach_core::{DType, Form, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// The negative log-likelihood of a softmax over the second dimension.
#[plugin(loss)]
pub struct SoftmaxRegression {}

impl Loss for SoftmaxRegression {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: Target::Class }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let top = x.prediction.max_keepdim(1)?.detach();
        let z = x.prediction.broadcast_sub(&top)?;
        let log_p = z.broadcast_sub(&z.exp()?.sum_keepdim(1)?.log()?)?;
        let class = x.target(Target::Class)?.to_dtype(DType::U32)?.unsqueeze(1)?;
        Ok(log_p.gather(&class, 1)?.mean_all()?.neg()?)
    }
}
