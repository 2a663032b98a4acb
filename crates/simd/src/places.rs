//! Places in fixed point for a row of pixels, many at a time.

use crate::around::{PARTS, Spots};
use crate::lanes;
use crate::sampling::FARTHEST;

/// The nearest 65536th of what is within [`FARTHEST`].
#[inline(always)]
fn nearest(v: f64) -> i32 {
    let most = FARTHEST * 65536.0;
    // What is no number is far outside.
    let above = v.max(-most).min(most) + most + 0.5;
    #[allow(unsafe_code)]
    // SAFETY: it is from a half to twice `most`, which is below 2^31, and a number: `max` takes the other of two where
    // one is none.
    let above = unsafe { above.to_int_unchecked::<i32>() };
    above.wrapping_sub(most as i32)
}

lanes! {
    /// The places of pixels at `start + i step`, homogeneous, in 65536ths of a pixel; those behind the horizon are far
    /// outside.
    pub fn project_row<T: Copy>(start: [f64; 3], step: [f64; 3], x: &mut [i32], y: &mut [i32]) {
        for (i, (px, py)) in x.iter_mut().zip(y).enumerate() {
            let i = f64::from(i as i32);
            let z = start[2] + step[2] * i;
            let (over, far) = if z > 1e-9 { (65536.0 / z, 0.0) } else { (0.0, -FARTHEST * 65536.0) };
            *px = nearest((start[0] + step[0] * i) * over + far);
            *py = nearest((start[1] + step[1] * i) * over + far);
        }
    }
}

lanes! {
    /// Places in 65536ths of a pixel, fractions of those cut off.
    pub fn fixed_row<T: Copy>(places: &[[f32; 2]], x: &mut [i32], y: &mut [i32]) {
        for ((px, py), place) in x.iter_mut().zip(y).zip(places) {
            let [a, b] = place.map(|v| v.max(-FARTHEST as f32).min(FARTHEST as f32) * 65536.0);
            #[allow(unsafe_code)]
            // SAFETY: both are numbers below 2^31 in magnitude.
            let (a, b) = unsafe { (a.to_int_unchecked::<i32>(), b.to_int_unchecked::<i32>()) };
            (*px, *py) = (a, b);
        }
    }
}

/// An affine map from pixels to places in a frame of pixels, for [`Around`](crate::Around).
#[derive(Clone, Copy, Debug)]
pub struct Parted {
    /// x and y of places: by column, by row, and at the first pixel of all.
    pub matrix: [[f64; 3]; 2],
    /// Columns are brought within these before.
    pub bounds: [f64; 2],
    /// What is added to the pixel of a place, x and y, so that the first of its neighbours is meant.
    pub add: [i32; 2],
    /// The last column and row that neighbours may begin at; places farther out become these.
    pub last: [i32; 2],
    /// Pixels in a row of the frame.
    pub width: i32,
    /// Samples in a pixel.
    pub channels: i32,
}

impl Parted {
    /// Where the neighbours of the pixels of a row are. Without effect where the frame has 2^31 samples or more.
    pub fn row(&self, y: f64, spots: &mut Spots) {
        let samples = (i64::from(self.last[1]) + 1) * i64::from(self.width) * i64::from(self.channels);
        if samples <= i64::from(i32::MAX) {
            let Spots { start, across, down } = spots;
            parted::<f64>(self, y, start, across, down);
        }
    }
}

/// The nearest whole part of a pixel, a half away from 0.
#[inline(always)]
fn part(v: f64) -> i32 {
    // Farther than this no image reaches.
    let most = 3e8;
    let v = (v * PARTS as f64).round().max(-most).min(most);
    #[allow(unsafe_code)]
    // SAFETY: it is below 2^31 in magnitude, and a number: `max` takes the other of two where one is none.
    unsafe {
        v.to_int_unchecked()
    }
}

