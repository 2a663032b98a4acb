use pleach_core::image::{Image, Pixels};
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// Blots out a square at a random place of each frame (DeVries and Taylor 2017); what stands in the labels stays.
///
/// The middle of the square may lie anywhere in the frame, so that parts of it can be outside. All frames of a clip
/// have the square at the same place.
#[plugin(augmentation, cite = "arXiv:1708.04552")]
pub struct CutOut {
    /// Side of the square in pixels.
    #[plugin(default = 16, range = 1..)]
    pub size: usize,
    /// What is put in its place: 0 is black, 1 is white.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub fill: f32,
}

impl Augmentation for CutOut {
    /// The middle of the square.
    type Draw = (u64, u64);

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<(u64, u64)>> {
        Ok(Some((rng.below(row.size.0 as u64), rng.below(row.size.1 as u64))))
    }

    fn touches(&self) -> bool {
        true
    }

    fn touch(&self, middle: &(u64, u64), image: &mut Image) -> Result<()> {
        let side = |middle: u64, end: usize| {
            let from = (middle as usize).saturating_sub(self.size / 2);
            from.min(end)..(middle as usize + self.size.div_ceil(2)).min(end)
        };
        let (columns, lines) = (side(middle.0, image.width), side(middle.1, image.height));
        let value = self.fill * image.pixels.white();
        for y in lines {
            let pixels =
                (y * image.width + columns.start) * image.channels..(y * image.width + columns.end) * image.channels;
            match &mut image.pixels {
                Pixels::U8(all) => all[pixels].fill(value as u8),
                Pixels::U16(all) => all[pixels].fill(value as u16),
                Pixels::F32(all) => all[pixels].fill(value),
            }
        }
        Ok(())
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
