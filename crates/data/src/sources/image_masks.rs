//! The source `ImageMasks`.

use crate::decode::{self, Channels, Orientation, Reading};
use crate::files;
use crate::masks::{ClassMap, Meaning};
use crate::pairs::{self, Clip, Pair, Side, Video};
use crate::sources::{channels_of, no_sample};
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{DataInfo, Error, Frame, Map, Result, Row, SampleId, Samples, Source, SourceCx, plugin};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where `ignore_color` goes when no `ignore_index` is given.
const VOID: u16 = 255;

/// Images with a mask of the same size for each, matched by their names; also frames of videos, as clips.
///
/// The image `images/a/001.jpg` belongs to the mask `masks/a/001.png`: the paths below the two folders
/// are the same up to the extension, and up to `image_suffix` and `mask_suffix`. A mask holds class
/// numbers (gray of 8 or 16 bits, or a palette), colours (`colors`), or values of which those from
/// `threshold` on are foreground.
///
/// With `frames_per_clip` above 1, the images of each folder, sorted by name, are the frames of a
/// video, and each sample is that many consecutive frames with a map for each.
#[plugin(source, check = Self::check)]
pub struct ImageMasks {
    /// The folder of the images.
    #[plugin(example = PathBuf::from("data/images"))]
    pub images: PathBuf,
    /// The folder of the masks; it may be the same.
    #[plugin(example = PathBuf::from("data/masks"))]
    pub masks: PathBuf,
    /// What an image's name has before its extension and its mask's has not, such as "_image".
    #[plugin(default = String::new())]
    pub image_suffix: String,
    /// What a mask's name has before its extension and its image's has not, such as "_mask".
    #[plugin(default = String::new())]
    pub mask_suffix: String,
    /// Endings of the files to take.
    #[plugin(default = files::image_extensions())]
    pub extensions: Vec<String>,
    /// Channels of the images: "gray", "rgb", "rgba" or "as_is".
    #[plugin(default = Channels::Rgb)]
    pub channels: Channels,
    /// Which way up images are: "stored", or "exif" to turn those whose camera was turned; masks are as stored.
    #[plugin(default = Orientation::Stored)]
    pub orientation: Orientation,
    /// Names of the classes, by the number that stands for them in masks.
    #[plugin(default = Vec::new(), sample = vec!["background".into(), "foreground".into()])]
    pub classes: Vec<String>,
    /// The colour of each class in colour masks, as in `{ sky = [128, 128, 128] }`. Without `classes`, they
    /// are numbered in the order of their names.
    #[plugin(default = BTreeMap::new())]
    pub colors: BTreeMap<String, [u8; 3]>,
    /// Mask values from this one on are foreground (class 1), lesser ones background (class 0): 128 for
    /// black and white, 1 for numbered objects.
    #[plugin(range = 1..=65535)]
    pub threshold: Option<u16>,
    /// The mask value that counts nowhere, neither in losses nor in metrics; it needs no name in `classes`.
    pub ignore_index: Option<u16>,
    /// The colour that counts nowhere, in colour masks; it becomes `ignore_index`, or 255.
    pub ignore_color: Option<[u8; 3]>,
    /// Consecutive frames in a sample; 1 for still images.
    #[plugin(default = 1, range = 1..)]
    pub frames_per_clip: usize,
    /// Frames from the start of one clip to the start of the next.
    #[plugin(default = 1, range = 1..)]
    pub stride: usize,
}

impl ImageMasks {
    fn check(&self, rules: &mut Rules) {
        if let Err((field, why)) = self.class_map() {
            rules.refuse(field, why);
        }
        if self.images == self.masks && self.image_suffix == self.mask_suffix {
            rules.refuse("masks", "images and masks in one folder need different suffixes");
        }
    }

    /// The classes of the masks, or the field that is wrong and why.
    fn class_map(&self) -> Result<ClassMap, (&'static str, String)> {
        let mut names = self.classes.clone();
        let mut ignore_index = self.ignore_index;
        let meaning = match (self.threshold, self.colors.is_empty()) {
            (Some(_), false) => return Err(("threshold", "masks have colours or a threshold, not both".into())),
            (Some(least), true) => {
                if names.is_empty() {
                    names = vec!["background".into(), "foreground".into()];
                }
                if names.len() != 2 {
                    return Err(("classes", format!("a threshold makes two classes, not {}", names.len())));
                }
                Meaning::Threshold(least)
            }
            (None, true) if names.is_empty() => {
                return Err(("classes", "masks need `classes`, `colors` or `threshold` to be understood".into()));
            }
            (None, true) => Meaning::Index,
            (None, false) => {
                if names.is_empty() {
                    names = self.colors.keys().cloned().collect();
                }
                let colors = self.colors_of(&names)?;
                ignore_index = ignore_index.or(self.ignore_color.map(|_| VOID));
                Meaning::Colors(colors)
            }
        };
        if self.ignore_color.is_some() && self.colors.is_empty() {
            return Err(("ignore_color", "masks without `colors` have `ignore_index`".into()));
        }
        if names.len() > usize::from(u16::MAX) {
            return Err(("classes", format!("{} classes are too many for a mask", names.len())));
        }
        Ok(ClassMap { names, meaning, ignore_index })
    }

