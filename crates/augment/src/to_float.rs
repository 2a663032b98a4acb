//! Makes floats of whole numbers.

use pleach_core::image::{Image, Pixels};
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Divides samples by the white of their type, so that they are 32-bit floats from 0 to 1.
///
/// Follows `ToFloat` of Albumentations 2.0.8, and torchvision's `ToTensor` but for the order of axes, which is made when
/// batches are.
#[plugin(augmentation, alias = ["ToTensor"], cite = "Albumentations 2.0.8, ToFloat")]
pub struct ToFloat {
    /// What becomes 1; by default 255 for 8 bits, 65535 for 16, and 1 for floats.
    #[plugin(above = 0.0)]
    pub max_value: Option<f32>,
}

/// That it happens; there is nothing to decide.
#[state]
pub struct ToFloatDraw {}

impl Augmentation for ToFloat {
    type Draw = ToFloatDraw;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<ToFloatDraw>> {
        Ok(Some(ToFloatDraw {}))
    }

    fn touch(&self, _: &ToFloatDraw, image: &mut Image) -> Result<()> {
        let max = self.max_value.unwrap_or_else(|| image.pixels.white());
        image.pixels = Pixels::F32(image.to_f32().into_iter().map(|x| x / max).collect());
        Ok(())
    }

    fn floats(&self, _: &ToFloatDraw, image: &Image) -> Result<Option<Vec<[f32; 256]>>> {
        let max = self.max_value.unwrap_or_else(|| image.pixels.white());
        Ok(Some(vec![std::array::from_fn(|v| v as f32 / max)]))
    }

    fn touches(&self) -> bool {
        true
    }

    fn is_random(&self) -> bool {
        false
    }
}
