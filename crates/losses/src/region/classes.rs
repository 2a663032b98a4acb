//! The passes of losses of regions over logits and classes.

use super::{Act, Beside, Region, Terms, one_channel};
use crate::classes::{Apart, Block, Grid, Ignore, blocks};
use crate::cross_entropy::Spread;
use crate::reduce::Reduce;
use pleach_core::Result;
use pleach_core::kinds::backend::FusedInput;
use pleach_simd::par_blocks;

/// Sums in the first pass, gradients in the second.
pub(super) fn passes(region: &Region, beside: &Beside, input: &mut FusedInput<'_>) -> Result<f64> {
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
    let apart = match region.reduce {
        Reduce::Batch | Reduce::Class => Apart::Nothing,
        Reduce::Sample | Reduce::SampleClass => Apart::Samples,
    };
    let mut blocks = blocks(input, grid, apart)?;
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
    Ok(region_factor * slopes.value + beside)
}

/// Leaves probabilities, 0 where a target does not count, and their sums `[both, predicted]` class by class.
fn first(block: &mut Block<'_>, x: &[f32], targets: &[u32], ignore: Ignore, squared: bool, spread: Option<&Spread>) {
    let mut softmax = block.softmax(x);
    let (len, targets) = (block.len, block.targets(targets));
    let classes = softmax.p.len() / len;
    let mut sums = vec![0.0; 2 * classes];
    for (i, &y) in targets.iter().enumerate() {
        match ignore.class(y) {
            Some(y) => sums[2 * y] += f64::from(softmax.p[y * len + i]),
            None => softmax.p.iter_mut().skip(i).step_by(len).for_each(|p| *p = 0.0),
        }
    }
    for (row, sums) in softmax.p.chunks(len).zip(sums.chunks_mut(2)) {
        sums[1] = if squared { pleach_simd::dot(row, row) } else { pleach_simd::sum(row) };
    }
    if let Some(spread) = spread {
        sums.push(spread.sum(block, x, targets, ignore, &softmax));
    }
    block.write(&softmax.p);
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
    let mut rows = block.read();
    let (len, targets) = (block.len, block.targets(targets));
    // What each p is worth, and the mean of it over the classes of a target, which softmax takes away.
    let worth = |p: f32, by_p: f32| if squared { 2.0 * p * by_p } else { by_p };
    let mut mean = vec![0.0; len];
    for (row, [by_p, _]) in rows.chunks(len).zip(slopes) {
        mean.iter_mut().zip(row).for_each(|(mean, &p)| *mean += p * worth(p, *by_p));
    }
    let own: Vec<f32> = targets
        .iter()
        .enumerate()
        .map(|(i, &y)| match ignore.class(y) {
            Some(y) => rows[y * len + i] * slopes[y][1],
            None => 0.0,
        })
        .collect();
    mean.iter_mut().zip(&own).for_each(|(mean, own)| *mean += own);
    let mut gradient = vec![0.0; rows.len()];
    for ((row, gradient), [by_p, _]) in rows.chunks(len).zip(gradient.chunks_mut(len)).zip(slopes) {
        for ((&p, g), mean) in row.iter().zip(gradient).zip(&mean) {
            *g = p * (worth(p, *by_p) - mean);
        }
    }
    for (i, (&y, own)) in targets.iter().zip(&own).enumerate() {
        if let Some(y) = ignore.class(y) {
            gradient[y * len + i] += own;
        }
    }
    if let Some((factor, spread)) = spread {
        spread.gradient(&mut rows, targets, ignore, *factor);
        gradient.iter_mut().zip(&rows).for_each(|(g, row)| *g += row);
    }
    block.write(&gradient);
}
