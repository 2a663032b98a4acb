//! Makes floats of bytes by a table.

use crate::{Level, lanes, level};
use std::mem::MaybeUninit;

/// Two parts of a factor by which every byte becomes what the table has for it, to the bit: `fma(v, upper, v lower)`.
fn factor(table: &[f32; 256]) -> Option<[f32; 2]> {
    let exact = f64::from(table[255]) / 255.0;
    let upper = exact as f32;
    let lower = (exact - f64::from(upper)) as f32;
    let product = |v: u8| f32::from(v).mul_add(upper, f32::from(v) * lower);
    (0..=255).zip(table).all(|(v, want)| product(v).to_bits() == want.to_bits()).then_some([upper, lower])
}

/// Puts what a table has for each of the bytes behind `out`.
pub fn append_widened(bytes: &[u8], table: &[f32; 256], out: &mut Vec<f32>) {
    out.reserve(bytes.len());
    let room = &mut out.spare_capacity_mut()[..bytes.len()];
    // Where fused products are calls, looking up is quicker.
    match factor(table).filter(|_| level() != Level::Portable) {
        Some([upper, lower]) => scaled::<f32>(bytes, upper, lower, room),
        None => room.iter_mut().zip(bytes).for_each(|(out, v)| {
            out.write(table[usize::from(*v)]);
        }),
    }
    let length = out.len() + bytes.len();
    #[allow(unsafe_code)]
    // SAFETY: there was room for so many, and each has been written: either loop goes over all of the room.
    unsafe {
        out.set_len(length);
    }
}

lanes! {
    fn scaled<T: Copy>(bytes: &[u8], upper: f32, lower: f32, out: &mut [MaybeUninit<f32>]) {
        for (out, v) in out.iter_mut().zip(bytes) {
            let v = f32::from(*v);
            out.write(v.mul_add(upper, v * lower));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_byte_becomes_its_entry(bytes in prop::collection::vec(any::<u8>(), 0..200), by in 0.01f32..70000.0, kind in 0usize..3) {
            let of = |v: f32| [v / by, v * by, (v - by) / 57.0][kind];
            let table: [f32; 256] = std::array::from_fn(|v| of(v as f32));
            let mut out = vec![0.5];
            append_widened(&bytes, &table, &mut out);
            let want: Vec<f32> = [0.5].into_iter().chain(bytes.iter().map(|v| of(f32::from(*v)))).collect();
            prop_assert_eq!(out, want);
        }
    }

    #[test]
    fn white_at_one_is_a_product() {
        for white in [255.0, 65535.0] {
            let table: [f32; 256] = std::array::from_fn(|v| v as f32 / white);
            assert!(factor(&table).is_some(), "{white}");
        }
    }
}
