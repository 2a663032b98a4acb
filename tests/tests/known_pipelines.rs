//! The pipelines of systems whose users come here, written as they are known there, run unchanged.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::augmentation::{At, AugmentConfig, Pipeline};
use pleach_core::{Backend, Frame, Instance, Map, Mask, NamedPoint, Polygon, RotBox, Row, SampleId, Seat};
use std::path::Path;

#[derive(Debug)]
struct NoKernels;

impl Backend for NoKernels {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

/// A system and what it is for, its list, and perhaps a size.
type Known = (&'static str, &'static str, Option<(usize, usize)>);

/// The system, its list, and width and height of what comes out where they are always the same.
const PIPELINES: &[Known] = &[
    (
        "video polyp segmentation, training",
        r#"[{ name = "Resize", size = [256, 256] }, { name = "RandomCropResize", size = 20 },
            { name = "VerticalFlip", p = 0.5 }, { name = "HorizontalFlip", p = 0.5 },
            { name = "RandomRotation", degrees = [0, 90], interpolation = "nearest", p = 1.0 },
            { name = "RandomBlur", radius = 2, p = 0.3 }, { name = "RandomBrightnessShift", factor = 0.5, p = 0.3 },
            "ToTensor", { name = "Normalize", mean = [0.54154836, 0.30296659, 0.23279315], std = [0.26190062, 0.19614072, 0.1562954] }]"#,
        Some((256, 256)),
    ),
    (
        "video polyp segmentation, pretraining",
        r#"[{ name = "Resize", size = [256, 256] }, "ToTensor", "Normalize", "RandomRectDropout", "RandomImageDrop"]"#,
        Some((256, 256)),
    ),
    (
        "classification, training",
        r#"[{ name = "RandomResizedCrop", size = 224, scale = [0.8, 1.0] }, { name = "RandomHorizontalFlip", p = 0.5 },
            { name = "RandomRotation", degrees = 15 },
            { name = "ColorJitter", brightness = 0.2, contrast = 0.2, saturation = 0.1, hue = 0.05 }, "ToImage", "Normalize"]"#,
        Some((224, 224)),
    ),
    (
        "classification, validation",
        r#"[{ name = "Resize", size = [256, 256] }, { name = "CenterCrop", size = 224 }, "ToImage",
            { name = "ToDtype", dtype = "float32", scale = true }, "Normalize"]"#,
        Some((224, 224)),
    ),
    (
        "detection, training",
        r#"[{ name = "RandomHorizontalFlip", p = 0.5 }, "RandomPhotometricDistort",
            { name = "RandomZoomOut", fill = [123, 117, 104], p = 0.5 }, "RandomIoUCrop",
            { name = "Resize", size = [640, 640] }, "ToImage", "SanitizeBoundingBoxes", "Normalize"]"#,
        Some((640, 640)),
    ),
    (
        "oriented detection, training",
        r#"[{ name = "RandomHorizontalFlip", p = 0.5 }, { name = "RandomVerticalFlip", p = 0.5 },
            { name = "RandomRotation", degrees = 90 }, { name = "Resize", size = 800 }]"#,
        None,
    ),
    (
        "segmentation, training",
        r#"[{ name = "RandomResizedCrop", size = 512, scale = [0.5, 2.0] }, { name = "RandomHorizontalFlip", p = 0.5 },
            { name = "RandomRotation", degrees = 10 }, { name = "ColorJitter", brightness = 0.3, contrast = 0.3 }, "ToImage",
            "Normalize"]"#,
        Some((512, 512)),
    ),
    (
        "anomaly detection, teacher",
        r#"[{ name = "Resize", size = 256 }, { name = "RandomCrop", size = 65 }, "RandomHorizontalFlip", "RandomVerticalFlip",
            { name = "RandomRotation", degrees = 180 }]"#,
        Some((65, 65)),
    ),
    (
        "the whole registry of the vision system",
        r#"[{ name = "Resize", size = 128 }, { name = "CenterCrop", size = 96 }, { name = "RandomAffine", degrees = 10, translate = [0.1, 0.1],
            scale = [0.9, 1.1], shear = [5] }, "RandomPerspective", { name = "RandomCrop", size = [64, 80] }, { name = "RandomGrayscale", p = 0.1 },
            { name = "GaussianBlur", kernel_size = 5 }, "RandomAutocontrast", "RandomEqualize", { name = "RandomPosterize", bits = 4 },
            { name = "RandomSolarize", threshold = 128 }, "ToImage", { name = "ToDtype", scale = true }, "Normalize"]"#,
        Some((80, 64)),
    ),
    (
        "tracking by transformers",
        r#"[{ name = "GaussianBlur", blur_limit = [3, 7], p = 0.2, per_frame = true },
            { name = "MotionBlur", blur_limit = [3, 7], p = 0.2, per_frame = true },
            { name = "RandomBrightnessContrast", brightness_limit = 0.1, contrast_limit = 0.3, p = 0.3, per_frame = true },
            { name = "Rotate", limit = 45, border_mode = "reflect_101", p = 0.3, per_frame = true },
            { name = "CoarseDropout", fill = "random_uniform", p = 0.3, per_frame = true },
            { name = "NodeDropout", drop_prob = 0.5, n = 1 }, { name = "InstanceDropout", drop_prob = 0.5, n = 1 }]"#,
        Some((300, 260)),
    ),
];

