//! Operations of two tensors and perhaps a third (a bias, a weight), as candle's operations of two and of three.

use crate::apply;
use crate::backward::kept;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

/// What candle hands to an operation for each input.
pub(crate) type Input<'a> = (&'a CpuStorage, &'a Layout);

/// An operation of two tensors and perhaps a third.
pub(crate) trait WithOptional: Send + Sync + 'static {
    /// Its name in messages.
    const NAME: &'static str;

    /// The value.
    fn forward(&self, a: Input<'_>, b: Input<'_>, c: Option<Input<'_>>) -> Result<(CpuStorage, Shape)>;

    /// The gradients of the three; nothing for what no one asks for.
    fn backward(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: Option<&Tensor>,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<[Option<Tensor>; 3]>;
}

/// Applies an operation to two tensors, or to three.
pub(crate) fn apply<O: WithOptional>(op: O, a: &Tensor, b: &Tensor, c: Option<&Tensor>) -> Result<Tensor> {
    match c {
        None => apply::two(a, b, Op(op)),
        Some(c) => apply::three(a, b, c, Op(op)),
    }
}

struct Op<O>(O);

impl<O: WithOptional> CustomOp2 for Op<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        self.0.forward((s1, l1), (s2, l2), None)
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, y: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [da, db, _] = self.0.backward(a, b, None, y, dy)?;
        Ok((kept(a, da)?, kept(b, db)?))
    }
}

impl<O: WithOptional> CustomOp3 for Op<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.0.forward((s1, l1), (s2, l2), Some((s3, l3)))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [da, db, dc] = self.0.backward(a, b, Some(c), y, dy)?;
        Ok((kept(a, da)?, kept(b, db)?, kept(c, dc)?))
    }
}
