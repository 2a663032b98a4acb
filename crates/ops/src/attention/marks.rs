//! Masks of scores, read where they lie.

use crate::host::Real;
use crate::strided::{elements, starts};
use candle_core::{CpuStorage, Layout, Result, bail};
use std::ops::Range;

/// What is done to the scores of a query and a key.
enum Kind<'a, T> {
    /// Those at 0 are left out.
    Kept(&'a [u8]),
    /// Added.
    Added(&'a [T]),
}

/// A mask seen in the shape of the scores `[.., L, S]`; nothing is done where there is none.
pub(super) struct Marks<'a, T> {
    kind: Option<Kind<'a, T>>,
    starts: Vec<usize>,
    down: usize,
    along: usize,
}

impl<'a, T: Real> Marks<'a, T> {
    pub fn of(op: &'static str, mask: Option<(&'a CpuStorage, &Layout)>) -> Result<Self> {
        let Some((s, l)) = mask else {
            return Ok(Self { kind: None, starts: Vec::new(), down: 0, along: 0 });
        };
        let &[ref lead @ .., down, along] = l.stride() else {
            bail!("{op}: a mask of matrices expected, got {:?}", l.dims());
        };
        let kind = match s {
            CpuStorage::U8(data) => Kind::Kept(data),
            _ => Kind::Added(elements(op, s)?),
        };
        Ok(Self { kind: Some(kind), starts: starts(l.start_offset(), l.dims(), lead), down, along })
    }

    /// Which matrix of the mask belongs to matrix `n` of the scores; a matrix has `size` elements.
    pub fn matrix(&self, n: usize, size: usize) -> usize {
        match (self.starts.get(n), self.starts.first()) {
            (Some(at), Some(first)) => (at - first) / size,
            _ => 0,
        }
    }

    /// Marks the scores of query `row` with the keys `cols`.
    pub fn apply(&self, n: usize, row: usize, cols: &Range<usize>, scores: &mut [T]) {
        let Some(kind) = &self.kind else { return };
        let at = self.starts[n] + row * self.down + cols.start * self.along;
        match kind {
            Kind::Kept(data) => {
                for (j, score) in scores.iter_mut().enumerate() {
                    if data[at + j * self.along] == 0 {
                        *score = T::of(f64::NEG_INFINITY);
                    }
                }
            }
            Kind::Added(data) => {
                for (j, score) in scores.iter_mut().enumerate() {
                    *score += data[at + j * self.along];
                }
            }
        }
    }
}
