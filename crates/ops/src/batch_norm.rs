//! Normalises each channel over the batch.

use crate::apply::three;
use crate::fresh;
use crate::host::{Host, Real, affine, dtype, for_float, output, slice, tensor, vector};
use crate::pointwise::Pointwise;
use crate::relu::Relu;
use crate::sizes;
use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use pleach_simd::{Float, lanes, par_map, sum, sum_of};
use std::sync::{Arc, OnceLock};

const NAME: &str = "batch_norm";

/// What batch normalisation in training gives: the output and the batch's own statistics.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// The normalised, scaled and shifted input, in its shape.
    pub y: Tensor,
    /// Mean of each channel, `[C]`, without gradient.
    pub mean: Tensor,
    /// Biased variance (divided by the count) of each channel, `[C]`, without gradient. PyTorch's running
    /// variance takes the unbiased one: times `count / (count - 1)`.
    pub var: Tensor,
    /// Elements of each channel.
    pub count: usize,
}

/// What is done with a normalised value in the same pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Identity,
    /// The rectifier, as [`relu`](crate::relu).
    Relu,
}

/// Training mode: `(x - mean) / sqrt(var + eps) * weight + bias` for `x` `[N, C, ...]`, with mean and biased variance of
/// each channel over all other dimensions; `weight` and `bias` are `[C]`, 1 and 0 where not given. Gradients go
/// through the statistics. `then` is applied to the result.
///
/// In place of some twenty candle operations, two passes each way.
pub fn batch_norm_train(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
    then: Then,
) -> Result<BatchNorm> {
    let size = Size::of(x)?;
    let count = size.samples * size.inner;
    if count < 2 {
        bail!("{NAME}: more than one value per channel expected in training, got {:?}", x.dims());
    }
    let stats = Arc::new(OnceLock::new());
    let op = Op { size, eps, given: false, then, stats: stats.clone() };
    let (weight, bias) = affine(NAME, x, weight, bias, &[size.channels])?;
    let y = three(x, &weight, &bias, op)?;
    let Some(Stats { mean, var }) = stats.get() else {
        bail!("{NAME}: no statistics");
    };
    let stat = |v: &[f64]| Tensor::from_slice(v, v.len(), &Device::Cpu)?.to_dtype(x.dtype());
    Ok(BatchNorm { y, mean: stat(mean)?, var: stat(var)?, count })
}

/// Evaluation mode: the same with the given statistics `mean` and `var`, `[C]`, which get no gradient.
pub fn batch_norm(
    x: &Tensor,
    mean: &Tensor,
    var: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
    then: Then,
) -> Result<Tensor> {
    let size = Size::of(x)?;
    let read = |what, t: &Tensor| -> Result<Vec<f64>> {
        let t = vector(NAME, what, t, size.channels)?;
        t.to_dtype(candle_core::DType::F64)?.to_vec1()
    };
    let stats = Stats { mean: read("mean", mean)?, var: read("var", var)? };
    let op = Op { size, eps, given: true, then, stats: Arc::new(OnceLock::from(stats)) };
    let (weight, bias) = affine(NAME, x, weight, bias, &[size.channels])?;
    three(x, &weight, &bias, op)
}

/// `[N, C, ...]` seen as samples, channels, and elements of a channel that lie together.
#[derive(Clone, Copy)]
struct Size {
    samples: usize,
    channels: usize,
    inner: usize,
}

impl Size {
    fn of(x: &Tensor) -> Result<Self> {
        sizes::total(NAME, x.dims())?;
        let &[samples, channels, ref rest @ ..] = x.dims() else {
            bail!("{NAME}: x [N, C, ...] expected, got {:?}", x.dims());
        };
        Ok(Self { samples, channels, inner: rest.iter().product() })
    }

    /// The stretches of channel `c`, in order.
    fn of_channel<T>(self, x: &[T], c: usize) -> impl Iterator<Item = &[T]> + Clone {
        (0..self.samples).map(move |n| &x[(n * self.channels + c) * self.inner..][..self.inner])
    }
}

