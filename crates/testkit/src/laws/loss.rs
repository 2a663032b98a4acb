//! Laws of losses.

use super::{Bench, Law};
use crate::fault::{Check, ensure};
use crate::gradcheck;
use pleach_core::kinds::backend::FusedInput;
use pleach_core::{DType, Device, Form, Loss, LossInput, Named, Plug, Purpose, Rng, Target, Tensor, Var, Wants};

/// The gradient is right.
pub const GRADIENT: Law = Law {
    name: "the gradient of a loss is that of its value",
    why: "training follows the gradient; a cut graph or a wrong factor trains something else, silently",
    write: "plain tensor algebra, or operations of pleach-ops; candle-nn's softmax and layer norm cut the graph",
};

/// Extremes are finite.
pub const FINITE: Law = Law {
    name: "value and gradient are finite on empty and full targets and on saturated predictions",
    why: "images without an object and logits of 100 come in every long run; one NaN ends it",
    write: "stable formulas (log-softmax, softplus), and a denominator that cannot be 0",
};

/// Both forms agree.
pub const FUSED: Law = Law {
    name: "the fused form gives the value and the gradient of the definition",
    why: "a run may change its kernels seat and must train the same",
    write: "the derivative of `forward`, with the same reduction; compare them in f32 within 1e-5",
};

/// Missing data is an error.
pub const ASKS: Law = Law {
    name: "a missing target or one of another shape is an error",
    why: "an author of a task learns from the message; a panic or a broadcast teaches nothing",
    write: "`x.target(...)?` and a check of shapes before the algebra",
};

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Loss>) {
    bench.check(&GRADIENT, || {
        for case in cases(plug.wants(), DType::F64)?.into_iter().filter(|c| c.smooth) {
            let f = |x: &[Tensor]| plug.forward(&LossInput { prediction: &x[0], targets: &case.targets });
            gradcheck(f, &[case.prediction]).map_err(|e| format!("on {}: {e}", case.what))?;
        }
        Ok(())
    });
    bench.check(&FINITE, || finite(plug));
    bench.check(&FUSED, || fused(plug));
    bench.check(&ASKS, || asks(plug));
}

struct Case {
    what: String,
    prediction: Tensor,
    targets: Named<Tensor>,
    /// Whether differences can be taken there.
    smooth: bool,
}

/// Predictions with targets: ordinary ones first, then the extremes.
fn cases(wants: Wants, dtype: DType) -> Check<Vec<Case>> {
    let mut all = Vec::new();
    let shapes: &[&[usize]] = match wants.target {
        Target::Class => &[&[5, 3], &[2, 3, 2, 4]],
        _ => &[&[2, 1, 3, 4], &[2, 2, 3, 2]],
    };
    for &shape in shapes {
        let mut rng = Rng::named(1, Purpose::Other, "losses");
        let n: usize = shape.iter().product();
        let shape_of_class: Vec<usize> = shape.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, &d)| d).collect();
        let classes = shape.get(1).copied().unwrap_or(1);
        let mut add =
            |what: &str, smooth, predict: &mut dyn FnMut(usize, f64) -> f64, truth: &mut dyn FnMut(usize) -> f64| {
                let truths: Vec<f64> = match wants.target {
                    Target::Class => (0..n / classes).map(|i| (truth(i).abs() as usize % classes) as f64).collect(),
                    _ => (0..n).map(&mut *truth).collect(),
                };
                // For classes, what is right at each logit: 1 for the true class.
                let inner: usize = shape.iter().skip(2).product();
                let right = |i: usize| match wants.target {
                    Target::Class => {
                        let at = i / (inner * classes) * inner + i % inner;
                        f64::from(truths.get(at).copied() == Some((i / inner % classes) as f64))
                    }
                    _ => truths.get(i).copied().unwrap_or_default(),
                };
                let predicted: Vec<f64> = (0..n).map(|i| predict(i, right(i))).collect();
                let prediction = Tensor::from_vec(predicted, shape, &Device::Cpu)?.to_dtype(dtype)?;
                let target = match wants.target {
                    Target::Class => {
                        Tensor::from_vec(truths, shape_of_class.as_slice(), &Device::Cpu)?.to_dtype(DType::U32)?
                    }
                    _ => Tensor::from_vec(truths, shape, &Device::Cpu)?.to_dtype(dtype)?,
                };
                let targets = Named::one(wants.target.key(), target);
                all.push(Case { what: format!("{what} of shape {shape:?}"), prediction, targets, smooth });
                Check::Ok(())
            };
        let mut noise: Vec<f64> = (0..2 * n).map(|_| rng.normal()).collect();
        let mut other = noise.split_off(n);
        if wants.form == Form::Probabilities {
            noise.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp()));
        }
        if wants.target != Target::Values {
            let mark = |x: &mut f64| *x = if *x > 0.0 { 1.0 } else { 0.0 };
            match wants.target {
                Target::Class => other.iter_mut().enumerate().for_each(|(i, x)| *x = (i * 7 % 5) as f64),
                _ => other.iter_mut().for_each(mark),
            }
        }
        let certain = |right: f64, sign: f64| match wants.form {
            Form::Logits => 100.0 * sign * (2.0 * right - 1.0),
            Form::Probabilities => {
                if sign > 0.0 {
                    right
                } else {
                    1.0 - right
                }
            }
            Form::LogProbabilities | Form::Values | Form::Embeddings => right + if sign > 0.0 { 0.0 } else { 1e3 },
        };
        add("random predictions", true, &mut |i, _| noise[i], &mut |i| other[i])?;
        add("random predictions and targets all 0", true, &mut |i, _| noise[i], &mut |_| 0.0)?;
        add("random predictions and targets all 1", true, &mut |i, _| noise[i], &mut |_| 1.0)?;
        for (words, sign) in [("right", 1.0), ("wrong", -1.0)] {
            let mut sure = |_: usize, right: f64| certain(right, sign);
            add(&format!("saturated {words} predictions"), false, &mut sure, &mut |i| other[i])?;
            add(&format!("saturated {words} predictions and targets all 0"), false, &mut sure, &mut |_| 0.0)?;
            add(&format!("saturated {words} predictions and targets all 1"), false, &mut sure, &mut |_| 1.0)?;
        }
    }
    Ok(all)
}

