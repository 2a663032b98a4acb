//! The one rule for batches without a sample.

use pleach_core::{Error, Result};

/// Refuses a prediction of this shape if it has no elements: a mean over nothing is NaN in PyTorch, which would end a
/// run far from its cause, and a sum over nothing is 0, which would hide it.
///
/// # Errors
/// PL0327.
pub(crate) fn not_empty(prediction: &[usize]) -> Result<()> {
    if prediction.contains(&0) {
        return Err(Error::new("PL0327", format!("a batch of shape {prediction:?} has no elements, and so no loss"))
            .hint("leave the batch out, or look at why the task makes it"));
    }
    Ok(())
}
