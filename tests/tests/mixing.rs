//! Samples that are mixed: their labels are mixed as their pixels are, down to the loss.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::kinds::augmentation::{At, Decision, Pipeline, Pool};
use pleach_core::kinds::loss::SHARES;
use pleach_core::{
    Backend, Cx, DType, Device, LossInput, Named, Net, Params, Result, Row, Samples, Seat, SourceCx, StepCx, Target,
    Tensor,
};
use pleach_tests::{file, log, run};
use std::path::Path;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

#[derive(Debug)]
struct NoKernels;

impl Backend for NoKernels {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

struct All<'a>(&'a dyn Samples);

impl Pool for All<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        self.0.row(index)
    }
}

fn text(augment: &str, task: &str, loss: &str) -> String {
    use pleach_cli as _;
    format!(
        "[task]\nname = \"Classification\"\n{task}\n[model]\nname = \"ConvNet\"\nchannels = [8, 8]\n[[loss]]\n{loss}\n\
         [dataset.train]\nname = \"Digits\"\naugment = [{augment}]\n[dataset.val]\nname = \"Digits\"\n\
         [optimizer]\nname = \"AdamW\"\nlr = 0.01\n[dataloader]\nbatch_size = 16\n[trainer]\nmax_epochs = 3\nlimit_train_batches = 20\nlimit_val_batches = 2\n"
    )
}

/// What a mixing step decided: the partner, and the share that is the sample's own.
fn decided(steps: &[Decision], mixed: impl Fn(&serde_json::Value) -> f64) -> Option<(usize, f64)> {
    let Decision::All(saved) = &steps[0] else { return None };
    let saved: serde_json::Value = serde_json::from_str(&saved.to_string()).unwrap();
    Some((saved["partners"][0]["index"].as_u64().unwrap() as usize, mixed(&saved["draw"])))
}

/// The loss of a batch of mixed samples, and the same by hand: for each the share of its own class times the loss for
/// that class, and the rest times the loss for the class of its partner.
fn both(augment: &str, task: &str, loss: &str, mixed: impl Fn(&serde_json::Value) -> f64) -> (f64, f64) {
    let resolved = pleach_config::from_text("run.toml", &text(augment, task, loss), Path::new("/nowhere"));
    let resolved = resolved.unwrap_or_else(|f| panic!("{}", f.render(pleach_config::Paint::Plain)));
    let run = &resolved.run;
    let samples = run.dataset.train.plug.open(&SourceCx { split: "train".into(), seed: 0 }).unwrap();
    let (pool, info) = (All(&*samples), samples.info());
    let mut params = Params::new(1, DType::F32, &Device::Cpu);
    let net = run.model.plug.build(params.root(), &run.task.model_spec(&info).unwrap()).unwrap();
    let pipeline = Pipeline::new(&run.dataset.train.slot.augment, &NoKernels).with_pool(&pool);
    let (mut rows, mut hand, mut mixes) = (Vec::new(), 0.0, 0);
    for index in 0..8 {
        let mut row = samples.row(index).unwrap();
        let own = row.labels.class.unwrap();
        let steps = pipeline.record(At { seed: 3, epoch: 0, sample: index as u64 }, &mut row).unwrap();
        let one = |class: u32| {
            let mut row = row.clone();
            (row.labels.class, row.labels.scores) = (Some(class), Vec::new());
            loss_of(run, &info, &*net, &params, vec![row])
        };
        hand += match decided(&steps, &mixed) {
            Some((partner, share)) => {
                mixes += 1;
                let other = samples.row(partner).unwrap().labels.class.unwrap();
                share * one(own) + (1.0 - share) * one(other)
            }
            None => one(own),
        } / 8.0;
        rows.push(row);
    }
    assert!(mixes > 0);
    (loss_of(run, &info, &*net, &params, rows), hand)
}

fn loss_of(
    run: &pleach_config::run::Run,
    info: &pleach_core::DataInfo,
    net: &dyn Net,
    params: &Params,
    rows: Vec<Row>,
) -> f64 {
    let batch = pleach_train::evaluate::collate(&*run.task, rows, params, info).unwrap();
    let kernels = &*run.backend.kernels;
    let mut cx = Cx::eval();
    let mut step = StepCx { net, batch: &batch, cx: &mut cx, losses: &run.loss, kernels };
    let loss = run.task.objective(&mut step).unwrap().loss;
    loss.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap()
}

