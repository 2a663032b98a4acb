//! The passes of attention over blocks of scores.

use super::marks::Marks;
use crate::host::Real;
use crate::matrix::{Mat, Old, multiply};
use crate::strided::Matrices;
use pleach_simd::{dot, lanes, largest, par_blocks, par_rows, sum};
use std::ops::Range;

/// Queries of a block.
const ROWS: usize = 128;
/// Keys of a block.
const COLS: usize = 256;
/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 16;

/// The sizes of an attention.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attend {
    /// Matrices of each operand.
    pub batch: usize,
    /// Queries.
    pub l: usize,
    /// Keys.
    pub s: usize,
    /// Features of queries and keys.
    pub e: usize,
    /// Features of values.
    pub ev: usize,
    pub scale: f64,
    pub causal: bool,
}

pub(super) struct Operands<'a, T> {
    pub q: Matrices<'a, T>,
    pub k: Matrices<'a, T>,
    pub v: Matrices<'a, T>,
    pub marks: Marks<'a, T>,
}

/// From what the weights of a query are made again: `exp(score - shift) inverse`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The largest score.
    shift: f64,
    /// One over the sum of the exponentials; 0 for a query that sees nothing.
    inverse: f64,
}

/// Some queries and keys of one matrix.
struct Block<'a> {
    n: usize,
    rows: &'a Range<usize>,
    cols: &'a Range<usize>,
}

/// What backward knows of a block of queries: they themselves, scaled, their sums, the inner products of results and
/// their gradients, and those gradients.
struct Upstream<'a, T> {
    q: Vec<T>,
    sums: &'a [Row],
    along: Vec<f64>,
    dy: &'a Matrices<'a, T>,
}

/// Some queries of one matrix and where their gradients go.
struct Task<'a, T> {
    n: usize,
    rows: Range<usize>,
    dq: &'a mut [T],
    dk: &'a mut [T],
    dv: &'a mut [T],
}

lanes! {
    /// `x = exp(x - top)`.
    fn exponentials<T: Real>(x: &mut [T], top: T) {
        for x in x {
            *x = (*x - top).exp();
        }
    }
}

lanes! {
    /// The weights of scores in place of these, and the gradients of scores in place of those of weights.
    fn through_softmax<T: Real>(p: &mut [T], row: Row, along: T, dp: &mut [T]) {
        let (shift, inverse) = (T::of(row.shift), T::of(row.inverse));
        for (dp, p) in dp.iter_mut().zip(p) {
            *p = (*p - shift).exp() * inverse;
            *dp = *p * (*dp - along);
        }
    }
}

lanes! {
    fn scale<T: Real>(x: &mut [T], by: T) {
        for x in x {
            *x *= by;
        }
    }
}

/// The blocks of a range.
fn blocks(range: &Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let end = range.end;
    range.clone().step_by(size).map(move |at| at..(at + size).min(end))
}

impl Attend {
    /// The blocks of keys that some of the queries see.
    fn keys(&self, rows: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let seen = if self.causal { self.s.min(rows.end) } else { self.s };
        blocks(&(0..seen), COLS)
    }

    /// Queries times the scale, so that no pass over scores is needed for it.
    fn scaled<T: Real>(&self, o: &Operands<'_, T>, n: usize, rows: &Range<usize>) -> Vec<T> {
        let mut q = Vec::with_capacity(rows.len() * self.e);
        for r in rows.clone() {
            q.extend_from_slice(o.q.row(n, r));
        }
        scale(&mut q, T::of(self.scale));
        q
    }

    /// The scores of a block of queries, which are scaled, and keys.
    fn scores<T: Real>(&self, o: &Operands<'_, T>, q: &[T], at: &Block<'_>, to: &mut [T]) {
        let Block { n, rows, cols } = *at;
        let (wide, q) = (cols.len(), Mat::new(q, [rows.len(), self.e], self.e));
        multiply(to, wide, Old::Overwritten, q, o.k.rows(n, cols).t());
        for (row, scores) in rows.clone().zip(to.chunks_exact_mut(wide)) {
            o.marks.apply(n, row, cols, scores);
            if self.causal && row + 1 < cols.end {
                scores[(row + 1).saturating_sub(cols.start)..].fill(T::of(f64::NEG_INFINITY));
            }
        }
    }

