//! All operations, each with sizes to look at closely and sizes that are split over threads.

use crate::common::Seed;
use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::*;

type Run = Box<dyn Fn(&[Tensor]) -> Result<Tensor> + Sync>;

/// An operation with its options.
pub struct Entry {
    /// The function's name, and perhaps options behind a comma.
    pub name: &'static str,
    pub shapes: Vec<Vec<usize>>,
    pub larger: Vec<Vec<usize>>,
    pub run: Run,
    /// How many inputs have the batch as their first dimension.
    pub batched: usize,
    /// Whether it is one operation, rounded once where it is kept in 16 bits.
    pub one_step: bool,
    /// Whether inputs of unlike types are fine, as not all of them are added to another.
    pub mixes: bool,
    /// Whether a NaN reaches no element that numbers in its place do not move: not behind a weight of zero or a
    /// rectifier.
    pub exact: bool,
}

impl Entry {
    /// The function's name.
    pub fn says(&self) -> &'static str {
        self.name.split(',').next().unwrap()
    }

    pub fn small(&self) -> Vec<Tensor> {
        let mut seed = Seed(self.name.len() as u64);
        self.shapes.iter().map(|s| seed.tensor(s)).collect()
    }

    pub fn large(&self) -> Vec<Tensor> {
        let mut seed = Seed(self.name.len() as u64);
        self.larger.iter().map(|s| seed.tensor(s)).collect()
    }

    fn batched(mut self, inputs: usize) -> Self {
        self.batched = inputs;
        self
    }

    fn of_steps(mut self) -> Self {
        (self.one_step, self.mixes) = (false, true);
        self
    }

    fn may_spread(mut self) -> Self {
        self.exact = false;
        self
    }
}

fn op<const N: usize>(
    name: &'static str,
    shapes: [&[usize]; N],
    larger: [&[usize]; N],
    run: impl Fn(&[Tensor]) -> Result<Tensor> + Sync + 'static,
) -> Entry {
    Entry {
        name,
        shapes: shapes.iter().map(|s| s.to_vec()).collect(),
        larger: larger.iter().map(|s| s.to_vec()).collect(),
        run: Box::new(run),
        batched: 1,
        one_step: true,
        mixes: false,
        exact: true,
    }
}

/// What weighs the elements of a result, in its type.
pub fn cotangent(y: &Tensor) -> Tensor {
    Seed(99).tensor(y.dims()).to_dtype(DType::BF16).unwrap().to_dtype(y.dtype()).unwrap()
}

/// The result and the gradients of all inputs, for the cotangent `up` of the result.
pub fn forward_and_back_with(e: &Entry, inputs: &[Tensor], up: &Tensor) -> (Tensor, Vec<Tensor>) {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).unwrap()).collect();
    let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = (e.run)(&args).unwrap_or_else(|error| panic!("{}: {error}", e.name));
    let grads = (&y * up).unwrap().sum_all().unwrap().backward().unwrap();
    let grads =
        vars.iter().map(|v| grads.get(v.as_tensor()).unwrap_or_else(|| panic!("{}: no gradient", e.name)).clone());
    (y.detach(), grads.collect())
}

pub fn forward_and_back(e: &Entry, inputs: &[Tensor]) -> (Tensor, Vec<Tensor>) {
    let y = (e.run)(inputs).unwrap_or_else(|error| panic!("{}: {error}", e.name));
    forward_and_back_with(e, inputs, &cotangent(&y))
}

