//! The source `Coco`.

use crate::coco::{Annotations, With};
use crate::decode::{self, Channels};
use crate::sources::{channels_of, no_sample};
use pleach_core::{DataInfo, Error, Frame, Result, Row, Samples, Source, SourceCx, config, plugin};
use std::path::PathBuf;

/// Which images of an annotation file are taken.
#[config]
pub enum Take {
    /// Every image.
    All,
    /// Those with one object at least, crowds not counted.
    WithObjects,
}

/// Images with objects from a COCO annotation file, such as `instances_train2017.json`.
///
/// Each object is an instance with its class, box, area and, with `masks`, its pixels and outline; polygons become
/// pixels as COCO's own `maskApi` makes them. Classes are numbered in the order of the categories' ids, images come in
/// the order of theirs. A crowd (`iscrowd`) is an instance that evaluation leaves out, with `crowd = true`.
#[plugin(source, alias = ["CocoDetection"], cite = "https://cocodataset.org/#format-data")]
pub struct Coco {
    /// The folder of the images.
    #[plugin(example = PathBuf::from("data/coco/val2017"))]
    pub images: PathBuf,
    /// The annotation file.
    #[plugin(example = PathBuf::from("data/coco/annotations/instances_val2017.json"))]
    pub annotations: PathBuf,
    /// Whether instances have masks and outlines; without, a sample of many objects needs far less memory.
    #[plugin(default = true)]
    pub masks: bool,
    /// Which images: "all", or those "with_objects".
    #[plugin(default = Take::All)]
    pub take: Take,
    /// Channels of the images: "gray", "rgb", "rgba" or "as_is".
    #[plugin(default = Channels::Rgb)]
    pub channels: Channels,
}

impl Source for Coco {
    fn open(&self, _cx: &SourceCx) -> Result<Box<dyn Samples>> {
        let all = Annotations::read(&self.annotations)?;
        let wanted = |&i: &usize| self.take == Take::All || all.has_objects(i);
        let indices: Vec<usize> = (0..all.images().len()).filter(wanted).collect();
        if indices.is_empty() {
            return Err(Error::new("PL0305", format!("{} has no images to take", self.annotations.display())));
        }
        let files = indices.iter().filter_map(|&i| all.images().get(i)).map(|i| self.images.join(&i.file_name));
        let first: Vec<PathBuf> = files.take(16).collect();
        let channels = channels_of(self.channels, first.iter().map(PathBuf::as_path));
        let info = DataInfo { channels, ..all.info() };
        let with = if self.masks { With::Masks } else { With::Boxes };
        Ok(Box::new(Opened { all, indices, info, with, images: self.images.clone(), channels: self.channels }))
    }
}

struct Opened {
    all: Annotations,
    indices: Vec<usize>,
    info: DataInfo,
    with: With,
    images: PathBuf,
    channels: Channels,
}

impl Opened {
    fn path(&self, index: usize) -> Option<PathBuf> {
        let image = self.all.images().get(*self.indices.get(index)?)?;
        Some(self.images.join(&image.file_name))
    }
}

impl Samples for Opened {
    fn len(&self) -> usize {
        self.indices.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        let none = || no_sample(index, self.len());
        let number = *self.indices.get(index).ok_or_else(none)?;
        let said = self.all.images().get(number).ok_or_else(none)?;
        let path = self.images.join(&said.file_name);
        let image = decode::read(&path, self.channels)?;
        if (image.width, image.height) != (said.width, said.height) {
            return Err(Error::new(
                "PL0308",
                format!(
                    "{} has {}x{} pixels, and {}x{} by the annotations",
                    path.display(),
                    image.width,
                    image.height,
                    said.width,
                    said.height
                ),
            )
            .hint("annotations belong to the pixels as stored; was the image resized or turned?"));
        }
        let mut row = self.all.row(number, self.with)?;
        row.id.index = index as u64;
        row.id.key = path.display().to_string().into();
        row.frames = vec![Frame { number: 0, image }];
        Ok(row)
    }
    fn info(&self) -> DataInfo {
        self.info.clone()
    }
    fn key(&self, index: usize) -> String {
        self.path(index).map_or_else(|| index.to_string(), |path| path.display().to_string())
    }
}
