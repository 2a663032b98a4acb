//! Operations that take several steps as one give what the steps give, forwards and backwards.

use crate::common::{Seed, flat};
use candle_core::{DType, Tensor, Var};
use pleach_ops::*;

/// The value and the gradients of all inputs.
fn run(inputs: &[Tensor], f: impl Fn(&[Tensor]) -> candle_core::Result<Tensor>) -> Vec<Vec<f64>> {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).unwrap()).collect();
    let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&args).unwrap();
    let weights = Seed(3).tensor(y.dims()).to_dtype(y.dtype()).unwrap();
    let grads = (&y * weights).unwrap().sum_all().unwrap().backward().unwrap();
    let grads = vars.iter().map(|v| flat(grads.get(v.as_tensor()).unwrap()));
    std::iter::once(flat(&y)).chain(grads).collect()
}

fn same(got: &[Vec<f64>], want: &[Vec<f64>], tolerance: f64) {
    for (got, want) in got.iter().zip(want) {
        assert_eq!(got.len(), want.len());
        for (g, w) in got.iter().zip(want) {
            assert!((g - w).abs() <= tolerance * (1.0 + w.abs()), "{g} for {w}");
        }
    }
}

#[test]
fn self_attention_is_attention_of_its_three_parts() {
    for (n, l, heads, e) in [(2, 5, 3, 4), (1, 70, 2, 8), (3, 1, 1, 1)] {
        for (sight, is_causal) in [(Sight::All, false), (Sight::Past, true)] {
            let qkv = Seed(7).tensor(&[n, l, 3 * heads * e]);
            let packed = run(std::slice::from_ref(&qkv), |v| self_attention(&v[0], heads, sight));
            let parts = run(std::slice::from_ref(&qkv), |v| {
                let parts = v[0].reshape((n, l, 3, heads, e))?;
                let part = |i| parts.narrow(2, i, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
                let how = Attention { is_causal, ..Attention::default() };
                let y = scaled_dot_product_attention(&part(0)?, &part(1)?, &part(2)?, &how)?;
                y.transpose(1, 2)?.reshape((n, l, heads * e))
            });
            same(&packed, &parts, 1e-12);
        }
    }
}

#[test]
fn a_projection_that_cannot_be_cut_into_heads_is_an_error() {
    let qkv = Seed(7).tensor(&[2, 5, 36]);
    for heads in [0, 5] {
        let e = self_attention(&qkv, heads, Sight::All).unwrap_err().to_string();
        assert!(e.contains("self_attention") && e.contains("[2, 5, 36]"), "{e}");
    }
    assert!(self_attention(&qkv.squeeze(0).unwrap().flatten_all().unwrap(), 3, Sight::All).is_err());
}

#[test]
fn a_linear_map_then_a_rectifier_is_both() {
    for (rows, cin, out) in [(1, 1, 1), (7, 5, 19), (40, 300, 33)] {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
            let mut seed = Seed(9);
            let all = [seed.tensor(&[rows, cin]), seed.tensor(&[out, cin]), seed.tensor(&[out])];
            let all = all.map(|t| t.to_dtype(dtype).unwrap());
            let one = run(&all, |v| linear_then(&v[0], &v[1], Some(&v[2]), Then::Relu));
            let two = run(&all, |v| relu(&linear(&v[0], &v[1], Some(&v[2]))?));
            same(&one, &two, tolerance);
        }
    }
}
