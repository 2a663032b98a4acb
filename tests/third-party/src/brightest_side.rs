use pleach_core::kinds::metric::Part;
use pleach_core::kinds::task::Report;
use pleach_core::{
    Batch, CollateCx, DataInfo, Decoder, Error, Form, Gives, ModelSpec, Named, Result, Row, Target, Task, Tensor,
    plugin,
};

/// Tells which side of an image is the brighter one.
#[plugin(task)]
pub struct BrightestSide {}

struct Argmax;

impl Task for BrightestSide {
    fn model_spec(&self, data: &DataInfo) -> Result<ModelSpec> {
        Ok(ModelSpec {
            in_channels: data.channels,
            out_channels: data.classes.len(),
            frames: data.frames,
            size: data.size,
        })
    }

    fn gives(&self) -> Gives {
        Gives { form: Form::Logits, targets: vec![Target::Class], parts: vec![Part::Labels] }
    }

    fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
        let mut images = Vec::new();
        let mut classes = Vec::new();
        for row in &rows {
            let image = &row.frames.first().ok_or_else(|| Error::new("PL0302", "a row has no frame"))?.image;
            let planes = Tensor::from_vec(image.to_planes(), (image.channels, image.height, image.width), cx.device)?;
            images.push(planes.to_dtype(cx.dtype)?);
            classes.push(row.labels.class.unwrap_or_default());
        }
        let n = classes.len();
        Ok(Batch {
            inputs: Named::one("image", Tensor::stack(&images, 0)?),
            targets: Named::one("class", Tensor::from_vec(classes, n, cx.device)?),
            offsets: Named::new(),
            rows,
        })
    }

    fn decoder(&self, _: &DataInfo) -> Box<dyn Decoder> {
        Box::new(Argmax)
    }

    fn default_losses(&self) -> &'static [&'static str] {
        &["SoftmaxRegression"]
    }

    fn default_metrics(&self) -> &'static [&'static str] {
        &["HitRate"]
    }

    fn report(&self, predicted: &Row, _: &Row, data: &DataInfo) -> Result<Report> {
        let class = predicted.labels.class.unwrap_or_default() as usize;
        let name = data.classes.get(class).cloned().unwrap_or_default();
        Ok(Report { columns: Named::one("side", name), images: Named::new() })
    }
}

impl Decoder for Argmax {
    fn decode(&mut self, outputs: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>> {
        let best = outputs.want("logits")?.argmax(1)?.to_vec1::<u32>()?;
        let rows = best.into_iter().zip(&batch.rows).map(|(class, of)| {
            let mut row = Row::prediction(of);
            row.labels.class = Some(class);
            row
        });
        Ok(rows.collect())
    }
}
