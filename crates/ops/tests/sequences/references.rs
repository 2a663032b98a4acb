//! Random shapes and options against the naive references.

use crate::common::Seed;
use crate::naive::{Walk, attention, close, lstm, run, triangle};
use candle_core::{DType, Device, Tensor};
use pleach_ops::*;
use proptest::prelude::*;

/// Both precisions and how far results may be off.
const PRECISIONS: [(DType, f64); 2] = [(DType::F64, 1e-12), (DType::F32, 3e-5)];

fn triple(range: std::ops::RangeInclusive<usize>) -> [std::ops::RangeInclusive<usize>; 3] {
    [range.clone(), range.clone(), range]
}

/// The walk of a convolution over `large`, if a window fits.
fn walks(side: usize) -> impl Strategy<Value = Walk> {
    let sizes = (triple(1..=side), triple(1..=3), triple(1..=3), triple(0..=2), triple(1..=2));
    let channels = (1..=2usize, 1..=3usize, 1..=3usize, 1..=3usize);
    let mode = prop::sample::select(vec![Pad::Zero, Pad::Replicate]);
    (sizes, channels, mode).prop_filter_map("a window fits", |(sizes, channels, mode)| {
        let ((large, kernel, stride, padding, dilation), (images, groups, ci, co)) = (sizes, channels);
        let mut small = [0; 3];
        for i in 0..3 {
            let room = (large[i] + 2 * padding[i]).checked_sub(dilation[i] * (kernel[i] - 1) + 1)?;
            small[i] = room / stride[i] + 1;
        }
        Some(Walk { images, groups, ci, co, large, small, kernel, stride, padding, dilation, mode })
    })
}

fn tensors(w: &Walk, channels: [usize; 2], size: [usize; 3], seed: u64) -> [Tensor; 3] {
    let mut seed = Seed(seed);
    let ([d, h, wide], [kd, kh, kw]) = (size, w.kernel);
    let weights = [w.groups * w.co, w.ci, kd, kh, kw];
    [seed.tensor(&[w.images, channels[0], d, h, wide]), seed.tensor(&weights), seed.tensor(&[channels[1]])]
}

fn volume(walk: &Walk, seed: u64) {
    let [x, w, b] = tensors(walk, [walk.groups * walk.ci, walk.groups * walk.co], walk.large, seed);
    let p = Conv3d {
        stride: walk.stride,
        padding: walk.padding,
        dilation: walk.dilation,
        groups: walk.groups,
        padding_mode: walk.mode,
    };
    let want = walk.forward(&x, &w, &b);
    for (dtype, tolerance) in PRECISIONS {
        let got = run(&[&x, &w, &b], dtype, |v| conv3d(&v[0], &v[1], Some(&v[2]), &p));
        close(&format!("conv3d {walk:?} {dtype:?}"), &got, &want, tolerance);
    }
}

fn volume_back(walk: &Walk, seed: u64) {
    let mut walk = Walk { mode: Pad::Zero, ..walk.clone() };
    let mut more = [0; 3];
    for (i, more) in more.iter_mut().enumerate() {
        // Whatever the windows leave over at the end of the large side.
        let full = (walk.small[i] - 1) * walk.stride[i] + walk.dilation[i] * (walk.kernel[i] - 1) + 1;
        if full <= 2 * walk.padding[i] {
            return;
        }
        *more = (walk.large[i] + 2 * walk.padding[i]) - full;
        assert!(*more < walk.stride[i]);
        walk.large[i] = full + *more - 2 * walk.padding[i];
    }
    let [x, w, b] = tensors(&walk, [walk.groups * walk.co, walk.groups * walk.ci], walk.small, seed);
    let p = ConvTranspose3d {
        stride: walk.stride,
        padding: walk.padding,
        output_padding: more,
        dilation: walk.dilation,
        groups: walk.groups,
    };
    let want = walk.transposed(&x, &w, &b);
    for (dtype, tolerance) in PRECISIONS {
        let got = run(&[&x, &w, &b], dtype, |v| conv_transpose3d(&v[0], &v[1], Some(&v[2]), &p));
        close(&format!("conv_transpose3d {walk:?} {dtype:?}"), &got, &want, tolerance);
    }
}

