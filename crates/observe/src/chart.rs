//! Lays out panels of curves: axes, ticks, grid and legends.

use crate::picture::{Anchor, Picture, Rgb};
use crate::short::short;
use pleach_core::Result;

const INK: Rgb = [45, 52, 60];
const FAINT: Rgb = [118, 126, 136];
const GRID: Rgb = [232, 235, 239];
const AXIS: Rgb = [190, 196, 203];

/// Colours of curves, told apart also by people who see red and green alike.
pub(crate) const COLOURS: [Rgb; 6] =
    [[31, 111, 180], [230, 126, 34], [39, 150, 110], [137, 92, 178], [203, 66, 87], [96, 108, 118]];

const WIDTH: f64 = 384.0;
const HEIGHT: f64 = 288.0;
const MARGIN: f64 = 24.0;
const HEAD: f64 = 58.0;
/// Left, right and lower edges of a panel's plot; the upper one depends on the legend.
const EDGES: (f64, f64, f64) = (50.0, 18.0, 40.0);
const ROW: f64 = 19.0;

/// One curve.
pub(crate) struct Curve {
    /// Its name in the legend; none if it stands behind another.
    pub label: Option<String>,
    /// Its colour.
    pub colour: Rgb,
    /// From left to right; what is not finite is a gap.
    pub points: Vec<(f64, f64)>,
    /// The value beside its name.
    pub value: f64,
}

/// How an axis may be divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// Evenly.
    Linear,
    /// By powers of ten where the values span a factor of 50.
    Wide,
}

/// Some curves over the same axes.
pub(crate) struct Panel {
    /// What the y axis measures.
    pub title: String,
    /// How it may be divided.
    pub scale: Scale,
    /// From back to front.
    pub curves: Vec<Curve>,
}

/// The whole sheet: panels side by side over a common x axis, which counts `across`.
pub(crate) fn draw(title: &str, below: &str, across: &str, panels: &[Panel]) -> Result<Picture> {
    let columns = match panels.len() {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    let rows = panels.len().div_ceil(columns).max(1);
    let (width, height) = (columns as f64 * WIDTH + 2.0 * MARGIN, rows as f64 * HEIGHT + HEAD + MARGIN);
    let mut picture = Picture::new(width, height)?;
    picture.heading((MARGIN, 34.0), title, 17.0, INK);
    let after = MARGIN + picture.measure(title, 17.0) + 14.0;
    picture.words((after, 34.0), below, 12.5, FAINT, Anchor::Start);
    let end = panels.iter().flat_map(|p| &p.curves).flat_map(|c| &c.points).map(|(x, _)| *x).fold(0.0, f64::max);
    // Legends are as high as the highest of a row, so that plots side by side have one height.
    for (row, side_by_side) in panels.chunks(columns).enumerate() {
        let legends: Vec<_> = side_by_side.iter().map(|p| legend(&picture, p)).collect();
        let lines = legends.iter().map(|l| l.last().map_or(0, |e| e.line + 1)).max().unwrap_or(0);
        for (column, (panel, entries)) in side_by_side.iter().zip(&legends).enumerate() {
            let corner = (MARGIN + column as f64 * WIDTH, HEAD + row as f64 * HEIGHT);
            let spot = Spot { corner, lines, across, end };
            draw_panel(&mut picture, &spot, panel, entries);
        }
    }
    Ok(picture)
}

/// A place in a legend.
struct Place {
    x: f64,
    line: usize,
    name: String,
    value: String,
    colour: Rgb,
}

fn legend(picture: &Picture, panel: &Panel) -> Vec<Place> {
    let (mut x, mut line) = (0.0, 0);
    let mut all = Vec::new();
    for curve in &panel.curves {
        let Some(name) = curve.label.clone() else { continue };
        let value = short(curve.value);
        let width = 20.0 + picture.measure(&name, 12.0) + 6.0 + picture.measure(&value, 12.0);
        if x > 0.0 && x + width > WIDTH - EDGES.0 - EDGES.1 {
            (x, line) = (0.0, line + 1);
        }
        all.push(Place { x, line, name, value, colour: curve.colour });
        x += width + 16.0;
    }
    all
}

/// Where a panel stands, and its x axis.
struct Spot<'a> {
    corner: (f64, f64),
    /// Lines of the legend.
    lines: usize,
    across: &'a str,
    end: f64,
}

