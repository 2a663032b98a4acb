//! Random shapes, strides, paddings, dilations and groups against references written as the formulas read.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{Seed, flat};
use pleach_ops::*;
use proptest::prelude::*;

/// A number and its gradients: output, then the gradient of each input for the cotangent of `cotangent`.
fn run(inputs: &[&Tensor], dtype: DType, f: impl Fn(&[Tensor]) -> Tensor) -> Vec<Vec<f64>> {
    let vars: Vec<Var> = (inputs.iter()).map(|t| Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()).collect();
    let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&args);
    let c = cotangent(y.dims()).to_dtype(dtype).unwrap();
    let grads = (&y * c).unwrap().sum_all().unwrap().backward().unwrap();
    let mut out = vec![flat(&y)];
    out.extend(vars.iter().map(|v| flat(grads.get(v.as_tensor()).unwrap())));
    out
}

fn cotangent(shape: &[usize]) -> Tensor {
    Seed(99).tensor(shape)
}

fn close(what: &str, got: &[Vec<f64>], want: &[Vec<f64>], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: outputs and gradients");
    for (part, (got, want)) in got.iter().zip(want).enumerate() {
        assert_eq!(got.len(), want.len(), "{what}: size of part {part}");
        for (at, (g, w)) in got.iter().zip(want).enumerate() {
            assert!((g - w).abs() <= tolerance * (1.0 + w.abs()), "{what}: part {part} at {at}: {g} for {w}");
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    n: usize,
    groups: usize,
    ci: usize,
    co: usize,
    size: [usize; 2],
    kernel: [usize; 2],
    conv: Conv2d,
    seed: u64,
}

fn cases(channels: usize, side: usize) -> impl Strategy<Value = Case> {
    let pair = |r: std::ops::RangeInclusive<usize>| [r.clone(), r];
    (
        (1..=3usize, 1..=3usize, 1..=channels, 1..=channels),
        (pair(1..=side), pair(1..=4), pair(1..=3), pair(0..=3), pair(1..=3)),
        any::<u64>(),
    )
        .prop_map(|((n, groups, ci, co), (size, kernel, stride, padding, dilation), seed)| Case {
            n,
            groups,
            ci,
            co,
            size,
            kernel,
            conv: Conv2d { stride, padding, dilation, groups },
            seed,
        })
        .prop_filter("a window fits", |c| {
            (0..2).all(|i| c.size[i] + 2 * c.conv.padding[i] > c.conv.dilation[i] * (c.kernel[i] - 1))
        })
}

/// One product of a convolution: indices into x, w and y.
fn products(c: &Case, small: [usize; 2], large: [usize; 2], mut f: impl FnMut(usize, usize, usize)) {
    let ([h, w], [oh, ow], [kh, kw]) = (large, small, c.kernel);
    for n in 0..c.n {
        for co in 0..c.groups * c.co {
            for ci in 0..c.ci {
                for (oy, ox) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                    for (ky, kx) in (0..kh).flat_map(|y| (0..kw).map(move |x| (y, x))) {
                        let y = (oy * c.conv.stride[0] + ky * c.conv.dilation[0]).wrapping_sub(c.conv.padding[0]);
                        let x = (ox * c.conv.stride[1] + kx * c.conv.dilation[1]).wrapping_sub(c.conv.padding[1]);
                        if y < h && x < w {
                            let channel = n * c.groups * c.ci + co / c.co * c.ci + ci;
                            f(
                                (channel * h + y) * w + x,
                                ((co * c.ci + ci) * kh + ky) * kw + kx,
                                ((n * c.groups * c.co + co) * oh + oy) * ow + ox,
                            );
                        }
                    }
                }
            }
        }
    }
}

fn bias_grad(cotangent: &[f64], channels: usize, area: usize) -> Vec<f64> {
    let mut db = vec![0.0; channels];
    for (i, v) in cotangent.iter().enumerate() {
        db[i / area % channels] += v;
    }
    db
}

fn conv_case(c: &Case) {
    let mut seed = Seed(c.seed);
    let (cin, cout) = (c.groups * c.ci, c.groups * c.co);
    let x = seed.tensor(&[c.n, cin, c.size[0], c.size[1]]);
    let w = seed.tensor(&[cout, c.ci, c.kernel[0], c.kernel[1]]);
    let b = seed.tensor(&[cout]);
    let out = [0, 1].map(|i| {
        (c.size[i] + 2 * c.conv.padding[i] - c.conv.dilation[i] * (c.kernel[i] - 1) - 1) / c.conv.stride[i] + 1
    });
    let (xs, ws, bs) = (flat(&x), flat(&w), flat(&b));
    let shape = [c.n, cout, out[0], out[1]];
    let dy = flat(&cotangent(&shape));
    let area = out[0] * out[1];
    let mut y: Vec<f64> = (0..dy.len()).map(|i| bs[i / area % cout]).collect();
    let (mut dx, mut dw) = (vec![0.0; xs.len()], vec![0.0; ws.len()]);
    products(c, out, c.size, |x, w, o| {
        y[o] += xs[x] * ws[w];
        dx[x] += ws[w] * dy[o];
        dw[w] += xs[x] * dy[o];
    });
    let want = [y, dx, dw, bias_grad(&dy, cout, area)];
    for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 3e-5)] {
        let got = run(&[&x, &w, &b], dtype, |v| conv2d(&v[0], &v[1], Some(&v[2]), &c.conv).unwrap());
        close(&format!("conv2d {c:?} {dtype:?}"), &got, &want, tolerance);
    }
}