    fn colors_of(&self, names: &[String]) -> Result<BTreeMap<[u8; 3], u16>, (&'static str, String)> {
        let wrong = |why: String| Err(("colors", why));
        let mut colors = BTreeMap::new();
        if let Some(color) = self.ignore_color {
            colors.insert(color, self.ignore_index.unwrap_or(VOID));
        }
        if let Some(name) = self.colors.keys().find(|name| !names.contains(name)) {
            return wrong(format!("`{name}` is not in `classes`"));
        }
        for (class, name) in names.iter().enumerate() {
            let Some(&color) = self.colors.get(name) else { return wrong(format!("the class `{name}` has no colour")) };
            if colors.insert(color, class as u16).is_some() {
                return wrong(format!("`{name}` has the colour {color:?} of another"));
            }
        }
        Ok(colors)
    }
}

impl Source for ImageMasks {
    fn open(&self, _cx: &SourceCx) -> Result<Box<dyn Samples>> {
        let map =
            self.class_map().map_err(|(field, why)| Error::new("PL0315", format!("ImageMasks, `{field}`: {why}")))?;
        let images = Side { root: &self.images, suffix: &self.image_suffix };
        let masks = Side { root: &self.masks, suffix: &self.mask_suffix };
        let videos = pairs::videos(&pairs::match_up(images, masks, &self.extensions)?);
        let clips = pairs::clips(&videos, self.frames_per_clip.max(1), self.stride.max(1));
        if clips.is_empty() {
            let longest = videos.iter().map(|v| v.frames.len()).max().unwrap_or(0);
            return Err(Error::new(
                "PL0311",
                format!("no folder in {} has {} frames for a clip", self.images.display(), self.frames_per_clip),
            )
            .hint(format!("the longest has {longest}; choose a smaller `frames_per_clip`")));
        }
        let first = videos.iter().flat_map(|v| &v.frames).map(|f| f.image.as_path());
        let info = DataInfo {
            classes: map.names.clone(),
            channels: channels_of(self.channels, first),
            frames: self.frames_per_clip,
            size: None,
            ignore_index: map.ignore_index.map(u32::from),
        };
        let how = Reading { channels: self.channels, orientation: self.orientation };
        let is_video = self.frames_per_clip > 1 || videos.len() > 1;
        Ok(Box::new(Opened { videos, clips, map, info, how, is_video }))
    }
}

struct Opened {
    videos: Vec<Video>,
    clips: Vec<Clip>,
    map: ClassMap,
    info: DataInfo,
    how: Reading,
    is_video: bool,
}

impl Opened {
    fn clip(&self, index: usize) -> Option<(&Video, &Clip, &[Pair])> {
        let clip = self.clips.get(index)?;
        let video = self.videos.get(clip.video)?;
        Some((video, clip, video.frames.get(clip.start..clip.start + clip.len)?))
    }

    fn frame(&self, pair: &Pair) -> Result<(Image, Map)> {
        let image = decode::read(&pair.image, self.how)?;
        let map = self.map.read(&pair.mask)?;
        if (map.width, map.height) != (image.width, image.height) {
            return Err(Error::new(
                "PL0308",
                format!(
                    "the mask {} has {}x{} pixels, its image {} has {}x{}",
                    pair.mask.display(),
                    map.width,
                    map.height,
                    pair.image.display(),
                    image.width,
                    image.height
                ),
            )
            .hint("a mask has one pixel for each pixel of its image; sizes are width x height"));
        }
        Ok((image, map))
    }
}

impl Samples for Opened {
    fn len(&self) -> usize {
        self.clips.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        let (video, clip, pairs) = self.clip(index).ok_or_else(|| no_sample(index, self.len()))?;
        let mut row = Row::new(SampleId { index: index as u64, key: self.key(index).into() }, Vec::new());
        row.video = self.is_video.then(|| Arc::from(video.title.as_str()));
        for (i, pair) in pairs.iter().enumerate() {
            let (image, map) = self.frame(pair)?;
            row.frames.push(Frame { number: (clip.start + i) as u32, image });
            row.maps.push(Map { frame: i as u32, ..map });
        }
        Ok(row)
    }
    fn info(&self) -> DataInfo {
        self.info.clone()
    }
    fn stratum(&self, index: usize) -> Option<u32> {
        self.clips.get(index).filter(|_| self.is_video).map(|clip| clip.video as u32)
    }
    fn key(&self, index: usize) -> String {
        match self.clip(index) {
            Some((_, _, [one])) => one.image.display().to_string(),
            Some((_, _, [first, rest @ ..])) => format!("{} and {} more", first.image.display(), rest.len()),
            _ => index.to_string(),
        }
    }
}
