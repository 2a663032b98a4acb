//! The four small transforms of the algorithm, for a block of channels at a time: their lanes are channels, so none needs a
//! shuffle.

use crate::host::Real;
use crate::vector::{Vector, widest};
use std::mem::MaybeUninit;

/// The transforms of one tile have as many elements, for a stride of 1.
pub(super) const POINTS: usize = 16;

/// How far windows are apart, which says how tiles of two by two results are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stride {
    One,
    Two,
}

impl Stride {
    /// Inputs of a tile along an axis, and points of its transform.
    pub fn side(self) -> usize {
        match self {
            Self::One => 4,
            Self::Two => 5,
        }
    }

    /// Inputs from a tile to the next along an axis.
    pub fn step(self) -> usize {
        match self {
            Self::One => 2,
            Self::Two => 4,
        }
    }

    /// Points of a transform.
    pub fn points(self) -> usize {
        self.side() * self.side()
    }

    /// Whether the first of the two results along an axis needs the sum at a point of it.
    pub fn first_needs(self, point: usize) -> bool {
        match self {
            Self::One => point != 3,
            Self::Two => point != 2 && point != 4,
        }
    }

    /// A tile's two results along an axis, of its sums along that axis.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn results<T, V: Vector<T>>(self, m: [V; 5]) -> [V; 2] {
        // SAFETY: the caller's.
        unsafe {
            match self {
                Self::One => [m[0].plus(m[1]).plus(m[2]), m[1].minus(m[2]).minus(m[3])],
                Self::Two => [m[0].plus(m[1]).plus(m[3]), m[1].plus(m[2]).plus(m[4])],
            }
        }
    }
}

/// Where the elements of tiles stand, and where their transforms go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles<'a> {
    /// For each tile its first element in the source, in the first block.
    pub starts: &'a [usize],
    /// Blocks of channels.
    pub blocks: usize,
    /// Elements from a block to the next in the source.
    pub block: usize,
    /// Elements from a row to the next in the source.
    pub row: usize,
    /// The transform's lines of points that are wanted.
    pub lines: (usize, usize),
    /// Elements in the target from a point to the next, from a tile to the next and from a block to the next.
    pub to: [usize; 3],
}

impl Tiles<'_> {
    /// Whether all tiles of `side` x `side` positions lie in a source of `source` elements, and all results, `of_line` points a line, in the
    /// target.
    pub fn fit<T: Real>(&self, side: usize, of_line: usize, source: usize, target: usize) -> bool {
        let (width, last) = (T::outer_tile().cols, |n: usize| n.saturating_sub(1));
        let span = last(self.blocks) * self.block + (side - 1) * self.row + side * width;
        let points = of_line * (self.lines.1 - self.lines.0);
        let ends = [points, self.starts.len(), self.blocks].into_iter().zip(self.to).map(|(n, step)| last(n) * step);
        self.starts.iter().all(|start| start + span <= source) && ends.sum::<usize>() + width <= target
    }
}

/// Neighbouring positions of one row plus those of another.
///
/// # Safety
/// Both rows must have `N` positions, `width` elements apart.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn sum<T: Real, V: Vector<T>, const N: usize>(read: *const T, a: usize, b: usize, width: usize) -> [V; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut all = [V::all(T::ZERO); N];
        for (j, all) in all.iter_mut().enumerate() {
            *all = V::load(read.add(a + j * width)).plus(V::load(read.add(b + j * width)));
        }
        all
    }
}

/// Neighbouring positions of one row minus those of another.
///
/// # Safety
/// As for [`sum`].
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn difference<T: Real, V: Vector<T>, const N: usize>(
    read: *const T,
    a: usize,
    b: usize,
    width: usize,
) -> [V; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut all = [V::all(T::ZERO); N];
        for (j, all) in all.iter_mut().enumerate() {
            *all = V::load(read.add(a + j * width)).minus(V::load(read.add(b + j * width)));
        }
        all
    }
}

