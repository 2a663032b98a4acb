//! Tasks that break a law.

use pleach_core::kinds::metric::Part;
use pleach_core::kinds::task::Report;
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] =
    &[("Promising", &["every target"]), ("Shuffling", &["in their order"]), ("Gullible", &["no rows"])];

/// What is wrong with a task.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Promises,
    Shuffles,
    Believes,
}

struct Guess(Fault);

impl Decoder for Guess {
    fn decode(&mut self, _: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = batch.rows.iter().map(Row::prediction).collect();
        if self.0 == Fault::Shuffles {
            rows.reverse();
        }
        Ok(rows)
    }
}

fn batch(fault: Fault, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
    if fault != Fault::Believes && rows.iter().all(|row| row.frames.is_empty()) {
        return Err(Error::new("PL0302", "there is no frame"));
    }
    let numbers = Tensor::zeros((rows.len(), 1), cx.dtype, cx.device)?;
    let mut targets = Named::new();
    if fault != Fault::Promises {
        targets.insert(Target::Values.key(), numbers.clone());
    }
    Ok(Batch { inputs: Named::one("image", numbers), targets, offsets: Named::new(), rows })
}

macro_rules! tasks {
    ($($(#[$doc:meta])* $name:ident($fault:expr);)*) => {
        $($(#[$doc])* #[plugin(task)] struct $name {}
        impl Task for $name {
            fn model_spec(&self, data: &DataInfo) -> Result<ModelSpec> {
                Ok(ModelSpec { in_channels: data.channels, out_channels: 1, frames: 1, size: data.size })
            }
            fn gives(&self) -> Gives {
                Gives { form: Form::Values, targets: vec![Target::Values], parts: vec![Part::Values] }
            }
            fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
                batch($fault, rows, cx)
            }
            fn decoder(&self, _: &DataInfo) -> Box<dyn Decoder> {
                Box::new(Guess($fault))
            }
            fn report(&self, _: &Row, _: &Row, _: &DataInfo) -> Result<Report> {
                Ok(Report::default())
            }
        })*
    };
}

tasks! {
    /// Says that it gives values, and gives none.
    Promising(Fault::Promises);
    /// Predicts the last row first.
    Shuffling(Fault::Shuffles);
    /// Makes a batch of nothing.
    Gullible(Fault::Believes);
}
