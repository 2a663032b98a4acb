//! How the losses of single elements become one number.

use pleach_core::{DType, Result, Tensor, config};

/// How the losses of single elements become one number.
#[config]
#[derive(Default)]
pub enum Reduction {
    /// Their mean: the rate need not change with the size of a batch.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

/// The sum of all elements in f64, which keeps millions of small numbers exact.
pub(crate) fn sum(x: &Tensor) -> Result<Tensor> {
    Ok(x.to_dtype(DType::F64)?.sum_all()?)
}
