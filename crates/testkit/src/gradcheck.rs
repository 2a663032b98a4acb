//! Compares a gradient with central differences.

use crate::fault::{Check, Fault, ensure};
use pleach_core::{DType, Result, Tensor, Var};

/// Half the distance between the two points of a difference.
const STEP: f64 = 1e-5;
/// Greatest difference, relative to the larger of 1 and the gradient.
const TOLERANCE: f64 = 1e-6;

/// Compares the gradient of `f` by each of its inputs with central differences, element by element.
///
/// Inputs are of type f64: differences in f32 say nothing. An output of several elements is summed with
/// fixed weights first. The function must be smooth within 1e-5 of the inputs.
///
/// # Errors
/// Says which element of which input has the wrong gradient, or that none arrives because the graph is cut.
pub fn gradcheck(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Check {
    for (i, input) in inputs.iter().enumerate() {
        ensure(input.dtype() == DType::F64, || format!("input {i} is of type {:?}, not f64", input.dtype()))?;
    }
    let scalar = |inputs: &[Tensor]| -> Check<Tensor> {
        let y = f(inputs)?.to_dtype(DType::F64)?.flatten_all()?;
        let weights: Vec<f64> = (0..y.elem_count()).map(|i| 1.0 + 0.5 * (1.7 * i as f64).sin()).collect();
        let weights = Tensor::from_vec(weights, y.elem_count(), y.device())?;
        Ok((y * weights)?.sum_all()?)
    };
    let vars: Vec<Var> = inputs.iter().map(Var::from_tensor).collect::<Result<_, _>>()?;
    let tracked: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let grads = scalar(&tracked)?.backward()?;
    for (i, (input, var)) in inputs.iter().zip(&vars).enumerate() {
        let values = input.flatten_all()?.to_vec1::<f64>()?;
        let analytic = match grads.get(var) {
            Some(g) => Some(g.flatten_all()?.to_vec1::<f64>()?),
            None => None,
        };
        for e in 0..values.len() {
            let at = |offset: f64| -> Check<f64> {
                let mut moved = values.clone();
                moved[e] += offset;
                let mut all = inputs.to_vec();
                all[i] = Tensor::from_vec(moved, input.shape(), input.device())?;
                Ok(scalar(&all)?.to_scalar::<f64>()?)
            };
            let numeric = (at(STEP)? - at(-STEP)?) / (2.0 * STEP);
            let Some(analytic) = &analytic else {
                ensure(numeric.abs() <= TOLERANCE, || {
                    format!("no gradient arrives at input {i}, where differences give {numeric:e}: the graph is cut")
                })?;
                continue;
            };
            let got =
                analytic.get(e).copied().ok_or_else(|| Fault(format!("the gradient of input {i} is too short")))?;
            let gap = (got - numeric).abs();
            // Written so that NaN fails.
            ensure(gap <= TOLERANCE * numeric.abs().max(1.0), || {
                format!("the gradient by element {e} of input {i} is {got:e}, differences give {numeric:e}")
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::Device;

    fn input() -> Tensor {
        Tensor::new(&[[0.3f64, -1.2, 2.0], [0.7, 0.1, -0.4]], &Device::Cpu).unwrap()
    }

    #[test]
    fn a_right_gradient_passes() {
        gradcheck(|x| Ok((x[0].sqr()? * x[1].exp()?)?), &[input(), input()]).unwrap();
    }

    #[test]
    fn a_cut_graph_is_named() {
        let fault = gradcheck(|x| Ok(x[0].detach().sqr()?), &[input()]).unwrap_err();
        assert!(fault.0.contains("the graph is cut"), "{fault}");
    }

    #[test]
    fn a_wrong_gradient_is_named_with_its_element() {
        // The value of x^2 with the gradient of x * constant.
        let fault = gradcheck(|x| Ok((&x[0] * x[0].detach())?), &[input()]).unwrap_err();
        assert!(fault.0.contains("element 0 of input 0"), "{fault}");
    }
}
