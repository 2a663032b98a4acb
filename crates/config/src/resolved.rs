//! A run with every choice made: what the trainer executes, and the texts by which it can be had again.

use crate::emit;
use crate::failure::Failure;
use crate::run::Run;
use pleach_core::{Result, Saved, registry, saved};
use std::collections::BTreeMap;

/// Version of the format of `resolved.toml`.
pub const FORMAT: u32 = 1;

/// A resolved run.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The run itself, complete.
    pub run: Run,
    toml: String,
    origins: BTreeMap<String, String>,
    remarks: Failure,
}

impl Resolved {
    /// Freezes a run.
    ///
    /// # Errors
    /// A path is not UTF-8, or a number does not fit TOML.
    pub(crate) fn freeze(run: Run, origins: impl FnOnce(&Saved) -> BTreeMap<String, String>) -> Result<Self> {
        let mut saved = saved::save(&run)?;
        let origins = origins(&saved);
        shorten(&mut saved);
        let toml = format!("# pleach run, resolved; format {FORMAT}\n{}", emit::document(&saved)?);
        Ok(Self { run, toml, origins, remarks: Failure::new(Vec::new(), Vec::new()) })
    }

    pub(crate) fn with_remarks(self, remarks: Failure) -> Self {
        Self { remarks, ..self }
    }

    /// What is right in the file and has no effect.
    pub fn remarks(&self) -> &Failure {
        &self.remarks
    }

    /// `resolved.toml`: complete, with absolute paths, and itself a valid run file.
    pub fn toml(&self) -> &str {
        &self.toml
    }

    /// The run as data, for checkpoints; [`load`](pleach_core::saved::load) brings a [`Run`] back.
    ///
    /// # Errors
    /// A plugin cannot be saved.
    pub fn saved(&self) -> Result<Saved> {
        saved::save(&self.run)
    }

    /// Where each value comes from, by its path: a file and line, a `--set`, or `default`.
    pub fn origins(&self) -> &BTreeMap<String, String> {
        &self.origins
    }

    /// Eight hexadecimal digits that differ where the resolved run differs, for the name of its folder.
    pub fn hash(&self) -> String {
        // FNV-1a: not against malice, only to tell runs apart.
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = self.toml.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
    }
}

/// Writes plugins by their short names where only one plugin of the kind has it. The names of runs and phases
/// are no plugins' and stay.
pub(crate) fn shorten(saved: &mut Saved) {
    let Some(sections) = saved.as_object_mut() else { return };
    for (section, value) in sections.iter_mut() {
        match (section.as_str(), value) {
            ("run", _) => {}
            ("phase", Saved::Array(phases)) => {
                for (_, value) in phases.iter_mut().filter_map(Saved::as_object_mut).flatten() {
                    shorten_in(value);
                }
            }
            (_, value) => shorten_in(value),
        }
    }
}

fn shorten_in(value: &mut Saved) {
    match value {
        Saved::Array(items) => items.iter_mut().for_each(shorten_in),
        Saved::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("name", Saved::String(name)) => {
                        if let Some(short) = short(name) {
                            *name = short.to_owned();
                        }
                    }
                    _ => shorten_in(value),
                }
            }
        }
        _ => {}
    }
}

/// The name without its crate, if it means the same plugin in every kind that has it.
fn short(qualified: &str) -> Option<&'static str> {
    let mut found = None;
    for entry in registry::entries().iter().filter(|e| e.qualified() == qualified) {
        let same =
            |e: &&&registry::Entry| e.kind == entry.kind && (e.name == entry.name || e.alias.contains(&entry.name));
        if registry::entries().iter().filter(same).count() > 1 {
            return None;
        }
        found = Some(entry.name);
    }
    found
}
