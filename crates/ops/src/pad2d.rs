//! Pads images.

use crate::apply;
use crate::host::{Host, dims4, dtype, for_float, output, slice, tensor};
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

const NAME: &str = "pad2d";

/// What padding is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// Zeros.
    Zero,
    /// The nearest element of the image.
    Replicate,
    /// The image mirrored at its outermost elements, which are not repeated; less padding than the image is wide.
    Reflect,
    /// The image over again; at most as much padding as the image is wide.
    Circular,
}

/// Pads `[N, C, H, W]` by `pad` = `[left, right, top, bottom]`, PyTorch's order:
/// `[N, C, top + H + bottom, left + W + right]`.
///
/// In place of candle's `pad_with_zeros` and `pad_with_same`, one side at a time and a concatenation each.
pub fn pad2d(x: &Tensor, pad: [usize; 4], with: Pad) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    if h * w == 0 {
        bail!("{NAME}: an image of at least one pixel expected, got {:?}", x.dims());
    }
    let [left, right, top, bottom] = pad;
    let most = |size: usize| match with {
        Pad::Zero | Pad::Replicate => usize::MAX,
        Pad::Reflect => size - 1,
        Pad::Circular => size,
    };
    if left.max(right) > most(w) || top.max(bottom) > most(h) {
        bail!("{NAME}: {with:?} padding of {pad:?} is too much for {:?}", x.dims());
    }
    let size = [[top, h, bottom], [left, w, right]].map(|parts| parts.into_iter().fold(0, usize::saturating_add));
    sizes::total(NAME, &[n, c, size[0], size[1]])?;
    apply::one(x, Op { planes: [n, c], input: [h, w], before: [top, left], size, with })
}

struct Op {
    planes: [usize; 2],
    input: [usize; 2],
    before: [usize; 2],
    size: [usize; 2],
    with: Pad,
}

impl Op {
    /// Along `axis`, the input position that output position `at` repeats, if any.
    fn source(&self, axis: usize, at: usize) -> Option<usize> {
        let (before, size) = (self.before[axis], self.input[axis]);
        match self.with {
            Pad::Zero => at.checked_sub(before).filter(|&at| at < size),
            Pad::Replicate => Some(at.saturating_sub(before).min(size - 1)),
            Pad::Reflect if at < before => Some(before - at),
            Pad::Reflect if at >= before + size => Some(2 * (size - 1) + before - at),
            Pad::Reflect => Some(at - before),
            Pad::Circular => Some((at + size - before) % size),
        }
    }

    /// The columns beside the image, each with the input column that it repeats.
    fn beside(&self) -> Vec<(usize, usize)> {
        let (left, w) = (self.before[1], self.input[1]);
        let columns = (0..left).chain(left + w..self.size[1]);
        columns.filter_map(|at| self.source(1, at).map(|from| (at, from))).collect()
    }
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([n, c], [h, w], [oh, ow]) = (self.planes, self.input, self.size);
        let (left, beside) = (self.before[1], self.beside());
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let y = fresh::rows(n * c * oh * ow, oh * ow, |r, y| {
                let x = &x[r * h * w..][..h * w];
                for (at, y) in y.chunks_mut(ow).enumerate() {
                    let Some(row) = self.source(0, at) else { continue };
                    let x = &x[row * w..][..w];
                    y[left..left + w].copy_from_slice(x);
                    for &(at, from) in &beside {
                        y[at] = x[from];
                    }
                }
            });
            Ok(output::<T>(y, (n, c, oh, ow)))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let ([h, w], [oh, ow]) = (self.input, self.size);
        let (left, beside) = (self.before[1], self.beside());
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let dx = fresh::rows(x.elem_count(), h * w, |r, dx| {
                for (at, dy) in dys[r * oh * ow..][..oh * ow].chunks(ow).enumerate() {
                    let Some(row) = self.source(0, at) else { continue };
                    let dx = &mut dx[row * w..][..w];
                    for (dx, &dy) in dx.iter_mut().zip(&dy[left..]) {
                        *dx += dy;
                    }
                    for &(at, from) in &beside {
                        dx[from] += dy[at];
                    }
                }
            });
            tensor::<T>(dx, x.shape()).map(Some)
        })
    }
}
