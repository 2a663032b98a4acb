//! A list of augmentations over one row: chances, draws, partners and frames, in order.

use super::work::{Partners, Rules, Work};
use super::{AugmentConfig, AugmentSlot};
use crate::error::Context;
use crate::kinds::backend::Backend;
use crate::rng::{Purpose, Stream};
use crate::row::{Frame, Row};
use crate::saved::{Saved, load, save};
use crate::{Error, Result, Rng};
use serde::{Deserialize, Serialize};

/// Reads samples by their index, for mixing.
pub trait Pool {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them, fresh.
    ///
    /// # Errors
    /// It cannot be read.
    fn row(&self, index: usize) -> Result<Row>;
}

/// The address of a row's random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The run's seed, or one that was drawn for a partner.
    pub seed: u64,
    /// The epoch.
    pub epoch: u32,
    /// The sample.
    pub sample: u64,
}

/// What was decided for one step: nothing, one draw, or one for each frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The step left the row alone.
    None,
    /// For all frames.
    All(Saved),
    /// For each frame.
    Frames(Vec<Option<Saved>>),
}

/// What was decided for a partner.
#[derive(Serialize, Deserialize)]
struct PartnerDecision {
    index: u64,
    steps: Vec<Decision>,
}

/// A list of augmentations, and where partners come from.
#[derive(Clone, Copy)]
pub struct Pipeline<'a> {
    steps: &'a [AugmentConfig],
    kernels: &'a dyn Backend,
    pool: Option<&'a dyn Pool>,
    first: usize,
    end: End,
}

/// How rows leave a pipeline.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Settled,
    Almost,
}

impl<'a> Pipeline<'a> {
    /// The pipeline of these steps.
    pub fn new(steps: &'a [AugmentConfig], kernels: &'a dyn Backend) -> Self {
        Self { steps, kernels, pool: None, first: 0, end: End::Settled }
    }

    /// The same with samples to mix with.
    #[must_use]
    pub fn with_pool(self, pool: &'a dyn Pool) -> Self {
        Self { pool: Some(pool), ..self }
    }

    /// The same as the end of a longer one, of which so many steps come before: its draws are those of that place.
    #[must_use]
    pub fn after(self, steps: usize) -> Self {
        Self { first: steps, ..self }
    }

    /// The same, but for the last look-ups that make floats of 8 bits: rows keep them as
    /// [`outstanding`](Row::outstanding).
    #[must_use]
    pub fn almost(self) -> Self {
        Self { end: End::Almost, ..self }
    }

    /// Draws and applies every step.
    ///
    /// # Errors
    /// A step cannot be drawn or applied; the error names it.
    pub fn run(&self, at: At, row: &mut Row) -> Result<()> {
        self.go(&mut How::Draw { at, keep: None }, row)
    }

    /// [`run`](Self::run), and what was decided for each step.
    ///
    /// # Errors
    /// As [`run`](Self::run); a draw cannot be saved.
    pub fn record(&self, at: At, row: &mut Row) -> Result<Vec<Decision>> {
        let mut kept = Vec::new();
        self.go(&mut How::Draw { at, keep: Some(&mut kept) }, row)?;
        Ok(kept)
    }

    /// Applies what was decided before.
    ///
    /// # Errors
    /// The decisions are of another pipeline, or a step cannot be applied.
    pub fn replay(&self, decisions: &[Decision], row: &mut Row) -> Result<()> {
        if decisions.len() != self.steps.len() {
            let (got, want) = (decisions.len(), self.steps.len());
            return Err(Error::new("PL0345", format!("there are decisions for {got} steps, and {want} steps"))
                .hint("were they made with another list of augmentations?"));
        }
        self.go(&mut How::Repeat(decisions), row)
    }

    fn go(&self, how: &mut How<'_>, row: &mut Row) -> Result<()> {
        row.settle();
        let mut op = 0;
        while op < self.steps.len() {
            let per_frame = self.steps[op].slot.per_frame && row.frames.len() > 1;
            let alike = |s: &&AugmentConfig| (s.slot.per_frame && row.frames.len() > 1) == per_frame;
            let end = op + self.steps[op..].iter().take_while(alike).count();
            if per_frame {
                self.each_frame(op..end, how, row)?;
            } else {
                let frame = how.keeps().then_some(0..end - op);
                let decided = self.several(op..end, 0, how, row)?;
                if frame.is_some() {
                    how.push(decided.into_iter().map(|d| d.map_or(Decision::None, Decision::All)));
                }
            }
            op = end;
        }
        Ok(())
    }

