//! Losses that break a law.

use pleach_core::kinds::backend::FusedInput;
use pleach_core::*;
use std::sync::Arc;

pub const BREAKS: &[(&str, &[&str])] = &[
    ("Doubled", &["fused form"]),
    ("Severed", &["gradient of a loss"]),
    ("Sloppy", &["missing target"]),
    ("Textbook", &["finite on empty"]),
    ("Credulous", &["gradient of a loss", "finite on empty", "missing target"]),
    ("Hollow", &["without a sample"]),
    ("Choosy", &["gradient of a loss"]),
];

/// Refuses a batch without a sample.
fn some(elements: usize) -> Result<()> {
    if elements == 0 { Err(Error::new("PL0327", "there is no sample")) } else { Ok(()) }
}

/// What the losses here begin with.
fn residual(x: &LossInput<'_>) -> Result<Tensor> {
    some(x.prediction.elem_count())?;
    let target = x.target(Target::Values)?;
    Ok((x.prediction - target)?)
}

const VALUES: Wants = Wants { form: Form::Values, target: Target::Values };

/// Mean of squares, with a fused form of twice the value.
#[plugin(loss)]
struct Doubled {}

impl Loss for Doubled {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        Ok(residual(x)?.sqr()?.mean_all()?)
    }
    fn fused(&self) -> Option<FusedLoss> {
        let body = |x: &FusedInput<'_>| {
            some(x.prediction.len())?;
            let n = x.prediction.len() as f32;
            let gaps = x.prediction.iter().zip(x.target).map(|(p, t)| p - t);
            let sum: f64 = gaps.clone().map(|gap| f64::from(gap * gap)).sum();
            Ok((2.0 * sum / f64::from(n), gaps.map(|gap| 2.0 * gap / n).collect()))
        };
        Some(FusedLoss { name: "doubled", cpu: Arc::new(body) })
    }
}

/// Mean of squares whose graph is cut half way.
#[plugin(loss)]
struct Severed {}

impl Loss for Severed {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let r = residual(x)?;
        Ok((&r * r.detach())?.mean_all()?)
    }
}

/// Mean of squares that broadcasts whatever it is given.
#[plugin(loss)]
struct Sloppy {}

impl Loss for Sloppy {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        some(x.prediction.elem_count())?;
        Ok(x.prediction.broadcast_sub(x.target(Target::Values)?)?.sqr()?.mean_all()?)
    }
}

/// Binary cross-entropy by its textbook formula.
#[plugin(loss)]
struct Textbook {}

impl Loss for Textbook {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: Target::Mask }
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        some(x.prediction.elem_count())?;
        let t = x.target(Target::Mask)?;
        let p = ((x.prediction.neg()?.exp()? + 1.0)?).recip()?;
        let ones = (t * p.log()?)?;
        let zeros = ((1.0 - t)? * (1.0 - p)?.log()?)?;
        Ok((ones + zeros)?.mean_all()?.neg()?)
    }
}

/// Sum of squares, which is 0 over nothing.
#[plugin(loss)]
struct Hollow {}

impl Loss for Hollow {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        Ok((x.prediction - x.target(Target::Values)?)?.sqr()?.sum_all()?)
    }
}

/// Finds fault with every shape.
#[plugin(loss)]
struct Choosy {}

impl Loss for Choosy {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        Err(Error::new("PL0328", format!("a prediction of shape {:?} is too small", x.prediction.dims())))
    }
}

/// Cross-entropy of the targets that count, which it believes to be some.
#[plugin(loss)]
struct Credulous {}

impl Loss for Credulous {
    fn wants(&self) -> Wants {
        Wants { form: Form::LogProbabilities, target: Target::Class }
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        some(x.prediction.elem_count())?;
        let classes = x.target(Target::Class)?.unsqueeze(1)?;
        let counts = classes.ne(kinds::loss::IGNORED)?;
        let of_class = x.prediction.gather(&(&classes * counts.to_dtype(DType::U32)?)?, 1)?;
        let counts = counts.to_dtype(of_class.dtype())?;
        Ok(((of_class * &counts)?.sum_all()?.neg()? / counts.sum_all()?)?)
    }
}
