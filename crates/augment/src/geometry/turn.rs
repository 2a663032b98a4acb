//! What turning augmentations share: windows within and around a turned frame.

use pleach_core::Warp;

/// The crop of the largest upright window inside a frame that was turned about its centre.
pub(crate) fn inner((width, height): (usize, usize), degrees: f64) -> Warp {
    let (w, h) = (width as f64, height as f64);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (sin, cos) = (sin.abs(), cos.abs());
    let (long, short) = (w.max(h), w.min(h));
    let (inner_w, inner_h) = if short <= 2.0 * sin * cos * long || (sin - cos).abs() < 1e-10 {
        // Two corners of the window touch the longer sides.
        let half = 0.5 * short;
        if w >= h { (half / sin, half / cos) } else { (half / cos, half / sin) }
    } else {
        let cos2 = cos * cos - sin * sin;
        ((w * cos - h * sin) / cos2, (h * cos - w * sin) / cos2)
    };
    let low = |side: f64, inner: f64| (side / 2.0 - inner / 2.0).max(0.0) as usize;
    let high = |side: f64, inner: f64| ((side / 2.0 + inner / 2.0) as usize).min(side as usize);
    let (x0, y0) = (low(w, inner_w), low(h, inner_h));
    let (x1, y1) = (high(w, inner_w).max(x0 + 1), high(h, inner_h).max(y0 + 1));
    Warp::crop(x0 as i64, y0 as i64, (x1 - x0, y1 - y0))
}
