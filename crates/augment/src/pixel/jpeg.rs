//! What JPEG loses: colour conversion, halved chroma, quantised cosines, and the way back, in libjpeg's whole numbers.
//! The coding in between loses nothing and is left out.

use pleach_simd::{join_ycc, quantised_cosines, split_ycc};

/// The quantisers of Annex K of the standard, row by row.
const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];
const CHROMA: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];

/// The quantisers of a quality from 1 to 100.
fn quantisers(base: &[u8; 64], quality: u32) -> [u8; 64] {
    let quality = quality.clamp(1, 100);
    let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    base.map(|q| ((u32::from(q) * scale + 50) / 100).clamp(1, 255) as u8)
}

/// A plane whose sides are multiples of 8; what is beyond the image repeats its edge.
struct Plane {
    width: usize,
    samples: Vec<u8>,
}

impl Plane {
    fn new(width: usize, height: usize) -> Self {
        let (width, height) = (width.next_multiple_of(8), height.next_multiple_of(8));
        Self { width, samples: vec![0; width * height] }
    }

    /// Repeats the last of `height` rows down to the end.
    fn extend(&mut self, height: usize) {
        let last = (height - 1) * self.width;
        for y in height..self.samples.len() / self.width {
            self.samples.copy_within(last..last + self.width, y * self.width);
        }
    }

    fn row(&self, y: usize) -> &[u8] {
        &self.samples[y * self.width..][..self.width]
    }
}

/// One channel by itself.
pub(crate) fn gray(samples: &mut [u8], width: usize, quality: u32) {
    let height = samples.len() / width;
    let mut plane = Plane::new(width, height);
    for (row, out) in samples.chunks_exact(width).zip(plane.samples.chunks_exact_mut(plane.width)) {
        out[..width].copy_from_slice(row);
        out[width..].fill(row[width - 1]);
    }
    plane.extend(height);
    quantised_cosines(&mut plane.samples, plane.width, &quantisers(&LUMA, quality));
    for (y, row) in samples.chunks_exact_mut(width).enumerate() {
        row.copy_from_slice(&plane.row(y)[..width]);
    }
}

pleach_simd::lanes! {
    /// Means of squares of two; halves are rounded down and up in turn.
    fn halve<T: Copy>(upper: &[u8], lower: &[u8], out: &mut [u8]) {
        let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        for (i, (([a, b], [c, d]), out)) in pairs.zip(out).enumerate() {
            let sum = u16::from(*a) + u16::from(*b) + u16::from(*c) + u16::from(*d);
            *out = ((sum + 1 + (i as u16 & 1)) >> 2) as u8;
        }
    }
}

pleach_simd::lanes! {
    /// Three quarters of a row and one of its neighbour, then the same along the row: libjpeg's fancy upsampling.
    fn double<T: Copy>(near: &[u8], far: &[u8], sums: &mut [u16], out: &mut [u8]) {
        for ((sum, near), far) in sums.iter_mut().zip(near).zip(far) {
            *sum = 3 * u16::from(*near) + u16::from(*far);
        }
        let n = sums.len();
        let pairs = out.as_chunks_mut::<2>().0;
        for (pair, three) in pairs.iter_mut().skip(1).zip(sums.windows(3)) {
            *pair = [((3 * three[1] + three[0] + 8) >> 4) as u8, ((3 * three[1] + three[2] + 7) >> 4) as u8];
        }
        pairs[0] = [((4 * sums[0] + 8) >> 4) as u8, ((3 * sums[0] + sums[1] + 7) >> 4) as u8];
        pairs[n - 1] = [((3 * sums[n - 1] + sums[n - 2] + 8) >> 4) as u8, ((4 * sums[n - 1] + 7) >> 4) as u8];
    }
}

/// Three channels, the first as blue and the last as red.
pub(crate) fn colour(pixels: &mut [[u8; 3]], width: usize, quality: u32) {
    let height = pixels.len() / width;
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let mut luma = Plane::new(width, height);
    let (mut blue, mut red) = (Plane::new(half_width, half_height), Plane::new(half_width, half_height));
    // Two rows of each difference at full width, as wide as the halved plane needs.
    let full = 2 * blue.width;
    let mut wide = vec![0; 4 * full];
    let (blues, reds) = wide.split_at_mut(2 * full);
    for (y, two) in pixels.chunks(2 * width).enumerate() {
        for (i, row) in two.chunks_exact(width).enumerate() {
            let at = (2 * y + i) * luma.width;
            let (b, r) = (&mut blues[i * full..][..full], &mut reds[i * full..][..full]);
            let out = &mut luma.samples[at..at + luma.width];
            split_ycc(row, out, b, r);
            for row in [out, b, r] {
                let last = row[width - 1];
                row[width..].fill(last);
            }
        }
        for (rows, plane) in [(&mut *blues, &mut blue), (&mut *reds, &mut red)] {
            if two.len() == width {
                rows.copy_within(..full, full);
            }
            let (upper, lower) = rows.split_at(full);
            halve::<u8>(upper, lower, &mut plane.samples[y * plane.width..][..full / 2]);
        }
    }
    luma.extend(height);
    quantised_cosines(&mut luma.samples, luma.width, &quantisers(&LUMA, quality));
    for plane in [&mut blue, &mut red] {
        plane.extend(half_height);
        quantised_cosines(&mut plane.samples, plane.width, &quantisers(&CHROMA, quality));
    }
    let mut sums = vec![0; half_width];
    for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
        let near = y / 2;
        let far = if y % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(half_height - 1) };
        for (plane, out) in [(&blue, &mut blues[..2 * half_width]), (&red, &mut reds[..2 * half_width])] {
            let (near, far) = (&plane.row(near)[..half_width], &plane.row(far)[..half_width]);
            if half_width > 2 {
                double::<u8>(near, far, &mut sums, out);
            } else {
                out.as_chunks_mut::<2>().0.iter_mut().zip(near).for_each(|(pair, &x)| *pair = [x; 2]);
            }
        }
        join_ycc(luma.row(y), blues, reds, row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_one_colour_keeps_it_at_every_size() {
        for (width, height) in (1..40).map(|n| (n, 1 + 40 % n)).chain([(1, 33), (17, 16), (16, 17)]) {
            let mut pixels = vec![[40, 130, 220]; width * height];
            colour(&mut pixels, width, 95);
            let near = |p: &[u8; 3]| p.iter().zip([40_u8, 130, 220]).all(|(a, b)| a.abs_diff(b) <= 3);
            assert!(pixels.iter().all(near), "{width} x {height}: {:?}", pixels[0]);
            let mut samples = vec![77_u8; width * height];
            gray(&mut samples, width, 95);
            assert!(samples.iter().all(|x| x.abs_diff(77) <= 1), "{width} x {height}: {}", samples[0]);
        }
    }

    #[test]
    fn the_least_quality_has_the_greatest_quantisers_there_are() {
        assert_eq!(quantisers(&LUMA, 1), [255; 64]);
        assert_eq!(quantisers(&CHROMA, 100), [1; 64]);
        assert_eq!(quantisers(&LUMA, 50), LUMA);
    }
}
