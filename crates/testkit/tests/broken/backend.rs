//! Backends that break a law.

use pleach_core::image::{Image, Pixels};
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[("Jobless", &["has a seat"]), ("Twisting", &["a fused touch"])];

/// Takes no seat.
#[plugin(backend)]
struct Jobless {}

impl Backend for Jobless {
    fn seats(&self) -> &'static [Seat] {
        &[]
    }
}

/// Runs every kernel, and turns its outcome upside down.
#[plugin(backend)]
struct Twisting {}

impl Backend for Twisting {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
    fn fused_touch(&self, touch: &FusedTouch, image: &Image) -> Result<Option<Image>> {
        let mut image = (touch.cpu)(image)?;
        if let Pixels::U8(all) = &mut image.pixels {
            all.reverse();
        }
        Ok(Some(image))
    }
}
