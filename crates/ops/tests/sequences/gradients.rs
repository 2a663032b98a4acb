//! Every gradient against central differences: plain, strided, and with an input used twice.

use crate::common::{Seed, gradcheck};
use candle_core::{Device, Result, Tensor};
use pleach_ops::*;

/// Checks `f` on inputs of the given shapes as they are, then with its first input transposed, narrowed (an offset into
/// a larger tensor), and used twice.
fn check(what: &str, shapes: &[&[usize]], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let mut seed = Seed(what.len() as u64);
    let inputs: Vec<Tensor> = shapes.iter().map(|s| seed.tensor(s)).collect();
    gradcheck(what, &inputs, &f);

    let with_first = |x: Tensor, rest: &[Tensor]| f(&[&[x], rest].concat());
    let rank = shapes[0].len();
    let mut other = inputs.clone();
    other[0] = inputs[0].transpose(rank - 2, rank - 1).unwrap();
    gradcheck(&format!("{what}, transposed"), &other, |v| with_first(v[0].transpose(rank - 2, rank - 1)?, &v[1..]));
    for dim in 0..rank {
        let mut shape = shapes[0].to_vec();
        shape[dim] += 2;
        other[0] = seed.tensor(&shape);
        gradcheck(&format!("{what}, narrowed along {dim}"), &other, |v| {
            with_first(v[0].narrow(dim, 1, shapes[0][dim])?, &v[1..])
        });
    }
    gradcheck(&format!("{what}, used twice"), &inputs, |v| {
        let beside = v[0].sqr()?.sum_all()?;
        f(v)?.sum_all()? + beside
    });
}

fn attend(v: &[Tensor], p: Attention<'_>) -> Result<Tensor> {
    scaled_dot_product_attention(&v[0], &v[1], &v[2], &p)
}

#[test]
fn attention() {
    let shapes: [&[usize]; 3] = [&[2, 3, 4], &[2, 5, 4], &[2, 5, 2]];
    check("attention", &shapes, |v| attend(v, Attention::default()));
    check("attention, causal", &shapes, |v| attend(v, Attention { is_causal: true, ..Attention::default() }));
    let keep = Tensor::from_slice(&[1u8, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0], (3, 5), &Device::Cpu).unwrap();
    check("attention, masked", &shapes, |v| attend(v, Attention { mask: Some(&keep), ..Attention::default() }));
    let biased: [&[usize]; 4] = [&[2, 2, 3, 4], &[2, 2, 5, 4], &[2, 2, 5, 2], &[2, 3, 5]];
    check("attention, biased", &biased, |v| {
        attend(v, Attention { mask: Some(&v[3]), scale: Some(0.7), ..Attention::default() })
    });
    let rows: [&[usize]; 4] = [&[2, 3, 4], &[5, 4], &[2, 5, 2], &[2, 1, 5]];
    check("attention, biased by key", &rows, |v| attend(v, Attention { mask: Some(&v[3]), ..Attention::default() }));
}

#[test]
fn attention_of_heads_that_lie_side_by_side_and_of_itself() {
    let x = Seed(4).tensor(&[2, 5, 12]);
    gradcheck("self-attention", &[x], |v| {
        let heads = |part: usize| v[0].narrow(2, 4 * part, 4)?.reshape((2, 5, 2, 2))?.transpose(1, 2);
        let y = attend(&[heads(0)?, heads(1)?, heads(2)?], Attention::default())?;
        y.transpose(1, 2)?.flatten_from(2)
    });
    gradcheck("one tensor thrice", &[Seed(5).tensor(&[4, 3])], |v| {
        attend(&[v[0].clone(), v[0].clone(), v[0].clone()], Attention { is_causal: true, ..Attention::default() })
    });
}

