//! Compiles one loop for several instruction sets and takes the widest that the machine has.

use std::sync::OnceLock;

/// An instruction set that [`lanes!`](crate::lanes) compiles for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What the binary was built for.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ and VL.
    Avx512,
}

/// The widest instruction set of this machine; asked once.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(detect)
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        _ => Level::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Portable
}

/// Compiles a function, written as usual and generic over up to two types (and, after a semicolon, a number), once
/// per [`Level`] and calls the right one. What its loops call should be `#[inline(always)]`, or it stays at the portable
/// level.
///
/// The compiler never fuses a product and a sum by itself, so each level gives the same bits.
#[macro_export]
macro_rules! lanes {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$t:ident: $tb:path $(, $u:ident: $ub:path)? $(; const $n:ident: usize)?>(
        $($arg:ident: $ty:ty),* $(,)?
    ) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name<$t: $tb $(, $u: $ub)? $(, const $n: usize)?>($($arg: $ty),*) $(-> $ret)? {
            // Some loops are over bytes alone, whatever they are called with.
            #[allow(clippy::extra_unused_type_parameters)]
            #[inline(always)]
            fn portable<$t: $tb $(, $u: $ub)? $(, const $n: usize)?>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$t: $tb $(, $u: $ub)? $(, const $n: usize)?>($($arg: $ty),*) $(-> $ret)? {
                portable::<$t $(, $u)? $(, $n)?>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512<$t: $tb $(, $u: $ub)? $(, const $n: usize)?>($($arg: $ty),*) $(-> $ret)? {
                portable::<$t $(, $u)? $(, $n)?>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            match $crate::level() {
                // SAFETY: `level` has asked the processor for every feature that the function names.
                $crate::Level::Avx512 => return unsafe { avx512::<$t $(, $u)? $(, $n)?>($($arg),*) },
                // SAFETY: as above.
                $crate::Level::Avx2 => return unsafe { avx2::<$t $(, $u)? $(, $n)?>($($arg),*) },
                $crate::Level::Portable => {}
            }
            portable::<$t $(, $u)? $(, $n)?>($($arg),*)
        }
    };
}