fn draw_panel(picture: &mut Picture, spot: &Spot<'_>, panel: &Panel, legend: &[Place]) {
    let Spot { corner: (x0, y0), lines, across, end } = *spot;
    let (left, right) = (x0 + EDGES.0, x0 + WIDTH - EDGES.1);
    let (top, bottom) = (y0 + 30.0 + ROW * lines as f64, y0 + HEIGHT - EDGES.2);
    let y = Axis::of(panel.curves.iter().flat_map(|c| &c.points).map(|(_, y)| *y), panel.scale);
    let x = Axis { low: 0.0, high: if end > 0.0 { end } else { 1.0 }, log: false };
    picture.heading((left, y0 + 14.0), &panel.title, 13.0, INK);
    if y.log {
        let at = left + picture.measure(&panel.title, 13.0) + 8.0;
        picture.words((at, y0 + 14.0), "log scale", 11.0, FAINT, Anchor::Start);
    }
    for place in legend {
        let (at, base) = (left + place.x, y0 + 34.0 + ROW * place.line as f64);
        picture.line(vec![(at, base - 4.0), (at + 13.0, base - 4.0)], place.colour, 2.5);
        picture.words((at + 19.0, base), &place.name, 12.0, INK, Anchor::Start);
        let after = at + 25.0 + picture.measure(&place.name, 12.0);
        picture.words((after, base), &place.value, 12.0, FAINT, Anchor::Start);
    }
    for (value, label) in y.ticks() {
        let level = bottom - y.share(value) * (bottom - top);
        picture.line(vec![(left, level), (right, level)], GRID, 1.0);
        picture.words((left - 8.0, level + 4.0), &label, 11.0, FAINT, Anchor::End);
    }
    picture.line(vec![(left, bottom), (right, bottom)], AXIS, 1.0);
    for (value, label) in x.ticks() {
        let at = left + x.share(value) * (right - left);
        picture.line(vec![(at, bottom), (at, bottom + 4.0)], AXIS, 1.0);
        picture.words((at, bottom + 17.0), &label, 11.0, FAINT, Anchor::Middle);
    }
    picture.words(((left + right) / 2.0, bottom + 33.0), across, 11.0, FAINT, Anchor::Middle);
    for curve in &panel.curves {
        let place = |&(a, b): &(f64, f64)| (left + x.share(a) * (right - left), bottom - y.share(b) * (bottom - top));
        for piece in curve.points.split(|(_, b)| !y.can_show(*b)) {
            let points: Vec<_> = piece.iter().map(place).collect();
            if curve.label.is_some() && points.len() <= 30 {
                points.iter().for_each(|p| picture.disc(*p, 2.6, curve.colour));
            }
            let width = if curve.label.is_some() { 2.0 } else { 1.2 };
            if points.len() > 1 {
                picture.line(points, curve.colour, width);
            }
        }
    }
}

/// The range of one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    /// An axis on which all of these have room.
    fn of(values: impl Iterator<Item = f64>, scale: Scale) -> Self {
        let finite = values.filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        if low > high {
            return Self { low: 0.0, high: 1.0, log: false };
        }
        if scale == Scale::Wide && low > 0.0 && high / low > 50.0 {
            return Self { low: low / 1.2, high: high * 1.2, log: true };
        }
        let room = if high > low { 0.06 * (high - low) } else { 0.5 * high.abs().max(1e-9) };
        let share = low >= 0.0 && high <= 1.0;
        let (below, above) = (low - room, high + room);
        // A share ends at 0 and 1, and what is never negative has no axis below zero.
        Self {
            low: if low >= 0.0 { below.max(0.0) } else { below },
            high: if share { above.min(1.0) } else { above },
            log: false,
        }
    }

    fn can_show(&self, v: f64) -> bool {
        v.is_finite() && (!self.log || v > 0.0)
    }

    /// 0 at the low end, 1 at the high one.
    fn share(&self, v: f64) -> f64 {
        if self.log {
            (v / self.low).ln() / (self.high / self.low).ln()
        } else {
            (v - self.low) / (self.high - self.low)
        }
    }

    /// About five round values, written with as many digits as tell them apart.
    fn ticks(&self) -> Vec<(f64, String)> {
        if self.log {
            return self.decades();
        }
        let rough = (self.high - self.low) / 5.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(rough);
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let first = (self.low / step).ceil() as i64;
        let write = |v: f64| if digits > 4 || v.abs() >= 1e5 { format!("{v:.0e}") } else { format!("{v:.digits$}") };
        (first..first + 12)
            .map(|i| i as f64 * step)
            .take_while(|v| *v <= self.high + 1e-9 * step)
            .map(|v| (v, if v == 0.0 { "0".into() } else { write(v) }))
            .collect()
    }

    /// Powers of ten, with 2 and 5 between them where there are few; every n-th where there are many.
    fn decades(&self) -> Vec<(f64, String)> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let few = last - first <= 2;
        let stride = ((last - first) / 6 + 1).max(1) as usize;
        let marks: &[f64] = if few { &[1.0, 2.0, 5.0] } else { &[1.0] };
        (first..=last)
            .step_by(stride)
            .flat_map(|e| marks.iter().map(move |m| (m, e)))
            .map(|(m, e)| {
                let v = m * 10f64.powi(e);
                (v, if (-3..=4).contains(&e) { format!("{v}") } else { format!("{m}e{e}") })
            })
            .filter(|(v, _)| (self.low..=self.high).contains(v))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, l)| l).collect()
    }

    #[test]
    fn ticks_are_round_and_told_apart() {
        assert_eq!(labels(&Axis { low: 0.0, high: 20.0, log: false }), ["0", "5", "10", "15", "20"]);
        assert_eq!(labels(&Axis { low: 0.93, high: 1.0, log: false }), ["0.94", "0.96", "0.98", "1.00"]);
        assert_eq!(labels(&Axis { low: 0.03, high: 3.0, log: true }), ["0.1", "1"]);
        assert_eq!(labels(&Axis { low: 1.5e-6, high: 2e-3, log: true }), ["1e-5", "1e-4", "0.001"]);
    }

    #[test]
    fn every_axis_has_room_for_its_values() {
        for values in [vec![0.0], vec![1.0, 1.0], vec![-3.0, 5.0], vec![1e-6, 1.0], vec![f64::NAN], vec![]] {
            let axis = Axis::of(values.iter().copied(), Scale::Wide);
            assert!(axis.low < axis.high, "{axis:?}");
            for v in values.into_iter().filter(|v| v.is_finite()) {
                assert!((0.0..=1.0).contains(&axis.share(v)), "{v} on {axis:?}");
            }
            assert!(axis.ticks().len() >= 2, "{axis:?}");
        }
    }
}
