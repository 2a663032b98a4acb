//! Seats that execute a run: candle on the CPU, plain tensor algebra, and our fused CPU kernels.

pub mod aligned;
pub mod candle_cpu;
pub mod cpu;
pub mod memory;
pub mod plain;
pub mod threads;

pub use aligned::Aligned;
pub use candle_cpu::CandleCpu;
pub use cpu::Cpu;
pub use plain::Plain;
