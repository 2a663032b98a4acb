//! CIE Lab of 8 bits: OpenCV's whole numbers on the way there, single precision on the way back.

use std::sync::LazyLock;

struct Tables {
    /// Linear light of a level, with 3 bits of fraction.
    linear: [u16; 256],
    /// The cube root of Lab, with 15 bits of fraction, of linear light over the white point.
    root: Vec<u16>,
    /// From each lightness: its cube root, and the luminance.
    luminance: [(f32, f32); 256],
    /// The level of linear light, in 2^-14.
    level: Vec<u8>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let linear = |i: usize| {
        let x = i as f64 / 255.0;
        let light = if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) };
        (2040.0 * light).round_ties_even() as u16
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
        (root as f32, y as f32)
    };
    let level = |i: usize| {
        let x = i as f64 / 16384.0;
        let x = if x <= 0.003_130_8 { x * 12.92 } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 };
        (255.0 * x).round().clamp(0.0, 255.0) as u8
    };
    Tables {
        linear: std::array::from_fn(linear),
        root: (0..3072).map(root).collect(),
        luminance: std::array::from_fn(luminance),
        level: (0..=16384).map(level).collect(),
    }
});

/// OpenCV's weights of red, green and blue in X, Y and Z over the white point, with 12 bits of fraction.
const WEIGHTS: [[u32; 3]; 3] = [[1777, 1541, 778], [871, 2929, 296], [73, 448, 3575]];

/// OpenCV's `COLOR_RGB2LAB`.
#[inline(always)]
pub(crate) fn forward(pixel: [u8; 3]) -> [u8; 3] {
    let tables = &*TABLES;
    let [r, g, b] = pixel.map(|x| u32::from(tables.linear[usize::from(x)]));
    let root = |[wr, wg, wb]: [u32; 3]| {
        let i = ((r * wr + g * wg + b * wb + (1 << 11)) >> 12) as usize;
        i32::from(tables.root.get(i).copied().unwrap_or(u16::MAX))
    };
    let [x, y, z] = WEIGHTS.map(root);
    let cut = |v: i32| ((v + (1 << 14)) >> 15).clamp(0, 255) as u8;
    [cut(296 * y - 1_336_934), cut(500 * (x - y) + (128 << 15)), cut(200 * (y - z) + (128 << 15))]
}

/// The way back, within one level of OpenCV's.
#[inline(always)]
pub(crate) fn backward([l, a, b]: [u8; 3]) -> [u8; 3] {
    let tables = &*TABLES;
    let (root, y) = tables.luminance[usize::from(l)];
    let cube = |root: f32| {
        if root <= 6.0 / 29.0 { (root - 16.0 / 116.0) * (1.0 / 7.787) } else { root * root * root }
    };
    let x = cube(root + (f32::from(a) - 128.0) * (1.0 / 500.0)) * 0.950_456;
    let z = cube(root - (f32::from(b) - 128.0) * (1.0 / 200.0)) * 1.088_754;
    let level = |light: f32| {
        let i = (light * 16384.0 + 0.5).clamp(0.0, 16384.0) as i32 as usize;
        tables.level.get(i).copied().unwrap_or(255)
    };
    [
        level(3.240_479 * x - 1.537_15 * y - 0.498_535 * z),
        level(-0.969_256 * x + 1.875_991 * y + 0.041_556 * z),
        level(0.055_648 * x - 0.204_043 * y + 1.057_311 * z),
    ]
}
