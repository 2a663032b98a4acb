//! Passes over slices in strips that stay in the first cache: loops of known length, which become vectors, and sums
//! that a few dozen lanes keep in f32 for a strip and f64 for the rest.

use pleach_simd::{CACHE_LINE, Float, half, prefetch};

/// Elements of a strip.
pub(crate) const STRIP: usize = 1024;
/// Sums kept side by side: enough for the widest registers to wait for none.
const LANES: usize = 32;

/// What a pass makes of an element: the number that is written, and what is added up.
pub(crate) type Made<T, const N: usize> = (T, [T; N]);

/// The sums of lanes, halved again and again.
#[inline(always)]
fn folded<T: Float>(lanes: [T; LANES]) -> f64 {
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

/// Adds what `terms` gives for each index of a strip to the totals, and calls for some of the next strip meanwhile.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "a lane is one element of each sum")]
fn add_up<T: Float, const N: usize, const S: usize>(
    totals: &mut [f64; N],
    next: Option<Next<T>>,
    mut terms: impl FnMut(usize) -> [T; N],
) {
    let mut sums = [[T::ZERO; LANES]; N];
    for from in (0..S).step_by(LANES) {
        if let Some(next) = next {
            next.call(from);
        }
        for lane in 0..LANES {
            let terms = terms(from + lane);
            for n in 0..N {
                sums[n][lane] += terms[n];
            }
        }
    }
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total += folded(sum);
    }
}

/// Where the next strips begin: one strip is too short for the processor to see by itself what will be read and written.
#[derive(Clone, Copy)]
struct Next<T>([*const T; 3]);

impl<T> Next<T> {
    #[inline(always)]
    fn after<const S: usize>(x: &[T; S], t: &[T; S], g: &[T; S]) -> Self {
        Self([x, t, g].map(|strip| strip.as_ptr().wrapping_add(S)))
    }

    /// Calls for the elements from there on that are added up in one go.
    #[inline(always)]
    fn call(self, from: usize) {
        let line = CACHE_LINE / size_of::<T>();
        for at in (from..from + LANES).step_by(line) {
            self.0.iter().for_each(|strip| prefetch(strip.wrapping_add(at)));
        }
    }
}

/// A strip of [`of_logits`].
#[inline(always)]
fn logits_strip<T: Float, const N: usize, const S: usize>(
    (x, t, g): (&[T; S], &[T; S], &mut [T; S]),
    totals: &mut [f64; N],
    f: &impl Fn(T, T, T) -> Made<T, N>,
) {
    // In a loop of its own: the chain of operations of one element is then short enough for several to be under way.
    let (mut e, next) = ([T::ZERO; S], Next::after(x, t, g));
    for from in (0..S).step_by(LANES) {
        next.call(from);
        for i in from..from + LANES {
            e[i] = (-x[i].abs()).exp_falling();
        }
    }
    add_up::<T, N, S>(totals, None, |i| {
        let (value, terms) = f(x[i], t[i], e[i]);
        g[i] = value;
        terms
    });
}

/// A strip of [`of_values`].
#[inline(always)]
fn values_strip<T: Float, const N: usize, const S: usize>(
    (x, t, g): (&[T; S], &[T; S], &mut [T; S]),
    totals: &mut [f64; N],
    f: &impl Fn(T, T) -> Made<T, N>,
) {
    let next = Next::after(x, t, g);
    add_up::<T, N, S>(totals, Some(next), |i| {
        let (value, terms) = f(x[i], t[i]);
        g[i] = value;
        terms
    });
}

/// Cuts three slices into strips of one length and the rest.
macro_rules! strips {
    ($x:ident, $t:ident, $g:ident, $len:expr, |$strip:ident| $body:expr) => {{
        let ((xs, x), (ts, t), (gs, g)) = ($x.as_chunks::<$len>(), $t.as_chunks::<$len>(), $g.as_chunks_mut::<$len>());
        for ((x, t), g) in xs.iter().zip(ts).zip(gs) {
            let $strip = (x, t, g);
            $body;
        }
        (x, t, g)
    }};
}

