//! Our side of each case; `peers/serve.py` has the other under the same names.

mod augment;
mod check;
mod conv;
mod loader;
mod loss;
mod optim;
mod pixel;
mod start;
mod train;

use pleach_core::{Device, Error, Result, Tensor};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// One run of a case.
pub type Run = Box<dyn FnMut() -> Result<()>>;

thread_local!(static UNTIMED: Cell<Duration> = const { Cell::new(Duration::ZERO) });

/// Does in the midst of a run what is no part of it: makes its input anew, say, that the run uses up.
fn untimed<T>(work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    UNTIMED.with(|all| all.set(all.get() + began.elapsed()));
    done
}

/// Milliseconds of so many runs together, without what was [`untimed`].
pub fn time(run: &mut Run, repeats: usize) -> Result<f64> {
    UNTIMED.with(|all| all.set(Duration::ZERO));
    let began = Instant::now();
    for _ in 0..repeats {
        run()?;
    }
    Ok((began.elapsed() - UNTIMED.with(Cell::get)).as_secs_f64() * 1e3)
}

/// All cases.
pub const NAMES: &[&str] = &[
    "train/unet",
    "train/resnet18",
    "train/transformer",
    "conv/3x3/forward",
    "conv/3x3/dx",
    "conv/3x3/dw",
    "conv/7x7s2/forward",
    "conv/7x7s2/dx",
    "conv/7x7s2/dw",
    "conv/1x1/forward",
    "conv/1x1/dx",
    "conv/1x1/dw",
    "conv/3x3s2/forward",
    "conv/3x3s2/dx",
    "conv/3x3s2/dw",
    "conv/deep3x3/forward",
    "conv/deep3x3/dx",
    "conv/deep3x3/dw",
    "optim/adamw/fused",
    "optim/adamw/default",
    "optim/adamw/clip_ema",
    "optim/adam/fused",
    "optim/adagrad/fused",
    "optim/sgd/fused",
    "optim/sgd/default",
    "bound/AdaBelief",
    "bound/Adadelta",
    "bound/Adagrad",
    "bound/Adam",
    "bound/AdamW",
    "bound/Adamax",
    "bound/Adan",
    "bound/ASGD",
    "bound/Lion",
    "bound/NAdam",
    "bound/RAdam",
    "bound/RMSprop",
    "bound/Rprop",
    "bound/SGD",
    "bound/ScheduleFreeAdamW",
    "bound/clip_ema",
    "loss/bce",
    "loss/dice",
    "loss/dicebce",
    "loss/tversky",
    "loss/focal_tversky",
    "loss/ce21",
    "loss/dicece21",
    "loader/jpeg640x480/run",
    "loader/jpeg640x480/decode",
    "loader/jpeg400x533/run",
    "loader/png480x360/run",
    "augment/chain",
    "augment/hflip",
    "augment/vflip",
    "augment/transpose",
    "augment/d4",
    "augment/rotate90",
    "augment/rotate",
    "augment/rotate_constant",
    "augment/rotate_bicubic",
    "augment/safe_rotate",
    "augment/shift_scale_rotate",
    "augment/affine",
    "augment/perspective",
    "augment/elastic",
    "augment/grid",
    "augment/optical",
    "augment/crop",
    "augment/center_crop",
    "augment/crop_and_pad",
    "augment/pad",
    "augment/resize",
    "augment/halve",
    "augment/resize_bicubic",
    "augment/enlarge_bicubic",
    "augment/resize_area",
    "augment/halve_area",
    "augment/enlarge_area",
    "augment/longest",
    "augment/smallest",
    "augment/random_scale",
    "augment/resized_crop",
    "augment/sized_crop",
    "augment/bbox_safe_crop",
    "augment/zoom_out",
    "augment/iou_crop",
    "augment/sanitize",
    "augment/gblur",
    "augment/mblur7",
    "augment/brightcontrast",
    "augment/normalize",
    "augment/to_float",
    "augment/mosaic",
    "augment/gray_rotate",
    "augment/gray_rotate_bicubic",
    "augment/gray_resize",
    "augment/gray_resize_bicubic",
    "augment/gray_enlarge_bicubic",
    "augment/gray_halve",
    "augment/gray_gblur",
    "pixel/AutoContrast",
    "pixel/Blur7",
    "pixel/CLAHE",
    "pixel/ChannelDropout",
    "pixel/ChannelShuffle",
    "pixel/CoarseDropout",
    "pixel/ColorJitter",
    "pixel/Defocus7",
    "pixel/Downscale",
    "pixel/Emboss",
    "pixel/Equalize",
    "pixel/Erasing",
    "pixel/GaussNoise",
    "pixel/GaussianBlur",
    "pixel/GridDropout",
    "pixel/HueSaturationValue",
    "pixel/ISONoise",
    "pixel/ImageCompression50",
    "pixel/InvertImg",
    "pixel/MedianBlur3",
    "pixel/MedianBlur5",
    "pixel/MedianBlur7",
    "pixel/MotionBlur7",
    "pixel/MultiplicativeNoise",
    "pixel/MultiplicativeNoiseEach",
    "pixel/PixelDropout",
    "pixel/Posterize",
    "pixel/RGBShift",
    "pixel/RandomBrightnessContrast",
    "pixel/RandomFog",
    "pixel/RandomGamma",
    "pixel/RandomGrayscale",
    "pixel/RandomPhotometricDistort",
    "pixel/RandomShadow",
    "pixel/Sharpen",
    "pixel/SharpenGaussian",
    "pixel/Solarize",
    "pixel/ToGray",
    "pixel/ToSepia",
    "pixel/UnsharpMask",
    "start/quickstart",
    "check/200_lines",
];

/// The case of this program that a case is held against, where that is no other program's.
pub fn beside(name: &str) -> Option<String> {
    name.starts_with("bound/").then(|| format!("{name}/memory"))
}

/// Prepares a case.
pub fn open(name: &str) -> Result<Run> {
    let unknown = || Error::new("PL0101", format!("there is no case `{name}`"));
    let (kind, case) = name.split_once('/').ok_or_else(unknown)?;
    match kind {
        "augment" => augment::open(case),
        "train" => train::open(case),
        "conv" => conv::open(case),
        "optim" => optim::open(case),
        "bound" => optim::beside_memory(case),
        "loss" => loss::open(case),
        "loader" => loader::open(case),
        "pixel" => pixel::open(case),
        "start" => start::open(case),
        "check" => check::open(case),
        _ => Err(unknown()),
    }
}

/// Normal noise.
fn noise(shape: &[usize]) -> Result<Tensor> {
    Ok(Tensor::randn(0f32, 1.0, shape, &Device::Cpu)?)
}

/// Ones with the probability `share`, zeros otherwise.
fn mask(shape: &[usize], share: f32) -> Result<Tensor> {
    let noise = Tensor::rand(0f32, 1.0, shape, &Device::Cpu)?;
    Ok(noise.lt(share)?.to_dtype(pleach_core::DType::F32)?)
}

/// Classes below `n`.
fn classes(shape: &[usize], n: u32) -> Result<Tensor> {
    Ok((Tensor::rand(0f32, 1.0, shape, &Device::Cpu)? * f64::from(n))?.to_dtype(pleach_core::DType::U32)?)
}
