//! Seats that execute a run: candle on the CPU, and our fused CPU kernels.
