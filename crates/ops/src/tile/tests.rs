//! Tiles against the sums that they stand for.

use super::{Factors, Onto, SLAB, Scattered, Soon, Starts, Strands, Tiled};
use crate::host::Real;
use crate::turn::Rows;
use proptest::prelude::*;

/// Numbers whose sums of products are exact.
fn numbers<T: Real>(len: usize, seed: usize) -> Vec<T> {
    (0..len).map(|i| T::of(((i * 7 + seed * 13 + i * i % 11) % 17) as f64 - 8.0)).collect()
}

/// `before`, or zeros, plus the product of `left(r, k)` and `right(k, c)`, in rows `step` apart.
fn naive<T: Real>(
    [rows, depth, cols]: [usize; 3],
    left: impl Fn(usize, usize) -> T,
    right: impl Fn(usize, usize) -> T,
    (onto, before, step): (Onto, &[T], usize),
) -> Vec<T> {
    let mut all = before.to_vec();
    for (r, c) in (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))) {
        let old = if onto == Onto::Sums { before[r * step + c] } else { T::ZERO };
        all[r * step + c] = (0..depth).fold(old, |sum, k| sum + left(r, k) * right(k, c));
    }
    all
}

fn tiles<T: Real>(rows: usize, depth: usize, more: usize, seed: usize) {
    let tile = T::outer_tile();
    let (rows, cols) = (rows.min(tile.rows), tile.cols);
    let size = [rows, depth, cols];
    let step = cols + more;
    let before = numbers::<T>(rows * step, seed);
    // Whatever is called for, within memory or beyond.
    let (next, len) = ([seed, 0, usize::MAX / 16], more);
    let soon = Soon::new(&before, &next[..seed % 4], len).part(seed % 3, 3);
    for onto in [Onto::Nothing, Onto::Sums] {
        // Rows of any distance, of those that have loops of their own, and side by side.
        let downs = [depth + more, 64, SLAB, 256, 512, 1024].map(|down| (down, 1));
        for (down, along) in downs.into_iter().chain([(1, tile.rows)]) {
            let (a, b) =
                (numbers::<T>(rows * down + depth * along, seed + 1), numbers::<T>(depth * step + cols, seed + 2));
            let want = naive(size, |r, k| a[r * down + k * along], |k, c| b[k * step + c], (onto, &before, step));
            let mut got = before.clone();
            let factors = Factors { a: &a, down, along, b: &b, step, depth, rows, soon };
            T::strided(&factors, onto, &mut Rows::of(&mut got, rows, cols, step));
            assert_eq!(got, want, "strided");
        }

        // Lines in any order, two of them the same.
        let starts: Vec<usize> = (0..depth).map(|k| (k * 5 + seed) % (depth * more + 1)).collect();
        let packed = numbers::<T>(depth * tile.rows + rows, seed + 3);
        let lines = numbers::<T>(depth * more + 1 + cols, seed + 4);
        let want = naive(size, |r, k| packed[k * tile.rows + r], |k, c| lines[starts[k] + c], (onto, &before, step));
        let (mut got, mut kept) = (before.clone(), vec![T::ZERO; depth * cols]);
        let (all, along) = (Starts::new(starts.clone()), tile.rows);
        let scattered = Scattered { a: &packed, along, rows, b: &lines, starts: &all, depth: 0..depth, soon };
        T::keeping(&scattered, onto, &mut Rows::of(&mut got, rows, cols, step), &mut kept);
        assert_eq!(got, want, "keeping");
        let lined: Vec<T> = starts.iter().flat_map(|&start| lines[start..start + cols].to_vec()).collect();
        assert_eq!(kept, lined, "what is kept");
    }

    let starts: Vec<usize> = (0..rows).map(|r| (r * 3 + seed) % (more + 1)).collect();
    let (a, b) = (numbers::<T>(more + 1 + depth, seed + 5), numbers::<T>(depth * cols, seed + 6));
    let want = naive(size, |r, k| a[starts[r] + k], |k, c| b[k * cols + c], (Onto::Sums, &before, step));
    let mut got = before.clone();
    let strands = Strands { a: &a, starts: &starts, b: &b, depth, soon };
    T::gathered(&strands, &mut Rows::of(&mut got, rows, cols, step));
    assert_eq!(got, want, "gathered");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 256 }))]

    #[test]
    fn tiles_are_the_sums_of_their_products(rows in 1..=12usize, depth in 0..40usize, more in 0..20usize, seed in 0..1000usize) {
        tiles::<f32>(rows, depth, more, seed);
        tiles::<f64>(rows, depth, more, seed);
    }
}

#[test]
#[should_panic(expected = "a tile's lines")]
fn lines_behind_the_end_are_refused() {
    let (a, b) = (vec![1.0f32; 64], vec![1.0f32; 20]);
    let starts = Starts::new(vec![0, 19]);
    let (mut out, mut kept) = (vec![0.0; 64], vec![0.0; 64]);
    let lines = Scattered { a: &a, along: 12, rows: 1, b: &b, starts: &starts, depth: 0..2, soon: Soon::NOTHING };
    f32::keeping(&lines, Onto::Nothing, &mut Rows::of(&mut out, 1, 16, 16), &mut kept);
}
