//! The source `ImageFiles`.

use crate::decode::{Channels, Orientation, Reading};
use crate::files;
use crate::sources::{channels_of, no_sample, still};
use pleach_core::{DataInfo, Error, Result, Row, Samples, Source, SourceCx, plugin};
use std::path::{Path, PathBuf};

/// Images without labels, to predict for.
#[plugin(source)]
pub struct ImageFiles {
    /// Image files, and folders of which all images are taken, also from folders below.
    #[plugin(example = vec![PathBuf::from("images")])]
    pub paths: Vec<PathBuf>,
    /// Endings of the files to take from folders.
    #[plugin(default = files::image_extensions())]
    pub extensions: Vec<String>,
    /// Channels of the images: "gray", "rgb", "rgba" or "as_is".
    #[plugin(default = Channels::Rgb)]
    pub channels: Channels,
    /// Which way up images are: "stored", or "exif" to turn those whose camera was turned.
    #[plugin(default = Orientation::Stored)]
    pub orientation: Orientation,
}

impl ImageFiles {
    /// The images of these files and folders, as they are stored.
    pub fn new(paths: Vec<PathBuf>, channels: Channels) -> Self {
        Self { paths, extensions: files::image_extensions(), channels, orientation: Orientation::Stored }
    }
}

impl Source for ImageFiles {
    fn open(&self, _cx: &SourceCx) -> Result<Box<dyn Samples>> {
        let mut all = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                all.extend(files::list(path, &self.extensions)?);
            } else if path.is_file() {
                all.push(path.clone());
            } else {
                return Err(Error::new("PL0304", format!("there is no file or folder {}", path.display())));
            }
        }
        if all.is_empty() {
            return Err(Error::new("PL0305", "no images are given").hint("list files or folders in `paths`"));
        }
        let channels = channels_of(self.channels, all.iter().map(Path::new));
        let info = DataInfo { channels, frames: 1, ..DataInfo::default() };
        Ok(Box::new(Opened {
            files: all,
            info,
            how: Reading { channels: self.channels, orientation: self.orientation },
        }))
    }
}

struct Opened {
    files: Vec<PathBuf>,
    info: DataInfo,
    how: Reading,
}

impl Samples for Opened {
    fn len(&self) -> usize {
        self.files.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        let path = self.files.get(index).ok_or_else(|| no_sample(index, self.len()))?;
        still(index, path, self.how)
    }
    fn info(&self) -> DataInfo {
        self.info.clone()
    }
    fn key(&self, index: usize) -> String {
        self.files.get(index).map_or_else(|| index.to_string(), |path| path.display().to_string())
    }
}
