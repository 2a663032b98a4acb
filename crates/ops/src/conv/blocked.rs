//! A product of packed weights with patches that are packed as they are wanted, block by block.

use super::panels::Panels;
use super::product::{Positions, Stretches};
use crate::host::Real;
use crate::tile::{Factors, Onto, Scattered, Soon};
use crate::turn::Rows;
use crate::workspaces::Workspaces;
use pleach_simd::par_each;
use std::marker::PhantomData;
use std::ops::Range;

/// Columns of a block: as many as make writing results go along memory, and few enough for the sums of all rows to stay in a second-level
/// cache.
const COLUMNS: usize = 256;
/// As many tasks as there are blocks, up to this: fewer leave threads without work, more have less work for their memory.
const PLENTY: usize = 64;

/// Computes `left * columns`, `rows` x `total`, in tasks that the sizes alone decide.
pub(super) fn blocked<T: Real>(left: &Panels<T>, rows: usize, total: usize, columns: &Positions<'_, T>) {
    if total == 0 {
        return;
    }
    let tile = T::outer_tile();
    let width = COLUMNS.min(total.div_ceil(PLENTY / 4).next_multiple_of(tile.cols)).max(tile.cols);
    let together = total.div_ceil(PLENTY).next_multiple_of(width);
    let zeros = |n: usize| vec![T::ZERO; n];
    let make = || (zeros(left.deepest() * tile.cols), zeros(rows.next_multiple_of(tile.rows) * width));
    let rooms = Workspaces::new();
    par_each(total.div_ceil(together), |task| {
        rooms.with(make, |(packed, sums)| {
            let end = ((task + 1) * together).min(total);
            for first in (task * together..end).step_by(width) {
                let places = columns.open(first..(first + width).min(end));
                // What comes after a task is its neighbour's, which the same thread is likely to do.
                let next = columns.first_run((first + width).min(total)..(first + 2 * width).min(total));
                let mut block = Block { left, rows, columns, places, next, width };
                for depth in left.blocks() {
                    for panel in 0..block.places.len.div_ceil(tile.cols) {
                        block.multiply(depth.clone(), panel, packed, sums);
                    }
                }
                // Row by row: long stretches of memory, which a tile's width at a time would not be.
                for (row, line) in sums.chunks_exact(width).take(rows).enumerate() {
                    columns.store(&block.places.writes, row, line);
                }
            }
        });
    });
}

/// Columns of a product that are worked on together.
struct Block<'a, T> {
    left: &'a Panels<T>,
    rows: usize,
    columns: &'a Positions<'a, T>,
    places: Stretches,
    /// Where the columns stand that are worked on next, and how many.
    next: Option<(usize, usize)>,
    /// From one row of sums to the next.
    width: usize,
}

impl<T: Real> Block<'_, T> {
    /// Multiplies all rows by a tile's width of columns, `depth` deep, to or onto sums.
    fn multiply(&mut self, depth: Range<usize>, panel: usize, packed: &mut [T], sums: &mut [T]) {
        let (tile, steps) = (T::outer_tile(), depth.len());
        let onto = if depth.start == 0 { Onto::Nothing } else { Onto::Sums };
        let there = self.columns.pack(&self.places, panel, depth.clone(), packed);
        let tiles = self.rows.div_ceil(tile.rows);
        let all = self.places.len.div_ceil(tile.cols) * tiles;
        let soon = self.columns.soon(self.next, depth.clone());
        for (t, left) in self.left.block(depth.start).enumerate() {
            let first = t * tile.rows;
            let rows = tile.rows.min(self.rows - first);
            let to = &mut sums[first * self.width + panel * tile.cols..];
            let mut to = Rows::of(to, rows, tile.cols, self.width);
            // While this tile is multiplied, memory brings a part of what the next block has.
            let line = |t: usize| (panel * tiles + t) * soon.starts.len() / all;
            let soon = Soon { starts: &soon.starts[line(t)..line(t + 1)], ..soon };
            match there.filter(|_| t == 0) {
                // The first rows read columns where they lie, and leave them packed.
                Some(b) => {
                    let (a, along, starts) = (left, tile.rows, &self.columns.starts);
                    let lines = Scattered { a, along, rows, b, starts, depth: depth.clone(), soon };
                    T::keeping(&lines, onto, &mut to, packed);
                }
                None => {
                    let (a, along, b, step) = (left, tile.rows, &*packed, tile.cols);
                    T::strided(&Factors { a, down: 1, along, b, step, depth: steps, rows, soon }, onto, &mut to);
                }
            }
        }
    }
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
