//! The forward pass: weights times patches, tile by tile.

use super::{Geometry, geometry::Tiles, patches};
use crate::host::Real;
use crate::matrix::{Mat, Old, multiply};
use pleach_simd::par_blocks;
use std::ops::Range;

/// A tile of one group's output: its rows, image by image and channel by channel within an image.
struct Task<'a, T> {
    group: usize,
    images: Range<usize>,
    pixels: Range<usize>,
    rows: Vec<&'a mut [T]>,
}

pub(super) fn forward<T: Real>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let area = g.area_out();
    let mut y = vec![T::ZERO; g.images * g.groups * g.co * area];
    let tiles = Tiles::new(g, g.depth());
    let mut tasks = cut(g, tiles, &mut y);
    par_blocks(&mut tasks, 1, |_, tasks| {
        for task in tasks {
            tile(g, x, w, bias, task);
        }
    });
    y
}

/// Deals the rows of the output out to tiles.
fn cut<'a, T>(g: &Geometry, tiles: Tiles, y: &'a mut [T]) -> Vec<Task<'a, T>> {
    let (parts, area) = (tiles.parts(), g.area_out());
    let mut tasks = Vec::new();
    for (images, pixels) in tiles.all(g.images) {
        for group in 0..g.groups {
            tasks.push(Task {
                group,
                images: images.clone(),
                pixels: pixels.clone(),
                rows: Vec::with_capacity(images.len() * g.co),
            });
        }
    }
    for (r, row) in y.chunks_mut(area).enumerate() {
        let (image, group) = (r / (g.groups * g.co), r / g.co % g.groups);
        for (p, piece) in row.chunks_mut(tiles.pixels).enumerate() {
            let task = ((image / tiles.images) * parts + p) * g.groups + group;
            tasks[task].rows.push(piece);
        }
    }
    tasks
}

fn tile<T: Real>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>, task: &mut Task<'_, T>) {
    let (depth, group) = (g.depth(), task.group);
    let size = g.ci * g.area_in();
    let image = |n: usize| &x[(n * g.groups + group) * size..][..size];
    let (each, width) = (task.pixels.len(), task.pixels.len() * task.images.len());
    let w = Mat::new(&w[group * g.co * depth..], [g.co, depth], depth);

    let mut out = vec![T::ZERO; g.co * width];
    if g.pointwise() && task.images.len() == 1 {
        let x = &image(task.images.start)[task.pixels.start..];
        let x = Mat::new(x, [depth, width], g.area_in());
        multiply(&mut out, width, Old::Overwritten, w, x);
    } else {
        let mut cols = vec![T::ZERO; depth * width];
        for (i, n) in task.images.clone().enumerate() {
            patches::gather(g, image(n), &task.pixels, &mut cols, width, i * each);
        }
        let cols = Mat::new(&cols, [depth, width], width);
        multiply(&mut out, width, Old::Overwritten, w, cols);
    }
    for (r, row) in task.rows.iter_mut().enumerate() {
        let (i, c) = (r / g.co, r % g.co);
        let from = &out[c * width + i * each..][..each];
        match bias {
            None => row.copy_from_slice(from),
            Some(bias) => {
                let bias = bias[group * g.co + c];
                for (y, &v) in row.iter_mut().zip(from) {
                    *y = v + bias;
                }
            }
        }
    }
}
