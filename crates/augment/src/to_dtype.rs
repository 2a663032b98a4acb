//! Types of samples, as torchvision names them.

use crate::pixel::Done;
use pleach_core::image::{Image, Pixels};
use pleach_core::{Augmentation, Result, Rng, RowView, config, plugin};

/// A type of samples.
#[config]
pub enum SampleType {
    /// 32-bit floats.
    #[config(name = "float32", also = ["torch.float32", "float"])]
    Float32,
    /// 8 bits.
    #[config(name = "uint8", also = ["torch.uint8"])]
    Uint8,
    /// 16 bits.
    #[config(name = "uint16", also = ["torch.uint16"])]
    Uint16,
}

/// Makes samples of another type.
///
/// Follows `ToDtype` of torchvision's v2 transforms: with `scale`, white stays white, and floats times 256 less a little
/// become whole numbers by dropping the fraction; without it, numbers stay and fractions are dropped.
#[plugin(augmentation, cite = "torchvision 0.29, v2.ToDtype")]
pub struct ToDtype {
    /// The type.
    #[plugin(default = SampleType::Float32)]
    pub dtype: SampleType,
    /// Whether white stays white.
    #[plugin(default = false)]
    pub scale: bool,
}

/// Does nothing: samples are images already, and become tensors, white being 1, when batches are made.
///
/// Follows `ToImage` of torchvision's v2 transforms.
#[plugin(augmentation, alias = ["PILToTensor", "ToPureTensor"], cite = "torchvision 0.29, v2.ToImage")]
pub struct ToImage {}

impl Augmentation for ToDtype {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        let (white, floats) = (image.pixels.white(), matches!(image.pixels, Pixels::F32(_)));
        let samples = image.to_f32().into_iter();
        let whole = |most: f32| {
            // torchvision's way from floats, and its shifts between whole numbers.
            let factor = match (self.scale, floats) {
                (false, _) => 1.0,
                (true, true) => most + 1.0 - 1e-3,
                (true, false) => (most + 1.0) / (white + 1.0),
            };
            move |x: f32| (x * factor).clamp(0.0, most)
        };
        image.pixels = match self.dtype {
            SampleType::Float32 if self.scale => {
                // By the reciprocal, as torchvision does it: the last place may differ from a division's.
                let by = (1.0 / f64::from(white)) as f32;
                Pixels::F32(samples.map(|x| x * by).collect())
            }
            SampleType::Float32 => Pixels::F32(samples.collect()),
            SampleType::Uint8 => Pixels::U8(samples.map(whole(255.0)).map(|x| x as u8).collect()),
            SampleType::Uint16 => Pixels::U16(samples.map(whole(65535.0)).map(|x| x as u16).collect()),
        };
        Ok(())
    }

    fn touches(&self) -> bool {
        true
    }

    fn normalises(&self) -> bool {
        !self.scale
    }

    fn is_random(&self) -> bool {
        false
    }
}

impl Augmentation for ToImage {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touches(&self) -> bool {
        true
    }

    fn is_random(&self) -> bool {
        false
    }
}
