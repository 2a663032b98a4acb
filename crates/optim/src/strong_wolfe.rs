//! The line search of LBFGS: a step that lowers the loss enough and at whose end the slope is small (strong Wolfe).

use pleach_core::{DType, Result, Tensor};

/// How much of the decrease that the slope promises is enough.
const DECREASE: f64 = 1e-4;
/// To what part the slope must have fallen.
const CURVATURE: f64 = 0.9;

/// PyTorch's scalars are tensors of the parameter's type; ours are rounded to it, so that both decide alike.
#[derive(Clone, Copy)]
pub(crate) struct Scalars(pub DType);

impl Scalars {
    /// The nearest number of the type.
    pub(crate) fn round(self, x: f64) -> f64 {
        if self.0 == DType::F64 { x } else { f64::from(x as f32) }
    }

    /// The product of two vectors.
    pub(crate) fn dot(self, a: &Tensor, b: &Tensor) -> Result<f64> {
        Ok((a * b)?.sum_all()?.to_dtype(DType::F64)?.to_scalar()?)
    }

    /// The greatest size of an element.
    pub(crate) fn greatest(self, t: &Tensor) -> Result<f64> {
        Ok(t.abs()?.max_all()?.to_dtype(DType::F64)?.to_scalar()?)
    }
}

/// A point on the line.
#[derive(Clone)]
pub(crate) struct Point {
    /// How far along the direction.
    pub t: f64,
    pub loss: f64,
    pub grad: Tensor,
    /// Of the loss along the direction.
    pub slope: f64,
}

/// A line from a point downhill.
pub(crate) struct Line<'a> {
    /// Loss and gradient so far along the direction.
    pub evaluate: &'a mut dyn FnMut(f64) -> Result<(f64, Tensor)>,
    /// Where it begins, with `t` 0.
    pub start: Point,
    pub direction: &'a Tensor,
    /// A bracket narrower than this is not searched.
    pub tolerance_change: f64,
    /// The most evaluations after the first.
    pub most: usize,
    pub scalars: Scalars,
}

/// Two points with what is sought between them, and which of them is lower.
struct Bracket {
    ends: [Point; 2],
    low: usize,
}

impl Bracket {
    fn new(a: Point, b: Point) -> Self {
        let low = usize::from(a.loss > b.loss);
        Self { ends: [a, b], low }
    }

    fn sides(self) -> (Point, Point) {
        let [a, b] = self.ends;
        if self.low == 0 { (a, b) } else { (b, a) }
    }

    fn span(&self) -> (f64, f64) {
        let [a, b] = &self.ends;
        (a.t.min(b.t), a.t.max(b.t))
    }

    fn low(&self) -> &Point {
        let [a, b] = &self.ends;
        if self.low == 0 { a } else { b }
    }

    fn high(&self) -> &Point {
        let [a, b] = &self.ends;
        if self.low == 0 { b } else { a }
    }

    fn set_low(&mut self, point: Point) {
        let [a, b] = &mut self.ends;
        *(if self.low == 0 { a } else { b }) = point;
    }

    fn set_high(&mut self, point: Point) {
        let [a, b] = &mut self.ends;
        *(if self.low == 0 { b } else { a }) = point;
    }
}

