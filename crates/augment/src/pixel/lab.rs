//! CIE Lab of 8 bits: OpenCV's whole numbers on the way there, single precision on the way back.

use std::sync::LazyLock;

/// Pixels that are worked on at a time.
const BLOCK: usize = 256;

struct Tables {
    /// From each level of a channel: its shares in X, Y and Z over the white point, with 15 bits of fraction.
    shares: [[[u32; 4]; 256]; 3],
    /// The cube root of Lab, with 15 bits of fraction, of linear light over the white point.
    root: [u16; 2048],
    /// From each lightness: its cube root, and the luminance.
    luminance: [[f32; 2]; 256],
    /// The level of linear light, in 2^-14.
    level: [u8; 32768],
}

/// OpenCV's weights of red, green and blue in X, Y and Z over the white point, with 12 bits of fraction.
const WEIGHTS: [[u32; 3]; 3] = [[1777, 1541, 778], [871, 2929, 296], [73, 448, 3575]];

static TABLES: LazyLock<Box<Tables>> = LazyLock::new(|| {
    // With 3 bits of fraction.
    let linear = |i: usize| {
        let x = i as f64 / 255.0;
        let light = if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) };
        (2040.0 * light).round_ties_even() as u32
    };
    let share = |channel: usize, i: usize| {
        let half = if channel == 0 { 1 << 11 } else { 0 };
        let [x, y, z] = WEIGHTS.map(|w| w[channel] * linear(i) + half);
        [x, y, z, 0]
    };
    let root = |i: usize| {
        let x = i as f64 / 2040.0;
        let root = if x < 216.0 / 24389.0 { x * (841.0 / 108.0) + 16.0 / 116.0 } else { x.cbrt() };
        (32768.0 * root).round_ties_even().min(65535.0) as u16
    };
    let luminance = |i: usize| {
        let l = i as f64 * 100.0 / 255.0;
        let y = if l <= 8.0 { l / 903.3 } else { ((l + 16.0) / 116.0).powi(3) };
        let root = if l <= 8.0 { 7.787 * y + 16.0 / 116.0 } else { (l + 16.0) / 116.0 };
        [root as f32, y as f32]
    };
    let level = |i: usize| {
        let x = i as f64 / 16384.0;
        let x = if x <= 0.003_130_8 { x * 12.92 } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 };
        (255.0 * x).round().clamp(0.0, 255.0) as u8
    };
    Box::new(Tables {
        shares: std::array::from_fn(|channel| std::array::from_fn(|i| share(channel, i))),
        root: std::array::from_fn(root),
        luminance: std::array::from_fn(luminance),
        level: std::array::from_fn(level),
    })
});

/// Lightness and the two differences of colour, plane by plane.
pub(crate) struct Lab {
    pub lightness: Vec<u8>,
    differences: [Vec<u8>; 2],
}

impl Lab {
    /// OpenCV's `COLOR_RGB2LAB`.
    pub fn of(pixels: &[[u8; 3]]) -> Self {
        let n = pixels.len();
        let mut all = Self { lightness: vec![0; n], differences: [vec![0; n], vec![0; n]] };
        let mut roots = [[0; BLOCK]; 3];
        let [a, b] = &mut all.differences;
        let to = all.lightness.chunks_mut(BLOCK).zip(a.chunks_mut(BLOCK).zip(b.chunks_mut(BLOCK)));
        for (pixels, (l, (a, b))) in pixels.chunks(BLOCK).zip(to) {
            look_up_roots(pixels, &mut roots);
            differences::<u8>(&roots, l, a, b);
        }
        all
    }

    /// The way back, within one level of OpenCV's.
    pub fn write(&self, pixels: &mut [[u8; 3]]) {
        let tables = &**TABLES;
        let (mut light, mut levels) = (Light::default(), [[0; BLOCK]; 3]);
        let [a, b] = &self.differences;
        let from = self.lightness.chunks(BLOCK).zip(a.chunks(BLOCK).zip(b.chunks(BLOCK)));
        for (pixels, (l, (a, b))) in pixels.chunks_mut(BLOCK).zip(from) {
            for ((&l, root), y) in l.iter().zip(&mut light.root).zip(&mut light.luminance) {
                [*root, *y] = tables.luminance[usize::from(l)];
            }
            linear::<f32>(&light, a, b, &mut levels);
            let [red, green, blue] = &levels;
            for (((pixel, r), g), b) in pixels.iter_mut().zip(red).zip(green).zip(blue) {
                *pixel = [r, g, b].map(|i| tables.level[usize::from(*i) % tables.level.len()]);
            }
        }
    }
}

