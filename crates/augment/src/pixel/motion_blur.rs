//! Blur along a line.

use super::filter::{Tap, correlate, mean_of_bytes};
use super::grid::by_type;
use super::limits::KernelSizes;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Each sample becomes the mean of those on a line through it.
///
/// Follows `MotionBlur` of Albumentations 2.0.8. The line has as many points as the kernel is wide; `direction` takes
/// from one of its ends, down to the centre; `allow_shifted` moves it by up to half its half length; the pixels it
/// meets have equal weights. 8 bits are whole sums, rounded once. The border is mirrored without repeating the edge.
#[plugin(augmentation, cite = "Albumentations 2.0.8, MotionBlur", check = Self::check)]
pub struct MotionBlur {
    /// Least and greatest width of the kernel in pixels, odd; one number `x` stands for `[3, x]`.
    #[plugin(default = KernelSizes(3.0, 7.0), range = ..=255.0)]
    pub blur_limit: KernelSizes,
    /// Whether the line may lie beside the centre.
    #[plugin(default = true)]
    pub allow_shifted: bool,
    /// Least and greatest angle in degrees, 0 to 360.
    #[plugin(default = (0.0, 360.0), range = 0.0..=360.0)]
    pub angle_range: (f64, f64),
    /// From blurring backwards only (-1) over both sides (0) to forwards only (1).
    #[plugin(default = (-1.0, 1.0), range = -1.0..=1.0)]
    pub direction_range: (f64, f64),
}

/// What was decided.
#[state]
pub struct Line {
    /// The width of the kernel in pixels.
    pub size: usize,
    /// The angle in degrees.
    pub angle: f64,
    /// Which end is shorter, -1 to 1.
    pub direction: f64,
    /// How far the line is moved to the right and down, in half lengths of the kernel.
    pub shift: (f64, f64),
}

impl MotionBlur {
    fn check(&self, rules: &mut Rules) {
        for (key, (low, high)) in [("angle_range", self.angle_range), ("direction_range", self.direction_range)] {
            if low > high {
                rules.refuse(key, "the smaller number comes first");
            }
        }
    }
}

impl Line {
    /// The pixels that the line meets, as places from the centre, each once.
    pub fn pixels(&self) -> Vec<(isize, isize)> {
        let size = (self.size | 1).min(255);
        let (centre, length) = ((size / 2) as f64, (size / 2) as f64);
        let (dx, dy) = (self.angle.to_radians().cos(), self.angle.to_radians().sin());
        let (start, end) = match self.direction {
            d if d < 0.0 => (-length, length * (1.0 + d)),
            d => (-length * (1.0 - d), length),
        };
        let last = (size - 1) as f64;
        let place = |along: f64, shift: f64| {
            (centre + along + shift * length).round_ties_even().clamp(0.0, last) as isize - centre as isize
        };
        let step = (end - start) / last;
        let mut pixels: Vec<_> = (0..size)
            .map(|i| if i + 1 == size { end } else { start + i as f64 * step })
            .map(|t| (place(dy * t, self.shift.1), place(dx * t, self.shift.0)))
            .collect();
        pixels.sort_unstable();
        pixels.dedup();
        pixels.into_iter().map(|(y, x)| (x, y)).collect()
    }
}

impl Augmentation for MotionBlur {
    type Draw = Line;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Line>> {
        let size = self.blur_limit.draw(rng);
        let angle = rng.range(self.angle_range.0, self.angle_range.1);
        let direction = rng.range(self.direction_range.0, self.direction_range.1);
        let mut by = || rng.range(-0.5, 0.5);
        let shift = if self.allow_shifted { (by(), by()) } else { (0.0, 0.0) };
        Ok(Some(Line { size, angle, direction, shift }))
    }

    fn touch(&self, draw: &Line, image: &mut Image) -> Result<()> {
        let pixels = draw.pixels();
        let weight = 1.0 / pixels.len() as f32;
        let taps: Vec<Tap> = pixels.into_iter().map(|(x, y)| Tap { x, y, weight }).collect();
        by_type(
            image,
            |grid| {
                mean_of_bytes(grid, &taps);
                Ok(())
            },
            |grid| {
                correlate(grid, &taps);
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