    fn each_frame(&self, steps: std::ops::Range<usize>, how: &mut How<'_>, row: &mut Row) -> Result<()> {
        let parts = split(row);
        let mut decided: Vec<Vec<Option<Saved>>> = vec![Vec::new(); steps.len()];
        let mut done = Vec::new();
        for (frame, mut part) in parts.into_iter().enumerate() {
            let all = self.several(steps.clone(), frame, how, &mut part)?;
            part.settle();
            decided.iter_mut().zip(all).for_each(|(list, one)| list.push(one));
            done.push(part);
        }
        join(row, done)?;
        if how.keeps() {
            how.push(decided.into_iter().map(Decision::Frames));
        }
        Ok(())
    }

    /// Steps over one row (or one frame of it); what was decided, where it is wanted.
    fn several(
        &self,
        steps: std::ops::Range<usize>,
        frame: usize,
        how: &How<'_>,
        row: &mut Row,
    ) -> Result<Vec<Option<Saved>>> {
        let mut decided = Vec::new();
        let partner = |op: usize| Before {
            pipeline: Self { steps: &self.steps[..op], end: End::Settled, ..*self },
            how: how.at(),
        };
        let before: Vec<Before<'_>> = steps.clone().map(partner).collect();
        let mut work = Work::new(row, self.kernels, None);
        let last = steps.end == self.steps.len();
        for (op, before) in steps.zip(&before) {
            let step = &self.steps[op];
            work.supply(self.pool.is_some().then_some(before as &dyn Partners));
            if step.plug.looks() {
                work.settled()?;
            }
            let one = match how {
                How::Draw { at, keep } => {
                    let place = (self.first + op) as u32;
                    let stream = Stream { epoch: at.epoch, sample: at.sample, frame: frame as u32, op: place };
                    let mut rng = Rng::new(at.seed, Purpose::Augment, stream);
                    let mut kept = None;
                    step.try_on(&mut rng, &mut work, keep.as_ref().map(|_| &mut kept)).map(|_| kept)
                }
                How::Repeat(all) => {
                    let given = match all.get(op) {
                        Some(Decision::All(draw)) => Some(draw),
                        Some(Decision::Frames(list)) => list.get(frame).and_then(Option::as_ref),
                        _ => None,
                    };
                    given.map_or(Ok(()), |draw| step.again_on(draw, &mut work)).map(|()| None)
                }
            };
            decided.push(one.context(|| step.plug.name())?);
        }
        match self.end {
            End::Almost if last => work.almost_settled()?,
            _ => drop(work.settled()?),
        }
        Ok(decided)
    }
}

/// Whether draws are made or given.
enum How<'h> {
    Draw { at: At, keep: Option<&'h mut Vec<Decision>> },
    Repeat(&'h [Decision]),
}

impl How<'_> {
    fn at(&self) -> Option<At> {
        match self {
            Self::Draw { at, .. } => Some(*at),
            Self::Repeat(_) => None,
        }
    }
    fn keeps(&self) -> bool {
        matches!(self, Self::Draw { keep: Some(_), .. })
    }
    fn push(&mut self, decisions: impl Iterator<Item = Decision>) {
        if let Self::Draw { keep: Some(list), .. } = self {
            list.extend(decisions);
        }
    }
}

/// Partners as the steps before a mixing one leave them.
struct Before<'a> {
    pipeline: Pipeline<'a>,
    how: Option<At>,
}

impl Before<'_> {
    fn pool(&self) -> Result<&dyn Pool> {
        self.pipeline.pool.ok_or_else(|| Error::new("PL0345", "there are no samples to mix with"))
    }
}

