//! Every parameter of Albumentations 2.0.8 and of torchvision's transforms that have another name is here, with its default:
//! written out, it changes nothing. `golden/names.py` made the file.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Definitions, noise, read, stream};
use pleach_augment as _;
use pleach_core::image::Pixels;
use pleach_core::kinds::augmentation::DynAugmentation;
use pleach_core::{Frame, Row, SampleId, registry};
use serde_json::{Value as Json, json};

/// What stands in the reference's signature and cannot stand in a file, or is another key here; and why.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("*", "p", "a key of the slot"),
    ("Equalize", "mask", "an array or a function"),
    ("Equalize", "mask_params", "arguments of that function"),
    ("PixelDropout", "mask_drop_value", "maps stay as they are"),
    ("Mosaic", "metadata_key", "partners come from the data set"),
    ("Compose", "bbox_params", "keys of each step"),
    ("Compose", "keypoint_params", "points outside stay with their instance"),
    ("Compose", "additional_targets", "a row knows its parts"),
    ("Compose", "is_check_shapes", "always"),
    ("Compose", "strict", "always"),
    ("Compose", "mask_interpolation", "the nearest"),
    ("Compose", "seed", "the seed of the run"),
    ("Compose", "save_applied_params", "`pleach augment` keeps draws"),
    ("RandomPhotometricDistort", "p", "`part_p`"),
    ("SanitizeBoundingBoxes", "min_area", "a key of the slot"),
    ("*", "labels_getter", "a function"),
    ("RandomErasing", "value", "`fill`"),
    ("ToDtype", "dtype", "float32 where it is not given"),
];

/// Defaults that differ, and what holds here; the plugin's documentation says so.
const OTHER: &[(&str, &str)] = &[
    ("Normalize", "max_pixel_value"),
    // 0.1 to 2 there, and here with `kernel_size`; the same plugin is Albumentations'.
    ("GaussianBlur", "sigma"),
    // One number and a pair with 1 mean the same there too.
    ("RandomIoUCrop", "sampler_options"),
    ("RandomResizedCrop", "antialias"),
    ("Resize", "antialias"),
];

/// What makes a plugin complete whose reference asks for something.
fn given(library: &str, name: &str) -> Json {
    let flips = json!(["HorizontalFlip", "VerticalFlip"]);
    match (library, name) {
        ("albumentations", "RandomCrop" | "CenterCrop" | "Resize" | "RandomSizedBBoxSafeCrop") => {
            json!({ "height": 64, "width": 64 })
        }
        ("torchvision", "CenterCrop" | "Resize") | (_, "RandomResizedCrop") => json!({ "size": [64, 64] }),
        (_, "RandomSizedCrop") => json!({ "min_max_height": [32, 64], "size": [64, 64] }),
        (_, "CropAndPad") => json!({ "px": 4 }),
        (_, "LongestMaxSize" | "SmallestMaxSize") => json!({ "max_size": 64 }),
        (_, "Compose" | "OneOf" | "SomeOf" | "Sequential" | "RandomOrder" | "RandomApply" | "RandomChoice") => {
            json!({ "transforms": flips })
        }
        (_, "RandomRotation" | "RandomAffine") => json!({ "degrees": 10 }),
        (_, "RandomPosterize") => json!({ "bits": 4 }),
        (_, "RandomSolarize") => json!({ "threshold": 128 }),
        ("torchvision", "GaussianBlur") => json!({ "kernel_size": 5 }),
        _ => json!({}),
    }
}

