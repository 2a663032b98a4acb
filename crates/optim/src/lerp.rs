//! The running average that PyTorch calls lerp: it goes from the nearer end, so that no digit is lost.

use crate::pass::Real;
use pleach_core::{Result, Tensor};

/// An average that keeps a share of what it was.
#[derive(Clone, Copy)]
pub(crate) struct Lerp<T> {
    near: bool,
    keep: T,
    enter: T,
}

impl<T: Real> Lerp<T> {
    /// The average that keeps `share` at each step.
    #[inline(always)]
    pub(crate) fn keeping(share: f64) -> Self {
        Self { near: share > 0.5, keep: T::of(share), enter: T::of(1.0 - share) }
    }

    /// The average after one more value.
    #[inline(always)]
    pub(crate) fn next(&self, average: T, new: T) -> T {
        if self.near { average + self.enter * (new - average) } else { new - (new - average) * self.keep }
    }
}

/// The same in tensor algebra.
pub(crate) fn next(average: &Tensor, new: &Tensor, share: f64) -> Result<Tensor> {
    let gap = (new - average)?;
    Ok(if share > 0.5 { (average + (gap * (1.0 - share))?)? } else { (new - (gap * share)?)? })
}
