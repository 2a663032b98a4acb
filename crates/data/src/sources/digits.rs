//! The source `Digits`.

use crate::idx::{self, Array, Packed};
use crate::sources::Part;
use crate::split;
use crate::split::Subset;
use pleach_core::{Result, Samples, Source, SourceCx, plugin};
use std::path::Path;
use std::sync::Arc;

static IMAGES: &[u8] = include_bytes!("../../../../examples/data/digits/images-idx3-ubyte");
static LABELS: &[u8] = include_bytes!("../../../../examples/data/digits/labels-idx1-ubyte");

/// The greatest value in the files: all 16 pixels of a block are ink.
const INK: u16 = 16;
/// The split is part of the data set: no run's seed changes it.
const SEED: u64 = 0;
const HELD_OUT: f64 = 0.2;

/// 1,797 handwritten digits of 8x8 gray pixels, built into the program (UCI "Optical Recognition of
/// Handwritten Digits", CC BY 4.0).
///
/// Ink of 0 to 16 is stretched to 0 to 255. The data have no split of their own; a fixed one holds out
/// 20 % of each digit for testing, whatever the seed of the run.
#[plugin(source, cite = "doi:10.24432/C50P49")]
pub struct Digits {
    /// The part: "train", "test" or "all". By default training takes "train" and every other split "test".
    pub split: Option<Part>,
}

impl Source for Digits {
    fn open(&self, cx: &SourceCx) -> Result<Box<dyn Samples>> {
        let Array { shape, mut bytes } = idx::parse(IMAGES, Path::new("digits"))?;
        for ink in &mut bytes {
            *ink = ((u16::from(*ink) * 255 + INK / 2) / INK).min(255) as u8;
        }
        let labels = idx::parse(LABELS, Path::new("digits"))?;
        let all = Packed::new(Array { shape, bytes }, labels, &[], "digits")?;
        let split = split::by_ratio(&split::strata(&all), HELD_OUT, SEED)?;
        let part = match self.split.unwrap_or_else(|| Part::for_split(cx)) {
            Part::All => return Ok(Box::new(all)),
            Part::Train => split.train,
            Part::Test => split.held_out,
        };
        Ok(Box::new(Subset::new(Arc::new(all), part)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::image::Pixels;

    fn open(split: &str, part: Option<Part>) -> Box<dyn Samples> {
        Digits { split: part }.open(&SourceCx { split: split.into(), seed: 7 }).unwrap()
    }

    #[test]
    fn the_split_is_fixed_stratified_and_complete() {
        let (train, test, all) = (open("train", None), open("val", None), open("test", Some(Part::All)));
        assert_eq!((train.len() + test.len(), all.len()), (1797, 1797));
        assert!((355..=363).contains(&test.len()), "{}", test.len());
        for digit in 0..10 {
            let count = |s: &dyn Samples| (0..s.len()).filter(|&i| s.stratum(i) == Some(digit)).count() as f64;
            assert!((count(&*test) - 0.2 * count(&*all)).abs() <= 1.0);
        }
        let keys = |s: &dyn Samples| (0..s.len()).map(|i| s.key(i)).collect::<Vec<_>>();
        let train_keys = keys(&*train);
        assert!(keys(&*test).iter().all(|k| !train_keys.contains(k)));
        assert_eq!(train.info().classes.len(), 10);
        assert_eq!(train.info().size, Some((8, 8)));
    }

    #[test]
    fn an_index_beyond_the_samples_is_an_error() {
        for samples in [open("train", None), open("train", Some(Part::All))] {
            assert_eq!(samples.row(1797).unwrap_err().code(), "PL0314");
            assert_eq!(samples.row(usize::MAX).unwrap_err().code(), "PL0314");
        }
    }

    // The first image of scikit-learn's load_digits(): a zero, whose first rows are 0 0 5 13 9 1 0 0 and
    // 0 0 13 15 10 15 5 0.
    #[test]
    fn the_first_image_is_the_zero_of_the_source() {
        let row = open("test", Some(Part::All)).row(0).unwrap();
        assert_eq!(row.labels.class, Some(0));
        let Pixels::U8(px) = &row.frames[0].image.pixels else { panic!("8 bits") };
        let ink: Vec<u32> = px.iter().take(16).map(|&v| (u32::from(v) * 16 + 127) / 255).collect();
        assert_eq!(ink, [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]);
        assert_eq!(px.iter().max(), Some(&239));
    }
}
