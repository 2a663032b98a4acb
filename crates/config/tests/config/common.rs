//! Plugins that do nothing, one or two of each kind, so that run files can be read without the real ones.
#![allow(missing_docs, dead_code, clippy::upper_case_acronyms)]

use pleach_config::{Failure, Resolved};
use pleach_core::image::Image;
use pleach_core::kinds::metric::Part;
use pleach_core::kinds::model::ModelSpec;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::kinds::task::Report;
use pleach_core::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn nothing<T>() -> Result<T> {
    Err(Error::new("PL0201", "a test's plugin does nothing"))
}

pub mod tasks {
    use super::*;

    macro_rules! task {
        ($name:ident, $form:expr, $targets:expr, $parts:expr, $own:expr, $losses:expr, $metrics:expr) => {
            impl Task for $name {
                fn model_spec(&self, _: &DataInfo) -> Result<ModelSpec> {
                    nothing()
                }
                fn gives(&self) -> Gives {
                    Gives { form: $form, targets: $targets.to_vec(), parts: $parts.to_vec() }
                }
                fn collate(&self, _: Vec<Row>, _: &CollateCx<'_>) -> Result<Batch> {
                    nothing()
                }
                fn own_objective(&self) -> bool {
                    $own
                }
                fn decoder(&self, _: &DataInfo) -> Box<dyn Decoder> {
                    struct None;
                    impl Decoder for None {
                        fn decode(&mut self, _: &Named<Tensor>, _: &Batch) -> Result<Vec<Row>> {
                            nothing()
                        }
                    }
                    Box::new(None)
                }
                fn default_losses(&self) -> &'static [&'static str] {
                    $losses
                }
                fn default_metrics(&self) -> &'static [&'static str] {
                    $metrics
                }
                fn report(&self, _: &Row, _: &Row, _: &DataInfo) -> Result<Report> {
                    nothing()
                }
            }
        };
    }

    /// One class for an image.
    #[plugin(task)]
    pub struct Sorting {}
    task!(Sorting, Form::Logits, [Target::Class], [Part::Labels], false, &["ClassLoss"], &["Hits"]);

    /// A class for each pixel; proposes nothing.
    #[plugin(task)]
    pub struct Painting {
        /// Which colours are classes.
        #[plugin(default = std::collections::BTreeMap::new())]
        pub colours: std::collections::BTreeMap<String, [u8; 3]>,
    }
    task!(Painting, Form::Logits, [Target::Class, Target::Mask], [Part::Maps], false, &[], &[]);

    /// Computes its own objective.
    #[plugin(task)]
    pub struct Dreaming {}
    task!(Dreaming, Form::Values, [Target::Values], [Part::Values], true, &[], &[]);

    /// Says which images show the same.
    #[plugin(task)]
    pub struct Matching {}
    task!(Matching, Form::Embeddings, [Target::Pair], [Part::Labels], false, &["PairLoss"], &["Hits"]);
}

/// A net of one layer.
#[plugin(model)]
pub struct OneLayer {
    /// Channels.
    #[plugin(default = vec![8, 16])]
    pub channels: Vec<usize>,
    /// Share of values that are dropped.
    #[plugin(default = 0.0, range = 0.0..1.0)]
    pub dropout: f64,
}
impl Model for OneLayer {
    fn build(&self, _: Scope<'_>, _: &ModelSpec) -> Result<Box<dyn Net>> {
        nothing()
    }
}

/// Samples of a folder.
#[plugin(source)]
pub struct Shelf {
    /// The folder.
    #[plugin(example = PathBuf::from("data"))]
    pub root: PathBuf,
    /// Another folder.
    pub masks: Option<PathBuf>,
}
impl Source for Shelf {
    fn open(&self, _: &SourceCx) -> Result<Box<dyn Samples>> {
        nothing()
    }
}

