//! The step of an optimizer alone: 25 million parameters in 160 tensors, half of them tiny.

use super::Run;
use pleach_core::kinds::optimizer::Memory;
use pleach_core::params::Params;
use pleach_core::{
    DType, Device, Error, Follow, Hyper, Init, Optimizer, Plug, Result, StepGroup, Tensor, norms, saved,
};
use std::collections::BTreeMap;

const TENSORS: usize = 160;
const TOTAL: usize = 25_000_000;

pub fn open(name: &str) -> Result<Run> {
    if name == "adamw/bound" {
        return Ok(bound());
    }
    let averaged = name == "adamw/clip_ema";
    let (name, keys): (_, &[(&str, f64)]) = match name.split_once('/').map_or(name, |(kind, _)| kind) {
        "adamw" => ("AdamW", &[("weight_decay", 0.01)]),
        "sgd" => ("SGD", &[("momentum", 0.9), ("weight_decay", 1e-4)]),
        _ => return Err(Error::new("PL0101", format!("there is no case `{name}`"))),
    };
    let mut all = Plug::<dyn Optimizer>::named(name)?.saved()?;
    for (key, number) in keys {
        if let Some(value) = all.get_mut(*key) {
            *value = (*number).into();
        }
    }
    let optimizer: Plug<dyn Optimizer> = saved::load(&all)?;
    let mut params = Params::new(0, DType::F32, &Device::Cpu);
    let small = TENSORS / 2;
    let large = (TOTAL - small * 256) / (TENSORS - small);
    let mut gradients = Vec::new();
    for i in 0..TENSORS {
        let size = if i % 2 == 1 { 256 } else { large };
        params.root().param(&format!("{i:03}"), size, Init::Normal(0.0, 0.02))?;
        gradients.push((Tensor::randn(0f32, 1.0, size, &Device::Cpu)? * 1e-3)?);
    }
    let mut memory = Memory::default();
    let averages = if averaged { params.snapshot()? } else { BTreeMap::new() };
    Ok(Box::new(move || {
        // As the trainer has it: the length of all gradients, and what they are to be multiplied by.
        let mut scale = 1.0;
        if averaged {
            let squares: f64 = norms(&gradients)?.iter().map(|norm| norm * norm).sum();
            scale = (1.0 / (squares.sqrt() + 1e-6)).min(1.0);
        }
        let list = params.trainable().zip(&gradients).map(|((name, weight), g)| (name, weight, g.clone())).collect();
        let hyper = Hyper { lr: 1e-3, momentum: optimizer.momentum() };
        let follow = averaged.then_some(Follow { share: 1e-3, averages: &averages });
        let group = StepGroup { key: "group:0", params: list, hyper, others: &[], scale, follow };
        optimizer.step(&group, &mut memory, None)
    }))
}

/// What memory alone takes of AdamW's step: a pass that reads as many numbers (weights, gradients, two averages) and writes
/// as many, and does next to nothing with them.
fn bound() -> Run {
    /// As long as the pieces of the optimizers' passes.
    const PIECE: usize = 1 << 14;
    let stream = |value: f32| vec![value; TOTAL];
    let (mut weights, gradients, mut first, mut second) = (stream(1.0), stream(1e-3), stream(0.0), stream(0.0));
    Box::new(move || {
        let written = weights.chunks_mut(PIECE).zip(first.chunks_mut(PIECE)).zip(second.chunks_mut(PIECE));
        let mut pieces: Vec<_> = written.zip(gradients.chunks(PIECE)).collect();
        pleach_simd::par_blocks(&mut pieces, 1, |_, pieces| {
            for (((weights, first), second), gradients) in pieces {
                streams(weights, gradients, first, second);
            }
        });
        Ok(())
    })
}

pleach_simd::lanes! {
    fn streams<T: pleach_simd::Float>(weights: &mut [T], gradients: &[T], first: &mut [T], second: &mut [T]) {
        for (((w, &g), m), v) in weights.iter_mut().zip(gradients).zip(first).zip(second) {
            *m += g;
            *v += g;
            *w += g;
        }
    }
}
