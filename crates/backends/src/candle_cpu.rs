//! candle's tensors and gradients on the CPU.

use pleach_core::{Backend, Precision, Seat, plugin};

/// Trains and evaluates with candle's tensors on the CPU, in 32 or 64 bits.
#[plugin(backend)]
pub struct CandleCpu {}

impl Backend for CandleCpu {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Train, Seat::Eval]
    }

    fn precisions(&self) -> &'static [Precision] {
        &[Precision::F32, Precision::F64]
    }
}
