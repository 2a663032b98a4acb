//! Maps that no matrix describes: a place in the source for each pixel of a frame.

use super::matrix::{Matrix, apply};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// For each pixel of a frame the place in the source, in pixels from the centre of its first one.
///
/// Between its pixels it is bilinear, and outside its frame it goes on as at the edge. It should not fold: where two
/// pixels have one place, a box or point at that place goes to either.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    width: usize,
    height: usize,
    places: Vec<[f32; 2]>,
    /// The map of which this one is the way back, where it is one: through a matrix, and then through a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    back_from: Option<(Matrix, Arc<Field>)>,
}

/// Steps of the search for the pixel that has a given place.
const STEPS: usize = 24;
/// Pixels per side of the coarse grid where the search begins.
const COARSE: usize = 12;
/// So near to the place the search ends, in pixels.
const NEAR: f64 = 1e-6;
/// Pixels to either side that say where it goes first, over kinks and flat parts.
const WIDE: f64 = 4.0;
/// Cells to either side that are searched one by one where no slope leads on.
const AROUND: i64 = 2;
/// Steps within a cell.
const CELL_STEPS: usize = 12;

/// A point, and how far its place is from the one that is sought.
type Found = ([f64; 2], f64);

impl Field {
    /// The field of a frame of this width and height; `place` gives the x and y of a pixel's place in the source.
    ///
    /// # Errors
    /// The frame has no pixel, or a place is no number.
    pub fn new(size: (usize, usize), mut place: impl FnMut(usize, usize) -> [f64; 2]) -> Result<Self> {
        Self::of_rows(size, |y, row| {
            row.iter_mut().enumerate().for_each(|(x, out)| *out = place(x, y).map(|v| v as f32));
        })
    }

