//! The kernels seat without kernels: every loss and pixel pass runs by its definition.

use pleach_core::{Backend, Seat, plugin};

/// Computes losses and pixel passes by their definitions in tensor algebra; the reference for every kernel.
#[plugin(backend)]
pub struct Plain {}

impl Backend for Plain {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}
