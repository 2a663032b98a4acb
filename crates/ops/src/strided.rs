//! Reads matrices where they lie, whatever the strides of the dimensions before their rows.

use crate::apply::in_order;
use crate::host::{Real, dtype, unlike};
use crate::matrix::Mat;
use candle_core::{CpuStorage, Layout, Result, Storage, StorageRef, Tensor, WithDType, bail};
use std::ops::Range;

/// The matrices of the last two dimensions of a tensor `[.., rows, cols]`.
pub(crate) struct Matrices<'a, T> {
    data: &'a [T],
    starts: Vec<usize>,
    cols: usize,
    stride: usize,
}

impl<'a, T: Real> Matrices<'a, T> {
    /// Inside a custom op; the rows of the tensor must [`lie`].
    pub fn of(op: &'static str, s: &'a CpuStorage, l: &Layout) -> Result<Self> {
        let (&[.., cols], &[ref lead @ .., stride, along]) = (l.dims(), l.stride()) else {
            bail!("{op}: a matrix expected, got {:?}", l.dims());
        };
        if cols > 1 && along != 1 {
            bail!("{op}: contiguous rows expected, got {l:?}");
        }
        let starts = starts(l.start_offset(), l.dims(), lead);
        Ok(Self { data: elements(op, s)?, starts, cols, stride })
    }

    /// Matrices of `rows` x `cols` elements, one after the other.
    pub fn packed(data: &'a [T], count: usize, [rows, cols]: [usize; 2]) -> Self {
        Self { data, starts: (0..count).map(|n| n * rows * cols).collect(), cols, stride: cols }
    }

    /// Matrices that begin at `starts`, with rows of `cols` elements that are `stride` apart.
    pub fn strided(data: &'a [T], starts: Vec<usize>, cols: usize, stride: usize) -> Self {
        Self { data, starts, cols, stride }
    }

    /// Some rows of matrix `n`.
    pub fn rows(&self, n: usize, rows: &Range<usize>) -> Mat<'a, T> {
        let at = self.starts[n] + rows.start * self.stride;
        Mat::new(&self.data[at..], [rows.len(), self.cols], self.stride)
    }

    /// Row `r` of matrix `n`.
    pub fn row(&self, n: usize, r: usize) -> &'a [T] {
        &self.data[self.starts[n] + r * self.stride..][..self.cols]
    }
}

/// Where each index of the leading dimensions begins, in order; `strides` are theirs, `dims` may have more.
pub(crate) fn starts(first: usize, dims: &[usize], strides: &[usize]) -> Vec<usize> {
    dims.iter()
        .zip(strides)
        .fold(vec![first], |all, (&n, &step)| all.iter().flat_map(|&at| (0..n).map(move |i| at + i * step)).collect())
}

/// All elements of a storage, whatever part of them a tensor shows.
pub(crate) fn elements<'a, T: WithDType>(op: &'static str, s: &'a CpuStorage) -> Result<&'a [T]> {
    s.as_slice::<T>().map_err(|_| unlike(op, dtype(s), T::DTYPE))
}

/// The tensor itself where its rows are contiguous, else a copy of it.
pub(crate) fn lie(op: &'static str, t: &Tensor) -> Result<Tensor> {
    match (t.dims(), t.stride()) {
        (&[.., n], &[.., step]) if n > 1 && step != 1 => in_order(op, t),
        _ => Ok(t.clone()),
    }
}

/// A tensor held for reading.
pub(crate) struct Held<'a> {
    op: &'static str,
    storage: StorageRef<'a>,
    layout: &'a Layout,
}

impl<'a> Held<'a> {
    pub fn read(op: &'static str, t: &'a Tensor) -> Self {
        let (storage, layout) = t.storage_and_layout();
        Self { op, storage, layout }
    }

    pub fn input(&self) -> Result<(&CpuStorage, &Layout)> {
        match &*self.storage {
            Storage::Cpu(s) => Ok((s, self.layout)),
            _ => bail!("{}: no implementation for this device", self.op),
        }
    }

    pub fn matrices<T: Real>(&self) -> Result<Matrices<'_, T>> {
        let (s, l) = self.input()?;
        Matrices::of(self.op, s, l)
    }
}
