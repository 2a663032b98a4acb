//! Random shapes and options against the formulas written out.

use crate::common::{Seed, flat};
use crate::naive;
use candle_core::{DType, Device, Tensor, Var};
use pleach_ops::*;
use proptest::prelude::*;

/// The result of `f` and, for a cotangent that depends on its size alone, the gradient of each input.
fn run(inputs: &[&Tensor], dtype: DType, f: impl Fn(&[Tensor]) -> Tensor) -> Vec<Vec<f64>> {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()).collect();
    let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&args);
    let c = Tensor::from_vec(cotangent(y.elem_count()), y.dims(), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
    let grads = (&y * c).unwrap().sum_all().unwrap().backward().unwrap();
    let mut out = vec![flat(&y)];
    out.extend(vars.iter().map(|v| flat(grads.get(v.as_tensor()).unwrap())));
    out
}

fn cotangent(count: usize) -> Vec<f64> {
    flat(&Seed(99).tensor(&[count]))
}

fn close(what: &str, got: &[Vec<f64>], want: &[Vec<f64>], tolerance: f64) {
    for (part, (got, want)) in got.iter().zip(want).enumerate() {
        assert_eq!(got.len(), want.len(), "{what}: size of part {part}");
        for (at, (g, w)) in got.iter().zip(want).enumerate() {
            assert!((g - w).abs() <= tolerance * (1.0 + w.abs()), "{what}: part {part} at {at}: {g} for {w}");
        }
    }
}

/// Checks an operation that is linear in `x`, given all its terms, in both precisions.
fn linear(what: &str, x: &Tensor, outputs: usize, terms: &naive::Terms, f: impl Fn(&Tensor) -> Tensor) {
    let want = naive::apply(terms, &flat(x), &cotangent(outputs));
    for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 2e-5)] {
        let got = run(&[x], dtype, |v| f(&v[0]));
        close(&format!("{what} in {dtype:?}"), &got, &want, tolerance);
    }
}

/// Along an axis, the input positions that an output position sees.
type Taps<'a> = &'a dyn Fn(usize, usize) -> Vec<usize>;

fn corners() -> impl Strategy<Value = Corners> {
    prop_oneof![Just(Corners::Edges), Just(Corners::Centres)]
}

