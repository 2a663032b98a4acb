//! Turns an epoch into batches of rows: read, decoded and augmented on several threads, and alike for
//! any number of them.

use crate::cached::Cached;
use crate::order::{Order, Shuffle};
use crate::queue::{Bounds, Queue};
use pleach_core::error::{Class, Context};
use pleach_core::image::Pixels;
use pleach_core::kinds::augmentation::{At, AugmentConfig, Pipeline, Pool};
use pleach_core::quantity::Bytes;
use pleach_core::{Backend, Error, Plug, Result, Row, Samples, config};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Batches that are prepared while another is being used.
const PREFETCH: u64 = 2;

/// What happens when a sample cannot be read.
#[config]
#[derive(Default)]
pub enum OnError {
    /// The run ends with the error.
    #[default]
    Stop,
    /// The sample is left out, counted and reported; its batch is smaller by one.
    Skip,
}

/// `[dataloader]`: how rows become batches.
#[config]
pub struct Dataloader {
    /// Samples in a batch, on each device.
    #[config(default = 32, range = 1..)]
    pub batch_size: usize,
    /// Whether each epoch has an order of its own; by default training has, and nothing else.
    pub shuffle: Option<bool>,
    /// Whether the last batch of an epoch is left out where it is smaller than the others.
    #[config(default = false)]
    pub drop_last: bool,
    /// Threads that read, decode and augment; by default as many as there are cores. With 0 the
    /// training thread does it. Batches are the same for any number.
    #[config(range = 0..=256)]
    pub num_workers: Option<usize>,
    /// Memory that rows prepared in advance may take, such as "512 MiB"; by default as much as two
    /// batches take. One row is always prepared, however large.
    pub memory: Option<Bytes>,
    /// Memory for decoded samples that are kept from epoch to epoch, such as "2 GiB", for each split; by default none.
    /// What does not fit is read anew in each epoch. Batches are the same with and without.
    pub cache: Option<Bytes>,
    /// What happens when a sample cannot be read: "stop", or "skip" to leave it out and count it.
    #[config(default = OnError::Stop)]
    pub on_error: OnError,
}

impl Dataloader {
    /// Whether the samples of a split are shuffled, where the file does not say so: only in training.
    pub fn shuffle_for(&self, split: &str) -> Shuffle {
        if self.shuffle.unwrap_or(split == "train") { Shuffle::On } else { Shuffle::Off }
    }

    /// Batches in an epoch of `n` samples on each of `world` ranks.
    pub fn batches_per_epoch(&self, n: usize, world: usize) -> usize {
        let all = self.global_batch(world);
        if self.drop_last { n / all } else { n.div_ceil(all) }
    }

    fn global_batch(&self, world: usize) -> usize {
        self.batch_size.max(1).saturating_mul(world.max(1))
    }
}

/// A batch of rows, not yet collated.
#[derive(Debug, Clone)]
pub struct LoadedBatch {
    /// Its number in the epoch.
    pub index: usize,
    /// Its rows in order. Empty where all samples were left out, or where other ranks have the
    /// last few samples of an epoch.
    pub rows: Vec<Row>,
    /// The samples that were left out, by their keys, with the reason.
    pub skipped: Vec<(String, Error)>,
}

/// Makes the batches of a split.
#[derive(Clone)]
pub struct Loader {
    recipe: Arc<Recipe>,
    config: Dataloader,
    shuffle: Shuffle,
    rank: usize,
    world: usize,
}

impl Loader {
    /// A loader for one process; `seed` is the run's.
    pub fn new(
        samples: Arc<dyn Samples>,
        augment: Vec<AugmentConfig>,
        config: Dataloader,
        shuffle: Shuffle,
        seed: u64,
        kernels: Plug<dyn Backend>,
    ) -> Self {
        let samples = match config.cache {
            Some(Bytes(bytes)) if bytes > 0 => Arc::new(Cached::new(samples, bytes)) as Arc<dyn Samples>,
            _ => samples,
        };
        let recipe = Recipe { samples, augment, on_error: config.on_error, seed, kernels, almost: Almost::No };
        Self { recipe: Arc::new(recipe), config, shuffle, rank: 0, world: 1 }
    }

    /// The same, whose rows keep the look-ups that make floats of 8 bits as [`outstanding`](Row::outstanding), for a
    /// task that [looks them up](pleach_core::Task::looks_up) when it collates.
    #[must_use]
    pub fn almost(self) -> Self {
        let recipe = Recipe { almost: Almost::Yes, ..(*self.recipe).clone() };
        Self { recipe: Arc::new(recipe), ..self }
    }

