//! Every gradient against central differences: plain, strided, and with an input used twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use candle_core::{Result, Tensor};
use common::{Seed, gradcheck};
use pleach_ops::*;

type Op<'a> = Box<dyn Fn(&[Tensor]) -> Result<Tensor> + 'a>;

/// Checks `f` on inputs of the given shapes as they are, then with its first input transposed, narrowed (an
/// offset into a larger tensor), and used twice: before the operation and beside its output, in both orders.
fn check(what: &str, shapes: &[&[usize]], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let mut seed = Seed(what.len() as u64);
    let inputs: Vec<Tensor> = shapes.iter().map(|s| seed.tensor(s)).collect();
    gradcheck(what, &inputs, &f);

    let with_first = |x: Tensor, rest: &[Tensor]| {
        let mut args = vec![x];
        args.extend_from_slice(rest);
        f(&args)
    };
    let rank = shapes[0].len();
    let mut other = inputs.clone();
    if rank > 1 {
        other[0] = inputs[0].transpose(rank - 2, rank - 1).unwrap();
        gradcheck(&format!("{what}, transposed"), &other, |v| with_first(v[0].transpose(rank - 2, rank - 1)?, &v[1..]));
    }
    for dim in 0..rank {
        let mut shape = shapes[0].to_vec();
        shape[dim] += 2;
        other[0] = seed.tensor(&shape);
        gradcheck(&format!("{what}, narrowed along {dim}"), &other, |v| {
            with_first(v[0].narrow(dim, 1, shapes[0][dim])?, &v[1..])
        });
    }
    // The gradient of x comes from two places, whichever the walk reaches first.
    gradcheck(&format!("{what}, used before"), &inputs, |v| {
        let beside = v[0].sqr()?.sum_all()?;
        f(v)?.sum_all()? + beside
    });
    gradcheck(&format!("{what}, used after"), &inputs, |v| {
        let y = f(v)?.sum_all()?;
        y + v[0].sqr()?.sum_all()?
    });
}

#[test]
fn convolutions() {
    let stride2 = Conv2d { stride: [2, 2], padding: [1, 1], ..Conv2d::default() };
    check("conv2d 8x7 stride 2", &[&[1, 2, 8, 7], &[3, 2, 3, 3], &[3]], |v| {
        conv2d(&v[0], &v[1], Some(&v[2]), &stride2)
    });
    let mixed = Conv2d { stride: [1, 2], padding: [2, 1], dilation: [2, 1], groups: 2 };
    check("conv2d groups, dilation", &[&[2, 4, 5, 4], &[2, 2, 3, 2]], |v| conv2d(&v[0], &v[1], None, &mixed));
    check("conv2d 1x1", &[&[2, 3, 3, 4], &[2, 3, 1, 1], &[2]], |v| {
        conv2d(&v[0], &v[1], Some(&v[2]), &Conv2d::default())
    });
    let depthwise = Conv2d { stride: [2, 1], padding: [1, 1], groups: 3, ..Conv2d::default() };
    check("conv2d depthwise", &[&[1, 3, 5, 4], &[6, 1, 3, 3], &[6]], |v| conv2d(&v[0], &v[1], Some(&v[2]), &depthwise));
    let transposed = ConvTranspose2d {
        stride: [2, 2],
        padding: [1, 0],
        output_padding: [1, 0],
        groups: 2,
        ..ConvTranspose2d::default()
    };
    check("conv_transpose2d", &[&[1, 4, 3, 2], &[4, 2, 3, 2], &[4]], |v| {
        conv_transpose2d(&v[0], &v[1], Some(&v[2]), &transposed)
    });
}

#[test]
fn convolution_weights_may_be_strided_and_shared() {
    let mut seed = Seed(5);
    let inputs = [seed.tensor(&[1, 2, 5, 5]), seed.tensor(&[2, 2, 3, 3])];
    let p = Conv2d { padding: [1, 1], ..Conv2d::default() };
    gradcheck("conv2d, one kernel twice, once transposed", &inputs, |v| {
        let y = conv2d(&v[0], &v[1].transpose(2, 3)?, None, &p)?;
        conv2d(&y, &v[1], None, &p)
    });
}

#[test]
fn linear_maps() {
    check("linear", &[&[3, 4], &[2, 4], &[2]], |v| linear(&v[0], &v[1], Some(&v[2])));
    check("linear 3-D", &[&[2, 3, 4], &[5, 4]], |v| linear(&v[0], &v[1], None));
    check("linear, transposed weights", &[&[2, 4], &[4, 3]], |v| linear(&v[0], &v[1].t()?, None));
}

#[test]
fn pools() {
    let p = Pool2d { kernel: [3, 2], stride: [2, 1], padding: [1, 1], ceil_mode: true };
    check("max_pool2d", &[&[1, 2, 6, 5]], |v| max_pool2d(&v[0], &p));
    check("max_pool2d 2x2", &[&[1, 2, 6, 5]], |v| max_pool2d(&v[0], &Pool2d::new(2)));
    for count in [CountPadding::Included, CountPadding::Excluded] {
        check("avg_pool2d", &[&[1, 2, 6, 5]], |v| avg_pool2d(&v[0], &p, count));
    }
    for size in [[1, 1], [3, 2], [5, 7]] {
        check("adaptive_avg_pool2d", &[&[1, 2, 5, 4]], |v| adaptive_avg_pool2d(&v[0], size));
    }
}

