//! The operations as their formulas read: for each element of the result, the elements of the input it is a sum of.

use pleach_ops::*;

/// One term of one output: `(output, input, weight)`.
pub type Terms = Vec<(usize, usize, f64)>;

/// What a linear operation gives and passes back.
pub fn apply(terms: &Terms, x: &[f64], dy: &[f64]) -> [Vec<f64>; 2] {
    let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
    for &(o, i, weight) in terms {
        y[o] += weight * x[i];
        dx[i] += weight * dy[o];
    }
    [y, dx]
}

/// Every output of `planes` planes from each pair of row and column terms.
pub fn separable(planes: usize, sizes: [[usize; 2]; 2], rows: &Terms, cols: &Terms) -> Terms {
    let [[h, w], [oh, ow]] = sizes;
    let mut terms = vec![];
    for p in 0..planes {
        for &(oy, iy, wy) in rows {
            for &(ox, ix, wx) in cols {
                terms.push(((p * oh + oy) * ow + ox, (p * h + iy) * w + ix, wy * wx));
            }
        }
    }
    terms
}

/// The cubic convolution kernel (Keys 1981).
pub fn keys(a: f64, x: f64) -> f64 {
    let x = x.abs();
    if x <= 1.0 {
        (a + 2.0) * x.powi(3) - (a + 3.0) * x.powi(2) + 1.0
    } else if x < 2.0 {
        a * x.powi(3) - 5.0 * a * x.powi(2) + 8.0 * a * x - 4.0 * a
    } else {
        0.0
    }
}

/// Resizing along one axis: the kernel at the distance of every pixel, even the farthest.
pub fn resize(how: Interpolation, from: usize, to: usize) -> Terms {
    let mut terms = vec![];
    for o in 0..to {
        let quotient = from as f64 / to as f64;
        let (kernel, corners): (Box<dyn Fn(f64) -> f64>, Corners) = match how {
            Interpolation::Nearest => {
                terms.push((o, o * from / to, 1.0));
                continue;
            }
            Interpolation::NearestExact => {
                terms.push((o, (2 * o + 1) * from / (2 * to), 1.0));
                continue;
            }
            Interpolation::Area => {
                let span = o * from / to..((o + 1) * from).div_ceil(to);
                terms.extend(span.clone().map(|i| (o, i, 1.0 / span.len() as f64)));
                continue;
            }
            Interpolation::Bilinear(c) | Interpolation::SmoothBilinear(c) => {
                (Box::new(|x: f64| (1.0 - x.abs()).max(0.0)), c)
            }
            Interpolation::Bicubic(c) => (Box::new(|x| keys(-0.75, x)), c),
            Interpolation::SmoothBicubic(c) => (Box::new(|x| keys(-0.5, x)), c),
        };
        let scale = match corners {
            Corners::Edges => quotient,
            Corners::Centres if to > 1 => (from as f64 - 1.0) / (to as f64 - 1.0),
            Corners::Centres => 0.0,
        };
        let smooth = matches!(how, Interpolation::SmoothBilinear(_) | Interpolation::SmoothBicubic(_));
        if smooth && from == to {
            terms.push((o, o, 1.0));
        } else if smooth {
            let weights: Vec<f64> =
                (0..from).map(|i| kernel((i as f64 + 0.5 - scale * (o as f64 + 0.5)) / scale.max(1.0))).collect();
            let sum: f64 = weights.iter().sum();
            terms.extend(weights.iter().enumerate().map(|(i, w)| (o, i, w / sum)));
        } else {
            let place = match corners {
                Corners::Edges => scale * (o as f64 + 0.5) - 0.5,
                Corners::Centres => scale * o as f64,
            };
            // Beyond the ends the image goes on with its outermost pixels.
            for i in place.floor() as i64 - 2..=place.floor() as i64 + 3 {
                terms.push((o, i.clamp(0, from as i64 - 1) as usize, kernel(i as f64 - place)));
            }
        }
    }
    terms
}