widest! {
    /// `B^T d B` of tiles of 4 x 4 positions.
    pub(super) fn image<T, V>(tiles: &Tiles<'_>, from: &[T], to: &mut [T]) {
        assert!(tiles.fit::<T>(4, 4, from.len(), to.len()), "tiles of an image");
        let (width, [point, next, apart]) = (T::outer_tile().cols, tiles.to);
        for (t, start) in tiles.starts.iter().enumerate() {
            for (block, lane) in (0..tiles.blocks).flat_map(|block| (0..width).step_by(V::LANES).map(move |lane| (block, lane))) {
                let at = start + block * tiles.block + lane;
                // SAFETY: all positions of all tiles exist, by the assertion above; the level has the vector's instructions.
                #[allow(unsafe_code)]
                unsafe {
                    let read = from.as_ptr().add(at);
                    let write = to.as_mut_ptr().add(t * next + block * apart + lane);
                    for (i, line) in (tiles.lines.0..tiles.lines.1).enumerate() {
                        let r: [V; 4] = match line {
                            0 => difference(read, 0, 2 * tiles.row, width),
                            1 => sum(read, tiles.row, 2 * tiles.row, width),
                            2 => difference(read, 2 * tiles.row, tiles.row, width),
                            _ => difference(read, tiles.row, 3 * tiles.row, width),
                        };
                        let write = write.add(4 * i * point);
                        r[0].minus(r[2]).store(write);
                        r[1].plus(r[2]).store(write.add(point));
                        r[2].minus(r[1]).store(write.add(2 * point));
                        r[1].minus(r[3]).store(write.add(3 * point));
                    }
                }
            }
        }
    }
}

widest! {
    /// `A d A^T` of tiles of 2 x 2 positions: what the gradient of a result is to the sums behind it.
    pub(super) fn gradient<T, V>(tiles: &Tiles<'_>, from: &[T], to: &mut [T]) {
        assert!(tiles.fit::<T>(2, 4, from.len(), to.len()), "tiles of a gradient");
        let (width, [point, next, apart]) = (T::outer_tile().cols, tiles.to);
        for (t, start) in tiles.starts.iter().enumerate() {
            for (block, lane) in (0..tiles.blocks).flat_map(|block| (0..width).step_by(V::LANES).map(move |lane| (block, lane))) {
                let at = start + block * tiles.block + lane;
                // SAFETY: as for an image.
                #[allow(unsafe_code)]
                unsafe {
                    let read = from.as_ptr().add(at);
                    let write = to.as_mut_ptr().add(t * next + block * apart + lane);
                    for (i, line) in (tiles.lines.0..tiles.lines.1).enumerate() {
                        let r: [V; 2] = match line {
                            0 => [V::load(read), V::load(read.add(width))],
                            1 => sum(read, 0, tiles.row, width),
                            2 => difference(read, 0, tiles.row, width),
                            _ => {
                                let zero = V::all(T::ZERO);
                                let read = read.add(tiles.row);
                                [zero.minus(V::load(read)), zero.minus(V::load(read.add(width)))]
                            }
                        };
                        let write = write.add(4 * i * point);
                        r[0].store(write);
                        r[0].plus(r[1]).store(write.add(point));
                        r[0].minus(r[1]).store(write.add(2 * point));
                        V::all(T::ZERO).minus(r[1]).store(write.add(3 * point));
                    }
                }
            }
        }
    }
}

/// Products of neighbouring tiles, for one block of channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums<'a, T> {
    /// From the first tile's block on.
    pub from: &'a [T],
    /// Elements from a point to the next.
    pub point: usize,
    /// Elements from a tile to the next.
    pub wide: usize,
    /// Tiles.
    pub count: usize,
    /// A bias for each channel of the block.
    pub bias: Option<&'a [T]>,
    pub stride: Stride,
}

widest! {
    /// `A^T m A` plus the bias: two rows of twice as many positions as tiles, in `to` one behind the other. `spoilt` becomes true
    /// where a result is not finite.
    pub(super) fn result<T, V>(sums: Sums<'_, T>, to: &mut [T], spoilt: &mut bool) {
        let Sums { from, point, wide, count, bias, stride } = sums;
        let width = T::outer_tile().cols;
        let row = 2 * count * width;
        assert!(count == 0 || from.len() >= (stride.points() - 1) * point + (count - 1) * wide + width, "sums of tiles");
        assert!(to.len() >= 2 * row && bias.is_none_or(|bias| bias.len() >= width), "results of tiles");
        for lane in (0..width).step_by(V::LANES) {
            // SAFETY: all sums and all places exist, by the assertions above; the level has the vector's instructions.
            #[allow(unsafe_code)]
            unsafe {
                let bias = bias.map_or(V::all(T::ZERO), |bias| V::load(bias.as_ptr().add(lane)));
                // Zero times a number is zero, unless it is infinite or not a number.
                let mut trace = V::all(T::ZERO);
                for t in 0..count {
                    let read = from.as_ptr().add(t * wide + lane);
                    let mut upper = [V::all(T::ZERO); 5];
                    let mut lower = upper;
                    let side = stride.side();
                    for j in 0..side {
                        let mut m = [V::all(T::ZERO); 5];
                        for (i, m) in m.iter_mut().enumerate().take(side) {
                            *m = V::load(read.add((side * i + j) * point));
                        }
                        [upper[j], lower[j]] = stride.results(m);
                    }
                    let write = to.as_mut_ptr().add(2 * t * width + lane);
                    for (line, s) in [upper, lower].into_iter().enumerate() {
                        let [left, right] = stride.results(s);
                        let (left, right) = (left.plus(bias), right.plus(bias));
                        trace = trace.plus(left.plus(right).times(V::all(T::ZERO)));
                        left.store(write.add(line * row));
                        right.store(write.add(line * row + width));
                    }
                }
                let mut lanes = [T::ZERO; 16];
                trace.store(lanes.as_mut_ptr());
                *spoilt |= lanes.iter().any(|v| v.is_nan());
            }
        }
    }
}

