//! Projective maps by four points.

use pleach_core::Warp;

/// The matrix that takes each of four points to its partner; none where three of them lie on a line.
pub(crate) fn projective(from: [[f64; 2]; 4], to: [[f64; 2]; 4]) -> Option<[[f64; 3]; 3]> {
    // Eight equations for the eight unknowns besides the last, which is 1; eliminated with pivots.
    let mut m = [[0.0; 9]; 8];
    for (i, ([x, y], [u, v])) in from.into_iter().zip(to).enumerate() {
        m[i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
        m[i + 4] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
    }
    for col in 0..8 {
        let pivot = (col..8).max_by(|a, b| m[*a][col].abs().total_cmp(&m[*b][col].abs()))?;
        if m[pivot][col].abs() < 1e-12 {
            return None;
        }
        m.swap(col, pivot);
        let top = m[col].map(|x| x / m[col][col]);
        m[col] = top;
        for (_, row) in m.iter_mut().enumerate().filter(|(i, _)| *i != col) {
            let by = row[col];
            row.iter_mut().zip(&top).for_each(|(x, t)| *x -= by * t);
        }
    }
    let h = m.map(|row| row[8]);
    Some([[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], 1.0]])
}

/// The warp of a matrix from source to result, both in pixels from the centre of the first one.
pub(crate) fn forward(matrix: [[f64; 3]; 3], source: (usize, usize), size: (usize, usize)) -> Option<Warp> {
    let there = Warp { matrix, size: source, ..Warp::identity(source) };
    there.inverse(size).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_points_go_to_their_partners() {
        let from = [[0.0, 0.0], [9.0, 1.0], [8.0, 7.0], [-1.0, 6.0]];
        let to = [[1.0, 2.0], [20.0, 0.0], [18.0, 17.0], [0.0, 12.0]];
        let m = projective(from, to).unwrap();
        for ([x, y], want) in from.into_iter().zip(to) {
            let [u, v, w] = m.map(|[a, b, c]| a * x + b * y + c);
            assert!((u / w - want[0]).abs() < 1e-9 && (v / w - want[1]).abs() < 1e-9);
        }
        assert_eq!(projective([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 3.0]], to), None);
    }
}
