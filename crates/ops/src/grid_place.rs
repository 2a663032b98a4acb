//! From a coordinate of a sampling grid to the pixels around it, their weights, and how the weights move with it.

use crate::host::Real;
use crate::{Corners, Outside, Sampling};

/// One pixel that a sample takes from.
#[derive(Clone, Copy)]
pub(crate) struct Tap<T> {
    /// Its number in the plane; [`NOWHERE`] for zeros outside.
    pub at: u32,
    /// Its weight.
    pub weight: T,
    /// How the weight grows with the grid's x and y.
    pub slope: [T; 2],
}

/// No pixel of any plane.
pub(crate) const NOWHERE: u32 = u32::MAX;

impl<T: Real> Tap<T> {
    /// Takes nothing.
    pub fn none() -> Self {
        Self { at: NOWHERE, weight: T::ZERO, slope: [T::ZERO; 2] }
    }
}

/// The pixels along one axis that a sample takes from, the first `K` of four: `None` where there are zeros.
pub(crate) struct Along<T> {
    pub at: [Option<usize>; 4],
    pub weight: [T; 4],
    pub slope: [T; 4],
}

/// How a grid is read on an image.
#[derive(Clone, Copy)]
pub(crate) struct Places {
    /// Rows and columns of the image.
    pub image: [usize; 2],
    pub how: Sampling,
    pub outside: Outside,
    pub corners: Corners,
}

impl Places {
    /// Taps of a sample.
    pub fn taps(&self) -> usize {
        self.along().pow(2)
    }

    fn along(&self) -> usize {
        match self.how {
            Sampling::Nearest => 1,
            Sampling::Bilinear => 2,
            Sampling::Bicubic => 4,
        }
    }

    /// The taps of the sample at `[x, y]`. A place that is not a number gives a sample that is none.
    pub fn find<T: Real>(&self, place: &[T], taps: &mut [Tap<T>]) {
        let found = match place {
            &[x, y] => self.axis(x, self.image[1]).zip(self.axis(y, self.image[0])),
            _ => None,
        };
        let Some((cols, rows)) = found else {
            let nan = T::of(f64::NAN);
            taps.fill(Tap::none());
            if let Some(tap) = taps.first_mut() {
                let slope = if self.how == Sampling::Nearest { T::ZERO } else { nan };
                *tap = Tap { at: 0, weight: nan, slope: [slope; 2] };
            }
            return;
        };
        let count = self.along();
        for (i, taps) in taps.chunks_mut(count).enumerate() {
            for (j, tap) in taps.iter_mut().enumerate() {
                *tap = Tap {
                    at: rows.at[i].zip(cols.at[j]).map_or(NOWHERE, |(row, col)| (row * self.image[1] + col) as u32),
                    weight: rows.weight[i] * cols.weight[j],
                    slope: [rows.weight[i] * cols.slope[j], rows.slope[i] * cols.weight[j]],
                };
            }
        }
    }

    /// Nothing for a coordinate that leads to no number.
    pub fn axis<T: Real>(&self, coordinate: T, size: usize) -> Option<Along<T>> {
        let cells = T::of(match self.corners {
            Corners::Centres => (size - 1) as f64,
            Corners::Edges => size as f64,
        });
        let grow = cells / T::of(2.0);
        let mut place = (coordinate + T::ONE) * grow;
        if self.corners == Corners::Edges {
            place -= T::of(0.5);
        }
        if self.how == Sampling::Bicubic {
            return self.cubic(place, grow, size);
        }
        let (place, turn) = self.inside(place, size);
        if place.is_nan() {
            return None;
        }
        let on_image = |at: f64| (at >= 0.0 && at < size as f64).then_some(at as usize);
        let (zero, mut along) = (T::ZERO, Along { at: [None; 4], weight: [T::ZERO; 4], slope: [T::ZERO; 4] });
        if self.how == Sampling::Nearest {
            along.at[0] = on_image(place.wide().round_ties_even());
            along.weight[0] = T::ONE;
            return Some(along);
        }
        let before = place.wide().floor();
        // Infinitely far off, all is outside.
        let beyond = if place.wide().is_finite() { place - T::of(before) } else { zero };
        along.at = [on_image(before), on_image(before + 1.0), None, None];
        along.weight = [T::ONE - beyond, beyond, zero, zero];
        along.slope = [-(grow * turn), grow * turn, zero, zero];
        Some(along)
    }

    /// The neighbours are moved onto the image one by one, the place itself is not.
    fn cubic<T: Real>(&self, place: T, grow: T, size: usize) -> Option<Along<T>> {
        let before = place.wide().floor();
        let beyond = if place.wide().is_finite() { place - T::of(before) } else { T::ZERO };
        let mut along = Along { at: [None; 4], weight: [T::ZERO; 4], slope: [T::ZERO; 4] };
        for tap in 0..4 {
            let offset = tap as f64 - 1.0;
            let (at, _) = self.inside(T::of(before + offset), size);
            if at.is_nan() {
                return None;
            }
            let at = at.wide();
            along.at[tap] = (at >= 0.0 && at < size as f64).then_some(at as usize);
            let (weight, slope) = keys(beyond - T::of(offset));
            (along.weight[tap], along.slope[tap]) = (weight, slope * grow);
        }
        Some(along)
    }

    /// A place, moved onto the image where the mode says so, and the factor by which it then moves: 0 at and beyond a
    /// border, -1 where it runs backwards.
    fn inside<T: Real>(&self, place: T, size: usize) -> (T, T) {
        let (place, turn) = match self.outside {
            Outside::Zeros => return (place, T::ONE),
            Outside::Border => (place, T::ONE),
            Outside::Reflection => self.reflected(place, size),
        };
        let last = T::of((size - 1) as f64);
        let turn = if place > T::ZERO && place < last { turn } else { T::ZERO };
        let place = if place < T::ZERO { T::ZERO } else { place };
        (if place > last { last } else { place }, turn)
    }

    /// A place, mirrored at the centres or the outer edges of the corner cells until it lies between them.
    fn reflected<T: Real>(&self, place: T, size: usize) -> (T, T) {
        let (low, span) = match self.corners {
            Corners::Centres => (0.0, (size - 1) as f64),
            Corners::Edges => (-0.5, size as f64),
        };
        if place.is_nan() || span == 0.0 {
            // A single cell mirrored at its centre: there is but one place.
            return (if place.is_nan() { place } else { T::ZERO }, T::ZERO);
        }
        let from = place.wide() - low;
        let (distance, sign) = if from < 0.0 { (-from, -1.0) } else { (from, 1.0) };
        let rest = distance % span;
        let even = ((distance / span).floor() % 2.0) == 0.0;
        let (place, sign) = if even { (rest + low, sign) } else { (span - rest + low, -sign) };
        (T::of(place), T::of(sign))
    }
}

/// The cubic convolution kernel with a = -0.75 at `x` and its derivative.
fn keys<T: Real>(x: T) -> (T, T) {
    let a = T::of(-0.75);
    let (far, sign) = (x.abs(), if x < T::ZERO { -T::ONE } else { T::ONE });
    let n = T::of;
    let (value, slope) = if far <= T::ONE {
        (
            ((a + n(2.0)) * far - (a + n(3.0))) * far * far + T::ONE,
            (n(3.0) * (a + n(2.0)) * far - n(2.0) * (a + n(3.0))) * far,
        )
    } else {
        (((far - n(5.0)) * far + n(8.0)) * far * a - n(4.0) * a, ((n(3.0) * far - n(10.0)) * far + n(8.0)) * a)
    };
    (value, slope * sign)
}
