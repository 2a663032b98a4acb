//! The affine map.

use crate::apply::in_order;
use crate::batch_norm::Then;
use crate::fresh;
use crate::host::{Host, Real, dtype, for_float, output, slice, tensor, vector};
use crate::matrix::{Mat, Old, Packed, column_sums, multiply_packed};
use crate::optional::{Input, WithOptional, apply};
use crate::relu::{behind_rectifier, rectify};
use candle_core::{CpuStorage, Result, Shape, Tensor, bail};
use pleach_simd::lanes;
use std::borrow::Cow;

const NAME: &str = "linear";

/// `x w^T + bias`: `x` `[..., in]`, `w` `[out, in]`, `bias` `[out]`, giving `[..., out]`.
///
/// In place of candle's matmul and broadcast add: there each bias gradient is a sum over leading dimensions
/// on one thread with a division per element, 20 % of a transformer's step.
pub fn linear(x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    linear_then(x, w, bias, Then::Identity)
}

/// [`linear`], and `then` applied to the result in the same pass.
pub fn linear_then(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, then: Then) -> Result<Tensor> {
    let (&[out, cin], Some((&last, _))) = (w.dims(), x.dims().split_last()) else {
        bail!("{NAME}: x [..., in] and w [out, in] expected, got {:?} and {:?}", x.dims(), w.dims());
    };
    if last != cin {
        bail!("{NAME}: x {:?} and w {:?} do not fit", x.dims(), w.dims());
    }
    let op = Op { rows: x.elem_count() / cin.max(1), cin, out, then };
    let (x, w) = (in_order(NAME, x)?, in_order(NAME, w)?);
    let bias = bias.map(|bias| vector(NAME, "bias", bias, out)).transpose()?;
    apply(op, &x, &w, bias.as_ref())
}

#[derive(Clone, Copy)]
struct Op {
    rows: usize,
    cin: usize,
    out: usize,
    then: Then,
}

/// `a b` of `rows` x `cols` elements, some rows of it at a time. `a` gives the rows from a first one on.
fn product<'a, T: Real>(
    [rows, cols]: [usize; 2],
    a: impl Fn(usize, usize) -> Mat<'a, T> + Sync + Send,
    b: Mat<'_, T>,
    bias: Option<&[T]>,
    then: Then,
) -> Vec<T> {
    let b = Packed::new(b);
    // Eight blocks keep threads busy, and the cut does not depend on how many there are.
    let together = rows.div_ceil(8).next_multiple_of(16);
    fresh::blocks(rows * cols, together * cols, |i, out| {
        let (first, count) = (i * together, out.len() / cols);
        multiply_packed(out, cols, Old::Overwritten, a(first, count), &b);
        // Behind the product, so that its sums are not rounded at the size of the bias.
        for row in out.chunks_exact_mut(cols) {
            if let Some(bias) = bias {
                add(row, bias);
            }
            if then == Then::Relu {
                rectify(row);
            }
        }
    })
}

lanes! {
    fn add<T: Real>(row: &mut [T], bias: &[T]) {
        for (v, &bias) in row.iter_mut().zip(bias) {
            *v += bias;
        }
    }
}

impl WithOptional for Op {
    const NAME: &'static str = NAME;

    fn forward(&self, x: Input<'_>, w: Input<'_>, bias: Option<Input<'_>>) -> Result<(CpuStorage, Shape)> {
        let Self { rows, cin, out, then } = *self;
        for_float!(NAME, dtype(x.0), T => {
            let (xs, w) = (slice::<T>(NAME, x.0, x.1)?, slice(NAME, w.0, w.1)?);
            let bias = bias.map(|(s, l)| slice(NAME, s, l)).transpose()?;
            let wt = Mat::new(w, [out, cin], cin).t();
            let x_rows = |first, n| Mat::new(&xs[first * cin..], [n, cin], cin);
            let mut shape = x.1.dims().to_vec();
            if let Some(last) = shape.last_mut() {
                *last = out;
            }
            Ok(output(product([rows, out], x_rows, wt, bias, then), shape))
        })
    }

    fn backward(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: Option<&Tensor>,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<[Option<Tensor>; 3]> {
        let Self { rows, cin, out, then } = *self;
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, hw, hdy) = (Host::read(NAME, x), Host::read(NAME, w), Host::read(NAME, &dy));
            let (xs, ws) = (hx.slice::<T>()?, hw.slice()?);
            let hy = Host::read(NAME, y);
            let dys = match then {
                Then::Identity => Cow::Borrowed(hdy.slice()?),
                Then::Relu => Cow::Owned(behind_rectifier(hy.slice()?, hdy.slice()?)),
            };
            let dys = &*dys;
            let dx = x.track_op().then(|| {
                let dy = |first, n| Mat::new(&dys[first * out..], [n, out], out);
                tensor(product([rows, cin], dy, Mat::new(ws, [out, cin], cin), None, Then::Identity), x.shape())
            });
            let dw = w.track_op().then(|| {
                let dyt = |first: usize, n| Mat::new(&dys[first.min(dys.len())..], [rows, n], out).t();
                tensor(product([out, cin], dyt, Mat::new(xs, [rows, cin], cin), None, Then::Identity), w.shape())
            });
            let db = bias.filter(|b| b.track_op());
            let db = db.map(|b| tensor(column_sums(dys, out), b.shape()));
            Ok([dx.transpose()?, dw.transpose()?, db.transpose()?])
        })
    }
}
