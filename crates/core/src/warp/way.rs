//! How pixels of a result find their places in the source.

use super::field::{Field, project};
use super::matrix::{IDENTITY, Matrix, affine, keeps_axes};
use pleach_simd::{FARTHEST, fixed_row, project_row};

/// Through bounds and a matrix, and then through a field.
pub(super) struct Way<'a> {
    pub(super) matrix: Matrix,
    pub(super) field: Option<&'a Field>,
    /// Points of the result are brought within these before: left, top, right, bottom.
    pub(super) within: Option<[f64; 4]>,
}

/// Farther than this no image reaches.
const FAR: f64 = 1e12;

/// The places of a row of pixels, or of all rows and columns, in 65536ths of a pixel.
pub(super) struct Places {
    pub(super) x: Vec<i32>,
    pub(super) y: Vec<i32>,
}

/// A number of pixels in fixed point.
#[inline(always)]
fn fixed(v: f64) -> i32 {
    (v.clamp(-FARTHEST, FARTHEST) * 65536.0 + 0.5).floor() as i32
}

/// The pixel at or before x, and how far x lies beyond it, 0 up to 1; rounding dust is 0.
#[inline(always)]
pub(super) fn split(x: f64) -> (i64, f32) {
    let x = x.clamp(-FAR, FAR);
    let floor = (x + 1e-9).floor();
    let beyond = x - floor;
    (floor as i64, if beyond < 1e-9 { 0.0 } else { beyond as f32 })
}

#[inline(always)]
pub(super) fn nearest(x: f64) -> i64 {
    // Ties go up, whatever rounding did to them.
    (x.clamp(-FAR, FAR) + 0.5 + 1e-9).floor() as i64
}

impl Way<'_> {
    pub(super) fn keeps_axes(&self) -> bool {
        self.field.is_none() && keeps_axes(&self.matrix)
    }

    /// Whether it is a matrix alone, under which x and y are sums.
    pub(super) fn is_straight(&self) -> bool {
        self.field.is_none() && self.matrix[2] == [0.0, 0.0, 1.0]
    }

    /// The bounds of an axis of the result, 0 for x and 1 for y.
    pub(super) fn bounds(&self, axis: usize) -> [f64; 2] {
        self.within.map_or([f64::NEG_INFINITY, f64::INFINITY], |w| [w[axis], w[axis + 2]])
    }

    /// A point of the result within its bounds.
    #[inline(always)]
    pub(super) fn bound(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        self.within.map_or([x, y], |[left, top, right, bottom]| [x.max(left).min(right), y.max(top).min(bottom)])
    }

    pub(super) fn place(&self, x: f64, y: f64) -> [f64; 2] {
        let [x, y] = project(&self.matrix, self.bound([x, y]));
        self.field.map_or([x, y], |f| f.at(x, y))
    }

    /// The places of row `y`.
    pub(super) fn places(&self, y: usize, out: &mut [[f64; 2]]) {
        if self.is_straight() {
            let [across, down, _] = self.matrix;
            let [_, y] = self.bound([0.0, y as f64]);
            straight::<f64>(&[across, down], y, self.bounds(0), out);
            return;
        }
        out.iter_mut().enumerate().for_each(|(x, out)| *out = self.place(x as f64, y as f64));
    }

    /// Whether fixed-point places do not reach all that an affine map shows.
    fn out_of_reach(&self, size: (usize, usize)) -> bool {
        let last = [size.0 as f64 - 1.0, size.1 as f64 - 1.0];
        let corners = [[0.0, 0.0], [last[0], 0.0], [0.0, last[1]], last];
        corners.iter().flat_map(|p| project(&self.matrix, self.bound(*p))).any(|v| v.abs() > FARTHEST)
    }

    /// Places in all columns and all rows under a map that keeps the axes.
    pub(super) fn crossing(&self, size: (usize, usize)) -> Option<Places> {
        if self.out_of_reach(size) {
            return None;
        }
        let [[sx, _, dx], [_, sy, dy], _] = self.matrix;
        let (mut x, mut y) = (vec![0; size.0], vec![0; size.1]);
        fixed_along::<f64>(sx, 0.0, self.bounds(0), &mut x);
        fixed_along::<f64>(sy, dy, self.bounds(1), &mut y);
        let dx = fixed(dx);
        x.iter_mut().for_each(|x| *x = x.wrapping_add(dx));
        Some(Places { x, y })
    }

    /// Places row by row; none where fixed point does not reach them.
    pub(super) fn rows(&self, size: (usize, usize)) -> Option<Rows<'_>> {
        let affine = self.field.is_none() && affine(&self.matrix);
        if affine && self.out_of_reach(size) {
            return None;
        }
        // In rounding, steps from column to column are added to a row's start: no error adds up.
        let step = |by: f64| {
            let mut all = vec![0; size.0];
            fixed_along::<f64>(by, 0.0, self.bounds(0), &mut all);
            all
        };
        let m = &self.matrix;
        let kind = match self.field {
            None if affine => Kind::Affine([step(m[0][0]), step(m[1][0])]),
            None => Kind::Tilted,
            Some(f) if *m == IDENTITY && f.size() == size && self.within.is_none() => Kind::Direct(f),
            Some(_) => Kind::Any,
        };
        Some(Rows { way: self, kind })
    }
}

