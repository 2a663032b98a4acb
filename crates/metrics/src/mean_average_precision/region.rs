//! What an instance covers, and how far two of them overlap: by upright boxes, by masks, by turned boxes.

use super::IouType;
use pleach_core::{Instance, Mask, RotBox};

/// What an instance covers.
pub(super) enum Region {
    /// An upright box: x, y, width, height.
    Upright([f64; 4]),
    /// The four corners of a box that may be turned, in order, and its area.
    Turned([[f64; 2]; 4], f64),
    /// Pixels.
    Pixels(Runs),
}

impl Region {
    /// What an instance covers in the sense of `iou_type`, or what it lacks.
    pub(super) fn of(instance: &Instance, iou_type: IouType) -> Result<Self, &'static str> {
        match iou_type {
            IouType::Bbox => match instance.bbox {
                None => Err("has no box"),
                Some(b) if b.angle != 0.0 => Err("has a turned box, which `iou_type = \"rotated_bbox\"` compares"),
                Some(b) => {
                    let [cx, cy, w, h] = [b.cx, b.cy, b.w, b.h].map(f64::from);
                    Ok(Self::Upright([cx - 0.5 * w, cy - 0.5 * h, w, h]))
                }
            },
            IouType::RotatedBbox => {
                instance.bbox.map(|b| Self::Turned(corners(&b), f64::from(b.w) * f64::from(b.h))).ok_or("has no box")
            }
            IouType::Segm => match &instance.mask {
                None => Err("has no mask"),
                Some(mask) => Runs::of(mask).map(Self::Pixels).ok_or("has a mask of another number of pixels"),
            },
        }
    }

    pub(super) fn area(&self) -> f64 {
        match self {
            Self::Upright([_, _, w, h]) => w * h,
            Self::Turned(_, area) => *area,
            Self::Pixels(runs) => runs.area as f64,
        }
    }

    /// Intersection over union with a true region, or, with a crowd, over the area of `self` alone.
    /// `None` for masks of different frames.
    pub(super) fn overlap(&self, truth: &Self, crowd: Crowd) -> Option<f64> {
        let shared = match (self, truth) {
            (Self::Upright(a), Self::Upright(b)) => {
                let reach = |i: usize| (a[i] + a[i + 2]).min(b[i] + b[i + 2]) - a[i].max(b[i]);
                reach(0).max(0.0) * reach(1).max(0.0)
            }
            (Self::Turned(a, _), Self::Turned(b, _)) => shared_area(a, b),
            (Self::Pixels(a), Self::Pixels(b)) if a.size == b.size => a.shared(b) as f64,
            _ => return None,
        };
        let whole = match crowd {
            Crowd::Yes => self.area(),
            Crowd::No => self.area() + truth.area() - shared,
        };
        Some(if shared > 0.0 { shared / whole } else { 0.0 })
    }
}

/// Whether a true region is a crowd.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowd {
    Yes,
    No,
}

/// A mask as stretches of pixels in reading order.
pub(super) struct Runs {
    size: (usize, usize),
    /// First pixel and one past the last.
    runs: Vec<[usize; 2]>,
    area: usize,
}

impl Runs {
    /// `None` where the mask does not have the pixels that its size promises.
    fn of(mask: &Mask) -> Option<Self> {
        if mask.width.checked_mul(mask.height) != Some(mask.inside.len()) {
            return None;
        }
        let (mut runs, mut area, mut at) = (Vec::new(), 0, 0);
        loop {
            let start = end_of_run(&mask.inside, at, 0);
            if start == mask.inside.len() {
                break;
            }
            at = start;
            // Whatever is not 0 is inside; 1 is what it should be, and what goes fast.
            while mask.inside.get(at).is_some_and(|&p| p != 0) {
                at = end_of_run(&mask.inside, at, 1).max(at + 1);
            }
            runs.push([start, at]);
            area += at - start;
        }
        Some(Self { size: (mask.width, mask.height), runs, area })
    }

    /// How many pixels both have.
    fn shared(&self, other: &Self) -> usize {
        // Stretches that end before the other mask begins have nothing to share.
        let from = |runs: &Self, other: &Self| {
            let first = other.runs.first().map_or(usize::MAX, |r| r[0]);
            runs.runs.partition_point(|r| r[1] <= first)
        };
        let mut a = self.runs.iter().skip(from(self, other)).peekable();
        let mut b = other.runs.iter().skip(from(other, self)).peekable();
        let mut shared = 0;
        while let (Some([a0, a1]), Some([b0, b1])) = (a.peek(), b.peek()) {
            shared += a1.min(b1).saturating_sub(*a0.max(b0));
            if a1 <= b1 {
                a.next()
            } else {
                b.next()
            };
        }
        shared
    }
}

