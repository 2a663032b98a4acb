//! The passes of losses of regions over logits and classes.

use super::{Act, Beside, Region, Terms, one_channel};
use crate::classes::{Grid, Ignore, own, softmax};
use crate::cross_entropy::Spread;
use crate::reduce::Reduce;
use crate::strips::rewrite;
use pleach_core::Result;
use pleach_core::kinds::backend::{Fused, FusedInput};

/// Sums in the first pass, gradients in the second.
pub(super) fn passes(region: &Region, beside: &Beside, input: &FusedInput<'_>) -> Result<Fused> {
    let (targets, x) = (input.classes, input.prediction);
    let grid = Grid::of(input.shape, targets.len())?;
    if region.act == Act::Softmax && grid.classes == 1 {
        return Err(one_channel());
    }
    let ignore = Ignore::new(region.ignore_index);
    let counts = ignore.count(grid, targets)?;
    let (region_factor, spread) = match beside {
        Beside::CrossEntropy { region, cross_entropy, of } => {
            (*region, Some((*cross_entropy, Spread::new(of, grid, &counts)?)))
        }
        _ => (1.0, None),
    };
    let squared = region.terms == Terms::Squared;
    let blocks = grid.blocks(matches!(region.reduce, Reduce::Sample | Reduce::SampleClass));
    let (mut gradient, parts) = blocks.made(x, |pixels, rows| {
        let (sample, spread) = (pixels.start / grid.pixels, spread.as_ref().map(|(_, spread)| spread));
        (sample, first(rows, &targets[pixels], ignore, squared, spread))
    });
    let shape = region.reduce.groups(grid.samples, grid.classes);
    let group = |sample, class| region.reduce.group(grid.classes, sample, class);
    let mut sums = [0, 1, 2].map(|_| vec![0.0; shape[0] * shape[1]]);
    let mut cross_entropy = 0.0;
    for (sample, (by_class, beside)) in parts {
        for (class, parts) in by_class.into_iter().enumerate() {
            for (sums, part) in sums.iter_mut().zip(parts) {
                sums[group(sample, class)] += part;
            }
        }
        cross_entropy += beside;
    }
    for (i, count) in counts.iter().enumerate() {
        sums[2][group(i / grid.classes, i % grid.classes)] += count;
    }
    let slopes = region.slopes(shape, sums)?;
    let factor = region_factor as f32;
    blocks.remade(&mut gradient, |pixels, rows| {
        let of = |class| {
            let group = group(pixels.start / grid.pixels, class);
            [slopes.predicted[group] * factor, slopes.both[group] * factor]
        };
        let slopes: Vec<_> = (0..grid.classes).map(of).collect();
        second(rows, &targets[pixels], ignore, squared, &slopes, spread.as_ref());
    });
    let beside = spread.map_or(0.0, |(factor, spread)| factor * spread.scale * cross_entropy);
    Ok((region_factor * slopes.value + beside, gradient))
}

/// Leaves probabilities, 0 where a target does not count; their sums `[both, predicted]` class by class, and that of the losses
/// beside.
fn first(
    rows: &mut [f32],
    targets: &[u32],
    ignore: Ignore,
    squared: bool,
    spread: Option<&Spread>,
) -> (Vec<[f64; 2]>, f64) {
    let n = targets.len();
    let logits = spread.map(|spread| (spread, spread.logits(rows, targets, ignore)));
    let mut softmax = softmax(rows, n);
    for (share, &y) in softmax.share.iter_mut().zip(targets) {
        if ignore.class(y).is_none() {
            *share = 0.0;
        }
    }
    let of = |row: &mut [f32]| {
        rewrite(row, &softmax.share, |e, share| e * share);
        [0.0, if squared { pleach_simd::dot(row, row) } else { pleach_simd::sum(row) }]
    };
    let mut sums: Vec<[f64; 2]> = rows.chunks_mut(n).map(of).collect();
    for (i, &y) in targets.iter().enumerate() {
        if let Some(y) = ignore.class(y) {
            sums[y][0] += f64::from(rows[y * n + i]);
        }
    }
    let beside = logits.map_or(0.0, |(spread, logits)| spread.sum(&logits, targets, ignore, &softmax.log_sum));
    (sums, beside)
}

/// Turns probabilities into the gradient.
fn second(
    rows: &mut [f32],
    targets: &[u32],
    ignore: Ignore,
    squared: bool,
    slopes: &[[f32; 2]],
    spread: Option<&(f64, Spread)>,
) {
    let n = targets.len();
    // What all p of a target are worth together, which softmax takes away from each.
    let mut own = own(rows, targets, ignore);
    for (own, &y) in own.iter_mut().zip(targets) {
        *own *= ignore.class(y).map_or(0.0, |y| slopes[y][1]);
    }
    let mut less = own.clone();
    for (row, &[by_p, _]) in rows.chunks(n).zip(slopes) {
        match squared {
            true => rewrite(&mut less, row, |less, p| less + p * (2.0 * p * by_p)),
            false => rewrite(&mut less, row, |less, p| less + p * by_p),
        }
    }
    // Cross-entropy's part is made beside, not among the rest: where a prediction is right its terms cancel exactly.
    let mut beside = Vec::new();
    if let Some((factor, spread)) = spread {
        let weights = spread.weights(targets, ignore, *factor);
        beside.extend_from_slice(rows);
        beside.chunks_mut(n).for_each(|row| rewrite(row, &weights, |p, weight| p * weight));
        spread.take(&mut beside, targets, ignore, *factor);
    }
    for (row, &[by_p, _]) in rows.chunks_mut(n).zip(slopes) {
        match squared {
            true => rewrite(row, &less, |p, less| p * (2.0 * p * by_p - less)),
            false => rewrite(row, &less, |p, less| p * (by_p - less)),
        }
    }
    for (i, (&y, own)) in targets.iter().zip(&own).enumerate() {
        if let Some(y) = ignore.class(y) {
            rows[y * n + i] += own;
        }
    }
    if spread.is_some() {
        rewrite(rows, &beside, |g, v| g + v);
    }
}
