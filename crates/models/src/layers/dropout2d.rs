//! Dropout of whole channels.

use super::dropout::uniform;
use pleach_core::{Cx, Result, Tensor};
use pleach_ops as ops;

/// Zeroes whole channels by chance where the net learns (arXiv:1411.4280): neighbours in a feature map are too much alike
/// for the loss of one to matter.
#[derive(Debug, Clone, Copy)]
pub struct Dropout2d {
    /// Probability of a channel to be dropped.
    pub p: f64,
}

impl Dropout2d {
    /// `[N, C, H, W]` to the same.
    ///
    /// # Errors
    /// `p` is no probability.
    pub fn forward(&self, x: &Tensor, cx: &mut Cx) -> Result<Tensor> {
        if !cx.training() || self.p == 0.0 {
            return Ok(x.clone());
        }
        Ok(ops::dropout2d(x, self.p, || uniform(&mut cx.rng))?)
    }
}