#[test]
fn a_value_that_is_not_finite_reaches_only_what_it_meets() {
    // Channels in and out, stride, and how many results of a channel meet the value: each way of computing has a case.
    for ([ci, co], stride, met) in
        [([20, 24], 1, 9), ([33, 40], 2, 4), ([9, 7], 1, 9), ([9, 7], 2, 4), ([9, 2], 1, 9), ([2, 9], 2, 4)]
    {
        let conv = Conv2d { stride: [stride; 2], padding: [1, 1], ..Conv2d::default() };
        let size = [8, 7];
        let c = Case { n: 2, groups: 1, ci, co, size, kernel: [3, 3], conv, seed: 0 };
        let out = size.map(|n| (n - 1) / stride + 1);
        let mut seed = Seed(5);
        let (x, w) = (seed.tensor(&[2, ci, size[0], size[1]]), seed.tensor(&[co, ci, 3, 3]));
        for odd in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let mut xs = flat(&x);
            xs[ci * 56 + 3 * 7 + 3] = odd;
            let ws = flat(&w);
            let dy = flat(&cotangent(&[2, co, out[0], out[1]]));
            let (mut y, mut dx, mut dw) = (vec![0.0; dy.len()], vec![0.0; xs.len()], vec![0.0; ws.len()]);
            products(&c, out, size, |x, w, o| {
                y[o] += xs[x] * ws[w];
                dx[x] += ws[w] * dy[o];
                dw[w] += xs[x] * dy[o];
            });
            let x = Tensor::from_slice(&xs, x.shape(), &Device::Cpu).unwrap();
            let got = run(&[&x, &w], DType::F64, |v| conv2d(&v[0], &v[1], None, &conv).unwrap());
            for (part, (got, want)) in got.iter().zip(&[y, dx, dw]).enumerate() {
                for (at, (&g, &w)) in got.iter().zip(want).enumerate() {
                    let same = g == w || g.is_nan() && w.is_nan() || (g - w).abs() <= 1e-12 * (1.0 + w.abs());
                    assert!(same, "{c:?}: part {part} at {at}: {g} for {w}");
                }
            }
            assert_eq!(got[0].iter().filter(|v| !v.is_finite()).count(), met * co);
        }
    }
}

