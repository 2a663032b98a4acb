//! Augmentations: what is decided by chance for a row, and how it changes the row.

mod pipeline;
mod table;
mod trail;
mod views;
mod work;

pub use pipeline::{At, Decision, Pipeline, Pool};
pub use table::Table;
pub use trail::{Trail, Unedit};
pub use views::View;
pub use work::{Partners, Rules, Work};

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

    /// Whether [`draw`](Self::draw) looks at more of a row than the size and the channels of its frames. Where it does
    /// not (as where pixels are touched, unless it says so), maps and tables of earlier augmentations may be
    /// outstanding while it draws.
    fn looks(&self) -> bool {
        !self.touches()
    }

    /// Whether [`edit`](Self::edit) does anything.
    fn edits(&self) -> bool {
        !self.touches()
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

    /// Whether [`touch`](Self::touch) takes statistics of a whole frame (its mean, its histogram). What does not may be
    /// done pixel by pixel wherever the pixels are; this stays on the host, whoever sits in the kernels seat.
    fn reduces(&self) -> bool {
        false
    }

    /// [`touch`](Self::touch) as a kernel, for the kernels seat.
    fn fused(&self, _draw: &Self::Draw) -> Option<FusedTouch> {
        None
    }

    /// [`touch`](Self::touch) of an 8-bit image of so many channels as a table, one for all channels or one for
    /// each, where it is nothing else: tables in a row, and a normalisation after them, become one pass.
    fn table(&self, _draw: &Self::Draw, _channels: usize) -> Option<Vec<[u8; 256]>> {
        None
    }

    /// As [`table`](Self::table), for a [`touch`](Self::touch) that leaves floats.
    fn floats(&self, _draw: &Self::Draw, _image: &Image) -> Result<Option<Vec<[f32; 256]>>> {
        Ok(None)
    }

    /// Whether what is predicted on a row that it has changed can be brought back to the row as it was, so that it can
    /// stand in `[trainer] tta`. By default where it takes no partners, edits nothing, and draws by the size of the
    /// frames alone (there is no truth to look at): core undoes its map.
    fn undoes(&self) -> bool {
        self.partners() == 0 && !self.edits() && !self.looks()
    }

    /// What undoes [`edit`](Self::edit) on a prediction, after which core undoes the map.
    fn unedit(&self, _draw: &Self::Draw) -> Option<Unedit> {
        None
    }

    /// All draws that change something, where they are few: each is a view of its own in `[trainer] tta`. Otherwise a
    /// view draws by chance for each sample.
    fn every_draw(&self) -> Vec<Self::Draw> {
        Vec::new()
    }

    /// Whether samples are no levels of light any more afterwards: views in `[trainer] tta` are taken before it.
    fn normalises(&self) -> bool {
        false
    }

    /// How many further samples [`mix`](Self::mix) takes.
    fn partners(&self) -> usize {
        0
    }

    /// Mixes further samples into a row; each is as the steps before this one leave it.
    fn mix(&self, _draw: &Self::Draw, _row: &mut Row, _partners: Vec<Row>) -> Result<()> {
        Ok(())
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

/// [`Augmentation`] with its draw as data: what a slot holds. What is made of other augmentations implements it itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called an augmentation, and does not implement `Augmentation`",
    label = "write `impl Augmentation for {Self}`"
)]
pub trait DynAugmentation: std::fmt::Debug + Send + Sync + 'static {
    /// Draws and applies; what was decided goes into `keep`. Returns whether anything was drawn.
    ///
    /// # Errors
    /// The row cannot be augmented so.
    fn go(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool>;
    /// Applies what was decided.
    ///
    /// # Errors
    /// The draw does not fit, or the row cannot be augmented so.
    fn again(&self, draw: &Saved, work: &mut Work<'_>) -> Result<()>;
    /// Decides; the draw as data.
    ///
    /// # Errors
    /// The row cannot be augmented so.
    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Saved>>;
    /// See [`Augmentation::default_p`].
    fn default_p(&self) -> f64 {
        1.0
    }
    /// See [`Augmentation::is_random`].
    fn is_random(&self) -> bool {
        true
    }
    /// The augmentations that it is made of, if it is.
    fn parts(&self) -> &[AugmentConfig] {
        &[]
    }
    /// See [`Augmentation::looks`]; what is made of others looks if one of them does. Maps and tables that are
    /// outstanding are applied before it, whether it is tossed to run or not, so that what is composed with what does
    /// not depend on tosses, and a repeat composes alike.
    fn looks(&self) -> bool {
        self.parts().iter().any(|a| a.plug.looks())
    }
    /// See [`Augmentation::undoes`]; what is made of others can be undone if all of them can.
    fn undoes(&self) -> bool {
        !self.parts().is_empty() && self.parts().iter().all(|a| a.plug.undoes() && !a.slot.per_frame)
    }
    /// See [`Augmentation::every_draw`].
    ///
    /// # Errors
    /// A draw cannot be saved.
    fn every_draw(&self) -> Result<Vec<Saved>> {
        Ok(Vec::new())
    }
    /// See [`Augmentation::reduces`].
    fn reduces(&self) -> bool {
        self.parts().iter().any(|a| a.plug.reduces())
    }
    /// See [`Augmentation::normalises`].
    fn normalises(&self) -> bool {
        self.parts().iter().any(|a| a.plug.normalises())
    }
    /// Applies a draw to a row.
    ///
    /// # Errors
    /// The draw does not fit, or the row cannot be augmented so.
    fn apply(&self, draw: &Saved, row: &mut Row, kernels: &dyn Backend) -> Result<()> {
        let mut work = Work::new(row, kernels, None);
        self.again(draw, &mut work)?;
        work.settled().map(drop)
    }
    /// Draws and applies, without the way through data; returns whether anything was drawn.
    ///
    /// # Errors
    /// The row cannot be augmented so.
    fn run(&self, rng: &mut Rng, row: &mut Row, kernels: &dyn Backend) -> Result<bool> {
        let mut work = Work::new(row, kernels, None);
        let drew = self.go(rng, &mut work, None)?;
        work.settled()?;
        Ok(drew)
    }
}

fn view(row: &Row) -> Result<RowView<'_>> {
    let size = row.size().ok_or_else(|| crate::Error::new("PL0302", "a row without frames cannot be augmented"))?;
    Ok(RowView { row, size })
}

