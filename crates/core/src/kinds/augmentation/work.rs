//! A row on its way through a pipeline: maps and tables wait until something must look at the pixels.

use super::table::Table;
use super::trail::{Trail, Unedit};
use super::view;
use crate::image::{Image, Pixels};
use crate::kinds::backend::Backend;
use crate::row::Row;
use crate::saved::Saved;
use crate::{Result, Rng, Warp};
use std::sync::Arc;

/// Where partners for mixing come from.
pub trait Partners {
    /// A sample by chance, as the steps before the mixing one leave it, and what was decided for it.
    ///
    /// # Errors
    /// It cannot be read or augmented.
    fn partner(&self, rng: &mut Rng) -> Result<(Row, Saved)>;

    /// The partner of a saved decision again.
    ///
    /// # Errors
    /// There is no such sample, or it is of another pipeline.
    fn again(&self, saved: &Saved) -> Result<Row>;
}

/// Rules of a step, whatever is done in it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rules {
    /// An instance of which less than this share stays inside a frame is dropped whole.
    pub min_visibility: f32,
    /// An instance of a smaller area in square pixels is dropped whole.
    pub min_area: f32,
    /// Whether pixels are sampled at each step.
    pub exact: bool,
}

/// A row between two augmentations.
pub struct Work<'a> {
    row: &'a mut Row,
    kernels: &'a dyn Backend,
    partners: Option<&'a dyn Partners>,
    rules: Rules,
    warp: Option<Warp>,
    table: Option<Table>,
    trail: Option<Trail>,
}

impl<'a> Work<'a> {
    /// Begins with a row. Without `partners` a sample is mixed with itself.
    pub fn new(row: &'a mut Row, kernels: &'a dyn Backend, partners: Option<&'a dyn Partners>) -> Self {
        Self { row, kernels, partners, rules: Rules::default(), warp: None, table: None, trail: None }
    }

    /// The same, with the way back noted.
    #[must_use]
    pub fn with_trail(self) -> Self {
        Self { trail: Some(Trail::default()), ..self }
    }

    /// Ends the work; the way back of a row that was begun [with](Self::with_trail) one.
    ///
    /// # Errors
    /// An outstanding map cannot be applied.
    pub fn finish(mut self) -> Result<Trail> {
        self.settled()?;
        Ok(self.trail.unwrap_or_default())
    }

    /// Notes what undoes an edit, where the way back is noted.
    pub(super) fn edited(&mut self, unedit: impl FnOnce() -> Option<Unedit>) {
        if let Some(trail) = &mut self.trail
            && let Some(unedit) = unedit()
        {
            trail.edited(unedit);
        }
    }

    /// The rules in force; `with` sets others, and returns those that were.
    pub fn rules(&mut self, with: Rules) -> Rules {
        std::mem::replace(&mut self.rules, with)
    }

    /// Says where partners come from from now on.
    pub(super) fn supply(&mut self, partners: Option<&'a dyn Partners>) {
        self.partners = partners;
    }

    /// Drops instances that are smaller than the rules allow, unless an outstanding map will do it.
    pub(super) fn drop_small(&mut self) {
        let least = f64::from(self.rules.min_area);
        if least > 0.0 && self.warp.is_none() {
            self.row.instances.retain(|i| crate::warp::extent(i).is_none_or(|area| area >= least));
        }
    }

    /// The seat of kernels.
    pub fn kernels(&self) -> &'a dyn Backend {
        self.kernels
    }

    /// Width and height that the frames will have.
    ///
    /// # Errors
    /// The row has no frames.
    pub fn size(&self) -> Result<(usize, usize)> {
        Ok(self.warp.as_ref().map_or(view(self.row)?.size, |w| w.size))
    }

    /// The row with nothing outstanding.
    ///
    /// # Errors
    /// An outstanding map cannot be applied.
    pub fn settled(&mut self) -> Result<&mut Row> {
        if let Some(warp) = self.warp.take() {
            warp.apply(self.row)?;
        }
        if let Some(table) = self.table.take() {
            self.row.frames.iter_mut().for_each(|f| table.apply(&mut f.image));
        }
        Ok(self.row)
    }

    /// As [`settled`](Self::settled), but for a table of floats, which the row keeps as
    /// [`outstanding`](Row::outstanding).
    pub(super) fn almost_settled(&mut self) -> Result<()> {
        let floats = self.table.take_if(|table| matches!(table, Table::Floats(_)));
        self.settled()?.outstanding = floats.map(Arc::new);
        Ok(())
    }

    /// The row as it is, with whatever is outstanding: for draws that look at the size of the frames alone.
    pub(super) fn raw(&self) -> &Row {
        self.row
    }

    /// Moves everything in the row, now or together with the maps that follow.
    ///
    /// # Errors
    /// The map cannot be applied.
    pub fn warp(&mut self, warp: Warp) -> Result<()> {
        let rules = self.rules;
        let warp = Warp {
            min_visibility: warp.min_visibility.max(rules.min_visibility),
            min_area: warp.min_area.max(rules.min_area),
            ..warp
        };
        let before = self.size()?;
        if let Some(trail) = &mut self.trail {
            trail.moved(&warp, before)?;
        }
        if self.table.is_some() {
            self.settled()?;
        }
        let source = view(self.row)?.size;
        match self.warp.take() {
            Some(before) if !rules.exact && before.joins(&warp, source) => self.warp = Some(before.then(&warp)),
            Some(before) => {
                before.apply(self.row)?;
                self.warp = Some(warp);
            }
            None => self.warp = Some(warp),
        }
        if rules.exact {
            self.settled()?;
        }
        Ok(())
    }

    /// Looks up every sample in a table, now or together with the tables that follow; false where a frame does
    /// not have 8 bits or the channels of the table.
    ///
    /// # Errors
    /// An outstanding map cannot be applied.
    pub fn table(&mut self, table: &Table) -> Result<bool> {
        let fits = |i: &Image| matches!(i.pixels, Pixels::U8(_)) && table.fits(i.channels);
        if matches!(self.table, Some(Table::Floats(_))) {
            self.settled()?;
        }
        if !self.row.frames.iter().all(|f| fits(&f.image)) {
            return Ok(false);
        }
        self.table = Some(match &self.table {
            Some(before) => before.then(table).unwrap_or_else(|| table.clone()),
            None => table.clone(),
        });
        if self.rules.exact {
            self.settled()?;
        }
        Ok(true)
    }

    /// A partner by chance, with what was decided for it.
    ///
    /// # Errors
    /// It cannot be read or augmented.
    pub fn partner(&mut self, rng: &mut Rng) -> Result<(Row, Saved)> {
        match self.partners {
            Some(partners) => partners.partner(rng),
            None => Ok((self.settled()?.clone(), Saved::Null)),
        }
    }

    /// The partner of a saved decision.
    ///
    /// # Errors
    /// It cannot be read or augmented.
    pub fn partner_again(&mut self, saved: &Saved) -> Result<Row> {
        match (self.partners, saved.is_null()) {
            (Some(partners), false) => partners.again(saved),
            _ => Ok(self.settled()?.clone()),
        }
    }
}