/// The value and the gradient of the definition.
fn differentiated(plug: &Plug<dyn Loss>, case: &Case) -> Check<(f64, Vec<f64>)> {
    let x = Var::from_tensor(&case.prediction)?;
    let value = plug.forward(&LossInput { prediction: &x, targets: &case.targets })?;
    ensure(value.rank() == 0, || format!("the value is of shape {:?}, not a single number", value.dims()))?;
    let grads = value.backward()?;
    let grad = match grads.get(&x) {
        Some(g) => g.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?,
        None => return Err(format!("on {}: no gradient arrives: the graph is cut", case.what).into()),
    };
    Ok((value.to_dtype(DType::F64)?.to_scalar::<f64>()?, grad))
}

fn finite(plug: &Plug<dyn Loss>) -> Check {
    for dtype in [DType::F32, DType::F64] {
        for case in cases(plug.wants(), dtype)? {
            let (value, grad) = differentiated(plug, &case)?;
            let odd = grad.iter().find(|g| !g.is_finite());
            ensure(value.is_finite() && odd.is_none(), || {
                format!("on {} in {dtype:?} the value is {value}, and a gradient {:?}", case.what, odd.unwrap_or(&0.0))
            })?;
        }
    }
    Ok(())
}

fn fused(plug: &Plug<dyn Loss>) -> Check {
    let Some(fused) = plug.fused() else { return Ok(()) };
    let target = plug.wants().target;
    for case in cases(plug.wants(), DType::F32)? {
        let (value, grad) = differentiated(plug, &case)?;
        let prediction = case.prediction.flatten_all()?.to_vec1::<f32>()?;
        let truth = case.targets.want(target.key())?.flatten_all()?;
        let (mut numbers, mut classes) = (Vec::new(), Vec::new());
        match target {
            Target::Class => classes = truth.to_vec1::<u32>()?,
            _ => numbers = truth.to_vec1::<f32>()?,
        }
        // What was there before must not matter.
        let mut gradient = vec![f32::NAN; prediction.len()];
        let ours = (fused.cpu)(&mut FusedInput {
            prediction: &prediction,
            shape: case.prediction.dims(),
            target: &numbers,
            classes: &classes,
            gradient: &mut gradient,
        })?;
        ensure((ours - value).abs() <= 1e-5 * value.abs().max(1.0), || {
            format!("on {} the value is {ours}, by definition {value}", case.what)
        })?;
        let scale = grad.iter().fold(1e-2_f64, |m, g| m.max(g.abs()));
        for (i, (a, b)) in gradient.iter().zip(&grad).enumerate() {
            ensure((f64::from(*a) - b).abs() <= 1e-5 * scale, || {
                format!("on {} gradient {i} is {a}, by definition {b}", case.what)
            })?;
        }
    }
    Ok(())
}

fn asks(plug: &Plug<dyn Loss>) -> Check {
    for case in cases(plug.wants(), DType::F32)?.into_iter().filter(|c| c.smooth) {
        let none = plug.forward(&LossInput { prediction: &case.prediction, targets: &Named::new() });
        ensure(none.is_err(), || "without any target it gives a value".into())?;
        let key = plug.wants().target.key();
        let target = case.targets.want(key)?;
        let short = target.narrow(0, 0, 1)?;
        let less = plug.forward(&LossInput { prediction: &case.prediction, targets: &Named::one(key, short) });
        ensure(less.is_err(), || {
            format!("with a target of one sample for {:?} it gives a value", case.prediction.dims())
        })?;
    }
    Ok(())
}
