//! How memory is read at its full speed: called for in time, and in two places at once.

/// Bytes of a cache line.
pub const CACHE_LINE: usize = 64;

/// Where the second half of so many elements begins, when both are gone through at once: of one stretch alone, memory gives less
/// than it could. A line or more past the middle, so that the halves meet in no set of a cache.
#[inline(always)]
pub fn half(n: usize) -> usize {
    (n / 2 + 24).min(n)
}

/// Asks for the cache lines of `len` elements from an address on.
#[inline(always)]
pub fn prefetch_stretch<T>(from: *const T, len: usize) {
    for i in (0..len).step_by((CACHE_LINE / size_of::<T>().max(1)).max(1)) {
        prefetch(from.wrapping_add(i));
    }
}

/// Asks for the cache line of an address; nothing happens where there is no memory.
#[inline(always)]
pub fn prefetch<T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction reads nothing: an address that is not the process's own is left alone.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(at.cast());
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}
