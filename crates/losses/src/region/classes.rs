//! The passes of losses of regions over logits and classes.

use super::{Act, Beside, Region, Terms, one_channel};
use crate::classes::{Apart, Block, Grid, Ignore, blocks, gradient};
use crate::cross_entropy::Spread;
use crate::reduce::Reduce;
use crate::strips::rewrite;
use pleach_core::Result;
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_simd::par_blocks;

/// Sums in the first pass, gradients in the second.
pub(super) fn passes(region: &Region, beside: &Beside, input: &FusedInput<'_>) -> Result<Fused> {
    let (targets, x) = (input.classes, input.prediction);
    let grid = Grid::of(input.shape, targets.len())?;
    if region.act == Act::Softmax && grid.classes == 1 {
        return Err(one_channel());
    }
    let mut gradient = gradient(input);
    let ignore = Ignore::new(region.ignore_index);
    let counts = ignore.count(grid, targets)?;
    let (region_factor, spread) = match beside {
        Beside::CrossEntropy { region, cross_entropy, of } => {
            (*region, Some((*cross_entropy, Spread::new(of, grid, &counts)?)))
        }
        _ => (1.0, None),
    };
    let squared = region.terms == Terms::Squared;
    let apart = match region.reduce {
        Reduce::Batch | Reduce::Class => Apart::Nothing,
        Reduce::Sample | Reduce::SampleClass => Apart::Samples,
    };
    let mut blocks = blocks(&mut gradient, grid, apart);
    par_blocks(&mut blocks, 1, |_, blocks| {
        for block in blocks {
            first(block, x, targets, ignore, squared, spread.as_ref().map(|(_, spread)| spread));
        }
    });
    let shape = region.reduce.groups(grid.samples, grid.classes);
    let group = |sample, class| region.reduce.group(grid.classes, sample, class);
    let mut sums = [0, 1, 2].map(|_| vec![0.0; shape[0] * shape[1]]);
    let mut cross_entropy = 0.0;
    for block in &blocks {
        let (by_class, beside) = block.sums.split_at(2 * grid.classes);
        for (class, parts) in by_class.chunks(2).enumerate() {
            for (sums, part) in sums.iter_mut().zip(parts) {
                sums[group(block.sample(), class)] += part;
            }
        }
        cross_entropy += beside.iter().sum::<f64>();
    }
    for (i, count) in counts.iter().enumerate() {
        sums[2][group(i / grid.classes, i % grid.classes)] += count;
    }
    let slopes = region.slopes(shape, sums)?;
    let factor = region_factor as f32;
    par_blocks(&mut blocks, 1, |_, blocks| {
        for block in blocks {
            let of = |class| {
                let group = group(block.sample(), class);
                [slopes.predicted[group] * factor, slopes.both[group] * factor]
            };
            let slopes: Vec<_> = (0..grid.classes).map(of).collect();
            second(block, targets, ignore, squared, &slopes, spread.as_ref());
        }
    });
    let beside = spread.map_or(0.0, |(factor, spread)| factor * spread.scale * cross_entropy);
    Ok((region_factor * slopes.value + beside, gradient))
}

/// Leaves probabilities, 0 where a target does not count, and their sums `[both, predicted]` class by class.
fn first(block: &mut Block<'_>, x: &[f32], targets: &[u32], ignore: Ignore, squared: bool, spread: Option<&Spread>) {
    let mut softmax = block.softmax(x);
    let targets = block.targets(targets);
    for (share, &y) in softmax.share.iter_mut().zip(targets) {
        if ignore.class(y).is_none() {
            *share = 0.0;
        }
    }
    let mut sums = block.with_rows(|rows| {
        let mut sums = vec![0.0; 2 * rows.len()];
        for (row, sums) in rows.iter_mut().zip(sums.chunks_mut(2)) {
            rewrite(row, &softmax.share, |e, share| e * share);
            sums[1] = if squared { pleach_simd::dot(row, row) } else { pleach_simd::sum(row) };
        }
        for (i, &y) in targets.iter().enumerate() {
            if let Some(y) = ignore.class(y) {
                sums[2 * y] += f64::from(rows[y][i]);
            }
        }
        sums
    });
    if let Some(spread) = spread {
        sums.push(spread.sum(block, x, targets, ignore, &softmax));
    }
    block.sums = sums;
}

/// Turns probabilities into the gradient.
fn second(
    block: &mut Block<'_>,
    targets: &[u32],
    ignore: Ignore,
    squared: bool,
    slopes: &[[f32; 2]],
    spread: Option<&(f64, Spread)>,
) {
    let targets = block.targets(targets);
    block.with_rows(|rows| {
        // What all p of a target are worth together, which softmax takes away from each.
        let own = |(i, &y): (usize, &u32)| ignore.class(y).map_or(0.0, |y| rows[y][i] * slopes[y][1]);
        let own: Vec<f32> = targets.iter().enumerate().map(own).collect();
        let mut less = own.clone();
        for (row, &[by_p, _]) in rows.iter().zip(slopes) {
            match squared {
                true => rewrite(&mut less, row, |less, p| less + p * (2.0 * p * by_p)),
                false => rewrite(&mut less, row, |less, p| less + p * by_p),
            }
        }
        // Cross-entropy's part is made beside, not among the rest: where a prediction is right its terms cancel exactly.
        let mut beside = vec![0.0; if spread.is_some() { rows.len() * targets.len() } else { 0 }];
        if let Some((factor, spread)) = spread {
            let weights = spread.weights(targets, ignore, *factor);
            let mut lines: Vec<&mut [f32]> = beside.chunks_mut(targets.len().max(1)).collect();
            for (line, row) in lines.iter_mut().zip(rows.iter()) {
                line.copy_from_slice(&weights);
                rewrite(line, row, |weight, p| weight * p);
            }
            spread.take(&mut lines, targets, ignore, *factor);
        }
        for (row, &[by_p, _]) in rows.iter_mut().zip(slopes) {
            match squared {
                true => rewrite(row, &less, |p, less| p * (2.0 * p * by_p - less)),
                false => rewrite(row, &less, |p, less| p * (by_p - less)),
            }
        }
        for (i, (&y, own)) in targets.iter().zip(&own).enumerate() {
            if let Some(y) = ignore.class(y) {
                rows[y][i] += own;
            }
        }
        for (row, line) in rows.iter_mut().zip(beside.chunks(targets.len().max(1))) {
            rewrite(row, line, |g, v| g + v);
        }
    });
}
