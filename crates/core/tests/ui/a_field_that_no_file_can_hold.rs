use pleach_core::{Form, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// Documented.
#[plugin(loss)]
struct Timed {
    /// Documented.
    #[plugin(default = std::time::Instant::now())]
    since: std::time::Instant,
}

impl Loss for Timed {
    fn wants(&self) -> Wants {
        Wants { form: Form::Values, target: Target::Values }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        Ok(x.prediction.sum_all()?)
    }
}

fn main() {}
