//! The views of a sample that test-time augmentation takes.

use super::pipeline::At;
use super::trail::Trail;
use super::work::Work;
use super::{AugmentConfig, Backend};
use crate::error::Context;
use crate::rng::{Purpose, Stream};
use crate::row::Row;
use crate::saved::Saved;
use crate::{Result, Rng};

/// One way to look at every sample, besides the plain one.
#[derive(Debug)]
pub struct View<'a> {
    step: &'a AugmentConfig,
    place: u32,
    draw: Option<Saved>,
}

impl<'a> View<'a> {
    /// The views that a list stands for: one for each draw of an augmentation that has few of them, and otherwise one
    /// for each augmentation, whose draws are made by chance for each sample.
    ///
    /// # Errors
    /// A draw cannot be saved.
    pub fn all(list: &'a [AugmentConfig]) -> Result<Vec<Self>> {
        let mut views = Vec::new();
        for (place, step) in list.iter().enumerate() {
            let every = step.plug.every_draw()?;
            let draws = if every.is_empty() { vec![None] } else { every.into_iter().map(Some).collect() };
            views.extend(draws.into_iter().map(|draw| Self { step, place: place as u32, draw }));
        }
        Ok(views)
    }

    /// Changes a row into the view of it; the way back. It is taken always unless the file says `p` or `apply_p`, and
    /// `None` where by chance it was not, or nothing was drawn.
    ///
    /// # Errors
    /// The row cannot be augmented so, or there is no way back.
    pub fn take(&self, at: At, row: &mut Row, kernels: &dyn Backend) -> Result<Option<Trail>> {
        let stream = Stream { epoch: at.epoch, sample: at.sample, frame: 0, op: self.place };
        let mut rng = Rng::new(at.seed, Purpose::View, stream);
        if !self.step.comes(&mut rng) || !rng.chance(self.step.slot.p.unwrap_or(1.0)) {
            return Ok(None);
        }
        let mut work = Work::new(row, kernels, None).with_trail();
        let drew = match &self.draw {
            Some(draw) => self.step.again_on(draw, &mut work).map(|()| true),
            None => self.step.run_on(&mut rng, &mut work, None),
        };
        let drew = drew.context(|| self.step.plug.name())?;
        let trail = work.finish().context(|| self.step.plug.name())?;
        Ok(drew.then_some(trail))
    }
}
