//! Augmentations: what is decided by chance for a row, and how it changes the row.

use crate::image::Image;
use crate::kinds::backend::{Backend, FusedTouch};
use crate::row::Row;
use crate::saved::{self, Saved};
use crate::{Result, Rng, Slot, Warp, config};
use serde::{Serialize, de::DeserializeOwned};

/// What a draw may depend on: the row as it stands before this augmentation.
#[derive(Debug, Clone, Copy)]
pub struct RowView<'a> {
    /// The row.
    pub row: &'a Row,
    /// Width and height of its frames.
    pub size: (usize, usize),
}

/// Changes a row. Everything random is in the draw, which is data: it can be saved and repeated.
///
/// A geometric augmentation gives a [`Warp`], which core applies to frames, maps, masks, boxes,
/// polygons and points alike; `edit` drops, pastes or mixes instances; `touch` changes pixels only.
pub trait Augmentation: std::fmt::Debug + Send + Sync + 'static {
    /// What was decided.
    type Draw: Serialize + DeserializeOwned + std::fmt::Debug + Send + 'static;

    /// Decides; `None` leaves the row as it is.
    ///
    /// # Errors
    /// The row cannot be augmented so: an image smaller than the crop, say.
    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Self::Draw>>;

    /// The geometric map of a draw, for frames of this width and height.
    fn warp(&self, _draw: &Self::Draw, _size: (usize, usize)) -> Option<Warp> {
        None
    }

    /// Changes instances, maps or labels.
    fn edit(&self, _draw: &Self::Draw, _row: &mut Row) -> Result<()> {
        Ok(())
    }

    /// Changes the pixels of one frame: the definition.
    fn touch(&self, _draw: &Self::Draw, _image: &mut Image) -> Result<()> {
        Ok(())
    }

    /// Whether [`touch`](Self::touch) does anything.
    fn touches(&self) -> bool {
        false
    }

    /// [`touch`](Self::touch) as a kernel, for the kernels seat.
    fn fused(&self, _draw: &Self::Draw) -> Option<FusedTouch> {
        None
    }

    /// How often it applies where the slot does not say `p`.
    fn default_p(&self) -> f64 {
        1.0
    }

    /// Whether draws differ from sample to sample. What is not random (a resize, a normalisation) is done in
    /// `eval` and `predict` too.
    fn is_random(&self) -> bool {
        true
    }
}

/// [`Augmentation`] with its draw as data: what a slot holds.
pub trait DynAugmentation: std::fmt::Debug + Send + Sync + 'static {
    /// Decides; the draw as data.
    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Saved>>;
    /// Applies a draw to a row.
    fn apply(&self, draw: &Saved, row: &mut Row, kernels: &dyn Backend) -> Result<()>;
    /// Draws and applies, without the way through data; returns whether anything was drawn.
    fn run(&self, rng: &mut Rng, row: &mut Row, kernels: &dyn Backend) -> Result<bool>;
    /// See [`Augmentation::default_p`].
    fn default_p(&self) -> f64;
    /// See [`Augmentation::is_random`].
    fn is_random(&self) -> bool;
}

fn view(row: &Row) -> Result<RowView<'_>> {
    let size = row.size().ok_or_else(|| crate::Error::new("PL0302", "a row without frames cannot be augmented"))?;
    Ok(RowView { row, size })
}

fn apply<A: Augmentation>(a: &A, draw: &A::Draw, row: &mut Row, kernels: &dyn Backend) -> Result<()> {
    let size = view(row)?.size;
    if let Some(warp) = a.warp(draw, size) {
        warp.apply(row)?;
    }
    a.edit(draw, row)?;
    if a.touches() {
        let fused = a.fused(draw);
        for frame in &mut row.frames {
            match &fused {
                Some(f) => match kernels.fused_touch(f, &frame.image)? {
                    Some(image) => frame.image = image,
                    None => a.touch(draw, &mut frame.image)?,
                },
                None => a.touch(draw, &mut frame.image)?,
            }
        }
    }
    Ok(())
}

impl<A: Augmentation> DynAugmentation for A {
    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Saved>> {
        Augmentation::draw(self, rng, row)?.map(|d| saved::save(&d)).transpose()
    }
    fn apply(&self, draw: &Saved, row: &mut Row, kernels: &dyn Backend) -> Result<()> {
        apply(self, &saved::load::<A::Draw>(draw)?, row, kernels)
    }
    fn run(&self, rng: &mut Rng, row: &mut Row, kernels: &dyn Backend) -> Result<bool> {
        let Some(draw) = Augmentation::draw(self, rng, &view(row)?)? else { return Ok(false) };
        apply(self, &draw, row, kernels)?;
        Ok(true)
    }
    fn default_p(&self) -> f64 {
        Augmentation::default_p(self)
    }
    fn is_random(&self) -> bool {
        Augmentation::is_random(self)
    }
}

/// Keys of an augmentation's slot.
#[config]
pub struct AugmentSlot {
    /// How often it applies, 0 to 1; each augmentation has its own default.
    #[config(range = 0.0..=1.0)]
    pub p: Option<f64>,
}

/// One of `[[dataset.train.augment]]`.
pub type AugmentConfig = Slot<dyn DynAugmentation, AugmentSlot>;

crate::kind!(DynAugmentation, "augmentation");
