use pleach_core::image::{Image, Pixels};
use pleach_core::rng::Stream;
use pleach_core::{DataInfo, Error, Frame, Purpose, Result, Rng, Row, SampleId, Samples, Source, SourceCx, plugin};

/// Made-up images of stripes: upright ones are class 0, level ones class 1.
#[plugin(source)]
pub struct MyPlugin {
    /// How many images there are.
    #[plugin(default = 256, range = 2..)]
    pub count: usize,
}

const SIDE: usize = 8;

struct Stripes {
    count: usize,
    seed: u64,
}

impl Source for MyPlugin {
    fn open(&self, cx: &SourceCx) -> Result<Box<dyn Samples>> {
        // Splits of one run differ, as they would in files.
        Ok(Box::new(Stripes { count: self.count, seed: cx.seed + u64::from(cx.split == "train") }))
    }
}

impl Samples for Stripes {
    fn len(&self) -> usize {
        self.count
    }

    fn row(&self, index: usize) -> Result<Row> {
        if index >= self.count {
            return Err(Error::new("PL0302", format!("there is no sample {index} of {}", self.count)));
        }
        // A function of seed and index, so that threads and resuming change nothing.
        let mut rng = Rng::new(self.seed, Purpose::Other, Stream { sample: index as u64, ..Stream::default() });
        let class = index % 2;
        let stripe = |i: usize| if class == 0 { i % SIDE } else { i / SIDE } % 2;
        let pixels = (0..SIDE * SIDE).map(|i| (100 * stripe(i)) as u8 + rng.below(100) as u8).collect();
        let frame = Frame { number: 0, image: Image::new(SIDE, SIDE, 1, Pixels::U8(pixels))? };
        let mut row = Row::new(SampleId { index: index as u64, key: self.key(index).into() }, vec![frame]);
        row.labels.class = Some(class as u32);
        Ok(row)
    }

    fn info(&self) -> DataInfo {
        let classes = vec!["upright".into(), "level".into()];
        DataInfo { classes, channels: 1, frames: 1, size: Some((SIDE, SIDE)), ignore_index: None }
    }
}
