//! Turns logits into maps of classes.

use super::fold;
use pleach_core::{Batch, DType, Decoder, Error, Map, Named, Result, Row, Tensor};

/// The class of each pixel by the highest logit, or by the foreground's probability.
pub enum Decode {
    /// A logit for each class.
    Multiclass {
        /// How many there are.
        classes: usize,
    },
    /// One logit for the foreground.
    Binary {
        /// The probability above which a pixel is foreground.
        threshold: f32,
    },
}

impl Decoder for Decode {
    fn decode(&mut self, outputs: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>> {
        let logits = outputs.first().ok_or_else(|| Error::new("PL0202", "the model has no output"))?;
        let logits = fold(logits.clone())?;
        let (width, height) = batch.rows.first().and_then(Row::size).unwrap_or_default();
        let frames: usize = batch.rows.iter().map(|row| row.frames.len()).sum();
        let channels = match self {
            Self::Multiclass { classes } => *classes,
            Self::Binary { .. } => 1,
        };
        let want = [frames, channels, height, width];
        if logits.dims() != want {
            let text = format!("the model gave a tensor of shape {:?}, {want:?} was expected", logits.dims());
            return Err(Error::new("PL0231", text).hint("frames, logits of a pixel, height and width of the input"));
        }
        let values = logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let mut images = values.chunks_exact((channels * height * width).max(1));
        let predict = |of: &Row| {
            let mut row = Row::prediction(of);
            row.maps =
                (0u32..).zip(images.by_ref().take(of.frames.len())).map(|(f, x)| self.map(f, width, x)).collect();
            row
        };
        Ok(batch.rows.iter().map(predict).collect())
    }
}

impl Decode {
    fn map(&self, frame: u32, width: usize, logits: &[f32]) -> Map {
        let (classes, scores) = match self {
            Self::Multiclass { classes } => (highest(logits, logits.len() / (*classes).max(1)), Vec::new()),
            Self::Binary { threshold } => {
                let scores: Vec<f32> = logits.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect();
                (scores.iter().map(|s| u16::from(s > threshold)).collect(), scores)
            }
        };
        Map { frame, width, height: classes.len() / width.max(1), classes, scores }
    }
}

/// For each pixel the first of the planes with the highest value.
fn highest(planes: &[f32], pixels: usize) -> Vec<u16> {
    let mut planes = (0u16..).zip(planes.chunks_exact(pixels.max(1)));
    let mut best = planes.next().map_or_else(Vec::new, |(_, plane)| plane.to_vec());
    let mut classes = vec![0; best.len()];
    for (class, plane) in planes {
        for ((best, of), &value) in best.iter_mut().zip(&mut classes).zip(plane) {
            if value > *best {
                (*best, *of) = (value, class);
            }
        }
    }
    classes
}
