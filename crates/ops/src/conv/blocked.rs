//! A product of packed weights with patches that are packed as they are wanted, block by block.

use super::panels::{DEPTH, Panels};
use super::planes::Grid;
use super::product::{Positions, Stretches};
use crate::host::Real;
use crate::tile::{Factors, Onto, Scattered, Soon};
use crate::turn::Rows;
use crate::workspaces::{Lines, Workspaces};
use pleach_simd::par_each;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Columns of a block: as many as make writing results go along memory, and few enough for the sums of all rows to stay in a second-level
/// cache.
const COLUMNS: usize = 256;
/// As many tasks as there are blocks, up to this: fewer leave threads without work, more have less work for their memory.
const PLENTY: usize = 64;
/// As many tasks at least where blocks are as wide as planes: fewer images are cut into blocks of parts of planes.
const FEW: usize = 8;
/// Bytes of the sums of a block of whole planes: a part of a second-level cache.
const SUMS: usize = 1 << 19;
/// Depth of a block of whole planes: what is multiplied and what is called for meanwhile are in a second-level cache together.
const SHALLOW: usize = 128;

/// How a product is cut into blocks of columns, which the sizes alone decide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Columns of the product, and of a stretch of them whose last block may be narrower.
    total: usize,
    stretch: usize,
    /// Columns of a block.
    width: usize,
    /// Columns of a task: one stretch or a part of one.
    together: usize,
    /// Greatest depth of a block.
    pub deepest: usize,
    /// What is read next stands behind what is read now, for a block is as wide as its planes.
    along: bool,
}

impl Cut {
    /// For a product with so many rows of the patches of some channels of some images, as a grid reads them.
    pub fn of<T: Real>(rows: usize, [images, channels]: [usize; 2], grid: &Grid) -> Self {
        let (depth, cols) = (channels * grid.offsets.len(), T::outer_tile().cols);
        let image = grid.columns(grid.row());
        let total = images * image;
        // Many planes that few taps read, one after the other: memory is quickest where it is read in its order.
        let parts = (image * rows * size_of::<T>()).div_ceil(SUMS).max(FEW.div_ceil(images.max(1)));
        let width = image.div_ceil(parts.max(1)).next_multiple_of(cols);
        // So few taps that a block of depth has many planes.
        if grid.offsets.len() <= SHALLOW / 8 && depth > SHALLOW / 2 && width >= COLUMNS {
            return Self { total, stretch: image, width, together: width, deepest: SHALLOW, along: true };
        }
        let width = COLUMNS.min(total.div_ceil(PLENTY / 4).next_multiple_of(cols)).max(cols);
        let together = total.div_ceil(PLENTY).next_multiple_of(width);
        Self { total, stretch: total, width, together, deepest: DEPTH, along: false }
    }

    /// The cut of one image, where each is a task of its own.
    pub fn of_image(self) -> Option<Self> {
        (self.along && self.together >= self.stretch).then_some(Self { total: self.stretch, ..self })
    }

    /// The columns of a task.
    fn task(&self, task: usize) -> Range<usize> {
        let of_stretch = self.stretch.div_ceil(self.together).max(1);
        let (stretch, at) = (task / of_stretch * self.stretch, task % of_stretch * self.together);
        stretch + at..stretch + (at + self.together).min(self.stretch)
    }

    fn tasks(&self) -> usize {
        self.total.div_ceil(self.stretch.max(1)) * self.stretch.div_ceil(self.together)
    }
}

/// Computes `left * columns`, with `rows` rows, in tasks that the sizes alone decide.
pub(super) fn blocked<T: Real>(left: &Panels<T>, rows: usize, cut: Cut, columns: &Positions<'_, T>) {
    if cut.total == 0 {
        return;
    }
    let tile = T::outer_tile();
    let width = cut.width;
    let make = || (Lines::zeros(left.deepest() * tile.cols), Lines::zeros(rows * width));
    let (rooms, several) = (Workspaces::new(), left.blocks().nth(1).is_some());
    par_each(cut.tasks(), |task| {
        rooms.with(make, |(packed, sums)| {
            let (packed, sums, all) = (packed.all(), sums.all(), cut.task(task));
            for first in all.clone().step_by(width) {
                let places = columns.open(first..(first + width).min(all.end), several);
                let (here, end) = (columns.first_run(first..first + 1), first + places.len);
                // What comes after a task is its neighbour's, which the same thread is likely to do.
                let next = columns.first_run(end..(end + width).min(cut.total));
                let mut block = Block { left, rows, columns, places, width };
                let mut depths = left.blocks().peekable();
                while let Some(depth) = depths.next() {
                    let soon = match depths.peek() {
                        Some(after) if cut.along => {
                            columns.soon(here.map(|(start, _)| (start, block.places.len)), after.clone())
                        }
                        _ if cut.along => columns.soon(next, left.blocks().next().unwrap_or(0..0)),
                        _ => columns.soon(next, depth.clone()),
                    };
                    for panel in 0..block.places.len.div_ceil(tile.cols) {
                        block.multiply(depth.clone(), panel, soon, packed, sums);
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
    /// From one row of sums to the next.
    width: usize,
}

impl<T: Real> Block<'_, T> {
    /// Multiplies all rows by a tile's width of columns, `depth` deep, to or onto sums, while memory brings a part of what is read soon.
    fn multiply(&mut self, depth: Range<usize>, panel: usize, soon: Soon<'_, T>, packed: &mut [T], sums: &mut [T]) {
        let (tile, steps) = (T::outer_tile(), depth.len());
        let onto = if depth.start == 0 { Onto::Nothing } else { Onto::Sums };
        let there = self.columns.pack(&self.places, panel, depth.clone(), packed);
        let (high, tiles) = (self.left.high(), self.left.count());
        let all = self.places.len.div_ceil(tile.cols) * tiles;
        for (t, left) in self.left.block(depth.start).enumerate() {
            let first = t * high;
            let rows = high.min(self.rows - first);
            let mut to = match self.columns.direct(&self.places, panel, first..first + rows) {
                Some(place) => place,
                None => Rows::of(&mut sums[first * self.width + panel * tile.cols..], rows, tile.cols, self.width),
            };
            let soon = soon.part(panel * tiles + t, all);
            match there.filter(|_| t == 0) {
                // The first rows read columns where they lie, and leave them packed.
                Some(b) => {
                    let (a, along, starts) = (left, high, &self.columns.starts);
                    let lines = Scattered { a, along, rows, b, starts, depth: depth.clone(), soon };
                    T::keeping(&lines, onto, &mut to, packed);
                }
                None => {
                    let (a, along, b, step) = (left, high, &*packed, tile.cols);
                    T::strided(&Factors { a, down: 1, along, b, step, depth: steps, rows, soon }, onto, &mut to);
                }
            }
        }
    }
}

pleach_simd::lanes! {
    fn write_plus<T: Real>(to: &mut [MaybeUninit<T>], values: &[T], plus: T) {
        for (to, &value) in to.iter_mut().zip(values) {
            to.write(value + plus);
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
                write_plus(std::slice::from_raw_parts_mut(start.cast(), values.len()), values, plus);
            } else {
                values.iter().enumerate().for_each(|(i, &value)| start.add(i * step).write(value + plus));
            }
        }
    }
}
