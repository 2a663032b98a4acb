//! `pleach predict`: image files become a table of predictions, and masks where the task makes some.

use super::eval::pick;
use super::resume::folder;
use crate::args::Predict;
use crate::output::{self, Done};
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::task::Report;
use pleach_core::{Error, Plug, Result, Row, Source, SourceCx, saved};
use pleach_data::{Channels, ImageFiles, Orientation};
use pleach_train::predict::Served;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(args: &Predict) -> Done {
    let resolved = folder(&args.dir, &args.sets)?;
    let served = Served::load(&resolved, &args.dir, pick(&args.checkpoint)?)?;
    let channels = Channels::of_count(served.info.channels);
    let cx = SourceCx { split: "predict".into(), seed: resolved.run.run.seed };
    let orientation = orientation_of(&resolved.run.dataset.train.plug)?;
    let samples = ImageFiles { orientation, ..ImageFiles::new(args.inputs.clone(), channels) }.open(&cx)?;
    let mut table = Table::create(&args.out)?;
    let count = served.predict(&*samples, |original, report| table.add(original, report))?;
    table.finish()?;
    output::say(&format!("{count} predictions in {}", args.out.display()));
    Ok(ExitCode::SUCCESS)
}

/// Which way up the run read its own images; of a source that does not say, as they are stored.
fn orientation_of(source: &Plug<dyn Source>) -> Result<Orientation> {
    match source.saved()?.get("orientation") {
        Some(saved) => saved::load(saved),
        None => Ok(Orientation::default()),
    }
}

/// `predictions.csv` and the images beside it.
struct Table {
    dir: PathBuf,
    csv: csv::Writer<std::fs::File>,
    heads: Vec<String>,
    names: BTreeMap<String, usize>,
}

fn broken(path: &Path, e: impl std::fmt::Display) -> Error {
    Error::new("PL0501", format!("cannot write `{}`: {e}", path.display()))
}

impl Table {
    fn create(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(|e| broken(dir, e))?;
        let path = dir.join("predictions.csv");
        let csv = csv::Writer::from_path(&path).map_err(|e| broken(&path, e))?;
        Ok(Self { dir: dir.to_owned(), csv, heads: Vec::new(), names: BTreeMap::new() })
    }

    fn add(&mut self, original: &Row, report: Report) -> Result<()> {
        let key = &original.id.key;
        let name = self.name_for(key);
        let mut cells: Vec<(String, String)> = vec![("sample".into(), key.to_string())];
        cells.extend(report.columns);
        for (ending, image) in report.images {
            let file = format!("{name}_{ending}.png");
            write_png(&self.dir.join(&file), &image)?;
            cells.push((ending, file));
        }
        let path = self.dir.join("predictions.csv");
        if self.heads.is_empty() {
            self.heads = cells.iter().map(|(head, _)| head.clone()).collect();
            self.csv.write_record(&self.heads).map_err(|e| broken(&path, e))?;
        }
        let cells: BTreeMap<String, String> = cells.into_iter().collect();
        let line = self.heads.iter().map(|head| cells.get(head).map_or("", String::as_str));
        self.csv.write_record(line).map_err(|e| broken(&path, e))
    }

    /// The stem of a sample's file; a second one of the same stem gets a number.
    fn name_for(&mut self, key: &str) -> String {
        let stem = Path::new(key).file_stem().map_or_else(|| key.to_owned(), |s| s.to_string_lossy().into_owned());
        let seen = self.names.entry(stem.clone()).or_insert(0);
        *seen += 1;
        if *seen == 1 { stem } else { format!("{stem}-{seen}") }
    }

    fn finish(mut self) -> Result<()> {
        self.csv.flush().map_err(|e| broken(&self.dir.join("predictions.csv"), e))
    }
}

fn write_png(path: &Path, image: &Image) -> Result<()> {
    let Pixels::U8(pixels) = &image.pixels else {
        return Err(Error::new("PL0209", "a task reports images of 8 bits"));
    };
    let color = match image.channels {
        1 => image::ExtendedColorType::L8,
        3 => image::ExtendedColorType::Rgb8,
        4 => image::ExtendedColorType::Rgba8,
        n => return Err(Error::new("PL0209", format!("a task reported an image of {n} channels"))),
    };
    let (width, height) = (image.width as u32, image.height as u32);
    image::save_buffer(path, pixels, width, height, color).map_err(|e| broken(path, e))
}
