//! Bad input, numbers that are none, odd layouts, empty batches, and any number of threads.

use crate::common::{Seed, flat};
use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::*;

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap()
}

fn says<T: std::fmt::Debug>(r: Result<T>, words: &[&str]) {
    let text = r.unwrap_err().to_string();
    for word in words {
        assert!(text.contains(word), "no {word} in: {text}");
    }
}

fn sample(x: &Tensor, grid: &Tensor) -> Result<Tensor> {
    grid_sample(x, grid, Sampling::Bilinear, Outside::Zeros, Corners::Edges)
}

fn linear(x: &Tensor, size: Size) -> Result<Tensor> {
    interpolate(x, size, Interpolation::Bilinear(Corners::Edges))
}

#[test]
fn what_does_not_fit_is_an_error() {
    let (x, grid) = (zeros(&[2, 3, 4, 4]), zeros(&[2, 5, 5, 2]));
    says(sample(&zeros(&[3, 4, 4]), &grid), &["grid_sample", "[3, 4, 4]"]);
    says(sample(&x, &zeros(&[2, 5, 5, 3])), &["grid_sample", "[2, 3, 4, 4]", "[2, 5, 5, 3]"]);
    says(sample(&x, &zeros(&[1, 5, 5, 2])), &["grid_sample", "[2, 3, 4, 4]", "[1, 5, 5, 2]"]);
    says(sample(&zeros(&[2, 3, 0, 4]), &grid), &["grid_sample", "[2, 3, 0, 4]"]);
    says(sample(&x, &grid.to_dtype(DType::F64).unwrap()), &["grid_sample", "F32", "F64"]);

    says(affine_grid(&zeros(&[2, 3, 3]), [2, 2], Corners::Edges), &["affine_grid", "[2, 3, 3]"]);
    says(affine_grid(&zeros(&[2, 2, 3]), [0, 2], Corners::Edges), &["affine_grid", "[0, 2]"]);
    says(affine_grid(&zeros(&[2, 2, 3]), [usize::MAX, 2], Corners::Edges), &["affine_grid", "memory"]);

    says(linear(&zeros(&[3, 4, 4]), Size::To([2, 2])), &["interpolate", "[3, 4, 4]"]);
    says(linear(&zeros(&[1, 3, 0, 4]), Size::To([2, 2])), &["interpolate", "[1, 3, 0, 4]"]);
    says(linear(&x, Size::To([0, 2])), &["interpolate", "[2, 3, 4, 4]", "[0, 2]"]);
    says(linear(&x, Size::By([0.2, 1.0])), &["interpolate", "[0, 4]"]);
    says(linear(&x, Size::To([usize::MAX, usize::MAX])), &["interpolate", "memory"]);
    for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        says(linear(&x, Size::By([1.0, factor])), &["interpolate", "factors"]);
    }
    says(linear(&x, Size::By([1e300, 1e300])), &["interpolate", "memory"]);

    says(adaptive_max_pool2d(&x, [0, 1]), &["adaptive_max_pool2d", "[2, 3, 4, 4]", "[0, 1]"]);
    says(adaptive_max_pool2d(&zeros(&[1, 1, 3, 0]), [1, 1]), &["adaptive_max_pool2d", "[1, 1, 3, 0]"]);
    says(max_pool2d_dilated(&x, &Pool2d::new(3), [2, 2]), &["max_pool2d", "fits"]);
    says(max_pool2d_dilated(&x, &Pool2d::new(2), [0, 1]), &["max_pool2d"]);
    says(max_pool2d_dilated(&x, &Pool2d::new(2), [usize::MAX, 1]), &["max_pool2d"]);

    let p = Patches::new(2);
    says(unfold(&zeros(&[3, 4, 4]), &p), &["unfold", "[3, 4, 4]"]);
    says(unfold(&zeros(&[1, 3, 4, 0]), &p), &["unfold", "[4, 0]"]);
    says(unfold(&x, &Patches::new(5)), &["unfold", "fits"]);
    says(unfold(&x, &Patches { stride: [0, 1], ..p }), &["unfold"]);
    says(unfold(&x, &Patches { padding: [usize::MAX, 1], ..p }), &["unfold"]);
    says(fold(&x, [4, 4], &p), &["fold", "[2, 3, 4, 4]"]);
    says(fold(&zeros(&[2, 5, 9]), [4, 4], &p), &["fold", "[2, 5, 9]", "4"]);
    says(fold(&zeros(&[2, 4, 8]), [4, 4], &p), &["fold", "[2, 4, 8]", "3 * 3"]);
    says(fold(&zeros(&[2, 0, 9]), [4, 4], &p), &["fold", "[2, 0, 9]"]);

    says(pad2d(&x, [4, 0, 0, 0], Pad::Reflect), &["pad2d", "[2, 3, 4, 4]", "Reflect"]);
    says(pad2d(&x, [0, 0, 5, 0], Pad::Circular), &["pad2d", "[0, 0, 5, 0]", "Circular"]);
    says(pad2d(&x, [usize::MAX, 1, 1, 1], Pad::Zero), &["pad2d", "memory"]);
}

