//! What stands outside a grid of pixels.

use super::sample::Sample;
use pleach_simd::Outside;

/// Stands for a pixel outside.
pub(super) const OUTSIDE: usize = usize::MAX;

/// What lies outside.
#[derive(Clone, Copy)]
pub(super) enum Edge<T> {
    /// A value for each of the first four channels.
    Constant([T; 4]),
    /// Such a value into which the edge fades.
    Faded([T; 4]),
    Replicate,
    Reflect,
    Reflect101,
    Wrap,
}

impl<T: Copy> Edge<T> {
    /// The pixel that stands at place i of n.
    pub(super) fn index(&self, i: i64, n: usize) -> usize {
        let last = n as i64 - 1;
        if (0..=last).contains(&i) {
            return i as usize;
        }
        match self {
            Self::Constant(_) | Self::Faded(_) => OUTSIDE,
            Self::Replicate => i.clamp(0, last) as usize,
            Self::Reflect => {
                let i = i.rem_euclid(2 * n as i64);
                i.min(2 * n as i64 - 1 - i) as usize
            }
            Self::Wrap => i.rem_euclid(n as i64) as usize,
            Self::Reflect101 if last == 0 => 0,
            Self::Reflect101 => {
                let i = i.rem_euclid(2 * last);
                i.min(2 * last - i) as usize
            }
        }
    }

    pub(super) fn fill(&self) -> Option<[T; 4]> {
        match self {
            Self::Constant(value) | Self::Faded(value) => Some(*value),
            _ => None,
        }
    }

    /// The same for sampling in vector lanes, where it knows such a border.
    pub(super) fn outside(&self) -> Option<Outside<T>> {
        match self {
            Self::Constant(value) => Some(Outside::Is(*value)),
            Self::Faded(value) => Some(Outside::Faded(*value)),
            Self::Replicate => Some(Outside::Nearest),
            Self::Reflect101 => Some(Outside::Mirrored),
            Self::Reflect | Self::Wrap => None,
        }
    }
}

#[inline(always)]
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// Between four pixels, channel by channel.
#[inline(always)]
pub(super) fn four<T: Sample>(out: &mut [T], [a, b, c, d]: [&[T]; 4], x: f32, y: f32) {
    for (k, out) in out.iter_mut().enumerate() {
        let top = mix(a[k].wide(), b[k].wide(), x);
        let bottom = mix(c[k].wide(), d[k].wide(), x);
        *out = T::of(mix(top, bottom, y));
    }
}

/// Between four pixels some of which may be outside.
pub(super) fn border<T: Sample>(
    data: &[T],
    [rows, cols]: [[usize; 2]; 2],
    out: &mut [T],
    edge: &Edge<T>,
    x: f32,
    y: f32,
) {
    let inside = |row: usize, col: usize| row != OUTSIDE && col != OUTSIDE;
    let fill = edge.fill();
    if let Some(fill) = fill.filter(|_| rows == [OUTSIDE; 2] || cols == [OUTSIDE; 2]) {
        out.iter_mut().enumerate().for_each(|(k, out)| *out = fill[k.min(3)]);
        return;
    }
    let blend = |at: &dyn Fn(usize, usize) -> f32| {
        let top = mix(at(rows[0], cols[0]), at(rows[0], cols[1]), x);
        let bottom = mix(at(rows[1], cols[0]), at(rows[1], cols[1]), x);
        mix(top, bottom, y)
    };
    for (k, out) in out.iter_mut().enumerate() {
        let empty = fill.map_or(0.0, |fill| fill[k.min(3)].wide());
        let or = |outside: f32| {
            move |row: usize, col: usize| if inside(row, col) { data[row + col + k].wide() } else { outside }
        };
        *out = T::of(match edge {
            Edge::Faded(_) => {
                let mask = blend(&|row, col| f32::from(u8::from(inside(row, col))));
                mask * (blend(&or(0.0)) - empty) + empty
            }
            _ => blend(&or(empty)),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_follow_their_pictures() {
        let at = |edge: Edge<u8>| (-5..9).map(|i| edge.index(i, 4)).collect::<Vec<_>>();
        assert_eq!(at(Edge::Reflect101), [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(at(Edge::Reflect), [3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0]);
        assert_eq!(at(Edge::Wrap), [3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0]);
        assert_eq!(at(Edge::Replicate), [0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3]);
        assert_eq!(at(Edge::Constant([0; 4]))[3..10], [OUTSIDE, OUTSIDE, 0, 1, 2, 3, OUTSIDE]);
        assert!((-3..4).all(|i| Edge::<u8>::Reflect101.index(i, 1) == 0));
    }

    #[test]
    fn an_edge_fades_twice_where_it_fades_into_black() {
        let mut out = [0_f32];
        border(&[1.0], [[0, 0], [0, OUTSIDE]], &mut out, &Edge::Faded([0.0; 4]), 0.25, 0.0);
        assert_eq!(out, [0.75 * 0.75]);
        border(&[1.0], [[0, 0], [0, OUTSIDE]], &mut out, &Edge::Constant([0.0; 4]), 0.25, 0.0);
        assert_eq!(out, [0.75]);
    }
}
