//! Convolutions with one input channel a group: plain loops along rows, where matrices would be one line high.

use super::Geometry;
use crate::host::Real;
use pleach_simd::{lanes, par_map, par_rows};

lanes! {
    fn plane<T: Real>(g: &Geometry, x: &[T], w: &[T], y: &mut [T]) {
        let (step, width) = (g.stride[1], g.input[1]);
        for (row, y) in y.chunks_mut(g.output[1]).enumerate() {
            for ([i, j], &w) in g.taps().zip(w) {
                let cols = g.reach(1, j);
                if cols.is_empty() || !g.reach(0, i).contains(&row) {
                    continue;
                }
                let x = &x[g.source(0, i, row) * width + g.source(1, j, cols.start)..];
                let y = &mut y[cols];
                if step == 1 {
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y += w * x;
                    }
                } else {
                    for (y, &x) in y.iter_mut().zip(x.iter().step_by(step)) {
                        *y += w * x;
                    }
                }
            }
        }
    }
}

lanes! {
    fn plane_back<T: Real>(g: &Geometry, dy: &[T], w: &[T], dx: &mut [T]) {
        let (step, width) = (g.stride[1], g.input[1]);
        for (row, dy) in dy.chunks(g.output[1]).enumerate() {
            for ([i, j], &w) in g.taps().zip(w) {
                let cols = g.reach(1, j);
                if cols.is_empty() || !g.reach(0, i).contains(&row) {
                    continue;
                }
                let dx = &mut dx[g.source(0, i, row) * width + g.source(1, j, cols.start)..];
                let dy = &dy[cols];
                if step == 1 {
                    for (dx, &dy) in dx.iter_mut().zip(dy) {
                        *dx += w * dy;
                    }
                } else {
                    for (dx, &dy) in dx.iter_mut().step_by(step).zip(dy) {
                        *dx += w * dy;
                    }
                }
            }
        }
    }
}

lanes! {
    fn plane_weights<T: Real>(g: &Geometry, x: &[T], dy: &[T], dw: &mut [f64]) {
        let (step, width) = (g.stride[1], g.input[1]);
        for ([i, j], dw) in g.taps().zip(dw) {
            let cols = g.reach(1, j);
            if cols.is_empty() {
                continue;
            }
            for row in g.reach(0, i) {
                let x = &x[g.source(0, i, row) * width + g.source(1, j, cols.start)..];
                let dy = &dy[row * g.output[1]..][cols.clone()];
                *dw += if step == 1 {
                    pleach_simd::dot(x, dy)
                } else {
                    let products = x.iter().step_by(step).zip(dy).map(|(&x, &dy)| x * dy);
                    products.fold(T::ZERO, |s, v| s + v).wide()
                };
            }
        }
    }
}

pub(super) fn forward<T: Real>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (area_in, taps, channels) = (g.area_in(), g.area(), g.groups * g.co);
    let mut y = vec![T::ZERO; g.images * channels * g.area_out()];
    par_rows(&mut y, g.area_out(), |r, y| {
        let (image, c) = (r / channels, r % channels);
        if let Some(bias) = bias {
            y.fill(bias[c]);
        }
        let x = &x[(image * g.groups + c / g.co) * area_in..][..area_in];
        plane(g, x, &w[c * taps..][..taps], y);
    });
    y
}

pub(super) fn input_grad<T: Real>(g: &Geometry, dy: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (area_out, taps) = (g.area_out(), g.area());
    let mut dx = vec![T::ZERO; g.images * g.groups * g.area_in()];
    par_rows(&mut dx, g.area_in(), |r, dx| {
        let group = r % g.groups;
        if let Some(bias) = bias {
            dx.fill(bias[group]);
        }
        for c in 0..g.co {
            let dy = &dy[(r * g.co + c) * area_out..][..area_out];
            plane_back(g, dy, &w[(group * g.co + c) * taps..][..taps], dx);
        }
    });
    dx
}

pub(super) fn weight_grad<T: Real>(g: &Geometry, x: &[T], dy: &[T]) -> Vec<T> {
    let (area_in, area_out, channels) = (g.area_in(), g.area_out(), g.groups * g.co);
    let rows = par_map(channels, |c| {
        let mut dw = vec![0.0; g.area()];
        for image in 0..g.images {
            let x = &x[(image * g.groups + c / g.co) * area_in..][..area_in];
            let dy = &dy[(image * channels + c) * area_out..][..area_out];
            plane_weights(g, x, dy, &mut dw);
        }
        dw
    });
    rows.into_iter().flatten().map(T::of).collect()
}
