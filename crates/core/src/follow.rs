//! Averages that follow the weights, one step of the optimizer after another.

use crate::{Result, Tensor};
use candle_core::{CpuStorage, DType, InplaceOp2, Layout};
use pleach_simd::{Float, half, par_blocks};
use std::collections::BTreeMap;
use std::ops::Range;

/// Averages that a step is to move: `average += share (weight - average)` with the weights as the step leaves them.
#[derive(Debug, Clone, Copy)]
pub struct Follow<'a> {
    /// How far they go, 0 to 1.
    pub share: f64,
    /// The averages by the names of the parameters, of their shape and type, f32 or f64 and contiguous in host memory. They are
    /// written over, and share memory with nothing else.
    pub averages: &'a BTreeMap<String, Tensor>,
}

impl<'a> Follow<'a> {
    /// A move of these averages; nothing where one of them cannot be written over.
    pub fn new(share: f64, averages: &'a BTreeMap<String, Tensor>) -> Option<Self> {
        averages.values().all(lies_in_order).then_some(Self { share, averages })
    }
}

/// Whether a tensor can be written over: f32 or f64, contiguous in host memory.
pub fn lies_in_order(tensor: &Tensor) -> bool {
    tensor.device().is_cpu() && matches!(tensor.dtype(), DType::F32 | DType::F64) && tensor.is_contiguous()
}

/// Elements of a thread's piece.
const PIECE: usize = 1 << 14;

pleach_simd::lanes! {
    /// Moves each average by `share` of its way to its weight.
    fn follow_slices<T: Float>(averages: &mut [T], weights: &[T], share: T) {
        let n = averages.len().min(weights.len());
        let ((a, b), (v, w)) = (averages[..n].split_at_mut(half(n)), weights[..n].split_at(half(n)));
        let both = b.len();
        for ((a, v), (b, w)) in a.iter_mut().zip(v).zip(b.iter_mut().zip(w)) {
            *a += share * (*v - *a);
            *b += share * (*w - *b);
        }
        for (a, v) in a.iter_mut().zip(v).skip(both) {
            *a += share * (*v - *a);
        }
    }
}

/// The average moved by `share` of its way to the weight: written over where it lies in host memory, in f32 or f64; a new
/// tensor elsewhere.
///
/// # Errors
/// The shapes differ.
pub fn follow(average: &Tensor, weight: &Tensor, share: f64) -> Result<Tensor> {
    if !lies_in_order(average) || average.dtype() != weight.dtype() || average.dims() != weight.dims() {
        let far = (weight - average)?.affine(share, 0.0)?;
        return Ok((average + far)?);
    }
    average.inplace_op2(&weight.contiguous()?, &Move { share })?;
    Ok(average.clone())
}

/// [`follow`] as candle lends storages.
struct Move {
    share: f64,
}

impl InplaceOp2 for Move {
    fn name(&self) -> &'static str {
        "moving-average"
    }

    fn cpu_fwd(&self, to: &mut CpuStorage, l1: &Layout, of: &CpuStorage, l2: &Layout) -> candle_core::Result<()> {
        match (to, of) {
            (CpuStorage::F32(to), CpuStorage::F32(of)) => {
                pieces(&mut to[place(l1)?], &of[place(l2)?], self.share as f32)
            }
            (CpuStorage::F64(to), CpuStorage::F64(of)) => pieces(&mut to[place(l1)?], &of[place(l2)?], self.share),
            _ => candle_core::bail!("a moving average of slices is of f32 or f64"),
        }
        Ok(())
    }
}

/// Where the elements of a tensor stand that lie in order.
fn place(layout: &Layout) -> candle_core::Result<Range<usize>> {
    let range = layout.contiguous_offsets().map(|(from, to)| from..to);
    range.ok_or_else(|| candle_core::Error::Msg("a moving average and its weights lie in order".into()))
}

fn pieces<T: Float>(averages: &mut [T], weights: &[T], share: T) {
    par_blocks(averages, PIECE, |i, piece| follow_slices(piece, &weights[i * PIECE..], share));
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn an_average_goes_its_share_of_the_way_where_it_lies() {
        let n = PIECE + 11;
        let line = |from: f64| Tensor::from_vec((0..n).map(|i| from + i as f64).collect::<Vec<_>>(), n, &Device::Cpu);
        for dtype in [DType::F64, DType::F32, DType::BF16] {
            let (average, weight) =
                (line(1.0).unwrap().to_dtype(dtype).unwrap(), line(5.0).unwrap().to_dtype(dtype).unwrap());
            let algebra = (&average + ((&weight - &average).unwrap() * 0.25).unwrap()).unwrap();
            let moved = follow(&average, &weight, 0.25).unwrap();
            let flat = |t: &Tensor| t.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(flat(&moved), flat(&algebra));
            assert_eq!(flat(&average) == flat(&moved), dtype != DType::BF16);
        }
    }

    #[test]
    fn shapes_that_differ_are_an_error() {
        let ones = |n: usize| Tensor::ones(n, DType::F32, &Device::Cpu).unwrap();
        assert!(follow(&ones(2), &ones(3), 0.5).is_err());
    }
}
