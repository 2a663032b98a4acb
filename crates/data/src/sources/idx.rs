//! The source `Idx`.

use crate::idx::{self, Array, Packed};
use crate::sources::Part;
use pleach_core::read::Rules;
use pleach_core::{Error, Result, Samples, Source, SourceCx, plugin};
use std::path::{Path, PathBuf};

/// Images and classes in the format of MNIST (IDX, plain or gzip), held in memory.
///
/// Give either `root`, a folder with files named as those of MNIST and Fashion-MNIST
/// (`train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` or `test-labels-idx1-ubyte`, with or without
/// `.gz`), or `images` and `labels`.
#[plugin(source, alias = ["MNIST", "FashionMNIST"], check = Self::check)]
pub struct Idx {
    /// A folder with the files of both parts.
    #[plugin(sample = Some(PathBuf::from("data/mnist")))]
    pub root: Option<PathBuf>,
    /// The part in `root`: "train", "test" or "all". By default training takes "train" and every other split "test".
    pub split: Option<Part>,
    /// A file of images: number x height x width, or with channels at the end.
    pub images: Option<PathBuf>,
    /// The file with the class of each image.
    pub labels: Option<PathBuf>,
    /// Names of the classes in order; by default "0", "1" and so on up to the greatest in the file.
    #[plugin(default = Vec::new())]
    pub classes: Vec<String>,
}

/// A file of images and the file of their labels.
type Files = (PathBuf, PathBuf);

impl Idx {
    fn check(&self, rules: &mut Rules) {
        match (&self.root, &self.images, &self.labels) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            (Some(_), ..) => rules.refuse("root", "give either `root`, or `images` and `labels`, not both"),
            (None, Some(_), None) => rules.refuse("images", "`labels` is missing beside `images`"),
            (None, None, Some(_)) => rules.refuse("labels", "`images` is missing beside `labels`"),
            (None, None, None) => rules.refuse("root", "give `root`, or `images` and `labels`"),
        }
        if self.split.is_some() && self.root.is_none() {
            rules.refuse("split", "it chooses among the files of `root`, and there is no `root`");
        }
    }

    /// The images with their labels, and a second part if both are wanted.
    fn files(&self, cx: &SourceCx) -> Result<(Files, Option<Files>)> {
        let Some(root) = &self.root else {
            let (Some(images), Some(labels)) = (&self.images, &self.labels) else {
                return Err(Error::new("PL0304", "an IDX source needs `root`, or `images` and `labels`"));
            };
            return Ok(((images.clone(), labels.clone()), None));
        };
        if !root.is_dir() {
            return Err(Error::new("PL0304", format!("the folder {} does not exist", root.display()))
                .hint("a relative path in a file starts at the folder of that file"));
        }
        let pair = |prefixes: &[&str]| -> Result<Files> {
            Ok((find(root, prefixes, "images-idx3-ubyte")?, find(root, prefixes, "labels-idx1-ubyte")?))
        };
        let (train, test) = (|| pair(&["train"]), || pair(&["t10k", "test"]));
        match self.split.unwrap_or_else(|| Part::for_split(cx)) {
            Part::Train => Ok((train()?, None)),
            Part::Test => Ok((test()?, None)),
            Part::All => Ok((train()?, Some(test()?))),
        }
    }
}

impl Source for Idx {
    fn open(&self, cx: &SourceCx) -> Result<Box<dyn Samples>> {
        let ((images_path, labels_path), more) = self.files(cx)?;
        let (mut images, mut labels) = (idx::read(&images_path)?, idx::read(&labels_path)?);
        if let Some((images_path, labels_path)) = more {
            images = append(images, idx::read(&images_path)?, &images_path)?;
            labels = append(labels, idx::read(&labels_path)?, &labels_path)?;
        }
        let prefix = images_path.display().to_string();
        let samples = Packed::new(images, labels, &self.classes, &prefix)?;
        if samples.is_empty() {
            return Err(Error::new("PL0305", format!("{prefix} has no images")));
        }
        Ok(Box::new(samples))
    }
}

/// The file of one of the prefixes, plain or compressed.
fn find(root: &Path, prefixes: &[&str], rest: &str) -> Result<PathBuf> {
    // Some copies of MNIST have a dot for the second dash.
    let dotted = rest.replace("-idx", ".idx");
    for prefix in prefixes {
        for rest in [rest, &dotted] {
            for ending in ["", ".gz"] {
                let path = root.join(format!("{prefix}-{rest}{ending}"));
                if path.is_file() {
                    return Ok(path);
                }
            }
        }
    }
    let names: Vec<_> = prefixes.iter().map(|p| format!("{p}-{rest}[.gz]")).collect();
    Err(Error::new("PL0305", format!("{} has no file {}", root.display(), names.join(" or "))))
}

fn append(mut all: Array, more: Array, path: &Path) -> Result<Array> {
    if all.shape.get(1..) != more.shape.get(1..) {
        let why = format!("{} has the shape {:?}, the part before it {:?}", path.display(), more.shape, all.shape);
        return Err(Error::new("PL0310", why));
    }
    if let (Some(n), Some(m)) = (all.shape.first_mut(), more.shape.first()) {
        *n += m;
    }
    all.bytes.extend(more.bytes);
    Ok(all)
}
