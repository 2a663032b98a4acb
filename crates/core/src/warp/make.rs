//! The usual maps by name, and how they are put together.

use super::field::{Field, project};
use super::matrix::{self, IDENTITY, Matrix, apply, mul, shift};
use super::{Border, Corners, Interpolation, Warp};
use crate::{Error, Result};
use std::sync::Arc;

impl Warp {
    fn new(matrix: Matrix, size: (usize, usize)) -> Self {
        Self {
            matrix,
            within: None,
            field: None,
            size,
            border: Border::Constant { fill: [0.0; 4], map_fill: 0 },
            interpolation: Interpolation::Bilinear,
            min_visibility: 0.0,
            min_area: 0.0,
            corners: Corners::LargestBox,
        }
    }

    /// Everything stays where it is, in frames of this width and height.
    pub fn identity(size: (usize, usize)) -> Self {
        Self::new(IDENTITY, size)
    }

    /// Moves everything by (dx, dy) pixels, right and down, in frames of this width and height.
    pub fn translate(size: (usize, usize), dx: f64, dy: f64) -> Self {
        Self::new(shift(-dx, -dy), size)
    }

    /// Stretches frames of the width and height `from` to the width and height `to`.
    ///
    /// The corners of the frame stay its corners (OpenCV's half-pixel rule, PyTorch's
    /// `align_corners=False`), and the edge goes on outside, so that nothing dark creeps in.
    pub fn resize(from: (usize, usize), to: (usize, usize)) -> Self {
        let ratio = |a: usize, b: usize| a as f64 / b as f64;
        Self::stretch(ratio(from.0, to.0), ratio(from.1, to.1), to)
    }

    /// Scales by these factors from the top left corner of a frame; the size is rounded, at least 1.
    pub fn scale(size: (usize, usize), x: f64, y: f64) -> Self {
        let round = |n: usize, by: f64| ((n as f64 * by).round() as usize).max(1);
        Self::stretch(1.0 / x, 1.0 / y, (round(size.0, x), round(size.1, y)))
    }

    fn stretch(x: f64, y: f64, size: (usize, usize)) -> Self {
        let matrix = [[x, 0.0, 0.5 * x - 0.5], [0.0, y, 0.5 * y - 0.5], [0.0, 0.0, 1.0]];
        Self::new(matrix, size).with_border(Border::Replicate)
    }

