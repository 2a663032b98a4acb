//! Draws rates over the steps of a run, for those who look at a schedule before the run.

use crate::chart::{COLOURS, Curve, Panel, Scale, draw};
use pleach_core::Result;

/// Points of a curve that a picture can show.
const MOST: usize = 4000;

/// One rate over the steps, which count from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// Its name in the legend.
    pub name: String,
    /// Its value in each step; NaN where it has none.
    pub values: Vec<f64>,
}

/// Some rates over the same axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// What the axis measures.
    pub title: String,
    /// The rates.
    pub rates: Vec<Rate>,
}

/// A picture in both of its forms.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// The SVG.
    pub svg: String,
    /// The PNG, with two pixels for one of the SVG.
    pub png: Vec<u8>,
}

/// Draws rates side by side.
///
/// # Errors
/// The picture is too large.
pub fn picture(title: &str, below: &str, all: &[Rates]) -> Result<Drawn> {
    let curve = |(rate, colour): (&Rate, &[u8; 3])| Curve {
        label: Some(rate.name.clone()),
        colour: *colour,
        points: corners(&rate.values),
        value: rate.values.iter().rev().copied().find(|v| v.is_finite()).unwrap_or(f64::NAN),
    };
    let panel = |rates: &Rates| Panel {
        title: rates.title.clone(),
        scale: Scale::Linear,
        curves: rates.rates.iter().zip(COLOURS.iter().cycle()).map(curve).collect(),
    };
    let picture = draw(title, below, "step", &all.iter().map(panel).collect::<Vec<_>>())?;
    Ok(Drawn { svg: picture.svg(), png: picture.png(2.0)? })
}

/// The points of a curve at which it bends; what lies on a straight line between two needs no point.
pub fn corners(values: &[f64]) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (i, &y) in values.iter().enumerate() {
        let straight = match (i.checked_sub(1).and_then(|before| values.get(before)), values.get(i + 1)) {
            (Some(before), Some(after)) => {
                let bend = (after - y) - (y - before);
                bend.abs() <= 1e-9 * y.abs().max(before.abs()).max(after.abs())
            }
            _ => false,
        };
        if !straight {
            kept.push((i as f64, y));
        }
    }
    let stride = kept.len().div_ceil(MOST).max(1);
    let last = kept.last().copied();
    let mut thin: Vec<_> = kept.into_iter().step_by(stride).collect();
    if thin.last() != last.as_ref() {
        thin.extend(last);
    }
    thin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_keeps_its_ends_and_its_bends() {
        let steps: Vec<f64> = (0..100).map(|i| if i < 50 { 1.0 } else { 0.1 }).collect();
        assert_eq!(corners(&steps), [(0.0, 1.0), (49.0, 1.0), (50.0, 0.1), (99.0, 0.1)]);
        let wave: Vec<f64> = (0..100_000).map(|i| (i as f64 / 50.0).sin()).collect();
        let kept = corners(&wave);
        assert!(kept.len() <= MOST + 1 && kept.last().map(|p| p.0) == Some(99_999.0));
    }

    #[test]
    fn a_picture_has_a_curve_for_each_rate_and_says_what_it_counts() {
        let rate =
            |name: &str, scale: f64| Rate { name: name.into(), values: (0..9).map(|i| scale * i as f64).collect() };
        let all = [Rates { title: "learning rate".into(), rates: vec![rate("encoder.*", 0.1), rate("rest", 0.2)] }];
        let drawn = picture("run", "9 steps", &all).unwrap();
        for word in [">learning rate<", ">encoder.*<", ">rest<", ">step<", ">9 steps<"] {
            assert!(drawn.svg.contains(word), "{word} is not in the picture");
        }
        assert!(drawn.png.starts_with(b"\x89PNG"));
    }
}
