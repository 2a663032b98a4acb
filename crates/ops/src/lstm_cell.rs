//! One step of a long short-term memory.

use crate::apply;
use crate::host::{Host, Real, dtype, for_float, output, slice, tensor};
use crate::linear::linear;
use crate::sigmoid::logistic;
use crate::sizes;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use pleach_simd::{lanes, par_rows2};

const NAME: &str = "lstm_cell";

/// The parameters of a cell with `hidden` units; gates lie in the order input, forget, cell, output.
#[derive(Clone, Copy, Debug)]
pub struct LstmCell<'a> {
    /// Weights of the input, `[4 hidden, features]`.
    pub weight_ih: &'a Tensor,
    /// Weights of the hidden state, `[4 hidden, hidden]`.
    pub weight_hh: &'a Tensor,
    /// Bias beside the input, `[4 hidden]`.
    pub bias_ih: Option<&'a Tensor>,
    /// Bias beside the hidden state, `[4 hidden]`.
    pub bias_hh: Option<&'a Tensor>,
}

/// `(h', c')` for the input `x` `[N, features]` and the states `h` and `c` `[N, hidden]`:
/// `c' = sigmoid(f) c + sigmoid(i) tanh(g)` and `h' = sigmoid(o) tanh(c')`, where
/// `[i, f, g, o] = x weight_ih^T + bias_ih + h weight_hh^T + bias_hh`, as `torch.nn.LSTMCell`.
///
/// Two affine maps and one pass over the gates each way, where candle-nn's takes some twenty.
pub fn lstm_cell(x: &Tensor, h: &Tensor, c: &Tensor, cell: &LstmCell<'_>) -> Result<(Tensor, Tensor)> {
    let (&[images, features], &[_, hidden]) = (x.dims(), h.dims()) else {
        bail!("{NAME}: x [N, features] and h [N, hidden] expected, got {:?} and {:?}", x.dims(), h.dims());
    };
    if hidden == 0 || features == 0 {
        bail!("{NAME}: at least one feature and unit expected, got x {:?} and h {:?}", x.dims(), h.dims());
    }
    let fits = |what, t: &Tensor, shape: &[usize]| {
        if t.dims() != shape {
            let (x, got) = (x.dims(), t.dims());
            bail!("{NAME}: {what} of shape {shape:?} expected for x {x:?} and {hidden} units, got {got:?}");
        }
        Ok(())
    };
    for t in [x, h, c] {
        sizes::total(NAME, t.dims())?;
    }
    let gates = 4 * hidden;
    fits("h", h, &[images, hidden])?;
    fits("c", c, &[images, hidden])?;
    fits("weight_ih", cell.weight_ih, &[gates, features])?;
    fits("weight_hh", cell.weight_hh, &[gates, hidden])?;
    cell.bias_ih.map_or(Ok(()), |b| fits("bias_ih", b, &[gates]))?;
    cell.bias_hh.map_or(Ok(()), |b| fits("bias_hh", b, &[gates]))?;
    let from_x = linear(x, cell.weight_ih, cell.bias_ih)?;
    let from_h = linear(h, cell.weight_hh, cell.bias_hh)?;
    let both = apply::three(&from_x, &from_h, c, Op { hidden })?;
    Ok((both.get(0)?, both.get(1)?))
}

/// Numbers with a hyperbolic tangent.
trait Hyperbolic: Real {
    fn tanh(self) -> Self;
}

impl Hyperbolic for f32 {
    /// Without branches, for vector lanes; near 0 the polynomial of Moshier's Cephes library.
    #[inline(always)]
    fn tanh(self) -> Self {
        let z = self * self;
        let fit = [-5.704_988_6e-3, 2.063_908_8e-2, -5.373_971_5e-2, 1.333_144_2e-1, -3.333_328e-1];
        let near = self + self * z * fit.iter().fold(0.0f32, |sum, c| sum * z + c);
        let size = self.abs();
        let far = 1.0 - 2.0 / (1.0 + pleach_simd::Float::exp(2.0 * size));
        if size < 0.625 { near } else { far.copysign(self) }
    }
}

impl Hyperbolic for f64 {
    #[inline(always)]
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
}

/// The gates and the new cell of one unit.
struct Unit<T> {
    input: T,
    forget: T,
    cell: T,
    output: T,
    /// tanh of the new cell.
    shown: T,
    new: T,
}

#[inline(always)]
fn unit<T: Hyperbolic>([i, f, g, o]: [T; 4], c: T) -> Unit<T> {
    let (input, forget, cell, output) = (logistic(i), logistic(f), g.tanh(), logistic(o));
    let new = forget * c + input * cell;
    Unit { input, forget, cell, output, shown: new.tanh(), new }
}

