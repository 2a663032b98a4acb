//! The step of an optimizer alone: 25 million parameters in 160 tensors, half of them tiny. And what memory takes of it.

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
    let (kind, how) = name.split_once('/').unwrap_or((name, ""));
    let (name, keys): (_, &[(&str, f64)]) = match kind {
        "adam" => ("Adam", &[]),
        "adamw" => ("AdamW", &[("weight_decay", 0.01)]),
        "adagrad" => ("Adagrad", &[]),
        "sgd" => ("SGD", &[("momentum", 0.9), ("weight_decay", 1e-4)]),
        _ => return Err(Error::new("PL0101", format!("there is no case `{name}`"))),
    };
    stepping(name, keys, how == "clip_ema")
}

/// An optimizer with its defaults (SGD has momentum), or, as `NAME/memory`, what memory alone takes of its step. `clip_ema` is
/// AdamW behind clipping by norm, with an average of the weights: one more read of the gradients, one more slot.
pub fn beside_memory(name: &str) -> Result<Run> {
    let (name, memory) = name.split_once('/').map_or((name, false), |(name, _)| (name, true));
    if name == "clip_ema" {
        return if memory { Ok(behind_read(streams(3))) } else { stepping("AdamW", &[], true) };
    }
    let keys: &[(&str, f64)] = if name == "SGD" { &[("momentum", 0.9)] } else { &[] };
    if !memory {
        return stepping(name, keys, false);
    }
    let optimizer = with(name, keys)?;
    let mut params = Params::new(0, DType::F32, &Device::Cpu);
    params.root().param("weight", 1, Init::Const(1.0))?;
    let mut memory = Memory::default();
    let gradient = Tensor::ones(1, DType::F32, &Device::Cpu)?;
    let list = params.trainable().map(|(name, weight)| (name, weight, gradient.clone())).collect();
    let hyper = Hyper { lr: optimizer.lr(), momentum: optimizer.momentum() };
    let group = StepGroup { key: "group:0", params: list, hyper, others: &[], scale: 1.0, follow: None };
    optimizer.step(&group, &mut memory, None)?;
    Ok(streams(memory.0.values().map(|slots| slots.tensors.len()).sum()))
}

/// An optimizer with some of its options set.
fn with(name: &str, keys: &[(&str, f64)]) -> Result<Plug<dyn Optimizer>> {
    let mut all = Plug::<dyn Optimizer>::named(name)?.saved()?;
    for (key, number) in keys {
        if let Some(value) = all.get_mut(*key) {
            *value = (*number).into();
        }
    }
    saved::load(&all)
}

fn stepping(name: &str, keys: &[(&str, f64)], averaged: bool) -> Result<Run> {
    let optimizer = with(name, keys)?;
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

/// A pass that reads as many numbers (weights, gradients, slots) as an optimizer with so many slots, and writes as many,
/// and does next to nothing with them.
fn streams(slots: usize) -> Run {
    /// As long as the pieces of the optimizers' passes.
    const PIECE: usize = 1 << 14;
    let gradients = vec![1e-3f32; TOTAL];
    let mut written = vec![vec![1f32; TOTAL]; 1 + slots];
    Box::new(move || {
        let mut rows: Vec<_> = written.iter_mut().map(|all| all.chunks_mut(PIECE)).collect();
        let mut pieces: Vec<(&[f32], Vec<&mut [f32]>)> = (gradients.chunks(PIECE))
            .map(|gradients| (gradients, rows.iter_mut().filter_map(Iterator::next).collect()))
            .collect();
        pleach_simd::par_blocks(&mut pieces, 1, |_, pieces| {
            for (gradients, written) in pieces {
                pass(gradients, written);
            }
        });
        Ok(())
    })
}

/// A read of as many numbers as there are gradients, and then the run.
fn behind_read(mut run: Run) -> Run {
    const PIECE: usize = 1 << 16;
    let gradients = vec![1e-3f32; TOTAL];
    Box::new(move || {
        let pieces: Vec<_> = gradients.chunks(PIECE).collect();
        std::hint::black_box(pleach_simd::par_map(pieces.len(), |i| pleach_simd::sum(pieces[i])));
        run()
    })
}

pleach_simd::lanes! {
    /// All at once, as the optimizers have it: stretch by stretch, each would begin its reading anew.
    fn pass<T: pleach_simd::Float>(gradients: &[T], written: &mut [&mut [T]]) {
        match written {
            [a, b] => a.iter_mut().zip(&mut **b).zip(gradients).for_each(|((a, b), &g)| {
                *a += g;
                *b += g;
            }),
            [a, b, c] => a.iter_mut().zip(&mut **b).zip(&mut **c).zip(gradients).for_each(|(((a, b), c), &g)| {
                *a += g;
                *b += g;
                *c += g;
            }),
            [a, b, c, d] => {
                let three = a.iter_mut().zip(&mut **b).zip(&mut **c);
                three.zip(&mut **d).zip(gradients).for_each(|((((a, b), c), d), &g)| {
                    *a += g;
                    *b += g;
                    *c += g;
                    *d += g;
                });
            }
            [a, b, c, d, e] => {
                let four = a.iter_mut().zip(&mut **b).zip(&mut **c).zip(&mut **d);
                four.zip(&mut **e).zip(gradients).for_each(|(((((a, b), c), d), e), &g)| {
                    *a += g;
                    *b += g;
                    *c += g;
                    *d += g;
                    *e += g;
                });
            }
            _ => written.iter_mut().for_each(|a| a.iter_mut().zip(gradients).for_each(|(a, &g)| *a += g)),
        }
    }
}
