//! What augmentations that look at boxes share.

use pleach_core::Instance;

/// The axis box around an instance, x0, y0, x1, y1 in pixels: by its box, its polygon or its mask.
pub(crate) fn around(i: &Instance) -> Option<[f64; 4]> {
    if let Some(b) = i.bbox {
        return Some(b.bounds().map(f64::from)).filter(|b| b.iter().all(|v| v.is_finite()));
    }
    let empty = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    let grow = |b: [f64; 4], [x, y]: [f64; 2]| [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)];
    let bounds = if let Some(p) = &i.polygon {
        p.0.iter().flatten().map(|p| p.map(f64::from)).fold(empty, grow)
    } else {
        let mask = i.mask.as_ref()?;
        let inside = mask.inside.iter().enumerate().filter(|(_, v)| **v != 0);
        inside.fold(empty, |b, (at, _)| {
            let (x, y) = ((at % mask.width.max(1)) as f64, (at / mask.width.max(1)) as f64);
            grow(grow(b, [x, y]), [x + 1.0, y + 1.0])
        })
    };
    bounds.iter().all(|v| v.is_finite()).then_some(bounds)
}

/// The smallest axis box around several.
pub(crate) fn union(all: impl IntoIterator<Item = [f64; 4]>) -> Option<[f64; 4]> {
    all.into_iter().reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
}
