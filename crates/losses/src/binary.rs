//! What losses of binary maps share: their inputs, and passes over pieces of slices.

use crate::batch::not_empty;
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

/// A stretch of logits, mask and gradient, with the sums over it.
pub(crate) struct Piece<'a, const N: usize> {
    /// Logits.
    pub x: &'a [f32],
    /// Mask.
    pub t: &'a [f32],
    /// The gradient by the logits; between two passes, whatever the first leaves to the second.
    pub g: &'a mut [f32],
    /// Where the stretch begins.
    pub at: usize,
    /// Sums over the stretch.
    pub sums: [f64; N],
}

/// Logits, mask and gradient in pieces that their length alone decides.
///
/// # Errors
/// They are not of one length, or of none.
pub(crate) fn pieces<'a, const N: usize>(input: &'a mut FusedInput<'_>) -> Result<Vec<Piece<'a, N>>> {
    let all = input.prediction.len();
    runs(input, all)
}

/// The same in pieces that do not reach over the ends of runs of so many elements.
///
/// # Errors
/// They are not of one length, or of none.
pub(crate) fn runs<'a, const N: usize>(input: &'a mut FusedInput<'_>, run: usize) -> Result<Vec<Piece<'a, N>>> {
    not_empty(input.shape)?;
    let n = input.prediction.len();
    if input.target.len() != n || input.gradient.len() != n {
        return Err(shapes("a mask", &[input.target.len()], &[n]));
    }
    let run = run.max(1);
    let mut pieces = Vec::with_capacity(n.div_ceil(run) * run.div_ceil(PIECE));
    let runs = input.prediction.chunks(run).zip(input.target.chunks(run)).zip(input.gradient.chunks_mut(run));
    for (r, ((x, t), g)) in runs.enumerate() {
        let parts = x.chunks(PIECE).zip(t.chunks(PIECE)).zip(g.chunks_mut(PIECE)).enumerate();
        pieces.extend(parts.map(|(i, ((x, t), g))| Piece { x, t, g, at: r * run + i * PIECE, sums: [0.0; N] }));
    }
    Ok(pieces)
}

/// Runs a pass over all pieces and adds up their sums in the order of the pieces.
pub(crate) fn pass<const N: usize>(pieces: &mut [Piece<'_, N>], f: impl Fn(&mut Piece<'_, N>) + Sync) -> [f64; N] {
    par_blocks(pieces, 1, |_, block| block.iter_mut().for_each(&f));
    let mut total = [0.0; N];
    for piece in pieces {
        for (total, sum) in total.iter_mut().zip(piece.sums) {
            *total += sum;
        }
    }
    total
}