/// A walk along the last axis alone.
fn line(walk: &Walk) -> Walk {
    let last = |v: [usize; 3], rest: usize| [rest, rest, v[2]];
    Walk {
        large: last(walk.large, 1),
        small: last(walk.small, 1),
        kernel: last(walk.kernel, 1),
        stride: last(walk.stride, 1),
        padding: last(walk.padding, 0),
        dilation: last(walk.dilation, 1),
        ..walk.clone()
    }
}

fn scores_case([batch, l, s, e, ev]: [usize; 5], marks: u8, seed: u64, scale: f64) {
    let mut seed = Seed(seed);
    let [q, k, v] = [[batch, l, e], [batch, s, e], [batch, s, ev]].map(|shape| seed.tensor(&shape) * 3.0);
    let inputs = [&q.unwrap(), &k.unwrap(), &v.unwrap()];
    let keep: Vec<u8> = (0..l * s).map(|_| u8::from(seed.uniform() < 0.6)).collect();
    let keep = Tensor::from_vec(keep, (l, s), &Device::Cpu).unwrap();
    let zeros = Tensor::zeros((batch, l, s), DType::F64, &Device::Cpu).unwrap();
    let added = match marks {
        0 => zeros,
        1 => triangle(batch, l, s),
        _ => {
            let hidden = (zeros.ones_like().unwrap() * f64::NEG_INFINITY).unwrap();
            keep.broadcast_as((batch, l, s)).unwrap().where_cond(&zeros, &hidden).unwrap()
        }
    };
    let want = run(&inputs, DType::F64, |v| attention(&v[0], &v[1], &v[2], &added, scale));
    for (dtype, tolerance) in PRECISIONS {
        let added = added.to_dtype(dtype).unwrap();
        let mask = [None, None, Some(&keep), Some(&added)][usize::from(marks)];
        let p = Attention { mask, is_causal: marks == 1, scale: Some(scale) };
        let got = run(&inputs, dtype, |v| scaled_dot_product_attention(&v[0], &v[1], &v[2], &p));
        close(&format!("attention {:?} {dtype:?}", [batch, l, s, e, ev, marks.into()]), &got, &want, tolerance);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn volumes(walk in walks(5), seed: u64) {
        volume(&walk, seed);
    }

    #[test]
    fn transposed_volumes(walk in walks(4), seed: u64) {
        volume_back(&walk, seed);
    }

    #[test]
    fn sequences(walk in walks(12), seed: u64) {
        let walk = line(&walk);
        let [x, w, b] = tensors(&walk, [walk.groups * walk.ci, walk.groups * walk.co], walk.large, seed);
        let p = Conv1d {
            stride: walk.stride[2],
            padding: walk.padding[2],
            dilation: walk.dilation[2],
            groups: walk.groups,
            padding_mode: walk.mode,
        };
        let want = walk.forward(&x, &w, &b);
        let [x, w] = [x, w].map(|t| t.squeeze(2).unwrap().squeeze(2).unwrap());
        let got = run(&[&x, &w, &b], DType::F64, |v| conv1d(&v[0], &v[1], Some(&v[2]), &p));
        close(&format!("{p:?} {walk:?}"), &got, &want, 1e-12);
    }

    #[test]
    fn transposed_sequences(walk in walks(8), more in 0..3usize, seed: u64) {
        let mut walk = Walk { mode: Pad::Zero, ..line(&walk) };
        let p = ConvTranspose1d {
            stride: walk.stride[2],
            padding: walk.padding[2],
            output_padding: more.min(walk.stride[2].max(walk.dilation[2]) - 1),
            dilation: walk.dilation[2],
            groups: walk.groups,
        };
        let full = (walk.small[2] - 1) * p.stride + p.dilation * (walk.kernel[2] - 1) + 1 + p.output_padding;
        prop_assume!(full > 2 * p.padding);
        walk.large[2] = full - 2 * p.padding;
        let [x, w, b] = tensors(&walk, [walk.groups * walk.co, walk.groups * walk.ci], walk.small, seed);
        let want = walk.transposed(&x, &w, &b);
        let [x, w] = [x, w].map(|t| t.squeeze(2).unwrap().squeeze(2).unwrap());
        let got = run(&[&x, &w, &b], DType::F64, |v| conv_transpose1d(&v[0], &v[1], Some(&v[2]), &p));
        close(&format!("{p:?} {walk:?}"), &got, &want, 1e-12);
    }

    #[test]
    fn attentions(sizes in [1..4usize, 1..12, 1..12, 1..6, 1..6], marks in 0..4u8, seed: u64, scale in 0.1..1.0) {
        scores_case(sizes, marks, seed, scale);
    }

    #[test]
    fn embeddings(count in 1..9usize, features in 1..6usize, len in 0..30usize, padding: bool, seed: u64) {
        let mut seed = Seed(seed);
        let rows: Vec<u32> = (0..len).map(|_| (seed.next() % count as u64) as u32).collect();
        let indices = Tensor::from_vec(rows.clone(), len, &Device::Cpu).unwrap();
        let padding = padding.then(|| (seed.next() % count as u64) as usize);
        let table = seed.tensor(&[count, features]);
        let (dy, all) = (crate::common::flat(&crate::naive::cotangent(&[len, features])), crate::common::flat(&table));
        let (mut y, mut dw) = (Vec::new(), vec![0.0; all.len()]);
        for (i, row) in rows.iter().map(|&r| r as usize).enumerate() {
            for j in 0..features {
                y.push(all[row * features + j]);
                dw[row * features + j] += if padding == Some(row) { 0.0 } else { dy[i * features + j] };
            }
        }
        let got = run(&[&table], DType::F64, |v| embedding(&indices, &v[0], padding));
        close("embedding", &got, &[y, dw], 1e-14);
    }

    #[test]
    fn memory_cells(n in 1..5usize, features in 1..6usize, hidden in 1..40usize, seed: u64) {
        let mut seed = Seed(seed);
        let gates = 4 * hidden;
        let shapes: [&[usize]; 7] =
            [&[n, features], &[n, hidden], &[n, hidden], &[gates, features], &[gates, hidden], &[gates], &[gates]];
        let inputs = shapes.map(|shape| (seed.tensor(shape) * 2.0).unwrap());
        let want = run(&inputs.each_ref(), DType::F64, lstm);
        for (dtype, tolerance) in PRECISIONS {
            let got = run(&inputs.each_ref(), dtype, |v| {
                let p = LstmCell { weight_ih: &v[3], weight_hh: &v[4], bias_ih: Some(&v[5]), bias_hh: Some(&v[6]) };
                let (h, c) = lstm_cell(&v[0], &v[1], &v[2], &p)?;
                Tensor::cat(&[h, c], 0)
            });
            close("lstm_cell", &got, &want, tolerance);
        }
    }

    #[test]
    fn rms_norms(rows in 1..100usize, len in 1..70usize, seed: u64) {
        let mut seed = Seed(seed);
        let (x, w) = (seed.tensor(&[rows, len]), seed.tensor(&[len]));
        let want = run(&[&x, &w], DType::F64, |v| {
            let mean = (v[0].sqr()?.sum_keepdim(1)? / len as f64)?;
            v[0].broadcast_div(&(mean + 0.1)?.sqrt()?)?.broadcast_mul(&v[1])
        });
        for (dtype, tolerance) in PRECISIONS {
            let got = run(&[&x, &w], dtype, |v| rms_norm(&v[0], 1, Some(&v[1]), Some(0.1)));
            close("rms_norm", &got, &want, tolerance);
        }
    }
}

/// Several blocks of queries and keys, several parts of a gradient, and more matrices than parts.
#[test]
fn attention_in_blocks() {
    for (seed, sizes) in [[1, 150, 300, 7, 5], [2, 70, 520, 3, 4], [18, 65, 30, 2, 3]].into_iter().enumerate() {
        for marks in 0..4 {
            scores_case(sizes, marks, seed as u64, 0.4);
        }
    }
}

/// More slices than are copied at a time.
#[test]
fn volumes_in_steps() {
    let walk = Walk {
        images: 2,
        groups: 1,
        ci: 6,
        co: 2,
        large: [5, 340, 350],
        small: [5, 340, 350],
        kernel: [3, 1, 1],
        stride: [1; 3],
        padding: [1, 0, 0],
        dilation: [1; 3],
        mode: Pad::Zero,
    };
    let [x, w, b] = tensors(&walk, [6, 2], walk.large, 3);
    let p = Conv3d { padding: walk.padding, ..Conv3d::default() };
    let got = run(&[&x, &w, &b], DType::F64, |v| conv3d(&v[0], &v[1], Some(&v[2]), &p));
    close("conv3d of many slices", &got, &walk.forward(&x, &w, &b), 1e-10);
}
