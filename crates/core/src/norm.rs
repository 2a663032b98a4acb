//! The length of a gradient, as one read of it: every step asks whether gradients are finite.

use crate::{Result, Tensor};
use candle_core::{CpuStorage, DType, Storage};
use pleach_simd::{Float, reduce, sum_of};

/// Elements of a thread's piece.
const PIECE: usize = 1 << 16;

/// The L2 norm of a tensor of any shape: finite if and only if all its elements are, up to the greatest `f64`.
///
/// Squares are added in the elements' own precision, 32 sums side by side over 1024 elements, and those in `f64`; where that
/// overflows, in `f64` from the start.
///
/// # Errors
/// The tensor's device fails.
pub fn norm(tensor: &Tensor) -> Result<f64> {
    let (storage, layout) = tensor.storage_and_layout();
    let range = layout.contiguous_offsets().map(|(from, to)| from..to);
    let squares = match (&*storage, range) {
        (Storage::Cpu(CpuStorage::F32(all)), Some(range)) => all.get(range).map(squares),
        (Storage::Cpu(CpuStorage::F64(all)), Some(range)) => all.get(range).map(squares),
        _ => None,
    };
    drop(storage);
    match squares {
        Some(squares) => Ok(squares.sqrt()),
        None => Ok(tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt()),
    }
}

fn squares<T: Float>(all: &[T]) -> f64 {
    let piece = |i: usize| &all[i * PIECE..all.len().min((i + 1) * PIECE)];
    let pieces = all.len().div_ceil(PIECE);
    let sum = reduce(pieces, |i| sum_of(piece(i), |v| v * v), |a, b| a + b).unwrap_or(0.0);
    if sum.is_finite() {
        return sum;
    }
    let wide = |i: usize| piece(i).iter().map(|v| v.wide() * v.wide()).sum::<f64>();
    reduce(pieces, wide, |a, b| a + b).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn a_norm_is_that_of_plain_sums_whatever_the_layout_and_the_type() {
        let x = Tensor::randn(0f64, 3.0, (70, 1000), &Device::Cpu).unwrap();
        let want = x.sqr().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap().sqrt();
        for (tensor, tolerance) in [
            (x.clone(), 1e-13),
            (x.t().unwrap(), 1e-13),
            (x.to_dtype(DType::F32).unwrap(), 1e-6),
            (x.to_dtype(DType::F16).unwrap(), 1e-3),
        ] {
            let got = norm(&tensor).unwrap();
            assert!((got / want - 1.0).abs() < tolerance, "{got} for {want}");
        }
    }

    #[test]
    fn a_norm_is_finite_if_and_only_if_all_elements_are() {
        let of = |odd: f32| {
            let mut all = vec![1f32; 100_000];
            all[77_777] = odd;
            norm(&Tensor::new(all, &Device::Cpu).unwrap()).unwrap()
        };
        assert!((of(1e30) / 1e30 - 1.0).abs() < 1e-6);
        assert!(of(f32::INFINITY).is_infinite() && of(f32::NAN).is_nan());
        assert_eq!(norm(&Tensor::zeros(0, DType::F32, &Device::Cpu).unwrap()).unwrap(), 0.0);
    }
}