/// The draw of a mixing augmentation with the decisions for its partners.
#[derive(serde::Serialize, serde::Deserialize)]
struct Mixed {
    draw: Saved,
    partners: Vec<Saved>,
}

fn apply<A: Augmentation>(a: &A, draw: &A::Draw, work: &mut Work<'_>, partners: Vec<Row>) -> Result<()> {
    if let Some(warp) = a.warp(draw, work.size()?) {
        work.warp(warp)?;
    }
    if a.edits() {
        a.edit(draw, work.settled()?)?;
        work.edited(|| a.unedit(draw));
    }
    if a.partners() > 0 {
        a.mix(draw, work.settled()?, partners)?;
    }
    if !a.touches() {
        return Ok(());
    }
    let channels = work.raw().frames.first().map_or(0, |f| f.image.channels);
    if let Some(table) = a.table(draw, channels)
        && work.table(&Table::Bytes(table))?
    {
        return Ok(());
    }
    if let Some(frame) = work.raw().frames.first()
        && let Some(table) = a.floats(draw, &frame.image)?
        && work.table(&Table::Floats(table))?
    {
        return Ok(());
    }
    let (fused, kernels) = (a.fused(draw).filter(|_| !a.reduces()), work.kernels());
    for frame in &mut work.settled()?.frames {
        match &fused {
            Some(f) => match kernels.fused_touch(f, &frame.image)? {
                Some(image) => frame.image = image,
                None => a.touch(draw, &mut frame.image)?,
            },
            None => a.touch(draw, &mut frame.image)?,
        }
    }
    Ok(())
}

impl<A: Augmentation> DynAugmentation for A {
    fn go(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        let drawn = if Augmentation::looks(self) {
            Augmentation::draw(self, rng, &view(work.settled()?)?)?
        } else {
            let size = work.size()?;
            Augmentation::draw(self, rng, &RowView { row: work.raw(), size })?
        };
        let Some(draw) = drawn else { return Ok(false) };
        let (rows, partners) = (0..self.partners()).map(|_| work.partner(rng)).collect::<Result<(Vec<_>, Vec<_>)>>()?;
        if let Some(keep) = keep {
            let saved = saved::save(&draw)?;
            *keep = Some(if partners.is_empty() { saved } else { saved::save(&Mixed { draw: saved, partners })? });
        }
        apply(self, &draw, work, rows)?;
        Ok(true)
    }
    fn again(&self, draw: &Saved, work: &mut Work<'_>) -> Result<()> {
        if self.partners() == 0 {
            return apply(self, &saved::load::<A::Draw>(draw)?, work, Vec::new());
        }
        let Mixed { draw, partners } = saved::load(draw)?;
        let rows = partners.iter().map(|p| work.partner_again(p)).collect::<Result<_>>()?;
        apply(self, &saved::load::<A::Draw>(&draw)?, work, rows)
    }
    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Saved>> {
        let draw = Augmentation::draw(self, rng, row)?.map(|d| saved::save(&d)).transpose()?;
        let alone = |draw| saved::save(&Mixed { draw, partners: vec![Saved::Null; self.partners()] });
        if self.partners() > 0 { draw.map(alone).transpose() } else { Ok(draw) }
    }
    fn default_p(&self) -> f64 {
        Augmentation::default_p(self)
    }
    fn looks(&self) -> bool {
        Augmentation::looks(self)
    }
    fn undoes(&self) -> bool {
        Augmentation::undoes(self)
    }
    fn every_draw(&self) -> Result<Vec<Saved>> {
        Augmentation::every_draw(self).iter().map(saved::save).collect()
    }
    fn reduces(&self) -> bool {
        Augmentation::reduces(self)
    }
    fn normalises(&self) -> bool {
        Augmentation::normalises(self)
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
    /// How often the step is come to at all, 0 to 1, wherever it stands: a toss of its own before that of `p`, or, where
    /// `p` is a weight (`OneOf`), after the choice. Without this key nothing is tossed.
    #[config(range = 0.0..=1.0)]
    pub apply_p: Option<f64>,
    /// Whether each frame of a clip has a draw of its own; otherwise one draw serves all frames.
    #[config(default = false)]
    pub per_frame: bool,
    /// Whether pixels are sampled in this step by itself, as the reference does; otherwise maps that follow each other
    /// are put together, and pixels are sampled once.
    #[config(default = false)]
    pub exact: bool,
    /// An instance of which less than this share stays inside the frame is dropped whole, 0 to 1.
    #[config(default = 0.0, range = 0.0..=1.0)]
    pub min_visibility: f32,
    /// An instance whose area is smaller afterwards, in square pixels, is dropped whole.
    #[config(default = 0.0, range = 0.0..)]
    pub min_area: f32,
}

/// One of `[[dataset.train.augment]]`.
pub type AugmentConfig = Slot<dyn DynAugmentation, AugmentSlot>;

crate::kind!(DynAugmentation, "augmentation");
