//! Products of matrices, many at a time.

use crate::apply;
use crate::host::{Real, dtype, for_float, output, tensor};
use crate::matrix::{Mat, Old, Packed, multiply, multiply_packed};
use crate::strided::{Held, elements, starts};
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use std::ops::Range;

const NAME: &str = "matmul";

/// `a b` for `a` `[.., M, K]` and `b` `[.., K, N]`, whose leading dimensions broadcast: `[.., M, N]`.
///
/// Both are read where they lie, transposed, narrowed or broadcast. In place of candle's, which copies what it
/// broadcasts and whose gradient of it is summed on one thread.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (&[ref al @ .., m, k], &[ref bl @ .., kb, n]) = (a.dims(), b.dims()) else {
        bail!("{NAME}: matrices expected, got {:?} and {:?}", a.dims(), b.dims());
    };
    let Some(lead) = sizes::broadcast(al, bl).filter(|_| k == kb) else {
        bail!("{NAME}: a [.., M, K] and b [.., K, N] do not fit: {:?} and {:?}", a.dims(), b.dims());
    };
    let shape = [lead.as_slice(), &[m, n]].concat();
    for shape in [a.dims(), b.dims(), &shape] {
        sizes::total(NAME, shape)?;
    }
    let of = [places(&lead, al), places(&lead, bl)];
    apply::two_where_they_lie(a, b, Op { size: [m, k, n], of, shape })
}

/// For each index of the dimensions `lead`, the index of `own`, which broadcasts to them.
fn places(lead: &[usize], own: &[usize]) -> Vec<usize> {
    let missing = lead.len() - own.len();
    lead.iter().enumerate().fold(vec![0], |all, (axis, &n)| {
        let own = axis.checked_sub(missing).map_or(1, |axis| own[axis]);
        all.iter().flat_map(|&at| (0..n).map(move |i| if own == 1 { at } else { at * own + i })).collect()
    })
}

struct Op {
    /// M, K, N.
    size: [usize; 3],
    /// For each product, which matrix of `a` and which of `b` it takes.
    of: [Vec<usize>; 2],
    shape: Vec<usize>,
}

/// The matrices of the last two dimensions, whatever the strides.
struct Views<'a, T> {
    data: &'a [T],
    starts: Vec<usize>,
    size: [usize; 2],
    strides: [usize; 2],
}

impl<'a, T: Real> Views<'a, T> {
    fn of(s: &'a CpuStorage, l: &Layout) -> Result<Self> {
        let (&[.., rows, cols], &[ref lead @ .., down, along]) = (l.dims(), l.stride()) else {
            bail!("{NAME}: a matrix expected, got {:?}", l.dims());
        };
        let starts = starts(l.start_offset(), l.dims(), lead);
        Ok(Self { data: elements(NAME, s)?, starts, size: [rows, cols], strides: [down, along] })
    }

    fn held(held: &'a Held<'_>) -> Result<Self> {
        let (s, l) = held.input()?;
        Self::of(s, l)
    }

    /// Some rows of matrix `i`.
    fn rows(&self, i: usize, rows: Range<usize>) -> Mat<'a, T> {
        let at = self.starts[i] + rows.start * self.strides[0];
        Mat::view(self.data.get(at..).unwrap_or_default(), [rows.len(), self.size[1]], self.strides)
    }

    fn whole(&self, i: usize) -> Mat<'a, T> {
        self.rows(i, 0..self.size[0])
    }

    fn turned(mut self) -> Self {
        self.size.reverse();
        self.strides.reverse();
        self
    }
}

/// Products that are worth a thread.
const TASK: usize = 1 << 18;

/// Matrices of `rows` x `cols`, each the sum of the products that `terms` names: which left, which right.
fn sums<T: Real>(
    terms: &[Vec<[usize; 2]>],
    [rows, cols]: [usize; 2],
    left: &Views<'_, T>,
    right: &Views<'_, T>,
) -> Vec<T> {
    let depth: usize = left.size[1] * terms.first().map_or(1, Vec::len);
    // Rows of all matrices, one after the other; the cut does not depend on how many threads there are.
    let tall = T::outer_tile().rows;
    let least = rows.div_ceil(8).next_multiple_of(tall).min(8 * tall);
    let together = (TASK / (depth * cols).max(1)).next_multiple_of(tall).max(least);
    // A right side that several tasks have a part in is packed once.
    let shared = if rows > together { right.starts.len() } else { 0 };
    let shared: Vec<_> = (0..shared).map(|r| Packed::new(right.whole(r))).collect();
    fresh::blocks(terms.len() * rows * cols, together * cols, |block, mut out| {
        let mut at = block * together;
        while !out.is_empty() {
            let (matrix, first) = (at / rows, at % rows);
            let here = (rows - first).min(out.len() / cols);
            let (now, rest) = out.split_at_mut(here * cols);
            for (i, &[l, r]) in terms[matrix].iter().enumerate() {
                let old = if i == 0 { Old::Overwritten } else { Old::AddedTo };
                let left = left.rows(l, first..first + here);
                match shared.get(r) {
                    Some(right) => multiply_packed(now, cols, old, left, right),
                    None => multiply(now, cols, old, left, right.whole(r)),
                }
            }
            (out, at) = (rest, at + here);
        }
    })
}

impl Op {
    /// For each matrix of operand `side`, the other operand's matrices that it meets, and the products' numbers.
    fn met(&self, side: usize, count: usize) -> Vec<Vec<[usize; 2]>> {
        let mut met = vec![vec![]; count];
        for (product, (&own, &other)) in self.of[side].iter().zip(&self.of[1 - side]).enumerate() {
            met[own].push(if side == 0 { [product, other] } else { [other, product] });
        }
        met
    }
}

impl CustomOp2 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let [m, _, n] = self.size;
        for_float!(NAME, dtype(s1), T => {
            let (a, b) = (Views::<T>::of(s1, l1)?, Views::of(s2, l2)?);
            let terms: Vec<_> = self.of[0].iter().zip(&self.of[1]).map(|(&a, &b)| vec![[a, b]]).collect();
            Ok(output(sums(&terms, [m, n], &a, &b), self.shape.as_slice()))
        })
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [m, k, n] = self.size;
        let count = |t: &Tensor| t.dims().iter().rev().skip(2).product();
        let (ha, hb, hdy) = (Held::read(NAME, a), Held::read(NAME, b), Held::read(NAME, dy));
        for_float!(NAME, a.dtype(), T => {
            let da = a.track_op().then(|| {
                let terms = self.met(0, count(a));
                tensor(sums(&terms, [m, k], &Views::<T>::held(&hdy)?, &Views::held(&hb)?.turned()), a.shape())
            });
            let db = b.track_op().then(|| {
                let terms = self.met(1, count(b));
                tensor(sums(&terms, [k, n], &Views::<T>::held(&ha)?.turned(), &Views::held(&hdy)?), b.shape())
            });
            Ok((da.transpose()?, db.transpose()?))
        })
    }
}
