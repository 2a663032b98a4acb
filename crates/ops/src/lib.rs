//! Differentiable tensor operations that candle lacks, does slowly or does wrong.
//!
//! Every function takes and gives candle tensors and leaves a gradient behind; names, formulas and corner
//! cases are PyTorch's. Tensors are `f32` or `f64`, or kept in `bf16` or `f16`: then all inputs of an operation are, it
//! computes and sums in `f32`, and rounds its result once. Images are `[N, C, H, W]`; other layouts (transposed,
//! narrowed) are made contiguous first. What does not fit is an error that names the operation and the
//! shapes. Results and gradients do not depend on the number of threads.
//!
//! Candle's own `cat`, `matmul`, `narrow`, `reshape` and elementwise arithmetic have right gradients
//! (checked in this crate's tests) and are used as they are.

mod adaptive_avg_pool2d;
mod adaptive_max_pool2d;
mod affine_grid;
mod affine_grid3d;
mod along;
mod apply;
mod attention;
mod avg_pool2d;
mod backward;
mod bands;
mod batch_norm;
mod bce_with_logits;
mod conv;
mod conv1d;
mod conv2d;
mod conv2d_padded;
mod conv3d;
mod conv_transpose1d;
mod conv_transpose2d;
mod conv_transpose3d;
mod dropout;
mod dropout2d;
mod embedding;
mod fresh;
mod gelu;
mod grid_place;
mod grid_sample;
mod grid_sample3d;
mod group_norm;
mod halves;
mod hardswish;
mod host;
mod instance_norm;
mod interpolate;
mod interpolate3d;
mod layer_norm;
mod linear;
mod log_softmax;
mod lstm_cell;
mod matmul;
mod matrix;
mod max_pool2d;
mod max_unpool2d;
mod norm_rows;
mod optional;
mod pad2d;
mod pixels;
mod pointwise;
mod pool_along;
mod relu;
mod residual;
mod rms_norm;
mod sigmoid;
mod silu;
mod sizes;
mod softmax;
mod strided;
mod sum;
mod tape;
mod tile;
mod turn;
mod unfold;
mod upsample_bilinear2d;
mod upsample_nearest2d;
mod vector;
mod volume;
mod window;
mod workspaces;

pub use adaptive_avg_pool2d::adaptive_avg_pool2d;
pub use adaptive_max_pool2d::adaptive_max_pool2d;
pub use affine_grid::affine_grid;
pub use affine_grid3d::affine_grid3d;
pub use attention::{Attention, Sight, scaled_dot_product_attention, self_attention};
pub use avg_pool2d::{CountPadding, avg_pool2d};
pub use backward::{backward, kept};
pub use batch_norm::{BatchNorm, Then, batch_norm, batch_norm_train};
pub use bce_with_logits::bce_with_logits;
pub use conv_transpose1d::{ConvTranspose1d, conv_transpose1d};
pub use conv_transpose2d::{ConvTranspose2d, conv_transpose2d};
pub use conv_transpose3d::{ConvTranspose3d, conv_transpose3d};
pub use conv1d::{Conv1d, conv1d};
pub use conv2d::{Conv2d, conv2d, conv2d_input, conv2d_weight};
pub use conv2d_padded::conv2d_padded;
pub use conv3d::{Conv3d, conv3d};
pub use dropout::dropout;
pub use dropout2d::dropout2d;
pub use embedding::embedding;
pub use fresh::pieces;
pub use gelu::gelu;
pub use grid_sample::{Outside, Sampling, grid_sample};
pub use grid_sample3d::grid_sample3d;
pub use group_norm::{group_norm, group_norm_then};
pub use hardswish::hardswish;
pub use instance_norm::{instance_norm, instance_norm_then};
pub use interpolate::{Interpolation, Size, interpolate};
pub use interpolate3d::{interpolate1d, interpolate3d};
pub use layer_norm::{layer_norm, layer_norm_then};
pub use linear::{linear, linear_then};
pub use log_softmax::log_softmax;
pub use lstm_cell::{LstmCell, lstm_cell};
pub use matmul::matmul;
pub use max_pool2d::{Pool2d, max_pool2d, max_pool2d_dilated, max_pool2d_with_indices};
pub use max_unpool2d::max_unpool2d;
pub use pad2d::{Pad, pad2d};
pub use pixels::Pixels;
pub use pool_along::{
    Pool1d, Pool3d, adaptive_avg_pool1d, adaptive_avg_pool3d, adaptive_max_pool1d, adaptive_max_pool3d, avg_pool1d,
    avg_pool3d, max_pool1d, max_pool3d,
};
pub use relu::relu;
pub use residual::residual;
pub use rms_norm::rms_norm;
pub use sigmoid::sigmoid;
pub use silu::silu;
pub use softmax::softmax;
pub use unfold::{Patches, fold, unfold};
pub use upsample_bilinear2d::{Corners, upsample_bilinear2d};
pub use upsample_nearest2d::upsample_nearest2d;
