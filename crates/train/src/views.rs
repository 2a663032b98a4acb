//! Test-time augmentation: a sample is looked at in several ways, and what is predicted is brought back and made one.

mod average;
mod unite;

use crate::evaluate::collate;
use average::Mean;
use pleach_core::kinds::augmentation::{At, AugmentConfig, Pipeline, Trail, View};
use pleach_core::kinds::task::Unite;
use pleach_core::{Backend, Batch, Cx, DataInfo, Decoder, Error, Named, Net, Params, Result, Row, Task, Tensor};
use unite::Part;

/// Which views are taken, and what is done to a sample before and after.
pub struct Views<'a> {
    seed: u64,
    views: Vec<View<'a>>,
    /// What a split does to every sample, from the first step on that leaves no levels of light.
    rest: Vec<AugmentConfig>,
    /// How many steps come before these.
    before: usize,
}

impl<'a> Views<'a> {
    /// The views of `[trainer] tta` for samples with these augmentations; takes those that come after the views out of
    /// `augment`. None where no view is wanted.
    ///
    /// # Errors
    /// A view cannot be undone.
    pub fn new(tta: &'a [AugmentConfig], augment: &mut Vec<AugmentConfig>, seed: u64) -> Result<Option<Self>> {
        if tta.is_empty() {
            return Ok(None);
        }
        for step in tta {
            if !step.plug.undoes() || step.slot.per_frame {
                return Err(Error::new("PL0139", format!("{} cannot be undone on a prediction", step.plug.name())));
            }
        }
        let before = augment.iter().position(|a| a.plug.normalises()).unwrap_or(augment.len());
        let rest = augment.split_off(before);
        Ok(Some(Self { seed, views: View::all(tta)?, rest, before }))
    }

    /// How many views are taken of a sample, the plain one included.
    pub fn count(&self) -> usize {
        self.views.len() + 1
    }
}

/// What makes predictions.
#[derive(Clone, Copy)]
pub struct Predictor<'a> {
    /// The task.
    pub task: &'a dyn Task,
    /// The net.
    pub net: &'a dyn Net,
    /// Its parameters.
    pub params: &'a Params,
    /// What the data are.
    pub info: &'a DataInfo,
    /// The kernels seat.
    pub kernels: &'a dyn Backend,
}

/// What was predicted for a batch.
pub struct Seen {
    /// The batch of the plain samples.
    pub batch: Batch,
    /// Its outputs: means over views, where the task lets them be averaged.
    pub outputs: Option<Named<Tensor>>,
    /// The rows, where they were put together.
    pub rows: Option<Vec<Row>>,
}

/// One pass over a split.
pub struct Looker<'a> {
    views: &'a Views<'a>,
    by: Predictor<'a>,
    /// For the plain view and each other one, where rows are put together: a decoder may remember a video.
    decoders: Vec<Box<dyn Decoder>>,
}

/// A sample in a view.
struct Looked {
    sample: usize,
    row: Row,
    trail: Trail,
}

impl<'a> Looker<'a> {
    /// Begins a pass.
    pub fn new(views: &'a Views<'a>, by: Predictor<'a>) -> Self {
        Self { views, by, decoders: (0..views.count()).map(|_| by.task.decoder(by.info)).collect() }
    }

    /// Predicts samples as the steps before the views leave them.
    ///
    /// # Errors
    /// A view cannot be taken, or the net does not take it.
    pub fn look(&mut self, rows: Vec<Row>) -> Result<Seen> {
        match self.by.task.unite() {
            Unite::Rows => self.rows(rows),
            unite => self.averages(rows, unite),
        }
    }

    fn averages(&self, rows: Vec<Row>, unite: Unite) -> Result<Seen> {
        let batch = self.plain(&rows)?;
        let outputs = self.forward(&batch)?;
        let n = batch.rows.len();
        let mut mean = Mean::new(&outputs, n, unite)?;
        for view in &self.views.views {
            for group in self.taken(view, &rows)? {
                let (rows, ways): (Vec<Row>, Vec<_>) = group.into_iter().map(|l| (l.row, (l.sample, l.trail))).unzip();
                let size = rows.first().and_then(Row::size).unwrap_or_default();
                let batch = collate(self.by.task, rows, self.by.params, self.by.info)?;
                mean.add(&self.forward(&batch)?, &ways, size)?;
            }
        }
        Ok(Seen { batch, outputs: Some(mean.outputs()?), rows: None })
    }

