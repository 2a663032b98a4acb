//! Attention that never holds the matrix of all scores.

mod marks;
mod packed;
mod passes;

pub use packed::{Sight, self_attention};

use crate::apply::three_where_they_lie;
use crate::halves::is_half;
use crate::host::{dtype, for_float, output, tensor};
use crate::sizes::broadcast;
use crate::strided::{Held, Matrices, lie};
use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor, bail};
use marks::Marks;
use passes::{Attend, Operands, Row};
use std::sync::OnceLock;

const NAME: &str = "scaled_dot_product_attention";

/// What a query may look at, and how scores are scaled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attention<'a> {
    /// Of a shape that broadcasts to `[.., L, S]`. `u8`: a query takes part in the keys that are not 0 (PyTorch's
    /// boolean mask); of the queries' element type: added to the scores, and has a gradient.
    pub mask: Option<&'a Tensor>,
    /// Whether query `i` sees keys `0..=i` alone; not together with a mask.
    pub is_causal: bool,
    /// The factor of the scores; `1 / sqrt(E)` where not given.
    pub scale: Option<f64>,
}

/// `softmax(q k^T scale + mask) v` for `q` `[.., L, E]`, `k` `[.., S, E]` and `v` `[.., S, Ev]`, whose leading dimensions
/// broadcast: `[.., L, Ev]`.
///
/// Scores exist a block at a time: of each row, its maximum and sum run along the blocks, and backward makes the blocks
/// again from those. A query that sees no key gives zeros and gets no gradient, as in PyTorch.
pub fn scaled_dot_product_attention(q: &Tensor, k: &Tensor, v: &Tensor, p: &Attention<'_>) -> Result<Tensor> {
    let ([ql @ .., l, e], [kl @ .., s, ek], [vl @ .., sv, ev]) = (q.dims(), k.dims(), v.dims()) else {
        bail!("{NAME}: matrices expected, got q {:?}, k {:?}, v {:?}", q.dims(), k.dims(), v.dims());
    };
    let unfit = || candle_core::Error::Msg(misfit("", q, k, v, None)).bt();
    if e != ek || s != sv || *e == 0 || *ev == 0 {
        return Err(unfit());
    }
    let lead = broadcast(&broadcast(ql, kl).ok_or_else(unfit)?, vl).ok_or_else(unfit)?;
    let batch = lead.iter().product();
    let scale = p.scale.unwrap_or(1.0 / (*e as f64).sqrt());
    let spread = |t: &Tensor, rows: usize, cols: usize| {
        let shape = [lead.as_slice(), &[rows, cols]].concat();
        if t.dims() == shape { lie(NAME, t) } else { lie(NAME, &t.broadcast_as(shape)?) }
    };
    let whole = [lead.as_slice(), &[*l, *s]].concat();
    let attend = Attend { batch, l: *l, s: *s, e: *e, ev: *ev, scale, causal: p.is_causal };
    let (wide_q, wide_k, wide_v) = (spread(q, *l, *e)?, spread(k, *s, *e)?, spread(v, *s, *ev)?);
    let mut op = Op { attend, shape: [lead.as_slice(), &[*l, *ev]].concat(), mask: None, whole, sums: OnceLock::new() };
    let Some(mask) = p.mask else {
        return three_where_they_lie(&wide_q, &wide_k, &wide_v, op);
    };
    if p.is_causal {
        bail!("{NAME}: is_causal together with a mask {:?}", mask.dims());
    }
    if broadcast(mask.dims(), &op.whole).as_deref() != Some(&op.whole) || mask.rank() > op.whole.len() {
        return Err(candle_core::Error::Msg(misfit("the mask and ", q, k, v, Some(mask))).bt());
    }
    if mask.dtype() != DType::U8 && mask.dtype() != q.dtype() {
        bail!("{NAME}: mask of u8 or {:?} expected, got {:?}", q.dtype(), mask.dtype());
    }
    let mask = without_repeats(mask)?;
    if !mask.track_op() {
        // Beside operands of 16 bits the operation sees 32.
        let mask = if is_half(mask.dtype()) { mask.to_dtype(DType::F32)? } else { mask };
        op.mask = Some(mask.contiguous()?.broadcast_as(op.whole.as_slice())?);
        return three_where_they_lie(&wide_q, &wide_k, &wide_v, op);
    }
    // A fourth input, where candle has operations of three: keys and values as one.
    let mut shape = vec![1; op.whole.len() - mask.rank()];
    shape.extend_from_slice(mask.dims());
    let matrix = shape.len() - 2;
    shape[matrix..].copy_from_slice(&[*l, *s]);
    let mask = mask.broadcast_as(shape)?.contiguous()?;
    let kv = Tensor::cat(&[wide_k.flatten_all()?, wide_v.flatten_all()?], 0)?;
    three_where_they_lie(&wide_q, &kv, &mask, Biased(op))
}

