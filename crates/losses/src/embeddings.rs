//! What losses between embeddings share: how a prediction falls into the vectors that are compared.

use crate::batch::not_empty;
use crate::binary::widened;
use pleach_core::{Error, LossInput, Result, Tensor};

/// The prediction in f32 or f64, found to be of shape (samples, `parts`, features).
///
/// # Errors
/// PL0327 for no samples, PL0328 for another shape.
pub(crate) fn embeddings(x: &LossInput<'_>, parts: usize) -> Result<Tensor> {
    let prediction = widened(x.prediction)?;
    not_empty(prediction.dims())?;
    match prediction.dims() {
        [_, p, _] if *p == parts => Ok(prediction),
        shape => {
            let text = format!("embeddings of shape {shape:?} are not of shape (samples, {parts}, features)");
            Err(Error::new("PL0328", text).hint("the task brings the samples that are compared along dimension 1"))
        }
    }
}

/// One of the vectors of each sample: (samples, features).
pub(crate) fn part(embeddings: &Tensor, i: usize) -> Result<Tensor> {
    Ok(embeddings.narrow(1, i, 1)?.squeeze(1)?)
}