#[test]
fn every_parameter_of_the_references_is_here_with_its_default() {
    let golden: Json = serde_json::from_str(include_str!("golden/names.json")).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for library in ["albumentations", "torchvision"] {
        for (name, parameters) in golden[library].as_object().unwrap() {
            let name = name.as_str();
            let base = given(library, name);
            let plain = read(name, &base).unwrap_or_else(|e| panic!("{name}: {e}"));
            for parameter in parameters.as_array().unwrap() {
                let key = parameter["name"].as_str().unwrap();
                let found =
                    |list: &[(&str, &str, &str)]| list.iter().any(|(n, k, _)| (*n == "*" || *n == name) && *k == key);
                if key == "p" && parameter["default"].is_number() {
                    let want = parameter["default"].as_f64().unwrap();
                    if name != "RandomPhotometricDistort" && (plain.default_p() - want).abs() > 1e-12 {
                        wrong.push(format!("{name}: p is {}, there {want}", plain.default_p()));
                    }
                    continue;
                }
                if found(ELSEWHERE) || OTHER.contains(&(name, key)) {
                    continue;
                }
                seen += 1;
                if parameter["required"] == true {
                    if base.get(key).is_none() {
                        wrong.push(format!("{name}: `{key}` is required there, and no test gives it"));
                    }
                    continue;
                }
                if parameter["default"].is_null() {
                    let entry = registry::of_kind::<dyn DynAugmentation>().find(|e| e.answers(name)).unwrap();
                    match entry.fields.iter().find(|f| f.name == key) {
                        Some(field) if field.ty.starts_with("Option") => {}
                        Some(field) => wrong.push(format!("{name}: `{key}` is off there, here {}", field.ty)),
                        None => wrong.push(format!("{name}: there is no `{key}`")),
                    }
                    continue;
                }
                let mut written = base.clone();
                written[key] = parameter["default"].clone();
                // Classes are numbers of any kind there.
                if let Some(whole) = parameter["default"].as_f64().filter(|x| key == "fill_mask" && x.fract() == 0.0) {
                    written[key] = json!(whole as i64);
                }
                match read(name, &written) {
                    Err(e) => wrong.push(format!("{name}: `{key} = {}`: {e}", parameter["default"])),
                    Ok(plug) if plug != plain && base.get(key).is_none() && !idle(name, key) => wrong.push(format!(
                        "{name}: `{key}` is {} there, here {}",
                        parameter["default"],
                        plain.saved().unwrap()[key]
                    )),
                    Ok(_) => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen > 250, "{seen} parameters");
}

fn idle(name: &str, key: &str) -> bool {
    let entry = registry::of_kind::<dyn DynAugmentation>().find(|e| e.answers(name)).unwrap();
    entry.fields.iter().any(|f| f.name == key && f.idle)
}

#[test]
fn every_name_of_the_vocabulary_is_here() {
    let words = "HorizontalFlip VerticalFlip D4 Transpose RandomRotate90 Rotate SafeRotate Affine ShiftScaleRotate \
        Perspective ElasticTransform GridDistortion OpticalDistortion RandomCrop CenterCrop RandomResizedCrop RandomSizedCrop \
        CropAndPad PadIfNeeded Resize LongestMaxSize SmallestMaxSize RandomScale BBoxSafeRandomCrop RandomIoUCrop \
        RandomZoomOut SanitizeBoundingBoxes RandomBrightnessContrast ColorJitter HueSaturationValue RGBShift RandomGamma CLAHE \
        Equalize AutoContrast Posterize Solarize Invert ToGray ChannelShuffle ChannelDropout GaussianBlur MotionBlur MedianBlur \
        Blur Defocus GaussNoise ISONoise MultiplicativeNoise Sharpen Emboss UnsharpMask ImageCompression Downscale RandomShadow \
        RandomFog RandomPhotometricDistort RandomGrayscale CoarseDropout GridDropout NodeDropout InstanceDropout \
        RandomRectDropout RandomImageDrop MixUp CutMix Mosaic CopyPaste Compose OneOf SomeOf Sequential RandomApply Normalize \
        ToFloat RandomHorizontalFlip RandomVerticalFlip RandomRotation RandomAffine RandomPerspective RandomAutocontrast \
        RandomEqualize RandomPosterize RandomSolarize ToDtype ToImage ToTensor RandomCropResize RandomBlur \
        RandomBrightnessShift RandomSizedBBoxSafeCrop RandomErasing RandomInvert RandomChoice Grayscale";
    for word in words.split_whitespace() {
        let found = registry::of_kind::<dyn DynAugmentation>().find(|e| e.answers(word));
        let Some(entry) = found else { panic!("there is no {word}") };
        let says = entry.doc.contains("Follows") || entry.doc.contains("follows") || !entry.cite.is_empty();
        assert!(says, "{word} cites nothing");
    }
}

#[test]
fn what_takes_statistics_of_a_whole_frame_says_so() {
    let says = |e: &&registry::Entry| e.plug::<dyn DynAugmentation>().unwrap().reduces();
    let all: Vec<&str> = registry::of_kind::<dyn DynAugmentation>().filter(|e| says(e)).map(|e| e.name).collect();
    let known = [
        "AutoContrast",
        "CLAHE",
        "ColorJitter",
        "Equalize",
        "ISONoise",
        "RandomAutocontrast",
        "RandomEqualize",
        "RandomPhotometricDistort",
    ];
    assert_eq!(all, known);
    let sometimes = [
        ("RandomBrightnessContrast", json!({ "brightness_by_max": false })),
        ("Normalize", json!({ "normalization": "image" })),
    ];
    for (name, parameters) in sometimes {
        assert!(read(name, &parameters).unwrap().reduces() && !read(name, &json!({})).unwrap().reduces(), "{name}");
    }
}

#[test]
fn what_takes_no_statistics_does_not_see_the_other_end_of_a_frame() {
    let size = (400, 300);
    let frame = |corner: u8| {
        let mut image = noise(size, 3, 5);
        let Pixels::U8(samples) = &mut image.pixels else { panic!("8 bits") };
        samples[..9].fill(corner);
        Row::new(SampleId { index: 0, key: "a frame".into() }, vec![Frame { number: 0, image }])
    };
    let mut touching = 0;
    for entry in registry::of_kind::<dyn DynAugmentation>() {
        let plug = entry.plug::<dyn DynAugmentation>().unwrap();
        let end = |corner: u8, seed: u64| {
            let mut row = frame(corner);
            plug.run(&mut stream(seed), &mut row, &Definitions).unwrap();
            let image = &row.frames[0].image;
            let stays = (image.width, image.height) == size;
            let samples = image.to_f32();
            (stays, samples[samples.len() * 3 / 4..].to_vec())
        };
        for seed in 0..4 {
            let ((stays, a), (_, b)) = (end(0, seed), end(255, seed));
            if plug.reduces() || !stays || entry.name.contains("Mix") || !plug.parts().is_empty() {
                continue;
            }
            touching += 1;
            // A map may have brought the corner to the other end.
            let moved = a.iter().zip(&b).filter(|(a, b)| a != b).count();
            assert!(moved <= 200, "{}: {moved} samples at the other end of the frame differ", entry.name);
        }
    }
    assert!(touching > 150, "{touching}");
}
