//! Losses of maps and of classes: values and gradients of the libraries that name them, in both forms, and clear
//! errors for what cannot be.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::kinds::backend::FusedInput;
use pleach_core::kinds::loss::IGNORED;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value as Written};
use pleach_core::{DType, Device, Form, Loss, LossInput, Named, Plug, Result, Rng, Target, Tensor, Var, saved};
use pleach_losses as _;
use serde_json::{Value, json};

fn loss(name: &str, kwargs: &Value) -> Plug<dyn Loss> {
    let mut settings = Plug::<dyn Loss>::named(name).unwrap().saved().unwrap();
    for (key, value) in kwargs.as_object().unwrap() {
        assert!(settings.get(key).is_some(), "{name} has no `{key}`");
        settings[key] = value.clone();
    }
    saved::load(&settings).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn sizes(list: &Value) -> Vec<usize> {
    numbers(list).iter().map(|&d| d as usize).collect()
}

/// A prediction with its target.
struct Case {
    shape: Vec<usize>,
    logits: Vec<f64>,
    target_shape: Vec<usize>,
    target: Vec<f64>,
}

impl Case {
    fn new(loss: &Plug<dyn Loss>, case: &Value) -> Self {
        let shape = sizes(&case["shape"]);
        let target_shape = match (case.get("target_shape"), loss.wants().target) {
            (Some(given), _) => sizes(given),
            (None, Target::Class) => [&shape[..1], &shape[2..]].concat(),
            (None, _) => shape.clone(),
        };
        Self { shape, logits: numbers(&case["logits"]), target_shape, target: numbers(&case["target"]) }
    }

    fn differentiate(&self, loss: &Plug<dyn Loss>, dtype: DType) -> Result<(f64, Vec<f64>)> {
        let x = Tensor::from_vec(self.logits.clone(), self.shape.as_slice(), &Device::Cpu)?.to_dtype(dtype)?;
        let x = Var::from_tensor(&x)?;
        let target = Tensor::from_vec(self.target.clone(), self.target_shape.as_slice(), &Device::Cpu)?;
        let kind = loss.wants().target;
        let target = target.to_dtype(if kind == Target::Class { DType::U32 } else { dtype })?;
        let value = loss.forward(&LossInput { prediction: &x, targets: &Named::one(kind.key(), target) })?;
        assert_eq!(value.rank(), 0);
        let grad = value
            .backward()?
            .get(&x)
            .unwrap_or_else(|| panic!("no gradient: {loss:?}"))
            .to_dtype(DType::F64)?
            .flatten_all()?
            .to_vec1()?;
        Ok((value.to_dtype(DType::F64)?.to_scalar()?, grad))
    }

    fn fused(&self, loss: &Plug<dyn Loss>) -> Option<Result<(f64, Vec<f64>)>> {
        let prediction: Vec<f32> = self.logits.iter().map(|&x| x as f32).collect();
        let (mut target, mut classes) = (Vec::new(), Vec::new());
        match loss.wants().target {
            Target::Class => classes = self.target.iter().map(|&x| x as u32).collect(),
            _ => target = self.target.iter().map(|&x| x as f32).collect(),
        }
        let input = FusedInput { prediction: &prediction, shape: &self.shape, target: &target, classes: &classes };
        let made = (loss.fused()?.cpu)(&input);
        Some(made.map(|(value, gradient)| (value, gradient.into_iter().map(f64::from).collect())))
    }
}

/// The largest error, as a share of what is allowed.
fn error(ours: &(f64, Vec<f64>), theirs: &(f64, Vec<f64>), absolute: f64, relative: f64) -> f64 {
    assert_eq!(ours.1.len(), theirs.1.len());
    let pairs = std::iter::once((ours.0, theirs.0)).chain(ours.1.iter().copied().zip(theirs.1.iter().copied()));
    let share =
        |(a, b): (f64, f64)| if a.is_nan() { f64::INFINITY } else { (a - b).abs() / (absolute + relative * b.abs()) };
    pairs.map(share).fold(0.0, f64::max)
}

fn cases() -> Vec<Value> {
    let text = include_str!("../../../tests/goldens/losses_maps.json");
    serde_json::from_str::<Value>(text).unwrap()["cases"].as_array().unwrap().clone()
}

#[test]
fn values_and_gradients_are_those_of_the_libraries_that_name_the_losses() {
    let mut wrong = Vec::new();
    for golden in cases() {
        let name = golden["name"].as_str().unwrap();
        let loss = loss(name, &golden["kwargs"]);
        let case = Case::new(&loss, &golden);
        let theirs = (golden["value"].as_f64().unwrap(), numbers(&golden["grad"]));
        let mut hold = |form: &str, ours: Result<(f64, Vec<f64>)>, absolute, relative| {
            let ours = ours.unwrap_or_else(|e| panic!("{name} {} {form}: {e}", golden["kwargs"]));
            let error = error(&ours, &theirs, absolute, relative);
            if error > 1.0 {
                wrong.push(format!(
                    "{name} {} {form}: {error:.1} times what is allowed: {} and {}",
                    golden["kwargs"], ours.0, theirs.0
                ));
            }
        };
        hold("in f64", case.differentiate(&loss, DType::F64), 1e-11, 1e-9);
        hold("in f32", case.differentiate(&loss, DType::F32), 1e-6, 1e-5);
        if let Some(ours) = case.fused(&loss) {
            hold("fused", ours, 1e-6, 1e-5);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A case of random logits of a shape, with random targets of the kind that a loss wants.
fn random(loss: &Plug<dyn Loss>, shape: &[usize], seed: u64) -> Case {
    let mut rng = Rng::named(seed, pleach_core::Purpose::Other, "maps");
    let n: usize = shape.iter().product();
    let wants = loss.wants();
    let mut number = || match wants.form {
        Form::Probabilities => rng.uniform(),
        _ => 2.0 * rng.normal(),
    };
    let logits = (0..n).map(|_| number()).collect();
    let (target_shape, target): (Vec<usize>, Vec<f64>) = match wants.target {
        Target::Class => {
            let m = n / shape[1];
            ([&shape[..1], &shape[2..]].concat(), (0..m).map(|_| f64::from(rng.below(shape[1] as _) as u32)).collect())
        }
        _ => (shape.to_vec(), (0..n).map(|_| f64::from(rng.below(2) as u32)).collect()),
    };
    Case { shape: shape.to_vec(), logits, target_shape, target }
}

/// All names with the settings that change their passes.
fn variants() -> Vec<Plug<dyn Loss>> {
    let reduce =
        |name: &'static str| ["batch", "sample", "class", "sample_class"].map(|r| (name, json!({ "reduce": r })));
    let mut all = vec![
        ("BCE", json!({ "pos_weight": [0.5] })),
        ("Dice+BCE", json!({})),
        ("CrossEntropy", json!({ "label_smoothing": 0.1 })),
        ("MulticlassDice", json!({})),
        ("CE+Dice", json!({ "label_smoothing": 0.1, "lambda_ce": 0.3 })),
        ("Focal", json!({})),
        ("Focal", json!({ "gamma": 0.5, "alpha": 0.3 })),
        ("Focal", json!({ "mode": "binary", "alpha": 0.25, "gamma": 0.5 })),
        ("FocalLoss", json!({})),
        ("FocalLoss", json!({ "use_softmax": true })),
        ("Jaccard", json!({})),
        ("Jaccard", json!({ "mode": "binary", "log_loss": true })),
        ("Lovasz", json!({})),
        ("Lovasz", json!({ "mode": "binary", "per_image": true })),
        ("DiceCELoss", json!({ "softmax": true })),
        ("DiceCELoss", json!({ "sigmoid": true })),
        ("DiceLoss", json!({ "sigmoid": true, "squared_pred": true, "include_background": false })),
        ("DiceLoss", json!({ "softmax": true, "squared_pred": true, "batch": true })),
        ("DiceLoss", json!({ "softmax": true, "jaccard": true, "smooth_nr": 0.0, "smooth_dr": 0.0 })),
        ("TverskyLoss", json!({ "sigmoid": true, "alpha": 0.2, "beta": 0.9 })),
        ("TverskyLoss", json!({ "softmax": true, "smooth_nr": 0.0, "smooth_dr": 0.0 })),
        ("GeneralizedDice", json!({ "softmax": true })),
        ("GeneralizedDice", json!({ "sigmoid": true, "batch": true, "w_type": "simple" })),
    ];
    all.extend(reduce("Dice"));
    all.extend(reduce("Tversky"));
    all.extend(reduce("FocalTversky"));
    all.iter().map(|(name, kwargs)| loss(name, kwargs)).collect()
}

const SHAPES: [&[usize]; 6] = [&[3, 4], &[2, 3, 5], &[1, 2, 3, 4], &[2, 5, 70, 61], &[300, 7], &[2, 2, 3, 4, 5]];

#[test]
fn one_pass_gives_what_the_definition_gives_over_shapes() {
    for loss in variants() {
        for (seed, shape) in SHAPES.iter().enumerate() {
            let case = random(&loss, shape, seed as u64);
            let Some(ours) = case.fused(&loss) else { continue };
            let exact = case.differentiate(&loss, DType::F64).unwrap();
            let error = error(&ours.unwrap(), &exact, 1e-6, 1e-5);
            assert!(error < 1.0, "{loss:?} of shape {shape:?}: {error} times what is allowed");
        }
    }
}

#[test]
fn gradients_are_those_of_the_values_over_shapes() {
    for loss in variants() {
        for (seed, shape) in [&[3, 4][..], &[2, 3, 5], &[2, 2, 2, 3]].iter().enumerate() {
            let case = random(&loss, shape, seed as u64);
            let (_, grad) = case.differentiate(&loss, DType::F64).unwrap();
            for (i, grad) in grad.iter().enumerate() {
                let at = |step: f64| {
                    let mut logits = case.logits.clone();
                    logits[i] += step;
                    let moved = Case {
                        logits,
                        shape: case.shape.clone(),
                        target: case.target.clone(),
                        ..random(&loss, shape, 0)
                    };
                    moved.differentiate(&loss, DType::F64).unwrap().0
                };
                let h = 1e-6;
                let slope = (at(h) - at(-h)) / (2.0 * h);
                assert!(
                    (slope - grad).abs() < 1e-7 + 1e-5 * grad.abs(),
                    "{loss:?} of shape {shape:?}: {grad} is not {slope}"
                );
            }
        }
    }
}

#[test]
fn extremes_are_finite_in_every_form() {
    for loss in variants() {
        for shape in [&[2, 3, 2, 4][..], &[3, 4]] {
            for truth in [None, Some(0.0), Some(1.0)] {
                for size in [100.0, -100.0] {
                    let mut case = random(&loss, shape, 3);
                    if let Some(truth) = truth {
                        case.target.fill(truth);
                    }
                    case.logits.iter_mut().enumerate().for_each(|(i, x)| *x = if i % 3 == 0 { -size } else { size });
                    let forms = [DType::F32, DType::F64].map(|dtype| case.differentiate(&loss, dtype).unwrap());
                    for (value, grad) in forms.into_iter().chain(case.fused(&loss).map(Result::unwrap)) {
                        let finite = value.is_finite() && grad.iter().all(|g| g.is_finite());
                        assert!(finite, "{loss:?} of {shape:?}, targets {truth:?}, logits {size}: {value} {grad:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_does_not_count_changes_nothing_and_gets_no_gradient() {
    let settings = json!({ "ignore_index": 9 });
    for name in ["CrossEntropy", "MulticlassDice", "CE+Dice", "Focal", "Jaccard", "Lovasz"] {
        let loss = loss(name, &settings);
        let mut case = random(&loss, &[2, 3, 4, 5], 1);
        (case.target[0], case.target[7], case.target[39]) = (9.0, f64::from(IGNORED), 9.0);
        let forms = |case: &Case| {
            let mut all = vec![case.differentiate(&loss, DType::F64).unwrap()];
            all.extend(case.fused(&loss).map(Result::unwrap));
            all
        };
        let before = forms(&case);
        for at in [0, 20, 40, 7, 27, 47, 79, 99, 119] {
            case.logits[at] += 3.0;
            for (before, after) in before.iter().zip(forms(&case)) {
                assert!(after.0 == before.0 && before.1[at] == 0.0, "{name}: {} and {} at {at}", before.0, after.0);
            }
            case.logits[at] -= 3.0;
        }
        case.target.fill(9.0);
        for (value, grad) in forms(&case) {
            let nothing = if name == "CE+Dice" { value } else { 0.0 };
            assert!(value == nothing && grad.iter().all(|g| *g == 0.0), "{name} of nothing: {value} {grad:?}");
        }
    }
}

#[test]
fn an_empty_batch_is_an_error_that_says_so() {
    for loss in variants() {
        for shape in [&[0, 3, 2, 2][..], &[2, 3, 0, 2]] {
            let case = random(&loss, shape, 0);
            for error in
                [case.differentiate(&loss, DType::F32).map(|_| ()).err(), case.fused(&loss).and_then(Result::err)]
            {
                let Some(error) = error else { continue };
                assert_eq!(error.code(), "PL0327", "{loss:?}: {error}");
            }
            assert!(case.differentiate(&loss, DType::F32).is_err(), "{loss:?}");
        }
    }
}

#[test]
fn a_class_outside_and_a_target_of_another_shape_are_errors_in_every_form() {
    for loss in variants() {
        let mut case = random(&loss, &[2, 3, 2, 2], 0);
        if loss.wants().target == Target::Class {
            case.target[5] = 3.0;
            let errors =
                [case.differentiate(&loss, DType::F32).map(|_| ()).err(), case.fused(&loss).and_then(Result::err)];
            assert!(errors[0].is_some());
            for error in errors.into_iter().flatten() {
                assert!(error.code() == "PL0326" && error.to_string().contains("class 3"), "{loss:?}: {error}");
            }
        }
        let mut case = random(&loss, &[2, 3, 2, 2], 0);
        case.target_shape[0] = 1;
        case.target.truncate(case.target.len() / 2);
        assert_eq!(case.differentiate(&loss, DType::F32).unwrap_err().code(), "PL0217", "{loss:?}");
        if let Some(fused) = case.fused(&loss) {
            assert_eq!(fused.unwrap_err().code(), "PL0217", "{loss:?}");
        }
    }
}

#[test]
fn weights_that_do_not_fit_the_classes_are_errors() {
    let named = [
        ("CrossEntropy", json!({ "weight": [1.0, 2.0] })),
        ("MulticlassDice", json!({ "weight": [1.0, 2.0] })),
        ("CE+Dice", json!({ "weight": [1.0, 2.0] })),
        ("Jaccard", json!({ "weight": [1.0, 2.0] })),
        ("Lovasz", json!({ "weight": [1.0, 2.0] })),
        ("Focal", json!({ "alpha": [1.0, 2.0] })),
        ("FocalLoss", json!({ "alpha": [1.0, 0.5] })),
        ("DiceLoss", json!({ "softmax": true, "weight": [1.0, 2.0, 3.0], "include_background": false })),
        ("DiceCELoss", json!({ "softmax": true, "weight": [1.0, 2.0] })),
    ];
    for (name, kwargs) in named {
        let loss = loss(name, &kwargs);
        let case = random(&loss, &[2, 3, 4], 0);
        assert_eq!(case.differentiate(&loss, DType::F32).unwrap_err().code(), "PL0216", "{name}");
        if let Some(fused) = case.fused(&loss) {
            assert_eq!(fused.unwrap_err().code(), "PL0216", "{name}");
        }
    }
}

#[test]
fn softmax_over_one_channel_is_an_error() {
    for (name, kwargs) in
        [("DiceLoss", json!({ "softmax": true })), ("Lovasz", json!({})), ("MulticlassDice", json!({}))]
    {
        let case = Case { shape: vec![2, 1, 2], logits: vec![0.0; 4], target_shape: vec![2, 2], target: vec![0.0; 4] };
        let loss = loss(name, &kwargs);
        assert!(case.differentiate(&loss, DType::F32).unwrap_err().to_string().contains("one channel"), "{name}");
    }
}

#[test]
fn a_class_that_is_not_there_and_not_predicted_is_right() {
    let loss = loss("MulticlassDice", &json!({ "smooth": 0.0 }));
    let logits = vec![300.0, 300.0, -500.0, -500.0, -800.0, -900.0];
    let case = Case { shape: vec![1, 3, 2], logits, target_shape: vec![1, 2], target: vec![0.0, 0.0] };
    assert_eq!(case.differentiate(&loss, DType::F64).unwrap().0, 0.0);
    assert!(case.fused(&loss).unwrap().unwrap().0.abs() < 1e-7);
}

#[test]
fn a_bare_name_is_the_polyp_formula_and_monais_class_is_monais() {
    let wants = |name: &str| loss(name, &json!({})).wants();
    assert_eq!((wants("Dice").form, wants("DiceLoss").form), (Form::Logits, Form::Probabilities));
    for (alias, name) in [
        ("BCEWithLogitsLoss", "BCE"),
        ("CrossEntropyLoss", "CrossEntropy"),
        ("FocalTverskyLoss", "FocalTversky"),
        ("GeneralizedDiceLoss", "GeneralizedDice"),
        ("JaccardLoss", "Jaccard"),
        ("LovaszLoss", "Lovasz"),
        ("DiceCE", "CE+Dice"),
        ("DiceBCE", "Dice+BCE"),
    ] {
        assert_eq!(Plug::<dyn Loss>::named(alias).unwrap().name(), name);
    }
}

/// What is wrong with a loss as a file has it.
fn complaints(name: &str, key: &str, value: Written) -> String {
    let place = Place { source: 0, start: 0, end: 0 };
    let entry = |key: &str, value| (Key { name: key.into(), place }, Node { value, place });
    let entries = vec![entry("name", Written::Str(name.into())), entry(key, value)];
    let mut r = Reader::default();
    let plug = Plug::<dyn Loss>::read(&Node { value: Written::Table(Table { entries }), place }, &mut r);
    assert!(plug.is_none() || r.diagnostics.is_empty());
    r.diagnostics.iter().map(|d| format!("{} {}\n", d.code, d.message)).collect()
}

#[test]
fn parameters_that_cannot_be_are_refused_in_the_file() {
    let text = |s: &str| Written::Str(s.into());
    assert!(complaints("CrossEntropy", "reduction", text("none")).contains("training follows one number"));
    assert!(complaints("Focal", "gamma", Written::Float(-1.0)).contains("`gamma`"));
    assert!(complaints("Focal", "alpha", Written::Float(0.0)).contains("`alpha`"));
    assert!(complaints("FocalLoss", "alpha", Written::Float(1.5)).contains("at most 1"));
    assert!(complaints("Jaccard", "weight", Written::Array(Vec::new())).contains("no weight"));
    assert!(complaints("DiceCELoss", "squared_pred", Written::Bool(true)).contains("needs logits"));
    assert!(complaints("Tversky", "alpha", Written::Float(1.5)).contains("`alpha`"));
    let list = Written::Array(vec![Node { value: Written::Float(0.5), place: Place { source: 0, start: 0, end: 0 } }]);
    assert_eq!(complaints("Focal", "alpha", list), "");
    assert_eq!(complaints("Focal", "alpha", Written::Int(1)), "");
}
