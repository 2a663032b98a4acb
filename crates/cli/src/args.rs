//! The arguments of every command.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Trains vision models from TOML files; every part of a run is a plugin found by name.
#[derive(Debug, Parser)]
#[command(name = "pleach", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trains a run into a new folder.
    Train(Train),
    /// Goes on with a run where it stopped, to the bit.
    Resume(Resume),
    /// Measures a trained run on a split.
    Eval(Eval),
    /// Predicts image files: masks, or a table.
    Predict(Predict),
    /// Measures predictions that lie in a file by a metric, such as COCO's mean average precision.
    Score(Score),
    /// Checks a run file and says everything that is wrong with it.
    Check(Check),
    /// Lists the plugins, or those of one kind.
    List(List),
    /// Explains a plugin: what it is and what it takes.
    Describe(Describe),
    /// Replays golden files against the plugins, and says how far each is from its reference.
    Certify(Certify),
    /// Writes the page of all plugins, in Markdown.
    Reference(Reference),
    /// Looks at this program and this machine, and says what could be in the way of a run.
    Doctor(Doctor),
}

#[derive(Debug, Args)]
pub struct Train {
    /// The run file.
    pub file: PathBuf,
    /// Sets a value of the file, as in `--set optimizer.lr=0.01`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// The run's folder; by default `runs/<date>-<name>-<hash>`.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Resume {
    /// The run's folder.
    pub dir: PathBuf,
    /// Sets a value anew, as in `--set trainer.max_epochs=20`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Eval {
    /// The run's folder.
    pub dir: PathBuf,
    /// The split: train, val or test.
    #[arg(long, default_value = "val", value_parser = ["train", "val", "test"])]
    pub split: String,
    /// The checkpoint: best, last, or a step.
    #[arg(long, default_value = "best")]
    pub checkpoint: String,
    /// Sets a value anew, as in `--set dataset.test.root=elsewhere`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Predict {
    /// The run's folder.
    pub dir: PathBuf,
    /// Image files, or folders of them.
    #[arg(required = true)]
    pub inputs: Vec<PathBuf>,
    /// Where `predictions.csv` and the images go.
    #[arg(long)]
    pub out: PathBuf,
    /// The checkpoint: best, last, or a step.
    #[arg(long, default_value = "best")]
    pub checkpoint: String,
    /// Sets a value anew.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Score {
    /// The truths: a COCO annotation file (.json), or rows, one in a line (.jsonl).
    #[arg(long)]
    pub truth: PathBuf,
    /// The predictions: a COCO file of results, or rows of the same keys.
    #[arg(long)]
    pub predictions: PathBuf,
    /// The metric.
    #[arg(long, value_name = "NAME")]
    pub metric: String,
    /// Sets a parameter of the metric, as in `--set iou_type=segm`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Check {
    /// The run file.
    pub file: PathBuf,
    /// Sets a value of the file.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Prints the diagnostics as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct List {
    /// A kind, such as `loss`.
    pub kind: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Describe {
    /// The plugin's name.
    pub name: String,
    /// Prints JSON, the schema of the parameters included.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Certify {
    /// Golden files, or folders of them (`*.json`).
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Leaves out the cases of other crates' plugins.
    #[arg(long = "crate", value_name = "CRATE")]
    pub krate: Option<String>,
    /// Writes the certificates into a file, which the crate of the plugins can ship; only if no case fails.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Reference {
    /// Writes into a file.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}
