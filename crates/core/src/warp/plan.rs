//! A warp made ready for a row: checked, inverted, and in both conventions of where a pixel lies.

use super::edge::Edge;
use super::field::Field;
use super::matrix::{self, Matrix, apply, mul, shift};
use super::moved::moved;
use super::resample::resample;
use super::sample::Sample;
use super::way::Way;
use super::{Border, Corners, Interpolation, MAX_PIXELS, Warp, make};
use crate::image::{Image, Pixels};
use crate::row::Map;
use crate::{Error, Result};
use pleach_simd::Grid;

pub(super) struct Plan<'w> {
    /// Result to source, pixel centres at whole numbers.
    pub(super) backward: Matrix,
    /// Source to result, pixel corners at whole numbers.
    pub(super) forward: Matrix,
    /// After the matrix, from result to source.
    pub(super) field: Option<&'w Field>,
    pub(super) corners: Corners,
    pub(super) keeps_axes: bool,
    pub(super) size: (usize, usize),
    pub(super) min_visibility: f64,
    pub(super) min_area: f64,
    within: Option<[f64; 4]>,
    border: Border,
    interpolation: Interpolation,
}

impl<'w> Plan<'w> {
    pub(super) fn new(warp: &'w Warp) -> Result<Self> {
        let (w, h) = warp.size;
        if w.checked_mul(h).is_none_or(|n| n == 0 || n > MAX_PIXELS) {
            return Err(Error::new("PL0208", format!("a warp cannot make frames of {w}x{h} pixels")));
        }
        let mut backward = matrix::tidy(warp.matrix);
        // A projective matrix and its negative are the same map; the centre shall be in front.
        if apply(&backward, [0.5 * w as f64, 0.5 * h as f64, 1.0])[2] < 0.0 {
            backward = backward.map(|row| row.map(|x| -x));
        }
        let forward = matrix::inverse(&backward).ok_or_else(make::singular)?;
        let forward = matrix::tidy(mul(&shift(0.5, 0.5), &mul(&forward, &shift(-0.5, -0.5))));
        Ok(Self {
            backward,
            forward,
            field: warp.field.as_deref(),
            corners: warp.corners,
            keeps_axes: warp.field.is_none() && matrix::keeps_axes(&backward),
            size: warp.size,
            min_visibility: f64::from(warp.min_visibility),
            min_area: f64::from(warp.min_area),
            within: warp.within,
            border: warp.border,
            interpolation: warp.interpolation,
        })
    }

    /// A point of the source in the result, corners at whole numbers, homogeneous.
    pub(super) fn forward(&self, x: f64, y: f64) -> [f64; 3] {
        let [x, y] = self.field.map_or([x, y], |f| f.find([x - 0.5, y - 0.5]).map(|v| v + 0.5));
        apply(&self.forward, [x, y, 1.0])
    }

    /// Result to source, for a part of the result that begins at (left, top).
    pub(super) fn way(&self, left: f64, top: f64) -> Way<'w> {
        let matrix = if left == 0.0 && top == 0.0 { self.backward } else { mul(&self.backward, &shift(left, top)) };
        let within = self.within.map(|[x0, y0, x1, y1]| [x0 - left, y0 - top, x1 - left, y1 - top]);
        Way { matrix, field: self.field, within }
    }

    fn edge<T>(&self, constant: impl FnOnce([f32; 4], u16) -> [T; 4]) -> Edge<T> {
        match self.border {
            Border::Constant { fill, map_fill } => Edge::Constant(constant(fill, map_fill)),
            Border::Faded { fill, map_fill } => Edge::Faded(constant(fill, map_fill)),
            Border::Replicate => Edge::Replicate,
            Border::Reflect => Edge::Reflect,
            Border::Reflect101 => Edge::Reflect101,
            Border::Wrap => Edge::Wrap,
        }
    }

    pub(super) fn image(&self, image: &mut Image) {
        let from = (image.width, image.height, image.channels);
        match &mut image.pixels {
            Pixels::U8(v) => self.samples(v, from, 255.0),
            Pixels::U16(v) => self.samples(v, from, 65535.0),
            Pixels::F32(v) => self.samples(v, from, 1.0),
        }
        (image.width, image.height) = self.size;
    }

    fn samples<T: Sample>(&self, data: &mut Vec<T>, from: (usize, usize, usize), white: f32) {
        let edge = self.edge(|fill, _| fill.map(|v| T::of(v * white)));
        self.sampled(data, from, self.interpolation, edge);
    }

    fn sampled<T: Sample>(&self, data: &mut Vec<T>, from: (usize, usize, usize), how: Interpolation, edge: Edge<T>) {
        let way = self.way(0.0, 0.0);
        if !moved(data, from, &way, self.size) {
            let (width, height, channels) = from;
            *data = resample(&Grid { data, width, height, channels }, &way, self.size, how, edge);
        }
    }

    pub(super) fn map(&self, map: &mut Map) {
        let from = (map.width, map.height, 1);
        let edge = self.edge(|_, map_fill| [map_fill; 4]);
        self.sampled(&mut map.classes, from, Interpolation::Nearest, edge);
        if !map.scores.is_empty() {
            self.sampled(&mut map.scores, from, self.interpolation, self.edge(|_, _| [0.0; 4]));
        }
        (map.width, map.height) = self.size;
    }
}