/// Samples out of nothing.
#[plugin(source)]
pub struct Nowhere {}
impl Source for Nowhere {
    fn open(&self, _: &SourceCx) -> Result<Box<dyn Samples>> {
        nothing()
    }
}

pub mod losses {
    use super::*;

    macro_rules! loss {
        ($name:ident, $form:expr, $target:expr) => {
            impl Loss for $name {
                fn wants(&self) -> Wants {
                    Wants { form: $form, target: $target }
                }
                fn forward(&self, _: &LossInput<'_>) -> Result<Tensor> {
                    nothing()
                }
            }
        };
    }

    /// For classes.
    #[plugin(loss, alias = ["ClassLossLoss"])]
    pub struct ClassLoss {
        /// Weight of each class.
        pub weight: Option<Vec<f64>>,
        /// Spreads the target over the classes.
        #[plugin(default = 0.0, range = 0.0..=1.0)]
        pub label_smoothing: f64,
    }
    loss!(ClassLoss, Form::Logits, Target::Class);

    /// For masks.
    #[plugin(loss)]
    pub struct MaskLoss {
        /// Keeps the quotient finite.
        #[plugin(default = 1.0, above = 0.0)]
        pub smooth: f64,
    }
    loss!(MaskLoss, Form::Logits, Target::Mask);

    /// For numbers.
    #[plugin(loss)]
    pub struct ValueLoss {}
    loss!(ValueLoss, Form::Values, Target::Values);

    /// For probabilities.
    #[plugin(loss)]
    pub struct OddsLoss {}
    loss!(OddsLoss, Form::Probabilities, Target::Mask);

    /// For logarithms of probabilities.
    #[plugin(loss)]
    pub struct LikelyLoss {}
    loss!(LikelyLoss, Form::LogProbabilities, Target::Class);

    /// For pairs.
    #[plugin(loss)]
    pub struct PairLoss {}
    loss!(PairLoss, Form::Embeddings, Target::Pair);

    /// For triplets.
    #[plugin(loss)]
    pub struct TripletLoss {}
    loss!(TripletLoss, Form::Embeddings, Target::Nothing);
}

pub mod metrics {
    use super::*;

    macro_rules! metric {
        ($name:ident, $part:expr, $main:literal) => {
            impl Metric for $name {
                type State = ();
                fn start(&self, _: &DataInfo) {}
                fn update(&self, _: &mut (), _: &Row, _: &Row) -> Result<()> {
                    Ok(())
                }
                fn merge(&self, _: &mut (), _: ()) {}
                fn values(&self, _: &()) -> Named<f64> {
                    Named::one($main, 0.5)
                }
                fn better(&self) -> Better {
                    Better::Higher
                }
                fn reads(&self) -> Part {
                    $part
                }
            }
        };
    }

    /// Share of labels that are right.
    #[plugin(metric)]
    pub struct Hits {
        /// How the mean over classes is taken.
        #[plugin(default = Mean::Micro)]
        pub average: Mean,
    }
    metric!(Hits, Part::Labels, "hits");

    /// How a mean is taken.
    #[config]
    pub enum Mean {
        /// Over samples.
        Micro,
        /// Over classes.
        Macro,
    }

    /// Overlap of maps.
    #[plugin(metric)]
    pub struct Overlap {}
    metric!(Overlap, Part::Maps, "mean_overlap");
}

pub mod optimizers {
    use super::*;

    macro_rules! optimizer {
        ($name:ident) => {
            impl Optimizer for $name {
                fn lr(&self) -> f64 {
                    self.lr
                }
                fn update(&self, _: &Tensor, _: &Tensor, _: &mut ParamSlots, _: &Hyper) -> Result<Tensor> {
                    nothing()
                }
            }
        };
    }

    /// The usual one.
    #[plugin(optimizer)]
    pub struct AdamW {
        /// Learning rate.
        #[plugin(default = 1e-3, range = 0.0..)]
        pub lr: f64,
        /// Decay of the averages.
        #[plugin(default = (0.9, 0.999), range = 0.0..1.0)]
        pub betas: (f64, f64),
        /// Whether the greatest average is kept.
        #[plugin(default = false)]
        pub amsgrad: bool,
        /// A choice of implementation.
        #[plugin(idle)]
        pub foreach: Option<bool>,
    }
    optimizer!(AdamW);

