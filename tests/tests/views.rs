//! Test-time augmentation: what is predicted on a view comes back to where it belongs, and the mean is a mean.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::augmentation::AugmentConfig;
use pleach_core::kinds::task::Report;
use pleach_core::{
    Backend, Batch, CollateCx, Cx, DType, DataInfo, Decoder, Device, Form, Frame, Gives, Instance, Mask, ModelSpec,
    Named, NamedPoint, Net, Params, Plug, Polygon, Result, RotBox, Row, SampleId, Seat, Task, Tensor,
};
use pleach_tests::{data, file, run};
use pleach_train::views::{Looker, Predictor, Views};
use serde_json::Value as Json;
use std::path::Path;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

#[derive(Debug)]
struct NoKernels;

impl Backend for NoKernels {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

/// Looks at each pixel by itself: its outputs are weighted sums of the channels, and it does not know where it looks.
struct PixelByPixel {
    outputs: usize,
}

impl Net for PixelByPixel {
    fn forward(&self, x: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        let x = x.want("image")?;
        let channels = x.dim(1)?;
        let weight = |o: usize, c: usize| ((o * 7 + c * 3 + 1) as f32).sin() * 6.0;
        let mut planes = Vec::new();
        for o in 0..self.outputs {
            let mut sum = (x.narrow(1, 0, 1)? * 0.0)?;
            for c in 0..channels {
                sum = (sum + (x.narrow(1, c, 1)? * f64::from(weight(o, c)))?)?;
            }
            planes.push(sum);
        }
        Ok(Named::one("logits", Tensor::cat(&planes, 1)?))
    }
}

/// Finds the one bright thing in an image: its box, its pixels, its outline, and its leftmost and rightmost point.
#[derive(Debug)]
struct FindBright;

impl Task for FindBright {
    fn model_spec(&self, _: &DataInfo) -> Result<ModelSpec> {
        Ok(ModelSpec { in_channels: 1, out_channels: 1, frames: 1, size: None })
    }
    fn gives(&self) -> Gives {
        Gives { form: Form::Values, targets: Vec::new(), parts: Vec::new() }
    }
    fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
        let image = &rows[0].frames[0].image;
        let (w, h) = (image.width, image.height);
        let all: Vec<f32> = rows.iter().flat_map(|r| r.frames[0].image.to_planes()).collect();
        let image = Tensor::from_vec(all, (rows.len(), 1, h, w), cx.device)?;
        Ok(Batch { inputs: Named::one("image", image), rows, ..Batch::default() })
    }
    fn decoder(&self, _: &DataInfo) -> Box<dyn Decoder> {
        Box::new(Bright)
    }
    fn report(&self, _: &Row, _: &Row, _: &DataInfo) -> Result<Report> {
        Ok(Report::default())
    }
}

struct Bright;

impl Decoder for Bright {
    fn decode(&mut self, outputs: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>> {
        let t = outputs.want("image")?;
        let (n, _, height, width) = t.dims4()?;
        let values = t.flatten_all()?.to_vec1::<f32>()?;
        let each = values.chunks_exact(values.len() / n);
        Ok(batch.rows.iter().zip(each).map(|(of, pixels)| bright(of, pixels, width, height)).collect())
    }
}

/// Gives its input back.
struct Echo;

impl Net for Echo {
    fn forward(&self, x: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        Ok(x.clone())
    }
}

fn bright(of: &Row, pixels: &[f32], width: usize, height: usize) -> Row {
    let inside: Vec<u8> = pixels.iter().map(|v| u8::from(*v > 0.5)).collect();
    let places: Vec<(f32, f32)> = inside
        .iter()
        .enumerate()
        .filter(|(_, v)| **v != 0)
        .map(|(i, _)| ((i % width) as f32, (i / width) as f32))
        .collect();
    let least = |f: fn(&(f32, f32)) -> f32| places.iter().map(f).fold(f32::INFINITY, f32::min);
    let most = |f: fn(&(f32, f32)) -> f32| places.iter().map(f).fold(f32::NEG_INFINITY, f32::max);
    let [x0, y0, x1, y1] = [least(|p| p.0), least(|p| p.1), most(|p| p.0) + 1.0, most(|p| p.1) + 1.0];
    let middle = |x: f32| {
        let rows: Vec<f32> = places.iter().filter(|p| p.0 == x).map(|p| p.1 + 0.5).collect();
        rows.iter().sum::<f32>() / rows.len() as f32
    };
    let point = |name: &str, x: f32| NamedPoint { name: name.into(), x: x + 0.5, y: middle(x), visible: true };
    let mut row = Row::prediction(of);
    row.instances.push(Instance {
        class: 3,
        score: Some(0.75),
        bbox: Some(RotBox::from_corners(x0, y0, x1, y1)),
        mask: Some(Mask { width, height, inside }),
        polygon: Some(Polygon(vec![vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]])),
        points: vec![point("left", x0), point("right", x1 - 1.0)],
        ..Instance::default()
    });
    row
}

