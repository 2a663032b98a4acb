//! Keeps decoded samples from epoch to epoch, so that files are read and decoded once.

use crate::loader::row_bytes;
use pleach_core::{DataInfo, Result, Row, Samples};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Samples of which as many are kept as fit in a bound of memory.
///
/// What was kept stays: where every sample comes once in an epoch, whatever made room for another would be read
/// again as surely as that other.
pub(crate) struct Cached {
    samples: Arc<dyn Samples>,
    rows: Vec<OnceLock<Row>>,
    /// Bytes.
    free: AtomicU64,
}

impl Cached {
    /// The samples, with room for so many bytes.
    pub fn new(samples: Arc<dyn Samples>, bytes: u64) -> Self {
        let rows = std::iter::repeat_with(OnceLock::new).take(samples.len()).collect();
        Self { samples, rows, free: AtomicU64::new(bytes) }
    }

    fn keep(&self, place: &OnceLock<Row>, row: &Row) {
        let bytes = row_bytes(row).saturating_add(size_of::<Row>() as u64);
        let less = |free: u64| free.checked_sub(bytes);
        if self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err() {
            return;
        }
        if place.set(row.clone()).is_err() {
            // Another thread read the sample at the same time; its row is the same.
            self.free.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

impl Samples for Cached {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn row(&self, index: usize) -> Result<Row> {
        let place = self.rows.get(index);
        if let Some(row) = place.and_then(OnceLock::get) {
            return Ok(row.clone());
        }
        let row = self.samples.row(index)?;
        if let Some(place) = place {
            self.keep(place, &row);
        }
        Ok(row)
    }

    fn info(&self) -> DataInfo {
        self.samples.info()
    }

    fn stratum(&self, index: usize) -> Option<u32> {
        self.samples.stratum(index)
    }

    fn key(&self, index: usize) -> String {
        self.samples.key(index)
    }
}
