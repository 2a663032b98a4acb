//! Differentiable tensor operations that candle lacks, does slowly or does wrong.
//!
//! Every function takes and gives candle tensors and leaves a gradient behind; names, formulas and corner
//! cases are PyTorch's. Tensors are `f32` or `f64`, images are `[N, C, H, W]`; other layouts (transposed,
//! narrowed) are made contiguous first. What does not fit is an error that names the operation and the
//! shapes. Results and gradients do not depend on the number of threads.
//!
//! Candle's own `cat`, `matmul`, `narrow`, `reshape` and elementwise arithmetic have right gradients
//! (checked in this crate's tests) and are used as they are.

mod adaptive_avg_pool2d;
mod avg_pool2d;
mod batch_norm;
mod bce_with_logits;
mod conv;
mod conv2d;
mod conv_transpose2d;
mod dropout;
mod dropout2d;
mod gelu;
mod group_norm;
mod hardswish;
mod host;
mod instance_norm;
mod layer_norm;
mod linear;
mod log_softmax;
mod matrix;
mod max_pool2d;
mod norm_rows;
mod optional;
mod pad2d;
mod pointwise;
mod relu;
mod sigmoid;
mod silu;
mod softmax;
mod tile;
mod upsample_bilinear2d;
mod upsample_nearest2d;
mod window;

pub use adaptive_avg_pool2d::adaptive_avg_pool2d;
pub use avg_pool2d::{CountPadding, avg_pool2d};
pub use batch_norm::{BatchNorm, Then, batch_norm, batch_norm_train};
pub use bce_with_logits::bce_with_logits;
pub use conv_transpose2d::{ConvTranspose2d, conv_transpose2d};
pub use conv2d::{Conv2d, conv2d, conv2d_input, conv2d_weight};
pub use dropout::dropout;
pub use dropout2d::dropout2d;
pub use gelu::gelu;
pub use group_norm::group_norm;
pub use hardswish::hardswish;
pub use instance_norm::instance_norm;
pub use layer_norm::layer_norm;
pub use linear::linear;
pub use log_softmax::log_softmax;
pub use max_pool2d::{Pool2d, max_pool2d};
pub use pad2d::{Pad, pad2d};
pub use relu::relu;
pub use sigmoid::sigmoid;
pub use silu::silu;
pub use softmax::softmax;
pub use upsample_bilinear2d::{Corners, upsample_bilinear2d};
pub use upsample_nearest2d::upsample_nearest2d;
