//! Places in fixed point for a row of pixels, many at a time.

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
