//! Moves instances: every part of one, or none of it.

use super::clip::{self, FRONT, NEAR, area, bounds, flat};
use super::edge::Edge;
use super::matrix::{affine, apply, exchanges_axes};
use super::plan::Plan;
use super::resample::resample;
use super::{Corners, Interpolation, UPRIGHT};
use crate::row::{Instance, Mask, NamedPoint, Polygon, RotBox};
use pleach_simd::Grid;

/// The pixels of an instance: those of its mask, or the area of its polygon or of its box.
pub(crate) fn extent(i: &Instance) -> Option<f64> {
    let mask = i.mask.as_ref().map(|m| m.inside.iter().filter(|&&p| p != 0).count() as f64);
    let ring = |ring: &Vec<[f32; 2]>| area(&ring.iter().map(|p| p.map(f64::from)).collect::<Vec<_>>());
    let polygon = || i.polygon.as_ref().map(|p| p.0.iter().map(ring).sum());
    mask.or_else(polygon).or_else(|| i.bbox.map(|b| f64::from(b.w) * f64::from(b.h)))
}

/// A part of an instance after a move, and the share of it that is inside the frame.
type Moved<T> = Option<(T, f64)>;

impl Plan<'_> {
    /// The instance after the move; `None` where it is dropped.
    pub(super) fn instance(&self, mut i: Instance) -> Option<Instance> {
        // The first part that there is says how much is inside; every part says whether anything is.
        let mut share = None;
        let mut tight = None;
        if let Some(mask) = &mut i.mask {
            let (moved, inside) = self.mask(mask)?;
            tight = bounds_of_mask(&moved).map(|b| b.map(|x| x as f64));
            *mask = moved;
            share.get_or_insert(inside);
        }
        if let Some(polygon) = &mut i.polygon {
            let (moved, inside) = self.polygon(polygon)?;
            tight = tight.or_else(|| Some(bounds(moved.0.iter().flatten().map(|p| p.map(f64::from)))));
            *polygon = moved;
            share.get_or_insert(inside);
        }
        if let Some(b) = &mut i.bbox {
            let cut = !self.keeps_axes || share.is_some_and(|s| s < 1.0);
            let (moved, inside) = match tight {
                Some(around) if cut && b.angle == 0.0 => (from_bounds(around)?, 1.0),
                _ => self.bbox(b)?,
            };
            *b = moved;
            share.get_or_insert(inside);
        }
        let inside = self.points(&mut i.points);
        let share = share.or(inside).unwrap_or(1.0);
        i.area = i.area.and_then(|area| Some((f64::from(area) * self.magnification()? * share) as f32));
        let nothing = inside == Some(0.0) && i.mask.is_none() && i.polygon.is_none() && i.bbox.is_none();
        let small = self.min_area > 0.0 && extent(&i).is_some_and(|area| area < self.min_area);
        (!nothing && !small && share >= self.min_visibility).then_some(i)
    }

    /// Where a point with corner coordinates goes, or `None` behind the horizon.
    fn point(&self, x: f32, y: f32) -> Option<[f64; 2]> {
        let [x, y, z] = self.forward(f64::from(x), f64::from(y));
        (z >= NEAR).then_some([x / z, y / z])
    }

    /// By what areas grow; `None` for a projective map, under which it depends on the place.
    fn magnification(&self) -> Option<f64> {
        let [[a, b, _], [c, d, _], [_, _, w]] = self.forward;
        (self.field.is_none() && affine(&self.forward)).then(|| ((a * d - b * c) / (w * w)).abs())
    }

    fn contains(&self, [x, y]: [f64; 2]) -> bool {
        (0.0..=self.size.0 as f64).contains(&x) && (0.0..=self.size.1 as f64).contains(&y)
    }

    fn mask(&self, mask: &Mask) -> Moved<Mask> {
        let (w, h) = self.size;
        let [x0, y0, x1, y1] = bounds_of_mask(mask)?;
        // Only where the moved pixels can be is there anything to sample.
        let [left, top, right, bottom] = [x0, y0, x1, y1].map(|x| x as f64);
        let ring = [[left, top], [right, top], [right, bottom], [left, bottom]];
        let ring = clip::clip(ring.map(|[x, y]| self.forward(x, y)).to_vec(), &[FRONT]);
        let [left, top, right, bottom] = bounds(flat(&ring));
        let whole = left >= 0.0 && top >= 0.0 && right <= w as f64 && bottom <= h as f64;
        let low = |x: f64, n: usize| ((x - 1.0).floor().max(0.0) as usize).min(n);
        let high = |x: f64, n: usize| ((x + 1.0).ceil().max(0.0) as usize).min(n);
        let (left, top, right, bottom) = (low(left, w), low(top, h), high(right, w), high(bottom, h));
        // A field may carry the middle of a mask farther out than its corners.
        let (left, top, right, bottom) = if self.field.is_some() { (0, 0, w, h) } else { (left, top, right, bottom) };
        if left >= right || top >= bottom {
            return None;
        }
        let part = (right - left, bottom - top);
        let grid = Grid { data: &mask.inside, width: mask.width, height: mask.height, channels: 1 };
        let way = self.way(left as f64, top as f64);
        let pixels = resample(&grid, &way, part, Interpolation::Nearest, Edge::Constant([0; 4]));
        if pixels.iter().all(|&p| p == 0) {
            return None;
        }
        let mut inside = vec![0; w * h];
        for (to, from) in inside.chunks_exact_mut(w).skip(top).zip(pixels.chunks_exact(part.0)) {
            to[left..right].copy_from_slice(from);
        }
        let share = if whole && self.field.is_none() { 1.0 } else { self.share_of_mask(mask, [x0, y0, x1, y1]) };
        Some((Mask { width: w, height: h, inside }, share))
    }

    /// The share of a mask's pixels whose centres land in the frame.
    fn share_of_mask(&self, mask: &Mask, [x0, y0, x1, y1]: [usize; 4]) -> f64 {
        let (mut all, mut inside) = (0_u64, 0_u64);
        for (y, row) in mask.inside.chunks_exact(mask.width).enumerate().take(y1).skip(y0) {
            for (x, _) in row.iter().enumerate().take(x1).skip(x0).filter(|(_, p)| **p != 0) {
                all += 1;
                let [x, y, z] = self.forward(x as f64 + 0.5, y as f64 + 0.5);
                inside += u64::from(z >= NEAR && self.contains([x / z, y / z]));
            }
        }
        inside as f64 / all.max(1) as f64
    }

    fn polygon(&self, polygon: &Polygon) -> Moved<Polygon> {
        let (mut rings, mut all, mut inside, mut cut) = (Vec::new(), 0.0, 0.0, false);
        for ring in &polygon.0 {
            let moved = ring.iter().map(|&[x, y]| self.forward(f64::from(x), f64::from(y))).collect::<Vec<_>>();
            let front = clip::clip(moved, &[FRONT]);
            let whole = area(&flat(&front));
            let clipped = clip::clip(front.clone(), &clip::frame(self.size));
            let (kept, left) = (flat(&clipped), if clipped == front { whole } else { area(&flat(&clipped)) });
            cut |= clipped != front;
            all += whole;
            inside += left;
            // A ring that is whole stays as it is, be it a line; of one that is cut, some area must be left.
            if !kept.is_empty() && (clipped == front || left > 0.0) {
                rings.push(kept.into_iter().map(|p| p.map(|x| x as f32)).collect());
            }
        }
        let share = if cut && all > 0.0 { inside / all } else { 1.0 };
        (!rings.is_empty()).then_some((Polygon(rings), share))
    }

    fn bbox(&self, b: &RotBox) -> Moved<RotBox> {
        if b.angle == 0.0 { self.axis_box(b) } else { self.turned_box(b) }
    }

    fn axis_box(&self, b: &RotBox) -> Moved<RotBox> {
        let [cx, cy, w, h] = [b.cx, b.cy, b.w, b.h].map(f64::from);
        let ring: Vec<_> = self.outline().iter().map(|[u, v]| self.forward(cx + u * w, cy + v * h)).collect();
        let ring = clip::clip(ring, &[FRONT]);
        if ring.is_empty() {
            return None;
        }
        let [x0, y0, x1, y1] = bounds(flat(&ring));
        let (right, bottom) = (self.size.0 as f64, self.size.1 as f64);
        let clipped = [x0.max(0.0), y0.max(0.0), x1.min(right), y1.min(bottom)];
        let share = area_of(clipped) / area_of([x0, y0, x1, y1]);
        if self.keeps_axes && clipped == [x0, y0, x1, y1] {
            // Centre and extent by themselves: corners and back again would round.
            let [cx, cy, z] = self.forward(cx, cy);
            let [sx, sy] = self.scales();
            let (w, h) = if exchanges_axes(&self.forward) { (h * sx, w * sy) } else { (w * sx, h * sy) };
            let moved = RotBox { cx: (cx / z) as f32, cy: (cy / z) as f32, w: w as f32, h: h as f32, angle: 0.0 };
            return (moved.w > 0.0 && moved.h > 0.0).then_some((moved, 1.0));
        }
        Some((from_bounds(clipped)?, share))
    }

    /// The points of a box of side 1 about 0 that say where a moved box is.
    fn outline(&self) -> Vec<[f64; 2]> {
        if self.corners == Corners::Ellipse && !self.keeps_axes {
            return (0..360).map(|i| f64::from(i).to_radians()).map(|t| [0.5 * t.sin(), 0.5 * t.cos()]).collect();
        }
        // A field bends the sides: points along them, and the corners alone under a matrix.
        let n = if self.field.is_some() { 9 } else { 1 };
        let along = (0..n).map(|i| f64::from(i) / f64::from(n) - 0.5);
        let side = |f: fn(f64) -> [f64; 2]| along.clone().map(f).collect::<Vec<_>>();
        [side(|t| [t, -0.5]), side(|t| [0.5, t]), side(|t| [-t, 0.5]), side(|t| [-0.5, -t])].concat()
    }

    /// How far one pixel reaches along x and y of the result, for a map that keeps the axes.
    fn scales(&self) -> [f64; 2] {
        [0, 1].map(|i| (self.forward[i][0].abs() + self.forward[i][1].abs()) / self.forward[2][2])
    }

    fn turned_box(&self, b: &RotBox) -> Moved<RotBox> {
        let [cx, cy] = self.point(b.cx, b.cy)?;
        let (sin, cos) = f64::from(b.angle).sin_cos();
        let [ux, uy] = self.direction(b, [cos, sin]);
        let [vx, vy] = self.direction(b, [-sin, cos]);
        // A box is the same after half a turn.
        let mut angle = uy.atan2(ux);
        if angle > std::f64::consts::FRAC_PI_2 {
            angle -= std::f64::consts::PI;
        } else if angle <= -std::f64::consts::FRAC_PI_2 {
            angle += std::f64::consts::PI;
        }
        let angle = if angle as f32 == 0.0 { UPRIGHT } else { angle as f32 };
        let (w, h) = (f64::from(b.w) * ux.hypot(uy), f64::from(b.h) * vx.hypot(vy));
        let moved = RotBox { cx: cx as f32, cy: cy as f32, w: w as f32, h: h as f32, angle };
        let ring = moved.corners().map(|[x, y]| [f64::from(x), f64::from(y), 1.0]).to_vec();
        let clipped = clip::clip(ring.clone(), &clip::frame(self.size));
        let left = if clipped == ring { w * h } else { area(&flat(&clipped)) };
        (left > 0.0).then_some((moved, (left / (w * h)).min(1.0)))
    }

    /// What a step of one pixel from the centre of a box becomes.
    fn direction(&self, b: &RotBox, [dx, dy]: [f64; 2]) -> [f64; 2] {
        if self.field.is_some() {
            let [cx, cy] = [b.cx, b.cy].map(f64::from);
            let [ax, ay, az] = self.forward(cx + 0.5 * dx, cy + 0.5 * dy);
            let [bx, by, bz] = self.forward(cx - 0.5 * dx, cy - 0.5 * dy);
            return [ax / az - bx / bz, ay / az - by / bz];
        }
        if affine(&self.forward) {
            let [x, y, _] = apply(&self.forward, [dx, dy, 0.0]);
            return [x / self.forward[2][2], y / self.forward[2][2]];
        }
        // The derivative of (x/z, y/z) at the centre.
        let [x, y, z] = self.forward(f64::from(b.cx), f64::from(b.cy));
        let [gx, gy, gz] = apply(&self.forward, [dx, dy, 0.0]);
        [(gx - gz * x / z) / z, (gy - gz * y / z) / z]
    }

    /// Moves points; the share of those that were visible (of all, where none was) that are inside.
    fn points(&self, points: &mut [NamedPoint]) -> Option<f64> {
        let any = points.iter().any(|p| p.visible);
        let (mut all, mut inside) = (0_u32, 0_u32);
        for p in points {
            let counts = p.visible || !any;
            let moved = self.point(p.x, p.y);
            let here = moved.is_some_and(|at| self.contains(at));
            let [x, y] = moved.unwrap_or_default();
            (p.x, p.y) = (x as f32, y as f32);
            p.visible &= here;
            all += u32::from(counts);
            inside += u32::from(counts && here);
        }
        (all > 0).then(|| f64::from(inside) / f64::from(all))
    }
}

fn area_of([x0, y0, x1, y1]: [f64; 4]) -> f64 {
    (x1 - x0).max(0.0) * (y1 - y0).max(0.0)
}

/// An axis box, if it has an area.
fn from_bounds([x0, y0, x1, y1]: [f64; 4]) -> Option<RotBox> {
    let b = RotBox {
        cx: (0.5 * (x0 + x1)) as f32,
        cy: (0.5 * (y0 + y1)) as f32,
        w: (x1 - x0) as f32,
        h: (y1 - y0) as f32,
        angle: 0.0,
    };
    (b.w > 0.0 && b.h > 0.0).then_some(b)
}

/// The first and, one beyond, the last column and row with a pixel: x0, y0, x1, y1.
fn bounds_of_mask(mask: &Mask) -> Option<[usize; 4]> {
    let mut found: Option<[usize; 4]> = None;
    for (y, row) in mask.inside.chunks_exact(mask.width).enumerate() {
        let Some(first) = row.iter().position(|&p| p != 0) else { continue };
        let last = row.iter().rposition(|&p| p != 0).unwrap_or(first) + 1;
        let b = found.get_or_insert([first, y, last, y + 1]);
        *b = [b[0].min(first), b[1], b[2].max(last), y + 1];
    }
    found
}
