//! One number many times, as the machine fills memory quickest.

/// A plain number.
pub trait Repeat: Copy {
    /// Puts it so many times behind what `out` has.
    fn repeat(self, times: usize, out: &mut Vec<Self>);
}

macro_rules! repeat {
    ($($t:ty),*) => { $(impl Repeat for $t {
        fn repeat(self, times: usize, out: &mut Vec<Self>) {
            let bytes = self.to_ne_bytes();
            if bytes.iter().any(|byte| *byte != bytes[0]) {
                return out.resize(out.len() + times, self);
            }
            out.reserve(times);
            let begun = out.len();
            #[allow(unsafe_code)]
            // SAFETY: there is room for so many; the number's bytes are alike, so these bytes are that number.
            unsafe {
                out.as_mut_ptr().add(begun).write_bytes(bytes[0], times);
                out.set_len(begun + times);
            }
        }
    })* };
}
repeat!(u8, u16, f32);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_stand_there_as_often_as_wanted(n in 0usize..99, byte: u8, word: u16, float in -9f32..9.0) {
            fn check<T: Repeat + PartialEq + std::fmt::Debug>(v: T, first: T, n: usize) -> Result<(), TestCaseError> {
                let mut out = vec![first];
                v.repeat(n, &mut out);
                prop_assert_eq!(out.len(), 1 + n);
                prop_assert!(out[0] == first && out[1..].iter().all(|x| *x == v));
                Ok(())
            }
            check(byte, 3, n)?;
            check(word, 3, n)?;
            check(u16::from(byte) * 257, 3, n)?;
            check(float, 0.5, n)?;
            check(0.0, 0.5, n)?;
        }
    }
}