#[test]
fn convolutions() {
    let one = Conv1d { stride: 2, padding: 2, dilation: 2, groups: 2, padding_mode: Pad::Zero };
    check("conv1d", &[&[2, 4, 7], &[2, 2, 3], &[2]], |v| conv1d(&v[0], &v[1], Some(&v[2]), &one));
    let edge = Conv1d { padding: 2, padding_mode: Pad::Replicate, ..Conv1d::default() };
    check("conv1d, replicate", &[&[1, 2, 5], &[2, 2, 3]], |v| conv1d(&v[0], &v[1], None, &edge));
    let back = ConvTranspose1d { stride: 2, padding: 1, output_padding: 1, dilation: 1, groups: 2 };
    check("conv_transpose1d", &[&[1, 4, 4], &[4, 1, 3], &[2]], |v| conv_transpose1d(&v[0], &v[1], Some(&v[2]), &back));

    let two = Conv2d { stride: [2, 1], padding: [1, 2], ..Conv2d::default() };
    check("conv2d, replicate", &[&[1, 2, 4, 3], &[2, 2, 3, 2]], |v| {
        conv2d_padded(&v[0], &v[1], None, &two, Pad::Replicate)
    });

    let three = Conv3d { stride: [1, 2, 1], padding: [1, 0, 1], dilation: [1, 1, 2], ..Conv3d::default() };
    check("conv3d", &[&[1, 2, 3, 4, 3], &[2, 2, 2, 2, 2], &[2]], |v| conv3d(&v[0], &v[1], Some(&v[2]), &three));
    let depthwise = Conv3d { padding: [1; 3], groups: 2, padding_mode: Pad::Replicate, ..Conv3d::default() };
    check("conv3d, depthwise", &[&[1, 2, 3, 2, 3], &[2, 1, 3, 3, 2]], |v| conv3d(&v[0], &v[1], None, &depthwise));
    let back = ConvTranspose3d {
        stride: [2, 1, 2],
        padding: [1, 0, 1],
        output_padding: [1, 0, 0],
        ..ConvTranspose3d::default()
    };
    check("conv_transpose3d", &[&[1, 2, 2, 2, 2], &[2, 2, 3, 2, 2], &[2]], |v| {
        conv_transpose3d(&v[0], &v[1], Some(&v[2]), &back)
    });
}

#[test]
fn embeddings() {
    let indices = Tensor::from_slice(&[2i64, 0, 2, 1, 2, 0], (2, 3), &Device::Cpu).unwrap();
    check("embedding", &[&[4, 3]], |v| embedding(&indices, &v[0], None));
}

#[test]
fn memory_cells() {
    let shapes: [&[usize]; 7] = [&[2, 3], &[2, 2], &[2, 2], &[8, 3], &[8, 2], &[8], &[8]];
    let cell = |v: &[Tensor]| {
        let p = LstmCell { weight_ih: &v[3], weight_hh: &v[4], bias_ih: Some(&v[5]), bias_hh: Some(&v[6]) };
        lstm_cell(&v[0], &v[1], &v[2], &p)
    };
    check("lstm_cell, hidden state", &shapes, |v| Ok(cell(v)?.0));
    let inner: [&[usize]; 5] = [&[2, 3], &[2, 2], &[2, 2], &[8, 3], &[8, 2]];
    check("lstm_cell, two steps", &inner, |v| {
        let p = LstmCell { weight_ih: &v[3], weight_hh: &v[4], bias_ih: None, bias_hh: None };
        let (h, c) = lstm_cell(&v[0], &v[1], &v[2], &p)?;
        let (h, c) = lstm_cell(&v[0].sqr()?, &h, &c, &p)?;
        Tensor::cat(&[h, c], 1)
    });
}

#[test]
fn rms_norms() {
    check("rms_norm", &[&[2, 3, 4], &[4]], |v| rms_norm(&v[0], 1, Some(&v[1]), Some(1e-2)));
    check("rms_norm over 2", &[&[2, 3, 4], &[3, 4]], |v| rms_norm(&v[0], 2, Some(&v[1]), Some(1e-2)));
    check("rms_norm, plain", &[&[3, 2]], |v| rms_norm(&v[0], 1, None, Some(1e-2)));
}
