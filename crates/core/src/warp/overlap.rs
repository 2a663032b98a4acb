//! How much two boxes share.

use super::clip::{HalfPlane, area, clip, flat};
use crate::row::RotBox;

impl RotBox {
    /// Intersection over union with another box, whatever the angles; 0 where both have no area.
    pub fn iou(&self, other: &Self) -> f64 {
        let ring = |b: &Self| b.corners().map(|[x, y]| [f64::from(x), f64::from(y), 1.0]).to_vec();
        let both = area(&flat(&clip(ring(self), &sides(other))));
        let whole = |b: &Self| f64::from(b.w) * f64::from(b.h);
        let union = whole(self) + whole(other) - both;
        if union > 0.0 { both / union } else { 0.0 }
    }
}

/// The half planes whose intersection a box is.
fn sides(b: &RotBox) -> [HalfPlane; 4] {
    let (sin, cos) = f64::from(b.angle).sin_cos();
    let [cx, cy, w, h] = [b.cx, b.cy, b.w, b.h].map(f64::from);
    [([cos, sin], w), ([-cos, -sin], w), ([-sin, cos], h), ([sin, -cos], h)]
        .map(|([a, b], side)| [a, b, side / 2.0 - a * cx - b * cy])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_share_what_lies_in_both() {
        let a = RotBox::from_corners(0.0, 0.0, 4.0, 2.0);
        let b = RotBox::from_corners(2.0, 0.0, 6.0, 2.0);
        assert!((a.iou(&b) - 4.0 / 12.0).abs() < 1e-9);
        assert!((a.iou(&a) - 1.0).abs() < 1e-9);
        assert_eq!(a.iou(&RotBox::from_corners(5.0, 5.0, 6.0, 6.0)), 0.0);
    }

    #[test]
    fn a_square_and_its_turned_self_share_an_octagon() {
        let square = RotBox { cx: 3.0, cy: 1.0, w: 2.0, h: 2.0, angle: 0.0 };
        let turned = RotBox { angle: std::f32::consts::FRAC_PI_4, ..square };
        // The octagon around the circle of radius 1.
        let octagon = 8.0 * (std::f64::consts::PI / 8.0).tan();
        assert!((square.iou(&turned) - octagon / (8.0 - octagon)).abs() < 1e-6);
    }
}
