//! Runs an optimizer's formula over a parameter: in one pass over slices of host memory where it can, in
//! tensor algebra on other devices and for other types of numbers.

use crate::slices::Slices;
use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Storage, WithDType};
use pleach_core::{Error, ParamSlots, Result, Tensor, lies_in_order};
use pleach_simd::{Float, par_blocks};
use std::cell::RefCell;

/// The numbers that passes are written for.
pub(crate) trait Real: Float + WithDType {
    /// The elements in a storage of this type.
    fn elements(storage: &mut CpuStorage) -> Option<&mut [Self]>;
}

impl Real for f32 {
    fn elements(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        if let CpuStorage::F32(all) = storage { Some(all) } else { None }
    }
}

impl Real for f64 {
    fn elements(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        if let CpuStorage::F64(all) = storage { Some(all) } else { None }
    }
}

/// How one step changes one parameter and its slots. Both forms compute the same.
pub(crate) trait Formula: Sync {
    /// The slots, in the order in which both forms take them; they begin as zeros.
    fn slots(&self) -> &'static [&'static str];

    /// Changes elements of the parameter and of its slots in place.
    fn slices<T: Real>(&self, all: &mut Slices<'_, T>);

    /// The new parameter; `slots` are replaced by their new values.
    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor>;
}

/// Elements for one thread: a few passes over this much memory stay in its cache.
pub(crate) const PIECE: usize = 1 << 14;

/// Takes one step of one parameter and keeps its slots; returns the new value.
///
/// # Errors
/// The gradient has another shape, or a restored slot does not fit the parameter.
pub(crate) fn apply(formula: &impl Formula, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots) -> Result<Tensor> {
    step(formula, &param.copy()?, grad, slots)
}

/// The same, written over the parameter and its slots where they lie in host memory: nothing is copied.
///
/// # Errors
/// See [`apply`].
pub(crate) fn step(formula: &impl Formula, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots) -> Result<Tensor> {
    let (grad, tensors) = fitting(formula, param, grad, slots)?;
    // Memory that two of them share could not be lent twice.
    let mut taken = vec![address(param)];
    let mut own = |t: Tensor| -> Result<Tensor> {
        let shared = address(&t).is_some() && taken.contains(&address(&t));
        let t = if shared { t.copy()? } else { t };
        taken.push(address(&t));
        Ok(t)
    };
    let grad = own(grad)?;
    let mut tensors = tensors.into_iter().map(&mut own).collect::<Result<Vec<_>>>()?;
    let new = if lies_in_order(param) {
        Job { formula, param, grad: &grad, slots: &tensors, average: None }.run()?;
        param.clone()
    } else {
        formula.algebra(param, &grad, &mut tensors)?
    };
    for (name, tensor) in formula.slots().iter().zip(tensors) {
        slots.keep(name, tensor);
    }
    Ok(new)
}

/// The gradient and the slots, contiguous and of the parameter's shape; the gradient of its type too.
///
/// # Errors
/// See [`apply`].
pub(crate) fn fitting(
    formula: &impl Formula,
    param: &Tensor,
    grad: &Tensor,
    slots: &mut ParamSlots,
) -> Result<(Tensor, Vec<Tensor>)> {
    fits("the gradient", grad, param)?;
    let grad = grad.to_dtype(param.dtype())?.contiguous()?;
    let mut tensors = Vec::new();
    for name in formula.slots() {
        let slot = slots.zeros(name, param)?;
        fits(name, &slot, param)?;
        tensors.push(slot.contiguous()?);
    }
    Ok((grad, tensors))
}

/// Refuses a tensor that is not of the parameter's shape.
pub(crate) fn fits(what: &str, tensor: &Tensor, param: &Tensor) -> Result<()> {
    if tensor.dims() == param.dims() {
        return Ok(());
    }
    Err(Error::new("PL0204", format!("{what} is of shape {:?}, its parameter of {:?}", tensor.dims(), param.dims())))
}

/// A step of one parameter to be written over its tensors: all contiguous in host memory, of the parameter's type, and none that
/// is written in memory of another.
pub(crate) struct Job<'a, F> {
    pub formula: &'a F,
    pub param: &'a Tensor,
    pub grad: &'a Tensor,
    pub slots: &'a [Tensor],
    /// An average that goes a share of its way to the new weights.
    pub average: Option<(&'a Tensor, f64)>,
}

impl<F: Formula> Job<'_, F> {
    /// Takes the step.
    ///
    /// # Errors
    /// A slot or the average is of another type.
    pub(crate) fn run(&self) -> Result<()> {
        match self.param.dtype() {
            DType::F64 => self.over_slices::<f64>(),
            _ => self.over_slices::<f32>(),
        }
    }

    fn over_slices<T: Real>(&self) -> Result<()> {
        let Self { formula, param, grad, slots, average } = *self;
        let written: Vec<&Tensor> =
            std::iter::once(param).chain(slots).chain(average.map(|(average, _)| average)).collect();
        with_slice::<T, _>(grad, |grad| {
            lend::<T>(&written, Vec::new(), &mut |lent| {
                let mut rows: Vec<_> = lent.into_iter().map(|all| all.chunks_mut(PIECE)).collect();
                let mut pieces: Vec<Slices<'_, T>> = (grad.chunks(PIECE))
                    .map(|grad| {
                        let mut row = rows.iter_mut().filter_map(Iterator::next);
                        Slices {
                            param: row.next().unwrap_or_default(),
                            grad,
                            slots: row.by_ref().take(slots.len()).collect(),
                            average: average.and_then(|(_, share)| row.next().map(|piece| (piece, T::of(share)))),
                        }
                    })
                    .collect();
                par_blocks(&mut pieces, 1, |_, pieces| pieces.iter_mut().for_each(|piece| formula.slices(piece)));
            })
        })?
    }
}

