//! Another gamma.

use super::grid::by_type;
use super::limits::FromOne;
use super::table::look_up;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// `x^gamma` with white at 1, `gamma = U(gamma_limit) / 100`.
///
/// Follows `RandomGamma` of Albumentations 2.0.8: 8 bits by a table in double precision whose fractions are
/// dropped; floats are not bounded.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomGamma")]
pub struct RandomGamma {
    /// Least and greatest gamma in hundredths; one number `x` stands for `[1, x]`.
    #[plugin(default = FromOne(80.0, 120.0), range = 1.0..)]
    pub gamma_limit: FromOne,
}

/// What was decided.
#[state]
pub struct Gamma {
    /// The exponent.
    pub gamma: f64,
}

fn entries(gamma: f64) -> [u8; 256] {
    std::array::from_fn(|i| ((i as f64 * (1.0 / 255.0)).powf(gamma) * 255.0) as u8)
}

impl Augmentation for RandomGamma {
    type Draw = Gamma;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Gamma>> {
        Ok(Some(Gamma { gamma: rng.range(self.gamma_limit.0, self.gamma_limit.1) / 100.0 }))
    }

    fn touch(&self, draw: &Gamma, image: &mut Image) -> Result<()> {
        by_type(
            image,
            |grid| {
                look_up(grid, &[entries(draw.gamma)]);
                Ok(())
            },
            |grid| {
                grid.samples.iter_mut().for_each(|x| *x = x.powf(draw.gamma as f32));
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &Gamma, _: usize) -> Option<Vec<[u8; 256]>> {
        Some(vec![entries(draw.gamma)])
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
