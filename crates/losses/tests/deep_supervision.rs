//! A loss over several outputs: each with its weight in training, the first alone in evaluation.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::kinds::loss::{LossConfig, LossSlot, weighted_sum};
use pleach_core::{Backend, Device, Mode, Named, Plug, Result, Seat, Slot, Tensor};
use pleach_losses as _;

/// No kernels: every loss runs by its definition.
#[derive(Debug)]
struct Nobody;

impl Backend for Nobody {
    fn seats(&self) -> &'static [Seat] {
        &[]
    }
}

fn tensor(values: [f64; 2]) -> Tensor {
    Tensor::new(&[values], &Device::Cpu).unwrap()
}

fn loss(slot: LossSlot) -> Vec<LossConfig> {
    vec![Slot { slot, plug: Plug::named("BCE").unwrap() }]
}

fn value(slot: LossSlot, mode: Mode) -> Result<f64> {
    let outputs: Named<Tensor> =
        [("out", tensor([0.5, -1.0])), ("aux1", tensor([2.0, 0.0])), ("aux2", tensor([-3.0, 1.0]))]
            .into_iter()
            .collect();
    let targets = Named::one("mask", tensor([1.0, 0.0]));
    Ok(weighted_sum(&loss(slot), &outputs, &targets, &Nobody, mode)?.0.to_scalar::<f64>()?)
}

fn of(output: &str) -> f64 {
    value(LossSlot { output: Some(output.into()), ..LossSlot::default() }, Mode::Train).unwrap()
}

#[test]
fn in_training_every_output_counts_with_its_weight_and_in_evaluation_the_first_alone() {
    let slot = LossSlot { factor: 2.0, loss_factors: Some(vec![0.2, 0.3, 0.5]), ..LossSlot::default() };
    let all = 2.0 * (0.2 * of("out") + 0.3 * of("aux1") + 0.5 * of("aux2"));
    assert!((value(slot.clone(), Mode::Train).unwrap() - all).abs() < 1e-15);
    assert!((value(slot, Mode::Eval).unwrap() - 2.0 * of("out")).abs() < 1e-15);
}

#[test]
fn weights_for_another_number_of_outputs_are_an_error_that_names_the_outputs() {
    let slot = LossSlot { loss_factors: Some(vec![1.0, 1.0]), ..LossSlot::default() };
    let error = value(slot, Mode::Train).unwrap_err();
    assert!(error.code() == "PL0212" && error.to_string().contains("out, aux1, aux2"), "{error}");
}