    /// The field of a frame of this width and height; `fill` gives the x and y of the places of the pixels of a row.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_rows(size: (usize, usize), mut fill: impl FnMut(usize, &mut [[f32; 2]])) -> Result<Self> {
        let (width, height) = size;
        let mut places = Vec::with_capacity(width.saturating_mul(height));
        let mut row = vec![[0.0; 2]; width];
        for y in 0..height {
            fill(y, &mut row);
            places.extend_from_slice(&row);
        }
        // All of them, so that it runs in vectors: nearly always there is none.
        let odd = places.iter().flatten().fold(0, |odd, v| odd | u32::from(!v.is_finite()));
        if places.is_empty() || odd > 0 {
            return Err(Error::new("PL0207", "a field of places must have a finite place for each pixel"));
        }
        Ok(Self { width, height, places, back_from: None })
    }

    /// The way back, for frames of this width and height, from where a matrix and then a field lead.
    ///
    /// Between its pixels its places are about those of the way back; points that are sought by their place are led
    /// through the field itself, and are where they were.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn back(size: (usize, usize), matrix: Matrix, inverse: Matrix, field: &Arc<Self>) -> Result<Self> {
        let places = Self::new(size, |x, y| project(&inverse, field.find([x as f64, y as f64])))?;
        Ok(Self { back_from: Some((matrix, field.clone())), ..places })
    }

    /// Width and height of the frame.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn pixel(&self, x: usize, y: usize) -> [f64; 2] {
        let at = y.min(self.height - 1) * self.width + x.min(self.width - 1);
        self.places.get(at).copied().unwrap_or_default().map(f64::from)
    }

    /// The places of a row of pixels.
    pub(super) fn row(&self, y: usize) -> &[[f32; 2]] {
        self.places.get(y * self.width..(y + 1) * self.width).unwrap_or_default()
    }

    /// The place of a point between pixels.
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let inside = |v: f64, n: usize| v.clamp(0.0, n as f64 - 1.0);
        let (cx, cy) = (inside(x, self.width), inside(y, self.height));
        let (col, row) = (cx.floor(), cy.floor());
        let (fx, fy) = (cx - col, cy - row);
        let (col, row) = (col as usize, row as usize);
        let [a, b] = [self.pixel(col, row), self.pixel(col + 1, row)];
        let [c, d] = [self.pixel(col, row + 1), self.pixel(col + 1, row + 1)];
        let mix = |i: usize| {
            let (top, bottom) = (a[i] + (b[i] - a[i]) * fx, c[i] + (d[i] - c[i]) * fx);
            top + (bottom - top) * fy
        };
        let beyond = [x - cx, y - cy];
        [mix(0) + beyond[0], mix(1) + beyond[1]]
    }

    /// The point whose place is the given one, or the one that comes nearest to it.
    pub(super) fn find(&self, place: [f64; 2]) -> [f64; 2] {
        if let Some((matrix, field)) = &self.back_from {
            let [x, y] = project(matrix, place);
            return field.at(x, y);
        }
        let far = |p: [f64; 2]| self.gap(p, place);
        let grid = |i: usize, n: usize| (n as f64 - 1.0) * i as f64 / (COARSE as f64 - 1.0);
        let starts = (0..COARSE * COARSE).map(|i| [grid(i % COARSE, self.width), grid(i / COARSE, self.height)]);
        let best = starts.min_by(|a, b| far(*a).total_cmp(&far(*b))).unwrap_or_default();
        let mut found = self.descended((best, far(best)), place, WIDE);
        for _ in 0..STEPS {
            found = self.descended(found, place, 0.5);
            if found.1 < NEAR {
                break;
            }
            let next = self.in_a_cell_around(found.0, place);
            if next.1 >= found.1 {
                break;
            }
            found = next;
        }
        found.0
    }

    /// From a point and its distance to those whose place comes nearer, by Newton's method, with shorter steps where a whole
    /// one leads away; slopes are those across `reach` pixels to either side.
    fn descended(&self, (mut best, mut left): Found, place: [f64; 2], reach: f64) -> Found {
        for _ in 0..STEPS {
            if left < NEAR {
                break;
            }
            let [x, y] = best;
            let [px, py] = self.at(x, y);
            let (right, left_of) = (self.at(x + reach, y), self.at(x - reach, y));
            let (below, above) = (self.at(x, y + reach), self.at(x, y - reach));
            let [a, c] = [right[0] - left_of[0], right[1] - left_of[1]].map(|d| d / (2.0 * reach));
            let [b, d] = [below[0] - above[0], below[1] - above[1]].map(|d| d / (2.0 * reach));
            let det = a * d - b * c;
            let (dx, dy) = (place[0] - px, place[1] - py);
            let step = if det.abs() < 1e-9 { [dx, dy] } else { [(d * dx - b * dy) / det, (a * dy - c * dx) / det] };
            let tries = [1.0, 0.5, 0.25, 0.125, 0.03].map(|t| [x + t * step[0], y + t * step[1]]);
            let all = tries.into_iter().map(|p| (p, self.gap(p, place)));
            let Some(next) = all.into_iter().find(|(_, gap)| *gap < left) else { break };
            (best, left) = next;
        }
        (best, left)
    }

    /// The point of the cells around another one whose place comes nearest. Where a field is flat, or has a kink, no slope
    /// leads on; within a cell it is smooth.
    fn in_a_cell_around(&self, [x, y]: [f64; 2], place: [f64; 2]) -> Found {
        let cells = |v: f64, n: usize| {
            let (last, at) = (n.saturating_sub(2) as i64, v.floor() as i64);
            (at - AROUND).clamp(0, last)..=(at + AROUND).clamp(0, last)
        };
        let all =
            cells(y, self.height).flat_map(|row| cells(x, self.width).map(move |col| (col as usize, row as usize)));
        all.map(|(col, row)| self.in_cell(col, row, place)).min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
    }

    /// The point of a cell whose place comes nearest to the given one: damped steps of Gauss and Newton (a cell may be flat).
    fn in_cell(&self, col: usize, row: usize, place: [f64; 2]) -> Found {
        let [a, b] = [self.pixel(col, row), self.pixel(col + 1, row)];
        let [c, d] = [self.pixel(col, row + 1), self.pixel(col + 1, row + 1)];
        let sides = [(self.width > 1), (self.height > 1)].map(|wide| if wide { 1.0 } else { 0.0 });
        let (mut u, mut v) = (0.5 * sides[0], 0.5 * sides[1]);
        for _ in 0..CELL_STEPS {
            let at = |i: usize| {
                let (top, bottom) = (a[i] + (b[i] - a[i]) * u, c[i] + (d[i] - c[i]) * u);
                (place[i] - (top + (bottom - top) * v), (b[i] - a[i]) * (1.0 - v) + (d[i] - c[i]) * v, bottom - top)
            };
            let ((rx, xu, xv), (ry, yu, yv)) = (at(0), at(1));
            let (uu, uv, vv) = (xu * xu + yu * yu + 1e-12, xu * xv + yu * yv, xv * xv + yv * yv + 1e-12);
            let (gu, gv) = (xu * rx + yu * ry, xv * rx + yv * ry);
            let det = uu * vv - uv * uv;
            u = (u + (vv * gu - uv * gv) / det).clamp(0.0, sides[0]);
            v = (v + (uu * gv - uv * gu) / det).clamp(0.0, sides[1]);
        }
        let point = [col as f64 + u, row as f64 + v];
        (point, self.gap(point, place))
    }

    /// How far the place of a point is from another one.
    fn gap(&self, [x, y]: [f64; 2], place: [f64; 2]) -> f64 {
        let [x, y] = self.at(x, y);
        ((x - place[0]).powi(2) + (y - place[1]).powi(2)).sqrt()
    }

    /// The field whose places are those of this one, seen through a further map.
    pub(super) fn through(&self, further: impl Fn([f64; 2]) -> [f64; 2]) -> Self {
        let places = self.places.iter().map(|p| further(p.map(f64::from)).map(|v| v as f32));
        Self { places: places.collect(), back_from: None, ..*self }
    }
}

