//! What losses that are sums over single elements share: their inputs, their reduction, and a pass over slices.

use crate::batch::not_empty;
use crate::binary::{self, Stretch, widened};
use crate::reduction::{Reduction, sum};
use crate::strips::of_values;
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_core::{Error, Form, FusedLoss, LossInput, Result, Target, Tensor, Wants};
use std::sync::Arc;

/// Numbers against numbers.
pub(crate) const WANTS: Wants = Wants { form: Form::Values, target: Target::Values };

/// The prediction in f32 or f64, and the target of its shape in its type.
///
/// # Errors
/// PL0217 for a target that is missing or of another shape, PL0327 for no samples.
pub(crate) fn inputs(x: &LossInput<'_>, target: Target) -> Result<(Tensor, Tensor)> {
    let prediction = widened(x.prediction)?;
    not_empty(prediction.dims())?;
    let target = x.target(target)?;
    if target.dims() != prediction.dims() {
        return Err(unlike(target.dims(), prediction.dims()));
    }
    let target = target.to_dtype(prediction.dtype())?;
    Ok((prediction, target))
}

/// The error for a target that does not fit.
pub(crate) fn unlike(target: &[usize], prediction: &[usize]) -> Error {
    Error::new("PL0217", format!("a target of shape {target:?} does not fit a prediction of shape {prediction:?}"))
}

/// The error for what is no probability.
pub(crate) fn no_probability(what: &str, x: f64) -> Error {
    Error::new("PL0329", format!("{what} has {x}, which is no probability"))
}

/// What a sum over so many elements is multiplied by.
pub(crate) fn scale(reduction: Reduction, elements: usize) -> f64 {
    match reduction {
        Reduction::Mean => 1.0 / elements.max(1) as f64,
        Reduction::Sum => 1.0,
    }
}

/// The losses of elements as one number of their type.
pub(crate) fn reduced(losses: &Tensor, reduction: Reduction) -> Result<Tensor> {
    Ok((sum(losses)? * scale(reduction, losses.elem_count()))?.to_dtype(losses.dtype())?)
}

/// The absolute value, with a gradient of 0 at 0.
pub(crate) fn absolute(x: &Tensor) -> Result<Tensor> {
    Ok((x * x.sign()?)?)
}

/// -1, 0 or 1.
#[inline(always)]
pub(crate) fn sign(x: f32) -> f32 {
    let above = if x > 0.0 { 1.0 } else { 0.0 };
    if x < 0.0 { -1.0 } else { above }
}

/// The fused form of a loss that is the mean or the sum over all elements; see [`one_pass`].
pub(crate) fn fused(
    name: &'static str,
    reduction: Reduction,
    element: impl Fn(f32, f32) -> [f32; 2] + Send + Sync + 'static,
) -> Option<FusedLoss> {
    let body = move |input: &FusedInput<'_>| {
        let scale = scale(reduction, input.prediction.len());
        one_pass(input, scale, &element)
    };
    Some(FusedLoss { name, cpu: Arc::new(body) })
}

/// Adds up the losses of all elements, times `scale`, and writes their gradients. `element` gives the loss of a
/// prediction and a target, and its derivative by the prediction.
pub(crate) fn one_pass(
    input: &FusedInput<'_>,
    scale: f64,
    element: impl Fn(f32, f32) -> [f32; 2] + Sync,
) -> Result<Fused> {
    not_empty(input.shape)?;
    if input.target.len() != input.prediction.len() {
        return Err(unlike(&[input.target.len()], input.shape));
    }
    let mut pieces = binary::pieces::<1>(input)?;
    let (gradient, [total]) = binary::pass(&mut pieces, |Stretch { x, t, .. }, g| {
        let scale = scale as f32;
        of_values(x, t, g, |x, t| {
            let [loss, slope] = element(x, t);
            (scale * slope, [loss])
        })
    });
    Ok((total * scale, gradient))
}
