//! The same bits with pools of 1, 2, 3 and 7 threads, and every element seen exactly once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use pleach_simd::*;
use proptest::prelude::*;

fn with<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(f)
}

fn same_everywhere<R: Send + PartialEq + std::fmt::Debug>(f: impl Fn() -> R + Sync) -> R {
    let one = with(1, &f);
    // Every thread is a long way where each step is interpreted.
    for threads in if cfg!(miri) { vec![3] } else { vec![2, 3, 7] } {
        assert_eq!(with(threads, &f), one, "{threads} threads");
    }
    one
}

fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut s = seed | 1;
    let mut next = || {
        s ^= s << 13;
        s ^= s >> 17;
        s ^= s << 5;
        s as f32 / u32::MAX as f32 - 0.5
    };
    (0..n).map(|_| next()).collect()
}

/// Elements: enough for several pieces, less where each step is interpreted.
const MANY: usize = if cfg!(miri) { 1_200 } else { 200_000 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 40 }))]

    #[test]
    fn reductions(n in 0..MANY, seed: u32) {
        let x = numbers(n, seed);
        const CHUNK: usize = 4096;
        let total = same_everywhere(|| {
            let chunk = |i: usize| sum(&x[i * CHUNK..n.min((i + 1) * CHUNK)]);
            reduce(n.div_ceil(CHUNK), chunk, |a, b| a + b).map(f64::to_bits)
        });
        let exact: f64 = x.iter().map(|&v| f64::from(v)).sum();
        let total = total.map_or(0.0, f64::from_bits);
        prop_assert!((total - exact).abs() < 1e-6 * (n as f64).sqrt() + 1e-9);
        let exact: f64 = x.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        prop_assert!((dot(&x, &x) - exact).abs() <= 1e-6 * exact);
    }

    #[test]
    fn rows(n in 0..MANY / 60, len in 1..300usize) {
        let out = same_everywhere(|| {
            let mut out = vec![0u32; n * len];
            par_rows(&mut out, len, |r, row| {
                assert_eq!(row.len(), len);
                for (i, v) in row.iter_mut().enumerate() {
                    *v += (r * len + i) as u32 + 1;
                }
            });
            out
        });
        prop_assert!(out.iter().enumerate().all(|(i, &v)| v == i as u32 + 1));
    }

    #[test]
    fn pairs_of_rows(n in 0..MANY / 60, a_len in 1..30usize, b_len in 1..30usize) {
        same_everywhere(|| {
            let (mut a, mut b) = (vec![0; n * a_len], vec![0; n * b_len]);
            par_rows2(&mut a, a_len, &mut b, b_len, |r, a, b| {
                a.iter_mut().for_each(|v| *v += r + 1);
                b.iter_mut().for_each(|v| *v += r + 1);
            });
            assert!(a.iter().enumerate().all(|(i, &v)| v == i / a_len + 1));
            assert!(b.iter().enumerate().all(|(i, &v)| v == i / b_len + 1));
            (a, b)
        });
    }

    #[test]
    fn columns(slabs in 0..4usize, rows in 1..40usize, cols in 1..MANY / 40) {
        same_everywhere(|| {
            let mut out = vec![0; slabs * rows * cols];
            par_columns(&mut out, rows, cols, |slab, first, parts| {
                assert_eq!(parts.len(), rows);
                for (r, part) in parts.iter_mut().enumerate() {
                    for (i, v) in part.iter_mut().enumerate() {
                        *v += (slab * rows + r) * cols + first + i + 1;
                    }
                }
            });
            assert!(out.iter().enumerate().all(|(i, &v)| v == i + 1));
            out
        });
    }
}

#[test]
fn the_pool_is_the_one_entered() {
    assert_eq!(with(3, threads), 3);
    assert_eq!(with(3, || par_map(5, |i| i * i)), [0, 1, 4, 9, 16]);
    assert!(threads() > 0);
}

/// The widest instruction set gives the bits of the narrowest: the same sums, written out by hand.
#[test]
fn lanes_do_not_change_bits() {
    let x = numbers(2500, 3);
    let mut total = 0.0f64;
    for block in x.chunks(1024) {
        let mut acc = [0f32; 32];
        for (i, v) in block.iter().enumerate() {
            acc[i % 32] += v;
        }
        let mut half = 16;
        while half > 0 {
            for i in 0..half {
                acc[i] += acc[i + half];
            }
            half /= 2;
        }
        total += f64::from(acc[0]);
    }
    assert_eq!(sum(&x).to_bits(), total.to_bits());
}
