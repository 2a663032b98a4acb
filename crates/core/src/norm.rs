//! The lengths of gradients, as one read of them all: every step asks whether gradients are finite.

use crate::{Result, Tensor};
use candle_core::{CpuStorage, DType, Storage};
use pleach_simd::{Float, par_map, sum_of};

/// Elements of a thread's piece.
const PIECE: usize = 1 << 16;

/// The L2 norms of tensors of any shape, each finite if and only if all elements are, up to the greatest `f64`. The pieces of all
/// tensors are spread over the threads together.
///
/// Squares are added in the elements' own precision, 32 sums side by side over 1024 elements, and those in `f64`; where that
/// overflows, in `f64` from the start.
///
/// # Errors
/// A tensor's device fails.
pub fn norms<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<Vec<f64>> {
    let tensors: Vec<&Tensor> = tensors.into_iter().collect();
    let guards: Vec<_> = tensors.iter().map(|t| t.storage_and_layout()).collect();
    let slices = guards.iter().map(|(storage, layout)| {
        let range = layout.contiguous_offsets().map(|(from, to)| from..to)?;
        match &**storage {
            Storage::Cpu(CpuStorage::F32(all)) => all.get(range).map(Slice::F32),
            Storage::Cpu(CpuStorage::F64(all)) => all.get(range).map(Slice::F64),
            _ => None,
        }
    });
    let slices: Vec<Option<Slice<'_>>> = slices.collect();
    let pieces = slices.iter().enumerate().flat_map(|(of, slice)| {
        let count = slice.as_ref().map_or(0, |slice| slice.len().div_ceil(PIECE));
        (0..count).map(move |i| (of, i))
    });
    let pieces: Vec<(usize, usize)> = pieces.collect();
    let squares = par_map(pieces.len(), |i| {
        let (of, piece) = pieces[i];
        slices[of].as_ref().map_or(0.0, |slice| slice.squares(piece))
    });
    let mut sums = vec![0.0; tensors.len()];
    for ((of, _), squares) in pieces.iter().zip(squares) {
        sums[*of] += squares;
    }
    let norm = |(i, sum): (usize, f64)| match &slices[i] {
        Some(slice) if sum.is_finite() || slice.len() == 0 => Ok(sum.sqrt()),
        Some(slice) => Ok(slice.wide_squares().sqrt()),
        None => Ok(tensors[i].to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt()),
    };
    sums.into_iter().enumerate().map(norm).collect()
}

/// The elements of a tensor in host memory.
enum Slice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

impl Slice<'_> {
    fn len(&self) -> usize {
        match self {
            Self::F32(all) => all.len(),
            Self::F64(all) => all.len(),
        }
    }

    fn squares(&self, piece: usize) -> f64 {
        fn of<T: Float>(all: &[T], piece: usize) -> f64 {
            sum_of(&all[piece * PIECE..all.len().min((piece + 1) * PIECE)], |v| v * v)
        }
        match self {
            Self::F32(all) => of(all, piece),
            Self::F64(all) => of(all, piece),
        }
    }

    fn wide_squares(&self) -> f64 {
        match self {
            Self::F32(all) => all.iter().map(|&v| f64::from(v) * f64::from(v)).sum(),
            Self::F64(all) => all.iter().map(|v| v * v).sum(),
        }
    }
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
            let got = norms([&tensor]).unwrap()[0];
            assert!((got / want - 1.0).abs() < tolerance, "{got} for {want}");
        }
    }

    #[test]
    fn a_norm_is_finite_if_and_only_if_all_elements_are() {
        let of = |odd: f32| {
            let mut all = vec![1f32; 100_000];
            all[77_777] = odd;
            norms([&Tensor::new(all, &Device::Cpu).unwrap()]).unwrap()[0]
        };
        assert!((of(1e30) / 1e30 - 1.0).abs() < 1e-6);
        assert!(of(f32::INFINITY).is_infinite() && of(f32::NAN).is_nan());
        assert_eq!(norms([&Tensor::zeros(0, DType::F32, &Device::Cpu).unwrap()]).unwrap()[0], 0.0);
    }

    #[test]
    fn each_tensor_has_its_own_norm_with_the_same_bits_alone_and_among_others() {
        let all: Vec<_> = [3, 200_000, 0, 70_000]
            .map(|n| Tensor::randn(0f32, 1.0, n, &Device::Cpu).unwrap())
            .into_iter()
            .chain([Tensor::full(1e30f32, 5, &Device::Cpu).unwrap()])
            .collect();
        let alone: Vec<f64> = all.iter().map(|t| norms([t]).unwrap()[0]).collect();
        assert_eq!(norms(&all).unwrap(), alone);
        assert!((alone[4] / 5f64.sqrt() / 1e30 - 1.0).abs() < 1e-6);
    }
}
