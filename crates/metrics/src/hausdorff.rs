//! How far the edges of two masks are from each other, and the means of that over samples and classes.

use crate::confusion::{class_keys, mean};
use crate::exact::ExactMean;
use crate::pairs;
use pleach_core::{DataInfo, Error, Map, Named, Result, Row, state};

/// What of the distances is asked for.
pub(crate) struct Asked {
    pub(crate) percentile: Option<f64>,
    pub(crate) directed: bool,
    pub(crate) include_background: bool,
}

/// The means of distances over maps, of all classes together and of each.
///
/// Sums are exact, so that any cut of the data gives the same.
#[state]
pub struct Distances {
    keys: Vec<String>,
    ignore_index: Option<u32>,
    all: ExactMean,
    classes: Vec<ExactMean>,
}

impl Distances {
    pub(crate) fn new(data: &DataInfo, ignore_index: Option<u32>) -> Self {
        let keys = class_keys(&data.classes);
        let classes = vec![ExactMean::default(); keys.len()];
        Self { keys, ignore_index: ignore_index.or(data.ignore_index), all: ExactMean::default(), classes }
    }

    /// Measures every map of a sample.
    ///
    /// # Errors
    /// PL0330 and PL0230 where maps are missing or of another size, or a class is out of range.
    pub(crate) fn add(&mut self, predicted: &Row, truth: &Row, asked: &Asked) -> Result<()> {
        for (guess, map) in pairs::maps(predicted, truth)? {
            self.check(guess, map, truth)?;
            let first = usize::from(!asked.include_background);
            let mut each = Vec::new();
            for (class, total) in self.classes.iter_mut().enumerate().skip(first) {
                if self.ignore_index == Some(class as u32) {
                    continue;
                }
                let counts = |i: usize| map.classes.get(i).is_none_or(|t| self.ignore_index != Some(u32::from(*t)));
                let mask = |of: &Map| {
                    let inside = of.classes.iter().enumerate().map(|(i, &c)| usize::from(c) == class && counts(i));
                    Grid::new(map.width, inside.collect())
                };
                if let Some(distance) = distance(&mask(guess), &mask(map), asked) {
                    total.add(distance);
                    each.push(distance);
                }
            }
            if let Some(mean) = mean(each.into_iter()) {
                self.all.add(mean);
            }
        }
        Ok(())
    }

    fn check(&self, guess: &Map, map: &Map, truth: &Row) -> Result<()> {
        let (key, n) = (&truth.id.key, self.classes.len());
        for (&p, &t) in guess.classes.iter().zip(&map.classes) {
            let ignored = self.ignore_index == Some(u32::from(t));
            if !ignored && usize::from(t) >= n {
                return Err(Error::new("PL0330", format!("a pixel of sample `{key}` is of class {t} of {n}"))
                    .hint("classes are counted from 0; a class that counts nowhere is the data's `ignore_index`"));
            }
            if !ignored && usize::from(p) >= n {
                let what = format!("class {p} was predicted for a pixel of sample `{key}`, but there are {n} classes");
                return Err(Error::new("PL0230", what));
            }
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        self.classes.iter_mut().zip(&other.classes).for_each(|(own, theirs)| own.merge(theirs));
    }

    /// The mean as `name`, and `name_<class>` for each class; undefined ones are left out.
    pub(crate) fn values(&self, name: &str) -> Named<f64> {
        let main = self.all.value().map(|v| (name.to_owned(), v));
        let classes = self.keys.iter().zip(&self.classes);
        let each = classes.filter_map(|(key, mean)| mean.value().map(|v| (format!("{name}_{key}"), v)));
        main.into_iter().chain(each).collect()
    }

    pub(crate) fn names(data: &DataInfo, name: &str, asked: &Asked) -> Vec<String> {
        let mut all = Self::new(data, None);
        all.all.add(0.0);
        let ignored = all.ignore_index;
        let counted = |class: usize| (class > 0 || asked.include_background) && ignored != Some(class as u32);
        let classes = all.classes.iter_mut().enumerate().filter(|(class, _)| counted(*class));
        classes.for_each(|(_, mean)| mean.add(0.0));
        all.values(name).names().map(str::to_owned).collect()
    }
}

/// A mask row by row.
struct Grid {
    width: usize,
    inside: Vec<bool>,
}

impl Grid {
    fn new(width: usize, inside: Vec<bool>) -> Self {
        Self { width: width.max(1), inside }
    }

    fn at(&self, x: usize, y: usize) -> bool {
        x < self.width && self.inside.get(y * self.width + x).copied().unwrap_or(false)
    }