fn pair(range: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = [usize; 2]> {
    [range.clone(), range]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn samples(
        [n, c] in pair(1..=3), [h, w] in pair(1..=6), [oh, ow] in pair(1..=5), corners in corners(),
        how in prop_oneof![Just(Sampling::Nearest), Just(Sampling::Bilinear), Just(Sampling::Bicubic)],
        outside in prop_oneof![Just(Outside::Zeros), Just(Outside::Border), Just(Outside::Reflection)],
        far in prop_oneof![Just(0.9), Just(1.5), Just(20.0)], seed: u64,
    ) {
        let mut seed = Seed(seed);
        let x = seed.tensor(&[n, c, h, w]);
        let grid = (seed.tensor(&[n, oh, ow, 2]) * far).unwrap();
        let terms = naive::samples([n, c, h, w], &flat(&grid), (how, outside, corners));
        let what = format!("grid_sample {how:?} {outside:?} {corners:?} of {:?} at {:?}", x.dims(), grid.dims());
        let want = naive::apply(&terms, &flat(&x), &cotangent(n * c * oh * ow));
        let got = run(&[&x], DType::F64, |v| grid_sample(&v[0], &grid, how, outside, corners).unwrap());
        close(&what, &got, &want, 1e-11);

        // The grid's gradient, where the differences are small enough to see: the formulas again, moved a little.
        if h > 1 && w > 1 && far < 2.0 {
            let got = run(&[&x, &grid], DType::F64, |v| grid_sample(&v[0], &v[1], how, outside, corners).unwrap());
            let (places, step) = (flat(&grid), 1e-6);
            let loss = |places: &[f64]| {
                let dy = cotangent(n * c * oh * ow);
                let terms = naive::samples([n, c, h, w], places, (how, outside, corners));
                let [y, _] = naive::apply(&terms, &flat(&x), &dy);
                y.iter().zip(&dy).map(|(y, d)| y * d).sum::<f64>()
            };
            for at in 0..places.len() {
                let moved = |by: f64| {
                    let mut places = places.clone();
                    places[at] += by;
                    loss(&places)
                };
                let [down, up] = [loss(&places) - moved(-step), moved(step) - loss(&places)];
                // Not at a kink.
                if (up - down).abs() < 1e-3 * step {
                    let want = (up + down) / (2.0 * step);
                    prop_assert!((got[2][at] - want).abs() < 1e-5, "{what}: grid at {at}: {} for {want}", got[2][at]);
                }
            }
        }
    }

    #[test]
    fn affine_grids(n in 1..4usize, [h, w] in pair(1..=6), corners in corners(), seed: u64) {
        let theta = Seed(seed).tensor(&[n, 2, 3]);
        let coordinate = |i: usize, count: usize| {
            let span = match corners {
                Corners::Centres => 1.0,
                Corners::Edges => (count as f64 - 1.0) / count as f64,
            };
            if count == 1 { 0.0 } else { span * (2.0 * i as f64 / (count as f64 - 1.0) - 1.0) }
        };
        let mut terms = vec![];
        for o in 0..n * h * w * 2 {
            let (image, y, x, axis) = (o / (h * w * 2), o / (w * 2) % h, o / 2 % w, o % 2);
            for (i, value) in [coordinate(x, w), coordinate(y, h), 1.0].into_iter().enumerate() {
                terms.push((o, image * 6 + axis * 3 + i, value));
            }
        }
        linear("affine_grid", &theta, n * h * w * 2, &terms, |t| affine_grid(t, [h, w], corners).unwrap());
    }

    #[test]
    fn resizes(
        [n, c] in pair(1..=3), [h, w] in pair(1..=12), [oh, ow] in pair(1..=14), corners in corners(), seed: u64,
    ) {
        use Interpolation::*;
        let x = Seed(seed).tensor(&[n, c, h, w]);
        let all = [Nearest, NearestExact, Area, Bilinear(corners), Bicubic(corners), SmoothBilinear(corners)];
        for how in all.into_iter().chain([SmoothBicubic(corners)]) {
            let (rows, cols) = (naive::resize(how, h, oh), naive::resize(how, w, ow));
            let terms = naive::separable(n * c, [[h, w], [oh, ow]], &rows, &cols);
            let what = format!("interpolate {how:?} of {:?} to {:?}", x.dims(), [oh, ow]);
            linear(&what, &x, n * c * oh * ow, &terms, |x| interpolate(x, Size::To([oh, ow]), how).unwrap());
        }
    }

    #[test]
    fn pads([n, c] in pair(1..=3), [h, w] in pair(1..=5), pad in [0..9usize, 0..9, 0..9, 0..9], seed: u64) {
        let x = Seed(seed).tensor(&[n, c, h, w]);
        for (with, spare) in [(Pad::Zero, 9), (Pad::Replicate, 9), (Pad::Reflect, 0), (Pad::Circular, 1)] {
            let most = |size: usize| (size + spare).saturating_sub(1);
            let [left, right, top, bottom] = pad;
            let [left, right] = [left, right].map(|p| p.min(most(w)));
            let [top, bottom] = [top, bottom].map(|p| p.min(most(h)));
            let to = [top + h + bottom, left + w + right];
            let (rows, cols) = (naive::pad(with, h, top, bottom), naive::pad(with, w, left, right));
            let terms = naive::separable(n * c, [[h, w], to], &rows, &cols);
            let what = format!("pad2d {with:?} of {:?} by {pad:?}", x.dims());
            linear(&what, &x, n * c * to[0] * to[1], &terms, |x| pad2d(x, [left, right, top, bottom], with).unwrap());
        }
    }

    #[test]
    fn patches(
        [n, c] in pair(1..=3), size in pair(1..=8), kernel in pair(1..=3), stride in pair(1..=3),
        padding in pair(0..=4), dilation in pair(1..=3), seed: u64,
    ) {
        let p = Patches { kernel, stride, padding, dilation };
        let mut seed = Seed(seed);
        let x = seed.tensor(&[n, c, size[0], size[1]]);
        if (0..2).any(|i| size[i] + 2 * padding[i] < dilation[i] * (kernel[i] - 1) + 1) {
            prop_assert!(unfold(&x, &p).is_err());
            return Ok(());
        }
        let (terms, places) = naive::patches(n * c, size, &p);
        let rows = c * kernel[0] * kernel[1];
        linear(&format!("unfold {p:?}"), &x, n * rows * places, &terms, |x| unfold(x, &p).unwrap());
        let back = terms.iter().map(|&(o, i, weight)| (i, o, weight)).collect();
        let x = seed.tensor(&[n, rows, places]);
        linear(&format!("fold {p:?}"), &x, n * c * size[0] * size[1], &back, |x| fold(x, size, &p).unwrap());
    }

    #[test]
    fn largest_of_windows(
        [n, c] in pair(1..=2), size in pair(1..=9), to in pair(1..=9), kernel in pair(1..=3), stride in pair(1..=3),
        padding in pair(0..=1), dilation in pair(1..=4), seed: u64,
    ) {
        // Few values, so that there are ties.
        let x = (Seed(seed).tensor(&[n, c, size[0], size[1]]) * 3.0).unwrap().round().unwrap();
        let check = |what: &str, out: [usize; 2], taps: Taps<'_>, f: &dyn Fn(&Tensor) -> Tensor| {
            let (xs, [h, w], area) = (flat(&x), size, out[0] * out[1]);
            let dy = cotangent(n * c * area);
            let (mut y, mut dx) = (vec![f64::NEG_INFINITY; dy.len()], vec![0.0; xs.len()]);
            for (o, dy) in dy.iter().enumerate() {
                let mut best = None;
                for row in taps(0, o / out[1] % out[0]) {
                    for col in taps(1, o % out[1]) {
                        let i = (o / area * h + row) * w + col;
                        if xs[i] > y[o] {
                            (y[o], best) = (xs[i], Some(i));
                        }
                    }
                }
                best.into_iter().for_each(|i: usize| dx[i] += dy);
            }
            // Infinities are equal or they are not.
            let finite = |v: Vec<f64>| v.into_iter().map(|v| v.max(-1e9)).collect::<Vec<f64>>();
            let got = run(&[&x], DType::F64, |v| f(&v[0])).into_iter().map(finite).collect::<Vec<_>>();
            close(what, &got, &[finite(y), dx], 1e-12);
        };
        let cells = |axis: usize, o: usize| {
            (o * size[axis] / to[axis]..((o + 1) * size[axis]).div_ceil(to[axis])).collect::<Vec<_>>()
        };
        check("adaptive_max_pool2d", to, &cells, &|x| adaptive_max_pool2d(x, to).unwrap());

        let p = Pool2d { kernel, stride, padding: [0, 1].map(|i| padding[i].min(kernel[i] / 2)), ceil_mode: false };
        let reach = [0, 1].map(|i| dilation[i] * (kernel[i] - 1) + 1);
        let room = [0, 1].map(|i| (size[i] + 2 * p.padding[i]).checked_sub(reach[i]));
        if let [Some(tall), Some(wide)] = room {
            let out = [tall / stride[0] + 1, wide / stride[1] + 1];
            let taps = |axis: usize, o: usize| {
                let at = (0..kernel[axis]).map(|k| o * stride[axis] + k * dilation[axis]);
                let at = at.filter_map(|at| at.checked_sub(p.padding[axis]));
                at.filter(|&at| at < size[axis]).collect::<Vec<_>>()
            };
            let what = format!("max_pool2d_dilated {p:?} {dilation:?} {size:?}");
            check(&what, out, &taps, &|x| max_pool2d_dilated(x, &p, dilation).unwrap());
        } else {
            prop_assert!(max_pool2d_dilated(&x, &p, dilation).is_err());
        }
    }
}
