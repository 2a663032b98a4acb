//! What the data of a run were, in a few bytes, so that two runs can be told to have seen the same.

use crate::folder::RunFolder;
use crate::setup::{OpenData, OpenSplit};
use pleach_core::image::Pixels;
use pleach_core::{Error, Result, Row};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

/// The file of a run's folder that holds the fingerprints.
pub const FILE: &str = "data.json";

/// Samples of a split that are decoded for its fingerprint.
const DECODED: usize = 8;

/// Notes the data of a phase in the run's folder; those of the other phases stay.
///
/// # Errors
/// The folder cannot be written to.
pub fn note(folder: &RunFolder, phase: &str, data: &OpenData) -> Result<()> {
    let path = folder.path().join(FILE);
    let known = std::fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(&text).ok());
    let mut all: Map<String, Json> = known.unwrap_or_default();
    let before = all.clone();
    for (name, split) in [("train", Some(&data.train)), ("val", data.val.as_ref()), ("test", data.test.as_ref())] {
        if let Some(split) = split {
            let name = if phase.is_empty() { name.to_owned() } else { format!("{phase}.{name}") };
            all.insert(name, of_split(split));
        }
    }
    if all == before {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(&all)
        .map_err(|e| Error::new("PL0505", format!("the data cannot be noted: {e}")))?;
    folder.write(FILE, (text + "\n").as_bytes())
}

/// How many samples a split has, a hash of their names in order, and one of the pixels and labels of some of them.
pub fn of_split(split: &OpenSplit) -> Json {
    let n = split.samples.len();
    let mut names = Sha256::new();
    for index in 0..n {
        names.update(split.samples.key(index).as_bytes());
        names.update([0]);
    }
    let mut content = Sha256::new();
    let some = n.min(DECODED);
    for k in 0..some {
        // Spread over the whole split, both ends included.
        let index = if some > 1 { k * (n - 1) / (some - 1) } else { 0 };
        match split.samples.row(index) {
            Ok(row) => add(&mut content, &row),
            // The run says what it thinks of it when it comes to it.
            Err(_) => content.update(b"unreadable"),
        }
    }
    json!({ "samples": n, "names": hex(names), "content": hex(content), "content_of": some })
}

fn add(hash: &mut Sha256, row: &Row) {
    for frame in &row.frames {
        let image = &frame.image;
        hash.update(format!("{}x{}x{}", image.width, image.height, image.channels));
        match &image.pixels {
            Pixels::U8(v) => hash.update(v),
            Pixels::U16(v) => v.iter().for_each(|x| hash.update(x.to_le_bytes())),
            Pixels::F32(v) => v.iter().for_each(|x| hash.update(x.to_bits().to_le_bytes())),
        }
    }
    let rest = (&row.labels, &row.maps, &row.instances, &row.values);
    hash.update(pleach_core::saved::save(&rest).unwrap_or_default().to_string());
}

/// The first half of a hash: enough to tell data apart.
fn hex(hash: Sha256) -> String {
    hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect()
}