fn convolutions() -> Vec<Entry> {
    let same = Conv2d { padding: [1, 1], ..Conv2d::default() };
    let thin = Conv2d { groups: 3, stride: [2, 1], ..Conv2d::default() };
    let up = ConvTranspose2d { stride: [2, 2], ..ConvTranspose2d::default() };
    let line = Conv1d { stride: 2, padding: 1, ..Conv1d::default() };
    let up_line = ConvTranspose1d { stride: 2, ..ConvTranspose1d::default() };
    let solid = Conv3d { padding: [1, 0, 1], ..Conv3d::default() };
    let up_solid = ConvTranspose3d { stride: [1, 2, 2], ..ConvTranspose3d::default() };
    vec![
        op("conv2d", [&[2, 2, 4, 3], &[3, 2, 2, 2], &[3]], [&[2, 5, 40, 37], &[24, 5, 3, 3], &[24]], |v| {
            conv2d(&v[0], &v[1], Some(&v[2]), &Conv2d::default())
        }),
        op("conv2d, padded", [&[1, 2, 4, 3], &[3, 2, 3, 3]], [&[2, 5, 40, 37], &[24, 5, 3, 3]], move |v| {
            conv2d(&v[0], &v[1], None, &same)
        })
        .may_spread(),
        op("conv2d, depthwise", [&[1, 3, 4, 3], &[6, 1, 2, 2]], [&[2, 3, 90, 81], &[6, 1, 3, 3]], move |v| {
            conv2d(&v[0], &v[1], None, &thin)
        }),
        op("conv2d, replicated", [&[1, 2, 4, 3], &[3, 2, 3, 3]], [&[2, 5, 40, 37], &[24, 5, 3, 3]], move |v| {
            conv2d_padded(&v[0], &v[1], None, &same, Pad::Replicate)
        })
        .of_steps(),
        op(
            "conv_transpose2d",
            [&[1, 2, 3, 2], &[2, 3, 2, 2], &[3]],
            [&[2, 8, 33, 30], &[8, 12, 3, 3], &[12]],
            move |v| conv_transpose2d(&v[0], &v[1], Some(&v[2]), &up),
        )
        .may_spread(),
        op("conv1d", [&[2, 2, 6], &[3, 2, 3], &[3]], [&[2, 12, 1000], &[20, 12, 3], &[20]], move |v| {
            conv1d(&v[0], &v[1], Some(&v[2]), &line)
        })
        .may_spread(),
        op("conv_transpose1d", [&[2, 2, 4], &[2, 3, 3]], [&[2, 12, 1000], &[12, 9, 3]], move |v| {
            conv_transpose1d(&v[0], &v[1], None, &up_line)
        })
        .may_spread(),
        op(
            "conv3d",
            [&[1, 2, 2, 3, 2], &[2, 2, 2, 2, 2], &[2]],
            [&[2, 3, 6, 22, 24], &[9, 3, 3, 3, 3], &[9]],
            move |v| conv3d(&v[0], &v[1], Some(&v[2]), &solid),
        )
        .may_spread(),
        op(
            "conv_transpose3d",
            [&[1, 2, 2, 2, 2], &[2, 2, 2, 2, 2]],
            [&[2, 6, 4, 12, 14], &[6, 5, 2, 2, 2]],
            move |v| conv_transpose3d(&v[0], &v[1], None, &up_solid),
        )
        .may_spread(),
    ]
}

fn products() -> Vec<Entry> {
    let cell = |v: &[Tensor]| {
        let cell = LstmCell { weight_ih: &v[3], weight_hh: &v[4], bias_ih: Some(&v[5]), bias_hh: Some(&v[6]) };
        let (h, c) = lstm_cell(&v[0], &v[1], &v[2], &cell)?;
        Tensor::cat(&[h, c], 1)
    };
    vec![
        op("linear", [&[2, 3, 4], &[5, 4], &[5]], [&[700, 40], &[60, 40], &[60]], |v| {
            linear(&v[0], &v[1], Some(&v[2]))
        }),
        op("linear_then", [&[2, 3, 4], &[5, 4], &[5]], [&[700, 40], &[60, 40], &[60]], |v| {
            linear_then(&v[0], &v[1], Some(&v[2]), Then::Relu)
        })
        .may_spread(),
        op("matmul", [&[2, 3, 4], &[2, 4, 2]], [&[6, 90, 40], &[6, 40, 50]], |v| matmul(&v[0], &v[1])).batched(2),
        op("matmul, broadcast", [&[2, 1, 3, 4], &[3, 4, 2]], [&[5, 1, 90, 40], &[3, 40, 50]], |v| matmul(&v[0], &v[1])),
        op(
            "scaled_dot_product_attention",
            [&[2, 3, 4], &[2, 5, 4], &[2, 5, 2]],
            [&[3, 200, 32], &[3, 190, 32], &[3, 190, 24]],
            |v| scaled_dot_product_attention(&v[0], &v[1], &v[2], &Attention::default()),
        )
        .batched(3),
        op("self_attention", [&[2, 5, 12]], [&[3, 200, 96]], |v| self_attention(&v[0], 2, Sight::All)),
        op("embedding", [&[5, 3]], [&[70, 33]], |v| {
            let rows: Vec<u32> = (0..900).map(|i| i * i % 70 % v[0].dims()[0].clamp(1, 70) as u32).collect();
            embedding(&Tensor::from_vec(rows, (30, 30), &Device::Cpu)?, &v[0], None)
        })
        .batched(0),
        op(
            "lstm_cell",
            [&[2, 3], &[2, 2], &[2, 2], &[8, 3], &[8, 2], &[8], &[8]],
            [&[600, 28], &[600, 20], &[600, 20], &[80, 28], &[80, 20], &[80], &[80]],
            cell,
        )
        .batched(3)
        .of_steps(),
    ]
}

