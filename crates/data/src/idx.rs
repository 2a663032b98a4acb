//! Reads IDX, the format of MNIST: a header of four to twenty bytes, then the numbers.

use flate2::read::MultiGzDecoder;
use pleach_core::image::{Image, Pixels};
use pleach_core::{DataInfo, Error, Frame, Result, Row, SampleId, Samples};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::files::cause;

/// Data of more bytes than this do not belong in memory.
const MAX_BYTES: usize = 8 << 30;

/// An array of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// Its extents, the slowest first.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub bytes: Vec<u8>,
}

/// Reads an IDX file, plain or compressed by gzip (told by its first bytes, not by its name).
///
/// # Errors
/// `PL0310` with the path: it cannot be read, is no IDX of unsigned bytes, or is not as long as its header says.
pub fn read(path: &Path) -> Result<Array> {
    let file = File::open(path).map_err(|e| broken(path, cause(&e)))?;
    let mut plain = BufReader::new(file);
    let is_gzip = std::io::BufRead::fill_buf(&mut plain).map_err(|e| broken(path, cause(&e)))?.starts_with(&[31, 139]);
    if is_gzip { parse(MultiGzDecoder::new(plain), path) } else { parse(plain, path) }
}

/// Reads an IDX array; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub fn parse(mut from: impl Read, path: &Path) -> Result<Array> {
    let mut word = || -> Result<[u8; 4]> {
        let mut four = [0; 4];
        from.read_exact(&mut four).map_err(|e| broken(path, format!("its header is cut short ({e})")))?;
        Ok(four)
    };
    let [zero, also_zero, kind, axes] = word()?;
    if (zero, also_zero) != (0, 0) || axes == 0 || axes > 4 {
        return Err(broken(path, "it does not begin as an IDX file of one to four axes".into()));
    }
    if kind != 8 {
        return Err(broken(path, format!("its numbers are of the type {kind:#04x}; unsigned bytes (0x08) are read")));
    }
    let shape = (0..axes).map(|_| Ok(u32::from_be_bytes(word()?) as usize)).collect::<Result<Vec<_>>>()?;
    let size = shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent)).filter(|&n| n <= MAX_BYTES);
    let size = size.ok_or_else(|| broken(path, format!("its header speaks of {shape:?} bytes: too many")))?;
    // The header is not believed before the bytes are there: memory grows with what is read.
    let mut bytes = Vec::new();
    from.take(size as u64 + 1).read_to_end(&mut bytes).map_err(|e| broken(path, e.to_string()))?;
    if bytes.len() != size {
        let how = if bytes.len() < size { "fewer" } else { "more" };
        return Err(broken(path, format!("it has {how} than the {size} bytes of which its header speaks")));
    }
    Ok(Array { shape, bytes })
}

fn broken(path: &Path, why: String) -> Error {
    Error::new("PL0310", format!("{} cannot be read as IDX: {why}", path.display()))
}

/// Images of one size with a class each, held in memory.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    pixels: Vec<u8>,
    labels: Vec<u8>,
    /// Height, width, channels.
    shape: [usize; 3],
    classes: Vec<String>,
    prefix: String,
}

impl Packed {
    /// Images of the shape (number, height, width) or (number, height, width, channels) with their labels;
    /// `classes` may be empty: then they are called 0, 1 and so on up to the greatest label. Samples
    /// are called `prefix/number`.
    ///
    /// # Errors
    /// `PL0310`: the shapes do not fit together. `PL0309`: a label has no class.
    pub fn new(images: Array, labels: Array, classes: &[String], prefix: &str) -> Result<Self> {
        let wrong = |why: String| Err(Error::new("PL0310", format!("{prefix}: {why}")));
        let (n, shape) = match *images.shape.as_slice() {
            [n, height, width] => (n, [height, width, 1]),
            [n, height, width, channels] => (n, [height, width, channels]),
            _ => return wrong(format!("images have three or four axes, not {:?}", images.shape)),
        };
        if labels.shape != [n] {
            return wrong(format!("there are {n} images, but labels of the shape {:?}", labels.shape));
        }
        if n > 0 && shape.contains(&0) {
            return wrong(format!("images of the shape {shape:?} have no pixels"));
        }
        let count = labels.bytes.iter().max().map_or(0, |&m| usize::from(m) + 1);
        let classes = if classes.is_empty() { (0..count).map(|c| c.to_string()).collect() } else { classes.to_vec() };
        if let Some(i) = labels.bytes.iter().position(|&l| usize::from(l) >= classes.len()) {
            let label = labels.bytes[i];
            let known = classes.len();
            return Err(Error::new(
                "PL0309",
                format!("{prefix}: sample {i} has the class {label}, of {known} classes"),
            )
            .hint("classes are counted from 0; list all of them in `classes`"));
        }
        Ok(Self { pixels: images.bytes, labels: labels.bytes, shape, classes, prefix: prefix.to_owned() })
    }

    /// The label of every sample.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    fn image(&self, index: usize) -> Option<Image> {
        let [height, width, channels] = self.shape;
        let size = height * width * channels;
        let start = index.checked_mul(size)?;
        let pixels = self.pixels.get(start..start.checked_add(size)?)?;
        Image::new(width, height, channels, Pixels::U8(pixels.to_vec())).ok()
    }
}

impl Samples for Packed {
    fn len(&self) -> usize {
        self.labels.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        let (Some(image), Some(&label)) = (self.image(index), self.labels.get(index)) else {
            return Err(crate::sources::no_sample(index, self.len()));
        };
        let id = SampleId { index: index as u64, key: self.key(index).into() };
        let mut row = Row::new(id, vec![Frame { number: 0, image }]);
        row.labels.class = Some(u32::from(label));
        Ok(row)
    }
    fn info(&self) -> DataInfo {
        let [height, width, channels] = self.shape;
        DataInfo { classes: self.classes.clone(), channels, frames: 1, size: Some((height, width)), ignore_index: None }
    }
    fn stratum(&self, index: usize) -> Option<u32> {
        self.labels.get(index).map(|&l| u32::from(l))
    }
    fn key(&self, index: usize) -> String {
        format!("{}/{index}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse_bytes(bytes: &[u8]) -> Result<Array> {
        parse(bytes, Path::new("some.idx"))
    }

    #[test]
    fn an_array_is_read_as_it_was_written() {
        let array = parse_bytes(&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(array, Array { shape: vec![2, 3], bytes: vec![1, 2, 3, 4, 5, 6] });
    }

    #[test]
    fn files_shorter_or_longer_than_they_say_are_refused() {
        for (bytes, why) in [
            (&[0, 0, 8, 1, 0, 0, 0, 3, 1, 2][..], "fewer"),
            (&[0, 0, 8, 1, 0, 0, 0, 1, 1, 2], "more"),
            (&[0, 0, 8, 1, 0, 0], "header"),
            (&[0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0], "type"),
            (&[0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255], "too many"),
            (b"not an idx", "does not begin"),
        ] {
            let error = parse_bytes(bytes).unwrap_err();
            assert_eq!(error.code(), "PL0310");
            assert!(error.to_string().contains(why) && error.to_string().contains("some.idx"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_bytes(&bytes);
            let _ = parse(MultiGzDecoder::new(&bytes[..]), Path::new("some.gz"));
        }
    }
}