    /// The pixels inside of which one of the four neighbours is outside, as is all beyond the border.
    fn edges(&self) -> Vec<(usize, usize)> {
        let pixels = self.inside.iter().enumerate().filter(|(_, inside)| **inside);
        let places = pixels.map(|(i, _)| (i % self.width, i / self.width));
        let within = |x: usize, y: usize| {
            x > 0 && y > 0 && self.at(x - 1, y) && self.at(x, y - 1) && self.at(x + 1, y) && self.at(x, y + 1)
        };
        places.filter(|&(x, y)| !within(x, y)).collect()
    }
}

/// The distance of two masks as MONAI defines it; `None` where both are empty, or one is and a percentile is asked for.
fn distance(predicted: &Grid, truth: &Grid, asked: &Asked) -> Option<f64> {
    let (p, t) = (predicted.edges(), truth.edges());
    let percentile = asked.percentile.filter(|q| *q > 0.0);
    if p.is_empty() || t.is_empty() {
        return (percentile.is_none() && p.len() != t.len()).then_some(f64::INFINITY);
    }
    let far = |from: &[(usize, usize)], to: &[(usize, usize)]| {
        let mut all = nearest(from, to);
        all.sort_by(f64::total_cmp);
        match percentile {
            None => all.last().copied(),
            Some(q) => {
                let at = q / 100.0 * all.len().saturating_sub(1) as f64;
                let (below, above) = (*all.get(at.floor() as usize)?, *all.get(at.ceil() as usize)?);
                Some(below + (above - below) * at.fract())
            }
        }
    };
    let there = far(&p, &t)?;
    if asked.directed { Some(there) } else { Some(there.max(far(&t, &p)?)) }
}

/// The distance of each point to the nearest of the others, by an exact distance transform over the box of both
/// (Felzenszwalb and Huttenlocher 2012).
fn nearest(from: &[(usize, usize)], to: &[(usize, usize)]) -> Vec<f64> {
    let both = || from.iter().chain(to);
    let end = |axis: fn(&(usize, usize)) -> usize| both().map(axis).max().unwrap_or(0) + 1;
    let begin = |axis: fn(&(usize, usize)) -> usize| both().map(axis).min().unwrap_or(0);
    let (x0, y0) = (begin(|p| p.0), begin(|p| p.1));
    let (width, height) = (end(|p| p.0) - x0, end(|p| p.1) - y0);
    let mut squares = vec![f64::INFINITY; width * height];
    for &(x, y) in to {
        if let Some(square) = squares.get_mut((x - x0) * height + y - y0) {
            *square = 0.0;
        }
    }
    // Along columns, then along rows; each pass transposes.
    for length in [height, width] {
        let lines = squares.len() / length;
        let mut next = vec![f64::INFINITY; squares.len()];
        for (i, line) in squares.chunks_exact(length).enumerate() {
            for (j, square) in lowest_parabolas(line).into_iter().enumerate() {
                if let Some(next) = next.get_mut(j * lines + i) {
                    *next = square;
                }
            }
        }
        squares = next;
    }
    let at = |&(x, y): &(usize, usize)| squares.get((x - x0) * height + y - y0).copied().unwrap_or(f64::INFINITY);
    from.iter().map(|point| at(point).sqrt()).collect()
}

/// For each place x the least of (x - v)^2 + line[v] over all v: the lower envelope of parabolas.
fn lowest_parabolas(line: &[f64]) -> Vec<f64> {
    // Parabolas of the envelope: where each stands, how high, and from where on it is the lowest.
    let mut envelope: Vec<(f64, f64, f64)> = Vec::with_capacity(line.len());
    for (v, &height) in line.iter().enumerate().filter(|(_, height)| height.is_finite()) {
        let v = v as f64;
        let mut from = f64::NEG_INFINITY;
        while let Some(&(u, low, since)) = envelope.last() {
            from = ((height + v * v) - (low + u * u)) / (2.0 * (v - u));
            if from > since {
                break;
            }
            envelope.pop();
            from = f64::NEG_INFINITY;
        }
        envelope.push((v, height, from));
    }
    let mut now = 0;
    let place = |x: usize| {
        let x = x as f64;
        while envelope.get(now + 1).is_some_and(|next| next.2 <= x) {
            now += 1;
        }
        envelope.get(now).map_or(f64::INFINITY, |(v, height, _)| (x - v) * (x - v) + height)
    };
    (0..line.len()).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAXIMUM: Asked = Asked { percentile: None, directed: false, include_background: true };

    proptest! {
        #[test]
        fn the_transform_finds_the_nearest_point(
            from in prop::collection::vec((0usize..30, 0usize..20), 1..40),
            to in prop::collection::vec((0usize..30, 0usize..20), 1..40),
        ) {
            let far = |a: &(usize, usize), b: &(usize, usize)| a.0.abs_diff(b.0).pow(2) + a.1.abs_diff(b.1).pow(2);
            let slow = |p: &(usize, usize)| (to.iter().map(|q| far(p, q)).min().unwrap() as f64).sqrt();
            prop_assert_eq!(nearest(&from, &to), from.iter().map(slow).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_inside_of_a_mask_is_no_edge_and_the_border_is() {
        assert_eq!(Grid::new(3, vec![true; 9]).edges().len(), 8);
        assert_eq!(Grid::new(1, vec![true; 4]).edges().len(), 4);
    }

    #[test]
    fn one_empty_mask_is_infinitely_far_or_without_a_percentile() {
        let (none, some) = (Grid::new(2, vec![false; 4]), Grid::new(2, vec![true, false, false, false]));
        assert_eq!(distance(&none, &some, &MAXIMUM), Some(f64::INFINITY));
        assert_eq!(distance(&none, &none, &MAXIMUM), None);
        assert_eq!(distance(&some, &none, &Asked { percentile: Some(95.0), ..MAXIMUM }), None);
    }
}
