//! Adafactor: the memory of a matrix is a row and a column.

use crate::lerp;
use crate::pass::fits;
use pleach_core::read::Rules;
use pleach_core::{DType, Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Adafactor (Shazeer and Stern, in PyTorch's form): of the average squared gradients of a matrix, it remembers
/// only the means of rows and columns.
///
/// `w = t^beta2_decay; r = r + w (mean_row(g^2) - r); c = c + w (mean_col(g^2) - c); v = r c / max(mean(r), eps1)`,
/// or `v = v + w (g^2 - v)` for a parameter of one dimension; `u = g / max(sqrt(v), eps1)`,
/// `a = max(eps2, rms(p)) min(lr, 1 / sqrt(t))`, `p = (1 - lr weight_decay) p - a u / max(1, rms(u) / d)`.
#[plugin(optimizer, cite = "arXiv:1804.04235", check = Self::check)]
pub struct Adafactor {
    /// Learning rate: the greatest step relative to the size of a parameter.
    #[plugin(default = 1e-2, range = 0.0..)]
    pub lr: f64,
    /// The power of the step with which new squares enter the averages; 0 forgets all at each step.
    #[plugin(default = -0.8, range = ..=0.0)]
    pub beta2_decay: f64,
    /// The least divisor ("none": what the parameter's type tells apart from 0 beside 1), and the least size that a
    /// parameter counts as having.
    #[plugin(default = (None, Some(1e-3)))]
    pub eps: (Option<f64>, Option<f64>),
    /// The size above which a step is cut down, relative to the usual.
    #[plugin(default = 1.0, range = 1.0..)]
    pub d: f64,
    /// Decay: each step takes this share, times the learning rate, of a weight.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Climbs instead of descending.
    #[plugin(default = false)]
    pub maximize: bool,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
}

impl Adafactor {
    fn check(&self, rules: &mut Rules) {
        if self.eps.0.is_some_and(|eps| eps < 0.0) {
            rules.refuse("eps", "the first must be at least 0");
        }
        if self.eps.1.is_none_or(|eps| eps < 0.0) {
            rules.refuse("eps", "the second must be a number, at least 0");
        }
    }

    /// The least divisor.
    fn eps1(&self, dtype: DType) -> f64 {
        self.eps.0.unwrap_or(match dtype {
            DType::F64 => f64::EPSILON,
            DType::F16 => 9.765_625e-4,
            DType::BF16 => 7.812_5e-3,
            _ => f64::from(f32::EPSILON),
        })
    }
}

/// The root of the mean of squares.
fn rms(t: &Tensor) -> Result<f64> {
    let squares = t.sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
    Ok((squares / t.elem_count() as f64).sqrt())
}

/// Lets a new value into an average that is kept as a slot.
fn average(slots: &mut ParamSlots, name: &str, new: &Tensor, enter: f64) -> Result<Tensor> {
    let old = slots.zeros(name, new)?;
    fits(name, &old, new)?;
    let now = lerp::next(&old, new, 1.0 - enter)?;
    slots.keep(name, now.clone());
    Ok(now)
}

impl Optimizer for Adafactor {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        fits("the gradient", grad, param)?;
        let t = slots.count("step");
        let (eps1, eps2) = (self.eps1(param.dtype()), self.eps.1.unwrap_or_default());
        let grad = (grad.to_dtype(param.dtype())? * if self.maximize { -1.0 } else { 1.0 })?;
        let enter = t.powf(self.beta2_decay);
        let size = eps2.max(rms(param)?) * hyper.lr.min(1.0 / t.sqrt());
        let squares = grad.sqr()?;
        let rank = grad.rank();
        let variance = if rank > 1 {
            let rows = average(slots, "row_var", &squares.mean_keepdim(rank - 1)?, enter)?;
            let columns = average(slots, "col_var", &squares.mean_keepdim(rank - 2)?, enter)?;
            let whole = rows.mean_keepdim(rank - 2)?.maximum(eps1)?;
            rows.broadcast_mul(&columns)?.broadcast_div(&whole)?
        } else {
            average(slots, "variance", &squares, enter)?
        };
        let step = (grad / variance.maximum(eps1 * eps1)?.sqrt()?)?;
        let cut = (rms(&step)? / self.d).max(1.0);
        let param = (param * (1.0 - hyper.lr * self.weight_decay))?;
        Ok((param - (step * (size / cut))?)?)
    }
}
