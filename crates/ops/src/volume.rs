//! The three passes of a convolution of volumes, on top of those of images.
//!
//! The depth taps of a window are further input channels of a convolution of images: output slice `d` sees, for each
//! channel, the `kd` planes `d stride + tap dilation - padding`. The weights `[Cout, ci, kd, kh, kw]` are already
//! those of `ci kd` channels, so that one product runs over channels and all three axes of taps; only planes are copied,
//! a bounded number of slices at a time. Where a group has one channel (depthwise) the taps go one by one and are summed,
//! since the passes of images have their fast way for that.

use crate::conv::{self, Geometry};
use crate::host::Real;
use crate::window::Window;
use candle_core::{Result, Tensor, bail};
use pleach_simd::{par_blocks, par_rows};
use std::borrow::Cow;
use std::ops::Range;

/// Elements of the planes that are copied for some slices.
const COPIED: usize = 1 << 20;

/// The sizes of a convolution of volumes: `[depth, rows, columns]` each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume {
    pub images: usize,
    pub groups: usize,
    /// Input channels of one group.
    pub ci: usize,
    /// Output channels of one group.
    pub co: usize,
    pub input: [usize; 3],
    pub output: [usize; 3],
    pub kernel: [usize; 3],
    pub stride: [usize; 3],
    pub padding: [usize; 3],
    pub dilation: [usize; 3],
}

impl Volume {
    fn area_in(&self) -> usize {
        self.input[1] * self.input[2]
    }

    fn area_out(&self) -> usize {
        self.output[1] * self.output[2]
    }

    fn len_in(&self) -> usize {
        self.images * self.groups * self.ci * self.input[0] * self.area_in()
    }

    fn len_out(&self) -> usize {
        self.images * self.groups * self.co * self.output[0] * self.area_out()
    }

    /// The convolution of images for `slices` output slices and so many depth taps.
    fn flat(&self, slices: usize, taps: usize) -> Geometry {
        let two = |[_, rows, cols]: [usize; 3]| [rows, cols];
        let window = Window {
            input: two(self.input),
            output: two(self.output),
            kernel: two(self.kernel),
            stride: two(self.stride),
            padding: two(self.padding),
            dilation: two(self.dilation),
        };
        Geometry { images: slices, groups: self.groups, ci: self.ci * taps, co: self.co, window }
    }

    /// The depth taps that are taken together.
    fn together(&self) -> usize {
        if self.flat(1, 1).thin() { 1 } else { self.kernel[0] }
    }

    /// Slices and depth taps of each convolution of images, in order. Slice `s` is depth `s % D'` of volume `s / D'`.
    fn steps(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + use<> {
        let (all, taps, together) = (self.images * self.output[0], self.kernel[0], self.together());
        let room = self.groups * self.ci * together * self.area_in();
        let slices = (COPIED / room.max(1)).max(1);
        (0..all).step_by(slices).flat_map(move |first| {
            let slices = first..(first + slices).min(all);
            (0..taps).step_by(together).map(move |t| (slices.clone(), t..t + together))
        })
    }

    /// The depth that `tap` of an output depth falls on, if it is not padding.
    fn source(&self, depth: usize, tap: usize) -> Option<usize> {
        let at = depth * self.stride[0] + tap * self.dilation[0];
        at.checked_sub(self.padding[0]).filter(|&at| at < self.input[0])
    }

    /// The slices of volume `n` among `slices`: where in `slices` each is, and its depth.
    fn depths(&self, n: usize, slices: &Range<usize>) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (first, depth) = (slices.start, self.output[0]);
        let range = slices.start.max(n * depth)..slices.end.min((n + 1) * depth);
        range.map(move |s| (s - first, s % depth))
    }

    /// The planes that `slices` see through `taps`: `[slices, channels, taps, rows, columns]`.
    fn planes<T: Real>(&self, x: &[T], slices: &Range<usize>, taps: &Range<usize>) -> Vec<T> {
        let (area, channels) = (self.area_in(), self.groups * self.ci);
        let mut planes = vec![T::ZERO; slices.len() * channels * taps.len() * area];
        par_rows(&mut planes, area, |r, to| {
            let (tap, r) = (taps.start + r % taps.len(), r / taps.len());
            let (channel, slice) = (r % channels, slices.start + r / channels);
            let (n, depth) = (slice / self.output[0], slice % self.output[0]);
            if let Some(at) = self.source(depth, tap) {
                to.copy_from_slice(&x[((n * channels + channel) * self.input[0] + at) * area..][..area]);
            }
        });
        planes
    }

    /// `slices` of an output `[images, channels, depth, pixels]` as images `[slices, channels, pixels]`.
    fn images_of<T: Real>(&self, y: &[T], slices: &Range<usize>) -> Vec<T> {
        let (area, channels) = (self.area_out(), self.groups * self.co);
        let mut images = vec![T::ZERO; slices.len() * channels * area];
        par_rows(&mut images, area, |r, to| {
            let (channel, slice) = (r % channels, slices.start + r / channels);
            let (n, depth) = (slice / self.output[0], slice % self.output[0]);
            to.copy_from_slice(&y[((n * channels + channel) * self.output[0] + depth) * area..][..area]);
        });
        images
    }

    /// The weights of some depth taps.
    fn weights<'a, T: Real>(&self, w: &'a [T], taps: &Range<usize>) -> Cow<'a, [T]> {
        if taps.len() == self.kernel[0] {
            return Cow::Borrowed(w);
        }
        let tap = self.kernel[1] * self.kernel[2];
        let of_channel = w.chunks_exact(self.kernel[0] * tap);
        Cow::Owned(of_channel.flat_map(|w| &w[taps.start * tap..taps.end * tap]).copied().collect())
    }
}

