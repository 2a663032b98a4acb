//! Turns the frames of rows into one tensor, and tells which sample does not fit the others.

use pleach_core::image::{Image, Pixels};
use pleach_core::{Batch, CollateCx, Error, Result, Row, Tensor};

/// The frames of all rows: (N, C, H, W) for still images, (N, F, C, H, W) for clips.
///
/// 8- and 16-bit samples are scaled so that white is 1, floats are taken as they are: the same numbers
/// as [`Image::to_planes`], in one pass.
///
/// # Errors
/// PL0320 where sizes, channels or numbers of frames differ between the rows or from the data's
/// description, with the samples' keys.
pub fn images(rows: &[Row], cx: &CollateCx<'_>) -> Result<Tensor> {
    let none = || Error::new("PL0320", "a batch needs at least one sample with an image");
    let first = rows.first().ok_or_else(none)?;
    let image = &first.frames.first().ok_or_else(none)?.image;
    let (frames, shape) = (first.frames.len(), [image.channels, image.height, image.width]);
    if cx.data.channels != 0 && cx.data.channels != image.channels {
        return Err(Error::new(
            "PL0320",
            format!("sample `{}` has {} channels, the data have {}", first.id.key, image.channels, cx.data.channels),
        )
        .hint("the model is made for the channels of the training data"));
    }
    for row in rows {
        fits(row, first, image)?;
    }
    let plane: usize = shape.iter().product();
    let mut all = vec![0f32; rows.len() * frames * plane];
    let images = rows.iter().flat_map(|row| &row.frames).map(|frame| &frame.image);
    for (image, out) in images.zip(all.chunks_exact_mut(plane.max(1))) {
        planes_into(image, out);
    }
    let mut dims = vec![rows.len()];
    if frames > 1 || cx.data.frames > 1 {
        dims.push(frames);
    }
    dims.extend(shape);
    Ok(Tensor::from_vec(all, dims, cx.device)?.to_dtype(cx.dtype)?)
}

/// Whether the rows have something to learn from: all of them, or none (as where there is only something to predict).
///
/// # Errors
/// PL0321 with the first sample that lacks `what` while others have it.
pub fn all_or_none(rows: &[Row], what: &str, has: impl Fn(&Row) -> bool) -> Result<bool> {
    let Some(with) = rows.iter().find(|row| has(row)) else { return Ok(false) };
    match rows.iter().find(|row| !has(row)) {
        None => Ok(true),
        Some(without) => Err(Error::new(
            "PL0321",
            format!("sample `{}` has no {what}, sample `{}` of the same batch has", without.id.key, with.id.key),
        )),
    }
}

/// Refuses a row that cannot stand in a batch with the first.
fn fits(row: &Row, first: &Row, like: &Image) -> Result<()> {
    let (key, other) = (&row.id.key, &first.id.key);
    if row.frames.len() != first.frames.len() {
        return Err(Error::new(
            "PL0320",
            format!("sample `{key}` has {} frames, sample `{other}` {}", row.frames.len(), first.frames.len()),
        )
        .hint("clips of one batch need the same number of frames"));
    }
    for image in row.frames.iter().map(|frame| &frame.image) {
        if (image.width, image.height) != (like.width, like.height) {
            return Err(Error::new(
                "PL0320",
                format!(
                    "sample `{key}` is {}x{}, sample `{other}` {}x{}: images of one batch need the same size",
                    image.width, image.height, like.width, like.height
                ),
            )
            .hint("add a Resize to the split's `augment`, or set `batch_size = 1`"));
        }
        if image.channels != like.channels {
            return Err(Error::new(
                "PL0320",
                format!(
                    "sample `{key}` has {} channels, sample `{other}` {}: images of one batch need the same number",
                    image.channels, like.channels
                ),
            ));
        }
        if image.pixels.len() != image.width * image.height * image.channels {
            return Err(Error::new("PL0320", format!("the image of sample `{key}` does not hold all its pixels")));
        }
    }
    Ok(())
}

/// Writes the planes (CHW) of an image, white scaled to 1.
fn planes_into(image: &Image, out: &mut [f32]) {
    let scale = 1.0 / image.pixels.white();
    match &image.pixels {
        Pixels::U8(v) => spread(v, image.channels, out, |x| f32::from(x) * scale),
        Pixels::U16(v) => spread(v, image.channels, out, |x| f32::from(x) * scale),
        Pixels::F32(v) => spread(v, image.channels, out, |x| x),
    }
}

/// Takes interleaved samples apart into planes.
fn spread<T: Copy>(samples: &[T], channels: usize, out: &mut [f32], value: impl Fn(T) -> f32) {
    let n = out.len() / channels.max(1);
    match channels {
        1 => out.iter_mut().zip(samples).for_each(|(o, &x)| *o = value(x)),
        // Colour images are nearly all there is, and one pass over them is twice as fast as three.
        3 => {
            let (red, rest) = out.split_at_mut(n);
            let (green, blue) = rest.split_at_mut(n);
            let planes = red.iter_mut().zip(green).zip(blue);
            for (&[r, g, b], ((red, green), blue)) in samples.as_chunks::<3>().0.iter().zip(planes) {
                (*red, *green, *blue) = (value(r), value(g), value(b));
            }
        }
        _ => {
            for (c, plane) in out.chunks_exact_mut(n.max(1)).enumerate() {
                let source = samples.iter().skip(c).step_by(channels);
                plane.iter_mut().zip(source).for_each(|(o, &x)| *o = value(x));
            }
        }
    }
}

/// Refuses to learn from a batch without targets.
///
/// # Errors
/// PL0321 with a sample that lacks `what`.
pub(crate) fn learnable(batch: &Batch, what: &str) -> Result<()> {
    match batch.rows.first() {
        Some(row) if batch.targets.is_empty() => {
            Err(Error::new("PL0321", format!("sample `{}` has no {what} to learn from", row.id.key)))
        }
        _ => Ok(()),
    }
}
