//! COCO's files of objects, annotations and results, as rows.

mod shape;

pub use shape::{Counts, Shape, Stretches};

use crate::decode::MAX_BYTES;
use crate::files;
use pleach_core::{DataInfo, Error, Instance, Result, RotBox, Row, SampleId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What instances are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// Boxes and areas.
    Boxes,
    /// Masks and outlines too.
    Masks,
}

/// An image, as the annotation file has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CocoImage {
    /// Its number.
    pub id: i64,
    /// Its file, below the folder of the images.
    pub file_name: String,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
}

/// An object, annotated or predicted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Object {
    id: Option<i64>,
    image_id: i64,
    category_id: i64,
    bbox: Option<Vec<f64>>,
    segmentation: Option<Shape>,
    area: Option<f64>,
    #[serde(default)]
    iscrowd: IsCrowd,
    score: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
enum IsCrowd {
    Flag(bool),
    Number(u8),
}

impl IsCrowd {
    fn is(self) -> bool {
        !matches!(self, Self::Flag(false) | Self::Number(0))
    }
}

impl Default for IsCrowd {
    fn default() -> Self {
        Self::Flag(false)
    }
}

#[derive(Deserialize)]
struct File {
    images: Vec<CocoImage>,
    #[serde(default)]
    annotations: Vec<Object>,
    categories: Vec<Category>,
}

/// An annotation file. Images are in the order of their ids, and so are classes.
pub struct Annotations {
    objects: Objects,
    classes: Vec<String>,
    numbers: BTreeMap<i64, u32>,
}

/// A file of results for the images of an annotation file.
pub struct Results(Objects);

/// A list of objects, by image.
struct Objects {
    path: PathBuf,
    /// The list's name in messages.
    list: &'static str,
    images: Arc<[CocoImage]>,
    /// Of each image: the place in the list, the class, the object.
    of_image: Vec<Vec<(usize, u32, Object)>>,
}

impl Annotations {
    /// Reads an annotation file ("instances_val2017.json").
    ///
    /// # Errors
    /// `PL0316`, with line and column: it cannot be read, is truncated or no annotation file. `PL0317`: two images or
    /// categories have one id, or an annotation belongs to none, or its box cannot be.
    pub fn read(path: &Path) -> Result<Self> {
        let File { mut images, annotations, mut categories } =
            read(path, "an object with `images`, `annotations` and `categories`")?;
        images.sort_by_key(|i| i.id);
        categories.sort_by_key(|c| c.id);
        let refuse = |why: String| Err(inconsistent(path, why));
        if let Some((a, _)) = images.iter().zip(images.iter().skip(1)).find(|(a, b)| a.id == b.id) {
            return refuse(format!("two images have the id {}", a.id));
        }
        if let Some((a, b)) = categories.iter().zip(categories.iter().skip(1)).find(|(a, b)| a.id == b.id) {
            return refuse(format!("the categories `{}` and `{}` have one id, {}", a.name, b.name, a.id));
        }
        let sane = |i: &&CocoImage| i.width.checked_mul(i.height).is_some_and(|n| n > 0 && n as u64 <= MAX_BYTES);
        if let Some(i) = images.iter().find(|i| !sane(i)) {
            return refuse(format!("the image {} (`{}`) has {}x{} pixels", i.id, i.file_name, i.width, i.height));
        }
        let numbers = (0..).zip(&categories).map(|(number, c)| (c.id, number)).collect();
        let objects = Objects::new(path, "annotations", images.into(), &numbers, annotations)?;
        Ok(Self { objects, classes: categories.into_iter().map(|c| c.name).collect(), numbers })
    }

    /// Reads a file of results for these images.
    ///
    /// # Errors
    /// `PL0316`, with line and column: it cannot be read, is truncated or no file of results. `PL0317`: a result is of
    /// an image or a category that the annotations do not have, or has no score.
    pub fn results(&self, path: &Path) -> Result<Results> {
        let list: Vec<Object> = read(path, "a list of results")?;
        if let Some(i) = list.iter().position(|o| o.score.is_none()) {
            return Err(inconsistent(path, format!("results[{i}] has no `score`"))
                .hint("annotations are the truth, results the predictions; are the two files exchanged?"));
        }
        Ok(Results(Objects::new(path, "results", Arc::clone(&self.objects.images), &self.numbers, list)?))
    }

    /// The images, in the order of their ids.
    pub fn images(&self) -> &[CocoImage] {
        &self.objects.images
    }

    /// Whether an image has an object that is no crowd.
    pub fn has_objects(&self, index: usize) -> bool {
        self.objects.of_image.get(index).is_some_and(|objects| objects.iter().any(|o| !o.2.iscrowd.is()))
    }

    /// Classes, of still images in colour.
    pub fn info(&self) -> DataInfo {
        DataInfo { classes: self.classes.clone(), channels: 3, frames: 1, ..DataInfo::default() }
    }

    /// The objects of an image as a row without frames.
    ///
    /// # Errors
    /// `PL0314`: there is no such image. `PL0317`, with the annotation: its mask cannot be.
    pub fn row(&self, index: usize, with: With) -> Result<Row> {
        self.objects.row(index, with)
    }
}

