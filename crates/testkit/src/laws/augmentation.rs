//! Laws of augmentations.

use super::{Bench, Law, fresh, through_text};
use crate::fault::{Check, ensure};
use pleach_core::image::{Image, Pixels};
use pleach_core::rng::Stream;
use pleach_core::{
    Backend, DynAugmentation, Frame, FusedTouch, Instance, Map, Mask, NamedPoint, Plug, Polygon, Purpose, Result, Rng,
    RotBox, Row, RowView, SampleId, Seat,
};

/// A draw decides everything.
pub const REPLAYS: Law = Law {
    name: "a draw is data: saved, restored and applied again it gives the same bytes, as drawing and applying at once do",
    why: "replays of a bad batch, and draws that are made on one device and executed on another, rest on it",
    write: "all randomness into `draw`, everything that was decided into `Draw`",
};

/// Rows stay whole.
pub const WHOLE: Law = Law {
    name: "a row stays whole: frames of one size, maps and masks of that size, instances with all their parts or gone",
    why: "a mask that moves without its box teaches the net something wrong, silently",
    write: "a `warp` for geometry, and an `edit` that drops whole instances",
};

/// Seats agree.
pub const SEATS: Law = Law {
    name: "the kernel of a touch changes pixels as its definition does",
    why: "a run may change its kernels seat and must train on the same images",
    write: "one formula for both; whole numbers may differ by 1, floats by 1e-5",
};

const SEEDS: u64 = 6;
const SIZE: (usize, usize) = (320, 256);

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn DynAugmentation>) {
    bench.check(&REPLAYS, || replays(plug));
    bench.check(&WHOLE, || whole(plug));
    bench.check(&SEATS, || seats(plug));
}

/// Runs no kernel: every touch is its definition.
#[derive(Debug)]
struct Definitions;

impl Backend for Definitions {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

/// Runs the host's form of every kernel.
#[derive(Debug)]
struct Kernels;

impl Backend for Kernels {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
    fn fused_touch(&self, touch: &FusedTouch, image: &Image) -> Result<Option<Image>> {
        (touch.cpu)(image).map(Some)
    }
}

fn rng(seed: u64) -> Rng {
    Rng::new(seed, Purpose::Augment, Stream::default())
}

/// Two frames with two instances each, of which one is whole inside and one touches the edge, and a map.
fn row() -> Check<Row> {
    let (w, h) = SIZE;
    let mut frames = Vec::new();
    let (mut instances, mut maps) = (Vec::new(), Vec::new());
    for frame in 0..2_u32 {
        let pixels = (0..w * h * 3).map(|i| ((i / 3 % w) * (i % 3 + 1) + i / (3 * w) + frame as usize) as u8).collect();
        frames.push(Frame { number: frame, image: Image::new(w, h, 3, Pixels::U8(pixels))? });
        maps.push(Map {
            frame,
            width: w,
            height: h,
            classes: (0..w * h).map(|i| (i % w / 100) as u16).collect(),
            scores: Vec::new(),
        });
        for (track, (x0, y0, x1, y1)) in [(100, 80, 180, 170), (0, 150, 60, h)].into_iter().enumerate() {
            let inside =
                (0..w * h).map(|i| u8::from((x0..x1).contains(&(i % w)) && (y0..y1).contains(&(i / w)))).collect();
            let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(|v| v as f32);
            instances.push(Instance {
                frame,
                class: 1,
                track: Some(track as u64),
                bbox: Some(RotBox::from_corners(x0, y0, x1, y1)),
                mask: Some(Mask { width: w, height: h, inside }),
                polygon: Some(Polygon(vec![vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]])),
                points: vec![NamedPoint {
                    name: "middle".into(),
                    x: (x0 + x1) / 2.0,
                    y: (y0 + y1) / 2.0,
                    visible: true,
                }],
                ..Instance::default()
            });
        }
    }
    let mut row = Row::new(SampleId { index: 3, key: "a clip".into() }, frames);
    (row.video, row.instances, row.maps) = (Some("a video".into()), instances, maps);
    row.labels.class = Some(1);
    row.values = vec![0.5];
    Ok(row)
}

