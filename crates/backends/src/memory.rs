//! Keeps memory between steps, in large pages: every step allocates the same tensors again, and a C library that gives
//! large blocks back to the system pays for each of their pages anew; pages of 4 KiB cost every pass over weights a tenth
//! of its time for finding them.

/// Tells the C library to keep freed memory for the process, and the system to give it in large pages. Call it once,
/// before the first thread starts.
///
/// Half of the machine's memory is reserved as addresses; of it, what is never used is never taken. It does nothing where
/// the C library is not glibc, and reserves nothing where the system lends no more addresses than it has memory.
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::keep();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
mod glibc {
    /// How much the heap grows at a time.
    const TOP_PAD: i32 = 64 << 20;
    /// The size of a large page; what begins within one may be of small ones.
    const LARGE: usize = 2 << 20;

    pub fn keep() {
        // SAFETY: mallopt only sets parameters of the allocator; every value is one that its manual allows. A
        // refused value changes nothing but speed.
        unsafe {
            // Large blocks come from the heap, where they stay, and not from maps of their own.
            libc::mallopt(libc::M_MMAP_MAX, 0);
            // The top of the heap is never given back.
            libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
            libc::mallopt(libc::M_TOP_PAD, TOP_PAD);
        }
        if !strict() {
            reserve();
        }
    }

    /// Whether addresses count as memory (`vm.overcommit_memory = 2`): those of a reserve would be missing elsewhere.
    fn strict() -> bool {
        std::fs::read_to_string("/proc/sys/vm/overcommit_memory").map_or(true, |mode| mode.trim() == "2")
    }

    /// Grows the heap once, asks for large pages, and leaves it all to later blocks.
    fn reserve() {
        // SAFETY: sysconf only answers, with -1 where it cannot.
        let (pages, page) = unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
        let size = usize::try_from(pages).unwrap_or(0).saturating_mul(usize::try_from(page).unwrap_or(0)) / 2;
        // SAFETY: the block is not read or written. The advice goes to whole pages within it, names no change of what
        // they hold, and stays with the addresses when the block is free again; a refusal changes nothing but speed.
        unsafe {
            let block = libc::malloc(size);
            let skip = block.align_offset(LARGE);
            if !block.is_null() && skip < size {
                libc::madvise(block.wrapping_byte_add(skip), (size - skip) / LARGE * LARGE, libc::MADV_HUGEPAGE);
            }
            libc::free(block);
        }
    }
}