fn transposed_case(c: &Case, more: [usize; 2]) {
    let p = ConvTranspose2d {
        stride: c.conv.stride,
        padding: c.conv.padding,
        output_padding: [0, 1].map(|i| more[i].min(c.conv.stride[i].max(c.conv.dilation[i]) - 1)),
        dilation: c.conv.dilation,
        groups: c.groups,
    };
    let full =
        [0, 1].map(|i| (c.size[i] - 1) * p.stride[i] + p.dilation[i] * (c.kernel[i] - 1) + p.output_padding[i] + 1);
    if (0..2).any(|i| full[i] <= 2 * p.padding[i]) {
        return;
    }
    let out = [0, 1].map(|i| full[i] - 2 * p.padding[i]);
    let mut seed = Seed(c.seed);
    // Turned round: c.co channels come in for each group, c.ci go out.
    let (cin, cout) = (c.groups * c.co, c.groups * c.ci);
    let x = seed.tensor(&[c.n, cin, c.size[0], c.size[1]]);
    let w = seed.tensor(&[cin, c.ci, c.kernel[0], c.kernel[1]]);
    let b = seed.tensor(&[cout]);
    let (xs, ws, bs) = (flat(&x), flat(&w), flat(&b));
    let dy = flat(&cotangent(&[c.n, cout, out[0], out[1]]));
    let area = out[0] * out[1];
    let mut y: Vec<f64> = (0..dy.len()).map(|i| bs[i / area % cout]).collect();
    let (mut dx, mut dw) = (vec![0.0; xs.len()], vec![0.0; ws.len()]);
    products(c, c.size, out, |large, w, small| {
        y[large] += xs[small] * ws[w];
        dx[small] += ws[w] * dy[large];
        dw[w] += xs[small] * dy[large];
    });
    let want = [y, dx, dw, bias_grad(&dy, cout, area)];
    let got = run(&[&x, &w, &b], DType::F64, |v| conv_transpose2d(&v[0], &v[1], Some(&v[2]), &p).unwrap());
    close(&format!("{p:?} {c:?}"), &got, &want, 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn convolutions(c in cases(4, 9)) {
        conv_case(&c);
    }

    #[test]
    fn convolutions_of_many_channels_by_three_by_three(
        (n, ci, co) in (1..=2usize, 16..=40usize, 16..=40usize), size in [1..=13usize, 1..=13usize],
        stride in 1..=2usize, padding in [0..=2usize, 0..=2usize], seed: u64,
    ) {
        let conv = Conv2d { padding, stride: [stride; 2], ..Conv2d::default() };
        if (0..2).all(|i| size[i] + 2 * padding[i] >= 3) {
            conv_case(&Case { n, groups: 1, ci, co, size, kernel: [3, 3], conv, seed });
        }
    }

    #[test]
    fn transposed_convolutions(c in cases(4, 6), more in [0..3usize, 0..3usize]) {
        transposed_case(&c, more);
    }

    #[test]
    fn pools(c in cases(3, 9), ceil_mode: bool, include: bool) {
        let p = Pool2d {
            kernel: c.kernel,
            stride: c.conv.stride,
            padding: [0, 1].map(|i| c.conv.padding[i].min(c.kernel[i] / 2)),
            ceil_mode,
        };
        pool_case(&c, &p, include);
    }

    #[test]
    fn linear_maps(rows in 1..40usize, cin in 1..20usize, out in 1..40usize, seed: u64) {
        let mut seed = Seed(seed);
        let (x, w, b) = (seed.tensor(&[rows, cin]), seed.tensor(&[out, cin]), seed.tensor(&[out]));
        let got = run(&[&x, &w, &b], DType::F64, |v| linear(&v[0], &v[1], Some(&v[2])).unwrap());
        let want = run(&[&x, &w, &b], DType::F64, |v| {
            v[0].matmul(&v[1].t().unwrap()).unwrap().broadcast_add(&v[2]).unwrap()
        });
        close("linear", &got, &want, 1e-12);
    }

    #[test]
    fn softmaxes(shape in prop::collection::vec(1..6usize, 1..4), dim in 0..4usize, seed: u64) {
        let dim = dim % shape.len();
        let x = (Seed(seed).tensor(&shape) * 5.0).unwrap();
        let slow = |x: &Tensor| {
            let e = x.exp().unwrap();
            e.broadcast_div(&e.sum_keepdim(dim).unwrap()).unwrap()
        };
        let want = run(&[&x], DType::F64, |v| slow(&v[0]));
        close("softmax", &run(&[&x], DType::F64, |v| softmax(&v[0], dim).unwrap()), &want, 1e-12);
        let want = run(&[&x], DType::F64, |v| slow(&v[0]).log().unwrap());
        close("log_softmax", &run(&[&x], DType::F64, |v| log_softmax(&v[0], dim).unwrap()), &want, 1e-12);
    }

    #[test]
    fn norms(n in 1..5usize, groups in 1..4usize, per in 1..4usize, area in 1..70usize, seed: u64) {
        prop_assume!(n * area > 1 && per * area > 1);
        let c = groups * per;
        let mut seed = Seed(seed);
        let (x, w, b) = (seed.tensor(&[n, c, area]), seed.tensor(&[c]), seed.tensor(&[c]));
        let eps = 0.1;
        // x as [n, c, area], reduced over `dims` after a reshape to `shape`.
        let slow = |v: &[Tensor], shape: &[usize], dims: &[usize]| {
            let x = v[0].reshape(shape).unwrap();
            let count = dims.iter().map(|&d| shape[d]).product::<usize>() as f64;
            let mean = (x.sum_keepdim(dims).unwrap() / count).unwrap();
            let x = x.broadcast_sub(&mean).unwrap();
            let var = (x.sqr().unwrap().sum_keepdim(dims).unwrap() / count).unwrap();
            let y = x.broadcast_div(&(var + eps).unwrap().sqrt().unwrap()).unwrap();
            let y = y.reshape((n, c, area)).unwrap();
            let y = y.broadcast_mul(&v[1].reshape((c, 1)).unwrap()).unwrap();
            y.broadcast_add(&v[2].reshape((c, 1)).unwrap()).unwrap()
        };
        let inputs = [&x, &w, &b];
        let want = run(&inputs, DType::F64, |v| slow(v, &[n, c, area], &[0, 2]));
        let got = run(&inputs, DType::F64, |v| batch_norm_train(&v[0], Some(&v[1]), Some(&v[2]), eps, Then::Identity).unwrap().y);
        close("batch_norm", &got, &want, 1e-10);
        let want = run(&inputs, DType::F64, |v| slow(v, &[n, groups, per * area], &[2]));
        let got = run(&inputs, DType::F64, |v| group_norm(&v[0], groups, Some(&v[1]), Some(&v[2]), eps).unwrap());
        close("group_norm", &got, &want, 1e-10);
    }
}

/// Shapes large enough for several tiles, tiles of several images, and each way of adding up weights.
#[test]
fn convolutions_in_tiles() {
    let plain = Conv2d { padding: [1, 1], ..Conv2d::default() };
    let wide = Conv2d { stride: [2, 2], padding: [3, 3], ..Conv2d::default() };
    let rows = [
        // Many pixels: an image is cut.
        (2, 1, 3, 8, [40, 37], [3, 3], plain),
        (1, 1, 3, 5, [61, 50], [7, 7], wide),
        // Few pixels: several images in a tile.
        (20, 1, 6, 7, [4, 3], [3, 3], plain),
        // Many weights: summed up by input channels, whose number the blocks do not divide.
        (3, 1, 85, 90, [5, 5], [3, 3], plain),
        // More windows than tiles, in several slabs and groups of channels; also by twos.
        (2, 1, 150, 200, [7, 7], [3, 3], plain),
        (2, 1, 150, 200, [9, 6], [3, 3], Conv2d { stride: [2, 2], ..plain }),
        // The same in two groups.
        (2, 2, 17, 450, [3, 6], [3, 3], Conv2d { groups: 2, ..plain }),
        // Pointwise, cut and whole.
        (2, 1, 20, 9, [30, 31], [1, 1], Conv2d::default()),
        (9, 1, 20, 9, [3, 5], [1, 1], Conv2d::default()),
        // Nine taps in blocks as wide as a plane; pointwise so, and as a part of a plane in two groups.
        (8, 1, 33, 35, [35, 35], [3, 3], Conv2d { stride: [2, 2], padding: [1, 1], ..Conv2d::default() }),
        (8, 1, 70, 13, [17, 16], [1, 1], Conv2d::default()),
        (1, 2, 70, 66, [50, 43], [1, 1], Conv2d { groups: 2, ..Conv2d::default() }),
    ];
    for (seed, (n, groups, ci, co, size, kernel, conv)) in rows.into_iter().enumerate() {
        let c = Case { n, groups, ci, co, size, kernel, conv, seed: seed as u64 };
        conv_case(&c);
        transposed_case(&c, [1, 0]);
    }
}

fn pool_case(c: &Case, p: &Pool2d, include: bool) {
    let channels = c.groups * c.ci;
    // Few values, so that there are ties.
    let x = (Seed(c.seed).tensor(&[c.n, channels, c.size[0], c.size[1]]) * 3.0).unwrap().round().unwrap();
    if (0..2).any(|i| c.size[i] + 2 * p.padding[i] < p.kernel[i]) {
        assert!(max_pool2d(&x, p).is_err());
        return;
    }
    let out = [0, 1].map(|i| {
        let room = c.size[i] + 2 * p.padding[i] - p.kernel[i];
        let up = if p.ceil_mode { p.stride[i] - 1 } else { 0 };
        let count = (room + up) / p.stride[i] + 1;
        // PyTorch: the last window starts inside the image or the padding on its left.
        if p.ceil_mode && (count - 1) * p.stride[i] >= c.size[i] + p.padding[i] { count - 1 } else { count }
    });
    let xs = flat(&x);
    let shape = [c.n, channels, out[0], out[1]];
    let dy = flat(&cotangent(&shape));
    let (mut max, mut avg) = (vec![0.0; dy.len()], vec![0.0; dy.len()]);
    let (mut dmax, mut davg) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
    for (o, dy) in dy.iter().enumerate() {
        let at = [o / out[1] % out[0], o % out[1]];
        let span = [0, 1].map(|i| {
            let from = (at[i] * p.stride[i]) as isize - p.padding[i] as isize;
            let to = (from + p.kernel[i] as isize).min((c.size[i] + p.padding[i]) as isize);
            (from, to)
        });
        let inside = [0, 1].map(|i| span[i].0.max(0)..span[i].1.min(c.size[i] as isize));
        let whole: isize = span.iter().map(|(a, b)| b - a).product();
        let count = if include { whole as f64 } else { (inside[0].len() * inside[1].len()) as f64 };
        let plane = o / (out[0] * out[1]) * c.size[0] * c.size[1];
        let mut best = (f64::NEG_INFINITY, 0);
        for y in inside[0].clone() {
            for x in inside[1].clone() {
                let i = plane + y as usize * c.size[1] + x as usize;
                avg[o] += xs[i] / count;
                davg[i] += dy / count;
                if xs[i] > best.0 {
                    best = (xs[i], i);
                }
            }
        }
        max[o] = best.0;
        dmax[best.1] += dy;
    }
    let got = run(&[&x], DType::F64, |v| max_pool2d(&v[0], p).unwrap());
    close(&format!("max_pool2d {p:?} {c:?}"), &got, &[max, dmax], 1e-12);
    let count = if include { CountPadding::Included } else { CountPadding::Excluded };
    let got = run(&[&x], DType::F64, |v| avg_pool2d(&v[0], p, count).unwrap());
    close(&format!("avg_pool2d {p:?} {c:?}"), &got, &[avg, davg], 1e-12);
}

#[test]
fn max_pool_of_infinities_and_nan() {
    let row = [f32::NEG_INFINITY, f32::NEG_INFINITY, f32::NAN, 1.0, 2.0, f32::INFINITY];
    let x = Tensor::from_slice(&row, (1, 1, 1, 6), &Device::Cpu).unwrap();
    let p = Pool2d { kernel: [1, 2], stride: [1, 2], ..Pool2d::new(1) };
    let y = flat(&max_pool2d(&x, &p).unwrap());
    assert_eq!((y[0], y[2]), (f64::NEG_INFINITY, f64::INFINITY));
    assert!(y[1].is_nan());
}

proptest! {
    // The plain sums behind these take a while.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn convolutions_between_few_and_many_channels(
        few in 1..=3usize, many in 8..=40usize, swap: bool, n in 1..=2usize, kernel in [1..=5usize, 1..=5usize],
        size in [5..=40usize, 5..=60usize], stride in 1..=3usize, padding in 0..=2usize, seed: u64,
    ) {
        let (ci, co) = if swap { (few, many) } else { (many, few) };
        let conv = Conv2d { stride: [stride; 2], padding: [padding; 2], ..Conv2d::default() };
        conv_case(&Case { n, groups: 1, ci, co, size, kernel, conv, seed });
    }

    #[test]
    fn convolutions_with_more_than_a_block_of_everything(
        ci in 30..=50usize, co in 1..=30usize, size in [16..=24usize, 16..=24usize], stride in 1..=2usize, seed: u64,
    ) {
        let conv = Conv2d { stride: [stride, 3 - stride], padding: [1, 2], ..Conv2d::default() };
        conv_case(&Case { n: 1, groups: 1, ci, co, size, kernel: [3, 4], conv, seed });
    }
}