impl Partners for Before<'_> {
    fn partner(&self, rng: &mut Rng) -> Result<(Row, Saved)> {
        let pool = self.pool()?;
        let index = rng.below(pool.len() as u64);
        // A seed of its own: in its own place in the epoch the partner looks otherwise.
        let at = At { seed: rng.next_u64(), epoch: self.how.map_or(0, |at| at.epoch), sample: index };
        let mut row = pool.row(index as usize)?;
        let steps = self.pipeline.record(at, &mut row)?;
        Ok((row, save(&PartnerDecision { index, steps })?))
    }

    fn again(&self, saved: &Saved) -> Result<Row> {
        let PartnerDecision { index, steps } = load(saved)?;
        let pool = self.pool()?;
        if index >= pool.len() as u64 {
            return Err(Error::new("PL0345", format!("the partner with the index {index} is not there")));
        }
        let mut row = pool.row(index as usize)?;
        self.pipeline.replay(&steps, &mut row)?;
        Ok(row)
    }
}

impl AugmentSlot {
    fn rules(&self) -> Rules {
        Rules { min_visibility: self.min_visibility, min_area: self.min_area, exact: self.exact }
    }
}

/// A step of a pipeline, alone or within another augmentation.
impl AugmentConfig {
    /// How often it applies.
    pub fn p(&self) -> f64 {
        self.slot.p.unwrap_or_else(|| self.plug.default_p())
    }

    /// Whether draws or tosses make it differ from sample to sample.
    pub fn is_random(&self) -> bool {
        self.plug.is_random() || self.p() < 1.0 || self.slot.apply_p.is_some_and(|p| p < 1.0)
    }

    /// Tosses `apply_p`; only where the file has it, so that it changes no draw of files without.
    pub(super) fn comes(&self, rng: &mut Rng) -> bool {
        self.slot.apply_p.is_none_or(|p| rng.chance(p))
    }

    /// Tosses whether it applies, and draws and applies it if so; what was decided goes into `keep`.
    ///
    /// # Errors
    /// It cannot be drawn or applied.
    pub fn try_on(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        // `p` is drawn even where it is 1, so that changing it changes no other draw.
        if !self.comes(rng) || !rng.chance(self.p()) { Ok(false) } else { self.run_on(rng, work, keep) }
    }

    /// [`try_on`](Self::try_on) without the toss of `p`: it was chosen.
    ///
    /// # Errors
    /// As there.
    pub fn chosen_on(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        if self.comes(rng) { self.run_on(rng, work, keep) } else { Ok(false) }
    }

    /// Draws and applies it.
    pub(super) fn run_on(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        let before = work.rules(self.slot.rules());
        let done = self.plug.go(rng, work, keep);
        if matches!(done, Ok(true)) {
            work.drop_small();
        }
        work.rules(before);
        done
    }

    /// Applies what was decided.
    ///
    /// # Errors
    /// It cannot be applied, or the draw is another plugin's.
    pub fn again_on(&self, draw: &Saved, work: &mut Work<'_>) -> Result<()> {
        let before = work.rules(self.slot.rules());
        let done = self.plug.again(draw, work);
        if done.is_ok() {
            work.drop_small();
        }
        work.rules(before);
        done
    }
}

/// A row for each frame, with what belongs to it.
fn split(row: &mut Row) -> Vec<Row> {
    let frames = std::mem::take(&mut row.frames);
    let (mut instances, mut maps) = (std::mem::take(&mut row.instances), std::mem::take(&mut row.maps));
    let one = |(index, frame): (usize, Frame)| {
        let index = index as u32;
        let mut part = Row { frames: vec![frame], ..row.clone() };
        part.instances = instances.extract_if(.., |i| i.frame == index).collect();
        part.maps = maps.extract_if(.., |m| m.frame == index).collect();
        part.instances.iter_mut().for_each(|i| i.frame = 0);
        part.maps.iter_mut().for_each(|m| m.frame = 0);
        part
    };
    frames.into_iter().enumerate().map(one).collect()
}

/// The frames of a clip together again.
fn join(row: &mut Row, parts: Vec<Row>) -> Result<()> {
    let size = parts.first().and_then(Row::size);
    for (index, part) in parts.into_iter().enumerate() {
        if part.size() != size {
            let message = "one draw for each frame has left frames of different sizes";
            return Err(Error::new("PL0346", message).hint("crop or resize without `per_frame`"));
        }
        let index = index as u32;
        if index == 0 {
            (row.labels, row.values) = (part.labels, part.values);
        }
        row.frames.extend(part.frames);
        row.instances.extend(part.instances.into_iter().map(|mut i| {
            i.frame = index;
            i
        }));
        row.maps.extend(part.maps.into_iter().map(|mut m| {
            m.frame = index;
            m
        }));
    }
    Ok(())
}