/// Makes the places of rows.
pub(super) struct Rows<'a> {
    way: &'a Way<'a>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// Steps from column to column.
    Affine([Vec<i32>; 2]),
    /// Projective.
    Tilted,
    /// Those of a field.
    Direct(&'a Field),
    Any,
}

impl Rows<'_> {
    /// The places of row `y`.
    pub(super) fn row(&self, y: usize, at: &mut Places) {
        match &self.kind {
            Kind::Affine([dx, dy]) => {
                let [_, y] = self.way.bound([0.0, y as f64]);
                let [x0, y0] = project(&self.way.matrix, [0.0, y]).map(fixed);
                at.x.iter_mut().zip(dx).for_each(|(x, dx)| *x = x0.wrapping_add(*dx));
                at.y.iter_mut().zip(dy).for_each(|(y, dy)| *y = y0.wrapping_add(*dy));
            }
            Kind::Tilted if self.way.within.is_none() => {
                let m = &self.way.matrix;
                let start = super::matrix::apply(m, [0.0, y as f64, 1.0]);
                project_row::<f64>(start, [m[0][0], m[1][0], m[2][0]], &mut at.x, &mut at.y);
            }
            Kind::Direct(field) => fixed_row::<f32>(field.row(y), &mut at.x, &mut at.y),
            Kind::Tilted | Kind::Any => {
                for (i, (px, py)) in at.x.iter_mut().zip(&mut at.y).enumerate() {
                    [*px, *py] = self.way.place(i as f64, y as f64).map(fixed);
                }
            }
        }
    }
}

pleach_simd::lanes! {
    /// Places `by i + from` along an axis, in fixed point.
    fn fixed_along<T: Copy>(by: f64, from: f64, bounds: [f64; 2], out: &mut [i32]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = fixed(by * f64::from(i as i32).max(bounds[0]).min(bounds[1]) + from);
        }
    }
}

pleach_simd::lanes! {
    /// Places of a row under an affine map, as [`Way::place`] has them.
    fn straight<T: Copy>(rows: &[[f64; 3]; 2], y: f64, bounds: [f64; 2], out: &mut [[f64; 2]]) {
        for (i, out) in out.iter_mut().enumerate() {
            let x = f64::from(i as i32).max(bounds[0]).min(bounds[1]);
            *out = [rows[0][0] * x + rows[0][1] * y + rows[0][2], rows[1][0] * x + rows[1][1] * y + rows[1][2]];
        }
    }
}