struct Stats {
    mean: Vec<f64>,
    var: Vec<f64>,
}

struct Op {
    size: Size,
    eps: f64,
    /// Whether the statistics came from outside: gradients then do not go through them.
    given: bool,
    then: Then,
    stats: Arc<OnceLock<Stats>>,
}

lanes! {
    /// `y = (x - mean) * scale + shift`.
    fn apply<T: Real>(x: &[T], factors: [T; 3], y: &mut [T]) {
        let [mean, scale, shift] = factors;
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - mean) * scale + shift;
        }
    }
}

lanes! {
    /// `y = max((x - mean) * scale + shift, 0)`; NaN goes through.
    fn apply_relu<T: Real>(x: &[T], factors: [T; 3], y: &mut [T]) {
        let [mean, scale, shift] = factors;
        for (y, &x) in y.iter_mut().zip(x) {
            let v = (x - mean) * scale + shift;
            *y = Relu::value(v);
        }
    }
}

/// The gradient of a normalised value behind the rectifier, whose output `y` tells where it let it through.
#[inline(always)]
fn through<T: Real>(dy: T, y: T) -> T {
    Relu::grad(y, dy)
}

lanes! {
    /// The sums of dy and of dy (x - mean) over one stretch.
    fn sums_of<T: Real>(x: &[T], dy: &[T], mean: T) -> [f64; 2] {
        let dy = &dy[..x.len()];
        sums(x, mean, |i| dy[i])
    }
}

lanes! {
    /// The same behind the rectifier.
    fn sums_of_relu<T: Real>(x: &[T], dy: &[T], y: &[T], mean: T) -> [f64; 2] {
        let (dy, y) = (&dy[..x.len()], &y[..x.len()]);
        sums(x, mean, |i| through(dy[i], y[i]))
    }
}

/// Elements that are added in their own precision before the sums move to `f64`.
const BLOCK: usize = 1024;
/// Partial sums side by side.
const LANES: usize = 16;

#[inline(always)]
fn sums<T: Real>(x: &[T], mean: T, dy: impl Fn(usize) -> T) -> [f64; 2] {
    let mut total = [0.0; 2];
    for (b, block) in x.chunks(BLOCK).enumerate() {
        let (mut plain, mut dot) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        let whole = block.len() / LANES * LANES;
        for (g, group) in block[..whole].chunks_exact(LANES).enumerate() {
            for i in 0..LANES {
                let dy = dy(b * BLOCK + g * LANES + i);
                plain[i] += dy;
                dot[i] += (group[i] - mean) * dy;
            }
        }
        for (i, &x) in block[whole..].iter().enumerate() {
            let dy = dy(b * BLOCK + whole + i);
            plain[i] += dy;
            dot[i] += (x - mean) * dy;
        }
        for (total, lanes) in total.iter_mut().zip([plain, dot]) {
            *total += lanes.into_iter().fold(T::ZERO, |all, v| all + v).wide();
        }
    }
    total
}

lanes! {
    /// `dx = (dy - from_bias - (x - mean) * from_weight) * scale`.
    fn apply_back<T: Real>(x: &[T], dy: &[T], factors: [T; 4], dx: &mut [T]) {
        let [mean, scale, from_bias, from_weight] = factors;
        for (dx, (&x, &dy)) in dx.iter_mut().zip(x.iter().zip(dy)) {
            *dx = (dy - from_bias - (x - mean) * from_weight) * scale;
        }
    }
}

lanes! {
    /// The same behind the rectifier.
    fn apply_back_relu<T: Real>(x: &[T], dy: &[T], y: &[T], factors: [T; 4], dx: &mut [T]) {
        let [mean, scale, from_bias, from_weight] = factors;
        for ((dx, &y), (&x, &dy)) in dx.iter_mut().zip(y).zip(x.iter().zip(dy)) {
            *dx = (through(dy, y) - from_bias - (x - mean) * from_weight) * scale;
        }
    }
}

