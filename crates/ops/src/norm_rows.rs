//! Normalises each row of a matrix: what layer, group and instance normalisation have in common.

use crate::Then;
use crate::apply::three;
use crate::fresh;
use crate::host::{Host, Real, affine, dtype, for_float, output, slice, tensor};
use crate::relu::{behind_rectifier, rectify};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use pleach_simd::{lanes, par_map, par_rows, reduce, sum, sum_of, sum_of2};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Which weight belongs to which element.
#[derive(Clone, Copy)]
pub(crate) enum Per {
    /// Each position of a row has its own.
    Position,
    /// Each channel has one. A row is `channels` channels of `area` elements, a sample `groups` rows.
    Channel { channels: usize, area: usize, groups: usize },
}

/// A matrix of rows of `len` elements, and whose name errors bear.
pub(crate) struct Rows {
    pub op: &'static str,
    pub len: usize,
    pub per: Per,
}

impl Rows {
    /// `(row - mean) / sqrt(var + eps) * weight + bias` for each row of `x`, then what follows; weight and bias of shape
    /// `shape`.
    pub fn norm(
        self,
        x: &Tensor,
        [weight, bias]: [Option<&Tensor>; 2],
        shape: &[usize],
        eps: f64,
        then: Then,
    ) -> Result<Tensor> {
        if self.len == 0 {
            bail!("{}: nothing to normalise in x {:?}", self.op, x.dims());
        }
        let (weight, bias) = affine(self.op, x, weight, bias, shape)?;
        let op = Op { rows: self, eps, then, stats: OnceLock::new() };
        three(x, &weight, &bias, op)
    }
}

struct Op {
    rows: Rows,
    eps: f64,
    then: Then,
    /// Mean and 1 / sqrt(var + eps) of each row.
    stats: OnceLock<Vec<[f64; 2]>>,
}

lanes! {
    fn normalise<T: Real>(x: &[T], mean: T, inv: T, y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - mean) * inv;
        }
    }
}

lanes! {
    fn scale_shift<T: Real>(y: &mut [T], weight: &[T], bias: &[T]) {
        for (y, (&w, &b)) in y.iter_mut().zip(weight.iter().zip(bias)) {
            *y = *y * w + b;
        }
    }
}

lanes! {
    /// `g = (g - from_bias - (x - mean) * from_weight) * inv`.
    fn through_stats<T: Real>(x: &[T], factors: [T; 4], g: &mut [T]) {
        let [mean, inv, from_bias, from_weight] = factors;
        for (g, &x) in g.iter_mut().zip(x) {
            *g = (*g - from_bias - (x - mean) * from_weight) * inv;
        }
    }
}

lanes! {
    /// Adds the row's share to the gradients of weight and bias.
    fn add_row<T: Real>(x: &[T], dy: &[T], mean: T, inv: T, dw: &mut [T], db: &mut [T]) {
        for (i, (dw, db)) in dw.iter_mut().zip(db).enumerate() {
            *dw += dy[i] * (x[i] - mean) * inv;
            *db += dy[i];
        }
    }
}

impl Per {
    /// Calls `f` with each stretch of row `r` and the range of weights that it has: one, or one for each element.
    fn stretches<T>(self, r: usize, row: &mut [T], mut f: impl FnMut(usize, &mut [T])) {
        match self {
            Self::Position => f(0, row),
            Self::Channel { channels, area, groups } => {
                let first = r % groups * channels;
                for (c, part) in row.chunks_mut(area).enumerate() {
                    f(first + c, part);
                }
            }
        }
    }

    fn apply<T: Real>(self, r: usize, row: &mut [T], weight: &[T], bias: Option<&[T]>) {
        self.stretches(r, row, |at, part| match (self, bias) {
            (Self::Position, Some(bias)) => scale_shift(part, weight, bias),
            (Self::Position, None) => {
                for (v, &w) in part.iter_mut().zip(weight) {
                    *v *= w;
                }
            }
            (Self::Channel { .. }, _) => {
                let (w, b) = (weight[at], bias.map_or(T::ZERO, |b| b[at]));
                for v in part {
                    *v = *v * w + b;
                }
            }
        });
    }
}

impl Op {
    fn forward<T: Real>(&self, x: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let count = self.rows.len as f64;
        let len = self.rows.len;
        let mut stats = vec![[0.0; 2]; x.len() / len];
        par_rows(&mut stats, 1, |r, stats| {
            let x = &x[r * len..][..len];
            let mean = sum(x) / count;
            let m = T::of(mean);
            let var = sum_of(x, |v| (v - m) * (v - m)) / count;
            stats[0] = [mean, 1.0 / (var + self.eps).sqrt()];
        });
        let y = fresh::rows(x.len(), len, |r, y| {
            let [mean, inv] = stats[r].map(T::of);
            normalise(&x[r * len..][..len], mean, inv, y);
            self.rows.per.apply(r, y, weight, Some(bias));
            if self.then == Then::Relu {
                rectify(y);
            }
        });
        // The op runs once; were it run again, the statistics would be the same.
        let _ = self.stats.set(stats);
        y
    }

