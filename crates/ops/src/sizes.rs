//! Counts the elements of tensors before memory is asked for.

use candle_core::{Result, bail};

/// Rows and columns.
pub(crate) type Sizes = [usize; 2];

/// The shape that two shapes broadcast to, if they do.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |dims: &[usize], i: usize| (i + dims.len()).checked_sub(rank).map_or(1, |i| dims[i]);
    let both = (0..rank).map(|i| match (at(a, i), at(b, i)) {
        (x, 1) => Some(x),
        (1, y) => Some(y),
        (x, y) => (x == y).then_some(x),
    });
    both.collect()
}

/// Bytes that any machine has: up to here nothing is tried.
const SURELY: usize = 1 << 30;

/// The number of elements of a shape that the caller can choose freely; an error if no memory can hold them.
pub(crate) fn total(op: &'static str, shape: &[usize]) -> Result<usize> {
    let count = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    match count.filter(|&count| fits(count)) {
        Some(count) => Ok(count),
        None => bail!("{op}: a tensor of shape {shape:?} has more elements than fit into memory"),
    }
}

/// Whether so many elements can be had. Asked of the system, which refuses what it could never give: a vector that is too
/// large would end the program.
pub(crate) fn fits(count: usize) -> bool {
    let bytes = count.checked_mul(size_of::<f64>());
    bytes.is_some_and(|bytes| bytes <= SURELY || Vec::<f64>::new().try_reserve_exact(count).is_ok())
}
