//! Hue, saturation and value, in OpenCV's whole numbers for 8 bits.

use super::grid::Grid;
use super::rounding::{byte, whole};
use pleach_simd::{join_rgb, split_rgb, translate};

/// Pixels that are worked on at a time.
const BLOCK: usize = 512;

/// A pixel's three numbers, apart.
type Planes = [[u8; BLOCK]; 3];

/// Changes the hue (0 to 179), the saturation and the value of an 8-bit RGB image by a table each.
pub(crate) fn change(grid: &mut Grid<u8>, hue: &[u8; 256], saturation: &[u8; 256], value: &[u8; 256]) {
    let (mut colours, mut planes): (Planes, Planes) = ([[0; BLOCK]; 3], [[0; BLOCK]; 3]);
    for pixels in grid.samples.as_chunks_mut::<3>().0.chunks_mut(BLOCK) {
        split_rgb(pixels, colours.each_mut().map(<[u8; BLOCK]>::as_mut_slice));
        from_rgb::<u8>(&colours, &mut planes);
        for (plane, table) in planes.iter_mut().zip([hue, saturation, value]) {
            translate(&mut plane[..pixels.len()], table);
        }
        to_rgb::<u8>(&planes, &mut colours);
        join_rgb(colours.each_ref().map(<[u8; BLOCK]>::as_slice), pixels);
    }
}

pleach_simd::lanes! {
    fn from_rgb<T: Copy>(colours: &Planes, planes: &mut Planes) {
        let [hues, saturations, values] = planes;
        let [red, green, blue] = colours;
        let colours = red.iter().zip(green).zip(blue);
        for (((((r, g), b), hue), saturation), value) in colours.zip(hues).zip(saturations).zip(values) {
            [*hue, *saturation, *value] = forward([*r, *g, *b]);
        }
    }
}

pleach_simd::lanes! {
    fn to_rgb<T: Copy>(planes: &Planes, colours: &mut Planes) {
        let [hues, saturations, values] = planes;
        let [red, green, blue] = colours;
        let colours = red.iter_mut().zip(green).zip(blue);
        for (((((r, g), b), &hue), &saturation), &value) in colours.zip(hues).zip(saturations).zip(values) {
            [*r, *g, *b] = backward([hue, saturation, value]);
        }
    }
}

/// OpenCV's `COLOR_RGB2HSV`, to the bit: quotients with 12 bits of fraction.
#[inline(always)]
pub(crate) fn forward(pixel: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = pixel.map(i32::from);
    let value = r.max(g).max(b);
    let range = value - r.min(g).min(b);
    let over = |n: f32, d: i32| whole(n / d.max(1) as f32);
    let saturation = (range * over(1_044_480.0, value) + 2048) >> 12;
    let third = if value == g { b - r + 2 * range } else { r - g + 4 * range };
    let sixths = if value == r { g - b } else { third };
    let hue = (sixths * over(122_880.0, range) + 2048) >> 12;
    let hue = if hue < 0 { hue + 180 } else { hue };
    [hue as u8, saturation as u8, value as u8]
}

/// OpenCV's `COLOR_HSV2RGB`: each channel is the value less a share of value times saturation.
#[inline(always)]
fn backward([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    let sixths = f32::from(hue) * (1.0 / 30.0);
    let (value, saturation) = (f32::from(value), f32::from(saturation) * (1.0 / 255.0));
    let channel = |from: f32| {
        let k = from + sixths;
        let k = if k >= 6.0 { k - 6.0 } else { k };
        let share = k.min(4.0 - k).clamp(0.0, 1.0);
        byte(value - value * saturation * share)
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

/// Turns the hue of a pixel of floats by a share of the circle.
pub(crate) fn turn([r, g, b]: [f32; 3], by: f32) -> [f32; 3] {
    let value = r.max(g).max(b);
    let range = value - r.min(g).min(b);
    let saturation = range / (value.abs() + f32::EPSILON);
    let sixths = 1.0 / (range + f32::EPSILON);
    let sixths = match value {
        v if v == r => (g - b) * sixths,
        v if v == g => (b - r) * sixths + 2.0,
        _ => (r - g) * sixths + 4.0,
    };
    let sixths = (sixths + 6.0 * by).rem_euclid(6.0);
    let channel = |from: f32| {
        let k = (from + sixths) % 6.0;
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

#[cfg(test)]
mod tests {

    #[test]
    fn quotients_in_single_precision_are_those_of_the_tables() {
        for d in 1..256 {
            for n in [255 << 12, (180 << 12) / 6] {
                let table = (f64::from(n) / f64::from(d)).round_ties_even();
                assert_eq!(f64::from((n as f32 / d as f32).round_ties_even()), table, "{n} / {d}");
            }
        }
    }
}
