//! New vectors whose rows are written by many threads, and whose memory is touched by those alone.

use crate::host::Real;
use pleach_simd::{par_blocks, par_rows};
use std::mem::MaybeUninit;

/// `len` elements in rows of `row_len`, each made zero and handed to `f` by the thread that fills it: while it is in
/// the
/// cache, where zeros for all at once would be a pass over memory on one thread.
pub(crate) fn rows<T: Real>(len: usize, row_len: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) -> Vec<T> {
    written(len, row_len, |all| par_rows(all, row_len, |r, row| f(r, zeroed(row))))
}

/// The same in blocks, each work worth a thread.
pub(crate) fn blocks<T: Real>(len: usize, block_len: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) -> Vec<T> {
    written(len, block_len, |all| par_blocks(all, block_len, |b, block| f(b, zeroed(block))))
}

/// A vector that `write` writes whole, unless its pieces have no element.
fn written<T: Real>(len: usize, piece: usize, write: impl FnOnce(&mut [MaybeUninit<T>])) -> Vec<T> {
    if piece == 0 {
        return vec![T::ZERO; len];
    }
    let mut all = Vec::with_capacity(len);
    write(&mut all.spare_capacity_mut()[..len]);
    // SAFETY: the pieces are all of the first `len` elements, and each has been written.
    #[allow(unsafe_code)]
    unsafe {
        all.set_len(len);
    }
    all
}

fn zeroed<T: Real>(row: &mut [MaybeUninit<T>]) -> &mut [T] {
    row.fill(MaybeUninit::new(T::ZERO));
    // SAFETY: every element has just been written, and a written `MaybeUninit<T>` is a `T`.
    #[allow(unsafe_code)]
    unsafe {
        &mut *(std::ptr::from_mut(row) as *mut [T])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 64 }))]

        #[test]
        fn every_element_is_written_once(len in 0..40_000usize, row in 0..400usize) {
            let all = super::rows::<f32>(len, row, |r, out| {
                for (i, v) in out.iter_mut().enumerate() {
                    assert_eq!(*v, 0.0);
                    *v = (r * row + i) as f32;
                }
            });
            let want: Vec<f32> = (0..len).map(|i| if row == 0 { 0.0 } else { i as f32 }).collect();
            prop_assert_eq!(all, want);
        }
    }
}
