//! Each augmentation of pixels alone, on one 640x480 picture of 8-bit RGB with a map of classes, on one core.

use super::augment::{picture, step};
use super::{Run, untimed};
use pleach_core::export::serde_json::{Value as Json, json};
use pleach_core::kinds::augmentation::{At, Pipeline};
use pleach_core::{Backend, Plug, Result};

/// The parameters of a case where its plugin's defaults are not timed.
fn keys(case: &str) -> (&str, Json) {
    match case {
        "Blur7" => ("Blur", json!({ "blur_limit": [7.0, 7.0] })),
        "Defocus7" => ("Defocus", json!({ "radius": [7.0, 7.0] })),
        "GaussianBlur" => ("GaussianBlur", json!({ "sigma_limit": [2.0, 2.0] })),
        "ImageCompression50" => ("ImageCompression", json!({ "quality_range": [50, 50] })),
        "MedianBlur3" => ("MedianBlur", json!({ "blur_limit": [3.0, 3.0] })),
        "MedianBlur5" => ("MedianBlur", json!({ "blur_limit": [5.0, 5.0] })),
        "MedianBlur7" => ("MedianBlur", json!({ "blur_limit": [7.0, 7.0] })),
        "MotionBlur7" => ("MotionBlur", json!({ "blur_limit": [7.0, 7.0] })),
        "MultiplicativeNoiseEach" => ("MultiplicativeNoise", json!({ "elementwise": true, "per_channel": true })),
        "SharpenGaussian" => ("Sharpen", json!({ "method": "gaussian" })),
        plugin => (plugin, json!({})),
    }
}

pub fn open(case: &str) -> Result<Run> {
    let (plugin, keys) = keys(case);
    let steps = vec![step(plugin, keys)?];
    let kernels = Plug::<dyn Backend>::named("Cpu")?;
    let (row, mut epoch) = (picture()?, 0);
    Ok(Box::new(move || {
        epoch += 1;
        // A loader has a row of its own for each sample; the peer leaves its input as it is.
        let mut row = untimed(|| row.clone());
        Pipeline::new(&steps, &*kernels).run(At { seed: 1, epoch, sample: 0 }, &mut row)?;
        std::hint::black_box(row);
        Ok(())
    }))
}
