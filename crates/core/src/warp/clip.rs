//! Areas and clipping of polygons in homogeneous coordinates, where a horizon needs no special case.

/// A half plane: the points p for which the product with it is at least 0.
pub(super) type HalfPlane = [f64; 3];

/// In front of the horizon of a projective map.
pub(super) const FRONT: HalfPlane = [0.0, 0.0, 1.0];

/// The least homogeneous coordinate in front of the horizon.
pub(super) const NEAR: f64 = 1e-9;

/// The four sides of a frame of this width and height.
pub(super) fn frame(size: (usize, usize)) -> [HalfPlane; 4] {
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, size.0 as f64], [0.0, -1.0, size.1 as f64]]
}

fn side(plane: &HalfPlane, p: &[f64; 3]) -> f64 {
    plane.iter().zip(p).map(|(a, b)| a * b).sum::<f64>() - if *plane == FRONT { NEAR } else { 0.0 }
}

/// Cuts a ring with half planes (Sutherland and Hodgman, "Reentrant polygon clipping", 1974).
pub(super) fn clip(mut ring: Vec<[f64; 3]>, planes: &[HalfPlane]) -> Vec<[f64; 3]> {
    for plane in planes {
        if ring.iter().all(|p| side(plane, p) >= 0.0) {
            continue;
        }
        let mut out = Vec::with_capacity(ring.len() + 4);
        let mut before = ring.last().copied().unwrap_or_default();
        for &p in &ring {
            let (a, b) = (side(plane, &before), side(plane, &p));
            if (a < 0.0) != (b < 0.0) {
                let t = a / (a - b);
                out.push([0, 1, 2].map(|i| before[i] + t * (p[i] - before[i])));
            }
            if b >= 0.0 {
                out.push(p);
            }
            before = p;
        }
        ring = out;
    }
    ring
}

/// Points of the plane; all must be in front of the horizon.
pub(super) fn flat(ring: &[[f64; 3]]) -> Vec<[f64; 2]> {
    ring.iter().map(|[x, y, z]| [x / z, y / z]).collect()
}

/// The area inside a ring, by the shoelace formula, whichever way round.
pub(super) fn area(ring: &[[f64; 2]]) -> f64 {
    let Some(&[x0, y0]) = ring.first() else { return 0.0 };
    // Relative to the first point: small rings far from the origin lose nothing.
    let next = ring.iter().skip(1).chain(ring.first());
    let twice: f64 = ring.iter().zip(next).map(|(a, b)| (a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0)).sum();
    0.5 * twice.abs()
}

/// The smallest axis-aligned box around points: x0, y0, x1, y1.
pub(super) fn bounds(points: impl IntoIterator<Item = [f64; 2]>) -> [f64; 4] {
    let empty = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    points.into_iter().fold(empty, |b, [x, y]| [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_diamond_is_a_triangle() {
        let diamond = vec![[0.0, -2.0, 1.0], [2.0, 0.0, 1.0], [0.0, 2.0, 1.0], [-2.0, 0.0, 1.0]];
        assert!((area(&flat(&diamond)) - 8.0).abs() < 1e-12);
        let half = clip(diamond, &[[1.0, 0.0, 0.0]]);
        assert!((area(&flat(&half)) - 4.0).abs() < 1e-12);
        assert_eq!(bounds(flat(&half)), [0.0, -2.0, 2.0, 2.0]);
    }

    #[test]
    fn nothing_is_left_of_a_ring_outside() {
        let ring = vec![[-3.0, 1.0, 1.0], [-1.0, 1.0, 1.0], [-2.0, 4.0, 1.0]];
        assert!(clip(ring, &frame((4, 4))).is_empty());
    }
}
