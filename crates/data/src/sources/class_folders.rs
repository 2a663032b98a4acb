//! The source `ClassFolders`.

use crate::decode::{Channels, Orientation, Reading};
use crate::files;
use crate::sources::{channels_of, no_sample, still};
use pleach_core::{DataInfo, Error, Result, Row, Samples, Source, SourceCx, plugin};
use std::path::{Path, PathBuf};

/// Images in one folder for each class, the layout of torchvision's `ImageFolder`.
///
/// Classes are numbered in the order of the folders' names; the files of a class may lie in folders
/// below. Files and folders that begin with a dot are left out.
#[plugin(source, alias = ["ImageFolder"])]
pub struct ClassFolders {
    /// The folder that holds the folders of the classes.
    #[plugin(example = PathBuf::from("data/train"))]
    pub root: PathBuf,
    /// The classes to take and their order; by default every folder, sorted by name.
    #[plugin(default = Vec::new())]
    pub classes: Vec<String>,
    /// Endings of the files to take.
    #[plugin(default = files::image_extensions())]
    pub extensions: Vec<String>,
    /// Channels of the images: "gray", "rgb", "rgba" or "as_is".
    #[plugin(default = Channels::Rgb)]
    pub channels: Channels,
    /// Which way up images are: "stored", or "exif" to turn those whose camera was turned.
    #[plugin(default = Orientation::Stored)]
    pub orientation: Orientation,
}

impl ClassFolders {
    fn names(&self) -> Result<Vec<String>> {
        let folders = files::folders(&self.root)?;
        let there: Vec<_> =
            folders.iter().filter_map(|f| f.file_name()).map(|n| n.to_string_lossy().into_owned()).collect();
        if there.is_empty() {
            return Err(Error::new("PL0306", format!("{} has no folders of classes", self.root.display()))
                .hint("each class needs a folder of its own with its images, such as train/cat and train/dog"));
        }
        if self.classes.is_empty() {
            return Ok(there);
        }
        match self.classes.iter().find(|class| !there.contains(class)) {
            None => Ok(self.classes.clone()),
            Some(class) => Err(Error::new("PL0306", format!("{} has no folder `{class}`", self.root.display()))
                .hint(format!("there is: {}", there.join(", ")))),
        }
    }
}

impl Source for ClassFolders {
    fn open(&self, _cx: &SourceCx) -> Result<Box<dyn Samples>> {
        let classes = self.names()?;
        let mut all = Vec::new();
        for (class, folder) in classes.iter().enumerate() {
            let found = files::list(&self.root.join(folder), &self.extensions)?;
            all.extend(found.into_iter().map(|path| (path, class as u32)));
        }
        let channels = channels_of(self.channels, all.iter().map(|(path, _)| Path::new(path)));
        let info = DataInfo { classes, channels, frames: 1, ..DataInfo::default() };
        Ok(Box::new(Opened {
            files: all,
            info,
            how: Reading { channels: self.channels, orientation: self.orientation },
        }))
    }
}

struct Opened {
    files: Vec<(PathBuf, u32)>,
    info: DataInfo,
    how: Reading,
}

impl Samples for Opened {
    fn len(&self) -> usize {
        self.files.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        let (path, class) = self.files.get(index).ok_or_else(|| no_sample(index, self.len()))?;
        let mut row = still(index, path, self.how)?;
        row.labels.class = Some(*class);
        Ok(row)
    }
    fn info(&self) -> DataInfo {
        self.info.clone()
    }
    fn stratum(&self, index: usize) -> Option<u32> {
        self.files.get(index).map(|(_, class)| *class)
    }
    fn key(&self, index: usize) -> String {
        self.files.get(index).map_or_else(|| index.to_string(), |(path, _)| path.display().to_string())
    }
}
