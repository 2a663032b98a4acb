//! Attention of a sequence over itself, with queries, keys and values as one projection gives them.

use super::marks::Marks;
use super::passes::{Attend, Operands, Row};
use crate::apply::one;
use crate::fresh;
use crate::host::{Host, Real, dtype, for_float, output, slice, tensor};
use crate::strided::Matrices;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use std::sync::OnceLock;

const NAME: &str = "self_attention";

/// Attention of `heads` heads within each sequence: `qkv` `[N, L, 3 D]` has queries, keys and values side by side, each with the heads
/// one after the other, as `torch.nn.MultiheadAttention` projects them; the result is `[N, L, D]`, ready for the projection out.
///
/// The same as [`scaled_dot_product_attention`](crate::scaled_dot_product_attention) of the three parts with the heads moved before the
/// positions, without the copies that takes each way. With [`Sight::Past`], position i sees positions `0..=i` alone.
pub fn self_attention(qkv: &Tensor, heads: usize, sight: Sight) -> Result<Tensor> {
    let &[n, l, wide] = qkv.dims() else {
        bail!("{NAME}: qkv [N, L, 3 D] expected, got {:?}", qkv.dims());
    };
    if heads == 0 || wide == 0 || !wide.is_multiple_of(3 * heads) {
        bail!("{NAME}: qkv {:?} cannot be cut into queries, keys and values of {heads} heads", qkv.dims());
    }
    let e = wide / (3 * heads);
    let scale = 1.0 / (e as f64).sqrt();
    let attend = Attend { batch: n * heads, l, s: l, e, ev: e, scale, causal: sight == Sight::Past };
    one(qkv, Op { attend, heads, sums: OnceLock::new() })
}

/// What a position looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All positions.
    All,
    /// Itself and those before it.
    Past,
}

struct Op {
    attend: Attend,
    heads: usize,
    sums: OnceLock<Vec<Row>>,
}

impl Op {
    /// Of rows of `parts` parts with all heads each, the matrices of one part.
    fn part<'a, T: Real>(&self, all: &'a [T], part: usize, parts: usize) -> Matrices<'a, T> {
        let Attend { batch, l, e, .. } = self.attend;
        let (wide, heads) = (self.heads * e, self.heads);
        let start = |n: usize| n / heads * l * parts * wide + part * wide + n % heads * e;
        Matrices::strided(all, (0..batch).map(start).collect(), e, parts * wide)
    }

    fn operands<'a, T: Real>(&self, qkv: &'a [T]) -> Result<Operands<'a, T>> {
        let part = |i| self.part(qkv, i, 3);
        Ok(Operands { q: part(0), k: part(1), v: part(2), marks: Marks::of(NAME, None)? })
    }

    /// Parts `[N, heads, L, E]` as rows `[N, L, parts, heads, E]`.
    fn side_by_side<T: Real>(&self, parts: &[Vec<T>]) -> Vec<T> {
        let Attend { batch, l, e, .. } = self.attend;
        fresh::rows(parts.len() * batch * l * e, parts.len() * self.heads * e, |row, out| {
            let (n, at) = (row / l, row % l);
            for (i, out) in out.chunks_exact_mut(e).enumerate() {
                let (part, head) = (i / self.heads, i % self.heads);
                out.copy_from_slice(&parts[part][((n * self.heads + head) * l + at) * e..][..e]);
            }
        })
    }
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Attend { batch, l, e, .. } = self.attend;
        for_float!(NAME, dtype(s), T => {
            let (y, sums) = self.attend.forward(&self.operands(slice::<T>(NAME, s, layout)?)?);
            // The op runs once; were it run again, the sums would be the same.
            let _ = self.sums.set(sums);
            Ok(output(self.side_by_side(&[y]), (batch / self.heads, l, self.heads * e)))
        })
    }

    fn bwd(&self, qkv: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let Some(sums) = self.sums.get() else { bail!("{NAME}: backward without a forward") };
        let dy = dy.contiguous()?;
        let (hqkv, hy, hdy) = (Host::read(NAME, qkv), Host::read(NAME, y), Host::read(NAME, &dy));
        for_float!(NAME, qkv.dtype(), T => {
            let (y, dy) = (self.part(hy.slice::<T>()?, 0, 1), self.part(hdy.slice()?, 0, 1));
            let parts = self.attend.backward(&self.operands(hqkv.slice()?)?, sums, &y, &dy);
            Ok(Some(tensor(self.side_by_side(&parts), qkv.shape())?))
        })
    }
}
