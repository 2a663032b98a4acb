//! Runs a formula over all parameters of a group together: many small parameters are work for threads only when their
//! pieces stand in one line.

use crate::pass::{self, Formula, PIECE, Real};
use candle_core::{CpuStorage, DType, Storage};
use pleach_core::kinds::optimizer::Memory;
use pleach_core::{Error, ParamSlots, Result, StepGroup, Tensor, follow, follow_slices};
use pleach_simd::par_blocks;
use std::collections::BTreeSet;

/// Writes `update` and `step` of an optimizer that is one [`Formula`], which its method `formula` makes, given also what gradients are
/// to be multiplied by.
macro_rules! elementwise {
    () => {
        fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
            let formula = self.formula(param, slots, hyper, 1.0)?;
            $crate::pass::step(&formula, param, grad, slots)
        }

        fn takes_scale(&self) -> bool {
            true
        }

        fn moves_averages(&self) -> bool {
            true
        }

        fn step(
            &self,
            group: &pleach_core::StepGroup<'_>,
            memory: &mut pleach_core::kinds::optimizer::Memory,
            _: Option<&mut pleach_core::kinds::optimizer::Again<'_>>,
        ) -> Result<()> {
            $crate::whole::step(group, memory, |param, slots| self.formula(param, slots, &group.hyper, group.scale))
        }
    };
}
pub(crate) use elementwise;

/// Parameters that one pass takes: their storages are lent one within the other, each a few calls deep.
const TOGETHER: usize = 32;

/// One step of all parameters of a group, by the formula that `formula` makes for each.
///
/// # Errors
/// A gradient has another shape, or a restored slot does not fit its parameter.
pub(crate) fn step<F: Formula>(
    group: &StepGroup<'_>,
    memory: &mut Memory,
    formula: impl Fn(&Tensor, &mut ParamSlots) -> Result<F>,
) -> Result<()> {
    let mut passes = Passes { all: Vec::new(), taken: BTreeSet::new() };
    let share = group.follow.map_or(0.0, |to| to.share);
    for (name, weight, grad) in &group.params {
        let slots = memory.0.entry((*name).to_owned()).or_default();
        let param = weight.var().as_detached_tensor();
        let formula = formula(&param, slots)?;
        let here = param.device().is_cpu() && param.is_contiguous();
        let dtype = param.dtype();
        let average = group.follow.and_then(|to| to.averages.get(*name));
        if !here || !matches!(dtype, DType::F32 | DType::F64) {
            weight.update(|now| pass::step(&formula, now, grad, slots))?;
            if let (Some(to), Some(average)) = (group.follow, average) {
                follow(average, &weight.var().as_detached_tensor(), to.share)?;
            }
            continue;
        }
        let (grad, tensors) = pass::fitting(&formula, &param, grad, slots)?;
        // A parameter is never copied, for it is written where it lies: one that shares memory waits for another pass.
        let alone = passes.has(&param);
        let job = passes.job(formula, param, grad, tensors, average)?;
        for (name, tensor) in job.slots() {
            slots.keep(name, tensor.clone());
        }
        match passes.all.last_mut() {
            Some(last) if !alone && last.dtype == dtype && last.jobs.len() < TOGETHER => last.jobs.push(job),
            _ => passes.all.push(Pass { dtype, jobs: vec![job] }),
        }
    }
    // Threads that have nothing to do fall asleep: the passes follow each other when all is prepared.
    passes.all.iter().try_for_each(|pass| match pass.dtype {
        DType::F32 => over_slices::<f32, F>(&pass.jobs, share),
        _ => over_slices::<f64, F>(&pass.jobs, share),
    })
}

/// One parameter's part in a pass.
struct Job<F> {
    formula: F,
    grad: Tensor,
    /// The parameter and its slots, and an average that follows it, if there is one.
    written: Vec<Tensor>,
}

impl<F: Formula> Job<F> {
    fn slots(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        self.formula.slots().iter().copied().zip(self.written.iter().skip(1))
    }
}

/// Parameters of one type; no two of the tensors that are written share memory with each other or with a gradient.
struct Pass<F> {
    dtype: DType,
    jobs: Vec<Job<F>>,
}

/// The passes of a step, one after the other, and the memory of all their tensors.
struct Passes<F> {
    all: Vec<Pass<F>>,
    taken: BTreeSet<usize>,
}

impl<F: Formula> Passes<F> {
    fn has(&self, tensor: &Tensor) -> bool {
        pass::address(tensor).is_some_and(|at| self.taken.contains(&at))
    }

    /// The tensor, or a copy of it where its memory is another's already.
    fn own(&mut self, tensor: Tensor) -> Result<Tensor> {
        let tensor = if self.has(&tensor) { tensor.copy()? } else { tensor };
        self.taken.extend(pass::address(&tensor));
        Ok(tensor)
    }

    /// A parameter's part in a pass.
    fn job(
        &mut self,
        formula: F,
        param: Tensor,
        grad: Tensor,
        slots: Vec<Tensor>,
        average: Option<&Tensor>,
    ) -> Result<Job<F>> {
        self.taken.extend(pass::address(&param));
        let mut written = vec![param];
        let grad = self.own(grad)?;
        for slot in slots {
            written.push(self.own(slot)?);
        }
        if let Some(average) = average {
            pass::fits("the average", average, &written[0])?;
            if self.has(average) || !average.is_contiguous() || average.dtype() != written[0].dtype() {
                return Err(Error::new(
                    "PL0204",
                    "an average has memory of its own, in the order and the type of its parameter",
                ));
            }
            self.taken.extend(pass::address(average));
            written.push(average.clone());
        }
        Ok(Job { formula, grad, written })
    }
}

