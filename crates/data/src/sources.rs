//! The sources that come with pleach, one file each.

mod class_folders;
mod coco;
mod digits;
mod idx;
mod image_files;
mod image_masks;

pub use class_folders::ClassFolders;
pub use coco::{Coco, Take};
pub use digits::Digits;
pub use idx::Idx;
pub use image_files::ImageFiles;
pub use image_masks::ImageMasks;

use crate::decode::{self, Channels, Reading};
use pleach_core::{Error, Frame, Result, Row, SampleId, SourceCx, config};
use std::path::Path;

/// A part of a data set that is published in two.
#[config]
pub enum Part {
    /// What is meant for training.
    Train,
    /// What is meant for testing.
    Test,
    /// Both, training first.
    All,
}

impl Part {
    /// The part for the split that a source is opened for: training takes the training part, all others the test part.
    pub fn for_split(cx: &SourceCx) -> Self {
        if cx.split == "train" { Self::Train } else { Self::Test }
    }
}

/// The error of an index beyond the samples.
pub(crate) fn no_sample(index: usize, len: usize) -> Error {
    Error::new("PL0314", format!("there is no sample {index}: there are {len}"))
}

/// A file as a row of one frame.
pub(crate) fn still(index: usize, path: &Path, how: Reading) -> Result<Row> {
    let image = decode::read(path, how)?;
    let id = SampleId { index: index as u64, key: path.display().to_string().into() };
    Ok(Row::new(id, vec![Frame { number: 0, image }]))
}

/// The channels that frames will have; where files keep theirs, those of the first that can be read.
pub(crate) fn channels_of<'a>(channels: Channels, files: impl IntoIterator<Item = &'a Path>) -> usize {
    // A file that cannot be read is reported when its row is; it does not hide what the others are.
    let probe = || files.into_iter().take(16).find_map(|path| decode::channels_of(path).ok());
    channels.count().or_else(probe).unwrap_or(3)
}