impl Op {
    fn measure<T: Real>(&self, x: &[T]) -> Stats {
        let count = (self.size.samples * self.size.inner) as f64;
        let (mean, var) = par_map(self.size.channels, |c| {
            let parts = self.size.of_channel(x, c);
            let mean = parts.clone().map(sum).sum::<f64>() / count;
            let m = T::of(mean);
            let square = |v: T| (v - m) * (v - m);
            let var = parts.map(|p| sum_of(p, square)).sum::<f64>() / count;
            (mean, var)
        })
        .into_iter()
        .unzip();
        Stats { mean, var }
    }
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
        let Size { channels, inner, .. } = self.size;
        for_float!(NAME, dtype(s1), T => {
            let x = slice::<T>(NAME, s1, l1)?;
            let (weight, bias) = (slice::<T>(NAME, s2, l2)?, slice::<T>(NAME, s3, l3)?);
            let stats = self.stats.get_or_init(|| self.measure(x));
            let y = fresh::rows(x.len(), inner, |r, y| {
                let c = r % channels;
                let scale = weight[c].wide() / (stats.var[c] + self.eps).sqrt();
                let factors = [T::of(stats.mean[c]), T::of(scale), bias[c]];
                match self.then {
                    Then::Identity => apply(&x[r * inner..], factors, y),
                    Then::Relu => apply_relu(&x[r * inner..], factors, y),
                }
            });
            Ok(output(y, l1.shape()))
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
        let Some(stats) = self.stats.get() else {
            bail!("{NAME}: backward without a forward");
        };
        let Size { samples, channels, inner } = self.size;
        let count = (samples * inner) as f64;
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, hw, hdy, hy) =
                (Host::read(NAME, x), Host::read(NAME, weight), Host::read(NAME, &dy), Host::read(NAME, y));
            let (xs, ws, dys, ys) = (hx.slice::<T>()?, hw.slice::<T>()?, hdy.slice::<T>()?, hy.slice::<T>()?);
            // For each channel: 1 / sqrt(var + eps), the sums of dy and of dy (x - mean).
            let sums = par_map(channels, |c| {
                let m = T::of(stats.mean[c]);
                let inv = 1.0 / (stats.var[c] + self.eps).sqrt();
                let (mut plain, mut dot) = (0.0, 0.0);
                for n in 0..samples {
                    let at = (n * channels + c) * inner;
                    let (x, dy) = (&xs[at..at + inner], &dys[at..at + inner]);
                    let [a, b] = match self.then {
                        Then::Identity => sums_of(x, dy, m),
                        Then::Relu => sums_of_relu(x, dy, &ys[at..at + inner], m),
                    };
                    plain += a;
                    dot += b;
                }
                (inv, plain, dot)
            });
            let dx = x.track_op().then(|| {
                let factors: Vec<[T; 4]> = (0..channels)
                    .map(|c| {
                        let (inv, plain, dot) = sums[c];
                        let (plain, dot) = if self.given { (0.0, 0.0) } else { (plain, dot) };
                        let scale = ws[c].wide() * inv;
                        [stats.mean[c], scale, plain / count, dot * inv * inv / count].map(T::of)
                    })
                    .collect();
                let dx = fresh::rows(xs.len(), inner, |r, dx| {
                    let at = r * inner;
                    match self.then {
                        Then::Identity => apply_back(&xs[at..], &dys[at..], factors[r % channels], dx),
                        Then::Relu => apply_back_relu(&xs[at..], &dys[at..], &ys[at..], factors[r % channels], dx),
                    }
                });
                tensor(dx, x.shape())
            });
            let dw = weight.track_op().then(|| {
                tensor(sums.iter().map(|s| T::of(s.0 * s.2)).collect::<Vec<T>>(), weight.shape())
            });
            let db = bias.track_op().then(|| {
                tensor(sums.iter().map(|s| T::of(s.1)).collect::<Vec<T>>(), bias.shape())
            });
            Ok((dx.transpose()?, dw.transpose()?, db.transpose()?))
        })
    }
}