fn over_slices<T: Real, F: Formula>(jobs: &[Job<F>], share: f64) -> Result<()> {
    let guards: Vec<_> = jobs.iter().map(|job| job.grad.storage_and_layout()).collect();
    let mut grads: Vec<&[T]> = Vec::with_capacity(jobs.len());
    for (storage, layout) in &guards {
        let all = match &**storage {
            Storage::Cpu(cpu @ (CpuStorage::F32(_) | CpuStorage::F64(_))) => cpu.as_slice::<T>()?,
            _ => &[],
        };
        let range = layout.contiguous_offsets().map_or(0..0, |(from, to)| from..to);
        grads.push(all.get(range).unwrap_or_default());
    }
    let written: Vec<&Tensor> = jobs.iter().flat_map(|job| &job.written).collect();
    pass::lend::<T>(&written, Vec::new(), &mut |lent| {
        let mut lent = lent.into_iter();
        let mut pieces = Vec::new();
        for (job, grad) in jobs.iter().zip(&grads) {
            let param = lent.next().unwrap_or_default();
            let mut slots: Vec<_> =
                (1..job.written.len()).filter_map(|_| lent.next()).map(|s| s.chunks_mut(PIECE)).collect();
            for (param, grad) in param.chunks_mut(PIECE).zip(grad.chunks(PIECE)) {
                let slots: Vec<_> = slots.iter_mut().filter_map(Iterator::next).collect();
                pieces.push((&job.formula, param, grad, slots));
            }
        }
        par_blocks(&mut pieces, 1, |_, pieces| {
            for (formula, param, grad, written) in pieces {
                let count = formula.slots().len().min(written.len());
                let (slots, averages) = written.split_at_mut(count);
                formula.slices(param, grad, slots);
                // While the piece is in a cache.
                for average in averages {
                    follow_slices(average, param, T::of(share));
                }
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use crate::AdamW;
    use pleach_core::kinds::optimizer::Memory;
    use pleach_core::params::Params;
    use pleach_core::{DType, Device, Hyper, Init, Optimizer, ParamSlots, StepGroup, Tensor};

    /// More parameters than one pass takes, of many sizes.
    fn sizes() -> Vec<usize> {
        (0..70).map(|i| [1, 7, 256, 40_000][i % 4]).collect()
    }

    #[test]
    fn a_group_steps_as_its_parameters_do_one_by_one() {
        let (optimizer, hyper) = (AdamW::default(), Hyper { lr: 0.1, momentum: None });
        let mut params = Params::new(7, DType::F32, &Device::Cpu);
        let mut alone = Vec::new();
        for (i, n) in sizes().into_iter().enumerate() {
            let weight = params.root().param(&format!("{i:02}"), n, Init::Normal(0.0, 1.0)).unwrap();
            let start = weight.var().as_detached_tensor().copy().unwrap();
            let grad = (start.sqr().unwrap() - 0.5).unwrap();
            alone.push((start, grad, ParamSlots::default()));
        }
        let mut memory = Memory::default();
        for _ in 0..3 {
            let list = params.trainable().zip(&alone).map(|((name, w), (_, g, _))| (name, w, g.clone())).collect();
            let group = StepGroup { key: "group:0", params: list, hyper, others: &[], scale: 1.0, follow: None };
            optimizer.step(&group, &mut memory, None).unwrap();
            for (param, grad, slots) in &mut alone {
                *param = optimizer.update(param, grad, slots, &hyper).unwrap();
            }
        }
        for ((name, weight), (param, _, slots)) in params.trainable().zip(&alone) {
            let now = weight.var().as_detached_tensor().to_vec1::<f32>().unwrap();
            assert_eq!(now, param.to_vec1::<f32>().unwrap(), "{name}");
            assert_eq!(memory.0[name].numbers, slots.numbers);
            for (slot, tensor) in &slots.tensors {
                let ours = memory.0[name].tensors[slot].to_vec1::<f32>().unwrap();
                assert_eq!(ours, tensor.to_vec1::<f32>().unwrap(), "{name}/{slot}");
            }
        }
    }

    #[test]
    fn parameters_that_have_one_gradient_and_slots_that_share_memory_are_no_trap() {
        let (optimizer, hyper) = (AdamW::default(), Hyper { lr: 0.1, momentum: None });
        let mut params = Params::new(7, DType::F64, &Device::Cpu);
        for name in ["a", "b"] {
            params.root().param(name, 5, Init::Const(1.0)).unwrap();
        }
        let mut memory = Memory::default();
        let shared = Tensor::zeros(5, DType::F64, &Device::Cpu).unwrap();
        for name in ["a", "b"] {
            for slot in ["exp_avg", "exp_avg_sq"] {
                memory.0.entry(name.to_owned()).or_default().keep(slot, shared.clone());
            }
        }
        let own = params.get("a").unwrap().var().as_detached_tensor();
        let list = params.trainable().map(|(name, weight)| (name, weight, own.clone())).collect();
        optimizer
            .step(
                &StepGroup { key: "group:0", params: list, hyper, others: &[], scale: 1.0, follow: None },
                &mut memory,
                None,
            )
            .unwrap();
        let expected = {
            let ones = Tensor::ones(5, DType::F64, &Device::Cpu).unwrap();
            optimizer.update(&ones.copy().unwrap(), &ones, &mut ParamSlots::default(), &hyper).unwrap()
        };
        for (name, weight) in params.trainable() {
            let now = weight.var().as_detached_tensor().to_vec1::<f64>().unwrap();
            assert_eq!(now, expected.to_vec1::<f64>().unwrap(), "{name}");
        }
    }
}