    fn rows(&mut self, rows: Vec<Row>) -> Result<Seen> {
        let batch = self.plain(&rows)?;
        let outputs = self.forward(&batch)?;
        let plain = decode(self.decoders.first_mut(), &outputs, &batch)?;
        let mut parts: Vec<Vec<Part>> = plain.into_iter().map(|row| vec![Part::plain(row)]).collect();
        for (view, of) in self.views.views.iter().enumerate() {
            for group in self.taken(of, &rows)? {
                let (rows, ways): (Vec<Row>, Vec<_>) = group.into_iter().map(|l| (l.row, (l.sample, l.trail))).unzip();
                let batch = collate(self.by.task, rows, self.by.params, self.by.info)?;
                let outputs = self.forward(&batch)?;
                let predicted = decode(self.decoders.get_mut(view + 1), &outputs, &batch)?;
                for (row, (sample, trail)) in predicted.into_iter().zip(ways) {
                    if let Some(parts) = parts.get_mut(sample) {
                        parts.push(Part::back(row, &trail)?);
                    }
                }
            }
        }
        let rows = parts.into_iter().map(unite::rows).collect();
        Ok(Seen { batch, outputs: None, rows: Some(rows) })
    }

    fn at(&self, row: &Row) -> At {
        At { seed: self.views.seed, epoch: 0, sample: row.id.index }
    }

    fn finish(&self, row: &mut Row) -> Result<()> {
        let at = self.at(row);
        Pipeline::new(&self.views.rest, self.by.kernels).after(self.views.before).run(at, row)
    }

    fn plain(&self, rows: &[Row]) -> Result<Batch> {
        let mut rows = rows.to_vec();
        rows.iter_mut().try_for_each(|row| self.finish(row))?;
        collate(self.by.task, rows, self.by.params, self.by.info)
    }

    fn forward(&self, batch: &Batch) -> Result<Named<Tensor>> {
        self.by.net.forward(&batch.inputs, &mut Cx::eval())
    }

    /// The samples in a view, those of one size together: images of unlike sizes cannot share a batch.
    fn taken(&self, view: &View<'_>, rows: &[Row]) -> Result<Vec<Vec<Looked>>> {
        let mut groups: Vec<Vec<Looked>> = Vec::new();
        for (sample, of) in rows.iter().enumerate() {
            // The truth has no part in a prediction.
            let mut row = Row { frames: of.frames.clone(), ..Row::prediction(of) };
            let taken = view.take(self.at(of), &mut row, self.by.kernels);
            let Some(trail) = taken.map_err(|e| e.context(format!("a view of sample `{}`", of.id.key)))? else {
                continue;
            };
            self.finish(&mut row)?;
            match groups.last_mut().filter(|g| g.last().is_some_and(|l| l.row.size() == row.size())) {
                Some(group) => group.push(Looked { sample, row, trail }),
                None => groups.push(vec![Looked { sample, row, trail }]),
            }
        }
        Ok(groups)
    }
}

/// A net whose outputs are known already: means over views, for a task's objective.
pub struct Known<'a>(pub &'a Named<Tensor>);

impl Net for Known<'_> {
    fn forward(&self, _: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        Ok(self.0.clone())
    }
}

fn decode(decoder: Option<&mut Box<dyn Decoder>>, outputs: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>> {
    let rows = decoder.map_or_else(|| Ok(Vec::new()), |decoder| decoder.decode(outputs, batch))?;
    decoded(rows, batch)
}

/// As many rows as the batch has, or an error.
///
/// # Errors
/// PL0211 for any other number.
pub fn decoded(rows: Vec<Row>, batch: &Batch) -> Result<Vec<Row>> {
    if rows.len() == batch.rows.len() {
        return Ok(rows);
    }
    Err(Error::new("PL0211", format!("the task decoded {} rows of {}", rows.len(), batch.rows.len())))
}