#[test]
fn resizes_and_pads() {
    for size in [[8, 6], [5, 7], [2, 1]] {
        check("upsample_nearest2d", &[&[1, 2, 4, 3]], |v| upsample_nearest2d(&v[0], size));
        for corners in [Corners::Edges, Corners::Centres] {
            check("upsample_bilinear2d", &[&[1, 2, 4, 3]], |v| upsample_bilinear2d(&v[0], size, corners));
        }
    }
    for with in [Pad::Zero, Pad::Replicate] {
        check("pad2d", &[&[1, 2, 3, 2]], |v| pad2d(&v[0], [1, 2, 0, 3], with));
    }
}

#[test]
fn normalisations() {
    for shape in [&[3, 2, 2, 3][..], &[4, 3], &[2, 2, 5]] {
        let c = [shape[1]];
        for then in [Then::Identity, Then::Relu] {
            check("batch_norm_train", &[shape, &c, &c], |v| {
                Ok(batch_norm_train(&v[0], Some(&v[1]), Some(&v[2]), 1e-2, then)?.y)
            });
            let (mean, var) = (Seed(1).tensor(&c), (Seed(2).tensor(&c) + 1.5).unwrap());
            check("batch_norm", &[shape, &c, &c], |v| {
                batch_norm(&v[0], &mean, &var, Some(&v[1]), Some(&v[2]), 1e-2, then)
            });
        }
    }
    check("batch_norm_train, plain", &[&[3, 2, 2, 3]], |v| {
        Ok(batch_norm_train(&v[0], None, None, 1e-2, Then::Identity)?.y)
    });
    check("layer_norm", &[&[2, 3, 4], &[4], &[4]], |v| layer_norm(&v[0], 1, Some(&v[1]), Some(&v[2]), 1e-2));
    check("layer_norm over 2", &[&[2, 3, 4], &[3, 4]], |v| layer_norm(&v[0], 2, Some(&v[1]), None, 1e-2));
    check("group_norm", &[&[2, 4, 2, 3], &[4], &[4]], |v| group_norm(&v[0], 2, Some(&v[1]), Some(&v[2]), 1e-2));
    check("instance_norm", &[&[2, 2, 3, 2], &[2], &[2]], |v| instance_norm(&v[0], Some(&v[1]), Some(&v[2]), 1e-2));
}

#[test]
fn activations() {
    let all: [(&str, Op); 5] = [
        ("relu", Box::new(|v| relu(&v[0]))),
        ("gelu", Box::new(|v| gelu(&v[0]))),
        ("silu", Box::new(|v| silu(&v[0]))),
        ("sigmoid", Box::new(|v| sigmoid(&v[0]))),
        ("hardswish", Box::new(|v| hardswish(&(&v[0] * 4.0)?))),
    ];
    for (name, f) in all {
        check(name, &[&[3, 5]], f);
    }
    for dim in 0..3 {
        check("softmax", &[&[2, 3, 4]], |v| softmax(&v[0], dim));
        check("log_softmax", &[&[2, 3, 4]], |v| log_softmax(&v[0], dim));
    }
}

#[test]
fn dropouts() {
    check("dropout", &[&[3, 4]], |v| {
        let mut seed = Seed(3);
        dropout(&v[0], 0.4, || seed.uniform() as f32)
    });
    check("dropout2d", &[&[2, 4, 2, 2]], |v| {
        let mut seed = Seed(3);
        dropout2d(&v[0], 0.4, || seed.uniform() as f32)
    });
}

#[test]
fn binary_cross_entropy() {
    check("bce_with_logits", &[&[3, 4], &[3, 4]], |v| bce_with_logits(&v[0], &v[1], None));
    check("bce_with_logits, weighed", &[&[3, 4], &[3, 4], &[4]], |v| {
        bce_with_logits(&(&v[0] * 5.0)?, &v[1], Some(&v[2]))
    });
    check("bce_with_logits, weighed by channel", &[&[2, 2, 3], &[2, 2, 3], &[2, 1]], |v| {
        bce_with_logits(&v[0], &v[1], Some(&v[2]))
    });
}

/// Not ours: that what we use of candle as it is deserves the trust.
#[test]
fn of_candle() {
    for dim in 0..3 {
        check("cat", &[&[2, 3, 2], &[2, 3, 2]], |v| {
            Tensor::cat(&[&v[0], &v[1].sqr()?, &v[0].transpose(0, 2)?.transpose(0, 2)?], dim)
        });
    }
    check("matmul", &[&[2, 3, 4], &[2, 4, 2]], |v| v[0].contiguous()?.matmul(&v[1]));
    check("broadcast_add", &[&[2, 3, 4], &[3, 1]], |v| v[0].broadcast_mul(&v[1]));
}
