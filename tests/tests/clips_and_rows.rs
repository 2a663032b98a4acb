//! Rows and clips hold from the source to the task: all frames of a clip move alike, and a ragged
//! number of instances goes through augmentation and collation whole.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::metric::Part;
use pleach_core::kinds::task::Report;
use pleach_core::params::Weight;
use pleach_core::{
    Batch, CollateCx, Cx, DataInfo, Decoder, Form, Frame, Gives, Init, Instance, Model, ModelSpec, Named, NamedPoint,
    Net, Objective, Result, RotBox, Row, SampleId, Samples, Scope, Source, SourceCx, StepCx, Task, Tensor, plugin,
};
use pleach_tests::{data, file, metric, run};
use pleach_train::stage::Terminal;
use std::path::PathBuf;
use std::sync::Arc;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

#[test]
fn clips_of_three_frames_with_a_map_for_each_are_segmented() {
    let Some(cells) = data("tracking-cells") else { return };
    let dir = tempfile::tempdir().unwrap();
    let split = format!(
        r#"name = "ImageMasks"
images = "{0}/test_0"
masks = "{0}/test_0_GT/TRA"
threshold = 1
frames_per_clip = 3
channels = "gray""#,
        cells.display()
    );
    let text = format!(
        r#"
[task]
name = "Segmentation"
mode = "binary"
[model]
name = "UNet"
channels = [8, 16]
[[loss]]
name = "BCE"
[[loss]]
name = "FocalTversky"
[optimizer]
name = "AdamW"
lr = 0.01
[dataset.train]
{split}
augment = [
  {{ name = "Resize", width = 96, height = 96 }},
  {{ name = "Rotate", limit = 20 }},
  {{ name = "RandomCrop", width = 64, height = 64 }},
  {{ name = "Normalize", mean = [0.2], std = [0.2] }},
]
[dataset.val]
{split}
augment = [{{ name = "Resize", width = 96, height = 96 }}, {{ name = "Normalize", mean = [0.2], std = [0.2] }}]
[dataloader]
batch_size = 2
[trainer]
max_epochs = 6
"#
    );
    let out = dir.path().join("out");
    let _ =
        run(BIN, ["train", file(dir.path(), &text).to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    let first = pleach_tests::log(&out).iter().find_map(|l| l["metrics"]["train_loss"].as_f64()).unwrap();
    assert!(metric(&out, "train_loss") < first, "nothing was learnt");
    assert!(metric(&out, "val_mean_iou") > 0.4);
}

/// Boxes of blood cells from VOC annotations.
#[plugin(source)]
struct BloodCells {
    /// The folder of the data set.
    #[plugin(example = PathBuf::from("blood-cells"))]
    root: PathBuf,
}

struct Annotated {
    root: PathBuf,
    names: Vec<String>,
}

const CLASSES: [&str; 3] = ["RBC", "WBC", "Platelets"];

impl Source for BloodCells {
    fn open(&self, _: &SourceCx) -> Result<Box<dyn Samples>> {
        let list = std::fs::read_to_string(self.root.join("ImageSets/Main/train.txt")).unwrap();
        let names = list.split_whitespace().take(12).map(str::to_owned).collect();
        Ok(Box::new(Annotated { root: self.root.clone(), names }))
    }
}

fn between<'a>(text: &'a str, tag: &str) -> &'a str {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let start = text.find(&open).unwrap() + open.len();
    text[start..start + text[start..].find(&close).unwrap()].trim()
}

impl Samples for Annotated {
    fn len(&self) -> usize {
        self.names.len()
    }

    fn row(&self, index: usize) -> Result<Row> {
        let name = &self.names[index];
        let picture = image::open(self.root.join(format!("JPEGImages/{name}.jpg"))).unwrap().to_rgb8();
        let (w, h) = picture.dimensions();
        let image = Image::new(w as usize, h as usize, 3, Pixels::U8(picture.into_raw()))?;
        let id = SampleId { index: index as u64, key: Arc::from(name.as_str()) };
        let mut row = Row::new(id, vec![Frame { number: 0, image }]);
        let xml = std::fs::read_to_string(self.root.join(format!("Annotations/{name}.xml"))).unwrap();
        for (i, object) in xml.split("<object>").skip(1).enumerate() {
            let [x0, y0, x1, y1] =
                ["xmin", "ymin", "xmax", "ymax"].map(|tag| between(object, tag).parse::<f32>().unwrap());
            let class = CLASSES.iter().position(|c| *c == between(object, "name")).unwrap();
            let center = NamedPoint { name: "center".into(), x: (x0 + x1) / 2.0, y: (y0 + y1) / 2.0, visible: true };
            row.instances.push(Instance {
                class: class as u32,
                track: Some(i as u64),
                bbox: Some(RotBox::from_corners(x0, y0, x1, y1)),
                points: vec![center],
                ..Instance::default()
            });
        }
        Ok(row)
    }

