//! Compares a gradient with central differences.

use crate::fault::{Check, Fault, ensure};
use pleach_core::{DType, Result, Tensor, Var};

/// Half the distance between the two points of a difference.
const STEP: f64 = 1e-5;
/// Greatest difference, relative to the larger of 1 and the gradient.
const TOLERANCE: f64 = 1e-6;
/// Elements of which one may lie at a corner, where there is no gradient to compare.
const PER_CORNER: usize = 8;

/// Compares the gradient of `f` by each of its inputs with central differences, element by element.
///
/// Inputs are of type f64: differences in f32 say nothing. An output of several elements is summed with
/// fixed weights first. The function should be smooth within 1e-5 of the inputs; a few elements for which it has a
/// corner there (a hinge, a tie of a sort), which differences over a shorter step give away, are passed over.
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
        let mut corners = 0;
        for e in 0..values.len() {
            let at = |offset: f64| -> Check<f64> {
                let mut moved = values.clone();
                moved[e] += offset;
                let mut all = inputs.to_vec();
                all[i] = Tensor::from_vec(moved, input.shape(), input.device())?;
                Ok(scalar(&all)?.to_scalar::<f64>()?)
            };
            let slope = |step: f64| -> Check<f64> { Ok((at(step)? - at(-step)?) / (2.0 * step)) };
            let numeric = slope(STEP)?;
            let Some(analytic) = &analytic else {
                ensure(numeric.abs() <= TOLERANCE, || {
                    format!("no gradient arrives at input {i}, where differences give {numeric:e}: the graph is cut")
                })?;
                continue;
            };
            let got =
                analytic.get(e).copied().ok_or_else(|| Fault(format!("the gradient of input {i} is too short")))?;
            let near = |x: f64| (x - numeric).abs() <= TOLERANCE * numeric.abs().max(1.0);
            if !near(got) && numeric.is_finite() && corners * PER_CORNER < values.len() && !near(slope(STEP / 8.0)?) {
                corners += 1;
                continue;
            }
            // Written so that NaN fails.
            ensure(near(got), || {
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
    fn a_corner_beside_an_element_is_passed_over_and_many_of_them_are_not() {
        let corner = |x: &[Tensor]| Ok((&x[0] - 0.699_997)?.relu()?);
        gradcheck(corner, &[input()]).unwrap();
        let everywhere = Tensor::new(&[0.7f64, 0.700_001, 0.699_999], &Device::Cpu).unwrap();
        assert!(gradcheck(corner, &[everywhere]).is_err());
    }

    #[test]
    fn a_wrong_gradient_is_named_with_its_element() {
        // The value of x^2 with the gradient of x * constant.
        let fault = gradcheck(|x| Ok((&x[0] * x[0].detach())?), &[input()]).unwrap_err();
        assert!(fault.0.contains("element 0 of input 0"), "{fault}");
    }
}
