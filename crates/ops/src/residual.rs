//! The sum of two branches of a net, as one node of candle's graph.

use crate::apply::in_order;
use crate::batch_norm::Then;
use crate::halves::is_half;
use crate::host::{Host, dtype, for_float, output, slice, tensor};
use crate::relu::{behind_rectifier, relu};
use crate::sum::sums;
use crate::tape::Tape;
use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, DType, Device, Error, Layout, Result, Shape, Tensor, TensorId, bail,
};
use std::result;
use std::sync::{Arc, Mutex, PoisonError};

const NAME: &str = "residual";

/// `then(a + b)` of the two tensors of one shape that `branches` makes, say of `x` and of what a block makes of it.
///
/// The value and the gradients are those of candle's `a + b`. But within the branches gradients pass from one operation of this crate to the
/// next, where candle would make zeros for each and add to them, and the sum and the rectifier are one pass each way. What else the branches
/// apply (candle's own operations) keeps its place in candle's graph. Blocks may stand in blocks.
///
/// # Errors
/// The branches' own, and two shapes that differ.
pub fn residual<E: From<Error>>(
    then: Then,
    branches: impl FnOnce() -> result::Result<[Tensor; 2], E>,
) -> result::Result<Tensor, E> {
    let (made, tape) = Tape::of(branches);
    Ok(joined(then, made?, tape)?)
}

fn joined(then: Then, [a, b]: [Tensor; 2], tape: Tape) -> Result<Tensor> {
    if a.dims() != b.dims() {
        bail!("{NAME}: two tensors of one shape expected, got {:?} and {:?}", a.dims(), b.dims());
    }
    if is_half(a.dtype()) {
        let sum = (a + b)?;
        return if then == Then::Relu { relu(&sum) } else { Ok(sum) };
    }
    let (a, b) = (in_order(NAME, &a)?, in_order(NAME, &b)?);
    let ends = [a.id(), b.id()];
    let sources = tape.sources(&[a.clone(), b.clone()]);
    let passed: Passed = Arc::default();
    // An operation of candle's has three inputs at most: the sources hang on a chain of nodes without elements.
    let mut chain = Tensor::zeros(0, DType::F32, &Device::Cpu)?;
    for (i, source) in sources.iter().enumerate() {
        chain = chain.apply_op2(source, Link { i, passed: passed.clone() })?;
    }
    a.detach().apply_op3(&b.detach(), &chain, Join { then, ends, tape, sources, passed })
}

/// The gradients of the sources, from the sum's backward pass to the chain's.
type Passed = Arc<Mutex<Vec<Option<Tensor>>>>;

struct Join {
    then: Then,
    /// The tensors that are added.
    ends: [TensorId; 2],
    tape: Tape,
    sources: Vec<Tensor>,
    passed: Passed,
}

impl CustomOp3 for Join {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        for_float!(NAME, dtype(s1), T => {
            Ok(output(sums::<T>(slice(NAME, s1, l1)?, slice(NAME, s2, l2)?, self.then), l1.shape()))
        })
    }

    fn bwd(
        &self,
        a: &Tensor,
        _: &Tensor,
        chain: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dy = dy.contiguous()?;
        let dy = match self.then {
            Then::Identity => dy,
            Then::Relu => {
                let (hy, hdy) = (Host::read(NAME, y), Host::read(NAME, &dy));
                for_float!(NAME, a.dtype(), T => {
                    tensor(behind_rectifier::<T>(hy.slice()?, hdy.slice()?), a.shape())
                })?
            }
        };
        let grads = self.tape.backward(&self.ends.map(|end| (end, dy.clone())), &self.sources)?;
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = grads;
        Ok((None, None, Some(chain.zeros_like()?)))
    }
}

/// A source of a sum, on the chain.
struct Link {
    i: usize,
    passed: Passed,
}

