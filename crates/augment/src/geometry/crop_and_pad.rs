//! Cuts off or pads each side.

use crate::geometry::region::Region;
use crate::{BorderMode, PerChannel};
use pleach_core::read::Rules;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Pads each side by a number of pixels or a share, or cuts it off where that is negative, and stretches the result to
/// the size of the source.
///
/// Follows `CropAndPad` of Albumentations 2.0.8; of its lists of lists the pairs are left out.
#[plugin(augmentation, cite = "Albumentations 2.0.8, CropAndPad", check = Self::check)]
pub struct CropAndPad {
    /// Pixels: one number for all sides, a range from which each is drawn (the greater excluded), or
    /// `[top, right, bottom, left]`.
    #[plugin(sample = Some(PerChannel(vec![-8.0, 8.0])))]
    pub px: Option<PerChannel>,
    /// The same in shares of the sides.
    #[plugin(above = -1.0)]
    pub percent: Option<PerChannel>,
    /// Whether the result has the size of the source.
    #[plugin(default = true)]
    pub keep_size: bool,
    /// Whether each side has a draw of its own.
    #[plugin(default = true)]
    pub sample_independently: bool,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
    /// What is put where the image has no pixels.
    #[plugin(default = BorderMode::Constant)]
    pub border_mode: BorderMode,
    /// Brightness of a constant border, one number or one for each channel: 0 to 255, which is white in images of every
    /// type.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
    /// Class of a constant border in maps.
    #[plugin(default = 0)]
    pub fill_mask: u16,
}

impl CropAndPad {
    fn check(&self, rules: &mut Rules) {
        let given = match (&self.px, &self.percent) {
            (Some(px), None) => px,
            (None, Some(percent)) => percent,
            _ => return rules.refuse("px", "give either it or `percent`"),
        };
        if !matches!(given.0.len(), 1 | 2 | 4) {
            rules.refuse("px", "it takes one number, two or four, as `percent` does");
        }
    }

    /// Top, right, bottom, left.
    fn sides(&self, rng: &mut Rng, given: &[f64], mut one: impl FnMut(&mut Rng, f64, f64) -> f64) -> [f64; 4] {
        match *given {
            [a] => [a; 4],
            [low, high] if self.sample_independently => [(); 4].map(|()| one(rng, low, high)),
            [low, high] => [one(rng, low, high); 4],
            [top, right, bottom, left] => [top, right, bottom, left],
            _ => [0.0; 4],
        }
    }
}

/// What may be cut off at two opposite sides so that a pixel is left.
fn leave_one(a: i64, b: i64, side: i64) -> (i64, i64) {
    let over = (-a).max(0) + (-b).max(0) - (side - 1);
    if over <= 0 {
        return (a, b);
    }
    let (from_a, from_b) = (over / 2, over - over / 2);
    let (left_a, left_b) = (a + from_a, b + from_b);
    // Where one side has less to give back, the other gives the rest.
    if left_a > 0 {
        (0, -(side - 1))
    } else if left_b > 0 {
        (-(side - 1), 0)
    } else {
        (left_a, left_b)
    }
}

impl Augmentation for CropAndPad {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let (w, h) = (row.size.0 as i64, row.size.1 as i64);
        let [top, right, bottom, left] = if let Some(px) = &self.px {
            let whole = |rng: &mut Rng, low: f64, high: f64| low + rng.below((high - low).max(1.0) as u64) as f64;
            self.sides(rng, &px.0, whole).map(|v| v as i64)
        } else {
            let share = self.percent.as_ref().map_or(&[][..], |p| p.0.as_slice());
            let [top, right, bottom, left] = self.sides(rng, share, |rng, low, high| rng.range(low, high));
            let pixels = |share: f64, side: i64| (share * side as f64) as i64;
            [pixels(top, h), pixels(right, w), pixels(bottom, h), pixels(left, w)]
        };
        let ((top, bottom), (left, right)) = (leave_one(top, bottom, h), leave_one(left, right, w));
        Ok(Some(Region::between(-left, -top, w + right, h + bottom)))
    }

    fn warp(&self, draw: &Region, size: (usize, usize)) -> Option<Warp> {
        let border = self.border_mode.border(&self.fill, self.fill_mask);
        let warp = if self.keep_size { draw.stretched(size, self.interpolation) } else { draw.cut() };
        Some(warp.with_border(border))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }
}