fn add<T: Real>(to: &mut [T], from: &[T]) {
    for (to, &v) in to.iter_mut().zip(from) {
        *to += v;
    }
}

/// As many elements as `len`, each the bias of its channel or zero; a channel has `size` elements.
fn from_bias<T: Real>(len: usize, size: usize, bias: Option<&[T]>) -> Vec<T> {
    let mut out = vec![T::ZERO; len];
    if let Some(bias) = bias {
        par_rows(&mut out, size, |r, out| out.fill(bias[r % bias.len()]));
    }
    out
}

/// `y = conv(x, w) + bias`.
pub(crate) fn forward<T: Real>(v: &Volume, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (area, channels) = (v.area_out(), v.groups * v.co);
    let mut y = from_bias(v.len_out(), v.output[0] * area, bias);
    for (slices, taps) in v.steps() {
        let planes = v.planes(x, &slices, &taps);
        let part = conv::forward(&v.flat(slices.len(), taps.len()), &planes, &v.weights(w, &taps), None);
        par_blocks(&mut y, v.output[0] * area, |r, y| {
            for (i, depth) in v.depths(r / channels, &slices) {
                add(&mut y[depth * area..][..area], &part[(i * channels + r % channels) * area..][..area]);
            }
        });
    }
    y
}

/// The gradient of the input, plus `bias` for each input channel.
pub(crate) fn input_grad<T: Real>(v: &Volume, dy: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (area, channels) = (v.area_in(), v.groups * v.ci);
    let mut dx = from_bias(v.len_in(), v.input[0] * area, bias);
    for (slices, taps) in v.steps() {
        let dy = v.images_of(dy, &slices);
        let part = conv::input_grad(&v.flat(slices.len(), taps.len()), &dy, &v.weights(w, &taps), None);
        par_blocks(&mut dx, v.input[0] * area, |r, dx| {
            for (i, depth) in v.depths(r / channels, &slices) {
                for (t, tap) in taps.clone().enumerate() {
                    if let Some(at) = v.source(depth, tap) {
                        let from = ((i * channels + r % channels) * taps.len() + t) * area;
                        add(&mut dx[at * area..][..area], &part[from..][..area]);
                    }
                }
            }
        });
    }
    dx
}

/// The gradient of the weights.
pub(crate) fn weight_grad<T: Real>(v: &Volume, x: &[T], dy: &[T]) -> Vec<T> {
    let tap = v.kernel[1] * v.kernel[2];
    let mut dw = vec![T::ZERO; v.groups * v.co * v.ci * v.kernel[0] * tap];
    for (slices, taps) in v.steps() {
        let (planes, dy) = (v.planes(x, &slices, &taps), v.images_of(dy, &slices));
        let part = conv::weight_grad(&v.flat(slices.len(), taps.len()), &planes, &dy);
        let channels = dw.chunks_exact_mut(v.kernel[0] * tap);
        for (dw, part) in channels.zip(part.chunks_exact(taps.len() * tap)) {
            add(&mut dw[taps.start * tap..], part);
        }
    }
    dw
}

/// Whether the channels of `x` (`cin`) and `w` (`ci` for each group, `cout`) fit.
pub(crate) fn channels_fit(op: &str, x: &Tensor, w: &Tensor, [cin, ci, cout]: [usize; 3], groups: usize) -> Result<()> {
    if ci == 0 || Some(cin) != ci.checked_mul(groups) || cout == 0 || !cout.is_multiple_of(groups) {
        bail!("{op}: x {:?} and w {:?} do not fit with {groups} groups", x.dims(), w.dims());
    }
    Ok(())
}

/// Whether the channels of `x` (`cin`) and `w` (`cin_w`, `co` for each group) of a transposed convolution fit.
pub(crate) fn channels_fit_transposed(
    op: &str,
    x: &Tensor,
    w: &Tensor,
    [cin, cin_w, co]: [usize; 3],
    groups: usize,
) -> Result<()> {
    if cin == 0 || cin != cin_w || co == 0 || !cin.is_multiple_of(groups) || co.checked_mul(groups).is_none() {
        bail!("{op}: x {:?} and w {:?} do not fit with {groups} groups", x.dims(), w.dims());
    }
    Ok(())
}

/// Whether the bias has one number for each channel.
pub(crate) fn bias_fits(op: &str, bias: Option<&Tensor>, channels: usize) -> Result<()> {
    match bias {
        Some(b) if b.dims() != [channels] => {
            bail!("{op}: bias of shape [{channels}] expected, got {:?}", b.dims())
        }
        _ => Ok(()),
    }
}

/// Positions of a window along an axis of `len` elements, if there are any.
pub(crate) fn count(len: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> Option<usize> {
    let span = dilation.checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
    let room = len.checked_add(padding.checked_mul(2)?)?.checked_sub(span)?;
    if dilation == 0 { None } else { room.checked_div(stride)?.checked_add(1) }
}

/// Elements that windows at `len` positions cover, less `padding` on both sides and plus `more`, if there are any.
pub(crate) fn spread(
    len: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    more: usize,
) -> Option<usize> {
    let span = dilation.checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
    let full = stride.checked_mul(len.checked_sub(1)?)?.checked_add(span)?.checked_add(more)?;
    let left = full.checked_sub(padding.checked_mul(2)?).filter(|&left| left > 0);
    if dilation == 0 || stride == 0 { None } else { left }
}

/// Whether tensors of such sizes can be.
pub(crate) fn countable(sizes: &[usize]) -> bool {
    let count = sizes.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
    count.is_some_and(crate::sizes::fits)
}
