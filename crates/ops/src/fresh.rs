//! New vectors whose rows are written by many threads, and whose memory is touched by those alone.

use crate::host::Real;
use pleach_simd::{par_blocks, par_rows};
use std::mem::MaybeUninit;

/// The elements of all `pieces`, of which each has `len(piece)` and is work worth a thread: strip by strip of a piece they are
/// made zero and handed to `f`, with the piece and where in it the strip begins, while they are in the nearest cache.
pub fn pieces<P: Send>(
    pieces: &mut [P],
    strip: usize,
    len: impl Fn(&P) -> usize,
    f: impl Fn(&mut P, usize, &mut [f32]) + Sync + Send,
) -> Vec<f32> {
    let all = pieces.iter().map(&len).sum();
    written(all, 1, |mut rest| {
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(len(piece));
            parts.push((piece, part));
            rest = after;
        }
        par_blocks(&mut parts, 1, |_, parts| {
            for (piece, part) in parts {
                let strip = strip.max(1);
                for (i, part) in part.chunks_mut(strip).enumerate() {
                    f(piece, i * strip, zeroed(part));
                }
            }
        });
        rest.fill(MaybeUninit::new(0.0));
    })
}

/// `len` elements in rows of `row_len`, each made zero and handed to `f` by the thread that fills it: while it is in the
/// cache, where zeros for all at once would be a pass over memory on one thread.
pub(crate) fn rows<T: Real>(len: usize, row_len: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) -> Vec<T> {
    written(len, row_len, |all| par_rows(all, row_len, |r, row| f(r, zeroed(row))))
}

/// The same in blocks, each work worth a thread.
pub(crate) fn blocks<T: Real>(len: usize, block_len: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) -> Vec<T> {
    written(len, block_len, |all| par_blocks(all, block_len, |b, block| f(b, zeroed(block))))
}

/// The same in blocks that `f` writes whole, so that they need not be zero before.
///
/// # Safety
/// `f` writes every element of the blocks that it is given.
#[allow(unsafe_code)]
pub(crate) unsafe fn blocks_written<T: Real>(
    len: usize,
    block_len: usize,
    f: impl Fn(usize, &mut [MaybeUninit<T>]) + Sync + Send,
) -> Vec<T> {
    written(len, block_len, |all| par_blocks(all, block_len, f))
}

/// `len` elements in rows of `row_len`, each written from its beginning to its end; what `f` leaves out is zero.
pub(crate) fn rows_in_order<T: Real>(
    len: usize,
    row_len: usize,
    f: impl Fn(usize, &mut Writer<'_, T>) + Sync + Send,
) -> Vec<T> {
    written(len, row_len, |all| {
        par_rows(all, row_len, |r, row| {
            let mut writer = Writer { rest: row };
            f(r, &mut writer);
            writer.zeros(writer.rest.len());
        });
    })
}

/// The elements of a row that are not written yet.
pub(crate) struct Writer<'a, T> {
    rest: &'a mut [MaybeUninit<T>],
}

impl<'a, T: Real> Writer<'a, T> {
    /// The next `count` elements, or as many as there are.
    fn next(&mut self, count: usize) -> &'a mut [MaybeUninit<T>] {
        let rest = std::mem::take(&mut self.rest);
        let (next, rest) = rest.split_at_mut(count.min(rest.len()));
        self.rest = rest;
        next
    }

    /// Makes the next `count` elements zero.
    pub fn zeros(&mut self, count: usize) {
        self.next(count).fill(MaybeUninit::new(T::ZERO));
    }

    /// Writes the next `count` elements: every `step`-th of `from`, and zeros behind its end.
    pub fn every(&mut self, from: &[T], step: usize, count: usize) {
        let there = from.len().div_ceil(step).min(count);
        let to = self.next(there);
        every(from, step, to, MaybeUninit::new);
        self.zeros(count - there);
    }
}

/// Every `step`-th element, as many as there is room for, each as `written` has it.
#[inline(always)]
pub(crate) fn every<T: Copy, U>(from: &[T], step: usize, to: &mut [U], written: impl Fn(T) -> U) {
    match step {
        1 => to.iter_mut().zip(from).for_each(|(to, &v)| *to = written(v)),
        2 => {
            // Pairs by vectors; the last may have no second.
            let (pairs, last) = from.as_chunks::<2>();
            to.iter_mut().zip(pairs).for_each(|(to, [v, _])| *to = written(*v));
            if let (Some(to), Some(&v)) = (to.get_mut(pairs.len()), last.first()) {
                *to = written(v);
            }
        }
        _ => to.iter_mut().zip(from.iter().step_by(step)).for_each(|(to, &v)| *to = written(v)),
    }
}

/// A vector that `write` writes whole, unless its pieces have no element.
pub(crate) fn written<T: Real>(len: usize, piece: usize, write: impl FnOnce(&mut [MaybeUninit<T>])) -> Vec<T> {
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

/// Elements that will be written, as those that have yet to be.
///
/// # Safety
/// Nothing that is no `T` is written.
#[allow(unsafe_code)]
pub(crate) unsafe fn to_be_written<T: Real>(all: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: the layout is the same, and the caller writes values of `T` alone.
    unsafe { &mut *(std::ptr::from_mut(all) as *mut [MaybeUninit<T>]) }
}

pub(crate) fn zeroed<T: Real>(row: &mut [MaybeUninit<T>]) -> &mut [T] {
    row.fill(MaybeUninit::new(T::ZERO));
    // SAFETY: every element has just been written, and a written `MaybeUninit<T>` is a `T`.
    #[allow(unsafe_code)]
    unsafe {
        &mut *(std::ptr::from_mut(row) as *mut [T])
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
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

        #[test]
        fn every_element_of_a_piece_is_handed_out_once_in_strips(mut lens in vec(0..3000usize, 0..9), strip in 0..700usize) {
            let all = super::pieces(&mut lens, strip, |len| *len, |len, from, out| {
                for (i, v) in out.iter_mut().enumerate() {
                    assert_eq!(*v, 0.0);
                    *v = (*len * 4096 + from + i) as f32;
                }
            });
            let want: Vec<f32> = lens.iter().flat_map(|len| (0..*len).map(move |i| (len * 4096 + i) as f32)).collect();
            prop_assert_eq!(all, want);
        }
    }
}