fn pools() -> Vec<Entry> {
    let over = Pool2d { kernel: [3, 2], stride: [2, 1], padding: [1, 1], ceil_mode: true };
    let line = Pool1d { kernel: 3, stride: 2, padding: 1, ..Pool1d::new(3) };
    let solid = Pool3d { stride: [1, 2, 1], padding: [1, 0, 1], ..Pool3d::new(2) };
    let (small, large): ([&[usize]; 1], [&[usize]; 1]) = ([&[2, 2, 5, 4]], [&[2, 5, 61, 67]]);
    let (small1, large1): ([&[usize]; 1], [&[usize]; 1]) = ([&[2, 2, 7]], [&[2, 9, 5000]]);
    let (small3, large3): ([&[usize]; 1], [&[usize]; 1]) = ([&[2, 2, 3, 4, 3]], [&[2, 5, 9, 31, 27]]);
    vec![
        op("max_pool2d", small, large, move |v| max_pool2d(&v[0], &over)),
        op("max_pool2d, dilated", small, large, |v| max_pool2d_dilated(&v[0], &Pool2d::new(2), [2, 1])),
        op(
            "max_pool2d, with indices",
            small,
            large,
            |v| Ok(max_pool2d_with_indices(&v[0], &Pool2d::new(2), [1, 1])?.0),
        ),
        op("max_unpool2d", [&[2, 2, 2, 3]], [&[2, 5, 61, 67]], |v| {
            let count = v[0].dims().iter().try_fold(1usize, |n, &size| n.checked_mul(size));
            let (Some(n), &[_, _, h, w]) = (count.filter(|&n| n < 1 << 20), v[0].dims()) else {
                return max_unpool2d(&v[0], &v[0], [1, 1]);
            };
            let places: Vec<i64> = (0..n).map(|i| (i % (h * w).max(1) * 3) as i64).collect();
            max_unpool2d(&v[0], &Tensor::from_vec(places, v[0].shape(), &Device::Cpu)?, [3 * h, w])
        }),
        op("avg_pool2d", small, large, move |v| avg_pool2d(&v[0], &over, CountPadding::Excluded)),
        op("adaptive_avg_pool2d", small, large, |v| adaptive_avg_pool2d(&v[0], [3, 2])),
        op("adaptive_max_pool2d", small, large, |v| adaptive_max_pool2d(&v[0], [3, 2])),
        op("max_pool1d", small1, large1, move |v| max_pool1d(&v[0], &line)),
        op("avg_pool1d", small1, large1, move |v| avg_pool1d(&v[0], &line, CountPadding::Included)),
        op("adaptive_avg_pool1d", small1, large1, |v| adaptive_avg_pool1d(&v[0], 3)),
        op("adaptive_max_pool1d", small1, large1, |v| adaptive_max_pool1d(&v[0], 3)),
        op("max_pool3d", small3, large3, move |v| max_pool3d(&v[0], &solid)).of_steps(),
        op("avg_pool3d", small3, large3, move |v| avg_pool3d(&v[0], &solid, CountPadding::Included)).of_steps(),
        op("adaptive_avg_pool3d", small3, large3, |v| adaptive_avg_pool3d(&v[0], [2, 3, 2])).of_steps(),
        op("adaptive_max_pool3d", small3, large3, |v| adaptive_max_pool3d(&v[0], [2, 3, 2])).of_steps(),
    ]
}