    /// The results, and each query's sum.
    pub fn forward<T: Real>(&self, o: &Operands<'_, T>) -> (Vec<T>, Vec<Row>) {
        let mut y = vec![T::ZERO; self.batch * self.l * self.ev];
        let mut sums = vec![Row { shift: 0.0, inverse: 0.0 }; self.batch * self.l];
        let mut tasks = Vec::new();
        let matrices = y.chunks_mut((self.l * self.ev).max(1)).zip(sums.chunks_mut(self.l.max(1)));
        for (n, (y, sums)) in matrices.enumerate() {
            let parts = y.chunks_mut(ROWS * self.ev).zip(sums.chunks_mut(ROWS));
            tasks.extend(blocks(&(0..self.l), ROWS).zip(parts).map(|(rows, (y, sums))| (n, rows, y, sums)));
        }
        par_blocks(&mut tasks, 1, |_, tasks| {
            for (n, rows, y, sums) in tasks {
                self.forward_rows(o, *n, rows, y, sums);
            }
        });
        (y, sums)
    }

    fn forward_rows<T: Real>(&self, o: &Operands<'_, T>, n: usize, rows: &Range<usize>, y: &mut [T], sums: &mut [Row]) {
        let q = self.scaled(o, n, rows);
        let mut block = vec![T::ZERO; rows.len() * COLS.min(self.s)];
        let (mut tops, mut totals) = (vec![T::of(f64::NEG_INFINITY); rows.len()], vec![0.0; rows.len()]);
        for cols in self.keys(rows) {
            let wide = cols.len();
            self.scores(o, &q, &Block { n, rows, cols: &cols }, &mut block);
            for (r, scores) in block.chunks_exact_mut(wide).take(rows.len()).enumerate() {
                let top = largest(scores).larger(tops[r]);
                // Of scores that are all minus infinity, the weights are zeros, and of a NaN, NaN.
                let shift = if top > T::of(f64::NEG_INFINITY) { top } else { T::ZERO };
                exponentials(scores, shift);
                let shrunk = (tops[r] - shift).exp();
                totals[r] = totals[r] * shrunk.wide() + sum(scores);
                if shrunk != T::ONE {
                    scale(&mut y[r * self.ev..][..self.ev], shrunk);
                }
                tops[r] = top;
            }
            let weights = Mat::new(&block, [rows.len(), wide], wide);
            multiply(y, self.ev, Old::AddedTo, weights, o.v.rows(n, &cols));
        }
        for (r, y) in y.chunks_exact_mut(self.ev).enumerate() {
            if totals[r] != 0.0 {
                sums[r] = Row { shift: tops[r].wide(), inverse: 1.0 / totals[r] };
                scale(y, T::of(sums[r].inverse));
            } else {
                y.fill(T::ZERO);
            }
        }
    }

    /// The weights of a block into `p`, the gradients of its scores into `ds`.
    fn block<T: Real>(&self, o: &Operands<'_, T>, up: &Upstream<'_, T>, at: &Block<'_>, [p, ds]: &mut [Vec<T>; 2]) {
        let Block { n, rows, cols } = *at;
        let wide = cols.len();
        self.scores(o, &up.q, at, p);
        multiply(ds, wide, Old::Overwritten, up.dy.rows(n, rows), o.v.rows(n, cols).t());
        let lines = p.chunks_exact_mut(wide).zip(ds.chunks_exact_mut(wide)).take(rows.len());
        for (r, (p, ds)) in lines.enumerate() {
            through_softmax(p, up.sums[r], T::of(up.along[r]), ds);
        }
    }

