//! Laws of losses.

mod cases;

use super::{Bench, Law};
use crate::fault::{Check, ensure};
use crate::gradcheck;
use cases::{Case, cases};
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_core::{DType, Loss, LossInput, Named, Plug, Result, Target, Tensor, Var};

/// The code of the error by which a loss says that it has no value for predictions of a shape: images that are
/// smaller than its window, a single channel for softmax. Such shapes are passed over.
const UNFIT: &str = "PL0328";

/// The gradient is right.
pub const GRADIENT: Law = Law {
    name: "the gradient of a loss is that of its value",
    why: "training follows the gradient; a cut graph or a wrong factor trains something else, silently",
    write: "plain tensor algebra, or operations of pleach-ops; candle-nn's softmax and layer norm cut the graph",
};

/// Extremes are finite.
pub const FINITE: Law = Law {
    name: "value and gradient are finite on empty, full and ignored targets and on saturated predictions",
    why: "images without an object and logits of 100 come in every long run; one NaN ends it",
    write: "stable formulas (log-softmax, softplus), a denominator that cannot be 0, and 0 where no target counts",
};

/// Both forms agree.
pub const FUSED: Law = Law {
    name: "the fused form gives the value and the gradient of the definition",
    why: "a run may change its kernels seat and must train the same",
    write: "the derivative of `forward`, with the same reduction; compare them in f32 within 1e-5",
};

/// No sample is no loss.
pub const EMPTY: Law = Law {
    name: "a batch without a sample is an error",
    why: "a mean over nothing is NaN, and a sum over nothing hides that a task gives none",
    write: "a check that the prediction has elements, in `forward` and in the fused form",
};

/// Missing data is an error.
pub const ASKS: Law = Law {
    name: "a missing target or one of another shape is an error",
    why: "an author of a task learns from the message; a panic or a broadcast teaches nothing",
    write: "`x.target(...)?` and a check of shapes before the algebra",
};

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Loss>) {
    bench.check(&GRADIENT, || gradient(plug));
    bench.check(&FINITE, || finite(plug));
    bench.check(&FUSED, || fused(plug));
    bench.check(&EMPTY, || empty(plug));
    bench.check(&ASKS, || asks(plug));
}

fn gradient(plug: &Plug<dyn Loss>) -> Check {
    let mut taken = 0;
    for case in cases(plug.wants(), DType::F64)?.into_iter().filter(|c| c.smooth) {
        if value(plug, &case.prediction, &case)?.is_none() {
            continue;
        }
        taken += 1;
        let f = |x: &[Tensor]| plug.forward(&LossInput { prediction: &x[0], targets: &case.targets });
        gradcheck(f, std::slice::from_ref(&case.prediction)).map_err(|e| format!("on {}: {e}", case.what))?;
    }
    ensure(taken > 0, || format!("it takes predictions of no shape: each is refused with {UNFIT}"))
}

/// The value of the definition; `None` for a shape that has none.
fn value(plug: &Plug<dyn Loss>, prediction: &Tensor, case: &Case) -> Check<Option<Tensor>> {
    match plug.forward(&LossInput { prediction, targets: &case.targets }) {
        Err(e) if e.code() == UNFIT => Ok(None),
        Err(e) => Err(format!("on {}: {e}", case.what).into()),
        Ok(value) => Ok(Some(value)),
    }
}

/// The value and the gradient of the definition.
fn differentiated(plug: &Plug<dyn Loss>, case: &Case) -> Check<Option<(f64, Vec<f64>)>> {
    let x = Var::from_tensor(&case.prediction)?;
    let Some(value) = value(plug, &x, case)? else { return Ok(None) };
    ensure(value.rank() == 0, || format!("the value is of shape {:?}, not a single number", value.dims()))?;
    let grads = value.backward()?;
    let grad = match grads.get(&x) {
        Some(g) => g.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?,
        None => return Err(format!("on {}: no gradient arrives: the graph is cut", case.what).into()),
    };
    Ok(Some((value.to_dtype(DType::F64)?.to_scalar::<f64>()?, grad)))
}

