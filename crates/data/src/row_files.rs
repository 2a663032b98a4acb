//! Rows in a text file, one in a line, as JSON with the names of a row's parts.

use crate::files;
use crate::scored::Pairs;
use crate::sources::no_sample;
use pleach_core::kinds::metric::Part;
use pleach_core::{DataInfo, Error, Instance, Labels, Map, Result, Row, SampleId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The first line of the truths.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Head {
    classes: Vec<String>,
    ignore_index: Option<u32>,
}

/// Every other line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: Arc<str>,
    video: Option<Arc<str>>,
    #[serde(default)]
    labels: LabelsOf,
    #[serde(default)]
    instances: Vec<Instance>,
    #[serde(default)]
    maps: Vec<Map>,
    #[serde(default)]
    values: Vec<f32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LabelsOf {
    class: Option<u32>,
    scores: Vec<f32>,
}

impl Line {
    fn row(self, index: usize) -> Row {
        Row {
            id: SampleId { index: index as u64, key: self.key },
            video: self.video,
            frames: Vec::new(),
            instances: self.instances,
            maps: self.maps,
            labels: Labels { class: self.labels.class, scores: self.labels.scores },
            values: self.values,
            outstanding: None,
        }
    }
}

/// True rows, and the predicted rows of the same keys.
///
/// The first line of the truths says what they are, `{"classes": ["cat", "dog"], "ignore_index": 255}`; every other
/// line is a row: `key`, and what there is of `video`, `labels`, `instances`, `maps` and `values`, with the names that
/// rows have in the program. A truth without a prediction has an empty one.
pub(crate) struct RowFiles {
    info: DataInfo,
    truth: Vec<Row>,
    predicted: BTreeMap<Arc<str>, Row>,
}

impl RowFiles {
    pub(crate) fn open(truth: &Path, predictions: &Path) -> Result<Self> {
        let text = read(truth)?;
        let mut lines = lines(&text);
        let Head { classes, ignore_index } = match lines.next() {
            Some(line) => parse(truth, line)?,
            None => return Err(unreadable(truth, 1, "it is empty")),
        };
        let info = DataInfo { classes, ignore_index, channels: 3, frames: 1, ..DataInfo::default() };
        let mut rows = Vec::new();
        let mut indices: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for line in lines {
            let row = parse::<Line>(truth, line)?.row(rows.len());
            if indices.insert(Arc::clone(&row.id.key), rows.len()).is_some() {
                return Err(inconsistent(truth, line.0, &format!("the sample `{}` stands there twice", row.id.key)));
            }
            rows.push(row);
        }
        let text = read(predictions)?;
        let mut predicted = BTreeMap::new();
        for line in self::lines(&text) {
            let row = parse::<Line>(predictions, line)?;
            let Some(&index) = indices.get(&row.key) else {
                return Err(inconsistent(predictions, line.0, &format!("there is no true sample `{}`", row.key)));
            };
            let key = Arc::clone(&row.key);
            if predicted.insert(Arc::clone(&key), row.row(index)).is_some() {
                return Err(inconsistent(predictions, line.0, &format!("the sample `{key}` stands there twice")));
            }
        }
        Ok(Self { info, truth: rows, predicted })
    }
}

impl Pairs for RowFiles {
    fn len(&self) -> usize {
        self.truth.len()
    }
    fn info(&self) -> DataInfo {
        self.info.clone()
    }
    fn has(&self, part: Part) -> bool {
        part != Part::Frames
    }
    fn pair(&self, index: usize) -> Result<(Row, Row)> {
        let truth = self.truth.get(index).ok_or_else(|| no_sample(index, self.len()))?;
        let predicted = self.predicted.get(&truth.id.key).cloned().unwrap_or_else(|| Row::prediction(truth));
        Ok((predicted, truth.clone()))
    }
}

/// The lines that are not empty, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|e| Error::new("PL0316", format!("{} cannot be read: {}", path.display(), files::cause(&e))))
}

fn parse<T: DeserializeOwned>(path: &Path, (number, line): (usize, &str)) -> Result<T> {
    serde_json::from_str(line).map_err(|e| unreadable(path, number, &e.to_string()))
}

fn unreadable(path: &Path, line: usize, why: &str) -> Error {
    // The reader counts each line as the first one.
    let why = why.replace(" at line 1 column ", " at column ");
    Error::new("PL0316", format!("{}, line {line}: {why}", path.display())).hint(
        "the first line of the truths is `{\"classes\": [...]}`, every other line of both files a row with its `key`",
    )
}

fn inconsistent(path: &Path, line: usize, why: &str) -> Error {
    Error::new("PL0317", format!("{}, line {line}: {why}", path.display()))
}
