//! The two sides of a tile's products as its loop reads them, and what it calls for meanwhile.

use super::Soon;
use pleach_simd::{CACHE_LINE, prefetch};
use std::marker::PhantomData;

/// The left side of a tile, row by row.
pub(super) trait Left<T>: Copy {
    /// Elements from a row to the next, where that is known beforehand.
    const DOWN: Option<usize>;
    /// Where element `at` of a row is.
    fn row(self, r: usize, at: usize) -> *const T;
}

/// Rows that begin anywhere.
impl<T, const ROWS: usize> Left<T> for [*const T; ROWS] {
    const DOWN: Option<usize> = None;

    #[inline(always)]
    fn row(self, r: usize, at: usize) -> *const T {
        self[r].wrapping_add(at)
    }
}

/// Rows `DOWN` elements apart, 1 in panels: one register says where all of them are.
#[derive(Clone, Copy)]
pub(super) struct Apart<T, const DOWN: usize>(pub *const T);

impl<T: Copy, const DOWN: usize> Left<T> for Apart<T, DOWN> {
    const DOWN: Option<usize> = Some(DOWN);

    #[inline(always)]
    fn row(self, r: usize, at: usize) -> *const T {
        self.0.wrapping_add(at).wrapping_add(r * DOWN)
    }
}

/// Row `R` of a left side.
pub(super) struct Row<A, const R: usize>(PhantomData<A>);

/// A place known beforehand: so many elements from another.
pub(super) trait Place<T> {
    const OFFSET: usize;
}

impl<T, A: Left<T>, const R: usize> Place<T> for Row<A, R> {
    const OFFSET: usize = match A::DOWN {
        Some(down) => R * down,
        None => 0,
    };
}

/// The right side of a tile, line by line.
pub(super) trait Lines<T> {
    /// Where the next line begins.
    fn next(&mut self) -> *const T;
    /// Where that line is to be kept, if it is.
    fn kept(&mut self) -> Option<*mut T>;
}

/// Lines at even distance.
pub(super) struct Even<T> {
    pub next: *const T,
    pub step: usize,
}

impl<T> Lines<T> for Even<T> {
    #[inline(always)]
    fn next(&mut self) -> *const T {
        let line = self.next;
        self.next = line.wrapping_add(self.step);
        line
    }

    #[inline(always)]
    fn kept(&mut self) -> Option<*mut T> {
        None
    }
}

/// Lines anywhere, and the panel that keeps them.
pub(super) struct Anywhere<'a, T> {
    pub from: &'a [T],
    pub starts: std::slice::Iter<'a, usize>,
    pub kept: *mut T,
    pub cols: usize,
}

impl<T> Lines<T> for Anywhere<'_, T> {
    #[inline(always)]
    fn next(&mut self) -> *const T {
        let start = self.starts.next().copied().unwrap_or(0);
        self.from.as_ptr().wrapping_add(start)
    }

    #[inline(always)]
    fn kept(&mut self) -> Option<*mut T> {
        let line = self.kept;
        self.kept = line.wrapping_add(self.cols);
        Some(line)
    }
}

/// Cache lines that are called for, one at a time.
pub(super) struct Calls<'a, T> {
    pub from: *const T,
    pub starts: std::slice::Iter<'a, usize>,
    /// Lines of each stretch.
    each: usize,
    /// Where the current stretch goes on, and how many of its lines are left.
    at: *const T,
    left: usize,
    /// Lines in all that are left.
    lines: usize,
}

impl<'a, T> Calls<'a, T> {
    /// Field by field: copied in wholes, what has just been written in parts would be waited for.
    #[inline(always)]
    pub fn new(soon: &Soon<'a, T>) -> Self {
        let (from, each, lines) = (soon.from.as_ptr(), soon.each, soon.lines);
        let (stretch, into) = (soon.first / each, soon.first % each);
        let mut starts = soon.starts[stretch.min(soon.starts.len())..].iter();
        let start = starts.next().map_or(0, |start| start + into * (CACHE_LINE / size_of::<T>()));
        Self { from, starts, each, at: from.wrapping_add(start), left: each - into, lines }
    }

    #[inline(always)]
    pub fn next(&mut self) {
        if self.lines == 0 {
            return;
        }
        if self.left == 0 {
            let Some(start) = self.starts.next() else { return };
            (self.at, self.left) = (self.from.wrapping_add(*start), self.each);
        }
        prefetch(self.at);
        self.at = self.at.wrapping_add(CACHE_LINE / size_of::<T>());
        self.left -= 1;
        self.lines -= 1;
    }
}
