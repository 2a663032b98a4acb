//! Passes over arrays `[samples, channels, pixels]`, all channels of some pixels at a time.

use crate::fresh::{written, zeroed};
use crate::turn::{Rows, turn};
use crate::workspaces::{Lines, Workspaces};
use pleach_simd::{CACHE_LINE, Float, par_blocks, prefetch};
use std::ops::Range;

/// Elements of a block: side by side they fit the nearer caches.
const BLOCK: usize = 1 << 14;
/// Elements of a cache line.
const LINE: usize = CACHE_LINE / size_of::<f32>();

/// An array `[samples, channels, pixels]` in blocks, each of all channels of some pixels and work worth a thread. The shape alone
/// decides them.
///
/// A pass over a block happens in a copy whose channels lie side by side: where they are, planes apart, they would push each other
/// out of the caches, which keep only so many lines of like addresses.
#[derive(Debug, Clone, Copy)]
pub struct Pixels {
    /// All elements.
    len: usize,
    channels: usize,
    pixels: usize,
    /// Pixels of a block; if it could hold all of a sample, how many samples it has.
    width: usize,
    samples: Option<usize>,
}

/// What one thread works on.
struct Block<'a, T, R> {
    /// Its pixels, counted over all samples.
    pixels: Range<usize>,
    /// Where it lies: a slice for each channel, or one for all, of whole samples.
    parts: Vec<&'a mut [T]>,
    done: Option<R>,
}

impl Pixels {
    /// Blocks of an array of this shape, each of one sample if that is asked for.
    pub fn new([samples, channels, pixels]: [usize; 3], one_sample: bool) -> Self {
        // What no memory holds is refused where it is asked for: a product that wraps would leave elements unwritten.
        let len = samples.saturating_mul(channels).saturating_mul(pixels);
        let (channels, pixels) = (channels.max(1), pixels.max(1));
        // An odd number of lines, so that not even the rows of the copy have like addresses.
        let width = BLOCK / channels / (2 * LINE) * (2 * LINE) + LINE;
        let together = if one_sample { 1 } else { (width / pixels).clamp(1, samples.max(1)) };
        Self { len, channels, pixels, width, samples: (pixels <= width).then_some(together) }
    }

    /// What `f` makes of `x`. It is given which pixels, counted over all samples, and a row of their elements for each channel, one
    /// behind the other, and leaves there what is to stand in their place. Also what it returns, in the order of blocks.
    pub fn made<R: Send>(
        &self,
        x: &[f32],
        f: impl Fn(Range<usize>, &mut [f32]) -> R + Sync + Send,
    ) -> (Vec<f32>, Vec<R>) {
        let mut done = Vec::new();
        let all = written(self.len, 1, |all| {
            done = self.each(all, Some(x), zeroed, f);
        });
        (all, done)
    }

    /// The same, in place of what it is made of.
    pub fn remade<R: Send>(&self, all: &mut [f32], f: impl Fn(Range<usize>, &mut [f32]) -> R + Sync + Send) -> Vec<R> {
        self.each(&mut all[..self.len], None, |run| run, f)
    }

    /// Goes through all blocks, of `x` or of what is there; `elements` gives a run of them to be written.
    fn each<T: Send, R: Send>(
        &self,
        all: &mut [T],
        x: Option<&[f32]>,
        elements: impl Fn(&mut [T]) -> &mut [f32] + Sync + Send,
        f: impl Fn(Range<usize>, &mut [f32]) -> R + Sync + Send,
    ) -> Vec<R> {
        let (channels, copies, mut blocks) = (self.channels, Workspaces::new(), self.blocks(all));
        let widest = blocks.iter().map(|block| block.pixels.len()).max().unwrap_or(0);
        par_blocks(&mut blocks, 1, |_, blocks| {
            for block in blocks {
                let len = block.pixels.len();
                copies.with(
                    || Lines::zeros(channels * widest),
                    |copy| {
                        let rows = &mut copy.all()[..channels * len];
                        self.runs(block, |at, place, run| {
                            let x = match x {
                                Some(x) => &x[at..at + run.len()],
                                None => elements(run),
                            };
                            match place {
                                Some(place) => copy_run(x, &mut rows[place], x.as_ptr().wrapping_add(self.pixels)),
                                None => turn(x, channels, &mut Rows::of(rows, channels, len, len)),
                            }
                        });
                        block.done = Some(f(block.pixels.clone(), rows));
                        self.runs(block, |_, place, run| {
                            let to = elements(run);
                            match place {
                                Some(place) => copy_run(&rows[place], to, to.as_ptr().wrapping_add(self.pixels)),
                                None => turn(rows, len, &mut Rows::of(to, len, channels, channels)),
                            }
                        });
                    },
                );
            }
        });
        blocks.into_iter().filter_map(|block| block.done).collect()
    }

