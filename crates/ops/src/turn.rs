//! Turns matrices: rows become columns.

use crate::host::Real;
use crate::vector::{Vector, widest};
use std::marker::PhantomData;

/// Rows of elements to write to, some step apart.
pub(crate) struct Rows<'a, T> {
    start: *mut T,
    rows: usize,
    cols: usize,
    step: usize,
    of: PhantomData<&'a mut [T]>,
}

impl<'a, T> Rows<'a, T> {
    /// Rows of a slice.
    pub fn of(all: &'a mut [T], rows: usize, cols: usize, step: usize) -> Self {
        assert!(rows == 0 || all.len() >= (rows - 1) * step + cols, "rows of a slice");
        Self { start: all.as_mut_ptr(), rows, cols, step, of: PhantomData }
    }

    /// Rows that others have elements between.
    ///
    /// # Safety
    /// From `start` on, `(rows - 1) * step + cols` elements must be one piece of memory that outlives `'a`, and nobody else touches
    /// the elements of the rows meanwhile. Who reads them (to add to them) must know them written.
    #[allow(unsafe_code)]
    pub unsafe fn new(start: *mut T, rows: usize, cols: usize, step: usize) -> Self {
        Self { start, rows, cols, step, of: PhantomData }
    }

    /// Whether there are so many rows and columns.
    pub fn hold(&self, rows: usize, cols: usize) -> bool {
        rows <= self.rows && cols <= self.cols
    }

    pub fn start(&mut self) -> *mut T {
        self.start
    }

    pub fn step(&self) -> usize {
        self.step
    }
}

widest! {
    /// Element (r, c) of `from`, rows `step` apart, becomes element (c, r) of `to`.
    pub(crate) fn turn<T, V>(from: &[T], step: usize, to: &mut Rows<'_, T>) {
        let (rows, cols) = (to.cols, to.rows);
        if rows == 0 || cols == 0 {
            return;
        }
        assert!(from.len() >= (rows - 1) * step + cols, "rows to turn");
        // SAFETY: what is read lies within `from`, by the assertion above; what is written, within the rows of `to`, which are
        // good by their contract. The level has the vector's instructions.
        #[allow(unsafe_code)]
        unsafe {
            for r in (0..rows).step_by(V::SQUARE) {
                for c in (0..cols).step_by(V::SQUARE) {
                    let (from, into) = (from.as_ptr().add(r * step + c), to.start.add(c * to.step + r));
                    let size = [(rows - r).min(V::SQUARE), (cols - c).min(V::SQUARE)];
                    V::turn(from, step, size, into, to.step);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rows, turn};
    use crate::host::Real;
    use proptest::prelude::*;

    fn turned<T: Real>(rows: usize, cols: usize, more: usize) {
        let (step, to_step) = (cols + more, rows + more);
        let from: Vec<T> = (0..rows * step).map(|i| T::of(i as f64)).collect();
        let mut to = vec![T::of(-1.0); cols * to_step];
        turn(&from, step, &mut Rows::of(&mut to, cols, rows, to_step));
        for (i, &v) in to.iter().enumerate() {
            let (c, r) = (i / to_step, i % to_step);
            assert_eq!(v, if r < rows { from[r * step + c] } else { T::of(-1.0) }, "row {r}, column {c}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

        #[test]
        fn rows_become_columns_and_nothing_beside_them_is_touched(rows in 0..50usize, cols in 0..50usize, more in 0..9usize) {
            turned::<f32>(rows, cols, more);
            turned::<f64>(rows, cols, more);
        }
    }
}