lanes! {
    fn parted<T: Copy>(map: &Parted, y: f64, start: &mut [i32], across: &mut [u8], down: &mut [u8]) {
        let Parted { matrix: [a, b], bounds, add, last, width, channels } = *map;
        let (low, bits) = (PARTS as i32 - 1, PARTS.trailing_zeros());
        for (i, ((start, across), down)) in start.iter_mut().zip(across).zip(down).enumerate() {
            let x = f64::from(i as i32).max(bounds[0]).min(bounds[1]);
            let (px, py) = (part(a[0] * x + a[1] * y + a[2]), part(b[0] * x + b[1] * y + b[2]));
            let col = ((px >> bits) + add[0]).max(0).min(last[0]);
            let row = ((py >> bits) + add[1]).max(0).min(last[1]);
            *start = row.wrapping_mul(width).wrapping_add(col).wrapping_mul(channels);
            (*across, *down) = ((px & low) as u8, (py & low) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_are_the_nearest_there_are(
            start in prop::array::uniform3(-3e4..3e4f64),
            step in prop::array::uniform3(-90.0..90.0f64),
            n in 0usize..99,
        ) {
            let (mut x, mut y) = (vec![0; n], vec![0; n]);
            project_row::<f64>(start, step, &mut x, &mut y);
            for i in 0..n {
                let at = [0, 1, 2].map(|k| start[k] + step[k] * i as f64);
                let want = |v: f64| {
                    let v = if at[2] > 1e-9 { v * (65536.0 / at[2]) } else { -1e300 };
                    (v.clamp(-FARTHEST * 65536.0, FARTHEST * 65536.0) + 0.5).floor()
                };
                prop_assert!((f64::from(x[i]) - want(at[0])).abs() <= 1.0, "{} {}", x[i], want(at[0]));
                prop_assert!((f64::from(y[i]) - want(at[1])).abs() <= 1.0, "{} {}", y[i], want(at[1]));
            }
            let place = |i: usize| [start[0] + step[0] * i as f64, start[1]].map(|v| v as f32);
            let places: Vec<[f32; 2]> = (0..n).map(place).collect();
            fixed_row::<f32>(&places, &mut x, &mut y);
            for (i, place) in places.iter().enumerate() {
                let want = place.map(|v| (v.clamp(-FARTHEST as f32, FARTHEST as f32) * 65536.0) as i32);
                prop_assert_eq!([x[i], y[i]], want);
            }
        }

        #[test]
        fn parts_are_the_nearest_there_are(
            matrix in prop::array::uniform2(prop::array::uniform3(-40.0..40.0f64)), y in 0usize..500, n in 1usize..70,
            ends in prop::array::uniform2(1i32..400), add in prop::array::uniform2(-9i32..9), bounded: bool,
        ) {
            let bounds = if bounded { [1.0, 20.0] } else { [f64::NEG_INFINITY, f64::INFINITY] };
            let map = Parted { matrix, bounds, add, last: ends, width: ends[0] + 8, channels: 3 };
            let mut spots = Spots::new(n);
            map.row(y as f64, &mut spots);
            for i in 0..n {
                let x = (i as f64).max(bounds[0]).min(bounds[1]);
                let place = |m: [f64; 3]| ((m[0] * x + m[1] * y as f64 + m[2]) * 32.0).round();
                let [px, py] = matrix.map(place);
                let first = |v: f64, k: usize| ((v / 32.0).floor() + f64::from(add[k])).clamp(0.0, ends[k].into());
                let at = (first(py, 1) * f64::from(map.width) + first(px, 0)) * 3.0;
                prop_assert_eq!(f64::from(spots.start[i]), at);
                prop_assert_eq!(f64::from(spots.across[i]), px.rem_euclid(32.0));
                prop_assert_eq!(f64::from(spots.down[i]), py.rem_euclid(32.0));
            }
        }

        #[test]
        fn what_is_no_number_is_far_outside(
            v in prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300]),
        ) {
            let (mut x, mut y) = ([0; 9], [0; 9]);
            project_row::<f64>([v, -v, 1.0], [v, 0.0, 0.0], &mut x, &mut y);
            let far = |v: &i32| f64::from(*v).abs() >= FARTHEST * 65536.0 - 1.0;
            prop_assert!(x.iter().chain(&y).all(far), "{x:?} {y:?}");
        }
    }
}
