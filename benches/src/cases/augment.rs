//! Augmentations of one 640x480 picture of 8-bit RGB with a map of classes, on one core; the chain ends in planes of floats.
//! A case `gray_...` has one channel, `u16_...` 16 bits and `f32_...` floats from 0 to 1.

use super::{Run, untimed};
use pleach_augment as _;
use pleach_core::export::serde_json::{Value as Json, json};
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::augmentation::{At, AugmentConfig, AugmentSlot, DynAugmentation, Pipeline, Pool};
use pleach_core::{Backend, Error, Frame, Instance, Map, Plug, Result, RotBox, Row, SampleId, saved};

const SIZE: (usize, usize) = (640, 480);

pub(super) fn step(name: &str, keys: Json) -> Result<AugmentConfig> {
    let mut all = Plug::<dyn DynAugmentation>::named(name)?.saved()?;
    if let (Some(all), Json::Object(keys)) = (all.as_object_mut(), keys) {
        all.extend(keys);
    }
    Ok(AugmentConfig { slot: AugmentSlot { p: Some(1.0), ..AugmentSlot::default() }, plug: saved::load(&all)? })
}

/// Waves with noise, as a photograph has both.
pub(super) fn picture() -> Result<Row> {
    let (w, h) = SIZE;
    let mut state = 7u32;
    let samples = (0..w * h * 3).map(|i| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y, c) = ((i / 3 % w) as f32, (i / 3 / w) as f32, (i % 3) as f32);
        (120.0 + 80.0 * (x / 40.0 + c).sin() + 40.0 * (y / 25.0).cos() + (state >> 28) as f32) as u8
    });
    let image = Image::new(w, h, 3, Pixels::U8(samples.collect()))?;
    let mut row = Row::new(SampleId { index: 0, key: "waves".into() }, vec![Frame { number: 0, image }]);
    let classes = (0..w * h).map(|i| u16::from((i % w / 80 + i / w / 60) % 2 == 0)).collect();
    row.maps.push(Map { frame: 0, width: w, height: h, classes, scores: Vec::new() });
    Ok(row)
}

fn steps(name: &str) -> Result<Vec<AugmentConfig>> {
    let turn = || step("Rotate", json!({ "limit": [-45.0, 45.0], "border_mode": "reflect_101" }));
    let crop = || step("RandomCrop", json!({ "height": 352, "width": 352 }));
    let blur = || step("GaussianBlur", json!({ "blur_limit": [7.0, 7.0], "sigma_limit": [1.5, 1.5] }));
    let motion = || step("MotionBlur", json!({ "blur_limit": [7.0, 7.0] }));
    let one = |name: &str| step(name, json!({}));
    let resize = |height: usize, width: usize, how: &str| {
        step("Resize", json!({ "height": height, "width": width, "interpolation": how })).map(|step| vec![step])
    };
    Ok(match name {
        "hflip" => vec![one("HorizontalFlip")?],
        "vflip" => vec![one("VerticalFlip")?],
        "transpose" => vec![one("Transpose")?],
        "d4" => vec![one("D4")?],
        "rotate90" => vec![one("RandomRotate90")?],
        "rotate" => vec![turn()?],
        "rotate_constant" => vec![step("Rotate", json!({ "limit": [-45.0, 45.0] }))?],
        "rotate_bicubic" => {
            vec![step(
                "Rotate",
                json!({ "limit": [-45.0, 45.0], "border_mode": "reflect_101", "interpolation": "bicubic" }),
            )?]
        }
        "safe_rotate" => vec![one("SafeRotate")?],
        "shift_scale_rotate" => vec![one("ShiftScaleRotate")?],
        "affine" => vec![step(
            "Affine",
            json!({ "scale": { "x": [0.8, 1.2], "y": [0.8, 1.2] },
            "rotate": [-20.0, 20.0], "shear": { "x": [-8.0, 8.0], "y": [-8.0, 8.0] } }),
        )?],
        "perspective" => vec![one("Perspective")?],
        "elastic" => vec![step("ElasticTransform", json!({ "alpha": 60.0, "sigma": 12.0 }))?],
        "grid" => vec![one("GridDistortion")?],
        "optical" => vec![one("OpticalDistortion")?],
        "crop" => vec![crop()?],
        "center_crop" => vec![step("CenterCrop", json!({ "height": 352, "width": 352 }))?],
        "crop_and_pad" => vec![step("CropAndPad", json!({ "percent": [-0.1, 0.1] }))?],
        "pad" => vec![one("PadIfNeeded")?],
        "resize" => resize(352, 352, "bilinear")?,
        "halve" => resize(240, 320, "bilinear")?,
        "resize_bicubic" => resize(352, 352, "bicubic")?,
        "enlarge_bicubic" => resize(720, 960, "bicubic")?,
        "resize_area" => resize(352, 352, "area")?,
        "halve_area" => resize(240, 320, "area")?,
        "enlarge_area" => resize(720, 960, "area")?,
        "longest" => vec![step("LongestMaxSize", json!({ "max_size": [352] }))?],
        "smallest" => vec![step("SmallestMaxSize", json!({ "max_size": [352] }))?],
        "random_scale" => vec![one("RandomScale")?],
        "resized_crop" => vec![step("RandomResizedCrop", json!({ "size": [352, 352] }))?],
        "sized_crop" => vec![step("RandomSizedCrop", json!({ "min_max_height": [240, 400], "size": [352, 352] }))?],
        "bbox_safe_crop" => vec![one("BBoxSafeRandomCrop")?],
        "zoom_out" => vec![one("RandomZoomOut")?],
        "iou_crop" => vec![one("RandomIoUCrop")?],
        "sanitize" => vec![one("SanitizeBoundingBoxes")?],
        "to_float" => vec![one("ToFloat")?],
        "mosaic" => vec![one("Mosaic")?],
        "gblur" => vec![blur()?],
        "mblur7" => vec![motion()?],
        "brightcontrast" => vec![one("RandomBrightnessContrast")?],
        "normalize" => vec![one("Normalize")?],
        "chain" => vec![
            one("HorizontalFlip")?,
            turn()?,
            crop()?,
            blur()?,
            motion()?,
            one("RandomBrightnessContrast")?,
            one("Normalize")?,
        ],
        _ => return Err(Error::new("PL0101", format!("there is no case `{name}`"))),
    })
}

