//! Multiplies matrices that lie in slices, on the thread that asks.

use crate::host::Real;
use pleach_simd::{lanes, reduce};

/// A matrix read from a slice: element (r, c) is at `r * strides[0] + c * strides[1]`.
#[derive(Clone, Copy)]
pub(crate) struct Mat<'a, T> {
    data: &'a [T],
    size: [usize; 2],
    strides: [usize; 2],
}

impl<'a, T> Mat<'a, T> {
    /// The first `rows` x `cols` elements of rows that are `stride` apart.
    pub fn new(data: &'a [T], [rows, cols]: [usize; 2], stride: usize) -> Self {
        Self { data: &data[..extent([rows, cols], stride)], size: [rows, cols], strides: [stride, 1] }
    }

    /// Element (r, c) at `r * strides[0] + c * strides[1]`.
    pub fn view(data: &'a [T], [rows, cols]: [usize; 2], strides: [usize; 2]) -> Self {
        let reach = (rows.max(1) - 1) * strides[0] + (cols.max(1) - 1) * strides[1] + 1;
        let len = if rows == 0 || cols == 0 { 0 } else { reach };
        Self { data: &data[..len], size: [rows, cols], strides }
    }

    pub fn t(self) -> Self {
        let ([rows, cols], [down, along]) = (self.size, self.strides);
        Self { data: self.data, size: [cols, rows], strides: [along, down] }
    }
}

/// How many elements a matrix spans in memory.
fn extent([rows, cols]: [usize; 2], stride: usize) -> usize {
    if rows == 0 || cols == 0 { 0 } else { (rows - 1) * stride + cols }
}

/// What becomes of the elements that a product is written to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    Overwritten,
    AddedTo,
}

/// `out = a b` or `out += a b`, with the rows of `out` `stride` apart.
///
/// One thread: whoever calls splits the work above, which scales better than splitting inside and keeps
/// the order of the sums the same for any number of threads.
pub(crate) fn multiply<T: Real>(out: &mut [T], stride: usize, old: Old, a: Mat<'_, T>, b: Mat<'_, T>) {
    let ([m, k], [k2, n]) = (a.size, b.size);
    assert_eq!(k, k2, "inner sizes of a product");
    let out = &mut out[..extent([m, n], stride)];
    if k == 0 {
        if old == Old::Overwritten {
            out.chunks_mut(stride.max(1)).for_each(|row| row[..n].fill(T::ZERO));
        }
        return;
    }
    // SAFETY: each matrix lies within its slice: `out` was cut to its extent just above, `a` and `b` when
    // they were made (a transposed matrix spans what the matrix did). Strides are element counts of live
    // slices, so they fit isize. `out` is borrowed for writing, hence apart from `a` and `b`.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            old == Old::AddedTo,
            a.data.as_ptr(),
            a.strides[1] as isize,
            a.strides[0] as isize,
            b.data.as_ptr(),
            b.strides[1] as isize,
            b.strides[0] as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The sum of each column of a matrix with rows of `cols` elements.
pub(crate) fn column_sums<T: Real>(x: &[T], cols: usize) -> Vec<T> {
    const ROWS: usize = 256;
    let block = ROWS * cols.max(1);
    reduce(
        x.len().div_ceil(block),
        |i| {
            let mut sums = vec![T::ZERO; cols];
            add_rows(&x[i * block..x.len().min((i + 1) * block)], &mut sums);
            sums
        },
        |mut a, b| {
            add_rows(&b, &mut a);
            a
        },
    )
    .unwrap_or_else(|| vec![T::ZERO; cols])
}

lanes! {
    fn add_rows<T: Real>(x: &[T], sums: &mut [T]) {
        for row in x.chunks_exact(sums.len()) {
            for (s, &v) in sums.iter_mut().zip(row) {
                *s += v;
            }
        }
    }
}
