//! An allocator whose larger blocks begin with a cache line: the C library's begin 16 bytes behind one, so that each vector of 64 bytes
//! that is read from a tensor, or written to it, is in two lines.

use pleach_simd::CACHE_LINE as LINE;
use std::alloc::{GlobalAlloc, Layout, System};

/// Bytes of the smallest block that begins with one: of smaller ones, the room before them would be a large part.
const LEAST: usize = 1 << 12;

/// The system's allocator with larger blocks at cache lines. A program chooses it with
///
/// ```
/// #[global_allocator]
/// static MEMORY: pleach_backends::Aligned = pleach_backends::Aligned;
/// # fn main() {}
/// ```
///
/// Each such block takes 64 bytes more. (The system's own aligned blocks leave gaps which blocks of the same size do not fit into again.)
#[derive(Clone, Copy, Debug, Default)]
pub struct Aligned;

/// The system's block in which one with this layout is moved to a line; nothing where it is to stay as it is.
fn around(layout: Layout) -> Option<Layout> {
    let moved = layout.size() >= LEAST && layout.align() <= LINE;
    // Too large a size is the system's to refuse.
    if moved { Layout::from_size_align(layout.size() + LINE, align_of::<usize>()).ok() } else { None }
}

/// The block at the first line behind the beginning of the system's one, which stands before it.
///
/// # Safety
/// `start` is null or begins a block that is larger by a line and aligned for its own address.
#[allow(unsafe_code)]
unsafe fn moved(start: *mut u8) -> *mut u8 {
    if start.is_null() {
        return start;
    }
    // Between the size of an address and a line.
    let shift = LINE - start.addr() % LINE;
    // SAFETY: the block has a line more, and its alignment leaves the size of an address before the next line.
    unsafe {
        let at = start.add(shift);
        at.cast::<*mut u8>().sub(1).write(start);
        at
    }
}

// SAFETY: blocks are the system's, or lie within one of the system's, with as many bytes as were asked for behind a line; which of both
// depends on the layout alone. `realloc` is that of the trait, by these three.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Aligned {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's, and `moved` is given a block that is larger by a line.
        unsafe {
            match around(layout) {
                Some(around) => moved(System.alloc(around)),
                None => System.alloc(layout),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match around(layout) {
                Some(around) => moved(System.alloc_zeroed(around)),
                None => System.alloc_zeroed(layout),
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is one of these layouts, by the caller; a moved one has the system's before it.
        unsafe {
            match around(layout) {
                Some(around) => System.dealloc(block.cast::<*mut u8>().sub(1).read(), around),
                None => System.dealloc(block, layout),
            }
        }
    }
}

#[cfg(test)]
#[allow(unsafe_code, clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Sizes on either side of every change.
    const SIZES: [usize; 9] = [1, 63, 64, LEAST - 1, LEAST, LEAST + 1, LEAST + LINE, 100_000, 5 << 20];

    #[test]
    fn large_blocks_begin_with_a_line_and_keep_what_they_hold_when_they_grow_and_shrink() {
        for align in [1, 4, 8, 16, 32, 64, 4096] {
            for (from, to) in SIZES.iter().flat_map(|from| SIZES.iter().map(move |to| (*from, *to))) {
                let layout = Layout::from_size_align(from, align).unwrap();
                // SAFETY: sizes are above zero, and each block is freed once with the layout that it has.
                unsafe {
                    let block = Aligned.alloc(layout);
                    assert!(block.addr().is_multiple_of(align));
                    assert!(from < LEAST || block.addr().is_multiple_of(LINE), "{from} bytes by {align}");
                    (0..from).for_each(|i| block.add(i).write(i as u8));
                    let block = Aligned.realloc(block, layout, to);
                    assert!(
                        (0..from.min(to)).all(|i| block.add(i).read() == i as u8),
                        "{from} to {to} bytes by {align}"
                    );
                    Aligned.dealloc(block, Layout::from_size_align(to, align).unwrap());
                }
            }
        }
    }

    #[test]
    fn zeroed_blocks_are_zero_wherever_they_begin() {
        for size in SIZES {
            let layout = Layout::from_size_align(size, 4).unwrap();
            // SAFETY: as above.
            unsafe {
                let used = Aligned.alloc(layout);
                used.write_bytes(7, size);
                Aligned.dealloc(used, layout);
                let block = Aligned.alloc_zeroed(layout);
                assert!((0..size).all(|i| block.add(i).read() == 0), "{size} bytes");
                Aligned.dealloc(block, layout);
            }
        }
    }

    #[test]
    fn what_no_memory_holds_is_refused() {
        let most = isize::MAX as usize;
        for size in [most - 7, most - LINE, most / 2] {
            let layout = Layout::from_size_align(size, 8).unwrap();
            // SAFETY: the size is above zero.
            let block = std::hint::black_box(unsafe { Aligned.alloc(layout) });
            assert!(block.is_null());
        }
    }
}
