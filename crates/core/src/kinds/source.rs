//! Sources: where samples come from.

use crate::Result;
use crate::row::Row;
use serde::{Deserialize, Serialize};

/// What a source says of its samples.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DataInfo {
    /// Names of the classes, by index.
    pub classes: Vec<String>,
    /// Channels of a frame.
    pub channels: usize,
    /// Frames of a clip; 1 for still images.
    pub frames: usize,
    /// Height and width where all are alike.
    pub size: Option<(usize, usize)>,
    /// The class that counts nowhere (void pixels), if there is one.
    pub ignore_index: Option<u32>,
}

/// What a source is opened with.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceCx {
    /// `train`, `val`, `test` or `predict`.
    pub split: String,
    /// The run's seed.
    pub seed: u64,
}

/// Opened samples: random access, from any thread.
pub trait Samples: Send + Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads and decodes one.
    ///
    /// # Errors
    /// With the path, where it cannot be read.
    fn row(&self, index: usize) -> Result<Row>;

    /// What they are.
    fn info(&self) -> DataInfo;

    /// The stratum of a sample, for stratified splits: its class, or its video.
    fn stratum(&self, _index: usize) -> Option<u32> {
        None
    }

    /// What a person calls a sample, without decoding it.
    fn key(&self, index: usize) -> String {
        index.to_string()
    }
}

/// A configuration that opens samples.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a source, and does not implement `Source`",
    label = "write `impl Source for {Self}`"
)]
pub trait Source: std::fmt::Debug + Send + Sync + 'static {
    /// Finds the samples; decodes none.
    ///
    /// # Errors
    /// The folder is missing or empty, or its files do not fit together.
    fn open(&self, cx: &SourceCx) -> Result<Box<dyn Samples>>;
}

crate::kind!(Source, "source");
