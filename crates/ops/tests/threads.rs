//! The same bits with any number of threads, and nothing that a thread could see of another.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use candle_core::{DType, Result, Tensor, Var};
use common::Seed;
use pleach_ops::*;

/// A network that goes through every kind of kernel, large enough to be split; its output and all gradients.
fn step() -> Result<Vec<u32>> {
    let mut seed = Seed(11);
    let mut var = |shape: &[usize]| Var::from_tensor(&seed.tensor(shape).to_dtype(DType::F32)?);
    let vars = [
        var(&[3, 5, 40, 37])?,
        var(&[24, 5, 3, 3])?,
        var(&[24])?,
        var(&[24])?,
        var(&[24])?,
        var(&[24, 1, 3, 3])?,
        var(&[24, 20, 2, 2])?,
        var(&[40, 20, 3, 3])?,
        var(&[40])?,
        var(&[40])?,
        var(&[11, 40])?,
        var(&[11])?,
    ];
    let [x, w, b, bw, bb, deep, up, wide, gw, gb, head, hb] = vars.each_ref().map(|v| v.as_tensor());
    let same = Conv2d { padding: [1, 1], ..Conv2d::default() };
    let x = conv2d(x, w, Some(b), &same)?;
    let x = batch_norm_train(&x, Some(bw), Some(bb), 1e-5, Then::Relu)?.y;
    let x = conv2d(&x, deep, None, &Conv2d { groups: 24, ..same })?;
    let x = max_pool2d(&x, &Pool2d { kernel: [3, 3], stride: [2, 2], padding: [1, 1], ceil_mode: false })?;
    let x = conv_transpose2d(&silu(&x)?, up, None, &ConvTranspose2d { stride: [2, 2], ..ConvTranspose2d::default() })?;
    let x = upsample_bilinear2d(&x, [50, 45], Corners::Edges)?;
    let x = avg_pool2d(&x, &Pool2d::new(2), CountPadding::Included)?;
    let x = conv2d(&upsample_nearest2d(&x, [30, 31])?, wide, None, &same)?;
    let x = gelu(&group_norm(&x, 8, Some(gw), Some(gb), 1e-5)?)?;
    let x = pad2d(&softmax(&x, 1)?, [1, 1, 1, 1], Pad::Replicate)?;
    let x = adaptive_avg_pool2d(&x, [6, 7])?.permute((0, 2, 3, 1))?;
    let x = linear(&layer_norm(&x, 1, None, None, 1e-5)?, head, Some(hb))?;
    let loss = (log_softmax(&x, 3)? * x.sin()?)?.sum_all()?;
    let grads = loss.backward()?;
    let mut bits = vec![];
    for t in std::iter::once(&x).chain(vars.iter().filter_map(|v| grads.get(v.as_tensor()))) {
        bits.extend(t.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f32::to_bits));
    }
    assert_eq!(vars.iter().filter(|v| grads.get(v.as_tensor()).is_none()).count(), 0);
    Ok(bits)
}

/// A convolution with more windows than tiles: its output and both gradients.
fn deep_step() -> Result<Vec<u32>> {
    let mut seed = Seed(12);
    let mut var = |shape: &[usize]| Var::from_tensor(&seed.tensor(shape).to_dtype(DType::F32)?);
    let (x, w) = (var(&[2, 150, 7, 7])?, var(&[200, 150, 3, 3])?);
    let y = conv2d(&x, &w, None, &Conv2d { padding: [1, 1], ..Conv2d::default() })?;
    let grads = y.sqr()?.sum_all()?.backward()?;
    let mut bits = vec![];
    for t in [Some(&y), grads.get(x.as_tensor()), grads.get(w.as_tensor())].into_iter().flatten() {
        bits.extend(t.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f32::to_bits));
    }
    Ok(bits)
}

#[test]
fn same_bits_with_any_number_of_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| [step().unwrap(), deep_step().unwrap()].concat())
    };
    let one = with(1);
    assert!(one.iter().all(|&b| f32::from_bits(b).is_finite()));
    for threads in [2, 3, 7] {
        assert!(with(threads) == one, "bits differ with {threads} threads");
    }
}

#[test]
fn frozen_inputs_get_no_gradient_and_cut_nothing() {
    let mut seed = Seed(1);
    let x = seed.tensor(&[1, 2, 5, 5]);
    let w = Var::from_tensor(&seed.tensor(&[3, 2, 3, 3])).unwrap();
    let y = conv2d(&x, w.as_tensor(), None, &Conv2d::default()).unwrap();
    let grads = relu(&y).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&x).is_none());
    assert!(grads.get(w.as_tensor()).is_some());
}

#[test]
fn empty_batches_pass() {
    let x = Tensor::zeros((0, 2, 6, 6), DType::F32, &candle_core::Device::Cpu).unwrap();
    let w = Tensor::ones((4, 2, 3, 3), DType::F32, x.device()).unwrap();
    assert_eq!(conv2d(&x, &w, None, &Conv2d::default()).unwrap().dims(), [0, 4, 4, 4]);
    let w = Tensor::ones((2, 3, 3, 3), DType::F32, x.device()).unwrap();
    let y = conv_transpose2d(&x, &w, None, &ConvTranspose2d::default()).unwrap();
    assert_eq!(y.dims(), [0, 3, 8, 8]);
    assert_eq!(max_pool2d(&x, &Pool2d::new(2)).unwrap().dims(), [0, 2, 3, 3]);
    assert_eq!(relu(&x).unwrap().dims(), x.dims());
    assert_eq!(softmax(&x, 1).unwrap().dims(), x.dims());
    let w = Tensor::ones((5, 6), DType::F32, x.device()).unwrap();
    assert_eq!(linear(&x, &w, None).unwrap().dims(), [0, 2, 6, 5]);
}
