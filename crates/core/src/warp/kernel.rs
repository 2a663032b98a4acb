//! The weights by which neighbouring pixels make one between them.

use super::Interpolation;

/// From how many pixels along an axis an interpolation makes one.
pub(super) fn taps(how: Interpolation) -> usize {
    match how {
        Interpolation::Bicubic => 4,
        Interpolation::Lanczos4 => 8,
        _ => 2,
    }
}

/// The weights of an interpolation at a place so far, 0 up to 1, behind a pixel, for as many [`taps`] as it has; those begin
/// so many [`before`] it.
pub(super) fn weights(how: Interpolation, beyond: f64, out: &mut [f64]) {
    match how {
        Interpolation::Bicubic => out.copy_from_slice(&cubic(beyond)),
        Interpolation::Lanczos4 => out.copy_from_slice(&lanczos(beyond)),
        _ => out.copy_from_slice(&[1.0 - beyond, beyond]),
    }
}

/// How many pixels lie before the one at a place.
pub(super) fn before(taps: usize) -> i64 {
    taps as i64 / 2 - 1
}

/// Keys, "Cubic convolution interpolation for digital image processing", 1981.
fn cubic(x: f64) -> [f64; 4] {
    const A: f64 = -0.75;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(x + 1.0), near(x), near(1.0 - x), far(2.0 - x)]
}

fn lanczos(x: f64) -> [f64; 8] {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    let raw = [3.0, 2.0, 1.0, 0.0, -1.0, -2.0, -3.0, -4.0].map(|i| sinc(x + i) * sinc((x + i) / 4.0));
    let sum: f64 = raw.iter().sum();
    raw.map(|w| w / sum)
}

/// Weights in whole numbers of so many bits behind the point; together they are as near to the given ones together.
pub(super) fn fixed(weights: &[f64], bits: u32) -> impl Iterator<Item = i16> {
    let mut sum = 0.0;
    weights.iter().map(move |w| {
        let before = f64::round(sum * f64::from(1 << bits));
        sum += w;
        ((sum * f64::from(1 << bits)).round() - before) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_a_pixel_is_itself() {
        for x in [0.0, 0.25, 0.5, 0.9] {
            assert!((cubic(x).iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((lanczos(x).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert_eq!(cubic(0.0), [0.0, 1.0, 0.0, 0.0]);
        assert!(lanczos(0.0).iter().enumerate().all(|(i, w)| (w - f64::from(u8::from(i == 3))).abs() < 1e-12));
    }
}
