//! Batches are the same for any number of threads, from any batch on, whatever goes wrong in between.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{data, kernels, open};
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::augmentation::{AugmentConfig, AugmentSlot};
use pleach_core::quantity::Bytes;
use pleach_core::{Augmentation, DataInfo, Error, Frame, Plug, Result, Rng, Row, RowView, SampleId, Samples, plugin};
use pleach_data::{Channels, Dataloader, Digits, ImageFiles, LoadedBatch, Loader, OnError, Shuffle};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Adds a number by chance to every pixel.
#[plugin(augmentation)]
pub struct Shift {
    /// The greatest number.
    #[plugin(default = 50)]
    pub most: u8,
}

impl Augmentation for Shift {
    type Draw = u8;
    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<u8>> {
        Ok(Some(rng.below(u64::from(self.most)) as u8))
    }
    fn touch(&self, draw: &u8, image: &mut Image) -> Result<()> {
        if let Pixels::U8(px) = &mut image.pixels {
            px.iter_mut().for_each(|v| *v = v.wrapping_add(*draw));
        }
        Ok(())
    }
    fn touches(&self) -> bool {
        true
    }
}

fn shift(p: Option<f64>) -> AugmentConfig {
    let shift: Box<dyn pleach_core::kinds::augmentation::Tagged> = Box::new(Shift::default());
    AugmentConfig { slot: AugmentSlot { p, ..AugmentSlot::default() }, plug: Plug::new(shift) }
}

/// Samples of which some are unreadable and some bring the source down.
#[derive(Default)]
struct Shaky {
    n: usize,
    unreadable: Vec<usize>,
    panics: Vec<usize>,
    read: AtomicUsize,
}

impl Samples for Shaky {
    fn len(&self) -> usize {
        self.n
    }
    fn row(&self, index: usize) -> Result<Row> {
        self.read.fetch_add(1, Ordering::SeqCst);
        // Early samples take longer, so that threads overtake each other.
        std::thread::sleep(Duration::from_micros(if index.is_multiple_of(7) { 300 } else { 0 }));
        if self.panics.contains(&index) {
            panic!("a fault of the source");
        }
        if self.unreadable.contains(&index) {
            return Err(Error::new("PL0303", format!("file {index} is unreadable")));
        }
        let image = Image::new(4, 4, 1, Pixels::U8(vec![index as u8; 16]))?;
        Ok(Row::new(SampleId { index: index as u64, key: self.key(index).into() }, vec![Frame { number: 0, image }]))
    }
    fn info(&self) -> DataInfo {
        DataInfo::default()
    }
    fn key(&self, index: usize) -> String {
        format!("file {index}")
    }
}

fn shaky(n: usize) -> Shaky {
    Shaky { n, ..Shaky::default() }
}

fn config(batch_size: usize, workers: usize) -> Dataloader {
    Dataloader { batch_size, num_workers: Some(workers), ..Dataloader::default() }
}

fn loader(samples: impl Samples + 'static, config: Dataloader) -> Loader {
    let augment = vec![shift(Some(0.5)), shift(None)];
    Loader::new(Arc::new(samples), augment, config, Shuffle::On, 11, kernels())
}

fn rows(batches: impl Iterator<Item = Result<LoadedBatch>>) -> Vec<(usize, Vec<Row>)> {
    batches.map(|b| b.unwrap()).map(|b| (b.index, b.rows)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]
    #[test]
    fn batches_do_not_depend_on_threads_memory_or_where_the_epoch_was_entered(
        n in 0usize..60, batch in 1usize..20, workers in 1usize..5, from in 0usize..8,
        cap in prop::option::of(0u64..200), drop_last: bool, epoch in 0u32..3,
    ) {
        let plain = Dataloader { drop_last, ..config(batch, 0) };
        let whole = rows(loader(shaky(n), plain.clone()).epoch(epoch, 0));
        let busy = Dataloader { num_workers: Some(workers), memory: cap.map(Bytes), ..plain };
        let busy = loader(shaky(n), busy);
        prop_assert_eq!(busy.batches_per_epoch(), whole.len());
        prop_assert_eq!(&rows(busy.epoch(epoch, 0)), &whole);
        prop_assert_eq!(rows(busy.epoch(epoch, from)), whole.into_iter().skip(from).collect::<Vec<_>>());
    }
}

