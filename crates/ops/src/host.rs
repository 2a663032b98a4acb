//! Reads tensors as slices of host memory and makes tensors out of vectors.

use crate::apply::in_order;
use crate::sizes;
use crate::tile::Tiled;
use crate::vector::Vectors;
use candle_core::{
    CpuStorage, DType, Device, Error, Layout, Result, Shape, Storage, StorageRef, Tensor, WithDType, bail,
};
use pleach_simd::Float;

/// The element types that operations are written for.
pub(crate) trait Real: Float + WithDType + Tiled + Vectors {
    /// The complementary error function, right in the tails where `1 - erf` is not.
    fn erfc(self) -> Self;
}

impl Real for f32 {
    /// The Chebyshev fit of Numerical Recipes (section 6.2), to 1.2e-7 of the result: no branches, for vector lanes.
    #[inline(always)]
    fn erfc(self) -> Self {
        let z = self.abs();
        let t = 1.0 / (1.0 + 0.5 * z);
        let fit = [
            0.170_872_77,
            -0.822_152_23,
            1.488_515_9,
            -1.135_204,
            0.278_868_07,
            -0.186_288_06,
            0.096_784_18,
            0.374_091_96,
            1.000_023_7,
            -1.265_512_2,
        ];
        let exponent = fit.iter().fold(0.0f32, |sum, c| sum * t + c);
        let upper = t * Float::exp(exponent - z * z);
        if self < 0.0 { 2.0 - upper } else { upper }
    }
}

impl Real for f64 {
    fn erfc(self) -> Self {
        libm::erfc(self)
    }
}

/// Runs `$body` with `$T` standing for the element type, or says that `$op` has none for it.
macro_rules! for_float {
    ($op:expr, $dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            candle_core::DType::F32 => {
                type $T = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $T = f64;
                $body
            }
            other => Err($crate::host::no_dtype($op, other)),
        }
    };
}
pub(crate) use for_float;

pub(crate) fn no_dtype(op: &'static str, dtype: DType) -> Error {
    Error::Msg(format!("{op}: f32, f64, bf16 or f16 expected, got {dtype:?}")).bt()
}

/// Two inputs of unlike types.
pub(crate) fn unlike(op: &'static str, dtype: DType, first: DType) -> Error {
    Error::Msg(format!("{op}: one dtype for all inputs expected, got {dtype:?} beside {first:?}")).bt()
}

/// The elements of a contiguous tensor inside a custom op.
pub(crate) fn slice<'a, T: Real>(op: &'static str, s: &'a CpuStorage, l: &Layout) -> Result<&'a [T]> {
    let Some((from, to)) = l.contiguous_offsets() else { bail!("{op}: contiguous input expected, got {l:?}") };
    match s.as_slice::<T>() {
        Ok(data) => Ok(&data[from..to]),
        Err(_) => Err(unlike(op, dtype(s), T::DTYPE)),
    }
}

pub(crate) fn dtype(s: &CpuStorage) -> DType {
    candle_core::backend::BackendStorage::dtype(s)
}

/// A contiguous tensor on the host, held for reading.
pub(crate) struct Host<'a> {
    op: &'static str,
    storage: StorageRef<'a>,
    layout: &'a Layout,
}

impl<'a> Host<'a> {
    pub fn read(op: &'static str, t: &'a Tensor) -> Self {
        let (storage, layout) = t.storage_and_layout();
        Self { op, storage, layout }
    }

    pub fn slice<T: Real>(&self) -> Result<&[T]> {
        match &*self.storage {
            Storage::Cpu(s) => slice(self.op, s, self.layout),
            _ => bail!("{}: no implementation for this device", self.op),
        }
    }
}

/// A new tensor on the host.
pub(crate) fn tensor<T: Real>(data: Vec<T>, shape: &Shape) -> Result<Tensor> {
    Tensor::from_vec(data, shape, &Device::Cpu)
}

/// What a custom op's forward gives.
pub(crate) fn output<T: Real>(data: Vec<T>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (T::to_cpu_storage_owned(data), shape.into())
}

/// The four sizes of an image tensor, whose products do not overflow.
pub(crate) fn dims4(op: &'static str, what: &str, t: &Tensor) -> Result<[usize; 4]> {
    sizes::total(op, t.dims())?;
    match t.dims() {
        &[a, b, c, d] => Ok([a, b, c, d]),
        other => bail!("{op}: {what} with 4 dimensions expected, got {other:?}"),
    }
}

/// One value per channel: a vector of `len` elements, contiguous.
pub(crate) fn vector(op: &'static str, what: &str, t: &Tensor, len: usize) -> Result<Tensor> {
    if t.dims() != [len] {
        bail!("{op}: {what} of shape [{len}] expected, got {:?}", t.dims());
    }
    in_order(op, t)
}

/// Weight and bias of a normalisation, ones and zeros where not given.
pub(crate) fn affine(
    op: &'static str,
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    shape: &[usize],
) -> Result<(Tensor, Tensor)> {
    for (what, t) in [("weight", weight), ("bias", bias)] {
        if let Some(t) = t
            && t.dims() != shape
        {
            bail!("{op}: {what} of shape {shape:?} expected for x {:?}, got {:?}", x.dims(), t.dims());
        }
    }
    let weight = match weight {
        Some(t) => t.contiguous()?,
        None => Tensor::ones(shape, x.dtype(), x.device())?,
    };
    let bias = match bias {
        Some(t) => t.contiguous()?,
        None => Tensor::zeros(shape, x.dtype(), x.device())?,
    };
    Ok((weight, bias))
}
