use pleach_core::kinds::loss::IGNORED;
use pleach_core::{DType, Error, Form, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// The mean over samples of `scale * sum over classes (p - t)^2`, with p the softmax of the logits.
#[plugin(loss)]
pub struct MyPlugin {
    /// What the value is multiplied by.
    #[plugin(default = 1.0, above = 0.0)]
    pub scale: f64,
}

impl Loss for MyPlugin {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: Target::Class }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (logits, class) = (x.prediction, x.target(Target::Class)?);
        let mut of_targets = logits.dims().to_vec();
        of_targets.remove(1);
        if class.dims() != of_targets || logits.elem_count() == 0 {
            return Err(Error::new("PL0217", format!("logits {:?}, classes {:?}", logits.dims(), class.dims())));
        }
        let counts = class.ne(IGNORED)?;
        let class = (class * counts.to_dtype(DType::U32)?)?.unsqueeze(1)?;
        let e = logits.broadcast_sub(&logits.max_keepdim(1)?.detach())?.exp()?;
        let p = e.broadcast_div(&e.sum_keepdim(1)?)?;
        // With t = 1 for the class and 0 elsewhere, the sum is sum(p^2) - 2 p[class] + 1.
        let each = ((p.sqr()?.sum(1)? - (p.gather(&class, 1)?.squeeze(1)? * 2.0)?)? + 1.0)?;
        let counts = counts.to_dtype(each.dtype())?;
        let mean = ((each * &counts)?.sum_all()? / counts.sum_all()?.maximum(1.0)?)?;
        Ok((mean * self.scale)?)
    }
}