#[test]
fn whole_numbers_are_refused_by_name() {
    let whole = zeros(&[1, 1, 4, 4]).to_dtype(DType::I64).unwrap();
    let grid = zeros(&[1, 2, 2, 2]).to_dtype(DType::I64).unwrap();
    says(sample(&whole, &grid), &["grid_sample", "I64"]);
    says(linear(&whole, Size::To([2, 2])), &["interpolate", "I64"]);
    says(unfold(&whole, &Patches::new(2)), &["unfold", "I64"]);
    says(adaptive_max_pool2d(&whole, [2, 2]), &["adaptive_max_pool2d", "I64"]);
}

#[test]
fn a_place_that_is_no_number_gives_nan_and_spoils_nothing_else() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let x = Seed(31).tensor(&[1, 2, 3, 3]);
    let grid =
        Tensor::new(&[[[[nan, 0.0f64], [0.2, nan], [0.1, -0.2], [inf, 0.1], [-inf, 1e30]]]], &Device::Cpu).unwrap();
    for how in [Sampling::Nearest, Sampling::Bilinear, Sampling::Bicubic] {
        for outside in [Outside::Zeros, Outside::Border, Outside::Reflection] {
            let (x, grid) = (Var::from_tensor(&x).unwrap(), Var::from_tensor(&grid).unwrap());
            let y = grid_sample(x.as_tensor(), grid.as_tensor(), how, outside, Corners::Centres).unwrap();
            let grads = y.sum_all().unwrap().backward().unwrap();
            let y = flat(&y);
            assert!(y[0].is_nan() && y[1].is_nan() && y[5].is_nan() && y[6].is_nan(), "{how:?} {outside:?}: {y:?}");
            assert!(y[2].is_finite() && y[7].is_finite(), "{how:?} {outside:?}: {y:?}");
            let dx = flat(grads.get(x.as_tensor()).unwrap());
            assert!(dx.iter().all(|d| d.is_finite()), "{how:?} {outside:?}: {dx:?}");
            let dgrid = flat(grads.get(grid.as_tensor()).unwrap());
            assert!(dgrid[4].is_finite() && dgrid[5].is_finite(), "{how:?} {outside:?}: {dgrid:?}");
            match outside {
                Outside::Zeros => assert_eq!(y[3..5], [0.0, 0.0]),
                Outside::Border => assert!(y[3].is_finite() && y[4].is_finite(), "{how:?}: {y:?}"),
                // Between mirrors, infinitely far is nowhere.
                Outside::Reflection => assert!(y[3].is_nan() && y[4].is_nan(), "{how:?}: {y:?}"),
            }
        }
    }
}

#[test]
fn pixels_that_a_sample_does_not_touch_may_be_anything() {
    let x = Tensor::new(&[[[[f32::NAN, 1.0, 2.0, f32::INFINITY]]]], &Device::Cpu).unwrap();
    let grid = Tensor::new(&[[[[0.0f32, 0.0], [9.0, 9.0]]]], &Device::Cpu).unwrap();
    assert_eq!(flat(&sample(&x, &grid).unwrap()), [1.5, 0.0]);
    let y = flat(&interpolate(&x, Size::To([1, 8]), Interpolation::NearestExact).unwrap());
    assert_eq!(y[2..6], [1.0, 1.0, 2.0, 2.0]);
    assert_eq!(flat(&linear(&x, Size::To([1, 8])).unwrap())[7], f64::INFINITY);
    let y = flat(&interpolate(&x, Size::To([1, 2]), Interpolation::Area).unwrap());
    assert!(y[0].is_nan() && y[1] == f64::INFINITY);
    let y = flat(&adaptive_max_pool2d(&x, [1, 2]).unwrap());
    assert!(y[0].is_nan() && y[1] == f64::INFINITY);
    let y = flat(&pad2d(&x, [1, 1, 0, 0], Pad::Reflect).unwrap());
    assert_eq!((y[0], y[5]), (1.0, 2.0));
}

#[test]
fn broadcast_inputs_are_read_as_what_they_stand_for() {
    let mut seed = Seed(32);
    let (x, grid) = (seed.tensor(&[1, 1, 4, 3]), seed.tensor(&[1, 2, 1, 2]));
    let (wide, places) = (x.broadcast_as((2, 3, 4, 3)).unwrap(), grid.broadcast_as((2, 2, 5, 2)).unwrap());
    let same = |f: &dyn Fn(&Tensor, &Tensor) -> Result<Tensor>| {
        let whole = f(&wide.force_contiguous().unwrap(), &places.force_contiguous().unwrap()).unwrap();
        assert_eq!(flat(&f(&wide, &places).unwrap()), flat(&whole));
    };
    same(&sample);
    same(&|x, _| linear(x, Size::To([5, 2])));
    same(&|x, _| adaptive_max_pool2d(x, [2, 2]));
    same(&|x, _| unfold(x, &Patches::new(2)));
    same(&|x, _| pad2d(x, [1, 2, 1, 2], Pad::Circular));
    same(&|x, _| fold(&x.reshape((2, 36, 1))?.broadcast_as((2, 36, 1))?, [3, 3], &Patches::new(3)));
    same(&|_, grid| {
        affine_grid(
            &grid.narrow(1, 0, 2)?.narrow(2, 0, 3)?.transpose(2, 3)?.reshape((2, 2, 6))?.narrow(2, 1, 3)?,
            [2, 3],
            Corners::Edges,
        )
    });
}

