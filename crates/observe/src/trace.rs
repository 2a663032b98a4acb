//! A curve that takes any number of points and keeps few of them.

use pleach_core::state;

/// Points that are kept at most; a panel is not wider.
const MOST: usize = 512;

/// A curve: means over ever wider stretches, so that its memory does not grow with the run.
#[state]
pub(crate) struct Trace {
    /// What it shows.
    pub name: String,
    /// The newest value.
    pub last: f64,
    stretch: u64,
    points: Vec<(f64, f64)>,
    open: Vec<(f64, f64)>,
}

impl Trace {
    /// A curve without points.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), last: f64::NAN, stretch: 1, points: Vec::new(), open: Vec::new() }
    }

    /// Adds a point to the right of all others.
    pub fn push(&mut self, x: f64, y: f64) {
        self.last = y;
        self.open.push((x, y));
        if self.open.len() as u64 >= self.stretch {
            self.points.extend(mean(&self.open));
            self.open.clear();
        }
        if self.points.len() >= MOST {
            self.points = self.points.chunks(2).filter_map(mean).collect();
            self.stretch *= 2;
        }
    }

    /// What is to be drawn.
    pub fn points(&self) -> Vec<(f64, f64)> {
        self.points.iter().copied().chain(mean(&self.open)).collect()
    }
}

fn mean(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    (!points.is_empty()).then_some((x / n, y / n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_stays_small_and_keeps_its_shape() {
        let mut trace = Trace::new("line");
        for i in 0..100_000 {
            trace.push(f64::from(i), 2.0 * f64::from(i));
        }
        let points = trace.points();
        assert!(points.len() <= MOST && points.len() >= MOST / 2);
        assert!(trace.open.len() < 512);
        assert!(points.iter().all(|(x, y)| (y - 2.0 * x).abs() < 1e-6));
        assert!(points.windows(2).all(|w| w[0].0 < w[1].0));
        assert!((trace.last - 199_998.0).abs() < f64::EPSILON);
    }
}