    fn info(&self) -> DataInfo {
        DataInfo {
            classes: CLASSES.map(str::to_owned).to_vec(),
            channels: 3,
            frames: 1,
            size: None,
            ignore_index: None,
        }
    }
}

/// Learns the mean width of boxes: a detector that detects nothing, to see what reaches one.
#[plugin(task)]
struct MeanWidth {}

impl Task for MeanWidth {
    fn model_spec(&self, data: &DataInfo) -> Result<ModelSpec> {
        Ok(ModelSpec { in_channels: data.channels, out_channels: 1, frames: 1, size: None })
    }

    fn gives(&self) -> Gives {
        Gives { form: Form::Values, targets: Vec::new(), parts: vec![Part::Instances] }
    }

    fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
        let (mut widths, mut offsets) = (Vec::new(), vec![0]);
        for row in &rows {
            let (w, h) = row.size().unwrap();
            for i in &row.instances {
                let b = i.bbox.expect("an instance has lost its box");
                let [x0, y0, x1, y1] = b.bounds();
                assert!(
                    x0 >= -1e-3 && y0 >= -1e-3 && x1 <= w as f32 + 1e-3 && y1 <= h as f32 + 1e-3,
                    "{b:?} leaves {w}x{h}"
                );
                assert!(
                    b.w > 0.0 && b.h > 0.0 && i.points.len() == 1 && i.track.is_some(),
                    "an instance came half: {i:?}"
                );
                widths.push(b.w / w as f32);
            }
            offsets.push(widths.len());
        }
        let n = widths.len();
        let widths = Tensor::from_vec(widths, n, cx.device)?.to_dtype(cx.dtype)?;
        Ok(Batch {
            inputs: Named::one("widths", widths),
            targets: Named::new(),
            offsets: Named::one("boxes", offsets),
            rows,
        })
    }

    fn objective(&self, step: &mut StepCx<'_>) -> Result<Objective> {
        let widths = step.batch.inputs.want("widths")?.clone();
        let outputs = step.forward()?;
        let skip = widths.elem_count() == 0;
        let loss = if skip {
            outputs.want("width")?.sum_all()?
        } else {
            widths.broadcast_sub(outputs.want("width")?)?.sqr()?.mean_all()?
        };
        Ok(Objective { loss, parts: Named::new(), outputs, skip })
    }

    fn own_objective(&self) -> bool {
        true
    }

    fn decoder(&self, _: &DataInfo) -> Box<dyn Decoder> {
        Box::new(Nothing)
    }

    fn report(&self, _: &Row, _: &Row, _: &DataInfo) -> Result<Report> {
        Ok(Report::default())
    }
}

struct Nothing;

impl Decoder for Nothing {
    fn decode(&mut self, _: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>> {
        Ok(batch.rows.iter().map(Row::prediction).collect())
    }
}

/// One number.
#[plugin(model)]
struct OneNumber {}

impl Model for OneNumber {
    fn build(&self, mut scope: Scope<'_>, _: &ModelSpec) -> Result<Box<dyn Net>> {
        Ok(Box::new(Number(scope.param("number", 1, Init::Const(1.0))?)))
    }
}

struct Number(Weight);

impl Net for Number {
    fn forward(&self, _: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        Ok(Named::one("width", self.0.value()))
    }
}

#[test]
fn a_ragged_number_of_boxes_goes_whole_through_augmentation_and_collation() {
    let Some(root) = data("blood-cells") else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
[task]
name = "MeanWidth"
[model]
name = "OneNumber"
[optimizer]
name = "SGD"
lr = 0.2
[dataset.train]
name = "BloodCells"
root = "{}"
augment = [
  {{ name = "Resize", width = 320, height = 240 }},
  "HorizontalFlip",
  "VerticalFlip",
  {{ name = "Rotate", limit = 45 }},
  {{ name = "RandomCrop", width = 160, height = 120 }},
]
[dataloader]
batch_size = 3
[trainer]
max_epochs = 6
enable_progress_bar = false
"#,
        root.display()
    );
    let resolved = pleach_config::from_text("run.toml", &text, dir.path())
        .unwrap_or_else(|e| panic!("{}", e.render(pleach_config::Paint::Plain)));
    let host = pleach_train::Host { interrupted: Arc::default(), terminal: Terminal::No, say: Arc::new(|_| {}) };
    let out = dir.path().join("out");
    let outcome = pleach_train::train(&resolved, &text, &out, &host).unwrap();
    assert!(*outcome.metrics.get("train_loss").unwrap() < 0.05);
}
