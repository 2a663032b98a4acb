//! Matches images with masks by their names, and cuts folders of frames into clips.

use crate::files;
use pleach_core::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A folder of images or of masks.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The folder.
    pub root: &'a Path,
    /// What its files' names have before their extensions and their partners' have not.
    pub suffix: &'a str,
}

/// An image and its mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The folder in which both lie, below their roots.
    pub folder: String,
    /// The image file.
    pub image: PathBuf,
    /// The mask file.
    pub mask: PathBuf,
}

/// The pairs of one folder, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    /// What a person calls it: its path below the root.
    pub title: String,
    /// Its frames.
    pub frames: Vec<Pair>,
}

/// Consecutive frames of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clip {
    /// Index of the video.
    pub video: usize,
    /// Its first frame.
    pub start: usize,
    /// Its number of frames.
    pub len: usize,
}

/// Each image with its mask, in the order of their names.
///
/// # Errors
/// `PL0304` or `PL0305`: a folder is missing or empty. `PL0307`: a file has no partner, or two files have one name.
pub fn match_up(images: Side<'_>, masks: Side<'_>, extensions: &[String]) -> Result<Vec<Pair>> {
    let found = by_name(images, masks, extensions)?;
    let mut partners = by_name(masks, images, extensions)?;
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    for (name, image) in found {
        match partners.remove(&name) {
            Some(mask) => {
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
                pairs.push(Pair { folder, image, mask });
            }
            None => alone.push(image),
        }
    }
    none_alone(&alone, "mask", masks.root)?;
    none_alone(&partners.into_values().collect::<Vec<_>>(), "image", images.root)?;
    Ok(pairs)
}

fn by_name(side: Side<'_>, other: Side<'_>, extensions: &[String]) -> Result<BTreeMap<String, PathBuf>> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in files::list(side.root, extensions)? {
        let stem = files::stem(&path, side.root);
        // In a folder that both share, a file that ends in the other, longer suffix is of the other sort.
        let longer = side.root == other.root && other.suffix.len() > side.suffix.len();
        let is_other = longer && stem.ends_with(other.suffix);
        let Some(name) = stem.strip_suffix(side.suffix).filter(|_| !is_other) else { continue };
        if let Some(twin) = found.insert(name.to_owned(), path.clone()) {
            let message = format!("{} and {} have the same name", twin.display(), path.display());
            return Err(Error::new("PL0307", message).hint("choose one sort of file by `extensions`"));
        }
    }
    if found.is_empty() {
        let message = format!("no file in {} has a name that ends in `{}`", side.root.display(), side.suffix);
        return Err(Error::new("PL0305", message));
    }
    Ok(found)
}

fn none_alone(alone: &[PathBuf], what: &str, root: &Path) -> Result<()> {
    let Some(first) = alone.first() else { return Ok(()) };
    let more = match alone.len() - 1 {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    Err(Error::new("PL0307", format!("{} has no {what} in {}{more}", first.display(), root.display()))
        .hint("names must be alike up to extension and suffix: see `image_suffix` and `mask_suffix`"))
}

/// The pairs of each folder.
pub fn videos(pairs: &[Pair]) -> Vec<Video> {
    let mut folders: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
    for pair in pairs {
        folders.entry(&pair.folder).or_default().push(pair.clone());
    }
    let title = |folder: &str, frames: &[Pair]| {
        let parent = frames.first().and_then(|f| f.image.parent()).and_then(Path::file_name);
        if folder.is_empty() { parent.unwrap_or_default().to_string_lossy().into_owned() } else { folder.to_owned() }
    };
    folders.into_iter().map(|(folder, frames)| Video { title: title(folder, &frames), frames }).collect()
}

/// All clips of `len` frames, each beginning `stride` frames after the one before; none crosses from video to video.
pub fn clips(videos: &[Video], len: usize, stride: usize) -> Vec<Clip> {
    let of = |(video, v): (usize, &Video)| {
        let starts = (v.frames.len() + 1).saturating_sub(len);
        (0..starts).step_by(stride.max(1)).map(move |start| Clip { video, start, len })
    };
    videos.iter().enumerate().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_stay_within_their_video() {
        let pair = |folder: &str, i: usize| Pair {
            folder: folder.into(),
            image: format!("images/{folder}/{i}.png").into(),
            mask: "mask.png".into(),
        };
        let pairs: Vec<_> = (0..5).map(|i| pair("a", i)).chain((0..2).map(|i| pair("b", i))).collect();
        let videos = videos(&pairs);
        assert_eq!(videos.iter().map(|v| (v.title.as_str(), v.frames.len())).collect::<Vec<_>>(), [("a", 5), ("b", 2)]);
        let starts = |len, stride| clips(&videos, len, stride).iter().map(|c| (c.video, c.start)).collect::<Vec<_>>();
        assert_eq!(starts(3, 1), [(0, 0), (0, 1), (0, 2)]);
        assert_eq!(starts(2, 2), [(0, 0), (0, 2), (1, 0)]);
        assert_eq!(starts(1, 1).len(), 7);
        assert!(starts(6, 1).is_empty());
    }
}
