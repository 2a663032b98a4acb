//! Hands tensors to operations: counted first, their elements in order, and in 32 bits where they are kept in 16.

use crate::halves::{Half, is_half};
use crate::sizes;
use crate::tape::Op;
use candle_core::{CustomOp1, CustomOp2, CustomOp3, Result, Tensor};
use std::sync::Arc;

/// The tensor with its elements in order, copied if they are not; an error if no memory can hold them.
pub(crate) fn in_order(op: &'static str, t: &Tensor) -> Result<Tensor> {
    sizes::total(op, t.dims())?;
    t.contiguous()
}

/// Applies an operation of one tensor.
pub(crate) fn one<O: CustomOp1 + Send + Sync + 'static>(x: &Tensor, op: O) -> Result<Tensor> {
    where_it_lies(&in_order(op.name(), x)?, op)
}

/// The same for an operation that reads views, whatever their strides.
pub(crate) fn where_it_lies<O: CustomOp1 + Send + Sync + 'static>(x: &Tensor, op: O) -> Result<Tensor> {
    let op: Box<dyn CustomOp1 + Send + Sync> = if is_half(x.dtype()) { Box::new(Half(op)) } else { Box::new(op) };
    Op::One(Arc::new(op), [x.clone()]).apply()
}

/// Applies an operation of two tensors.
pub(crate) fn two<O: CustomOp2 + Send + Sync + 'static>(a: &Tensor, b: &Tensor, op: O) -> Result<Tensor> {
    two_where_they_lie(&in_order(op.name(), a)?, &in_order(op.name(), b)?, op)
}

/// The same for an operation that reads views, whatever their strides.
pub(crate) fn two_where_they_lie<O: CustomOp2 + Send + Sync + 'static>(
    a: &Tensor,
    b: &Tensor,
    op: O,
) -> Result<Tensor> {
    let op: Box<dyn CustomOp2 + Send + Sync> = if is_half(a.dtype()) { Box::new(Half(op)) } else { Box::new(op) };
    Op::Two(Arc::new(op), [a.clone(), b.clone()]).apply()
}

/// Applies an operation of three tensors.
pub(crate) fn three<O: CustomOp3 + Send + Sync + 'static>(a: &Tensor, b: &Tensor, c: &Tensor, op: O) -> Result<Tensor> {
    let [a, b, c] = [in_order(op.name(), a)?, in_order(op.name(), b)?, in_order(op.name(), c)?];
    three_where_they_lie(&a, &b, &c, op)
}

/// The same for an operation that reads views, whatever their strides.
pub(crate) fn three_where_they_lie<O: CustomOp3 + Send + Sync + 'static>(
    a: &Tensor,
    b: &Tensor,
    c: &Tensor,
    op: O,
) -> Result<Tensor> {
    let op: Box<dyn CustomOp3 + Send + Sync> = if is_half(a.dtype()) { Box::new(Half(op)) } else { Box::new(op) };
    Op::Three(Arc::new(op), [a, b, c].map(Tensor::clone)).apply()
}