/// A point of the plane through a matrix; far away behind the horizon.
pub(super) fn project(m: &Matrix, [x, y]: [f64; 2]) -> [f64; 2] {
    let [x, y, z] = apply(m, [x, y, 1.0]);
    if z > 1e-9 { [x / z, y / z] } else { [-1e9, -1e9] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave() -> Field {
        let place = |x: usize, y: usize| {
            let (x, y) = (x as f64, y as f64);
            [x + 2.0 * (y / 9.0).sin(), y + 1.5 * (x / 7.0).cos()]
        };
        Field::new((40, 30), place).unwrap()
    }

    #[test]
    fn a_point_is_found_again_by_its_place() {
        let field = wave();
        for (x, y) in [(0.0, 0.0), (12.25, 7.5), (39.0, 29.0), (20.0, 29.5), (-3.0, 4.0)] {
            let [fx, fy] = field.find(field.at(x, y));
            assert!((fx - x).abs() < 1e-3 && (fy - y).abs() < 1e-3, "{x} {y}: {fx} {fy}");
        }
    }

    #[test]
    fn a_point_is_found_beyond_flat_parts_and_kinks() {
        for stripe in [2, 3, 8] {
            // As of a grid that is distorted: each stripe begins where the last one has ended.
            let along = |v: usize| {
                let (n, k) = (v / stripe, v % stripe);
                let end = |n: usize| (0..n).map(|i| stripe as f64 * [0.7, 1.3, 1.0, 0.9][i % 4]).sum::<f64>();
                end(n) + (end(n + 1) - end(n)) * k as f64 / (stripe as f64 - 1.0)
            };
            let field = Field::new((48, 40), |x, y| [along(x), along(y)]).unwrap();
            for i in 0..400 {
                let place = [f64::from(i % 20) * 2.2 + 0.013, f64::from(i / 20) * 1.9 + 0.217];
                let [x, y] = field.find(place);
                let [px, py] = field.at(x, y);
                assert!((px - place[0]).hypot(py - place[1]) < 1e-5, "{stripe} {place:?}: {px} {py}");
            }
        }
    }

    #[test]
    fn the_way_back_of_a_way_back_is_exact_between_pixels_too() {
        let (matrix, inverse) =
            ([[1.0, 0.0, 3.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]], [[1.0, 0.0, -3.0], [0.0, 0.5, 0.0], [0.0, 0.0, 1.0]]);
        // A kink, which no field of places a pixel apart has where it lies.
        let kink = |v: usize| if v < 10 { 0.7 * v as f64 } else { 1.3 * v as f64 - 6.0 };
        let field = Arc::new(Field::new((40, 30), |x, y| [kink(x), kink(y)]).unwrap());
        let back = Field::back((40, 30), matrix, inverse, &field).unwrap();
        for (x, y) in [(3.3, 2.2), (9.6, 10.4), (20.1, 12.7)] {
            let [px, py] = project(&inverse, field.find([x, y]));
            let [bx, by] = back.find([px, py]);
            assert!((bx - x).abs() < 1e-5 && (by - y).abs() < 1e-5, "{x} {y}: {bx} {by}");
            let [ax, ay] = back.at(x, y);
            assert!((ax - px).abs() < 0.5 && (ay - py).abs() < 0.5);
        }
    }

    #[test]
    fn a_field_of_numbers_that_are_none_is_refused() {
        assert!(Field::new((2, 2), |_, _| [f64::NAN, 0.0]).is_err());
        assert!(Field::new((0, 2), |_, _| [0.0, 0.0]).is_err());
    }
}