fn finite(plug: &Plug<dyn Loss>) -> Check {
    for dtype in [DType::F32, DType::F64] {
        for case in cases(plug.wants(), dtype)? {
            let Some((value, grad)) = differentiated(plug, &case)? else { continue };
            let odd = grad.iter().find(|g| !g.is_finite());
            ensure(value.is_finite() && odd.is_none(), || {
                format!("on {} in {dtype:?} the value is {value}, and a gradient {:?}", case.what, odd.unwrap_or(&0.0))
            })?;
        }
    }
    Ok(())
}

/// Value and gradient of the fused form, where there is one.
fn one_pass(plug: &Plug<dyn Loss>, case: &Case) -> Check<Option<Result<Fused>>> {
    let Some(fused) = plug.fused() else { return Ok(None) };
    let prediction = case.prediction.flatten_all()?.to_vec1::<f32>()?;
    let (mut numbers, mut classes) = (Vec::new(), Vec::new());
    let target = plug.wants().target;
    match target {
        Target::Class => classes = case.targets.want(target.key())?.flatten_all()?.to_vec1::<u32>()?,
        Target::Nothing => {}
        _ => numbers = case.targets.want(target.key())?.flatten_all()?.to_vec1::<f32>()?,
    }
    let (shape, target) = (case.prediction.dims(), numbers.as_slice());
    Ok(Some((fused.cpu)(&FusedInput { prediction: &prediction, shape, target, classes: &classes })))
}

fn fused(plug: &Plug<dyn Loss>) -> Check {
    for case in cases(plug.wants(), DType::F32)? {
        let Some((value, grad)) = differentiated(plug, &case)? else { continue };
        let Some(fused) = one_pass(plug, &case)? else { return Ok(()) };
        let (ours, gradient) = fused?;
        ensure((ours - value).abs() <= 1e-5 * value.abs().max(1.0), || {
            format!("on {} the value is {ours}, by definition {value}", case.what)
        })?;
        let (slopes, all) = (gradient.len(), grad.len());
        ensure(slopes == all, || format!("on {} the gradient has {slopes} numbers for {all}", case.what))?;
        let scale = grad.iter().fold(1e-2_f64, |m, g| m.max(g.abs()));
        for (i, (a, b)) in gradient.iter().zip(&grad).enumerate() {
            ensure((f64::from(*a) - b).abs() <= 1e-5 * scale, || {
                format!("on {} gradient {i} is {a}, by definition {b}", case.what)
            })?;
        }
    }
    Ok(())
}

fn empty(plug: &Plug<dyn Loss>) -> Check {
    for case in cases::empty(plug.wants(), DType::F32)? {
        let shape = case.prediction.dims();
        let value = plug.forward(&LossInput { prediction: &case.prediction, targets: &case.targets });
        if let Ok(value) = value {
            return Err(format!("for shape {shape:?} it gives {value}").into());
        }
        if let Some(Ok((value, _))) = one_pass(plug, &case)? {
            return Err(format!("for shape {shape:?} its fused form gives {value}").into());
        }
    }
    Ok(())
}

fn asks(plug: &Plug<dyn Loss>) -> Check {
    let target = plug.wants().target;
    if target == Target::Nothing {
        return Ok(());
    }
    for case in cases(plug.wants(), DType::F32)?.into_iter().filter(|c| c.smooth) {
        let gives = |targets: Named<Tensor>| {
            plug.forward(&LossInput { prediction: &case.prediction, targets: &targets }).is_ok()
        };
        let shape = case.prediction.dims();
        ensure(!gives(Named::new()), || "without any target it gives a value".into())?;
        let given = case.targets.want(target.key())?;
        if shape[0] > 1 {
            let short = given.narrow(0, 0, 1)?;
            ensure(!gives(Named::one(target.key(), short)), || {
                format!("with a target of one sample for {shape:?} it gives a value")
            })?;
        }
        let deep = given.unsqueeze(given.rank())?;
        ensure(!gives(Named::one(target.key(), deep)), || {
            format!("with a target of one dimension more for {shape:?} it gives a value")
        })?;
    }
    Ok(())
}
