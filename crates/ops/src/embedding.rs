//! Looks up rows of a table.

use crate::apply;
use crate::host::{Host, Real, dtype, for_float, output, tensor};
use crate::strided::{Matrices, lie};
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};
use pleach_simd::{lanes, par_blocks};

const NAME: &str = "embedding";

/// The rows `indices` (`u8`, `u32` or `i64`, any shape) of `weight` `[rows, features]`: `[.., features]`. The row
/// `padding_idx` is looked up as any other and gets no gradient.
///
/// In place of candle's `index_select`, whose gradient is added up on one thread.
pub fn embedding(indices: &Tensor, weight: &Tensor, padding_idx: Option<usize>) -> Result<Tensor> {
    let &[count, features] = weight.dims() else {
        bail!("{NAME}: weight [rows, features] expected, got {:?}", weight.dims());
    };
    if let Some(padding) = padding_idx.filter(|&p| p >= count) {
        bail!("{NAME}: padding_idx {padding} is not a row of weight {:?}", weight.dims());
    }
    if !matches!(indices.dtype(), DType::U8 | DType::U32 | DType::I64) {
        bail!("{NAME}: indices u8, u32 or i64 expected, got {:?}", indices.dtype());
    }
    sizes::total(NAME, indices.dims())?;
    let rows = indices.flatten_all()?.to_dtype(DType::I64)?.to_vec1::<i64>()?;
    let rows = rows.into_iter().map(|i| match usize::try_from(i) {
        Ok(row) if row < count => Ok(row),
        _ => bail!("{NAME}: index {i} of indices {:?} is not a row of weight {:?}", indices.dims(), weight.dims()),
    });
    let mut shape = indices.dims().to_vec();
    shape.push(features);
    let op = Op { rows: rows.collect::<Result<_>>()?, padding: padding_idx, shape };
    sizes::total(NAME, &op.shape)?;
    sizes::total(NAME, weight.dims())?;
    apply::where_it_lies(&lie(NAME, weight)?, op)
}

/// Elements of light work that are worth a thread.
const WORK: usize = 1 << 14;

lanes! {
    /// Adds as many elements as `to` has.
    fn add<T: Real>(from: &[T], to: &mut [T]) {
        for (to, &v) in to.iter_mut().zip(from) {
            *to += v;
        }
    }
}

struct Op {
    /// The row of each index.
    rows: Vec<usize>,
    padding: Option<usize>,
    shape: Vec<usize>,
}

impl Op {
    /// The positions of the indices sorted by row, in their order within a row, and where each row's begin.
    fn by_row(&self, count: usize) -> (Vec<usize>, Vec<usize>) {
        let mut first = vec![0; count + 1];
        for &row in &self.rows {
            first[row + 1] += 1;
        }
        for row in 0..count {
            first[row + 1] += first[row];
        }
        let (mut next, mut order) = (first.clone(), vec![0; self.rows.len()]);
        for (at, &row) in self.rows.iter().enumerate() {
            order[next[row]] = at;
            next[row] += 1;
        }
        (order, first)
    }

    /// Each row's gradients in the order of the indices, so that threads do not change the sum. Rows are dealt out to
    /// threads; where few rows share many indices, columns are, as then a row is work for more than one.
    fn grad<T: Real>(&self, dy: &[T], count: usize, features: usize) -> Vec<T> {
        if !self.rows.is_empty() && self.rows.len() >= 4 * count {
            return self.grad_by_columns(dy, count, features);
        }
        let (order, first) = self.by_row(count);
        fresh::rows(count * features, features, |row, dw| {
            if self.padding != Some(row) {
                order[first[row]..first[row + 1]].iter().for_each(|&at| add(&dy[at * features..], dw));
            }
        })
    }

    fn grad_by_columns<T: Real>(&self, dy: &[T], count: usize, features: usize) -> Vec<T> {
        let mut dw = vec![T::ZERO; count * features];
        // As if there were one row for each index: what the work is.
        let width = (WORK / self.rows.len()).max(16).min(features.max(1));
        let mut blocks: Vec<Vec<&mut [T]>> = vec![];
        blocks.resize_with(features.div_ceil(width), || Vec::with_capacity(count));
        for row in dw.chunks_mut(features.max(1)) {
            row.chunks_mut(width).zip(&mut blocks).for_each(|(part, block)| block.push(part));
        }
        par_blocks(&mut blocks, 1, |b, block| {
            for parts in block {
                let with_grad = |row: usize| self.padding != Some(row);
                for (at, &row) in self.rows.iter().enumerate().filter(|&(_, &row)| with_grad(row)) {
                    add(&dy[at * features + b * width..], parts[row]);
                }
            }
        });
        dw
    }
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let features = l.dims().last().copied().unwrap_or_default();
        for_float!(NAME, dtype(s), T => {
            let weight = Matrices::<T>::of(NAME, s, l)?;
            let y = fresh::rows(self.rows.len() * features, features, |i, y| y.copy_from_slice(weight.row(0, self.rows[i])));
            Ok(output::<T>(y, self.shape.as_slice()))
        })
    }

    fn bwd(&self, weight: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let (count, features) = weight.dims2()?;
        let dy = dy.contiguous()?;
        for_float!(NAME, weight.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            tensor(self.grad(hdy.slice::<T>()?, count, features), weight.shape()).map(Some)
        })
    }
}
