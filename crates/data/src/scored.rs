//! Predictions and truths that lie in files, pair by pair, for metrics without a run.

use crate::coco::{Annotations, Results, With};
use crate::row_files::RowFiles;
use crate::sources::no_sample;
use pleach_core::kinds::metric::Part;
use pleach_core::{DataInfo, Result, Row};
use std::path::Path;

/// Samples with what was predicted for them.
pub trait Pairs: Send + Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they are.
    fn info(&self) -> DataInfo;

    /// Whether rows can have this part at all.
    fn has(&self, part: Part) -> bool;

    /// The predicted row and the true one.
    ///
    /// # Errors
    /// With file and place, where one of them cannot be.
    fn pair(&self, index: usize) -> Result<(Row, Row)>;
}

/// Opens a file of truths and one of predictions: COCO's annotations and results (`.json`), or rows, one in a line
/// (`.jsonl`).
///
/// # Errors
/// `PL0316`: a file cannot be read. `PL0317`: the two do not fit together.
pub fn open(truth: &Path, predictions: &Path) -> Result<Box<dyn Pairs>> {
    if truth.extension().is_some_and(|e| e == "jsonl") {
        return Ok(Box::new(RowFiles::open(truth, predictions)?));
    }
    let truth = Annotations::read(truth)?;
    let predictions = truth.results(predictions)?;
    let with = predictions.with();
    Ok(Box::new(Coco { truth, predictions, with }))
}

struct Coco {
    truth: Annotations,
    predictions: Results,
    /// Results without masks are compared with boxes; the truths' masks are then not needed.
    with: With,
}

impl Pairs for Coco {
    fn len(&self) -> usize {
        self.truth.images().len()
    }
    fn info(&self) -> DataInfo {
        self.truth.info()
    }
    fn has(&self, part: Part) -> bool {
        part == Part::Instances
    }
    fn pair(&self, index: usize) -> Result<(Row, Row)> {
        if index >= self.len() {
            return Err(no_sample(index, self.len()));
        }
        Ok((self.predictions.row(index, self.with)?, self.truth.row(index, self.with)?))
    }
}
