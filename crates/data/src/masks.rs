//! Turns mask images into maps of classes: by index, by threshold or by colour.

use crate::decode::{self, Channels, MAX_BYTES};
use crate::files;
use pleach_core::image::{Image, Pixels};
use pleach_core::{Error, Map, Result};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

/// What the values of a mask mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A value is the class.
    Index,
    /// Values from this one on are class 1, lesser ones class 0.
    Threshold(u16),
    /// A colour stands for a class.
    Colors(BTreeMap<[u8; 3], u16>),
}

/// The classes that a mask may hold, and how it holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassMap {
    /// Names of the classes by index.
    pub names: Vec<String>,
    /// What the values mean.
    pub meaning: Meaning,
    /// The class that counts nowhere; it may lie beyond the names.
    pub ignore_index: Option<u16>,
}

impl ClassMap {
    /// Reads a mask file.
    ///
    /// # Errors
    /// `PL0303`: it cannot be read. `PL0309`, with the pixel's place: a class or colour that the map does not have.
    pub fn read(&self, path: &Path) -> Result<Map> {
        files::with_bytes(path, |bytes| self.decode(bytes, path))
    }

    /// Decodes a mask; `path` is for messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn decode(&self, bytes: &[u8], path: &Path) -> Result<Map> {
        let (width, height, classes) = match &self.meaning {
            Meaning::Colors(colors) => {
                let image = decode::decode(bytes, path, Channels::Rgb)?;
                let Pixels::U8(flat) = &image.pixels else {
                    return Err(Error::new("PL0309", format!("{} is no mask of 8-bit colours", path.display())));
                };
                (image.width, image.height, self.of_colors(flat, image.width, colors, path)?)
            }
            meaning => {
                let values = stored_values(bytes, path, meaning)?;
                (values.width, values.height, self.of_values(values, path)?)
            }
        };
        Ok(Map { frame: 0, width, height, classes, scores: Vec::new() })
    }

    fn of_values(&self, values: Values, path: &Path) -> Result<Vec<u16>> {
        let Values { width, flat, .. } = values;
        let limit = self.names.len();
        if let Meaning::Threshold(least) = self.meaning {
            let class = |v: u16| if Some(v) == self.ignore_index { v } else { u16::from(v >= least) };
            return Ok(flat.into_iter().map(class).collect());
        }
        match flat.iter().position(|&v| usize::from(v) >= limit && Some(v) != self.ignore_index) {
            None => Ok(flat),
            Some(i) => {
                let ignored = self.ignore_index.map_or_else(String::new, |i| format!(", and {i} to be ignored"));
                Err(Error::new(
                    "PL0309",
                    format!("{} has the class {} at x = {}, y = {}", path.display(), flat[i], i % width, i / width),
                )
                .hint(format!("`classes` has {limit} names, for classes counted from 0{ignored}")))
            }
        }
    }

    fn of_colors(&self, flat: &[u8], width: usize, colors: &BTreeMap<[u8; 3], u16>, path: &Path) -> Result<Vec<u16>> {
        let (pixels, _) = flat.as_chunks::<3>();
        let mut classes = Vec::with_capacity(pixels.len());
        // Neighbours are mostly alike.
        let mut last = None;
        for (i, &color) in pixels.iter().enumerate() {
            let class = match last {
                Some((same, class)) if same == color => class,
                _ => *colors.get(&color).ok_or_else(|| {
                    let place = format!("x = {}, y = {}", i % width, i / width);
                    Error::new("PL0309", format!("{} has the colour {color:?} at {place}", path.display()))
                        .hint("`colors` names no class of this colour; a colour that counts nowhere is `ignore_color`")
                })?,
            };
            last = Some((color, class));
            classes.push(class);
        }
        Ok(classes)
    }
}

struct Values {
    width: usize,
    height: usize,
    flat: Vec<u16>,
}

/// The numbers as they are stored: of a palette image the indices, of a PNG with 1, 2 or 4 bits the
/// bits unstretched. Colours that are all gray count as gray; a threshold takes the luma of any.
fn stored_values(bytes: &[u8], path: &Path, meaning: &Meaning) -> Result<Values> {
    if let Some(values) = indexed_png(bytes, path)? {
        return Ok(values);
    }
    let mut image = decode::decode(bytes, path, Channels::AsIs)?;
    if image.channels >= 3 {
        if *meaning == Meaning::Index && !is_gray(&image) {
            return Err(Error::new(
                "PL0309",
                format!("{} is a colour image, not a mask of class numbers", path.display()),
            )
            .hint("give the colour of each class in `colors`"));
        }
        image = decode::convert(image, Channels::Gray)?;
    }
    let step = image.channels;
    let flat = match image.pixels {
        Pixels::U8(v) => v.into_iter().step_by(step).map(u16::from).collect(),
        Pixels::U16(v) => v.into_iter().step_by(step).collect(),
        Pixels::F32(_) => return Err(decode::unreadable(path, "a mask of floating-point numbers has no classes")),
    };
    Ok(Values { width: image.width, height: image.height, flat })
}

fn is_gray(image: &Image) -> bool {
    fn alike<T: PartialEq>(flat: &[T], channels: usize) -> bool {
        flat.chunks_exact(channels).all(|px| matches!(px, [r, g, b, ..] if r == g && g == b))
    }
    match &image.pixels {
        Pixels::U8(v) => alike(v, image.channels),
        Pixels::U16(v) => alike(v, image.channels),
        Pixels::F32(v) => alike(v, image.channels),
    }
}