    /// The loader of one of several ranks. Every rank has equally many batches; together, the
    /// batches of one number are one batch of `world` times the size in a single process.
    #[must_use]
    pub fn of_rank(mut self, rank: usize, world: usize) -> Self {
        self.world = world.max(1);
        self.rank = rank % self.world;
        self
    }

    /// The samples.
    pub fn samples(&self) -> &Arc<dyn Samples> {
        &self.recipe.samples
    }

    /// The configuration.
    pub fn config(&self) -> &Dataloader {
        &self.config
    }

    /// Batches in an epoch.
    pub fn batches_per_epoch(&self) -> usize {
        self.config.batches_per_epoch(self.recipe.samples.len(), self.world)
    }

    /// The batches of an epoch from the given one on. Nothing is replayed to get there: order and
    /// augmentation of a sample follow from the seed, the epoch and the sample.
    pub fn epoch(&self, epoch: u32, from_batch: usize) -> Epoch {
        let (n, batches) = (self.recipe.samples.len(), self.batches_per_epoch());
        let deal = Deal {
            batch_size: self.config.batch_size.max(1),
            rank: self.rank,
            world: self.world,
            limit: n.min(batches.saturating_mul(self.config.global_batch(self.world))),
        };
        let order = Order::new(self.recipe.seed, epoch, n, self.shuffle);
        let recipe = Arc::clone(&self.recipe);
        let work = move |job: u64| {
            let done = recipe.make(order.at(deal.position(job as usize)), epoch);
            let bytes = done.bytes();
            (done, bytes)
        };
        let workers = self.config.num_workers.unwrap_or_else(pleach_simd::threads);
        let bounds = Bounds {
            jobs: (deal.batch_size as u64).saturating_mul(PREFETCH).max(workers as u64),
            bytes: self.config.memory.map(|m| m.0),
        };
        let total = deal.rows();
        let start = from_batch.saturating_mul(deal.batch_size).min(total);
        let queue = Queue::start(start as u64..total as u64, workers, bounds, Arc::new(work));
        Epoch { queue: Some(queue), deal, next: from_batch, batches }
    }
}

/// Which positions of an epoch a rank has: of every global batch, each `world`-th one.
#[derive(Debug, Clone, Copy)]
struct Deal {
    batch_size: usize,
    rank: usize,
    world: usize,
    /// Positions that are used.
    limit: usize,
}

impl Deal {
    /// The position of the rank's `job`-th row. Only the last batch is short, so rows count on through batches.
    fn position(&self, job: usize) -> usize {
        job * self.world + self.rank
    }

    /// Rows of the rank in the whole epoch.
    fn rows(&self) -> usize {
        self.limit.saturating_sub(self.rank).div_ceil(self.world)
    }

    /// Rows of the rank in one batch.
    fn rows_in(&self, batch: usize) -> usize {
        self.rows().saturating_sub(batch.saturating_mul(self.batch_size)).min(self.batch_size)
    }
}

/// The batches of one epoch, in order. Its threads end when it is dropped.
pub struct Epoch {
    queue: Option<Queue<Done>>,
    deal: Deal,
    next: usize,
    batches: usize,
}

impl Epoch {
    /// Batches in the whole epoch.
    pub fn batches(&self) -> usize {
        self.batches
    }

    fn batch(&mut self) -> Result<LoadedBatch> {
        let mut batch = LoadedBatch { index: self.next, rows: Vec::new(), skipped: Vec::new() };
        for _ in 0..self.deal.rows_in(self.next) {
            match self.queue.as_mut().and_then(Queue::next) {
                Some(Done::Row(row)) => batch.rows.push(*row),
                Some(Done::Skipped(key, error)) => batch.skipped.push((key, error)),
                Some(Done::Failed(error)) => return Err(error),
                None => return Err(Error::new("PL0312", "a thread that reads samples has ended unexpectedly")),
            }
        }
        self.next += 1;
        Ok(batch)
    }
}

impl Iterator for Epoch {
    type Item = Result<LoadedBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.queue.is_none() || self.next >= self.batches {
            return None;
        }
        let batch = self.batch();
        if batch.is_err() || self.next >= self.batches {
            // The last batch or an error: the threads end now, not when the caller is done with the value.
            self.queue = None;
        }
        Some(batch)
    }
}

