//! A product of a packed matrix with columns that are packed as they are wanted, block by block.

use super::panels::Panels;
use crate::host::Real;
use pleach_simd::par_each;
use std::marker::PhantomData;
use std::ops::Range;

/// Columns of a block: with its depth they stay in a second-level cache.
const COLUMNS: usize = 256;
/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 16;

/// The right side of a product, and where its results go.
pub(super) trait Columns<T>: Sync {
    /// What is known of the columns of one panel.
    type Panel;

    /// The columns of a range, at most as many as a tile has.
    fn open(&self, range: Range<usize>) -> Self::Panel;

    /// Packs elements `depth` of the columns of a panel, a line of a tile's width each; what no column has is free.
    fn pack(&self, panel: &Self::Panel, depth: Range<usize>, out: &mut [T]);

    /// Writes the results of a row for the columns of a panel, which no one else writes.
    fn write(&self, panel: &Self::Panel, row: usize, line: &[T]);
}

/// Computes `left * columns`, `rows` x `total`, in tasks that the sizes alone decide.
pub(super) fn blocked<T: Real, C: Columns<T>>(left: &Panels<T>, rows: usize, total: usize, columns: &C) {
    let tile = T::outer_tile();
    let fair = total.div_ceil(PLENTY).next_multiple_of(tile.cols);
    let width = COLUMNS.min(fair).max(tile.cols);
    let tall = rows.div_ceil(tile.rows);
    par_each(total.div_ceil(width), |task| {
        let range = task * width..((task + 1) * width).min(total);
        let panels: Vec<_> = range
            .clone()
            .step_by(tile.cols)
            .map(|first| columns.open(first..(first + tile.cols).min(range.end)))
            .collect();
        let mut packed = vec![T::ZERO; left.deepest() * tile.cols];
        // The sums of a panel stay where they are from one block of the depth to the next; where there is but one block, panels
        // take the same room in turn.
        let together = if left.blocks().nth(1).is_none() { 1 } else { panels.len() };
        let mut sums = vec![T::ZERO; together * tall * tile.area()];
        for panels in panels.chunks(together.max(1)) {
            sums.fill(T::ZERO);
            for depth in left.blocks() {
                let packed = &mut packed[..depth.len() * tile.cols];
                for (panel, sums) in panels.iter().zip(sums.chunks_exact_mut(tall * tile.area())) {
                    columns.pack(panel, depth.clone(), packed);
                    for (left, sums) in left.block(depth.start).zip(sums.chunks_exact_mut(tile.area())) {
                        T::outer(left, packed, sums);
                    }
                }
            }
            for (panel, sums) in panels.iter().zip(sums.chunks_exact(tall * tile.area())) {
                for (row, line) in (0..rows).zip(sums.chunks_exact(tile.cols)) {
                    columns.write(panel, row, line);
                }
            }
        }
    });
}

/// Memory that tasks write to, each to elements of its own.
pub(super) struct Output<'a, T> {
    start: *mut T,
    len: usize,
    of: PhantomData<&'a mut [T]>,
}

// SAFETY: tasks on several threads write to elements of their own, which `store` asks of its callers.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for Output<'_, T> {}

impl<'a, T: Real> Output<'a, T> {
    /// The spare room of a vector, `len` elements.
    pub fn new(room: &'a mut Vec<T>, len: usize) -> Self {
        room.reserve_exact(len);
        Self { start: room.as_mut_ptr(), len, of: PhantomData }
    }

    /// The elements from `first` on, of which `len` exist, for one who writes some of them and knows that nobody else does.
    pub fn part(&self, first: usize, len: usize) -> *mut T {
        assert!(len <= self.len && first <= self.len - len, "a product's place");
        self.start.wrapping_add(first)
    }

    /// Writes `values`, each plus `plus`, to every `step`-th element from `first` on.
    ///
    /// # Safety
    /// No other thread touches these elements meanwhile.
    #[allow(unsafe_code)]
    pub unsafe fn store(&self, first: usize, step: usize, values: &[T], plus: T) {
        let Some(last) = values.len().checked_sub(1) else { return };
        assert!(first + last * step < self.len, "a product's place");
        // SAFETY: all elements are below `len` by the assertion, which is within the reserved room.
        unsafe {
            let start = self.start.add(first);
            // Apart, because neighbours are written in vectors.
            if step == 1 {
                values.iter().enumerate().for_each(|(i, &value)| start.add(i).write(value + plus));
            } else {
                values.iter().enumerate().for_each(|(i, &value)| start.add(i * step).write(value + plus));
            }
        }
    }
}
