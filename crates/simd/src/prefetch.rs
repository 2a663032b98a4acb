//! Calls for memory before it is read.

/// Asks for the cache line of element `at` of `data`; nothing happens where there is none.
#[inline(always)]
pub fn prefetch<T>(data: &[T], at: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction reads nothing: an address that is not the process's own is left alone.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(data.as_ptr().wrapping_add(at).cast());
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (data, at);
}