    /// The plain one.
    #[plugin(optimizer)]
    pub struct SGD {
        /// Learning rate.
        #[plugin(default = 0.01, range = 0.0..)]
        pub lr: f64,
        /// Share of the last step.
        #[plugin(default = 0.0, range = 0.0..1.0)]
        pub momentum: f64,
    }
    optimizer!(SGD);
}

pub mod schedulers {
    use super::*;

    /// Drops now and then.
    #[plugin(scheduler, alias = ["LinearLR"])]
    pub struct Stairs {
        /// Ticks between drops.
        #[plugin(default = 5)]
        pub total_iters: u64,
    }
    impl Scheduler for Stairs {
        type State = ();
        fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<()> {
            Ok(())
        }
        fn rate(&self, _: &mut (), _: &Tick, _: &mut [GroupRates]) -> Result<()> {
            Ok(())
        }
    }

    /// Drops when a metric no longer moves.
    #[plugin(scheduler)]
    pub struct ReduceLROnPlateau {
        /// What is watched.
        #[plugin(default = "val_loss".into())]
        pub monitor: String,
        /// Ticks without progress.
        #[plugin(default = 10)]
        pub patience: u32,
        /// Least rate; none for no bound.
        #[plugin(default = Some(f64::NEG_INFINITY))]
        pub threshold: Option<f64>,
    }
    impl Scheduler for ReduceLROnPlateau {
        type State = ();
        fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<()> {
            Ok(())
        }
        fn rate(&self, _: &mut (), _: &Tick, _: &mut [GroupRates]) -> Result<()> {
            Ok(())
        }
        fn monitors(&self) -> Vec<String> {
            vec![self.monitor.clone()]
        }
    }

    /// One after another.
    #[plugin(scheduler)]
    pub struct SequentialLR {
        /// In this order.
        #[plugin(example = Vec::new())]
        pub schedulers: Vec<Plug<dyn DynScheduler>>,
    }
    impl Scheduler for SequentialLR {
        type State = ();
        fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<()> {
            Ok(())
        }
        fn rate(&self, _: &mut (), _: &Tick, _: &mut [GroupRates]) -> Result<()> {
            Ok(())
        }
        fn monitors(&self) -> Vec<String> {
            self.schedulers.iter().flat_map(|s| s.monitors()).collect()
        }
    }
}

/// Mirrors.
#[plugin(augmentation)]
pub struct Mirror {}
impl Augmentation for Mirror {
    type Draw = ();
    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<()>> {
        Ok(None)
    }
}

/// Shifts colours.
#[plugin(augmentation)]
pub struct Tint {
    /// Mean of each channel.
    #[plugin(default = [0.5, 0.5, 0.5])]
    pub mean: [f32; 3],
}
impl Augmentation for Tint {
    type Draw = ();
    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<()>> {
        Ok(None)
    }
    fn touch(&self, _: &(), _: &mut Image) -> Result<()> {
        Ok(())
    }
}

pub mod backends {
    use super::*;

    macro_rules! backend {
        ($name:ident, $seats:expr, $precisions:expr) => {
            impl Backend for $name {
                fn seats(&self) -> &'static [Seat] {
                    $seats
                }
                fn precisions(&self) -> &'static [Precision] {
                    $precisions
                }
            }
        };
    }

    /// Trains.
    #[plugin(backend)]
    pub struct CandleCpu {}
    backend!(CandleCpu, &[Seat::Train, Seat::Eval], &[Precision::F32, Precision::F64]);

    /// Fuses.
    #[plugin(backend)]
    pub struct Cpu {}
    backend!(Cpu, &[Seat::Kernels], &[]);

    /// Trains in few bits.
    #[plugin(backend)]
    pub struct Narrow {}
    backend!(Narrow, &[Seat::Train], &[Precision::Bf16Mixed]);
}

