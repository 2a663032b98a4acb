//! Adds up numbers in an order that the length alone decides.

use crate::{Float, lanes, pool::par_map};

/// Partial sums kept side by side: enough for two of the widest registers, whatever the machine has.
const LANES: usize = 32;
/// Elements added in their own precision before the sum moves to `f64`.
const BLOCK: usize = 1024;

/// `map(i)` for each `i < n` on the pool, combined from the left in the order of `i`; nothing for `n = 0`.
pub fn reduce<R: Send>(n: usize, map: impl Fn(usize) -> R + Sync + Send, combine: impl FnMut(R, R) -> R) -> Option<R> {
    par_map(n, map).into_iter().reduce(combine)
}

fn fold<T: Float>(lanes: [T; LANES]) -> f64 {
    let mut v = lanes;
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            v[i] += v[i + half];
        }
        half /= 2;
    }
    v[0].wide()
}

lanes! {
    /// The sum of `f(x)` over all elements: 32 running sums side by side, folded and added to an `f64` every
    /// 1024 elements.
    pub fn sum_of<T: Float, F: Fn(T) -> T>(x: &[T], f: F) -> f64 {
        let mut total = 0.0;
        for block in x.chunks(BLOCK) {
            let mut acc = [T::ZERO; LANES];
            let (groups, rest) = block.as_chunks::<LANES>();
            for group in groups {
                for i in 0..LANES {
                    acc[i] += f(group[i]);
                }
            }
            for (a, &v) in acc.iter_mut().zip(rest) {
                *a += f(v);
            }
            total += fold(acc);
        }
        total
    }
}

lanes! {
    /// The sum of `f(x[i], y[i])` over the shorter length, in the order of [`sum_of`].
    pub fn sum_of2<T: Float, F: Fn(T, T) -> T>(x: &[T], y: &[T], f: F) -> f64 {
        let n = x.len().min(y.len());
        let mut total = 0.0;
        for (xb, yb) in x[..n].chunks(BLOCK).zip(y[..n].chunks(BLOCK)) {
            let mut acc = [T::ZERO; LANES];
            let ((xg, xr), (yg, yr)) = (xb.as_chunks::<LANES>(), yb.as_chunks::<LANES>());
            for (a, b) in xg.iter().zip(yg) {
                for i in 0..LANES {
                    acc[i] += f(a[i], b[i]);
                }
            }
            for (acc, (&a, &b)) in acc.iter_mut().zip(xr.iter().zip(yr)) {
                *acc += f(a, b);
            }
            total += fold(acc);
        }
        total
    }
}

/// The sum of `x`, in the order of [`sum_of`].
pub fn sum<T: Float>(x: &[T]) -> f64 {
    sum_of(x, |v| v)
}

/// The sum of `x[i] * y[i]` over the shorter length, in the order of [`sum_of`].
pub fn dot<T: Float>(x: &[T], y: &[T]) -> f64 {
    sum_of2(x, y, |a, b| a * b)
}

lanes! {
    /// The largest of `x`, minus infinity for none; elements that are not numbers are passed over.
    pub fn largest<T: Float>(x: &[T]) -> T {
        let mut top = [T::of(f64::NEG_INFINITY); LANES];
        let (groups, rest) = x.as_chunks::<LANES>();
        for group in groups {
            for i in 0..LANES {
                top[i] = group[i].larger(top[i]);
            }
        }
        let top = top.into_iter().chain(rest.iter().copied());
        top.fold(T::of(f64::NEG_INFINITY), |m, v| v.larger(m))
    }
}
