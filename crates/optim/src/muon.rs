//! Muon: steps along orthogonal matrices.

use crate::lerp;
use crate::pass::fits;
use pleach_core::{DType, Error, Hyper, Optimizer, ParamSlots, Result, Tensor, config, plugin};

/// How the learning rate follows from the shape of a matrix.
#[config]
pub enum AdjustLr {
    /// `lr sqrt(max(1, rows / columns))`.
    Original,
    /// `0.2 lr sqrt(max(rows, columns))`: steps of the size of AdamW's, whose rates and decays fit then.
    MatchRmsAdamw,
    /// `lr sqrt(rows / columns)`.
    SpectralUnclamped,
}

/// Muon (Jordan et al.): the momentum of a matrix, brought near an orthogonal matrix before each step.
///
/// `b = b + (1 - momentum) (g - b); o = g + momentum (b - g)`, or `o = b` without Nesterov; `x = o / max(|o|, eps)`,
/// then `ns_steps` times `x = a x + (b A + c A A) x` with `A = x x'` in bfloat16, as PyTorch has it;
/// `p = (1 - lr weight_decay) p - adjusted_lr x`. For matrices only: give biases, norms and convolutions to another
/// optimizer by `[[optimizer.group]]`.
///
/// The iteration amplifies the last bit of bfloat16, so that from some hundred elements on `x` depends on the order
/// of sums and on the last digit of a gradient: elements of it differ from PyTorch's by up to 0.01, and PyTorch's own
/// by nearly as much where a gradient changes in its last digit.
#[plugin(optimizer, cite = "https://kellerjordan.github.io/posts/muon/")]
pub struct Muon {
    /// Learning rate, before it is adjusted to the shape of a matrix.
    #[plugin(default = 1e-3, range = 0.0..)]
    pub lr: f64,
    /// Decay: each step takes this share, times the learning rate, of a weight.
    #[plugin(default = 0.1, range = 0.0..)]
    pub weight_decay: f64,
    /// How much of the running average of gradients stays at each step; schedulers may cycle it.
    #[plugin(default = 0.95, range = 0.0..)]
    pub momentum: f64,
    /// Looks one step of the momentum ahead (Nesterov).
    #[plugin(default = true)]
    pub nesterov: bool,
    /// Coefficients a, b and c of the Newton-Schulz iteration.
    #[plugin(default = [3.4445, -4.775, 2.0315])]
    pub ns_coefficients: [f64; 3],
    /// The least norm that the iteration divides by.
    #[plugin(default = 1e-7)]
    pub eps: f64,
    /// Newton-Schulz iterations in a step.
    #[plugin(default = 5, range = 0..100)]
    pub ns_steps: usize,
    /// How the learning rate follows from the shape of a matrix; none is `original`.
    pub adjust_lr_fn: Option<AdjustLr>,
}

/// To the nearest numbers of bfloat16, kept as singles: products of two are exact then, and each sum is rounded once.
fn rounded(t: &Tensor) -> Result<Tensor> {
    Ok(t.to_dtype(DType::F32)?.to_dtype(DType::BF16)?.to_dtype(DType::F32)?)
}

impl Muon {
    /// A matrix with the singular vectors of this one and singular values near 1.
    fn orthogonal(&self, update: &Tensor) -> Result<Tensor> {
        let (rows, columns) = update.dims2()?;
        let mut x = rounded(update)?;
        if rows > columns {
            x = x.t()?.contiguous()?;
        }
        let norm = rounded(&rounded(&x.sqr()?.sum_all()?.sqrt()?)?.maximum(self.eps)?)?;
        x = rounded(&x.broadcast_div(&norm)?)?;
        let [a, b, c] = self.ns_coefficients;
        for _ in 0..self.ns_steps {
            let gram = rounded(&x.matmul(&x.t()?)?)?;
            let bent = rounded(&((&gram * b)? + (gram.matmul(&gram)? * c)?)?)?;
            x = rounded(&((&x * a)? + bent.matmul(&x)?)?)?;
        }
        Ok(if rows > columns { x.t()?.contiguous()? } else { x })
    }

    fn adjusted(&self, lr: f64, (rows, columns): (usize, usize)) -> f64 {
        let (rows, columns) = (rows as f64, columns as f64);
        lr * match self.adjust_lr_fn {
            None | Some(AdjustLr::Original) => (rows / columns).max(1.0).sqrt(),
            Some(AdjustLr::MatchRmsAdamw) => 0.2 * rows.max(columns).sqrt(),
            Some(AdjustLr::SpectralUnclamped) => (rows / columns).sqrt(),
        }
    }
}

const BUFFER: &str = "momentum_buffer";

impl Optimizer for Muon {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.momentum)
    }

    fn refuses(&self, shape: &[usize]) -> Option<String> {
        (shape.len() != 2).then(|| format!("Muon trains matrices alone, and a parameter has the shape {shape:?}"))
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        if let Some(why) = self.refuses(param.dims()) {
            return Err(Error::new("PL0406", why)
                .hint("choose another optimizer, and Muon for matrices: [[optimizer.group]] with `match` and `name`"));
        }
        fits("the gradient", grad, param)?;
        let grad = grad.to_dtype(param.dtype())?;
        let momentum = hyper.momentum.unwrap_or(self.momentum);
        let buffer = slots.zeros(BUFFER, param)?;
        fits(BUFFER, &buffer, param)?;
        let buffer = lerp::next(&buffer, &grad, momentum)?;
        let update = if self.nesterov { lerp::next(&grad, &buffer, 1.0 - momentum)? } else { buffer.clone() };
        slots.keep(BUFFER, buffer);
        let step = self.orthogonal(&update)?.to_dtype(param.dtype())?;
        let shrunk = (param * (1.0 - hyper.lr * self.weight_decay))?;
        Ok((shrunk - (step * self.adjusted(hyper.lr, param.dims2()?))?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::Device;

    #[test]
    fn a_step_is_nearly_orthogonal() {
        let matrix = Tensor::new(&[[3f32, 1.0], [0.5, -2.0], [1.0, 1.0]], &Device::Cpu).unwrap();
        let x = Muon::default().orthogonal(&matrix).unwrap();
        let gram = x.t().unwrap().matmul(&x).unwrap().to_vec2::<f32>().unwrap();
        assert!(gram[0][0] > 0.4 && gram[0][0] < 1.6 && gram[1][1] > 0.4 && gram[1][1] < 1.6, "{gram:?}");
        assert!(gram[0][1].abs() < 0.4, "{gram:?}");
    }

    #[test]
    fn a_vector_is_refused_with_what_to_do() {
        let bias = Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap();
        let hyper = Hyper { lr: 0.1, momentum: None };
        let error = Muon::default().update(&bias, &bias, &mut ParamSlots::default(), &hyper).unwrap_err();
        assert_eq!(error.code(), "PL0406");
    }
}