/// Padding along one axis.
pub fn pad(with: Pad, size: usize, before: usize, after: usize) -> Terms {
    let n = size as i64;
    let term = |o: usize| {
        let at = o as i64 - before as i64;
        let from = match with {
            Pad::Zero => (0..n).contains(&at).then_some(at),
            Pad::Replicate => Some(at.clamp(0, n - 1)),
            Pad::Reflect => Some(if at < 0 {
                -at
            } else if at >= n {
                2 * (n - 1) - at
            } else {
                at
            }),
            Pad::Circular => Some(at.rem_euclid(n)),
        };
        from.map(|i| (o, i as usize, 1.0))
    };
    (0..before + size + after).filter_map(term).collect()
}

/// Where `place` on an axis of `size` pixels falls, if `outside` moves it: by walking back from one end to the other.
fn moved(outside: Outside, corners: Corners, mut place: f64, size: usize) -> f64 {
    let last = size as f64 - 1.0;
    let [low, high] = match corners {
        Corners::Centres => [0.0, last],
        Corners::Edges => [-0.5, last + 0.5],
    };
    match outside {
        Outside::Zeros => return place,
        Outside::Border => {}
        Outside::Reflection if low == high => return 0.0,
        Outside::Reflection => {
            while place < low || place > high {
                place = if place < low { 2.0 * low - place } else { 2.0 * high - place };
            }
        }
    }
    place.clamp(0.0, last)
}

/// Sampling at one coordinate of the grid, along one axis.
fn sample(how: Sampling, outside: Outside, corners: Corners, coordinate: f64, size: usize) -> Vec<(usize, f64)> {
    let place = match corners {
        Corners::Centres => (coordinate + 1.0) / 2.0 * (size as f64 - 1.0),
        Corners::Edges => ((coordinate + 1.0) * size as f64 - 1.0) / 2.0,
    };
    let moved = |place| moved(outside, corners, place, size);
    let found: Vec<(f64, f64)> = match how {
        Sampling::Nearest => vec![(moved(place).round_ties_even(), 1.0)],
        Sampling::Bilinear => {
            let place = moved(place);
            let first = place.floor();
            [first, first + 1.0].map(|at| (at, 1.0 - (at - place).abs())).to_vec()
        }
        Sampling::Bicubic => {
            (-1..=2).map(|i| place.floor() + f64::from(i)).map(|at| (moved(at), keys(-0.75, at - place))).collect()
        }
    };
    let on_image = found.into_iter().filter(|(at, _)| *at >= 0.0 && *at < size as f64);
    on_image.map(|(at, weight)| (at as usize, weight)).collect()
}

/// Sampling of `[n, c, h, w]` at `grid`, `[n, places, 2]`.
pub fn samples([n, c, h, w]: [usize; 4], grid: &[f64], (how, outside, corners): (Sampling, Outside, Corners)) -> Terms {
    let places = grid.len() / 2 / n;
    let mut terms = vec![];
    for (at, place) in grid.chunks(2).enumerate() {
        let (image, place_at) = (at / places, at % places);
        for (iy, wy) in sample(how, outside, corners, place[1], h) {
            for &(ix, wx) in &sample(how, outside, corners, place[0], w) {
                for plane in image * c..(image + 1) * c {
                    terms.push((plane * places + place_at, (plane * h + iy) * w + ix, wy * wx));
                }
            }
        }
    }
    terms
}

/// Patches of `planes` planes; also how many there are.
pub fn patches(planes: usize, [h, w]: [usize; 2], p: &Patches) -> (Terms, usize) {
    let steps = |axis: usize, size: usize| {
        (size + 2 * p.padding[axis] - p.dilation[axis] * (p.kernel[axis] - 1) - 1) / p.stride[axis] + 1
    };
    let (rows, cols, [kh, kw]) = (steps(0, h), steps(1, w), p.kernel);
    let mut terms = vec![];
    for o in 0..planes * kh * kw * rows * cols {
        let (place, tap) = (o % (rows * cols), o / (rows * cols) % (kh * kw));
        let y = (place / cols * p.stride[0] + tap / kw * p.dilation[0]).checked_sub(p.padding[0]);
        let x = (place % cols * p.stride[1] + tap % kw * p.dilation[1]).checked_sub(p.padding[1]);
        if let (Some(y), Some(x)) = (y.filter(|&y| y < h), x.filter(|&x| x < w)) {
            terms.push((o, (o / (rows * cols * kh * kw) * h + y) * w + x, 1.0));
        }
    }
    (terms, rows * cols)
}
