//! What comes into a net: single images, or clips folded into the batch.

use pleach_core::{Error, ModelSpec, Named, Result, Tensor};

/// Refuses a task of clips for a model of single images.
pub fn stills_only(model: &str, spec: &ModelSpec) -> Result<()> {
    if spec.frames > 1 {
        return Err(Error::new(
            "PL0220",
            format!("{model} takes single images; the data are clips of {} frames", spec.frames),
        )
        .hint("take clips of one frame, or a model for clips"));
    }
    Ok(())
}

/// The main input as single images `[N, C, H, W]`.
pub fn still(model: &str, x: &Named<Tensor>) -> Result<Tensor> {
    let image = x.want("image")?;
    if image.rank() != 4 {
        return Err(Error::new("PL0220", format!("{model} takes images [N, C, H, W], not {:?}", image.dims()))
            .hint("clips [N, F, C, H, W] need a model for clips"));
    }
    Ok(image.clone())
}

/// The main input with the frames of clips folded into the batch, `[N F, C, H, W]`, and what undoes it.
pub fn folded(model: &str, x: &Named<Tensor>) -> Result<(Tensor, Fold)> {
    let image = x.want("image")?;
    match *image.dims() {
        [_, _, _, _] => Ok((image.clone(), Fold(None))),
        [n, f, ..] if image.rank() == 5 => Ok((image.flatten(0, 1)?, Fold(Some((n, f))))),
        _ => Err(Error::new(
            "PL0220",
            format!("{model} takes images [N, C, H, W] or clips [N, F, C, H, W], not {:?}", image.dims()),
        )),
    }
}

/// Samples and frames of the clips that were folded, if any were.
pub struct Fold(Option<(usize, usize)>);

impl Fold {
    /// `[N F, ...]` to `[N, F, ...]`.
    pub fn undo(&self, y: Tensor) -> Result<Tensor> {
        let Some((n, f)) = self.0 else { return Ok(y) };
        let rest = y.dims().get(1..).unwrap_or_default();
        Ok(y.reshape([&[n, f], rest].concat())?)
    }
}

/// Refuses images of which nothing would be left after `halvings` poolings of 2 x 2.
pub fn fits_poolings(model: &str, x: &Tensor, halvings: usize) -> Result<()> {
    let (_, _, h, w) = x.dims4()?;
    let least = 1_usize.checked_shl(halvings as u32).unwrap_or(usize::MAX);
    if h.min(w) < least {
        return Err(Error::new(
            "PL0223",
            format!(
                "{model} with {} levels needs images of at least {least} x {least}; these are {h} x {w}",
                halvings + 1
            ),
        )
        .hint("fewer `channels`, or larger images"));
    }
    Ok(())
}
