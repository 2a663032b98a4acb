//! The backward pass, with the gradients of variables kept where operations leave them.
//!
//! candle makes zeros for each gradient and adds to them, also where there is one alone: for weights, which most operations meet
//! once in a step, that is three passes over memory for none.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, TensorId};
use std::cell::RefCell;

thread_local! {
    /// Gradients of variables, while [`backward`] runs on this thread.
    static KEPT: RefCell<Option<Vec<(TensorId, Tensor)>>> = const { RefCell::new(None) };
}

/// `loss.backward()`, quicker: the same gradients for the same tensors.
///
/// While it runs, operations of this crate leave the gradients of variables to it: who calls `backward` of candle from within an
/// operation's own backward pass finds them in the outer store.
///
/// # Errors
/// What candle's `backward` reports.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    let before = KEPT.replace(Some(Vec::new()));
    let grads = loss.backward();
    let kept = KEPT.replace(before).unwrap_or_default();
    let mut grads = grads?;
    for (id, gradient) in kept {
        let gradient = match grads.get_id(id) {
            Some(other) => (other + gradient)?,
            None => gradient,
        };
        grads.insert_id(id, gradient);
    }
    Ok(grads)
}

/// Keeps the gradient of a variable while [`backward`] runs; gives back what candle is to add up. For the backward pass of
/// an operation, on the gradient of each of its inputs.
///
/// # Errors
/// The variable already has a gradient, of another shape.
pub fn kept(of: &Tensor, gradient: Option<Tensor>) -> Result<Option<Tensor>> {
    let Some(gradient) = gradient else { return Ok(None) };
    if !of.is_variable() {
        return Ok(Some(gradient));
    }
    KEPT.with_borrow_mut(|kept| {
        let Some(kept) = kept else { return Ok(Some(gradient)) };
        match kept.iter_mut().find(|(id, _)| *id == of.id()) {
            Some((_, sum)) => *sum = (&*sum + gradient)?,
            None => kept.push((of.id(), gradient)),
        }
        Ok(None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conv2d, conv2d, linear};
    use candle_core::{DType, Device, Var};

    #[test]
    fn gradients_are_those_of_candle_also_where_a_variable_has_several_uses() {
        let var = |shape: &[usize]| Var::rand(-1.0, 1.0, shape, &Device::Cpu).unwrap();
        let (x, w, conv, bias) = (var(&[2, 3, 4, 5]), var(&[5, 5]), var(&[3, 3, 1, 1]), var(&[5]));
        let loss = || {
            let y = linear(&x, &w, Some(&bias)).unwrap();
            let y = conv2d(&y, &conv, None, &Conv2d::default()).unwrap();
            // Once more through ours, and once through candle's own.
            let y = linear(&y, &w, Some(&bias)).unwrap().broadcast_mul(&bias).unwrap();
            (y.sqr().unwrap().sum_all().unwrap() + w.sum_all().unwrap()).unwrap()
        };
        let (want, got) = (loss().backward().unwrap(), backward(&loss()).unwrap());
        for var in [&x, &w, &conv, &bias] {
            let flat = |t: &Tensor| t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            let (want, got) = (flat(want.get(var).unwrap()), flat(got.get(var).unwrap()));
            assert!(want.iter().zip(&got).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + a.abs())));
        }
        KEPT.with_borrow(|kept| assert!(kept.is_none()));
    }

    #[test]
    fn a_pass_that_fails_leaves_nothing_behind() {
        let w = Var::rand(-1f32, 1f32, (2, 2), &Device::Cpu).unwrap();
        let y = linear(&w, &w, None).unwrap().cumsum(0).unwrap().round().unwrap();
        // Rounding has no gradient, so candle reports an error or gives none; the next pass is as any.
        drop(backward(&y.sum_all().unwrap()));
        let sum = linear(&w, &w, None).unwrap().sum_all().unwrap();
        assert!(backward(&sum).unwrap().get(&w).is_some());
        assert!(sum.backward().unwrap().get(&w).is_some());
    }
}
