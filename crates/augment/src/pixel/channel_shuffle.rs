//! Channels in another order.

use super::grid::{by_type, channels};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Puts the channels into a random order; a gray image stays.
///
/// Follows `ChannelShuffle` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ChannelShuffle")]
pub struct ChannelShuffle {}

/// What was decided.
#[state]
pub struct ChannelOrder {
    /// Which channel each new one is.
    pub order: Vec<usize>,
}

/// The numbers below `n` in random order.
pub(crate) fn permutation(rng: &mut Rng, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, rng.below(i as u64 + 1) as usize);
    }
    order
}

pleach_simd::lanes! {
    fn swapped<T: Copy>(pixels: &mut [[T; 3]], order: [usize; 3]) {
        // Six loops with constant places instead of one with variable ones.
        match order {
            [0, 2, 1] => pixels.iter_mut().for_each(|p| *p = [p[0], p[2], p[1]]),
            [1, 0, 2] => pixels.iter_mut().for_each(|p| *p = [p[1], p[0], p[2]]),
            [1, 2, 0] => pixels.iter_mut().for_each(|p| *p = [p[1], p[2], p[0]]),
            [2, 0, 1] => pixels.iter_mut().for_each(|p| *p = [p[2], p[0], p[1]]),
            [2, 1, 0] => pixels.iter_mut().for_each(|p| *p = [p[2], p[1], p[0]]),
            _ => {}
        }
    }
}

/// Puts channels into another order.
pub(crate) fn reorder<T: Copy>(samples: &mut [T], order: &[usize]) {
    if let [a, b, c] = *order {
        return swapped(samples.as_chunks_mut::<3>().0, [a, b, c]);
    }
    let mut old = Vec::with_capacity(order.len());
    for pixel in samples.chunks_exact_mut(order.len().max(1)) {
        old.clear();
        old.extend_from_slice(pixel);
        for (x, &from) in pixel.iter_mut().zip(order) {
            if let Some(&value) = old.get(from) {
                *x = value;
            }
        }
    }
}

impl Augmentation for ChannelShuffle {
    type Draw = ChannelOrder;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<ChannelOrder>> {
        let n = channels(row);
        Ok((n > 1).then(|| ChannelOrder { order: permutation(rng, n) }))
    }

    fn touch(&self, draw: &ChannelOrder, image: &mut Image) -> Result<()> {
        if draw.order.len() != image.channels {
            return Ok(());
        }
        by_type(
            image,
            |grid| {
                reorder(&mut grid.samples, &draw.order);
                Ok(())
            },
            |grid| {
                reorder(&mut grid.samples, &draw.order);
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