/// The same picture again and again, to mix with.
struct Again(Row);

impl Pool for Again {
    fn len(&self) -> usize {
        4
    }

    fn row(&self, _: usize) -> Result<Row> {
        Ok(untimed(|| self.0.clone()))
    }
}

/// The picture in the type that a case's name begins with, and the rest of the name.
fn typed(name: &str) -> Result<(Row, &str)> {
    let mut row = picture()?;
    let image = &mut row.frames[0].image;
    let Pixels::U8(bytes) = &image.pixels else { return Ok((row, name)) };
    let (pixels, rest) = match name.split_once('_') {
        Some(("gray", rest)) => {
            let first = bytes.iter().step_by(image.channels).copied().collect();
            image.channels = 1;
            (Pixels::U8(first), rest)
        }
        Some(("u16", rest)) => (Pixels::U16(bytes.iter().map(|v| u16::from(*v) * 257).collect()), rest),
        Some(("f32", rest)) => (Pixels::F32(bytes.iter().map(|v| f32::from(*v) / 255.0).collect()), rest),
        _ => return Ok((row, name)),
    };
    image.pixels = pixels;
    Ok((row, rest))
}

pub fn open(name: &str) -> Result<Run> {
    let (mut row, name) = typed(name)?;
    let steps = steps(name)?;
    let planes = matches!(name, "chain" | "normalize");
    let kernels = Plug::<dyn Backend>::named("Cpu")?;
    let (mut epoch, pool) = (0, Again(row.clone()));
    if matches!(name, "bbox_safe_crop" | "zoom_out" | "iou_crop" | "sanitize") {
        row.instances.extend((0..8).map(|n| {
            let (cx, cy) = (80.0 + 70.0 * n as f32, 60.0 + 50.0 * n as f32);
            let bbox = Some(RotBox { cx, cy, w: 60.0, h: 40.0, angle: 0.0 });
            Instance { class: n, bbox, ..Instance::default() }
        }));
    }
    Ok(Box::new(move || {
        epoch += 1;
        // A loader has a row of its own for each sample; the peer leaves its input as it is.
        let mut row = untimed(|| row.clone());
        let (pipeline, at) = (Pipeline::new(&steps, &*kernels).with_pool(&pool), At { seed: 1, epoch, sample: 0 });
        if planes {
            // As in training: the last table is looked up in the pass that makes planes.
            pipeline.almost().run(at, &mut row)?;
            let mut all = Vec::new();
            row.frames.iter().for_each(|f| f.image.append_looked_up(row.outstanding.as_deref(), &mut all));
            std::hint::black_box(all);
        } else {
            pipeline.run(at, &mut row)?;
        }
        std::hint::black_box(row);
        Ok(())
    }))
}
