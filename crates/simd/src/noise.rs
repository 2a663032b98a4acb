//! Numbers that look like chance, for tests.

/// Whole numbers of 16 bits.
pub(crate) fn numbers(seed: u32) -> impl FnMut() -> u16 {
    let mut state = seed | 1;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as u16
    }
}

/// So many bytes.
pub(crate) fn bytes(n: usize, seed: u32) -> Vec<u8> {
    let mut next = numbers(seed);
    (0..n).map(|_| (next() >> 8) as u8).collect()
}