/// The stored numbers of a PNG of at most 8 bits with a palette or of gray; none for any other file.
fn indexed_png(bytes: &[u8], path: &Path) -> Result<Option<Values>> {
    if !bytes.starts_with(b"\x89PNG") {
        return Ok(None);
    }
    let fail = |e: png::DecodingError| decode::unreadable(path, e);
    let limits = png::Limits { bytes: MAX_BYTES as usize };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(fail)?;
    let info = reader.info();
    let (width, height, depth) = (info.width as usize, info.height as usize, info.bit_depth as usize);
    let plain = matches!(info.color_type, png::ColorType::Indexed | png::ColorType::Grayscale);
    if !plain || depth > 8 {
        return Ok(None);
    }
    let size = reader.output_buffer_size().filter(|&n| n as u64 <= MAX_BYTES);
    let size = size.ok_or_else(|| decode::unreadable(path, "it takes more than 1 GiB"))?;
    let mut packed = vec![0; size];
    reader.next_frame(&mut packed).map_err(fail)?;
    let mask = (1u16 << depth) - 1;
    let line = (width * depth).div_ceil(8);
    let mut flat = Vec::with_capacity(width * height);
    for row in packed.chunks_exact(line.max(1)).take(height) {
        let bits =
            row.iter().flat_map(|&byte| (0..8 / depth).rev().map(move |k| u16::from(byte) >> (k * depth) & mask));
        flat.extend(bits.take(width));
    }
    Ok(Some(Values { width, height, flat }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: usize, ignore_index: Option<u16>) -> ClassMap {
        let names = (0..names).map(|i| i.to_string()).collect();
        ClassMap { names, meaning: Meaning::Index, ignore_index }
    }

    fn png_of(width: u32, height: u32, color: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == png::ColorType::Indexed {
            encoder.set_palette(vec![0, 0, 0, 128, 0, 0, 0, 128, 0, 9, 9, 9]);
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        out
    }

    #[test]
    fn a_palette_image_holds_indices_whatever_its_colours() {
        let bytes = png_of(3, 2, png::ColorType::Indexed, png::BitDepth::Eight, &[0, 1, 2, 3, 2, 1]);
        let map = index(4, None).decode(&bytes, Path::new("m.png")).unwrap();
        assert_eq!((map.width, map.height, map.classes), (3, 2, vec![0, 1, 2, 3, 2, 1]));
        let bytes = png_of(3, 2, png::ColorType::Indexed, png::BitDepth::Two, &[0b0001_1000, 0b1110_0100]);
        assert_eq!(index(4, None).decode(&bytes, Path::new("m.png")).unwrap().classes, [0, 1, 2, 3, 2, 1]);
    }

    #[test]
    fn one_bit_masks_are_classes_0_and_1() {
        let bytes = png_of(10, 1, png::ColorType::Grayscale, png::BitDepth::One, &[0b1010_0000, 0b0100_0000]);
        let map = index(2, None).decode(&bytes, Path::new("m.png")).unwrap();
        assert_eq!(map.classes, [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn a_class_out_of_range_is_reported_with_its_place() {
        let bytes = png_of(3, 2, png::ColorType::Grayscale, png::BitDepth::Eight, &[0, 1, 255, 1, 17, 0]);
        let error = index(2, Some(255)).decode(&bytes, Path::new("folder/m.png")).unwrap_err();
        assert_eq!(error.code(), "PL0309");
        assert!(error.message().contains("folder/m.png has the class 17 at x = 1, y = 1"), "{error}");
        let map = index(18, Some(255)).decode(&bytes, Path::new("m.png")).unwrap();
        assert_eq!(map.classes, [0, 1, 255, 1, 17, 0]);
    }

    #[test]
    fn sixteen_bit_labels_become_foreground_by_a_threshold() {
        let bytes = png_of(2, 1, png::ColorType::Grayscale, png::BitDepth::Sixteen, &[0, 0, 4, 1]);
        let names = vec!["background".to_owned(), "cell".to_owned()];
        let map = ClassMap { names, meaning: Meaning::Threshold(1), ignore_index: None };
        assert_eq!(map.decode(&bytes, Path::new("m.png")).unwrap().classes, [0, 1]);
        assert_eq!(index(2000, None).decode(&bytes, Path::new("m.png")).unwrap().classes, [0, 1025]);
    }

    #[test]
    fn colours_stand_for_classes_and_an_unknown_one_is_reported() {
        let colors = BTreeMap::from([([128, 128, 128], 0), ([0, 0, 7], 1), ([0, 0, 0], 255)]);
        let map = ClassMap {
            names: vec!["sky".into(), "sea".into()],
            meaning: Meaning::Colors(colors),
            ignore_index: Some(255),
        };
        let mut data = vec![128, 128, 128, 0, 0, 7, 0, 0, 0, 128, 128, 128];
        let rgb = |data: &[u8]| png_of(2, 2, png::ColorType::Rgb, png::BitDepth::Eight, data);
        assert_eq!(map.decode(&rgb(&data), Path::new("m.png")).unwrap().classes, [0, 1, 255, 0]);
        data[9] = 5;
        let error = map.decode(&rgb(&data), Path::new("m.png")).unwrap_err();
        assert!(error.message().contains("[5, 128, 128] at x = 1, y = 1"), "{error}");
        let error = index(3, None).decode(&rgb(&data), Path::new("m.png")).unwrap_err();
        assert!(error.hint_text().unwrap().contains("colors"), "{error}");
    }
}
