//! Random sizes and views against references written as the formulas read.

use crate::common::{Seed, flat};
use candle_core::{Device, Tensor, Var};
use pleach_ops::*;
use proptest::prelude::*;

/// The same elements, lying in memory in another order.
fn turned(t: &Tensor) -> Tensor {
    let rank = t.rank();
    t.transpose(rank - 2, rank - 1).unwrap().contiguous().unwrap().transpose(rank - 2, rank - 1).unwrap()
}

fn near(what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (at, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 1e-12 * (1.0 + w.abs()), "{what} at {at}: {g} for {w}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn products_of_matrices(
        size in [0..40usize, 0..30usize, 0..40usize],
        lead in [1..4usize, 1..4usize],
        repeat in [any::<bool>(), any::<bool>(), any::<bool>()],
        turn in [any::<bool>(), any::<bool>()],
        seed: u64,
    ) {
        let ([m, k, n], mut seed) = (size, Seed(seed));
        let a_lead = [lead[0], if repeat[0] { 1 } else { lead[1] }];
        let b_lead = [if repeat[1] { 1 } else { lead[0] }, lead[1]];
        let b_shape = if repeat[2] { vec![b_lead[1], k, n] } else { vec![b_lead[0], b_lead[1], k, n] };
        let (a, b) = (seed.tensor(&[a_lead[0], a_lead[1], m, k]), seed.tensor(&b_shape));
        let a = Var::from_tensor(&if turn[0] { turned(&a) } else { a }).unwrap();
        let b = Var::from_tensor(&if turn[1] { turned(&b) } else { b }).unwrap();
        let y = matmul(a.as_tensor(), b.as_tensor()).unwrap();
        prop_assert_eq!(y.dims(), &[lead[0], lead[1], m, n]);
        let up = seed.tensor(y.dims());
        let grads = (&y * &up).unwrap().sum_all().unwrap().backward().unwrap();

        let (av, bv, upv) = (flat(a.as_tensor()), flat(b.as_tensor()), flat(&up));
        let (mut want, mut da, mut db) = (vec![0.0; upv.len()], vec![0.0; av.len()], vec![0.0; bv.len()]);
        for i in 0..lead[0] * lead[1] {
            let [p, q] = [i / lead[1], i % lead[1]];
            let of_a = p * a_lead[1] + q % a_lead[1];
            let of_b = if repeat[2] { q } else { p % b_lead[0] * b_lead[1] + q };
            for (r, c, d) in (0..m).flat_map(|r| (0..n).flat_map(move |c| (0..k).map(move |d| (r, c, d)))) {
                let [y, a, b] = [(i * m + r) * n + c, (of_a * m + r) * k + d, (of_b * k + d) * n + c];
                want[y] += av[a] * bv[b];
                da[a] += upv[y] * bv[b];
                db[b] += upv[y] * av[a];
            }
        }
        near("product", &flat(&y), &want);
        near("gradient of a", &flat(grads.get(a.as_tensor()).unwrap()), &da);
        near("gradient of b", &flat(grads.get(b.as_tensor()).unwrap()), &db);
    }

    /// Both ways of adding up: few rows that are looked up often, and many.
    #[test]
    fn gradients_of_embeddings(count in 1..60usize, features in 0..40usize, looked in 0..400usize, seed: u64) {
        let mut seed = Seed(seed);
        let table = Var::from_tensor(&seed.tensor(&[count, features])).unwrap();
        let rows: Vec<u32> = (0..looked).map(|_| (seed.next() % count as u64) as u32).collect();
        let padding = (seed.next() % count as u64) as usize;
        let indices = Tensor::from_slice(&rows, looked, &Device::Cpu).unwrap();
        let y = embedding(&indices, table.as_tensor(), Some(padding)).unwrap();
        let up = seed.tensor(&[looked, features]);
        let grads = (&y * &up).unwrap().sum_all().unwrap().backward().unwrap();
        let mut want = vec![0.0; count * features];
        for (row, up) in rows.iter().zip(flat(&up).chunks(features.max(1))) {
            if *row as usize != padding {
                want[*row as usize * features..].iter_mut().zip(up).for_each(|(w, u)| *w += u);
            }
        }
        near("gradient", &flat(grads.get(table.as_tensor()).unwrap()), &want);
    }

    #[test]
    fn nearest_elements(from in [1..20usize, 1..20usize], to in [1..45usize, 1..45usize], twice: bool, seed: u64) {
        let to = if twice { from.map(|n| 2 * n) } else { to };
        let x = Var::from_tensor(&Seed(seed).tensor(&[2, 1, from[0], from[1]])).unwrap();
        let y = upsample_nearest2d(x.as_tensor(), to).unwrap();
        let up = Seed(seed ^ 1).tensor(y.dims());
        let grads = (&y * &up).unwrap().sum_all().unwrap().backward().unwrap();
        let source = |axis: usize, i: usize| {
            let scale = from[axis] as f32 / to[axis] as f32;
            ((i as f32 * scale) as usize).min(from[axis] - 1)
        };
        let (xs, ups, mut want, mut dx) = (flat(x.as_tensor()), flat(&up), vec![], vec![0.0; 2 * from[0] * from[1]]);
        for (at, up) in ups.iter().enumerate() {
            let (plane, row, col) = (at / (to[0] * to[1]), at / to[1] % to[0], at % to[1]);
            let taken = (plane * from[0] + source(0, row)) * from[1] + source(1, col);
            want.push(xs[taken]);
            dx[taken] += up;
        }
        prop_assert_eq!(flat(&y), want);
        near("gradient", &flat(grads.get(x.as_tensor()).unwrap()), &dx);
    }
}
