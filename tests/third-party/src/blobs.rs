use pleach_core::image::{Image, Pixels};
use pleach_core::rng::Stream;
use pleach_core::{DataInfo, Frame, Purpose, Result, Rng, Row, SampleId, Samples, Source, SourceCx, plugin};

/// Made-up images with one bright half: the left one is class 0, the right one class 1.
#[plugin(source)]
pub struct Blobs {
    /// How many.
    #[plugin(default = 64, range = 2..)]
    pub count: usize,
}

struct Made {
    count: usize,
    seed: u64,
    train: bool,
}

const SIDE: usize = 6;

impl Source for Blobs {
    fn open(&self, cx: &SourceCx) -> Result<Box<dyn Samples>> {
        Ok(Box::new(Made { count: self.count, seed: cx.seed, train: cx.split == "train" }))
    }
}

impl Samples for Made {
    fn len(&self) -> usize {
        self.count
    }

    fn row(&self, index: usize) -> Result<Row> {
        let at = Stream { sample: index as u64, op: u32::from(self.train), ..Stream::default() };
        let mut rng = Rng::new(self.seed, Purpose::Other, at);
        let class = index % 2;
        let pixel =
            |i: usize| (rng.uniform() * 100.0) as u8 + if usize::from(i % SIDE >= SIDE / 2) == class { 120 } else { 0 };
        let pixels = (0..SIDE * SIDE).map(pixel).collect();
        let frame = Frame { number: 0, image: Image::new(SIDE, SIDE, 1, Pixels::U8(pixels))? };
        let mut row = Row::new(SampleId { index: index as u64, key: format!("blob-{index}").into() }, vec![frame]);
        row.labels.class = Some(class as u32);
        Ok(row)
    }

    fn info(&self) -> DataInfo {
        DataInfo {
            classes: vec!["left".into(), "right".into()],
            channels: 1,
            frames: 1,
            size: Some((SIDE, SIDE)),
            ignore_index: None,
        }
    }
}