/// The first place from `at` on where a byte is not `value`.
fn end_of_run(bytes: &[u8], mut at: usize, value: u8) -> usize {
    let wide = [value; 32];
    while bytes.get(at..at + 32) == Some(&wide) {
        at += 32;
    }
    bytes.iter().skip(at).position(|&b| b != value).map_or(bytes.len(), |n| at + n)
}

fn corners(b: &RotBox) -> [[f64; 2]; 4] {
    let [cx, cy, w, h, angle] = [b.cx, b.cy, b.w, b.h, b.angle].map(f64::from);
    let (sin, cos) = angle.sin_cos();
    [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(u, v)| {
        let (dx, dy) = (u * w, v * h);
        [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos]
    })
}

/// The area that two rectangles share: the first is cut along each side of the second (Sutherland and Hodgman, 1974).
fn shared_area(a: &[[f64; 2]; 4], b: &[[f64; 2]; 4]) -> f64 {
    let mut ring = a.to_vec();
    for (from, to) in b.iter().zip(b.iter().cycle().skip(1)) {
        // Corners go round with the x axis turned towards y, so that the inside has positive sides.
        let side = |p: &[f64; 2]| (to[0] - from[0]) * (p[1] - from[1]) - (to[1] - from[1]) * (p[0] - from[0]);
        let mut kept = Vec::with_capacity(ring.len() + 1);
        for (p, q) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            let (sp, sq) = (side(p), side(q));
            if sp >= 0.0 {
                kept.push(*p);
            }
            if (sp > 0.0 && sq < 0.0) || (sp < 0.0 && sq > 0.0) {
                let t = sp / (sp - sq);
                kept.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
            }
        }
        ring = kept;
    }
    let cross = |(p, q): (&[f64; 2], &[f64; 2])| p[0] * q[1] - p[1] * q[0];
    0.5 * ring.iter().zip(ring.iter().cycle().skip(1)).map(cross).sum::<f64>().abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(a: &Instance, b: &Instance, iou_type: IouType) -> f64 {
        let region = |i| Region::of(i, iou_type).unwrap();
        region(a).overlap(&region(b), Crowd::No).unwrap()
    }

    fn boxed(cx: f32, cy: f32, w: f32, h: f32, degrees: f32) -> Instance {
        Instance { bbox: Some(RotBox { cx, cy, w, h, angle: degrees.to_radians() }), ..Instance::default() }
    }

    #[test]
    fn a_square_turned_by_45_degrees_shares_an_octagon_with_itself() {
        let (a, b) = (boxed(10.0, 7.0, 2.0, 2.0, 0.0), boxed(10.0, 7.0, 2.0, 2.0, 45.0));
        let octagon = 8.0 * (2_f64.sqrt() - 1.0);
        let iou = overlap(&a, &b, IouType::RotatedBbox);
        assert!((iou - octagon / (8.0 - octagon)).abs() < 1e-6, "{iou}");
        assert!((overlap(&b, &b, IouType::RotatedBbox) - 1.0).abs() < 1e-12);
        assert_eq!(overlap(&a, &boxed(13.0, 7.0, 2.0, 2.0, 30.0), IouType::RotatedBbox), 0.0);
    }

    #[test]
    fn upright_boxes_overlap_alike_whichever_way_they_are_compared() {
        let (a, b) = (boxed(3.0, 3.0, 4.0, 6.0, 0.0), boxed(4.5, 2.0, 5.0, 3.0, 0.0));
        let (upright, turned) = (overlap(&a, &b, IouType::Bbox), overlap(&a, &b, IouType::RotatedBbox));
        assert!((upright - turned).abs() < 1e-12 && (upright - 9.0 / 30.0).abs() < 1e-12, "{upright} {turned}");
        assert!(Region::of(&boxed(1.0, 1.0, 1.0, 1.0, 5.0), IouType::Bbox).is_err());
    }

    #[test]
    fn masks_share_what_both_hold_wherever_it_lies() {
        let (w, h) = (37, 11);
        let masked = |f: &dyn Fn(usize) -> bool| Instance {
            mask: Some(Mask { width: w, height: h, inside: (0..w * h).map(|i| u8::from(f(i))).collect() }),
            ..Instance::default()
        };
        let cases: [&dyn Fn(usize) -> bool; 5] =
            [&|i| i % 3 == 0, &|i| i > 200, &|i| i < 100, &|i| (i / w) % 2 == 0, &|_| true];
        for a in cases {
            for b in cases {
                let count = |f: &dyn Fn(usize) -> bool| (0..w * h).filter(|&i| f(i)).count() as f64;
                let (both, any) = (count(&|i| a(i) && b(i)), count(&|i| a(i) || b(i)));
                assert_eq!(overlap(&masked(a), &masked(b), IouType::Segm), both / any);
            }
        }
    }
}