impl CustomOp2 for Link {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(output(Vec::<f32>::new(), 0))
    }

    fn bwd(&self, chain: &Tensor, source: &Tensor, _: &Tensor, _: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let gradient = match passed.get_mut(self.i).and_then(Option::take) {
            // candle wants a gradient for each of its nodes.
            None if !source.is_variable() => Some(source.zeros_like()?),
            gradient => gradient,
        };
        Ok((Some(chain.zeros_like()?), gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backward, layer_norm, linear, linear_then};
    use candle_core::Var;

    /// What a block is made of.
    struct Parts {
        x: Var,
        wide: Var,
        bias: Var,
        narrow: Var,
        skip: Var,
    }

    impl Parts {
        fn new() -> Self {
            let var = |shape: &[usize]| Var::rand(-1f64, 1f64, shape, &Device::Cpu).unwrap();
            Self { x: var(&[3, 4, 5]), wide: var(&[7, 5]), bias: var(&[7]), narrow: var(&[5, 7]), skip: var(&[5, 5]) }
        }

        fn all(&self) -> [&Var; 5] {
            [&self.x, &self.wide, &self.bias, &self.narrow, &self.skip]
        }

        fn branch(&self, x: &Tensor) -> Result<Tensor> {
            let x = layer_norm(x, 1, None, None, 1e-5)?;
            let wide = linear_then(&x, &self.wide, Some(&self.bias), Then::Relu)?;
            linear(&wide, &self.narrow, None)
        }
    }

    fn grads(
        parts: &Parts,
        loss: &Tensor,
        by: impl Fn(&Tensor) -> Result<candle_core::backprop::GradStore>,
    ) -> Vec<f64> {
        let grads = by(loss).unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        parts.all().iter().flat_map(|var| grads.get(var).map(flat).unwrap_or_default()).collect()
    }

    /// Holds a net's value and gradients, by candle's backward and by ours, against those of the same net of sums.
    fn agree(parts: &Parts, net: impl Fn(&dyn Fn(&dyn Fn() -> Result<[Tensor; 2]>) -> Result<Tensor>) -> Tensor) {
        let loss = |y: Tensor| y.sqr().unwrap().sum_all().unwrap();
        let plain = loss(net(&|branches| {
            let [a, b] = branches()?;
            relu(&(a + b)?)
        }));
        let ours = loss(net(&|branches| residual::<Error>(Then::Relu, branches)));
        let scalar = |t: &Tensor| t.to_scalar::<f64>().unwrap();
        assert!((scalar(&plain) - scalar(&ours)).abs() <= 1e-12 * scalar(&plain).abs());
        let want = grads(parts, &plain, Tensor::backward);
        // Twice: a graph may be walked again.
        for by in [Tensor::backward, backward, backward] {
            let got = grads(parts, &ours, by);
            assert_eq!(want.len(), got.len());
            assert!(want.iter().zip(&got).all(|(a, b)| (a - b).abs() <= 1e-11 * (1.0 + a.abs())), "{want:?} {got:?}");
        }
    }

    #[test]
    fn a_block_is_the_sum_of_its_branches_with_the_same_gradients() {
        let p = Parts::new();
        agree(&p, |join| join(&|| Ok([p.x.as_tensor().clone(), p.branch(&p.x)?])).unwrap());
    }

    #[test]
    fn both_branches_may_have_weights_and_share_what_they_begin_with() {
        let p = Parts::new();
        agree(&p, |join| {
            let x = (p.x.as_tensor() * 2.0).unwrap();
            let y = join(&|| Ok([linear(&x, &p.skip, None)?, p.branch(&x)?])).unwrap();
            // Also used beside the block.
            (y + x).unwrap()
        });
    }

    #[test]
    fn blocks_stand_behind_and_within_each_other() {
        let p = Parts::new();
        agree(&p, |join| {
            let within = || Ok([p.x.as_tensor().clone(), p.branch(&p.x)?]);
            let y = join(&|| Ok([p.branch(&join(&within)?)?, linear(&p.x, &p.skip, None)?])).unwrap();
            join(&|| Ok([p.branch(&y)?, y.clone()])).unwrap()
        });
    }

    #[test]
    fn operations_of_candle_take_part() {
        let p = Parts::new();
        agree(&p, |join| {
            join(&|| {
                let turned = p.branch(&p.x)?.sin()?.broadcast_mul(&p.bias.narrow(0, 0, 5)?)?;
                Ok([linear(&turned, &p.skip, None)?, turned])
            })
            .unwrap()
        });
    }

    #[test]
    fn what_has_no_gradient_needs_none() {
        let p = Parts::new();
        agree(&p, |join| join(&|| Ok([p.branch(&p.x.detach())?, p.x.detach()])).unwrap());
        let fixed = residual::<Error>(Then::Identity, || Ok([p.x.detach(), p.x.detach()])).unwrap();
        assert!(!fixed.track_op() || fixed.sum_all().unwrap().backward().is_ok());
    }

    #[test]
    fn shapes_that_differ_are_an_error() {
        let p = Parts::new();
        let error = residual::<Error>(Then::Identity, || Ok([p.x.as_tensor().clone(), p.skip.as_tensor().clone()]));
        let words = error.unwrap_err().to_string();
        assert!(words.contains("residual") && words.contains("[3, 4, 5]") && words.contains("[5, 5]"), "{words}");
    }

    #[test]
    fn tensors_kept_in_16_bits_are_added_too() {
        let half = |v: f32| Tensor::full(v, (2, 3), &Device::Cpu).unwrap().to_dtype(DType::BF16).unwrap();
        let y = residual::<Error>(Then::Relu, || Ok([half(1.5), half(-2.0)])).unwrap();
        assert_eq!(y.to_dtype(DType::F32).unwrap().to_vec2::<f32>().unwrap(), [[0.0; 3]; 2]);
    }

    #[test]
    fn a_branch_that_fails_leaves_nothing_behind() {
        let failed = residual::<Error>(Then::Identity, || bail!("no"));
        assert!(failed.is_err());
        let p = Parts::new();
        agree(&p, |join| join(&|| Ok([p.x.as_tensor().clone(), p.branch(&p.x)?])).unwrap());
    }
}
