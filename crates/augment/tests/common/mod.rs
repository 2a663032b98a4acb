//! What the tests of augmentations share: rows, plugins as a file would name them, and a seat without kernels.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use pleach_core::image::{Image, Pixels};
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{
    Backend, DynAugmentation, Frame, Instance, Map, Mask, NamedPoint, Plug, Polygon, Purpose, Rng, RotBox, Row,
    SampleId, Seat, rng,
};
use serde_json::Value as Json;

/// The kernels seat, without kernels.
#[derive(Debug)]
pub struct Definitions;

impl Backend for Definitions {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

const AT: Place = Place { source: 0, start: 0, end: 0 };

/// JSON as a file's tree has it.
pub fn node(json: &Json) -> Node {
    let value = match json {
        Json::String(s) => Value::Str(s.clone()),
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::Array(a) => Value::Array(a.iter().map(node).collect()),
        Json::Object(o) => {
            let entry = |(k, v): (&String, &Json)| (Key { name: k.clone(), place: AT }, node(v));
            Value::Table(Table { entries: o.iter().map(entry).collect() })
        }
        Json::Null => panic!("nothing to read"),
    };
    Node { value, place: AT }
}

/// The plugin of a name and parameters, read as a file would give it, or what is wrong with it.
pub fn read(name: &str, parameters: &Json) -> Result<Plug<dyn DynAugmentation>, String> {
    let mut table = parameters.clone();
    table["name"] = name.into();
    let mut reader = Reader::default();
    let plug = Plug::read(&node(&table), &mut reader);
    let wrong: Vec<_> = reader.diagnostics.iter().map(|d| d.message.clone()).collect();
    plug.filter(|_| wrong.is_empty()).ok_or_else(|| wrong.join("; "))
}

/// The plugin that a case of a golden file names.
pub fn plugin(case: &Json) -> Plug<dyn DynAugmentation> {
    read(case["plugin"].as_str().unwrap(), &case["parameters"]).unwrap_or_else(|e| panic!("{case}: {e}"))
}

/// The bytes of base64.
pub fn unpacked(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().fold(0_u32, |bits, &c| bits << 6 | u32::from(digit(c)));
        let bits = bits << (6 * (4 - four.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    out
}

/// Samples of 8 bits or of little-endian floats.
pub fn samples(kind: &str, base64: &str) -> Pixels {
    let bytes = unpacked(base64);
    match kind {
        "uint8" => Pixels::U8(bytes),
        _ => Pixels::F32(bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()),
    }
}

/// A stream of random numbers.
pub fn stream(seed: u64) -> Rng {
    Rng::new(seed, Purpose::Augment, rng::Stream::default())
}

/// An image of 8 bits of random samples.
pub fn noise(size: (usize, usize), channels: usize, seed: u64) -> Image {
    noise_of(size, channels, 0, seed)
}

/// An image of random samples: of 8 bits, of 16 bits, or of floats up to 1.
pub fn noise_of((w, h): (usize, usize), channels: usize, kind: u8, seed: u64) -> Image {
    let mut rng = stream(seed);
    let n = w * h * channels;
    let pixels = match kind {
        0 => Pixels::U8((0..n).map(|_| rng.next_u32() as u8).collect()),
        1 => Pixels::U16((0..n).map(|_| rng.next_u32() as u16).collect()),
        _ => Pixels::F32((0..n).map(|_| rng.uniform() as f32).collect()),
    };
    Image::new(w, h, channels, pixels).unwrap()
}

/// A row of one frame and nothing else.
pub fn alone(image: Image) -> Row {
    Row::new(SampleId { index: 0, key: "alone".into() }, vec![Frame { number: 0, image }])
}

/// Two frames, a map, and ellipses with every part, anywhere in the frame and beyond its edge.
pub fn row(size: (usize, usize), seed: u64) -> Row {
    let mut rng = stream(seed);
    let frames = (0..2).map(|number| Frame { number, image: noise(size, 3, seed + 1) }).collect();
    let mut row = Row::new(SampleId { index: 7, key: "a row".into() }, frames);
    let classes = (0..size.0 * size.1).map(|_| rng.below(4) as u16).collect();
    row.maps.push(Map { frame: 0, width: size.0, height: size.1, classes, scores: Vec::new() });
    for n in 0..6_u32 {
        let (cx, cy) = (rng.range(0.0, size.0 as f64), rng.range(0.0, size.1 as f64));
        let (a, b) = (rng.range(1.0, 9.0), rng.range(1.0, 9.0));
        let within = |x: f64, y: f64| ((x - cx) / a).powi(2) + ((y - cy) / b).powi(2) <= 1.0;
        let pixel = |i: usize| u8::from(within((i % size.0) as f64 + 0.5, (i / size.0) as f64 + 0.5));
        let inside: Vec<u8> = (0..size.0 * size.1).map(pixel).collect();
        let ring = (0..12).map(|k| f64::from(k) * std::f64::consts::TAU / 12.0);
        let ring = ring.map(|t| [(cx + a * t.cos()) as f32, (cy + b * t.sin()) as f32]).collect();
        let angle = if n % 2 == 0 { 0.0 } else { 0.7 };
        row.instances.push(Instance {
            frame: n % 2,
            class: n,
            track: Some(u64::from(n)),
            bbox: Some(RotBox { cx: cx as f32, cy: cy as f32, w: 2.0 * a as f32, h: 2.0 * b as f32, angle }),
            mask: (inside.contains(&1) && n < 4).then_some(Mask { width: size.0, height: size.1, inside }),
            polygon: (n != 2).then_some(Polygon(vec![ring])),
            points: vec![NamedPoint { name: "centre".into(), x: cx as f32, y: cy as f32, visible: true }],
            ..Instance::default()
        });
    }
    row
}