fn misfit(what: &str, q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> String {
    let mask = mask.map_or(String::new(), |m| format!(", mask {:?}", m.dims()));
    let (q, k, v) = (q.dims(), k.dims(), v.dims());
    format!("{NAME}: {what}q [.., L, E], k [.., S, E] and v [.., S, Ev] do not fit: q {q:?}, k {k:?}, v {v:?}{mask}")
}

/// One element of each dimension along which a view repeats itself.
fn without_repeats(t: &Tensor) -> Result<Tensor> {
    let mut t = t.clone();
    for dim in 0..t.rank() {
        if t.stride()[dim] == 0 && t.dims()[dim] > 1 {
            t = t.narrow(dim, 0, 1)?;
        }
    }
    Ok(t)
}

struct Op {
    attend: Attend,
    /// Of the result.
    shape: Vec<usize>,
    /// A mask without gradient, as a view of the shape of the scores.
    mask: Option<Tensor>,
    /// The shape of the scores.
    whole: Vec<usize>,
    sums: OnceLock<Vec<Row>>,
}

impl Op {
    fn sums(&self) -> Result<&[Row]> {
        match self.sums.get() {
            Some(sums) => Ok(sums),
            None => bail!("{NAME}: backward without a forward"),
        }
    }
}

impl CustomOp3 for Op {
    fn name(&self) -> &'static str {
        NAME
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
        let held = self.mask.as_ref().map(|m| Held::read(NAME, m));
        for_float!(NAME, dtype(s1), T => {
            let marks = Marks::<T>::of(NAME, held.as_ref().map(Held::input).transpose()?)?;
            let (q, k, v) = (Matrices::of(NAME, s1, l1)?, Matrices::of(NAME, s2, l2)?, Matrices::of(NAME, s3, l3)?);
            let (y, sums) = self.attend.forward(&Operands { q, k, v, marks });
            // The op runs once; were it run again, the sums would be the same.
            let _ = self.sums.set(sums);
            Ok(output(y, self.shape.as_slice()))
        })
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dy = lie(NAME, dy)?;
        let held = self.mask.as_ref().map(|m| Held::read(NAME, m));
        let (hq, hk, hv) = (Held::read(NAME, q), Held::read(NAME, k), Held::read(NAME, v));
        let (hy, hdy) = (Held::read(NAME, y), Held::read(NAME, &dy));
        for_float!(NAME, q.dtype(), T => {
            let marks = Marks::<T>::of(NAME, held.as_ref().map(Held::input).transpose()?)?;
            let operands = Operands { q: hq.matrices()?, k: hk.matrices()?, v: hv.matrices()?, marks };
            let (y, dy) = (hy.matrices()?, hdy.matrices()?);
            let [dq, dk, dv] = self.attend.backward(&operands, self.sums()?, &y, &dy);
            let grad = |t: &Tensor, grad| t.track_op().then(|| tensor(grad, t.shape())).transpose();
            Ok((grad(q, dq)?, grad(k, dk)?, grad(v, dv)?))
        })
    }
}

/// The same with keys and values in one vector, one after the other, and an added mask `[.., L, S]` with a gradient.
struct Biased(Op);

impl Biased {
    fn split<'a, T: crate::host::Real>(&self, kv: &'a [T]) -> (Matrices<'a, T>, Matrices<'a, T>) {
        let Attend { batch, s, e, ev, .. } = self.0.attend;
        let (k, v) = kv.split_at(batch * s * e);
        (Matrices::packed(k, batch, [s, e]), Matrices::packed(v, batch, [s, ev]))
    }
}

impl CustomOp3 for Biased {
    fn name(&self) -> &'static str {
        NAME
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
        let op = &self.0;
        for_float!(NAME, dtype(s1), T => {
            let marks = Marks::<T>::of(NAME, Some((s3, &l3.broadcast_as(op.whole.as_slice())?)))?;
            let (k, v) = self.split(crate::host::slice(NAME, s2, l2)?);
            let (y, sums) = op.attend.forward(&Operands { q: Matrices::of(NAME, s1, l1)?, k, v, marks });
            let _ = op.sums.set(sums);
            Ok(output(y, op.shape.as_slice()))
        })
    }

    fn bwd(
        &self,
        q: &Tensor,
        kv: &Tensor,
        mask: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let op = &self.0;
        let dy = lie(NAME, dy)?;
        let (hq, hkv, hmask) = (Held::read(NAME, q), Held::read(NAME, kv), Held::read(NAME, mask));
        let (hy, hdy) = (Held::read(NAME, y), Held::read(NAME, &dy));
        for_float!(NAME, q.dtype(), T => {
            let ((mask_data, mask_layout), (kv_data, kv_layout)) = (hmask.input()?, hkv.input()?);
            let whole = mask_layout.broadcast_as(op.whole.as_slice())?;
            let marks = Marks::<T>::of(NAME, Some((mask_data, &whole)))?;
            let (k, v) = self.split(crate::host::slice(NAME, kv_data, kv_layout)?);
            let operands = Operands { q: hq.matrices()?, k, v, marks };
            let (y, dy) = (hy.matrices()?, hdy.matrices()?);
            let [dq, mut dk, dv] = op.attend.backward(&operands, op.sums()?, &y, &dy);
            dk.extend_from_slice(&dv);
            let dmask = op.attend.mask_grad(&operands, op.sums()?, &y, &dy, mask.elem_count());
            let dq = q.track_op().then(|| tensor(dq, q.shape())).transpose()?;
            let dkv = kv.track_op().then(|| tensor(dk, kv.shape())).transpose()?;
            Ok((dq, dkv, Some(tensor(dmask, mask.shape())?)))
        })
    }
}