    fn input_grad<T: Real>(&self, stats: &[[f64; 2]], x: &[T], weight: &[T], dy: &[T]) -> Vec<T> {
        let count = self.rows.len as f64;
        let len = self.rows.len;
        fresh::rows(x.len(), len, |r, g| {
            let x = &x[r * len..][..len];
            g.copy_from_slice(&dy[r * len..][..len]);
            let [mean, inv] = stats[r];
            let m = T::of(mean);
            self.rows.per.apply(r, g, weight, None);
            let plain = sum(g) / count;
            let dot = sum_of2(x, g, |x, g| (x - m) * g) / count;
            let factors = [mean, inv, plain, dot * inv * inv].map(T::of);
            through_stats(x, factors, g);
        })
    }

    /// The gradients of weight and bias.
    fn affine_grads<T: Real>(&self, stats: &[[f64; 2]], x: &[T], dy: &[T]) -> [Vec<T>; 2] {
        /// Rows whose sums are kept together.
        const ROWS: usize = 64;
        let len = self.rows.len;
        match self.rows.per {
            Per::Position => reduce(
                stats.len().div_ceil(ROWS),
                |block| {
                    let [mut dw, mut db] = [vec![T::ZERO; len], vec![T::ZERO; len]];
                    for r in block * ROWS..stats.len().min((block + 1) * ROWS) {
                        let [mean, inv] = stats[r].map(T::of);
                        let (x, dy) = (&x[r * len..][..len], &dy[r * len..][..len]);
                        add_row(x, dy, mean, inv, &mut dw, &mut db);
                    }
                    [dw, db]
                },
                |mut total, part| {
                    for (total, part) in total.iter_mut().zip(&part) {
                        for (t, &v) in total.iter_mut().zip(part) {
                            *t += v;
                        }
                    }
                    total
                },
            )
            .unwrap_or_else(|| [vec![T::ZERO; len], vec![T::ZERO; len]]),
            Per::Channel { channels, area, groups } => {
                let grads = par_map(channels * groups, |c| {
                    let (mut dw, mut db) = (0.0, 0.0);
                    for r in (c / channels..stats.len()).step_by(groups) {
                        let at = r * len + c % channels * area;
                        let (x, dy) = (&x[at..][..area], &dy[at..][..area]);
                        let m = T::of(stats[r][0]);
                        dw += sum_of2(x, dy, |x, dy| (x - m) * dy) * stats[r][1];
                        db += sum(dy);
                    }
                    (T::of(dw), T::of(db))
                });
                let (dw, db) = grads.into_iter().unzip();
                [dw, db]
            }
        }
    }
}

impl CustomOp3 for Op {
    fn name(&self) -> &'static str {
        self.rows.op
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
        for_float!(self.rows.op, dtype(s1), T => {
            let x = slice::<T>(self.rows.op, s1, l1)?;
            let (weight, bias) = (slice(self.rows.op, s2, l2)?, slice(self.rows.op, s3, l3)?);
            Ok(output(self.forward(x, weight, bias), l1.shape()))
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let op = self.rows.op;
        let Some(stats) = self.stats.get() else {
            bail!("{op}: backward without a forward");
        };
        let dy = dy.contiguous()?;
        for_float!(op, x.dtype(), T => {
            let (hx, hw, hdy) = (Host::read(op, x), Host::read(op, weight), Host::read(op, &dy));
            let (xs, ws, dys) = (hx.slice::<T>()?, hw.slice::<T>()?, hdy.slice::<T>()?);
            let hy = Host::read(op, y);
            let dys = match self.then {
                Then::Identity => Cow::Borrowed(dys),
                Then::Relu => Cow::Owned(behind_rectifier(hy.slice()?, dys)),
            };
            let dys = &*dys;
            let dx = x.track_op().then(|| {
                tensor(self.input_grad(stats, xs, ws, dys), x.shape())
            });
            if !weight.track_op() && !bias.track_op() {
                return Ok((dx.transpose()?, None, None));
            }
            let [dw, db] = self.affine_grads(stats, xs, dys);
            let [dw, db] = [tensor(dw, weight.shape())?, tensor(db, bias.shape())?];
            Ok((
                dx.transpose()?,
                weight.track_op().then_some(dw),
                bias.track_op().then_some(db),
            ))
        })
    }
}
