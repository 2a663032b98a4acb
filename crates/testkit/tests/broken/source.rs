//! Sources that break a law.

use crate::hidden;
use pleach_core::image::{Image, Pixels};
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[
    ("Shifting", &["the same each time it is read"]),
    ("Boastful", &["as `info` says"]),
    ("Endless", &["beyond the end"]),
];

/// Three images of one pixel.
struct Pixel {
    shifts: bool,
    channels: usize,
    end: usize,
}

impl Samples for Pixel {
    fn len(&self) -> usize {
        3
    }
    fn row(&self, index: usize) -> Result<Row> {
        if index >= self.end {
            return Err(Error::new("PL0302", format!("there is no sample {index}")));
        }
        let value = if self.shifts { hidden() as u8 } else { index as u8 };
        let frame = Frame { number: 0, image: Image::new(1, 1, 1, Pixels::U8(vec![value]))? };
        Ok(Row::new(SampleId { index: index as u64, key: self.key(index).into() }, vec![frame]))
    }
    fn info(&self) -> DataInfo {
        DataInfo { channels: self.channels, frames: 1, size: Some((1, 1)), ..DataInfo::default() }
    }
}

macro_rules! pixels {
    ($($(#[$doc:meta])* $name:ident($pixel:expr);)*) => {
        $($(#[$doc])* #[plugin(source)] struct $name {}
        impl Source for $name {
            fn open(&self, _: &SourceCx) -> Result<Box<dyn Samples>> {
                Ok(Box::new($pixel))
            }
        })*
    };
}

pixels! {
    /// Shows another pixel each time it is read.
    Shifting(Pixel { shifts: true, channels: 1, end: 3 });
    /// Says that its pixels have colours, and they have none.
    Boastful(Pixel { shifts: false, channels: 3, end: 3 });
    /// Has a sample at whatever place one looks.
    Endless(Pixel { shifts: false, channels: 1, end: usize::MAX });
}
