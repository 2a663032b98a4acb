//! `[trainer]`: how long, how often, how precisely.

use pleach_core::diagnostic::Diagnostic;
use pleach_core::kinds::augmentation::AugmentConfig;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Node, Value};
use pleach_core::{Precision, config};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// How many batches of an epoch are used: a whole number counts, a number with a fraction is a share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Limit {
    /// So many batches.
    Count(u64),
    /// A share of the epoch, 0 to 1.
    Share(f64),
}

impl Limit {
    /// The batches used of `n`.
    pub fn of(self, n: usize) -> usize {
        match self {
            Self::Count(c) => n.min(usize::try_from(c).unwrap_or(usize::MAX)),
            Self::Share(s) => (n as f64 * s) as usize,
        }
    }
}

impl Read for Limit {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match node.value {
            Value::Int(n) if n >= 0 => Some(Self::Count(n as u64)),
            Value::Float(x) if (0.0..=1.0).contains(&x) => Some(Self::Share(x)),
            _ => r.wrong_type(node, "a number of batches, or a share from 0.0 to 1.0"),
        }
    }
}

const LIMIT: &str = "A whole number counts batches; a number with a fraction is a share of the epoch.";

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": LIMIT,
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "number", "minimum": 0, "maximum": 1 }]
        })
    }
}

/// How gradients are bounded.
#[config]
#[derive(Default)]
pub enum ClipAlgorithm {
    /// The norm of all gradients together.
    #[default]
    Norm,
    /// Each value.
    Value,
}

/// Where the time of a run went.
#[config]
pub enum Profiler {
    /// Seconds by part of the step, at the end.
    Simple,
}

/// So many batches of each loop, to see whether a run works; 0 for a real run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FastDevRun(pub u64);

impl Read for FastDevRun {
    const READS_FALSE: bool = true;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match node.value {
            Value::Bool(on) => Some(Self(u64::from(on))),
            Value::Int(n) if n >= 0 => Some(Self(n as u64)),
            _ => r.wrong_type(node, "true, false or a number of batches"),
        }
    }
}

impl JsonSchema for FastDevRun {
    fn schema_name() -> Cow<'static, str> {
        "FastDevRun".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["boolean", "integer"], "minimum": 0, "description": "Batches; true for 1." })
    }
}

/// The devices of a run: one. It exists so that files which say so are understood, and others refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Devices;

impl Read for Devices {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let one = match &node.value {
            Value::Int(n) => matches!(n, 1 | -1),
            Value::Str(s) => matches!(s.as_str(), "auto" | "1" | "-1"),
            Value::Array(a) => a.len() == 1 && a.iter().all(|n| matches!(n.value, Value::Int(0..))),
            _ => false,
        };
        if one {
            return Some(Self);
        }
        r.report(
            Diagnostic::new("PL0124", Some(node.place), "this program trains on one device")
                .label("write 1, or leave `devices` out"),
        );
        None
    }
}

impl Serialize for Devices {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(1)
    }
}

impl<'de> Deserialize<'de> for Devices {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match u64::deserialize(d)? {
            1 => Ok(Self),
            n => Err(de::Error::custom(format!("{n} devices, and this program trains on one"))),
        }
    }
}

impl JsonSchema for Devices {
    fn schema_name() -> Cow<'static, str> {
        "Devices".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [1, -1, "auto"], "description": "This program trains on one device." })
    }
}

/// `[trainer]`.
#[config]
pub struct Trainer {
    /// Epochs of the run; -1 for a run without end.
    #[config(default = 100, range = -1..)]
    pub max_epochs: i64,
    /// Epochs before which nothing ends the run early.
    #[config(default = 0)]
    pub min_epochs: u32,
    /// Optimizer steps after which the run ends; -1 for none.
    #[config(default = -1, range = -1..)]
    pub max_steps: i64,
    /// Epochs between two validations.
    #[config(default = 1, range = 1..)]
    pub check_val_every_n_epoch: u32,
    /// Optimizer steps between two validations within an epoch; off if not given.
    #[config(range = 1..)]
    pub val_every_n_steps: Option<u64>,
    /// Batches whose gradients are summed for one optimizer step.
    #[config(default = 1, range = 1..)]
    pub accumulate_grad_batches: usize,
    /// Bound of the gradient; off if not given.
    #[config(above = 0.0)]
    pub gradient_clip_val: Option<f64>,
    /// What is bounded: the norm of all gradients together, or each value.
    #[config(default = ClipAlgorithm::Norm)]
    pub gradient_clip_algorithm: ClipAlgorithm,
    /// Type of the numbers: "32-true", "64-true", "bf16-mixed", "16-mixed".
    #[config(default = Precision::F32)]
    pub precision: Precision,
    /// Batches used of a training epoch.
    #[config(default = Limit::Share(1.0))]
    pub limit_train_batches: Limit,
    /// Batches used of a validation.
    #[config(default = Limit::Share(1.0))]
    pub limit_val_batches: Limit,
    /// Batches used of a test.
    #[config(default = Limit::Share(1.0))]
    pub limit_test_batches: Limit,
    /// Batches used of a prediction.
    #[config(default = Limit::Share(1.0))]
    pub limit_predict_batches: Limit,
    /// This many batches of each loop, without checkpoints and logs, to see whether a run works; 0 for off.
    #[config(default = FastDevRun(0))]
    pub fast_dev_run: FastDevRun,
    /// Optimizer steps between two lines of the log.
    #[config(default = 1, range = 1..)]
    pub log_every_n_steps: u64,
    /// Whether checkpoints are written.
    #[config(default = true)]
    pub enable_checkpointing: bool,
    /// Whether progress is shown.
    #[config(default = true)]
    pub enable_progress_bar: bool,
    /// Factor by which 16-bit training multiplies the loss at first.
    #[config(default = 65536.0, above = 0.0)]
    pub loss_scale: f64,
    /// Short for `[backend] train`: "auto" and "cpu" are `CandleCpu`.
    pub accelerator: Option<String>,
    /// Number of devices; this version trains on one.
    #[config(default = Devices)]
    pub devices: Devices,
    /// How several devices share the work; this version trains on one.
    pub strategy: Option<String>,
    /// Prints where the time goes at the end: "simple", or off.
    pub profiler: Option<Profiler>,
    /// Test-time augmentation: `eval` and `predict` also look at each sample as these augmentations change it, bring what
    /// is predicted back, and take the mean with the plain sample.
    #[config(default = Vec::new())]
    pub tta: Vec<AugmentConfig>,
}
