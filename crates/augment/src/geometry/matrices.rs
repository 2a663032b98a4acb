//! Maps from source to result that augmentations put together of scales, angles and slants.

use pleach_core::Warp;

/// The map that takes points p of a frame of this size to `m (p - about) + about + by`, in pixels from the centre of the
/// first one; the size stays.
pub(crate) fn linear(size: (usize, usize), m: [[f64; 2]; 2], about: [f64; 2], by: [f64; 2]) -> Warp {
    let [[a, b], [c, d]] = m;
    let det = a * d - b * c;
    // The way back: p = m^-1 (q - about - by) + about.
    let back = [[d / det, -b / det], [-c / det, a / det]];
    let from = [about[0] + by[0], about[1] + by[1]];
    let mut warp = Warp::identity(size);
    for (i, row) in back.iter().enumerate() {
        let shift = about[i] - row[0] * from[0] - row[1] * from[1];
        warp.matrix[i] = [row[0], row[1], shift];
    }
    warp
}

/// The centre of a frame, in pixels from the centre of the first one.
pub(crate) fn middle(size: (usize, usize)) -> [f64; 2] {
    [0.5 * (size.0 as f64 - 1.0), 0.5 * (size.1 as f64 - 1.0)]
}

/// The same map with a frame that holds the whole source.
pub(crate) fn fit(warp: &Warp, source: (usize, usize)) -> Warp {
    let Ok(back) = warp.inverse(source) else { return warp.clone() };
    let (w, h) = (source.0 as f64, source.1 as f64);
    let corners = [[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]].map(|[x, y]| {
        let [u, v, z] = back.matrix.map(|[a, b, c]| a * x + b * y + c);
        [u / z, v / z]
    });
    let low = |i: usize| corners.iter().map(|p| p[i]).fold(f64::INFINITY, f64::min);
    let high = |i: usize| corners.iter().map(|p| p[i]).fold(f64::NEG_INFINITY, f64::max);
    // Without the dust of rounding a frame that fits exactly gets no empty row.
    let side = |i: usize| ((high(i) - low(i) - 1e-9).ceil().max(1.0)) as usize;
    let size = (side(0), side(1));
    let shift = |i: usize, n: usize| 0.5 * (low(i) + high(i)) - 0.5 * (n as f64 - 1.0);
    warp.then(&Warp { size, ..Warp::translate(size, -shift(0, size.0), -shift(1, size.1)) }.with_border(warp.border))
}

/// The angle, the slants and the scales of an affine augmentation as a matrix: first scaled, then turned
/// counterclockwise, then slanted.
pub(crate) fn turned(degrees: f64, scale: [f64; 2], shear: [f64; 2]) -> [[f64; 2]; 2] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (tx, ty) = (shear[0].to_radians().tan(), shear[1].to_radians().tan());
    let turn = [[cos * scale[0], sin * scale[1]], [-sin * scale[0], cos * scale[1]]];
    [
        [turn[0][0] + tx * turn[1][0], turn[0][1] + tx * turn[1][1]],
        [ty * turn[0][0] + turn[1][0], ty * turn[0][1] + turn[1][1]],
    ]
}
