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
    /// Says where every value of a run comes from, or what a key means; `pleach explain PL0104`, what an error is about.
    Explain(Explain),
    /// Draws what a run is going to do.
    #[command(subcommand)]
    Plot(Plot),
    /// Writes the JSON Schema of run files, for completion and checks in an editor.
    Schema(Schema),
    /// Says in what two runs differ, and from which step on; exit code 1 if they do.
    Diff(Diff),
    /// Turns a configuration of another system into a run file, and says what has no counterpart.
    Import(Import),
    /// Shows what a run's augmentations make of its samples, with boxes, masks and points drawn in.
    Augment(Augment),
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
    /// Makes a plugin crate that compiles and obeys the laws, to be filled in.
    New(New),
    /// Runs this program with the plugins of the crate in the current folder.
    Dev(Dev),
    /// Builds a program of its own with chosen plugin crates in it.
    Graft(Graft),
}

/// A run file, and what is laid over it. Between the two lie variables of the environment such as
/// `PLEACH__OPTIMIZER__LR=0.01`.
#[derive(Debug, Args)]
pub struct RunFile {
    /// The run file.
    pub file: PathBuf,
    /// Lays a `[profile.NAME]` of the file over it.
    #[arg(long = "profile", value_name = "NAME")]
    pub profiles: Vec<String>,
    /// Sets a value of the file, as in `--set optimizer.lr=0.01`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    pub run: RunFile,
    /// The run's folder; by default `runs/<date>-<name>-<hash>`.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Augment {
    #[command(flatten)]
    pub run: RunFile,
    /// How many samples.
    #[arg(long, default_value_t = 16)]
    pub samples: usize,
    /// Where `sheet.png` and `draws.json` go.
    #[arg(short, long = "out", value_name = "DIR")]
    pub out: PathBuf,
    /// The split: train, val or test.
    #[arg(long, default_value = "train", value_parser = ["train", "val", "test"])]
    pub split: String,
    /// The epoch whose draws are shown.
    #[arg(long, default_value_t = 0)]
    pub epoch: u32,
    /// Tiles side by side.
    #[arg(long, default_value_t = 4)]
    pub columns: usize,
    /// Repeats the draws of a file that this command has written.
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// In place of the run's list, shows every augmentation that there is by itself on the first sample, in `each.jpg`, with
    /// their names in `each.md`.
    #[arg(long, conflicts_with_all = ["replay", "samples"])]
    pub each: bool,
    /// Pixels of a side of a tile.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(16..=2048))]
    pub tile: u32,
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
    #[command(flatten)]
    pub run: RunFile,
    /// Prints the diagnostics as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    pub run: RunFile,
    /// A key of the run, such as `optimizer.lr`.
    pub key: Option<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Plot {
    /// Learning rate and momentum over the steps of the run, as its scheduler, warm-up, groups and phases make them.
    Schedule(PlotSchedule),
}

#[derive(Debug, Args)]
pub struct PlotSchedule {
    #[command(flatten)]
    pub run: RunFile,
    /// Draws into a file, `.svg` or `.png`, in place of the terminal; several times for several.
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Takes what was measured from the log of a run (`log.jsonl`), for schedulers that watch a metric.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Optimizer steps in an epoch, where the data are not at hand to be counted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps_per_epoch: Option<u64>,
    /// Prints one JSON object with the rates of every step.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Schema {
    /// Writes into a file.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// A run's folder, or a run file.
    #[arg(value_name = "RUN_A")]
    pub a: PathBuf,
    /// The other one.
    #[arg(value_name = "RUN_B")]
    pub b: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Import {
    /// The configuration: YAML, JSON or TOML.
    pub file: PathBuf,
    /// The importer; by default the one that knows the file. `pleach list importer` has them all.
    #[arg(long = "as", value_name = "NAME")]
    pub importer: Option<String>,
    /// Writes the run file, in place of printing it.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Ends with exit code 2 if anything has no counterpart.
    #[arg(long)]
    pub strict: bool,
    /// Prints one JSON object: the run, and what became of each value.
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

#[derive(Debug, Args)]
pub struct New {
    /// The kind, such as `loss`.
    pub kind: String,
    /// The plugin's name: `FocalTversky`, or `focal-tversky`.
    pub name: String,
    /// The folder of the new crate; by default one of its name.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// A checkout of pleach to depend on, in place of the registry.
    #[arg(long, value_name = "PATH")]
    pub core: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Dev {
    /// A checkout of pleach to build; by default where the crate has its pleach-core.
    #[arg(long, value_name = "PATH")]
    pub core: Option<PathBuf>,
    /// Asks no registry.
    #[arg(long)]
    pub offline: bool,
    /// Builds a program that runs fast, and takes longer to build.
    #[arg(long)]
    pub release: bool,
    /// The arguments of the program.
    #[arg(last = true)]
    pub args: Vec<std::ffi::OsString>,
}

#[derive(Debug, Args)]
pub struct Graft {
    /// A plugin crate: the path of its folder, or CRATE@VERSION. May be given several times.
    #[arg(long, value_name = "PATH_OR_CRATE@VERSION", required = true)]
    pub with: Vec<String>,
    /// The program to write; its lock stands beside it, and holds the versions when it is built again.
    #[arg(short, long, value_name = "BINARY")]
    pub output: PathBuf,
    /// A checkout of pleach to build; by default where the crates have their pleach-core.
    #[arg(long, value_name = "PATH")]
    pub core: Option<PathBuf>,
    /// Asks no registry.
    #[arg(long)]
    pub offline: bool,
    /// Takes the newest versions that fit, in place of those of the lock.
    #[arg(long)]
    pub update: bool,
    /// Builds soon, and a program that runs slower.
    #[arg(long)]
    pub dev: bool,
}
