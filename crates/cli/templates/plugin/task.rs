use pleach_core::kinds::metric::Part;
use pleach_core::kinds::task::Report;
use pleach_core::{
    Batch, CollateCx, DataInfo, Decoder, Error, Form, Gives, ModelSpec, Named, Result, Row, Target, Task, Tensor,
    plugin,
};

/// Tells the class of an image, without probabilities.
#[plugin(task)]
pub struct MyPlugin {}

impl Task for MyPlugin {
    fn model_spec(&self, data: &DataInfo) -> Result<ModelSpec> {
        if data.classes.is_empty() {
            return Err(Error::new("PL0322", "the data name no classes"));
        }
        let (in_channels, frames, size) = (data.channels, data.frames, data.size);
        Ok(ModelSpec { in_channels, out_channels: data.classes.len(), frames, size })
    }

    fn gives(&self) -> Gives {
        Gives { form: Form::Logits, targets: vec![Target::Class], parts: vec![Part::Labels] }
    }

    fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
        let (mut images, mut classes) = (Vec::new(), Vec::new());
        for row in &rows {
            let said = |what: &str| Error::new("PL0302", format!("sample `{}` has no {what}", row.id.key));
            let image = &row.frames.first().ok_or_else(|| said("frame"))?.image;
            let planes = Tensor::from_vec(image.to_planes(), (image.channels, image.height, image.width), cx.device)?;
            images.push(planes.to_dtype(cx.dtype)?);
            classes.extend(row.labels.class);
        }
        let inputs = Named::one("image", Tensor::stack(&images, 0)?);
        let mut targets = Named::new();
        // Images to be predicted have no classes, and then there is no target.
        if classes.len() == rows.len() {
            targets.insert(Target::Class.key(), Tensor::from_vec(classes, rows.len(), cx.device)?);
        }
        Ok(Batch { inputs, targets, offsets: Named::new(), rows })
    }

    fn decoder(&self, _: &DataInfo) -> Box<dyn Decoder> {
        Box::new(Highest)
    }

    fn default_losses(&self) -> &'static [&'static str] {
        &["CrossEntropy"]
    }

    fn default_metrics(&self) -> &'static [&'static str] {
        &["Accuracy"]
    }

    fn report(&self, predicted: &Row, _: &Row, data: &DataInfo) -> Result<Report> {
        let name = predicted.labels.class.and_then(|c| data.classes.get(c as usize)).cloned();
        Ok(Report { columns: Named::one("class", name.unwrap_or_default()), images: Named::new() })
    }
}

struct Highest;

impl Decoder for Highest {
    fn decode(&mut self, outputs: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>> {
        let logits = outputs.first().ok_or_else(|| Error::new("PL0202", "the model has no output"))?;
        let classes = logits.argmax(1)?.to_vec1::<u32>()?;
        let row = |(of, class): (&Row, u32)| {
            let mut row = Row::prediction(of);
            row.labels.class = Some(class);
            row
        };
        Ok(batch.rows.iter().zip(classes).map(row).collect())
    }
}
