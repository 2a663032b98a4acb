//! Runs operations that are written for `f32` on tensors kept in 16 bits: they compute and sum in 32.

use crate::host::{dtype, unlike};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Layout, Result, Shape, Tensor, bail};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use pleach_simd::par_blocks;

/// Whether elements of this type take 16 bits.
pub(crate) fn is_half(dtype: DType) -> bool {
    matches!(dtype, DType::BF16 | DType::F16)
}

/// Elements per task.
const PIECE: usize = 1 << 15;

fn widen<H: Sync>(x: &[H], convert: impl Fn(&[H], &mut [f32]) + Sync + Send) -> CpuStorage {
    let mut y = vec![0.0; x.len()];
    par_blocks(&mut y, PIECE, |i, y| convert(&x[i * PIECE..][..y.len()], y));
    CpuStorage::F32(y)
}

fn narrow<H: Copy + Send>(x: &[f32], zero: H, convert: impl Fn(&[f32], &mut [H]) + Sync + Send) -> Vec<H> {
    let mut y = vec![zero; x.len()];
    par_blocks(&mut y, PIECE, |i, y| convert(&x[i * PIECE..][..y.len()], y));
    y
}

/// What a layout shows of a storage, in 32 bits and with the same strides.
fn wide(op: &'static str, s: &CpuStorage, l: &Layout, kept: DType) -> Result<(CpuStorage, Layout)> {
    if dtype(s) != kept {
        return Err(unlike(op, dtype(s), kept));
    }
    let reach: usize = l.dims().iter().zip(l.stride()).map(|(&n, &step)| n.saturating_sub(1) * step).sum();
    let first = l.start_offset();
    let end = if l.shape().elem_count() == 0 { first } else { first + reach + 1 };
    let wide = match s {
        CpuStorage::BF16(x) => widen(&x[first..end], |x, y| x.convert_to_f32_slice(y)),
        CpuStorage::F16(x) => widen(&x[first..end], |x, y| x.convert_to_f32_slice(y)),
        other => bail!("{op}: bf16 or f16 expected, got {:?}", dtype(other)),
    };
    Ok((wide, Layout::new(l.shape().clone(), l.stride().to_vec(), 0)))
}

/// A result in the type that the inputs are kept in, each number rounded once.
fn kept(op: &str, (s, shape): (CpuStorage, Shape), dtype: DType) -> Result<(CpuStorage, Shape)> {
    let s = match (&s, dtype) {
        (CpuStorage::F32(y), DType::BF16) => {
            CpuStorage::BF16(narrow(y, bf16::ZERO, |x, y| y.convert_from_f32_slice(x)))
        }
        (CpuStorage::F32(y), DType::F16) => CpuStorage::F16(narrow(y, f16::ZERO, |x, y| y.convert_from_f32_slice(x))),
        (other, _) => bail!("{op}: a result in f32 expected, got {:?}", crate::host::dtype(other)),
    };
    Ok((s, shape))
}

/// A tensor kept in 16 bits, in 32.
struct Widen;

impl CustomOp1 for Widen {
    fn name(&self) -> &'static str {
        "widen"
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let (s, _) = wide(self.name(), s, l, dtype(s))?;
        Ok((s, l.shape().clone()))
    }
}

/// The other way.
struct Narrow(DType);

impl CustomOp1 for Narrow {
    fn name(&self) -> &'static str {
        "narrow"
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        match (s, l.contiguous_offsets()) {
            (CpuStorage::F32(x), Some((from, to))) => {
                let part = CpuStorage::F32(x[from..to].to_vec());
                kept(self.name(), (part, l.shape().clone()), self.0)
            }
            _ => bail!("{}: contiguous f32 expected, got {:?} {l:?}", self.name(), dtype(s)),
        }
    }
}

/// In 32 bits; whether someone asks for its gradient stays as it was.
fn wide_tensor(t: &Tensor) -> Result<Tensor> {
    t.contiguous()?.apply_op1(Widen)
}

fn kept_grad(grad: Option<Tensor>, dtype: DType) -> Result<Option<Tensor>> {
    grad.map(|g| g.contiguous()?.apply_op1_no_bwd(&Narrow(dtype))).transpose()
}

/// An operation on tensors kept in 16 bits, all in the same type. What backward needs is kept in 16 bits too.
pub(crate) struct Half<O>(pub O);

impl<O: CustomOp1> CustomOp1 for Half<O> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let (op, dtype) = (self.name(), dtype(s));
        let (s, l) = wide(op, s, l, dtype)?;
        kept(op, self.0.cpu_fwd(&s, &l)?, dtype)
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        kept_grad(self.0.bwd(&wide_tensor(x)?, &wide_tensor(y)?, &wide_tensor(dy)?)?, x.dtype())
    }
}

impl<O: CustomOp2> CustomOp2 for Half<O> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (op, dtype) = (self.name(), dtype(s1));
        let ((s1, l1), (s2, l2)) = (wide(op, s1, l1, dtype)?, wide(op, s2, l2, dtype)?);
        kept(op, self.0.cpu_fwd(&s1, &l1, &s2, &l2)?, dtype)
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, y: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dtype = a.dtype();
        let (da, db) = self.0.bwd(&wide_tensor(a)?, &wide_tensor(b)?, &wide_tensor(y)?, &wide_tensor(dy)?)?;
        Ok((kept_grad(da, dtype)?, kept_grad(db, dtype)?))
    }
}

impl<O: CustomOp3> CustomOp3 for Half<O> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (op, dtype) = (self.name(), dtype(s1));
        let [(s1, l1), (s2, l2), (s3, l3)] =
            [wide(op, s1, l1, dtype)?, wide(op, s2, l2, dtype)?, wide(op, s3, l3, dtype)?];
        kept(op, self.0.cpu_fwd(&s1, &l1, &s2, &l2, &s3, &l3)?, dtype)
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dtype = a.dtype();
        let [a, b, c] = [wide_tensor(a)?, wide_tensor(b)?, wide_tensor(c)?];
        let (da, db, dc) = self.0.bwd(&a, &b, &c, &wide_tensor(y)?, &wide_tensor(dy)?)?;
        Ok((kept_grad(da, dtype)?, kept_grad(db, dtype)?, kept_grad(dc, dtype)?))
    }
}