fn list(augment: &str) -> Vec<AugmentConfig> {
    use pleach_cli as _;
    let text = format!(
        "task = \"Classification\"\nmodel = \"ConvNet\"\n[dataset.train]\nname = \"Digits\"\naugment = {augment}\n"
    );
    let run = pleach_config::from_text("run.toml", &text.replace(",\n            ", ", "), Path::new("/nowhere"));
    run.unwrap_or_else(|f| panic!("{}", f.render(pleach_config::Paint::Plain))).run.dataset.train.slot.augment.clone()
}

/// Two frames with objects of every part and a map.
fn row() -> Row {
    let (w, h) = (300, 260);
    let pixels: Vec<u8> = (0..w * h * 3).map(|i| ((i / 3 % w) * (i % 3 + 1) + i / (3 * w)) as u8).collect();
    let image = Image::new(w, h, 3, Pixels::U8(pixels)).unwrap();
    let frames = (0..2).map(|number| Frame { number, image: image.clone() }).collect();
    let mut row = Row::new(SampleId { index: 0, key: "a clip".into() }, frames);
    row.labels.class = Some(1);
    for frame in 0..2 {
        row.maps.push(Map { frame, width: w, height: h, classes: vec![1; w * h], scores: Vec::new() });
        for (track, (x0, y0, x1, y1)) in [(60, 50, 160, 150), (130, 100, 240, 200)].into_iter().enumerate() {
            let lit = |i: usize| u8::from((x0..x1).contains(&(i % w)) && (y0..y1).contains(&(i / w)));
            let mask = Some(Mask { width: w, height: h, inside: (0..w * h).map(lit).collect() });
            let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(|v| v as f32);
            let ring = vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
            let point = |name: &str, x, y| NamedPoint { name: name.into(), x, y, visible: true };
            row.instances.push(Instance {
                frame,
                track: Some(track as u64),
                bbox: Some(RotBox::from_corners(x0, y0, x1, y1)),
                mask,
                polygon: Some(Polygon(vec![ring])),
                points: vec![point("head", x0 + 20.0, y0 + 20.0), point("tail", x1 - 20.0, y1 - 20.0)],
                ..Instance::default()
            });
        }
    }
    row
}

#[test]
fn known_pipelines_run_as_they_are_written_there() {
    for (system, augment, size) in PIPELINES {
        let steps = list(augment);
        for sample in 0..6 {
            let mut row = row();
            let at = At { seed: 4, epoch: 0, sample };
            Pipeline::new(&steps, &NoKernels).run(at, &mut row).unwrap_or_else(|e| panic!("{system}: {e}"));
            if let Some(size) = size {
                assert_eq!(row.size(), Some(*size), "{system}");
            }
            let (w, h) = row.size().unwrap();
            assert!(row.maps.iter().all(|m| (m.width, m.height) == (w, h)), "{system}");
            for i in &row.instances {
                assert!(i.mask.is_some() && i.polygon.is_some() && i.bbox.is_some() && i.points.len() == 2, "{system}");
            }
        }
    }
}
