use pleach_core::image::Image;
use pleach_core::{Backend, FusedTouch, Result, Seat, plugin};

/// A kernels seat that runs passes over pixels as kernels, and leaves every loss to its definition.
#[plugin(backend)]
pub struct MyPlugin {}

impl Backend for MyPlugin {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }

    fn fused_touch(&self, touch: &FusedTouch, image: &Image) -> Result<Option<Image>> {
        (touch.cpu)(image).map(Some)
    }
}