pleach_simd::lanes! {
    /// Calls `f(x, t, exp(-|x|))` for each logit x and target t, writes the first of what it makes over `g` and adds up
    /// the rest.
    pub(crate) fn of_logits<T: Float, F: Fn(T, T, T) -> Made<T, N>; const N: usize>(
        x: &[T],
        t: &[T],
        g: &mut [T],
        f: F,
    ) -> [f64; N] {
        let mut totals = [0.0; N];
        let (x, t, g) = strips!(x, t, g, STRIP, |strip| logits_strip(strip, &mut totals, &f));
        let (x, t, g) = strips!(x, t, g, LANES, |strip| logits_strip(strip, &mut totals, &f));
        for ((&x, &t), g) in x.iter().zip(t).zip(g) {
            let (value, terms) = f(x, t, (-x.abs()).exp_falling());
            *g = value;
            for (total, term) in totals.iter_mut().zip(terms) {
                *total += term.wide();
            }
        }
        totals
    }
}

pleach_simd::lanes! {
    /// Calls `f(x, t)` for each pair, writes the first of what it makes over `g` and adds up the rest.
    pub(crate) fn of_values<T: Float, F: Fn(T, T) -> Made<T, N>; const N: usize>(
        x: &[T],
        t: &[T],
        g: &mut [T],
        f: F,
    ) -> [f64; N] {
        let mut totals = [0.0; N];
        let (x, t, g) = strips!(x, t, g, STRIP, |strip| values_strip(strip, &mut totals, &f));
        let (x, t, g) = strips!(x, t, g, LANES, |strip| values_strip(strip, &mut totals, &f));
        for ((&x, &t), g) in x.iter().zip(t).zip(g) {
            let (value, terms) = f(x, t);
            *g = value;
            for (total, term) in totals.iter_mut().zip(terms) {
                *total += term.wide();
            }
        }
        totals
    }
}

pleach_simd::lanes! {
    /// Writes `f(g, t)` over each g.
    pub(crate) fn rewrite<T: Float, F: Fn(T, T) -> T>(g: &mut [T], t: &[T], f: F) {
        let n = g.len().min(t.len());
        let half = half(n);
        let ((g, g2), (t, t2)) = (g[..n].split_at_mut(half), t[..n].split_at(half));
        for i in 0..n - half {
            g[i] = f(g[i], t[i]);
            g2[i] = f(g2[i], t2[i]);
        }
        for i in n - half..half {
            g[i] = f(g[i], t[i]);
        }
    }
}

/// The logistic function of a logit and of its negative, from `e = exp(-|x|)`.
#[inline(always)]
pub(crate) fn logistic<T: Float>(x: T, e: T) -> [T; 2] {
    let above = T::ONE / (T::ONE + e);
    if x < T::ZERO { [e * above, above] } else { [above, e * above] }
}

/// The binary cross-entropy `max(x, 0) - t x + ln(1 + e)` of a logit, from `e = exp(-|x|)`.
#[inline(always)]
pub(crate) fn cross_entropy<T: Float>(x: T, t: T, e: T) -> T {
    (-t).mul_add(x, x.larger(T::ZERO)) + e.ln_1p_unit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_written_and_added_up_once_whatever_the_length() {
        for len in [0, 1, 31, 32, 33, 1023, 1024, 1025, 3000] {
            let x: Vec<f32> = (0..len).map(|i| i as f32 / 64.0 - 20.0).collect();
            let t: Vec<f32> = (0..len).map(|i| (i % 7) as f32).collect();
            let (mut g, mut h) = (vec![f32::NAN; len], vec![f32::NAN; len]);
            let sums = of_logits(&x, &t, &mut g, |x, t, e| (logistic(x, e)[0], [x, t]));
            let values = of_values(&x, &t, &mut h, |x, t| (x * t, [x, t]));
            rewrite(&mut h, &t, |h, t| h + t);
            let sum = |of: &[f32]| of.iter().map(|&x| f64::from(x)).sum::<f64>();
            for [a, b] in [sums, values] {
                assert!((a - sum(&x)).abs() < 1e-3 && b == sum(&t), "{len}");
            }
            for (((x, t), g), h) in x.iter().zip(&t).zip(g).zip(h) {
                assert!((f64::from(g) - 1.0 / (1.0 + (-f64::from(*x)).exp())).abs() < 1e-6);
                assert_eq!(h, x * t + t);
            }
        }
    }
}
