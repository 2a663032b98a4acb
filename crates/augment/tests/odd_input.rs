//! Whatever the image and its annotations are, an augmentation gives a whole row or an error, and its draw repeats.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use pleach_augment as _;
use pleach_core::image::{Image, Pixels};
use pleach_core::rng::Stream;
use pleach_core::{
    Backend, DynAugmentation, Frame, Instance, Map, Mask, NamedPoint, Plug, Purpose, Rng, RotBox, Row, RowView,
    SampleId, Seat, registry,
};

#[derive(Debug)]
struct NoKernels;

impl Backend for NoKernels {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

/// Two frames, each with a map, an object with a mask, and one that lies outside with a point that is no number.
fn row((w, h): (usize, usize), channels: usize, depth: usize) -> Row {
    let n = w * h * channels;
    let pixels = match depth {
        8 => Pixels::U8((0..n).map(|i| (i * 37) as u8).collect()),
        16 => Pixels::U16((0..n).map(|i| (i * 3797) as u16).collect()),
        _ => Pixels::F32((0..n).map(|i| (i % 255) as f32 / 255.0).collect()),
    };
    let image = Image::new(w, h, channels, pixels).unwrap();
    let frames = (0..2).map(|number| Frame { number, image: image.clone() }).collect();
    let mut row = Row::new(SampleId { index: 0, key: "odd".into() }, frames);
    for frame in 0..2 {
        row.maps.push(Map { frame, width: w, height: h, classes: vec![1; w * h], scores: Vec::new() });
        let (fw, fh) = (w as f32, h as f32);
        let mask = Some(Mask { width: w, height: h, inside: vec![1; w * h] });
        let bbox = Some(RotBox::from_corners(fw * 0.2, fh * 0.2, fw * 0.8, fh * 0.9));
        row.instances.push(Instance { frame, track: Some(1), bbox, mask, ..Instance::default() });
        let points = vec![NamedPoint { name: "nowhere".into(), x: f32::NAN, y: 1.0, visible: true }];
        let bbox = Some(RotBox::from_corners(-50.0, -40.0, -10.0, -5.0));
        row.instances.push(Instance { frame, bbox, points, ..Instance::default() });
    }
    row
}

#[test]
fn odd_images_give_whole_rows_or_errors_and_draws_repeat() {
    let odd = [((1, 1), 3, 8), ((1, 1), 1, 8), ((17, 9), 1, 8), ((17, 9), 4, 8), ((17, 9), 5, 8), ((17, 9), 3, 16)];
    for (size, channels, depth) in odd.into_iter().chain([((17, 9), 3, 32), ((2, 30), 3, 8)]) {
        let original = row(size, channels, depth);
        for entry in registry::of_kind::<dyn DynAugmentation>() {
            let plug: Plug<dyn DynAugmentation> = entry.plug().unwrap();
            let rng = || Rng::new(1, Purpose::Augment, Stream::default());
            let mut at_once = original.clone();
            // A crop that is larger than the image, or means for other channels, are errors.
            let Ok(drew) = plug.run(&mut rng(), &mut at_once, &NoKernels) else { continue };
            let draw = plug.draw(&mut rng(), &RowView { row: &original, size }).unwrap();
            let mut repeated = original.clone();
            if let Some(draw) = &draw {
                plug.apply(draw, &mut repeated, &NoKernels).unwrap();
            }
            assert_eq!(drew, draw.is_some(), "{}", entry.name);
            assert!(at_once.frames == repeated.frames && at_once.maps == repeated.maps, "{}", entry.name);
            // Numbers that are none are never equal, so by their looks.
            assert_eq!(format!("{:?}", at_once.instances), format!("{:?}", repeated.instances), "{}", entry.name);
            let (w, h) = at_once.size().unwrap();
            assert!(at_once.maps.iter().all(|m| (m.width, m.height, m.classes.len()) == (w, h, w * h)));
            let masks = at_once.instances.iter().filter_map(|i| i.mask.as_ref());
            assert!(masks.into_iter().all(|m| (m.width, m.height, m.inside.len()) == (w, h, w * h)), "{}", entry.name);
        }
    }
}

#[test]
fn a_row_without_instances_stays_without() {
    let mut bare = row((24, 20), 3, 8);
    bare.instances.clear();
    for entry in registry::of_kind::<dyn DynAugmentation>() {
        let plug: Plug<dyn DynAugmentation> = entry.plug().unwrap();
        let mut out = bare.clone();
        if plug.run(&mut Rng::new(2, Purpose::Augment, Stream::default()), &mut out, &NoKernels).is_ok() {
            assert_eq!(out.instances, [], "{}", entry.name);
        }
    }
}
