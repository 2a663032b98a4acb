//! Convolutions of 3 x 3 with stride 1 by the algorithm of Winograd: 16 products where the sum over taps takes 36. The forward pass also with
//! stride 2: 25 for 36.
//!
//! Two by two results come of a tile of four by four inputs: with g the window and d the tile, `y = A^T ((G g G^T) * (B^T d B)) A`,
//! where `*` goes point by point and sums over channels make a product of matrices at each of the 16 points. The two gradients are
//! the same algorithm read backwards. (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016: F(2 x 2, 3 x 3).)
//!
//! The transforms add and halve only, so results are as near as those of the plain sum to within a small factor. An input that is
//! infinite would spoil its whole tile: where a result is not finite, the plain sum is taken.

mod deep;
mod frame;
mod product;
mod strided;
mod transform;
mod weight_grad;

use super::Geometry;
use crate::host::Real;
use pleach_simd::{Level, level};
use product::{Reading, Side, Windows, product};
use transform::Stride;

/// Whether the algorithm is one for this convolution, and saves time.
pub(super) fn pays(g: &Geometry) -> bool {
    g.stride == [1, 1] && g.ci.min(g.co) >= 16 && fits(g)
}

/// Whether it does for the forward pass alone.
pub(super) fn pays_forward(g: &Geometry) -> bool {
    // With stride 2 less is saved, and more transformed: the quicker products are, the more channels it takes.
    let least = if level() == Level::Avx512 { 256 } else { 32 };
    pays(g) || g.stride == [2, 2] && g.ci.min(g.co) >= least && fits(g)
}

fn fits(g: &Geometry) -> bool {
    let square = |size: usize| size.next_multiple_of(2);
    let tiles = square(g.output[0]) * square(g.output[1]);
    g.kernel == [3, 3]
        && g.dilation == [1, 1]
        && g.groups == 1
        && g.padding.iter().all(|&p| p <= 2)
        && 4 * g.area_out() >= 3 * tiles
}

/// `y = conv(x, w) + bias`, or nothing where a result is not finite.
pub(super) fn forward<T: Real>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>) -> Option<Vec<T>> {
    let stride = if g.stride == [1, 1] { Stride::One } else { Stride::Two };
    let side = Side { channels: g.ci, size: g.input };
    let windows = Windows { w, ci: g.ci, co: g.co, reading: Reading::Forward(stride) };
    product(g.images, x, side, &windows, Side { channels: g.co, size: g.output }, g.padding, bias)
}

/// The gradient of the input, plus `bias` for each input channel: a convolution of the output's gradient with the windows
/// turned round.
pub(super) fn input_grad<T: Real>(g: &Geometry, dy: &[T], w: &[T], bias: Option<&[T]>) -> Option<Vec<T>> {
    let side = Side { channels: g.co, size: g.output };
    let windows = Windows { w, ci: g.co, co: g.ci, reading: Reading::Backward };
    let padding = g.padding.map(|p| 2 - p);
    product(g.images, dy, side, &windows, Side { channels: g.ci, size: g.input }, padding, bias)
}

pub(super) use weight_grad::weight_grad;

#[cfg(test)]
mod tests {
    use super::super::Geometry;
    use crate::window::Window;
    use proptest::prelude::*;

    /// Also where [`pays_forward`](super::pays_forward) says that it saves no time on this machine.
    fn is_the_plain_sum(
        images: usize,
        channels: [usize; 2],
        [input, padding]: [[usize; 2]; 2],
        stride: usize,
        seed: u32,
    ) {
        let (kernel, stride, dilation) = ([3, 3], [stride; 2], [1, 1]);
        let window = Window { input, output: [0, 0], kernel, stride, padding, dilation };
        let Ok(window) = window.fit("conv2d") else { return };
        let g = Geometry { images, groups: 1, ci: channels[0], co: channels[1], window };
        let mut state = u64::from(seed);
        let mut line = |n: usize| -> Vec<f64> {
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 40) as f64 / f64::from(1 << 23) - 1.0
            };
            (0..n).map(|_| next()).collect()
        };
        let (x, w) = (line(images * g.ci * input[0] * input[1]), line(g.co * g.depth()));
        let bias = line(g.co);
        let plain = super::super::forward::forward(&g, &x, &w, Some(&bias));
        let ours = super::forward(&g, &x, &w, Some(&bias)).unwrap();
        for (ours, plain) in ours.iter().zip(&plain) {
            let near = (ours - plain).abs() < 1e-11 * g.depth() as f64;
            assert!(near, "{images} images {input:?}, padding {padding:?}: {ours}, by the sum {plain}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 48 }))]

        #[test]
        fn the_forward_pass_is_the_plain_sum(
            images in 1..4usize,
            channels in [1..70usize, 1..70usize],
            input in [1..20usize, 1..20usize],
            padding in [0..3usize, 0..3usize],
            stride in 1..3usize,
            seed: u32,
        ) {
            is_the_plain_sum(images, channels, [input, padding], stride, seed);
        }
    }

    /// Where an image ends within a tile, and where it has one row or column of tiles alone.
    #[test]
    fn small_images_of_all_sizes_are_plain_sums() {
        let most = if cfg!(miri) { 3 } else { 9 };
        for (height, width) in (1..most).flat_map(|height| (1..most).map(move |width| (height, width))) {
            for (images, stride) in [(1, 1), (1, 2), (3, 1), (3, 2)] {
                is_the_plain_sum(images, [3, 40], [[height, width], [1, 1]], stride, 7);
            }
        }
    }
}