#[test]
fn ranks_together_make_the_batches_of_one_process() {
    let together = rows(loader(shaky(50), config(12, 0)).epoch(1, 0));
    let ranks: Vec<_> = (0..3).map(|r| rows(loader(shaky(50), config(4, 2)).of_rank(r, 3).epoch(1, 0))).collect();
    for (index, batch) in together {
        let mut parts: Vec<Row> = ranks.iter().flat_map(|r| r[index].1.clone()).collect();
        parts.sort_by_key(|row| batch.iter().position(|b| b.id == row.id));
        assert_eq!(parts, batch);
    }
    assert!(ranks.iter().all(|r| r.len() == 5));
}

#[test]
fn augmentation_differs_by_epoch_and_sample_and_honours_p() {
    let digits = || open(&Digits { split: None }, "train");
    let epoch = |augment: Vec<AugmentConfig>, epoch| {
        let loader = Loader::new(Arc::from(digits()), augment, config(64, 2), Shuffle::Off, 5, kernels());
        rows(loader.epoch(epoch, 0)).into_iter().flat_map(|(_, rows)| rows).collect::<Vec<_>>()
    };
    let plain = epoch(vec![], 0);
    assert_eq!(plain.len(), digits().len());
    assert_eq!(plain, epoch(vec![shift(Some(0.0))], 0));
    let changed = |a: &[Row], b: &[Row]| a.iter().zip(b).filter(|(a, b)| a != b).count() as f64 / a.len() as f64;
    let half = epoch(vec![shift(Some(0.5))], 0);
    assert!((changed(&plain, &half) - 0.5).abs() < 0.06, "{}", changed(&plain, &half));
    assert!(changed(&epoch(vec![shift(None)], 0), &epoch(vec![shift(None)], 1)) > 0.9);
}

#[test]
fn an_unreadable_sample_stops_the_run_with_its_name() {
    for workers in [0, 3] {
        let samples = Shaky { unreadable: vec![13], ..shaky(40) };
        let loader = Loader::new(Arc::new(samples), vec![], config(5, workers), Shuffle::Off, 1, kernels());
        let mut epoch = loader.epoch(0, 0);
        assert_eq!(epoch.next().unwrap().unwrap().rows.len(), 5);
        assert_eq!(epoch.next().unwrap().unwrap().rows.len(), 5);
        let error = epoch.next().unwrap().unwrap_err();
        assert!(error.code() == "PL0303" && error.to_string().contains("sample 13 (file 13)"), "{error}");
        assert!(epoch.next().is_none(), "nothing comes after an error");
    }
}

#[test]
fn an_unreadable_sample_may_be_left_out_and_is_counted() {
    for workers in [0, 3] {
        let samples = Shaky { unreadable: vec![3, 4, 12], ..shaky(15) };
        let config = Dataloader { on_error: OnError::Skip, ..config(5, workers) };
        let loader = Loader::new(Arc::new(samples), vec![], config, Shuffle::Off, 1, kernels());
        let batches: Vec<_> = loader.epoch(0, 0).map(|b| b.unwrap()).collect();
        assert_eq!(batches.iter().map(|b| b.rows.len()).collect::<Vec<_>>(), [3, 5, 4]);
        let skipped: Vec<_> = batches.iter().flat_map(|b| b.skipped.iter().map(|(key, _)| key.as_str())).collect();
        assert_eq!(skipped, ["file 3", "file 4", "file 12"]);
    }
}

#[test]
fn a_panic_in_a_source_is_an_error_and_no_hang() {
    for workers in [0, 1, 4] {
        let samples = Shaky { panics: vec![6], ..shaky(40) };
        let loader = Loader::new(Arc::new(samples), vec![], config(5, workers), Shuffle::Off, 1, kernels());
        let results: Vec<_> = loader.epoch(0, 0).collect();
        let error = results.last().unwrap().as_ref().unwrap_err();
        assert_eq!((results.len(), error.code()), (2, "PL0312"));
        assert!(error.to_string().contains("a fault of the source"), "{error}");
    }
}

#[test]
fn dropping_an_epoch_ends_its_threads_and_reads_no_further() {
    let samples = Arc::new(shaky(10_000));
    let loader = Loader::new(Arc::clone(&samples) as Arc<dyn Samples>, vec![], config(4, 4), Shuffle::On, 1, kernels());
    let mut epoch = loader.epoch(0, 0);
    assert!(epoch.next().is_some());
    drop(epoch);
    let read = samples.read.load(Ordering::SeqCst);
    assert!(read <= 4 + 8 + 4, "{read} samples were read for one batch and two in advance");
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(samples.read.load(Ordering::SeqCst), read);
    drop(loader);
    assert_eq!(Arc::strong_count(&samples), 1);
}