/// The cube roots of X, Y and Z.
fn look_up_roots(pixels: &[[u8; 3]], roots: &mut [[u16; BLOCK]; 3]) {
    let tables = &**TABLES;
    let [red, green, blue] = &tables.shares;
    let [x, y, z] = roots;
    for (((&[r, g, b], x), y), z) in pixels.iter().zip(x).zip(y).zip(z) {
        let (r, g, b) = (&red[usize::from(r)], &green[usize::from(g)], &blue[usize::from(b)]);
        let sum: [u32; 4] = std::array::from_fn(|i| r[i] + g[i] + b[i]);
        // White has a sum of 2040: the table is longer only so that its length is a power of two.
        let root = |sum: u32| tables.root[(sum >> 12) as usize % tables.root.len()];
        (*x, *y, *z) = (root(sum[0]), root(sum[1]), root(sum[2]));
    }
}

pleach_simd::lanes! {
    fn differences<T: Copy>(roots: &[[u16; BLOCK]; 3], l: &mut [u8], a: &mut [u8], b: &mut [u8]) {
        let [x, y, z] = roots;
        let cut = |v: i32| ((v + (1 << 14)) >> 15).clamp(0, 255) as u8;
        let roots = x.iter().zip(y).zip(z).map(|((&x, &y), &z)| [x, y, z].map(i32::from));
        for ((([x, y, z], l), a), b) in roots.zip(l).zip(a).zip(b) {
            *l = cut(296 * y - 1_336_934);
            *a = cut(500 * (x - y) + (128 << 15));
            *b = cut(200 * (y - z) + (128 << 15));
        }
    }
}

/// What a block's lightness says.
struct Light {
    root: [f32; BLOCK],
    luminance: [f32; BLOCK],
}

impl Default for Light {
    fn default() -> Self {
        Self { root: [0.0; BLOCK], luminance: [0.0; BLOCK] }
    }
}

#[inline(always)]
fn cube(root: f32) -> f32 {
    if root <= 6.0 / 29.0 { (root - 16.0 / 116.0) * (1.0 / 7.787) } else { root * root * root }
}

/// Linear light in 2^-14, rounded.
#[inline(always)]
fn place(light: f32) -> u16 {
    const WHOLE: f32 = 8_388_608.0;
    let x = (light * 16384.0 + 0.5).clamp(0.0, 16384.0);
    let near = (x + WHOLE) - WHOLE;
    ((if near > x { near - 1.0 } else { near }) + WHOLE).to_bits() as u16
}

pleach_simd::lanes! {
    fn linear<T: Copy>(light: &Light, a: &[u8], b: &[u8], levels: &mut [[u16; BLOCK]; 3]) {
        let [red, green, blue] = levels;
        let from = light.root.iter().zip(&light.luminance).zip(a).zip(b);
        for (((from, red), green), blue) in from.zip(red).zip(green).zip(blue) {
            let (((&root, &y), &a), &b) = from;
            let x = cube(root + (f32::from(a) - 128.0) * (1.0 / 500.0)) * 0.950_456;
            let z = cube(root - (f32::from(b) - 128.0) * (1.0 / 200.0)) * 1.088_754;
            *red = place(3.240_479 * x - 1.537_15 * y - 0.498_535 * z);
            *green = place(-0.969_256 * x + 1.875_991 * y + 0.041_556 * z);
            *blue = place(0.055_648 * x - 0.204_043 * y + 1.057_311 * z);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grays_have_no_colour_and_come_back() {
        let grays: Vec<[u8; 3]> = (0..=255).map(|x| [x; 3]).collect();
        let lab = Lab::of(&grays);
        assert_eq!((lab.lightness[0], lab.lightness[255]), (0, 255));
        assert!(lab.lightness.is_sorted());
        assert!(lab.differences.iter().flatten().all(|&x| x == 128));
        let mut again = vec![[7; 3]; 256];
        lab.write(&mut again);
        let near = |(a, b): (&[u8; 3], &[u8; 3])| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 1);
        assert!(grays.iter().zip(&again).all(near));
    }

    #[test]
    fn a_block_is_that_of_its_pixels_one_by_one() {
        let pixels: Vec<[u8; 3]> = (0..2 * BLOCK + 5).map(|i| [i * 7, i * 31, i * 89].map(|x| x as u8)).collect();
        let all = Lab::of(&pixels);
        let mut again = pixels.clone();
        all.write(&mut again);
        for (i, pixel) in pixels.iter().enumerate() {
            let one = Lab::of(&[*pixel]);
            assert_eq!(one.lightness[0], all.lightness[i]);
            assert_eq!([0, 1].map(|k| one.differences[k][0]), [0, 1].map(|k| all.differences[k][i]));
            let mut back = [[0; 3]];
            one.write(&mut back);
            assert_eq!(back[0], again[i]);
        }
    }
}
