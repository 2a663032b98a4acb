//! Tensors kept in 16 bits: computed as in 32, rounded once.

use crate::common::flat;
use crate::table::{forward_and_back, table};
use candle_core::{DType, Tensor};

#[test]
fn every_operation_computes_in_32_bits_what_is_kept_in_16() {
    for (kept, unit) in [(DType::BF16, 1.0 / 256.0), (DType::F16, 1.0 / 2048.0)] {
        for e in table() {
            let inputs: Vec<Tensor> = e.small().iter().map(|t| t.to_dtype(kept).unwrap()).collect();
            let wide: Vec<Tensor> = inputs.iter().map(|t| t.to_dtype(DType::F32).unwrap()).collect();
            let (y, grads) = forward_and_back(&e, &inputs);
            let (want, want_grads) = forward_and_back(&e, &wide);
            assert_eq!(y.dtype(), kept, "{}", e.name);
            if e.one_step {
                assert_eq!(flat(&y), flat(&want.to_dtype(kept).unwrap()), "{} in {kept:?}", e.name);
            }
            for (part, (got, want)) in
                std::iter::once(&y).chain(&grads).zip(std::iter::once(&want).chain(&want_grads)).enumerate()
            {
                assert_eq!(got.dtype(), kept, "{}, part {part}", e.name);
                let (got, want) = (flat(got), flat(want));
                let scale = want.iter().fold(1e-3, |m: f64, v| m.max(v.abs()));
                for (got, want) in got.iter().zip(&want) {
                    // A unit for each rounding on the way: inputs of backward, result, candle's sum.
                    assert!(
                        (got - want).abs() <= 4.0 * unit * scale,
                        "{} in {kept:?}, part {part}: {got} for {want}",
                        e.name
                    );
                }
            }
        }
    }
}

#[test]
fn types_do_not_mix() {
    for e in table().iter().filter(|e| e.shapes.len() > 1 && !e.mixes) {
        let mut inputs: Vec<Tensor> = e.small().iter().map(|t| t.to_dtype(DType::F32).unwrap()).collect();
        inputs[1] = inputs[1].to_dtype(DType::BF16).unwrap();
        for _ in 0..2 {
            let text = (e.run)(&inputs).map(|y| y.dims().to_vec()).unwrap_err().to_string();
            assert!(text.contains("BF16") && text.contains("F32"), "{}: {text}", e.name);
            inputs.iter_mut().for_each(|t| {
                let other = if t.dtype() == DType::F32 { DType::BF16 } else { DType::F32 };
                *t = t.to_dtype(other).unwrap();
            });
        }
    }
}