#[test]
fn a_truncated_file_among_real_ones_is_skipped_with_its_path() {
    let Some(root) = data("clothing") else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut paths: Vec<_> =
        std::fs::read_dir(root.join("train/hat")).unwrap().map(|e| e.unwrap().path()).take(6).collect();
    let bytes = std::fs::read(&paths[2]).unwrap();
    paths[2] = dir.path().join("cut.jpg");
    std::fs::write(&paths[2], &bytes[..bytes.len() / 2]).unwrap();
    let samples: Arc<dyn Samples> = Arc::from(open(&ImageFiles::new(paths, Channels::Rgb), "train"));
    let config = Dataloader { on_error: OnError::Skip, ..config(6, 2) };
    let loader = Loader::new(samples, vec![], config, Shuffle::Off, 1, kernels());
    let batch = loader.epoch(0, 0).next().unwrap().unwrap();
    assert_eq!((batch.rows.len(), batch.skipped.len()), (5, 1));
    assert!(batch.skipped[0].0.contains("cut.jpg") && batch.skipped[0].1.message().contains("truncated"));
}

#[test]
fn only_training_is_shuffled_unless_the_file_says_so() {
    let default = Dataloader::default();
    assert_eq!((default.shuffle_for("train"), default.shuffle_for("val")), (Shuffle::On, Shuffle::Off));
    let off = Dataloader { shuffle: Some(false), ..default };
    assert_eq!(off.shuffle_for("train"), Shuffle::Off);
}

#[test]
fn what_fits_in_the_cache_is_read_once_and_batches_do_not_change() {
    let epochs = |samples: &Arc<Shaky>, cache: Option<u64>, workers| {
        let config = Dataloader { cache: cache.map(Bytes), ..config(5, workers) };
        let samples = Arc::clone(samples) as Arc<dyn Samples>;
        let loader = Loader::new(samples, vec![shift(Some(0.5))], config, Shuffle::On, 3, kernels());
        (0..3).map(|epoch| rows(loader.epoch(epoch, 0))).collect::<Vec<_>>()
    };
    let plain = epochs(&Arc::new(shaky(23)), None, 0);
    // A row of 16 pixels takes some 200 bytes, with all that is not pixels.
    for (cache, least, most) in [(0, 69, 69), (3_000, 24, 68), (1 << 20, 23, 23)] {
        for workers in [0, 3] {
            let samples = Arc::new(shaky(23));
            assert_eq!(epochs(&samples, Some(cache), workers), plain, "{cache} bytes, {workers} workers");
            let read = samples.read.load(Ordering::SeqCst);
            assert!((least..=most).contains(&read), "{read} samples were read with a cache of {cache} bytes");
        }
    }
}

#[test]
fn the_cache_keeps_within_its_bytes() {
    let samples = Arc::new(shaky(200));
    let each = 16 + size_of::<Row>();
    let config = Dataloader { cache: Some(Bytes((50 * each + 1) as u64)), ..config(8, 3) };
    let loader = Loader::new(Arc::clone(&samples) as Arc<dyn Samples>, vec![], config, Shuffle::On, 3, kernels());
    let _ = rows(loader.epoch(0, 0));
    let first = samples.read.swap(0, Ordering::SeqCst);
    let _ = rows(loader.epoch(1, 0));
    assert_eq!((first, samples.read.load(Ordering::SeqCst)), (200, 150), "50 rows fit");
}

#[test]
fn an_unreadable_sample_is_not_kept_and_tried_again() {
    let samples = Arc::new(Shaky { unreadable: vec![3], ..shaky(6) });
    let config = Dataloader { on_error: OnError::Skip, cache: Some(Bytes(1 << 20)), ..config(6, 2) };
    let loader = Loader::new(Arc::clone(&samples) as Arc<dyn Samples>, vec![], config, Shuffle::Off, 1, kernels());
    for _ in 0..2 {
        let batch = loader.epoch(0, 0).next().unwrap().unwrap();
        assert_eq!((batch.rows.len(), batch.skipped.len()), (5, 1));
    }
    assert_eq!(samples.read.load(Ordering::SeqCst), 7);
}
