//! Takes interleaved samples apart into planes of floats.

use crate::lanes;
use std::mem::MaybeUninit;

/// A sample that a 32-bit float holds exactly.
pub trait Wide: Copy {
    /// As a float.
    fn wide(self) -> f32;
}

macro_rules! wide {
    ($($t:ty),*) => { $(impl Wide for $t {
        #[inline(always)]
        fn wide(self) -> f32 {
            f32::from(self)
        }
    })* };
}
wide!(u8, u16, f32);

/// Puts the samples of all pixels behind `out`, plane by plane and each times `scale`; samples that make no whole pixel
/// are left out.
pub fn append_planes<T: Wide>(samples: &[T], channels: usize, scale: f32, out: &mut Vec<f32>) {
    append(samples, channels, out, |planes| match planes {
        Planes::Three([r, g, b]) => apart3::<T>(samples, scale, r, g, b),
        Planes::One(c, plane) => strided::<T>(samples.get(c..).unwrap_or(&[]), channels, scale, plane),
    });
}

/// The same of what tables have for the samples: one table for each channel, or one for all.
pub fn append_looked_up(samples: &[u8], channels: usize, tables: &[[f32; 256]], out: &mut Vec<f32>) {
    let zeros = [0.0; 256];
    let of = |c: usize| tables.get(c).or(tables.first()).unwrap_or(&zeros);
    append(samples, channels, out, |planes| match planes {
        Planes::Three([r, g, b]) => {
            let (red, green, blue) = (of(0), of(1), of(2));
            for ([x, y, z], ((r, g), b)) in samples.as_chunks::<3>().0.iter().zip(r.iter_mut().zip(g).zip(b)) {
                r.write(red[usize::from(*x)]);
                g.write(green[usize::from(*y)]);
                b.write(blue[usize::from(*z)]);
            }
        }
        Planes::One(c, plane) => {
            let (table, samples) = (of(c), samples.iter().skip(c).step_by(channels.max(1)));
            for (out, x) in plane.iter_mut().zip(samples) {
                out.write(table[usize::from(*x)]);
            }
        }
    });
}

/// Room for planes that are made in one pass.
enum Planes<'a> {
    /// Those of colours.
    Three([&'a mut [MaybeUninit<f32>]; 3]),
    /// The one of a channel.
    One(usize, &'a mut [MaybeUninit<f32>]),
}

/// Makes room for planes behind `out`, of which `write` writes each.
fn append<T>(samples: &[T], channels: usize, out: &mut Vec<f32>, mut write: impl FnMut(Planes<'_>)) {
    let channels = channels.max(1);
    let n = samples.len() / channels;
    out.reserve(n * channels);
    let room = &mut out.spare_capacity_mut()[..n * channels];
    if channels == 3 {
        let (red, rest) = room.split_at_mut(n);
        let (green, blue) = rest.split_at_mut(n);
        write(Planes::Three([red, green, blue]));
    } else {
        room.chunks_exact_mut(n.max(1)).enumerate().for_each(|(c, plane)| write(Planes::One(c, plane)));
    }
    let length = out.len() + n * channels;
    #[allow(unsafe_code)]
    // SAFETY: there was room for so many, and both callers write each: a plane has one for each of the whole pixels.
    unsafe {
        out.set_len(length);
    }
}

lanes! {
    // One pass over colours is twice as fast as three.
    fn apart3<T: Wide>(
        samples: &[T],
        scale: f32,
        red: &mut [MaybeUninit<f32>],
        green: &mut [MaybeUninit<f32>],
        blue: &mut [MaybeUninit<f32>],
    ) {
        let planes = red.iter_mut().zip(green).zip(blue);
        for ([r, g, b], ((red, green), blue)) in samples.as_chunks::<3>().0.iter().zip(planes) {
            red.write(r.wide() * scale);
            green.write(g.wide() * scale);
            blue.write(b.wide() * scale);
        }
    }
}

lanes! {
    fn strided<T: Wide>(samples: &[T], step: usize, scale: f32, plane: &mut [MaybeUninit<f32>]) {
        if step == 1 {
            plane.iter_mut().zip(samples).for_each(|(out, x)| {
                out.write(x.wide() * scale);
            });
        } else {
            plane.iter_mut().zip(samples.iter().step_by(step)).for_each(|(out, x)| {
                out.write(x.wide() * scale);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 128 }))]

        #[test]
        fn each_plane_has_every_so_manieth_sample(
            channels in 1usize..6, n in 0usize..90, more in 0usize..5, before in 0usize..3,
        ) {
            let samples: Vec<u8> = (0..n * channels + more.min(channels - 1)).map(|i| (i * 37) as u8).collect();
            let mut out = vec![-1.0; before];
            append_planes(&samples, channels, 0.5, &mut out);
            prop_assert_eq!(out.len(), before + n * channels);
            for (i, v) in out[before..].iter().enumerate() {
                prop_assert_eq!(*v, f32::from(samples[i % n * channels + i / n]) * 0.5);
            }
            let table = |c: usize| std::array::from_fn(|v| (v + 1000 * c) as f32);
            let tables: Vec<[f32; 256]> = (0..channels).map(table).collect();
            append_looked_up(&samples, channels, &tables, &mut out);
            append_looked_up(&samples, channels, &tables[..1], &mut out);
            prop_assert_eq!(out.len(), before + 3 * n * channels);
            for (i, v) in out[before + n * channels..].iter().enumerate() {
                let (c, second) = (i / n % channels, i / (n * channels));
                let want = f32::from(samples[i % n * channels + c]) + if second == 0 { 1000.0 * c as f32 } else { 0.0 };
                prop_assert_eq!(*v, want);
            }
        }
    }
}
