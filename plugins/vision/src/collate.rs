//! Turns the frames of rows into one tensor, and tells which sample does not fit the others.

use pleach_core::image::Image;
use pleach_core::{Batch, CollateCx, Error, Result, Row, Tensor};

/// The frames of all rows: (N, C, H, W) for still images, (N, F, C, H, W) for clips.
///
/// 8- and 16-bit samples are scaled so that white is 1, floats are taken as they are: the same numbers
/// as [`Image::to_planes`], in one pass. What rows have outstanding is looked up in the same pass.
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
    let mut all = Vec::with_capacity(rows.len() * frames * plane);
    for row in rows {
        row.frames.iter().for_each(|frame| frame.image.append_looked_up(row.outstanding.as_deref(), &mut all));
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
