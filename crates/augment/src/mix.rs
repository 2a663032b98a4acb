//! Augmentations that mix further samples into one.

mod copy_paste;
mod cut_mix;
mod mix_up;
mod mosaic;
mod pixels;

pub use copy_paste::{CopyPaste, Pasted};
pub use cut_mix::{CutMix, CutMixed};
pub use mix_up::{MixUp, Mixed};
pub use mosaic::{FitMode, Mosaic, Tiled};