widest! {
    #[allow(clippy::needless_range_loop, reason = "a column is one element of each row")]
    /// `G g G^T` of windows of 3 x 3: `taps` has the nine lines of a block's channels of each window, `to` gets a line for each
    /// point, `point` elements apart. Point (i, j) goes to `order[i]`, `order[j]`: with its ends exchanged, windows are turned round.
    pub(super) fn windows<T, V>(taps: &[T], to: &mut [MaybeUninit<T>], point: usize, order: [usize; 4]) {
        let width = T::outer_tile().cols;
        let count = taps.len() / (9 * width);
        assert!(order.iter().all(|&end| end < 4), "ends of a window");
        assert!(count == 0 || to.len() >= (POINTS - 1) * point + count * width, "lines of windows");
        for at in 0..count {
            for lane in (0..width).step_by(V::LANES) {
                // SAFETY: nine lines of each window and a line of each point exist, by the assertion above; the level has the
                // vector's instructions.
                #[allow(unsafe_code)]
                unsafe {
                    let read = taps.as_ptr().add(at * 9 * width + lane);
                    let write = to.as_mut_ptr().cast::<T>().add(at * width + lane);
                    let half = V::all(T::of(0.5));
                    let mut rows = [[half; 3]; 4];
                    for j in 0..3 {
                        let a = V::load(read.add(j * width));
                        let b = V::load(read.add((3 + j) * width));
                        let c = V::load(read.add((6 + j) * width));
                        let ends = a.plus(c);
                        rows[0][j] = a;
                        rows[1][j] = ends.plus(b).times(half);
                        rows[2][j] = ends.minus(b).times(half);
                        rows[3][j] = c;
                    }
                    for (i, [a, b, c]) in rows.into_iter().enumerate() {
                        let at = |j: usize| write.add((4 * order[i] + order[j]) * point);
                        let ends = a.plus(c);
                        a.store(at(0));
                        ends.plus(b).times(half).store(at(1));
                        ends.minus(b).times(half).store(at(2));
                        c.store(at(3));
                    }
                }
            }
        }
    }
}

widest! {
    #[allow(clippy::needless_range_loop, reason = "a column is one element of each row")]
    /// `G^T s G`: what the gradient of a transformed window is to the window. `lines` are the four lines of points, each from its
    /// window on, `point` elements from one of its points to the next; `taps` gets nine lines.
    pub(super) fn window_gradient<T, V>(lines: [&[T]; 4], point: usize, taps: &mut [T]) {
        let width = T::outer_tile().cols;
        assert!(lines.iter().all(|line| line.len() >= 3 * point + width) && taps.len() >= 9 * width, "lines of a window");
        for lane in (0..width).step_by(V::LANES) {
            // SAFETY: all points and taps exist, by the assertion above; the level has the vector's instructions.
            #[allow(unsafe_code)]
            unsafe {
                let half = V::all(T::of(0.5));
                let write = taps.as_mut_ptr().add(lane);
                let mut rows = [[half; 4]; 3];
                for j in 0..4 {
                    let [a, b, c, d] = lines.map(|line| V::load(line.as_ptr().add(j * point + lane)));
                    let middle = b.plus(c).times(half);
                    rows[0][j] = a.plus(middle);
                    rows[1][j] = b.minus(c).times(half);
                    rows[2][j] = middle.plus(d);
                }
                for (i, [a, b, c, d]) in rows.into_iter().enumerate() {
                    let write = write.add(3 * i * width);
                    let middle = b.plus(c).times(half);
                    a.plus(middle).store(write);
                    b.minus(c).times(half).store(write.add(width));
                    middle.plus(d).store(write.add(2 * width));
                }
            }
        }
    }
}