    /// Mirrors frames of this width and height left to right.
    pub fn hflip(size: (usize, usize)) -> Self {
        Self::new([[-1.0, 0.0, size.0 as f64 - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], size)
    }

    /// Mirrors frames of this width and height top to bottom.
    pub fn vflip(size: (usize, usize)) -> Self {
        Self::new([[1.0, 0.0, 0.0], [0.0, -1.0, size.1 as f64 - 1.0], [0.0, 0.0, 1.0]], size)
    }

    /// Turns frames of this width and height by degrees about their centre, counterclockwise on a
    /// screen (OpenCV's, Albumentations' and torchvision's direction); the size stays.
    ///
    /// Right angles are exact where width and height are both even or both odd.
    pub fn rotate(size: (usize, usize), degrees: f64) -> Self {
        let (sin, cos) = match degrees.rem_euclid(360.0) {
            0.0 => (0.0, 1.0),
            90.0 => (1.0, 0.0),
            180.0 => (0.0, -1.0),
            270.0 => (-1.0, 0.0),
            other => other.to_radians().sin_cos(),
        };
        let (cx, cy) = (0.5 * (size.0 as f64 - 1.0), 0.5 * (size.1 as f64 - 1.0));
        let turn = [[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]];
        Self::new(mul(&shift(cx, cy), &mul(&turn, &shift(-cx, -cy))), size)
    }

    /// Turns frames of this width and height counterclockwise by so many right angles; an odd
    /// number exchanges width and height.
    pub fn turn(size: (usize, usize), quarters: i32) -> Self {
        let (right, bottom) = (size.0 as f64 - 1.0, size.1 as f64 - 1.0);
        let exchanged = (size.1, size.0);
        let last = [0.0, 0.0, 1.0];
        match quarters.rem_euclid(4) {
            1 => Self::new([[0.0, -1.0, right], [1.0, 0.0, 0.0], last], exchanged),
            2 => Self::new([[-1.0, 0.0, right], [0.0, -1.0, bottom], last], size),
            3 => Self::new([[0.0, 1.0, 0.0], [-1.0, 0.0, bottom], last], exchanged),
            _ => Self::identity(size),
        }
    }

    /// Exchanges rows and columns of frames of this width and height.
    pub fn transpose(size: (usize, usize)) -> Self {
        Self::new([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], (size.1, size.0))
    }

    /// Cuts out the width and height `size` from the pixel (x, y) on; what lies outside the frame is border.
    pub fn crop(x: i64, y: i64, size: (usize, usize)) -> Self {
        Self::new(shift(x as f64, y as f64), size)
    }

    /// The map of a field, from frames of whatever size its places lie in to frames of its own size.
    pub fn field(field: Field) -> Self {
        let size = field.size();
        Self { field: Some(Arc::new(field)), ..Self::new(IDENTITY, size) }
    }

    /// The same map with another border.
    #[must_use]
    pub fn with_border(self, border: Border) -> Self {
        Self { border, ..self }
    }

    /// The same map with another interpolation.
    #[must_use]
    pub fn with_interpolation(self, interpolation: Interpolation) -> Self {
        Self { interpolation, ..self }
    }

    /// The same map with another least share, 0 to 1, of an instance that must stay inside.
    #[must_use]
    pub fn with_min_visibility(self, min_visibility: f32) -> Self {
        Self { min_visibility, ..self }
    }

    /// The same map with another least area, in square pixels, of an instance that stays.
    #[must_use]
    pub fn with_min_area(self, min_area: f32) -> Self {
        Self { min_area, ..self }
    }

    /// The same map with another rule for axis boxes.
    #[must_use]
    pub fn with_corners(self, corners: Corners) -> Self {
        Self { corners, ..self }
    }

    /// Whether it leaves every row of frames of this size as it is.
    pub fn is_identity(&self, size: (usize, usize)) -> bool {
        self.field.is_none() && self.size == size && matrix::tidy(self.matrix) == IDENTITY
    }

    /// First this map, then `next`, as one map: pixels are sampled once.
    ///
    /// The border is that of `next` if `next` looks beyond the result of this map, else this one's; the
    /// interpolation that of the map which is no exact copy (`next`'s where both or none are);
    /// `min_visibility` is the larger. What this map cuts off and `next` would show again is seen
    /// again, which it would not be one after the other; but a `next` that keeps the axes and repeats the edge (a
    /// resize) repeats that of this map's result.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let interpolation = match (self.copies(), next.copies()) {
            (false, true) => self.interpolation,
            _ => next.interpolation,
        };
        let (matrix, field) = match (&self.field, &next.field) {
            (of, None) => (mul(&self.matrix, &next.matrix), of.clone()),
            (None, Some(f)) => (next.matrix, Some(Arc::new(f.through(|p| project(&self.matrix, p))))),
            (Some(of), Some(f)) => {
                let further = |p| {
                    let [x, y] = project(&self.matrix, p);
                    of.at(x, y)
                };
                (next.matrix, Some(Arc::new(f.through(further))))
            }
        };
        let strict = if next.corners == Corners::Ellipse { next.corners } else { self.corners };
        Self {
            matrix,
            within: self.bounds_seen_through(next),
            field,
            size: next.size,
            border: if next.looks_beyond(self.size) { next.border } else { self.border },
            interpolation,
            min_visibility: self.min_visibility.max(next.min_visibility),
            min_area: self.min_area.max(next.min_area),
            corners: strict,
        }
    }

    /// Whether both maps, one after the other, do to a row of frames of the size `source` what [`then`](Self::then)
    /// does at once, up to the second rounding of pixels that it saves: `next` shows nothing again that
    /// this one has cut off, and both sample alike.
    pub fn joins(&self, next: &Self, source: (usize, usize)) -> bool {
        let shows_again = next.looks_beyond(self.size) && !(self.border == next.border && self.goes_on(source));
        let spread = |how| matches!(how, Interpolation::Antialias | Interpolation::Area);
        let shrinks = |w: &Self| spread(w.interpolation) && !w.copies();
        let alike = self.interpolation == next.interpolation || self.copies() || next.copies();
        let axes = |w: &Self| w.field.is_none() && matrix::keeps_axes(&matrix::tidy(w.matrix));
        let (a, b) = (shrinks(self), shrinks(next));
        let bounded = self.within.is_none() || axes(next);
        !shows_again && bounded && alike && (!a && !b || axes(self) && axes(next) && !(a && b))
    }

    /// The bounds of this map and of `next` for both as one.
    fn bounds_seen_through(&self, next: &Self) -> Option<[f64; 4]> {
        let m = matrix::tidy(next.matrix);
        if next.field.is_some() || !matrix::keeps_axes(&m) {
            return next.within;
        }
        // A field goes on beyond its frame, and its own edge is no edge of the source.
        let repeats = next.border == Border::Replicate && !next.copies();
        let edge = repeats.then_some([0.0, 0.0, self.size.0 as f64 - 1.0, self.size.1 as f64 - 1.0]);
        let Some(cut) = [edge, self.within].into_iter().flatten().reduce(narrowed) else { return next.within };
        let Some(back) = matrix::inverse(&m) else { return next.within };
        let [a, b] = [[cut[0], cut[1]], [cut[2], cut[3]]].map(|p| project(&back, p));
        let cut = [a[0].min(b[0]), a[1].min(b[1]), a[0].max(b[0]), a[1].max(b[1])];
        Some(next.within.map_or(cut, |within| narrowed(within, cut)))
    }

    /// Whether what lies outside of the result is what the border puts there around the source.
    fn goes_on(&self, source: (usize, usize)) -> bool {
        self.shows_all(source)
            && match self.border {
                Border::Constant { .. } => true,
                // The nearest pixel of a copy's edge is that of the source's, unless there are others around it.
                Border::Replicate => self.copies(),
                // Mirrors stand at the edge of the frame.
                _ => self.copies() && !self.looks_beyond(source),
            }
    }

    /// Whether the whole of the source is within the result.
    fn shows_all(&self, source: (usize, usize)) -> bool {
        self.field.is_none() && self.inverse(source).is_ok_and(|back| !back.looks_beyond(self.size))
    }

    /// The map back, to frames of the width and height from which this one came.
    ///
    /// # Errors
    /// The matrix cannot be inverted.
    pub fn inverse(&self, source: (usize, usize)) -> Result<Self> {
        let matrix = matrix::inverse(&self.matrix).ok_or_else(singular)?;
        let back = Self { matrix, size: source, field: None, within: None, ..self.clone() };
        let Some(field) = &self.field else { return Ok(back) };
        let places = Field::back(source, self.matrix, matrix, field)?;
        Ok(Self { matrix: IDENTITY, field: Some(Arc::new(places)), ..back })
    }

    /// Whether it copies pixels without making any between them.
    pub(super) fn copies(&self) -> bool {
        let m = matrix::tidy(self.matrix);
        self.field.is_none() && matrix::keeps_axes(&m) && m.iter().flatten().all(|x| x.fract() == 0.0) && {
            let unit = if matrix::exchanges_axes(&m) { [m[0][1], m[1][0]] } else { [m[0][0], m[1][1]] };
            unit.iter().all(|x| x.abs() == 1.0)
        }
    }

    pub(super) fn looks_beyond(&self, source: (usize, usize)) -> bool {
        if self.field.is_some() {
            return true;
        }
        let (w, h) = (self.size.0 as f64 - 0.5, self.size.1 as f64 - 0.5);
        let (right, bottom) = (source.0 as f64 - 0.5, source.1 as f64 - 0.5);
        let inside = |x: f64, last: f64| (-0.5 - 1e-9..=last + 1e-9).contains(&x);
        [[-0.5, -0.5], [w, -0.5], [w, h], [-0.5, h]].iter().any(|&[x, y]| {
            let [x, y, z] = apply(&self.matrix, [x, y, 1.0]);
            z <= 0.0 || !inside(x / z, right) || !inside(y / z, bottom)
        })
    }
}

/// Bounds after which further ones hold.
fn narrowed(first: [f64; 4], then: [f64; 4]) -> [f64; 4] {
    let within = |v: f64, axis: usize| v.max(then[axis]).min(then[axis + 2]);
    [within(first[0], 0), within(first[1], 1), within(first[2], 0), within(first[3], 1)]
}

pub(super) fn singular() -> Error {
    Error::new("PL0207", "a warp whose matrix has no inverse cannot move a row")
        .hint("it squeezes the image to a line or a point, or has numbers that are not finite")
}
