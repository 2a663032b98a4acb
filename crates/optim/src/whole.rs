//! Runs a formula over all parameters of a group at once: many small parameters are work for threads only together.

use crate::pass::{self, Formula, Job};
use pleach_core::kinds::optimizer::Memory;
use pleach_core::{Error, ParamSlots, Result, StepGroup, Tensor, follow, lies_in_order};
use pleach_simd::par_map;
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
            $crate::whole::step(group, memory, |param, _, slots| self.formula(param, slots, &group.hyper, group.scale))
        }
    };
}
pub(crate) use elementwise;

/// One step of all parameters of a group, by the formula that `formula` makes for each of them, of its gradient and its slots.
///
/// # Errors
/// A gradient has another shape, or a restored slot does not fit its parameter.
pub(crate) fn step<F: Formula>(
    group: &StepGroup<'_>,
    memory: &mut Memory,
    formula: impl Fn(&Tensor, &Tensor, &mut ParamSlots) -> Result<F>,
) -> Result<()> {
    let mut passes = Passes { all: Vec::new(), taken: BTreeSet::new() };
    let share = group.follow.map_or(0.0, |to| to.share);
    for (name, weight, grad) in &group.params {
        let slots = memory.0.entry((*name).to_owned()).or_default();
        let param = weight.var().as_detached_tensor();
        let formula = formula(&param, grad, slots)?;
        let average = group.follow.and_then(|to| to.averages.get(*name));
        if !lies_in_order(&param) {
            weight.update(|now| pass::step(&formula, now, grad, slots))?;
            if let Some(average) = average {
                follow(average, &weight.var().as_detached_tensor(), share)?;
            }
            continue;
        }
        let (grad, tensors) = pass::fitting(&formula, &param, grad, slots)?;
        let part = passes.add(formula, param, grad, tensors, average)?;
        for (name, tensor) in part.formula.slots().iter().zip(&part.slots) {
            slots.keep(name, tensor.clone());
        }
    }
    passes.all.iter().try_for_each(|parts| par_map(parts.len(), |i| parts[i].lent(share).run()).into_iter().collect())
}

/// One parameter's part in a pass.
struct Part<F> {
    formula: F,
    param: Tensor,
    grad: Tensor,
    slots: Vec<Tensor>,
    /// An average that follows the parameter.
    average: Option<Tensor>,
}

impl<F> Part<F> {
    fn lent(&self, share: f64) -> Job<'_, F> {
        let Self { formula, param, grad, slots, average } = self;
        Job { formula, param, grad, slots, average: average.as_ref().map(|average| (average, share)) }
    }
}

/// The passes of a step, one after the other, and the memory of all their tensors: in one pass, no two of the tensors that
/// are written share memory with each other or with a gradient.
struct Passes<F> {
    all: Vec<Vec<Part<F>>>,
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

    /// Adds a parameter's part to the last pass, or to one after it.
    fn add(
        &mut self,
        formula: F,
        param: Tensor,
        grad: Tensor,
        slots: Vec<Tensor>,
        average: Option<&Tensor>,
    ) -> Result<&Part<F>> {
        // A parameter is never copied, for it is written where it lies: one that shares memory waits for another pass.
        if self.has(&param) || self.all.is_empty() {
            self.all.push(Vec::new());
        }
        self.taken.extend(pass::address(&param));
        let grad = self.own(grad)?;
        let slots = slots.into_iter().map(|slot| self.own(slot)).collect::<Result<_>>()?;
        if let Some(average) = average {
            pass::fits("the average", average, &param)?;
            if self.has(average) || !average.is_contiguous() || average.dtype() != param.dtype() {
                return Err(Error::new(
                    "PL0204",
                    "an average has memory of its own, in the order and the type of its parameter",
                ));
            }
            self.taken.extend(pass::address(average));
        }
        let pass = self.all.len() - 1;
        self.all[pass].push(Part { formula, param, grad, slots, average: average.cloned() });
        Ok(&self.all[pass][self.all[pass].len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use crate::AdamW;
    use pleach_core::kinds::optimizer::Memory;
    use pleach_core::params::Params;
    use pleach_core::{DType, Device, Hyper, Init, Optimizer, ParamSlots, StepGroup, Tensor};

    /// Many parameters, of pieces and of less than one.
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
