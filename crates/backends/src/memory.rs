//! Keeps memory between steps: every step allocates the same tensors again, and a C library that gives large
//! blocks back to the system pays for each of their pages anew.

/// Tells the C library to keep freed memory for the process. Call it once, before the first thread starts.
///
/// It does nothing where the C library is not glibc.
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn glibc() {
    /// How much the heap grows at a time.
    const TOP_PAD: i32 = 64 << 20;
    // SAFETY: mallopt only sets parameters of the allocator; every value is one that its manual allows. A
    // refused value changes nothing but speed.
    unsafe {
        // Large blocks come from the heap, where they stay, and not from maps of their own.
        libc::mallopt(libc::M_MMAP_MAX, 0);
        // The top of the heap is never given back.
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, TOP_PAD);
    }
}