pub mod observers {
    use super::*;

    macro_rules! observer {
        ($name:ident) => {
            impl Observer for $name {
                fn start(&self, _: &RunInfo) -> Result<Box<dyn Watcher>> {
                    nothing()
                }
            }
        };
    }

    /// The record.
    #[plugin(observer)]
    pub struct JsonLines {}
    observer!(JsonLines);

    /// A table.
    #[plugin(observer, alias = ["CSVLogger"])]
    pub struct Csv {
        /// Between columns.
        #[plugin(default = ",".into())]
        pub separator: String,
    }
    observer!(Csv);

    /// Pictures.
    #[plugin(observer)]
    pub struct Curves {}
    observer!(Curves);

    /// Ends a run.
    #[plugin(observer)]
    pub struct EarlyStopping {
        /// What is watched.
        #[plugin(default = "val_loss".into())]
        pub monitor: String,
        /// Validations without progress.
        #[plugin(default = 3)]
        pub patience: u32,
        /// Ends beyond this.
        pub divergence_threshold: Option<f64>,
    }
    impl Observer for EarlyStopping {
        fn start(&self, _: &RunInfo) -> Result<Box<dyn Watcher>> {
            nothing()
        }
        fn monitors(&self) -> Vec<String> {
            vec![self.monitor.clone()]
        }
    }
}

/// Keeps the best.
#[plugin(keeper)]
pub struct Best {
    /// What is watched.
    #[plugin(example = "val_loss".into())]
    pub monitor: String,
}
impl Keeper for Best {
    type State = ();
    fn start(&self) {}
    fn hold(&self, _: &mut (), _: &Candidate, _: &RunInfo) -> Action {
        BTreeSet::new()
    }
    fn monitors(&self) -> Vec<String> {
        vec![self.monitor.clone()]
    }
}

/// The least that a file must say.
pub const LEAST: &str = "task = \"Sorting\"\nmodel = \"OneLayer\"\ndataset.train = \"Nowhere\"\n";

/// Reads a text as `run.toml` of the folder `/project`.
pub fn read(text: &str) -> std::result::Result<Resolved, Failure> {
    pleach_config::from_text("run.toml", text, Path::new("/project"))
}

/// Reads a text with `--set`s.
pub fn read_set(text: &str, sets: &[&str]) -> std::result::Result<Resolved, Failure> {
    let sources = pleach_config::Sources::text("run.toml", text, Path::new("/project"));
    pleach_config::resolve(sets.iter().fold(sources, |all, set| all.set(set)))
}

/// A run that must be right.
pub fn right(text: &str) -> Resolved {
    read(text).unwrap_or_else(|failure| panic!("{}", failure.render(pleach_config::Paint::Plain)))
}

/// As [`right`], with `--set`s.
pub fn right_set(text: &str, sets: &[&str]) -> Resolved {
    read_set(text, sets).unwrap_or_else(|failure| panic!("{}", failure.render(pleach_config::Paint::Plain)))
}

/// The mistakes of a text, as they are shown.
pub fn shown(text: &str) -> String {
    read(text).expect_err("a mistake").render(pleach_config::Paint::Plain)
}

/// The mistakes of a text with `--set`s, as they are shown.
pub fn shown_set(text: &str, sets: &[&str]) -> String {
    read_set(text, sets).expect_err("a mistake").render(pleach_config::Paint::Plain)
}

/// Code and place of each mistake: `PL0104 run.toml:3:1`.
pub fn places(failure: &Failure) -> Vec<String> {
    let at = |d: &diagnostic::Diagnostic| d.place.and_then(|p| failure.location(p)).unwrap_or_else(|| "-".into());
    failure.diagnostics.iter().map(|d| format!("{} {}", d.code, at(d))).collect()
}
