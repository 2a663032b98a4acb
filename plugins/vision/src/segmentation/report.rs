//! Turns predicted maps into shares and into images that a person can look at.

use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::task::Report;
use pleach_core::{DataInfo, Error, Map, Named, Result, Row};

/// Shares of the classes as columns; each map as class ids and as colours over its frame.
///
/// # Errors
/// PL0231 where there is no map.
pub fn report(predicted: &Row, original: &Row, data: &DataInfo) -> Result<Report> {
    if predicted.maps.is_empty() {
        return Err(Error::new("PL0231", format!("no map was predicted for sample `{}`", predicted.id.key)));
    }
    let mut counts = vec![0u64; data.classes.len()];
    for &class in predicted.maps.iter().flat_map(|map| &map.classes) {
        if let Some(count) = counts.get_mut(usize::from(class)) {
            *count += 1;
        }
    }
    let total: usize = predicted.maps.iter().map(|map| map.classes.len()).sum();
    let share = |&count: &u64| format!("{:.6}", count as f64 / total.max(1) as f64);
    let columns = data.classes.iter().zip(&counts).map(|(name, n)| (format!("share_{name}"), share(n))).collect();
    let mut images = Named::new();
    for map in &predicted.maps {
        let ending = if predicted.maps.len() > 1 { format!("_{}", map.frame) } else { String::new() };
        let frame = original.frames.get(map.frame as usize).map(|frame| &frame.image);
        let (width, height) = frame.map_or((map.width, map.height), |image| (image.width, image.height));
        let classes = resized(map, width, height);
        let pixels = match classes.iter().map(|&c| u8::try_from(c)).collect() {
            Ok(bytes) => Pixels::U8(bytes),
            Err(_) => Pixels::U16(classes.clone()),
        };
        images.insert(format!("mask{ending}"), Image::new(width, height, 1, pixels)?);
        if let Some(image) = frame {
            images.insert(format!("overlay{ending}"), overlay(image, &classes)?);
        }
    }
    Ok(Report { columns, images })
}

/// The classes at another size: each pixel that of the nearest centre.
fn resized(map: &Map, width: usize, height: usize) -> Vec<u16> {
    if (width, height) == (map.width, map.height) {
        return map.classes.clone();
    }
    let nearest = |i: usize, to: usize, from: usize| ((2 * i + 1) * from / (2 * to)).min(from.saturating_sub(1));
    let columns: Vec<usize> = (0..width).map(|x| nearest(x, width, map.width)).collect();
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height {
        let line = map.classes.chunks_exact(map.width.max(1)).nth(nearest(y, height, map.height)).unwrap_or_default();
        out.extend(columns.iter().map(|&x| line.get(x).copied().unwrap_or_default()));
    }
    out
}

/// The classes' colours, half transparent over the image; class 0 stays as it is.
fn overlay(image: &Image, classes: &[u16]) -> Result<Image> {
    let c = image.channels;
    let white = 255.0 / image.pixels.white();
    let samples = image.to_f32();
    let mut out = Vec::with_capacity(classes.len() * 3);
    for (pixel, &class) in samples.chunks_exact(c.max(1)).zip(classes) {
        let at = |i: usize| (pixel.get(i).copied().unwrap_or_default() * white).round() as u8;
        let own = if c >= 3 { [at(0), at(1), at(2)] } else { [at(0); 3] };
        let over = colour(class);
        for (own, over) in own.into_iter().zip(over) {
            out.push(if class == 0 { own } else { own.midpoint(over) });
        }
    }
    Image::new(image.width, image.height, 3, Pixels::U8(out))
}

/// The colour of a class in the palette of the Pascal VOC challenge, which spreads the bits of the
/// index over the channels: 0 black, 1 dark red, 2 dark green, 3 olive ...
fn colour(class: u16) -> [u8; 3] {
    let (mut rgb, mut rest) = ([0; 3], class);
    for bit in (0..8).rev() {
        for (i, channel) in rgb.iter_mut().enumerate() {
            *channel |= u8::from(rest >> i & 1 == 1) << bit;
        }
        rest >>= 3;
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_is_that_of_pascal_voc() {
        let first = [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]];
        assert_eq!([0, 1, 2, 3, 4].map(colour), first);
        assert_eq!((colour(8), colour(20), colour(255)), ([64, 0, 0], [0, 64, 128], [224, 224, 192]));
    }

    #[test]
    fn a_map_grows_and_shrinks_by_the_nearest_centre() {
        let map = Map { frame: 0, width: 2, height: 2, classes: vec![1, 2, 3, 4], scores: vec![] };
        assert_eq!(resized(&map, 4, 2), [1, 1, 2, 2, 3, 3, 4, 4]);
        let line = Map { frame: 0, width: 5, height: 1, classes: vec![0, 1, 2, 3, 4], scores: vec![] };
        assert_eq!(resized(&line, 3, 1), [0, 2, 4]);
        assert_eq!(resized(&line, 1, 2), [2, 2]);
    }
}
