//! `[dataset]` and `[dataloader]`: where samples come from, how they are split, changed and batched.

use pleach_core::kinds::augmentation::AugmentConfig;
use pleach_core::read::{Fields, Read, ReadTable, Reader, Rules, table};
use pleach_core::tree::{Node, Table, Value};
use pleach_core::{Field, Slot, Source, config};
use pleach_data::Dataloader;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keys of `[dataset.train]` beside the source's own.
#[config]
pub struct SplitSlot {
    /// What is done to each sample, in order.
    #[config(default = Vec::new())]
    pub augment: Vec<AugmentConfig>,
}

/// One split: a source and its augmentations.
pub type Split = Slot<dyn Source, SplitSlot>;

/// `[dataset]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dataset {
    /// What is learnt from.
    pub train: Split,
    /// What is validated on; where it is missing, `split` may take a part of `train`.
    pub val: Option<Split>,
    /// What is tested on; where it is missing, `split` may take a part of `train`.
    pub test: Option<Split>,
    /// How missing splits are taken from `train`.
    pub split: Option<Partition>,
}

const DATASET: &[Field] = &[
    Field {
        name: "train",
        doc: "What is learnt from.",
        ty: "Source",
        bounds: None,
        required: true,
        sampled: false,
        was: &["training"],
        idle: false,
    },
    Field {
        name: "val",
        doc: "What is validated on.",
        ty: "Option<Source>",
        bounds: None,
        required: false,
        sampled: false,
        was: &["valid", "validation", "validate"],
        idle: false,
    },
    Field {
        name: "test",
        doc: "What is tested on.",
        ty: "Option<Source>",
        bounds: None,
        required: false,
        sampled: false,
        was: &[],
        idle: false,
    },
    Field {
        name: "split",
        doc: "How missing splits are taken from `train`.",
        ty: "Option<Partition>",
        bounds: None,
        required: false,
        sampled: false,
        was: &[],
        idle: false,
    },
];

/// By hand, because `#[config]` asks for an example of each required field, and which sources exist is
/// known only to the program that links them.
impl Read for Dataset {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let Value::Table(keys) = &node.value else { return r.wrong_type(node, "a table for [dataset]") };
        let mut fields = Fields::open(keys, node.place, "[dataset]", DATASET, r);
        let train = fields.required("train");
        let val = fields.optional("val", || None);
        let test = fields.optional("test", || None);
        let split = fields.optional("split", || None).map(|s: Option<Parted>| s.map(|Parted(p)| p));
        Some(Self { train: train?, val: val?, test: test?, split: split? })
    }
}

/// A partition that calls itself by its section in messages.
struct Parted(Partition);

impl Read for Parted {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        table(node, "[dataset.split]", r).map(Self)
    }
}

impl Dataset {
    /// Whether there is anything to validate on.
    pub fn has_val(&self) -> bool {
        self.val.is_some() || self.split.as_ref().is_some_and(|s| s.val > 0.0 || s.num_folds.is_some())
    }

    /// Whether there is anything to test on.
    pub fn has_test(&self) -> bool {
        self.test.is_some() || self.split.as_ref().is_some_and(|s| s.test > 0.0)
    }
}

/// `[dataset.split]`: parts of the training source for validation and test, by ratio or by folds.
#[config(check = Self::check)]
pub struct Partition {
    /// Share of the samples for validation.
    #[config(default = 0.0, range = 0.0..1.0)]
    pub val: f64,
    /// Share of the samples for test.
    #[config(default = 0.0, range = 0.0..1.0)]
    pub test: f64,
    /// Folds of a cross-validation, in place of `val`.
    #[config(range = 2..)]
    pub num_folds: Option<u32>,
    /// The fold that validates, counted from 0.
    #[config(default = 0)]
    pub validation_fold: u32,
    /// Whether every part has its share of each class.
    #[config(default = true)]
    pub stratified: bool,
    /// Seed of the partition, apart from the run's, so that seeds of a run can vary over one partition.
    #[config(default = 0)]
    pub seed: u64,
}

impl Partition {
    fn check(&self, rules: &mut Rules) {
        if self.val + self.test >= 1.0 {
            rules.refuse("val", "nothing is left to train on");
        }
        match self.num_folds {
            Some(n) if self.validation_fold >= n => {
                rules.refuse("validation_fold", format!("there are folds 0 to {}", n.saturating_sub(1)));
            }
            Some(_) if self.val > 0.0 => rules.refuse("val", "the share for validation follows from `num_folds`"),
            _ => {}
        }
    }
}

/// `[dataloader]` for each split: the keys of the section, with those of `[dataloader.train]` and so on over them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataloaders {
    /// Training.
    pub train: Dataloader,
    /// Validation.
    pub val: Dataloader,
    /// Test.
    pub test: Dataloader,
}

const SPLITS: [&str; 3] = ["train", "val", "test"];

impl Read for Dataloaders {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let Value::Table(table) = &node.value else { return r.wrong_type(node, "a table for [dataloader]") };
        let of_split = |key: &str| SPLITS.contains(&key);
        let base: Vec<_> = table.entries.iter().filter(|(key, _)| !of_split(&key.name)).cloned().collect();
        let mut one = |split: &str| {
            let mut merged = Table { entries: base.clone() };
            let mut place = node.place;
            if let Some(over) = table.get(split) {
                let Value::Table(keys) = &over.value else {
                    return r.wrong_type(over, &format!("a table for [dataloader.{split}]"));
                };
                place = over.place;
                for (key, value) in &keys.entries {
                    merged.set(key.clone(), value.clone());
                }
            }
            let mut loader = Dataloader::read_table(&merged, place, "[dataloader]", r)?;
            loader.shuffle.get_or_insert(split == "train");
            Some(loader)
        };
        let (train, val, test) = (one("train"), one("val"), one("test"));
        Some(Self { train: train?, val: val?, test: test? })
    }
}
