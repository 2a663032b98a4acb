//! A product of packed weights with patches that are packed as they are wanted, block by block.

use super::panels::Panels;
use super::product::Positions;
use crate::host::Real;
use crate::tile::{Factors, Onto};
use pleach_simd::par_each;
use std::marker::PhantomData;

/// Columns of a block: with its depth they stay in a second-level cache.
const COLUMNS: usize = 256;
/// Bytes of packed columns that rows are multiplied by in turn: a small part of a second-level cache, and as many columns as make reading
/// and writing them go along memory.
const ROOM: usize = 128 << 10;
/// As many tasks as there are blocks, up to this: fewer leave threads without work, more have less work for their memory.
const PLENTY: usize = 64;

/// Computes `left * columns`, `rows` x `total`, in tasks that the sizes alone decide.
pub(super) fn blocked<T: Real>(left: &Panels<T>, rows: usize, total: usize, columns: &Positions<'_, T>) {
    if total == 0 {
        return;
    }
    let tile = T::outer_tile();
    let deepest = left.deepest();
    let width = COLUMNS.min(total.div_ceil(PLENTY / 4).next_multiple_of(tile.cols)).max(tile.cols);
    let together = total.div_ceil(PLENTY).next_multiple_of(width);
    let fit = ROOM / (deepest * tile.cols * size_of::<T>()).max(1);
    let group = fit.clamp(1, width.div_ceil(tile.cols)) * tile.cols;
    // The sums of a block of columns stay where they are from one block of the depth to the next; where there is but one, they are written
    // at once.
    let once = left.blocks().count() == 1;
    let (kept, step) =
        if once { (tile.rows, group) } else { (rows.next_multiple_of(tile.rows), width.next_multiple_of(group)) };
    par_each(total.div_ceil(together), |task| {
        let mut packed = vec![T::ZERO; deepest * group];
        let mut sums = vec![T::ZERO; kept * step];
        let end = ((task + 1) * together).min(total);
        for first in (task * together..end).step_by(width) {
            let last = (first + width).min(end);
            let starts = (first..last).step_by(group);
            let groups: Vec<_> = starts.map(|first| columns.open(first..(first + group).min(last))).collect();
            for depth in left.blocks() {
                let onto = if depth.start == 0 { Onto::Nothing } else { Onto::Sums };
                for (i, group_of) in groups.iter().enumerate() {
                    let panels = group_of.len.div_ceil(tile.cols);
                    columns.pack(group_of, depth.clone(), &mut packed);
                    let sums = &mut sums[if once { 0 } else { i * group }..];
                    for (t, left) in left.block(depth.start).enumerate() {
                        let height = tile.rows.min(rows - t * tile.rows);
                        let sums = &mut sums[if once { 0 } else { t * tile.rows * step }..];
                        for (p, packed) in packed.chunks_exact(depth.len() * tile.cols).take(panels).enumerate() {
                            let factors = Factors {
                                a: left,
                                down: 1,
                                along: tile.rows,
                                b: packed,
                                step: tile.cols,
                                depth: depth.len(),
                                rows: height,
                            };
                            T::strided(&factors, onto, &mut sums[p * tile.cols..], step);
                        }
                        if once {
                            for (r, line) in sums.chunks_exact(step).take(height).enumerate() {
                                columns.store(&group_of.writes, t * tile.rows + r, line);
                            }
                        }
                    }
                }
            }
            if !once {
                for (row, line) in sums.chunks_exact(step).take(rows).enumerate() {
                    for (group_of, line) in groups.iter().zip(line.chunks_exact(group)) {
                        columns.store(&group_of.writes, row, line);
                    }
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
