//! The three passes of a convolution, as products of matrices of which one, the patches, is never made.
//!
//! A convolution of one image and group is `W (co x depth) * patches (depth x pixels)`, where `depth` runs over
//! input channels and taps. The patches of a whole image would be `taps` times its size; here they are packed from padded
//! planes straight into the layout of the innermost loops, a block at a time that fits a second-level cache.
//! All three passes also serve the transposed convolution, whose forward is the input's gradient here.

mod blocked;
mod columns;
mod depthwise;
mod forward;
mod geometry;
mod input_grad;
mod panels;
mod planes;
mod product;
mod scatter;
mod weight_grad;
mod winograd;

pub(crate) use geometry::Geometry;

use crate::host::Real;
use pleach_simd::{lanes, par_map, sum};

/// `y = conv(x, w) + bias`.
pub(crate) fn forward<T: Real>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    if g.thin() {
        return depthwise::forward(g, x, w, bias);
    }
    let quick = if winograd::pays_forward(g) { winograd::forward(g, x, w, bias) } else { None };
    quick.unwrap_or_else(|| forward::forward(g, x, w, bias))
}

/// The gradient of the input, plus `bias` for each input channel.
pub(crate) fn input_grad<T: Real>(g: &Geometry, dy: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    if g.thin() {
        return depthwise::input_grad(g, dy, w, bias);
    }
    let quick = if winograd::pays(g) { winograd::input_grad(g, dy, w, bias) } else { None };
    quick.unwrap_or_else(|| input_grad::input_grad(g, dy, w, bias))
}

/// The gradient of the weights.
pub(crate) fn weight_grad<T: Real>(g: &Geometry, x: &[T], dy: &[T]) -> Vec<T> {
    if g.thin() {
        return depthwise::weight_grad(g, x, dy);
    }
    let quick = if winograd::pays(g) { winograd::weight_grad(g, x, dy) } else { None };
    quick.unwrap_or_else(|| weight_grad::weight_grad(g, x, dy))
}

/// The gradient of a bias: `dy` `[n, channels, pixels]` summed over images and pixels.
pub(crate) fn bias_grad<T: Real>(dy: &[T], channels: usize, pixels: usize) -> Vec<T> {
    par_map(channels, |c| {
        let images = dy.chunks_exact(channels * pixels);
        T::of(images.map(|i| sum(&i[c * pixels..][..pixels])).sum())
    })
}

lanes! {
    /// Adds numbers to sums.
    fn add<T: Real>(sums: &mut [T], more: &[T]) {
        for (sum, &v) in sums.iter_mut().zip(more) {
            *sum += v;
        }
    }
}