#[test]
fn empty_batches_pass() {
    let x = zeros(&[0, 2, 6, 6]);
    assert_eq!(sample(&x, &zeros(&[0, 3, 4, 2])).unwrap().dims(), [0, 2, 3, 4]);
    assert_eq!(sample(&zeros(&[1, 0, 2, 2]), &zeros(&[1, 3, 4, 2])).unwrap().dims(), [1, 0, 3, 4]);
    assert_eq!(sample(&zeros(&[1, 2, 2, 2]), &zeros(&[1, 3, 0, 2])).unwrap().dims(), [1, 2, 3, 0]);
    assert_eq!(affine_grid(&zeros(&[0, 2, 3]), [3, 4], Corners::Edges).unwrap().dims(), [0, 3, 4, 2]);
    assert_eq!(linear(&x, Size::By([2.0, 0.5])).unwrap().dims(), [0, 2, 12, 3]);
    assert_eq!(adaptive_max_pool2d(&x, [2, 3]).unwrap().dims(), [0, 2, 2, 3]);
    assert_eq!(unfold(&x, &Patches::new(2)).unwrap().dims(), [0, 8, 25]);
    assert_eq!(fold(&zeros(&[0, 8, 25]), [6, 6], &Patches::new(2)).unwrap().dims(), [0, 2, 6, 6]);
    assert_eq!(pad2d(&x, [1, 2, 3, 4], Pad::Circular).unwrap().dims(), [0, 2, 13, 9]);
}

#[test]
fn a_dilated_window_beside_the_image_is_minus_infinity() {
    let x = Var::from_tensor(&Tensor::ones((1, 1, 1, 3), DType::F32, &Device::Cpu).unwrap()).unwrap();
    let p = Pool2d { kernel: [1, 2], stride: [1, 1], padding: [0, 1], ceil_mode: false };
    let y = max_pool2d_dilated(x.as_tensor(), &p, [1, 4]).unwrap();
    assert_eq!(flat(&y), [f64::NEG_INFINITY]);
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(flat(grads.get(x.as_tensor()).unwrap()), [0.0; 3]);
}

/// Results and gradients of operations large enough to be split.
fn bits() -> Result<Vec<u32>> {
    let mut seed = Seed(33);
    let mut var = |shape: &[usize]| Var::from_tensor(&seed.tensor(shape).to_dtype(DType::F32)?);
    let (x, theta) = (var(&[2, 5, 61, 67])?, var(&[2, 2, 3])?);
    let grid = affine_grid(theta.as_tensor(), [90, 80], Corners::Edges)?;
    let mut all = vec![];
    for how in [Sampling::Nearest, Sampling::Bilinear, Sampling::Bicubic] {
        all.push(grid_sample(x.as_tensor(), &grid, how, Outside::Reflection, Corners::Edges)?);
    }
    all.push(interpolate(&all[1], Size::To([140, 130]), Interpolation::Bicubic(Corners::Edges))?);
    all.push(interpolate(&all[3], Size::By([0.3, 0.7]), Interpolation::SmoothBicubic(Corners::Edges))?);
    let p = Patches { stride: [2, 1], padding: [1, 1], ..Patches::new(3) };
    let wide = pad2d(&all[2], [3, 4, 5, 6], Pad::Reflect)?;
    all.push(fold(&unfold(&wide, &p)?, [101, 87], &p)?);
    all.push(adaptive_max_pool2d(&all[5], [9, 7])?);
    let loss =
        all.iter().try_fold(Tensor::zeros((), DType::F32, &Device::Cpu)?, |sum, y| sum + y.sin()?.sum_all()?)?;
    let grads = loss.backward()?;
    all.extend([&x, &theta].into_iter().filter_map(|v| grads.get(v.as_tensor()).cloned()));
    assert_eq!(all.len(), 9);
    let values = all.iter().map(|t| t.flatten_all()?.to_vec1::<f32>()).collect::<Result<Vec<_>>>()?;
    Ok(values.concat().into_iter().map(f32::to_bits).collect())
}

#[test]
fn same_bits_with_any_number_of_threads() {
    let with = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(bits).unwrap();
    let one = with(1);
    assert!(one.iter().all(|&b| f32::from_bits(b).is_finite()));
    for threads in [2, 3, 7] {
        assert!(with(threads) == one, "bits differ with {threads} threads");
    }
}