lanes! {
    /// New hidden state and cell of one sample, from both shares of its gates.
    fn step<T: Hyperbolic>(x: &[T], h: &[T], c: &[T], new_h: &mut [T], new_c: &mut [T]) {
        let n = c.len();
        let (x, h): ([&[T]; 4], [&[T]; 4]) = ([0, 1, 2, 3].map(|k| &x[k * n..][..n]), [0, 1, 2, 3].map(|k| &h[k * n..][..n]));
        let (new_h, new_c) = (&mut new_h[..n], &mut new_c[..n]);
        for j in 0..n {
            let u = unit([x[0][j] + h[0][j], x[1][j] + h[1][j], x[2][j] + h[2][j], x[3][j] + h[3][j]], c[j]);
            new_h[j] = u.output * u.shown;
            new_c[j] = u.new;
        }
    }
}

/// What the gradients of one sample are made from: both shares of the gates, the old cell, and the gradients of the
/// new hidden state and cell.
struct Sample<'a, T> {
    x: &'a [T],
    h: &'a [T],
    c: &'a [T],
    dh: &'a [T],
    dc: &'a [T],
}

lanes! {
    fn step_grad<T: Hyperbolic>(s: &Sample<'_, T>, dgates: &mut [T], dc: &mut [T]) {
        let n = dc.len();
        let (x, h): ([&[T]; 4], [&[T]; 4]) =
            ([0, 1, 2, 3].map(|k| &s.x[k * n..][..n]), [0, 1, 2, 3].map(|k| &s.h[k * n..][..n]));
        let (di, rest) = dgates.split_at_mut(n);
        let (df, rest) = rest.split_at_mut(n);
        let (dg, d_o) = rest.split_at_mut(n);
        let (c, up_h, up_c, d_o) = (&s.c[..n], &s.dh[..n], &s.dc[..n], &mut d_o[..n]);
        for j in 0..n {
            let u = unit([x[0][j] + h[0][j], x[1][j] + h[1][j], x[2][j] + h[2][j], x[3][j] + h[3][j]], c[j]);
            let into_cell = up_c[j] + up_h[j] * u.output * (T::ONE - u.shown * u.shown);
            di[j] = into_cell * u.cell * u.input * (T::ONE - u.input);
            df[j] = into_cell * c[j] * u.forget * (T::ONE - u.forget);
            dg[j] = into_cell * u.input * (T::ONE - u.cell * u.cell);
            d_o[j] = up_h[j] * u.shown * u.output * (T::ONE - u.output);
            dc[j] = into_cell * u.forget;
        }
    }
}

/// From both shares of the gates `[N, 4 hidden]` and the cell `[N, hidden]` to the new hidden state and cell
/// `[2, N, hidden]`. The gates' activations are computed again in backward, which is less than reading them.
struct Op {
    hidden: usize,
}

impl CustomOp3 for Op {
    fn name(&self) -> &'static str {
        NAME
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
        let n = self.hidden;
        for_float!(NAME, dtype(s1), T => {
            let (x, h, c) = (slice::<T>(NAME, s1, l1)?, slice::<T>(NAME, s2, l2)?, slice::<T>(NAME, s3, l3)?);
            let mut both = vec![0.0; 2 * c.len()];
            let (new_h, new_c) = both.split_at_mut(c.len());
            par_rows2(new_h, n, new_c, n, |r, new_h, new_c| {
                let (x, h) = (&x[r * 4 * n..][..4 * n], &h[r * 4 * n..][..4 * n]);
                step(x, h, &c[r * n..][..n], new_h, new_c);
            });
            Ok(output::<T>(both, (2, c.len() / n, n)))
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        h: &Tensor,
        c: &Tensor,
        _both: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let n = self.hidden;
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, hh, hc) = (Host::read(NAME, x), Host::read(NAME, h), Host::read(NAME, c));
            let hdy = Host::read(NAME, &dy);
            let (xs, hs, cs) = (hx.slice::<T>()?, hh.slice::<T>()?, hc.slice::<T>()?);
            let (up_h, up_c) = hdy.slice::<T>()?.split_at(cs.len());
            let mut dgates: Vec<T> = vec![0.0; xs.len()];
            let mut dc: Vec<T> = vec![0.0; cs.len()];
            par_rows2(&mut dgates, 4 * n, &mut dc, n, |r, dgates, dc| {
                let (gates, units) = (r * 4 * n..(r + 1) * 4 * n, r * n..(r + 1) * n);
                let sample = Sample {
                    x: &xs[gates.clone()],
                    h: &hs[gates],
                    c: &cs[units.clone()],
                    dh: &up_h[units.clone()],
                    dc: &up_c[units],
                };
                step_grad(&sample, dgates, dc);
            });
            let dgates = tensor(dgates, x.shape())?;
            let dc = c.track_op().then(|| tensor(dc, c.shape())).transpose()?;
            Ok((x.track_op().then(|| dgates.clone()), h.track_op().then_some(dgates), dc))
        })
    }
}
