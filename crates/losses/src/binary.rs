//! What losses of binary maps share: their inputs, and passes over pieces of slices.

use crate::batch::not_empty;
use crate::strips::STRIP;
use pleach_core::kinds::backend::FusedInput;
use pleach_core::{DType, Error, Form, LossInput, Result, Target, Tensor, Wants};
use pleach_simd::par_blocks;

/// Logits against a mask.
pub(crate) const WANTS: Wants = Wants { form: Form::Logits, target: Target::Mask };

/// The logits in f32 or f64, and the mask of their shape in their type.
pub(crate) fn inputs(x: &LossInput<'_>) -> Result<(Tensor, Tensor)> {
    let logits = widened(x.prediction)?;
    not_empty(logits.dims())?;
    let mask = x.target(Target::Mask)?;
    if mask.dims() != logits.dims() {
        return Err(shapes("a mask", mask.dims(), logits.dims()));
    }
    let mask = mask.to_dtype(logits.dtype())?;
    Ok((logits, mask))
}

/// A prediction in at least f32.
pub(crate) fn widened(prediction: &Tensor) -> Result<Tensor> {
    Ok(match prediction.dtype() {
        DType::F32 | DType::F64 => prediction.clone(),
        _ => prediction.to_dtype(DType::F32)?,
    })
}

/// The error for a target that does not fit.
pub(crate) fn shapes(what: &str, target: &[usize], prediction: &[usize]) -> Error {
    Error::new("PL0217", format!("{what} of shape {target:?} does not fit logits of shape {prediction:?}"))
}

/// Elements for one thread.
const PIECE: usize = 1 << 14;

/// Some elements that follow each other.
pub(crate) struct Stretch<'a> {
    /// Logits.
    pub x: &'a [f32],
    /// Mask.
    pub t: &'a [f32],
    /// Where they begin among all.
    pub at: usize,
}

/// A stretch for one thread, with the sums over it.
pub(crate) struct Piece<'a, const N: usize> {
    pub all: Stretch<'a>,
    pub sums: [f64; N],
}

/// Logits and mask in pieces that their length alone decides.
///
/// # Errors
/// They are not of one length, or of none.
pub(crate) fn pieces<'a, const N: usize>(input: &FusedInput<'a>) -> Result<Vec<Piece<'a, N>>> {
    runs(input, input.prediction.len())
}

/// The same in pieces that do not reach over the ends of runs of so many elements.
///
/// # Errors
/// They are not of one length, or of none.
pub(crate) fn runs<'a, const N: usize>(input: &FusedInput<'a>, run: usize) -> Result<Vec<Piece<'a, N>>> {
    not_empty(input.shape)?;
    let n = input.prediction.len();
    if input.target.len() != n {
        return Err(shapes("a mask", &[input.target.len()], &[n]));
    }
    let run = run.max(1);
    let mut pieces = Vec::with_capacity(n.div_ceil(run) * run.div_ceil(PIECE));
    for (r, (x, t)) in input.prediction.chunks(run).zip(input.target.chunks(run)).enumerate() {
        let parts = x.chunks(PIECE).zip(t.chunks(PIECE)).enumerate();
        let stretch = |(i, (x, t))| Stretch { x, t, at: r * run + i * PIECE };
        pieces.extend(parts.map(|part| Piece { all: stretch(part), sums: [0.0; N] }));
    }
    Ok(pieces)
}

/// Runs a pass over all pieces, strip by strip: `f` is given some elements and their part of the gradient by the logits (in a pass
/// before the last, whatever it leaves to the next), as zeros, and returns its sums. Makes the gradient, and the sums in the
/// order of the pieces.
pub(crate) fn pass<const N: usize>(
    pieces: &mut [Piece<'_, N>],
    f: impl Fn(&Stretch<'_>, &mut [f32]) -> [f64; N] + Sync + Send,
) -> (Vec<f32>, [f64; N]) {
    let strip = |piece: &mut Piece<'_, N>, from: usize, g: &mut [f32]| {
        let (Stretch { x, t, at }, to) = (&piece.all, from + g.len());
        let sums = f(&Stretch { x: &x[from..to], t: &t[from..to], at: at + from }, g);
        add(&mut piece.sums, sums);
    };
    let gradient = pleach_ops::pieces(pieces, STRIP, |piece| piece.all.x.len(), strip);
    let mut total = [0.0; N];
    pieces.iter().for_each(|piece| add(&mut total, piece.sums));
    (gradient, total)
}

fn add<const N: usize>(total: &mut [f64; N], sums: [f64; N]) {
    total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
}

/// Runs another pass over pieces and their parts of the gradient.
pub(crate) fn pass_again<const N: usize>(
    pieces: &[Piece<'_, N>],
    gradient: &mut [f32],
    f: impl Fn(&Stretch<'_>, &mut [f32]) + Sync + Send,
) {
    let mut rest = gradient;
    let mut parts = Vec::with_capacity(pieces.len());
    for Piece { all, .. } in pieces {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(all.x.len());
        parts.push((all, part));
        rest = after;
    }
    par_blocks(&mut parts, 1, |_, parts| parts.iter_mut().for_each(|(all, part)| f(all, part)));
}
