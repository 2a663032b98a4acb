//! Splits work over the one thread pool, in pieces that depend on the size of the work alone.

use rayon::prelude::*;
use std::sync::OnceLock;

/// Elements of light work (a load, a few operations, a store) that are worth waking a thread for.
const GRAIN: usize = 1 << 14;

/// The number of threads that the helpers of this crate spread work over.
///
/// The first call starts rayon's global pool with `PLEACH_THREADS` threads, or with as many as the
/// machine lends this process, unless it runs already: a pool entered by `install` is taken as it is.
pub fn threads() -> usize {
    start(Here::Asks);
    rayon::current_num_threads()
}

/// [`threads`] for the main thread of a program, before any other parallel work: it becomes one of the pool's own, so that
/// nothing is handed over to spread work and to wait for it. A thread that ends before the program must not do this.
pub fn enlist() -> usize {
    start(Here::Works);
    rayon::current_num_threads()
}

/// What the thread that starts the pool is to it.
enum Here {
    Asks,
    Works,
}

fn start(here: Here) {
    static START: OnceLock<()> = OnceLock::new();
    START.get_or_init(|| {
        let wanted = std::env::var("PLEACH_THREADS")
            .ok()
            .and_then(|v| v.parse::<usize>().ok())
            .filter(|&n| n > 0)
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(wanted);
        // A pool of one thread must not be this one: others would wait for it while it waits for them.
        let pool = if matches!(here, Here::Works) && wanted > 1 { pool.use_current_thread() } else { pool };
        // An error says that the pool runs already, which is what we want.
        let _ = pool.build_global();
    });
}

/// Calls `f(i)` for each `i < n`, each call being work worth a thread.
pub fn par_each(n: usize, f: impl Fn(usize) + Sync + Send) {
    if n < 2 || threads() == 1 {
        (0..n).for_each(f);
    } else {
        (0..n).into_par_iter().with_max_len(1).for_each(f);
    }
}

/// `f(i)` for each `i < n`, in the order of `i`; each call is work worth a thread.
pub fn par_map<R: Send>(n: usize, f: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    if n < 2 || threads() == 1 {
        (0..n).map(f).collect()
    } else {
        (0..n).into_par_iter().with_max_len(1).map(f).collect()
    }
}

/// Calls `f(i, block)` for the i-th block of `block_len` elements of `out` (the last may be shorter), each
/// call being work worth a thread.
pub fn par_blocks<T: Send>(out: &mut [T], block_len: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) {
    if block_len == 0 {
        return;
    }
    if out.len() <= block_len || threads() == 1 {
        out.chunks_mut(block_len).enumerate().for_each(|(i, b)| f(i, b));
    } else {
        out.par_chunks_mut(block_len).with_max_len(1).enumerate().for_each(|(i, b)| f(i, b));
    }
}

/// Calls `f(r, row)` for each row of `row_len` elements of `out`; light rows are dealt out many at a time.
pub fn par_rows<T: Send>(out: &mut [T], row_len: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) {
    if row_len == 0 {
        return;
    }
    let together = GRAIN.div_ceil(row_len);
    par_blocks(out, together * row_len, |b, block| {
        for (r, row) in block.chunks_mut(row_len).enumerate() {
            f(b * together + r, row);
        }
    });
}

/// [`par_rows`] over two outputs at once: row r of `a` goes with row r of `b`. Rows that only one of
/// them has are left alone.
pub fn par_rows2<A: Send, B: Send>(
    a: &mut [A],
    a_len: usize,
    b: &mut [B],
    b_len: usize,
    f: impl Fn(usize, &mut [A], &mut [B]) + Sync + Send,
) {
    if a_len == 0 || b_len == 0 {
        return;
    }
    let together = GRAIN.div_ceil(a_len.max(b_len));
    let mut pieces: Vec<(&mut [A], &mut [B])> =
        a.chunks_mut(together * a_len).zip(b.chunks_mut(together * b_len)).collect();
    par_blocks(&mut pieces, 1, |i, piece| {
        for (a, b) in piece.iter_mut() {
            for (r, (a, b)) in a.chunks_mut(a_len).zip(b.chunks_mut(b_len)).enumerate() {
                f(i * together + r, a, b);
            }
        }
    });
}

/// Cuts each slab of `rows` x `cols` elements of `out` into blocks of columns and calls
/// `f(slab, first column, the block's rows)`: work down the columns of a matrix, several columns at a time.
pub fn par_columns<T: Send>(
    out: &mut [T],
    rows: usize,
    cols: usize,
    f: impl Fn(usize, usize, &mut [&mut [T]]) + Sync + Send,
) {
    if rows == 0 || cols == 0 {
        return;
    }
    let width = (GRAIN / rows).max(16).min(cols);
    let per_slab = cols.div_ceil(width);
    let mut blocks: Vec<Vec<&mut [T]>> = Vec::new();
    blocks.resize_with(out.len().div_ceil(rows * cols) * per_slab, || Vec::with_capacity(rows));
    for (r, row) in out.chunks_mut(cols).enumerate() {
        for (b, part) in row.chunks_mut(width).enumerate() {
            blocks[r / rows * per_slab + b].push(part);
        }
    }
    par_blocks(&mut blocks, 1, |i, block| {
        for parts in block.iter_mut() {
            f(i / per_slab, i % per_slab * width, parts);
        }
    });
}