fn resizes() -> Vec<Entry> {
    let (small, large): ([&[usize]; 1], [&[usize]; 1]) = ([&[2, 2, 4, 3]], [&[2, 5, 61, 67]]);
    let patches = Patches { stride: [2, 1], padding: [1, 0], ..Patches::new(2) };
    vec![
        op("upsample_nearest2d", small, large, |v| upsample_nearest2d(&v[0], [7, 5])),
        op("upsample_nearest2d, twice", small, large, |v| upsample_nearest2d(&v[0], [8, 6])),
        op("upsample_bilinear2d", small, large, |v| upsample_bilinear2d(&v[0], [70, 50], Corners::Edges)).may_spread(),
        op("interpolate", small, large, |v| {
            interpolate(&v[0], Size::To([7, 5]), Interpolation::Bicubic(Corners::Edges))
        })
        .may_spread(),
        op("interpolate, nearest", small, large, |v| interpolate(&v[0], Size::To([9, 2]), Interpolation::NearestExact)),
        op("interpolate, smooth", small, large, |v| {
            interpolate(&v[0], Size::To([3, 2]), Interpolation::SmoothBilinear(Corners::Edges))
        })
        .may_spread(),
        op("interpolate1d", [&[2, 2, 5]], [&[2, 9, 5000]], |v| {
            interpolate1d(&v[0], 8, Interpolation::Bilinear(Corners::Edges))
        })
        .may_spread(),
        op("interpolate3d", [&[2, 1, 3, 3, 2]], [&[2, 5, 9, 31, 27]], |v| {
            interpolate3d(&v[0], [5, 4, 3], Interpolation::Bilinear(Corners::Centres))
        })
        .of_steps()
        .may_spread(),
        op("grid_sample", [&[2, 2, 4, 3], &[2, 2, 3, 2]], [&[2, 5, 61, 67], &[2, 90, 80, 2]], |v| {
            grid_sample(&v[0], &v[1], Sampling::Bilinear, Outside::Zeros, Corners::Edges)
        })
        .batched(2),
        op("grid_sample, bicubic", [&[2, 2, 4, 3], &[2, 2, 3, 2]], [&[2, 5, 61, 67], &[2, 90, 80, 2]], |v| {
            grid_sample(&v[0], &v[1], Sampling::Bicubic, Outside::Reflection, Corners::Centres)
        })
        .batched(2)
        .may_spread(),
        op("grid_sample3d", [&[2, 2, 2, 3, 2], &[2, 1, 2, 2, 3]], [&[2, 5, 9, 31, 27], &[2, 6, 30, 20, 3]], |v| {
            grid_sample3d(&v[0], &v[1], Sampling::Bilinear, Outside::Zeros, Corners::Edges)
        })
        .batched(2),
        op("affine_grid3d", [&[2, 3, 4]], [&[3, 3, 4]], |v| affine_grid3d(&v[0], [9, 30, 31], Corners::Edges))
            .of_steps()
            .may_spread(),
        op("affine_grid", [&[2, 2, 3]], [&[3, 2, 3]], |v| affine_grid(&v[0], [90, 80], Corners::Edges)).may_spread(),
        op("pad2d", small, large, |v| pad2d(&v[0], [1, 2, 3, 0], Pad::Zero)),
        op("pad2d, reflect", small, large, |v| pad2d(&v[0], [1, 2, 3, 0], Pad::Reflect)),
        op("unfold", small, large, move |v| unfold(&v[0], &patches)),
        op("fold", [&[2, 8, 6]], [&[2, 40, 31 * 66]], move |v| {
            let size = if v[0].dims().last() == Some(&6) { [4, 3] } else { [61, 67] };
            fold(&v[0], size, &patches)
        }),
    ]
}