/// Where the storage of a tensor in host memory begins.
pub(crate) fn address(t: &Tensor) -> Option<usize> {
    match &*t.storage_and_layout().0 {
        Storage::Cpu(CpuStorage::F32(all)) => Some(all.as_ptr() as usize),
        Storage::Cpu(CpuStorage::F64(all)) => Some(all.as_ptr() as usize),
        _ => None,
    }
}

/// What is done with slices that are lent for writing.
pub(crate) type Use<'f, T> = dyn FnMut(Vec<&mut [T]>) + 'f;

/// Lends the elements of several contiguous tensors in host memory, each its own, for writing.
pub(crate) fn lend<T: Real>(tensors: &[&Tensor], have: Vec<&mut [T]>, then: &mut Use<'_, T>) -> Result<()> {
    let Some((first, rest)) = tensors.split_first() else {
        then(have);
        return Ok(());
    };
    let lent = Lent { next: RefCell::new(Some((have, then))), rest, failed: RefCell::new(None) };
    first.inplace_op1(&lent)?;
    match lent.failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The slices so far, and what is done with them all.
type Next<'a, 'h, 'f, T> = (Vec<&'h mut [T]>, &'a mut Use<'f, T>);

/// One level of [`lend`], as candle lends storages for writing.
struct Lent<'a, 'h, 'f, T> {
    next: RefCell<Option<Next<'a, 'h, 'f, T>>>,
    rest: &'a [&'a Tensor],
    failed: RefCell<Option<Error>>,
}

impl<T: Real> InplaceOp1 for Lent<'_, '_, '_, T> {
    fn name(&self) -> &'static str {
        "an optimizer's pass"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let range = layout.contiguous_offsets().map(|(from, to)| from..to);
        let slice = T::elements(storage).zip(range).and_then(|(all, range)| all.get_mut(range));
        let done = match (slice, self.next.take()) {
            (Some(slice), Some((have, then))) => {
                let mut have: Vec<&mut [T]> = have;
                have.push(slice);
                lend(self.rest, have, then)
            }
            _ => Err(Error::new("PL0204", format!("a slot that is not of {:?}, as its parameter is", T::DTYPE))),
        };
        *self.failed.borrow_mut() = done.err();
        Ok(())
    }
}

/// Lends the elements of a contiguous tensor in host memory.
pub(crate) fn with_slice<T: Real, R>(t: &Tensor, f: impl FnOnce(&[T]) -> R) -> Result<R> {
    let (storage, layout) = t.storage_and_layout();
    let range = layout.contiguous_offsets();
    match (&*storage, range) {
        (Storage::Cpu(cpu @ (CpuStorage::F32(_) | CpuStorage::F64(_))), Some((from, to))) => {
            let all = cpu.as_slice::<T>()?;
            Ok(f(all.get(from..to).unwrap_or_default()))
        }
        _ => Err(Error::new("PL0204", format!("a slot of {:?} beside a parameter of {:?}", t.dtype(), T::DTYPE))),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use pleach_core::{Device, Purpose, Rng};

    /// Several steps in both forms, from the same values; they must agree to rounding.
    pub(crate) fn both_forms_agree(formula: &impl Formula) {
        agree(formula, 1.0);
    }

    /// The same from slots of zeros, where not every memory is possible.
    pub(crate) fn both_forms_agree_from_the_start(formula: &impl Formula) {
        agree(formula, 0.0);
    }

    #[test]
    fn a_gradient_that_is_its_own_parameter_and_slots_that_share_memory_are_no_trap() {
        let adam = crate::Adam::default();
        let alone = Tensor::new(&[1f64, -2.0], &Device::Cpu).unwrap();
        let (shared, hyper) = (alone.copy().unwrap(), pleach_core::Hyper { lr: 0.1, momentum: None });
        let step = |p: &Tensor, g: &Tensor, slots: &mut ParamSlots| {
            pleach_core::Optimizer::update(&adam, p, g, slots, &hyper).unwrap().to_vec1::<f64>().unwrap()
        };
        let zeros = alone.zeros_like().unwrap();
        let mut slots = ParamSlots::default();
        slots.keep("exp_avg", zeros.clone());
        slots.keep("exp_avg_sq", zeros);
        let gradient = alone.copy().unwrap();
        assert_eq!(step(&shared, &shared, &mut slots), step(&alone, &gradient, &mut ParamSlots::default()));
    }

    fn agree(formula: &impl Formula, scale: f64) {
        let mut rng = Rng::named(3, Purpose::Other, "both forms");
        let n = PIECE + 37;
        let mut normal = |sign: f64| {
            let v: Vec<f64> = (0..n).map(|_| if sign > 0.0 { rng.normal().abs() } else { rng.normal() }).collect();
            Tensor::from_vec(v, n, &Device::Cpu).unwrap()
        };
        let (a, grad) = (normal(0.0), normal(0.0));
        let mut b = a.copy().unwrap();
        let slots_a: Vec<_> = formula.slots().iter().map(|_| (normal(1.0) * scale).unwrap()).collect();
        let mut slots_b: Vec<_> = slots_a.iter().map(|t| t.copy().unwrap()).collect();
        for _ in 0..3 {
            Job { formula, param: &a, grad: &grad, slots: &slots_a, average: None }.run().unwrap();
            b = formula.algebra(&b, &grad, &mut slots_b).unwrap();
        }
        for (a, b) in std::iter::once((a, b)).chain(slots_a.into_iter().zip(slots_b)) {
            let gap = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
            assert!(gap < 1e-13, "the forms differ by {gap}");
        }
    }
}