impl Results {
    /// What was predicted for an image, the same one as [`Annotations::row`]'s.
    ///
    /// # Errors
    /// As [`Annotations::row`].
    pub fn row(&self, index: usize, with: With) -> Result<Row> {
        self.0.row(index, with)
    }

    /// What there is: masks, or boxes alone.
    pub fn with(&self) -> With {
        let masked = |o: &(usize, u32, Object)| o.2.segmentation.is_some();
        if self.0.of_image.iter().flatten().any(masked) { With::Masks } else { With::Boxes }
    }
}

impl Objects {
    fn new(
        path: &Path,
        list: &'static str,
        images: Arc<[CocoImage]>,
        classes: &BTreeMap<i64, u32>,
        objects: Vec<Object>,
    ) -> Result<Self> {
        let mut all = Self { path: path.to_owned(), list, of_image: vec![Vec::new(); images.len()], images };
        for (i, mut object) in objects.into_iter().enumerate() {
            let wrong = |what: String| inconsistent(path, format!("{} {what}", place(list, i, &object)));
            let Ok(image) = all.images.binary_search_by_key(&object.image_id, |image| image.id) else {
                return Err(wrong(format!("is of the image {}, which is not among the images", object.image_id)));
            };
            let Some(&class) = classes.get(&object.category_id) else {
                return Err(wrong(format!("is of the category {}, which is not there", object.category_id)));
            };
            // Some tools write an empty list for what there is not.
            object.bbox.take_if(|b| b.is_empty());
            object.segmentation.take_if(|s| s.is_empty());
            match object.bbox.as_deref() {
                None => {}
                Some(&[_, _, w, h]) if object.score.is_some() || (w >= 0.0 && h >= 0.0) => {}
                Some(b) => {
                    return Err(inconsistent(path, format!("{} has the box {b:?}", place(list, i, &object)))
                        .hint("a box is x, y, width and height"));
                }
            }
            if let Some(of_image) = all.of_image.get_mut(image) {
                of_image.push((i, class, object));
            }
        }
        Ok(all)
    }

    fn row(&self, index: usize, with: With) -> Result<Row> {
        let none = || crate::sources::no_sample(index, self.images.len());
        let (image, objects) = self.images.get(index).zip(self.of_image.get(index)).ok_or_else(none)?;
        let mut row = Row::new(SampleId { index: index as u64, key: image.file_name.as_str().into() }, Vec::new());
        row.instances = objects.iter().map(|o| self.instance(image, o, with)).collect::<Result<_>>()?;
        Ok(row)
    }

    fn instance(&self, image: &CocoImage, (i, class, o): &(usize, u32, Object), with: With) -> Result<Instance> {
        let stretches = match &o.segmentation {
            // A box that is not given is drawn around the mask.
            Some(shape) if with == With::Masks || o.bbox.is_none() => {
                let wrong =
                    |what| inconsistent(&self.path, format!("{}: its segmentation {what}", place(self.list, *i, o)));
                Some(shape.stretches(image.width, image.height).map_err(wrong)?)
            }
            _ => None,
        };
        let around = || stretches.as_ref().map(|s| s.bounds().map(|x| x as f64));
        let bbox = o.bbox.as_deref().and_then(|b| <[f64; 4]>::try_from(b).ok());
        // Results have no area of their own; COCO takes that of their box, if they have one, also for masks.
        let area = if o.score.is_some() { bbox.map(|[_, _, w, h]| w * h) } else { o.area };
        let upright = |[x, y, w, h]: [f64; 4]| RotBox {
            cx: (x + 0.5 * w) as f32,
            cy: (y + 0.5 * h) as f32,
            w: w as f32,
            h: h as f32,
            angle: 0.0,
        };
        let masks = with == With::Masks;
        Ok(Instance {
            class: *class,
            score: o.score.map(|s| s as f32),
            bbox: bbox.or_else(around).map(upright),
            mask: stretches.as_ref().filter(|_| masks).map(Stretches::mask),
            polygon: o.segmentation.as_ref().filter(|_| masks).and_then(Shape::polygon),
            crowd: o.iscrowd.is(),
            area: area.or_else(|| stretches.as_ref().map(|s| s.area() as f64)).map(|a| a as f32),
            ..Instance::default()
        })
    }
}

/// Which object of a list, for messages.
fn place(list: &str, i: usize, object: &Object) -> String {
    match object.id {
        Some(id) => format!("{list}[{i}] (id {id})"),
        None => format!("{list}[{i}]"),
    }
}

fn inconsistent(path: &Path, why: String) -> Error {
    Error::new("PL0317", format!("{}: {why}", path.display()))
}

fn read<T: DeserializeOwned>(path: &Path, expected: &str) -> Result<T> {
    let unreadable = |why: String| Error::new("PL0316", format!("{} cannot be read as COCO: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| unreadable(files::cause(&e)))?;
    serde_json::from_slice(&bytes).map_err(|e| {
        let error = unreadable(e.to_string());
        if e.is_eof() {
            error.hint("the file ends too early; was it copied whole?")
        } else {
            error.hint(format!("expected {expected}"))
        }
    })
}