fn replays(plug: &Plug<dyn DynAugmentation>) -> Check {
    let original = row()?;
    for seed in 0..SEEDS {
        let view = RowView { row: &original, size: SIZE };
        let draw = plug.draw(&mut rng(seed), &view)?;
        let twice = fresh(plug)?.draw(&mut rng(seed), &view)?;
        ensure(draw == twice, || format!("with one seed it draws {draw:?}, then {twice:?}"))?;
        let mut at_once = original.clone();
        let drew = plug.run(&mut rng(seed), &mut at_once, &Definitions)?;
        ensure(drew == draw.is_some(), || format!("`draw` gives {draw:?}, `run` says {drew}"))?;
        let mut replayed = original.clone();
        if let Some(draw) = &draw {
            fresh(plug)?.apply(&through_text(draw)?, &mut replayed, &Definitions)?;
        }
        ensure(at_once == replayed, || format!("seed {seed}: the replay of {draw:?} is another row"))?;
    }
    Ok(())
}

fn whole(plug: &Plug<dyn DynAugmentation>) -> Check {
    let original = row()?;
    for seed in 0..SEEDS {
        let mut row = original.clone();
        plug.run(&mut rng(seed), &mut row, &Definitions)?;
        let says = |what: String| format!("seed {seed}: {what}");
        ensure(row.id == original.id && row.video == original.video, || says("it is another sample".into()))?;
        ensure(!row.frames.is_empty(), || says("no frame is left".into()))?;
        let size = row.size().unwrap_or_default();
        for frame in &row.frames {
            let i = &frame.image;
            let samples = i.width * i.height * i.channels;
            ensure(samples > 0 && samples == i.pixels.len(), || {
                says(format!("an image of {}x{}x{} has {} samples", i.width, i.height, i.channels, i.pixels.len()))
            })?;
            ensure((i.width, i.height) == size, || says(format!("frames of {size:?} and {:?}", (i.width, i.height))))?;
        }
        let fits = |frame: u32, w: usize, h: usize, n: usize| {
            (frame as usize) < row.frames.len() && (w, h) == size && n == w * h
        };
        for m in &row.maps {
            ensure(fits(m.frame, m.width, m.height, m.classes.len()), || {
                says(format!("a map of {}x{} with frames of {size:?}", m.width, m.height))
            })?;
        }
        ensure(row.maps.len() == row.frames.len(), || says(format!("{} maps are left", row.maps.len())))?;
        for i in &row.instances {
            let parts = [i.bbox.is_some(), i.mask.is_some(), i.polygon.is_some(), !i.points.is_empty()];
            ensure(parts.iter().all(|&p| p), || {
                says(format!("box, mask, polygon and points of an instance are there: {parts:?}"))
            })?;
            if let Some(m) = &i.mask {
                ensure(fits(i.frame, m.width, m.height, m.inside.len()), || {
                    says(format!("a mask of {}x{} with frames of {size:?}", m.width, m.height))
                })?;
            }
            let finite = i.bbox.is_none_or(|b| [b.cx, b.cy, b.w, b.h, b.angle].iter().all(|v| v.is_finite()));
            ensure(finite, || says(format!("a box of {:?}", i.bbox)))?;
        }
    }
    Ok(())
}

fn seats(plug: &Plug<dyn DynAugmentation>) -> Check {
    let original = row()?;
    for seed in 0..SEEDS {
        let (mut a, mut b) = (original.clone(), original.clone());
        plug.run(&mut rng(seed), &mut a, &Definitions)?;
        plug.run(&mut rng(seed), &mut b, &Kernels)?;
        for (a, b) in a.frames.iter().zip(&b.frames) {
            let (a, b) = (&a.image, &b.image);
            let same_kind = std::mem::discriminant(&a.pixels) == std::mem::discriminant(&b.pixels);
            ensure(same_kind && (a.width, a.height, a.channels) == (b.width, b.height, b.channels), || {
                format!("seed {seed}: the kernel gives an image of another size or type")
            })?;
            let floats = matches!(a.pixels, Pixels::F32(_));
            for (i, (x, y)) in a.to_f32().iter().zip(b.to_f32()).enumerate() {
                let allowed = if floats { 1e-5 * x.abs().max(1.0) } else { 1.0 };
                ensure((x - y).abs() <= allowed, || format!("seed {seed}: sample {i} is {x}, by the kernel {y}"))?;
            }
        }
    }
    Ok(())
}