fn info(channels: usize, classes: usize) -> DataInfo {
    let classes = (0..classes).map(|c| c.to_string()).collect();
    DataInfo { classes, channels, frames: 1, size: None, ignore_index: None }
}

fn sample(index: u64, image: Image) -> Row {
    Row::new(SampleId { index, key: format!("sample {index}").into() }, vec![Frame { number: 0, image }])
}

fn photographs() -> Vec<Row> {
    let Some(root) = data("polyp-images") else { return Vec::new() };
    let mut paths: Vec<_> = std::fs::read_dir(root.join("images")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let read = |(index, path): (usize, &std::path::PathBuf)| {
        let rgb = image::open(path).unwrap().thumbnail_exact(97, 64).to_rgb8();
        sample(index as u64, Image::new(97, 64, 3, Pixels::U8(rgb.into_raw())).unwrap())
    };
    paths.iter().enumerate().map(read).collect()
}

/// An arrow, of which no mirror image and no turn looks as it does.
fn arrow() -> Row {
    let (w, h) = (80, 60);
    let lit = |x: usize, y: usize| (15..55).contains(&x) && y > 10 && y < 40 && y - 10 < (x - 14) && (x < 50 || y < 30);
    let pixels = (0..w * h).map(|i| if lit(i % w, i / w) { 250 } else { 5 }).collect();
    sample(0, Image::new(w, h, 1, Pixels::U8(pixels)).unwrap())
}

/// The views of a run file's list.
fn list(tta: &str) -> Vec<AugmentConfig> {
    use pleach_cli as _;
    let text =
        format!("task = \"Classification\"\nmodel = \"ConvNet\"\ndataset.train = \"Digits\"\n[trainer]\ntta = {tta}\n");
    let run = pleach_config::from_text("run.toml", &text, Path::new("/nowhere"));
    run.unwrap_or_else(|f| panic!("{}", f.render(pleach_config::Paint::Plain))).run.trainer.tta
}

fn look(task: &dyn Task, net: &dyn Net, info: &DataInfo, rows: &[Row], tta: &str) -> (Vec<Row>, usize) {
    let params = Params::new(0, DType::F32, &Device::Cpu);
    let by = Predictor { task, net, params: &params, info, kernels: &NoKernels };
    let list = list(tta);
    let views = Views::new(&list, &mut Vec::new(), 5).unwrap();
    let Some(views) = views else { panic!("there are views") };
    let seen = Looker::new(&views, by).look(rows.to_vec()).unwrap();
    let rows = match (seen.rows, seen.outputs) {
        (Some(rows), _) => rows,
        (None, Some(outputs)) => task.decoder(info).decode(&outputs, &seen.batch).unwrap(),
        _ => panic!("neither rows nor outputs"),
    };
    (rows, views.count())
}

fn plain(task: &dyn Task, net: &dyn Net, info: &DataInfo, rows: &[Row]) -> Vec<Row> {
    let cx = CollateCx { device: &Device::Cpu, dtype: DType::F32, data: info };
    let batch = task.collate(rows.to_vec(), &cx).unwrap();
    let outputs = net.forward(&batch.inputs, &mut Cx::eval()).unwrap();
    task.decoder(info).decode(&outputs, &batch).unwrap()
}

fn task(name: &str, key: &str, value: &str) -> Plug<dyn Task> {
    let text = format!(
        "[task]\nname = \"{name}\"\n{key} = \"{value}\"\n[model]\nname = \"ConvNet\"\n[dataset.train]\nname = \"Digits\"\n[[loss]]\nname = \"BCE\"\n"
    );
    let text = if value == "multiclass" { text.replace("BCE", "CrossEntropy") } else { text };
    pleach_config::from_text("run.toml", &text, Path::new("/nowhere")).unwrap().run.task.clone()
}

#[test]
fn the_views_of_a_net_that_does_not_know_where_it_looks_change_nothing() {
    let rows = photographs();
    if rows.is_empty() {
        return;
    }
    let (binary, many) = (task("Segmentation", "mode", "binary"), task("Segmentation", "mode", "multiclass"));
    for (task, classes, outputs) in [(&binary, 2, 1), (&many, 5, 5)] {
        let (info, net) = (info(3, classes), PixelByPixel { outputs });
        let want = plain(&**task, &net, &info, &rows);
        let views = [
            (r#"["HorizontalFlip"]"#, 2),
            (r#"["HorizontalFlip", "VerticalFlip", "Transpose"]"#, 4),
            (r#"["RandomRotate90"]"#, 4),
            (r#"["D4"]"#, 8),
            (r#"[{ name = "Rotate", limit = [0, 0] }]"#, 2),
            (r#"[{ name = "RandomCrop", width = 40, height = 30 }]"#, 2),
            (
                r#"[{ name = "Compose", transforms = ["HorizontalFlip", { name = "CenterCrop", width = 61, height = 33 }, "D4"] }]"#,
                2,
            ),
            (r#"[{ name = "Pad", padding = [3, 5, 8, 1] }]"#, 2),
        ];
        for (tta, count) in views {
            let (got, n) = look(&**task, &net, &info, &rows, tta);
            assert_eq!(n, count, "{tta}");
            for (got, want) in got.iter().zip(&want) {
                let (got, want) = (&got.maps[0], &want.maps[0]);
                let scores = got.scores.iter().zip(&want.scores);
                assert!(scores.clone().all(|(a, b)| (a - b).abs() < 1e-5), "{tta}");
                assert_eq!(got.scores.len(), want.scores.len());
                let other = got.classes.iter().zip(&want.classes).filter(|(a, b)| a != b).count();
                assert_eq!(other, 0, "{tta}");
            }
        }
    }
}

#[test]
fn views_between_pixels_come_back_to_where_they_belong() {
    let rows = photographs();
    if rows.is_empty() {
        return;
    }
    let (task, info, net) = (task("Segmentation", "mode", "multiclass"), info(3, 3), PixelByPixel { outputs: 3 });
    let want = plain(&*task, &net, &info, &rows);
    let views = [
        r#"[{ name = "Rotate", limit = [20, 20] }, { name = "Rotate", limit = [-37, -37] }]"#,
        r#"[{ name = "Resize", width = 160, height = 90 }]"#,
        r#"[{ name = "Affine", translate_px = { x = [9, 9], y = [-5, -5] }, scale = [1.2, 1.2] }]"#,
        r#"["Perspective", "ElasticTransform"]"#,
    ];
    for tta in views {
        let (got, _) = look(&*task, &net, &info, &rows, tta);
        let pairs = got.iter().zip(&want).flat_map(|(a, b)| a.maps[0].classes.iter().zip(&b.maps[0].classes));
        let (same, all) = pairs.fold((0, 0), |(same, all), (a, b)| (same + usize::from(a == b), all + 1));
        assert!(same as f64 > 0.97 * f64::from(all), "{tta}: {same} of {all} pixels");
    }
}

#[test]
fn an_object_is_found_in_its_own_coordinates_in_every_view() {
    let (rows, info) = ([arrow()], info(1, 4));
    let want = plain(&FindBright, &Echo, &info, &rows);
    let swap = r#"swap_points = [["left", "right"]]"#;
    let exact = [
        format!(r#"[{{ name = "HorizontalFlip", {swap} }}]"#),
        r#"["VerticalFlip"]"#.to_owned(),
        r#"[{ name = "CenterCrop", width = 72, height = 54 }]"#.to_owned(),
        r#"[{ name = "Pad", padding = [7, 2, 1, 4] }, "VerticalFlip"]"#.to_owned(),
        format!(
            r#"[{{ name = "Compose", transforms = [{{ name = "Pad", padding = 5 }}, {{ name = "HorizontalFlip", p = 1, {swap} }}] }}]"#
        ),
    ];
    for tta in exact {
        let (got, _) = look(&FindBright, &Echo, &info, &rows, &tta);
        assert_eq!(got[0].instances.len(), 1, "{tta}");
        let (a, b) = (&got[0].instances[0], &want[0].instances[0]);
        assert_eq!((a.class, &a.mask, a.score), (b.class, &b.mask, b.score), "{tta}");
        let (x, y) = (a.bbox.unwrap(), b.bbox.unwrap());
        let off = [x.cx - y.cx, x.cy - y.cy, x.w - y.w, x.h - y.h];
        assert!(off.iter().all(|d| d.abs() < 1e-4), "{tta}: {x:?} {y:?}");
        for (p, q) in a.points.iter().zip(&b.points) {
            assert!(p.name == q.name && (p.x - q.x).hypot(p.y - q.y) < 1e-4, "{tta}: {p:?} {q:?}");
        }
    }
    // Between pixels, or by a turn after which left is no longer left, to within what a pixel is.
    let (got, n) = look(&FindBright, &Echo, &info, &rows, r#"["D4", { name = "Resize", width = 120, height = 90 }]"#);
    let (a, b) = (&got[0].instances[0], &want[0].instances[0]);
    assert_eq!((n, got[0].instances.len()), (9, 1));
    assert!(a.bbox.unwrap().iou(&b.bbox.unwrap()) > 0.97 && a.mask == b.mask, "{:?} {:?}", a.bbox, b.bbox);
}

#[test]
fn an_object_that_a_view_does_not_show_is_less_sure() {
    let (rows, info) = ([arrow()], info(1, 4));
    let (got, _) =
        look(&FindBright, &Echo, &info, &rows, r#"[{ name = "Crop", x_max = 14, y_max = 9 }, "VerticalFlip"]"#);
    let first = &got[0].instances[0];
    assert!((first.score.unwrap() - 0.75 * 2.0 / 3.0).abs() < 1e-6, "{:?}", first.score);
}

#[test]
fn draws_by_chance_are_the_same_whenever_a_sample_is_seen() {
    let (task, info, net) = (task("Segmentation", "mode", "binary"), info(1, 2), PixelByPixel { outputs: 1 });
    let mut rows = vec![arrow(), arrow()];
    rows[1].id.index = 1;
    let tta = r#"["Rotate", "RandomBrightnessContrast"]"#;
    let (both, _) = look(&*task, &net, &info, &rows, tta);
    let (second, _) = look(&*task, &net, &info, &rows[1..], tta);
    assert_eq!(both[1], second[0]);
    assert_ne!(both[0].maps[0].scores, both[1].maps[0].scores, "each sample has draws of its own");
}

const RUN: &str = r#"
[task]
name = "Classification"
[model]
name = "ConvNet"
channels = [8, 8]
[dataset.train]
name = "Digits"
augment = ["Normalize"]
[dataset.test]
name = "Digits"
augment = [{ name = "Normalize", mean = [0.4], std = [0.3] }]
[dataset.split]
val = 0.2
[dataloader]
batch_size = 16
[trainer]
max_epochs = 2
limit_train_batches = 10
"#;

fn evaluated(out: &Path, sets: &[&str]) -> Json {
    let mut args = vec!["eval", out.to_str().unwrap(), "--split", "test", "--json"];
    sets.iter().for_each(|set| args.extend(["--set", set]));
    serde_json::from_str(&run(BIN, args).expect_code(0).out).unwrap()
}

/// The probabilities of each sample in a table of predictions.
fn predicted(out: &Path, inputs: &Path, to: &Path, sets: &[&str]) -> Vec<Vec<f64>> {
    let mut args = vec!["predict", out.to_str().unwrap(), inputs.to_str().unwrap(), "--out", to.to_str().unwrap()];
    sets.iter().for_each(|set| args.extend(["--set", set]));
    let _ = run(BIN, args).expect_code(0);
    let text = std::fs::read_to_string(to.join("predictions.csv")).unwrap();
    let of = |line: &str| line.split(',').skip(3).map(|x| x.parse().unwrap()).collect();
    text.lines().skip(1).map(of).collect()
}

#[test]
fn eval_and_predict_take_the_mean_over_the_views_of_a_trained_run() {
    let Some(root) = data("fashion-mnist") else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = RUN.replace("\"Digits\"", &format!("\"Idx\"\nroot = \"{}\"", root.display()));
    let text = text.replace("[\"Normalize\"]", "[{ name = \"Normalize\", mean = [0.28668], std = [0.35401] }]");
    let out = dir.path().join("out");
    let train = ["train", file(dir.path(), &text).to_str().unwrap(), "--out", out.to_str().unwrap()].map(str::to_owned);
    let _ = run(BIN, &train).expect_code(0);

    let limit = "trainer.limit_test_batches=8";
    let of = |json: &Json, name: &str| json["metrics"][name].as_f64().unwrap();
    let alone = evaluated(&out, &[limit]);
    let still = evaluated(&out, &[limit, r#"trainer.tta=[{ name = "Rotate", limit = [0, 0] }]"#]);
    assert_eq!((alone["views"].as_u64(), still["views"].as_u64()), (Some(1), Some(2)));
    assert_eq!(of(&alone, "test_accuracy"), of(&still, "test_accuracy"));
    assert!((of(&alone, "test_loss") - of(&still, "test_loss")).abs() < 1e-5);
    let flipped = evaluated(&out, &[limit, r#"trainer.tta=["HorizontalFlip"]"#]);
    assert!((of(&alone, "test_loss") - of(&flipped, "test_loss")).abs() > 1e-6);

    // The mean of what is predicted for images and for their mirror images is what one run with both views predicts.
    let (images, mirrored) = (dir.path().join("images"), dir.path().join("mirrored"));
    std::fs::create_dir_all(&images).unwrap();
    std::fs::create_dir_all(&mirrored).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(root.join("png")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for path in files.iter().take(6) {
        let (image, name) = (image::open(path).unwrap(), path.file_name().unwrap());
        image.save(images.join(name)).unwrap();
        image.fliph().save(mirrored.join(name)).unwrap();
    }
    let to = |name: &str| dir.path().join(name);
    let a = predicted(&out, &images, &to("a"), &[]);
    let b = predicted(&out, &mirrored, &to("b"), &[]);
    let both = predicted(&out, &images, &to("both"), &[r#"trainer.tta=["HorizontalFlip"]"#]);
    assert_eq!((a.len(), b.len(), both.len()), (6, 6, 6));
    for ((a, b), both) in a.iter().zip(&b).zip(&both) {
        assert_eq!(both.len(), 10);
        assert!(a.iter().zip(b).zip(both).all(|((a, b), m)| ((a + b) / 2.0 - m).abs() < 2e-6), "{a:?} {b:?} {both:?}");
    }
}

#[test]
fn what_cannot_be_undone_is_refused_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let odd = ["MixUp", "CopyPaste", "BBoxSafeRandomCrop", "InstanceDropout", "RandomIoUCrop"];
    for name in odd {
        let text = RUN.replace("[trainer]", &format!("[trainer]\ntta = [\"HorizontalFlip\", \"{name}\"]"));
        let done = run(BIN, ["check", file(dir.path(), &text).to_str().unwrap()]).expect_code(2);
        assert!(done.err.contains("PL0139") && done.err.contains(name), "{}", done.err);
    }
    let text = RUN.replace("[trainer]", "[trainer]\ntta = [{ name = \"Rotate\", per_frame = true }]");
    let done = run(BIN, ["check", file(dir.path(), &text).to_str().unwrap()]).expect_code(2);
    assert!(done.err.contains("PL0139") && done.err.contains("one draw for all frames"), "{}", done.err);
}
