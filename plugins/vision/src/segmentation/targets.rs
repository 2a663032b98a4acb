//! Turns the maps of rows into what losses compare with, and tells which pixel has no class.

use pleach_core::kinds::loss::IGNORED;
use pleach_core::{CollateCx, DataInfo, Error, Map, Result, Row, Tensor};

/// The classes of all pixels, u32 (N x F, H, W); ignored pixels are [`IGNORED`].
///
/// # Errors
/// PL0321 for missing maps, PL0324 for maps of another size than their frames, PL0323 for classes out of range.
pub fn classes(rows: &[Row], cx: &CollateCx<'_>) -> Result<Tensor> {
    let (all, [n, h, w]) = gather(rows, |row, map| {
        let bad = |c: u16| usize::from(c) >= cx.data.classes.len() && Some(u32::from(c)) != cx.data.ignore_index;
        match map.classes.iter().position(|&c| bad(c)) {
            Some(at) => Err(out_of_range(row, map, at, cx.data)),
            None => Ok(u32::from),
        }
    })?;
    let ignored = cx.data.ignore_index;
    let all = all.into_iter().map(|c| if Some(c) == ignored { IGNORED } else { c }).collect();
    Ok(Tensor::from_vec(all, (n, h, w), cx.device)?)
}

/// 1 for the pixels of class 1 and 0 for those of class 0, (N x F, 1, H, W).
///
/// # Errors
/// As [`classes`]; PL0325 for a pixel that is ignored, for which a mask has no value.
pub fn masks(rows: &[Row], cx: &CollateCx<'_>) -> Result<Tensor> {
    let (all, [n, h, w]) = gather(rows, |row, map| {
        let Some(at) = map.classes.iter().position(|&c| c > 1) else { return Ok(f32::from) };
        let class = map.classes.get(at).copied().map(u32::from);
        if class == cx.data.ignore_index {
            let text = format!("{} is ignored, which binary segmentation cannot do", place(row, map, at));
            return Err(Error::new("PL0325", text).hint("set `mode = \"multiclass\"` in [task]"));
        }
        Err(out_of_range(row, map, at, cx.data))
    })?;
    Ok(Tensor::from_vec(all, (n, 1, h, w), cx.device)?.to_dtype(cx.dtype)?)
}

/// The pixels of the one map of each frame, in the order of rows and frames, after `check` has seen the
/// map and given the conversion; with their number, height and width.
fn gather<T>(rows: &[Row], check: impl Fn(&Row, &Map) -> Result<fn(u16) -> T>) -> Result<(Vec<T>, [usize; 3])> {
    let (width, height) = rows.first().and_then(Row::size).unwrap_or_default();
    let frames: usize = rows.iter().map(|row| row.frames.len()).sum();
    let mut all = Vec::with_capacity(frames * height * width);
    for row in rows {
        for frame in 0..row.frames.len() {
            let map = one_map(row, frame)?;
            let image = [width, height, width * height];
            if [map.width, map.height, map.classes.len()] != image {
                let text = format!(
                    "the map of frame {frame} of sample `{}` is {}x{}, its image {width}x{height}",
                    row.id.key, map.width, map.height
                );
                return Err(Error::new("PL0324", text));
            }
            let convert = check(row, map)?;
            all.extend(map.classes.iter().map(|&c| convert(c)));
        }
    }
    Ok((all, [frames, height, width]))
}

fn one_map(row: &Row, frame: usize) -> Result<&Map> {
    let mut maps = row.maps.iter().filter(|map| map.frame as usize == frame);
    let key = &row.id.key;
    match (maps.next(), maps.next()) {
        (Some(map), None) => Ok(map),
        (None, _) => Err(Error::new("PL0321", format!("frame {frame} of sample `{key}` has no map"))),
        _ => Err(Error::new("PL0321", format!("frame {frame} of sample `{key}` has several maps"))),
    }
}

fn out_of_range(row: &Row, map: &Map, at: usize, data: &DataInfo) -> Error {
    let class = map.classes.get(at).copied().unwrap_or_default();
    let n = data.classes.len();
    Error::new("PL0323", format!("{} is of class {class}, but there are {n} classes", place(row, map, at)))
        .hint("classes are counted from 0; a class that counts nowhere is the source's `ignore_index`")
}

/// "pixel (x, y) of sample `key`", with the frame where there are several.
fn place(row: &Row, map: &Map, at: usize) -> String {
    let (x, y) = (at % map.width.max(1), at / map.width.max(1));
    let frame = if row.frames.len() > 1 { format!("frame {} of ", map.frame) } else { String::new() };
    format!("pixel ({x}, {y}) of {frame}sample `{}`", row.id.key)
}
