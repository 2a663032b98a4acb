//! Polygons and disks as OpenCV fills them.

/// Which pixels a polygon covers, row by row: those inside by the even-odd rule, and those on its edges.
pub(crate) fn polygon(points: &[(i64, i64)], width: usize, height: usize) -> Vec<bool> {
    let mut covered = vec![false; width * height];
    let mut mark = |y: i64, from: i64, to: i64| {
        let (from, to) = (from.max(0), (to + 1).min(width as i64));
        if (0..height as i64).contains(&y) && from < to {
            let row = y as usize * width;
            covered[row + from as usize..row + to as usize].fill(true);
        }
    };
    let edges: Vec<_> = points.iter().zip(points.iter().cycle().skip(1)).map(|(&a, &b)| (a, b)).collect();
    for &(a, b) in &edges {
        line(a, b, |x, y| mark(y, x, x));
    }
    for y in 0..height as i64 {
        // Where edges cross the row, with 16 bits of fraction; an edge does not reach its lower end.
        let cross = |&((x0, y0), (x1, y1)): &((i64, i64), (i64, i64))| {
            let ((x0, y0), (x1, y1)) = if y0 <= y1 { ((x0, y0), (x1, y1)) } else { ((x1, y1), (x0, y0)) };
            (y0 <= y && y < y1).then(|| (x0 << 16) + (y - y0) * (((x1 - x0) << 16) / (y1 - y0)))
        };
        let mut crossings: Vec<i64> = edges.iter().filter_map(cross).collect();
        crossings.sort_unstable();
        for pair in crossings.as_chunks::<2>().0 {
            mark(y, (pair[0] + 0xffff) >> 16, pair[1] >> 16);
        }
    }
    covered
}

/// Bresenham's line from left to right, as OpenCV's `LineIterator` takes it.
fn line(a: (i64, i64), b: (i64, i64), mut visit: impl FnMut(i64, i64)) {
    let ((x0, y0), (x1, y1)) = if b.0 < a.0 { (b, a) } else { (a, b) };
    let (dx, dy, down) = (x1 - x0, (y1 - y0).abs(), (y1 - y0).signum());
    let (long, short) = (dx.max(dy), dx.min(dy));
    let (mut x, mut y, mut error) = (x0, y0, long - 2 * short);
    for _ in 0..=long {
        visit(x, y);
        let both = error < 0;
        error += if both { 2 * long } else { 0 } - 2 * short;
        if dx >= dy || both {
            x += 1;
        }
        if dx < dy || both {
            y += down;
        }
    }
}

/// How far a filled circle reaches to each side, in its rows from the centre down.
pub(crate) fn disk(radius: i64) -> Vec<i64> {
    let mut reach = vec![0; radius as usize + 1];
    let (mut error, mut dx, mut dy, mut plus, mut minus) = (0, radius, 0, 1, 2 * radius - 1);
    while dx >= dy {
        reach[dy as usize] = reach[dy as usize].max(dx);
        reach[dx as usize] = reach[dx as usize].max(dy);
        dy += 1;
        error += plus;
        plus += 2;
        if error > 0 {
            error -= minus;
            dx -= 1;
            minus -= 2;
        }
    }
    reach
}
