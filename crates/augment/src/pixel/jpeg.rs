//! What JPEG loses: colour conversion, halved chroma, quantised cosines, and the way back, in libjpeg's whole numbers.
//! The coding in between loses nothing and is left out.

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

type Row = [i32; 8];
type Block = [Row; 8];

/// The quantisers of a quality from 1 to 100.
fn quantisers(base: &[u8; 64], quality: u32) -> Block {
    let quality = quality.clamp(1, 100);
    let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    let one = |q: u8| ((u32::from(q) * scale + 50) / 100).clamp(1, 255) as i32;
    std::array::from_fn(|y| std::array::from_fn(|x| one(base[8 * y + x])))
}

#[inline(always)]
fn each<const N: usize>(f: impl Fn([i32; N]) -> [i32; 8], rows: [Row; N]) -> Block {
    let mut out = [[0; 8]; 8];
    for x in 0..8 {
        let done = f(std::array::from_fn(|i| rows[i][x]));
        for (row, value) in out.iter_mut().zip(done) {
            row[x] = value;
        }
    }
    out
}

#[inline(always)]
fn turned(block: &Block) -> Block {
    std::array::from_fn(|y| std::array::from_fn(|x| block[x][y]))
}

#[inline(always)]
fn cut(x: i32, bits: u32) -> i32 {
    (x + (1 << (bits - 1))) >> bits
}

/// The odd half that both directions share (Loeffler, Ligtenberg and Moschytz, 1989), with 13 bits of fraction.
#[inline(always)]
fn odd([a, b, c, d]: [i32; 4]) -> [i32; 4] {
    let (z1, z2, z3, z4) = ((a + d) * -7373, (b + c) * -20995, a + c, b + d);
    let z5 = (z3 + z4) * 9633;
    let (z3, z4) = (z3 * -16069 + z5, z4 * -3196 + z5);
    [a * 2446 + z1 + z3, b * 16819 + z2 + z4, c * 25172 + z2 + z3, d * 12299 + z1 + z4]
}

/// Cosines of eight samples, scaled up by `up` bits on the way in (the rows) or down (the columns).
#[inline(always)]
fn forward(d: [i32; 8], flat: impl Fn(i32) -> i32, bits: u32) -> [i32; 8] {
    let (s0, s1, s2, s3) = (d[0] + d[7], d[1] + d[6], d[2] + d[5], d[3] + d[4]);
    let (t0, t1, t2, t3) = (s0 + s3, s1 + s2, s1 - s2, s0 - s3);
    let z = (t2 + t3) * 4433;
    let [o7, o5, o3, o1] = odd([d[3] - d[4], d[2] - d[5], d[1] - d[6], d[0] - d[7]]);
    [
        flat(t0 + t1),
        cut(o1, bits),
        cut(z + t3 * 6270, bits),
        cut(o3, bits),
        flat(t0 - t1),
        cut(o5, bits),
        cut(z - t2 * 15137, bits),
        cut(o7, bits),
    ]
}

/// Eight samples from their cosines.
#[inline(always)]
fn backward(d: [i32; 8], bits: u32) -> [i32; 8] {
    let z = (d[2] + d[6]) * 4433;
    let (t2, t3) = (z - d[6] * 15137, z + d[2] * 6270);
    let (t0, t1) = ((d[0] + d[4]) << 13, (d[0] - d[4]) << 13);
    let even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3];
    let [o0, o1, o2, o3] = odd([d[7], d[5], d[3], d[1]]);
    let odd = [o3, o2, o1, o0];
    std::array::from_fn(|i| if i < 4 { cut(even[i] + odd[i], bits) } else { cut(even[7 - i] - odd[7 - i], bits) })
}

pleach_simd::lanes! {
    /// Takes every block of 8 by 8 of a plane through its quantised cosines.
    fn lose<T: Copy>(plane: &mut [u8], width: usize, quantisers: &Block) {
        let eighth: [[f32; 8]; 8] = quantisers.map(|row| row.map(|q| 1.0 / (8 * q) as f32));
        for strip in plane.chunks_exact_mut(8 * width) {
            for x in (0..width).step_by(8) {
                let mut block = [[0; 8]; 8];
                for (row, samples) in block.iter_mut().zip(strip.chunks_exact(width)) {
                    for (value, &sample) in row.iter_mut().zip(&samples[x..x + 8]) {
                        *value = i32::from(sample) - 128;
                    }
                }
                let block = turned(&each(|d| forward(d, |v| v << 2, 11), turned(&block)));
                let mut block = each(|d| forward(d, |v| cut(v, 2), 15), block);
                for ((row, eighth), quantisers) in block.iter_mut().zip(&eighth).zip(quantisers) {
                    for ((value, eighth), q) in row.iter_mut().zip(eighth).zip(quantisers) {
                        // Half a step more and the fraction dropped, away from zero; the half keeps exact quotients so.
                        let size = ((value.abs() + 4 * q) as f32 + 0.5) * eighth;
                        *value = (size as i32 * q) * value.signum();
                    }
                }
                let block = turned(&each(|d| backward(d, 11), block));
                let block = turned(&each(|d| backward(d, 18), block));
                for (row, samples) in block.iter().zip(strip.chunks_exact_mut(width)) {
                    for (value, sample) in row.iter().zip(&mut samples[x..x + 8]) {
                        *sample = (value + 128).clamp(0, 255) as u8;
                    }
                }
            }
        }
    }
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
    lose::<u8>(&mut plane.samples, plane.width, &quantisers(&LUMA, quality));
    for (y, row) in samples.chunks_exact_mut(width).enumerate() {
        row.copy_from_slice(&plane.row(y)[..width]);
    }
}

pleach_simd::lanes! {
    fn split<T: Copy>(pixels: &[[u8; 3]], luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) {
        for (((pixel, luma), blue), red) in pixels.iter().zip(luma).zip(blue).zip(red) {
            let [b, g, r] = pixel.map(i32::from);
            *luma = ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16) as u8;
            *blue = ((32768 * b - 11059 * r - 21709 * g + (128 << 16) + 32767) >> 16) as u8;
            *red = ((32768 * r - 27439 * g - 5329 * b + (128 << 16) + 32767) >> 16) as u8;
        }
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

pleach_simd::lanes! {
    fn join<T: Copy>(luma: &[u8], blue: &[u8], red: &[u8], pixels: &mut [[u8; 3]]) {
        for (((pixel, &luma), &blue), &red) in pixels.iter_mut().zip(luma).zip(blue).zip(red) {
            let (y, blue, red) = (i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128);
            let b = y + ((116_130 * blue + 32768) >> 16);
            let g = y + ((-22554 * blue - 46802 * red + 32768) >> 16);
            let r = y + ((91881 * red + 32768) >> 16);
            *pixel = [b, g, r].map(|x| x.clamp(0, 255) as u8);
        }
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
            split::<u8>(row, out, b, r);
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
    lose::<u8>(&mut luma.samples, luma.width, &quantisers(&LUMA, quality));
    for plane in [&mut blue, &mut red] {
        plane.extend(half_height);
        lose::<u8>(&mut plane.samples, plane.width, &quantisers(&CHROMA, quality));
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
        join::<u8>(luma.row(y), blues, reds, row);
    }
}
