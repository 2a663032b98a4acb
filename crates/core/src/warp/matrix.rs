//! Three by three matrices: just what projective maps of the plane need.

pub(super) type Matrix = [[f64; 3]; 3];

pub(super) const IDENTITY: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Moves points by (dx, dy).
pub(super) fn shift(dx: f64, dy: f64) -> Matrix {
    [[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]]
}

/// `a b`: first b, then a.
pub(super) fn mul(a: &Matrix, b: &Matrix) -> Matrix {
    let [b0, b1, b2] = b;
    a.map(|[x, y, z]| [0, 1, 2].map(|j| x * b0[j] + y * b1[j] + z * b2[j]))
}

/// A homogeneous point, mapped.
pub(super) fn apply(m: &Matrix, [x, y, z]: [f64; 3]) -> [f64; 3] {
    m.map(|[a, b, c]| a * x + b * y + c * z)
}

/// The inverse, by the adjugate: exact for whole numbers of determinant 1 or -1.
pub(super) fn inverse(m: &Matrix) -> Option<Matrix> {
    let [[a, b, c], [d, e, f], [g, h, i]] = *m;
    let adjugate = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ];
    let det = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0];
    let inverse = adjugate.map(|row| row.map(|x| x / det));
    (det != 0.0 && inverse.iter().flatten().all(|x| x.is_finite())).then_some(inverse)
}

/// Whether points at infinity stay there.
pub(super) fn affine(m: &Matrix) -> bool {
    m[2][0] == 0.0 && m[2][1] == 0.0
}

/// Whether rows become rows or columns: the axes are kept or exchanged.
pub(super) fn keeps_axes(m: &Matrix) -> bool {
    affine(m) && ((m[0][1] == 0.0 && m[1][0] == 0.0) || exchanges_axes(m))
}

/// Whether rows become columns.
pub(super) fn exchanges_axes(m: &Matrix) -> bool {
    m[0][0] == 0.0 && m[1][1] == 0.0
}

/// The same map without the dust of rounding: a turn by 30 and one by 60 degrees are a right angle.
pub(super) fn tidy(mut m: Matrix) -> Matrix {
    if affine(&m) && m[2][2] != 0.0 && m[2][2] != 1.0 {
        m = m.map(|row| row.map(|x| x / m[2][2]));
    }
    let near = |x: f64, by: f64| if (x - x.round()).abs() < by { x.round() } else { x };
    if !affine(&m) {
        return m;
    }
    for row in m.iter_mut().take(2) {
        for x in row.iter_mut().take(2) {
            *x = near(*x, 1e-12);
        }
    }
    if keeps_axes(&m) {
        m[0][2] = near(m[0][2], 1e-9);
        m[1][2] = near(m[1][2], 1e-9);
    }
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_does_nothing() {
        let m = [[2.0, 1.0, 5.0], [0.0, 4.0, -3.0], [0.25, 0.0, 1.0]];
        let product = mul(&m, &inverse(&m).unwrap());
        for (row, want) in product.iter().zip(&IDENTITY) {
            assert!(row.iter().zip(want).all(|(x, y)| (x - y).abs() < 1e-14), "{product:?}");
        }
        assert_eq!(inverse(&[[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 1.0]]), None);
        assert_eq!(inverse(&[[f64::NAN; 3]; 3]), None);
    }
}
