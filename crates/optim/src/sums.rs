//! Sums over whole tensors, for steps that depend on more than one element: their order follows from the length
//! alone, and they grow in double precision.

use crate::pass::{PIECE, Real, with_slice};
use candle_core::DType;
use pleach_core::{Result, Tensor};
use pleach_simd::{Float, reduce, sum_of, sum_of2};

/// The sum of squares.
pub(crate) fn squares(t: &Tensor) -> Result<f64> {
    on_host(t, |x| add(x, |x| sum_of(x, |v| v * v)), |x| add(x, |x| sum_of(x, |v| v * v)))
        .unwrap_or_else(|| total(&wide(t)?.sqr()?))
}

/// The sum of absolute values.
pub(crate) fn magnitudes(t: &Tensor) -> Result<f64> {
    on_host(t, |x| add(x, |x| sum_of(x, Float::abs)), |x| add(x, |x| sum_of(x, Float::abs)))
        .unwrap_or_else(|| total(&wide(t)?.abs()?))
}

/// The sum of products; both are of one shape.
pub(crate) fn products(a: &Tensor, b: &Tensor) -> Result<f64> {
    on_host(
        a,
        |x: &[f32]| with_slice(&b.contiguous()?, |y| add2(x, y)),
        |x: &[f64]| with_slice(&b.contiguous()?, |y| add2(x, y)),
    )
    .unwrap_or_else(|| Ok(total(&(wide(a)? * wide(b)?)?)))?
}

/// What one of both gives for the elements in host memory; nothing where they are elsewhere or of another type.
fn on_host<R>(t: &Tensor, single: impl FnOnce(&[f32]) -> R, double: impl FnOnce(&[f64]) -> R) -> Option<Result<R>> {
    match (t.device().is_cpu(), t.dtype()) {
        (true, DType::F32) => Some(t.contiguous().map_err(Into::into).and_then(|t| with_slice(&t, single))),
        (true, DType::F64) => Some(t.contiguous().map_err(Into::into).and_then(|t| with_slice(&t, double))),
        _ => None,
    }
}

/// The sum over pieces, each of them one thread's.
fn add<T: Real>(x: &[T], sum: impl Fn(&[T]) -> f64 + Sync + Send) -> f64 {
    let piece = |i| sum(x.chunks(PIECE).nth(i).unwrap_or_default());
    reduce(x.len().div_ceil(PIECE), piece, |a, b| a + b).unwrap_or_default()
}

fn add2<T: Real>(x: &[T], y: &[T]) -> f64 {
    let piece = |i| match (x.chunks(PIECE).nth(i), y.chunks(PIECE).nth(i)) {
        (Some(x), Some(y)) => sum_of2(x, y, |a, b| a * b),
        _ => 0.0,
    };
    reduce(x.len().div_ceil(PIECE), piece, |a, b| a + b).unwrap_or_default()
}

/// At least in single precision.
fn wide(t: &Tensor) -> Result<Tensor> {
    Ok(if t.dtype() == DType::F64 { t.clone() } else { t.to_dtype(DType::F32)? })
}

fn total(t: &Tensor) -> Result<f64> {
    if t.elem_count() == 0 {
        return Ok(0.0);
    }
    let sum = t.sum_all()?;
    Ok(if sum.dtype() == DType::F64 { sum.to_scalar::<f64>()? } else { f64::from(sum.to_scalar::<f32>()?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::Device;

    #[test]
    fn sums_are_the_same_in_every_type_also_of_nothing() {
        let values: Vec<f64> = (0..PIECE + 5).map(|i| f64::from(i as u32 % 7) - 3.0).collect();
        for values in [values, Vec::new()] {
            let n = values.len();
            let wanted: (f64, f64) = (values.iter().map(|v| v * v).sum(), values.iter().map(|v| v.abs()).sum());
            let t = Tensor::from_vec(values, n, &Device::Cpu).unwrap();
            for dtype in [DType::F64, DType::F32, DType::BF16] {
                let t = t.to_dtype(dtype).unwrap();
                assert_eq!((squares(&t).unwrap(), magnitudes(&t).unwrap()), wanted, "{dtype:?}");
                assert_eq!(products(&t, &t).unwrap(), wanted.0, "{dtype:?}");
            }
        }
    }
}
