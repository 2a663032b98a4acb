use pleach_core::{Backend, Seat, plugin};

/// A kernels seat without kernels.
#[plugin(backend)]
pub struct Quiet {}

impl Backend for Quiet {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}