    fn blocks<'a, T, R>(&self, all: &'a mut [T]) -> Vec<Block<'a, T, R>> {
        let Self { channels, pixels, width, .. } = *self;
        let block = |pixels| Block { pixels, parts: Vec::new(), done: None };
        if let Some(samples) = self.samples {
            let (mut first, chunks) = (0, all.chunks_mut(samples * channels * pixels));
            let whole = chunks.map(|part| {
                let end = first + part.len() / channels;
                Block { parts: vec![part], ..block(std::mem::replace(&mut first, end)..end) }
            });
            return whole.collect();
        }
        let (samples, per_sample) = (all.len() / (channels * pixels), pixels.div_ceil(width));
        let within = |s: usize| (0..pixels).step_by(width).map(move |p| (s * pixels + p, width.min(pixels - p)));
        let mut blocks: Vec<_> = (0..samples).flat_map(within).map(|(first, len)| block(first..first + len)).collect();
        for (r, row) in all.chunks_mut(pixels).enumerate() {
            let of_sample = blocks.iter_mut().skip(r / channels * per_sample);
            of_sample.zip(row.chunks_mut(width)).for_each(|(block, part)| block.parts.push(part));
        }
        blocks
    }

    /// Calls `f` for each run of a block's elements: with the place of its first among all, and its own among the rows of the copy,
    /// if it has one: of samples of one pixel all elements are one run, to be turned.
    fn runs<T, R>(&self, block: &mut Block<'_, T, R>, mut f: impl FnMut(usize, Option<Range<usize>>, &mut [T])) {
        let Self { channels, pixels, .. } = *self;
        let (start, len) = (block.pixels.start, block.pixels.len());
        let first = start / pixels * channels * pixels + start % pixels;
        if pixels == 1 {
            return block.parts.iter_mut().for_each(|all| f(first, None, all));
        }
        for (i, run) in block.parts.iter_mut().flat_map(|part| part.chunks_mut(pixels)).enumerate() {
            let place = i % channels * len + i / channels * pixels;
            f(first + i * pixels, Some(place..place + run.len()), run);
        }
    }
}

pleach_simd::lanes! {
    /// Copies a run and calls meanwhile, line by line, for what will be read or written next.
    fn copy_run<T: Float>(from: &[T], to: &mut [T], next: *const T) {
        let ((from, last), (to, end)) = (from.as_chunks::<LINE>(), to.as_chunks_mut::<LINE>());
        for (i, (to, from)) in to.iter_mut().zip(from).enumerate() {
            prefetch(next.wrapping_add(i * LINE));
            *to = *from;
        }
        end.copy_from_slice(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 64 }))]

        #[test]
        fn every_element_is_handed_out_once_at_its_channel_and_pixel(
            samples in 0..5usize,
            channels in 1..40usize,
            pixels in prop_oneof![Just(1), 2..70usize, 400..9000usize],
            one_sample: bool,
        ) {
            let x: Vec<f32> = (0..samples * channels * pixels).map(|i| i as f32).collect();
            let shape = Pixels::new([samples, channels, pixels], one_sample);
            let pass = |at: Range<usize>, rows: &mut [f32]| {
                for (c, row) in rows.chunks_mut(at.len()).enumerate() {
                    for (v, p) in row.iter_mut().zip(at.clone()) {
                        assert_eq!(*v, ((p / pixels * channels + c) * pixels + p % pixels) as f32);
                        *v += 0.5;
                    }
                }
                assert!(!one_sample || at.start / pixels == (at.end - 1) / pixels);
                at
            };
            let (mut made, blocks) = shape.made(&x, pass);
            prop_assert!(made.iter().zip(&x).all(|(made, x)| *made == x + 0.5));
            prop_assert_eq!(made.len(), x.len());
            made.copy_from_slice(&x);
            prop_assert_eq!(&shape.remade(&mut made, pass), &blocks);
            prop_assert!(made.iter().zip(&x).all(|(made, x)| *made == x + 0.5));
            let all: Vec<usize> = blocks.into_iter().flatten().collect();
            prop_assert_eq!(all, (0..samples * pixels).collect::<Vec<_>>());
        }
    }
}