fn norms() -> Vec<Entry> {
    let (small, large): ([&[usize]; 3], [&[usize]; 3]) =
        ([&[2, 4, 2, 3], &[4], &[4]], [&[3, 12, 40, 37], &[12], &[12]]);
    vec![
        op("batch_norm", small, large, |v| Ok(batch_norm_train(&v[0], Some(&v[1]), Some(&v[2]), 1e-3, Then::Relu)?.y))
            .may_spread()
            .batched(0),
        op("batch_norm, frozen", small, large, |v| {
            let c = v[0].dims().get(1).copied().unwrap_or_default();
            let stat = Tensor::full(0.25f32, 1, &Device::Cpu)?.to_dtype(v[0].dtype())?.broadcast_as(c)?;
            batch_norm(&v[0], &stat, &stat, Some(&v[1]), Some(&v[2]), 1e-3, Then::Identity)
        }),
        op("group_norm", small, large, |v| group_norm(&v[0], 2, Some(&v[1]), Some(&v[2]), 1e-3)),
        op("group_norm, rectified", small, large, |v| {
            group_norm_then(&v[0], 2, Some(&v[1]), Some(&v[2]), 1e-3, Then::Relu)
        })
        .may_spread(),
        op("instance_norm", small, large, |v| instance_norm(&v[0], Some(&v[1]), Some(&v[2]), 1e-3)),
        op("instance_norm, rectified", small, large, |v| {
            instance_norm_then(&v[0], Some(&v[1]), Some(&v[2]), 1e-3, Then::Relu)
        })
        .may_spread(),
        op("layer_norm", [&[3, 5], &[5], &[5]], [&[900, 60], &[60], &[60]], |v| {
            layer_norm(&v[0], 1, Some(&v[1]), Some(&v[2]), 1e-3)
        }),
        op("layer_norm, rectified", [&[3, 5], &[5], &[5]], [&[900, 60], &[60], &[60]], |v| {
            layer_norm_then(&v[0], 1, Some(&v[1]), Some(&v[2]), 1e-3, Then::Relu)
        })
        .may_spread(),
        op("rms_norm", [&[3, 5], &[5]], [&[900, 60], &[60]], |v| rms_norm(&v[0], 1, Some(&v[1]), Some(1e-3))),
    ]
}

fn elementwise() -> Vec<Entry> {
    let (small, large): ([&[usize]; 1], [&[usize]; 1]) = ([&[3, 4]], [&[70, 901]]);
    let mut seed = Seed(4);
    let draws: Vec<f32> = (0..70 * 901).map(|_| seed.uniform() as f32).collect();
    let by_channel = draws.clone();
    vec![
        op("relu", small, large, |v| relu(&v[0])),
        op("gelu", small, large, |v| gelu(&v[0])),
        op("silu", small, large, |v| silu(&v[0])),
        op("sigmoid", small, large, |v| sigmoid(&v[0])),
        op("hardswish", small, large, |v| hardswish(&v[0])),
        op("softmax", small, large, |v| softmax(&v[0], 1)),
        op("softmax, by columns", small, large, |v| softmax(&v[0], 0)).batched(0),
        op("log_softmax", small, large, |v| log_softmax(&v[0], 1)),
        op("log_softmax, by columns", small, large, |v| log_softmax(&v[0], 0)).batched(0),
        op("dropout", small, large, move |v| {
            let mut draws = draws.iter().copied();
            dropout(&v[0], 0.4, || draws.next().unwrap_or_default())
        })
        // Nothing times a NaN, as in PyTorch.
        .may_spread(),
        op("dropout2d", [&[2, 3, 2, 2]], [&[2, 30, 20, 40]], move |v| {
            let mut draws = by_channel.iter().copied();
            dropout2d(&v[0], 0.4, || draws.next().unwrap_or_default())
        })
        .may_spread(),
        op("residual", [&[3, 4], &[3, 4]], [&[70, 901], &[70, 901]], |v| {
            residual::<candle_core::Error>(Then::Relu, || Ok([v[0].clone(), v[1].clone()]))
        })
        .batched(2),
        op("bce_with_logits", [&[3, 4], &[3, 4], &[4]], [&[70, 901], &[70, 901], &[901]], |v| {
            bce_with_logits(&v[0], &v[1], Some(&v[2]))
        })
        .batched(2),
    ]
}

pub fn table() -> Vec<Entry> {
    [convolutions(), products(), pools(), resizes(), norms(), elementwise()].into_iter().flatten().collect()
}

#[test]
fn no_operation_is_missing() {
    // The whole backward pass and what it is made of; passes and variants of operations that are walked.
    let known =
        ["backward", "kept", "zeros", "pieces", "conv2d_input", "conv2d_weight", "conv2d_padded", "batch_norm_train"];
    let variants = ["_dilated", "_with_indices", "_then"];
    let table = table();
    for used in include_str!("../../src/lib.rs").split("pub use ").skip(1) {
        let path = used.split(';').next().unwrap();
        let names = path.rsplit("::").next().unwrap().trim_matches(['{', '}']);
        for name in names.split([',', '{', '}']).map(str::trim).filter(|n| n.starts_with(char::is_lowercase)) {
            let plain = variants.iter().fold(name, |name, v| name.strip_suffix(v).unwrap_or(name));
            assert!(known.contains(&name) || table.iter().any(|e| e.says() == plain), "{name} is not in the table");
        }
    }
}
