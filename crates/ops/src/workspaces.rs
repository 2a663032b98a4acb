//! What tasks work in, handed from one task to the next.

use crate::host::Real;
use pleach_simd::CACHE_LINE;
use std::sync::{Mutex, PoisonError};

/// Elements that begin with a cache line, so that no vector reaches over the end of one.
pub(crate) struct Lines<T> {
    all: Vec<T>,
    from: usize,
    len: usize,
}

impl<T: Real> Lines<T> {
    pub fn zeros(len: usize) -> Self {
        let line = CACHE_LINE / size_of::<T>();
        let all = vec![T::ZERO; len + line];
        // Where an address says nothing, as under Miri, any beginning will do.
        let from = all.as_ptr().align_offset(CACHE_LINE).min(line);
        Self { all, from, len }
    }

    pub fn all(&mut self) -> &mut [T] {
        &mut self.all[self.from..self.from + self.len]
    }
}

/// Workspaces that tasks have left behind: as many are made as tasks run at once.
pub(crate) struct Workspaces<W>(Mutex<Vec<W>>);

impl<W> Workspaces<W> {
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Calls `f` with a workspace as another task has left it, or with a new one.
    pub fn with<R>(&self, make: impl FnOnce() -> W, f: impl FnOnce(&mut W) -> R) -> R {
        let all = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all().pop();
        let mut workspace = left.unwrap_or_else(make);
        let done = f(&mut workspace);
        all().push(workspace);
        done
    }
}
