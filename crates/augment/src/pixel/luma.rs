//! Gray from colours, and Y'CrCb, in OpenCV's whole numbers.

use super::grid::Grid;
use pleach_simd::luma_rgb;

/// The luma of a pixel of floats.
#[inline(always)]
pub(crate) fn gray_of_floats([r, g, b]: [f32; 3]) -> f32 {
    r * 0.299 + g * 0.587 + b * 0.114
}

/// The mean luma of an RGB image, or of a gray one.
pub(crate) fn mean_of_bytes(grid: &Grid<u8>) -> f64 {
    let sum: u64 = match grid.channels {
        3 => sum_of_luma(grid.samples.as_chunks::<3>().0),
        _ => grid.samples.iter().map(|&x| u64::from(x)).sum(),
    };
    sum as f64 / (grid.width * grid.height) as f64
}

/// The mean luma of an RGB image, or of a gray one.
pub(crate) fn mean_of_floats(grid: &Grid<f32>) -> f64 {
    let sum: f64 = match grid.channels {
        3 => grid.samples.as_chunks::<3>().0.iter().map(|&p| f64::from(gray_of_floats(p))).sum(),
        _ => grid.samples.iter().map(|&x| f64::from(x)).sum(),
    };
    sum / (grid.width * grid.height) as f64
}

fn sum_of_luma(pixels: &[[u8; 3]]) -> u64 {
    const BLOCK: usize = 4096;
    let mut lumas = [0; BLOCK];
    let one = |block: &[[u8; 3]]| {
        let lumas = &mut lumas[..block.len()];
        luma_rgb(block, lumas);
        lumas.iter().map(|&x| u64::from(x)).sum::<u64>()
    };
    pixels.chunks(BLOCK).map(one).sum()
}

/// Luma and the differences to red and blue, of 8 bits each.
#[inline(always)]
pub(crate) fn to_ycrcb([r, g, b]: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = [r, g, b].map(i32::from);
    let y = (r * 4899 + g * 9617 + b * 1868 + (1 << 13)) >> 14;
    let difference = |x: i32, weight: i32| (((x - y) * weight + (128 << 14) + (1 << 13)) >> 14).clamp(0, 255) as u8;
    [y as u8, difference(r, 11682), difference(b, 9241)]
}

/// The way back.
#[inline(always)]
pub(crate) fn from_ycrcb([y, cr, cb]: [u8; 3]) -> [u8; 3] {
    let (y, cr, cb) = (i32::from(y), i32::from(cr) - 128, i32::from(cb) - 128);
    let sum = |x: i32| (y + ((x + (1 << 13)) >> 14)).clamp(0, 255) as u8;
    [sum(cr * 22987), sum(cb * -5636 + cr * -11698), sum(cb * 29049)]
}
