//! What the tests of this crate share.
#![allow(dead_code, missing_docs)]

use pleach_core::{Backend, Plug, Row, Samples, Seat, Source, SourceCx, plugin};
use std::path::PathBuf;

/// A kernels seat without kernels: every plain definition runs.
#[plugin(backend)]
pub struct Bare;

impl Backend for Bare {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

pub fn kernels() -> Plug<dyn Backend> {
    let bare: Box<dyn pleach_core::kinds::backend::Tagged> = Box::new(Bare);
    Plug::new(bare)
}

pub fn cx(split: &str) -> SourceCx {
    SourceCx { split: split.into(), seed: 1 }
}

pub fn open(source: &dyn Source, split: &str) -> Box<dyn Samples> {
    source.open(&cx(split)).unwrap()
}

pub fn refused(source: &dyn Source) -> pleach_core::Error {
    match source.open(&cx("train")) {
        Ok(samples) => panic!("{} samples were found", samples.len()),
        Err(e) => e,
    }
}

/// A folder of the sample data, or a line that says why the test does nothing.
pub fn data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PLEACH_DATA")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into(), PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no sample data {name}; set PLEACH_DATA");
    None
}

pub fn classes_of(row: &Row) -> Vec<u16> {
    let mut all: Vec<u16> = row.maps.iter().flat_map(|m| m.classes.clone()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
