//! What a lossy file format leaves.

use super::grid::as_bytes;
use super::jpeg;
use super::limits::whole;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, config, plugin, state};

/// Writes the image as JPEG and reads it again; what loses nothing in between is left out.
///
/// Follows `ImageCompression` of Albumentations 2.0.8 with `compression_type="jpeg"`, in libjpeg's whole numbers: quantised
/// cosines, chroma halved and doubled by its "fancy" filter. As there the first channel counts as blue and the third as
/// red, a second channel alone has a black third, and channels beyond three are gray images. WebP is not here: use
/// `jpeg`. Other types become 8 bits first.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, ImageCompression", "ITU-T T.81"], check = Self::check)]
pub struct ImageCompression {
    /// In which format.
    #[plugin(default = Compression::Jpeg)]
    pub compression_type: Compression,
    /// Least and greatest quality, 1 to 100.
    #[plugin(default = (99, 100), range = 1..=100)]
    pub quality_range: (u32, u32),
}

/// A format that loses something.
#[config]
pub enum Compression {
    /// JPEG.
    Jpeg,
}

/// What was decided.
#[state]
pub struct Compressed {
    /// The quality.
    pub quality: u32,
}

impl ImageCompression {
    fn check(&self, rules: &mut Rules) {
        if self.quality_range.0 > self.quality_range.1 {
            rules.refuse("quality_range", "the smaller number comes first");
        }
    }
}

impl Augmentation for ImageCompression {
    type Draw = Compressed;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Compressed>> {
        let (low, high) = self.quality_range;
        Ok(Some(Compressed { quality: whole(rng, low.into(), high.into()) as u32 }))
    }

    fn touch(&self, draw: &Compressed, image: &mut Image) -> Result<()> {
        as_bytes(image, |grid| {
            let (w, c) = (grid.width, grid.channels);
            match c {
                1 => jpeg::gray(&mut grid.samples, w, draw.quality),
                3 => jpeg::colour(grid.samples.as_chunks_mut::<3>().0, w, draw.quality),
                _ => {
                    let colours = |p: &[u8]| [p[0], p[1], if c > 2 { p[2] } else { 0 }];
                    let mut pixels: Vec<_> = grid.samples.chunks_exact(c).map(colours).collect();
                    jpeg::colour(&mut pixels, w, draw.quality);
                    for (old, new) in grid.samples.chunks_exact_mut(c).zip(pixels) {
                        old.iter_mut().zip(new).for_each(|(old, new)| *old = new);
                    }
                    for channel in 3..c {
                        let mut plane: Vec<_> = grid.samples.iter().skip(channel).step_by(c).copied().collect();
                        jpeg::gray(&mut plane, w, draw.quality);
                        grid.samples.iter_mut().skip(channel).step_by(c).zip(plane).for_each(|(old, new)| *old = new);
                    }
                }
            }
            Ok(())
        })
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