    fn upstream<'a, T: Real>(
        &self,
        o: &Operands<'_, T>,
        sums: &'a [Row],
        y: &Matrices<'_, T>,
        dy: &'a Matrices<'a, T>,
        n: usize,
        rows: &Range<usize>,
    ) -> Upstream<'a, T> {
        let along = rows.clone().map(|r| dot(y.row(n, r), dy.row(n, r))).collect();
        Upstream { q: self.scaled(o, n, rows), sums: &sums[n * self.l..][rows.clone()], along, dy }
    }

    /// The gradients of queries, keys and values.
    ///
    /// A task has all queries of one matrix, or, where matrices are few, some of them and keys and values of its own,
    /// which are added up in order.
    pub fn backward<'a, T: Real>(
        &self,
        o: &Operands<'_, T>,
        sums: &[Row],
        y: &Matrices<'_, T>,
        dy: &'a Matrices<'a, T>,
    ) -> [Vec<T>; 3] {
        let &Self { batch, l, s, e, ev, .. } = self;
        let parts = PLENTY.div_ceil(batch.max(1)).min(l.div_ceil(ROWS)).max(1);
        let together = l.div_ceil(ROWS).div_ceil(parts) * ROWS;
        let parts = l.div_ceil(together.max(1));
        let mut dq = vec![T::ZERO; batch * l * e];
        let (mut dk, mut dv) = (vec![T::ZERO; batch * parts * s * e], vec![T::ZERO; batch * parts * s * ev]);
        if dk.is_empty() {
            return [dq, vec![T::ZERO; batch * s * e], vec![T::ZERO; batch * s * ev]];
        }
        let ranges = (0..batch).flat_map(|n| blocks(&(0..l), together).map(move |rows| (n, rows)));
        let queries = dq.chunks_mut(l * e).flat_map(|dq| dq.chunks_mut(together * e));
        let mut tasks: Vec<Task<'_, T>> = (ranges.zip(queries))
            .zip(dk.chunks_mut(s * e).zip(dv.chunks_mut(s * ev)))
            .map(|(((n, rows), dq), (dk, dv))| Task { n, rows, dq, dk, dv })
            .collect();
        par_blocks(&mut tasks, 1, |_, tasks| {
            for task in tasks {
                self.backward_rows(o, sums, y, dy, task);
            }
        });
        [dq, total(dk, parts, s * e), total(dv, parts, s * ev)]
    }

    fn backward_rows<'a, T: Real>(
        &self,
        o: &Operands<'_, T>,
        sums: &[Row],
        y: &Matrices<'_, T>,
        dy: &'a Matrices<'a, T>,
        task: &mut Task<'_, T>,
    ) {
        let room = ROWS * COLS.min(self.s);
        let mut buffers = [vec![T::ZERO; room], vec![T::ZERO; room]];
        let n = task.n;
        for (rows, dq) in blocks(&task.rows, ROWS).zip(task.dq.chunks_mut(ROWS * self.e)) {
            let up = self.upstream(o, sums, y, dy, n, &rows);
            for cols in self.keys(&rows) {
                self.block(o, &up, &Block { n, rows: &rows, cols: &cols }, &mut buffers);
                let [p, ds] = buffers.each_ref().map(|x| Mat::new(x, [rows.len(), cols.len()], cols.len()));
                let (dk, dv) = (&mut task.dk[cols.start * self.e..], &mut task.dv[cols.start * self.ev..]);
                multiply(dv, self.ev, Old::AddedTo, p.t(), dy.rows(n, &rows));
                multiply(dk, self.e, Old::AddedTo, ds.t(), Mat::new(&up.q, [rows.len(), self.e], self.e));
                multiply(dq, self.e, Old::AddedTo, ds, o.k.rows(n, &cols));
            }
            scale(dq, T::of(self.scale));
        }
    }

    /// The gradient of an added mask of `len` elements, the sum over all matrices that share one of the mask's.
    pub fn mask_grad<'a, T: Real>(
        &self,
        o: &Operands<'_, T>,
        sums: &[Row],
        y: &Matrices<'_, T>,
        dy: &'a Matrices<'a, T>,
        len: usize,
    ) -> Vec<T> {
        let (l, s) = (self.l, self.s);
        let mut dmask = vec![T::ZERO; len];
        let mut tasks = Vec::new();
        for (m, dmask) in dmask.chunks_mut((l * s).max(1)).enumerate() {
            tasks.extend(blocks(&(0..l), ROWS).zip(dmask.chunks_mut(ROWS * s)).map(|(rows, to)| (m, rows, to)));
        }
        par_blocks(&mut tasks, 1, |_, tasks| {
            let room = ROWS * COLS.min(s);
            let mut buffers = [vec![T::ZERO; room], vec![T::ZERO; room]];
            for (m, rows, to) in tasks {
                for n in (0..self.batch).filter(|&n| o.marks.matrix(n, l * s) == *m) {
                    let up = self.upstream(o, sums, y, dy, n, rows);
                    for cols in self.keys(rows) {
                        self.block(o, &up, &Block { n, rows, cols: &cols }, &mut buffers);
                        for (to, ds) in to.chunks_mut(s).zip(buffers[1].chunks_exact(cols.len())) {
                            to[cols.clone()].iter_mut().zip(ds).for_each(|(to, &ds)| *to += ds);
                        }
                    }
                }
            }
        });
        dmask
    }
}

/// The sums of each `parts` vectors of `size` elements.
fn total<T: Real>(all: Vec<T>, parts: usize, size: usize) -> Vec<T> {
    if parts == 1 {
        return all;
    }
    let mut totals = vec![T::ZERO; all.len() / parts];
    par_rows(&mut totals, size, |n, to| {
        for part in all[n * parts * size..][..parts * size].chunks_exact(size) {
            to.iter_mut().zip(part).for_each(|(to, &v)| *to += v);
        }
    });
    totals
}
