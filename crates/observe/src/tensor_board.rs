//! TensorBoard event files, written by hand: a record format and four fields of protobuf.

use crate::append::{Append, fault};
use crate::json_lines::now;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Event, Observer, Result, Saved, Watcher, plugin, saved, state};
use std::collections::BTreeSet;

/// The folder of the event file in a run's folder.
pub const FOLDER: &str = "tensorboard";

/// The name of the event file; TensorBoard looks for `tfevents` in it.
pub const FILE: &str = "events.out.tfevents.pleach";

/// Writes an event file for TensorBoard into `tensorboard/` of the run's folder; show it with
/// `tensorboard --logdir RUN`.
///
/// Tags are the names of the metrics, and `lr` (`lr_1` ... for further groups). A metric that steps and
/// epochs both have, such as `train_loss`, is called `train_loss_epoch` where it is that of the epoch.
#[plugin(observer, alias = ["TensorBoardLogger"])]
pub struct TensorBoard {
    /// Steps between two points of what steps report; by default `[trainer] log_every_n_steps`.
    #[plugin(range = 1..)]
    pub every_n_steps: Option<u64>,
}

impl Observer for TensorBoard {
    fn start(&self, run: &RunInfo) -> Result<Box<dyn Watcher>> {
        let folder = run.dir.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|e| fault(&folder, &e))?;
        let path = folder.join(FILE);
        let goes_on = run.step > 0 || run.epoch > 0;
        let file = if goes_on { Append::go_on(&path)? } else { Append::begin(&path)? };
        let mut writer = Writer {
            file,
            every_n_steps: self.every_n_steps.unwrap_or(run.log_every_n_steps).max(1),
            seen: Seen::default(),
        };
        if writer.file.bytes() == 0 {
            // Event { wall_time = 1, file_version = 3 }
            let mut event = Vec::new();
            double(&mut event, 1, now());
            bytes(&mut event, 3, b"brain.Event:2");
            writer.file.append(&record(&event))?;
        }
        Ok(Box::new(writer))
    }
}

struct Writer {
    file: Append,
    every_n_steps: u64,
    seen: Seen,
}

/// What the names of the next tags depend on.
#[state]
#[derive(Default)]
struct Seen {
    /// Names of metrics that steps report.
    by_step: BTreeSet<String>,
    /// Names of metrics that were validated since the last epoch ended.
    validated: BTreeSet<String>,
}

/// How far the file was written.
#[state]
struct Place {
    bytes: u64,
    seen: Seen,
}

impl Writer {
    fn scalars(&mut self, step: u64, values: &[(String, f64)]) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        self.file.append(&record(&scalars(now(), step, values)))
    }
}

impl Watcher for Writer {
    fn on(&mut self, event: &Event<'_>, _: &mut Control<'_>) -> Result<()> {
        match *event {
            Event::Step { step, metrics, lr, .. } => {
                for name in metrics.names() {
                    if !self.seen.by_step.contains(name) {
                        self.seen.by_step.insert(name.to_owned());
                    }
                }
                if !step.is_multiple_of(self.every_n_steps) {
                    return Ok(());
                }
                let mut values: Vec<_> = metrics.iter().map(|(n, v)| (n.to_owned(), *v)).collect();
                for (group, lr) in lr.iter().enumerate() {
                    values.push((if group == 0 { "lr".into() } else { format!("lr_{group}") }, *lr));
                }
                self.scalars(step, &values)
            }
            Event::Validated { step, metrics, .. } => {
                self.seen.validated.extend(metrics.names().map(str::to_owned));
                let values: Vec<_> = metrics.iter().map(|(n, v)| (n.to_owned(), *v)).collect();
                self.scalars(step, &values)
            }
            Event::Epoch { step, metrics, .. } => {
                let validated = std::mem::take(&mut self.seen.validated);
                let values: Vec<_> = metrics
                    .iter()
                    .filter(|(name, _)| !validated.contains(*name))
                    .map(|(name, v)| {
                        let both = self.seen.by_step.contains(name);
                        (if both { format!("{name}_epoch") } else { name.to_owned() }, *v)
                    })
                    .collect();
                self.scalars(step, &values)
            }
            _ => Ok(()),
        }
    }

    fn save(&self) -> Result<Saved> {
        saved::save(&Place { bytes: self.file.settled()?, seen: self.seen.clone() })
    }

    fn restore(&mut self, saved: &Saved) -> Result<()> {
        let place: Place = saved::load(saved)?;
        self.file.cut(place.bytes)?;
        self.seen = place.seen;
        Ok(())
    }
}

/// A TFRecord: length and content, each followed by its masked CRC-32C, all little endian
/// (tensorflow/core/lib/io/record_writer.h).
fn record(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut out = Vec::with_capacity(content.len() + 16);
    out.extend_from_slice(&length);
    out.extend_from_slice(&masked_crc(&length).to_le_bytes());
    out.extend_from_slice(content);
    out.extend_from_slice(&masked_crc(content).to_le_bytes());
    out
}

/// The checksum is turned and shifted, so that data that holds checksums is still well checked.
fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// `Event { wall_time = 1, step = 2, summary = 5 { value = 1 { tag = 1, simple_value = 2 } ... } }`.
fn scalars(time: f64, step: u64, values: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in values {
        let mut one = Vec::new();
        bytes(&mut one, 1, tag.as_bytes());
        key(&mut one, 2, 5);
        one.extend_from_slice(&(*value as f32).to_le_bytes());
        bytes(&mut summary, 1, &one);
    }
    let mut event = Vec::new();
    double(&mut event, 1, time);
    key(&mut event, 2, 0);
    varint(&mut event, step);
    bytes(&mut event, 5, &summary);
    event
}

/// A protobuf field's number and the way its value is written: 0 varint, 1 eight bytes, 2 a length
/// and bytes, 5 four bytes.
fn key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

/// Seven bits to a byte, least first; the high bit says that more follow.
fn varint(out: &mut Vec<u8>, mut x: u64) {
    while x >= 0x80 {
        out.push(x as u8 | 0x80);
        x >>= 7;
    }
    out.push(x as u8);
}

fn double(out: &mut Vec<u8>, field: u64, x: f64) {
    key(out, field, 1);
    out.extend_from_slice(&x.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u64, x: &[u8]) {
    key(out, field, 2);
    varint(out, x.len() as u64);
    out.extend_from_slice(x);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_rfc_3720_and_the_mask_that_of_tensorflow() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        // The checksum of eight zero bytes of length, as every empty record begins.
        assert_eq!(masked_crc(&[0; 8]).wrapping_sub(0xa282_ead8).rotate_left(15), crc32c::crc32c(&[0; 8]));
    }

    #[test]
    fn numbers_are_written_as_protobuf_wants_them() {
        let mut out = Vec::new();
        varint(&mut out, 300);
        assert_eq!(out, [0xac, 0x02]);
        let event = scalars(0.0, 1, &[("a".into(), 1.0)]);
        let whole = [9, 0, 0, 0, 0, 0, 0, 0, 0, 16, 1, 42, 10, 10, 8, 10, 1, b'a', 21, 0, 0, 128, 63];
        assert_eq!(event, whole);
    }
}
