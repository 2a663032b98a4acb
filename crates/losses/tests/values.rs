//! Losses of values, probabilities and embeddings are the references', in both forms, and say what they cannot take.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::kinds::backend::FusedInput;
use pleach_core::{DType, Device, Form, Loss, LossInput, Named, Plug, Result, Target, Tensor, Var, saved};
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
    list.as_array().map(|list| list.iter().map(|x| x.as_f64().unwrap()).collect()).unwrap_or_default()
}

fn shape(list: &Value) -> Vec<usize> {
    numbers(list).into_iter().map(|d| d as usize).collect()
}

/// The targets of a case; classes as the data write them.
fn targets(kind: Target, case: &Value, dtype: DType) -> Result<Named<Tensor>> {
    if case["target"].is_null() {
        return Ok(Named::new());
    }
    let dims = if case["target_shape"].is_null() { shape(&case["shape"]) } else { shape(&case["target_shape"]) };
    let numbers = numbers(&case["target"]);
    let target = match kind {
        Target::Class => Tensor::from_vec(numbers.iter().map(|&y| y as i64 as u32).collect(), dims, &Device::Cpu)?,
        _ => Tensor::from_vec(numbers, dims, &Device::Cpu)?.to_dtype(dtype)?,
    };
    Ok(Named::one(kind.key(), target))
}

/// Value and gradient of a case by the definition.
fn differentiate(loss: &Plug<dyn Loss>, case: &Value, dtype: DType) -> Result<(f64, Vec<f64>)> {
    let x = Tensor::from_vec(numbers(&case["logits"]), shape(&case["shape"]), &Device::Cpu)?.to_dtype(dtype)?;
    let x = Var::from_tensor(&x)?;
    let targets = targets(loss.wants().target, case, dtype)?;
    let value = loss.forward(&LossInput { prediction: &x, targets: &targets })?;
    let grads = value.backward()?;
    let grad = grads.get(&x).expect("a gradient").to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    Ok((value.to_dtype(DType::F64)?.to_scalar()?, grad))
}

/// The same by the fused form, where there is one.
fn fused(loss: &Plug<dyn Loss>, case: &Value) -> Option<Result<(f64, Vec<f64>)>> {
    let fused = loss.fused()?;
    let single = |key: &str| numbers(&case[key]).iter().map(|&x| x as f32).collect::<Vec<_>>();
    let (prediction, target) = (single("logits"), single("target"));
    let input = FusedInput {
        prediction: &prediction,
        shape: &shape(&case["shape"]),
        target: &target,
        classes: &numbers(&case["target"]).iter().map(|&y| y as i64 as u32).collect::<Vec<_>>(),
    };
    let made = (fused.cpu)(&input);
    Some(made.map(|(value, gradient)| (value, gradient.into_iter().map(f64::from).collect())))
}

/// The largest error of value and gradient, in tolerances.
fn excess(ours: &(f64, Vec<f64>), case: &Value, absolute: f64, relative: f64) -> f64 {
    let theirs = numbers(&case["grad"]);
    assert_eq!(ours.1.len(), theirs.len());
    let value = (ours.0, case["value"].as_f64().unwrap());
    let all = ours.1.iter().copied().zip(theirs).chain([value]);
    all.fold(0.0, |worst, (a, b)| f64::max(worst, (a - b).abs() / (absolute + relative * b.abs())))
}

fn replayed(text: &str) -> usize {
    let file: Value = serde_json::from_str(text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let loss = loss(case["name"].as_str().unwrap(), &case["kwargs"]);
        let what = format!("{} {} {}", case["name"], case["kwargs"], case["shape"]);
        let double = case["dtype"] == "float64";
        let (dtype, absolute, relative) = if double { (DType::F64, 1e-13, 1e-12) } else { (DType::F32, 1e-6, 1e-5) };
        let worst = excess(&differentiate(&loss, case, dtype).unwrap(), case, absolute, relative);
        assert!(worst <= 1.0, "{what} is off by {worst} tolerances");
        if let Some(fused) = fused(&loss, case).filter(|_| !double) {
            let worst = excess(&fused.unwrap(), case, absolute, relative);
            assert!(worst <= 1.0, "{what}, fused, is off by {worst} tolerances");
        }
    }
    cases.len()
}

#[test]
fn losses_of_values_probabilities_and_embeddings_are_pytorchs() {
    assert_eq!(replayed(include_str!("../../../tests/goldens/losses_values.json")), 122);
}

#[test]
fn similarity_is_that_of_torchmetrics() {
    assert_eq!(replayed(include_str!("../../../tests/goldens/losses_values_ssim.json")), 4);
}

#[test]
fn each_says_what_it_wants() {
    for (names, form, target) in [
        (vec!["MSE", "L1", "SmoothL1", "Huber", "SSIM"], Form::Values, Target::Values),
        (vec!["BCELoss"], Form::Probabilities, Target::Mask),
        (vec!["KLDiv"], Form::LogProbabilities, Target::Values),
        (vec!["NLL"], Form::LogProbabilities, Target::Class),
        (vec!["CosineEmbedding"], Form::Embeddings, Target::Pair),
        (vec!["TripletMargin"], Form::Embeddings, Target::Nothing),
    ] {
        for name in names {
            let wants = loss(name, &json!({})).wants();
            assert_eq!((wants.form, wants.target), (form, target), "{name}");
        }
    }
}

/// The code of the error that both forms (where there are two) give.
fn refused(name: &str, kwargs: &Value, case: &Value) -> &'static str {
    let loss = loss(name, kwargs);
    let error = differentiate(&loss, case, DType::F32).unwrap_err();
    if let Some(fused) = fused(&loss, case) {
        assert_eq!(fused.unwrap_err().code(), error.code(), "{name}");
    }
    error.code()
}

