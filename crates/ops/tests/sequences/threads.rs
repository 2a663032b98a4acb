//! The same bits with any number of threads.

use crate::common::Seed;
use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::*;

/// Every operation on sizes that are split; outputs and all gradients.
fn step() -> Result<Vec<u32>> {
    let mut seed = Seed(21);
    let mut var = |shape: &[usize]| Var::from_tensor(&seed.tensor(shape).to_dtype(DType::F32)?);
    let vars = [
        var(&[2, 3, 6, 12, 14])?,
        var(&[9, 3, 3, 3, 3])?,
        var(&[9, 1, 3, 3, 3])?,
        var(&[9, 6, 2, 2, 2])?,
        var(&[50, 28])?,
        var(&[2, 1, 300])?,
        var(&[28])?,
        var(&[28, 28, 3])?,
        var(&[80, 28])?,
        var(&[80, 20])?,
        var(&[600, 20])?,
        var(&[600, 20])?,
    ];
    let [x, w, deep, up, table, bias, gain, along, ih, hh, h, c] = vars.each_ref().map(|v| v.as_tensor());
    let same = Conv3d { padding: [1; 3], ..Conv3d::default() };
    let edge = Conv3d { groups: 9, padding_mode: Pad::Replicate, ..same };
    let x = conv3d(&conv3d(x, w, None, &same)?, deep, None, &edge)?;
    let x = conv_transpose3d(&x, up, None, &ConvTranspose3d { stride: [1, 2, 2], ..ConvTranspose3d::default() })?;
    // [2, 6, 7, 24, 28]: 300 positions of 28 features.
    let x = rms_norm(&x.reshape((2, 1008, 28))?.narrow(1, 0, 300)?, 1, Some(gain), Some(1e-5))?;
    let rows: Vec<u32> = (0..600).map(|i| i * i % 50).collect();
    let x = (x + embedding(&Tensor::from_vec(rows, (2, 300), &Device::Cpu)?, table, Some(4))?)?;
    let y = scaled_dot_product_attention(&x, &x, &x, &Attention { mask: Some(bias), ..Attention::default() })?;
    let y = scaled_dot_product_attention(&y, &x, &y, &Attention { is_causal: true, ..Attention::default() })?;
    let y = conv1d(&y.transpose(1, 2)?, along, None, &Conv1d { padding: 1, ..Conv1d::default() })?;
    let y = conv_transpose1d(&y, along, None, &ConvTranspose1d { padding: 1, ..ConvTranspose1d::default() })?;
    let y = y.transpose(1, 2)?.reshape((600, 28))?;
    let cell = LstmCell { weight_ih: ih, weight_hh: hh, bias_ih: None, bias_hh: None };
    let (h, c) = lstm_cell(&y, h, c, &cell)?;
    let loss = (h.sin()? * c)?.sum_all()?;
    let grads = loss.backward()?;
    let mut bits = vec![];
    for t in std::iter::once(&h).chain(vars.iter().map(|v| grads.get(v.as_tensor()).unwrap())) {
        bits.extend(t.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f32::to_bits));
    }
    Ok(bits)
}

#[test]
fn same_bits_with_any_number_of_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(step).unwrap()
    };
    let one = with(1);
    assert!(one.iter().all(|&b| f32::from_bits(b).is_finite()));
    for threads in [2, 3, 7] {
        assert!(with(threads) == one, "bits differ with {threads} threads");
    }
}
