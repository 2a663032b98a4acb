//! Gradients against central differences: plain, strided, and with an input used twice.

use crate::common::{Seed, gradcheck};
use candle_core::{Result, Tensor};
use pleach_ops::*;

/// Checks `f` of `inputs` as they are, then with the first one transposed in memory, cut out of a larger one, and used
/// a second time beside the result.
fn check(what: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    gradcheck(what, inputs, &f);
    let with_first = |x: Tensor, rest: &[Tensor]| f(&[&[x], rest].concat());
    let rank = inputs[0].rank();
    let mut other = inputs.to_vec();
    other[0] = inputs[0].transpose(rank - 2, rank - 1).unwrap().contiguous().unwrap();
    gradcheck(&format!("{what}, transposed"), &other, |v| with_first(v[0].transpose(rank - 2, rank - 1)?, &v[1..]));
    other[0] = inputs[0].pad_with_zeros(rank - 1, 1, 1).unwrap();
    let width = inputs[0].dim(rank - 1).unwrap();
    gradcheck(&format!("{what}, narrowed"), &other, |v| with_first(v[0].narrow(rank - 1, 1, width)?, &v[1..]));
    gradcheck(&format!("{what}, used twice"), inputs, |v| f(v)?.sum_all()? + v[0].sqr()?.sum_all()?);
}

#[test]
fn of_samples() {
    let mut seed = Seed(21);
    let x = seed.tensor(&[2, 2, 4, 3]);
    // Inside and out; random, hence nowhere near the kinks.
    let grid = (seed.tensor(&[2, 3, 2, 2]) * 1.7).unwrap();
    for how in [Sampling::Bilinear, Sampling::Bicubic, Sampling::Nearest] {
        for outside in [Outside::Zeros, Outside::Border, Outside::Reflection] {
            for corners in [Corners::Edges, Corners::Centres] {
                let what = format!("grid_sample {how:?} {outside:?} {corners:?}");
                let inputs = [x.clone(), grid.clone()];
                check(&what, &inputs, |v| grid_sample(&v[0], &v[1], how, outside, corners));
                let grid = [grid.clone()];
                check(&format!("{what}, the grid alone"), &grid, |v| grid_sample(&x, &v[0], how, outside, corners));
            }
        }
    }
}

#[test]
fn of_affine_grids() {
    let theta = [Seed(22).tensor(&[2, 2, 3])];
    for corners in [Corners::Edges, Corners::Centres] {
        for size in [[3, 4], [1, 1]] {
            check("affine_grid", &theta, |v| affine_grid(&v[0], size, corners));
        }
    }
    let x = [Seed(23).tensor(&[1, 2, 4, 4])];
    let theta = Tensor::new(&[[[0.8f64, 0.3, 0.1], [-0.2, 0.9, -0.3]]], x[0].device()).unwrap();
    check("a spatial transformer", &[theta, x[0].clone()], |v| {
        let grid = affine_grid(&v[0], [3, 5], Corners::Edges)?;
        grid_sample(&v[1], &grid, Sampling::Bilinear, Outside::Zeros, Corners::Edges)
    });
}

#[test]
fn of_resizes() {
    use Interpolation::*;
    let x = [Seed(24).tensor(&[1, 2, 5, 4])];
    let mut all = vec![Nearest, NearestExact, Area];
    for corners in [Corners::Edges, Corners::Centres] {
        all.extend([Bilinear(corners), Bicubic(corners), SmoothBilinear(corners), SmoothBicubic(corners)]);
    }
    for how in all {
        for size in [Size::To([8, 3]), Size::To([2, 1]), Size::By([0.7, 1.9])] {
            check(&format!("interpolate {how:?} {size:?}"), &x, |v| interpolate(&v[0], size, how));
        }
    }
}

#[test]
fn of_windows() {
    let x = [Seed(25).tensor(&[1, 2, 6, 5])];
    for size in [[1, 1], [3, 2], [7, 8]] {
        check("adaptive_max_pool2d", &x, |v| adaptive_max_pool2d(&v[0], size));
    }
    let p = Pool2d { kernel: [2, 3], stride: [2, 1], padding: [1, 1], ceil_mode: true };
    check("max_pool2d_dilated", &x, |v| max_pool2d_dilated(&v[0], &p, [3, 2]));
    let seven = CountPadding::Divisor(std::num::NonZeroUsize::new(7).unwrap());
    check("avg_pool2d", &x, |v| avg_pool2d(&v[0], &p, seven));
    let p = Patches { kernel: [3, 2], stride: [2, 1], padding: [1, 2], dilation: [1, 2] };
    check("unfold", &x, |v| unfold(&v[0], &p));
    let patches = [Seed(26).tensor(&[2, 12, 21])];
    check("fold", &patches, |v| fold(&v[0], [6, 5], &p));
}

#[test]
fn of_pads() {
    let x = [Seed(27).tensor(&[1, 2, 3, 4])];
    for with in [Pad::Zero, Pad::Replicate, Pad::Reflect, Pad::Circular] {
        check(&format!("pad2d {with:?}"), &x, |v| pad2d(&v[0], [3, 2, 0, 2], with));
    }
}