impl Line<'_> {
    /// The point that was found, and how many evaluations it took; `first` is tried first.
    pub(crate) fn search(mut self, first: f64) -> Result<(Point, usize)> {
        let mut now = self.point(first)?;
        let mut before = self.start.clone();
        let mut taken = 0;
        let mut bracket = loop {
            if taken >= self.most {
                return Ok((Bracket::new(self.start, now).sides().0, taken + 1));
            }
            if self.too_high(&now) || (taken > 1 && now.loss >= before.loss) {
                break Bracket::new(before, now);
            }
            if self.flat(&now) {
                return Ok((now, taken + 1));
            }
            if now.slope >= 0.0 {
                break Bracket::new(before, now);
            }
            let bounds =
                (self.round(now.t + self.round(0.01 * self.round(now.t - before.t))), self.round(now.t * 10.0));
            let next = self.point(interpolate(&before, &now, Some(bounds), self.scalars))?;
            before = std::mem::replace(&mut now, next);
            taken += 1;
        };
        let width = self.scalars.greatest(self.direction)?;
        let mut stuck = false;
        while taken < self.most {
            let (least, greatest) = bracket.span();
            if self.round((greatest - least) * width) < self.tolerance_change {
                break;
            }
            let [a, b] = &bracket.ends;
            let mut t = interpolate(a, b, None, self.scalars);
            // A trial that is all but an end of the bracket, twice or beyond it, is moved inwards by a tenth.
            let margin = self.round(0.1 * (greatest - least));
            if (greatest - t).min(t - least) < margin {
                let moved = stuck || t >= greatest || t <= least;
                if moved {
                    let from_above = (t - greatest).abs() < (t - least).abs();
                    t = self.round(if from_above { greatest - margin } else { least + margin });
                }
                stuck = !moved;
            } else {
                stuck = false;
            }
            let now = self.point(t)?;
            taken += 1;
            if self.too_high(&now) || now.loss >= bracket.low().loss {
                bracket.set_high(now);
                let [a, b] = bracket.ends;
                bracket = Bracket::new(a, b);
                continue;
            }
            let done = self.flat(&now);
            if !done && now.slope * (bracket.high().t - bracket.low().t) >= 0.0 {
                bracket.set_high(bracket.low().clone());
            }
            bracket.set_low(now);
            if done {
                break;
            }
        }
        Ok((bracket.sides().0, taken + 1))
    }

    fn round(&self, x: f64) -> f64 {
        self.scalars.round(x)
    }

    fn point(&mut self, t: f64) -> Result<Point> {
        let (loss, grad) = (self.evaluate)(t)?;
        let slope = self.scalars.dot(&grad, self.direction)?;
        Ok(Point { t, loss, grad, slope })
    }

    /// Whether the loss has not fallen enough.
    fn too_high(&self, point: &Point) -> bool {
        let promised = self.round(self.round(DECREASE * point.t) * self.start.slope);
        self.round(point.loss) > self.round(self.start.loss + promised)
    }

    /// Whether the slope has fallen enough.
    fn flat(&self, point: &Point) -> bool {
        point.slope.abs() <= self.round(-CURVATURE * self.start.slope)
    }
}

/// The lowest place of the cubic through two points with their slopes, within bounds or between the points.
fn interpolate(a: &Point, b: &Point, bounds: Option<(f64, f64)>, scalars: Scalars) -> f64 {
    let r = |x| scalars.round(x);
    let (least, greatest) = bounds.unwrap_or((a.t.min(b.t), a.t.max(b.t)));
    let d1 = r(r(a.slope + b.slope) - r(3.0 * (a.loss - b.loss) / r(a.t - b.t)));
    let square = r(r(d1 * d1) - r(a.slope * b.slope));
    if square < 0.0 || square.is_nan() {
        return r((least + greatest) / 2.0);
    }
    let d2 = r(square.sqrt());
    let (near, far) = if a.t <= b.t { (a, b) } else { (b, a) };
    let share = r(r(r(far.slope + d2) - d1) / r(r(far.slope - near.slope) + r(2.0 * d2)));
    r(far.t - r(r(far.t - near.t) * share)).max(least).min(greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::Device;

    fn search(f: impl Fn(f64) -> (f64, f64), first: f64, most: usize) -> (Point, usize) {
        let vector = |x: f64| Tensor::new(&[x], &Device::Cpu).unwrap();
        let (loss, slope) = f(0.0);
        let direction = vector(1.0);
        let line = Line {
            evaluate: &mut |t| Ok((f(t).0, vector(f(t).1))),
            start: Point { t: 0.0, loss, grad: vector(slope), slope },
            direction: &direction,
            tolerance_change: 1e-9,
            most,
            scalars: Scalars(DType::F64),
        };
        line.search(first).unwrap()
    }

    fn bowl(t: f64) -> (f64, f64) {
        ((t - 3.0).powi(2), 2.0 * (t - 3.0))
    }

    #[test]
    fn a_short_first_step_is_lengthened() {
        let (point, _) = search(bowl, 0.01, 25);
        assert!(point.slope.abs() <= CURVATURE * 6.0 && point.loss < 9.0, "{}", point.t);
    }

    #[test]
    fn a_long_first_step_is_shortened() {
        let (point, taken) = search(bowl, 60.0, 25);
        assert!((point.t - 3.0).abs() < 1e-9 && taken == 2, "{} after {taken}", point.t);
    }

    #[test]
    fn it_ends_after_as_many_evaluations_as_it_may_take() {
        let (point, taken) = search(|t| (-t, -1.0), 1.0, 4);
        assert_eq!((point.t, taken), (10_000.0, 5));
    }
}
