//! Dropout of single elements.

use pleach_core::{Cx, Result, Rng, Tensor};
use pleach_ops as ops;

/// Zeroes elements by chance where the net learns (Srivastava et al., 2014); passes them on where it serves.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    /// Probability of an element to be dropped.
    pub p: f64,
}

impl Dropout {
    /// Any shape to the same.
    ///
    /// # Errors
    /// `p` is no probability.
    pub fn forward(&self, x: &Tensor, cx: &mut Cx) -> Result<Tensor> {
        if !cx.training() || self.p == 0.0 {
            return Ok(x.clone());
        }
        Ok(ops::dropout(x, self.p, || uniform(&mut cx.rng))?)
    }
}

/// 24 bits in `[0, 1)`: all that an `f32` holds, and never rounded up to 1.
pub(super) fn uniform(rng: &mut Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1 << 24) as f32
}
