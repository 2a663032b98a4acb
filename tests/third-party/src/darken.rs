use pleach_core::image::{Image, Pixels};
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// Multiplies all pixels by a random factor.
#[plugin(augmentation)]
pub struct Darken {
    /// Least factor.
    #[plugin(default = 0.8, range = 0.0..=1.0)]
    pub least: f64,
}

impl Augmentation for Darken {
    type Draw = f64;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<f64>> {
        Ok(Some(rng.range(self.least, 1.0)))
    }

    fn touches(&self) -> bool {
        true
    }

    fn touch(&self, factor: &f64, image: &mut Image) -> Result<()> {
        let dark: Vec<f32> = image.to_f32().into_iter().map(|x| x * *factor as f32).collect();
        image.pixels = match &image.pixels {
            Pixels::U8(_) => Pixels::U8(dark.into_iter().map(|x| x as u8).collect()),
            Pixels::U16(_) => Pixels::U16(dark.into_iter().map(|x| x as u16).collect()),
            Pixels::F32(_) => Pixels::F32(dark),
        };
        Ok(())
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
