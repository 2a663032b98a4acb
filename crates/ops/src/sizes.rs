//! Counts the elements of results before memory is asked for.

use candle_core::{Result, bail};

/// Rows and columns.
pub(crate) type Sizes = [usize; 2];

/// The number of elements of a shape that the caller can choose freely; an error if no memory can hold them.
pub(crate) fn total(op: &'static str, shape: &[usize]) -> Result<usize> {
    let count = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    match count.filter(|&count| count <= isize::MAX as usize / size_of::<f64>()) {
        Some(count) => Ok(count),
        None => bail!("{op}: a result of shape {shape:?} has more elements than fit into memory"),
    }
}