/// What became of a sample.
enum Done {
    Row(Box<Row>),
    Skipped(String, Error),
    Failed(Error),
}

impl Done {
    fn bytes(&self) -> u64 {
        match self {
            Self::Row(row) => row_bytes(row),
            Self::Skipped(..) | Self::Failed(_) => 0,
        }
    }
}

/// Memory that a row takes, up to small change.
pub(crate) fn row_bytes(row: &Row) -> u64 {
    let frames = row.frames.iter().map(|f| match &f.image.pixels {
        Pixels::U8(v) => v.len(),
        Pixels::U16(v) => 2 * v.len(),
        Pixels::F32(v) => 4 * v.len(),
    });
    let maps = row.maps.iter().map(|m| 2 * m.classes.len() + 4 * m.scores.len());
    let masks = row.instances.iter().map(|i| 64 + i.mask.as_ref().map_or(0, |m| m.inside.len()));
    frames.chain(maps).chain(masks).sum::<usize>() as u64
}

/// Whether rows keep their last look-ups.
#[derive(Clone, Copy, PartialEq)]
enum Almost {
    Yes,
    No,
}

/// All that it takes to make a row, whoever makes it.
#[derive(Clone)]
struct Recipe {
    samples: Arc<dyn Samples>,
    augment: Vec<AugmentConfig>,
    on_error: OnError,
    seed: u64,
    kernels: Plug<dyn Backend>,
    almost: Almost,
}

impl Recipe {
    fn make(&self, index: usize, epoch: u32) -> Done {
        let key = || guarded("naming a sample", || Ok(self.samples.key(index))).unwrap_or_else(|_| index.to_string());
        let sample = || format!("reading sample {index} ({})", key());
        match guarded("the source", || self.samples.row(index)).context(sample) {
            Ok(row) => match guarded("an augmentation", || self.augmented(row, index, epoch)) {
                Ok(row) => Done::Row(Box::new(row)),
                Err(e) => Done::Failed(e.context(format!("augmenting sample {index} ({})", key()))),
            },
            // Only faults of the data may be passed over: a fault of the program would spoil every sample.
            Err(e) if self.on_error == OnError::Skip && e.class() == Class::Data => Done::Skipped(key(), e),
            Err(e) => Done::Failed(e),
        }
    }

    fn augmented(&self, mut row: Row, index: usize, epoch: u32) -> Result<Row> {
        let at = At { seed: self.seed, epoch, sample: index as u64 };
        let pool = Mixable(&*self.samples);
        let pipeline = Pipeline::new(&self.augment, &*self.kernels).with_pool(&pool);
        let pipeline = if self.almost == Almost::Yes { pipeline.almost() } else { pipeline };
        pipeline.run(at, &mut row)?;
        Ok(row)
    }
}

/// Samples as partners for each other.
pub struct Mixable<'a>(pub &'a dyn Samples);

impl Pool for Mixable<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        self.0.row(index).context(|| format!("reading sample {index} ({}) to mix it in", self.0.key(index)))
    }
}

/// Turns a panic of a plugin into an error, for there is nobody above a thread to catch it.
fn guarded<T>(who: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let why = words(&*cause);
        Err(Error::new("PL0312", format!("{who} panicked: {why}"))
            .hint("this is a fault of the plugin: tell its author"))
    })
}

fn words(cause: &(dyn Any + Send)) -> &str {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranks_share_every_global_batch_and_leave_nothing_out(
            n in 0usize..200, batch_size in 1usize..20, world in 1usize..5, drop_last: bool,
        ) {
            let config = Dataloader { batch_size, drop_last, ..Dataloader::default() };
            let batches = config.batches_per_epoch(n, world);
            let limit = n.min(batches * batch_size * world);
            let mut seen = Vec::new();
            for batch in 0..batches {
                let before = seen.len();
                for rank in 0..world {
                    let deal = Deal { batch_size, rank, world, limit };
                    let first = batch * batch_size;
                    seen.extend((first..first + deal.rows_in(batch)).map(|job| deal.position(job)));
                }
                let all = batch_size * world;
                prop_assert_eq!(seen.len() - before, all.min(limit - batch * all));
                prop_assert!(seen[before..].iter().all(|p| p / all == batch));
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..limit).collect::<Vec<_>>());
            prop_assert!(limit == n || drop_last && n - limit < batch_size * world);
        }
    }
}
