use pleach_core::image::{Image, Pixels};
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// Makes an image darker by a random factor.
#[plugin(augmentation)]
pub struct MyPlugin {
    /// The least factor, 0 to 1.
    #[plugin(default = 0.7, range = 0.0..=1.0)]
    pub least: f32,
}

impl Augmentation for MyPlugin {
    /// The factor: all that chance decides is here, so that it can be saved and done again.
    type Draw = f32;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<f32>> {
        Ok(Some(rng.range(f64::from(self.least), 1.0) as f32))
    }

    fn touches(&self) -> bool {
        true
    }

    fn touch(&self, factor: &f32, image: &mut Image) -> Result<()> {
        match &mut image.pixels {
            Pixels::U8(all) => all.iter_mut().for_each(|x| *x = (f32::from(*x) * factor) as u8),
            Pixels::U16(all) => all.iter_mut().for_each(|x| *x = (f32::from(*x) * factor) as u16),
            Pixels::F32(all) => all.iter_mut().for_each(|x| *x *= factor),
        }
        Ok(())
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