#[test]
fn what_is_no_probability_is_refused() {
    let case = json!({ "shape": [3], "logits": [0.2, 1.5, 0.3], "target": [0.0, 1.0, 1.0] });
    assert_eq!(refused("BCELoss", &json!({}), &case), "PL0329");
    let case = json!({ "shape": [3], "logits": [-0.1, 0.5, 0.3], "target": [0.0, 1.0, 1.0] });
    assert_eq!(refused("BCELoss", &json!({}), &case), "PL0329");
    let case = json!({ "shape": [1, 2], "logits": [-0.7, -0.7], "target": [1.5, -0.5] });
    assert_eq!(refused("KLDiv", &json!({}), &case), "PL0329");
    let logs = loss("KLDiv", &json!({ "log_target": true }));
    assert!(differentiate(&logs, &case, DType::F32).is_ok() && fused(&logs, &case).unwrap().is_ok());
}

#[test]
fn targets_that_do_not_fit_are_refused() {
    let short = json!({ "shape": [2, 2], "logits": [0.2, 0.5, 0.3, 0.1], "target_shape": [2], "target": [0.0, 1.0] });
    for name in ["MSE", "L1", "SmoothL1", "Huber", "KLDiv", "BCELoss"] {
        assert_eq!(refused(name, &json!({}), &short), "PL0217", "{name}");
    }
    let outside = json!({ "shape": [2, 2], "logits": [0.2, 0.5, 0.3, 0.1], "target_shape": [2], "target": [0, 2] });
    assert_eq!(refused("NLL", &json!({}), &outside), "PL0326");
    assert_eq!(refused("NLL", &json!({ "weight": [1.0] }), &short), "PL0216");
}

#[test]
fn predictions_of_a_shape_without_a_meaning_are_refused() {
    let pairs = json!({ "shape": [1, 2, 2], "logits": [0.2, 0.5, 0.3, 0.1], "target_shape": [1], "target": [1] });
    assert_eq!(refused("TripletMargin", &json!({}), &pairs), "PL0328");
    let flat = json!({ "shape": [2, 2], "logits": [0.2, 0.5, 0.3, 0.1], "target_shape": [2], "target": [1, 1] });
    assert_eq!(refused("CosineEmbedding", &json!({}), &flat), "PL0328");
    let small = json!({ "shape": [1, 1, 2, 2], "logits": [0.2, 0.5, 0.3, 0.1], "target": [0, 0, 0, 0] });
    assert_eq!(refused("SSIM", &json!({}), &small), "PL0328");
    let error = differentiate(&loss("SSIM", &json!({})), &small, DType::F32).unwrap_err();
    assert!(error.to_string().contains("`sigma`"), "{error}");
}

#[test]
fn where_no_target_counts_likelihood_and_gradient_are_0() {
    let case = json!({ "shape": [2, 2], "logits": [-0.2, -0.5, -0.3, -0.1], "target_shape": [2], "target": [-100, 7] });
    let loss = loss("NLL", &json!({ "ignore_index": 7 }));
    assert_eq!(differentiate(&loss, &case, DType::F64).unwrap(), (0.0, vec![0.0; 4]));
    assert_eq!(fused(&loss, &case).unwrap().unwrap(), (0.0, vec![0.0; 4]));
}

#[test]
fn equal_images_are_alike_and_their_loss_has_no_slope() {
    let image: Vec<f64> = (0..144).map(|i| f64::from(i * 37 % 64) / 64.0).collect();
    let case = json!({ "shape": [1, 1, 12, 12], "logits": image, "target": image });
    let (value, grad) = differentiate(&loss("SSIM", &json!({})), &case, DType::F64).unwrap();
    assert!(value.abs() < 1e-12 && grad.iter().all(|g| g.abs() < 1e-12), "{value} {grad:?}");
    // Far from 0, where squares lose their last digits, it is still the same in f32.
    let shifted: Vec<f64> = image.iter().map(|x| x + 300.0).collect();
    let dimmed: Vec<f64> = shifted.iter().map(|x| (x - 300.0) * 0.5 + 300.0).collect();
    let case = json!({ "shape": [1, 1, 12, 12], "logits": dimmed, "target": shifted });
    let loss = loss("SSIM", &json!({}));
    let (single, double) = (differentiate(&loss, &case, DType::F32), differentiate(&loss, &case, DType::F64));
    assert!((single.unwrap().0 - double.unwrap().0).abs() < 1e-4);
}

#[test]
fn triplets_of_equal_vectors_have_a_finite_gradient_for_every_power() {
    let case = json!({ "shape": [1, 3, 2], "logits": [1.0, 2.0, 1.0, 2.0, 1.0, 2.0] });
    for p in [1.0, 1.5, 2.0, 7.0, 200.0] {
        for eps in [0.0, 1e-6] {
            let loss = loss("TripletMargin", &json!({ "p": p, "eps": eps }));
            let (value, grad) = differentiate(&loss, &case, DType::F32).unwrap();
            assert!((value - 1.0).abs() < 1e-6 && grad.iter().all(|g| g.is_finite()), "{p} {eps}: {value} {grad:?}");
        }
    }
}

#[test]
fn values_of_half_precision_are_widened() {
    let case = json!({ "shape": [2, 2], "logits": [0.5, 1.0, 0.25, 0.0], "target": [1, 0, 1, 0] });
    for name in ["MSE", "L1", "SmoothL1", "Huber", "BCELoss"] {
        let loss = loss(name, &json!({}));
        let value = |dtype| differentiate(&loss, &case, dtype).unwrap().0;
        assert!((value(DType::BF16) - value(DType::F32)).abs() < 1e-6, "{name}");
    }
}