/// The share that a window leaves of an image of 8 x 8 pixels, or what it is of Digits.
fn outside(draw: &serde_json::Value, side: f64) -> f64 {
    let w: Vec<f64> = draw["window"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    1.0 - (w[2] - w[0]) * (w[3] - w[1]) / (side * side)
}

fn side() -> f64 {
    let plug = pleach_core::Plug::<dyn pleach_core::Source>::named("Digits").unwrap();
    let samples = plug.open(&SourceCx { split: "train".into(), seed: 0 }).unwrap();
    samples.row(0).unwrap().size().unwrap().0 as f64
}

#[test]
fn the_loss_of_mixed_samples_is_that_of_both_classes_by_their_shares() {
    let side = side();
    for (task, loss) in [
        ("", "name = \"CrossEntropy\""),
        ("", "name = \"CrossEntropy\"\nlabel_smoothing = 0.1"),
        ("activation = \"sigmoid\"", "name = \"BCE\""),
    ] {
        let (whole, hand) = both("\"MixUp\"", task, loss, |draw| draw["lambda"].as_f64().unwrap());
        assert!((whole - hand).abs() < 1e-5 * hand.abs(), "MixUp, {loss}: {whole}, by hand {hand}");
        let (whole, hand) = both("\"CutMix\"", task, loss, |draw| outside(draw, side));
        assert!((whole - hand).abs() < 1e-5 * hand.abs(), "CutMix, {loss}: {whole}, by hand {hand}");
        let some = r#"{ name = "MixUp", p = 0.5, alpha = 0.4 }"#;
        let (whole, hand) = both(some, task, loss, |draw| draw["lambda"].as_f64().unwrap());
        assert!((whole - hand).abs() < 1e-5 * hand.abs(), "half of them, {loss}: {whole}, by hand {hand}");
    }
}

#[test]
fn shares_of_one_class_are_that_class() {
    use pleach_cli as _;
    let plug = pleach_core::Plug::<dyn pleach_core::Loss>::named("CrossEntropy").unwrap();
    let logits = Tensor::from_vec(vec![0.5f32, -1.0, 2.0, 0.0, 0.25, -0.5], (2, 3), &Device::Cpu).unwrap();
    let mut targets = Named::new();
    targets.insert(Target::Class.key(), Tensor::from_vec(vec![2u32, 0], 2, &Device::Cpu).unwrap());
    let value = |targets: &Named<Tensor>| {
        let x = LossInput { prediction: &logits, targets };
        pleach_core::kinds::loss::value(&*plug, &x, &NoKernels).unwrap().to_scalar::<f32>().unwrap()
    };
    let classes = value(&targets);
    let hot = vec![0f32, 0.0, 1.0, 1.0, 0.0, 0.0];
    targets.insert(SHARES, Tensor::from_vec(hot, (2, 3), &Device::Cpu).unwrap());
    assert!((classes - value(&targets)).abs() < 1e-6);
}

#[test]
fn a_run_learns_from_mixed_samples() {
    let dir = tempfile::tempdir().unwrap();
    for (augment, task, loss) in [
        (r#""MixUp""#, "", "name = \"CrossEntropy\""),
        (r#"{ name = "OneOf", transforms = ["MixUp", "CutMix"] }"#, "activation = \"sigmoid\"", "name = \"BCE\""),
    ] {
        let out = dir.path().join(format!("{}", augment.len()));
        let text = file(dir.path(), &text(augment, task, loss));
        let _ = run(BIN, ["train", text.to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
        let losses: Vec<f64> = log(&out)
            .iter()
            .filter(|l| l["event"] == "step")
            .map(|l| l["metrics"]["train_loss"].as_f64().unwrap())
            .collect();
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        assert_eq!(losses.len(), 60);
        assert!(mean(&losses[50..]) < 0.9 * mean(&losses[..10]), "{augment}: {losses:?}");
    }
}

#[test]
fn a_loss_that_takes_one_class_refuses_mixed_samples() {
    let dir = tempfile::tempdir().unwrap();
    let text = file(dir.path(), &text(r#""MixUp""#, "", "name = \"Focal\"\nmode = \"multiclass\""));
    let out = dir.path().join("out");
    let done = run(BIN, ["train", text.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(done.code != Some(0) && done.err.contains("PL0331"), "{}", done.err);
}
