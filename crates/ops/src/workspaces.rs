//! What tasks work in, handed from one task to the next.

use std::sync::{Mutex, PoisonError};

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
